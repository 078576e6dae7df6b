import Glibc
import Sketches

/// The interval in which values of a measure may lie, given the accepted batches: the second level of a test whose
/// first level is the batch's centre.
///
/// A batch's centre is tested once, with the batch; a row is judged by its distance from the interval of possible
/// centres. So a shifted but honest batch has no outliers, and a minority of planted rows still lies outside everything
/// that was accepted. All values are on the rule's scale (logarithmic or not).
package struct RowReach: Sendable, Equatable {
    /// The smallest and the largest centre of accepted batches, extended to this batch's own centre.
    package var lowCenter: Double, highCenter: Double
    /// The spread inside batches, below and above a centre.
    package var scaleBelow: Double, scaleAbove: Double
    /// The smallest and the largest accepted value.
    package var lowest: Double, highest: Double
    /// Distances in units of the spread from which a row is flagged, and held back.
    package var remarkBelow: Double, remarkAbove: Double, holdBelow: Double, holdAbove: Double

    /// A value's distance as a multiple of the threshold; it does not exceed the threshold within the accepted values.
    func score(_ x: Double, threshold: Double) -> Double {
        if x > highCenter {
            let score = (x - highCenter) / scaleAbove / remarkAbove * threshold
            return x > highest ? score : min(score, threshold)
        }
        if x < lowCenter {
            let score = (lowCenter - x) / scaleBelow / remarkBelow * threshold
            return x < lowest ? score : min(score, threshold)
        }
        return 0
    }

    /// Whether a value is clearly beyond every accepted value, and further than new largest values usually are.
    func isFar(_ x: Double) -> Bool {
        let range = highest - lowest
        if x > highCenter {
            return (x - highCenter) / scaleAbove > holdAbove && x > highest + max(scaleAbove, 0.1 * range)
        }
        return x < lowCenter && (lowCenter - x) / scaleBelow > holdBelow && x < lowest - max(scaleBelow, 0.1 * range)
    }

    /// Computed from the accepted batches; nil if they have no spread.
    ///
    /// - Parameters:
    ///   - own: this batch's median, untransformed.
    ///   - transform: the rule's transformation, which is increasing.
    init?(_ batches: [BatchSummary.Measure], isSparse: Bool, own: Double?, _ transform: (Double) -> Double) {
        let known = batches.filter { !$0.quantiles.isEmpty && (!isSparse || !$0.thirds.isEmpty) }
        guard !known.isEmpty else { return nil }
        func median(_ value: (BatchSummary.Measure) -> Double) -> Double { Robust.median(known.map(value).sorted()) }
        func at(_ batch: BatchSummary.Measure, _ place: Int) -> Double { transform(batch.quantiles[place]) }
        lowest = known.map { transform($0.lowest) }.min() ?? 0
        highest = known.map { transform($0.highest) }.max() ?? 0
        guard lowest.isFinite, highest.isFinite else { return nil }
        if isSparse {
            // For a sparse column, the values other than the mode: a third of them lies between the two terciles.
            let scale = median { (transform($0.thirds[1]) - transform($0.thirds[0])) / 0.861 }
            guard scale > 0 else { return nil }
            (scaleBelow, scaleAbove) = (scale, scale)
            lowCenter = known.map { transform($0.thirds[0]) }.min() ?? 0
            highCenter = known.map { transform($0.thirds[1]) }.max() ?? 0
            let modes = known.map { transform($0.mode) }
            (lowCenter, highCenter) = (
                min(lowCenter, modes.min() ?? lowCenter), max(highCenter, modes.max() ?? highCenter)
            )
        } else {
            // The 20 %, 50 % and 80 % quantiles are 0.8416 standard deviations apart for a normal variable.
            let below = median { (at($0, 6) - at($0, 3)) / 0.8416 }
            let above = median { (at($0, 9) - at($0, 6)) / 0.8416 }
            let both = median { (at($0, 9) - at($0, 3)) / 1.683 }
            guard both > 0 else { return nil }
            (scaleBelow, scaleAbove) = (below > 0 ? below : both, above > 0 ? above : both)
            let centers = known.map { at($0, 6) } + (own.map { [transform($0)] } ?? [])
            (lowCenter, highCenter) = (centers.min() ?? 0, centers.max() ?? 0)
        }
        // The distance from the 98 % quantile of n values to the largest one: a new largest value exceeds four such
        // steps once in e^4 batches.
        func tail(_ distance: (BatchSummary.Measure) -> Double) -> Double {
            median { batch in distance(batch) / log(max(0.02 * Double(batch.present), M_E)) }
        }
        let (up, down) = (scaleAbove, scaleBelow)
        let farAbove = known.map { (transform($0.highest) - at($0, 6)) / up }.max() ?? 0
        let farBelow = known.map { (at($0, 6) - transform($0.lowest)) / down }.max() ?? 0
        (remarkAbove, remarkBelow) = (max(3.5, 0.8 * farAbove), max(3.5, 0.8 * farBelow))
        holdAbove = max(7, farAbove + 4 * tail { (transform($0.highest) - at($0, 12)) / up })
        holdBelow = max(7, farBelow + 4 * tail { (at($0, 0) - transform($0.lowest)) / down })
    }

    /// From the document of a decision.
    init(
        centers: (low: Double, high: Double), scales: (below: Double, above: Double),
        accepted: (low: Double, high: Double),
        remark: (below: Double, above: Double), hold: (below: Double, above: Double)
    ) {
        (lowCenter, highCenter) = (centers.low, centers.high)
        (scaleBelow, scaleAbove) = (scales.below, scales.above)
        (lowest, highest) = (accepted.low, accepted.high)
        (remarkBelow, remarkAbove) = (remark.below, remark.above)
        (holdBelow, holdAbove) = (hold.below, hold.above)
    }
}
