import Glibc
package import Tabular

/// One test of a whole batch: a statistic with its critical value, and an effect with the sizes that matter.
///
/// All tests of a batch share one false-alarm budget, so that many fields do not cause many alarms. A difference counts
/// if it is significant *and* large: in large batches every difference is significant, in small ones noise is large.
package struct BatchTest: Sendable, Equatable {
    /// The code of its finding.
    package var code: FindingCode
    /// The contract's field; nil for the whole batch.
    package var field: Int?
    /// The test statistic.
    package var statistic: Double
    /// The critical value at the test's share of the budget.
    package var critical: Double
    /// The size of the difference.
    package var effect: Double
    /// The size from which the batch is flagged.
    package var warn: Double
    /// The size from which it is held.
    package var hold: Double
    /// Rows here, and rows of the baseline.
    package var count: Int, basis: Int
    /// Both distributions: the counts of values in each decile of the baseline, or of each code. Counts, never values;
    /// empty if there is nothing to draw.
    package var picture = Picture()
    /// The 95 % confidence interval of an effect that is an estimate.
    package var range: ClosedRange<Double>?
    /// The source without whose rows the difference is gone, as a code; nil when there is no such one.
    package var source: UInt64?
    /// The change, and its usual variation; only if the test exceeds its threshold.
    package var movement: Movement?
    /// The largest distance of an accepted batch from those before it, in the effect's unit; nil for tests of other
    /// quantities.
    package var usual: Double?
    /// The number of accepted batches of the same weekday or hour that it was compared with; nil for all batches. Not
    /// stored.
    var sameSeason: Int?
    /// Other fields of the contract that changed in the same way, the largest excess first.
    package var companions: [Int] = []

    /// Counts here and in the baseline, side by side.
    package struct Picture: Sendable, Equatable {
        /// The counts, in the same order.
        package var here: [Int] = [], before: [Int] = []
        /// For categories, the codes of the counts; further counts are those of all other codes.
        package var codes: [UInt64] = []

        /// Nothing to draw.
        package init() {}
    }

    /// The share of sound batches that all tests together may hold or flag.
    package static let budget = 0.005

    /// The share of one test against accepted batches: two tests for every field, and some for the whole batch.
    static func share(fields: Int) -> Double { budget / Double(2 * fields + 4) }

    /// The outcome for the batch.
    package var outcome: Outcome {
        guard statistic > critical, effect >= warn else { return .accepted }
        return effect >= hold ? .quarantined : .flagged
    }

    /// The finding about the batch; nil if the test passes.
    package var finding: Finding? {
        if outcome == .accepted { return nil }
        var finding = Finding(code, outcome: outcome, at: Finding.Location(field: field))
            .measuring(effect, against: effect >= hold ? hold : warn, contributors: companions)
        finding.movement = movement
        return finding
    }

    /// A statistic, and its critical value at the test's share of the budget.
    struct Chance {
        let statistic: Double, critical: Double

        /// A statistic with its critical value.
        init(_ statistic: Double, beyond critical: Double) { (self.statistic, self.critical) = (statistic, critical) }

        /// A probability and the test's share of the budget, both as negative decimal logarithms.
        init(p: Double, share alpha: Double) {
            self.init(p > 0 ? -log10(p) : 300, beyond: -log10(alpha))
        }
    }

    /// The size of a difference, and the sizes from which the batch is flagged and held.
    struct Effect {
        let size: Double, warn: Double, hold: Double

        init(_ size: Double, warn: Double, hold: Double) { (self.size, self.warn, self.hold) = (size, warn, hold) }
    }

    /// Rows of this batch, and rows of the baseline.
    struct Rows {
        let here: Int, before: Int

        init(_ here: Int, before: Int) { (self.here, self.before) = (here, before) }
    }

    /// A test of this batch beside a baseline, about a field of the contract or the whole batch.
    init(_ code: FindingCode, field: Int? = nil, chance: Chance, effect: Effect, rows: Rows) {
        (self.code, self.field) = (code, field)
        (statistic, critical) = (chance.statistic, chance.critical)
        (self.effect, warn, hold) = (effect.size, effect.warn, effect.hold)
        (count, basis) = (rows.here, rows.before)
    }
}
