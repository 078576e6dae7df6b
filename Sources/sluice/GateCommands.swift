import ArgumentParser
import Cryptography
import Ingestion
import Reading
import Schemas
import Screening
import Sealing
import Sketches
import Storage
import Tabular

/// `sluice init`.
struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Make a store: configuration, example contract, keys, empty ledger.")

    @Argument(help: "The store's folder; made if it is not there.")
    var folder: String = "."

    func run() async throws {
        try await reporting {
            let store = try Store.create(folder)
            Terminal.line("made a store in \(folder)")
            Terminal.line("  sluice.yaml                  what it is and who can open its shards")
            Terminal.line("  schemas/example.schema.yaml  an example contract")
            Terminal.line("  keys/                        main.kek, ledger.signing, tokens.token, store.store")
            Terminal.line("  ledger.sqlite                the signed record, \(store.configuration.origin)")
            Terminal.line("")
            Terminal.line(
                "Lost keys are lost data: copy keys/ to a safe place now. Nobody can open a shard without them.")
        }
    }
}

/// `sluice validate`.
struct ValidateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract:
            "Check files against a contract. Writes nothing but the rows that --valid-rows and --invalid-rows ask for."
    )

    @Argument(help: "CSV or JSON Lines files, plain or compressed; - is standard input.")
    var files: [String]

    @Option(name: .long, help: "The dataset whose contract is used.")
    var dataset: String?

    @Option(name: .long, help: "Write the rows that pass to this new file, as they stand in the source.")
    var validRows: String?

    @Option(name: .long, help: "Write the rows that do not pass to this new file.")
    var invalidRows: String?

    @Flag(name: .long, help: "Write them even where the contract masks values: they are written as they are.")
    var showValues = false

    @Flag(name: .long, help: "Answer yes to the question that --show-values asks.")
    var yes = false

    @OptionGroup var store: StoreOptions
    @OptionGroup var reading: ReadingOptions
    @OptionGroup var report: ReportOptions

    func validate() throws {
        if validRows != nil || invalidRows != nil, files.count > 1 {
            throw ValidationError("--valid-rows and --invalid-rows are for one file at a time")
        }
        if let validRows, validRows == invalidRows {
            throw ValidationError("--valid-rows and --invalid-rows must be two files")
        }
    }

    /// Values that a contract masks are written for those who ask twice only.
    private func confirm(_ schema: Schema, _ file: String) throws(IngestionError) {
        guard validRows != nil || invalidRows != nil else { return }
        for path in [validRows, invalidRows].compactMap(\.self) where exists(path) {
            throw IngestionError(.cannotCreate, "\(path): it is there already; remove it, or choose another name")
        }
        let masked = schema.fields.filter { $0.pii != nil }.map(\.name)
        if masked.isEmpty { return }
        let names = masked.prefix(6).joined(separator: ", ") + (masked.count > 6 ? ", …" : "")
        guard showValues else {
            throw IngestionError(
                .usage,
                "the contract masks \(names), and rows would be written with these values as they are; add --show-values if that "
                    + "is meant")
        }
        if yes { return }
        guard file != StandardInput.name, Terminal.isAsked else {
            throw IngestionError(.usage, "--show-values asks first, and nobody is at the terminal: add --yes")
        }
        Terminal.remark("the contract masks \(names); write rows with these values as they are? [y/N]")
        guard ["y", "yes"].contains(readLine()?.lowercased()) else {
            throw IngestionError(.usage, "nothing was written")
        }
    }

    func run() async throws {
        ignoreBrokenPipes()
        keepFreedMemory()
        var worst: Int32 = 0
        let output = ReportOutput(report, files: files.count)
        for file in files {
            try await goingOn(&worst, file, output) {
                var options = try reading.options(for: file)
                options.mode = .validate
                options.listed = report.listed
                (options.validRows, options.invalidRows) = (validRows, invalidRows)
                let found = dataset == nil && store.store == nil ? nil : try store.find()
                let progress = Progress(isQuiet: report.quiet, clock: { Clock.monotonic() })
                if let progress { options.progress = { progress.show(rows: $0, bytes: $1, total: $2 / 2) } }
                let (schema, document, _) = try reading.contract(
                    for: file, dataset: dataset, store: found, looks: true, options: &options)
                try confirm(schema, file)
                // A store is looked at only for what foreign keys refer to in it.
                let referred = schema.refersToDatasets ? try found ?? store.find() : nil
                let result = try await Pipeline(store: referred, writes: false).run(
                    BatchRequest(
                        file, schema: schema, contract: document, dataset: dataset ?? schema.name, source: "",
                        options: options))
                progress?.clear()
                output.add(result)
                return report.exitCode(result)
            }
        }
        output.finish()
        if worst != 0 { throw ExitCode(worst) }
    }
}

