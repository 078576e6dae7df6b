import Sketches
package import Tabular

/// The figures of a test beyond its threshold: what changed, and how much it varied in accepted batches.
///
/// Figures are relative to the accepted batches, never values of the data. A centre is given as a share of their
/// centre, or in spreads inside batches if such a share is meaningless; everything else as shares of rows or as counts.
extension FeedTests {
    /// The change in a column of numbers.
    func movement(_ test: BatchTest, number place: Int, form: ColumnForm) -> Movement? {
        let (here, before) = (now.measures[place], batches.map { $0.measures[place] })
        var made: Movement?
        switch test.code {
        case .missingDrift: made = missing(here.missingShare, before.map(\.missingShare))
        case .newCategories: made = new(here.values, before.map(\.values), test)
        case .categoryDrift where form == .sparse:
            made = share(here.modeShare, before.filter { $0.present > 0 }.map(\.modeShare))
        case .categoryDrift: made = shares(here.values, before.map(\.values), test)
        case .distributionDrift where form == .batchConstant, .lengthDrift where form == .batchConstant:
            made = replaced()
        case .distributionDrift, .lengthDrift: made = shape(here, before.filter { $0.present >= ModifiedZ.rowsMin })
        default: return nil
        }
        made?.usual = test.usual.map(Movement.cut)
        return made
    }

    /// The change in a column of codes.
    func movement(_ test: BatchTest, category place: Int, form: ColumnForm) -> Movement? {
        let (here, before) = (now.categories[place], batches.map { $0.categories[place] })
        func missing(_ batch: BatchSummary.Category) -> Double {
            Double(batch.missing) / Double(max(batch.present + batch.missing, 1))
        }
        var made: Movement?
        switch test.code {
        case .missingDrift: made = self.missing(missing(here), before.map(missing))
        case .newCategories: made = new(here.counts, before.map(\.counts), test)
        case .categoryDrift where form == .batchConstant: made = replaced()
        case .categoryDrift, .labelShift: made = shares(here.counts, before.map(\.counts), test)
        default: return nil
        }
        made?.usual = test.usual.map(Movement.cut)
        return made
    }

    /// The number of rows, compared with the accepted batches.
    func movementOfRows(_ rows: Int) -> Movement? {
        let usual = Robust.median(batches.map { Double(max($0.rows, 1)) }.sorted())
        guard usual > 0 else { return nil }
        let all = batches.map { Double($0.rows) / usual }
        return moved(.rows, in: .multiple, to: Double(rows) / usual, from: all)
    }

    private func moved(
        _ kind: Movement.Kind, in unit: Movement.Unit, to now: Double, from before: [Double]
    ) -> Movement? {
        guard let least = before.min(), let most = before.max() else { return nil }
        return Movement(kind, in: unit, now: now, usually: (least, most), batches: before.count)
    }

    private func missing(_ now: Double, _ before: [Double]) -> Movement? {
        moved(.missing, in: .share, to: now, from: before)
    }

    private func share(_ now: Double, _ before: [Double]) -> Movement? {
        moved(.share, in: .share, to: now, from: before)
    }

    private func replaced() -> Movement {
        Movement(.replaced, in: .share, now: 1, usually: (0, 0), batches: batches.count)
    }

