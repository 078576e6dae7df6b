import Testing

@Suite struct SchemasPlaceholder {}
