package import Tabular

/// Which CSV reader splits the rows.
package enum CSVEngine: String, Sendable {
    /// Our structural scanner.
    case structural
    /// libcsv alone.
    case libcsv
}

/// How a source's bytes become text: its encoding, its compression and what stands around its records.
package struct SourceCoding: Sendable, Equatable {
    /// The text's encoding, as declared.
    package var encoding = TextEncoding.utf8
    /// Whether the text may be one JSON array of records, which is then read as JSON Lines.
    package var mayBeArray = false
    /// Whether its records are arrays.
    package var hasArrayItems = false
    /// Whether the file name says that the text is one list rather than a record a line; nil if it says neither.
    package var isList: Bool?
    /// The names of the members that lead to that array when the text is a document around it.
    package var property: [String] = []
    /// How many times its size a compressed file may decompress to: a bound against decompression bombs.
    package var maxRatio = 100
    /// Bytes that a file may decompress to.
    package var maxUnpackedBytes = 10 << 30

    /// Plain UTF-8.
    package init() {}
}

/// How a source is read: the settings of the contract and the command line.
package struct ReadingPlan: Sendable, Equatable {
    /// The format of the rows.
    package var format: SourceFormat
    /// The contract's field names, in order.
    package var fieldNames: [String]
    /// The fields that a header may lack.
    package var optionalFields: Set<Int> = []
    /// Whether a header must name the fields in their order.
    package var isOrdered = false
    /// The contract's columns by position.
    package var places = ColumnPlaces()
    /// For JSON, the tokens of the JSON Pointer of each field that has one; empty when none has.
    package var fieldPaths: [[String]?] = []
    /// Whether members or columns outside the contract make a row or file bad.
    package var rejectsUnknown: Bool
    /// Whether they are noted, to be dropped later.
    package var notesUnknown: Bool
    /// How rows of CSV are written.
    package var dialect = Dialect()
    /// The CSV reader.
    package var engine: CSVEngine
    /// Limits.
    package var limits: ScanLimits
    /// Compression and encoding.
    package var coding = SourceCoding()

    /// A plan with a comma, and the structural scanner.
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
