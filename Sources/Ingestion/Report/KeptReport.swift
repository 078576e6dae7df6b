import Lineage
import Screening
import Sealing
import Storage
package import Tabular

/// The report of a batch as it is kept beside it, with what there is to draw: counts in bins, never a value.
extension BatchReport {
    /// The report without its single findings, and the pictures.
    func keptDocument(_ decision: Decision?) -> JSONValue {
        func whole(_ number: Int) -> JSONValue { .integer(Int64(number)) }
        func counts(_ list: [Int]) -> JSONValue { .array(list.map(whole)) }
        func number(_ value: Double) -> JSONValue { value.isFinite ? .number(value) : .null }
        var members = summary
        // What the supplier calls the file may say something about a person.
        members["name"] = nil
        guard let decision else { return .object(members) }
        members["pictures"] = .object([
            "tests": .array(
                decision.tests.filter { !$0.picture.here.isEmpty }.map { test in
                    .object([
                        "type": .string(test.code.rawValue), "fieldName": .string(fieldName(test.field)),
                        "here": counts(test.picture.here), "before": counts(test.picture.before),
                        "labels": .array(test.picture.codes.map { .string(names[$0] ?? decision.name(ofSource: $0)) }),
                        "effect": number(test.effect), "warn": number(test.warn), "hold": number(test.hold),
                        "outcome": .string(test.outcome.name),
                    ])
                }),
            "deviations": .array(
                zip(decision.rules, scores.deviations).map { rule, bins in
                    .object([
                        "fieldName": .string(fieldName(rule.field)), "threshold": number(rule.threshold),
                        "bins": counts(bins),
                    ])
                }),
            "paths": forestLines.map { lines in
                .object([
                    "bins": counts(scores.paths), "flag": number(lines.flag), "quarantine": number(lines.quarantine),
                ])
            } ?? .null,
        ])
        return .object(members)
    }

    private func fieldName(_ field: Int) -> String { fields.indices.contains(field) ? fields[field] : "" }
}

extension Store {
    /// The report that was kept of a batch, and when it was judged.
    package func keptReport(_ batch: String) throws(IngestionError) -> (report: JSONValue, judged: JSONValue) {
        let log = try proven().log
        let entries = try recording { () throws(LedgerError) in try log.run(batch) }
        guard let judged = entries.first(where: { $0.event == .batchJudged }) else {
            throw IngestionError(.noInput, "the ledger has no judged batch \(batch); see: sluice lineage log")
        }
        guard let file = entries.flatMap(\.files).first(where: { $0.role == .decision }),
            let report = try keptLines(file, batch).report
        else {
            throw IngestionError(
                .unreadableData,
                "batch \(batch) was judged by an earlier version, which kept no report; see: sluice lineage show \(batch)"
            )
        }
        return (report, judged.body)
    }

    /// What was sealed of a decision: the decision itself, empty where there was none, and the report.
    func keptLines(
        _ file: PublishedFile, _ batch: String
    ) throws(IngestionError) -> (decision: [UInt8], report: JSONValue?) {
        Self.keptLines(
            try readRecorded(
                file, keys: try keyRing(), expect: ["batch-id": batch, "role": FileRole.decision.rawValue]))
    }

    /// The two lines of such a file.
    static func keptLines(_ bytes: [UInt8]) -> (decision: [UInt8], report: JSONValue?) {
        let lines = bytes.split(separator: 0x0A).map(Array.init)
        let decision = lines.first.map { $0 == Array("null".utf8) ? [] : $0 } ?? []
        return (decision, lines.count > 1 ? try? JSONValue.parse(lines[1]) : nil)
    }
}
