package import Sketches
package import Tabular
package import Validating

/// The mergeable result of the first pass over a slice, and of all slices together: counts, samples and keys.
package struct Profile: Sendable, Mergeable {
    /// Rows read.
    package private(set) var rows = 0
    /// Rows that satisfy the contract.
    package private(set) var sound = 0
    /// Of these, rows that a finding about their text flags or quarantines.
    package private(set) var flagged = 0, quarantined = 0
    /// Findings of the reader and the contract.
    package private(set) var counts = FindingCounts()
    /// Sample of the sound rows: numbers and codes.
    package private(set) var sample: RowSample
    /// A smaller sample of the same rows: codes, MinHash signatures, and the tokens of their text.
    package private(set) var texts: RowSample
    /// The values that rows report for keys, for comparing suppliers; empty unless the contract asks for the
    /// comparison.
    package private(set) var assertions: RowSample
    /// The event times of one sound row in eight, which is enough for a weekday.
    package private(set) var clock = BatchClock()
    /// The keys of each key rule.
    package var keys: [DistinctKeys]

    /// Most rows of the sample.
    package static let sampleCapacity = 65_536
    /// The size of the sample in words if it has at least 4,096 rows, so that thousands of columns do not fill the
    /// memory.
    private static let sampleWords = 1 << 23
    /// The event time of one row in this many is read.
    private static let clockStep: UInt64 = 8
    /// Most rows of the sample of texts.
    package static let textCapacity = 16_384

    /// The largest ranks that rows of the final samples can have, as far as known.
    package struct Bounds: Sendable {
        /// For the sample of numbers and codes.
        package var sample = UInt64.max
        /// For the sample of texts.
        package var texts = UInt64.max
        /// Whether nothing is sampled.
        package var isNothing: Bool { sample == 0 }

        /// Every row may be in both samples.
        package init() {}

        /// No row is in either sample.
        package static var nothing: Bounds {
            var bounds = Bounds()
            (bounds.sample, bounds.texts) = (0, 0)
            return bounds
        }
    }

    /// An empty profile.
    package init(_ reader: FeatureReader, keyRules: Int) {
        let words = reader.fields.numberCount + reader.fields.codeCount
        sample = RowSample(
            capacity: min(Self.sampleCapacity, max(4096, Self.sampleWords / words)),
            width: reader.fields.numberCount, codeWidth: reader.fields.codeCount)
        // Its capacity is not above that of the larger sample; otherwise the rows in it would depend on the number of
        // workers.
        texts = RowSample(capacity: min(Self.textCapacity, sample.capacity), width: 0, codeWidth: reader.textCodeCount)
        assertions = reader.assertions?.empty ?? RowSample(capacity: 0, width: 0)
        keys = Array(repeating: DistinctKeys(), count: keyRules)
    }

    /// The profile of an accepted batch, of which only the samples of released rows are kept.
    package init(replaying sample: RowSample, _ texts: RowSample, rows: Int, clock: BatchClock) {
        self.rows = rows
        self.clock = clock
        sound = rows
        self.sample = sample
        self.texts = texts
        assertions = RowSample(capacity: 0, width: 0)
        keys = []
    }

    /// The ranks above which later rows cannot be in the samples.
    package var bounds: Bounds {
        var bounds = Bounds()
        (bounds.sample, bounds.texts) = (sample.bound, texts.bound)
        return bounds
    }

    /// Bounds that about twice as many of `rows` rows satisfy as are kept, so that the other rows need not be read.
    /// `isComplete` says whether enough rows satisfied them.
    package func bounds(expecting rows: Double) -> Bounds {
        var bounds = Bounds()
        func rank(_ capacity: Int) -> UInt64 {
            let share = 2 * Double(capacity) / rows
            return share < 1 ? UInt64(share * 0x1p64) : .max
        }
        (bounds.sample, bounds.texts) = (rank(sample.capacity), rank(texts.capacity))
        return bounds
    }

    /// Whether the samples have all rows that belong in them, even if the bounds were estimated.
    package var isComplete: Bool {
        // The smaller sample has only rows with text, all of which are in the larger one.
        sample.count >= min(sample.capacity, sample.offered)
            && (texts.count == 0 || texts.count >= min(texts.capacity, sample.offered))
    }

    /// Replaces the samples by those of another reading of the same rows.
    package mutating func takeSamples(of other: Profile) { (sample, texts) = (other.sample, other.texts) }

    /// Adds a checked block.
    ///
    /// - Parameters:
    ///   - reader: reads the features of a row.
    ///   - order: ranks the rows.
    ///   - bounds: rows with larger ranks are known not to be in the final samples.
    package mutating func add(
        _ batch: ValidatedBlock, _ reader: FeatureReader, order: SipHash, bounds: Bounds = Bounds()
    ) {
        rows += batch.batch.count
        var remarks: [Int: Outcome] = [:]
        for finding in batch.findings {
            counts.add(finding)
            let row = batch.batch.index(of: finding)
            if finding.outcome > .accepted, batch.isValid[row] {
                remarks[row] = max(remarks[row] ?? .flagged, finding.outcome)
            }
        }
        flagged += remarks.values.count { $0 == .flagged }
        quarantined += remarks.values.count { $0 == .quarantined }
        for (rule, found) in batch.keys.enumerated() {
            for key in found { keys[rule].add(key.hash, row: key.row) }
        }
        if let reader = reader.assertions, !bounds.isNothing { reader.add(batch, to: &assertions) }
        var features = RowFeatures()
        let (hasText, hasTime) = (!reader.fields.texts.isEmpty, reader.fields.eventTime != nil)
        for row in 0..<batch.batch.count where batch.isValid[row] {
            sound += 1
            let rank = Self.rank(of: row, in: batch.batch, order)
            // Chosen by the secret rank, so that outsiders cannot tell whose time is read.
            if hasTime, rank % Self.clockStep == 0, let moment = reader.moment(batch.batch, row: row) {
                clock.add(moment)
            }
            guard rank <= bounds.sample else {
                sample.skip()
                continue
            }
            guard sample.admits(rank) else { continue }
            reader.readNumbers(batch.batch, batch.numbers, row: row, into: &features)
            reader.readCodes(batch.batch, row: row, into: &features)
            sample.append(rank: rank, features.numbers, codes: features.codes)
            // The smaller sample has the smallest ranks of the larger one.
            guard hasText, rank <= bounds.texts, rank <= texts.bound else { continue }
            reader.readText(batch.batch, row: row, into: &features)
            texts.append(rank: rank, [], codes: features.codes, tokens: features.items)
        }
    }

    /// The rank of a row in a sample: a pseudorandom function of its number.
    @inline(__always)
    package static func rank(of row: Int, in batch: RowBlock, _ order: SipHash) -> UInt64 {
        order.hash(UInt64(batch.firstRow + row))
    }

    /// Adds another slice's profile.
    package mutating func merge(_ other: Profile) {
        rows += other.rows
        sound += other.sound
        flagged += other.flagged
        quarantined += other.quarantined
        counts.merge(other.counts)
        sample.merge(other.sample)
        texts.merge(other.texts)
        assertions.merge(other.assertions)
        clock.merge(other.clock)
        for index in keys.indices { keys[index].merge(other.keys[index]) }
    }

    /// The same samples without the rows that have this code.
    func without(_ place: Int, _ code: UInt64) -> Profile {
        var rest = self
        func others(_ sample: RowSample) -> RowSample {
            sample.rows((0..<sample.count).filter { sample.codes[$0 * sample.codeWidth + place] != code })
        }
        rest.sample = others(sample)
        if texts.codeWidth > place { rest.texts = others(texts) }
        return rest
    }

    /// The same samples with the numbers of these columns missing.
    func blanking(_ columns: Set<Int>) -> Profile {
        if columns.isEmpty { return self }
        var copy = self
        copy.sample = sample.blanking(columns)
        return copy
    }

    /// Sorts the sample by rank. After this, equal data gives an equal profile, whatever the order of merging.
    package mutating func finish() {
        sample.compact()
        texts.compact()
        assertions.compact()
    }

    /// Frees keys and samples, which are not needed after the decision. The counts remain.
    package mutating func forget() {
        keys = []
        sample = sample.rows([])
        texts = texts.rows([])
        assertions = assertions.rows([])
    }
}

extension Profile: WireValue {
    /// Appends the value's bytes.
    package func write(to wire: inout WireWriter) {
        for number in [rows, sound, flagged, quarantined] { wire.append(number) }
        wire.append(counts)
        for part in [sample, texts, assertions] { wire.append(part) }
        wire.append(clock)
        wire.append(keys)
    }

    /// Reads the bytes that `write` appended.
    package init(from wire: inout WireReader) throws(WireError) {
        (rows, sound, flagged, quarantined) = (try wire.read(), try wire.read(), try wire.read(), try wire.read())
        counts = try wire.read()
        (sample, texts, assertions) = (try wire.read(), try wire.read(), try wire.read())
        clock = try wire.read()
        keys = try wire.read()
    }
}
