import ArgumentParser
import Ingestion
import Lineage
import Tabular

extension BaselineStep {
    /// What the record says about it afterwards.
    fileprivate var past: String {
        switch self {
        case .approve: "is the anchor of"
        case .pin: "is what batches are judged by in"
        case .retire: "is no longer used in"
        }
    }
}

/// `sluice baseline`.
struct BaselineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "baseline", abstract: "Show, make, compare, approve and retire what batches are judged by.",
        discussion: """
            Without a named baseline a batch is judged by the last 20 accepted batches, of its own source once that has 2,000 rows. An \
            anchor is a baseline that a person approved: lines are taken from it, drift from it and from the last batches counts, \
            and small steps away from it add up until they are seen. It changes only by another approval. Only accepted rows \
            ever enter a baseline, and every step is an entry of the ledger.
            """,
        subcommands: [
            Build.self, List.self, Show.self, Simulate.self, Diff.self, Approve.self, Pin.self, Retire.self,
            Exclude.self,
        ])

    struct Dataset: ParsableArguments {
        @Option(name: .long, help: "The dataset; needed where the store has several.") var dataset: String?
        @OptionGroup var store: StoreOptions

        /// The store and the dataset that is meant.
        func chosen() throws -> (store: Store, dataset: String) {
            let store = try store.require().proving()
            if let dataset { return (store, dataset) }
            let known = try store.datasetsWithBaselines()
            guard known.count == 1, let only = known.first else {
                throw IngestionError(
                    .usage,
                    known.isEmpty
                        ? "the store has accepted nothing yet; give --dataset NAME"
                        : "give --dataset NAME, one of: \(known.joined(separator: ", "))")
            }
            return (store, only)
        }
    }

    /// A dataset whose batches are judged again, by its own contract or a given one.
    struct Judged: ParsableArguments {
        @Option(
            name: [.short, .long],
            help: "The contract (default: the dataset's in sluice.yaml, else that of its newest accepted batch).")
        var schema: String?
        @Flag(name: .long, help: "As JSON.") var json = false
        @OptionGroup var dataset: Dataset

        func contract(of dataset: String, in store: Store) throws(IngestionError) -> StatisticsContract {
            try store.statisticsContract(
                of: dataset, given: schema.map { path throws(IngestionError) in (try loadContract(path), path) })
        }
    }

    /// `sluice baseline build`.
    struct Build: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a baseline out of accepted batches; nothing is judged by it until it is approved or pinned."
        )
        @Argument(help: "The new baseline's name.") var name: String
        @Option(name: .long, help: "How many of the newest accepted batches.") var last = 20
        @Option(name: .long, parsing: .upToNextOption, help: "These batches instead.") var batches: [String] = []
        @OptionGroup var dataset: Dataset

        func run() async throws {
            try await reporting {
                let (store, dataset) = try dataset.chosen()
                let made = try Recorder(store).buildBaseline(
                    name, dataset: dataset, batches: batches.isEmpty ? nil : batches, limit: max(last, 1))
                Terminal.line(
                    "built \(name) of dataset \(dataset): \(made.batches.count) batches, sha256 \(made.digest)")
                Terminal.line("next  sluice baseline show \(name), then sluice baseline approve \(name) --reason TEXT")
            }
        }
    }

    /// `sluice baseline list`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the named baselines.")
        @Flag(name: .long, help: "As JSON.") var json = false
        @OptionGroup var store: StoreOptions

        func run() async throws {
            try await reporting {
                let store = try store.require().proving()
                let found = try store.namedBaselines()
                if json {
                    return Terminal.json(.array(found.map(\.document)))
                }
                if found.isEmpty {
                    Terminal.line(
                        "none: batches are judged by the last 20 accepted ones; sluice baseline build makes one")
                }
                for one in found {
                    Terminal.columns([
                        one.dataset, one.name, one.state, "\(one.batches.count) batches", one.time,
                        String(one.digest.prefix(16)),
                    ])
                }
            }
        }
    }

    /// `sluice baseline diff`.
    struct Diff: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Compare two baselines field by field, by the tests that a batch is judged by.",
            discussion: "Exit code 1 when a batch with such a difference would be held.")
        @Argument(help: "The one that is compared with: a name, a batch, or rolling.") var old: String
        @Argument(help: "The one that is compared.") var new = "rolling"
        @Flag(name: .long, help: "As JSON.") var json = false
        @OptionGroup var dataset: Dataset

        func run() async throws {
            var isHeld = false
            try await reporting {
                let (store, dataset) = try dataset.chosen()
                let tests = try store.compareBaselines(old, new, dataset: dataset)
                isHeld = tests.contains { $0.outcome == "quarantined" }
                if json { return Terminal.json(.array(tests.map(\.document))) }
                for test in tests {
                    let mark = test.outcome == "accepted" ? "same" : test.outcome == "flagged" ? "WARN" : "HOLD"
                    Terminal.columns([
                        mark, test.field, test.type, Words.short(test.effect, 4),
                        "limits \(Words.short(test.warn, 2)), \(Words.short(test.hold, 2))",
                        "n \(test.count), \(test.basis)",
                    ])
                }
            }
            if isHeld { throw ExitCode(1) }
        }
    }

    /// `sluice baseline approve`.
    struct Approve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a baseline the dataset's anchor; the one before it is kept, and no longer used.")
        @OptionGroup var step: Step
        func run() async throws { try await step.take(.approve) }
    }

    /// `sluice baseline pin`.
    struct Pin: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Judge by this baseline alone, until it is retired: the last accepted batches no longer count.")
        @OptionGroup var step: Step
        func run() async throws { try await step.take(.pin) }
    }

    /// `sluice baseline retire`.
    struct Retire: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Use a baseline no longer, as anchor or pinned; what was judged by it stays provable.")
        @OptionGroup var step: Step
        func run() async throws { try await step.take(.retire) }
    }

    /// `sluice baseline exclude`.
    struct Exclude: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Judge by a batch's baseline no longer: its file is lost, or the batch should not have been accepted.",
            discussion:
                "The batch and its shards stay as they are. Recorded with who asked (uid) and why; it cannot be taken back."
        )
        @Argument(help: "The accepted batch.") var batch: String
        @Option(name: .long, help: "Why; recorded, so no personal data.") var reason: String
        @OptionGroup var dataset: Dataset

        func run() async throws {
            try await reporting {
                let (store, dataset) = try dataset.chosen()
                try Recorder(store).excludeBaseline(of: batch, dataset: dataset, reason: reason)
                Terminal.line("dataset \(dataset) is judged without the baseline of batch \(batch)")
            }
        }
    }

    struct Step: ParsableArguments {
        @Argument(help: "The baseline's name.") var name: String
        @Option(name: .long, help: "Why; recorded, so no personal data.") var reason: String
        @OptionGroup var dataset: Dataset

        func take(_ step: BaselineStep) async throws {
            try await reporting {
                let (store, dataset) = try dataset.chosen()
                try Recorder(store).take(step, name, dataset: dataset, reason: reason)
                Terminal.line("baseline \(name) \(step.past) dataset \(dataset)")
            }
        }
    }
}

extension NamedBaseline {
    /// What it is used for.
    fileprivate var state: String {
        isRetired ? "retired" : isPinned ? "pinned" : isAnchor ? "anchor" : "built"
    }

    fileprivate var document: JSONValue {
        .object([
            "name": .string(name), "dataset": .string(dataset), "state": .string(state), "time": .string(time),
            "digest": .string(digest), "batches": .array(batches.map { .string($0) }),
        ])
    }
}
