import ArgumentParser
import Foundation
import Ingestion
import Lineage
import Storage
import Tabular

/// `BATCH`, or `BATCH:ROWS`.
struct ReviewTarget {
    private let batch: String
    private let rows: RowList?

    /// - Throws: `usage` for rows that are no list.
    init(_ text: String) throws {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        batch = parts[0]
        rows = parts.count == 2 ? RowList(parts[1]) : nil
        if batch.isEmpty || parts.count == 2 && rows == nil {
            throw IngestionError(
                .usage,
                "\(text): write BATCH, or BATCH:ROWS with rows from 1, as in BATCH:3,5-7 (at most a million rows)")
        }
    }

    /// The full id of the batch, and the rows.
    func resolve(in store: Store) throws -> (batch: String, rows: RowList?) {
        (try BatchID.resolve(batch, in: store), rows)
    }
}

extension ReviewCommand {
    /// `sluice review show`: what a person needs to know to decide.
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Show what holds a batch or its rows, beside what is usual, and what can be decided.",
            discussion: """
                For each reason: what moved, beside how much accepted batches differed, and whether a release waives it. No value of the \
                data is shown, unless --show-values asks for rows that are held or were held back: only on a terminal, and the ledger \
                records who looks at them and why before one appears. The findings of one row: sluice lineage explain BATCH:ROW.

                Example:
                  sluice review show latest
                  sluice review show BATCH:17 --show-values --reason "check before release"
                """)
        @Argument(
            help: """
                BATCH, or BATCH:ROWS with --show-values; BATCH is an id, the first 6 or more characters of it, or latest.
                """) var target: String
        @Flag(name: .long, help: "Show the rows of BATCH:ROWS as they came, at most 20, on a terminal only.")
        var showValues = false
        @Option(name: .long, help: "With --show-values: why; the ledger records it, so give no personal data.")
        var reason: String?
        @Flag(name: .long, help: "Print JSON.") var json = false
        @OptionGroup var store: StoreOptions

        func validate() throws {
            if showValues, reason == nil {
                throw ValidationError("--show-values needs --reason TEXT, which is recorded")
            }
            if showValues, json { throw ValidationError("--show-values writes to a terminal, and not as JSON") }
        }

        /// Shows rows to whoever sits at the terminal.
        private func showRows(_ rows: RowList?, of batch: String, in store: Store) throws {
            guard let rows, let reason else {
                throw IngestionError(
                    .usage, "name the rows to show, as in: sluice review show \(batch):17 --show-values --reason TEXT")
            }
            guard StandardStream.output.isTerminal else {
                throw IngestionError(
                    .usage,
                    "--show-values writes to a terminal only; to open the file: sluice shard cat FILE --reason TEXT")
            }
            for row in try Recorder(store).showRows(rows, of: batch, reason: reason) {
                Terminal.line(
                    "row \(row.number)  "
                        + (row.bytes.map { String(decoding: $0, as: UTF8.self) } ?? "is not kept, or was erased"))
                if let shown = row.bytes?.count, shown < row.length {
                    Terminal.remark(
                        "row \(row.number) is cut: \(NumberText.number(shown)) of \(NumberText.number(row.length)) bytes are shown"
                    )
                }
            }
        }

        /// Reads the record and the kept report, which needs a key of the store.
        func run() async throws {
            ignoreBrokenPipes()
            try await reporting {
                let store = try store.require().proving()
                let (batch, rows) = try ReviewTarget(target).resolve(in: store)
                if showValues { return try showRows(rows, of: batch, in: store) }
                if rows != nil {
                    throw IngestionError(
                        .usage,
                        "rows are shown with --show-values --reason TEXT; what was found in one: sluice lineage explain \(target)"
                    )
                }
                let found = try store.reviewCase(of: batch)
                if json { return Terminal.json(found.document) }
                Terminal.report(found.lines, indent: 10)
            }
        }
    }

    /// `sluice review reject`: closes a hold for good.
    struct Reject: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "reject",
            abstract: "Reject a held batch for good: its content is no longer listed and can never be released.",
            discussion: """
                Nothing of the batch is published, and its sealed source stays in quarantine. The ledger records who asked (uid) and why. \
                Have the supplier send a corrected file.

                Example: sluice review reject BATCH --reason "prices in cents"

                Where sluice.yaml has review:, it needs the approval of one or two people, as a release does.

                Exit codes: 0 recorded · 64 no such held batch, or decided before · 75 decided by another process at this moment · \
                77 no valid signature of a reviewer.
                """)
        @Argument(help: "The id of the held batch, the first 6 or more characters of it, or latest.") var batch: String
        @Option(name: .long, help: "Why, 1 to 1,024 bytes; the ledger records it, so give no personal data.")
        var reason: String
        @OptionGroup var signing: SigningOptions
        @OptionGroup var store: StoreOptions

        func run() async throws {
            ignoreBrokenPipes()
            try await reporting {
                let store = try store.require()
                let batch = try BatchID.resolve(batch, in: store)
                let pipeline = try Pipeline(store: store, writes: true)
                let decision = try pipeline.decision(.reject, about: batch, reason: reason)
                if try signing.writes(decision) { return }
                let missing = try pipeline.reject(batch, reason: reason, signature: try signing.signature(of: decision))
                if missing > 0 {
                    return SigningOptions.tellApproved(missing: missing, "sluice review reject \(batch) --reason TEXT")
                }
                Terminal.line("rejected batch \(batch) for good; its sealed source stays in quarantine")
            }
        }
    }

    /// `sluice review replay`: judges a held batch again, waiving nothing.
    struct Replay: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "replay",
            abstract: "Judge a held batch again by the contract and the accepted batches of today; waive nothing.",
            discussion: """
                If it passes, it is accepted as a batch of its own, which the ledger links with the held one. If not, it stays held and \
                nothing is recorded. Useful after the contract was corrected, or after similar batches were accepted.

                Example: sluice review replay BATCH

                Exit codes: 0 accepted · 1 still held, accepted before, or rows at or above --fail-on · 64 no such held batch.
                """)
        @Argument(help: "The id of the held batch, the first 6 or more characters of it, or latest.") var batch: String
        @Option(name: .long, help: "Why; the ledger records it, so give no personal data (default: judged again).")
        var reason = "judged again"
        @Option(
            name: [.short, .long],
            help: "The contract (default: the dataset's in sluice.yaml, else the one the batch was judged by).")
        var schema: String?
        @OptionGroup var store: StoreOptions
        @OptionGroup var report: ReportOptions

        func run() async throws {
            ignoreBrokenPipes()
            keepFreedMemory()
            var code: Int32 = 0
            try await reporting {
                let store = try store.require()
                var request = Pipeline.ReleaseRequest(try BatchID.resolve(batch, in: store), reason: reason)
                request.waived = []
                if let schema {
                    let contract = try loadContract(schema)
                    ContractWarnings.tell(contract)
                    request.contract = contract
                }
                var options = BatchOptions()
                options.jobs = processorCount()
                options.listed = report.listed
                let pipeline = try Pipeline(store: store, writes: true)
                switch try await pipeline.release(request, options: options) {
                case .judged(let result):
                    let output = ReportOutput(report, files: 1)
                    output.add(result)
                    code = report.exitCode(result)
                    output.finish()
                    tellEvents(of: pipeline)
                // It waives nothing, so nobody needs to approve it.
                case .approved: break
                case .earlier(let other):
                    Terminal.complain(
                        "the content of batch \(request.batch) was accepted before, as batch \(other); see: sluice lineage show \(other)"
                    )
                    code = 1
                }
            }
            if code != 0 { throw ExitCode(code) }
        }
    }
}

