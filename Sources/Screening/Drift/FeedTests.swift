import Glibc
import Schemas
import Sketches
import Tabular

/// The tests of a batch against the accepted ones, column by column.
///
/// A column's form determines its tests. They ask whether the batch is further from the nearest accepted batch than
/// accepted batches were when they arrived.
struct FeedTests {
    /// The accepted batches, oldest first.
    let batches: [BatchSummary]
    /// The batch that is judged.
    let now: BatchSummary
    /// Each test's share of the false-alarm budget.
    let alpha: Double
    /// The contract's rules for baselines: the number of accepted batches after which a difference holds, and the
    /// season.
    let rules: BaselineRules

    /// Whether too few batches were accepted to know their variation.
    var isLearning: Bool { batches.count < rules.learning }

    /// The same tests against the batches from an index on, since earlier ones have another level.
    private func since(_ first: Int) -> FeedTests {
        first == 0
            ? self : FeedTests(batches: Array(batches.dropFirst(first)), now: now, alpha: alpha, rules: rules)
    }

    /// The same tests against the accepted batches of this one's weekday or hour only.
    var ofSeason: FeedTests {
        guard let season = rules.season, let phase = now.clock.phase(season) else { return self }
        return FeedTests(
            batches: batches.filter { $0.clock.phase(season) == phase }, now: now, alpha: alpha, rules: rules)
    }

    /// The accepted batches that are compared with each other and with this one.
    private func peers(of known: [Int], distance: (Int, Int) -> Double) -> SeasonalPeers {
        SeasonalPeers(
            phases: known.map { place in rules.season.flatMap { batches[place].clock.phase($0) } },
            own: rules.season.flatMap { now.clock.phase($0) }, distance: distance)
    }

    /// The subject of a test: its finding code, the contract's field, and the numbers of rows.
    private struct Subject {
        let code: FindingCode, field: Int, rows: BatchTest.Rows
    }

    /// A test of an effect against a threshold. During learning only an effect of the size `gross` holds.
    private func test(_ subject: Subject, effect: Double, line: Double, gross: Double) -> BatchTest {
        BatchTest(
            subject.code, field: subject.field, chance: .init(effect, beyond: line),
            effect: .init(effect, warn: line, hold: isLearning ? gross : line), rows: subject.rows)
    }

    /// The test of a column that had one value in all accepted batches and has another one now.
    private func replaced(_ subject: Subject, share: Double) -> BatchTest {
        test(subject, effect: share, line: 0.5, gross: .infinity)
    }

    // MARK: Numbers

    /// The tests of a column of numbers.
    ///
    /// - Parameter start: the index of the first batch of its level. The share of missing values is compared with all
    ///   batches.
    func measure(_ place: Int, field: Int, isLength: Bool, form: ColumnForm, from start: Int = 0) -> [BatchTest] {
        let tests = since(start).levels(ofMeasure: place, field: field, isLength: isLength, form: form)
        // Its values are blanked, so that no detector uses them.
        if form == .key || form == .counter || form == .batchConstant { return tests }
        let (here, before) = (now.measures[place], batches.map { $0.measures[place] })
        return tests
            + missing(
                here.missing, of: here.missing + here.present,
                before: before.map { ($0.missing, $0.missing + $0.present) }, field: field)
    }