    /// The part of the distribution that is furthest outside its range in accepted batches; the centre comes first.
    private func shape(_ here: BatchSummary.Measure, _ before: [BatchSummary.Measure]) -> Movement? {
        guard !before.isEmpty, here.quantiles.count == BatchSummary.levels.count else { return nil }
        func median(_ value: (BatchSummary.Measure) -> Double) -> Double { Robust.median(before.map(value).sorted()) }
        // The 20 % and 80 % quantiles of a normal variable are 1.683 standard deviations apart.
        let width = median { ($0.quantiles[9] - $0.quantiles[3]) / 1.683 }
        guard width > 0 else { return Movement(shapeIn: before.count) }
        func outside(_ part: (BatchSummary.Measure) -> Double) -> Double {
            let (x, all) = (part(here), before.map(part))
            return max(0, x - (all.max() ?? x), (all.min() ?? x) - x) / width
        }
        let parts: [(kind: Movement.Kind, unit: Double, of: (BatchSummary.Measure) -> Double)] = [
            (.center, 1, { $0.quantiles[6] }), (.spread, 1.683, { $0.quantiles[9] - $0.quantiles[3] }),
            (.lowerTail, 1.645, { $0.quantiles[6] - $0.quantiles[1] }),
            (.upperTail, 1.645, { $0.quantiles[11] - $0.quantiles[6] }),
        ]
        let all = parts.map { outside($0.of) / $0.unit }
        guard let most = all.max(), most > 0.05, let place = all.firstIndex(where: { $0 >= 0.6 * most }) else {
            return Movement(shapeIn: before.count)
        }
        let part = parts[place]
        let usual = median(part.of)
        if part.kind == .center { return center(here, before, usual: usual, width: width) }
        guard usual > 0 else { return Movement(shapeIn: before.count) }
        return moved(
            part.kind, in: .multiple, to: part.of(here) / usual, from: before.map { part.of($0) / usual })
    }

    private func center(
        _ here: BatchSummary.Measure, _ before: [BatchSummary.Measure], usual: Double, width: Double
    ) -> Movement? {
        let centers = before.map { $0.quantiles[6] }
        // A share of the centre is meaningful if zero is the end of the scale, or far from all centres.
        let isScale = here.lowest >= 0 && before.allSatisfy { $0.lowest >= 0 } && usual >= 0.1 * width
        let isFar = centers.allSatisfy { abs($0) >= width && $0 * usual > 0 }
        let change = abs((here.quantiles[6] - usual) / usual)
        guard isScale || isFar, change >= 0.0005, change < 1000 else {
            return moved(
                .center, in: .spreads, to: (here.quantiles[6] - usual) / width,
                from: centers.map { ($0 - usual) / width })
        }
        return moved(
            .center, in: .relative, to: (here.quantiles[6] - usual) / abs(usual),
            from: centers.map { ($0 - usual) / abs(usual) })
    }

    /// The value whose share is furthest outside its range, if it makes up most of the difference.
    private func shares<Value: Hashable & Comparable>(
        _ here: [Value: Int], _ before: [[Value: Int]], _ test: BatchTest
    ) -> Movement? {
        let known = before.filter { !$0.isEmpty }
        guard !known.isEmpty else { return nil }
        func total(_ counts: [Value: Int]) -> Double { Double(max(counts.values.reduce(0, +), 1)) }
        let (n, totals) = (total(here), known.map(total))
        var (furthest, found): (Double, Movement?) = (0, nil)
        for value in Set(here.keys).union(known.flatMap(\.keys)).sorted() {
            let share = Double(here[value] ?? 0) / n
            let all = zip(known, totals).map { Double($0[value] ?? 0) / $1 }
            let outside = max(share - (all.max() ?? 0), (all.min() ?? 0) - share)
            if outside > furthest { (furthest, found) = (outside, self.share(share, all)) }
        }
        if let found, furthest >= 0.5 * test.effect { return found }
        return Movement(.shares, in: .share, now: test.effect, usually: (0, test.usual ?? 0), batches: known.count)
    }

    /// New values: how many, and in how many rows.
    private func new<Value: Hashable>(
        _ here: [Value: Int], _ before: [[Value: Int]], _ test: BatchTest
    ) -> Movement? {
        let batches = before.filter { !$0.isEmpty }
        guard var known = batches.first.map({ Set($0.keys) }) else { return nil }
        var most = 0
        for batch in batches.dropFirst() {
            most = max(most, batch.keys.count { !known.contains($0) })
            known.formUnion(batch.keys)
        }
        var made = Movement(
            .new, in: .share, now: test.effect, usually: (0, test.usual ?? 0), batches: batches.count)
        (made.kinds, made.mostKinds) = (here.keys.count { !known.contains($0) }, most)
        return made
    }
}

extension Movement {
    /// The share of rows that a detector flags, with the same share of accepted batches; nil if none is known.
    static func remarks(_ share: Double, _ before: [(found: Int, of: Int)]) -> Movement? {
        let all = before.filter { $0.of > 0 }.map { Double($0.found) / Double($0.of) }
        guard let least = all.min(), let most = all.max() else { return nil }
        return Movement(.remarks, in: .share, now: share, usually: (least, most), batches: all.count)
    }
}

