import ArgumentParser
import Foundation
import Ingestion
import Lineage
import Reading
import Schemas
import Screening
import Storage
import Synchronization
import Tabular

/// The folder for a copy of standard input when there is no store.
func temporaryFolder() -> String { FileManager.default.temporaryDirectory.path }

/// The mildest row outcome that makes the exit code 1.
enum FailOn: String, ExpressibleByArgument, CaseIterable {
    /// Rejected rows.
    case reject
    /// Quarantined and rejected rows.
    case quarantine
    /// Flagged, quarantined and rejected rows, and remarks on the batch.
    case flag
    /// None: only a held batch or an error.
    case never
}

extension CSVEngine: ExpressibleByArgument {}
extension SourceFormat: ExpressibleByArgument {}
extension TextEncoding: ExpressibleByArgument {
    /// Accepts the usual spellings of an encoding.
    package init?(argument: String) { self.init(name: argument) }
}

/// Options: the store.
struct StoreOptions: ParsableArguments {
    @Option(name: .long, help: "The store's folder (default: this folder or the nearest one above with a sluice.yaml).")
    var store: String?

    /// The store that is named, or the nearest one; nil for neither.
    ///
    /// - Throws: `configuration` when a named folder is no store.
    func find() throws(IngestionError) -> Store? {
        if let store {
            NamedStore.remember(store)
            return try Store(store)
        }
        var folder: String
        do throws(StorageError) { folder = try currentFolder() } catch { throw IngestionError(error) }
        let current = folder
        while true {
            if exists(join(folder, Store.configurationName)) {
                NamedStore.remember(found: folder, from: current)
                return try Store(folder)
            }
            if folder == "/" { return nil }
            folder = split(folder).folder
        }
    }

    /// The store.
    ///
    /// - Throws: `configuration` when none is named and none is near.
    func require() throws(IngestionError) -> Store {
        if let store = try find() { return store }
        throw IngestionError(
            .configuration, "there is no store here: give --store DIR, or make one with: sluice init DIR")
    }

    /// The store, if it has the dataset that `--dataset` names.
    ///
    /// - Throws: `usage` for another name.
    func require(dataset: String?) throws(IngestionError) -> Store {
        let store = try require()
        if let dataset, store.configuration.datasets[dataset] == nil, try !store.hasRecorded(dataset: dataset) {
            throw IngestionError(
                .usage,
                "--dataset: neither sluice.yaml nor the ledger has a dataset of this name; sluice.yaml has "
                    + store.configuration.datasets.keys.sorted().joined(separator: ", "))
        }
        return store
    }
}

/// A batch on the command line: its id, the beginning of one, or `latest`.
enum BatchID {
    /// The shortest beginning of an id that is looked up.
    static let shortest = 6

    /// The full id. Any text that is neither a prefix of an id nor `latest` is returned unchanged, so that the command
    /// reports the error in its own words.
    static func resolve(_ given: String, in store: Store) throws -> String {
        let isBeginning = given.count >= shortest && given.count < 36 && given.allSatisfy { $0.isHexDigit || $0 == "-" }
        guard given == "latest" || isBeginning else { return given }
        let query = LineageQuery(try store.readableLedger())
        if given == "latest" {
            guard let newest = try query.newestBatch() else {
                throw IngestionError(.noInput, "the ledger has no batch yet; ingest a file first: sluice ingest FILE")
            }
            return newest
        }
        let found = try query.batches(beginningWith: given)
        if found.count > 1 {
            throw IngestionError(
                .usage,
                "\(given) begins the ids of \(found.count) batches, such as \(found.prefix(2).joined(separator: " and ")); "
                    + "give more of the id")
        }
        return found.first ?? given
    }
}

/// The warnings of contracts, on standard error: each once, however many files a command reads.
enum ContractWarnings {
    private static let shownWarnings = Mutex(Set<String>())