    private func levels(ofMeasure place: Int, field: Int, isLength: Bool, form: ColumnForm) -> [BatchTest] {
        let (here, before) = (now.measures[place], batches.map { $0.measures[place] })
        var tests: [BatchTest] = []
        let basis = before.reduce(0) { $0 + $1.present }
        func subject(_ code: FindingCode) -> Subject {
            Subject(code: code, field: field, rows: .init(here.present, before: basis))
        }
        if here.present >= ModifiedZ.rowsMin {
            switch form {
            case .measure:
                let known = before.indices.filter { before[$0].present >= ModifiedZ.rowsMin }
                if let test = shape(place, beside: known, subject(isLength ? .lengthDrift : .distributionDrift)) {
                    tests.append(test)
                }
            case .twoValued, .code:
                let known = before.indices.filter { before[$0].present > 0 }
                tests += shares(
                    here.values, beside: known.map { before[$0].values }, at: known, subject(.categoryDrift))
            case .sparse:
                func parts(_ batch: BatchSummary.Measure) -> [Int: Int] {
                    let same = Int((batch.modeShare * Double(batch.present)).rounded())
                    return [0: same, 1: batch.present - same]
                }
                let known = before.indices.filter { before[$0].present > 0 }
                tests += shares(
                    parts(here), beside: known.map { parts(before[$0]) }, at: known, subject(.categoryDrift))
            case .batchConstant:
                let modes = Set(before.filter { $0.present > 0 }.map(\.mode))
                if modes.count == 1, !modes.contains(here.mode) {
                    tests.append(replaced(subject(.distributionDrift), share: here.modeShare))
                }
            default: break
            }
        }
        return tests
    }

    /// The test of the quantiles of the measure at `place` against the batches at `places`.
    private func shape(_ place: Int, beside places: [Int], _ subject: Subject) -> BatchTest? {
        let (here, before) = (now.measures[place], places.map { batches[$0].measures[place] })
        guard !before.isEmpty else { return nil }
        // Non-negative and skewed: tested in logarithms, with the median as the unit.
        func median(_ level: Int) -> Double { Robust.median(before.map { $0.quantiles[level] }.sorted()) }
        let (low, middle, high) = (median(2), median(6), median(10))
        let isLopsided = high > low && (high + low - 2 * middle) / (high - low) > 0.3
        let usesLog = isLopsided && middle > 0 && before.allSatisfy { $0.lowest >= 0 } && here.lowest >= 0
        func quantiles(_ batch: BatchSummary.Measure) -> [Double] {
            usesLog ? batch.quantiles.map { log1p($0 / middle) } : batch.quantiles
        }
        let all = before.map(quantiles)
        var width = Robust.median(all.map { ($0[9] - $0[3]) / 1.683 }.sorted())
        if width == 0 { width = Robust.median(all.map { ($0[11] - $0[1]) / 3.29 }.sorted()) }
        guard width > 0 else { return nil }
        func distance(_ left: [Double], _ right: [Double]) -> Double {
            zip(left, right).reduce(0) { $0 + abs($1.0 - $1.1) } / width / Double(left.count)
        }
        func nearest(_ one: [Double], _ count: Int, among others: [Int]) -> BetweenBatches.Distance? {
            others.map { other in
                let chance = BetweenBatches.chance(count, before[other].present)
                return BetweenBatches.Distance(value: max(0, distance(one, all[other]) - chance), chance: chance)
            }.min { $0.value < $1.value }
        }
        let peers = peers(of: places) { distance(all[$0], all[$1]) }
        let history = before.indices.compactMap { nearest(all[$0], before[$0].present, among: peers.before($0)) }
        let found = nearest(quantiles(here), here.present, among: peers.now) ?? .init(value: 0, chance: 0)
        let largest = history.map(\.value).max() ?? 0
        return test(
            subject, effect: found.value,
            line: BetweenBatches.line(history, alpha: alpha, chance: found.chance, floor: 0.3),
            gross: history.count < 2 ? .infinity : max(3, 4 * largest)
        ).usually(largest).beside(peers)
    }

    /// The test of the share of rows without a value.
    private func missing(
        _ missing: Int, of count: Int, before rates: [(found: Int, of: Int)], field: Int
    ) -> [BatchTest] {
        guard count >= ModifiedZ.rowsMin, rates.contains(where: { $0.of >= ModifiedZ.rowsMin }) else { return [] }
        let share = Double(missing) / Double(count)
        let largest = rates.filter { $0.of > 0 }.map { Double($0.found) / Double($0.of) }.max() ?? 0
        let rows = BatchTest.Rows(count, before: rates.reduce(0) { $0 + $1.of })
        return [
            test(
                Subject(code: .missingDrift, field: field, rows: rows), effect: share,
                line: RateChart(alpha: alpha, floor: 0.05).line(rates, count: count),
                // A field that suddenly is empty.
                gross: largest < 0.5 ? 0.95 : .infinity
            ).usually(largest)
        ]
    }

