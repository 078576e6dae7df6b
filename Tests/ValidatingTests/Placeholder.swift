import Testing

@Suite struct ValidatingPlaceholder {}
