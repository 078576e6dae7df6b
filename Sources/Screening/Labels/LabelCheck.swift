import Tabular

/// The check of a batch's labels by the neighbours of its rows (k nearest neighbours, Paudice, Muñoz-González, Lupu
/// 2018).
package struct LabelCheck: Sendable {
    /// A change of label that is more frequent than in the baseline: the neighbours of the rows have the label `from`,
    /// the batch has `to`.
    package struct Flip: Sendable, Equatable {
        /// The label of the neighbours, and that of the batch, as codes.
        package var from: UInt64, to: UInt64
        /// Number of tested rows with this change, and number of rows of the baseline with it.
        package var count: Int, before: Int
    }

    let view: NeighbourView
    /// Number of the batch's rows that were tested, and of rows of the baseline that were tested against each other.
    let tested: Int, basis: Int
    /// Tested rows of the batch whose neighbours agree on another label, and those with the most frequent change of
    /// label.
    var changed = 0, mostChanged = 0
    /// Shares of honest rows whose neighbours agree on another label: the stated false-alarm rates.
    let flagRate: Double, holdRate: Double
    /// Changes that are more frequent than in the baseline.
    let flips: [Flip]
    /// Tests of the whole batch.
    let tests: [BatchTest]
    /// Annotators and suppliers whose labels differ far more often than those of the others: index among the codes,
    /// code.
    let blamed: [(place: Int, code: UInt64)]
    /// Whether significantly more rows differ than honest ones do, whatever their labels, or the linear model found too
    /// many changed labels: then each row that differs is held back.
    private(set) var isExcessive: Bool
    /// Whether the second pass judges single rows.
    private(set) var judgesRows: Bool

    /// Most rows that are tested for the batch as a whole, and most rows of the baseline that are tested against each
    /// other.
    static let testedMax = 4096
    /// If honest rows disagree more often than this, the features do not predict the label.
    static let flagRateMax = 0.2
    /// A single row is held back only if that happens to fewer honest rows than this.
    static let holdRateMax = 0.005

    /// Why labels were not tested.
    enum Untested: String {
        case noLabels = "too few labelled rows in the baseline"
        case noRelation = "labels cannot be told from the other fields"
    }

    /// The judgement of a row's label by its neighbours.
    enum Judgement {
        /// Enough of them agree on one other label.
        case differs(Outcome, agreed: Int)
        /// Enough of them have the same label.
        case agrees
        /// Neither.
        case undecided
    }

    /// Holds back each row that differs from its neighbours, since the linear model found that the batch has the share
    /// `changed` of changed labels.
    ///
    /// Has no effect if as many honest rows differ from their neighbours.
    mutating func holdRows(changed share: Double) {
        guard flagRate <= share else { return }
        (isExcessive, judgesRows) = (true, true)
    }

    /// The judgement of a row's label by its neighbours.
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
