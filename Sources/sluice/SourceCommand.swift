import ArgumentParser
import Ingestion
import Lineage
import Tabular

extension SourceStep {
    /// What the record says about it afterwards.
    fileprivate var past: String {
        switch self {
        case .trust: "is trusted"
        case .block: "is blocked"
        case .probation: "is on probation"
        }
    }
}

/// `sluice source`.
struct SourceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "source", abstract: "Who may send data: list, look up, vouch for, block.",
        discussion: """
            What is known of a source (owner, licence, how the data was collected, whom to ask, what must come with each file and who may \
            sign it) stands under sources: in sluice.yaml; its digest is recorded when a batch first comes under it. Whether it is trusted \
            is decided here, and every decision is an entry of the ledger.
            """,
        subcommands: [List.self, Show.self, Trust.self, Block.self, Probation.self])

    /// `sluice source list`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the sources that are known.")
        @Flag(name: .long, help: "As JSON.") var json = false
        @OptionGroup var store: StoreOptions

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
                    Terminal.line("none: any source may send; list them under sources: in sluice.yaml")
                }
            }
        }
    }

    /// `sluice source show`.
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what is known of a source, where it stands, and what became of its batches.")
        @Argument(help: "The source's name.") var name: String
        @Flag(name: .long, help: "As JSON.") var json = false
        @OptionGroup var store: StoreOptions

        func run() async throws {
            try await reporting {
                let store = try store.require().proving()
                let ledger = try LineageCommand.open(store)
                var members = try SourceText.document(name, store).members ?? [:]
                let batches = try LineageQuery(ledger).impact(ofSource: name)
                if batches.isEmpty, try !store.knownSources().contains(name) {
                    throw IngestionError(
                        .noInput, "nothing is known of source \(name): it is not listed, and no batch came from it")
                }
                var counts: [String: Int64] = [:]
                for batch in batches { counts[batch.judged?.body["verdict"]?.text ?? "unknown", default: 0] += 1 }
                members["batches"] = .object(counts.mapValues { .integer($0) })
                let confirmed = SourceText.confirmed(name, batches)
                members["confirmed"] = .integer(confirmed.agreed)
                members["contradicted"] = .integer(confirmed.differed)
                if json { return Terminal.json(.object(members)) }
                for (key, value) in members.sorted(by: { $0.key < $1.key }) {
                    let text = value.text ?? value.text(pretty: false)
                    if !text.isEmpty { Terminal.columns([key, text]) }
                }
            }
        }
    }

    /// `sluice source trust`.
    struct Trust: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Vouch for a source: its probation, or the distrust that it earned, is over.")
        @OptionGroup var step: Step
        func run() async throws { try await step.take(.trust) }
    }

    /// `sluice source block`.
    struct Block: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Take nothing of a source any more.")
        @OptionGroup var step: Step
        func run() async throws { try await step.take(.block) }
    }

    /// `sluice source probation`.
    struct Probation: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Hold a source's batches until enough of them would have passed.")
        @OptionGroup var step: Step
        func run() async throws { try await step.take(.probation) }
    }

    struct Step: ParsableArguments {
        @Argument(help: "The source's name.") var name: String
        @Option(name: .long, help: "Why; recorded, so no personal data.") var reason: String
        @OptionGroup var store: StoreOptions

        func take(_ step: SourceStep) async throws {
            try await reporting {
                try Recorder(try store.require()).take(step, source: name, reason: reason)
                Terminal.line("source \(name) \(step.past)")
            }
        }
    }
}

/// Sources for people and programs.
private enum SourceText {
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

    static func state(_ document: JSONValue) -> String {
        let standing = document["standing"]?.text ?? "any"
        guard let passed = document["passed"]?.whole, let needed = document["needed"]?.whole else { return standing }
        return "\(standing) (\(passed) of \(needed) passed)"
    }

    /// How often what a source said was confirmed and contradicted, by the record.
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