/// `sluice ingest`.
struct IngestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ingest", abstract: "Take files through the whole gate: check, screen, mask, seal, record.")

    @Argument(help: "CSV or JSON Lines files, plain or compressed; - is standard input.")
    var files: [String]

    @Option(name: .long, help: "The dataset (default: the contract's name).")
    var dataset: String?

    @Option(name: .long, help: "Who sent the files.")
    var source: String?

    @Flag(name: .long, help: "Do everything but write: no file, ledger or key is touched.")
    var dryRun = false

    @Flag(name: .long, help: "Judge again what was judged before and held; what was accepted stays accepted once.")
    var force = false

    @Option(
        name: .long,
        help:
            "An accepted batch of the dataset that this file replaces: if it is accepted, that batch's shards count no longer."
    )
    var supersede: String?

    @Option(
        name: .long,
        help:
            "A contract that runs beside the one in force and only reports what would be different (or datasets: shadow)."
    )
    var shadow: String?

    @OptionGroup var store: StoreOptions
    @OptionGroup var reading: ReadingOptions
    @OptionGroup var report: ReportOptions

    func validate() throws {
        if supersede != nil, files.count > 1 { throw ValidationError("--supersede is for one file at a time") }
    }

    func run() async throws {
        ignoreBrokenPipes()
        keepFreedMemory()
        var worst: Int32 = 0
        let output = ReportOutput(report, files: files.count)
        try await reporting {
            let store = try store.require()
            let pipeline = try Pipeline(store: store, writes: !dryRun)
            if !dryRun, files.contains(StandardInput.name) { try StandardInput.keep(in: store.workFolder) }
            for file in files {
                try await goingOn(&worst, file, output) {
                    var options = try reading.options(for: file)
                    options.mode = dryRun ? .dryRun : .ingest
                    options.listed = report.listed
                    options.force = force
                    options.supersedes = supersede
                    options.sliceBytes = store.configuration.sliceBytes
                    let progress = Progress(isQuiet: report.quiet, clock: { Clock.monotonic() })
                    if let progress { options.progress = { progress.show(rows: $0, bytes: $1, total: $2) } }
                    let (schema, document, _) = try reading.contract(
                        for: file, dataset: dataset, store: store, options: &options)
                    let name = dataset ?? (schema.isInferred ? datasetName(of: file) : schema.name)
                    if let dataset, !LabelSearch.usual.kinds(in: dataset).isEmpty {
                        throw IngestionError(
                            .usage,
                            "the name after --dataset holds personal data or a credential, and would stand in the ledger: give another"
                        )
                    }
                    if dataset == nil, !LabelSearch.usual.kinds(in: name).isEmpty {
                        throw IngestionError(
                            .usage,
                            "the name of the file would become the dataset's and holds personal data or a credential; give "
                                + "--dataset NAME")
                    }
                    guard Configuration.isName(name) else {
                        throw IngestionError(
                            .usage,
                            "the dataset has no usable name; give --dataset NAME (letters, digits, dot, dash, underscore)"
                        )
                    }
                    if let shadow {
                        let loaded = try reading.load(shadow)
                        options.shadow = (Schema.digested(loaded), loaded.document)
                    } else {
                        options.shadow = try store.shadow(of: name)
                    }
                    let result = try await pipeline.run(
                        BatchRequest(
                            file, schema: schema, contract: document, dataset: name,
                            source: source ?? store.configuration.datasets[name]?.source ?? "unknown", options: options)
                    )
                    progress?.clear()
                    output.add(result)
                    return report.exitCode(result)
                }
            }
        }
        output.finish()
        if worst != 0 { throw ExitCode(worst) }
    }
}

/// Works on one of several files: what goes wrong with it is said, and the next one still gets its turn.
///
/// The first error decides the exit code over verdicts; among verdicts 1 stays.
private func goingOn(
    _ worst: inout Int32, _ file: String, _ output: ReportOutput, _ body: () async throws -> Int32
) async throws {
    var code: Int32 = 0
    do {
        try await reporting {
            do { code = try await body() } catch let error as IngestionError {
                output.fail(file, error)
                throw error
            }
        }
    } catch let error as ExitCode {
        code = error.rawValue
    }
    if worst <= 1, code > worst { worst = code }
}

/// A dataset's name from a file's: what stands before the first dot.
private func datasetName(of file: String) -> String {
    file.split(separator: "/").last.map { String($0.prefix { $0 != "." }) } ?? ""
}

/// The formats of scores.
enum ScoreFormat: String, ExpressibleByArgument, CaseIterable {
    case csv
    case ndjson
}

extension ScoreMethod: ExpressibleByArgument {}