extension BatchTest {
    /// The same test with the largest distance of accepted batches on arrival.
    func usually(_ largest: Double) -> BatchTest {
        var copy = self
        copy.usual = largest
        return copy
    }
}

extension Decision {
    /// Adds to the tests from `first` on what changed, if they exceed their thresholds.
    mutating func tellMovements(from first: Int, _ feed: FeedTests, rows: Int) {
        for index in first..<tests.count where tests[index].outcome > .accepted {
            let test = tests[index]
            let feed = test.sameSeason == nil ? feed : feed.ofSeason
            if test.code == .volumeDrift {
                tests[index].movement = feed.movementOfRows(rows)
                continue
            }
            guard let field = test.field else { continue }
            let text = screened.texts.firstIndex(of: field).map { $0 + screened.fields.count }
            let number = test.code == .lengthDrift ? text : screened.fields.firstIndex(of: field)
            let isCode = [.categoryDrift, .newCategories, .labelShift].contains(test.code)
            if let place = number ?? (isCode ? nil : text), place < forms.count {
                tests[index].movement = feed.movement(test, number: place, form: forms[place])
            } else if let place = screened.categories.firstIndex(of: field) {
                tests[index].movement = feed.movement(test, category: place, form: forms[screened.numberCount + place])
            }
        }
    }

    /// Adds to copies and labels how many there usually are, and to every field the fields that changed in the same
    /// way.
    mutating func tellCauses() {
        for index in tests.indices where tests[index].outcome > .accepted && tests[index].movement == nil {
            func rates(_ found: KeyPath<Baseline.Remarks, Int>, of all: KeyPath<Baseline.Remarks, Int>)
                -> [(found: Int, of: Int)]
            { earlierRemarks.map { (found: $0[keyPath: found], of: $0[keyPath: all]) } }
            let check = labels.max { $0.changed * $1.tested < $1.changed * $0.tested }
            switch tests[index].code {
            case .copyExcess: tests[index].movement = .remarks(copiedShare, rates(\.copied, of: \.tested))
            case .labelFlipExcess where tests[index].range != nil:
                // An estimate is compared with the same estimates of accepted batches, not with counts of neighbours.
                let shares = linearBasis?.shares ?? []
                if let least = shares.min(), let most = shares.max() {
                    tests[index].movement = Movement(
                        .remarks, in: .share, now: tests[index].effect, usually: (least, most), batches: shares.count)
                }
            case .labelFlipExcess:
                tests[index].movement = check.flatMap {
                    .remarks(Double($0.changed) / Double(max($0.tested, 1)), rates(\.flipped, of: \.labelled))
                }
            case .targetedFlip:
                tests[index].movement = check.flatMap {
                    .remarks(Double($0.mostChanged) / Double(max($0.tested, 1)), rates(\.targeted, of: \.labelled))
                }
            default: break
            }
        }
        let beyond = tests.indices.filter { tests[$0].outcome > .accepted && tests[$0].field != nil }
        for index in beyond {
            guard let cause = tests[index].code.cause else { continue }
            let others = beyond.filter {
                tests[$0].code.cause == cause && tests[$0].field != tests[index].field
            }
            let strongest = others.sorted { left, right in
                let (a, b) = (tests[left].excess, tests[right].excess)
                return a != b ? a > b : left < right
            }
            var seen = Set<Int>()
            tests[index].companions = strongest.compactMap { tests[$0].field }.filter { seen.insert($0).inserted }
        }
    }
}

extension BatchTest {
    /// The effect as a multiple of its threshold.
    var excess: Double { effect / max(warn, 1e-9) }
}

extension FindingCode {
    /// The common cause of findings about several fields; nil for findings that stand alone.
    package enum Cause: Sendable { case values, missing, new }

    /// The kind of cause of a difference between batches.
    package var cause: Cause? {
        switch self {
        case .distributionDrift, .distributionShift, .lengthDrift, .lengthShift, .categoryDrift, .labelShift: .values
        case .missingDrift: .missing
        case .newCategories: .new
        default: nil
        }
    }
}
