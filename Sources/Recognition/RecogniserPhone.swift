/// The end of a North American number whose area code starts at `at`: `(npa) nxx-xxxx`, `npa-nxx-xxxx`, with spaces or
/// dots as well. Area and exchange start with 2 to 9.
func matchNorthAmerican(_ bytes: Span<UInt8>, _ at: Int, _ view: inout ScanWindow) -> Int? {
    var position = at
    let hasParentheses = view[bytes, at] == UInt8(ascii: "(")
    if hasParentheses { position += 1 }
    guard startsGroup(bytes, position, &view) else { return nil }
    position += 3
    if hasParentheses {
        guard view[bytes, position] == UInt8(ascii: ")") else { return nil }
        position += 1
    }
    if isPhoneSeparator(view[bytes, position]) {
        position += 1
    } else if !hasParentheses {
        return nil
    }
    guard startsGroup(bytes, position, &view) else { return nil }
    position += 3
    if isPhoneSeparator(view[bytes, position]) {
        position += 1
    } else if !hasParentheses {
        return nil
    }
    guard view.hasDigits(bytes, position, 4) else { return nil }
    return extensionEnd(bytes, position + 4, &view)
}

/// The country of a telephone number that begins with `+`, as its calling code with the sign, or of an IBAN, as its letters.
package func countryPart(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Range<Int>? {
    guard range.count > 4 else { return nil }
    let start = range.lowerBound
    if isLetter(bytes[start]), isLetter(bytes[start + 1]), isDigit(bytes[start + 2]) { return start..<start + 2 }
    var view = ScanWindow(range)
    guard bytes[start] == UInt8(ascii: "+"), let (length, _) = countryCode(bytes, start + 1, &view) else { return nil }
    return start..<start + 1 + length
}

/// The end of a number as it is dialled within a country: ten bare digits of North America or India, eleven of China or with a leading
/// 1, or 0 and eight to ten more, bare or in groups. Only a context word makes them a telephone number.
func matchNational(_ bytes: Span<UInt8>, _ at: Int, run: Int, _ view: inout ScanWindow) -> Int? {
    let first = view[bytes, at]
    if first == UInt8(ascii: "0") {
        var isOpen = false
        var position = at + run
        var count = run
        var groups = 1
        guard run <= 11, run >= 9 || view[bytes, position] != 0, view[bytes, at + 1] != first else { return nil }
        var best = (9...11).contains(count) && view.endsNumber(bytes, position) ? position : nil
        while count < 11, groups < 6, let group = groupStart(bytes, position, &isOpen, &view) {
            let length = view.digitRun(bytes, group, limit: 12)
            count += length
            groups += 1
            guard length >= 2, count <= 11 else { break }
            position = group + length
            if count >= 9, !isOpen, view.endsNumber(bytes, position) { best = position }
        }
        return best
    }
    guard run == 10 || run == 11, view.endsNumber(bytes, at + run) else { return nil }
    let second = view[bytes, at + 1]
    if run == 11 {
        guard first == UInt8(ascii: "1") else { return nil }
        let isNorthAmerican = startsGroup(bytes, at + 1, &view) && startsGroup(bytes, at + 4, &view)
        return isNorthAmerican || second >= UInt8(ascii: "3") ? at + run : nil
    }
    let isNorthAmerican = startsGroup(bytes, at, &view) && startsGroup(bytes, at + 3, &view)
    return isNorthAmerican || first >= UInt8(ascii: "6") ? at + run : nil
}

/// Whether a value is nothing but what is dialled: seven to fifteen digits (ITU-T E.164), with separators and parentheses, as columns
/// that are called so have it, with a calling code and no sign before it, or without an area code. A bare number of less than nine may
/// count telephones.
func isDialled(_ bytes: Span<UInt8>, _ range: Range<Int>, isNumber: Bool) -> Bool {
    guard range.count <= 32 else { return false }
    var digits = 0
    for at in range {
        let byte = bytes[at]
        if isDigit(byte) {
            digits += 1
        } else if !isPhoneSeparator(byte), byte != UInt8(ascii: "("), byte != UInt8(ascii: ")"),
            byte != UInt8(ascii: "/"),
            byte != UInt8(ascii: "+") || at > range.lowerBound
        {
            return false
        }
    }
    return (isNumber ? 9 : 7)...15 ~= digits && isDigit(bytes[range.upperBound - 1])
}

/// Whether an area or exchange code starts here: three digits, the first from 2 on.
private func startsGroup(_ bytes: Span<UInt8>, _ at: Int, _ view: inout ScanWindow) -> Bool {
    view.hasDigits(bytes, at, 3) && view[bytes, at] >= UInt8(ascii: "2")
}

/// The end with an extension such as `x123`; nil when the number does not end as a word.
private func extensionEnd(_ bytes: Span<UInt8>, _ at: Int, _ view: inout ScanWindow) -> Int? {
    var position = at
    if view[bytes, position] == UInt8(ascii: " ") { position += 1 }
    if view[bytes, position] | 0x20 == UInt8(ascii: "x") {
        let length = view.digitRun(bytes, position + 1, limit: 7)
        if length > 0, length < 7, view.endsNumber(bytes, position + 1 + length) { return position + 1 + length }
    }
    return view.endsNumber(bytes, at) ? at : nil
}

/// The end of an international number whose `+` is at `at`: a country code and as many national digits as that country
/// has, in groups between single separators, one of them perhaps in parentheses.
///
/// Where several groups fit, the longest wins, so that a number after the telephone number is taken only when the
/// country's numbers may be that long.
func matchInternational(_ bytes: Span<UInt8>, _ at: Int, _ view: inout ScanWindow) -> Int? {
    guard let (code, national) = countryCode(bytes, at + 1, &view) else { return nil }
    var position = at + 1 + code
    if national == 10...10 {
        let area = isPhoneSeparator(view[bytes, position]) ? position + 1 : position
        if let end = matchNorthAmerican(bytes, area, &view) { return end }
    }
    var count = 0
    var isOpen = false
    var best: Int?
    while count < national.upperBound {
        guard let group = groupStart(bytes, position, &isOpen, &view) else { break }
        let length = view.digitRun(bytes, group, limit: 16)
        count += length
        guard length > 0, count <= national.upperBound else { break }
        position = group + length
        if count >= national.lowerBound, !isOpen, view.endsNumber(bytes, position) { best = position }
    }
    return best
}

/// The first digit of the next group, past a separator, a parenthesis or the trunk prefix `(0)`.
private func groupStart(
    _ bytes: Span<UInt8>, _ at: Int, _ isOpen: inout Bool, _ view: inout ScanWindow
) -> Int? {
    var position = at
    if isOpen {
        guard view[bytes, position] == UInt8(ascii: ")") else { return nil }
        isOpen = false
        position += 1
    }
    if isPhoneSeparator(view[bytes, position]) { position += 1 }
    if view[bytes, position] == UInt8(ascii: "(") {
        if view[bytes, position + 1] == UInt8(ascii: "0"), view[bytes, position + 2] == UInt8(ascii: ")") {
            position += 3
            if isPhoneSeparator(view[bytes, position]) { position += 1 }
        } else {
            isOpen = true
            position += 1
        }
    }
    return isDigit(view[bytes, position]) ? position : nil
}

/// The length of the country code at `at` and how many digits follow it (ITU-T E.164: 15 in all; the busiest countries
/// with their own numbers of digits).
private func countryCode(
    _ bytes: Span<UInt8>, _ at: Int, _ view: inout ScanWindow
) -> (length: Int, national: ClosedRange<Int>)? {
    let first = view[bytes, at]
    guard isDigit(first), first != UInt8(ascii: "0") else { return nil }
    if first == UInt8(ascii: "1") || first == UInt8(ascii: "7") { return (1, 10...10) }
    let second = view[bytes, at + 1]
    guard isDigit(second) else { return nil }
    switch Int(first - 0x30) * 10 + Int(second - 0x30) {
    case 27, 31, 33, 34, 41, 48, 61, 66: return (2, 9...9)
    case 30, 52, 57, 58, 63, 90, 91, 92: return (2, 10...10)
    case 45, 47: return (2, 8...8)
    case 65: return (2, 8...8)
    case 20, 40, 44, 55, 60, 81, 82, 84, 94, 98: return (2, 8...11)
    case 32, 36, 46, 51, 53, 54, 56, 62, 64, 86, 93, 95: return (2, 7...12)
    case 39, 43, 49: return (2, 6...13)
    default: return isDigit(view[bytes, at + 2]) ? (3, 7...12) : nil
    }
}
