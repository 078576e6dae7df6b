import Testing

@Suite struct IngestionPlaceholder {}
