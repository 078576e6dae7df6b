package import Reading
package import Schemas
package import Tabular

/// What the command line asks of one batch.
package struct BatchOptions: Sendable {
    /// How far the batch may go.
    package var mode = RunMode.ingest
    /// The format, or nil to go by the file name.
    package var format: SourceFormat?
    /// The text's encoding, or nil for what the contract says.
    package var encoding: TextEncoding?
    /// The CSV reader.
    package var engine = CSVEngine.structural
    /// How CSV is written, or nil for what the contract says.
    package var dialect: Dialect?
    /// The CSV delimiter, instead of the dialect's.
    package var delimiter: UInt8?
    /// Workers.
    package var jobs = 2
    /// Bytes of a slice.
    package var sliceBytes = 16 << 20
    /// Findings listed one by one; totals are exact whatever this is.
    package var listed = 1000
    /// Personal data told one by one, by place and kind.
    package var spotted = 0
    /// Judge a batch again that was judged before and not accepted.
    package var force = false
    /// The accepted batch that this one shall replace, if it is accepted too.
    package var supersedes: String?
    /// For `validate`: where the rows that pass are to be written, and those that do not.
    package var validRows: String?, invalidRows: String?
    /// Where a file without a name may be kept, when there is no store.
    package var temporaryFolder = "/tmp"
    /// Keys of rows that are kept in memory, 16 bytes each; others go into such a file.
    package var keysInMemory = 8 << 20
    /// The seed of everything random, or nil for the one that follows from contract and baseline.
    package var seed: UInt64?
    /// Contract fields not to be screened.
    package var excluded: [String] = []
    /// A contract that runs beside the one in force and only reports what would be different.
    package var shadow: (schema: Schema, document: JSONValue)?
    /// The held batch that a person lets out, and why; then the file is what was sealed of it.
    var waiver: Waiver?
    /// Whether a JSON file is one document or lines, where its name is not known any more.
    var isList: Bool?
    /// Whether the report is to say what became of each row.
    var keepsFates = false
    /// Asked before each read; true ends the work with `tryAgain`.
    package var isStopped: @Sendable () -> Bool = { false }
    /// Called now and then with rows and bytes done, and bytes to do.
    package var progress: (@Sendable (_ rows: Int, _ bytes: Int, _ total: Int) -> Void)?

    /// The defaults.
    package init() {}

    /// The dialect of a file whose contract says `declared`; where nobody says anything, a name in .tsv means tabs.
    func dialect(_ declared: Dialect?, ofFile name: String) -> Dialect {
        var dialect = dialect ?? declared ?? Dialect()
        if self.dialect == nil, declared == nil, plainName(name).hasSuffix(".tsv") { dialect.delimiter = 0x09 }
        if let delimiter { dialect.delimiter = delimiter }
        return dialect
    }
}
