import Testing

@Suite struct ReadingPlaceholder {}
