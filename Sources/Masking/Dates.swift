import Validating

/// Appends an ISO 8601 date, or a moment that begins with one, moved by whole days: intervals between two moved by the same stay. False,
/// with nothing appended, when no date begins there.
func writeShiftedDate(_ bytes: Span<UInt8>, _ range: Range<Int>, days: Int, into out: inout [UInt8]) -> Bool {
    guard let day = isoDay(bytes, range) else { return false }
    let (newYear, newMonth, newDay) = Dates.civil(day + Int64(days))
    guard (0...9999).contains(newYear) else { return false }
    for (value, digits) in [(newYear, 4), (newMonth, 2), (newDay, 2)] {
        if digits == 2 { out.append(UInt8(ascii: "-")) }
        var place: Int64 = digits == 4 ? 1000 : 10
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
    guard isoDay(bytes, range) != nil else { return false }
    for at in range.lowerBound..<range.lowerBound + (isMonth ? 7 : 4) { out.append(bytes[at]) }
    return true
}

/// The day of `YYYY-MM-DD`, alone or before a `T` or a space; nil when there is no such day.
private func isoDay(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int64? {
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
        let month = number(5, 2), let day = number(8, 2)
    else { return nil }
    if range.count > 10 {
        let next = bytes[range.lowerBound + 10]
        guard next == UInt8(ascii: "T") || next == 0x20 else { return nil }
    }
    return Dates.days(year, month, day)
}
