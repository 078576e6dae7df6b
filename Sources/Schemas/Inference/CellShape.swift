/// The type that a text could have, by its bytes alone.
enum CellShape: Int, CaseIterable {
    /// Text only.
    case text = 0
    /// A whole number of at most 15 digits without leading zeros; longer ones are identifiers.
    case integer
    /// A decimal number.
    case number
    /// true or false in the words of Table Schema; 0 and 1 count as numbers.
    case boolean
    /// `YYYY-MM-DD`.
    case date
    /// `YYYY-MM-DDTHH:MM:SS` with optional fraction and zone, or with a space instead of `T` and one of the two.
    case datetime
    /// `YYYY-MM-DD HH:MM:SS`.
    case spacedDatetime
    /// A date with the year first that is not ISO 8601, such as `YYYY/MM/DD`.
    case looseDate
    /// Such a date with a time of day, or an ISO date with a time such as `10:00` or `10:00:01+00`.
    case looseDatetime
    /// `HH:MM:SS`.
    case time
    /// `HH:MM`.
    case shortTime
    /// An address with one @ and a dotted domain.
    case email
    /// A text with a scheme and `://`.
    case uri
    /// 8-4-4-4-12 hexadecimal digits.
    case uuid
}

/// The shape of a cell. Linear in its length for text; other shapes examine at most 64 bytes.
func shape(of bytes: Span<UInt8>, in range: Range<Int>) -> CellShape {
    guard range.count <= 320, let first = range.first.map({ bytes[$0] }) else { return .text }
    if range.count == 36, Formats.isUUID(bytes, range) { return .uuid }
    if range.count <= 40 {
        if isDigit(first) || first == UInt8(ascii: "-") || first == UInt8(ascii: "+") || first == UInt8(ascii: ".") {
            if let shape = numberShape(bytes, range) { return shape }
            if let shape = timeShape(bytes, range) { return shape }
        } else if range.count <= 5, isBoolean(bytes, range) {
            return .boolean
        }
    }
    return addressShape(bytes, range)
}

private func isBoolean(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
    ["true", "True", "TRUE", "false", "False", "FALSE"].contains { equal(bytes, range, $0) }
}

/// Whether the cell equals an ASCII text.
func equal(_ bytes: Span<UInt8>, _ range: Range<Int>, _ text: String) -> Bool {
    guard range.count == text.utf8.count else { return false }
    var index = range.lowerBound
    for byte in text.utf8 {
        guard bytes[index] == byte else { return false }
        index += 1
    }
    return true
}

/// Integer or number; nil for codes and other texts. The digits are counted, not converted.
private func numberShape(_ bytes: Span<UInt8>, _ range: Range<Int>) -> CellShape? {
    var index = range.lowerBound
    if bytes[index] == UInt8(ascii: "-") || bytes[index] == UInt8(ascii: "+") { index += 1 }
    let wholeStart = index
    index = endOfDigits(bytes, index, range.upperBound)
    let whole = index - wholeStart
    // 007 and 0123 are codes: as numbers they would lose their zeros.
    let isCode = whole > 15 || (whole > 1 && bytes[wholeStart] == UInt8(ascii: "0"))
    if index == range.upperBound { return whole == 0 ? nil : isCode ? .text : .integer }
    var fraction = 0
    if bytes[index] == UInt8(ascii: ".") {
        let start = index + 1
        index = endOfDigits(bytes, start, range.upperBound)
        fraction = index - start
    }
    guard whole + fraction > 0 else { return nil }
    if index < range.upperBound, bytes[index] | 0x20 == UInt8(ascii: "e") {
        index += 1
        if index < range.upperBound, bytes[index] == UInt8(ascii: "-") || bytes[index] == UInt8(ascii: "+") {
            index += 1
        }
        let end = endOfDigits(bytes, index, range.upperBound)
        guard end > index else { return nil }
        index = end
    }
    guard index == range.upperBound else { return nil }
    return isCode || bytes[index - 1] == UInt8(ascii: ".") ? .text : .number
}

