import ArgumentParser
import Ingestion
import Lineage
import Screening
import Storage
import Tabular

extension LineageCommand {
    /// `sluice lineage explain`: replays a kept decision and explains a batch or one of its rows.
    struct Explain: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "explain",
            abstract: "Replay a sealed decision and show why a batch, or one row, got its outcome.",
            discussion: """
                The decision was sealed when the batch was judged, and its digest is in the ledger. This command applies it again to the \
                source file. For a held batch the source is sealed in quarantine; for an accepted batch give the original with --file, \
                because only masked rows are kept. Without the source, the record and the sealed findings of rows that were held back \
                are shown. No value of the data is shown.

                Examples:
                  sluice lineage explain BATCH --store store
                  sluice lineage explain BATCH:11 --file orders.csv --store store

                Exit codes: 0 every row came out as recorded · 1 some did not, or a kept file is not the recorded one.
                """)
        @Argument(
            help:
                "BATCH, or BATCH:ROW for one row, counted from 1; BATCH is an id, 6 or more characters of it, or latest."
        ) var target: String
        @Option(
            name: .long,
            help:
                "The original file of the batch, its folder or its list; needed to replay an accepted one. May be repeated."
        )
        var file: [String] = []
        @Flag(name: .long, help: "Print JSON.") var json = false
        @OptionGroup var store: StoreOptions

        /// Replays, prints, and exits with 1 when a row's outcome differs from the recorded one.
        func run() async throws {
            ignoreBrokenPipes()
            var isDifferent = false
            try await reporting {
                let parts = target.split(separator: ":", maxSplits: 1).map(String.init)
                let row = parts.count == 2 ? Int(parts[1]) : nil
                guard let given = parts.first, parts.count == 1 || row.map({ $0 > 0 }) == true else {
                    throw IngestionError(.usage, "\(target): write BATCH, or BATCH:ROW with a row number from 1")
                }
                let store = try store.require().proving()
                let batch = try BatchID.resolve(given, in: store)
                var replay = try store.replay(batch, row: row, file: file.isEmpty ? nil : BatchInput(file))
                // Optional: a baseline that cannot be opened must not prevent the explanation.
                if row == nil { replay.learnt = try? store.outlook(ofBatch: batch) }
                isDifferent = replay.isReplayed && !replay.isSame
                if json { return Terminal.json(Self.document(replay, row)) }
                let released = try store.releases(of: batch, row: row).map { "released  " + $0 }
                Terminal.report(Self.render(replay, batch, row) + released, indent: 10)
            }
            if isDifferent { throw ExitCode(1) }
        }

        /// The explanation as lines for people.
        private static func render(_ replay: Replay, _ batch: String, _ row: Int?) -> [String] {
            let judged = replay.judged.body
            var lines = [
                "batch     \(batch)  dataset \(judged["dataset"]?.text ?? "")  \(judged["verdict"]?.text ?? "")  "
                    + "\(judged["time"]?.text ?? "")",
                "decision  sha256 \(judged["decision_sha256"]?.text ?? "none")"
                    + (replay.decision == nil ? "" : ", the recorded one"),
            ]
            if let decision = replay.decision {
                let name = judged["judged_by"]?["name"]?.text.map { "baseline \($0)" } ?? "accepted batches"
                let entries = (judged["baseline"]?.items ?? []).compactMap(\.whole).map { "#\($0)" }
                lines.append(
                    decision.basis == .baseline
                        ? "baseline  \(NumberText.number(decision.basisRows)) rows of \(name), entries "
                            + entries.prefix(20).joined(separator: " ")
                        : "baseline  cold start: the batch's own \(NumberText.number(decision.basisRows)) rows")
            }
            if replay.isReplayed {
                lines.append(
                    "replay    \(NumberText.number(replay.agreed)) of \(NumberText.number(replay.fates.rowCount)) rows came out as recorded"
                        + (replay.isSame
                            ? ""
                            : "; OTHERS DID NOT, first: \(replay.differing.map(String.init).joined(separator: ", "))"))
            } else {
                let gone = replay.fates.erased.map { "\(NumberText.count($0.count, "row")) of it erased since; " } ?? ""
                lines.append("replay    not made: \(gone)give the original file with --file")
            }
            if let row { return lines + self.row(replay, row) }
            return lines + self.batch(replay)
        }

        /// Why the batch had its outcome: what held it, then every test with its statistic and threshold.
        private static func batch(_ replay: Replay) -> [String] {
            var lines = (replay.judged.body["batch_findings"]?.items ?? []).compactMap(\.text).map { code in
                "why       \(code): \(FindingCode(rawValue: code).map { FindingCatalogue.entry($0).title } ?? "")"
            }
            for (code, count) in (replay.judged.body["findings"]?.members ?? [:]).sorted(by: { $0.key < $1.key }) {
                lines.append("rows      \(code) \(NumberText.number(Int(count.whole ?? 0)))")
            }
            for test in replay.decision?.tests ?? [] {
                let mark = test.outcome == .accepted ? "test      " : "TEST      "
                let field = replay.fields.name(ofField: test.field).map { " " + $0 } ?? ""
                lines.append(
                    mark + "\(test.code.rawValue)\(field): statistic \(NumberText.short(test.statistic, 3)), critical "
                        + "\(NumberText.short(test.critical, 3)); effect \(NumberText.short(test.effect, 4)), limits "
                        + "\(NumberText.short(test.warn, 3)) (flag) and \(NumberText.short(test.hold, 3)) (hold); "
                        + "rows \(test.count), baseline \(test.basis)"
                        + (test.usual.map { "; accepted batches had at most \(NumberText.short($0, 3)) on arrival" }
                            ?? "")
                )
                if let moved = test.movement {
                    let isRolling = replay.judged.body["judged_by"]?["name"]?.text == nil
                    let others = test.companions.compactMap(replay.fields.name)
                    lines.append(
                        "          \(FindingText.sentence(moved, isRolling: isRolling))"
                            + (others.isEmpty ? "" : "; with it: \(others.joined(separator: ", "))"))
                }
            }
            if let power = replay.decision?.triggerPower, !power.isEmpty {
                lines.append("power     \(FeedText.power(power))")
            }
            for entry in replay.decision?.untested ?? [] {
                let names = replay.fields.name(ofField: entry.field).map { [$0] } ?? []
                lines.append("untested  " + FeedText.untested(names, entry.reason))
            }
            return lines + sight(replay)
        }

        /// The knowledge of the tests, and the smallest changes that they detect.
        private static func sight(_ replay: Replay) -> [String] {
            guard let learnt = replay.learnt else { return [] }
            let fields = (learnt["fields"]?.items ?? []).compactMap { field -> String? in
                guard let sees = FeedText.wouldSee(field) else { return nil }
                let isLength = field["kind"]?.text == "length"
                return "sees      \(field["name"]?.text ?? "")\(isLength ? " (length of its text)" : ""): \(sees)"
            }
            return fields.isEmpty ? [] : fields + ["          \(FeedText.sight)"]
        }

        /// One row: its outcome, its findings, and its scores with their thresholds.
        private static func row(_ replay: Replay, _ row: Int) -> [String] {
            let place = replay.fates.place(ofRow: row)
            var lines = [
                "row       \(row)  \(place.map { $0.fate.outcome?.name ?? "held with its batch" } ?? "unknown")"
            ]
            if let place = replay.place {
                lines.append("file      \(place.file) of \(place.of), row \(place.row) of it")
            }
            if place?.isErased ?? false {
                lines.append("erased    it is in no file any more; see: sluice lineage log --kind shard.rewritten")
                return lines
            }
            func name(_ field: Int?) -> String { replay.fields.name(ofField: field) ?? "the whole row" }
            for finding in replay.findings {
                var text = "why       \(finding.outcome.name): \(finding.code.rawValue), \(name(finding.field))"
                if let statistic = finding.statistic, let threshold = finding.threshold {
                    text += ": \(NumberText.short(statistic, 3)), the threshold is \(NumberText.short(threshold, 3))"
                }
                if let rule = finding.rule { text += " (\(rule))" }
                if !finding.contributors.isEmpty {
                    text += "; mostly from \(finding.contributors.map(name).joined(separator: ", "))"
                }
                lines.append(text)
                lines.append("          \(FindingCatalogue.entry(finding.code).what)")
            }
            for finding in replay.sealedFindings?.items ?? [] {
                var text = "why       \(finding["outcome"]?.text ?? ""): \(finding["code"]?.text ?? "")"
                if let field = finding["field"]?.text { text += ", \(field)" }
                if let statistic = finding["statistic"]?.double, let threshold = finding["threshold"]?.double {
                    text += ": \(NumberText.short(statistic, 3)), the threshold is \(NumberText.short(threshold, 3))"
                }
                lines.append(text + "  (as sealed)")
            }
            if replay.isReplayed, replay.findings.isEmpty { lines.append("why       there is no finding in this row") }
            for score in replay.scores {
                lines.append(
                    "measured  \(score.code.rawValue), \(name(score.field)): \(NumberText.short(score.statistic, 3)), the threshold is "
                        + NumberText.short(score.line, 3))
            }
            return lines
        }

        /// The explanation as a document.
        private static func document(_ replay: Replay, _ row: Int?) -> JSONValue {
            func number(_ value: Double?) -> JSONValue { value.flatMap { $0.isFinite ? .number($0) : nil } ?? .null }
            func name(_ field: Int?) -> JSONValue {
                replay.fields.name(ofField: field).map { .string($0) } ?? .null
            }
            var members: [String: JSONValue] = [
                "received": replay.received.body, "judged": replay.judged.body, "replayed": .bool(replay.isReplayed),
                "rows": .integer(Int64(replay.fates.rowCount)), "asRecorded": .integer(Int64(replay.agreed)),
                "differing": .array(replay.differing.map { .integer(Int64($0)) }),
                "tests": .array((replay.decision?.tests ?? []).map(\.document)), "learnt": replay.learnt ?? .null,
            ]
            if let row {
                members["row"] = .object([
                    "number": .integer(Int64(row)),
                    "outcome": .string(replay.fates.place(ofRow: row)?.fate.outcome?.name ?? "held"),
                    "findings": replay.sealedFindings
                        ?? .array(
                            replay.findings.map {
                                .object([
                                    "type": .string($0.code.rawValue), "outcome": .string($0.outcome.name),
                                    "fieldName": name($0.field), "statistic": number($0.statistic),
                                    "threshold": number($0.threshold), "rule": $0.rule.map { .string($0) } ?? .null,
                                    "contributors": .array($0.contributors.map(name)),
                                ])
                            }),
                    "measured": .array(
                        replay.scores.map {
                            .object([
                                "type": .string($0.code.rawValue), "fieldName": name($0.field),
                                "statistic": number($0.statistic), "line": number($0.line),
                            ])
                        }),
                ])
            }
            return .object(members)
        }
    }
}
