import Glibc
import Sketches

/// Limits for the distance of a batch from the accepted ones, learnt from the distances that accepted batches had.
///
/// A test that takes rows as independent draws of one distribution rejects every real feed: with enough rows any
/// difference is significant. So the question is whether a batch is further from all accepted batches than those were
/// from each other.
enum BetweenBatches {
    /// The distance that chance alone explains: the mean over 13 quantiles of two samples of one distribution of `n`
    /// and `m` values, in units of its spread.
    static func chance(_ n: Int, _ m: Int) -> Double {
        0.9 * (1 / Double(max(n, 1)) + 1 / Double(max(m, 1))).squareRoot()
    }

    /// The same of the total variation of shares of `kinds` values.
    static func chance(_ n: Int, _ m: Int, kinds: Int) -> Double {
        0.4 * Double(max(kinds - 1, 1)).squareRoot() * (1 / Double(max(n, 1)) + 1 / Double(max(m, 1))).squareRoot()
    }

    /// The distance of a batch from the nearest one before it.
    struct Distance {
        /// The distance less the part that chance explains.
        var value: Double
        /// The part that chance explains.
        var chance: Double
    }

    /// The distance beyond which the next batch is unlike the accepted ones.
    ///
    /// Student's predictive quantile over the logarithms of earlier distances, with a prior worth six of them (standard
    /// deviation 0.45). At least twice the largest distance, since what is ordinary for this feed must stay ordinary;
    /// at most three times the largest once there are twelve.
    ///
    /// - Parameters:
    ///   - history: distances of the accepted batches when they came, all but the first.
    ///   - alpha: the test's share of false alarms.
    ///   - chance: the part of this batch's distance that chance explains.
    ///   - floor: smaller differences never matter.
    static func line(_ history: [Distance], alpha: Double, chance: Double, floor: Double) -> Double {
        bounded(history.map(\.value), floor: floor) {
            unbounded(history.prefix($0), alpha: alpha, chance: chance, floor: floor)
        }
    }

    /// How much a line may grow with one accepted batch.
    static let growth = 1.1
    /// Distances that are known when learning ends, with the usual settings: these make the first line.
    private static let first = 7

    /// A line that grows by at most a tenth with each accepted batch, so that nobody can widen it with batches just
    /// inside it.
    ///
    /// A person released an accepted batch that was beyond its line; the line then takes that batch in whole.
    ///
    /// - Parameters:
    ///   - history: distances or rates of the accepted batches when they came, oldest first.
    ///   - line: what follows from the first so many of them.
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
        // Six of the prior; the accepted batches are one more than their distances.
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
