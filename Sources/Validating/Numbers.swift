/// Decimal text to numbers, without a copy where it can.
enum Numbers {
    /// How numbers are written in a column; marks may be any one character, so they are bytes.
    struct Style: Sendable, Equatable {
        var decimal: [UInt8] = [0x2E]
        var group: [UInt8] = []
        var isBare = true
    }

    private static let powers: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22,
    ]

    /// The value of a whole number, or nil when the text is none; beyond 2⁵³ the nearest double, never wrapped.
    static func integer(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Double? {
        var at = range.lowerBound
        let end = range.upperBound
        guard at < end else { return nil }
        let isNegative = bytes[at] == 0x2D
        if isNegative || bytes[at] == 0x2B { at &+= 1 }
        let first = at
        var value: UInt64 = 0
        while at < end {
            let digit = bytes[at] &- 0x30
            if digit > 9 { return nil }
            value = value &* 10 &+ UInt64(digit)
            at &+= 1
        }
        let digits = end &- first
        if digits == 0 { return nil }
        if digits > 18 { return long(bytes, range, isNegative) }
        let magnitude = Double(value)
        return isNegative ? -magnitude : magnitude
    }

    /// A whole number of more than 18 digits; past what a double holds it is infinite.
    private static func long(_ bytes: Span<UInt8>, _ range: Range<Int>, _ isNegative: Bool) -> Double? {
        let digits = significant(bytes, range)
        if digits.isEmpty { return isNegative ? -0.0 : 0 }
        if digits.count > 310 { return isNegative ? -.infinity : .infinity }
        return slow(bytes, digits).map { isNegative ? -$0 : $0 }
    }

    /// The digits of a whole number without its sign and leading zeros.
    static func significant(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
        var at = range.lowerBound
        if at < range.upperBound, bytes[at] == 0x2D || bytes[at] == 0x2B { at &+= 1 }
        while at < range.upperBound, bytes[at] == 0x30 { at &+= 1 }
        return at..<range.upperBound
    }

    /// A whole number of any size, for the comparisons that a double is too coarse for.
    struct Whole: Sendable, Equatable, Comparable {
        private let isNegative: Bool
        private let digits: [UInt8]

        /// The number in `range`, or nil when there is anything but a sign and digits.
        init?(_ bytes: Span<UInt8>, _ range: Range<Int>) {
            guard Numbers.integer(bytes, range) != nil else { return nil }
            var digits: [UInt8] = []
            for at in Numbers.significant(bytes, range) { digits.append(bytes[at]) }
            self.digits = digits
            isNegative = bytes[range.lowerBound] == 0x2D && !digits.isEmpty
        }

        static func < (left: Whole, right: Whole) -> Bool {
            if left.isNegative != right.isNegative { return left.isNegative }
            let (low, high) = left.isNegative ? (right.digits, left.digits) : (left.digits, right.digits)
            return low.count != high.count ? low.count < high.count : low.lexicographicallyPrecedes(high)
        }
    }

    /// Whether the lexeme of a JSON number is a whole number, such as `12.0` or `1.5e1`; decided by its digits, because a
    /// double would take `1e-400` for zero.
    static func isWhole(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        var at = range.lowerBound
        let end = range.upperBound
        var (fraction, significant, zeros) = (0, 0, 0)
        var isFraction = false
        var isZero = true
        while at < end, bytes[at] | 0x20 != 0x65 {
            let digit = bytes[at] &- 0x30
            if bytes[at] == 0x2E { isFraction = true }
            if digit <= 9 {
                if digit != 0 { isZero = false }
                if isFraction {
                    fraction += 1
                    if digit != 0 { significant = fraction }
                } else {
                    zeros = digit == 0 ? zeros + 1 : 0
                }
            }
            at += 1
        }
        if isZero || at == end { return isZero || significant == 0 }
        at += 1
        let isDown = at < end && bytes[at] == 0x2D
        if at < end, isDown || bytes[at] == 0x2B { at += 1 }
        var exponent = 0
        while at < end {
            exponent = min(exponent * 10 + Int(bytes[at] &- 0x30), 1_000_000)
            at += 1
        }
        return isDown ? significant == 0 && zeros >= exponent : significant <= exponent
    }

    /// The value of a decimal number, or nil when the text is none. Correctly rounded: Clinger's fast path for up to 15
    /// digits and small exponents, one exact division for what data frames write (17 digits), the standard library otherwise.
    static func decimal(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Double? {
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
            if mantissa != 0 { digits &+= 1 }
            seen &+= 1
            at &+= 1
        }
        if at < end, bytes[at] == 0x2E {
            at &+= 1
            while at < end, bytes[at] &- 0x30 <= 9 {
                mantissa = mantissa &* 10 &+ UInt64(bytes[at] &- 0x30)
                if mantissa != 0 { digits &+= 1 }
                fraction &+= 1
                at &+= 1
            }
        }
        if seen + fraction == 0 { return special(bytes, range) }
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

    /// `mantissa` / 10^`places`, correctly rounded: with both sides of the division by 5^`places` shifted to their full width the quotient
    /// has 64 bits, and its remainder tells on which side of the middle of two doubles it is. Places up to 27, so that the power fits.
    private static func quotient(_ mantissa: UInt64, _ places: Int) -> Double {
        let power = powersOfFive[places]
        let divisor = power &<< UInt64(power.leadingZeroBitCount)
        let whole = mantissa &<< UInt64(mantissa.leadingZeroBitCount)
        let isWide = whole >= divisor
        let (quotient, remainder) = divisor.dividingFullWidth(
            isWide ? (whole &>> 1, whole &<< 63) : (whole, 0))
        // 53 bits stay; a tie goes to the even one.
        let rest = quotient & 0x7FF
        var bits = quotient &>> 11
        if rest > 0x400 || rest == 0x400 && (remainder != 0 || bits & 1 == 1) { bits &+= 1 }
        let exponent =
            power.leadingZeroBitCount - mantissa.leadingZeroBitCount - 64 + (isWide ? 1 : 0) - places + 11
        // A power of two within what a double holds, so that the product is exact.
        return Double(bits) * Double(bitPattern: UInt64(exponent + 1023) << 52)
    }

    /// `NaN`, `INF` and `-INF`, which Table Schema allows.
    static func special(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Double? {
        if range.count > 4 { return nil }
        return switch text(bytes, range).uppercased() {
        case "NAN": .nan
        case "INF", "+INF": .infinity
        case "-INF": -.infinity
        default: nil
        }
    }

    private static func slow(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Double? {
        range.count > 4096 ? nil : Double(text(bytes, range))
    }

    static func text(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
        var copy: [UInt8] = []
        for at in range { copy.append(bytes[at]) }
        return String(decoding: copy, as: UTF8.self)
    }

    /// The digits of a number with group marks, or with signs around it when it is not bare, as plain text; empty when
    /// there are none, or when a point stands in it that is no mark.
    static func plain(_ bytes: Span<UInt8>, _ range: Range<Int>, _ style: Style) -> [UInt8] {
        var (low, high) = (range.lowerBound, range.upperBound)
        func stands(_ mark: [UInt8], _ at: Int) -> Bool {
            guard !mark.isEmpty, at + mark.count <= high else { return false }
            for offset in mark.indices where bytes[at + offset] != mark[offset] { return false }
            return true
        }
        if !style.isBare {
            while low < high, !(bytes[low] &- 0x30 <= 9 || bytes[low] == 0x2B || bytes[low] == 0x2D),
                !stands(style.decimal, low)
            { low += 1 }
            while high > low, !(bytes[high - 1] &- 0x30 <= 9) { high -= 1 }
        }
        var out: [UInt8] = []
        while low < high {
            if stands(style.group, low) {
                low += style.group.count
            } else if stands(style.decimal, low) {
                out.append(0x2E)
                low += style.decimal.count
            } else {
                if bytes[low] == 0x2E { return [] }
                out.append(bytes[low])
                low += 1
            }
        }
        return out
    }
}
