import Glibc
import Sketches
import Tabular

/// What a linear model learnt from the accepted batches, and how far its word can be trusted there (FEATURES 7.5).
struct LinearBasis: Sendable {
    let features: LinearFeatures
    let model: LinearModel
    /// The labels, as codes.
    let labels: [UInt64]
    /// Rows that it was learnt from.
    let rows: Int
    /// The share of changed labels that rows of accepted batches seem to have, and of each batch what it has at least, if that is more.
    let usual: Double, shares: [Double]
    /// How much more the batches differ in it than chance makes of one law.
    let spread: Double
    /// The share of honest rows that the model doubts.
    let doubtRate: Double

    /// Rows that it learns from, of all batches together, and fewer of very wide ones.
    private static let rowsMax = 2048, rowsLeast = 512, workMax = 600_000
    /// Weights of a model at most.
    private static let weightsMax = 1 << 16
    /// Rows of a group of batches that are known one by one: small files stand together.
    private static let groupMin = 100
    /// Parts of the batches that are left out in turn.
    private static let folds = 3
    static let passes = 4
    private static let step: Float = 0.5, ownStep: Float = 0.3
    /// The share of what guessing leaves wrong that may be left wrong.
    private static let margin = 0.7
    /// The share of changed labels by which a single row is judged.
    static let usualShare = 0.01
    /// A row is doubted when its label was changed with this chance.
    static let doubtMin = 0.9

    /// nil without a label, without anything that tells labels apart, or with too few rows or batches.
    init?(_ batches: [Baseline.Batch], _ screened: ScreenedFields, _ forms: [ColumnForm]) {
        guard let label = screened.label, forms.count == screened.numberCount + screened.categories.count else {
            return nil
        }
        let groups = Self.groups(batches, label: label)
        guard groups.count >= Self.folds else { return nil }
        // Lengths of texts are not read again in the second pass.
        let numbers = screened.fields.indices.filter { !forms[$0].isLeftOut && forms[$0] != .constant }
        let codes = screened.categories.indices.filter { place in
            place != label && place != screened.annotator && place != screened.source
                && [.category, .unknown].contains(forms[screened.numberCount + place])
        }
        var chosen = groups.map { $0.prefix(max(1, Self.rowsMax / groups.count)) }
        labels = Set(chosen.flatMap { $0.map(\.label) }).sorted()
        let kinds = labels.count
        guard kinds >= 2, kinds <= Triggers.labelsMax else { return nil }
        features = LinearFeatures(
            chosen.flatMap { $0.map(\.row) }, numbers: numbers, codes: codes, most: Self.weightsMax / kinds)
        guard features.count > 1 else { return nil }
        // Very wide rows cost as much as many.
        let most = max(Self.rowsLeast, min(Self.rowsMax, Self.workMax / max(1, Self.width(chosen, features) * kinds)))
        chosen = chosen.map { $0.prefix(max(1, most / groups.count)) }
        var list = LinearRows()
        var places: [[Int]] = []
        for group in chosen {
            places.append(Array(list.count..<list.count + group.count))
            for each in group { list.append(each.row, features, label: labels.firstIndex(of: each.label) ?? 0) }
        }
        rows = list.count
        guard rows >= 50 * kinds || rows >= 1000, rows >= 200 else { return nil }
        let nothing = LinearModel(features: features.count, labels: kinds)
        guard let given = Self.leftOut(list, places, from: nothing) else { return nil }
        model = LinearModel(list, Self.interleaved(places), passes: Self.passes, step: Self.step, from: nothing)
        let all = given.flatMap { $0 }
        let usual = FlipEstimate(all, labels: kinds).share + 0.5 / Double(all.count)
        let estimates = given.map { FlipEstimate($0, labels: kinds) }
        let squares = zip(estimates, given).reduce(0.0) { sum, pair in
            let distance = pair.0.distance(pair.1, from: usual, labels: kinds)
            return sum + distance * distance
        }
        self.usual = usual
        // What chance explains of a few rows' estimate is no difference between batches.
        shares = estimates.map { max(usual, $0.range.lowerBound) }
        spread = max(1, (8 + squares) / (8 + Double(groups.count))).squareRoot()
        let doubted = all.count {
            FlipEstimate.chance($0, share: Self.usualShare, labels: kinds) >= Self.doubtMin
        }
        doubtRate = Double(doubted) / Double(all.count)
    }

    /// For each batch the probabilities of its rows' own labels by a model of the others; nil where the models know little more than which
    /// label is the most frequent.
    private static func leftOut(_ list: LinearRows, _ places: [[Int]], from nothing: LinearModel) -> [[Double]]? {
        var given = [[Double]](repeating: [], count: places.count)
        var counts = [Int](repeating: 0, count: nothing.labels)
        var (wrong, tested) = (0, 0)
        for fold in 0..<folds {
            let order = interleaved(places.indices.filter { $0 % folds != fold }.map { places[$0] })
            let model = LinearModel(list, order, passes: passes, step: step, from: nothing)
            for group in places.indices where group % folds == fold {
                let own = Explained(model, list, places[group])
                given[group] = own.given
                wrong += own.wrong
                tested += places[group].count
                for row in places[group] { counts[list.labels[row]] += 1 }
            }
            // A third of the batches shows where labels have nothing to do with the rest.
            let limit = fold == folds - 1 ? margin : (1 + margin) / 2
            guard Double(wrong) <= limit * Double(tested - (counts.max() ?? 0)) else { return nil }
        }
        return given
    }

