import Sketches

/// The labels of the rows that serve as neighbours.
struct RowLabels: Sendable {
    /// The different labels, as codes, ascending.
    let labels: [UInt64]
    /// For each row, the index of its label in `labels`.
    let places: [Int]
}

/// The nearest rows of a baseline, by one of two measures of similarity.
enum NeighbourView: Sendable {
    /// By measures and categories.
    case fields(LabelNeighbours)
    /// By the words of their text.
    case words(WordNeighbours)

    /// The different labels, as codes.
    var labels: [UInt64] {
        switch self {
        case .fields(let neighbours): neighbours.rows.labels
        case .words(let neighbours): neighbours.rows.labels
        }
    }

    var isText: Bool { if case .words = self { true } else { false } }

    /// The index of the most frequent label among the neighbours, and its count.
    func vote(_ row: LabelledRow) -> (label: Int, count: Int) {
        switch self {
        case .fields(let neighbours): neighbours.vote(row.numbers, row.codes)
        case .words(let neighbours): neighbours.vote(row.tokens)
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
