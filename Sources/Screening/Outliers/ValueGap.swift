import Glibc
import Schemas
import Sketches
import Tabular

/// Where a column's values end and a separate group begins, far beyond an empty gap.
///
/// On first contact nothing but the batch says what is usual, and a twentieth of planted values moves any line that is
/// read off the tail. A gap is not moved by how many lie behind it, up to a quarter of the values. Beside accepted
/// batches it must lie behind all of theirs.
package struct ValueGap: Sendable, Equatable {
    /// Values at or below `low`, and at or above `high`, are of such a group; infinite where there is none.
    package var low = -Double.infinity, high = Double.infinity
    /// How many of the values lie behind a gap.
    package var count = 0

    /// Different values needed on this side of a gap: codes and shares have gaps everywhere.
    private static let distinctMin = 20
    /// The largest share of values, and as many values as that, that are held back one by one.
    private static let shareMax = 0.01, rowsMin = 5

    /// From the document of a decision.
    init(low: Double, high: Double, count: Int) { (self.low, self.high, self.count) = (low, high, count) }

    /// Looks for gaps on both sides; nil when there is none.
    ///
    /// - Parameter sorted: the column's finite values, ascending.
    init?(_ sorted: [Double]) {
        self.init(sorted, fromHigh: 0, fromLow: 0, mayRepeat: false)
    }

    /// Looks for a group of this batch's values far behind all accepted ones; nil when there is none, or when more than
    /// a quarter of the batch is there: then the batch has moved, which is tested once, with its centre.
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
    ///   - fromHigh: the place from which on a value may be the first behind a gap.
    ///   - fromLow: the same from the other end.
    ///   - mayRepeat: whether few values that repeat may be a group behind a gap that is wide for a tail only. Columns
    ///     have such values of their own (no ceiling, the largest chain), which accepted batches know.
    private init?(_ sorted: [Double], fromHigh: Int, fromLow: Int, mayRepeat: Bool) {
        guard sorted.count >= ModifiedZ.rowsMin else { return nil }
        let mirrored = Array(sorted.reversed().map { -$0 })
        var logs: [Double]?
        let middle = Robust.median(sorted)
        // A lopsided column has gaps in its tail; in logarithms those are small.
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

    /// Whether a value is of such a group.
    func isBehind(_ value: Double) -> Bool { value <= low || value >= high }

    /// More than a few such values are no errors of rows, but another population.
    ///
    /// - Parameter count: the column's values.
    func test(field: Int, of count: Int) -> BatchTest {
        let share = Double(self.count) / Double(max(count, 1))
        return BatchTest(
            .outlierGroup, field: field, chance: .init(share, beyond: Self.shareMax),
            effect: .init(self.count >= Self.rowsMin ? share : 0, warn: Self.shareMax, hold: Self.shareMax),
            rows: .init(self.count, before: count))
    }

    /// The place of the first value behind the first gap in the upper quarter, at or behind a place, that is wide in
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

    /// Whether the gap stands out in logarithms as well.
    private static func isWide(_ logs: [Double]?, _ first: Int, _ mayRepeat: Bool) -> Bool {
        guard let logs else { return true }
        let scale = measured(logs[..<first]).scale
        let gap = logs[first] - logs[first - 1]
        let widest = zip(logs[..<first], logs[1..<first]).map { $1 - $0 }.max() ?? 0
        if scale > 0, gap > 1.5 * scale, gap > 4 * widest { return true }
        let behind = logs.count - first
        // A larger part is another population: behind many values every gap would be wide.
        if Double(behind) > tailShareMax * Double(logs.count) { return false }
        if !mayRepeat, 2 * Set(logs[first...]).count < behind { return false }
        let tail = tailScale(logs[..<first])
        return tail > 0 && gap > tail && Double(behind) * gap > spacingMax * tail
    }

    /// How unlikely a gap in an exponential tail must be, as a negative logarithm: once in 160,000 gaps.
    private static let spacingMax = 12.0
    /// The largest share of the values that may lie behind a gap in a tail.
    private static let tailShareMax = 0.1

    /// The mean excess of the upper quarter over its lowest value: the scale of an exponential tail (in logarithms,
    /// Hill 1975).
    ///
    /// In such a tail the gap below the m largest values, times m, is exponential with this scale (Rényi 1953). So a
    /// gap is the less likely the more values lie behind it, while the one below the largest value alone may be as wide
    /// as the tail's scale.
    private static func tailScale(_ inside: ArraySlice<Double>) -> Double {
        let tail = inside.suffix(max(inside.count / 4, 2))
        guard let first = tail.first else { return 0 }
        return tail.reduce(0) { $0 + ($1 - first) } / Double(tail.count - 1)
    }

    /// The centre, and the scale above it: by the 62.5 and the 75 % quantile, comparable to a standard deviation of
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
