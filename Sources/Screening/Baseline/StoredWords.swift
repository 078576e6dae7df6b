import Sketches

/// Writes little-endian 64-bit words.
struct BinaryWriter {
    var bytes: [UInt8]

    mutating func word(_ value: UInt64) {
        for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * shift))) }
    }
    mutating func word(_ value: Int) { word(UInt64(value)) }
    mutating func half(_ value: UInt32) {
        for shift in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: value >> UInt32(8 * shift))) }
    }
    mutating func text(_ text: String) {
        word(text.utf8.count)
        bytes.append(contentsOf: text.utf8)
    }
    mutating func names(_ names: [String]) {
        word(names.count)
        for name in names { text(name) }
    }
    mutating func marks(_ record: MarkRecord) {
        word(record.rows)
        word(record.pooled)
        word(record.largest.count)
        for count in record.largest { word(count) }
        word(record.caught.count)
        for mark in record.caught {
            for value in [mark.item, mark.label, UInt64(mark.count), mark.isHeld ? 1 : 0] { word(value) }
        }
    }
    mutating func sample(_ sample: RowSample) {
        for count in [
            sample.capacity, sample.width, sample.codeWidth, sample.offered, sample.count, sample.tokens.count,
        ] { word(count) }
        for rank in sample.ranks { word(rank) }
        for value in sample.values { word(value.bitPattern) }
        for code in sample.codes { word(code) }
        for end in sample.tokenEnds { half(UInt32(end)) }
        for token in sample.tokens { half(token) }
    }
}

/// The dimensions of a stored sample.
struct StoredSample {
    let capacity: Int, width: Int, codeWidth: Int
    /// Rows offered to it, and rows kept.
    let offered: Int, count: Int
    /// Number of tokens of all rows; nil in the first two formats, which have none.
    let tokens: Int?
}

/// Reads the output of `BinaryWriter`; nil if there are too few or too many words.
struct WordReader {
    let bytes: [UInt8]
    var at: Int

    var isAtEnd: Bool { at == bytes.count }

    mutating func word() -> UInt64? {
        guard at + 8 <= bytes.count else { return nil }
        var value: UInt64 = 0
        for shift in 0..<8 { value |= UInt64(bytes[at + shift]) << UInt64(8 * shift) }
        at += 8
        return value
    }

    mutating func half() -> UInt32 {
        var value: UInt32 = 0
        for shift in 0..<4 { value |= UInt32(bytes[at + shift]) << UInt32(8 * shift) }
        at += 4
        return value
    }

    /// Reads a count of at most `most`.
    mutating func count(_ most: Int) -> Int? {
        guard let value = word(), value <= UInt64(most) else { return nil }
        return Int(value)
    }

    mutating func slowDrift() -> SlowDrift? {
        guard at + 32 <= bytes.count else { return nil }
        let anchor = Array(bytes[at..<at + 32])
        at += 32
        guard let count = count(65_536), at + 16 * count <= bytes.count else { return nil }
        var slow = SlowDrift(anchor: anchor, count: count)
        for place in 0..<count { slow.rises[place] = Double(bitPattern: word() ?? 0) }
        for place in 0..<count { slow.falls[place] = Double(bitPattern: word() ?? 0) }
        return slow
    }

    mutating func marks() -> MarkRecord? {
        var record = MarkRecord()
        guard let rows = count(1 << 48), let pooled = count(1 << 48), let kinds = count(64) else { return nil }
        (record.rows, record.pooled) = (rows, pooled)
        // Kinds that a later version added are counted and skipped.
        for place in 0..<kinds {
            guard let most = count(1 << 48) else { return nil }
            if place < record.largest.count { record.largest[place] = most }
        }
        guard let caught = count(1 << 16) else { return nil }
        for _ in 0..<caught {
            guard let item = word(), let label = word(), let count = count(1 << 48), let isHeld = self.count(1) else {
                return nil
            }
            record.caught.append(.init(item: item, label: label, count: count, isHeld: isHeld == 1))
        }
        return record
    }

    mutating func names() -> [String]? {
        guard let count = count(65_536) else { return nil }
        var names: [String] = []
        for _ in 0..<count {
            guard let length = self.count(65_536), at + length <= bytes.count else { return nil }
            names.append(String(decoding: bytes[at..<at + length], as: UTF8.self))
            at += length
        }
        return names
    }

    mutating func sample() -> RowSample? {
        guard let capacity = count(1 << 24), let width = count(65_536), let codeWidth = count(65_536),
            let offered = count(1 << 48), let count = count(2 * capacity), let tokens = self.count(1 << 30)
        else { return nil }
        return rows(
            of: StoredSample(
                capacity: capacity, width: width, codeWidth: codeWidth, offered: offered, count: count, tokens: tokens))
    }

    /// Reads the rows of a sample with known dimensions.
    mutating func rows(of sample: StoredSample) -> RowSample? {
        let (count, tokenCount) = (sample.count, sample.tokens ?? 0)
        let words = count * (1 + sample.width + sample.codeWidth)
        let hasTokens = sample.tokens != nil
        guard bytes.count - at >= words * 8 + (hasTokens ? (count + tokenCount) * 4 : 0) else { return nil }
        let ranks = (0..<count).map { _ in word() ?? 0 }
        let values = (0..<count * sample.width).map { _ in Double(bitPattern: word() ?? 0) }
        let codes = (0..<count * sample.codeWidth).map { _ in word() ?? 0 }
        var rows = RowSample.Rows(ranks: ranks, values: values, codes: codes)
        if hasTokens {
            let ends = (0..<count).map { _ in Int(half()) }
            guard ends.last ?? 0 == tokenCount, zip(ends, ends.dropFirst()).allSatisfy({ $0 <= $1 }) else {
                return nil
            }
            let tokens = (0..<tokenCount).map { _ in half() }
            rows = RowSample.Rows(ranks: ranks, values: values, codes: codes, tokens: tokens, tokenEnds: ends)
        }
        return RowSample(
            capacity: sample.capacity, width: sample.width, codeWidth: sample.codeWidth, rows: rows,
            offered: sample.offered)
    }
}
