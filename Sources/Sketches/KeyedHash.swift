package import Tabular

/// A 128-bit keyed hash of short byte strings, for uniqueness and sampling.
///
/// Two lanes of folded 64 × 64 multiplication with secret seeds (the construction of wyhash, Wang Yi 2019). It is not a
/// MAC. A supplier cannot construct a collision, since the seeds are secret and no hash is ever shown.
package struct KeyedHash: Sendable, Equatable {
    private let seeds: (UInt64, UInt64, UInt64, UInt64)

    /// A hash keyed by 32 secret bytes.
    package init(key: [UInt8]) {
        precondition(key.count == 32, "a hash key has 32 bytes")
        func word(_ at: Int) -> UInt64 {
            var value: UInt64 = 0
            for offset in 0..<8 { value |= UInt64(key[at + offset]) << UInt64(8 * offset) }
            return value | 1
        }
        seeds = (word(0), word(8), word(16), word(24))
    }

    /// Compares keys.
    package static func == (left: KeyedHash, right: KeyedHash) -> Bool { left.seeds == right.seeds }

    @inline(__always)
    private static func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let product = a.multipliedFullWidth(by: b)
        return product.high ^ product.low
    }

    /// The hash of `bytes[range]`, continued from `state` for composite keys.
    package func hash(_ bytes: Span<UInt8>, _ range: Range<Int>, state: Hash128 = Hash128(high: 0, low: 0)) -> Hash128 {
        var a = state.high ^ seeds.0
        var b = state.low ^ seeds.1
        var at = range.lowerBound
        while at < range.upperBound {
            var word: UInt64 = 0
            let stop = min(at + 8, range.upperBound)
            var shift: UInt64 = 0
            while at < stop {
                word |= UInt64(bytes[at]) << shift
                shift += 8
                at += 1
            }
            a = Self.fold(a ^ word, seeds.2)
            b = Self.fold(b ^ word, seeds.3)
        }
        let length = UInt64(range.count)
        return Hash128(
            high: Self.fold(a ^ length, seeds.3 ^ 0x9E37_79B9_7F4A_7C15), low: Self.fold(b ^ length, seeds.2 ^ a))
    }

    /// The hash of one word.
    package func hash(_ word: UInt64, state: Hash128 = Hash128(high: 0, low: 0)) -> Hash128 {
        let a = Self.fold(state.high ^ seeds.0 ^ word, seeds.2)
        let b = Self.fold(state.low ^ seeds.1 ^ word, seeds.3)
        return Hash128(high: Self.fold(a ^ 8, seeds.3 ^ 0x9E37_79B9_7F4A_7C15), low: Self.fold(b ^ 8, seeds.2 ^ a))
    }
}

/// 128 bits of hash.
package struct Hash128: Sendable, Hashable {
    /// The upper half.
    package var high: UInt64
    /// The lower half.
    package var low: UInt64

    /// Joins two halves.
    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): a seeded stream of 64-bit words, the same on every machine.
package struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// A stream from `seed`.
    package init(seed: UInt64) { state = seed }

    /// The next word.
    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return Self.mix(state)
    }

    /// A whole number below `bound`, with a negligible modulo bias (Lemire's multiply-shift, 2019).
    package mutating func below(_ bound: Int) -> Int {
        Int(next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    /// The finaliser alone: a bijection of 64-bit words.
    package static func mix(_ word: UInt64) -> UInt64 {
        var z = word
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

extension KeyedHash: WireValue {
    /// Appends the value's bytes.
    package func write(to wire: inout WireWriter) {
        for seed in [seeds.0, seeds.1, seeds.2, seeds.3] { wire.append(seed) }
    }

    /// Reads the bytes that `write` appended.
    package init(from wire: inout WireReader) throws(WireError) {
        seeds = (try wire.read(), try wire.read(), try wire.read(), try wire.read())
    }
}
