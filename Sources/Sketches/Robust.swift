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

    /// The median absolute deviation from `center`, unscaled.
    package static func medianDeviation(_ sorted: [Double], from center: Double) -> Double {
        median(deviations(sorted, from: center))
    }

    /// |x − center| of ascending values, ascending, each divided by the scale of its side.
    ///
    /// Read away from the centre, the two sides are ascending already, so they are merged, not sorted.
    package static func deviations(
        _ sorted: [Double], from center: Double, below: Double = 1, above: Double = 1
    ) -> [Double] {
        var out: [Double] = []
        out.reserveCapacity(sorted.count)
        var right = sorted.firstIndex { $0 >= center } ?? sorted.count
        var left = right - 1
        while left >= 0 || right < sorted.count {
            let down = left >= 0 ? abs((sorted[left] - center) / below) : .infinity
            let up = right < sorted.count ? abs((sorted[right] - center) / above) : .infinity
            if left >= 0, down <= up || right == sorted.count {
                out.append(down)
                left -= 1
            } else {
                out.append(up)
                right += 1
            }
        }
        return out
    }

    /// The mean absolute deviation from `center`, summed in ascending order so that it is equal on every machine.
    package static func meanDeviation(_ sorted: [Double], from center: Double) -> Double {
        sorted.reduce(0) { $0 + abs($1 - center) } / Double(sorted.count)
    }

    /// The mean, summed in ascending order.
    package static func mean(_ sorted: [Double]) -> Double { sorted.reduce(0, +) / Double(sorted.count) }
}
