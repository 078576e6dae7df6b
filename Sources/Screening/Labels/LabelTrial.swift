import Glibc
import Sketches
import Tabular

/// The test of a batch's labels by one view of neighbours in a baseline.
struct LabelTrial {
    private let view: NeighbourView
    private let screened: ScreenedFields
    /// The index of the label among the codes, and its field in the contract.
    private let label: Int, field: Int
    /// The test's share of the false-alarm budget.
    private let alpha: Double
    /// Counts of accepted batches whose labels were tested.
    private let history: [Baseline.Remarks]
    /// Counts of the baseline's rows whose label differs from that of their neighbours.
    private let before: Changes

    /// nil if the neighbours of the baseline's rows do not predict their labels.
    init?(
        _ view: NeighbourView, baseline: RowSample, screened: ScreenedFields, alpha: Double,
        history: [Baseline.Remarks]
    ) {
        guard let label = screened.label else { return nil }
        // A few rows suffice to show that labels are unrelated to the features.
        let few = view.honestVotes(baseline, label: label, 400)
        guard few.count < 400 || Self.isInformative(few, view.labels.count, margin: 0.7) else { return nil }
        let own = view.honestVotes(baseline, label: label, LabelCheck.testedMax)
        var before = Changes(view.labels.count)
        for row in own { before.add(row.vote, own: row.own) }
        guard before.tested >= 200, before.rate <= LabelCheck.flagRateMax,
            Self.isInformative(own, view.labels.count)
        else { return nil }
        (self.view, self.screened, self.label, self.alpha, self.before) = (view, screened, label, alpha, before)
        field = screened.categories[label]
        self.history = history.filter { $0.labelled > 0 }
    }

    /// Tests a sample of a batch of `count` rows.
    ///
    /// - Parameter held: the ranks of rows that are held back for another reason. They count only against their
    ///   annotator and supplier.
    func check(_ sample: RowSample, of count: Int, without held: Set<UInt64>) -> LabelCheck {
        var now = Changes(view.labels.count)
        let blamable = [screened.annotator, screened.source].compactMap { $0 }
        var all = (tested: 0, differs: 0)
        var byCode = [[UInt64: (rows: Int, differs: Int)]](repeating: [:], count: blamable.count)
        for place in 0..<min(sample.count, LabelCheck.testedMax) {
            let row = LabelledRow(place, of: sample)
            guard let mine = view.labels.firstIndex(of: row.code(label)) else { continue }
            let vote = view.vote(row)
            let differs = Changes.differs(vote, own: mine)
            if !held.contains(sample.ranks[place]) { now.add(vote, own: mine) }
            all.tested += 1
            if differs { all.differs += 1 }
            for (index, place) in blamable.enumerated() {
                byCode[index][row.code(place), default: (0, 0)].rows += 1
                if differs { byCode[index][row.code(place), default: (0, 0)].differs += 1 }
            }
        }
        var (flips, tests) = changes(now)
        tests.append(excess(now))
        var blamed: [(place: Int, code: UInt64)] = []
        for (index, place) in blamable.enumerated() {
            blamed += blame(byCode[index], all: all.differs, tested: all.tested).map { (place, $0) }
        }
        // Rows that neighbours contradict are held back one by one while they are few. If they are many, the tests of
        // the batch decide.
        let isCommon = !history.isEmpty && now.rate > 0.01
        let isAlarm = tests.contains { $0.outcome > .accepted } || !blamed.isEmpty
        flips.sort { ($0.from, $0.to) < ($1.from, $1.to) }
        var made = LabelCheck(
            view: view, tested: now.tested, basis: before.tested, flagRate: before.rate,
            holdRate: isCommon ? 1 : Double(before.firm) / Double(max(before.tested, 1)), flips: flips, tests: tests,
            blamed: blamed, isExcessive: tests.contains { $0.code == .labelFlipExcess && $0.outcome > .accepted },
            judgesRows: isAlarm || count <= LabelCheck.testedMax)
        (made.changed, made.mostChanged) = (now.changed, now.counts.max() ?? 0)
        return made
    }

    /// The test of the number of rows that differ from their neighbours, whatever their labels.
    private func excess(_ now: Changes) -> BatchTest {
        let line = line(of: \.flipped, rows: now.tested, alpha: alpha)
        let p =
            now.rate <= line
            ? 1 : Significance.excess(now.changed, of: now.tested, before: before.changed, of: before.tested)
        let least = max(line, 2 * max(before.rate, 1 / Double(before.tested)))
        return BatchTest(
            .labelFlipExcess, field: field, chance: .init(p: p, share: alpha),
            effect: .init(now.rate, warn: least, hold: least), rows: .init(now.tested, before: before.tested))
    }

