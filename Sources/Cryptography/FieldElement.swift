/// A number modulo 2^255 - 19, in five limbs of 51 bits, which may exceed 51 bits by one or two until `encoded`.
///
/// Only for public data: the running time depends on the values. Signing uses libcrypto.
struct FieldElement {
    private var a: UInt64, b: UInt64, c: UInt64, d: UInt64, e: UInt64
    private static let mask: UInt64 = 1 << 51 - 1

    private init(a: UInt64, b: UInt64, c: UInt64, d: UInt64, e: UInt64) {
        (self.a, self.b, self.c, self.d, self.e) = (a, b, c, d, e)
    }

    /// A small number.
    init(_ small: UInt64) { self.init(a: small, b: 0, c: 0, d: 0, e: 0) }

    /// The number in 32 little-endian bytes; the highest bit is ignored. nil if it is not below the modulus: RFC 8032,
    /// section 5.1.3, requires that such encodings are refused.
    init?(encoded bytes: Span<UInt8>) {
        func word(_ at: Int) -> UInt64 { (0..<8).reduce(0) { $0 | UInt64(bytes[at + $1]) << UInt64(8 * $1) } }
        let (w0, w1, w2, w3) = (word(0), word(8), word(16), word(24) & UInt64.max >> 1)
        if w3 == UInt64.max >> 1, w2 == .max, w1 == .max, w0 >= UInt64.max - 18 { return nil }
        self.init(
            a: w0 & Self.mask, b: (w0 >> 51 | w1 << 13) & Self.mask, c: (w1 >> 38 | w2 << 26) & Self.mask,
            d: (w2 >> 25 | w3 << 39) & Self.mask, e: w3 >> 12)
    }

    /// 32 little-endian bytes, reduced below the modulus.
    var encoded: [UInt8] {
        var limbs = [a, b, c, d, e]
        // The second round handles the carry that the first one wraps around.
        for _ in 0..<2 {
            for at in 0..<5 {
                let carry = limbs[at] >> 51
                limbs[at] &= Self.mask
                limbs[(at + 1) % 5] += at == 4 ? 19 &* carry : carry
            }
        }
        // Adding 19 carries out of 255 bits exactly if the number is at least the modulus.
        var carry: UInt64 = 19
        for limb in limbs { carry = (limb + carry) >> 51 }
        limbs[0] += 19 &* carry
        for at in 0..<4 {
            limbs[at + 1] += limbs[at] >> 51
            limbs[at] &= Self.mask
        }
        limbs[4] &= Self.mask
        let words = [
            limbs[0] | limbs[1] << 51, limbs[1] >> 13 | limbs[2] << 38, limbs[2] >> 26 | limbs[3] << 25,
            limbs[3] >> 39 | limbs[4] << 12,
        ]
        return words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) } }
    }

    var isZero: Bool { encoded.allSatisfy { $0 == 0 } }
    var isOdd: Bool { encoded[0] & 1 == 1 }

    static func == (left: FieldElement, right: FieldElement) -> Bool { (left - right).isZero }

    @inline(__always)
    static func + (left: FieldElement, right: FieldElement) -> FieldElement {
        FieldElement(
            a: left.a &+ right.a, b: left.b &+ right.b, c: left.c &+ right.c, d: left.d &+ right.d,
            e: left.e &+ right.e)
    }

    /// Four times the modulus is added first, so that no limb becomes negative; `right` must have limbs below 2^53.
    @inline(__always)
    static func - (left: FieldElement, right: FieldElement) -> FieldElement {
        let (low, high): (UInt64, UInt64) = (0x1F_FFFF_FFFF_FFB4, 0x1F_FFFF_FFFF_FFFC)
        return FieldElement(
            a: left.a &+ low &- right.a, b: left.b &+ high &- right.b, c: left.c &+ high &- right.c,
            d: left.d &+ high &- right.d, e: left.e &+ high &- right.e)
    }

    /// The product of numbers with limbs below 2^54; its limbs are below 2^52.
    @inline(__always)
    static func * (left: FieldElement, right: FieldElement) -> FieldElement {
        @inline(__always) func wide(_ x: UInt64, _ y: UInt64) -> UInt128 { UInt128(x) &* UInt128(y) }
        let (b19, c19, d19, e19) = (right.b &* 19, right.c &* 19, right.d &* 19, right.e &* 19)
        let r0 =
            wide(left.a, right.a) &+ wide(left.b, e19) &+ wide(left.c, d19) &+ wide(left.d, c19) &+ wide(left.e, b19)
        var r1 =
            wide(left.a, right.b) &+ wide(left.b, right.a) &+ wide(left.c, e19) &+ wide(left.d, d19)
            &+ wide(left.e, c19)
        var r2 =
            wide(left.a, right.c) &+ wide(left.b, right.b) &+ wide(left.c, right.a) &+ wide(left.d, e19)
            &+ wide(left.e, d19)
        var r3 =
            wide(left.a, right.d) &+ wide(left.b, right.c) &+ wide(left.c, right.b) &+ wide(left.d, right.a)
            &+ wide(left.e, e19)
        var r4 =
            wide(left.a, right.e) &+ wide(left.b, right.d) &+ wide(left.c, right.c) &+ wide(left.d, right.b)
            &+ wide(left.e, right.a)
        r1 &+= r0 >> 51
        r2 &+= r1 >> 51
        r3 &+= r2 >> 51
        r4 &+= r3 >> 51
        @inline(__always) func limb(_ r: UInt128) -> UInt64 { UInt64(truncatingIfNeeded: r) & mask }
        // The carry out of the top is added at the bottom, times 19: below 2^64, since `r4` is below 2^115.
        let first = UInt128(limb(r0)) &+ (r4 >> 51) &* 19
        return FieldElement(
            a: UInt64(truncatingIfNeeded: first) & mask, b: limb(r1) &+ UInt64(truncatingIfNeeded: first >> 51),
            c: limb(r2), d: limb(r3), e: limb(r4))
    }

    private func squared(_ times: Int) -> FieldElement {
        var result = self
        for _ in 0..<times { result = result * result }
        return result
    }

    /// To the power of (p - 5) / 8 = 2^252 - 3, which is a square root up to a factor (RFC 8032, section 5.1.3).
    var rootPower: FieldElement {
        let two = self * self
        let nine = two.squared(2) * self
        let eleven = nine * two
        let five = eleven.squared(1) * nine  // 2^5 - 1
        let ten = five.squared(5) * five
        let twenty = ten.squared(10) * ten
        let forty = twenty.squared(20) * twenty
        let fifty = forty.squared(10) * ten
        let hundred = fifty.squared(50) * fifty
        let twoHundred = hundred.squared(100) * hundred
        let most = twoHundred.squared(50) * fifty  // 2^250 - 1
        return most.squared(2) * self
    }
}
