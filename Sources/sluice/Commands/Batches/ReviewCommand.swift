import ArgumentParser
import Ingestion
import Schemas
import Storage
import Tabular

/// The output format of lists.
enum ListFormat: String, ExpressibleByArgument, CaseIterable {
    case text
    case json
}

/// `sluice review`: the held batches, and what a person decides about them.
struct ReviewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "review", abstract: "Decide about held batches and rows: show, release, reject, judge again.",
        discussion: """
            Statistics can raise a false alarm: a price was raised, a weekend came, a new product is sold. If a held batch is sound, \
            release it: its rows are published and enter the baseline. If it is bad, reject it. Single rows that were held back from an \
            accepted batch are released in the same way.

            Example:
              sluice review list
              sluice review show BATCH
              sluice review release BATCH --reason "new price list"
            """,
        subcommands: [List.self, Show.self, Release.self, Reject.self, Replay.self])

    /// `sluice review list`: the open holds, newest first.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List the held batches that are still open, newest first, with what holds them.",
            discussion: """
                Example: sluice review list --dataset orders
                """)
        @Option(name: .long, help: "Only batches of this dataset.") var dataset: String?
        @Option(
            name: .long, help: "Only batches held since this day or time in UTC, as 2026-12-01 or 2026-12-01T08:30.")
        var since: String?
        @Option(name: .long, help: "The output format.") var format = ListFormat.text
        @Flag(name: .long, help: "Short for --format json.") var json = false
        @OptionGroup var store: StoreOptions

        func validate() throws {
            if let since, !LineageCommand.Log.isTime(since) {
                throw ValidationError("--since must be a day or time in UTC, such as 2026-12-01 or 2026-12-01T08:30")
            }
        }

        /// Prints the holds; it needs the record, and no key.
        func run() async throws {
            ignoreBrokenPipes()
            try await reporting {
                let from = since.map { $0.utf8.count == 20 ? String($0.dropLast()) : $0 } ?? ""
                let found = try store.require().proving().heldBatches(of: dataset).filter { $0.time >= from }
                if json || format == .json { return Terminal.json(.array(found.map(\.document))) }
                if found.isEmpty {
                    Terminal.line(
                        dataset == nil && since == nil
                            ? "none: no held batch is open" : "none: no open hold fits these options")
                }
                for batch in found { Terminal.report(batch.lines) }
            }
        }
    }

    /// `sluice review release`: judges a held batch again with statistical findings waived.
    struct Release: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "release",
            abstract: "Release a held batch, or rows held back from an accepted one: waive what statistics found.",
            discussion: """
                The sealed source goes through the whole gate again, under the contract and settings in force, and becomes a new batch. \
                Statistical findings are recorded as waived and hold nothing back, so all sound rows are published and enter the \
                baseline. Nothing else is waived: violations of the contract, credentials, personal data, missing digests or \
                signatures, blocked sources or sources on probation, too many rejected rows. If one of these holds the batch, the \
                release is refused and the batch stays held. A rejected batch is never released. The ledger records who asked (uid) and \
                why.

                Later batches that show the same change stay held too: --echoes judges them again.

                BATCH:ROWS releases rows that statistics held back from an accepted batch, such as BATCH:3,5-7. They become a batch of \
                their own. Rows that the contract rejected are never released.

                Example:
                  sluice review release BATCH --reason "new price list" --echoes
                  sluice review release BATCH:3,5-7 --reason "real orders of a wholesaler"

                Where sluice.yaml has review:, a release needs the approval of one or two people, each by a signature (--sign-with) or \
                by their user number. The first approval is recorded (exit code 0), and the last one releases.

                Exit codes: 0 accepted, or approved · 1 refused, released before, or rows at or above --fail-on · 64 no such held batch · \
                77 no valid signature of a reviewer.
                """)
        @Argument(
            help: """
                BATCH of a held batch, or BATCH:ROWS of an accepted one, counted from 1; BATCH is an id, the first 6 or more characters of \
                it, or latest.
                """) var target: String
        @Option(name: .long, help: "Why, 1 to 1,024 bytes; the ledger records it, so give no personal data.")
        var reason: String
        @Option(
            name: .customLong("accept-level"), parsing: .upToNextOption,
            help: """
                Fields whose change is permanent ('*' for all): they are learnt anew from this batch on, and earlier batches no longer \
                count for them.
                """)
        var newLevels: [String] = []
        @Option(
            name: .customLong("waive"), parsing: .upToNextOption,
            help: """
                Waive only these findings, as CODE or CODE:FIELD (default: all that are statistical); sluice review show names the codes.
                """)
        var waived: [String] = []
        @Flag(
            name: .long,
            help: """
                Also judge the later held batches that show the same change again, oldest first, against the new baseline. Those that pass \
                are released; nothing is waived for them.
                """)
        var echoes = false
        @Option(
            name: [.short, .long],
            help: "The contract (default: the dataset's in sluice.yaml, else the one the batch was judged by).")
        var schema: String?
        @Option(
            name: .long,
            help: "Number of workers, 1 to 256; the result does not depend on it (default: the number of processors).")
        var jobs: Int?
        @OptionGroup var signing: SigningOptions
        @OptionGroup var store: StoreOptions
        @OptionGroup var report: ReportOptions

        func validate() throws {
            if let jobs, !(1...256).contains(jobs) {
                throw ValidationError("--jobs must be a whole number from 1 to 256")
            }
        }

        /// Releases the batch and, with `--echoes`, judges the later batches of the same incident again, oldest first.
        ///
        /// Each of those must pass by itself, since the release has changed the baseline.
        func run() async throws {
            ignoreBrokenPipes()
            keepFreedMemory()
            var code: Int32 = 0
            try await reporting {
                let store = try store.require()
                let (batch, rows) = try ReviewTarget(target).resolve(in: store)
                if rows != nil, echoes {
                    throw IngestionError(.usage, "--echoes goes with a held batch, not with rows of an accepted one")
                }
                let pipeline = try Pipeline(store: store, writes: true)
                let others = echoes ? try store.proving().echoes(of: batch) : []
                var contract: LoadedSchema?
                if let schema { contract = try loadContract(schema) }
                if let contract { ContractWarnings.tell(contract) }
                var request = Pipeline.ReleaseRequest(batch, reason: reason)
                (request.newLevels, request.contract, request.rows) = (newLevels, contract, rows)
                request.waived = waived.isEmpty ? nil : waived
                let decision = try pipeline.decision(for: request)
                if try signing.writes(decision) { return }
                request.signature = try signing.signature(of: decision)
                var options = BatchOptions()
                options.jobs = jobs ?? processorCount()
                options.listed = report.listed
                let progress = Progress(
                    isQuiet: report.quiet, phases: ["reading", "masking and sealing"], clock: { Clock.monotonic() })
                defer { progress?.clear() }
                if let progress { options.progress = { progress.show(rows: $0, bytes: $1, total: $2) } }
                Interruption.begin("batch \(batch)", done: 0, of: 1 + others.count)
                let released = try await pipeline.release(request, options: options)
                progress?.clear()
                switch released {
                case .judged(let result):
                    let again = result.isRefusedRelease ? [] : others
                    let output = ReportOutput(report, files: 1 + again.count)
                    output.add(result)
                    code = report.exitCode(result)
                    for (place, echo) in again.enumerated() {
                        Interruption.begin("batch \(echo)", done: 1 + place, of: 1 + again.count)
                        var request = Pipeline.ReleaseRequest(
                            echo, reason: "judged again after batch \(batch), which shows the same change, was let out")
                        (request.waived, request.contract) = ([], contract)
                        let judged = try await pipeline.release(request, options: options)
                        guard case .judged(let result) = judged else { continue }
                        output.add(result)
                        code = max(code, report.exitCode(result))
                    }
                    Interruption.end(done: 1 + again.count, of: 1 + again.count)
                    output.finish()
                    tellEvents(of: pipeline)
                case .approved(let missing):
                    Interruption.end(done: 0, of: 1 + others.count)
                    SigningOptions.tellApproved(missing: missing, "sluice review release \(target) --reason TEXT")
                case .earlier(let other):
                    Terminal.complain(
                        "batch \(target) was released before: its content was accepted as batch \(other), and is accepted only once; "
                            + "see: sluice lineage show \(other)")
                    code = 1
                }
            }
            if code != 0 { throw ExitCode(code) }
        }
    }
}

