import ArgumentParser
import Ingestion
import Lineage
import Tabular

extension BaselineStep {
    /// The step as past participle, for the confirmation.
    fileprivate var past: String {
        switch self {
        case .approve: "is the anchor of"
        case .pin: "is pinned: it alone judges the batches of"
        case .retire: "is no longer used in"
        }
    }
}

/// `sluice baseline`: the baselines of a dataset.
struct BaselineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "baseline", abstract: "Show, build, compare, approve and retire the baselines of a dataset.",
        discussion: """
            By default a batch is compared with the last 20 accepted batches, or with those of its own source once they have 2,000 \
            rows. An anchor is a baseline that a person approved. It sets the thresholds, and a batch is compared with it and with \
            the last batches, so that small steps away from it add up until they are detected. Only another approval changes it. Only \
            accepted rows enter a baseline, and the ledger records every step.

            Example:
              sluice baseline build 2026q3 --dataset orders
              sluice baseline show 2026q3 --dataset orders
              sluice baseline approve 2026q3 --dataset orders --reason "reviewed"
            """,
        subcommands: [
            Build.self, List.self, Show.self, Simulate.self, Diff.self, Approve.self, Pin.self, Retire.self,
            Exclude.self,
        ])

    /// Options: a dataset of a store.
    struct Dataset: ParsableArguments {
        @Option(name: .long, help: "The dataset (default: the only one with accepted batches).") var dataset: String?
        @OptionGroup var store: StoreOptions

        /// The store and the dataset; the dataset may be omitted if the store has one only.
        ///
        /// - Throws: `usage` when none or several would match.
        func chosen() throws -> (store: Store, dataset: String) {
            let store = try store.require().proving()
            if let dataset { return (store, dataset) }
            let known = try store.datasetsWithBaselines()
            guard known.count == 1, let only = known.first else {
                throw IngestionError(
                    .usage,
                    known.isEmpty
                        ? "the store has no accepted batch yet; give --dataset NAME"
                        : "the store has several datasets; give --dataset NAME, one of: \(known.joined(separator: ", "))"
                )
            }
            return (store, only)
        }
    }

    /// Options: a dataset whose batches are judged again, by its own contract or a given one.
    struct Judged: ParsableArguments {
        @Option(
            name: [.short, .long],
            help: "The contract (default: the dataset's in sluice.yaml, else the one of its newest accepted batch).")
        var schema: String?
        @Flag(name: .long, help: "Print JSON.") var json = false
        @OptionGroup var dataset: Dataset

        /// The contract for the statistics: the given one, else that of the dataset.
        func contract(of dataset: String, in store: Store) throws(IngestionError) -> StatisticsContract {
            try store.statisticsContract(
                of: dataset, given: schema.map { path throws(IngestionError) in (try loadContract(path), path) })
        }
    }

    /// `sluice baseline build`: records a named baseline, which has no effect until it is approved or pinned.
    struct Build: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "build",
            abstract: "Build a named baseline from accepted batches.",
            discussion: """
                It has no effect until it is approved or pinned.

                Example: sluice baseline build 2026q3 --dataset orders --last 30
                """)
        @Argument(help: "The name of the new baseline: letters, digits, dots, dashes, underscores.") var name: String
        @Option(name: .long, help: "Number of newest accepted batches.") var last = 20
        @Option(name: .long, parsing: .upToNextOption, help: "These accepted batches instead of the newest ones.")
        var batches: [String] = []
        @OptionGroup var dataset: Dataset

        /// Builds and records the baseline, and prints the next step.
        func run() async throws {
            try await reporting {
                let (store, dataset) = try dataset.chosen()
                let made = try Recorder(store).buildBaseline(
                    name, dataset: dataset, batches: batches.isEmpty ? nil : batches, limit: max(last, 1))
                Terminal.line(
                    "built baseline \(name) of dataset \(dataset): \(made.batches.count) batches, sha256 \(made.digest)"
                )
                let of = "--dataset \(dataset)"
                Terminal.line(
                    NamedStore.completed(
                        "next  sluice baseline show \(name) \(of), then sluice baseline approve \(name) \(of) --reason TEXT"
                    ))
            }
        }
    }

    /// `sluice baseline list`: the named baselines with their state.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List the named baselines: dataset, name, state, batches, time, digest.",
            discussion: """
                Example: sluice baseline list --store store
                """)
        @Flag(name: .long, help: "Print JSON.") var json = false
        @OptionGroup var store: StoreOptions

        /// Prints the baselines, in the order of their last step.
        func run() async throws {
            try await reporting {
                let store = try store.require().proving()
                let found = try store.namedBaselines()
                if json {
                    return Terminal.json(.array(found.map(\.document)))
                }
                if found.isEmpty {
                    Terminal.report([
                        "no named baseline: batches are compared with the last 20 accepted ones; make one with: sluice baseline build NAME"
                    ])
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

    /// `sluice baseline diff`: tests one baseline against another; exits with 1 when a batch like it would be held.
    struct Diff: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "diff",
            abstract: "Compare two baselines field by field, with the tests that a batch has to pass.",
            discussion: """
                Prints for each test: same, WARN or HOLD, field, test, effect, limits, rows.

                Example: sluice baseline diff 2026q3 rolling --dataset orders

                Exit codes: 0 no such difference · 1 a batch with such a difference would be held.
                """)
        @Argument(help: "The reference: a named baseline, a batch, or rolling for the last accepted batches.") var old:
            String
        @Argument(help: "The baseline to compare with it: a name, a batch, or rolling.") var new = "rolling"
        @Flag(name: .long, help: "Print JSON.") var json = false
        @OptionGroup var dataset: Dataset

        /// Runs the tests and prints each with its effect and limits.
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
                        mark, test.field, test.type, NumberText.short(test.effect, 4),
                        "limits \(NumberText.short(test.warn, 2)), \(NumberText.short(test.hold, 2))",
                        "n \(test.count), \(test.basis)",
                    ])
                }
            }
            if isHeld { throw ExitCode(1) }
        }
    }

    /// `sluice baseline approve`: makes a baseline the anchor of its dataset.
    struct Approve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "approve",
            abstract: "Make a baseline the dataset's anchor, in place of the previous one.",
            discussion: """
                Example: sluice baseline approve 2026q3 --dataset orders --reason "reviewed"
                """)
        @OptionGroup var step: Step
        func run() async throws { try await step.take(.approve) }
    }

    /// `sluice baseline pin`: judges batches by a baseline alone.
    struct Pin: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "pin",
            abstract: "Judge by this baseline alone, until it is retired; the last accepted batches no longer count.",
            discussion: """
                Example: sluice baseline pin 2026q3 --dataset orders --reason "audit"
                """)
        @OptionGroup var step: Step
        func run() async throws { try await step.take(.pin) }
    }

    /// `sluice baseline retire`: ends the use of a baseline.
    struct Retire: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "retire",
            abstract: "Stop using a baseline as anchor or pin; earlier verdicts stay provable.",
            discussion: """
                Example: sluice baseline retire 2026q3 --dataset orders --reason "new season"
                """)
        @OptionGroup var step: Step
        func run() async throws { try await step.take(.retire) }
    }

    /// `sluice baseline exclude`: removes an accepted batch from all comparisons.
    struct Exclude: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "exclude",
            abstract: "Exclude an accepted batch from the rolling baseline.",
            discussion: """
                For a batch whose baseline file is lost, or that should not have been accepted. The batch and its shards stay. The \
                ledger records who asked (uid) and why; this cannot be undone.

                Example: sluice baseline exclude BATCH --dataset orders --reason "test data"
                """)
        @Argument(help: "The id of the accepted batch, the first 6 or more characters of it, or latest.") var batch:
            String
        @Option(name: .long, help: "Why; the ledger records it, so give no personal data.") var reason: String
        @OptionGroup var dataset: Dataset

        /// Records the exclusion; batches judged later no longer use the excluded one.
        func run() async throws {
            try await reporting {
                let (store, dataset) = try dataset.chosen()
                let batch = try BatchID.resolve(batch, in: store)
                try Recorder(store).excludeBaseline(of: batch, dataset: dataset, reason: reason)
                Terminal.line("excluded batch \(batch) from the baseline of dataset \(dataset)")
            }
        }
    }

    /// Options of a step in a baseline's life: its name, the reason and the dataset.
    struct Step: ParsableArguments {
        @Argument(help: "The name of the baseline.") var name: String
        @Option(name: .long, help: "Why; the ledger records it, so give no personal data.") var reason: String
        @OptionGroup var dataset: Dataset

        /// Records the step with the user's id and the reason.
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
    /// Its use: anchor, pinned, retired, or none.
    fileprivate var state: String {
        isRetired ? "retired" : isPinned ? "pinned" : isAnchor ? "anchor" : "built"
    }

    /// The baseline as a document.
    fileprivate var document: JSONValue {
        .object([
            "name": .string(name), "dataset": .string(dataset), "state": .string(state), "time": .string(time),
            "digest": .string(digest), "batches": .array(batches.map { .string($0) }),
        ])
    }
}
