import Testing

@Suite struct MaskingPlaceholder {}
