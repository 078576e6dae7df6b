import Tabular

/// The check of a batch's labels by the neighbours of its rows (k nearest neighbours, Paudice, Muñoz-González, Lupu
/// 2018).
package struct LabelCheck: Sendable {
    /// A change of label that happens more often than in the baseline: where the rows' neighbours say `from`, the batch
    /// says `to`.
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
    func judge(_ row: LabelledRow, label: Int) -> Judgement {
        let own = row.code(label)
        guard let mine = view.labels.firstIndex(of: own) else { return .undecided }
        let vote = view.vote(row)
        guard vote.count >= LabelNeighbours.flagAgreement else { return .undecided }
        if vote.label == mine { return .agrees }
        let isKnown = flips.contains { $0.to == own && $0.from == view.labels[vote.label] }
        let isHeld =
            isKnown || isExcessive || vote.count >= LabelNeighbours.holdAgreement && holdRate <= Self.holdRateMax
        return .differs(isHeld ? .quarantined : .flagged, agreed: vote.count)
    }
}
