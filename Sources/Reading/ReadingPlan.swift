package import Tabular

/// The reader that splits rows of CSV.
package enum CSVEngine: String, Sendable {
    /// The structural scanner.
    case structural
    /// libcsv alone.
    case libcsv
}

/// The layers between a source's bytes and its records: encoding, compression, and the document around the records.
package struct SourceCoding: Sendable, Equatable {
    /// The text's encoding, as declared.
    package var encoding = TextEncoding.utf8
    /// Whether the text may be one JSON array, which is then read as JSON Lines.
    package var mayBeArray = false
    /// Whether records are arrays.
    package var hasArrayItems = false
    /// Whether the file name implies one list (true) or a record a line (false); nil for neither.
    package var isList: Bool?
    /// The member names that lead to the array inside a document.
    package var property: [String] = []
    /// Largest ratio of decompressed to compressed size, against decompression bombs.
    package var maxRatio = 100
    /// Most bytes after decompression.
    package var maxUnpackedBytes = 10 << 30

    /// Plain UTF-8.
    package init() {}
}

/// The settings by which a source is read, from contract and command line.
package struct ReadingPlan: Sendable, Equatable {
    /// The format of the rows.
    package var format: SourceFormat
    /// The contract's field names, in order.
    package var fieldNames: [String]
    /// Indices of fields that a header may lack.
    package var optionalFields: Set<Int> = []
    /// Whether a header must name the fields in order.
    package var isOrdered = false
    /// The columns named by position.
    package var places = ColumnPlaces()
    /// For JSON, the JSON Pointer tokens by field; empty when no field has one.
    package var fieldPaths: [[String]?] = []
    /// Whether members or columns outside the contract are errors.
    package var rejectsUnknown: Bool
    /// Whether they are noted, to be dropped later.
    package var notesUnknown: Bool
    /// The dialect of CSV.
    package var dialect = Dialect()
    /// The CSV reader.
    package var engine: CSVEngine
    /// Limits.
    package var limits: ScanLimits
    /// Encoding and compression.
    package var coding = SourceCoding()

    /// A plan with the default dialect.
    ///
    /// - Parameters:
    ///   - format: the format of the rows.
    ///   - fieldNames: the contract's fields, in order.
    ///   - rejectsUnknown: whether members or columns outside the contract are errors.
    ///   - notesUnknown: whether they are noted.
    ///   - engine: the CSV reader.
    ///   - limits: limits of rows and blocks.
    package init(
        format: SourceFormat, fieldNames: [String], rejectsUnknown: Bool = true, notesUnknown: Bool = false,
        engine: CSVEngine = .structural, limits: ScanLimits = ScanLimits()
    ) {
        self.format = format
        self.fieldNames = fieldNames
        self.rejectsUnknown = rejectsUnknown
        self.notesUnknown = notesUnknown
        self.engine = engine
        self.limits = limits
    }
}
