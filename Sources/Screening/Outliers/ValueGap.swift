import Glibc
import Schemas
import Sketches
import Tabular

/// The bounds beyond which a separate group of a column's values begins, far behind an empty gap.
///
/// At cold start only the batch itself shows what is usual, and a twentieth of planted values moves any threshold that
/// is computed from the tail. A gap does not depend on how many values lie behind it, up to a quarter of them. Once
/// batches are accepted, the gap must lie beyond all of their values.
package struct ValueGap: Sendable, Equatable {
    /// Values at or below `low`, and at or above `high`, belong to such a group; infinite for none.
    package var low = -Double.infinity, high = Double.infinity
    /// Number of values behind a gap.
    package var count = 0

    /// Fewest different values on the near side of a gap: codes and shares have gaps everywhere.
    private static let distinctMin = 20
    /// The largest share, and the largest number, of values that are held back one by one.
    private static let shareMax = 0.01, rowsMin = 5

    /// Read from the document of a decision.
    init(low: Double, high: Double, count: Int) { (self.low, self.high, self.count) = (low, high, count) }

    /// Looks for gaps on both sides; nil when there is none.
    ///
    /// - Parameter sorted: the column's finite values, ascending.
    init?(_ sorted: [Double]) {
        self.init(sorted, fromHigh: 0, fromLow: 0, mayRepeat: false)
    }

    /// Looks for a group of this batch's values far beyond all accepted ones; nil if there is none, or if more than a
    /// quarter of the batch is there: then the batch has shifted, which is tested once, by its centre.
    ///
    /// - Parameters:
    ///   - now: the column's values in this batch.
    ///   - accepted: those in the accepted batches.
    init?(_ now: [Double], accepted: [Double]) {
        let now = now.filter(\.isFinite)
        guard let lowest = accepted.min(), let highest = accepted.max(),
            now.contains(where: { $0 < lowest || $0 > highest })
        else { return nil }
        let sorted = (now + accepted.filter(\.isFinite)).ascending()
        let (above, below) = (sorted.count { $0 > highest }, sorted.count { $0 < lowest })
        self.init(sorted, fromHigh: sorted.count - above, fromLow: sorted.count - below, mayRepeat: true)
        if 4 * now.count(where: isBehind) > now.count { return nil }
    }

    /// - Parameters:
    ///   - fromHigh: the first index at which a value may be the first behind a gap.
    ///   - fromLow: the same from the other end.
    ///   - mayRepeat: whether a few values that repeat may be a group behind a gap that is wide by the tail rule only.
    ///     Columns have such values of their own ("no limit", the largest chain), which accepted batches show.
    private init?(_ sorted: [Double], fromHigh: Int, fromLow: Int, mayRepeat: Bool) {
        guard sorted.count >= ModifiedZ.rowsMin else { return nil }
        let mirrored = Array(sorted.reversed().map { -$0 })
        var logs: [Double]?
        let middle = Robust.median(sorted)
        // A skewed column has gaps in its tail; in logarithms those are small.
        if sorted[0] >= 0, middle > 0 { logs = sorted.map { log1p($0 / middle) } }
        func isWide(_ logs: [Double]?) -> (Int) -> Bool { { Self.isWide(logs, $0, mayRepeat) } }
        if let first = Self.firstBehind(sorted, from: fromHigh, where: isWide(logs)) {
            high = sorted[first]
            count += sorted.count - first
        }
        let mirroredLogs = logs.map { $0.reversed().map { -$0 } }
        if let first = Self.firstBehind(mirrored, from: fromLow, where: isWide(mirroredLogs)) {
            low = -mirrored[first]
            count += mirrored.count - first
        }
        if count == 0 { return nil }
    }

    /// Whether a value belongs to such a group.
    func isBehind(_ value: Double) -> Bool { value <= low || value >= high }

    /// Whether there are so many such values that they are another population, not errors in single rows.
    ///
    /// - Parameter count: the number of the column's values.
    func test(field: Int, of count: Int) -> BatchTest {
        let share = Double(self.count) / Double(max(count, 1))
        return BatchTest(
            .outlierGroup, field: field, chance: .init(share, beyond: Self.shareMax),
            effect: .init(self.count >= Self.rowsMin ? share : 0, warn: Self.shareMax, hold: Self.shareMax),
            rows: .init(self.count, before: count))
    }

    /// The index of the first value behind the first gap in the upper quarter, from an index on, that is wide in
    /// logarithms too.
    private static func firstBehind(_ sorted: [Double], from place: Int, where isWide: (Int) -> Bool) -> Int? {
        let start = max(sorted.count * 3 / 4, 1, place)
        var (distinct, widest) = (1, 0.0)
        for place in 1..<sorted.count {
            let gap = sorted[place] - sorted[place - 1]
            if gap == 0 { continue }
            if place >= start, distinct >= distinctMin, gap > 4 * widest {
                let (center, scale) = measured(sorted[..<place])
                let reached = sorted[place - 1] - center
                if scale > 0, gap > 3 * scale, gap > 0.5 * reached, reached + gap > 7 * scale, isWide(place) {
                    return place
                }
            }
            distinct += 1
            widest = max(widest, gap)
        }
        return nil
    }

    /// Whether the gap is wide in logarithms too.
    private static func isWide(_ logs: [Double]?, _ first: Int, _ mayRepeat: Bool) -> Bool {
        guard let logs else { return true }
        let scale = measured(logs[..<first]).scale
        let gap = logs[first] - logs[first - 1]
        let widest = zip(logs[..<first], logs[1..<first]).map { $1 - $0 }.max() ?? 0
        if scale > 0, gap > 1.5 * scale, gap > 4 * widest { return true }
        let behind = logs.count - first
        // A larger part is another population; with many values behind it, every gap would count as wide.
        if Double(behind) > tailShareMax * Double(logs.count) { return false }
        if !mayRepeat, 2 * Set(logs[first...]).count < behind { return false }
        let tail = tailScale(logs[..<first])
        return tail > 0 && gap > tail && Double(behind) * gap > spacingMax * tail
    }

    /// The required improbability of a gap in an exponential tail, as a negative logarithm: one in 160,000 gaps.
    private static let spacingMax = 12.0
    /// The largest share of the values that may lie behind a gap in a tail.
    private static let tailShareMax = 0.1

    /// The mean excess of the upper quarter over its lowest value: the scale of an exponential tail (in logarithms;
    /// Hill 1975).
    ///
    /// In such a tail the gap below the m largest values, times m, is exponential with this scale (Rényi 1953). So a
    /// gap is less likely the more values lie behind it, while the gap below the single largest value may be as wide as
    /// the tail's scale.
    private static func tailScale(_ inside: ArraySlice<Double>) -> Double {
        let tail = inside.suffix(max(inside.count / 4, 2))
        guard let first = tail.first else { return 0 }
        return tail.reduce(0) { $0 + ($1 - first) } / Double(tail.count - 1)
    }

    /// The centre, and the scale above it: from the 62.5 % and 75 % quantiles, comparable to a standard deviation of
    /// normal data.
    private static func measured(_ inside: ArraySlice<Double>) -> (center: Double, scale: Double) {
        let inside = Array(inside)
        let center = Robust.quantile(inside, 0.5)
        return (
            center,
            max((Robust.quantile(inside, 0.75) - center) / 0.6745, (Robust.quantile(inside, 0.625) - center) / 0.3186)
        )
    }
}
