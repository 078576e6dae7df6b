import Sketches
import Tabular

extension Baseline {
    /// Counts of the rows of accepted batches that statistics tested and flagged.
    package struct Remarks: Sendable, Equatable {
        /// Rows that satisfied the contract and were tested.
        package var tested = 0
        /// Of these, rows with a modified z finding.
        package var deviated = 0
        /// Of these, rows with a forest finding.
        package var isolated = 0
        /// Of these, rows whose residual exceeds the threshold of a pair.
        package var apart = 0
        /// Of these, rows that the forest held back; the sample lacks them.
        package var withheld = 0
        /// Of these, rows that are copies of others, and rows with a trigger; 0 in baselines of versions that did not
        /// count them.
        package var flooded = 0, triggered = 0
        /// Rows that repeat rows of earlier batches; rows whose label was tested against neighbours; of these, rows
        /// whose neighbours have another label, and rows with the most frequent change of label. 0 in older baselines.
        package var copied = 0, labelled = 0, flipped = 0, targeted = 0

        /// No rows.
        package init() {}

        /// The counts of a batch's second pass.
        package init(_ counts: OutcomeCounts) {
            tested = counts.total - counts.count(.rejected)
            deviated = counts.remarkedZ
            isolated = counts.remarkedForest
            apart = counts.remarkedPairs
            withheld = counts.heldForest
            (flooded, triggered) = (counts.findings.count(.floodedRow), counts.findings.count(.trigger))
        }

        /// The same, with the decision's counts over the whole batch.
        package init(_ counts: OutcomeCounts, _ decision: Decision) {
            self.init(counts)
            copied = Int((decision.copiedShare * Double(tested)).rounded())
            if let most = decision.labels.max(by: { $0.changed * $1.tested < $1.changed * $0.tested }) {
                (labelled, flipped) = (most.tested, most.changed)
                targeted = decision.labels.map(\.mostChanged).max() ?? 0
            }
            // Rows held back are not counted, so that a supplier cannot raise the threshold by sending triggers.
            triggered =
                decision.waivers.covers(.trigger, field: nil) || decision.triggerAction < .quarantined
                ? triggered : counts.findings.count(.trigger, .flagged)
        }

        /// A count as a share of the tested rows; 0 if there are none.
        func share(_ count: Int) -> Double { Double(count) / Double(max(tested, 1)) }

        mutating func merge(_ other: Remarks) {
            tested += other.tested
            deviated += other.deviated
            isolated += other.isolated
            apart += other.apart
            withheld += other.withheld
            flooded += other.flooded
            triggered += other.triggered
            copied += other.copied
            labelled += other.labelled
            flipped += other.flipped
            targeted += other.targeted
        }
    }
}
