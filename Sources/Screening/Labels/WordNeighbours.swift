import Glibc
import Sketches

/// The nearest rows of a baseline by what stands in their text: words weighted by what they tell about the label there.
///
/// A word's weight is the divergence of the labels beside it from all labels, and the similarity of two rows the weight
/// of what they share, by the length of the baseline's row. The weights are learnt from the rows that are asked, so how
/// often honest rows disagree is counted with other rows.
struct WordNeighbours: Sendable {
    /// Rows that are asked at most.
    static let rowsMax = 4096
    /// Words that a larger share of the rows have are not looked at.
    private static let shareMax = 0.6
    /// The chance that a word of no meaning is looked at: there are many rare ones, and each seems to tell something.
    private static let alpha = 1e-3
    /// A word that tells less than this (in nats) tells nothing.
    private static let weightMin = 0.02

    /// Weight of each word, and where its rows begin in `postings`.
    private(set) var places: [UInt32: Int32] = [:]
    private(set) var weights: [Float] = []
    private(set) var starts: [Int32] = []
    private(set) var postings: [Int32] = []
    /// One over the length of each row.
    private(set) var scales: [Float] = []
    /// The labels of the rows.
    let rows: RowLabels

    /// nil without a label, without two labels, or with too few rows.
    init?(_ sample: RowSample, label: Int) {
        var seen: [UInt64: Int] = [:]
        var rows: [Int] = []
        // Every other row: those between count how often honest rows disagree.
        for row in stride(from: 0, to: sample.count, by: 2) where rows.count < Self.rowsMax {
            let code = sample.codes[row * sample.codeWidth + label]
            if code == 0 || code == Baseline.unseen || sample.tokens(of: row).isEmpty { continue }
            rows.append(row)
            seen[code, default: 0] += 1
        }
        guard seen.count >= 2, seen.count <= Triggers.labelsMax, rows.count >= 200 else { return nil }
        let labels = seen.keys.sorted()
        self.rows = RowLabels(
            labels: labels,
            places: rows.map { row in labels.firstIndex(of: sample.codes[row * sample.codeWidth + label]) ?? 0 })
        let priors = labels.map { Double(seen[$0] ?? 0) / Double(rows.count) }
        weigh(sample, rows, priors)
        index(sample, rows)
    }

    /// The rows of each word, one list after the other.
    struct Lists {
        /// Where each word's list begins, then the length of all lists.
        var starts: [Int32] = [0]
        var postings: [Int32] = []
    }

    /// Neighbours as they were stored.
    init(places: [UInt32: Int32], weights: [Float], lists: Lists, scales: [Float], rows: RowLabels) {
        (self.places, self.weights) = (places, weights)
        (starts, postings) = (lists.starts, lists.postings)
        (self.scales, self.rows) = (scales, rows)
    }

    /// No neighbours: rows are not judged by them.
    init() {
        self.init(places: [:], weights: [], lists: Lists(), scales: [], rows: RowLabels(labels: [], places: []))
    }

    /// Chooses the words that tell something.
    private mutating func weigh(_ sample: RowSample, _ rows: [Int], _ priors: [Double]) {
        let (count, labelOf) = (self.rows.labels.count, self.rows.places)
        var places: [UInt32: Int] = [:]
        var counts: [Int32] = []
        for (index, row) in rows.enumerated() {
            for token in sample.tokens(of: row) {
                let place = places[token] ?? places.count
                if place == places.count {
                    places[token] = place
                    counts.append(contentsOf: repeatElement(0, count: count))
                }
                counts[place * count + labelOf[index]] += 1
            }
        }
        let critical = Significance.chiSquareCritical(Self.alpha, count - 1)
        // In an order that does not depend on a dictionary's.
        for token in places.keys.sorted() {
            guard let place = places[token] else { continue }
            let mine = counts[place * count..<(place + 1) * count]
            let total = mine.total
            guard Double(total) <= Self.shareMax * Double(rows.count) else { continue }
            var (weight, statistic) = (0.0, 0.0)
            for (label, found) in mine.enumerated() {
                // As if two more rows had been seen with the labels of all: a word of three rows tells little.
                let p = (Double(found) + 2 * priors[label]) / (Double(total) + 2)
                weight += p * log(p / priors[label])
                let expected = Double(total) * priors[label]
                if found > 0 { statistic += 2 * Double(found) * log(Double(found) / expected) }
            }
            guard weight >= Self.weightMin, statistic > critical else { continue }
            self.places[token] = Int32(weights.count)
            weights.append(Float(weight))
        }
    }

    private mutating func index(_ sample: RowSample, _ rows: [Int]) {
        var lists = [[Int32]](repeating: [], count: weights.count)
        for (index, row) in rows.enumerated() {
            var length: Float = 0
            for token in sample.tokens(of: row) {
                guard let place = places[token] else { continue }
                lists[Int(place)].append(Int32(index))
                length += weights[Int(place)]
            }
            // A row of few telling words is no nearer to all for that.
            scales.append(1 / (length + 0.5).squareRoot())
        }
        starts.append(0)
        for list in lists {
            postings += list
            starts.append(Int32(postings.count))
        }
    }

    /// What the neighbours of a row say: the place of the label that most of them have, and how many do; none when too
    /// few share a telling word with it.
    func vote(_ tokens: ArraySlice<UInt32>) -> (label: Int, count: Int) {
        var scores = [Float](repeating: 0, count: rows.places.count)
        for token in tokens {
            guard let place = places[token] else { continue }
            let weight = weights[Int(place)]
            for at in Int(starts[Int(place)])..<Int(starts[Int(place) + 1]) { scores[Int(postings[at])] += weight }
        }
        var nearest: [(score: Float, row: Int)] = []
        var limit: Float = 0
        for row in scores.indices where scores[row] > 0 {
            let score = scores[row] * scales[row]
            if score <= limit { continue }
            let place = nearest.firstIndex { $0.score < score } ?? nearest.count
            nearest.insert((score, row), at: place)
            if nearest.count > LabelNeighbours.asked { nearest.removeLast() }
            if nearest.count == LabelNeighbours.asked { limit = nearest[LabelNeighbours.asked - 1].score }
        }
        guard nearest.count == LabelNeighbours.asked else { return (0, 0) }
        var votes = [Int](repeating: 0, count: rows.labels.count)
        for (_, row) in nearest { votes[rows.places[row]] += 1 }
        let most = votes.max() ?? 0
        return (votes.firstIndex(of: most) ?? 0, most)
    }

    /// The vote on rows of the baseline that are not asked themselves.
    func heldOutVotes(_ sample: RowSample, label: Int, _ limit: Int) -> [(own: Int, vote: (label: Int, count: Int))] {
        var out: [(own: Int, vote: (label: Int, count: Int))] = []
        for row in stride(from: 1, to: sample.count, by: 2) where out.count < limit {
            guard let own = rows.labels.firstIndex(of: sample.codes[row * sample.codeWidth + label]) else { continue }
            out.append((own, vote(sample.tokens(of: row))))
        }
        return out
    }
}