/// `sluice score`.
struct ScoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "score",
        abstract: "Score each row of a file against the file itself: how strange it is, and its largest modified z.")

    @Argument(help: "A CSV or JSON Lines file; without a contract its numeric columns are scored.")
    var file: String

    @Option(
        name: .long,
        help:
            "ensemble: the mean rank of an isolation forest, histograms and near rows; forest: the forest's score alone."
    )
    var method = ScoreMethod.ensemble

    @Option(
        name: .long, help: "Features a split of the forest combines: 1 is the classical forest, 3 the extended one.")
    var ndim = 3

    @Option(name: .long, help: "csv or ndjson.")
    var format = ScoreFormat.csv

    @OptionGroup var reading: ReadingOptions

    func validate() throws {
        if !(1...3).contains(ndim) { throw ValidationError("--ndim must be 1, 2 or 3") }
    }

    func run() async throws {
        ignoreBrokenPipes()
        try await reporting {
            var options = try reading.options(for: file)
            var reading = reading
            if reading.schema == nil {
                if !reading.infer {
                    Terminal.remark("no contract given: numeric columns are inferred from the file itself")
                }
                reading.infer = true
            }
            let (schema, _, _) = try reading.contract(
                for: file, dataset: nil, store: nil, looks: true, options: &options)
            var heading = format == .csv ? "row,score,max_abs_m,field\n" : ""
            let names = schema.fields.map(\.name)
            let isCSV = format == .csv
            try await scoreRows(file, schema: schema, options: options, method: method, dimensions: ndim) { rows in
                // With the first rows, so that what fails has not begun a table.
                var text = heading
                heading = ""
                for row in rows {
                    let score = row.score.isNaN ? "" : Words.short(row.score, 6)
                    let field = row.field >= 0 ? names[row.field] : ""
                    if isCSV {
                        text +=
                            "\(row.row),\(score),\(row.modifiedZ.isNaN ? "" : Words.short(row.modifiedZ, 4)),\(Self.quoted(field))\n"
                    } else {
                        let document = JSONValue.object([
                            "row": .integer(Int64(row.row)), "score": row.score.isNaN ? .null : .number(row.score),
                            "max_abs_m": row.modifiedZ.isFinite ? .number(row.modifiedZ) : .null,
                            "field": .string(field),
                        ])
                        text += PrintableText.json(document.text(pretty: false)) + "\n"
                    }
                }
                Terminal.document(text)
            }
            Terminal.document(heading)
        }
    }

    private static func quoted(_ text: String) -> String {
        let needs = text.utf8.contains { $0 == 0x2C || $0 == 0x22 || $0 == 0x0A || $0 == 0x0D }
        return needs ? "\"" + text.replacing("\"", with: "\"\"") + "\"" : text
    }
}

/// `sluice schema`.
struct SchemaCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema", abstract: "Work on contracts.",
        subcommands: [Infer.self, Check.self, Diff.self, Convert.self, Strip.self])

    /// `sluice schema infer`.
    struct Infer: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a first contract from a file, to read and correct.")
        @Argument(help: "A CSV or JSON Lines file.") var file: String
        @Flag(name: .long, help: "Write the values of small vocabularies out: they are values of the data.")
        var showValues = false
        @OptionGroup var reading: ReadingOptions

        func run() async throws {
            ignoreBrokenPipes()
            try await reporting {
                var options = try reading.options(for: file)
                try reading.look(at: file, &options)
                let inference = try inferSchema(file, options: options, showsValues: showValues)
                var name = file.split(separator: "/").last.map { String($0.prefix { $0 != "." }) } ?? "data"
                if !LabelSearch.usual.kinds(in: name).isEmpty { name = "data" }
                Terminal.document(inference.yaml(name: name))
            }
        }
    }

    /// `sluice schema check`.
    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Check a contract itself.")
        @Argument(help: "A contract.") var file: String
        @OptionGroup var reading: ReadingOptions

        func run() async throws {
            try await reporting {
                let loaded = try reading.load(file)
                Terminal.line("\(file): \(loaded.schema.fields.count) fields, \(loaded.warnings.count) warning(s)")
            }
        }
    }
}

/// `sluice explain`.
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Say what a finding's code means, and what to do.")
    @Argument(help: "A code, such as type-error; without one, all codes are listed.") var code: String?

    func run() throws {
        guard let code else {
            for code in FindingCode.allCases.sorted() {
                Terminal.line("\(code.rawValue): \(Words.meaning(code).title)")
            }
            return
        }
        guard let known = FindingCode(rawValue: code) else {
            let near =
                suggestion(for: code, among: FindingCode.allCases.map(\.rawValue)).map { "; did you mean \($0)?" } ?? ""
            Terminal.complain("there is no code \(code)\(near)")
            throw ExitCode(64)
        }
        let meaning = Words.meaning(known)
        Terminal.line("\(code): \(meaning.title)")
        for (label, text) in [("what", meaning.explanation), ("example", Words.example(known)), ("do", meaning.cure)] {
            Terminal.line("  \(label)  \(text)")
        }
    }
}
