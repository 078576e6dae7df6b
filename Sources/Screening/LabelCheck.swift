import Glibc
import Sketches
import Tabular

/// The nearest rows of a baseline, by what a row is looked at.
enum NeighbourView: Sendable {
    /// By measures and categories.
    case fields(LabelNeighbours)
    /// By what stands in the text.
    case words(WordNeighbours)

    var labels: [UInt64] {
        switch self {
        case .fields(let neighbours): neighbours.labels
        case .words(let neighbours): neighbours.labels
        }
    }

    var isText: Bool { if case .words = self { true } else { false } }

    /// The place of the label that most neighbours have, and how many have it.
    func vote(_ numbers: ArraySlice<Double>, _ codes: ArraySlice<UInt64>, _ tokens: ArraySlice<UInt32>) -> (
        label: Int, count: Int
    ) {
        switch self {
        case .fields(let neighbours): neighbours.vote(numbers, codes)
        case .words(let neighbours): neighbours.vote(tokens)
        }
    }

    /// The votes on rows of the baseline itself.
    func honestVotes(_ baseline: RowSample, label: Int, _ limit: Int) -> [(own: Int, vote: (label: Int, count: Int))] {
        switch self {
        case .fields(let neighbours): neighbours.selfVotes(limit)
        case .words(let neighbours): neighbours.heldOutVotes(baseline, label: label, limit)
        }
    }
}