    static func tell(_ loaded: LoadedSchema) {
        for warning in loaded.warnings.map(\.description) where shownWarnings.withLock({ $0.insert(warning).inserted })
        {
            Terminal.remark("warning: \(warning)")
        }
    }

    /// Loads a contract and prints its warnings.
    static func load(_ path: String) throws(IngestionError) -> LoadedSchema {
        let loaded = try loadContract(path)
        tell(loaded)
        return loaded
    }
}

/// How the file is read, whatever its contract.
struct FileOptions: ParsableArguments {
    @Option(
        name: .long,
        help: "The file's format, if its name does not show it; jsonl stands for all JSON: lines, arrays and documents."
    )
    var inputFormat: SourceFormat?

    @Option(
        name: .long, help: "The CSV delimiter: one ASCII character, or tab (default: the contract's, else detected).")
    var delimiter: String?

    @Option(
        name: .long,
        help:
            "A Table Dialect file (YAML or JSON), or auto to detect the dialect of a CSV file (default: the contract's)."
    )
    var dialect: String?

    @Option(
        name: .long,
        help:
            "The text's encoding (default: the contract's, else detected)."
    )
    var encoding: TextEncoding?

    @Option(name: .long, help: "The CSV reader: structural, cross-checked by libcsv in samples, or libcsv alone.")
    var csvEngine = CSVEngine.structural

    @Option(
        name: .long,
        help: "Number of workers, 1 to 256; the result does not depend on it (default: the number of processors).")
    var jobs: Int?

    /// Checks the number of workers and the delimiter.
    func validate() throws {
        if let jobs, !(1...256).contains(jobs) { throw ValidationError("--jobs must be a whole number from 1 to 256") }
        if let delimiter, delimiter != "tab", Self.mark(delimiter) == nil {
            throw ValidationError("--delimiter must be tab or one ASCII character other than a quote or line end")
        }
    }

    /// The ASCII byte of a delimiter option; `tab` and `\t` are a tab. nil for quotes, line ends and longer texts.
    private static func mark(_ text: String) -> UInt8? {
        let bytes = Array(text.utf8)
        if text == "tab" || text == "\\t" { return 0x09 }
        let isMark = bytes.count == 1 && ![0x22, 0x0A, 0x0D, 0].contains(bytes[0]) && bytes[0] < 0x80
        return isMark ? bytes[0] : nil
    }

    /// The pipeline's options from the command line.
    ///
    /// - Throws: `usage` for a dialect or delimiter that cannot be used.
    func options(for file: String) throws(IngestionError) -> BatchOptions {
        if file == StandardInput.name { try StandardInput.keep(in: temporaryFolder()) }
        var options = BatchOptions()
        options.temporaryFolder = temporaryFolder()
        options.format = inputFormat
        options.engine = csvEngine
        options.encoding = encoding
        if dialect == "auto" {
            let sniffed = try sniffSource(file, encoding: encoding)
            options.dialect = try DialectText.requireSure(sniffed, file)
            options.encoding = sniffed.encoding
            for line in DialectText.evidence(sniffed) { Terminal.remark("\(file): \(line)") }
        } else if let dialect {
            options.dialect = try loadDialect(dialect)
        }
        options.delimiter = delimiter.flatMap(Self.mark)
        options.jobs = jobs ?? processorCount()
        return options
    }

    /// Whether nothing states the dialect of a CSV file.
    func isUndeclared(_ file: String, _ options: BatchOptions) -> Bool {
        dialect == nil && delimiter == nil && (options.format ?? SourceFormat(ofFile: file)) == .csv
    }

    /// Detects the dialect of a CSV file without a contract. Whether its first row is a header is decided by the
    /// inference.
    func detectDialect(of file: String, _ options: inout BatchOptions) throws(IngestionError) {
        guard isUndeclared(file, options) else { return }
        let sniffed = try sniffSource(file, encoding: encoding)
        options.encoding = sniffed.encoding
        guard let found = sniffed.found, found.explains else { return }
        var dialect = try DialectText.requireSure(sniffed, file)
        if dialect.headerRows.isEmpty { dialect.headerRows = [dialect.leadingRows + 1] }
        options.dialect = dialect
        if dialect != Dialect() || sniffed.encoding != .utf8 {
            for line in DialectText.evidence(sniffed, dialect) { Terminal.remark("\(file): \(line)") }
        }
    }
}

