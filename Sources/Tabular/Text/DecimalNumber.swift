/// Converts decimal text to numbers, without a copy if possible.
package enum DecimalNumber {
    private static let powers: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22,
    ]

    /// The value of a decimal number; nil if the text is not one. Correctly rounded: Clinger's fast path (1990) for up
    /// to 15 digits and small exponents, one exact division for 17 digits as data frames write them, and the standard
    /// library otherwise.
    package static func value(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Double? {
        var at = range.lowerBound
        let end = range.upperBound
        guard at < end else { return nil }
        let isNegative = bytes[at] == 0x2D
        if isNegative || bytes[at] == 0x2B { at &+= 1 }
        var mantissa: UInt64 = 0
        var digits = 0
        var fraction = 0
        var seen = 0
        while at < end, bytes[at] &- 0x30 <= 9 {
            mantissa = mantissa &* 10 &+ UInt64(bytes[at] &- 0x30)
            if digits > 0 || mantissa != 0 { digits &+= 1 }
            seen &+= 1
            at &+= 1
        }
        if at < end, bytes[at] == 0x2E {
            at &+= 1
            while at < end, bytes[at] &- 0x30 <= 9 {
                mantissa = mantissa &* 10 &+ UInt64(bytes[at] &- 0x30)
                if digits > 0 || mantissa != 0 { digits &+= 1 }
                fraction &+= 1
                at &+= 1
            }
        }
        if seen + fraction == 0 { return nil }
        var exponent = 0
        if at < end, bytes[at] | 0x20 == 0x65 {
            at &+= 1
            let isDown = at < end && bytes[at] == 0x2D
            if at < end, isDown || bytes[at] == 0x2B { at &+= 1 }
            let first = at
            while at < end, bytes[at] &- 0x30 <= 9 {
                exponent = min(exponent &* 10 &+ Int(bytes[at] &- 0x30), 100_000)
                at &+= 1
            }
            if at == first { return nil }
            if isDown { exponent = -exponent }
        }
        if at != end { return nil }
        let scale = exponent - fraction
        let magnitude: Double
        if digits <= 15, abs(scale) <= 22 {
            magnitude = scale < 0 ? Double(mantissa) / powers[-scale] : Double(mantissa) * powers[scale]
        } else if digits <= 19, (-27)...(-1) ~= scale {
            magnitude = quotient(mantissa, -scale)
        } else {
            return slow(bytes, range)
        }
        return isNegative ? -magnitude : magnitude
    }

    private static let powersOfFive: [UInt64] = (0..<27).reduce(into: [1]) { powers, index in
        powers.append(powers[index] * 5)
    }

    /// `mantissa` / 10^`places`, correctly rounded, for at most 27 places, so that the power fits. Both sides of the
    /// division by 5^`places` are shifted to their full width. Then the quotient has 64 bits, and the remainder shows
    /// on which side of the midpoint of two doubles the value lies.
    private static func quotient(_ mantissa: UInt64, _ places: Int) -> Double {
        let power = powersOfFive[places]
        let divisor = power &<< UInt64(power.leadingZeroBitCount)
        let whole = mantissa &<< UInt64(mantissa.leadingZeroBitCount)
        let isWide = whole >= divisor
        let (quotient, remainder) = divisor.dividingFullWidth(
            isWide ? (whole &>> 1, whole &<< 63) : (whole, 0))
        // 53 bits are kept; a tie rounds to even.
        let rest = quotient & 0x7FF
        var bits = quotient &>> 11
        if rest > 0x400 || rest == 0x400 && (remainder != 0 || bits & 1 == 1) { bits &+= 1 }
        let exponent =
            power.leadingZeroBitCount - mantissa.leadingZeroBitCount - 64 + (isWide ? 1 : 0) - places + 11
        // A power of two in the range of a double, so the product is exact.
        return Double(bits) * Double(bitPattern: UInt64(exponent + 1023) << 52)
    }

    /// The same by the standard library, for texts of at most 4,096 bytes.
    package static func slow(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Double? {
        if range.count > 4096 { return nil }
        var copy: [UInt8] = []
        for at in range { copy.append(bytes[at]) }
        return Double(String(decoding: copy, as: UTF8.self))
    }
}
