/// The letters and digits of a candidate without separators: digits as 0 to 9, letters in any case as 10 to 35.
struct Symbols {
    /// Most symbols kept; no candidate has more.
    static let limit = 24

    private var values: InlineArray<24, UInt8> = InlineArray(repeating: 0)
    private(set) var count = 0

    init(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        for at in range where count < Self.limit {
            let byte = bytes[at]
            if isDigit(byte) {
                values[count] = byte &- 0x30
            } else if isLetter(byte) {
                values[count] = (byte | 0x20) &- 0x61 &+ 10
            } else {
                continue
            }
            count &+= 1
        }
    }

    @inline(__always)
    subscript(_ index: Int) -> Int { Int(values[index]) }

    /// The number that the digits of a range form.
    func number(_ range: Range<Int>) -> Int {
        var value = 0
        for index in range { value = value * 10 + Int(values[index]) }
        return value
    }

    /// The weighted sum of symbols.
    ///
    /// - Parameters:
    ///   - weights: one weight a symbol.
    ///   - first: the index of the first symbol.
    func sum(_ weights: [Int], from first: Int = 0) -> Int {
        var sum = 0
        for index in weights.indices { sum += Int(values[first + index]) * weights[index] }
        return sum
    }

    /// Whether all symbols of a range are equal.
    func isOne(_ range: Range<Int>) -> Bool { range.allSatisfy { values[$0] == values[range.lowerBound] } }

    /// Whether every symbol of a range is among `letters`.
    func areAmong(_ letters: String, _ range: Range<Int>) -> Bool { range.allSatisfy { isAmong(letters, $0) } }

    /// Whether any symbol of a range is among `letters`.
    func hasAny(_ letters: String, _ range: Range<Int>) -> Bool { range.contains { isAmong(letters, $0) } }

    /// Whether a symbol is among `letters`, which may include digits.
    func isAmong(_ letters: String, _ index: Int) -> Bool {
        let value = values[index]
        let byte = value < 10 ? value &+ 0x30 : value &+ 0x37
        return letters.utf8.contains(byte)
    }
}

/// The check digits by which issuers detect typing errors.
extension Symbols {
    /// Luhn's sum over a range (ISO/IEC 7812-1, annex B).
    ///
    /// - Parameters:
    ///   - range: the symbols, check digit included.
    ///   - extra: the share of a prefix that is not in the text.
    func passesLuhn(_ range: Range<Int>, plus extra: Int = 0) -> Bool {
        var sum = extra
        var doubles = false
        for index in range.reversed() {
            var digit = Int(values[index])
            if doubles {
                digit *= 2
                if digit > 9 { digit -= 9 }
            }
            sum += digit
            doubles.toggle()
        }
        return sum % 10 == 0
    }

    /// Verhoeff's check over a range: the dihedral group of order ten (J. Verhoeff, "Error Detecting Decimal Codes",
    /// 1969).
    func passesVerhoeff(_ range: Range<Int>) -> Bool {
        var check = 0
        for (place, index) in range.reversed().enumerated() {
            check = Self.product[check * 10 + Self.permutation[place % 8 * 10 + Int(values[index])]]
        }
        return check == 0
    }

    private static let product: [Int] = (0..<100).map { index in
        let (left, right) = (index / 10, index % 10)
        if left < 5 { return right < 5 ? (left + right) % 5 : 5 + (left + right - 5) % 5 }
        return right < 5 ? 5 + (left - 5 - right + 5) % 5 : (left - right + 5) % 5
    }

    private static let permutation: [Int] = {
        var rows = [Array(0..<10), [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]]
        while rows.count < 8 { rows.append(rows[1].map { rows[rows.count - 1][$0] }) }
        return rows.flatMap { $0 }
    }()

    /// ISO 7064 MOD 11,10 over a range that ends in the check digit.
    func passesMod11And10(_ range: Range<Int>) -> Bool {
        var product = 10
        for index in range.dropLast() {
            var sum = (Int(values[index]) + product) % 10
            if sum == 0 { sum = 10 }
            product = sum * 2 % 11
        }
        return (11 - product) % 10 == Int(values[range.upperBound - 1])
    }

    /// Whether year, month and day are a date of the Gregorian calendar.
    static func isDate(year: Int, month: Int, day: Int) -> Bool {
        guard (1...12).contains(month), day >= 1 else { return false }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        return day <= days[month - 1]
    }

    /// Whether a two-digit year, month and day are a date in some century.
    func isShortDate(year: Int, month: Int, day: Int) -> Bool {
        let short = number(year..<year + 2)
        let (month, day) = (number(month..<month + 2), number(day..<day + 2))
        return Self.isDate(year: 1900 + short, month: month, day: day)
            || Self.isDate(year: 2000 + short, month: month, day: day)
    }
}
