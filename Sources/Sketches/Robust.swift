/// Order statistics and robust scales over a sample.
package enum Robust {
    /// The q-quantile of ascending values, the smallest value with at least `q` of them at or below it.
    package static func quantile(_ sorted: [Double], _ q: Double) -> Double {
        precondition(!sorted.isEmpty)
        let rank = (q * Double(sorted.count)).rounded(.up)
        return sorted[min(max(Int(rank) - 1, 0), sorted.count - 1)]
    }

    /// The median of ascending values: the mean of the middle two when their number is even.
    package static func median(_ sorted: [Double]) -> Double {
        precondition(!sorted.isEmpty)
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : sorted[middle - 1] / 2 + sorted[middle] / 2
    }

    /// The median absolute deviation from `center`, not scaled.
    package static func medianDeviation(_ sorted: [Double], from center: Double) -> Double {
        median(sorted.map { abs($0 - center) }.sorted())
    }

    /// The mean absolute deviation from `center`, summed in ascending order so that it is the same everywhere.
    package static func meanDeviation(_ sorted: [Double], from center: Double) -> Double {
        sorted.reduce(0) { $0 + abs($1 - center) } / Double(sorted.count)
    }

    /// The mean, summed in ascending order.
    package static func mean(_ sorted: [Double]) -> Double { sorted.reduce(0, +) / Double(sorted.count) }
}
