import ArgumentParser
import Ingestion
import Schemas
import Storage
import Tabular

/// The mildest difference that makes the exit code 1.
enum ChangeLimit: String, ExpressibleByArgument, CaseIterable {
    /// Any difference.
    case cosmetic
    /// A difference by which more data passes.
    case widening
    /// A difference by which data that passed may fail, or other values are released.
    case breaking
    /// None.
    case never
}

extension SchemaCommand {
    /// `sluice schema diff`: the differences between two contracts, by their effect.
    struct Diff: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "diff",
            abstract: "Compare two contracts: what changed, and what it means for data that passed.",
            discussion: """
                A change is breaking (data that passed may fail, or other values leave), widening (more data passes) or cosmetic.

                Example: sluice schema diff orders.yaml orders-new.yaml

                Exit codes: 0 no such change · 1 a change at or above --fail-on · 78 a contract cannot be used.
                """)
        @Argument(help: "The old contract.") var old: String
        @Argument(help: "The new contract.") var new: String
        @Option(name: .long, help: "The mildest change that makes the exit code 1.")
        var failOn = ChangeLimit.breaking
        @Flag(name: .long, help: "Print JSON.") var json = false

        /// Prints the differences, most severe first, and sets the exit code by `--fail-on`.
        func run() async throws {
            ignoreBrokenPipes()
            var changes: [SchemaChange] = []
            try await reporting {
                let before = try loadContract(old).schema
                changes = before.changes(to: try loadContract(new).schema)
            }
            if json {
                let items = changes.map { change -> JSONValue in
                    .object([
                        "verdict": .string(change.verdict.rawValue), "place": .string(change.place),
                        "change": .string(change.what),
                    ])
                }
                Terminal.json(
                    .object([
                        "verdict": changes.first.map { .string($0.verdict.rawValue) } ?? .null,
                        "changes": .array(items),
                    ]))
            } else if changes.isEmpty {
                Terminal.line("no difference")
            } else {
                for change in changes {
                    let verdict = change.verdict.rawValue
                    let pad = String(repeating: " ", count: 10 - verdict.count)
                    Terminal.line("\(verdict)\(pad)\(change.place): \(change.what)")
                }
            }
            let limit = SchemaChange.Impact(rawValue: failOn.rawValue)
            if let limit, let worst = changes.first?.verdict, worst >= limit { throw ExitCode(1) }
        }
    }

    /// `sluice schema convert`: writes a contract in another standard's form, with notes on what is lost.
    struct Convert: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "convert",
            abstract: "Convert a contract to a Table Schema, a JSON Schema or a Data Package, as JSON.",
            discussion: """
                Notes on standard error name what the other form cannot express. A Table Schema or JSON Schema made this way is a \
                contract again: check it with sluice schema check.

                Example: sluice schema convert orders.yaml --to json-schema > orders.schema.json
                """)
        /// The form to convert to.
        enum Form: String, ExpressibleByArgument, CaseIterable {
            /// A Table Schema 2.0.
            case tableSchema = "table-schema"
            /// A JSON Schema 2020-12 of one record.
            case jsonSchema = "json-schema"
            /// A Data Package 2.0 with one resource.
            case dataPackage = "data-package"
        }
        @Argument(help: "The contract, or a Data Package (datapackage.json).") var file: String
        @Option(name: .long, help: "The form to convert to.") var to: Form
        @Option(name: .long, help: "The resource of a Data Package to convert (default: its only one).") var resource:
            String?
        @Option(
            name: .long, help: "The path of the data in a new Data Package (default: the contract's name with .csv).")
        var data: String?

        /// Converts the contract, prints it, and prints each loss to standard error.
        func run() async throws {
            ignoreBrokenPipes()
            try await reporting {
                let made = try convert(file) { (found, others) throws(SchemaError) in
                    var contract = ConvertedSchema(document: found.root)
                    if found.root["resources"] != nil {
                        contract = try tableSchema(ofPackage: found, resource: resource)
                    } else if resource != nil {
                        throw found.cursor.error(
                            .inconsistent, "this is not a data package, so it has no resources; leave --resource out")
                    }
                    return try converted(contract, found, others)
                }
                for note in made.notes { Terminal.remark("note: \(note)") }
                Terminal.json(made.document)
            }
        }

        /// The converted contract.
        ///
        /// - Parameters:
        ///   - contract: the contract, already taken out of a package.
        ///   - source: its document.
        ///   - others: the documents that its JSON Schemas refer to, by identifier.
        private func converted(
            _ contract: ConvertedSchema, _ source: Document, _ others: [String: [UInt8]]
        ) throws(SchemaError) -> ConvertedSchema {
            func load(_ made: ConvertedSchema) throws(SchemaError) -> LoadedSchema {
                // An intermediate document is loaded as if it stood in a file.
                let bytes = Array(made.document.text(pretty: true).utf8)
                let document =
                    made.document == source.root ? source : try loadDocument(bytes, name: "\(source.name).json")
                var loaded = try Schema.load(document, documents: others)
                // References stay file names; the referenced content is not inlined.
                loaded.document = canonicalForm(of: document)
                return loaded
            }
            let loaded = try load(contract)
            let isJSON = loaded.schema.recordSchema != nil
            switch to {
            case .tableSchema: return isJSON ? loaded.schema.tableSchema(loaded.document) : contract.portable
            case .jsonSchema: return isJSON ? contract : loaded.schema.jsonSchema(loaded.document)
            case .dataPackage:
                let table = isJSON ? loaded.schema.tableSchema(loaded.document) : contract.portable
                let schema = try load(table).schema
                let name = data ?? "\(schema.name.isEmpty ? "data" : schema.name).csv"
                var package = schema.dataPackage(table.document, path: name)
                package.notes = table.notes
                return package
            }
        }
    }

    /// `sluice schema strip`: prints a contract without `sluice:` settings.
    struct Strip: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "strip",
            abstract: "Print a contract without its sluice: settings, as JSON for other tools.",
            discussion: """
                Example: sluice schema strip orders.yaml > orders.json
                """)
        @Argument(help: "The contract, in YAML or JSON.") var file: String

        /// Prints the descriptor of the contract's own standard.
        func run() async throws {
            ignoreBrokenPipes()
            try await reporting {
                Terminal.json(strippedDescriptor(try loadContract(file).document))
            }
        }
    }
}
