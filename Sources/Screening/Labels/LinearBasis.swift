import Glibc
import Sketches

/// A linear model of the labels, learnt from the accepted batches, with its accuracy there.
struct LinearBasis: Sendable {
    let features: LinearFeatures
    let model: LinearModel
    /// The labels, as codes.
    let labels: [UInt64]
    /// Number of rows that it was learnt from.
    let rows: Int
    /// The estimated share of changed labels in accepted batches, and for each batch the lower bound of its own
    /// estimate if that is larger.
    let usual: Double, shares: [Double]
    /// The variation of these shares between batches, beyond sampling.
    let spread: Double
    /// The share of honest rows that the model doubts.
    let doubtRate: Double

    /// Most rows that it learns from, over all batches, and the fewest if rows are very wide.
    private static let rowsMax = 2048, rowsLeast = 512, workMax = 600_000
    /// Most weights of a model.
    private static let weightsMax = 1 << 16
    /// Fewest rows of a group of batches; small files are pooled.
    private static let groupMin = 100
    /// Number of parts of the batches that are left out in turn.
    private static let folds = 3
    static let passes = 4
    private static let step: Float = 0.5, ownStep: Float = 0.3
    /// The share of guessing's errors that a model may leave.
    private static let margin = 0.7
    /// The share of changed labels that single rows are judged by.
    static let usualShare = 0.01
    /// A row is doubted if its label was changed with at least this probability.
    static let doubtMin = 0.9

    /// nil without a label, without features that predict labels, or with too few rows or batches.
    init?(_ batches: [Baseline.Part], _ screened: ScreenedFields, _ forms: [ColumnForm]) {
        guard let label = screened.label, forms.count == screened.numberCount + screened.categories.count else {
            return nil
        }
        let groups = Self.groups(batches, label: label)
        guard groups.count >= Self.folds else { return nil }
        // The second pass does not read the lengths of texts again.
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
        // Very wide rows cost as much as many rows.
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
        // Variation that sampling explains is no difference between batches.
        shares = estimates.map { max(usual, $0.range.lowerBound) }
        spread = max(1, (8 + squares) / (8 + Double(groups.count))).squareRoot()
        let doubted = all.count {
            FlipEstimate.chance($0, share: Self.usualShare, labels: kinds) >= Self.doubtMin
        }
        doubtRate = Double(doubted) / Double(all.count)
    }

    /// For each batch, the probabilities of its rows' own labels by a model of the other batches; nil if the models
    /// predict little better than the most frequent label.
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
            // A third of the batches suffices to show that labels are unrelated to the features.
            let limit = fold == folds - 1 ? margin : (1 + margin) / 2
            guard Double(wrong) <= limit * Double(tested - (counts.max() ?? 0)) else { return nil }
        }
        return given
    }

    /// The labelled rows of the batches, oldest first.
    private static func groups(_ batches: [Baseline.Part], label: Int) -> [[(row: LabelledRow, label: UInt64)]] {
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

    /// The mean number of features of a row.
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

    /// One row of each group in turn, since rows of one batch are similar.
    private static func interleaved(_ groups: [[Int]]) -> [Int] {
        var made: [Int] = []
        for place in 0..<(groups.map(\.count).max() ?? 0) {
            for group in groups where place < group.count { made.append(group[place]) }
        }
        return made
    }

    /// The model's judgement of one batch's labels, which takes into account what the batch's other rows explain.
    ///
    /// Prices and products change, so a model of earlier batches is wrong about whole groups of rows of an honest
    /// batch. A model that continues to learn from half of the rows then prefers the labels of the other half; it does
    /// not prefer labels that were changed here and there.
    struct Explained {
        /// The probability of each row's own label.
        private(set) var given: [Double]
        /// Rows for which the original model prefers another label.
        private(set) var wrong = 0
        /// The models that continued to learn from either half of the rows.
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

        /// The probability of a label: the larger one if all of the batch's own models prefer it.
        static func given(_ first: [Double], _ others: [[Double]], _ label: Int) -> Double {
            guard others.allSatisfy({ prefers($0, label) }) else { return first[label] }
            return max(first[label], others.map { $0[label] }.min() ?? 0)
        }

        private static func prefers(_ shares: [Double], _ label: Int) -> Bool {
            shares.allSatisfy { $0 <= shares[label] }
        }
    }
}
