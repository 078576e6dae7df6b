import Tabular

/// The notation of a column's numbers with marks: digit groups, a decimal comma, a currency or percent sign. A notation
/// is reported only when every value fits it and no other one gives different numbers.
struct WrittenAmounts: Sendable {
    /// The marks of each notation.
    private static let styles: [(group: String, decimal: String)] = [
        (",", "."), (".", ","), (" ", ","), (" ", "."), ("'", "."),
    ]
    /// By notation: values that fit, values with a decimal mark, and the set of numbers of group marks.
    private var fits = [Int](repeating: 0, count: styles.count)
    private var decimals = [Int](repeating: 0, count: styles.count)
    private var groupCounts = [UInt8](repeating: 0, count: styles.count)
    /// Values with marks, and values of four digits or more without.
    private var marked = 0, unmarked = 0, unmarkedLarge = 0
    /// Numbers whose point may be a group mark of a whole number.
    private var pointed = 0
    /// Values with a sign beside the number, and the sign that they all have.
    private var signed = 0
    private var sign: [UInt8] = []
    private var isMixed = false

    /// The marks to declare.
    struct Reading: Equatable {
        var isInteger = false
        var decimalChar = "."
        var groupChar: String?
        var bareNumber = true
    }

    /// One reading with its evidence, or several that are possible.
    enum Outcome: Equatable {
        case one(Reading, evidence: String)
        case several([Reading])
    }

    /// Adds a plain number.
    mutating func take(number bytes: Span<UInt8>, _ range: Range<Int>, isInteger: Bool) {
        let end = range.upperBound
        // 1.234 may be a whole number with a group mark.
        let isGroupLike =
            !isInteger && (5...8).contains(range.count) && bytes[end - 4] == 0x2E && bytes[range.lowerBound] != 0x30
            && range.count(where: { isDigit(bytes[$0]) }) >= range.count - 2
        let (first, digits) = (range.lowerBound, range.count { isDigit(bytes[$0]) })
        if isGroupLike { pointed += 1 } else { unmarked += 1 }
        if isInteger, digits >= 4, bytes[first] != 0x30 { unmarkedLarge += 1 }
        for (style, marks) in Self.styles.enumerated() {
            if isInteger {
                fits[style] += 1
                groupCounts[style] |= 1
            } else if marks.decimal == "." {
                fits[style] += 1
                decimals[style] += 1
            } else if marks.group == ".", isGroupLike {
                fits[style] += 1
                groupCounts[style] |= 2
            }
        }
    }

    /// Adds a text.
    mutating func take(text bytes: Span<UInt8>, _ range: Range<Int>) {
        guard range.count <= 32, let first = range.first(where: { isDigit(bytes[$0]) }),
            let last = range.last(where: { isDigit(bytes[$0]) })
        else { return }
        let isSigned = first > range.lowerBound && (bytes[first - 1] == 0x2D || bytes[first - 1] == 0x2B)
        let body = (isSigned ? first - 1 : first)..<last + 1
        if body != range {
            guard let found = Self.sign(bytes, range, around: body) else { return }
            if signed == 0 { sign = found }
            isMixed = isMixed || found != sign
            signed += 1
        }
        guard let runs = Self.runs(bytes, first..<last + 1) else { return }
        var hasMark = false
        for (style, marks) in Self.styles.enumerated() {
            guard let (groups, isDecimal) = Self.fit(runs, marks, startsWithZero: bytes[first] == 0x30) else {
                continue
            }
            fits[style] += 1
            if isDecimal { decimals[style] += 1 }
            groupCounts[style] |= 1 << UInt8(min(groups, 7))
            hasMark = hasMark || groups > 0 || isDecimal
        }
        if hasMark { marked += 1 } else { unmarked += 1 }
        if !hasMark, runs.count == 1, runs[0].digits >= 4 { unmarkedLarge += 1 }
    }

    /// The reading of a column.
    ///
    /// - Parameter values: number of values in the column.
    /// - Returns: nil when not all are numbers, or all are plain.
    func reading(of values: Int) -> Outcome? {
        if let whole = wholes(values) { return whole }
        guard values > 0, marked + signed > 0, !isMixed else { return nil }
        var readings: [Reading] = []
        var isCertain = false
        for style in Self.styles.indices where fits[style] == values {
            let (hasDecimals, counts) = (decimals[style] > 0, groupCounts[style])
            // Numbers with the same groups may be telephone numbers or references: they prove nothing, and make others
            // doubtful.
            isCertain = isCertain || counts <= 1 || hasDecimals || signed > 0 || counts.nonzeroBitCount > 1
            var reading = Reading(isInteger: !hasDecimals, bareNumber: signed == 0)
            if hasDecimals { reading.decimalChar = Self.styles[style].decimal }
            if counts > 1 { reading.groupChar = Self.styles[style].group }
            if !readings.contains(reading) { readings.append(reading) }
        }
        guard isCertain else { return nil }
        if readings.count == 1 { return .one(readings[0], evidence: evidence(readings[0], values)) }
        // If every large number has marks and no small one has, the marks are groups rather than always three decimals.
        let grouped = readings.filter { $0.isInteger && $0.groupChar != nil }
        if grouped.count == 1, marked >= 10, unmarked > 0, unmarkedLarge == 0 {
            return .one(grouped[0], evidence: "each number from 1,000 on has marks, and no smaller one")
        }
        return .several(readings)
    }

