/// Reads dates and times by a `strptime` pattern with the directives %Y %y %m %d %H %I %M %S %f %p %b %B %z %%.
struct PatternReader {
    /// The parts that were read.
    struct Parts {
        var year = 1900
        var month = 1
        var dayOfMonth = 1
        var hour = 0
        var minute = 0
        var second = 0
        var micros: Int64 = 0
        var offset: Int64 = 0
        fileprivate var isTwelveHour = false
        fileprivate var isAfternoon: Bool?
    }

    private var cursor: DateCursor
    private var parts = Parts()

    /// Reads a text by a pattern.
    ///
    /// - Parameters:
    ///   - range: the text in the buffer.
    ///   - bytes: the buffer.
    ///   - pattern: the pattern.
    ///   - note: called with each directive and its place in the text.
    /// - Returns: nil when the text does not fit the pattern.
    static func read(
        _ range: Range<Int>, of bytes: Span<UInt8>, by pattern: String,
        note: (_ directive: UInt8, _ place: Range<Int>) -> Void = { _, _ in }
    ) -> Parts? {
        var reader = PatternReader(cursor: DateCursor(range))
        var isDirective = false
        for byte in pattern.utf8 {
            if !isDirective, byte == 0x25 {
                isDirective = true
                continue
            }
            if isDirective, byte != 0x25 {
                let start = reader.cursor.at
                guard reader.take(byte, in: bytes) else { return nil }
                note(byte, start..<reader.cursor.at)
            } else {
                guard reader.cursor.at < reader.cursor.end, bytes[reader.cursor.at] == byte else { return nil }
                reader.cursor.at += 1
            }
            isDirective = false
        }
        return reader.finished()
    }

    /// The parts, once the text has ended.
    private mutating func finished() -> Parts? {
        // As in `strptime`, %p affects only %I; without %p hours are before noon.
        if parts.isTwelveHour {
            guard parts.hour >= 1, parts.hour <= 12 else { return nil }
            parts.hour = parts.hour % 12 + (parts.isAfternoon == true ? 12 : 0)
        }
        return cursor.isAtEnd && parts.hour < 24 && parts.minute < 60 && parts.second <= 60 ? parts : nil
    }

    /// Reads the text of one directive.
    private mutating func take(_ directive: UInt8, in bytes: Span<UInt8>) -> Bool {
        switch directive {
        case UInt8(ascii: "Y"):
            guard let value = cursor.number(bytes, digits: 4) else { return false }
            cursor.at += 4
            parts.year = value
        case UInt8(ascii: "y"):
            guard let value = cursor.number(bytes, digits: 2) else { return false }
            cursor.at += 2
            parts.year = value < 69 ? 2000 + value : 1900 + value
        case UInt8(ascii: "m"): return Self.assign(cursor.short(bytes), to: &parts.month)
        case UInt8(ascii: "d"): return Self.assign(cursor.short(bytes), to: &parts.dayOfMonth)
        case UInt8(ascii: "H"): return Self.assign(cursor.short(bytes), to: &parts.hour)
        case UInt8(ascii: "I"):
            parts.isTwelveHour = true
            return Self.assign(cursor.short(bytes), to: &parts.hour)
        case UInt8(ascii: "M"): return Self.assign(cursor.short(bytes), to: &parts.minute)
        case UInt8(ascii: "S"): return Self.assign(cursor.short(bytes), to: &parts.second)
        case UInt8(ascii: "f"): return takeFraction(in: bytes)
        case UInt8(ascii: "p"):
            let (at, end) = (cursor.at, cursor.end)
            guard at + 2 <= end, bytes[at + 1] | 0x20 == 0x6D else { return false }
            parts.isAfternoon = bytes[at] | 0x20 == 0x70
            guard parts.isAfternoon == true || bytes[at] | 0x20 == 0x61 else { return false }
            cursor.at += 2
        case UInt8(ascii: "b"): return takeMonth(Dates.months, in: bytes)
        case UInt8(ascii: "B"): return takeMonth(Dates.fullMonths, in: bytes)
        case UInt8(ascii: "z"): return takeZone(in: bytes)
        default: return false
        }
        return true
    }

    private static func assign(_ value: Int?, to target: inout Int) -> Bool {
        guard let value else { return false }
        target = value
        return true
    }

    /// One to six digits of a second's fraction.
    private mutating func takeFraction(in bytes: Span<UInt8>) -> Bool {
        var unit: Int64 = 100_000
        let first = cursor.at
        while cursor.at < cursor.end, bytes[cursor.at] &- 0x30 <= 9, cursor.at - first < 6 {
            parts.micros += Int64(bytes[cursor.at] &- 0x30) * unit
            unit /= 10
            cursor.at += 1
        }
        return cursor.at > first
    }

    /// `+hhmm`, or one of ISO 8601's forms.
    private mutating func takeZone(in bytes: Span<UInt8>) -> Bool {
        let (at, end) = (cursor.at, cursor.end)
        guard at < end else { return false }
        if at + 5 <= end, bytes[at] == 0x2B || bytes[at] == 0x2D, let hour = cursor.number(bytes, digits: 2, ahead: 1),
            let minute = cursor.number(bytes, digits: 2, ahead: 3), hour < 24, minute < 60
        {
            let sign: Int64 = bytes[at] == 0x2B ? 1 : -1
            parts.offset = sign * Int64(hour * 3600 + minute * 60) * 1_000_000
            cursor.at += 5
            return true
        }
        guard let offset = cursor.zone(bytes) else { return false }
        parts.offset = offset
        return true
    }

    private mutating func takeMonth(_ names: [String], in bytes: Span<UInt8>) -> Bool {
        for (index, name) in names.enumerated() where cursor.at + name.utf8.count <= cursor.end {
            var same = true
            for (offset, letter) in name.utf8.enumerated() {
                same = same && bytes[cursor.at + offset] | 0x20 == letter
            }
            if same {
                cursor.at += name.utf8.count
                parts.month = index + 1
                return true
            }
        }
        return false
    }
}