extension FindingCode {
    /// Whether a release may let a batch with such a finding pass. Most rows in quarantine are there for statistics.
    var mayBeReleased: Bool { isStatistical || self == .tooManyQuarantined }
}

extension ReviewCase {
    private var batch: String { judged["batch"]?.text ?? "" }
    /// What holds the batch, as its kept report states it.
    private var reasons: [JSONValue] {
        (report?["batchErrors"]?.items ?? []).filter {
            $0["outcome"]?.text != "flagged" && $0["outcome"]?.text != "accepted"
        }
    }

    /// The case for people.
    fileprivate var lines: [String] {
        func count(_ name: String) -> String { NumberText.number(Int(judged[name]?.whole ?? 0)) }
        let dataset = received["dataset"]?.text ?? ""
        // Rows of a held batch are held, whatever their own outcome.
        let passing =
            judged["verdict"]?.text == "accepted"
            ? "\(count("accepted")) accepted, \(count("flagged")) flagged"
            : NumberText.number(Int((judged["accepted"]?.whole ?? 0) + (judged["flagged"]?.whole ?? 0))) + " would pass"
        var lines = [
            "batch     \(batch)  dataset \(dataset)  from \(received["source"]?.text ?? "")  \(judged["time"]?.text ?? "")",
            "rows      \(count("rows")): \(passing), \(count("quarantined")) quarantined, \(count("rejected")) rejected",
        ]
        let isRolling = report?["screening"]?["baseline"]?.text == nil
        for reason in reasons {
            let code = reason["type"]?.text.flatMap { FindingCode(rawValue: $0) }
            lines.append("why       \(FindingText.summary(reason, isRolling: isRolling))")
            lines.append("          " + (code.map { waivable($0) } ?? ""))
        }
        for finding in (report?["totals"]?.items ?? []).prefix(12) {
            guard let code = finding["type"]?.text, finding["outcome"]?.text != "flagged" else { continue }
            let rows = (finding["firstRows"]?.items ?? []).compactMap(\.whole).map { "\($0)" }.joined(separator: ", ")
            lines.append(
                "found     \(finding["outcome"]?.text ?? "")  \(code)  "
                    + FindingText.place(finding["fieldName"]?.text, finding["rule"]?.text)
                    + "  \(NumberText.count(Int(finding["count"]?.whole ?? 0), "row"))"
                    + (rows.isEmpty ? "" : ", first \(rows)"))
        }
        if let quarantined { lines.append("held back \(quarantined.text(first: 12))") }
        if let rejected { lines.append("rejected  \(rejected.text(first: 12))") }
        for part in released { lines.append("released  rows \(part.rows), as batch \(part.batch)") }
        for body in approvals {
            lines.append(
                "approved  \(body["action"]?.text ?? "") by \(body["reviewer"]?.text ?? "uid \(body["uid"]?.whole ?? -1)"), "
                    + "\((body["time"]?.text ?? "").prefix(19)): \(body["reason"]?.text ?? "")")
        }
        return lines + next.map { "next      " + $0 }
    }

