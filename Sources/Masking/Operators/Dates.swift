import Schemas
import Validating

/// Appends a date, or a moment that begins with a date, shifted by whole days, in its own notation. Intervals between
/// dates with the same shift are kept. A date written in words is written in ISO 8601.
///
/// - Returns: false, with nothing appended, if the value is not a date or the result is outside the years 0 to 9999.
func writeShiftedDate(
    _ bytes: Span<UInt8>, _ range: Range<Int>, of type: FieldType, days: Int, into out: inout [UInt8]
) -> Bool {
    guard let written = Dates.date(in: bytes, range, type) else { return false }
    let moved = Dates.civil(written.days + Int64(days))
    guard (0...9999).contains(moved.year) else { return false }
    if written.parts.isEmpty {
        appendDate(moved, &out)
        if case .datetime = type { appendClock(Dates.value(bytes, range, type) ?? 0, &out) }
        return true
    }
    // A year of two digits is one of 1969 to 2068 (POSIX `strptime`, %y).
    if written.parts.contains(where: { $0.directive == UInt8(ascii: "y") }), !(1969...2068).contains(moved.year) {
        return false
    }
    let isPadded = !written.parts.contains { "md".utf8.contains($0.directive) && $0.place.count == 1 }
    var at = range.lowerBound
    for (directive, place) in written.parts {
        for index in at..<place.lowerBound { out.append(bytes[index]) }
        switch directive {
        case UInt8(ascii: "F"): appendDate(moved, &out)
        case UInt8(ascii: "Y"): appendDigits(moved.year, 4, &out)
        case UInt8(ascii: "y"): appendDigits(moved.year % 100, 2, &out)
        case UInt8(ascii: "b"), UInt8(ascii: "B"):
            appendMonth(moved.month, isShort: directive == UInt8(ascii: "b"), like: bytes, place, &out)
        default:
            let value = directive == UInt8(ascii: "m") ? moved.month : moved.day
            appendDigits(value, isPadded || value > 9 ? 2 : 1, &out)
        }
        at = place.upperBound
    }
    for index in at..<range.upperBound { out.append(bytes[index]) }
    return true
}

/// Appends the year, or year and month, of a date, in ISO 8601; false when the value is no date.
func writeDatePart(
    _ bytes: Span<UInt8>, _ range: Range<Int>, of type: FieldType, isMonth: Bool, into out: inout [UInt8]
) -> Bool {
    guard let written = Dates.date(in: bytes, range, type) else { return false }
    let (year, month, _) = Dates.civil(written.days)
    appendDigits(year, 4, &out)
    if isMonth {
        out.append(UInt8(ascii: "-"))
        appendDigits(month, 2, &out)
    }
    return true
}

private func appendDate(_ date: (year: Int64, month: Int64, day: Int64), _ out: inout [UInt8]) {
    for (value, digits) in [(date.year, 4), (date.month, 2), (date.day, 2)] {
        if digits == 2 { out.append(UInt8(ascii: "-")) }
        appendDigits(value, digits, &out)
    }
}

/// The time of day of a moment, behind a `T`.
private func appendClock(_ moment: Int64, _ out: inout [UInt8]) {
    let day: Int64 = 86_400_000_000
    let seconds = (moment % day + day) % day / 1_000_000
    for (mark, value) in [("T", seconds / 3600), (":", seconds / 60 % 60), (":", seconds % 60)] {
        out += mark.utf8
        appendDigits(value, 2, &out)
    }
}

private func appendDigits(_ value: Int64, _ count: Int, _ out: inout [UInt8]) {
    let digits = String(value)
    out += [UInt8](repeating: 0x30, count: max(0, count - digits.utf8.count)) + Array(digits.utf8)
}

/// Appends a month's name in the case of the original name: lower case, upper case, or capitalised.
private func appendMonth(
    _ month: Int64, isShort: Bool, like bytes: Span<UInt8>, _ place: Range<Int>, _ out: inout [UInt8]
) {
    func isCapital(_ at: Int) -> Bool { bytes[at] & 0x20 == 0 }
    let name = Dates.monthName(month, isShort: isShort)
    for (offset, letter) in name.utf8.enumerated() {
        let like = offset == 0 ? place.lowerBound : place.lowerBound + 1
        out.append(isCapital(like) ? letter & 0xDF : letter)
    }
}
