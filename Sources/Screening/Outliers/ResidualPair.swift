import Glibc
import Schemas
import Sketches

/// A line by which one measure predicts another, with the rule for its residuals.
///
/// For measures with |Spearman's ρ| above 0.6, a Theil–Sen line (Sen 1968) through the (transformed) values; the
/// residual is then screened like a measure. It detects rows whose single values are ordinary but whose combination is
/// not.
package struct ResidualPair: Sendable, Equatable {
    /// The predicting and the predicted feature, as indices in `ScreenedFields.fields`.
    package var from: Int, to: Int
    /// Whether each of them is transformed by log(1 + x).
    package var logFrom: Bool, logTo: Bool
    /// The line.
    package var slope: Double, intercept: Double
    /// The rule for residuals; its field is the predicted one.
    package var rule: ModifiedZ

    /// Most rows from which a line is computed.
    static let rowsMax = 2048
    /// The least correlation with which one measure predicts the other.
    static let correlationMin = 0.6
    /// Most measures whose pairs are tested.
    private static let measuresMax = 64

    @inline(__always)
    private static func transformed(_ value: Double, _ usesLog: Bool) -> Double {
        usesLog ? (value > -1 ? log1p(value) : -.infinity) : value
    }

    /// |M| of a row's residual; 0 if a value is missing.
    @inline(__always)
    func score(_ numbers: ArraySlice<Double>) -> Double {
        score(numbers[numbers.startIndex + from], numbers[numbers.startIndex + to])
    }

    /// |M| of the residual of two values; 0 if one is missing or infinite, which other tests flag.
    @inline(__always)
    func score(_ from: Double, _ to: Double) -> Double {
        let (x, y) = (Self.transformed(from, logFrom), Self.transformed(to, logTo))
        guard x.isFinite, y.isFinite else { return 0 }
        return rule.score(y - intercept - slope * x)
    }

    /// Whether the residual of two values is so far beyond the threshold that the row is held back.
    func isFar(_ from: Double, _ to: Double, score: Double) -> Bool {
        rule.isFar(residual(from, to), score: score)
    }

    /// The distance of two values from the line, in transformed units.
    func residual(_ from: Double, _ to: Double) -> Double {
        Self.transformed(to, logTo) - intercept - slope * Self.transformed(from, logFrom)
    }

    /// Adapts the rule to the interval in which the centre of residuals may lie: that of the accepted rows, or this
    /// batch's own if it was compared.
    mutating func follow(_ now: RowSample?, _ accepted: RowSample) {
        func residuals(_ sample: RowSample) -> [Double] {
            (0..<min(sample.count, BatchSummary.rowsMax)).map { row in
                let numbers = sample.numbers(of: row)
                return residual(numbers[numbers.startIndex + from], numbers[numbers.startIndex + to])
            }.filter(\.isFinite).ascending()
        }
        let (here, before) = (now.map(residuals) ?? [], residuals(accepted))
        guard before.count >= ModifiedZ.rowsMin, now == nil || here.count >= ModifiedZ.rowsMin else { return }
        var sample = RowSample(capacity: before.count, width: 1)
        for (rank, value) in before.enumerated() { sample.append(rank: UInt64(rank), [value]) }
        let summary = BatchSummary(sample, rows: before.count).measures
        rule.reach = RowReach(summary, isSparse: false, own: here.isEmpty ? nil : Robust.median(here)) { $0 }
        if let reach = rule.reach { rule.threshold = min(reach.remarkAbove, reach.remarkBelow) }
    }

    /// The pairs of a sample: each measure with the one that predicts it best.
    static func find(_ sample: RowSample, _ rules: [(feature: Int, rule: ModifiedZ)]) -> [ResidualPair] {
        let rules = rules.prefix(measuresMax).filter { !$0.rule.isConstant }
        guard rules.count >= 2, sample.count >= 2 * ModifiedZ.rowsMin else { return [] }
        let rows = min(sample.count, rowsMax)
        let measures = rules.map { entry in
            Measure(
                feature: entry.feature, field: entry.rule.field, usesLog: entry.rule.usesLog,
                values: (0..<rows).map {
                    transformed(sample.values[$0 * sample.width + entry.feature], entry.rule.usesLog)
                })
        }
        let ranks = measures.map { ranked($0.values) }
        var best: [(to: Int, from: Int)] = []
        for to in measures.indices {
            var most: (value: Double, from: Int?) = (correlationMin, nil)
            for from in measures.indices where from != to {
                let value = abs(correlation(ranks[from], ranks[to]))
                if value > most.value { most = (value, from) }
            }
            // Two measures that predict each other are one pair.
            if let from = most.from, !best.contains(where: { $0.to == from && $0.from == to }) {
                best.append((to, from))
            }
        }
        return best.compactMap { to, from in
            line(sample, from: measures[from], to: measures[to], among: best.count)
        }
    }

    /// A measure that may predict another one.
    private struct Measure {
        let feature: Int, field: Int
        let usesLog: Bool
        /// The transformed values of the rows from which a line is computed.
        let values: [Double]
    }

    /// Ranks; ties share their mean, NaN stays NaN.
    private static func ranked(_ column: [Double]) -> [Double] {
        let order = column.indices.filter { column[$0].isFinite }.sorted { column[$0] < column[$1] }
        var ranks = [Double](repeating: .nan, count: column.count)
        var first = 0
        while first < order.count {
            var last = first
            while last + 1 < order.count, column[order[last + 1]] == column[order[first]] { last += 1 }
            for index in first...last { ranks[order[index]] = Double(first + last) / 2 }
            first = last + 1
        }
        return ranks
    }

    /// Pearson's correlation of two columns of ranks, over the rows that have both: Spearman's ρ.
    private static func correlation(_ left: [Double], _ right: [Double]) -> Double {
        var (n, x, y, xx, yy, xy) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        for (a, b) in zip(left, right) where !a.isNaN && !b.isNaN {
            n += 1
            x += a
            y += b
            xx += a * a
            yy += b * b
            xy += a * b
        }
        let spread = ((xx - x * x / n) * (yy - y * y / n)).squareRoot()
        return n >= Double(ModifiedZ.rowsMin) && spread > 0 ? (xy - x * y / n) / spread : 0
    }

    /// The line between two measures with its rule, which gets its part of the target rate of all `count` pairs.
    private static func line(
        _ sample: RowSample, from: Measure, to: Measure, among count: Int
    ) -> ResidualPair? {
        let (x, y) = (from.values, to.values)
        let rows = x.indices.filter { x[$0].isFinite && y[$0].isFinite }
        guard rows.count >= ModifiedZ.rowsMin else { return nil }
        // Slopes between each row and those 1, 2, 5, 11 … positions further: a deterministic sample of all pairs.
        var slopes: [Double] = []
        for step in [1, 2, 5, 11, 23, 47] where step < rows.count {
            for place in 0..<rows.count - step {
                let (a, b) = (rows[place], rows[place + step])
                if x[a] != x[b] { slopes.append((y[b] - y[a]) / (x[b] - x[a])) }
            }
        }
        guard !slopes.isEmpty else { return nil }
        let slope = Robust.median(slopes.ascending())
        let intercept = Robust.median(rows.map { y[$0] - slope * x[$0] }.ascending())
        var residuals: [Double] = []
        for row in 0..<sample.count {
            let (a, b) = (
                transformed(sample.values[row * sample.width + from.feature], from.usesLog),
                transformed(sample.values[row * sample.width + to.feature], to.usesLog)
            )
            if a.isFinite, b.isFinite { residuals.append(b - intercept - slope * a) }
        }
        // Residuals lie around zero: their logarithm says nothing.
        var plain = AnomalyRule()
        plain.transform = "none"
        guard
            let rule = ModifiedZ(
                field: to.field, values: residuals, rule: plain, targetRate: ModifiedZ.targetRate / Double(count)),
            !rule.isConstant
        else { return nil }
        return ResidualPair(
            from: from.feature, to: to.feature, logFrom: from.usesLog, logTo: to.usesLog, slope: slope,
            intercept: intercept, rule: rule)
    }
}
