package import Schemas

/// Dates and times as comparable whole numbers: days × 86,400,000,000 + microseconds of the day, UTC.
package enum Dates {
    private static let day: Int64 = 86_400_000_000

    @inline(__always)
    private static func number(_ bytes: Span<UInt8>, _ at: Int, _ count: Int, _ end: Int) -> Int? {
        if at &+ count > end { return nil }
        var value = 0
        for offset in 0..<count {
            let digit = bytes[at &+ offset] &- 0x30
            if digit > 9 { return nil }
            value = value &* 10 &+ Int(digit)
        }
        return value
    }

    /// Days since 1970-01-01 of a date that exists in the proleptic Gregorian calendar (Hinnant's days_from_civil).
    package static func days(_ year: Int, _ month: Int, _ dayOfMonth: Int) -> Int64? {
        guard month >= 1, month <= 12, dayOfMonth >= 1 else { return nil }
        let isLeap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
        let lengths =
            month == 2 ? (isLeap ? 29 : 28) : (month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31)
        guard dayOfMonth <= lengths else { return nil }
        let y = month <= 2 ? year - 1 : year
        let era = (y >= 0 ? y : y - 399) / 400
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + dayOfMonth - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return Int64(era * 146_097 + dayOfEra - 719_468)
    }

    /// The digits of a fraction of a second beyond the sixth, without zeros at the end: what `value` leaves out.
    static func finer(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
        guard let point = range.first(where: { bytes[$0] == 0x2E }) else { return range.lowerBound..<range.lowerBound }
        var end = point + 1
        while end < range.upperBound, bytes[end] &- 0x30 < 10 { end += 1 }
        while end > point + 7, bytes[end - 1] == 0x30 { end -= 1 }
        return end > point + 7 ? point + 7..<end : range.lowerBound..<range.lowerBound
    }

    /// The date of a day, counted from 1970-01-01 (Hinnant's civil_from_days).
    package static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let z = days + 719_468
        let era = (z >= 0 ? z : z - 146_096) / 146_097
        let dayOfEra = z - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }

    private static func isoDate(_ bytes: Span<UInt8>, _ at: Int, _ end: Int) -> Int64? {
        guard at &+ 10 <= end, bytes[at &+ 4] == 0x2D, bytes[at &+ 7] == 0x2D, let year = number(bytes, at, 4, end),
            let month = number(bytes, at &+ 5, 2, end), let day = number(bytes, at &+ 8, 2, end)
        else { return nil }
        return days(year, month, day)
    }

    /// `hh:mm:ss` with an optional fraction; the end of what was read comes back in `at`. As in XML Schema, from which Table Schema has
    /// it, 24:00:00 is the end of a day.
    private static func isoTime(_ bytes: Span<UInt8>, _ at: inout Int, _ end: Int) -> Int64? {
        guard at &+ 8 <= end, bytes[at &+ 2] == 0x3A, bytes[at &+ 5] == 0x3A, let hour = number(bytes, at, 2, end),
            let minute = number(bytes, at &+ 3, 2, end), let second = number(bytes, at &+ 6, 2, end), hour <= 24,
            minute < 60, second <= 60
        else { return nil }
        at &+= 8
        var micros: Int64 = 0
        if at < end, bytes[at] == 0x2E {
            at &+= 1
            let first = at
            var unit: Int64 = 100_000
            while at < end, bytes[at] &- 0x30 <= 9 {
                micros += Int64(bytes[at] &- 0x30) * unit
                unit /= 10
                at &+= 1
            }
            if at == first { return nil }
        }
        if hour == 24, minute > 0 || second > 0 || micros > 0 { return nil }
        return (Int64(hour) * 3600 + Int64(minute) * 60 + Int64(second)) * 1_000_000 + micros
    }

    /// `Z`, `±hh:mm` or nothing; microseconds to subtract.
    private static func zone(_ bytes: Span<UInt8>, _ at: inout Int, _ end: Int) -> Int64? {
        guard at < end else { return 0 }
        if bytes[at] == 0x5A || bytes[at] == 0x7A {
            at &+= 1
            return 0
        }
        guard bytes[at] == 0x2B || bytes[at] == 0x2D, at &+ 6 <= end, bytes[at &+ 3] == 0x3A,
            let hour = number(bytes, at &+ 1, 2, end), let minute = number(bytes, at &+ 4, 2, end), hour < 24,
            minute < 60
        else { return nil }
        let sign: Int64 = bytes[at] == 0x2B ? 1 : -1
        at &+= 6
        return sign * (Int64(hour) * 3600 + Int64(minute) * 60) * 1_000_000
    }

    /// Time of day less its offset. A 61st second is the last of a day in UTC, or without an offset of some hour.
    private static func isoClock(_ bytes: Span<UInt8>, _ at: inout Int, _ end: Int) -> Int64? {
        let start = at
        guard let time = isoTime(bytes, &at, end) else { return nil }
        let hasZone = at < end
        guard let offset = zone(bytes, &at, end), at == end else { return nil }
        if bytes[start &+ 6] == 0x36 {
            let second = (time - offset) / 1_000_000
            guard hasZone ? second % 86_400 == 0 : second % 3600 == 0 else { return nil }
        }
        return time - offset
    }

    /// What programs write beside the standard's form: a space for the T, slashes between the parts of a date, no seconds, an offset in
    /// hours or by name, and under a date and time the date alone, which is its first moment. The year comes first, so that the order
    /// of month and day is none to guess.
    static func written(_ bytes: Span<UInt8>, _ range: Range<Int>, _ type: FieldType) -> Int64? {
        var at = range.lowerBound
        let end = range.upperBound
        if case .time = type { return writtenClock(bytes, &at, end) }
        guard let date = yearFirst(bytes, &at, end) else { return nil }
        if at == end { return date * day }
        guard case .datetime = type, bytes[at] == 0x20 || bytes[at] | 0x20 == 0x74 else { return nil }
        at += 1
        return writtenClock(bytes, &at, end).map { date * day + $0 }
    }

    private static func yearFirst(_ bytes: Span<UInt8>, _ at: inout Int, _ end: Int) -> Int64? {
        guard let year = number(bytes, at, 4, end), at + 4 < end, bytes[at + 4] == 0x2D || bytes[at + 4] == 0x2F else {
            return nil
        }
        let mark = bytes[at + 4]
        at += 5
        guard let month = short(bytes, &at, end), at < end, bytes[at] == mark else { return nil }
        at += 1
        guard let day = short(bytes, &at, end) else { return nil }
        return days(year, month, day)
    }

    private static func writtenClock(_ bytes: Span<UInt8>, _ at: inout Int, _ end: Int) -> Int64? {
        let start = at
        let time: Int64
        if at + 5 < end, bytes[at + 5] == 0x3A {
            guard let read = isoTime(bytes, &at, end) else { return nil }
            time = read
        } else {
            guard at + 5 <= end, bytes[at + 2] == 0x3A, let hour = number(bytes, at, 2, end),
                let minute = number(bytes, at + 3, 2, end), hour < 24 || hour == 24 && minute == 0, minute < 60
            else { return nil }
            time = (Int64(hour) * 3600 + Int64(minute) * 60) * 1_000_000
            at += 5
        }
        let hasZone = at < end
        if hasZone, bytes[at] == 0x20 { at += 1 }
        guard let offset = writtenZone(bytes, &at, end), at == end else { return nil }
        let isLeap = start + 7 < end && bytes[start + 5] == 0x3A && bytes[start + 6] == 0x36
        if isLeap, (time - offset) / 1_000_000 % (hasZone ? 86_400 : 3600) != 0 { return nil }
        return time - offset
    }

    /// `+02`, `+0200`, `UTC` and what XML Schema has.
    private static func writtenZone(_ bytes: Span<UInt8>, _ at: inout Int, _ end: Int) -> Int64? {
        if end - at == 3, ["UTC", "GMT"].contains(Numbers.text(bytes, at..<end).uppercased()) {
            at = end
            return 0
        }
        guard at < end, bytes[at] == 0x2B || bytes[at] == 0x2D, end - at == 3 || end - at == 5 else {
            return zone(bytes, &at, end)
        }
        guard let hour = number(bytes, at + 1, 2, end), hour < 24 else { return nil }
        let minute = end - at == 5 ? number(bytes, at + 3, 2, end) : 0
        guard let minute, minute < 60 else { return nil }
        let sign: Int64 = bytes[at] == 0x2B ? 1 : -1
        at = end
        return sign * (Int64(hour) * 3600 + Int64(minute) * 60) * 1_000_000
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

    /// A date that was found by its parts, or nil when there is no such day.
    static func moment(_ year: Int, _ month: Int, _ dayOfMonth: Int, _ micros: Int64) -> Int64? {
        days(year, month, dayOfMonth).map { $0 * day + micros }
    }

    static func monthNumber(_ name: String) -> Int? {
        let name = name.lowercased()
        return (months.firstIndex(of: name) ?? fullMonths.firstIndex(of: name)).map { $0 + 1 }
    }

    /// The value of a date, time or datetime, or nil when the text is none.
    package static func value(_ bytes: Span<UInt8>, _ range: Range<Int>, _ type: FieldType) -> Int64? {
        var at = range.lowerBound
        let end = range.upperBound
        switch type {
        case .date(.iso):
            return range.count == 10 ? isoDate(bytes, at, end).map { $0 * day } : nil
        case .time(.iso):
            // The end of a day is the time of its beginning.
            return isoClock(bytes, &at, end).map {
                bytes[range.lowerBound] == 0x32 && bytes[range.lowerBound + 1] == 0x34 ? $0 - day : $0
            }
        case .datetime(.iso):
            // RFC 3339 lets a space stand for the T, and data frames and databases write one.
            guard let date = isoDate(bytes, at, end), at &+ 10 < end,
                bytes[at &+ 10] | 0x20 == 0x74 || bytes[at &+ 10] == 0x20
            else { return nil }
            at &+= 11
            return isoClock(bytes, &at, end).map { date * day + $0 }
        case .date(.pattern(let pattern)), .datetime(.pattern(let pattern)):
            return parse(bytes, range, pattern, hasDate: true)
        case .time(.pattern(let pattern)):
            return parse(bytes, range, pattern, hasDate: false)
        case .year:
            if at < end, bytes[at] == 0x2D { at &+= 1 }
            guard end - at >= 4, end - at <= 6, let year = number(bytes, at, end - at, end),
                // xs:gYear: more than four digits only when they are needed.
                end - at == 4 || bytes[at] != 0x30
            else { return nil }
            return Int64(at > range.lowerBound ? -year : year)
        case .yearmonth:
            // xs:gYearMonth, as far as four digits go.
            guard range.count == 7, bytes[at + 4] == 0x2D, let year = number(bytes, at, 4, end),
                let month = number(bytes, at + 5, 2, end), month >= 1, month <= 12
            else { return nil }
            return Int64(year * 12 + month)
        case .duration: return duration(bytes, range)
        case .date(.any), .time(.any), .datetime(.any): return PlainDates.value(bytes, range, type)
        default: return nil
        }
    }

    /// xs:duration, and weeks by themselves, in microseconds. Months have their mean length in the Gregorian calendar, a twelfth of
    /// 365.2425 days, so that durations can be compared.
    private static func duration(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int64? {
        var at = range.lowerBound
        let end = range.upperBound
        let isNegative = at < end && bytes[at] == 0x2D
        if isNegative { at += 1 }
        guard at < end, bytes[at] == 0x50 else { return nil }
        at += 1
        let units: [(letter: UInt8, seconds: Double)] = [
            (0x59, 31_556_952), (0x4D, 2_629_746), (0x57, 604_800), (0x44, 86_400), (0x54, 0), (0x48, 3600), (0x4D, 60),
            (0x53, 1),
        ]
        var (last, count, total, hasWeeks) = (-1, 0, 0.0, false)
        while at < end {
            if bytes[at] == 0x54 {
                guard last < 4, at + 1 < end else { return nil }
                last = 4
                at += 1
                continue
            }
            let first = at
            while at < end, bytes[at] &- 0x30 <= 9 { at += 1 }
            let hasFraction = at < end && bytes[at] == 0x2E
            if hasFraction {
                at += 1
                let point = at
                while at < end, bytes[at] &- 0x30 <= 9 { at += 1 }
                if at == point { return nil }
            }
            guard at > first, at < end, at - first < 18,
                let unit = units.indices.first(where: {
                    $0 > last && units[$0].letter == bytes[at] && ($0 > 4) == (last >= 4)
                }),
                !hasFraction || unit == 7, let amount = Double(Numbers.text(bytes, first..<at))
            else { return nil }
            hasWeeks = hasWeeks || unit == 2
            total += amount * units[unit].seconds
            last = unit
            count += 1
            at += 1
        }
        guard count > 0, last != 4, !hasWeeks || count == 1 else { return nil }
        return Int64(exactly: (min(total, 9e12) * (isNegative ? -1e6 : 1e6)).rounded())
    }

    private static let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
    private static let fullMonths = [
        "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
        "december",
    ]

    /// What a strptime pattern has read so far.
    private struct Parts {
        var year = 1900
        var month = 1
        var dayOfMonth = 1
        var hour = 0
        var minute = 0
        var second = 0
        var micros: Int64 = 0
        var offset: Int64 = 0
        var isTwelveHour = false
        var isAfternoon: Bool?
    }

    /// Reads a strptime pattern: %Y %y %m %d %H %I %M %S %f %p %b %B %z %Z(=UTC) %j is not taken, %%.
    private static func parse(_ bytes: Span<UInt8>, _ range: Range<Int>, _ pattern: String, hasDate: Bool) -> Int64? {
        guard let parts = read(bytes, range, pattern), let date = days(parts.year, parts.month, parts.dayOfMonth) else {
            return nil
        }
        let seconds = Int64(parts.hour * 3600 + parts.minute * 60 + parts.second)
        return (hasDate ? date * day : 0) + seconds * 1_000_000 + parts.micros - parts.offset
    }

    private static func read(
        _ bytes: Span<UInt8>, _ range: Range<Int>, _ pattern: String,
        note: (_ directive: UInt8, _ place: Range<Int>) -> Void = { _, _ in }
    ) -> Parts? {
        var parts = Parts()
        var at = range.lowerBound
        let end = range.upperBound
        var directive = false
        for byte in pattern.utf8 {
            if !directive, byte == 0x25 {
                directive = true
                continue
            }
            if directive, byte != 0x25 {
                let start = at
                guard read(byte, bytes, &at, end, &parts) else { return nil }
                note(byte, start..<at)
            } else {
                guard at < end, bytes[at] == byte else { return nil }
                at += 1
            }
            directive = false
        }
        // As strptime has it: %p matters to %I alone, and without it the hours are those before noon.
        if parts.isTwelveHour {
            guard parts.hour >= 1, parts.hour <= 12 else { return nil }
            parts.hour = parts.hour % 12 + (parts.isAfternoon == true ? 12 : 0)
        }
        return at == end && parts.hour < 24 && parts.minute < 60 && parts.second <= 60 ? parts : nil
    }

    /// A date as it stands in a text, before anybody minds its time zone.
    package struct WrittenDate: Sendable {
        /// Days since 1970-01-01.
        package var days: Int64
        /// Where its parts stand, each with the letter of its directive (`Y`, `y`, `m`, `b`, `B`, `d`); for a date in ISO 8601 or with
        /// its year first, nothing but the place of the whole date, under `F`.
        package var parts: [(directive: UInt8, place: Range<Int>)]
    }

    /// The date in a value of a field, with the places of its parts, so that it can be written again in the same way; nil when there is
    /// none. `parts` is empty where the words of a date are in no order that is known.
    package static func date(in bytes: Span<UInt8>, _ range: Range<Int>, _ type: FieldType) -> WrittenDate? {
        switch type {
        case .date(.pattern(let pattern)), .datetime(.pattern(let pattern)):
            var places: [(directive: UInt8, place: Range<Int>)] = []
            guard let parts = read(bytes, range, pattern, note: { places.append(($0, $1)) }),
                let days = days(parts.year, parts.month, parts.dayOfMonth)
            else { return nil }
            return WrittenDate(days: days, parts: places.filter { "YymbBd".utf8.contains($0.directive) })
        case .date(.any), .datetime(.any):
            var at = range.lowerBound
            if let days = yearFirst(bytes, &at, range.upperBound), value(bytes, range, type) != nil {
                return WrittenDate(days: days, parts: [(UInt8(ascii: "F"), range.lowerBound..<at)])
            }
            guard let moment = value(bytes, range, type) else { return nil }
            return WrittenDate(days: (moment - (moment % day + day) % day) / day, parts: [])
        default:
            // In texts too, before a T or a space.
            guard range.count == 10 || range.count > 10 && [0x20, 0x54].contains(bytes[range.lowerBound + 10]),
                let days = isoDate(bytes, range.lowerBound, range.upperBound)
            else { return nil }
            return WrittenDate(
                days: days, parts: [(UInt8(ascii: "F"), range.lowerBound..<range.lowerBound + 10)])
        }
    }

    /// The name of a month, cut to three letters for `%b`.
    package static func monthName(_ month: Int64, isShort: Bool) -> String {
        (isShort ? months : fullMonths)[Int(month) - 1]
    }

    /// One or two digits, as strptime takes them.
    private static func short(_ bytes: Span<UInt8>, _ at: inout Int, _ end: Int) -> Int? {
        if let two = number(bytes, at, 2, end) {
            at += 2
            return two
        }
        guard let one = number(bytes, at, 1, end) else { return nil }
        at += 1
        return one
    }

    private static func read(
        _ directive: UInt8, _ bytes: Span<UInt8>, _ at: inout Int, _ end: Int, _ parts: inout Parts
    ) -> Bool {
        switch directive {
        case UInt8(ascii: "Y"):
            guard let value = number(bytes, at, 4, end) else { return false }
            at += 4
            parts.year = value
        case UInt8(ascii: "y"):
            guard let value = number(bytes, at, 2, end) else { return false }
            at += 2
            parts.year = value < 69 ? 2000 + value : 1900 + value
        case UInt8(ascii: "m"): return assign(short(bytes, &at, end), &parts.month)
        case UInt8(ascii: "d"): return assign(short(bytes, &at, end), &parts.dayOfMonth)
        case UInt8(ascii: "H"): return assign(short(bytes, &at, end), &parts.hour)
        case UInt8(ascii: "I"):
            parts.isTwelveHour = true
            return assign(short(bytes, &at, end), &parts.hour)
        case UInt8(ascii: "M"): return assign(short(bytes, &at, end), &parts.minute)
        case UInt8(ascii: "S"): return assign(short(bytes, &at, end), &parts.second)
        case UInt8(ascii: "f"):
            var unit: Int64 = 100_000
            let first = at
            while at < end, bytes[at] &- 0x30 <= 9, at - first < 6 {
                parts.micros += Int64(bytes[at] &- 0x30) * unit
                unit /= 10
                at += 1
            }
            return at > first
        case UInt8(ascii: "p"):
            guard at + 2 <= end, bytes[at + 1] | 0x20 == 0x6D else { return false }
            parts.isAfternoon = bytes[at] | 0x20 == 0x70
            guard parts.isAfternoon == true || bytes[at] | 0x20 == 0x61 else { return false }
            at += 2
        case UInt8(ascii: "b"): return month(months, bytes, &at, end, &parts)
        case UInt8(ascii: "B"): return month(fullMonths, bytes, &at, end, &parts)
        case UInt8(ascii: "z"):
            guard at < end else { return false }
            if at + 5 <= end, bytes[at] == 0x2B || bytes[at] == 0x2D, let hour = number(bytes, at + 1, 2, end),
                let minute = number(bytes, at + 3, 2, end), hour < 24, minute < 60
            {
                let sign: Int64 = bytes[at] == 0x2B ? 1 : -1
                parts.offset = sign * Int64(hour * 3600 + minute * 60) * 1_000_000
                at += 5
            } else {
                guard let offset = zone(bytes, &at, end) else { return false }
                parts.offset = offset
            }
        default: return false
        }
        return true
    }

    private static func assign(_ value: Int?, _ target: inout Int) -> Bool {
        guard let value else { return false }
        target = value
        return true
    }

    private static func month(
        _ names: [String], _ bytes: Span<UInt8>, _ at: inout Int, _ end: Int, _ parts: inout Parts
    ) -> Bool {
        for (index, name) in names.enumerated() where at + name.utf8.count <= end {
            var same = true
            for (offset, letter) in name.utf8.enumerated() { same = same && bytes[at + offset] | 0x20 == letter }
            if same {
                at += name.utf8.count
                parts.month = index + 1
                return true
            }
        }
        return false
    }
}
