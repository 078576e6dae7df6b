/// A cursor in the text of a date or time. After a failed read its position is undefined.
struct DateCursor {
    var at: Int
    let end: Int

    /// The start of a text.
    init(_ range: Range<Int>) { (at, end) = (range.lowerBound, range.upperBound) }

    /// Whether nothing is left.
    var isAtEnd: Bool { at == end }

    /// The number that exactly `count` digits form, `offset` bytes ahead. The cursor does not move.
    @inline(__always)
    func number(_ bytes: Span<UInt8>, digits count: Int, ahead offset: Int = 0) -> Int? {
        let start = at &+ offset
        if start &+ count > end { return nil }
        var value = 0
        for place in 0..<count {
            let digit = bytes[start &+ place] &- 0x30
            if digit > 9 { return nil }
            value = value &* 10 &+ Int(digit)
        }
        return value
    }

    /// One or two digits, as `strptime` accepts them.
    mutating func short(_ bytes: Span<UInt8>) -> Int? {
        if let two = number(bytes, digits: 2) {
            at += 2
            return two
        }
        guard let one = number(bytes, digits: 1) else { return nil }
        at += 1
        return one
    }

    // MARK: ISO 8601, as XML Schema and RFC 3339 have it

    /// The days of `YYYY-MM-DD`. The cursor does not move.
    func isoDate(_ bytes: Span<UInt8>) -> Int64? {
        guard at &+ 10 <= end, bytes[at &+ 4] == 0x2D, bytes[at &+ 7] == 0x2D, let year = number(bytes, digits: 4),
            let month = number(bytes, digits: 2, ahead: 5), let day = number(bytes, digits: 2, ahead: 8)
        else { return nil }
        return Dates.days(year, month, day)
    }

    /// The microseconds of `hh:mm:ss` with an optional fraction. 24:00:00 is the end of a day (XML Schema, to which
    /// Table Schema refers).
    private mutating func isoTime(_ bytes: Span<UInt8>) -> Int64? {
        guard at &+ 8 <= end, bytes[at &+ 2] == 0x3A, bytes[at &+ 5] == 0x3A, let hour = number(bytes, digits: 2),
            let minute = number(bytes, digits: 2, ahead: 3), let second = number(bytes, digits: 2, ahead: 6),
            hour <= 24, minute < 60, second <= 60
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

    /// The microseconds to subtract for `Z`, `±hh:mm` or no zone.
    mutating func zone(_ bytes: Span<UInt8>) -> Int64? {
        guard at < end else { return 0 }
        if bytes[at] == 0x5A || bytes[at] == 0x7A {
            at &+= 1
            return 0
        }
        guard bytes[at] == 0x2B || bytes[at] == 0x2D, at &+ 6 <= end, bytes[at &+ 3] == 0x3A,
            let hour = number(bytes, digits: 2, ahead: 1), let minute = number(bytes, digits: 2, ahead: 4), hour < 24,
            minute < 60
        else { return nil }
        let sign: Int64 = bytes[at] == 0x2B ? 1 : -1
        at &+= 6
        return sign * (Int64(hour) * 3600 + Int64(minute) * 60) * 1_000_000
    }

    /// A time of day less its offset, up to the end of the text.
    ///
    /// A 61st second is only valid as the last of a day in UTC (RFC 3339, section 5.7) or, without an offset, of any
    /// hour.
    mutating func isoClock(_ bytes: Span<UInt8>) -> Int64? {
        let start = at
        guard let time = isoTime(bytes) else { return nil }
        let hasZone = at < end
        guard let offset = zone(bytes), at == end else { return nil }
        if bytes[start &+ 6] == 0x36 {
            let second = (time - offset) / 1_000_000
            guard hasZone ? second % 86_400 == 0 : second % 3600 == 0 else { return nil }
        }
        return time - offset
    }

    // MARK: What programs write beside it

    /// The days of a date with the year first and dashes or slashes.
    mutating func yearFirst(_ bytes: Span<UInt8>) -> Int64? {
        guard let year = number(bytes, digits: 4), at + 4 < end, bytes[at + 4] == 0x2D || bytes[at + 4] == 0x2F else {
            return nil
        }
        let mark = bytes[at + 4]
        at += 5
        guard let month = short(bytes), at < end, bytes[at] == mark else { return nil }
        at += 1
        guard let day = short(bytes) else { return nil }
        return Dates.days(year, month, day)
    }

    /// A time of day less its offset, with or without seconds, up to the end of the text.
    mutating func writtenClock(_ bytes: Span<UInt8>) -> Int64? {
        let start = at
        let time: Int64
        if at + 5 < end, bytes[at + 5] == 0x3A {
            guard let read = isoTime(bytes) else { return nil }
            time = read
        } else {
            guard at + 5 <= end, bytes[at + 2] == 0x3A, let hour = number(bytes, digits: 2),
                let minute = number(bytes, digits: 2, ahead: 3), hour < 24 || hour == 24 && minute == 0, minute < 60
            else { return nil }
            time = (Int64(hour) * 3600 + Int64(minute) * 60) * 1_000_000
            at += 5
        }
        let hasZone = at < end
        if hasZone, bytes[at] == 0x20 { at += 1 }
        guard let offset = writtenZone(bytes), at == end else { return nil }
        let isLeap = start + 7 < end && bytes[start + 5] == 0x3A && bytes[start + 6] == 0x36
        if isLeap, (time - offset) / 1_000_000 % (hasZone ? 86_400 : 3600) != 0 { return nil }
        return time - offset
    }

    /// The microseconds to subtract for `+02`, `+0200`, `UTC`, `GMT` and ISO 8601's forms.
    private mutating func writtenZone(_ bytes: Span<UInt8>) -> Int64? {
        if end - at == 3, ["UTC", "GMT"].contains(Numbers.text(bytes, at..<end).uppercased()) {
            at = end
            return 0
        }
        guard at < end, bytes[at] == 0x2B || bytes[at] == 0x2D, end - at == 3 || end - at == 5 else {
            return zone(bytes)
        }
        guard let hour = number(bytes, digits: 2, ahead: 1), hour < 24 else { return nil }
        let minute = end - at == 5 ? number(bytes, digits: 2, ahead: 3) : 0
        guard let minute, minute < 60 else { return nil }
        let sign: Int64 = bytes[at] == 0x2B ? 1 : -1
        at = end
        return sign * (Int64(hour) * 3600 + Int64(minute) * 60) * 1_000_000
    }
}