    /// The labelled rows of the batches, oldest first.
    private static func groups(_ batches: [Baseline.Batch], label: Int) -> [[(row: LabelledRow, label: UInt64)]] {
        var groups: [[(row: LabelledRow, label: UInt64)]] = []
        var isOpen = false
        let most = max(2 * groupMin, 2 * rowsMax / max(batches.count, 1))
        for batch in batches {
            var found: [(row: LabelledRow, label: UInt64)] = []
            LabelledRow.forEach(batch.sample, batch.texts, most: most) { row, _ in
                let code = row.codes[row.codes.startIndex + label]
                if code != 0, code != Baseline.unseen { found.append((row, code)) }
            }
            if isOpen, let last = groups.indices.last { groups[last] += found } else { groups.append(found) }
            isOpen = (groups.last?.count ?? 0) < groupMin
        }
        if isOpen, groups.count > 1 {
            let last = groups.removeLast()
            groups[groups.count - 1] += last
        }
        return groups
    }

    /// Features of a row, in the mean over some rows.
    private static func width(_ groups: [ArraySlice<(row: LabelledRow, label: UInt64)>], _ features: LinearFeatures)
        -> Int
    {
        var (found, rows) = (0, 0)
        for group in groups {
            for each in group.prefix(10) {
                features.forEach(each.row) { _, _ in found += 1 }
                rows += 1
            }
        }
        return found / max(rows, 1)
    }

    /// A row of each group, then the next of each: rows of one batch are alike.
    private static func interleaved(_ groups: [[Int]]) -> [Int] {
        var made: [Int] = []
        for place in 0..<(groups.map(\.count).max() ?? 0) {
            for group in groups where place < group.count { made.append(group[place]) }
        }
        return made
    }

    /// What a model makes of the labels of one batch's rows, with what the batch's other rows explain.
    ///
    /// Prices and products move, so a model of earlier batches is wrong about whole groups of a lawful batch's rows. A model that goes on
    /// to learn from half of the rows then prefers the labels of the other half; labels that were changed here and there it does not.
    struct Explained {
        /// The probability of each row's own label.
        private(set) var given: [Double]
        /// Rows of which the model itself prefers another label.
        private(set) var wrong = 0
        /// The model, gone on with the rows of either half.
        private(set) var own: [LinearModel]

        init(_ model: LinearModel, _ list: LinearRows, _ rows: [Int]) {
            given = []
            own = (0..<2).map { half in
                let order = rows.indices.filter { $0 % 2 != half }.prefix(LinearBasis.rowsMax / 2).map { rows[$0] }
                return LinearModel(
                    list, order, passes: LinearBasis.passes, step: LinearBasis.ownStep, from: model)
            }
            for (index, row) in rows.enumerated() {
                let label = list.labels[row]
                let first = model.probabilities(list, row)
                if !Self.prefers(first, label) { wrong += 1 }
                given.append(Self.given(first, [own[index % 2].probabilities(list, row)], label))
            }
        }

        /// The probability of a label: the larger one where all of the batch's own models prefer it.
        static func given(_ first: [Double], _ others: [[Double]], _ label: Int) -> Double {
            guard others.allSatisfy({ prefers($0, label) }) else { return first[label] }
            return max(first[label], others.map { $0[label] }.min() ?? 0)
        }

        private static func prefers(_ shares: [Double], _ label: Int) -> Bool {
            shares.allSatisfy { $0 <= shares[label] }
        }
    }
}

extension LabelledRow {
    /// The rows of a sample with what stands in their text, in the order of their ranks, and the place of each.
    static func forEach(
        _ sample: RowSample, _ texts: RowSample, most: Int, _ body: (LabelledRow, _ place: Int) -> Void
    ) {
        var text = 0
        for row in 0..<min(sample.count, most) {
            while text < texts.count, texts.ranks[text] < sample.ranks[row] { text += 1 }
            let hasText = text < texts.count && texts.ranks[text] == sample.ranks[row]
            body(
                LabelledRow(
                    numbers: sample.numbers(of: row), codes: sample.codes(of: row),
                    tokens: hasText ? texts.tokens(of: text) : []), row)
        }
    }
}

