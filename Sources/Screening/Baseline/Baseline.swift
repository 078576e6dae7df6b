package import Sketches
import Tabular

/// A sample of rows of accepted batches, with the rates of remarks in those batches. Later batches are compared with
/// it.
///
/// Only released rows of accepted batches enter it, so that a poisoned batch does not move its own thresholds.
package struct Baseline: Sendable, Equatable {
    /// Names of the sample's numbers, in order.
    package var features: [String]
    /// Names of the sample's codes, in order.
    package var codes: [String]
    /// Rows of accepted batches: numbers and codes.
    package var sample: RowSample
    /// A smaller sample of the same rows: codes, MinHash signatures, and the tokens of their text.
    package var texts: RowSample
    /// Number of accepted batches that it was made from.
    package var batches: Int
    /// Counts of rows of those batches that detectors flagged, including rows that were held back. The sample lacks
    /// these rows, so rates computed from the sample alone would shrink from batch to batch.
    package var remarks: Remarks
    /// Number of rows of each of these batches, newest last.
    package var sizes: [Int]

    /// The batches that it was merged from, one by one; not part of the stored form.
    package private(set) var history: FeedHistory?

    /// Its summary, if it will be used for several batches; not part of the stored form.
    private(set) var summary: BatchSummary?

    /// Computes the summary once, for all batches that will be compared with it.
    package mutating func summarise() {
        if sample.count >= FeedHistory.rowsMin { summary = BatchSummary(self) }
    }

    /// The rows of those batches, batch by batch, oldest first; not part of the stored form.
    private(set) var parts: [Part] = []

    /// Rows of one accepted batch.
    struct Part: Sendable {
        /// The sample of numbers and codes, and the smaller sample with tokens.
        var sample: RowSample, texts: RowSample
    }

    /// The cumulative sums of slow drift up to this batch, if there is an anchor.
    package var slow: SlowDrift?
    /// Fields whose level begins with this batch, ascending: a person accepted the change, so earlier batches no longer
    /// count for them.
    package var newLevels: [String] = []

    /// The event times of its rows.
    package var clock = BatchClock()

    /// The trigger candidates of each batch, newest first.
    package var marks: [MarkRecord] = []

    /// Whether it is from the supplier whose batch is being judged; not part of the stored form.
    package var isOwn = true

    /// The age of each of its rows; not part of the stored form.
    private(set) var recent = RecentRows()

    /// The history is derived from the merged baselines, so it is not compared.
    package static func == (left: Baseline, right: Baseline) -> Bool {
        left.features == right.features && left.codes == right.codes && left.sample == right.sample
            && left.texts == right.texts && left.batches == right.batches && left.remarks == right.remarks
            && left.sizes == right.sizes && left.slow == right.slow && left.newLevels == right.newLevels
            && left.marks == right.marks && left.clock == right.clock
    }

    /// Rows that are kept of each batch: enough for medians, quantiles and a forest, and few enough to keep twenty
    /// batches.
    package static let capacity = 16_384
    /// Rows that are kept of a batch with this many numbers and codes a row: fewer if rows are very wide.
    package static func capacity(words: Int) -> Int { min(capacity, max(1024, 1 << 21 / max(words, 1))) }
    /// Rows of each batch whose text is kept. A merged baseline keeps this many of each.
    package static let textCapacity = 2048

    /// The baseline of one accepted batch, made from the rows that statistics tested.
    package init(
        features: [String], codes: [String] = [], sample: RowSample, texts: RowSample? = nil, remarks: Remarks
    ) {
        self.features = features
        self.codes = codes
        self.sample = sample
        self.texts = texts ?? RowSample(capacity: Self.textCapacity, width: 0)
        self.batches = 1
        self.remarks = remarks
        sizes = [remarks.tested]
    }

    /// The baseline without codes and texts, from which an anchor's levels are computed.
    package var numbersOnly: Baseline {
        var copy = self
        copy.codes = []
        copy.sample = RowSample(
            capacity: sample.capacity, width: sample.width,
            rows: .init(ranks: sample.ranks, values: sample.values), offered: sample.offered)
        copy.texts = RowSample(capacity: Self.textCapacity, width: 0)
        copy.summary = nil
        return copy
    }

    /// Begins new levels of these fields with this batch: the parts of the history that concern them, and their sums of
    /// slow drift, are dropped.
    package mutating func beginLevels(of fields: Set<String>) {
        newLevels = fields.sorted()
        for (place, name) in features.enumerated() where fields.contains(Self.field(of: name)) {
            guard place < slow?.rises.count ?? 0 else { continue }
            slow?.rises[place] = 0
            slow?.falls[place] = 0
        }
    }

    /// The field of a number's name, which may be the length of a text.
    static func field(of name: String) -> String {
        let mark = "\0length:"
        return name.hasPrefix(mark) ? String(name.dropFirst(mark.count)) : name
    }

    /// The code of a value that was not sampled; a missing value has another code.
    package static let unseen = UInt64.max

    /// The same rows with these numbers and codes; a feature that was not sampled is missing in every row. nil if
    /// `names` is not empty and none of them was sampled.
    package func projected(onto names: [String], codes wanted: [String] = []) -> Baseline? {
        if names == features, wanted == codes { return self }
        let sources = names.map { features.firstIndex(of: $0) }
        let codeSources = wanted.map { codes.firstIndex(of: $0) }
        if sources.allSatisfy({ $0 == nil }), codeSources.allSatisfy({ $0 == nil }) { return nil }
        func projected(_ sample: RowSample, numbers: [Int?], keepsRest: Bool) -> RowSample {
            let rest = keepsRest ? sample.codeWidth - codes.count : 0
            var made = RowSample(
                capacity: sample.capacity, width: numbers.count, codeWidth: codeSources.count + max(rest, 0))
            var (row, words): ([Double], [UInt64]) = ([], [])
            for index in 0..<sample.count {
                row.removeAll(keepingCapacity: true)
                words.removeAll(keepingCapacity: true)
                for source in numbers { row.append(source.map { sample.values[index * sample.width + $0] } ?? .nan) }
                let first = index * sample.codeWidth
                for source in codeSources { words.append(source.map { sample.codes[first + $0] } ?? Self.unseen) }
                words += sample.codes[(first + codes.count)..<(first + codes.count + max(rest, 0))]
                made.append(rank: sample.ranks[index], row, codes: words, tokens: Array(sample.tokens(of: index)))
            }
            return RowSample(
                capacity: sample.capacity, width: made.width, codeWidth: made.codeWidth,
                rows: .init(
                    ranks: made.ranks, values: made.values, codes: made.codes, tokens: made.tokens,
                    tokenEnds: made.tokenEnds),
                offered: sample.offered)
        }
        var copy = self
        copy.features = names
        copy.codes = wanted
        // Its columns differ, so the history no longer applies.
        (copy.history, copy.parts, copy.summary) = (nil, [], nil)
        copy.sample = projected(sample, numbers: sources, keepsRest: false)
        copy.texts = texts.count == 0 ? texts : projected(texts, numbers: [], keepsRest: true)
        return copy
    }

    /// The union of several accepted batches' baselines, newest first. Baselines with other features than the first are
    /// left out. nil if there is none.
    ///
    /// All at once, since sorting after each addition would cost a daemon more than a small batch does.
    package static func merged(_ parts: [Baseline]) -> Baseline? {
        guard var made = parts.first else { return nil }
        let others = parts.dropFirst().filter { $0.features == made.features && $0.codes == made.codes }
        let all = [made] + others
        made.history = FeedHistory(all.reversed())
        made.recent = RecentRows(all.filter(\.isOwn))
        made.parts = all.reversed().map { Part(sample: $0.sample, texts: $0.texts) }
        made.summary = nil
        if others.isEmpty { return made }
        // Under a contract with other columns, other numbers of rows were kept.
        made.sample = RowSample.union(all.map(\.sample), capacity: all.map(\.sample.capacity).max() ?? 0)
        // As many texts of each batch as were kept, however many batches there are.
        let texts = all.map(\.texts).filter { $0.count > 0 }
        if let width = texts.first?.codeWidth {
            let same = texts.filter { $0.codeWidth == width }
            made.texts = RowSample.union(same, capacity: same.reduce(0) { $0 + $1.capacity })
        }
        for other in others {
            made.batches += other.batches
            made.sizes += other.sizes
            made.remarks.merge(other.remarks)
            made.marks += other.marks
        }
        made.slow = nil
        return made
    }

    /// The same rows, with the numbers of these columns missing.
    func blanking(_ columns: Set<Int>) -> Baseline {
        if columns.isEmpty { return self }
        var copy = self
        copy.sample = sample.blanking(columns)
        copy.summary = nil
        return copy
    }
}
