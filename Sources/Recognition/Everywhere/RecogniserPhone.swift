/// The end of a North American number whose area code begins at `at`; nil for none. Forms are `(npa) nxx-xxxx` and
/// `npa-nxx-xxxx`, also with spaces or dots; area code and exchange begin with 2 to 9 (NANP).
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

/// The country of a telephone number with `+` (calling code with the sign) or of an IBAN (its letters); nil for others.
package func countryPart(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Range<Int>? {
    guard range.count > 4 else { return nil }
    let start = range.lowerBound
    if isLetter(bytes[start]), isLetter(bytes[start + 1]), isDigit(bytes[start + 2]) { return start..<start + 2 }
    var view = ScanWindow(range)
    guard bytes[start] == UInt8(ascii: "+"), let (length, _) = callingCode(bytes, start + 1, &view) else { return nil }
    return start..<start + 1 + length
}

/// A telephone number as it is dialled, without `+`. It needs a context word.
struct DialledNumber {
    /// Offset past its last byte.
    var end: Int
    /// Whether its form is common in some country. A context word nearby then suffices; otherwise it must be adjacent.
    var isUsual: Bool
}

/// A number of seven to fifteen digits at `at`, in one or several groups; nil for none. ITU-T E.164 allows at most
/// fifteen, and the shortest local numbers of large towns have seven.
///
/// The longest candidate wins, since a shorter one would leave most of the number unmasked. Dates, prices, fractions,
/// spans of years and IP addresses are excluded.
func matchDialled(_ bytes: Span<UInt8>, _ at: Int, _ view: inout ScanWindow) -> DialledNumber? {
    let isOpen = bytes[at] == UInt8(ascii: "(")
    let first = isOpen ? at + 1 : at
    var groups = PhoneGroups(from: first, isOpen: isOpen)
    groups.take(first, length: view.digitRun(bytes, first, limit: 16))
    if groups.digits > 15 { return nil }
    var best: Int?
    if groups.digits >= 7, view.endsNumber(bytes, groups.end) { best = groups.end }
    while groups.digits < 15, groups.count < 8, let group = groups.next(bytes, &view) {
        let length = view.digitRun(bytes, group, limit: 16)
        let sign = view[bytes, groups.end]
        let isSpace = sign == 0x20
        // A space after dashes separates two things, once a complete number precedes it.
        if isSpace, groups.dashes > 0, groups.digits >= 9 || groups.count > 2 && groups.digits >= 8 { break }
        if groups.digits + length > 15 || groups.count == 1 && groups.digits >= 9 && isSpace { break }
        groups.take(group, length: length, after: sign)
        if groups.digits >= 7, !groups.isOpen, length >= 2, view.endsNumber(bytes, groups.end) { best = groups.end }
    }
    guard let end = best else { return nil }
    let isGrouped = groups.count > 1
    if isGrouped, !groups.isOpen, groups.areSomethingElse(bytes, at..<end, &view) { return nil }
    if isPrice(bytes, at..<end, isThousands: groups.areThousands && isGrouped, &view) { return nil }
    var digits = 0
    for place in at..<end where isDigit(bytes[place]) { digits += 1 }
    return DialledNumber(end: end, isUsual: isUsual(bytes, first, digits: digits, isGrouped: isGrouped, &view))
}

/// The groups of digits of a number while it is read.
private struct PhoneGroups {
    /// The end of the last group.
    private(set) var end: Int
    /// Number of digits and of groups so far.
    private(set) var digits = 0, count = 0
    /// Whether a parenthesis is open.
    private(set) var isOpen: Bool
    /// Digits in the first and second group.
    private(set) var first = 0, second = 0
    /// Points between groups, and dashes or slashes.
    private(set) var dots = 0, dashes = 0
    /// Whether every group after the first has three digits.
    private(set) var areThousands = true

    /// No groups yet.
    ///
    /// - Parameters:
    ///   - start: where the first one may begin.
    ///   - isOpen: whether a parenthesis is open there.
    init(from start: Int, isOpen: Bool) {
        end = start
        self.isOpen = isOpen
    }

    /// The first digit of the next group, past a separator, a parenthesis or the trunk prefix `(0)`; nil for none.
    @inline(__always)
    mutating func next(_ bytes: Span<UInt8>, _ view: inout ScanWindow) -> Int? {
        var position = end
        if isOpen {
            guard view[bytes, position] == UInt8(ascii: ")") else { return nil }
            isOpen = false
            position += 1
        }
        position = pastSeparator(bytes, position, &view)
        if view[bytes, position] == UInt8(ascii: "(") {
            if view[bytes, position + 1] == UInt8(ascii: "0"), view[bytes, position + 2] == UInt8(ascii: ")") {
                position = pastSeparator(bytes, position + 3, &view)
            } else {
                isOpen = true
                position += 1
            }
        }
        return isDigit(view[bytes, position]) ? position : nil
    }

    /// Adds the group at `start`.
    ///
    /// - Parameters:
    ///   - start: its first digit.
    ///   - length: its number of digits.
    ///   - sign: the separator before it.
    @inline(__always)
    mutating func take(_ start: Int, length: Int, after sign: UInt8 = 0) {
        if sign == UInt8(ascii: ".") { dots += 1 }
        if sign == UInt8(ascii: "-") || sign == UInt8(ascii: "/") { dashes += 1 }
        if count == 0 { first = length } else if length != 3 { areThousands = false }
        if count == 1 { second = length }
        digits += length
        count += 1
        end = start + length
    }

    /// Whether the groups form a date, a fraction, a span of years or an IP address.
    func areSomethingElse(_ bytes: Span<UInt8>, _ range: Range<Int>, _ view: inout ScanWindow) -> Bool {
        let at = range.lowerBound
        if count == 2 {
            // 0151.2345678 is no fraction: none has a leading zero and several digits before the point.
            if dots == 1, first < 3 || view[bytes, at] != 0x30 { return true }
            let century = view[bytes, range.upperBound - 4] &- 0x30
            if first == 4, second == 4, view[bytes, at] &- 0x30 <= 2, view[bytes, at] != 0x30,
                century <= 2, century > 0, isYear(bytes, at, &view), isYear(bytes, range.upperBound - 4, &view)
            {
                return true
            }
        }
        if first <= 4, matchDate(bytes, at, run: first, &view) != nil { return true }
        return dots >= 3 && first <= 3 && matchIPv4(bytes, at, &view) != nil
    }
}

/// Whether the digits at `at` begin like a year, with 19 or 20.
private func isYear(_ bytes: Span<UInt8>, _ at: Int, _ view: inout ScanWindow) -> Bool {
    let century = Int(view[bytes, at] &- 0x30) * 10 + Int(view[bytes, at + 1] &- 0x30)
    return century == 19 || century == 20
}

/// Whether a currency or per cent sign is adjacent.
private func isPrice(_ bytes: Span<UInt8>, _ range: Range<Int>, isThousands: Bool, _ view: inout ScanWindow) -> Bool {
    let signs: [UInt8] = [UInt8(ascii: "$"), UInt8(ascii: "%")]
    func stands(_ at: Int, _ step: Int) -> Bool {
        let place = view[bytes, at] == 0x20 ? at + step : at
        return signs.contains(view[bytes, place])
    }
    if stands(range.lowerBound - 1, -1) || stands(range.upperBound, 1) { return true }
    // € and £ are no letters, so the window does not show them.
    func isCurrency(endingAt end: Int) -> Bool {
        guard end - 2 >= view.low, end < view.high else { return false }
        return bytes[end] == 0xAC && bytes[end - 1] == 0x82 && bytes[end - 2] == 0xE2
            || bytes[end] == 0xA3 && bytes[end - 1] == 0xC2
    }
    for end in [
        range.lowerBound - 1, range.lowerBound - 2, range.upperBound + 1, range.upperBound + 2, range.upperBound + 3,
    ]
    where isCurrency(endingAt: end) { return true }
    guard isThousands, view[bytes, range.upperBound] == 0x20 else { return false }
    var word: UInt32 = 0
    for offset in 1...3 { word = word << 8 | UInt32(view[bytes, range.upperBound + offset] | 0x20) }
    return !isLetter(view[bytes, range.upperBound + 4]) && [0x657572, 0x757364, 0x676270, 0x636866].contains(word)
}

/// Whether a number has a common length: ten digits as in North America or India, eleven with a leading 1, or 0 and
/// eight to ten more.
private func isUsual(
    _ bytes: Span<UInt8>, _ at: Int, digits count: Int, isGrouped: Bool, _ view: inout ScanWindow
) -> Bool {
    let (first, second) = (view[bytes, at], view[bytes, at + 1])
    if first == UInt8(ascii: "0") { return (9...11).contains(count) && second != first }
    if isGrouped { return false }
    if count == 11 { return first == UInt8(ascii: "1") && second >= UInt8(ascii: "2") }
    guard count == 10 else { return false }
    let isNorthAmerican = startsGroup(bytes, at, &view) && startsGroup(bytes, at + 3, &view)
    return isNorthAmerican || first >= UInt8(ascii: "6")
}

/// The end of a number with an international prefix instead of `+`, such as `0044 20 7946 0018`, and whether it is
/// grouped; nil for none.
func matchPrefixed(_ bytes: Span<UInt8>, _ at: Int, _ view: inout ScanWindow) -> (end: Int, isGrouped: Bool)? {
    for prefix in PhonePlan.prefixes {
        guard prefix.indices.allSatisfy({ view[bytes, at + $0] == prefix[$0] }) else { continue }
        var code = at + prefix.count
        if isPhoneSeparator(view[bytes, code]) { code += 1 }
        guard let end = matchCalled(bytes, code, isOpen: false, &view) else { continue }
        return (end, (at..<end).contains { !isDigit(bytes[$0]) })
    }
    return nil
}

/// Whether a value as a whole is seven to fifteen digits (ITU-T E.164) with separators and parentheses. Columns of
/// telephone numbers also hold calling codes without a sign and numbers without an area code. A bare number of fewer
/// than nine digits may be a count.
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

/// Whether an area code or exchange begins here: three digits, the first at least 2.
private func startsGroup(_ bytes: Span<UInt8>, _ at: Int, _ view: inout ScanWindow) -> Bool {
    view.hasDigits(bytes, at, 3) && view[bytes, at] >= UInt8(ascii: "2")
}

/// The end including an extension such as `x123`; nil when the number does not end as a word.
private func extensionEnd(_ bytes: Span<UInt8>, _ at: Int, _ view: inout ScanWindow) -> Int? {
    var position = at
    if view[bytes, position] == UInt8(ascii: " ") { position += 1 }
    if view[bytes, position] | 0x20 == UInt8(ascii: "x") {
        let length = view.digitRun(bytes, position + 1, limit: 7)
        if length > 0, length < 7, view.endsNumber(bytes, position + 1 + length) { return position + 1 + length }
    }
    return view.endsNumber(bytes, at) ? at : nil
}

/// The end of an international number whose `+` is at `at`; nil for none.
func matchInternational(_ bytes: Span<UInt8>, _ at: Int, _ view: inout ScanWindow) -> Int? {
    let isOpen = view[bytes, at - 1] == UInt8(ascii: "(")
    var code = at + 1
    if view[bytes, code] == 0x20 || view[bytes, code] == UInt8(ascii: "(") { code += 1 }
    return matchCalled(bytes, code, isOpen: isOpen || view[bytes, code - 1] == UInt8(ascii: "("), &view)
}

/// The end of a number whose calling code begins at `at`; nil for none. As many national digits follow as the country's
/// numbers have, in groups between single separators, one optionally in parentheses.
///
/// The longest valid sequence of groups wins, so a further number is included only if the country's numbers may be that
/// long.
private func matchCalled(_ bytes: Span<UInt8>, _ at: Int, isOpen: Bool, _ view: inout ScanWindow) -> Int? {
    guard let (code, national) = callingCode(bytes, at, &view) else { return nil }
    if national == 1 << 10 {
        let position = at + code
        let area = isPhoneSeparator(view[bytes, position]) ? position + 1 : position
        if let end = matchNorthAmerican(bytes, area, &view) { return end }
    }
    var groups = PhoneGroups(from: at + code, isOpen: isOpen)
    var isLed = false
    var best: Int?
    while groups.digits < 14, groups.count < 9 {
        guard let group = groups.next(bytes, &view) else { break }
        let length = view.digitRun(bytes, group, limit: 16)
        guard length > 0 else { break }
        if groups.count == 0 { isLed = view[bytes, group] == UInt8(ascii: "0") }
        groups.take(group, length: length)
        // A trunk prefix, which is wrong after a calling code and common there.
        let count = groups.digits
        let isWhole = PhonePlan.isLength(count, national) || isLed && PhonePlan.isLength(count - 1, national)
        if isWhole, count + code >= 8, !groups.isOpen, view.endsNumber(bytes, groups.end) { best = groups.end }
    }
    return best
}

/// The offset past one separator, or past a dash or slash between spaces.
private func pastSeparator(_ bytes: Span<UInt8>, _ at: Int, _ view: inout ScanWindow) -> Int {
    let byte = view[bytes, at]
    guard isPhoneSeparator(byte) || byte == UInt8(ascii: "/") else { return at }
    let next = view[bytes, at + 1]
    if byte == 0x20, next == UInt8(ascii: "-") || next == UInt8(ascii: "/"), view[bytes, at + 2] == 0x20 {
        return at + 3
    }
    return at + 1
}

/// The calling code whose digits begin at `at`; nil for none.
private func callingCode(
    _ bytes: Span<UInt8>, _ at: Int, _ view: inout ScanWindow
) -> (length: Int, national: UInt16)? {
    PhonePlan.callingCode(view[bytes, at], view[bytes, at + 1], view[bytes, at + 2])
}