extension HeldBatch {
    /// The reasons for the hold, as codes and field names.
    private var reasonTexts: [String] { reasons.map { $0.field.isEmpty ? $0.code : "\($0.code) (\($0.field))" } }

    /// The command that helps: a release where one can be accepted.
    private var next: String {
        reasons.allSatisfy { FindingCode(rawValue: $0.code)?.mayBeReleased ?? true }
            ? FindingText.release(batch) : "sluice review show \(batch)"
    }

    /// A hold for people: the batch, its reasons, and how to release it.
    fileprivate var lines: [String] {
        let shown =
            reasonTexts.prefix(8).joined(separator: ", ")
            + (reasonTexts.count > 8 ? " and \(reasonTexts.count - 8) more" : "")
        let lines = [
            "\(batch)  dataset \(dataset)  from \(source)  \(time)  \(NumberText.number(rows)) rows",
            "  why   " + (shown.isEmpty ? "see: sluice lineage explain \(batch)" : shown),
        ]
        return lines
            + (incident.isEmpty
                ? ["  next  " + next]
                : [
                    "  same  the same change as batch \(incident)",
                    "  next  " + FindingText.releaseWithEchoes(incident),
                ])
    }

    /// The hold as a document.
    fileprivate var document: JSONValue {
        .object([
            "batch": .string(batch), "dataset": .string(dataset), "source": .string(source), "time": .string(time),
            "rows": .integer(Int64(rows)),
            "reasons": .array(
                reasons.map { reason in
                    .object([
                        "type": .string(reason.code), "fieldName": reason.field.isEmpty ? .null : .string(reason.field),
                    ])
                }),
            "incident": incident.isEmpty ? .null : .string(incident),
            "next": .string(
                NamedStore.completed(
                    incident.isEmpty ? next : FindingText.releaseWithEchoes(incident))),
        ])
    }
}
