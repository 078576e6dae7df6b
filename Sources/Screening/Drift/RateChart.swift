import Glibc
import Sketches

/// A control chart of rates, batch by batch: Laney's p′ chart (2002) with Student's t.
///
/// The variation between batches does not shrink with their size. A prior that is worth some batches stands in for
/// variation that few batches do not show.
struct RateChart {
    /// Accepted batches may differ by this share of marked rows (changed labels, copies) whatever their history says.
    static let markedFloor = 0.004

    /// The test's false-alarm probability.
    let alpha: Double
    /// Differences from the mean rate below this never matter.
    let floor: Double
    /// The threshold is at least this multiple of the mean rate.
    var factor = 1.0
    /// The number of batches that the prior is worth.
    var prior = 4.0

    /// The rate beyond which a batch of `count` rows exceeds the batches before.
    ///
    /// - Parameter history: batch by batch, the number of rows found, and of rows tested.
    func line(_ history: [(found: Int, of: Int)], count: Int) -> Double {
        let known = history.filter { $0.of > 0 }
        return BetweenBatches.bounded(known.map { Double($0.found) / Double($0.of) }, floor: floor) {
            unbounded(known.prefix($0), count: count)
        }
    }

    private func unbounded(_ known: ArraySlice<(found: Int, of: Int)>, count: Int) -> Double {
        let total = Double(known.reduce(0) { $0 + $1.of })
        guard total > 0, count > 0 else { return .infinity }
        let mean = (Double(known.reduce(0) { $0 + $1.found }) + 0.5) / (total + 1)
        let variance = mean * (1 - mean)
        let squares = known.reduce(0.0) { sum, batch in
            let rate = Double(batch.found) / Double(batch.of)
            return sum + (rate - mean) * (rate - mean) / (variance / Double(batch.of))
        }
        let spread = (prior + squares) / (prior + Double(known.count))
        let reach = Significance.studentCritical(alpha, Int(prior) + known.count - 1)
        let sizes = known.map { Double($0.of) }.sorted()
        let within = reach * (max(1, spread) * variance * (1 / Double(count) + 1 / total)).squareRoot()
        let between = reach * (max(0, spread - 1) * variance / Robust.median(sizes)).squareRoot()
        let largest = known.map { Double($0.found) / Double($0.of) }.max() ?? 0
        return max(mean + hypot(within, between), factor * mean, 1.5 * largest, mean + floor)
    }
}
