package import Sketches
package import Tabular

/// The counts of the second pass: mergeable, so that the verdict does not depend on the number of workers.
package struct OutcomeCounts: Sendable, Mergeable, Equatable {
    /// Rows by outcome's raw value.
    package private(set) var rows = [0, 0, 0, 0]
    /// All findings.
    package private(set) var findings = FindingCounts()
    /// Findings that would have held rows back, and were waived.
    package private(set) var waived = FindingCounts()
    /// Rows with a modified z finding.
    package private(set) var remarkedZ = 0
    /// Rows with a forest finding, and those that the forest holds back.
    package private(set) var remarkedForest = 0, heldForest = 0
    /// Rows whose combination of measures is unusual.
    package private(set) var remarkedPairs = 0
    /// The scores of all rows.
    package private(set) var scores = ScoreHistograms()

    /// Nothing counted.
    package init() {}

    /// Adds a screened block.
    package mutating func add(_ screened: ScreenedBlock) {
        for outcome in screened.outcomes { rows[Int(outcome.rawValue)] += 1 }
        scores.merge(screened.scores)
        waived.merge(screened.waived)
        add(screened.findings)
    }

    /// Adds the findings about the rows of a sample.
    mutating func add(_ replay: RowReplay, _ sample: RowSample, _ texts: RowSample) {
        for found in replay.findings(sample, texts) {
            rows[Int((found.map(\.outcome).max() ?? .accepted).rawValue)] += 1
            add(found)
        }
    }

    /// Counts findings, which are ordered by row.
    private mutating func add(_ found: [Finding]) {
        var lastZ: Int?, lastPair: Int?
        for finding in found {
            findings.add(finding)
            switch finding.code {
            case .deviatedValue, .constantChanged:
                if finding.row != lastZ { remarkedZ += 1 }
                lastZ = finding.row
            case .pairResidual:
                if finding.row != lastPair { remarkedPairs += 1 }
                lastPair = finding.row
            case .isolatedRow:
                remarkedForest += 1
                if finding.outcome >= .quarantined { heldForest += 1 }
            default: break
            }
        }
    }

    /// Adds another slice's counts.
    package mutating func merge(_ other: OutcomeCounts) {
        for index in rows.indices { rows[index] += other.rows[index] }
        findings.merge(other.findings)
        waived.merge(other.waived)
        remarkedZ += other.remarkedZ
        remarkedForest += other.remarkedForest
        heldForest += other.heldForest
        remarkedPairs += other.remarkedPairs
        scores.merge(other.scores)
    }

    /// All rows.
    package var total: Int { rows.reduce(0, +) }
    /// Rows with this outcome.
    package func count(_ outcome: Outcome) -> Int { rows[Int(outcome.rawValue)] }
}

extension OutcomeCounts {
    /// Sets the counts of a batch that was only checked against its contract.
    package mutating func set(accepted: Int, flagged: Int, quarantined: Int, rejected: Int) {
        rows[Int(Outcome.accepted.rawValue)] = accepted
        rows[Int(Outcome.flagged.rawValue)] = flagged
        rows[Int(Outcome.quarantined.rawValue)] = quarantined
        rows[Int(Outcome.rejected.rawValue)] = rejected
    }
}

extension OutcomeCounts: WireValue {
    /// Appends the value's bytes.
    package func write(to wire: inout WireWriter) {
        wire.append(rows)
        wire.append(findings)
        wire.append(waived)
        for number in [remarkedZ, remarkedForest, heldForest, remarkedPairs] { wire.append(number) }
        wire.append(scores)
    }

    /// Reads the bytes that `write` appended.
    package init(from wire: inout WireReader) throws(WireError) {
        rows = try wire.read()
        (findings, waived) = (try wire.read(), try wire.read())
        (remarkedZ, remarkedForest) = (try wire.read(), try wire.read())
        (heldForest, remarkedPairs) = (try wire.read(), try wire.read())
        scores = try wire.read()
        guard rows.count == 4 else { throw WireError() }
    }
}