    /// Whether a release waives a finding, and what else helps.
    private func waivable(_ code: FindingCode) -> String {
        if code.isStatistical { return "a release waives this" }
        if code == .tooManyQuarantined { return "a release waives what statistics hold, and so these rows" }
        return "never waived: " + FindingText.cure(code, ofBatch: batch, from: received["source"]?.text ?? "")
    }

    /// What can be decided, as commands.
    private var next: [String] {
        switch state {
        case .held(let incident):
            let mayRelease = reasons.allSatisfy { reason in
                reason["type"]?.text.flatMap { FindingCode(rawValue: $0) }?.mayBeReleased ?? false
            }
            var next = incident.isEmpty ? [] : [FindingText.incident(incident, since: judged["time"]?.text ?? "")]
            if mayRelease { next.append("if the change is sound: " + FindingText.release(batch)) }
            next.append("if the file is bad: sluice review reject \(batch) --reason TEXT")
            next.append("if the contract or the accepted batches changed since: sluice review replay \(batch)")
            return next + ["the whole report as a page: sluice report \(batch) --html --output FILE"]
        case .accepted:
            let rows = quarantined?.text(first: 3) ?? ""
            return rows.isEmpty
                ? ["no row is held back"]
                : ["if rows that only statistics hold are sound: sluice review release \(batch):ROWS --reason TEXT"]
        case .superseded(let other):
            return ["it was replaced by batch \(other): sluice review show \(other)"]
        case .ended(let text): return [text + "; when the same content comes again, it is judged anew"]
        case .acceptedAs(let other): return ["its content was accepted as batch \(other): sluice lineage show \(other)"]
        case .rejectedByPerson(let text): return [text + "; that is final: have a corrected file sent"]
        case .refused: return ["a rejected batch is never released: have it repaired and sent again"]
        }
    }

    /// The case as a document.
    fileprivate var document: JSONValue {
        func rows(_ list: RowList?) -> JSONValue { list.map { .string($0.text) } ?? .null }
        let name: String
        switch state {
        case .held: name = "held"
        case .rejectedByPerson: name = "rejected by a person"
        case .ended: name = "ended: its file is gone"
        case .acceptedAs: name = "accepted as another batch"
        case .accepted: name = "accepted"
        case .superseded: name = "superseded"
        case .refused: name = "rejected"
        }
        return .object([
            "batch": .string(batch), "dataset": received["dataset"] ?? .null, "source": received["source"] ?? .null,
            "time": judged["time"] ?? .null, "state": .string(name), "rows": judged["rows"] ?? .null,
            "reasons": .array(
                reasons.map { reason in
                    let code = reason["type"]?.text.flatMap { FindingCode(rawValue: $0) }
                    return .object([
                        "type": reason["type"] ?? .null, "fieldName": reason["fieldName"] ?? .null,
                        "statistic": reason["statistic"] ?? .null, "threshold": reason["threshold"] ?? .null,
                        "text": .string(FindingText.summary(reason)),
                        "waivable": .bool(code?.mayBeReleased ?? false),
                    ])
                }),
            "quarantinedRows": rows(quarantined), "rejectedRows": rows(rejected),
            "releasedRows": .array(
                released.map { .object(["rows": .string($0.rows), "batch": .string($0.batch)]) }),
            "next": .array(next.map { .string(NamedStore.completed($0)) }),
        ])
    }
}
