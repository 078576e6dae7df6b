import Glibc
import Schemas
import Sketches
import Tabular

/// The differences of a batch from its baseline, field by field: population stability index and two-sample
/// Kolmogorov-Smirnov test for numbers, G-test for codes and missing values.
package struct Drift: Sendable {
    /// The differences from which a batch is flagged, and held.
    package struct Bands: Sendable, Equatable {
        /// From here on the batch is flagged.
        package var warn: Double
        /// From here on it is held.
        package var hold: Double

        /// Bands with these ends.
        package init(_ warn: Double, _ hold: Double) {
            self.warn = warn
            self.hold = hold
        }

        /// An effect of this size with these bands.
        func effect(_ size: Double) -> BatchTest.Effect { .init(size, warn: warn, hold: hold) }

        /// Population stability index: the usual limits in credit scoring.
        package static let psi = Bands(0.1, 0.25)
        /// The two-sample Kolmogorov-Smirnov distance.
        package static let smirnov = Bands(0.1, 0.2)
        /// The largest difference of a share (TFDV's L-infinity).
        package static let share = Bands(0.05, 0.15)
        /// The share of values that were never seen before.
        package static let unseen = Bands(0.01, 0.15)
    }

    /// The test's share of the false-alarm budget.
    let alpha: Double
    /// Fewest values on either side.
    static let rowsMin = 30
    private static let bins = 10

    /// The population stability index over the baseline's deciles, with half a row added to each, and its critical
    /// value (1/n + 1/m) χ² (Yurdakul 2018); nil with too few values, or if all are in one bin.
    func stability(_ now: [Double], _ before: [Double]) -> (
        index: Double, critical: Double, picture: BatchTest.Picture
    )? {
        guard now.count >= Self.rowsMin, before.count >= Self.rowsMin else { return nil }
        var edges: [Double] = []
        for step in 1..<Self.bins {
            let edge = Robust.quantile(before, Double(step) / Double(Self.bins))
            if edges.last != edge { edges.append(edge) }
        }
        // If the baseline has no values beyond the last edge, there is no such bin.
        if let last = before.last, edges.last == last { edges.removeLast() }
        guard !edges.isEmpty else { return nil }
        let (here, there) = (Self.histogram(now, edges), Self.histogram(before, edges))
        let (n, m) = (Double(now.count), Double(before.count))
        let cells = Double(here.count) / 2
        var index = 0.0
        for (a, b) in zip(here, there) {
            let (p, q) = ((Double(a) + 0.5) / (n + cells), (Double(b) + 0.5) / (m + cells))
            index += (p - q) * log(p / q)
        }
        var picture = BatchTest.Picture()
        (picture.here, picture.before) = (here, there)
        return (index, (1 / n + 1 / m) * Significance.chiSquareCritical(alpha, here.count - 1), picture)
    }

    /// The number of ascending values in each bin, whose upper edge is included; the last bin has the rest.
    static func histogram(_ sorted: [Double], _ edges: [Double]) -> [Int] {
        var counts = [Int](repeating: 0, count: edges.count + 1)
        var bin = 0
        for value in sorted {
            while bin < edges.count, value > edges[bin] { bin += 1 }
            counts[bin] += 1
        }
        return counts
    }

    /// The two-sample Kolmogorov-Smirnov distance of ascending samples.
    static func distance(_ left: [Double], _ right: [Double]) -> Double {
        var (i, j, most) = (0, 0, 0.0)
        let (n, m) = (Double(left.count), Double(right.count))
        while i < left.count, j < right.count {
            let value = min(left[i], right[j])
            while i < left.count, left[i] <= value { i += 1 }
            while j < right.count, right[j] <= value { j += 1 }
            most = max(most, abs(Double(i) / n - Double(j) / m))
        }
        return most
    }

    /// The G statistic of two rows of counts, where cells with fewer than five expected on either side are pooled; its
    /// degrees of freedom; and the largest difference of a share (Sokal and Rohlf 1981, without Williams' correction,
    /// which would make the test milder).
    ///
    /// - Parameter unseen: rows of the batch whose value is in no cell. They belong to the pooled cell, or rare values
    ///   would be compared with nothing.
    static func counts(
        _ now: [Int], _ before: [Int], unseen: Int = 0
    ) -> (statistic: Double, degrees: Int, largest: Double) {
        let (n, m) = (now.reduce(unseen, +), before.reduce(0, +))
        guard n > 0, m > 0 else { return (0, 0, 0) }
        let total = Double(n + m)
        var cells: [(Double, Double)] = []
        var rest = (Double(unseen), 0.0)
        for (a, b) in zip(now, before) {
            let expected = Double(a + b) * Double(min(n, m)) / total
            if expected >= 5 {
                cells.append((Double(a), Double(b)))
            } else {
                rest = (rest.0 + Double(a), rest.1 + Double(b))
            }
        }
        if rest.0 + rest.1 > 0 { cells.append(rest) }
        var (statistic, largest) = (0.0, 0.0)
        for (a, b) in cells {
            let (here, there) = ((a + b) * Double(n) / total, (a + b) * Double(m) / total)
            if a > 0 { statistic += 2 * a * log(a / here) }
            if b > 0 { statistic += 2 * b * log(b / there) }
            largest = max(largest, abs(a / Double(n) - b / Double(m)))
        }
        return (statistic, max(cells.count - 1, 0), largest)
    }

    /// The tests of a column of numbers: distribution and missing values. Values may be NaN.
    func numbers(
        _ now: [Double], _ before: [Double], field: Int, isLength: Bool, bands: Bands? = nil
    ) -> [BatchTest] {
        var tests: [BatchTest] = []
        let here = now.filter { !$0.isNaN }.ascending()
        let there = before.filter { !$0.isNaN }.ascending()
        if let (index, critical, picture) = stability(here, there) {
            let bands = bands ?? .psi
            let rows = BatchTest.Rows(here.count, before: there.count)
            var test = BatchTest(
                isLength ? .lengthDrift : .distributionDrift, field: field, chance: .init(index, beyond: critical),
                effect: bands.effect(index), rows: rows)
            test.picture = picture
            tests.append(test)
            let distance = Self.distance(here, there)
            // Limits that the contract sets belong to one metric; the other metric then only supports it.
            let own = bands == .psi ? Bands.smirnov : Bands(max(bands.warn, 0.1), .infinity)
            tests.append(
                BatchTest(
                    isLength ? .lengthShift : .distributionShift, field: field,
                    chance: .init(distance, beyond: Significance.smirnovCritical(alpha, here.count, there.count)),
                    effect: own.effect(distance), rows: rows))
        }
        if let test = missing(
            now.count - here.count, of: now.count, before.count - there.count, of: before.count, field: field)
        {
            tests.append(test)
        }
        return tests
    }

    /// The test of the number of missing values.
    func missing(_ here: Int, of n: Int, _ there: Int, of m: Int, field: Int) -> BatchTest? {
        guard n >= Self.rowsMin, m >= Self.rowsMin else { return nil }
        let compared = Self.counts([here, n - here], [there, m - there])
        return BatchTest(
            .missingDrift, field: field,
            chance: .init(compared.statistic, beyond: Significance.chiSquareCritical(alpha, 1)),
            effect: Bands.share.effect(abs(Double(here) / Double(n) - Double(there) / Double(m))),
            rows: .init(n, before: m))
    }

    /// The tests of a column of codes, 0 for missing: shares of the values that were seen before, and the number of
    /// unseen values.
    ///
    /// The expected number of unseen values is the share of values seen once before (Good 1953), so a column in which
    /// every row is new raises no alarm.
    func codes(_ now: [UInt64], _ before: [UInt64], field: Int, isLabel: Bool, bands: Bands? = nil) -> [BatchTest] {
        let here = now.filter { $0 != 0 }
        let there = before.filter { $0 != 0 }
        var tests: [BatchTest] = []
        if here.count >= Self.rowsMin, there.count >= Self.rowsMin {
            var known: [UInt64: Int] = [:]
            for code in there { known[code, default: 0] += 1 }
            // A sorted order, since that of a dictionary varies.
            let order = known.keys.sorted()
            var place: [UInt64: Int] = [:]
            for (index, code) in order.enumerated() { place[code] = index }
            var counts = [Int](repeating: 0, count: order.count)
            var unseen = 0
            for code in here {
                if let index = place[code] { counts[index] += 1 } else { unseen += 1 }
            }
            let compared = Self.counts(counts, order.map { known[$0] ?? 0 }, unseen: unseen)
            let bands = bands ?? .share
            let rows = BatchTest.Rows(here.count, before: there.count)
            var test = BatchTest(
                isLabel ? .labelShift : .categoryDrift, field: field,
                chance: .init(compared.statistic, beyond: Significance.chiSquareCritical(alpha, compared.degrees)),
                effect: bands.effect(compared.largest), rows: rows)
            test.picture = Self.picture(order, counts, order.map { known[$0] ?? 0 }, unseen: unseen)
            tests.append(test)
            let once = known.values.count { $0 == 1 }
            let p = Significance.excess(unseen, of: here.count, before: once, of: there.count)
            let share = Double(unseen) / Double(here.count)
            let expected = Double(once) / Double(there.count)
            tests.append(
                BatchTest(
                    .newCategories, field: field, chance: .init(-log10(max(p, 1e-300)), beyond: -log10(alpha)),
                    effect: Bands.unseen.effect(max(0, share - expected)), rows: rows))
        }
        if let test = missing(
            now.count - here.count, of: now.count, before.count - there.count, of: before.count, field: field)
        {
            tests.append(test)
        }
        return tests
    }

    /// The counts of the most frequent codes, and of all others together.
    private static func picture(_ codes: [UInt64], _ here: [Int], _ before: [Int], unseen: Int) -> BatchTest.Picture {
        let order = codes.indices.sorted {
            here[$0] + before[$0] != here[$1] + before[$1] ? here[$0] + before[$0] > here[$1] + before[$1] : $0 < $1
        }
        var picture = BatchTest.Picture()
        for place in order.prefix(12) {
            picture.codes.append(codes[place])
            picture.here.append(here[place])
            picture.before.append(before[place])
        }
        let rest = order.dropFirst(12)
        picture.here.append(rest.reduce(unseen) { $0 + here[$1] })
        picture.before.append(rest.reduce(0) { $0 + before[$1] })
        return picture
    }

    /// The differences of one baseline from another; a test's field is an index into the first one's numbers, then its
    /// codes.
    package static func differences(_ now: Baseline, _ before: Baseline) -> [BatchTest] {
        guard let before = before.projected(onto: now.features, codes: now.codes) else { return [] }
        let codes = now.codes.indices.filter { !now.codes[$0].hasPrefix("\0") }
        let drift = Drift(alpha: BatchTest.budget / Double(3 * max(1, now.features.count + codes.count)))
        func column(_ sample: RowSample, _ place: Int) -> [Double] {
            (0..<sample.count).map { sample.values[$0 * sample.width + place] }
        }
        var tests: [BatchTest] = []
        for place in now.features.indices {
            tests += drift.numbers(
                column(now.sample, place), column(before.sample, place), field: place,
                isLength: now.features[place].hasPrefix("\0"))
        }
        for place in codes {
            tests += drift.codes(
                now.sample.codes(place), before.sample.codes(place).filter { $0 != Baseline.unseen },
                field: now.features.count + place, isLabel: false)
        }
        return tests
    }

    /// The test of the number of rows against the batches before: the robust z-score of its logarithm, and a factor.
    func volume(_ rows: Int, _ sizes: [Int]) -> BatchTest? {
        guard sizes.count >= 5, rows > 0 else { return nil }
        let logs = sizes.map { log(Double(max($0, 1))) }.sorted()
        let center = Robust.median(logs)
        let spread = max(Robust.medianDeviation(logs, from: center) * 1.4826, 1e-3)
        let difference = abs(log(Double(rows)) - center)
        return BatchTest(
            .volumeDrift, chance: .init(difference / spread, beyond: Self.deviationCritical(sizes.count)),
            effect: .init(exp(difference), warn: 2, hold: .infinity), rows: .init(1, before: sizes.count))
    }

    /// The robust z-score that the next normal value exceeds with probability 1e-4 if median and MAD are estimated from
    /// `count` values. Simulated (two million draws each), since no formula is known.
    static func deviationCritical(_ count: Int) -> Double {
        let table: [(count: Int, z: Double)] = [
            (5, 154), (6, 41), (8, 21.5), (10, 15), (12, 12), (14, 10), (16, 8.8), (18, 7.9), (20, 7.4),
        ]
        return table.last { $0.count <= count }?.z ?? .infinity
    }
}

extension DriftRule {
    /// The limits that the contract sets for a metric, if any.
    func bands(_ metric: Drift.Bands) -> Drift.Bands? {
        warn == nil && fail == nil
            ? nil : Drift.Bands(warn ?? min(metric.warn, fail ?? metric.warn), fail ?? metric.hold)
    }
}
