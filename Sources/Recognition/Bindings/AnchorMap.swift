import CKernels
import Glibc

/// Where in a block a recogniser has to look: one bit a byte, found in one pass with vector instructions.
///
/// Everything sought has an anchor, so that text without one is never looked at byte by byte.
package struct AnchorMap: Sendable {
    private var words: [UInt64] = []
    private var base = 0

    /// A map of nothing.
    package init() {}

    /// The anchors of `range`; what stands before the range counts as nothing.
    package init(_ bytes: Span<UInt8>, _ range: Range<Int>, isScalar: Bool = false) {
        fill(bytes, range, isScalar: isScalar)
    }

    /// Maps another block, in the memory of this one.
    package mutating func fill(_ bytes: Span<UInt8>, _ range: Range<Int>, isScalar: Bool = false) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
        base = range.lowerBound
        let needed = (range.count + 63) / 64
        if words.count < needed { words = [UInt64](repeating: 0, count: needed) }
        if range.isEmpty { return }
        // Sound: the range lies within the span, and there is a word for every 64 bytes of it.
        unsafe bytes.withUnsafeBufferPointer { text in
            unsafe words.withUnsafeMutableBufferPointer { words in
                guard let start = text.baseAddress, let out = words.baseAddress else { return }
                unsafe (isScalar ? sluice_anchors_scalar : sluice_anchors)(start + range.lowerBound, range.count, out)
            }
        }
    }

    /// Whether a byte is anywhere in a block, at the speed of memory.
    package static func holds(_ byte: UInt8, in bytes: Span<UInt8>) -> Bool {
        // Sound: the search stays within the span.
        unsafe bytes.withUnsafeBufferPointer { text in
            guard let start = text.baseAddress else { return false }
            return unsafe memchr(start, Int32(byte), text.count) != nil
        }
    }

    /// The first anchor from `start` on and before `end`, or `end` when there is none.
    @inline(__always)
    package func next(from start: Int, below end: Int) -> Int {
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
