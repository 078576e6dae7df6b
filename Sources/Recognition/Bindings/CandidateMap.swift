import CKernels
import Glibc

/// The places in a block that recognisers must examine: one bit a byte, computed in one pass of SIMD.
///
/// Every recogniser has an anchor character, so text without anchors is never examined byte by byte.
package struct CandidateMap: Sendable {
    private var words: [UInt64] = []
    /// The anchors that are no digits.
    private var signs: [UInt64] = []
    /// Bytes that may stand for other characters (`FoldedText`): non-ASCII bytes, `%` and `&`.
    private var odd: [UInt64] = []
    private var base = 0

    /// An empty map.
    package init() {}

    /// Maps the anchors of `range`.
    ///
    /// - Parameters:
    ///   - bytes: the buffer.
    ///   - range: the part to map.
    ///   - isScalar: whether the portable kernel is used instead of SIMD.
    package init(_ bytes: Span<UInt8>, _ range: Range<Int>, isScalar: Bool = false) {
        fill(bytes, range, isScalar: isScalar)
    }

    /// Maps parts of a block only; elsewhere nothing may be asked.
    ///
    /// - Parameter parts: the parts, ascending.
    package init(_ bytes: Span<UInt8>, parts: [Range<Int>]) {
        words = [UInt64](repeating: 0, count: (bytes.count + 63) / 64)
        (signs, odd) = (words, words)
        var done = 0
        for part in parts where !part.isEmpty {
            let first = max(done, part.lowerBound >> 6)
            let end = (part.upperBound + 63) >> 6
            if first >= end { continue }
            // An anchor depends on at most 16 bytes before it, so the word before is mapped again and put back.
            let start = max(0, first - 1)
            let before = (words[start], signs[start], odd[start])
            map(bytes, start * 64..<min(end * 64, bytes.count), isScalar: false, to: start)
            if start < first { (words[start], signs[start], odd[start]) = before }
            done = end
        }
    }

    /// Maps another block and reuses this map's memory.
    package mutating func fill(_ bytes: Span<UInt8>, _ range: Range<Int>, isScalar: Bool = false) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
        base = range.lowerBound
        let needed = (range.count + 63) / 64
        if words.count < needed {
            words = [UInt64](repeating: 0, count: needed)
            (signs, odd) = (words, words)
        }
        if !range.isEmpty { map(bytes, range, isScalar: isScalar, to: 0) }
    }

    /// Maps a range to the words from `first` on.
    private mutating func map(_ bytes: Span<UInt8>, _ range: Range<Int>, isScalar: Bool, to first: Int) {
        precondition(range.upperBound <= bytes.count && first + (range.count + 63) / 64 <= words.count)
        // Sound: the range lies within the span, and each list has a word for every 64 bytes of it.
        unsafe bytes.withUnsafeBufferPointer { text in
            unsafe words.withUnsafeMutableBufferPointer { words in
                unsafe signs.withUnsafeMutableBufferPointer { signs in
                    unsafe odd.withUnsafeMutableBufferPointer { odd in
                        guard let start = text.baseAddress, let out = words.baseAddress,
                            let sign = signs.baseAddress, let strange = odd.baseAddress
                        else { return }
                        let mark = unsafe isScalar ? sluice_anchors_scalar : sluice_anchors
                        unsafe mark(
                            start + range.lowerBound, range.count, out + first, sign + first, strange + first)
                    }
                }
            }
        }
    }

    /// Whether anything in `range` may stand for other characters (`FoldedText`).
    @inline(__always)
    package func holdsOdd(in range: Range<Int>) -> Bool {
        if range.isEmpty { return false }
        let (first, last) = ((range.lowerBound &- base) &>> 6, (range.upperBound &- 1 &- base) &>> 6)
        var word = odd[first] & (~0 &<< UInt64((range.lowerBound &- base) & 63))
        let end = ~0 &>> (63 &- UInt64((range.upperBound &- 1 &- base) & 63))
        var index = first
        while index < last {
            if word != 0 { return true }
            index &+= 1
            word = odd[index]
        }
        return word & end != 0
    }

    /// Whether a block contains a byte.
    package static func holds(_ byte: UInt8, in bytes: Span<UInt8>) -> Bool {
        // Sound: the search stays within the span.
        unsafe bytes.withUnsafeBufferPointer { text in
            guard let start = text.baseAddress else { return false }
            return unsafe memchr(start, Int32(byte), text.count) != nil
        }
    }

    /// The first anchor in `start..<end`; `end` when there is none.
    @inline(__always)
    package func next(from start: Int, below end: Int) -> Int { next(of: words, from: start, below: end) }

    /// The same for anchors that are no digits.
    @inline(__always)
    func nextSign(from start: Int, below end: Int) -> Int { next(of: signs, from: start, below: end) }

    @inline(__always)
    private func next(of words: [UInt64], from start: Int, below end: Int) -> Int {
        if start >= end { return end }
        var index = (start &- base) &>> 6
        var word = words[index] & (~0 &<< UInt64((start &- base) & 63))
        let last = (end &- 1 &- base) &>> 6
        while word == 0 {
            index &+= 1
            if index > last { return end }
            word = words[index]
        }
        return min(base &+ index &* 64 &+ word.trailingZeroBitCount, end)
    }
}
