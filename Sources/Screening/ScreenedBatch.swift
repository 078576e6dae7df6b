package import Sketches
package import Tabular
package import Validating

/// A block whose rows each have their outcome; only this room can make one.
package struct ScreenedBatch: Sendable {
    /// The rows.
    package let batch: Batch
    /// One outcome a row: the strictest of its findings.
    package let outcomes: [Outcome]
    /// All findings, by row.
    package let findings: [Finding]
    /// For each screened field, a value a row.
    package let numbers: [[Double]]

    fileprivate init(batch: Batch, outcomes: [Outcome], findings: [Finding], numbers: [[Double]]) {
        self.batch = batch
        self.outcomes = outcomes
        self.findings = findings
        self.numbers = numbers
    }
}

/// Applies a decision to a checked block: every row gets exactly one outcome, with reasons.
package func screen(_ validated: ValidatedBatch, _ decision: Decision, actions: [Int: Outcome]) -> ScreenedBatch {
    let batch = validated.batch
    var outcomes = validated.isSound.map { $0 ? Outcome.accepted : .rejected }
    var findings = validated.findings
    for finding in findings {
        outcomes[finding.row - batch.firstRow] = max(outcomes[finding.row - batch.firstRow], finding.outcome)
    }
    let numbers = decision.screened.slots.map { validated.numbers[$0] }
    func remark(_ finding: Finding, _ row: Int) {
        findings.append(finding)
        outcomes[row] = max(outcomes[row], finding.outcome)
    }
    for rule in decision.rules {
        guard let feature = decision.screened.fields.firstIndex(of: rule.field) else { continue }
        let action = actions[rule.field] ?? .flagged
        let column = numbers[feature]
        for row in 0..<batch.count where validated.isSound[row] {
            let score = rule.score(column[row])
            if score <= rule.threshold { continue }
            if rule.isConstant {
                remark(batch.finding(.constantChanged, outcome: .flagged, at: row, field: rule.field), row)
                continue
            }
            let outcome = score > 2 * rule.threshold ? max(action, .quarantined) : action
            remark(
                batch.finding(
                    .modifiedZ, outcome: outcome, at: row, field: rule.field, statistic: score,
                    threshold: rule.threshold), row)
        }
    }
    if let forest = decision.forest {
        let columns = decision.forestFeatures.map { numbers[$0] }
        let sums = forest.sums(count: batch.count) { feature, row in columns[feature][row] }
        for row in 0..<batch.count where validated.isSound[row] && sums[row] < decision.flagBelow {
            let isHeld = sums[row] < decision.quarantineBelow
            let line = isHeld ? decision.quarantineBelow : decision.flagBelow
            remark(
                batch.finding(
                    .isolationForest, outcome: isHeld ? .quarantined : .flagged, at: row,
                    statistic: forest.score(sums[row]), threshold: forest.score(line),
                    contributors: forest.contributors(columns.map { $0[row] })), row)
        }
    }
    if findings.count > validated.findings.count {
        findings.sort { ($0.row, $0.field, $0.code) < ($1.row, $1.field, $1.code) }
    }
    return ScreenedBatch(batch: batch, outcomes: outcomes, findings: findings, numbers: numbers)
}

/// What the second pass counted: mergeable, so that the verdict does not depend on the workers.
package struct OutcomeCounts: Sendable, Mergeable, Equatable {
    /// Rows by outcome's raw value.
    package private(set) var rows = [0, 0, 0, 0]
    /// All findings.
    package private(set) var findings = FindingCounts()
    /// Rows with a modified z finding.
    package private(set) var remarkedZ = 0
    /// Rows with a forest finding.
    package private(set) var remarkedForest = 0

    /// Nothing counted.
    package init() {}

    /// Takes in a screened block.
    package mutating func add(_ screened: ScreenedBatch) {
        for outcome in screened.outcomes { rows[Int(outcome.rawValue)] += 1 }
        var lastZ = -1
        for finding in screened.findings {
            findings.add(finding)
            if finding.code == .modifiedZ || finding.code == .constantChanged, finding.row != lastZ {
                remarkedZ += 1
                lastZ = finding.row
            }
            if finding.code == .isolationForest { remarkedForest += 1 }
        }
    }

    /// Takes in another slice's counts.
    package mutating func merge(_ other: OutcomeCounts) {
        for index in rows.indices { rows[index] += other.rows[index] }
        findings.merge(other.findings)
        remarkedZ += other.remarkedZ
        remarkedForest += other.remarkedForest
    }

    /// All rows.
    package var total: Int { rows.reduce(0, +) }
    /// Rows with this outcome.
    package func count(_ outcome: Outcome) -> Int { rows[Int(outcome.rawValue)] }
}

extension OutcomeCounts {
    /// Sets the rows of a batch that was only checked against its contract.
    package mutating func set(accepted: Int, flagged: Int, quarantined: Int, rejected: Int) {
        rows[Int(Outcome.accepted.rawValue)] = accepted
        rows[Int(Outcome.flagged.rawValue)] = flagged
        rows[Int(Outcome.quarantined.rawValue)] = quarantined
        rows[Int(Outcome.rejected.rawValue)] = rejected
    }
}
