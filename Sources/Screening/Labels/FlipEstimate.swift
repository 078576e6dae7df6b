import Glibc

/// The maximum-likelihood estimate of the share ε of changed labels, where a model gives the probability of each label
/// and a changed label is any of the others.
///
/// P(label) = (1 − ε)·p + ε·(1 − p)/(labels − 1). The logarithm of it is concave in ε, so there is one best share.
struct FlipEstimate: Sendable, Equatable {
    /// The estimated share.
    let share: Double
    /// The 95 % confidence interval of the share (likelihood ratio).
    let range: ClosedRange<Double>

    /// More than this share of changed labels cannot be told from labels that mean something else.
    private static let shareMax = 0.9
    /// No label is less likely than this, whatever a model says.
    private static let least = 1e-9
    /// Half of the χ² quantile of 95 % with one degree of freedom.
    private static let halfChiSquare = 1.920_73

    /// - Parameters:
    ///   - given: for each row the probability of the label that it has.
    ///   - labels: how many labels there are.
    init(_ given: [Double], labels: Int) {
        func slope(_ share: Double) -> Double {
            given.reduce(0) { sum, p in
                let (kept, changed) = Self.parts(p, labels)
                return sum + (changed - kept) / ((1 - share) * kept + share * changed)
            }
        }
        let best = slope(0) <= 0 ? 0 : Self.cross(0, Self.shareMax) { slope($0) > 0 }
        let most = Self.logLikelihood(given, best, labels: labels)
        func isLikely(_ share: Double) -> Bool {
            Self.logLikelihood(given, share, labels: labels) > most - Self.halfChiSquare
        }
        share = best
        let high = Self.cross(best, Self.shareMax, isLikely)
        range = (isLikely(0) ? 0 : Self.cross(0, best) { !isLikely($0) })...max(high, best)
    }

    /// The chance that a label was changed, for a row whose label has this probability.
    static func chance(_ p: Double, share: Double, labels: Int) -> Double {
        let (kept, changed) = parts(p, labels)
        return share * changed / ((1 - share) * kept + share * changed)
    }

    /// The signed root of the likelihood ratio of the estimated share against another one: standard normal where the
    /// other one is true.
    func distance(_ given: [Double], from other: Double, labels: Int) -> Double {
        let difference =
            Self.logLikelihood(given, share, labels: labels) - Self.logLikelihood(given, other, labels: labels)
        let root = (2 * max(0, difference)).squareRoot()
        return share < other ? -root : root
    }

    private static func logLikelihood(_ given: [Double], _ share: Double, labels: Int) -> Double {
        given.reduce(0) { sum, p in
            let (kept, changed) = parts(p, labels)
            return sum + log((1 - share) * kept + share * changed)
        }
    }

    private static func parts(_ p: Double, _ labels: Int) -> (kept: Double, changed: Double) {
        let p = max(p, least)
        return (p, max(1 - p, least) / Double(labels - 1))
    }

    /// Where something that holds at `low` stops.
    private static func cross(_ low: Double, _ high: Double, _ holds: (Double) -> Bool) -> Double {
        var (low, high) = (low, high)
        for _ in 0..<40 {
            let middle = (low + high) / 2
            if holds(middle) { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }
}
