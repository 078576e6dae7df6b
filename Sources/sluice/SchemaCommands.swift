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
                Terminal.line(
                    JSONValue.object([
                        "verdict": changes.first.map { .string($0.verdict.rawValue) } ?? .null,
                        "changes": .array(items),
                    ]).text(pretty: true))
            } else if changes.isEmpty {
                Terminal.line("no difference that anybody could notice")
            } else {
                for change in changes {
                    let verdict = change.verdict.rawValue
                    let pad = String(repeating: " ", count: 10 - verdict.count)
                    Terminal.line(Terminal.printable("\(verdict)\(pad)\(change.place): \(change.what)"))
                }
            }
            let limit = SchemaChange.Verdict(rawValue: failOn.rawValue)
            if let limit, let worst = changes.first?.verdict, worst >= limit { throw ExitCode(1) }
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
                Terminal.line(strippedDescriptor(try loadContract(file).document).text(pretty: true))
            }
        }
    }
}
