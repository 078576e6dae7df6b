import ArgumentParser
import Ingestion
import Lineage
import Tabular

extension SourceStep {
    /// The step as past participle, for the confirmation.
    fileprivate var past: String {
        switch self {
        case .trust: "is trusted"
        case .block: "is blocked"
        case .probation: "is on probation"
        }
    }
}

/// `sluice source`: the suppliers of data and their standing.
struct SourceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "source", abstract: "List, show, trust and block the suppliers of data.",
        discussion: """
            The record of a source (owner, licence, collection, contact, required sidecars, signing keys) is in sluice.yaml, under \
            sources:. Whether the source is trusted is decided with these commands, and the ledger records every decision.

            Example: sluice source trust partner-a --reason "contract signed on 3 March"
            """,
        subcommands: [List.self, Show.self, Trust.self, Block.self, Probation.self])

    /// `sluice source list`: the known sources.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List the known sources: name, standing, owner, licence, requirements.",
            discussion: """
                Example: sluice source list --store store
                """)
        @Flag(name: .long, help: "Print JSON.") var json = false
        @OptionGroup var store: StoreOptions

        /// Prints the suppliers that are configured, or that a person decided about.
        func run() async throws {
            try await reporting {
                let store = try store.require().proving()
                var documents: [JSONValue] = []
                for name in try store.knownSources() {
                    let document = try SourceText.document(name, store)
                    documents.append(document)
                    if json { continue }
                    let parts = ["owner", "licence", "require"].compactMap { document[$0]?.text }.filter { !$0.isEmpty }
                    Terminal.columns([name, SourceText.state(document)] + parts)
                }
                if json { return Terminal.json(.array(documents)) }
                if documents.isEmpty {
                    Terminal.line("none: any source may send data; list the allowed ones under sources: in sluice.yaml")
                }
            }
        }
    }

    /// `sluice source show`: one source with the outcomes of its batches.
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Show a source: its record, its standing, and the outcomes of its batches.",
            discussion: """
                Example: sluice source show partner-a --store store
                """)
        @Argument(help: "The name of the source.") var name: String
        @Flag(name: .long, help: "Print JSON.") var json = false
        @OptionGroup var store: StoreOptions

        /// Prints the record and standing of a source, and its batches.
        func run() async throws {
            try await reporting {
                let store = try store.require().proving()
                let ledger = try LineageCommand.open(store)
                var members = try SourceText.document(name, store).members ?? [:]
                let batches = try LineageQuery(ledger).impact(ofSource: name)
                if batches.isEmpty, try !store.knownSources().contains(name) {
                    throw IngestionError(
                        .noInput,
                        "there is no source \(name): sluice.yaml does not list it and no batch came from it; see: sluice source list"
                    )
                }
                var counts: [String: Int64] = [:]
                for batch in batches { counts[batch.judged?.body["verdict"]?.text ?? "unknown", default: 0] += 1 }
                members["batches"] = .object(counts.mapValues { .integer($0) })
                let confirmed = SourceText.confirmed(name, batches)
                members["confirmed"] = .integer(confirmed.agreed)
                members["contradicted"] = .integer(confirmed.differed)
                if json { return Terminal.json(.object(members)) }
                Terminal.report(SourceText.lines(.object(members)), indent: 11)
            }
        }
    }

    /// `sluice source trust`: ends probation, distrust or block.
    struct Trust: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "trust",
            abstract: "Trust a source: end its probation, distrust or block.",
            discussion: """
                Example: sluice source trust partner-a --reason "contract signed on 3 March"
                """)
        @OptionGroup var step: Step
        func run() async throws { try await step.take(.trust) }
    }

    /// `sluice source block`: rejects all files of a source.
    struct Block: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "block",
            abstract: "Block a source: reject all its files.",
            discussion: """
                Example: sluice source block partner-a --reason "sent another customer's data"
                """)
        @OptionGroup var step: Step
        func run() async throws { try await step.take(.block) }
    }

    /// `sluice source probation`: holds a source's batches until enough would have passed.
    struct Probation: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "probation",
            abstract: "Put a source on probation: hold its batches until enough of them would have passed.",
            discussion: """
                Example: sluice source probation partner-a --reason "new export program"
                """)
        @OptionGroup var step: Step
        func run() async throws { try await step.take(.probation) }
    }

    /// Options of a decision about a source: its name, the reason and the store.
    struct Step: ParsableArguments {
        @Argument(help: "The name of the source.") var name: String
        @Option(name: .long, help: "Why; the ledger records it, so give no personal data.") var reason: String
        @OptionGroup var store: StoreOptions

        /// Records the decision with the user's id and the reason.
        func take(_ step: SourceStep) async throws {
            try await reporting {
                let store = try store.require()
                let known = try store.proving().knownSources()
                let batches = try LineageQuery(LineageCommand.open(store)).impact(ofSource: name)
                try Recorder(store).take(step, source: name, reason: reason)
                Terminal.line("source \(name) \(step.past)")
                if batches.isEmpty, !known.contains(name) {
                    Terminal.remark(
                        "warning: sluice.yaml does not list \(name) and no batch came from it yet; if it is misspelt, see: "
                            + "sluice source list"
                    )
                }
            }
        }
    }
}

