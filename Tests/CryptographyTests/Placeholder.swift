import Testing

@Suite struct CryptographyPlaceholder {}