/// Which contract, and how the file is read.
struct ReadingOptions: ParsableArguments {
    @Option(
        name: [.short, .long],
        help:
            "The contract, in YAML or JSON: a Table Schema, or for JSON data a JSON Schema."
    )
    var schema: String?

    @Flag(name: .long, help: "Infer the contract from the file when there is none.")
    var infer = false

    @OptionGroup var file: FileOptions

    @Option(name: .long, help: "A field to leave out of screening and scoring; may be repeated.")
    var exclude: [String] = []

    @Option(name: .long, help: "The seed of all random choices, a whole number (default: chosen by Sluice).")
    var seed: UInt64?

    /// The pipeline's options from the command line.
    ///
    /// - Throws: `usage` for a dialect or delimiter that cannot be used.
    func options(for path: String) throws(IngestionError) -> BatchOptions {
        var options = try file.options(for: path)
        options.seed = seed
        options.excluded = exclude
        return options
    }

    /// Finds the contract: the named one, the dataset's, or one inferred from `file`.
    ///
    /// If nothing states the dialect, it is detected, put into `options` and reported. Under a contract that happens
    /// only where the header does not fit as it stands, and is adopted only with `looks`.
    ///
    /// - Parameters:
    ///   - input: the file or files to judge.
    ///   - dataset: the dataset; nil when none is named.
    ///   - store: the store; nil for none.
    ///   - adoptsDialect: whether a detected dialect is adopted under a contract.
    ///   - options: gets encoding and dialect.
    /// - Returns: the contract, its document, and its origin for messages.
    /// - Throws: `usage` when there is no contract.
    func contract(
        for input: BatchInput, dataset: String?, store: Store?, adoptsDialect: Bool = false, options: inout BatchOptions
    ) throws(IngestionError) -> (schema: Schema, document: JSONValue, origin: String) {
        // The dialect of several files is that of the first.
        let path = input.files[0]
        var found: (loaded: LoadedSchema, origin: String)?
        if let schema {
            found = (try ContractWarnings.load(schema), schema)
        } else if let dataset, let store, let declared = store.configuration.datasets[dataset]?.schema {
            let loaded = try store.contract(of: dataset)
            ContractWarnings.tell(loaded)
            found = (loaded, declared)
        }
        if let (loaded, origin) = found {
            for name in exclude where !loaded.schema.fields.contains(where: { $0.name == name }) {
                throw IngestionError(.usage, "--exclude \(name): the contract has no such field")
            }
            if file.isUndeclared(path, options), loaded.schema.dialect == nil, loaded.schema.recordSchema == nil {
                try detectDialect(of: path, under: loaded.schema, adopts: adoptsDialect, &options)
            }
            return (Schema.digested(loaded), loaded.document, origin)
        }
        guard infer else { throw noContract(for: input.name, dataset: dataset, store: store) }
        try file.detectDialect(of: path, &options)
        let (schema, document) = Schema.digested(try inferSchema(input, options: options))
        for name in exclude where !schema.fields.contains(where: { $0.name == name }) {
            throw IngestionError(.usage, "--exclude \(name): the file has no such field")
        }
        return (schema, document, "inferred from \(input.name)")
    }