    /// Whole numbers with points as group marks, which plain decimals could be as well: every number from 1,000 on has
    /// one, none below, and none has one or two digits after it.
    private func wholes(_ values: Int) -> Outcome? {
        guard pointed >= 10, unmarked >= 3, unmarkedLarge == 0, signed == 0, marked == 0, fits[1] == values else {
            return nil
        }
        return .one(
            Reading(isInteger: true, groupChar: "."),
            evidence: "each number from 1,000 on has a point, and no smaller one")
    }

    private func evidence(_ reading: Reading, _ values: Int) -> String {
        var parts: [String] = []
        if let group = reading.groupChar { parts.append("\(quoted(group)) before groups of three digits") }
        if reading.decimalChar != "." { parts.append("\(quoted(reading.decimalChar)) before decimals") }
        if !reading.bareNumber { parts.append("the same sign beside \(signed) of \(values) numbers") }
        return parts.joined(separator: ", ")
    }

    /// A run of digits with the mark after it; nil at the end.
    private typealias Run = (digits: Int, mark: String?)

    /// The runs of digits in a value with the marks between them; nil when anything else is in it.
    private static func runs(_ bytes: Span<UInt8>, _ range: Range<Int>) -> [Run]? {
        var runs: [Run] = []
        var (at, digits) = (range.lowerBound, 0)
        while at < range.upperBound {
            if isDigit(bytes[at]) {
                (digits, at) = (digits + 1, at + 1)
                continue
            }
            guard digits > 0, let (mark, length) = mark(bytes, at, range.upperBound), runs.count < 8 else { return nil }
            runs.append((digits, mark))
            (digits, at) = (0, at + length)
        }
        return digits > 0 && digits <= 15 ? runs + [(digits, nil)] : nil
    }

    /// The mark at a place; all kinds of spaces count as one.
    private static func mark(_ bytes: Span<UInt8>, _ at: Int, _ end: Int) -> (String, Int)? {
        switch bytes[at] {
        case 0x2C: return (",", 1)
        case 0x2E: return (".", 1)
        case 0x27: return ("'", 1)
        case 0x20: return (" ", 1)
        case 0xC2 where at + 1 < end && bytes[at + 1] == 0xA0: return (" ", 2)
        case 0xE2 where at + 2 < end && bytes[at + 1] == 0x80 && (bytes[at + 2] == 0xAF || bytes[at + 2] == 0x89):
            return (" ", 3)
        default: return nil
        }
    }

    /// The number of group marks, and whether there is a decimal mark, when the runs fit a notation; nil otherwise.
    ///
    /// - Parameters:
    ///   - runs: the digit runs of the value.
    ///   - marks: the notation.
    ///   - startsWithZero: whether the first digit is 0.
    private static func fit(
        _ runs: [Run], _ marks: (group: String, decimal: String), startsWithZero: Bool
    ) -> (groups: Int, isDecimal: Bool)? {
        var (groups, isDecimal) = (0, false)
        for (place, run) in runs.enumerated() {
            if isDecimal { return place == runs.count - 1 ? (groups, true) : nil }
            // Groups after the first have three digits.
            if place > 0, run.digits != 3 { return nil }
            guard let mark = run.mark else { break }
            if mark == marks.decimal {
                isDecimal = true
            } else {
                guard mark == marks.group, place > 0 || run.digits <= 3 && !startsWithZero else { return nil }
                groups += 1
            }
        }
        // A code such as 007 is not a number.
        if startsWithZero, runs[0].digits > 1 { return nil }
        return (groups, isDecimal)
    }

    /// Signs beside numbers of one kind.
    private static let signs = Set(
        [
            "$", "€", "£", "¥", "₹", "₩", "₽", "₺", "%", "zł", "kr", "EUR", "USD", "GBP", "CHF", "JPY", "CAD", "AUD",
            "SEK",
            "NOK", "DKK", "PLN", "CZK", "HUF", "RON", "BRL", "INR", "CNY", "MXN", "ZAR", "TRY", "R$",
        ].map { Array($0.utf8) })

    /// The sign before or after a number; nil for anything else.
    private static func sign(_ bytes: Span<UInt8>, _ range: Range<Int>, around body: Range<Int>) -> [UInt8]? {
        func trimmed(_ part: Range<Int>) -> [UInt8] {
            var text = part.map { bytes[$0] }
            for space in [[0x20], [0xC2, 0xA0], [0xE2, 0x80, 0xAF]] as [[UInt8]] {
                if text.starts(with: space) { text.removeFirst(space.count) }
                if text.reversed().starts(with: space.reversed()) { text.removeLast(space.count) }
            }
            return text
        }
        let before = trimmed(range.lowerBound..<body.lowerBound)
        let behind = trimmed(body.upperBound..<range.upperBound)
        guard before.isEmpty != behind.isEmpty else { return nil }
        let sign = before.isEmpty ? behind : before
        return signs.contains(sign) ? sign : nil
    }
}
