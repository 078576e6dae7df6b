import Reading
import Schemas
import Tabular

extension ReadingPlan {
    /// How a file is read under a contract.
    ///
    /// - Parameters:
    ///   - schema: the contract.
    ///   - format: the file's format.
    ///   - options: settings that override the contract's dialect and encoding.
    ///   - file: the file's name, for messages.
    /// - Throws: `configuration` when dialect and contract exclude each other.
    init(
        _ schema: Schema, format: SourceFormat, options: BatchOptions, file: String
    ) throws(IngestionError) {
        self.init(
            format: format, fieldNames: schema.fields.map(\.name), rejectsUnknown: schema.unknownFields == .reject,
            notesUnknown: schema.unknownFields == .drop || schema.recordSchema != nil || schema.undeclaredPII != .allow
                || schema.secrets != .accepted, engine: options.engine,
            limits: ScanLimits(maxRowBytes: schema.limits.maxRowBytes, maxDepth: schema.limits.maxDepth))
        isOrdered = schema.fieldsMatch == .exact
        if schema.fieldsMatch?.allowsMissing == true {
            optionalFields = Set(
                schema.fields.indices.filter {
                    !schema.fields[$0].constraints.required && !schema.primaryKey.contains(schema.fields[$0].name)
                })
        }
        limits.maxCellBytes = schema.limits.maxCellBytes
        dialect = options.dialect(schema.dialect, ofFile: file)
        coding.encoding = options.encoding ?? schema.encoding
        if schema.recordSchema != nil, format == .csv {
            throw IngestionError(
                .configuration,
                "\(file): the contract is a JSON Schema, which judges JSON, and the file is CSV; use a Table Schema, with fields:"
            )
        }
        if schema.recordSchema != nil, dialect.hasArrayItems {
            throw IngestionError(
                .configuration,
                "\(file): the contract is a JSON Schema, which judges records as objects, and the dialect's items are arrays; use a "
                    + "Table Schema, with fields:")
        }
        if let field = schema.fields.first(where: { $0.path != nil }) {
            if format == .csv {
                throw IngestionError(
                    .configuration,
                    "\(file): field \(field.name) of the contract has a path, which is about JSON, and the file is CSV; use a "
                        + "contract without it")
            }
            fieldPaths = schema.fields.map(\.path)
        }
        if let field = schema.fields.first(where: { $0.column != nil }), format == .jsonl {
            throw IngestionError(
                .configuration,
                "\(file): field \(field.name) of the contract has a column, which is about CSV, and the file is JSON; use a "
                    + "contract without it")
        }
        places = ColumnPlaces(schema)
        coding.mayBeArray = format == .jsonl
        if format == .jsonl {
            coding.property = dialect.property
            coding.hasArrayItems = dialect.hasArrayItems
            coding.isList = options.isList ?? isDocument(file)
            try requireColumns(self, file)
        }
        coding.maxRatio = schema.limits.maxDecompressionRatio
        coding.maxUnpackedBytes = schema.limits.maxDecompressedBytes
    }
}

extension ColumnPlaces {
    /// The places of columns as a contract names them.
    init(_ schema: Schema) {
        self.init()
        if schema.fields.contains(where: { $0.column != nil }) { ofFields = schema.fields.map(\.column) }
        dropped = schema.dropColumns
        hasTrailingDelimiter = schema.trailingDelimiter
        trimsLabels = schema.trimLabels
        areInferred = schema.isInferred
    }
}

/// Refuses a dialect that skips a column of the contract: the field would be missing in every row.
private func requireColumns(_ plan: ReadingPlan, _ file: String) throws(IngestionError) {
    let dialect = plan.dialect
    func unusable(_ text: String) -> IngestionError { IngestionError(.configuration, "\(file): \(text)") }
    for (index, name) in plan.fieldNames.enumerated() {
        let path = plan.fieldPaths.isEmpty ? nil : plan.fieldPaths[index]
        if dialect.hasArrayItems, path != nil {
            throw unusable(
                "field \(name) of the contract has a path, and the dialect's items are arrays, without members; remove one"
            )
        }
        if !dialect.itemKeys.isEmpty, !dialect.itemKeys.contains(path?.first ?? name) {
            throw unusable(
                "field \(name) of the contract is not among the dialect's itemKeys; add it there, or remove the field")
        }
    }
}
