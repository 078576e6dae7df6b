import Testing

@Suite struct ScreeningPlaceholder {}