    // MARK: Codes

    /// The tests of a column of codes.
    ///
    /// - Parameter start: the index of the first batch of its level. The share of missing values is compared with all
    ///   batches.
    func category(_ place: Int, field: Int, isLabel: Bool, form: ColumnForm, from start: Int = 0) -> [BatchTest] {
        let (here, before) = (now.categories[place], batches.map { $0.categories[place] })
        return since(start).levels(ofCategory: place, field: field, isLabel: isLabel, form: form)
            + missing(
                here.missing, of: here.missing + here.present,
                before: before.map { ($0.missing, $0.missing + $0.present) }, field: field)
    }

    private func levels(ofCategory place: Int, field: Int, isLabel: Bool, form: ColumnForm) -> [BatchTest] {
        let (here, before) = (now.categories[place], batches.map { $0.categories[place] })
        var tests: [BatchTest] = []
        let places = before.indices.filter { before[$0].present > 0 }
        let known = places.map { before[$0] }
        let basis = known.reduce(0) { $0 + $1.present }
        func subject(_ code: FindingCode) -> Subject {
            Subject(code: code, field: field, rows: .init(here.present, before: basis))
        }
        if here.present >= ModifiedZ.rowsMin, !known.isEmpty {
            switch form {
            case .category:
                tests += shares(
                    here.counts, beside: known.map(\.counts), at: places,
                    subject(isLabel ? .labelShift : .categoryDrift))
            case .batchConstant:
                let modes = Set(known.map(\.mode))
                if modes.count == 1, !modes.contains(here.mode) {
                    tests.append(replaced(subject(.categoryDrift), share: here.modeShare))
                }
            default: break
            }
        }
        return tests
    }

    /// The tests of the shares of values: of all together, of the one that grew most, and of new ones.
    ///
    /// - Parameter places: the indices of the batches whose counts are `before`.
    private func shares<Value: Hashable & Comparable>(
        _ here: [Value: Int], beside before: [[Value: Int]], at places: [Int], _ about: Subject
    ) -> [BatchTest] {
        guard !before.isEmpty else { return [] }
        let rows = BatchTest.Rows(here.values.reduce(0, +), before: about.rows.before)
        let subject = Subject(code: about.code, field: about.field, rows: rows)
        func compared(_ one: [Value: Int], _ other: [Value: Int]) -> (
            all: BetweenBatches.Distance, top: BetweenBatches.Distance, variation: Double
        ) {
            let (n, m) = (one.values.reduce(0, +), other.values.reduce(0, +))
            var (sum, largest, share) = (0.0, 0.0, 0.0)
            // A sorted order, since sums of doubles depend on the order and that of a dictionary varies.
            let values = Set(one.keys).union(other.keys).sorted()
            for value in values {
                let (p, q) = (
                    Double(one[value] ?? 0) / Double(max(n, 1)), Double(other[value] ?? 0) / Double(max(m, 1))
                )
                sum += abs(p - q)
                largest = max(largest, abs(p - q))
                share = max(share, p, q)
            }
            let chance = BetweenBatches.chance(n, m, kinds: values.count)
            let topChance = 2.5 * (1 / (4 * Double(max(n, 1)))).squareRoot() * min(1, 2 * share.squareRoot())
            return (
                .init(value: max(0, sum / 2 - chance), chance: chance),
                .init(value: max(0, largest - topChance), chance: topChance), sum / 2
            )
        }
        func nearest(_ one: [Value: Int], among others: [Int]) -> (
            all: BetweenBatches.Distance, top: BetweenBatches.Distance
        )? {
            let found = others.map { compared(one, before[$0]) }
            guard let all = found.map(\.all).min(by: { $0.value < $1.value }),
                let top = found.map(\.top).min(by: { $0.value < $1.value })
            else { return nil }
            return (all, top)
        }
        let peers = peers(of: places) { compared(before[$0], before[$1]).variation }
        let history = before.indices.compactMap { nearest(before[$0], among: peers.before($0)) }
        let none = BetweenBatches.Distance(value: 0, chance: 0)
        let found = nearest(here, among: peers.now) ?? (none, none)
        let largest = history.map(\.all.value).max() ?? 0
        var tests = [
            test(
                subject, effect: found.all.value,
                line: BetweenBatches.line(history.map(\.all), alpha: alpha, chance: found.all.chance, floor: 0.12),
                gross: history.count < 2 ? .infinity : max(0.75, 4 * largest)
            ).usually(largest)
        ]
        let top = test(
            subject, effect: found.top.value,
            line: BetweenBatches.line(history.map(\.top), alpha: alpha, chance: found.top.chance, floor: 0.08),
            gross: .infinity
        ).usually(history.map(\.top.value).max() ?? 0)
        // A large increase of one value is a small part of all shares. Only the stricter of the two tests is reported.
        if top.outcome > tests[0].outcome { tests[0] = top }
        tests[0] = tests[0].beside(peers)
        if let test = newValues(here, beside: before, about) { tests.append(test) }
        return tests
    }

