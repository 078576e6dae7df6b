import Cryptography
import Lineage
import Reading
import Schemas
import Screening
import Sketches
package import Tabular

/// The comparison of a candidate contract with the one in force, over the same file. It decides nothing.
package struct ShadowReport: Sendable {
    /// Rows that have one outcome and would have had another.
    package struct Change: Sendable, Equatable {
        /// The outcome in force, and the candidate's.
        package var now: Outcome, then: Outcome
        /// The number of rows, and the first few of them.
        package var count = 0, firstRows: [Int] = []
    }

    /// Name and SHA-256 of the candidate contract.
    package var contract: String, digest: String
    /// Whether the candidate would hold the batch, and whether it is held.
    package var wouldHold = false, isHeld = false
    /// Codes of the findings that would hold or flag it.
    package var reasons: [String] = []
    /// The rows whose outcome would differ, by pair of outcomes.
    package var changes: [Change] = []
    /// Findings whose number would differ: code, field, number in force and under the candidate.
    package var findings: [(code: String, field: String, now: Int, then: Int)] = []
    /// The kind of error that prevented the comparison, if any; its message might name a file.
    package var failure: String?

    /// Compares the verdict in force with the candidate's report.
    init(_ schema: Schema, then: BatchReport, now: JudgedBatch) {
        self.init(schema)
        (isHeld, wouldHold) = (!now.isAccepted, then.hasHoldingFinding)
        reasons = Set(then.batchFindings.map(\.code.rawValue)).sorted()
        if let other = then.fates { changes = Self.changes(now.fates, other) }
        func counts(_ findings: FindingCounts, _ fields: [String]) -> [[String]: Int] {
            var counts: [[String]: Int] = [:]
            for (kind, tally) in findings.sorted {
                counts[[kind.code.rawValue, fields.name(ofField: kind.field) ?? ""], default: 0] += tally.count
            }
            return counts
        }
        let here = counts(now.findings, now.decided.plan.fieldNames)
        let there = counts(then.findings, then.fields)
        for key in Set(here.keys).union(there.keys).sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            let (a, b) = (here[key] ?? 0, there[key] ?? 0)
            if a != b { findings.append((key[0], key[1], a, b)) }
        }
    }

    /// A comparison that failed.
    init(_ schema: Schema, failure: String) {
        self.init(schema)
        self.failure = failure
    }

    private init(_ schema: Schema) {
        contract = schema.name.isEmpty ? "without a name" : schema.name + " " + schema.version
        digest = hex(schema.digest)
    }

    private static func changes(_ now: RowMap, _ then: RowMap) -> [Change] {
        var changes: [[UInt8]: Change] = [:]
        var (a, b) = (now.runs[...], then.runs[...])
        var (restA, restB, row) = (a.first?.count ?? 0, b.first?.count ?? 0, 1)
        while let here = a.first, let there = b.first {
            let step = min(restA, restB)
            if let (x, y) = here.fate.outcome.flatMap({ x in there.fate.outcome.map { (x, $0) } }), x != y {
                var change = changes[[x.rawValue, y.rawValue]] ?? Change(now: x, then: y)
                change.count += step
                for next in row..<row + step where change.firstRows.count < FindingCounts.rowsKept {
                    change.firstRows.append(next)
                }
                changes[[x.rawValue, y.rawValue]] = change
            }
            row += step
            (restA, restB) = (restA - step, restB - step)
            if restA == 0 {
                a.removeFirst()
                restA = a.first?.count ?? 0
            }
            if restB == 0 {
                b.removeFirst()
                restB = b.first?.count ?? 0
            }
        }
        return changes.values.sorted { ($0.now, $0.then) < ($1.now, $1.then) }
    }

    /// Whether nothing would be different.
    package var isSame: Bool { failure == nil && wouldHold == isHeld && changes.isEmpty && findings.isEmpty }

    /// The report as a document.
    package var document: JSONValue {
        func whole(_ number: Int) -> JSONValue { .integer(Int64(number)) }
        return .object([
            "contract": .string(contract), "contract_sha256": .string(digest), "held": .bool(isHeld),
            "would_hold": .bool(wouldHold), "reasons": .array(reasons.map { .string($0) }),
            "changes": .array(
                changes.map {
                    .object([
                        "now": .string($0.now.name), "then": .string($0.then.name), "count": whole($0.count),
                        "first_rows": .array($0.firstRows.map(whole)),
                    ])
                }),
            "findings": .array(
                findings.prefix(64).map {
                    .object([
                        "type": .string($0.code), "field": .string($0.field), "now": whole($0.now),
                        "then": whole($0.then),
                    ])
                }),
            "failure": failure.map { .string($0) } ?? .null,
        ])
    }
}

extension JudgedBatch {
    /// Judges the same file by the candidate contract. An error there is only reported, unless the work is to stop.
    func judgedByShadow() async throws(IngestionError) -> ShadowReport? {
        guard let shadow = opened.options.shadow else { return nil }
        var options = opened.options
        options.mode = .dryRun
        options.shadow = nil
        options.keepsFates = true
        options.listed = 0
        options.format = decided.plan.reading.format
        var request = BatchRequest(
            opened.request.input, schema: shadow.schema, contract: shadow.document, dataset: decided.plan.dataset,
            source: decided.plan.source, options: options)
        request.lease = opened.request.lease
        do throws(IngestionError) {
            let other = try await opened.pipeline.run(request)
            if other.dataHash != hex(decided.survey.digest) {
                return ShadowReport(shadow.schema, failure: "the file changed meanwhile")
            }
            return ShadowReport(shadow.schema, then: other, now: self)
        } catch {
            if error.code == .tryAgain { throw error }
            return ShadowReport(shadow.schema, failure: "\(error.code)")
        }
    }
}