private func endOfDigits(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Int {
    var index = start
    while index < end, isDigit(bytes[index]) { index += 1 }
    return index
}

/// Date, time or both, by length and separators; what is not ISO 8601 is left to `looseShape`.
private func timeShape(_ bytes: Span<UInt8>, _ range: Range<Int>) -> CellShape? {
    if range.count == 4 || range.count == 5 {
        var reader = ClockReader(bytes, range)
        return reader.shortTime() ? .shortTime : nil
    }
    guard range.count >= 8 else { return nil }
    let first = range.lowerBound
    if bytes[first + 2] == UInt8(ascii: ":") {
        var reader = ClockReader(bytes, range)
        return range.count == 8 && reader.time() == .seconds && reader.isAtEnd ? .time : nil
    }
    let text = String(decoding: range.prefix(10).map { bytes[$0] }, as: UTF8.self)
    guard range.count >= 10, isoDay(text[...]) != nil else { return looseShape(bytes, range) }
    if range.count == 10 { return .date }
    let isSpaced = bytes[first + 10] == 0x20
    guard isSpaced || bytes[first + 10] == UInt8(ascii: "T") else { return looseShape(bytes, range) }
    var reader = ClockReader(bytes, first + 11..<range.upperBound)
    let time = reader.time()
    guard time == .seconds || time == .fraction else { return looseShape(bytes, range) }
    if reader.isAtEnd { return isSpaced && time == .seconds ? .spacedDatetime : .datetime }
    return reader.isoZone() && reader.isAtEnd ? .datetime : looseShape(bytes, range)
}

/// The shapes that the format `any` accepts beside ISO 8601, with the year first.
private func looseShape(_ bytes: Span<UInt8>, _ range: Range<Int>) -> CellShape? {
    let first = range.lowerBound
    guard range.count >= 8, let year = digits(bytes, in: first..<first + 4, end: range.upperBound),
        bytes[first + 4] == UInt8(ascii: "-") || bytes[first + 4] == UInt8(ascii: "/")
    else { return nil }
    let monthEnd = endOfDigits(bytes, first + 5, range.upperBound)
    guard 1...2 ~= monthEnd - first - 5, monthEnd < range.upperBound, bytes[monthEnd] == bytes[first + 4],
        let month = digits(bytes, in: first + 5..<monthEnd, end: range.upperBound)
    else { return nil }
    let dayEnd = endOfDigits(bytes, monthEnd + 1, range.upperBound)
    guard 1...2 ~= dayEnd - monthEnd - 1,
        let day = digits(bytes, in: monthEnd + 1..<dayEnd, end: range.upperBound),
        1...12 ~= month, day >= 1, day <= daysInMonth(month, year: year)
    else { return nil }
    if dayEnd == range.upperBound { return .looseDate }
    guard bytes[dayEnd] == 0x20 || bytes[dayEnd] == UInt8(ascii: "T") else { return nil }
    var reader = ClockReader(bytes, dayEnd + 1..<range.upperBound)
    guard reader.time() != nil else { return nil }
    return reader.isAtEnd || reader.writtenZone() && reader.isAtEnd ? .looseDatetime : nil
}

/// The number that the digits in `range` form; nil for other bytes, or past the end.
private func digits(_ bytes: Span<UInt8>, in range: Range<Int>, end: Int) -> Int? {
    guard range.upperBound <= end else { return nil }
    var value = 0
    for at in range {
        guard isDigit(bytes[at]) else { return nil }
        value = value * 10 + Int(bytes[at] & 0x0F)
    }
    return value
}

/// Reads a time of day. It accepts a subset of what the formats of a contract accept.
private struct ClockReader {
    private let text: [UInt8]
    private var at = 0

    init(_ bytes: Span<UInt8>, _ range: Range<Int>) { text = range.prefix(40).map { bytes[$0] } }

    enum Precision { case minutes, seconds, fraction }

    var isAtEnd: Bool { at == text.count }

    private mutating func number(_ count: Int, below bound: Int) -> Bool {
        guard at + count <= text.count else { return false }
        var value = 0
        for byte in text[at..<at + count] {
            guard isDigit(byte) else { return false }
            value = value * 10 + Int(byte & 0x0F)
        }
        at += count
        return value < bound
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard at < text.count, text[at] == byte else { return false }
        at += 1
        return true
    }

    /// `9:05` or `09:05`.
    mutating func shortTime() -> Bool {
        number(text.count - 3, below: 24) && take(0x3A) && number(2, below: 60) && isAtEnd
    }

    /// `HH:MM` with optional seconds and fraction, and the precision that was read; nil for other texts.
    mutating func time() -> Precision? {
        guard number(2, below: 24), take(0x3A), number(2, below: 60) else { return nil }
        guard take(0x3A) else { return .minutes }
        guard number(2, below: 60) else { return nil }
        guard take(0x2E) else { return .seconds }
        let first = at
        while at < text.count, isDigit(text[at]) { at += 1 }
        return at > first && at - first <= 9 ? .fraction : nil
    }

    /// `Z` or `±HH:MM`, as in ISO 8601.
    mutating func isoZone() -> Bool {
        if take(UInt8(ascii: "Z")) { return true }
        return (take(0x2B) || take(0x2D)) && number(2, below: 24) && take(0x3A) && number(2, below: 60)
    }

    /// Zones beside ISO 8601, such as `+02`, `+0200` and `UTC`.
    mutating func writtenZone() -> Bool {
        _ = take(0x20)
        let rest = String(decoding: text[at...], as: UTF8.self)
        if rest == "UTC" || rest == "GMT" {
            at = text.count
            return true
        }
        let start = at
        if isoZone() { return true }
        at = start
        guard take(0x2B) || take(0x2D), number(2, below: 24) else { return false }
        return isAtEnd || number(2, below: 60)
    }
}

/// Uses the checks of the contract's formats, so that a file fits the contract inferred from it. A URI needs `://`
/// here: a word and a colon is ordinary text.
private func addressShape(_ bytes: Span<UInt8>, _ range: Range<Int>) -> CellShape {
    if Formats.isEmail(bytes, range) { return .email }
    var at = range.lowerBound
    while at + 2 < range.upperBound, bytes[at] != UInt8(ascii: ":") { at += 1 }
    guard at + 2 < range.upperBound, bytes[at + 1] == UInt8(ascii: "/"), bytes[at + 2] == UInt8(ascii: "/"),
        Formats.isURI(bytes, range)
    else { return .text }
    return .uri
}