    /// The error for a file without a contract, with the ways to give one.
    private func noContract(for path: String, dataset: String?, store: Store?) -> IngestionError {
        let known = store?.configuration.datasets.filter { $0.value.schema != nil }.keys.sorted() ?? []
        let names = known.prefix(8).joined(separator: ", ") + (known.count > 8 ? ", …" : "")
        if let dataset {
            let place = store.map {
                "\(join($0.root, Store.configurationName)) names no contract for dataset \(dataset)"
            }
            return IngestionError(
                .usage,
                "no contract for \(path): " + (place ?? "--dataset \(dataset) needs a store, and there is none here")
                    + (known.isEmpty ? "" : ", only for \(names)") + "; give --schema FILE"
                    + (store == nil ? ", or --store DIR" : ""))
        }
        return IngestionError(
            .usage,
            "no contract for \(path): give --schema FILE, "
                + (known.isEmpty ? "" : "--dataset NAME for one that sluice.yaml names (\(names)), ")
                + "or --infer to infer one from the file")
    }

    /// Detects the dialect of a file whose header does not fit a contract without dialect.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - schema: the contract.
    ///   - adopts: whether the detected dialect is used, or only suggested.
    ///   - options: gets the dialect.
    private func detectDialect(
        of path: String, under schema: Schema, adopts: Bool, _ options: inout BatchOptions
    ) throws(IngestionError) {
        if try fits(path, schema, options: options) { return }
        let sniffed = try sniffSource(path, encoding: file.encoding ?? schema.encoding)
        guard let found = sniffed.found, found.explains, found.isSure, found.dialect != Dialect() else { return }
        var other = options
        other.dialect = found.dialect
        guard try fits(path, schema, options: other) else { return }
        let line = DialectText.line(found.dialect)
        if adopts {
            options = other
            Terminal.remark("\(path): the contract declares no dialect; reading with the detected one: \(line)")
        } else {
            Terminal.remark(
                "\(path): its header does not fit the contract, but would with the dialect \(line): add --dialect auto, or write "
                    + "the dialect into sluice.dialect of the contract")
        }
    }
}

/// Options: the report.
struct ReportOptions: ParsableArguments {
    @Option(name: .long, help: "The format of the report.")
    var format = OutputFormat.text

    @Flag(name: .long, help: "Short for --format json.")
    var json = false

    @Option(name: .long, help: "Number of findings listed one by one in reports for programs; totals are always exact.")
    var limitErrors = 1000

    @Option(name: .long, help: "The mildest row outcome that makes the exit code 1.")
    var failOn = FailOn.reject

    @Flag(name: [.short, .long], help: "Print only errors.")
    var quiet = false

    /// Findings to list one by one: the text report shows totals and first rows only.
    var listed: Int { json || format != .text ? limitErrors : 0 }

    /// The exit code of a report: 1 when the batch is held, refused, or has rows at or above `--fail-on`; else 0.
    func exitCode(_ report: BatchReport) -> Int32 {
        let isDuplicate = report.status == .duplicate
        if report.isRefusedReplacement { return 1 }
        if isDuplicate ? !report.earlierWasAccepted : report.hasHoldingFinding { return 1 }
        let counts = report.counts
        let rejected = isDuplicate ? report.earlierRejected : counts.count(.rejected)
        let quarantined = isDuplicate ? report.earlierQuarantined : counts.count(.quarantined)
        let flagged = isDuplicate ? report.earlierFlagged : counts.count(.flagged)
        let worst: Int
        switch failOn {
        case .never: worst = 0
        case .reject: worst = rejected
        case .quarantine: worst = rejected + quarantined
        case .flag:
            worst = rejected + quarantined + flagged + report.disguisedColumns.count + report.batchFindings.count
        }
        return worst > 0 ? 1 : 0
    }

    /// Prints a report as text or JSON. Of several reports each is one line of JSON.
    func print(_ report: BatchReport, isOneOfMany: Bool) {
        if json || format == .json {
            Terminal.json(FindingText.messaged(report), pretty: !isOneOfMany)
        } else if !quiet {
            Terminal.report(ReportText.render(report))
            if report.status == .accepted, exitCode(report) == 1 {
                Terminal.line(
                    "  exit  1: some rows have an outcome at or above --fail-on \(failOn.rawValue); accepted rows are published"
                )
            }
        }
    }
}