/// What a linear model says of the labels of a batch: the second voter beside the neighbours (FEATURES 7.5).
///
/// Neighbours need many rows that are alike, so in a batch of some hundred rows they see a changed label rarely. The model weighs
/// everything that a row has, and its word for all rows together is an estimate of how many labels were changed.
package struct LinearCheck: Sendable {
    /// How a row becomes features.
    let features: LinearFeatures
    /// The model of the accepted batches, then those that went on with either half of this one.
    let models: [LinearModel]
    /// The labels, as codes.
    let labels: [UInt64]
    /// The share of changed labels by which rows are judged: the estimated one where the batch has too many.
    let share: Double
    /// Whether the batch has more changed labels than accepted batches seem to have: then each that is likely one is held.
    let isExcessive: Bool
    /// The share of honest rows that the model doubts.
    let doubtRate: Double
    /// Whether rows are looked at one by one in the second pass.
    let judgesRows: Bool
    /// The test of the whole batch.
    let tests: [BatchTest]

    /// Whether what stands in the text is asked.
    var readsWords: Bool { !features.words.isEmpty }

    /// Where a share below this changes, nothing is held: rows that nobody reads twice.
    private static let shareMin = 0.005
    /// Rows that must seem changed.
    private static let rowsMin = 4.0
    /// The label tests share the budget with nobody: FEEDS 4.
    private static let alpha = BatchTest.budget / 40
    /// A label that has this probability is confirmed.
    private static let confirmedMin = 0.9

    /// Tests a sample of the batch; nil where none of its labels is known.
    ///
    /// - Parameters:
    ///   - rows: the rows of the whole batch.
    ///   - held: the ranks of rows that are held for something else, and count for nothing here.
    static func make(
        _ basis: LinearBasis, _ profile: Profile, _ screened: ScreenedFields, without held: Set<UInt64>
    ) -> LinearCheck? {
        guard let label = screened.label else { return nil }
        let kinds = basis.labels.count
        var list = LinearRows()
        let (sample, texts) = (profile.sample, profile.texts)
        LabelledRow.forEach(sample, texts, most: LabelCheck.testedMax) { row, place in
            guard let own = basis.labels.firstIndex(of: row.codes[row.codes.startIndex + label]),
                !held.contains(sample.ranks[place])
            else { return }
            list.append(row, basis.features, label: own)
        }
        guard list.count >= ModifiedZ.rowsMin else { return nil }
        let explained = LinearBasis.Explained(basis.model, list, Array(0..<list.count))
        let found = FlipEstimate(explained.given, labels: kinds)
        let line = Self.line(basis)
        let degrees = 8 + basis.shares.count - 1
        let critical =
            Significance.studentCritical(alpha, degrees) * basis.spread
            * (1 + 1 / Double(basis.shares.count)).squareRoot()
        let isMany = found.share * Double(list.count) >= rowsMin
        var test = BatchTest(
            code: .labelFlipExcess, field: screened.categories[label],
            statistic: isMany ? found.distance(explained.given, from: basis.usual, labels: kinds) : 0,
            critical: critical, effect: found.share, warn: line, hold: line, count: list.count, basis: basis.rows)
        test.range = found.range
        let isExcessive = test.outcome >= .quarantined
        return LinearCheck(
            features: basis.features, models: [basis.model] + explained.own, labels: basis.labels,
            share: isExcessive ? found.share : LinearBasis.usualShare, isExcessive: isExcessive,
            doubtRate: basis.doubtRate, judgesRows: isExcessive || profile.rows <= LabelCheck.testedMax, tests: [test])
    }

    /// The estimated share beyond which a batch has more changed labels than accepted ones seem to have: their spread, with a prior worth
    /// four batches that differ by 0.3 %.
    private static func line(_ basis: LinearBasis) -> Double {
        let count = Double(basis.shares.count)
        let squares = basis.shares.reduce(0) { $0 + ($1 - basis.usual) * ($1 - basis.usual) }
        let spread = ((4 * 0.003 * 0.003 + squares) / (4 + count)).squareRoot()
        let reach = Significance.studentCritical(alpha, 4 + basis.shares.count - 1) * spread
        return max(basis.usual + reach, 1.2 * (basis.shares.max() ?? basis.usual), basis.usual + shareMin)
    }

    /// What the model makes of a row's label; doubts say which label it prefers.
    enum Judgement: Equatable {
        /// The label was changed more likely than not, and by how much.
        case doubted(chance: Double)
        /// The label is the one to expect.
        case confirmed
        /// Neither.
        case undecided
    }

    /// What the model makes of a row's label.
    func judge(_ row: LabelledRow, label: Int) -> Judgement {
        guard let own = labels.firstIndex(of: row.codes[row.codes.startIndex + label]) else { return .undecided }
        var list = LinearRows()
        list.append(row, features, label: own)
        let found = models.map { $0.probabilities(list, 0) }
        // By the accepted batches alone: a batch's own rows explain what is unusual, and confirm nothing.
        if found[0][own] >= Self.confirmedMin { return .confirmed }
        let given = LinearBasis.Explained.given(found[0], Array(found.dropFirst()), own)
        let chance = FlipEstimate.chance(given, share: share, labels: labels.count)
        return chance >= LinearBasis.doubtMin ? .doubted(chance: chance) : .undecided
    }
}
