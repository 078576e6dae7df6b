import ArgumentParser
import Cryptography
import Ingestion
import Schemas
import Storage
import Tabular

/// `sluice profile`.
struct ProfileCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "profile",
        abstract:
            "Publish statistics of a file with differential privacy: counts, means and frequencies with exact noise.",
        discussion: """
            Each question gets discrete Laplace noise, drawn exactly, with an equal share of the budget; limits and lists of values \
            come from the contract, never from the data, and two files that differ by one row look alike. What is spent is in the \
            ledger before a number is printed, and adds up over all profiles of the same file. Fields with personal data and keys are \
            left out.

            Exit codes: 0 published · 77 the limit of the budget would be passed.
            """)

    @Argument(help: "A CSV or JSON Lines file.")
    var file: String

    @Option(name: .long, help: "The privacy budget of this profile, such as 0.5; less is safer and noisier.")
    var dpEpsilon: String

    @Option(name: .long, help: "Refuse when all profiles of this file together would have spent more than this.")
    var dpLimit: String?

    @Option(name: .long, help: "The dataset whose contract is used.")
    var dataset: String?

    @Flag(name: .long, help: "As JSON.")
    var json = false

    @OptionGroup var store: StoreOptions
    @OptionGroup var reading: ReadingOptions

    func validate() throws {
        for text in [dpEpsilon, dpLimit].compactMap(\.self) where Epsilon(text) == nil {
            throw ValidationError("a budget is a number above 0 and at most 10 000, with at most six decimals")
        }
    }

    func run() async throws {
        ignoreBrokenPipes()
        try await reporting {
            guard let epsilon = Epsilon(dpEpsilon) else { return }
            let store = try store.require()
            var options = try reading.options(for: file)
            options.mode = .validate
            let (schema, document, _) = try reading.contract(
                for: file, dataset: dataset, store: store, options: &options)
            let made = try Pipeline(store: store, writes: true).profile(
                BatchRequest(
                    file, schema: schema, contract: document, dataset: dataset ?? schema.name, source: "",
                    options: options),
                epsilon: epsilon, limit: dpLimit.flatMap(Epsilon.init))
            if json {
                Terminal.json(Self.document(made))
            } else {
                Terminal.lines(Self.lines(made))
            }
        }
    }

    private static func lines(_ made: PrivateProfile) -> [String] {
        var lines = [
            "rows \(made.rows), with noise; epsilon \(made.epsilon.text) over \(made.questions) questions, "
                + "\(made.spent.text) spent on this file"
        ]
        for column in made.columns {
            var line = "  \(column.name): missing \(column.missing)"
            if let mean = column.mean { line += ", mean \(Words.short(mean))" }
            if let counts = column.counts {
                line +=
                    ", "
                    + counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
            }
            lines.append(line)
        }
        return lines
    }

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
