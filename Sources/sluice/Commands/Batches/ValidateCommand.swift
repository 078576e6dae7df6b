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

/// `sluice validate`: checks files against a contract, without a store and without statistics.
struct ValidateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract:
            "Check files against a contract, without a store and without statistics.",
        discussion: """
            Checks the header, every row, undeclared personal data and credentials. Writes nothing, except the rows that \
            --valid-rows and --invalid-rows ask for.

            Examples:
              sluice validate orders.csv --schema orders.yaml
              sluice validate orders.csv --schema orders.yaml --format sarif > report.sarif

            Exit codes: 0 valid · 1 the batch would be held, or rows at or above --fail-on · 65 not in the declared format.
            """)

    @Argument(help: "CSV or JSON Lines files, plain or compressed, folders or lists of them; - is standard input.")
    var files: [String]

    @Flag(name: .long, help: "Check the files, in this order, as one batch.")
    var together = false

    @Option(name: .long, help: "The dataset of the store whose contract is used; alternative to --schema.")
    var dataset: String?

    @Option(name: .long, help: "Write the rows that pass to this new file, byte for byte.")
    var validRows: String?

    @Option(name: .long, help: "Write the rows that do not pass to this new file, byte for byte.")
    var invalidRows: String?

    @Flag(name: .long, help: "Write these rows unmasked, although the contract masks some fields.")
    var showValues = false

    @Flag(name: .long, help: "Answer yes to the question of --show-values.")
    var yes = false

    @OptionGroup var store: StoreOptions
    @OptionGroup var reading: ReadingOptions
    @OptionGroup var report: ReportOptions

    /// Refuses row files for several input files, which would overwrite each other.
    func validate() throws {
        if validRows != nil || invalidRows != nil, files.count > 1, !together {
            throw ValidationError(
                "--valid-rows and --invalid-rows take one file at a time, or several with --together")
        }
        if let validRows, validRows == invalidRows {
            throw ValidationError("--valid-rows and --invalid-rows must be two files")
        }
    }

    /// Asks for confirmation before masked fields are written in clear to `--valid-rows` or `--invalid-rows`.
    ///
    /// - Throws: `usage` unless `--show-values` is given and confirmed, `cannotCreate` when a file exists.
    private func confirm(_ schema: Schema, _ file: String) throws(IngestionError) {
        guard validRows != nil || invalidRows != nil else { return }
        for path in [validRows, invalidRows].compactMap(\.self) where exists(path) {
            throw IngestionError(.cannotCreate, "\(path) exists already; remove it, or choose another name")
        }
        let masked = schema.fields.filter { $0.pii != nil }.map(\.name)
        if masked.isEmpty { return }
        let names = masked.prefix(6).joined(separator: ", ") + (masked.count > 6 ? ", …" : "")
        guard showValues else {
            throw IngestionError(
                .usage,
                "the contract masks \(names), and the rows would be written unmasked; to write them anyway, add --show-values"
            )
        }
        if yes { return }
        guard file != StandardInput.name, Terminal.isAsked else {
            throw IngestionError(
                .usage, "--show-values needs a confirmation and there is no terminal to ask on: add --yes")
        }
        Terminal.remark("the contract masks \(names); write the rows unmasked? [y/N]")
        guard ["y", "yes"].contains(readLine()?.lowercased()) else {
            throw IngestionError(.usage, "not confirmed, so nothing was written")
        }
    }

    /// Checks every file and prints one report for the run.
    func run() async throws {
        ignoreBrokenPipes()
        keepFreedMemory()
        var worst: Int32 = 0
        let batches = together ? [files] : files.map { [$0] }
        let output = ReportOutput(report, files: batches.count)
        for files in batches {
            try await goingOn(with: files[0], output, worst: &worst) {
                let input = try BatchInput(files)
                var options = try reading.options(for: input.files[0])
                options.mode = .validate
                options.listed = report.listed
                (options.validRows, options.invalidRows) = (validRows, invalidRows)
                let found = dataset == nil && store.store == nil ? nil : try store.find()
                let progress = Progress(isQuiet: report.quiet, clock: { Clock.monotonic() })
                defer { progress?.clear() }
                if let progress { options.progress = { progress.show(rows: $0, bytes: $1, total: $2 / 2) } }
                let (schema, document, _) = try reading.contract(
                    for: input, dataset: dataset, store: found, adoptsDialect: true, options: &options)
                try confirm(schema, input.files[0])
                // A store is only opened if foreign keys refer to its datasets.
                let referred = schema.refersToDatasets ? try found ?? store.find() : nil
                let result = try await Pipeline(store: referred, writes: false).run(
                    BatchRequest(
                        input, schema: schema, contract: document, dataset: dataset ?? schema.name, source: "",
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
