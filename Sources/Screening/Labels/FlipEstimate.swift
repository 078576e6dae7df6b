import Glibc

/// The maximum-likelihood estimate of the share ε of changed labels. A model gives the probability of each label, and a
/// changed label is any of the others with equal probability.
///
/// P(label) = (1 − ε)·p + ε·(1 − p)/(labels − 1). Its logarithm is concave in ε, so the maximum is unique.
struct FlipEstimate: Sendable, Equatable {
    /// The estimated share.
    let share: Double
    /// The 95 % confidence interval of the share (likelihood ratio).
    let range: ClosedRange<Double>

    /// A larger share of changed labels cannot be distinguished from labels with another meaning.
    private static let shareMax = 0.9
    /// A lower bound of the probability of a label, whatever a model says.
    private static let least = 1e-9
    /// Half of the χ² quantile of 95 % with one degree of freedom.
    private static let halfChiSquare = 1.920_73

    /// - Parameters:
    ///   - given: for each row, the probability of its own label.
    ///   - labels: number of different labels.
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

    /// The probability that a label was changed, for a row whose label has the probability `p`.
    static func chance(_ p: Double, share: Double, labels: Int) -> Double {
        let (kept, changed) = parts(p, labels)
        return share * changed / ((1 - share) * kept + share * changed)
    }

    /// The signed root of the likelihood ratio of the estimated share against another share: standard normal if the
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

    /// The point at which something that holds at `low` ceases to hold.
    private static func cross(_ low: Double, _ high: Double, _ holds: (Double) -> Bool) -> Double {
        var (low, high) = (low, high)
        for _ in 0..<40 {
            let middle = (low + high) / 2
            if holds(middle) { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }
}
