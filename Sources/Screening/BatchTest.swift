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
    /// What both look like: how many values are in each of the baseline's tenths, or have each of these codes. Counts, never
    /// values; nothing where there is nothing to draw.
    package var picture = Picture()
    /// Where the effect is an estimate, what it may be (95 %).
    package var range: ClosedRange<Double>?
    /// The source without whose rows the difference is gone, as a code; 0 when there is no such one.
    package var source: UInt64 = 0
    /// What moved, beside how much it usually moves; only where the test is beyond its line.
    package var movement: Movement?
    /// How far accepted batches were from those before them at most, in the effect's unit; nil where that is not what is tested.
    package var usual: Double?
    /// How many accepted batches of the same weekday or hour it was compared with; nil where it was compared with all. Not kept.
    var sameSeason: Int?
    /// Other fields of the contract that moved in the same way, those that are furthest beyond their lines first.
    package var companions: [Int] = []

    /// Counts here and in the baseline, side by side.
    package struct Picture: Sendable, Equatable {
        /// How many, in the same order.
        package var here: [Int] = [], before: [Int] = []
        /// For categories, the codes that are counted; what is behind them in the counts is all the others.
        package var codes: [UInt64] = []

        /// Nothing to draw.
        package init() {}
    }

    /// The share of sound batches that all tests together may hold or flag.
    package static let budget = 0.005

    /// The share of one test beside accepted batches: two of every field, and some of the whole batch.
    static func share(fields: Int) -> Double { budget / Double(2 * fields + 4) }

    /// What it does to the batch.
    package var outcome: Outcome {
        guard statistic > critical, effect >= warn else { return .accepted }
        return effect >= hold ? .quarantined : .flagged
    }

    /// The finding about the batch; nil when all is well.
    package var finding: Finding? {
        if outcome == .accepted { return nil }
        var finding = Finding(
            code, outcome: outcome, row: 0, field: field, statistic: effect, threshold: effect >= hold ? hold : warn,
            contributors: companions)
        finding.movement = movement
        return finding
    }

    /// A test of this batch beside a baseline; the picture comes later.
    package init(
        code: FindingCode, field: Int, statistic: Double, critical: Double, effect: Double, warn: Double, hold: Double,
        count: Int, basis: Int
    ) {
        self.code = code
        self.field = field
        self.statistic = statistic
        self.critical = critical
        self.effect = effect
        self.warn = warn
        self.hold = hold
        self.count = count
        self.basis = basis
    }
}
