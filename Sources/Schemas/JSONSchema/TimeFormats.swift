/// Dates, times and durations (RFC 3339).
extension TextReader {
    /// `full-date` (RFC 3339, section 5.6), checked against the calendar.
    mutating func date() -> Bool {
        guard let year = digits(4), skip("-"), let month = digits(2), skip("-"), let day = digits(2), month >= 1,
            month <= 12, day >= 1
        else { return false }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return day <= [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
    }

    /// `full-time` (RFC 3339, section 5.6), with a leap second where one can occur.
    mutating func time() -> Bool {
        guard let hour = digits(2), skip(":"), let minute = digits(2), skip(":"), let second = digits(2), hour < 24,
            minute < 60, second <= 60
        else { return false }
        if skip(".") {
            let first = at
            while let byte = next, isDigit(byte) { at += 1 }
            if at == first { return false }
        }
        var offset = 0
        if !skip("Zz") {
            let isBehind = next == 0x2D
            guard skip("+-"), let hours = digits(2), skip(":"), let minutes = digits(2), hours < 24, minutes < 60 else {
                return false
            }
            offset = (hours * 60 + minutes) * (isBehind ? -1 : 1)
        }
        // A leap second is the last second of a day in UTC.
        return second < 60 || (hour * 60 + minute - offset + 2 * 1440) % 1440 == 1439
    }

    /// A duration (RFC 3339, appendix A): units descend without gaps, and weeks stand alone.
    mutating func duration() -> Bool {
        guard skip("P") else { return false }
        var isTime = false
        var last = -1
        var count = 0
        while !isAtEnd {
            if !isTime, skip("T") {
                isTime = true
                last = -1
                count = 0
                continue
            }
            let first = at
            while let byte = next, isDigit(byte) { at += 1 }
            guard at > first, let byte = next else { return false }
            at += 1
            if byte == 0x57 { return !isTime && count == 0 && last < 0 && isAtEnd }
            guard let unit = Array((isTime ? "HMS" : "YMD").utf8).firstIndex(of: byte), last < 0 || unit == last + 1
            else { return false }
            last = unit
            count += 1
        }
        return last >= 0
    }
}
