package import Reading
package import Schemas
package import Tabular

/// The settings of one batch that come from the command line.
package struct BatchOptions: Sendable {
    /// How far the batch may go.
    package var mode = RunMode.ingest
    /// The format; nil to take it from the file's name.
    package var format: SourceFormat?
    /// The text's encoding; nil to take the contract's.
    package var encoding: TextEncoding?
    /// The CSV reader.
    package var engine = CSVEngine.structural
    /// The CSV dialect; nil to take the contract's.
    package var dialect: Dialect?
    /// The CSV delimiter; overrides that of the dialect.
    package var delimiter: UInt8?
    /// Slices worked on at the same time.
    package var jobs = 2
    /// Bytes of a slice, and so about the size of a shard.
    package var sliceBytes = 16 << 20
    /// Most findings listed one by one; totals are exact regardless.
    package var listed = 1000
    /// Most detections of personal data listed one by one, by place and entity.
    package var detectionsListed = 0
    /// Judge again a batch that was judged before and not accepted.
    package var force = false
    /// The id of the accepted batch that this one replaces once it is accepted.
    package var supersedes: String?
    /// For `validate`: the files that passing and failing rows are written to.
    package var validRows: String?, invalidRows: String?
    /// The folder of unnamed temporary files when there is no store.
    package var temporaryFolder = "/tmp"
    /// Row keys held in memory, 16 bytes each; beyond that they spill to an unnamed file.
    package var keysInMemory = 8 << 20
    /// The seed of every random choice; nil to derive it from content, contract and baseline.
    package var seed: UInt64?
    /// Names of contract fields that are not screened.
    package var excluded: [String] = []
    /// A candidate contract that is evaluated beside the one in force and only reported on.
    package var shadow: (schema: Schema, document: JSONValue)?
    /// A person's decision to release a held batch; the input is then its sealed source.
    var waiver: Waiver?
    /// Whether a JSON file is one document or lines, where its name is no longer known.
    var isList: Bool?
    /// Whether the report includes the outcome of every row.
    var keepsFates = false
    /// Asked before each read; true ends the work with `tryAgain`.
    package var isStopped: @Sendable () -> Bool = { false }
    /// Called from time to time with rows done, bytes done and bytes in all.
    package var progress: (@Sendable (_ rows: Int, _ bytes: Int, _ total: Int) -> Void)?

    /// The defaults.
    package init() {}

    /// The dialect of a file.
    ///
    /// - Parameters:
    ///   - declared: the contract's dialect; nil for none.
    ///   - name: the file's name; without any other statement `.tsv` means tabs.
    func dialect(_ declared: Dialect?, ofFile name: String) -> Dialect {
        var dialect = dialect ?? declared ?? Dialect()
        if self.dialect == nil, declared == nil, plainName(name).hasSuffix(".tsv") { dialect.delimiter = 0x09 }
        if let delimiter { dialect.delimiter = delimiter }
        return dialect
    }
}
