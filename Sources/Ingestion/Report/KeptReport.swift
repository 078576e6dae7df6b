import Lineage
import Screening
import Sealing
import Storage
package import Tabular

/// The report as it is kept beside a batch, with histograms for drawing: counts in bins, never a value.
extension BatchReport {
    /// The report without single findings, with its histograms.
    ///
    /// - Parameter decision: the decision, from which names and thresholds of the histograms come.
    func keptDocument(_ decision: Decision?) -> JSONValue {
        func whole(_ number: Int) -> JSONValue { .integer(Int64(number)) }
        func counts(_ list: [Int]) -> JSONValue { .array(list.map(whole)) }
        func number(_ value: Double) -> JSONValue { value.isFinite ? .number(value) : .null }
        var members = summary
        // The supplier's file names may identify a person.
        members["name"] = nil
        if !files.isEmpty {
            members["files"] = .array(
                files.map { .object(["firstRow": whole($0.firstRow), "rows": whole($0.rows)]) })
        }
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
            "paths": forestThresholds.map { lines in
                .object([
                    "bins": counts(scores.paths), "flag": number(lines.flag), "quarantine": number(lines.quarantine),
                ])
            } ?? .null,
        ])
        return .object(members)
    }

    private func fieldName(_ field: Int?) -> String { fields.name(ofField: field) ?? "" }
}

extension Store {
    /// The kept report of a batch, and its `batch.judged` entry.
    ///
    /// - Throws: `noInput` for an unknown batch, `unreadableData` for one of a version that kept no reports.
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

    /// The content of a kept decision file: the decision, empty where there was none, and the report.
    func keptLines(
        _ file: PublishedFile, _ batch: String
    ) throws(IngestionError) -> (decision: [UInt8], report: JSONValue?) {
        Self.keptLines(
            try readRecorded(
                file, keys: try keyRing(), expect: ["batch-id": batch, "role": FileRole.decision.rawValue]))
    }

    /// Splits such a file into its two lines.
    static func keptLines(_ bytes: [UInt8]) -> (decision: [UInt8], report: JSONValue?) {
        let lines = bytes.split(separator: 0x0A).map(Array.init)
        let decision = lines.first.map { $0 == Array("null".utf8) ? [] : $0 } ?? []
        return (decision, lines.count > 1 ? try? JSONValue.parse(lines[1]) : nil)
    }
}
