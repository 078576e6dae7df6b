import Glibc
import Sketches

/// Thresholds for the distance of a batch from the accepted ones, computed from the distances that accepted batches
/// had.
///
/// A test that treats rows as independent draws from one distribution rejects every real feed: with enough rows any
/// difference is significant. So the test asks whether a batch is further from all accepted batches than those were
/// from each other.
enum BetweenBatches {
    /// The distance expected from sampling alone: the mean over 13 quantiles of two samples of `n` and `m` values from
    /// one distribution, in units of its spread.
    static func chance(_ n: Int, _ m: Int) -> Double {
        0.9 * (1 / Double(max(n, 1)) + 1 / Double(max(m, 1))).squareRoot()
    }

    /// The same for the total variation distance of the shares of `kinds` values.
    static func chance(_ n: Int, _ m: Int, kinds: Int) -> Double {
        0.4 * Double(max(kinds - 1, 1)).squareRoot() * (1 / Double(max(n, 1)) + 1 / Double(max(m, 1))).squareRoot()
    }

    /// The distance of a batch to the nearest batch before it.
    struct Distance {
        /// The distance minus the part expected from sampling.
        var value: Double
        /// The part expected from sampling.
        var chance: Double
    }

    /// The distance beyond which the next batch differs from the accepted ones.
    ///
    /// The predictive quantile of Student's t over the logarithms of earlier distances, with a prior worth six of them
    /// (standard deviation 0.45). At least twice the largest distance, so that what is ordinary in this feed stays so;
    /// at most three times the largest one once there are twelve.
    ///
    /// - Parameters:
    ///   - history: distances of the accepted batches when they arrived, all but the first.
    ///   - alpha: the test's false-alarm probability.
    ///   - chance: the part of this batch's distance that is expected from sampling.
    ///   - floor: differences below this never matter.
    static func line(_ history: [Distance], alpha: Double, chance: Double, floor: Double) -> Double {
        bounded(history.map(\.value), floor: floor) {
            unbounded(history.prefix($0), alpha: alpha, chance: chance, floor: floor)
        }
    }

    /// The largest growth of a threshold with one accepted batch.
    static let growth = 1.1
    /// Number of distances at the end of learning, with the default settings: these set the first threshold.
    private static let first = 7

    /// A threshold that grows by at most a tenth with each accepted batch, so that a supplier cannot widen it quickly
    /// with batches just below it.
    ///
    /// An accepted batch beyond its threshold was released by a person; then the threshold takes its full distance into
    /// account.
    ///
    /// - Parameters:
    ///   - history: distances or rates of the accepted batches when they arrived, oldest first.
    ///   - line: the threshold that follows from the first `n` of them.
    static func bounded(_ history: [Double], floor: Double, line: (Int) -> Double) -> Double {
        var bound = line(min(history.count, first))
        for count in 0..<history.count where count >= first {
            let next = line(count + 1)
            bound = history[count] > bound ? next : min(next, max(growth * bound, floor))
        }
        return bound
    }

    private static func unbounded(
        _ history: ArraySlice<Distance>, alpha: Double, chance: Double, floor: Double
    ) -> Double {
        guard let largest = history.map(\.value).max() else { return floor }
        let logs = history.map { log($0.value + $0.chance / 2 + 0.01) }
        let center = Robust.median(logs.sorted())
        // Six from the prior; there is one more accepted batch than distances.
        let degrees = 6 + history.count
        let spread = ((6 * 0.45 * 0.45 + logs.reduce(0) { $0 + ($1 - center) * ($1 - center) }) / Double(degrees))
            .squareRoot()
        let reach =
            Significance.studentCritical(alpha, degrees) * spread * (1 + 1 / Double(history.count + 1)).squareRoot()
        var line = exp(center + reach) - chance / 2 - 0.01
        if history.count >= 12 { line = min(line, 3 * largest + chance / 2 + 0.01) }
        return max(line, 2 * largest, floor)
    }
}
