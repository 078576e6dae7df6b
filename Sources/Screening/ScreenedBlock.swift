package import Sketches
package import Tabular
package import Validating

/// A block whose rows each have their outcome. Only this room can make one.
package struct ScreenedBlock: Sendable {
    /// The rows.
    package let batch: RowBlock
    /// One outcome a row: the strictest of its findings.
    package let outcomes: [Outcome]
    /// All findings, by row.
    package let findings: [Finding]
    /// Findings that would have held rows back, but that a person waived.
    package let waived: FindingCounts
    /// The scores of its rows.
    package let scores: ScoreHistograms
    /// Personal data in its cells, by column, then row.
    package let detections: [Detection]
    /// JSON members outside the contract that have personal data, as indices in `RowBlock.extras`.
    package let sightedExtras: [Int]

    fileprivate init(_ remarks: Remarks) {
        batch = remarks.batch
        outcomes = remarks.outcomes
        findings = remarks.findings
        waived = remarks.waived
        scores = remarks.scores
        detections = remarks.detections
        sightedExtras = remarks.sightedExtras
    }
}

/// Collects the findings about a block's rows, and the outcome of each row.
struct Remarks {
    fileprivate let batch: RowBlock
    fileprivate var outcomes: [Outcome]
    fileprivate var findings: [Finding]
    fileprivate var waived = FindingCounts()
    var scores: ScoreHistograms
    fileprivate let detections: [Detection]
    fileprivate let sightedExtras: [Int]
    /// Number of findings that validation made.
    private let known: Int
    /// The findings that may only flag, because a person waived them.
    private let waivers: Waivers

    init(_ validated: ValidatedBlock, _ decision: Decision) {
        waivers = decision.waivers
        scores = ScoreHistograms(rules: decision.rules.count)
        batch = validated.batch
        detections = validated.detections
        sightedExtras = validated.sightedExtras
        outcomes = validated.isValid.map { $0 ? .accepted : .rejected }
        findings = validated.findings
        known = findings.count
        for finding in findings {
            let row = batch.index(of: finding)
            outcomes[row] = max(outcomes[row], finding.outcome)
        }
    }

    /// Adds a finding about a row of the block.
    mutating func add(_ finding: Finding) {
        var finding = finding
        if finding.outcome > .flagged, waivers.covers(finding.code, field: finding.field) {
            waived.add(finding)
            finding.outcome = .flagged
        }
        findings.append(finding)
        let row = batch.index(of: finding)
        outcomes[row] = max(outcomes[row], finding.outcome)
    }

    /// The block with its outcomes, and its findings in the order of rows.
    consuming func finish() -> ScreenedBlock {
        if findings.count > known {
            findings.sort { ($0.location, $0.code, $0.rule ?? "") < ($1.location, $1.code, $1.rule ?? "") }
        }
        return ScreenedBlock(self)
    }
}