/// What the neighbours of a batch's rows say about its labels (FEATURES 7.5).
package struct LabelCheck: Sendable {
    /// A change of label that happens more often than in the baseline: where the rows' neighbours say `from`, the batch says
    /// `to`.
    package struct Flip: Sendable, Equatable {
        /// The label that the neighbours have, and the one that the batch has, as codes.
        package var from: UInt64, to: UInt64
        /// Rows of the test, and rows of the baseline that disagree so with their neighbours.
        package var count: Int, before: Int
    }

    let view: NeighbourView
    /// Rows of the batch that were tested, and rows of the baseline that tested themselves.
    let tested: Int, basis: Int
    /// Of the batch's, those whose neighbours agree on another label, and those with the most frequent change of label.
    var changed = 0, mostChanged = 0
    /// Honest rows whose neighbours agree on another label: the stated rate of false alarms.
    let flagRate: Double, holdRate: Double
    /// Changes that are more frequent than before.
    let flips: [Flip]
    /// Tests of the whole batch.
    let tests: [BatchTest]
    /// Annotators and sources whose labels differ far more often than those of the rest: place among the codes, code.
    let blamed: [(place: Int, code: UInt64)]
    /// Whether more rows differ than honest ones do, whatever their labels: then each of them is held.
    let isExcessive: Bool
    /// Whether rows are looked at one by one in the second pass.
    let judgesRows: Bool

    /// Rows tested for the batch as a whole, and rows of the baseline that test themselves.
    static let testedMax = 4096
    /// Where honest rows disagree more often than this, labels cannot be told from the features.
    static let flagRateMax = 0.2
    /// A row is held for itself only where that happens to fewer honest rows than this.
    static let holdRateMax = 0.005

    /// Why labels were not tested.
    enum Untested: String {
        case noLabels = "too few labelled rows in the baseline"
        case noRelation = "labels cannot be told from the other fields"
    }

    /// Tests a sample of the batch against the baseline; nil when the baseline's labels cannot be told by this view.
    ///
    /// - Parameters:
    ///   - rows: the rows of the whole batch.
    ///   - held: the ranks of rows that are held for something else, and count for nothing here.
    static func make(
        _ view: NeighbourView, _ sample: RowSample, _ baseline: RowSample, _ fields: ScreenedFields, rows: Int,
        without held: Set<UInt64>, field: Int, alpha: Double, history: [Baseline.Remarks] = []
    ) -> LabelCheck? {
        guard let label = fields.label else { return nil }
        // Where labels have nothing to do with the rest, a few rows show it.
        let few = view.honestVotes(baseline, label: label, 400)
        guard few.count < 400 || isInformative(few, view.labels.count, margin: 0.7) else { return nil }
        let own = view.honestVotes(baseline, label: label, testedMax)
        var before = Changes(view.labels.count)
        for row in own { before.add(row.vote, own: row.own) }
        guard before.tested >= 200, before.rate <= flagRateMax, isInformative(own, view.labels.count) else {
            return nil
        }
        var now = Changes(view.labels.count)
        let blamable = [fields.annotator, fields.source].compactMap { $0 }
        var all = (tested: 0, differs: 0)
        var byCode = [[UInt64: (rows: Int, differs: Int)]](repeating: [:], count: blamable.count)
        for row in 0..<min(sample.count, testedMax) {
            let codes = sample.codes(of: row)
            guard let mine = view.labels.firstIndex(of: codes[codes.startIndex + label]) else { continue }
            let vote = view.vote(sample.numbers(of: row), codes, sample.tokens(of: row))
            // What is held counts for nothing but against whose hand it is.
            let differs = Changes.differs(vote, own: mine)
            if !held.contains(sample.ranks[row]) { now.add(vote, own: mine) }
            all.tested += 1
            if differs { all.differs += 1 }
            for (index, place) in blamable.enumerated() {
                byCode[index][codes[codes.startIndex + place], default: (0, 0)].rows += 1
                if differs { byCode[index][codes[codes.startIndex + place], default: (0, 0)].differs += 1 }
            }
        }
        let earlier = history.filter { $0.labelled > 0 }
        // Neighbours of accepted batches disagree at their own rates, which vary more than rows drawn of one law would.
        let mostBefore = earlier.map { Double($0.targeted) / Double($0.labelled) }.max()
        let line =
            earlier.isEmpty
            ? 0
            : BetweenBatches.rateLine(
                earlier.map { ($0.flipped, $0.labelled) }, count: now.tested, alpha: alpha, floor: 0.01, factor: 1.5,
                prior: 8)
        var (flips, tests) = compare(now, before, view.labels, field, alpha, mostBefore: mostBefore)
        let isUsual = !earlier.isEmpty && now.rate <= line
        let p =
            isUsual ? 1 : Significance.excess(now.changed, of: now.tested, before: before.changed, of: before.tested)
        let least = 2 * max(before.rate, 1 / Double(before.tested))
        tests.append(
            BatchTest(
                code: .labelFlipExcess, field: field, statistic: p > 0 ? -log10(p) : 300, critical: -log10(alpha),
                effect: now.rate, warn: least, hold: least, count: now.tested, basis: before.tested))
        var blamed: [(place: Int, code: UInt64)] = []
        for (index, place) in blamable.enumerated() {
            blamed += blame(byCode[index], all: all.differs, tested: all.tested, alpha: alpha).map { (place, $0) }
        }
        // Rows that many neighbours contradict are held one by one while they are few; many are the batch's business, and its tests'.
        let isCommon = !earlier.isEmpty && now.rate > 0.01
        let isAlarm = tests.contains { $0.outcome > .accepted } || !blamed.isEmpty
        flips.sort { ($0.from, $0.to) < ($1.from, $1.to) }
        var made = LabelCheck(
            view: view, tested: now.tested, basis: before.tested, flagRate: before.rate,
            holdRate: isCommon ? 1 : Double(before.firm) / Double(max(before.tested, 1)), flips: flips, tests: tests,
            blamed: blamed, isExcessive: tests.contains { $0.code == .labelFlipExcess && $0.outcome > .accepted },
            judgesRows: isAlarm || rows <= testedMax)
        (made.changed, made.mostChanged) = (now.changed, now.counts.max() ?? 0)
        return made
    }

    /// How often neighbours agree on another label than a row's own.
    private struct Changes {
        /// (Neighbours' label) × (own label).
        private(set) var counts: [Int]
        private let labels: Int
        private(set) var tested = 0
        /// Those that enough agree on to hold a row.
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

    /// The changes that are more than twice as frequent as before, beyond chance.
    private static func compare(
        _ now: Changes, _ before: Changes, _ labels: [UInt64], _ field: Int, _ alpha: Double, mostBefore: Double?
    ) -> ([Flip], [BatchTest]) {
        var flips: [Flip] = []
        var tests: [BatchTest] = []
        let share = alpha / Double(labels.count * (labels.count - 1))
        for from in labels.indices {
            for to in labels.indices where from != to {
                let (k, k0) = (now.count(from: from, to: to), before.count(from: from, to: to))
                let p = Significance.excess(k, of: now.tested, before: k0, of: before.tested)
                let rate = Double(k) / Double(max(now.tested, 1))
                let least = 2 * Double(max(k0, 1)) / Double(before.tested)
                guard k >= 5, p < share, rate > least else { continue }
                if let mostBefore {
                    guard k >= 8, rate > max(0.015, 1.5 * mostBefore) else { continue }
                }
                flips.append(Flip(from: labels[from], to: labels[to], count: k, before: k0))
                tests.append(
                    BatchTest(
                        code: .targetedFlip, field: field, statistic: p > 0 ? -log10(p) : 300,
                        critical: -log10(share), effect: rate, warn: least, hold: least, count: now.tested,
                        basis: before.tested))
            }
        }
        return (flips, tests)
    }

    /// Whether neighbours know more than the most frequent label.
    ///
    /// - Parameter margin: the share of what guessing leaves wrong that may be left wrong.
    private static func isInformative(
        _ own: [(own: Int, vote: (label: Int, count: Int))], _ labels: Int, margin: Double = 0.5
    ) -> Bool {
        var counts = [Int](repeating: 0, count: labels)
        for row in own { counts[row.own] += 1 }
        let most = counts.max() ?? 0
        let right = own.count { $0.vote.label == $0.own }
        return Double(own.count - right) <= margin * Double(own.count - most)
    }

    /// Those whose rows differ from their neighbours at more than twice the rate of the others, by Wilson's lower bound, and
    /// beyond chance.
    private static func blame(
        _ rows: [UInt64: (rows: Int, differs: Int)], all: Int, tested: Int, alpha: Double
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

    /// What a row's neighbours make of its label.
    enum Judgement {
        /// Enough of them agree on one other label.
        case differs(Outcome, agreed: Int)
        /// Enough of them have the same.
        case agrees
        /// Neither.
        case undecided
    }

    /// What a row's neighbours make of its label.
    func judge(
        _ numbers: ArraySlice<Double>, _ codes: ArraySlice<UInt64>, _ tokens: ArraySlice<UInt32>, label: Int
    ) -> Judgement {
        let own = codes[codes.startIndex + label]
        guard let mine = view.labels.firstIndex(of: own) else { return .undecided }
        let vote = view.vote(numbers, codes, tokens)
        guard vote.count >= LabelNeighbours.flagAgreement else { return .undecided }
        if vote.label == mine { return .agrees }
        let isKnown = flips.contains { $0.to == own && $0.from == view.labels[vote.label] }
        let isHeld =
            isKnown || isExcessive || vote.count >= LabelNeighbours.holdAgreement && holdRate <= Self.holdRateMax
        return .differs(isHeld ? .quarantined : .flagged, agreed: vote.count)
    }
}
