/// Appends an ISO 8601 date, or a moment that begins with one, moved by whole days: intervals between two moved by the same stay. False,
/// with nothing appended, when no date begins there.
func writeShiftedDate(_ bytes: Span<UInt8>, _ range: Range<Int>, days: Int, into out: inout [UInt8]) -> Bool {
    guard let (year, month, day) = isoDate(bytes, range) else { return false }
    let (newYear, newMonth, newDay) = civil(ofDay: dayNumber(year, month, day) + days)
    guard (0...9999).contains(newYear) else { return false }
    for (value, digits) in [(newYear, 4), (newMonth, 2), (newDay, 2)] {
        if digits == 2 { out.append(UInt8(ascii: "-")) }
        var place = digits == 4 ? 1000 : 10
        while place > 0 {
            out.append(0x30 + UInt8(value / place % 10))
            place /= 10
        }
    }
    for at in range.lowerBound + 10..<range.upperBound { out.append(bytes[at]) }
    return true
}

/// Appends the year, or year and month, of an ISO 8601 date. False when no date begins there.
func writeDatePart(_ bytes: Span<UInt8>, _ range: Range<Int>, isMonth: Bool, into out: inout [UInt8]) -> Bool {
    guard isoDate(bytes, range) != nil else { return false }
    for at in range.lowerBound..<range.lowerBound + (isMonth ? 7 : 4) { out.append(bytes[at]) }
    return true
}

/// `YYYY-MM-DD`, alone or before a `T` or a space.
private func isoDate(_ bytes: Span<UInt8>, _ range: Range<Int>) -> (Int, Int, Int)? {
    guard range.count >= 10 else { return nil }
    func number(_ at: Int, _ count: Int) -> Int? {
        var value = 0
        for offset in 0..<count {
            let digit = bytes[range.lowerBound + at + offset] &- 0x30
            guard digit < 10 else { return nil }
            value = value * 10 + Int(digit)
        }
        return value
    }
    let dash = UInt8(ascii: "-")
    guard bytes[range.lowerBound + 4] == dash, bytes[range.lowerBound + 7] == dash, let year = number(0, 4),
        let month = number(5, 2), let day = number(8, 2), (1...12).contains(month), (1...31).contains(day),
        civil(ofDay: dayNumber(year, month, day)) == (year, month, day)
    else { return nil }
    if range.count > 10 {
        let next = bytes[range.lowerBound + 10]
        guard next == UInt8(ascii: "T") || next == 0x20 else { return nil }
    }
    return (year, month, day)
}

/// Days since 1970-01-01 in the Gregorian calendar (Howard Hinnant, chrono-compatible low-level date algorithms).
private func dayNumber(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let shifted = month <= 2 ? year - 1 : year
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
}

/// The date of a day number; the other way round.
private func civil(ofDay number: Int) -> (Int, Int, Int) {
    let shifted = number + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let part = (5 * dayOfYear + 2) / 153
    let month = part + (part < 10 ? 3 : -9)
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * part + 2) / 5 + 1)
}
