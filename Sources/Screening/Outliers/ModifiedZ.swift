package import Schemas
import Glibc
import Sketches
import Tabular

/// The modified z-score of one column: M = 0.6745 (x − median) / MAD (Iglewicz & Hoaglin 1993), adapted to skewed, flat
/// and heavy-tailed columns.
package struct ModifiedZ: Sendable, Equatable {
    /// Why a column cannot be tested.
    package enum Untested: String, Sendable {
        /// Fewer than 30 values.
        case tooFewRows = "too few values (30 needed)"
        /// All values are equal; another value is reported as `constant-changed`.
        case constant = "all values are equal"
    }

    /// Fewest values for a meaningful median and MAD.
    package static let rowsMin = 30
    /// Share of clean rows that `threshold: auto` may flag.
    package static let targetRate = 0.0005
    /// Octile skewness beyond which a column counts as skewed (Brys, Hubert, Struyf 2004, OS measure).
    static let skewLimit = 0.2

    /// The contract's field.
    package var field: Int
    /// Whether values are tested as log(1 + x).
    package var usesLog: Bool
    /// The median of the (transformed) values.
    package var center: Double
    /// Scale for values below the centre: MAD / 0.6745, or its substitute if MAD is 0.
    package var scaleBelow: Double
    /// Scale for values above the centre; equal to that below unless the tails are tested separately.
    package var scaleAbove: Double
    /// The largest |M| that is not flagged.
    package var threshold: Double
    /// Number of values that the rule was made from.
    package var count: Int
    /// Whether the column was constant, or nearly so: then any other value is flagged.
    package var isConstant: Bool
    /// Of these values, the number that differed from the constant.
    package var exceptions = 0
    /// The range of accepted values, if batches were accepted: values within it are never flagged.
    package var reach: RowReach?
    /// Groups of values far behind a gap.
    package var gap: ValueGap?

    /// |M| of a value; 0 for a missing one, infinity for a changed constant.
    @inline(__always)
    package func score(_ value: Double) -> Double {
        if value.isNaN { return 0 }
        let x = usesLog ? (value > -1 ? log1p(value) : -.infinity) : value
        let distance = x - center
        if isConstant { return distance == 0 ? 0 : .infinity }
        let score =
            reach?.score(x, threshold: threshold) ?? abs(distance / (distance < 0 ? scaleBelow : scaleAbove))
        return gap?.isBehind(value) == true ? max(score, 2 * threshold) : score
    }

    /// Whether a value is so far beyond the threshold that its row is held back.
    func isFar(_ value: Double, score: Double) -> Bool {
        if gap?.isBehind(value) == true { return true }
        guard let reach else { return score > 2 * threshold }
        return reach.isFar(usesLog ? (value > -1 ? log1p(value) : -.infinity) : value)
    }

    /// The finding about a value and the outcome of its row; nil for a value within the threshold.
    ///
    /// - Parameter action: the contract's action for rows with an outlier in this field.
    @inline(__always)
    func judge(_ value: Double, score: Double, action: Outcome) -> (code: FindingCode, outcome: Outcome)? {
        if score <= threshold { return nil }
        if isConstant { return (.constantChanged, .flagged) }
        return (.deviatedValue, isFar(value, score: score) ? max(action, .quarantined) : action)
    }

    /// M of a value with its sign; NaN for a missing one.
    func signedScore(_ value: Double) -> Double {
        let distance = (usesLog ? (value > -1 ? log1p(value) : -.infinity) : value) - center
        return distance / (distance < 0 ? scaleBelow : scaleAbove)
    }

    /// Makes the rule for a column from a sample of its values; nil if there are too few.
    ///
    /// - Parameters:
    ///   - rule: what the contract says of the column; without a threshold, transform or tails they are chosen by the values.
    ///   - targetRate: the share of clean values that `auto` may flag.
    package init?(
        field: Int, values: [Double], rule: AnomalyRule = AnomalyRule(), targetRate: Double = Self.targetRate
    ) {
        // An infinite value exceeds any threshold, and would dominate the scale.
        let values = values.filter(\.isFinite)
        guard values.count >= Self.rowsMin else { return nil }
        let sorted = values.ascending()
        self.field = field
        count = sorted.count
        usesLog =
            rule.transform == "log1p" || (rule.transform == nil && sorted[0] >= 0 && Self.skew(sorted) > Self.skewLimit)
        let x = usesLog ? sorted.map { $0 > -1 ? log1p($0) : -.infinity } : sorted
        threshold = 3.5
        let center = Robust.median(x)
        self.center = center
        let isDouble = rule.tails == "double" || (rule.tails == nil && abs(Self.skew(x)) > Self.skewLimit)
        let scale = Self.scale(x, center)
        (scaleBelow, scaleAbove) = (scale, scale)
        if isDouble {
            let below = Self.scale(x.filter { $0 <= center }, center)
            let above = Self.scale(x.filter { $0 >= center }, center)
            if below > 0 { scaleBelow = below }
            if above > 0 { scaleAbove = above }
        }
        exceptions = Self.exceptions(x, center)
        isConstant = scale == 0 || exceptions > 0
        if isConstant { return }
        let scores = Robust.deviations(x, from: center, below: scaleBelow, above: scaleAbove)
        threshold = rule.threshold ?? max(3.5, Self.tail(scores, targetRate))
    }

    /// The number of values that differ from a value that at least seven of ten rows have, if these values have no
    /// pattern: they hardly repeat and lie on both sides of it. 0 for any other column.
    ///
    /// Deviations have no scale there, since most values are equal. Excluded are amounts that are mostly zero and
    /// otherwise positive (one side only), and codes (they repeat).
    private static func exceptions(_ sorted: [Double], _ center: Double) -> Int {
        let below = sorted.prefix { $0 < center }
        let above = sorted.reversed().prefix { $0 > center }.reversed()
        let others = below.count + above.count
        guard center != 0, others > 0, 10 * others <= 3 * sorted.count else { return 0 }
        let distinct = Set(below).count + Set(above).count
        let isScattered = 10 * distinct >= 8 * others && 10 * min(below.count, above.count) >= others
        return isScattered ? others : 0
    }

    /// The scale that makes M comparable to a standard deviation of normal data; 0 for a constant column.
    private static func scale(_ sorted: [Double], _ center: Double) -> Double {
        if sorted.isEmpty { return 0 }
        let deviation = Robust.medianDeviation(sorted, from: center)
        if deviation > 0 { return deviation / 0.6745 }
        // Most values equal the centre, so the mean absolute deviation is used. Each deviation is clipped at the ninth
        // decile of the others, so that a few planted values do not stretch the scale until nothing is extreme.
        let others = sorted.map { abs($0 - center) }.filter { $0 > 0 }.ascending()
        guard !others.isEmpty else { return 0 }
        let cap = Robust.quantile(others, 0.9)
        return 1.253314 * others.reduce(0) { $0 + min($1, cap) } / Double(sorted.count)
    }

    /// Octile skewness: (q₇⸝₈ + q₁⸝₈ − 2 median) / (q₇⸝₈ − q₁⸝₈); 0 if the octiles are equal.
    static func skew(_ sorted: [Double]) -> Double {
        let low = Robust.quantile(sorted, 0.125)
        let high = Robust.quantile(sorted, 0.875)
        return high > low ? (high + low - 2 * Robust.median(sorted)) / (high - low) : 0
    }

    /// The |M| that a share `targetRate` of clean values exceeds, extrapolated from the body of the distribution.
    ///
    /// A generalised Pareto tail through the quantiles at survival 0.1, 0.0387 and 0.015 (Pickands 1975), so that up to
    /// about one per cent of planted values does not move the threshold beyond them. Quantiles closer in would miss
    /// heavy tails; further out, one per cent of planted values would determine the last quantile.
    static func tail(_ scores: [Double], _ targetRate: Double = Self.targetRate) -> Double {
        let step = (0.1 / 0.015).squareRoot()
        let first = Robust.quantile(scores, 0.9)
        let second = Robust.quantile(scores, 1 - 0.1 / step)
        let third = Robust.quantile(scores, 0.985)
        guard second > first else { return third }
        let ratio = max((third - second) / (second - first), 1e-3)
        let shape = min(max(log(ratio) / log(step), -0.25), 0.5)
        let reach = 0.1 / targetRate
        let growth = abs(shape) < 1e-6 ? log(reach) / log(step) : (pow(reach, shape) - 1) / (pow(step, shape) - 1)
        return first + (second - first) * growth
    }
}
