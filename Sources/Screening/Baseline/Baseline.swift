package import Sketches
import Tabular

/// A sample of rows of accepted batches, and how often those were remarked on: what later batches are judged by.
///
/// Only released rows of accepted batches enter it, so that a poisoned batch does not move its own thresholds.
package struct Baseline: Sendable, Equatable {
    /// Names of the sample's numbers, in order.
    package var features: [String]
    /// Names of the sample's codes, in order.
    package var codes: [String]
    /// Rows of accepted batches: numbers and codes.
    package var sample: RowSample
    /// Fewer of the same rows: codes, MinHash signatures, and the tokens of their text.
    package var texts: RowSample
    /// Accepted batches it was made from.
    package var batches: Int
    /// How often rows of those batches were remarked on, including those that were held back. The sample lacks these,
    /// so the sample alone would promise fewer remarks each time.
    package var remarks: Remarks
    /// Rows of each batch it was made from, newest last.
    package var sizes: [Int]

    /// The batches that it was merged from, each by itself; not part of the stored form.
    package private(set) var history: FeedHistory?

    /// Its summary, where it is kept for several batches; not part of the stored form.
    private(set) var summary: BatchSummary?

    /// Makes the summary once, for all batches that will be compared with it.
    package mutating func summarise() {
        if sample.count >= FeedHistory.rowsMin { summary = BatchSummary(self) }
    }

    /// The rows of those batches, oldest first, each by itself; not part of the stored form.
    private(set) var parts: [Part] = []

    /// Rows of one accepted batch.
    struct Part: Sendable {
        /// Numbers and codes, and the tokens of some of these rows.
        var sample: RowSample, texts: RowSample
    }

    /// How far the batches up to this one add up to a drift away from the anchor, when there is one.
    package var slow: SlowDrift?
    /// Fields whose level begins with this batch, ascending: a person said that a change stays, so earlier batches no
    /// longer count.
    package var newLevels: [String] = []

    /// When its rows happened.
    package var clock = BatchClock()

    /// What each batch showed of marks beside one label, newest first.
    package var marks: [MarkRecord] = []

    /// Whether it is of the supplier whose batch is judged; not part of the stored form.
    package var isOwn = true

    /// Which of its rows came last; not part of the stored form.
    private(set) var recent = RecentRows()

    /// The history follows from what it was merged from, and is not kept.
    package static func == (left: Baseline, right: Baseline) -> Bool {
        left.features == right.features && left.codes == right.codes && left.sample == right.sample
            && left.texts == right.texts && left.batches == right.batches && left.remarks == right.remarks
            && left.sizes == right.sizes && left.slow == right.slow && left.newLevels == right.newLevels
            && left.marks == right.marks && left.clock == right.clock
    }

    /// Rows kept of each batch; enough for medians, quantiles and a forest, small enough to keep twenty.
    package static let capacity = 16_384
    /// Rows kept of a batch with so many numbers and codes a row: fewer where rows are very wide.
    package static func capacity(words: Int) -> Int { min(capacity, max(1024, 1 << 21 / max(words, 1))) }
    /// Rows whose text is kept of each batch; a baseline of many has as many of each.
    package static let textCapacity = 2048

    /// A baseline from one accepted batch, whose rows are those that statistics looked at.
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

    /// Without codes and texts: what an anchor's levels are made of.
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

    /// Begins new levels of these fields here: earlier batches are forgotten, and so are the sums of slow drift.
    package mutating func beginLevels(of fields: Set<String>) {
        newLevels = fields.sorted()
        for (place, name) in features.enumerated() where fields.contains(Self.field(of: name)) {
            guard place < slow?.rises.count ?? 0 else { continue }
            slow?.rises[place] = 0
            slow?.falls[place] = 0
        }
    }

    /// The field that a number is of, which may be a text's length.
    static func field(of name: String) -> String {
        let mark = "\0length:"
        return name.hasPrefix(mark) ? String(name.dropFirst(mark.count)) : name
    }

    /// A code for a value that was never sampled, which is not the same as a missing one.
    package static let unseen = UInt64.max

    /// The same rows over these numbers and codes: a feature that was not sampled is missing in every row. nil when no
    /// number was, and there is one.
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
        // Its columns are others.
        (copy.history, copy.parts, copy.summary) = (nil, [], nil)
        copy.sample = projected(sample, numbers: sources, keepsRest: false)
        copy.texts = texts.count == 0 ? texts : projected(texts, numbers: [], keepsRest: true)
        return copy
    }

    /// The baselines of several accepted batches as one, newest first; those over other features than the first are
    /// left out. nil when there is none.
    ///
    /// All at once, since sorting after each would cost a daemon more than a small batch does.
    package static func merged(_ parts: [Baseline]) -> Baseline? {
        guard var made = parts.first else { return nil }
        let others = parts.dropFirst().filter { $0.features == made.features && $0.codes == made.codes }
        let all = [made] + others
        made.history = FeedHistory(all.reversed())
        made.recent = RecentRows(all.filter(\.isOwn))
        made.parts = all.reversed().map { Part(sample: $0.sample, texts: $0.texts) }
        made.summary = nil
        if others.isEmpty { return made }
        // A contract that had other columns kept other numbers of rows.
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

    /// The same rows without the numbers of these columns.
    func blanking(_ columns: Set<Int>) -> Baseline {
        if columns.isEmpty { return self }
        var copy = self
        copy.sample = sample.blanking(columns)
        copy.summary = nil
        return copy
    }
}
