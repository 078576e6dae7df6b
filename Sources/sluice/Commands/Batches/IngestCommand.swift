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

/// `sluice ingest`: takes files through all stages and records each as a batch.
///
/// Files are processed in order. A file that cannot be judged does not stop the others.
struct IngestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ingest", abstract: "Take files through the whole gate: check, screen, mask, seal, record.",
        discussion: """
            A file is one batch. So are the files of a folder, the files that a list names (NAME.batch, as sha256sum writes it), and \
            several files with --together. The rows of a batch leave as encrypted shards in accepted/, rows held back are sealed in \
            quarantine/, and a batch that looks wrong as a whole is held. The ledger records the outcome of each batch.

            Examples:
              sluice ingest orders.csv --schema orders.yaml --source shop-eu --store store
              sluice ingest week-*.csv --dataset orders --source shop-eu
              sluice ingest export/ --dataset orders --source shop-eu
              zcat orders.csv.gz | sluice ingest - --input-format csv --dataset orders

            Exit codes: 0 accepted · 1 a batch was held, or rows at or above --fail-on · 65 not in the declared format · 75 try \
            again later · 77 missing key or rights · 78 bad contract or configuration.
            """)

    @Argument(help: "CSV or JSON Lines files, plain or compressed, folders or lists of them; - is standard input.")
    var files: [String]

    @Flag(name: .long, help: "Judge the files, in this order, as one batch.")
    var together = false

    @Option(
        name: .long,
        help:
            "The dataset; without --schema, its contract in sluice.yaml is used (default: the contract's name, with --infer the file's)."
    )
    var dataset: String?

    @Option(
        name: .long, help: "The supplier that sent the files (default: the dataset's in sluice.yaml, else unknown).")
    var source: String?

    @Flag(name: .long, help: "Run every check and print the report, but write nothing to the store.")
    var dryRun = false

    @Flag(name: .long, help: "Judge a file again that was held before; accepted content is never accepted twice.")
    var force = false

    @Option(
        name: .long,
        help:
            "The accepted batch that this file replaces; once the file is accepted, the old batch's shards no longer count."
    )
    var supersede: String?

    @Option(
        name: .long,
        help:
            "A contract to try: the report shows how its outcome would differ; it never decides (default: the dataset's shadow)."
    )
    var shadow: String?

    @OptionGroup var store: StoreOptions
    @OptionGroup var reading: ReadingOptions
    @OptionGroup var report: ReportOptions

    /// Refuses `--supersede` with several files: only one of them could replace the batch.
    func validate() throws {
        if supersede != nil, files.count > 1, !together {
            throw ValidationError("--supersede takes one file at a time, or several with --together")
        }
    }

    /// Runs every file through the pipeline.
    ///
    /// Standard input is first copied into the store's `work` folder, since each file is read twice. Dataset names must
    /// be free of personal data: the ledger keeps them.
    func run() async throws {
        ignoreBrokenPipes()
        keepFreedMemory()
        var worst: Int32 = 0
        let batches = together ? [files] : files.map { [$0] }
        let output = ReportOutput(report, files: batches.count)
        try await reporting {
            let store = try store.require()
            let pipeline = try Pipeline(store: store, writes: !dryRun)
            if !dryRun, files.contains(StandardInput.name) { try StandardInput.keep(in: store.workFolder) }
            for (done, files) in batches.enumerated() {
                if !dryRun { Interruption.begin(files[0], done: done, of: batches.count) }
                defer { if !dryRun { Interruption.end(done: done + 1, of: batches.count) } }
                try await goingOn(with: files[0], output, worst: &worst) {
                    let input = try BatchInput(files)
                    var options = try reading.options(for: input.files[0])
                    options.mode = dryRun ? .dryRun : .ingest
                    options.listed = report.listed
                    options.force = force
                    options.supersedes = try supersede.map { try BatchID.resolve($0, in: store) }
                    options.sliceBytes = store.configuration.sliceBytes
                    let progress = Progress(
                        isQuiet: report.quiet, phases: ["reading", "masking and sealing"],
                        clock: { Clock.monotonic() })
                    defer { progress?.clear() }
                    if let progress { options.progress = { progress.show(rows: $0, bytes: $1, total: $2) } }
                    let (schema, document, _) = try reading.contract(
                        for: input, dataset: dataset, store: store, options: &options)
                    let name = dataset ?? (schema.isInferred ? datasetName(of: input.name) : schema.name)
                    if let dataset, !LabelSearch.usual.kinds(in: dataset).isEmpty {
                        throw IngestionError(
                            .usage,
                            "--dataset: the name contains personal data or a credential and would be recorded in the ledger; choose another"
                        )
                    }
                    if dataset == nil, !LabelSearch.usual.kinds(in: name).isEmpty {
                        throw IngestionError(
                            .usage,
                            "the dataset would be named after the file, whose name contains personal data or a credential; give "
                                + "--dataset NAME")
                    }
                    guard Configuration.isName(name) else {
                        throw IngestionError(
                            .usage,
                            "the dataset has no valid name; give --dataset NAME (letters, digits, dot, dash, underscore)"
                        )
                    }
                    if let shadow {
                        let loaded = try ContractWarnings.load(shadow)
                        options.shadow = (Schema.digested(loaded), loaded.document)
                    } else {
                        options.shadow = try store.shadow(of: name)
                    }
                    let result = try await pipeline.run(
                        BatchRequest(
                            input, schema: schema, contract: document, dataset: name,
                            source: source ?? store.configuration.datasets[name]?.source ?? "unknown", options: options)
                    )
                    progress?.clear()
                    output.add(result)
                    tellEvents(of: pipeline)
                    return report.exitCode(result)
                }
            }
        }
        output.finish()
        if worst != 0 { throw ExitCode(worst) }
    }
}

/// Sends the run events of what was recorded. That it fails is said, and changes no outcome.
func tellEvents(of pipeline: Pipeline) {
    for complaint in pipeline.recorder?.events?.send() ?? [] { Terminal.complain(complaint) }
}

/// Runs one of several files. An error is reported, and the next file still gets its turn.
///
/// - Parameters:
///   - file: the file, for messages.
///   - output: the run's report, which gets a failure too.
///   - worst: the exit code so far. The first error wins over verdicts, and among verdicts 1 wins over 0.
///   - body: judges the file and gives its exit code.
func goingOn(
    with file: String, _ output: ReportOutput, worst: inout Int32, _ body: () async throws -> Int32
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

/// A dataset's name from a file's: everything before the first dot.
func datasetName(of file: String) -> String {
    file.split(separator: "/").last.map { String($0.prefix { $0 != "." }) } ?? ""
}
