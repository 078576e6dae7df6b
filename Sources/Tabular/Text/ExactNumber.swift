/// A decimal number of any size and precision, for comparisons in which a double would round: JSON Schema compares
/// numbers by value, and 0.1 has no exact double.
package struct ExactNumber: Sendable, Hashable {
    private let isNegative: Bool
    /// The digits without leading and trailing zeros, if they fit one word; otherwise they are in `Digits`.
    private let mantissa: UInt64
    private let long: Digits?
    /// The digits of a number with more than nineteen. It is a class, so that copying a number without them needs no
    /// reference counting.
    private final class Digits: Sendable, Hashable {
        let digits: [UInt8]

        init(_ digits: [UInt8]) { self.digits = digits }

        static func == (left: Digits, right: Digits) -> Bool { left.digits == right.digits }
        func hash(into hasher: inout Hasher) { hasher.combine(digits) }
    }

    /// The power of ten of the last digit.
    private let exponent: Int

    /// Larger exponents are clamped to this, so that they do not overflow; no real data has them.
    private static let farthest = 1_000_000_000

    /// The number in a lexeme of JSON; the lexeme's grammar is not checked again.
    package init(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        var at = range.lowerBound
        let end = range.upperBound
        let isNegative = at < end && bytes[at] == 0x2D
        if at < end, isNegative || bytes[at] == 0x2B { at += 1 }
        var mantissa: UInt64 = 0
        var (digits, zeros, exponent) = (0, 0, 0)
        var isFraction = false
        // Trailing zeros are counted, since at the end they belong to the exponent.
        let first = at
        while at < end, bytes[at] | 0x20 != 0x65 {
            let byte = bytes[at]
            at += 1
            if byte == 0x2E {
                isFraction = true
                continue
            }
            if isFraction { exponent -= 1 }
            if byte == 0x30 {
                if digits > 0 { zeros += 1 }
                continue
            }
            digits += zeros + 1
            if digits <= 19 {
                for _ in 0..<zeros { mantissa = mantissa &* 10 }
                // The nineteenth digit may overflow the word.
                let (tenfold, over) = mantissa.multipliedReportingOverflow(by: 10)
                let (sum, more) = tenfold.addingReportingOverflow(UInt64(byte - 0x30))
                mantissa = sum
                if over || more { digits = 20 }
            }
            zeros = 0
        }
        exponent += zeros
        let last = at
        if at < end {
            at += 1
            let isDown = at < end && bytes[at] == 0x2D
            if at < end, isDown || bytes[at] == 0x2B { at += 1 }
            var power = 0
            while at < end {
                power = min(power * 10 + Int(bytes[at] &- 0x30), Self.farthest)
                at += 1
            }
            exponent += isDown ? -power : power
        }
        if digits == 0 {
            (self.isNegative, self.mantissa, long, self.exponent) = (false, 0, nil, 0)
            return
        }
        self.isNegative = isNegative
        self.exponent = exponent
        if digits <= 19 {
            (self.mantissa, long) = (mantissa, nil)
            return
        }
        var kept: [UInt8] = []
        for place in first..<last where bytes[place] != 0x2E {
            if !kept.isEmpty || bytes[place] != 0x30 { kept.append(bytes[place] - 0x30) }
        }
        while kept.last == 0 { kept.removeLast() }
        (self.mantissa, long) = (0, Digits(kept))
    }

    /// The number that a text stands for.
    package init(_ text: String) {
        let bytes = Array(text.utf8)
        self.init(bytes.span, 0..<bytes.count)
    }

    /// A whole number.
    package init(_ number: Int) { self.init(String(number)) }

    /// The number, if it is an integer of at most seventeen digits.
    package var word: Int64? {
        guard long == nil, exponent >= 0, exponent < 18, mantissa < 100_000_000_000_000_000 else { return nil }
        var value = mantissa
        for _ in 0..<exponent {
            value *= 10
            if value >= 100_000_000_000_000_000 { return nil }
        }
        return isNegative ? -Int64(value) : Int64(value)
    }

    /// One text for each value, however it was written.
    package var canonical: [UInt8] {
        (isNegative ? [0x2D] : []) + digits.map { $0 + 0x30 } + [0x65] + Array(String(exponent).utf8)
    }

    /// Whether it is an integer.
    package var isWhole: Bool { exponent >= 0 }
    private var isZero: Bool { mantissa == 0 && long == nil }

    private var digits: [UInt8] {
        if let long { return long.digits }
        var rest = mantissa
        var digits: [UInt8] = []
        while rest > 0 {
            digits.append(UInt8(rest % 10))
            rest /= 10
        }
        return digits.reversed()
    }

    /// Whether it is an integer multiple of another number, which is positive.
    package func isMultiple(of divisor: ExactNumber) -> Bool {
        if isZero { return true }
        // Neither mantissa ends in zero, so a larger power of ten in the divisor rules out divisibility.
        let shift = exponent - divisor.exponent
        if shift < 0 { return false }
        if long == nil, divisor.long == nil, shift == 0 { return mantissa % divisor.mantissa == 0 }
        guard divisor.long == nil else { return remainderIsZero(divisor, shift) }
        let modulus = divisor.mantissa
        func multiplied(_ left: UInt64, _ right: UInt64) -> UInt64 {
            let (high, low) = left.multipliedFullWidth(by: right)
            return modulus.dividingFullWidth((high % modulus, low)).remainder
        }
        var rest: UInt64 = 0
        for digit in digits {
            rest = multiplied(rest, 10)
            let (sum, over) = rest.addingReportingOverflow(UInt64(digit) % modulus)
            rest = over || sum >= modulus ? sum &- modulus : sum
        }
        // Ten to the power of the shift, by repeated squaring.
        var (power, left) = (10 % modulus, shift)
        while left > 0, rest != 0 {
            if left & 1 == 1 { rest = multiplied(rest, power) }
            power = multiplied(power, power)
            left >>= 1
        }
        return rest == 0
    }

    /// By long division, digit by digit, for a divisor that does not fit a word.
    private func remainderIsZero(_ divisor: ExactNumber, _ shift: Int) -> Bool {
        let by = divisor.digits
        // A limit against hostile input: no real number has so many zeros.
        guard shift < 5000 else { return false }
        var rest: [UInt8] = []
        for digit in digits + [UInt8](repeating: 0, count: shift) {
            if !rest.isEmpty || digit != 0 { rest.append(digit) }
            while rest.count > by.count || (rest.count == by.count && !rest.lexicographicallyPrecedes(by)) {
                var borrow: Int8 = 0
                for place in 0..<rest.count {
                    let index = rest.count - 1 - place
                    let other = place < by.count ? Int8(by[by.count - 1 - place]) : 0
                    let difference = Int8(rest[index]) - other - borrow
                    borrow = difference < 0 ? 1 : 0
                    rest[index] = UInt8(difference < 0 ? difference + 10 : difference)
                }
                let zeros = rest.prefix { $0 == 0 }.count
                rest.removeFirst(zeros)
            }
        }
        return rest.isEmpty
    }
}

