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

/// `sluice schema`: the commands about contracts.
struct SchemaCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema", abstract: "Infer, check, compare and convert contracts.",
        discussion: """
            Example: sluice schema infer orders.csv > orders.yaml
            """,
        subcommands: [Infer.self, Check.self, Diff.self, Convert.self, Strip.self])

    /// `sluice schema infer`: proposes a contract from all rows of a file.
    struct Infer: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "infer",
            abstract: "Infer a first contract from a file, to be read and corrected.",
            discussion: """
                Prints YAML. What is set holds for every value of the file; comments are proposals.

                Example: sluice schema infer orders.csv > orders.yaml
                """)
        @Argument(help: "A CSV or JSON file, plain or compressed, or a folder or list of files; - is standard input.")
        var file: String
        @Flag(
            name: .long,
            help:
                "Write the values of small vocabularies, as categories or a proposed enum; these are values of the data."
        )
        var showValues = false
        @OptionGroup var reading: FileOptions

        /// Infers the contract and prints it as YAML. A name with personal data in it is replaced by `data`.
        func run() async throws {
            ignoreBrokenPipes()
            try await reporting {
                let input = try BatchInput(file)
                var options = try reading.options(for: input.files[0])
                try reading.detectDialect(of: input.files[0], &options)
                let inference = try inferSchema(input, options: options, showsValues: showValues)
                guard inference.rows > 0 else {
                    throw IngestionError(.unreadableData, "\(file): it has no rows to infer a contract from")
                }
                var name = file.split(separator: "/").last.map { String($0.prefix { $0 != "." }) } ?? "data"
                if !LabelSearch.usual.kinds(in: name).isEmpty { name = "data" }
                Terminal.document(inference.yaml(name: name))
            }
        }
    }

    /// `sluice schema check`: loads and compiles a contract and prints its warnings.
    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check",
            abstract: "Check a contract for errors and doubtful settings.",
            discussion: """
                Example: sluice schema check orders.yaml

                Exit codes: 0 usable · 78 not usable.
                """)
        @Argument(help: "The contract, in YAML or JSON.") var file: String

        /// Loads the contract; an error exits with 78 and shows the line.
        func run() async throws {
            try await reporting {
                let loaded = try ContractWarnings.load(file)
                Terminal.line(
                    "\(file): \(NumberText.count(loaded.schema.fields.count, "field")), "
                        + NumberText.count(loaded.warnings.count, "warning")
                )
            }
        }
    }
}
