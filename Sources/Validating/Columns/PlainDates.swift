import Schemas

/// Dates and times of format `any`: the standard's default, common notations with the year first, and words with a
/// single reading. Day and month are never guessed.
enum PlainDates {
    static func value(_ bytes: Span<UInt8>, _ range: Range<Int>, _ type: FieldType) -> Int64? {
        let plain: FieldType =
            switch type {
            case .date: .date(.iso)
            case .time: .time(.iso)
            default: .datetime(.iso)
            }
        if let value = Dates.value(bytes, range, plain) ?? Dates.written(bytes, range, plain) { return value }
        guard range.count <= 64 else { return nil }
        var words = Numbers.text(bytes, range).split { $0 == " " || $0 == "," }.map { $0.lowercased() }
        if let first = words.first, isWeekday(first) { words.removeFirst() }
        switch type {
        case .date:
            guard let date = date(&words), words.isEmpty else { return nil }
            return Dates.days(date.year, date.month, date.day).map { $0 * Dates.day }
        case .time:
            guard let time = time(&words), words.isEmpty else { return nil }
            return time
        default:
            guard let date = date(&words) else { return nil }
            // A date alone is its first moment.
            guard let time = words.isEmpty ? 0 : time(&words), words.isEmpty else { return nil }
            return Dates.days(date.year, date.month, date.day).map { $0 * Dates.day + time }
        }
    }

    /// Digits only.
    private static func number(_ word: String) -> Int? {
        word.utf8.allSatisfy { $0 &- 0x30 < 10 } ? Int(word) : nil
    }

    private static func isWeekday(_ word: String) -> Bool {
        let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
        return days.contains { $0 == word || $0.prefix(3) == word }
    }

    /// `10th Jan 1969`, `January 10 1969`, or `1969-01-10` before an hour with am or pm.
    private static func date(_ words: inout [String]) -> (year: Int, month: Int, day: Int)? {
        if let first = words.first.map({ Array($0.utf8) }),
            let day = Dates.written(first.span, first.indices, .date(.iso))
        {
            words.removeFirst()
            let (year, month, dayOfMonth) = Dates.civil(day / 86_400_000_000)
            return (Int(year), Int(month), Int(dayOfMonth))
        }
        guard words.count >= 3 else { return nil }
        let isMonthFirst = Dates.monthNumber(words[0]) != nil
        let (dayWord, monthWord) = isMonthFirst ? (words[1], words[0]) : (words[0], words[1])
        guard let month = Dates.monthNumber(monthWord), let day = ordinal(dayWord), words[2].count == 4,
            let year = number(words[2])
        else { return nil }
        words.removeFirst(3)
        return (year, month, day)
    }

    private static func ordinal(_ word: String) -> Int? {
        let digits = word.prefix { $0.isNumber }
        guard ["", "st", "nd", "rd", "th"].contains(word.dropFirst(digits.count)) else { return nil }
        return Int(digits)
    }

    /// `3:00 am`, `9 am`, `15:30` or `15:30:05` as microseconds of the day.
    private static func time(_ words: inout [String]) -> Int64? {
        guard var clock = words.first else { return nil }
        words.removeFirst()
        var half: String?
        if let next = words.first, ["am", "pm"].contains(next) {
            half = next
            words.removeFirst()
        } else if clock.hasSuffix("am") || clock.hasSuffix("pm") {
            half = String(clock.suffix(2))
            clock.removeLast(2)
        }
        let parts = clock.split(separator: ":", omittingEmptySubsequences: false).map { number(String($0)) }
        guard parts.count <= 3, let hour = parts[0], half != nil || parts.count > 1 else { return nil }
        var rest = [0, 0]
        for (index, part) in parts.dropFirst().enumerated() {
            guard let part, (0...59).contains(part) else { return nil }
            rest[index] = part
        }
        guard half == nil ? (0...23).contains(hour) : (1...12).contains(hour) else { return nil }
        let hours = half == nil ? hour : hour % 12 + (half == "pm" ? 12 : 0)
        return Int64(hours * 3600 + rest[0] * 60 + rest[1]) * 1_000_000
    }
}
