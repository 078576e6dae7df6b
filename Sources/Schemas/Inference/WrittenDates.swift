import Tabular

/// The notation of a column's dates that are not ISO 8601: numeric or with the month's name, with an optional time of
/// day. Values above twelve decide which number is the day; it is never guessed.
struct WrittenDates: Sendable {
    /// The notation that dates of a column have in common.
    private struct Form: Hashable, Sendable {
        var order = Order.numbers
        /// The separator between the parts.
        var mark: UInt8 = 0
        var hasCentury = true
        /// Whether a comma precedes the time of day.
        var comma = false
        var clock = Clock.none
    }

    private enum Order: Sendable { case numbers, dayName, nameDay }
    private enum Clock: Sendable { case none, minutes, seconds, halfMinutes, halfSeconds }

    /// The evidence for one notation.
    private struct Tally: Sendable {
        var count = 0
        /// How many are calendar days when read day first, and month first.
        var dayFirst = 0, monthFirst = 0
        /// Month names abbreviated to three letters, and longer names in full.
        var short = 0, long = 0
    }

    private var tallies: [Form: Tally] = [:]

    /// The reading of a column.
    enum Reading: Equatable {
        /// One pattern fits every value.
        case pattern(String, evidence: String)
        /// Both orders fit, and nothing decides between them.
        case either(dayFirst: String, monthFirst: String)
    }

    /// Whether the dates have a time of day.
    private(set) var hasClock = false

    /// Adds a value that is not an ISO 8601 date.
    mutating func take(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        guard range.count >= 6, range.count <= 32 else { return }
        var reader = DateReader(bytes: range.map { bytes[$0] })
        guard let (form, found) = Self.read(&reader), tallies[form] != nil || tallies.count < 8 else { return }
        hasClock = hasClock || form.clock != .none
        var tally = tallies[form, default: Tally()]
        tally.count += 1
        tally.dayFirst += found.dayFirst
        tally.monthFirst += found.monthFirst
        tally.short += found.short
        tally.long += found.long
        tallies[form] = tally
    }

    /// The reading of a column; nil when not all values are dates of one notation.
    func reading(of values: Int) -> Reading? {
        guard values > 0, tallies.count == 1, let (form, tally) = tallies.first, tally.count == values else {
            return nil
        }
        if form.order != .numbers {
            guard tally.short == 0 || tally.long == 0 else { return nil }
            return .pattern(Self.pattern(form, isLong: tally.long > 0, isDayFirst: true), evidence: "months by name")
        }
        let (dayFirst, monthFirst) = (
            Self.pattern(form, isLong: false, isDayFirst: true), Self.pattern(form, isLong: false, isDayFirst: false)
        )
        switch (tally.dayFirst == values, tally.monthFirst == values) {
        case (true, false):
            return .pattern(
                dayFirst, evidence: "\(values - tally.monthFirst) of \(values) values have a day above 12 first")
        case (false, true):
            return .pattern(
                monthFirst, evidence: "\(values - tally.dayFirst) of \(values) values have a day above 12 second")
        case (true, true):
            // Month-first dates are never written with points.
            return form.mark == 0x2E
                ? .pattern(dayFirst, evidence: "points stand between day, month and year")
                : .either(dayFirst: dayFirst, monthFirst: monthFirst)
        case (false, false): return nil
        }
    }

    /// The pattern of most values, for a column with exceptions.
    func mostly(of values: Int) -> (count: Int, pattern: String)? {
        guard let (form, tally) = tallies.max(by: { $0.value.count < $1.value.count }), tally.count < values else {
            return nil
        }
        let isDayFirst = form.order != .numbers || tally.dayFirst >= tally.monthFirst
        return (tally.count, Self.pattern(form, isLong: tally.long > tally.short, isDayFirst: isDayFirst))
    }

    /// The `strptime` pattern of a form.
    ///
    /// - Parameters:
    ///   - form: the notation.
    ///   - isLong: whether month names are written in full.
    ///   - isDayFirst: whether the day precedes the month.
    private static func pattern(_ form: Form, isLong: Bool, isDayFirst: Bool) -> String {
        let mark = String(UnicodeScalar(form.mark))
        let year = form.hasCentury ? "%Y" : "%y"
        let name = isLong ? "%B" : "%b"
        let date =
            switch form.order {
            case .numbers: [isDayFirst ? "%d" : "%m", isDayFirst ? "%m" : "%d", year].joined(separator: mark)
            case .dayName: ["%d", name, year].joined(separator: mark)
            case .nameDay: "\(name) %d\(form.mark == 0x2C ? "," : "") \(year)"
            }
        let clock =
            switch form.clock {
            case .none: ""
            case .minutes: "%H:%M"
            case .seconds: "%H:%M:%S"
            case .halfMinutes: "%I:%M %p"
            case .halfSeconds: "%I:%M:%S %p"
            }
        return clock.isEmpty ? date : date + (form.comma ? ", " : " ") + clock
    }

