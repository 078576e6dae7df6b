/// Decimal text to numbers, without a copy where it can.
enum Numbers {
    /// How numbers are written in a column.
    struct Style: Sendable, Equatable {
        var decimal: UInt8 = 0x2E
        var group: UInt8?
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
        if digits > 18 { return slow(bytes, range) }
        let magnitude = Double(value)
        return isNegative ? -magnitude : magnitude
    }

    /// The value of a decimal number, or nil when the text is none. Correctly rounded: Clinger's fast path for up to 15
    /// digits and small exponents, the standard library otherwise.
    static func decimal(_ bytes: Span<UInt8>, _ range: Range<Int>, point: UInt8 = 0x2E) -> Double? {
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
        if at < end, bytes[at] == point {
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
        guard digits <= 15, abs(scale) <= 22 else { return slow(bytes, range, point: point) }
        let magnitude = scale < 0 ? Double(mantissa) / powers[-scale] : Double(mantissa) * powers[scale]
        return isNegative ? -magnitude : magnitude
    }

    /// `NaN`, `INF` and `-INF`, which Table Schema allows.
    private static func special(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Double? {
        switch text(bytes, range).uppercased() {
        case "NAN": .nan
        case "INF", "+INF": .infinity
        case "-INF": -.infinity
        default: nil
        }
    }

    private static func slow(_ bytes: Span<UInt8>, _ range: Range<Int>, point: UInt8 = 0x2E) -> Double? {
        if range.count > 4096 { return nil }
        var copy = text(bytes, range)
        if point != 0x2E { copy = copy.replacing(String(Character(Unicode.Scalar(point))), with: ".") }
        return Double(copy)
    }

    static func text(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
        var copy: [UInt8] = []
        for at in range { copy.append(bytes[at]) }
        return String(decoding: copy, as: UTF8.self)
    }

    /// The digits of a number with group marks, or with signs around it when it is not bare, as plain text.
    static func plain(_ bytes: Span<UInt8>, _ range: Range<Int>, _ style: Style) -> [UInt8] {
        var (low, high) = (range.lowerBound, range.upperBound)
        if !style.isBare {
            func isPart(_ byte: UInt8) -> Bool {
                byte &- 0x30 <= 9 || byte == 0x2B || byte == 0x2D || byte == style.decimal || byte == style.group
            }
            while low < high, !isPart(bytes[low]) { low += 1 }
            while high > low, !(bytes[high - 1] &- 0x30 <= 9) { high -= 1 }
        }
        var out: [UInt8] = []
        for at in low..<high where bytes[at] != style.group {
            out.append(bytes[at] == style.decimal ? 0x2E : bytes[at])
        }
        return out
    }
}
