import Glibc
import Sketches
import Tabular

/// The check of a batch's labels by a linear model, in addition to that by neighbours.
///
/// Neighbours need many similar rows, so in a batch of a few hundred rows they rarely detect a changed label. The model
/// uses all features of a row, and its predictions for all rows together give an estimate of the share of changed
/// labels.
package struct LinearCheck: Sendable {
    /// The conversion of a row to features.
    let features: LinearFeatures
    /// The model of the accepted batches, then those that continued with either half of this batch.
    let models: [LinearModel]
    /// The labels, as codes.
    let labels: [UInt64]
    /// The share of changed labels that single rows are judged by: the estimated one if the batch has too many.
    let share: Double
    /// Whether the batch has more changed labels than accepted batches: then each label that was probably changed is
    /// held back.
    let isExcessive: Bool
    /// The share of honest rows that the model doubts.
    let doubtRate: Double
    /// Whether the second pass judges single rows.
    let judgesRows: Bool
    /// The test of the whole batch.
    let tests: [BatchTest]

    /// Whether words of texts are features.
    var readsWords: Bool { !features.words.isEmpty }

    /// Below this share of changed labels nothing is held back, since rows that nobody reads twice have so many.
    private static let shareMin = 0.005
    /// Fewest rows that must seem changed.
    private static let rowsMin = 4.0
    /// The label tests have a fixed share of the budget, since their number does not depend on other fields.
    private static let alpha = BatchTest.budget / 40
    /// A label with at least this probability is confirmed.
    private static let confirmedMin = 0.9

    /// Tests a sample of the batch; nil if none of its labels is known.
    ///
    /// - Parameters:
    ///   - rows: the rows of the whole batch.
    ///   - held: the ranks of rows that are held back for another reason, and are ignored here.
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
        let distance = isMany ? found.distance(explained.given, from: basis.usual, labels: kinds) : 0
        var test = BatchTest(
            .labelFlipExcess, field: screened.categories[label], chance: .init(distance, beyond: critical),
            effect: .init(found.share, warn: line, hold: line), rows: .init(list.count, before: basis.rows))
        test.range = found.range
        let isExcessive = test.outcome >= .quarantined
        return LinearCheck(
            features: basis.features, models: [basis.model] + explained.own, labels: basis.labels,
            share: isExcessive ? found.share : LinearBasis.usualShare, isExcessive: isExcessive,
            doubtRate: basis.doubtRate, judgesRows: isExcessive || profile.rows <= LabelCheck.testedMax, tests: [test])
    }

    /// The estimated share beyond which a batch has more changed labels than accepted ones: by their spread, with a
    /// prior worth two batches that differ by 0.3 %. With a prior worth four, half a per cent of changed labels was not
    /// found even beside twenty batches.
    private static func line(_ basis: LinearBasis) -> Double {
        let count = Double(basis.shares.count)
        let squares = basis.shares.reduce(0) { $0 + ($1 - basis.usual) * ($1 - basis.usual) }
        let prior = 2
        let spread = ((Double(prior) * 0.003 * 0.003 + squares) / (Double(prior) + count)).squareRoot()
        let reach = Significance.studentCritical(alpha, prior + basis.shares.count - 1) * spread
        return max(basis.usual + reach, 1.2 * (basis.shares.max() ?? basis.usual), basis.usual + shareMin)
    }

    /// The model's judgement of a row's label.
    enum Judgement: Equatable {
        /// The label was probably changed, with this probability.
        case doubted(chance: Double)
        /// The label is the expected one.
        case confirmed
        /// Neither.
        case undecided
    }

    /// The model's judgement of a row's label.
    func judge(_ row: LabelledRow, label: Int) -> Judgement {
        guard let own = labels.firstIndex(of: row.codes[row.codes.startIndex + label]) else { return .undecided }
        var list = LinearRows()
        list.append(row, features, label: own)
        let found = models.map { $0.probabilities(list, 0) }
        // By the accepted batches alone: a batch's own rows may explain an unusual label, but not confirm it.
        if found[0][own] >= Self.confirmedMin { return .confirmed }
        let given = LinearBasis.Explained.given(found[0], Array(found.dropFirst()), own)
        let chance = FlipEstimate.chance(given, share: share, labels: labels.count)
        return chance >= LinearBasis.doubtMin ? .doubted(chance: chance) : .undecided
    }
}
