/// What a text could be besides text, recognised from its bytes alone.
enum CellShape: Int, CaseIterable {
    /// No shape but text.
    case text = 0
    /// A whole number without leading zeros and of at most 15 digits; longer ones are identifiers.
    case integer
    /// A decimal number.
    case number
    /// true or false in the standard's words (0 and 1 are numbers first).
    case boolean
    /// `YYYY-MM-DD`.
    case date
    /// `YYYY-MM-DDTHH:MM:SS`, with or without fraction and zone.
    case datetime
    /// `YYYY-MM-DD HH:MM:SS`.
    case spacedDatetime
    /// `HH:MM:SS`.
    case time
    /// An address with one @ and a dotted domain.
    case email
    /// A text with a scheme and `://`.
    case uri
    /// 8-4-4-4-12 hexadecimal digits.
    case uuid
}

/// The cell's shape; linear in its length, and in at most 64 bytes of it for everything but text.
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

/// Whether the cell is exactly this text.
func equal(_ bytes: Span<UInt8>, _ range: Range<Int>, _ text: String) -> Bool {
    guard range.count == text.utf8.count else { return false }
    var index = range.lowerBound
    for byte in text.utf8 {
        guard bytes[index] == byte else { return false }
        index += 1
    }
    return true
}

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

private func timeShape(_ bytes: Span<UInt8>, _ range: Range<Int>) -> CellShape? {
    guard range.count >= 8 else { return nil }
    let text = String(decoding: range.map { bytes[$0] }, as: UTF8.self)
    if bytes[range.lowerBound + 2] == UInt8(ascii: ":") {
        return range.count == 8 && isoTime(text[...], needsZone: false) != nil ? .time : nil
    }
    guard range.count >= 10, isoDay(text.prefix(10)) != nil else { return nil }
    if range.count == 10 { return .date }
    guard range.count >= 19, isoTime(text.dropFirst(11), needsZone: false) != nil else { return nil }
    switch bytes[range.lowerBound + 10] {
    case UInt8(ascii: "T"): return .datetime
    case UInt8(ascii: " "): return range.count == 19 ? .spacedDatetime : nil
    default: return nil
    }
}

/// By the very checks that a contract's formats mean, so that a file fits the contract inferred from it. A URI counts only
/// with `://`: a word and a colon is ordinary text.
private func addressShape(_ bytes: Span<UInt8>, _ range: Range<Int>) -> CellShape {
    if Formats.isEmail(bytes, range) { return .email }
    var at = range.lowerBound
    while at + 2 < range.upperBound, bytes[at] != UInt8(ascii: ":") { at += 1 }
    guard at + 2 < range.upperBound, bytes[at + 1] == UInt8(ascii: "/"), bytes[at + 2] == UInt8(ascii: "/"),
        Formats.isURI(bytes, range)
    else { return .text }
    return .uri
}
