import Glibc
import Sketches

/// The nearest rows of a baseline by their text: words are weighted by their information about the label.
///
/// A word's weight is the divergence of the label distribution of its rows from that of all rows. The similarity of two
/// rows is the weight of the words that they share, divided by the length of the baseline's row. The weights are learnt
/// from the rows that serve as neighbours, so the rate at which honest rows disagree is measured on other rows.
struct WordNeighbours: Sendable {
    /// Most rows that serve as neighbours.
    static let rowsMax = 4096
    /// Words in a larger share of the rows are ignored.
    private static let shareMax = 0.6
    /// The probability of using a word without information: there are many rare words, and each seems to have some.
    private static let alpha = 1e-3
    /// A word with less information than this (in nats) is ignored.
    private static let weightMin = 0.02

    /// The index of each word, which gives its weight and its list of rows.
    private(set) var places: [UInt32: Int32] = [:]
    private(set) var weights: [Float] = []
    private(set) var starts: [Int32] = []
    private(set) var postings: [Int32] = []
    /// The reciprocal of each row's length.
    private(set) var scales: [Float] = []
    /// The labels of the rows.
    let rows: RowLabels

    /// nil without a label, with fewer than two labels, or with too few rows.
    init?(_ sample: RowSample, label: Int) {
        var seen: [UInt64: Int] = [:]
        var rows: [Int] = []
        // Every other row; the others measure how often honest rows disagree.
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

    /// Chooses the words with information about the label.
    private mutating func weigh(_ sample: RowSample, _ rows: [Int], _ priors: [Double]) {
        let (count, labelOf) = (self.rows.labels.count, self.rows.places)
        var words = ItemIndex(expecting: 2 * rows.count)
        var counts: [Int32] = []
        for (index, row) in rows.enumerated() {
            for token in sample.tokens(of: row) {
                let place = words.insert(UInt64(token))
                if place * count == counts.count { counts.append(contentsOf: repeatElement(0, count: count)) }
                counts[place * count + labelOf[index]] += 1
            }
        }
        let critical = Significance.chiSquareCritical(Self.alpha, count - 1)
        for (place, word) in words.items.enumerated().sorted(by: { $0.element < $1.element }) {
            let mine = counts[place * count..<(place + 1) * count]
            let total = mine.total
            guard Double(total) <= Self.shareMax * Double(rows.count) else { continue }
            var (weight, statistic) = (0.0, 0.0)
            for (label, found) in mine.enumerated() {
                // Two pseudo-rows with the label distribution of all rows are added: a word in three rows says little.
                let p = (Double(found) + 2 * priors[label]) / (Double(total) + 2)
                weight += p * log(p / priors[label])
                let expected = Double(total) * priors[label]
                if found > 0 { statistic += 2 * Double(found) * log(Double(found) / expected) }
            }
            guard weight >= Self.weightMin, statistic > critical else { continue }
            places[UInt32(word)] = Int32(weights.count)
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
            // So a row with few informative words is not closer to all others because of that.
            scales.append(1 / (length + 0.5).squareRoot())
        }
        starts.append(0)
        for list in lists {
            postings += list
            starts.append(Int32(postings.count))
        }
    }

    /// The vote of a row's neighbours: the index of the most frequent label, and its count; none if too few rows share
    /// an informative word with it.
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

    /// The votes on rows of the baseline that do not serve as neighbours.
    func heldOutVotes(_ sample: RowSample, label: Int, _ limit: Int) -> [(own: Int, vote: (label: Int, count: Int))] {
        var out: [(own: Int, vote: (label: Int, count: Int))] = []
        for row in stride(from: 1, to: sample.count, by: 2) where out.count < limit {
            guard let own = rows.labels.firstIndex(of: sample.codes[row * sample.codeWidth + label]) else { continue }
            out.append((own, vote(sample.tokens(of: row))))
        }
        return out
    }
}
