extension Dates {
    /// The value of an xs:duration, or of a number of weeks, in microseconds. A month counts as a twelfth of 365.2425
    /// days, its mean in the Gregorian calendar, so that durations are comparable.
    static func duration(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int64? {
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
}
