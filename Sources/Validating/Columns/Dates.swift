package import Schemas

/// Dates and times as comparable integers: days × 86,400,000,000 + microseconds of the day, in UTC.
package enum Dates {
    /// Microseconds of a day.
    static let day: Int64 = 86_400_000_000

    /// The value of a date, time or datetime; nil when the text is not one of the type.
    package static func value(_ bytes: Span<UInt8>, _ range: Range<Int>, _ type: FieldType) -> Int64? {
        var cursor = DateCursor(range)
        switch type {
        case .date(.iso):
            return range.count == 10 ? cursor.isoDate(bytes).map { $0 * day } : nil
        case .time(.iso):
            // 24:00 is the same time of day as 00:00.
            return cursor.isoClock(bytes).map {
                bytes[range.lowerBound] == 0x32 && bytes[range.lowerBound + 1] == 0x34 ? $0 - day : $0
            }
        case .datetime(.iso):
            // RFC 3339 permits a space for the T; data frames and databases write one.
            let (at, end) = (cursor.at, cursor.end)
            guard let date = cursor.isoDate(bytes), at &+ 10 < end,
                bytes[at &+ 10] | 0x20 == 0x74 || bytes[at &+ 10] == 0x20
            else { return nil }
            cursor.at &+= 11
            return cursor.isoClock(bytes).map { date * day + $0 }
        case .date(.pattern(let pattern)), .datetime(.pattern(let pattern)):
            return parse(bytes, range, pattern, hasDate: true)
        case .time(.pattern(let pattern)):
            return parse(bytes, range, pattern, hasDate: false)
        case .year: return year(bytes, range)
        case .yearmonth:
            // xs:gYearMonth with a year of four digits.
            guard range.count == 7, bytes[cursor.at + 4] == 0x2D, let year = cursor.number(bytes, digits: 4),
                let month = cursor.number(bytes, digits: 2, ahead: 5), month >= 1, month <= 12
            else { return nil }
            return Int64(year * 12 + month)
        case .duration: return duration(bytes, range)
        case .date(.any), .time(.any), .datetime(.any): return PlainDates.value(bytes, range, type)
        default: return nil
        }
    }

    /// xs:gYear: four to six digits, more than four only where needed.
    private static func year(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int64? {
        var cursor = DateCursor(range)
        let isNegative = cursor.at < cursor.end && bytes[cursor.at] == 0x2D
        if isNegative { cursor.at &+= 1 }
        let digits = cursor.end - cursor.at
        guard digits >= 4, digits <= 6, let year = cursor.number(bytes, digits: digits),
            digits == 4 || bytes[cursor.at] != 0x30
        else { return nil }
        return Int64(isNegative ? -year : year)
    }

    /// The value of other common notations with the year first, in which month and day cannot be confused: a space for
    /// the T, slashes, no seconds, an offset in hours or by name. A date alone is its first moment.
    static func written(_ bytes: Span<UInt8>, _ range: Range<Int>, _ type: FieldType) -> Int64? {
        var cursor = DateCursor(range)
        if case .time = type { return cursor.writtenClock(bytes) }
        guard let date = cursor.yearFirst(bytes) else { return nil }
        if cursor.isAtEnd { return date * day }
        let mark = bytes[cursor.at]
        guard case .datetime = type, mark == 0x20 || mark | 0x20 == 0x74 else { return nil }
        cursor.at += 1
        return cursor.writtenClock(bytes).map { date * day + $0 }
    }

    /// The value of a text in the notation of a `strptime` pattern.
    private static func parse(_ bytes: Span<UInt8>, _ range: Range<Int>, _ pattern: String, hasDate: Bool) -> Int64? {
        guard let parts = PatternReader.read(range, of: bytes, by: pattern),
            let date = days(parts.year, parts.month, parts.dayOfMonth)
        else { return nil }
        let seconds = Int64(parts.hour * 3600 + parts.minute * 60 + parts.second)
        return (hasDate ? date * day : 0) + seconds * 1_000_000 + parts.micros - parts.offset
    }

    /// The value of a limit: in the field's own notation, else in the standard one.
    static func limit(_ text: String, _ type: FieldType) -> Int64? {
        let bytes = Array(text.utf8)
        if let value = value(bytes.span, bytes.indices, type) { return value }
        switch type {
        case .date: return value(bytes.span, bytes.indices, .date(.iso))
        case .time: return value(bytes.span, bytes.indices, .time(.iso))
        case .datetime: return value(bytes.span, bytes.indices, .datetime(.iso))
        case .year: return Int64(text)
        default: return nil
        }
    }

    /// The digits of a second's fraction after the sixth, without trailing zeros, which `value` omits.
    static func finer(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
        guard let point = range.first(where: { bytes[$0] == 0x2E }) else { return range.lowerBound..<range.lowerBound }
        var end = point + 1
        while end < range.upperBound, bytes[end] &- 0x30 < 10 { end += 1 }
        while end > point + 7, bytes[end - 1] == 0x30 { end -= 1 }
        return end > point + 7 ? point + 7..<end : range.lowerBound..<range.lowerBound
    }
}
