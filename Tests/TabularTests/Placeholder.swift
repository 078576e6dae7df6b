import Testing

@Suite struct TabularPlaceholder {}
