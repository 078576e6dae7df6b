import CKernels

/// The positions of structural bytes in a window: the SIMD kernel's output, in buffers that are reused.
///
/// A window always begins at a record, so no quoting state is carried over.
struct StructuralIndex: ~Copyable {
    /// Offsets of structural bytes from `base`; only the first `count` are valid.
    private(set) var positions: [UInt32] = []
    private(set) var count = 0
    /// Offset of the window's first byte.
    private(set) var base = 0
    /// Bytes in the window.
    private(set) var length = 0
    private var high: [UInt64] = []
    private var control: [UInt64] = []
    private var odd: [UInt64] = []
    private var seen: UInt32 = 0

    /// Offset past the window.
    var end: Int { base + length }
    /// Whether any byte of the window is above 0x7F.
    var hasHigh: Bool { seen & UInt32(SLUICE_HIGH) != 0 }
    /// Whether any byte is a forbidden control character.
    var hasControl: Bool { seen & UInt32(SLUICE_CONTROL) != 0 }
    /// Whether any byte, apart from quotes and control characters, may not stand unescaped in a JSON string.
    private var hasOdd: Bool { seen & UInt32(SLUICE_ODD) != 0 }

    /// Places the window at `bytes[from..<to]`, with room for what is indexed there.
    private mutating func restart(_ bytes: Span<UInt8>, from: Int, to: Int) {
        precondition(from >= 0 && from <= to && to <= bytes.count)
        (base, length) = (from, to - from)
        let (size, words) = (length, (length + 63) / 64)
        if positions.count < size + 64 { positions = [UInt32](repeating: 0, count: size + 64) }
        if high.count < words {
            high = [UInt64](repeating: 0, count: words)
            control = high
            odd = high
        }
    }

    /// Indexes `bytes[from..<to]` as CSV.
    mutating func indexCSV(_ bytes: Span<UInt8>, from: Int, to: Int, delimiter: UInt8, quote: UInt8) {
        restart(bytes, from: from, to: to)
        // Sound: `restart` checked the range, and sized the outputs as the header asks.
        count = unsafe bytes.withUnsafeBufferPointer { source in
            guard let start = source.baseAddress else { return 0 }
            return unsafe sluice_csv_index(
                start + from, to - from, delimiter, quote, &positions, &high, &control, &seen)
        }
    }

    /// Indexes `bytes[from..<to]` as JSON Lines.
    mutating func indexJSON(_ bytes: Span<UInt8>, from: Int, to: Int) {
        restart(bytes, from: from, to: to)
        // Sound: as above.
        count = unsafe bytes.withUnsafeBufferPointer { source in
            guard let start = source.baseAddress else { return 0 }
            return unsafe sluice_json_index(start + from, to - from, &positions, &high, &control, &odd, &seen)
        }
    }

    /// Counts the records that end in `bytes[from..<to]`.
    ///
    /// - Returns: the count and the offset past the last line end; (0, from) when the grammar breaks anywhere in the
    ///   range.
    static func countCSV(_ bytes: Span<UInt8>, from: Int, to: Int, delimiter: UInt8, quote: UInt8) -> (
        rows: Int, end: Int
    ) {
        unsafe countRows(bytes, from: from, to: to) { start, count, end in
            unsafe sluice_csv_rows(start, count, delimiter, quote, &end)
        }
    }

    /// Counts the lines that end in `bytes[from..<to]`, which begins at a line.
    ///
    /// - Returns: the count and the offset past the last line feed; (0, from) when a line may be blank.
    static func countLines(_ bytes: Span<UInt8>, from: Int, to: Int) -> (rows: Int, end: Int) {
        unsafe countRows(bytes, from: from, to: to) { start, count, end in
            unsafe sluice_line_rows(start, count, &end)
        }
    }

    private static func countRows(
        _ bytes: Span<UInt8>, from: Int, to: Int,
        by kernel: (_ start: UnsafePointer<UInt8>, _ count: Int, _ end: inout Int) -> Int
    ) -> (rows: Int, end: Int) {
        precondition(from >= 0 && from <= to && to <= bytes.count)
        var end = 0
        // Sound: the range was checked above.
        let rows = unsafe bytes.withUnsafeBufferPointer { source in
            guard let start = source.baseAddress else { return 0 }
            return unsafe kernel(start + from, to - from, &end)
        }
        return (rows, from + end)
    }

    /// The offset of the first byte in a range that violates UTF-8; nil when there is none.
    func firstInvalidUTF8(_ bytes: Span<UInt8>, in range: Range<Int>) -> Int? {
        if range.isEmpty || !hasHigh { return nil }
        var at = range.lowerBound
        while true {
            // Skip to the next non-ASCII byte.
            var word = (at - base) >> 6
            let last = (range.upperBound - 1 - base) >> 6
            if at >= range.upperBound { return nil }
            var bits = high[word] & (~UInt64(0) << UInt64((at - base) & 63))
            while bits == 0 {
                word += 1
                if word > last { return nil }
                bits = high[word]
            }
            at = base + word << 6 + bits.trailingZeroBitCount
            if at >= range.upperBound { return nil }
            guard let next = endOfSequence(bytes, at, range.upperBound) else { return at }
            at = next
        }
    }

    /// Whether a range has a forbidden control character.
    func hasControl(in range: Range<Int>) -> Bool { hasControl && any(control.span, range) }
    /// The offset of the first backslash, TAB or CR at or after `at`, or of the window's end (JSON only).
    func nextOdd(from at: Int) -> Int {
        if !hasOdd || at >= end { return end }
        var word = (at - base) >> 6
        let words = (length + 63) >> 6
        var bits = odd[word] & (~UInt64(0) << UInt64((at - base) & 63))
        while bits == 0 {
            word += 1
            if word >= words { return end }
            bits = odd[word]
        }
        return base + word << 6 + bits.trailingZeroBitCount
    }
    /// Whether a range has a byte above 0x7F.
    func hasHigh(in range: Range<Int>) -> Bool { hasHigh && any(high.span, range) }

    private func any(_ words: Span<UInt64>, _ range: Range<Int>) -> Bool {
        if range.isEmpty { return false }
        let first = range.lowerBound - base
        let last = range.upperBound - 1 - base
        let firstMask = ~UInt64(0) << UInt64(first & 63)
        let lastMask = ~UInt64(0) >> UInt64(63 - (last & 63))
        if first >> 6 == last >> 6 { return words[first >> 6] & firstMask & lastMask != 0 }
        if words[first >> 6] & firstMask != 0 || words[last >> 6] & lastMask != 0 { return true }
        var word = first >> 6 + 1
        while word < last >> 6 {
            if words[word] != 0 { return true }
            word += 1
        }
        return false
    }
}

/// Eight bytes from `at` as a little-endian number.
@inline(__always)
func word(_ bytes: Span<UInt8>, at: Int) -> UInt64 {
    precondition(at >= 0 && at &+ 8 <= bytes.count)
    // Sound: in bounds by the line above, and every bit pattern is an integer.
    return unsafe UInt64(littleEndian: bytes.bytes.unsafeLoadUnaligned(fromByteOffset: at, as: UInt64.self))
}