    /// The number of different new values, and of rows with one; the rows of one order count once.
    private func newValues<Value: Hashable>(
        _ here: [Value: Int], beside before: [[Value: Int]], _ subject: Subject
    ) -> BatchTest? {
        func new(_ one: [Value: Int], _ known: Set<Value>) -> (kinds: Int, rows: Int, of: Int) {
            let found = one.filter { !known.contains($0.key) }
            return (found.count, found.values.reduce(0, +), one.values.reduce(0, +))
        }
        var known = Set(before[0].keys)
        var history: [(found: Int, of: Int)] = []
        var largest = 0.0
        for batch in before.dropFirst() {
            let found = new(batch, known)
            history.append((found.kinds, batch.count))
            largest = max(largest, Double(found.rows) / Double(max(found.of, 1)))
            known.formUnion(batch.keys)
        }
        let found = new(here, known)
        guard !here.isEmpty, !history.isEmpty else { return nil }
        let rate = Double(found.kinds) / Double(here.count)
        let line = RateChart(alpha: alpha, floor: 0).line(history, count: here.count)
        let share = Double(found.rows) / Double(max(found.of, 1))
        let rows = max(0.05, 2 * largest)
        return BatchTest(
            .newCategories, field: subject.field, chance: .init(rate, beyond: line),
            effect: .init(share, warn: rows, hold: isLearning ? .infinity : rows),
            rows: .init(found.of, before: subject.rows.before)
        ).usually(largest)
    }

    // MARK: The whole batch

    /// The test of the number of rows, which only flags.
    func volume(_ rows: Int) -> BatchTest? {
        guard batches.count >= 5 else { return nil }
        let logs = batches.map { log(Double(max($0.rows, 1))) }
        let center = Robust.median(logs.sorted())
        let degrees = 4 + logs.count - 1
        let spread = ((4 * 0.35 * 0.35 + logs.reduce(0) { $0 + ($1 - center) * ($1 - center) }) / Double(degrees))
            .squareRoot()
        let difference = abs(log(max(Double(rows), 0.5)) - center)
        let critical = Significance.studentCritical(alpha, degrees) * (1 + 1 / Double(logs.count)).squareRoot()
        return BatchTest(
            .volumeDrift, chance: .init(difference / spread, beyond: critical),
            effect: .init(exp(difference), warn: 2, hold: .infinity), rows: .init(1, before: batches.count))
    }
}
