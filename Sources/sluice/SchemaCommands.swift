import ArgumentParser
import Ingestion
import Schemas
import Storage
import Tabular

/// The smallest change that makes the exit code 1.
enum ChangeLimit: String, ExpressibleByArgument, CaseIterable {
    case cosmetic
    case widening
    case breaking
    case never
}

extension SchemaCommand {
    /// `sluice schema diff`.
    struct Diff: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say what changed between two contracts, and what each change does to data that passed.",
            discussion:
                "Exit codes: 0 no such change · 1 a change at or above --fail-on · 78 a contract cannot be used.")
        @Argument(help: "The contract as it was.") var old: String
        @Argument(help: "The contract as it is.") var new: String
        @Option(name: .long, help: "The change that makes the exit code 1: cosmetic, widening, breaking or never.")
        var failOn = ChangeLimit.breaking
        @Flag(name: .long, help: "The same as JSON.") var json = false

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
                Terminal.line("no difference that anybody could notice")
            } else {
                for change in changes {
                    let verdict = change.verdict.rawValue
                    let pad = String(repeating: " ", count: 10 - verdict.count)
                    Terminal.line("\(verdict)\(pad)\(change.place): \(change.what)")
                }
            }
            let limit = SchemaChange.Verdict(rawValue: failOn.rawValue)
            if let limit, let worst = changes.first?.verdict, worst >= limit { throw ExitCode(1) }
        }
    }

    /// `sluice schema convert`.
    struct Convert: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print a contract in another form, as JSON: Table Schema, JSON Schema or Data Package.",
            discussion:
                "What the other form cannot say as it was said is told on standard error. "
                + "A Table Schema or JSON Schema that comes out is a contract again: check it."
        )
        /// What it becomes.
        enum Form: String, ExpressibleByArgument, CaseIterable {
            case tableSchema = "table-schema"
            case jsonSchema = "json-schema"
            case dataPackage = "data-package"
        }
        @Argument(help: "A contract, or a Data Package (datapackage.json).") var file: String
        @Option(name: .long, help: "table-schema, json-schema or data-package.") var to: Form
        @Option(name: .long, help: "Of a package, the resource whose contract is meant.") var resource: String?
        @Option(name: .long, help: "For a package: where the data is (default: the contract's name and .csv).")
        var data: String?

        func run() async throws {
            ignoreBrokenPipes()
            try await reporting {
                let made = try convert(file) { (found, others) throws(SchemaError) in
                    var contract = ConvertedSchema(document: found.root)
                    if found.root["resources"] != nil {
                        contract = try tableSchema(ofPackage: found, resource: resource)
                    } else if resource != nil {
                        throw found.cursor.error(.inconsistent, "it is no data package, so it has no resources")
                    }
                    return try converted(contract, found, others)
                }
                for note in made.notes { Terminal.remark("note: \(note)") }
                Terminal.json(made.document)
            }
        }

        private func converted(
            _ contract: ConvertedSchema, _ source: Document, _ others: [String: [UInt8]]
        ) throws(SchemaError) -> ConvertedSchema {
            func load(_ made: ConvertedSchema) throws(SchemaError) -> LoadedSchema {
                // A package's resource, or what was made in between, is read as if it stood in a file.
                let bytes = Array(made.document.text(pretty: true).utf8)
                let document =
                    made.document == source.root ? source : try loadDocument(bytes, name: "\(source.name).json")
                var loaded = try Schema.load(document, documents: others)
                // With the names of files, not with what is in them.
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

    /// `sluice schema strip`.
    struct Strip: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print a contract without its sluice: settings, as JSON: a pure descriptor for other tools.")
        @Argument(help: "A contract.") var file: String

        func run() async throws {
            ignoreBrokenPipes()
            try await reporting {
                Terminal.json(strippedDescriptor(try loadContract(file).document))
            }
        }
    }
}
