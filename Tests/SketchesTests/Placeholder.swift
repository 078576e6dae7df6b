import Testing

@Suite struct SketchesPlaceholder {}