/// Renders sources, as documents and as lines for people.
private enum SourceText {
    /// A source as a document: standing, requirements and history.
    static func document(_ name: String, _ store: Store) throws -> JSONValue {
        var members: [String: JSONValue] = ["name": .string(name)]
        if let record = store.configuration.sources[name] {
            members["owner"] = .string(record.owner)
            members["licence"] = .string(record.licence)
            members["collection"] = .string(record.collection)
            members["intendedUse"] = .string(record.intendedUse)
            members["contact"] = .string(record.contact)
            members["require"] = .string(record.required.map(\.rawValue).joined(separator: ", "))
            members["keys"] = .array(record.keys.map { .string("\($0.format.rawValue) \($0.fingerprint)") })
        }
        if let standing = try store.standing(name) {
            members["standing"] = .string(standing.state.name)
            if case .probation(let passed, let needed) = standing.state {
                members["passed"] = .integer(Int64(passed))
                members["needed"] = .integer(Int64(needed))
            }
            members["since"] = .string(standing.time)
            members["reason"] = .string(standing.reason)
        }
        return .object(members)
    }

    /// A source as lines, one for each known fact.
    static func lines(_ document: JSONValue) -> [String] {
        func text(_ key: String) -> String { document[key]?.text ?? "" }
        func number(_ key: String) -> String { NumberText.number(Int(document[key]?.whole ?? 0)) }
        var standing = state(document)
        if !text("since").isEmpty { standing += " since " + text("since") }
        if !text("reason").isEmpty { standing += ": " + text("reason") }
        let keys = (document["keys"]?.items ?? []).compactMap(\.text).joined(separator: ", ")
        let counts = (document["batches"]?.members ?? [:]).sorted { $0.key < $1.key }
        let batches = counts.map { "\(NumberText.number(Int($0.value.whole ?? 0))) \($0.key)" }.joined(separator: ", ")
        let rows: [(String, String)] = [
            ("source", text("name")), ("standing", standing), ("owner", text("owner")), ("licence", text("licence")),
            ("collected", text("collection")), ("use", text("intendedUse")), ("contact", text("contact")),
            ("requires", text("require")), ("keys", keys), ("batches", batches.isEmpty ? "none" : batches),
            ("values", "\(number("confirmed")) confirmed, \(number("contradicted")) contradicted by other sources"),
        ]
        return rows.filter { !$0.1.isEmpty }.map { label, text in
            label + String(repeating: " ", count: max(1, 11 - label.count)) + text
        }
    }

    /// The standing in a few words.
    static func state(_ document: JSONValue) -> String {
        let standing = document["standing"]?.text ?? "any"
        guard let passed = document["passed"]?.whole, let needed = document["needed"]?.whole else { return standing }
        return "\(standing) (\(passed) of \(needed) passed)"
    }

    /// Counts of a source's values that other sources confirmed and contradicted, according to the record.
    static func confirmed(_ name: String, _ batches: [LineageQuery.Impact]) -> (agreed: Int64, differed: Int64) {
        var sums: (agreed: Int64, differed: Int64) = (0, 0)
        for batch in batches {
            for source in batch.judged?.body["cross"]?["sources"]?.items ?? [] where source["name"]?.text == name {
                sums.agreed += source["agreed"]?.whole ?? 0
                sums.differed += source["differed"]?.whole ?? 0
            }
        }
        return sums
    }
}