extension ExactNumber: Comparable {
    /// Compares by value, however the numbers are written.
    package static func < (left: ExactNumber, right: ExactNumber) -> Bool {
        if left.isNegative != right.isNegative { return left.isNegative && !(left.isZero && right.isZero) }
        return left.isNegative ? right.isCloserToZero(than: left) : left.isCloserToZero(than: right)
    }

    private static func power(_ exponent: Int) -> UInt128 {
        var power: UInt64 = 1
        for _ in 0..<exponent { power &*= 10 }
        return UInt128(power)
    }

    private func isCloserToZero(than other: ExactNumber) -> Bool {
        if isZero || other.isZero { return isZero && !other.isZero }
        if long == nil, other.long == nil {
            if exponent == other.exponent { return mantissa < other.mantissa }
            // Neither has more than nineteen digits, so both fit 128 bits at the same exponent.
            let shift = exponent - other.exponent
            if shift > 0, shift < 19 { return UInt128(mantissa) * Self.power(shift) < UInt128(other.mantissa) }
            if shift < 0, shift > -19 { return UInt128(mantissa) < UInt128(other.mantissa) * Self.power(-shift) }
        }
        let (mine, theirs) = (digits, other.digits)
        let (top, otherTop) = (mine.count + exponent, theirs.count + other.exponent)
        return top != otherTop ? top < otherTop : mine.lexicographicallyPrecedes(theirs)
    }
}
