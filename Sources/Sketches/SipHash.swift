package import Tabular

/// SipHash-2-4 (Aumasson, Bernstein 2012) of single words: a keyed pseudorandom function. Without the key, any number
/// of known values reveals nothing about another one.
package struct SipHash: Sendable, Equatable {
    private let low: UInt64, high: UInt64

    /// A function keyed by 16 secret bytes.
    package init(key: [UInt8]) {
        precondition(key.count == 16, "a SipHash key has 16 bytes")
        func word(_ at: Int) -> UInt64 { key[at..<at + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) } }
        (low, high) = (word(0), word(8))
    }

    /// The function's value of eight bytes, the lowest first.
    @inline(__always)
    package func hash(_ word: UInt64) -> UInt64 {
        var state = State(
            a: low ^ 0x736F_6D65_7073_6575, b: high ^ 0x646F_7261_6E64_6F6D, c: low ^ 0x6C79_6765_6E65_7261,
            d: high ^ 0x7465_6462_7974_6573)
        state.take(word)
        // The last block holds the length alone.
        state.take(8 << 56)
        state.c ^= 0xFF
        for _ in 0..<4 { state.round() }
        return state.a ^ state.b ^ state.c ^ state.d
    }

    private struct State {
        var a: UInt64, b: UInt64, c: UInt64, d: UInt64

        @inline(__always)
        mutating func take(_ word: UInt64) {
            d ^= word
            round()
            round()
            a ^= word
        }

        @inline(__always)
        mutating func round() {
            func turned(_ word: UInt64, _ bits: UInt64) -> UInt64 { word << bits | word >> (64 - bits) }
            a &+= b
            b = turned(b, 13) ^ a
            a = turned(a, 32)
            c &+= d
            d = turned(d, 16) ^ c
            a &+= d
            d = turned(d, 21) ^ a
            c &+= b
            b = turned(b, 17) ^ c
            c = turned(c, 32)
        }
    }
}

extension SipHash: WireValue {
    /// Appends the value's bytes.
    package func write(to wire: inout WireWriter) {
        wire.append(low)
        wire.append(high)
    }

    /// Reads the bytes that `write` appended.
    package init(from wire: inout WireReader) throws(WireError) { (low, high) = (try wire.read(), try wire.read()) }
}
