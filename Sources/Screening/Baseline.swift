package import Sketches
import Tabular

/// What we judge by: a sample of rows that were accepted before, and how often they were remarked on.
///
/// Only released rows of accepted batches ever enter it, so that a poisoned batch does not move its own line.
package struct Baseline: Sendable, Equatable {
    /// Names of the sample's numbers, in order.
    package var features: [String]
    /// Names of the sample's codes, in order.
    package var codes: [String]
    /// Rows of accepted batches: numbers and codes.
    package var sample: RowSample
    /// Fewer of the same rows: codes, signatures, and what stands in their text.
    package var texts: RowSample
    /// Accepted batches it was made from.
    package var batches: Int
    /// How often rows of those batches were remarked on, the ones that were held back included: they are missing in the
    /// sample, so the sample alone would promise fewer remarks each time.
    package var remarks: Remarks
    /// Rows of each batch it was made from, newest last.
    package var sizes: [Int]

    /// The batches that it was merged from, each by itself; not part of the stored form.
    package private(set) var history: FeedHistory?

    /// What later batches are compared with of it, where it is kept for several; not part of the stored form.
    private(set) var summary: BatchSummary?

    /// Sums it up once, for all batches that will be compared with it.
    package mutating func summarise() {
        if sample.count >= FeedHistory.rowsMin { summary = BatchSummary(self) }
    }

    /// The rows of those batches, oldest first, each by itself; not part of the stored form.
    private(set) var parts: [Batch] = []

    /// Rows of one accepted batch.
    struct Batch: Sendable {
        /// Numbers and codes, and of some of these rows what stands in their text.
        var sample: RowSample, texts: RowSample
    }

    /// How far the batches up to this one add up to a drift away from the anchor, when there is one.
    package var slow: SlowDrift?
    /// Fields whose level begins with this batch, ascending: a person said that a change stays, so batches before say nothing of them.
    package var newLevels: [String] = []

    /// When its rows happened.
    package var clock = BatchClock()

    /// What each batch showed of marks beside one label, newest first.
    package var marks: [MarkRecord] = []

    /// Whether it is of the supplier whose batch is judged; not part of the stored form.
    package var isOwn = true

    /// Which of its rows came last; not part of the stored form.
    private(set) var recent = RecentRows()

    /// Rows that statistics looked at in accepted batches, and what they said.
    package struct Remarks: Sendable, Equatable {
        /// Rows that kept the contract.
        package var tested = 0
        /// Of these, rows with a modified z finding.
        package var deviated = 0
        /// Of these, rows with a forest finding.
        package var isolated = 0
        /// Of these, rows whose values do not belong together.
        package var apart = 0
        /// Of these, rows that the forest held back, and so its tail is not in the sample.
        package var withheld = 0
        /// Of these, rows that are copies of others, and rows with a mark beside one label; 0 in baselines from before these were kept.
        package var flooded = 0, triggered = 0
        /// Rows that repeat rows of the batches before; rows whose neighbours were asked about their label, those that had another one, and
        /// those with the most frequent change. 0 in older baselines, too.
        package var copied = 0, labelled = 0, flipped = 0, targeted = 0

        /// Nothing was looked at.
        package init() {}

        /// What a batch's second pass counted.
        package init(_ counts: OutcomeCounts) {
            tested = counts.total - counts.count(.rejected)
            deviated = counts.remarkedZ
            isolated = counts.remarkedForest
            apart = counts.remarkedPairs
            withheld = counts.heldForest
            (flooded, triggered) = (counts.findings.count(.floodedRow), counts.findings.count(.trigger))
        }

        /// The same, with what the decision knew of the whole batch.
        package init(_ counts: OutcomeCounts, _ decision: Decision) {
            self.init(counts)
            copied = Int((decision.copiedShare * Double(tested)).rounded())
            if let most = decision.labels.max(by: { $0.changed * $1.tested < $1.changed * $0.tested }) {
                (labelled, flipped) = (most.tested, most.changed)
                targeted = decision.labels.map(\.mostChanged).max() ?? 0
            }
            // What was held back proves nothing about what is usual: a supplier must not widen the line by sending marks.
            triggered =
                decision.waivesStatistics || decision.triggerAction < .quarantined
                ? triggered : counts.findings.count(.trigger, .flagged)
        }

        /// A count's share of the rows looked at; 0 when there were none.
        func share(_ count: Int) -> Double { Double(count) / Double(max(tested, 1)) }

        mutating func merge(_ other: Remarks) {
            tested += other.tested
            deviated += other.deviated
            isolated += other.isolated
            apart += other.apart
            withheld += other.withheld
            flooded += other.flooded
            triggered += other.triggered
            copied += other.copied
            labelled += other.labelled
            flipped += other.flipped
            targeted += other.targeted
        }
    }

    /// The history follows from what it was merged from, and is not kept.
    package static func == (left: Baseline, right: Baseline) -> Bool {
        left.features == right.features && left.codes == right.codes && left.sample == right.sample
            && left.texts == right.texts && left.batches == right.batches && left.remarks == right.remarks
            && left.sizes == right.sizes && left.slow == right.slow && left.newLevels == right.newLevels
            && left.marks == right.marks && left.clock == right.clock
    }

    /// Rows kept of each batch; enough for medians, quantiles and a forest, small enough to keep twenty.
    package static let capacity = 16_384
    /// Rows kept of a batch with so many numbers and codes a row: fewer of very wide ones.
    package static func capacity(words: Int) -> Int { min(capacity, max(1024, 1 << 21 / max(words, 1))) }
    /// Rows whose text is kept of each batch; a baseline of many has as many of each.
    package static let textCapacity = 2048

    /// A baseline from one accepted batch.
    package init(
        features: [String], codes: [String] = [], sample: RowSample, texts: RowSample? = nil, remarks: Remarks,
        rows: Int? = nil, slow: SlowDrift? = nil
    ) {
        self.features = features
        self.codes = codes
        self.sample = sample
        self.texts = texts ?? RowSample(capacity: Self.textCapacity, width: 0)
        self.batches = 1
        self.remarks = remarks
        sizes = [rows ?? remarks.tested]
        self.slow = slow
    }

    /// Without codes and texts: what an anchor's levels are made of.
    package var numbersOnly: Baseline {
        var copy = self
        copy.codes = []
        copy.sample = RowSample(
            capacity: sample.capacity, width: sample.width, ranks: sample.ranks, values: sample.values,
            offered: sample.offered)
        copy.texts = RowSample(capacity: Self.textCapacity, width: 0)
        copy.summary = nil
        return copy
    }

    /// Says that the levels of these fields begin here: what came before is forgotten, what adds up to a slow drift as well.
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

    /// A code that says that the value was never looked at, which is not the same as a missing one.
    package static let unseen = UInt64.max

    /// The same rows over these numbers and codes: a feature that was not sampled is missing in every row. nil when no number
    /// was, and there is one.
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
                capacity: sample.capacity, width: made.width, codeWidth: made.codeWidth, ranks: made.ranks,
                values: made.values, codes: made.codes, tokens: made.tokens, tokenEnds: made.tokenEnds,
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

    /// The baselines of several accepted batches as one, newest first; those over other features than the first are left out. nil
    /// when there is none.
    ///
    /// All at once: sorting after each would cost a daemon more than a small batch does.
    package static func merged(_ parts: [Baseline]) -> Baseline? {
        guard var made = parts.first else { return nil }
        let others = parts.dropFirst().filter { $0.features == made.features && $0.codes == made.codes }
        let all = [made] + others
        made.history = FeedHistory(all.reversed())
        made.recent = RecentRows(all.filter(\.isOwn))
        made.parts = all.reversed().map { Batch(sample: $0.sample, texts: $0.texts) }
        made.summary = nil
        if others.isEmpty { return made }
        // A contract that had other columns kept other numbers of rows.
        made.sample = RowSample.union(all.map(\.sample), capacity: all.map(\.sample.capacity).max() ?? 0)
        // As many texts of each batch, however many there are.
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

/// The stored form: little-endian words.
extension Baseline {
    /// The forms before are read, never written. The first had no remarks, the second no codes and no texts; the texts of the third
    /// had no threes of words, so that beside them every such three would seem new: they are left out; the fourth did not say how many
    /// rows were copies or marked; the fifth had no record of marks and no levels that begin, and did not tell words from phrases; the
    /// sixth did not say when rows happened.
    private static let magics = (1...7).map { Array("sluice-baseline-v\($0)\n".utf8) }

    /// The stored form: counts, names, then the samples.
    package func encoded() -> [UInt8] {
        var out = WordWriter(bytes: Self.magics[6])
        out.word(batches)
        for count in [
            remarks.tested, remarks.deviated, remarks.isolated, remarks.apart, remarks.withheld, remarks.flooded,
            remarks.triggered, remarks.copied, remarks.labelled, remarks.flipped, remarks.targeted,
        ] { out.word(count) }
        out.word(sizes.count)
        for size in sizes { out.word(size) }
        out.word(slow == nil ? 0 : 1)
        if let slow {
            out.bytes += slow.anchor
            out.word(slow.rises.count)
            for sum in slow.rises + slow.falls { out.word(sum.bitPattern) }
        }
        out.word(marks.count)
        for record in marks { out.marks(record) }
        out.names(newLevels)
        for count in clock.weekdays + clock.hours { out.word(count) }
        out.names(features)
        out.names(codes)
        out.sample(sample)
        out.sample(texts)
        return out.bytes
    }

    /// Reads the stored form; nil when it is damaged.
    package init?(decoding bytes: [UInt8]) {
        guard let version = Self.magics.firstIndex(where: { bytes.starts(with: $0) }) else { return nil }
        var input = WordReader(bytes: bytes, at: Self.magics[0].count)
        if version < 2 {
            self.init(older: &input, hasRemarks: version == 1)
        } else {
            self.init(&input, hasMarks: version > 3, hasRecords: version > 4, hasClock: version > 5)
            if version < 3 { texts = texts.rows([]) }
            // Its words stay words for those who ask for words; phrases are told apart by no bit of theirs.
            if version < 5 { texts = texts.mapTokens { $0 & ~1 } }
        }
    }

    private init?(_ input: inout WordReader, hasMarks: Bool, hasRecords: Bool, hasClock: Bool) {
        guard let batches = input.count(1 << 32), let tested = input.count(1 << 48),
            let deviated = input.count(1 << 48), let isolated = input.count(1 << 48),
            let apart = input.count(1 << 48), let withheld = input.count(1 << 48),
            let marked = hasMarks ? Self.marks(&input) : [0, 0, 0, 0, 0, 0],
            let sizeCount = input.count(1 << 20)
        else { return nil }
        var remarks = Remarks()
        (remarks.flooded, remarks.triggered, remarks.copied) = (marked[0], marked[1], marked[2])
        (remarks.labelled, remarks.flipped, remarks.targeted) = (marked[3], marked[4], marked[5])
        remarks.apart = apart
        (remarks.tested, remarks.deviated, remarks.isolated, remarks.withheld) = (tested, deviated, isolated, withheld)
        var sizes: [Int] = []
        for _ in 0..<sizeCount {
            guard let size = input.count(1 << 48) else { return nil }
            sizes.append(size)
        }
        guard let hasSlow = input.count(1) else { return nil }
        var slow: SlowDrift?
        if hasSlow == 1 {
            guard let read = input.slowDrift() else { return nil }
            slow = read
        }
        var records: [MarkRecord] = []
        if hasRecords {
            guard let count = input.count(1 << 16) else { return nil }
            for _ in 0..<count {
                guard let record = input.marks() else { return nil }
                records.append(record)
            }
        }
        guard let levels = hasRecords ? input.names() : [], let clock = hasClock ? input.clock() : BatchClock(),
            let features = input.names(), let codes = input.names(),
            let sample = input.sample(), let texts = input.sample(), input.isAtEnd,
            sample.width == features.count, sample.codeWidth == codes.count,
            texts.width == 0, texts.codeWidth == 0 || texts.codeWidth >= codes.count
        else { return nil }
        self.init(features: features, codes: codes, sample: sample, texts: texts, remarks: remarks)
        self.batches = batches
        self.sizes = sizes
        self.slow = slow
        marks = records
        newLevels = levels
        self.clock = clock
    }

    /// Six counts.
    private static func marks(_ input: inout WordReader) -> [Int]? {
        var found: [Int] = []
        for _ in 0..<6 {
            guard let count = input.count(1 << 48) else { return nil }
            found.append(count)
        }
        return found
    }

    private init?(older input: inout WordReader, hasRemarks: Bool) {
        guard let batches = input.count(1 << 32), let capacity = input.count(1 << 24),
            let offered = input.count(1 << 48), let count = input.count(2 * capacity)
        else { return nil }
        var remarks = Remarks()
        if hasRemarks {
            guard let tested = input.count(1 << 48), let deviated = input.count(1 << 48),
                let isolated = input.count(1 << 48), let withheld = input.count(1 << 48)
            else { return nil }
            (remarks.tested, remarks.deviated) = (tested, deviated)
            (remarks.isolated, remarks.withheld) = (isolated, withheld)
        }
        guard let names = input.names(),
            let sample = input.sample(
                capacity: capacity, width: names.count, codeWidth: 0, offered: offered, count: count, tokens: 0,
                hasEnds: false),
            input.isAtEnd
        else { return nil }
        self.init(features: names, sample: sample, remarks: remarks)
        self.batches = batches
        sizes = []
    }
}

extension WordReader {
    fileprivate mutating func clock() -> BatchClock? {
        var clock = BatchClock()
        for day in clock.weekdays.indices {
            guard let count = count(1 << 48) else { return nil }
            clock.weekdays[day] = count
        }
        for hour in clock.hours.indices {
            guard let count = count(1 << 48) else { return nil }
            clock.hours[hour] = count
        }
        return clock
    }
}
