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
    if range.count == 36, isUUID(bytes, range) { return .uuid }
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

private func isUUID(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
    for offset in 0..<36 {
        let byte = bytes[range.lowerBound + offset]
        let isDash = offset == 8 || offset == 13 || offset == 18 || offset == 23
        guard isDash ? byte == UInt8(ascii: "-") : isDigit(byte) || (byte | 0x20) &- 0x61 < 6 else { return false }
    }
    return true
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

private func addressShape(_ bytes: Span<UInt8>, _ range: Range<Int>) -> CellShape {
    var at = -1
    var dotAfterAt = -1
    var scheme = -1
    for index in range {
        switch bytes[index] {
        case 0...0x20, 0x7F, UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\""): return .text
        case UInt8(ascii: "@"):
            if at >= 0, scheme < 0 { return .text }
            at = index
        case UInt8(ascii: "."): if at >= 0, index > at + 1 { dotAfterAt = index }
        case UInt8(ascii: ":"):
            let isStart = scheme < 0 && index > range.lowerBound && index + 3 < range.upperBound
            if isStart, bytes[index + 1] == UInt8(ascii: "/"), bytes[index + 2] == UInt8(ascii: "/") { scheme = index }
        default: break
        }
    }
    if scheme > 0 {
        let isName = (range.lowerBound..<scheme).allSatisfy { index in
            let byte = bytes[index]
            return (byte | 0x20) &- 0x61 < 26 || (index > range.lowerBound && (isDigit(byte) || byte == 0x2B))
        }
        return isName ? .uri : .text
    }
    return at > range.lowerBound && dotAfterAt > at && dotAfterAt < range.upperBound - 1 ? .email : .text
}
