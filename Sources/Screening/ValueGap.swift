import Glibc
import Schemas
import Sketches
import Tabular

/// Where a column's values end and a group of their own begins, far behind a gap in which there is nobody (FEATURES 7.4).
///
/// On first contact nothing but the batch says what is usual, and a twentieth of planted values moves any line that is read off the tail.
/// A gap is not moved by how many lie behind it, up to a quarter of the values.
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
        guard sorted.count >= ModifiedZ.rowsMin else { return nil }
        let mirrored = Array(sorted.reversed().map { -$0 })
        var logs: [Double]?
        let middle = Robust.median(sorted)
        // A lopsided column has gaps in its tail; in logarithms those are small.
        if sorted[0] >= 0, middle > 0 { logs = sorted.map { log1p($0 / middle) } }
        if let first = Self.firstBehind(sorted), Self.isWide(logs, first) {
            high = sorted[first]
            count += sorted.count - first
        }
        if let first = Self.firstBehind(mirrored), Self.isWide(logs.map { $0.reversed().map { -$0 } }, first) {
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
            code: .outlierGroup, field: field, statistic: share, critical: Self.shareMax,
            effect: self.count >= Self.rowsMin ? share : 0, warn: Self.shareMax, hold: Self.shareMax, count: self.count,
            basis: count)
    }

    /// The place of the first value behind the first gap in the upper quarter.
    private static func firstBehind(_ sorted: [Double]) -> Int? {
        let start = max(sorted.count * 3 / 4, 1)
        var (distinct, widest) = (1, 0.0)
        for place in 1..<sorted.count {
            let gap = sorted[place] - sorted[place - 1]
            if gap == 0 { continue }
            if place >= start, distinct >= distinctMin, gap > 4 * widest {
                let (center, scale) = measured(sorted[..<place])
                let reached = sorted[place - 1] - center
                if scale > 0, gap > 3 * scale, gap > 0.5 * reached, reached + gap > 7 * scale { return place }
            }
            distinct += 1
            widest = max(widest, gap)
        }
        return nil
    }

    /// Whether the gap stands out in logarithms as well.
    private static func isWide(_ logs: [Double]?, _ first: Int) -> Bool {
        guard let logs else { return true }
        let scale = measured(logs[..<first]).scale
        let gap = logs[first] - logs[first - 1]
        let widest = zip(logs[..<first], logs[1..<first]).map { $1 - $0 }.max() ?? 0
        return scale > 0 && gap > 1.5 * scale && gap > 4 * widest
    }

    /// The centre, and the scale above it: by the 62.5 and the 75 % quantile, comparable to a standard deviation of normal data.
    private static func measured(_ inside: ArraySlice<Double>) -> (center: Double, scale: Double) {
        let inside = Array(inside)
        let center = Robust.quantile(inside, 0.5)
        return (
            center,
            max((Robust.quantile(inside, 0.75) - center) / 0.6745, (Robust.quantile(inside, 0.625) - center) / 0.3186)
        )
    }
}

extension Decision {
    /// Makes the rule of a column of which only this batch is known.
    mutating func makeFirstRule(_ field: Int, _ column: [Double], _ form: ColumnForm, _ contract: Field) {
        func leave() { untested.append((field, form.reason(isNumber: true) ?? "statistics: \(form.rawValue)")) }
        guard form != .key, form != .twoValued else { return leave() }
        let all = BatchSummary.measure(column)
        // Of a few whole numbers the rare ones are no outliers, and of declared codes none is.
        if form == .code, all.modeShare > 0.5 || contract.form == .code { return leave() }
        var values = column
        var gap: ValueGap?
        let mode = form == .sparse ? all.mode : .nan
        if form == .measure || form == .sparse {
            gap = ValueGap(column.filter { $0.isFinite && $0 != mode }.sorted())
            if let gap {
                tests.append(gap.test(field: field, of: column.count))
                values.removeAll(where: gap.isBehind)
            }
        }
        var made = ModifiedZ(
            field: field, values: values, transform: contract.anomaly.transform, tails: contract.anomaly.tails)
        made?.gap = gap
        if let rule = made, !rule.isConstant {
            // The middle is flat: a deviation has no scale there, and the rare other values are no outliers.
            if form == .constant { return leave() }
            if form == .sparse {
                made?.reach = RowReach([BatchSummary.measure(values)], isSparse: true, own: nil) {
                    rule.usesLog ? ($0 > -1 ? log1p($0) : -.infinity) : $0
                }
                if made?.reach == nil { return leave() }
            }
        }
        add(made, field)
    }
}
