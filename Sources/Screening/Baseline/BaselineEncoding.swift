import Sketches
import Tabular

/// The stored form: little-endian 64-bit words.
extension Baseline {
    /// Older formats are read, never written. Format 1 had no remarks. Format 2 had no codes and no texts. The texts of
    /// format 3 lacked triples of words, so every triple would seem new; they are left out. Format 4 did not count
    /// copies and triggers. Format 5 had no records of triggers and no new levels, and did not distinguish words from
    /// phrases. Format 6 had no event times.
    private static let magics = (1...7).map { Array("sluice-baseline-v\($0)\n".utf8) }

    /// The stored form: counts, names, then the samples.
    package func encoded() -> [UInt8] {
        var out = BinaryWriter(bytes: Self.magics[6])
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

    /// Reads the stored form; nil if it is damaged.
    package init?(decoding bytes: [UInt8]) {
        guard let version = Self.magics.firstIndex(where: { bytes.starts(with: $0) }) else { return nil }
        var input = WordReader(bytes: bytes, at: Self.magics[0].count)
        if version < 2 {
            self.init(older: &input, hasRemarks: version == 1)
        } else {
            self.init(&input, hasMarks: version > 3, hasRecords: version > 4, hasClock: version > 5)
            if version < 3 { texts = texts.rows([]) }
            // Clearing the lowest bit makes all its tokens words, since this format did not distinguish phrases.
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

    /// Reads six counts.
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
            let sample = input.rows(
                of: StoredSample(
                    capacity: capacity, width: names.count, codeWidth: 0, offered: offered, count: count, tokens: nil)),
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
