import ArgumentParser
import Ingestion
import Schemas
import Storage
import Tabular

/// How a list is printed.
enum ListFormat: String, ExpressibleByArgument, CaseIterable {
    case text
    case json
}

/// `sluice review`.
struct ReviewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "review", abstract: "List the batches that are held, and let one out.",
        discussion: """
            Statistics can be wrong: a price that was raised, a weekend, a new product. Whoever knows better lets the batch out, and what \
            it shows becomes a part of what later batches are judged by.
            """,
        subcommands: [List.self, Release.self])

    /// `sluice review list`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the held batches that nobody has dealt with, newest first, with what holds them.")
        @Option(name: .long, help: "Only this dataset.") var dataset: String?
        @Option(name: .long, help: "text or json.") var format = ListFormat.text
        @Flag(name: .long, help: "The same as --format json.") var json = false
        @OptionGroup var store: StoreOptions

        func run() async throws {
            ignoreBrokenPipes()
            try await reporting {
                let found = try store.require().proving().heldBatches(of: dataset)
                if json || format == .json { return Terminal.json(.array(found.map(\.document))) }
                if found.isEmpty { Terminal.line("none: no held batch waits for anybody") }
                for batch in found { Terminal.lines(batch.lines) }
            }
        }
    }

    /// `sluice review release`.
    struct Release: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let a held batch out in spite of what statistics say of it.",
            discussion: """
                Its sealed source goes through the whole gate once more, under the contract and the settings in force, and becomes a \
                batch of its own. What statistics find is recorded as waived and holds nothing back, so that all its sound rows are \
                published and enter the baseline. Nothing else is waived: what breaks the contract, credentials, personal data, what a \
                source must bring, sources that are blocked or on probation, too many rejected rows. If one of these holds the batch, \
                the release is refused and it stays held. Recorded with who asked (uid) and why.

                Batches that came later and show the same change wait behind it: --echoes judges them again.

                Exit codes: 0 accepted · 1 refused, released before, or rows at or above --fail-on · 64 no such held batch.
                """)
        @Argument(help: "The held batch.") var batch: String
        @Option(name: .long, help: "Why; recorded, so no personal data.") var reason: String
        @Option(
            name: .customLong("accept-level"), parsing: .upToNextOption,
            help: """
                Fields whose change stays (* for all): their level begins with this batch, and what was accepted before says nothing of \
                them any more. Each is learnt anew.
                """)
        var newLevels: [String] = []
        @Flag(
            name: .long,
            help: """
                Judge the later held batches that show the same change again, oldest first, beside what is accepted now. Those that pass \
                are let out; nothing is waived for them.
                """)
        var echoes = false
        @Option(
            name: [.short, .long],
            help: "The contract (default: the dataset's in sluice.yaml, else the one that the batch was judged by).")
        var schema: String?
        @Option(name: .long, help: "Workers (default: the number of processors). The result does not depend on it.")
        var jobs: Int?
        @OptionGroup var store: StoreOptions
        @OptionGroup var report: ReportOptions

        func validate() throws {
            if let jobs, !(1...256).contains(jobs) { throw ValidationError("--jobs must be 1 to 256") }
        }

        func run() async throws {
            ignoreBrokenPipes()
            keepFreedMemory()
            var code: Int32 = 0
            try await reporting {
                let store = try store.require()
                let pipeline = try Pipeline(store: store, writes: true)
                let others = echoes ? try store.proving().echoes(of: batch) : []
                var contract: LoadedSchema?
                if let schema { contract = try loadContract(schema) }
                for warning in contract?.warnings ?? [] { Terminal.remark("warning: \(warning.description)") }
                var options = BatchOptions()
                options.jobs = jobs ?? processorCount()
                options.listed = report.listed
                let progress = Progress(isQuiet: report.quiet, clock: { Clock.monotonic() })
                if let progress { options.progress = { progress.show(rows: $0, bytes: $1, total: $2) } }
                let released = try await pipeline.release(
                    batch, reason: reason, newLevels: newLevels, contract: contract, options: options)
                progress?.clear()
                switch released {
                case .judged(let result):
                    let again = result.isRefusedRelease ? [] : others
                    let output = ReportOutput(report, files: 1 + again.count)
                    output.add(result)
                    code = report.exitCode(result)
                    for echo in again {
                        let judged = try await pipeline.release(
                            echo, reason: "judged again after batch \(batch), which shows the same change, was let out",
                            waivesStatistics: false,
                            contract: contract, options: options)
                        guard case .judged(let result) = judged else { continue }
                        output.add(result)
                        code = max(code, report.exitCode(result))
                    }
                    output.finish()
                case .earlier(let other):
                    Terminal.complain(
                        "batch \(batch) was let out before: its content was accepted as batch \(other), and is accepted once; see: "
                            + "sluice lineage show \(other)")
                    code = 1
                }
            }
            if code != 0 { throw ExitCode(code) }
        }
    }
}

extension HeldBatch {
    /// What holds it, in codes and names of fields.
    private var told: [String] { reasons.map { $0.field.isEmpty ? $0.code : "\($0.code) (\($0.field))" } }

    /// For people: what it is, what holds it, and how it is let out.
    fileprivate var lines: [String] {
        let shown = told.prefix(8).joined(separator: ", ") + (told.count > 8 ? " and \(told.count - 8) more" : "")
        let lines = [
            "\(batch)  dataset \(dataset)  from \(source)  \(time)  \(Words.number(rows)) rows",
            "  why   " + (shown.isEmpty ? "see: sluice lineage explain \(batch)" : shown),
        ]
        return lines
            + (incident.isEmpty
                ? ["  next  " + Words.release(batch)]
                : ["  same  the same change as batch \(incident)", "  next  " + Words.releaseWithEchoes(incident)])
    }

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
            "next": .string(incident.isEmpty ? Words.release(batch) : Words.releaseWithEchoes(incident)),
        ])
    }
}