    /// The rate that a batch of so many tested rows must exceed: the rates of accepted batches vary more than those of
    /// draws from one distribution. Zero without history.
    private func line(of count: KeyPath<Baseline.Remarks, Int>, rows: Int, alpha: Double) -> Double {
        if history.isEmpty { return 0 }
        return RateChart(alpha: alpha, floor: RateChart.markedFloor, factor: 1.5, prior: 8).line(
            history.map { ($0[keyPath: count], $0.labelled) }, count: rows)
    }

    /// The changes of one label to another that are more than twice as frequent as before, and significantly so.
    private func changes(_ now: Changes) -> ([LabelCheck.Flip], [BatchTest]) {
        var flips: [LabelCheck.Flip] = []
        var tests: [BatchTest] = []
        let labels = view.labels
        let share = alpha / Double(labels.count * (labels.count - 1))
        // Of each accepted batch only its most frequent change is known.
        let line = line(of: \.targeted, rows: now.tested, alpha: share)
        for from in labels.indices {
            for to in labels.indices where from != to {
                let (k, k0) = (now.count(from: from, to: to), before.count(from: from, to: to))
                let p = Significance.excess(k, of: now.tested, before: k0, of: before.tested)
                let rate = Double(k) / Double(max(now.tested, 1))
                let least = max(line, 2 * Double(max(k0, 1)) / Double(before.tested))
                guard k >= (history.isEmpty ? 5 : 8), p < share, rate > least else { continue }
                flips.append(LabelCheck.Flip(from: labels[from], to: labels[to], count: k, before: k0))
                tests.append(
                    BatchTest(
                        .targetedFlip, field: field, chance: .init(p: p, share: share),
                        effect: .init(rate, warn: least, hold: least),
                        rows: .init(now.tested, before: before.tested)))
            }
        }
        return (flips, tests)
    }

    /// Whether neighbours predict labels better than the most frequent label does.
    ///
    /// - Parameter margin: the share of guessing's errors that neighbours may leave.
    private static func isInformative(
        _ own: [(own: Int, vote: (label: Int, count: Int))], _ labels: Int, margin: Double = 0.5
    ) -> Bool {
        var counts = [Int](repeating: 0, count: labels)
        for row in own { counts[row.own] += 1 }
        let most = counts.max() ?? 0
        let right = own.count { $0.vote.label == $0.own }
        return Double(own.count - right) <= margin * Double(own.count - most)
    }

    /// The annotators or suppliers whose rows differ from their neighbours at more than twice the rate of the others,
    /// by Wilson's lower bound, and significantly so.
    private func blame(
        _ rows: [UInt64: (rows: Int, differs: Int)], all: Int, tested: Int
    ) -> [UInt64] {
        guard rows.count >= 2 else { return [] }
        return rows.keys.sorted().filter { code in
            guard let mine = rows[code], mine.rows >= 20, mine.differs >= 5 else { return false }
            let (others, theirs) = (tested - mine.rows, all - mine.differs)
            let rest = Double(theirs) / Double(max(others, 1))
            return Significance.wilsonLower(mine.differs, of: mine.rows) > 2 * rest
                && Significance.excess(mine.differs, of: mine.rows, before: theirs, of: others)
                    < alpha / Double(rows.count)
        }
    }
}

/// Counts of rows by their own label and the label that their neighbours agree on.
private struct Changes {
    /// (Neighbours' label) × (own label).
    private(set) var counts: [Int]
    private let labels: Int
    private(set) var tested = 0
    /// Rows on which enough neighbours agree to hold a row back.
    private(set) var firm = 0

    init(_ labels: Int) {
        self.labels = labels
        counts = Array(repeating: 0, count: labels * labels)
    }

    var changed: Int { counts.reduce(0, +) }
    var rate: Double { Double(changed) / Double(max(tested, 1)) }
    func count(from: Int, to: Int) -> Int { counts[from * labels + to] }

    /// Whether a row differs from its neighbours.
    static func differs(_ vote: (label: Int, count: Int), own: Int) -> Bool {
        vote.label != own && vote.count >= LabelNeighbours.flagAgreement
    }

    mutating func add(_ vote: (label: Int, count: Int), own: Int) {
        tested += 1
        guard Self.differs(vote, own: own) else { return }
        counts[vote.label * labels + own] += 1
        if vote.count >= LabelNeighbours.holdAgreement { firm += 1 }
    }
}
