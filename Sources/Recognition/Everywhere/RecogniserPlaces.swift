/// Latitude and longitude in degrees whose first digits are at `at`, with at least three decimals each, such as
/// `48.8566, 2.3522`; nil for none.
func matchCoordinates(_ bytes: Span<UInt8>, _ at: Int, run: Int, _ view: inout ScanWindow) -> Range<Int>? {
    guard let first = degrees(bytes, at, run: run, most: 90, &view) else { return nil }
    var position = first
    if view[bytes, position] == UInt8(ascii: ",") || view[bytes, position] == UInt8(ascii: ";") { position += 1 }
    if view[bytes, position] == 0x20 { position += 1 }
    guard position > first else { return nil }
    if view[bytes, position] == UInt8(ascii: "-") || view[bytes, position] == UInt8(ascii: "+") { position += 1 }
    let length = view.digitRun(bytes, position, limit: 4)
    guard length > 0, length <= 3, let end = degrees(bytes, position, run: length, most: 180, &view),
        view.endsNumber(bytes, end)
    else { return nil }
    let sign = view[bytes, at - 1]
    return (sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") ? at - 1 : at)..<end
}

/// The end of a decimal number of degrees.
///
/// - Parameters:
///   - bytes: the buffer.
///   - at: its first digit.
///   - run: its digits before the point.
///   - most: the largest absolute value, 90 or 180.
///   - view: the bytes that may be examined.
private func degrees(_ bytes: Span<UInt8>, _ at: Int, run: Int, most: Int, _ view: inout ScanWindow) -> Int? {
    var whole = 0
    for offset in 0..<run { whole = whole * 10 + Int(view[bytes, at + offset] &- 0x30) }
    guard whole <= most, view[bytes, at + run] == UInt8(ascii: ".") else { return nil }
    let decimals = view.digitRun(bytes, at + run + 1, limit: 16)
    return decimals >= 3 && decimals < 16 ? at + run + 1 + decimals : nil
}

/// A German number plate whose digits are at `at`; nil for none. It has one to three letters of the district, one or
/// two letters, up to four digits, and optionally E or H.
func matchPlate(_ bytes: Span<UInt8>, _ at: Int, run: Int, _ view: inout ScanWindow) -> Range<Int>? {
    guard run <= 4 else { return nil }
    func isGap(_ byte: UInt8) -> Bool { byte == 0x20 || byte == UInt8(ascii: "-") }
    guard isGap(view[bytes, at - 1]), isCapital(view[bytes, at - 2]) else { return nil }
    var place = at - 2
    if isCapital(view[bytes, place - 1]) { place -= 1 }
    guard isGap(view[bytes, place - 1]), view[bytes, at - 1] == 0x20 || view[bytes, place - 1] == UInt8(ascii: "-")
    else { return nil }
    var start = place - 1
    var letters = 0
    while letters < 4 {
        let byte = view[bytes, start - 1]
        if isCapital(byte) {
            start -= 1
        } else if view[bytes, start - 2] == 0xC3, [0x84, 0x96, 0x9C].contains(byte) {
            start -= 2
        } else {
            break
        }
        letters += 1
    }
    let before = view[bytes, start - 1]
    guard (1...3).contains(letters), !isWord(before), before != UInt8(ascii: "-") else { return nil }
    let next = view[bytes, at + run]
    let end = next == UInt8(ascii: "E") || next == UInt8(ascii: "H") ? at + run + 1 : at + run
    return isWord(view[bytes, end]) ? nil : start..<end
}

/// A date whose first digits are at `at`, in the common orders and separators, with an optional time; nil for none.
func matchDate(_ bytes: Span<UInt8>, _ at: Int, run: Int, _ view: inout ScanWindow) -> Range<Int>? {
    guard run == 4 || run <= 2 else { return nil }
    func value(_ at: Int, _ count: Int) -> Int {
        var value = 0
        for offset in 0..<count { value = value * 10 + Int(view[bytes, at + offset] &- 0x30) }
        return value
    }
    let first = value(at, run)
    let separator = view[bytes, at + run]
    if separator == UInt8(ascii: "/") || separator == UInt8(ascii: "-") || separator == UInt8(ascii: ".") {
        let middle = at + run + 1
        let length = view.digitRun(bytes, middle, limit: 3)
        if length == 0, run <= 2, let name = monthName(bytes, middle, &view) {
            return yearEnd(bytes, middle + name, after: separator, &view).map { at..<$0 }
        }
        guard (1...2).contains(length), view[bytes, middle + length] == separator else { return nil }
        let last = middle + length + 1
        let count = view.digitRun(bytes, last, limit: 5)
        let second = value(middle, length)
        if run == 4 {
            guard separator != UInt8(ascii: "."), (1...2).contains(count), (1...12).contains(second),
                (1...31).contains(value(last, count))
            else { return nil }
            return at..<timeEnd(bytes, last + count, &view)
        }
        guard count == 4 || count == 2 && separator != UInt8(ascii: "-"), first >= 1, second >= 1,
            max(first, second) <= 31,
            min(first, second) <= 12, view.endsNumber(bytes, last + count)
        else { return nil }
        return at..<last + count
    }
    guard separator == 0x20 || separator == UInt8(ascii: ","), run <= 2, (1...31).contains(first) else { return nil }
    // 5 May 1990
    if separator == 0x20, let name = monthName(bytes, at + run + 1, &view),
        let end = yearEnd(bytes, at + run + 1 + name, after: 0x20, &view)
    {
        return at..<end
    }
    // May 5, 1990
    let year = view[bytes, at + run] == UInt8(ascii: ",") ? at + run + 1 : at + run
    guard let end = yearEnd(bytes, year, after: 0x20, &view), view[bytes, at - 1] == 0x20 else { return nil }
    var start = at - 1
    while at - start < 12, isLetter(view[bytes, start - 1]) { start -= 1 }
    return monthName(bytes, start, &view) == at - 1 - start ? start..<end : nil
}

/// The end of a four-digit year after `separator`.
private func yearEnd(_ bytes: Span<UInt8>, _ at: Int, after separator: UInt8, _ view: inout ScanWindow) -> Int? {
    guard view[bytes, at] == separator, view.digitRun(bytes, at + 1, limit: 5) == 4 else { return nil }
    let first = view[bytes, at + 1]
    guard first == UInt8(ascii: "1") || first == UInt8(ascii: "2") else { return nil }
    return view.endsNumber(bytes, at + 5) ? at + 5 : nil
}

/// The length of an English month name at `at`, in full or abbreviated to three letters.
private func monthName(_ bytes: Span<UInt8>, _ at: Int, _ view: inout ScanWindow) -> Int? {
    var length = 0
    var key: UInt64 = 0
    while length < 10, isLetter(view[bytes, at + length]) {
        if length < 3 { key = key << 8 | UInt64(view[bytes, at + length] | 0x20) }
        length += 1
    }
    let isMonth: Bool =
        switch key {
        case 0x6A616E, 0x666562, 0x6D6172, 0x617072, 0x6D6179, 0x6A756E, 0x6A756C, 0x617567, 0x736570, 0x6F6374,
            0x6E6F76, 0x646563:
            length >= 3
        default: false
        }
    return isMonth && length < 10 ? length : nil
}

/// The end including a time such as `T12:30:00Z`.
private func timeEnd(_ bytes: Span<UInt8>, _ at: Int, _ view: inout ScanWindow) -> Int {
    guard view[bytes, at] == UInt8(ascii: "T"), view.hasDigits(bytes, at + 1, 2),
        view[bytes, at + 3] == UInt8(ascii: ":"),
        view.hasDigits(bytes, at + 4, 2)
    else { return at }
    var end = at + 6
    if view[bytes, end] == UInt8(ascii: ":"), view.hasDigits(bytes, end + 1, 2) {
        end += 3
        if view[bytes, end] == UInt8(ascii: ".") { end += 1 + view.digitRun(bytes, end + 1, limit: 9) }
    }
    if view[bytes, end] == UInt8(ascii: "Z") { return end + 1 }
    if view[bytes, end] == UInt8(ascii: "+") || view[bytes, end] == UInt8(ascii: "-"),
        view.hasDigits(bytes, end + 1, 2),
        view[bytes, end + 3] == UInt8(ascii: ":"), view.hasDigits(bytes, end + 4, 2)
    {
        return end + 6
    }
    return end
}
