import ArgumentParser
import Cryptography
import Ingestion
import Schemas
import Storage
import Tabular

/// `sluice profile`: publishes statistics of a file with ε-differential privacy, and records the budget spent.
struct ProfileCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "profile",
        abstract:
            "Publish statistics of a file with differential privacy: counts, means and frequencies.",
        discussion: """
            Each question gets discrete Laplace noise, drawn exactly, with an equal share of the privacy budget (epsilon). Limits and \
            lists of values come from the contract, never from the data. The ledger records what is spent before a number is printed; \
            all profiles of the same file add up. Fields with personal data and keys are left out.

            Example: sluice profile orders.csv --dataset orders --dp-epsilon 0.5

            Exit codes: 0 published · 77 the profile would exceed --dp-limit.
            """)

    @Argument(help: "A CSV or JSON file, plain or compressed; - is standard input.")
    var file: String

    @Option(
        name: .long,
        help:
            "Privacy budget of this profile (epsilon), above 0 and at most 10000, such as 0.5; less is safer and noisier."
    )
    var dpEpsilon: String

    @Option(
        name: .long,
        help: "Refuse if all profiles of this file together would spend more epsilon than this (default: no limit).")
    var dpLimit: String?

    @Option(name: .long, help: "The dataset of the store whose contract is used; alternative to --schema.")
    var dataset: String?

    @Flag(name: .long, help: "Print JSON.")
    var json = false

    @OptionGroup var store: StoreOptions
    @OptionGroup var reading: ReadingOptions

    /// Checks that budgets are decimals in range, before the file is read.
    func validate() throws {
        for text in [dpEpsilon, dpLimit].compactMap(\.self) where Epsilon(text) == nil {
            throw ValidationError(
                "--dp-epsilon and --dp-limit must be above 0 and at most 10000, with at most six decimals")
        }
    }

    /// Spends the budget and prints the statistics. The ledger records the budget before the first number is printed.
    func run() async throws {
        ignoreBrokenPipes()
        try await reporting {
            guard let epsilon = Epsilon(dpEpsilon) else { return }
            let store = try store.require()
            let input = try BatchInput(file)
            var options = try reading.options(for: input.files[0])
            options.mode = .validate
            let (schema, document, _) = try reading.contract(
                for: input, dataset: dataset, store: store, options: &options)
            let made = try Pipeline(store: store, writes: true).profile(
                BatchRequest(
                    input, schema: schema, contract: document, dataset: dataset ?? schema.name, source: "",
                    options: options),
                epsilon: epsilon, limit: dpLimit.flatMap(Epsilon.init))
            if json {
                Terminal.json(Self.document(made))
            } else {
                Terminal.lines(Self.lines(made))
            }
        }
    }

    /// The statistics as lines.
    private static func lines(_ made: PrivateProfile) -> [String] {
        var lines = [
            "rows \(made.rows), with noise; epsilon \(made.epsilon.text) over \(made.questions) questions, "
                + "\(made.spent.text) spent on this file"
        ]
        for column in made.columns {
            var line = "  \(column.name): missing \(column.missing)"
            if let mean = column.mean { line += ", mean \(NumberText.short(mean))" }
            if let counts = column.counts {
                line +=
                    ", "
                    + counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
            }
            lines.append(line)
        }
        return lines
    }

    /// The statistics as a document, which names the mechanism and the budget.
    private static func document(_ made: PrivateProfile) -> JSONValue {
        .object([
            "rows": .integer(Int64(made.rows)), "epsilon": .string(made.epsilon.text),
            "questions": .integer(Int64(made.questions)),
            "spent": .string(made.spent.text), "sha256": .string(hex(made.digest)),
            "mechanism": .string("discrete-laplace"),
            "columns": .array(
                made.columns.map { column in
                    .object([
                        "name": .string(column.name), "missing": .integer(Int64(column.missing)),
                        "mean": column.mean.map { .number($0) } ?? .null,
                        "counts": column.counts.map { .object($0.mapValues { .integer(Int64($0)) }) } ?? .null,
                    ])
                }),
        ])
    }
}
