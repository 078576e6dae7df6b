/// A point of edwards25519 (RFC 8032, section 5.1) in extended coordinates: x = X/Z, y = Y/Z, xy = T/Z. For public data
/// only, like `FieldElement`.
struct EdwardsPoint {
    private var x: FieldElement, y: FieldElement, z: FieldElement, t: FieldElement

    private static func constant(_ text: String) -> FieldElement {
        guard let bytes = bytes(hex: text), let value = FieldElement(encoded: bytes.span) else {
            preconditionFailure("a constant of the curve is a number below the modulus")
        }
        return value
    }

    /// The curve constants d = -121665/121666, 2d, and a square root of -1; little-endian.
    private static let d = constant("a3785913ca4deb75abd841414d0a700098e879777940c78c73fe6f2bee6c0352")
    private static let twiceD = constant("59f1b226949bd6eb56b183829a14e00030d1f3eef2808e19e7fcdf56dcd90624")
    private static let rootOfMinusOne = constant("b0a00e4a271beec478e42fad0618432fa7d7fb3d99004d2b0bdfc14f8024832b")

    /// The neutral element.
    static let zero = EdwardsPoint(x: FieldElement(0), y: FieldElement(1), z: FieldElement(1), t: FieldElement(0))

    /// The generator: y = 4/5, x even.
    static let base: EdwardsPoint = {
        let encoded: [UInt8] = [0x58] + [UInt8](repeating: 0x66, count: 31)
        guard let point = EdwardsPoint(encoded: encoded.span) else { preconditionFailure("the generator is a point") }
        return point
    }()

    private init(x: FieldElement, y: FieldElement, z: FieldElement, t: FieldElement) {
        (self.x, self.y, self.z, self.t) = (x, y, z, t)
    }

    /// Decodes a point's 32 bytes as in RFC 8032, section 5.1.3; nil if they encode no point or are not the canonical
    /// encoding.
    init?(encoded bytes: Span<UInt8>) {
        guard bytes.count == 32, let y = FieldElement(encoded: bytes) else { return nil }
        let square = y * y
        // x² = u/v, and x = u v³ (u v⁷)^((p-5)/8) times 1 or a root of -1.
        let (u, v) = (square - FieldElement(1), Self.d * square + FieldElement(1))
        let v3 = v * v * v
        var x = u * v3 * (u * v3 * v3 * v).rootPower
        let check = v * x * x
        // Multiplying by one reduces the limbs, so that they are short enough for a subtraction.
        let shortU = u * FieldElement(1)
        if !(check == shortU) {
            guard (check + shortU).isZero else { return nil }
            x = x * Self.rootOfMinusOne
        }
        let isNegative = bytes[31] & 0x80 != 0
        if isNegative, x.isZero { return nil }
        if x.isOdd != isNegative { x = (FieldElement(0) - x) * FieldElement(1) }
        self.init(x: x, y: y, z: FieldElement(1), t: x * y)
    }

    /// One formula for all points, also for equal ones ("add-2008-hwcd-3" of the Explicit-Formulas Database).
    @inline(__always)
    static func + (left: EdwardsPoint, right: EdwardsPoint) -> EdwardsPoint {
        let a = (left.y - left.x) * (right.y - right.x)
        let b = (left.y + left.x) * (right.y + right.x)
        let c = left.t * twiceD * right.t
        let zz = left.z * right.z
        let d = zz + zz
        let (e, f, g, h) = (b - a, d - c, d + c, b + a)
        return EdwardsPoint(x: e * f, y: g * h, z: f * g, t: e * h)
    }

    static prefix func - (point: EdwardsPoint) -> EdwardsPoint {
        let (zero, one) = (FieldElement(0), FieldElement(1))
        return EdwardsPoint(x: (zero - point.x) * one, y: point.y, z: point.z, t: (zero - point.t) * one)
    }

    /// Whether it is the neutral element.
    var isZero: Bool { x.isZero && y == z }

    /// The point times a number, given in little-endian bytes.
    func times(_ number: [UInt8]) -> EdwardsPoint {
        var result = Self.zero
        for byte in number.reversed() {
            for bit in stride(from: 7, through: 0, by: -1) {
                result = result + result
                if byte >> UInt8(bit) & 1 == 1 { result = result + self }
            }
        }
        return result
    }

    /// The sum of points, each times its number, by Pippenger's method: one addition for each point and window of bits.
    static func sum(_ points: [EdwardsPoint], times numbers: [UInt128]) -> EdwardsPoint {
        // The window has about log2(n) - 3 bits: with more points, more buckets pay off.
        let width = max(2, min(12, Int.bitWidth - points.count.leadingZeroBitCount - 3))
        var buckets = [EdwardsPoint](repeating: .zero, count: 1 << width)
        var result = zero
        for window in (0..<(128 + width - 1) / width).reversed() {
            for _ in 0..<width { result = result + result }
            for at in buckets.indices { buckets[at] = .zero }
            for (point, number) in zip(points, numbers) {
                let digit = Int(truncatingIfNeeded: number >> UInt128(window * width)) & (1 << width - 1)
                if digit != 0 { buckets[digit] = buckets[digit] + point }
            }
            // Bucket k counts k times: this is the sum of all suffix sums of the buckets.
            var (running, total) = (zero, zero)
            for at in buckets.indices.dropFirst().reversed() {
                running = running + buckets[at]
                total = total + running
            }
            result = result + total
        }
        return result
    }
}
