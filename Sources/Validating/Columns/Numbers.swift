package import Schemas
import Tabular

/// Parses numbers from text, without a copy where possible.
package enum Numbers {
    /// The notation of a column's numbers. A mark may be any character, hence several bytes.
    package struct Style: Sendable, Equatable {
        /// The decimal mark; empty for whole numbers.
        package var decimal: [UInt8] = [0x2E]
        /// The marks allowed between groups of three digits.
        var groups: [[UInt8]] = []
        var isBare = true

        /// Spaces that look alike in print: declaring one allows all.
        private static let spaces = [" ", "\u{A0}", "\u{202F}", "\u{2009}"]

        /// The plain notation.
        package init() {}

        /// The notation that a field declares.
        package init(_ field: Field) {
            decimal = field.type == .integer ? [] : Array(field.decimalChar.utf8)
            isBare = field.bareNumber
            guard let mark = field.groupChar else { return }
            groups = (Self.spaces.contains(mark) ? Self.spaces : [mark]).map { Array($0.utf8) }
        }

        /// Whether it is the plain notation.
        package var isPlain: Bool { isBare && groups.isEmpty && (decimal.isEmpty || decimal == [0x2E]) }
    }

    /// The value of a whole number; nil for other texts. Beyond 2⁵³ it is the nearest double and never wraps.
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

    /// The value of a whole number of more than 18 digits; infinite beyond a double's range.
    private static func long(_ bytes: Span<UInt8>, _ range: Range<Int>, _ isNegative: Bool) -> Double? {
        let digits = significant(bytes, range)
        if digits.isEmpty { return isNegative ? -0.0 : 0 }
        if digits.count > 310 { return isNegative ? -.infinity : .infinity }
        return DecimalNumber.slow(bytes, digits).map { isNegative ? -$0 : $0 }
    }

    /// The digits of a whole number without sign and leading zeros.
    static func significant(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
        var at = range.lowerBound
        if at < range.upperBound, bytes[at] == 0x2D || bytes[at] == 0x2B { at &+= 1 }
        while at < range.upperBound, bytes[at] == 0x30 { at &+= 1 }
        return at..<range.upperBound
    }

    /// A whole number of any size, for comparisons beyond a double's precision.
    struct Whole: Sendable, Equatable, Comparable {
        private let isNegative: Bool
        private let digits: [UInt8]

        /// Parses a sign and digits; nil for any other text.
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

    /// Whether a JSON number is whole, such as `12.0` or `1.5e1`. Its digits decide: as a double `1e-400` would be
    /// zero.
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

    /// The value of a decimal number, NaN or infinity; nil for other texts.
    static func decimal(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Double? {
        DecimalNumber.value(bytes, range) ?? special(bytes, range)
    }

    /// `NaN`, `INF` and `-INF` (Table Schema, type `number`).
    static func special(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Double? {
        if range.count > 4 { return nil }
        return switch text(bytes, range).uppercased() {
        case "NAN": .nan
        case "INF", "+INF": .infinity
        case "-INF": -.infinity
        default: nil
        }
    }

    static func text(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
        var copy: [UInt8] = []
        for at in range { copy.append(bytes[at]) }
        return String(decoding: copy, as: UTF8.self)
    }

    /// A number in some notation as plain text; empty when the text is not one.
    ///
    /// Group marks must separate every three digits of the whole part or be absent, so that a decimal mark never passes
    /// as a group mark.
    ///
    /// - Parameters:
    ///   - bytes: the buffer.
    ///   - range: the value in it.
    ///   - style: the notation.
    package static func plain(_ bytes: Span<UInt8>, _ range: Range<Int>, _ style: Style) -> [UInt8] {
        guard let range = style.isBare ? range : bare(bytes, range, style) else { return [] }
        var at = range.lowerBound
        let end = range.upperBound
        var out: [UInt8] = []
        out.reserveCapacity(range.count)
        if at < end, bytes[at] == 0x2D || bytes[at] == 0x2B {
            out.append(bytes[at])
            at += 1
        }
        let first = at
        var (run, groups) = (0, 0)
        while at < end {
            if bytes[at] &- 0x30 <= 9 {
                out.append(bytes[at])
                (run, at) = (run + 1, at + 1)
                continue
            }
            guard let mark = style.groups.first(where: { stands($0, bytes, in: at..<end) }) else { break }
            // 0,500 is not grouped: the comma is a decimal mark.
            guard groups == 0 ? 1...3 ~= run && bytes[first] != 0x30 : run == 3 else { return [] }
            (run, groups, at) = (0, groups + 1, at + mark.count)
        }
        guard groups == 0 || run == 3 else { return [] }
        if stands(style.decimal, bytes, in: at..<end) {
            out.append(0x2E)
            at += style.decimal.count
        }
        while at < end {
            if bytes[at] == 0x2E { return [] }
            out.append(bytes[at])
            at += 1
        }
        return out
    }

    /// Whether a mark begins a range.
    private static func stands(_ mark: [UInt8], _ bytes: Span<UInt8>, in range: Range<Int>) -> Bool {
        let at = range.lowerBound
        guard !mark.isEmpty, mark.count <= range.count else { return false }
        for offset in mark.indices where bytes[at + offset] != mark[offset] { return false }
        return true
    }

    /// The range of a number without its currency or percent sign; nil when there is no number, or a mark beside it
    /// could belong to it.
    private static func bare(_ bytes: Span<UInt8>, _ range: Range<Int>, _ style: Style) -> Range<Int>? {
        var (low, high) = (range.lowerBound, range.upperBound)
        while low < high, !(bytes[low] &- 0x30 <= 9 || bytes[low] == 0x2B || bytes[low] == 0x2D) { low += 1 }
        while high > low, !(bytes[high - 1] &- 0x30 <= 9) { high -= 1 }
        guard low < high else { return nil }
        // Visible marks only: spaces surround numbers anyway.
        let visible = style.groups.count == 1 ? style.groups : []
        for mark in [style.decimal, [0x2E], [0x2C]] + visible {
            guard low - mark.count >= range.lowerBound, stands(mark, bytes, in: low - mark.count..<low) else {
                continue
            }
            // The point of an abbreviation, as in Rs.500, is not a decimal mark.
            if endsInLetter(bytes, range.lowerBound..<low - mark.count) { break }
            guard mark == style.decimal else { return nil }
            low -= mark.count
            break
        }
        return visible.contains { stands($0, bytes, in: high..<range.upperBound) } ? nil : low..<high
    }

    private static func endsInLetter(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard let last = range.last else { return false }
        if bytes[last] < 0x80 { return (bytes[last] | 0x20) &- 0x61 < 26 }
        // Two bytes are a letter of Latin, Greek or Cyrillic; currency signs have three bytes or begin with C2.
        return range.count > 1 && 0xC3...0xDF ~= bytes[last - 1]
    }
}
