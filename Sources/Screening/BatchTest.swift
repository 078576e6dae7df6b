package import Tabular

/// One test of a whole batch: what was measured, what chance alone would reach, and how large a difference matters.
///
/// All tests of a batch share one budget of false alarms, so that many fields do not mean many alarms. A difference counts
/// when it is beyond chance *and* large: large batches make every difference significant, small ones make noise large.
package struct BatchTest: Sendable, Equatable {
    /// What it is about.
    package var code: FindingCode
    /// The contract's field, or -1.
    package var field: Int
    /// What is compared with chance.
    package var statistic: Double
    /// What chance reaches with the test's share of the budget.
    package var critical: Double
    /// How large the difference is.
    package var effect: Double
    /// From here on the batch is flagged.
    package var warn: Double
    /// From here on it is held.
    package var hold: Double
    /// Rows here, and rows of the baseline.
    package var count: Int, basis: Int

    /// The share of sound batches that all tests together may hold or flag.
    package static let budget = 0.005

    /// What it does to the batch.
    package var outcome: Outcome {
        guard statistic > critical, effect >= warn else { return .accepted }
        return effect >= hold ? .quarantined : .flagged
    }

    /// The finding about the batch; nil when all is well.
    package var finding: Finding? {
        if outcome == .accepted { return nil }
        return Finding(
            code, outcome: outcome, row: 0, field: field, statistic: effect, threshold: effect >= hold ? hold : warn)
    }
}