    /// Reads one date in any known notation; nil when the text is none.
    private static func read(_ reader: inout DateReader) -> (Form, Tally)? {
        var (form, tally) = (Form(), Tally(count: 1))
        let year: Int
        if let first = reader.number(1...2) {
            guard let mark = reader.one(of: [0x2F, 0x2E, 0x2D, 0x20]) else { return nil }
            form.mark = mark
            if let second = reader.number(1...2) {
                guard reader.one(of: [mark]) != nil, let read = reader.year() else { return nil }
                year = read
                tally.dayFirst = isDay(first, second, year) ? 1 : 0
                tally.monthFirst = isDay(second, first, year) ? 1 : 0
                guard tally.dayFirst + tally.monthFirst > 0, mark != 0x20 else { return nil }
            } else {
                form.order = .dayName
                guard let month = reader.month(), reader.one(of: [mark]) != nil,
                    let year = reader.year(), isDay(first, month, year)
                else { return nil }
            }
        } else {
            form.order = .nameDay
            guard let month = reader.month(), reader.one(of: [0x20]) != nil,
                let day = reader.number(1...2)
            else { return nil }
            form.mark = reader.one(of: [0x2C]) ?? 0
            guard reader.one(of: [0x20]) != nil, let year = reader.year(), isDay(day, month, year)
            else {
                return nil
            }
        }
        form.hasCentury = reader.hasCentury
        (tally.short, tally.long) = (reader.short, reader.long)
        if reader.isAtEnd { return (form, tally) }
        form.comma = reader.one(of: [0x2C]) != nil
        guard reader.one(of: [0x20]) != nil, let clock = reader.clock() else { return nil }
        form.clock =
            clock.isHalf ? (clock.hasSeconds ? .halfSeconds : .halfMinutes) : clock.hasSeconds ? .seconds : .minutes
        return reader.isAtEnd ? (form, tally) : nil
    }

    /// Whether day, month and year are a date of the calendar.
    private static func isDay(_ day: Int, _ month: Int, _ year: Int) -> Bool {
        (1...12).contains(month) && day >= 1 && day <= daysInMonth(month, year: year)
    }
}

/// Reads the parts of a date in order.
private struct DateReader {
    let bytes: [UInt8]
    /// Whether the year had four digits.
    private(set) var hasCentury = true
    /// Month names abbreviated to three letters, and longer names in full.
    private(set) var short = 0, long = 0
    private var at = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { at == bytes.count }

    mutating func number(_ digits: ClosedRange<Int>) -> Int? {
        var (end, value) = (at, 0)
        while end < bytes.count, isDigit(bytes[end]), end - at <= digits.upperBound {
            value = value * 10 + Int(bytes[end] & 0x0F)
            end += 1
        }
        guard digits.contains(end - at) else { return nil }
        at = end
        return value
    }

    mutating func one(of marks: [UInt8]) -> UInt8? {
        guard at < bytes.count, marks.contains(bytes[at]) else { return nil }
        at += 1
        return bytes[at - 1]
    }

    mutating func year() -> Int? {
        if let year = number(4...4) { return year }
        guard let year = number(2...2) else { return nil }
        hasCentury = false
        return year < 69 ? 2000 + year : 1900 + year
    }

    /// The month of an English name, in full or abbreviated to three letters; May is both.
    mutating func month() -> Int? {
        var end = at
        while end < bytes.count, (bytes[end] | 0x20) &- 0x61 < 26 { end += 1 }
        let name = String(decoding: bytes[at..<end], as: UTF8.self).lowercased()
        guard let place = Self.months.firstIndex(where: { $0 == name || $0.prefix(3) == name }) else { return nil }
        at = end
        if name != "may" { if name.utf8.count == 3 { short += 1 } else { long += 1 } }
        return place + 1
    }

    /// `10:05` and `10:05:30`, either with AM or PM after a space.
    mutating func clock() -> (hasSeconds: Bool, isHalf: Bool)? {
        guard let hour = number(1...2), one(of: [0x3A]) != nil, let minute = number(2...2), minute < 60 else {
            return nil
        }
        var hasSeconds = false
        if one(of: [0x3A]) != nil {
            guard let second = number(2...2), second < 60 else { return nil }
            hasSeconds = true
        }
        guard one(of: [0x20]) != nil else { return hour < 24 ? (hasSeconds, false) : nil }
        guard at + 2 == bytes.count, [0x61, 0x70].contains(bytes[at] | 0x20), bytes[at + 1] | 0x20 == 0x6D,
            (1...12).contains(hour)
        else { return nil }
        at += 2
        return (hasSeconds, true)
    }

    private static let months = [
        "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
        "december",
    ]
}
