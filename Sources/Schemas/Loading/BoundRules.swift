import Tabular

/// Checks the limits and allowed values of one field: they must be values of its type and in order.
struct BoundRules {
    let field: Field

    /// A bound in plain notation.
    ///
    /// - Throws: when it is not a value of the field's type.
    func bound(_ cursor: Cursor) throws(SchemaError) -> String {
        switch field.type {
        case .integer, .number, .year:
            let lexeme = try cursor.lexeme()
            guard let text = plainNumber(lexeme, cursor.value), field.type == .number || isWhole(text) else {
                throw notOfType(cursor, lexeme)
            }
            return text
        case .date(let pattern), .time(let pattern), .datetime(let pattern):
            let text = try cursor.text()
            // With a pattern of its own a field's bounds may be written in that pattern, which the checks parse later.
            guard pattern != .iso || instant(text) != nil else { throw notOfType(cursor, text) }
            return text
        case .yearmonth:
            let text = try cursor.lexeme()
            guard isoDay("\(text)-01") != nil else { throw notOfType(cursor, text) }
            return text
        case .duration:
            let text = try cursor.lexeme()
            guard text.drop(while: { $0 == "-" }).first == "P" else { throw notOfType(cursor, text) }
            return text
        case .string, .boolean, .any, .object, .array, .list, .geopoint, .geojson:
            throw cursor.error(
                .inconsistent,
                "limits do not apply to type \(field.type.name), only to numbers, dates and times; remove it",
                atKey: true)
        }
    }

    /// Refuses a lower limit above the upper one, which no value could satisfy.
    ///
    /// - Parameters:
    ///   - low: the key of the lower limit.
    ///   - high: the key of the upper limit.
    ///   - constraints: the mapping that has both.
    func checkOrder(low: String, high: String, in constraints: Cursor) throws(SchemaError) {
        guard let lower = constraints[low], let upper = constraints[high] else { return }
        let first = try bound(lower)
        let last = try bound(upper)
        let isExclusive = low != "minimum" || high != "maximum"
        let order: Int?
        if field.isNumeric || field.type == .year {
            order = comparedNumbers(first, last)
        } else if let start = instant(first), let end = instant(last) {
            order = start < end ? -1 : start > end ? 1 : 0
        } else if field.type == .yearmonth {
            // Fixed-width years and months sort as text.
            order = first < last ? -1 : first > last ? 1 : 0
        } else {
            order = nil
        }
        guard let order, order > 0 || (order == 0 && isExclusive) else { return }
        throw lower.error(
            .inconsistent, "\(low) \(quoted(first)) and \(high) \(quoted(last)) leave no value; swap or widen them")
    }

    /// The allowed values as texts, each of the field's type and listed once.
    func enumeration(_ list: Cursor) throws(SchemaError) -> [String] {
        let items = try list.items()
        guard !items.isEmpty else {
            throw list.error(.missing, "enum is empty, so no value can pass; list some values")
        }
        var result: [String] = []
        var seen: Set<String> = []
        for item in items {
            // JSON values are compared by value, not by text.
            if field.type.isJSON, field.type == .array ? item.value.items == nil : item.value.members == nil {
                throw notOfType(item, try item.lexeme())
            }
            let text = field.type.isJSON ? String(decoding: item.json(), as: UTF8.self) : try allowedValue(item)
            guard seen.insert(text).inserted else {
                throw item.error(.inconsistent, "\(quoted(text)) is listed twice; remove one")
            }
            result.append(text)
        }
        return result
    }

    func allowedValue(_ item: Cursor) throws(SchemaError) -> String {
        let lexeme = try item.lexeme()
        switch field.type {
        case .integer, .number, .year, .date, .time, .datetime:
            return try bound(item)
        case .boolean:
            if let flag = item.value.flag { return (flag ? field.trueValues : field.falseValues).first ?? lexeme }
            guard field.trueValues.contains(lexeme) || field.falseValues.contains(lexeme) else {
                throw notOfType(item, lexeme)
            }
            return lexeme
        case .string, .any, .object, .array, .list, .yearmonth, .duration, .geopoint, .geojson:
            return lexeme
        }
    }

    private func notOfType(_ cursor: Cursor, _ text: String) -> SchemaError {
        cursor.error(.wrongKind, "\(quoted(text)) is not a valid \(field.type.name); write it as one")
    }

    /// An ISO time as comparable numbers: days and nanoseconds in UTC.
    private func instant(_ text: String) -> (Int, Int)? {
        switch field.type {
        case .date: isoDay(text[...]).map { ($0, 0) }
        case .time: isoTime(text[...], needsZone: false)
        case .datetime: isoInstant(text)
        default: nil
        }
    }
}

/// A number in plain notation (`-12`, `0.5`, `1e9`), common to YAML and JSON; nil for other spellings.
func plainNumber(_ lexeme: String, _ value: JSONValue) -> String? {
    switch value {
    case .integer(let whole): return String(whole)
    case .bool, .null, .array, .object: return nil
    case .number, .string: break
    }
    guard !lexeme.hasPrefix("0x"), !lexeme.hasPrefix("0o") else { return nil }
    guard case .number? = resolveCoreScalar(lexeme).map({ $0.whole == nil ? $0 : .number(0) }) else { return nil }
    var text = lexeme.hasPrefix("+") ? String(lexeme.dropFirst()) : lexeme
    if text.hasPrefix(".") { text = "0" + text }
    if text.hasPrefix("-.") { text = "-0" + text.dropFirst() }
    if text.hasSuffix(".") { text.removeLast() }
    return text
}

/// Whether the number has neither fraction nor exponent.
private func isWhole(_ text: String) -> Bool {
    let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
    return !digits.isEmpty && digits.utf8.allSatisfy(isDigit)
}

/// Compares two numbers: -1, 0 or 1. Whole numbers of any size are compared exactly, others as doubles; nil when
/// doubles cannot tell them apart.
func comparedNumbers(_ left: String, _ right: String) -> Int? {
    if isWhole(left), isWhole(right) {
        let (a, b) = (signed(left), signed(right))
        if a.isNegative != b.isNegative { return a.isNegative ? -1 : 1 }
        let sign = a.isNegative ? -1 : 1
        if a.digits.utf8.count != b.digits.utf8.count {
            return a.digits.utf8.count < b.digits.utf8.count ? -sign : sign
        }
        return a.digits == b.digits ? 0 : a.digits < b.digits ? -sign : sign
    }
    guard let a = Double(left), let b = Double(right) else { return nil }
    // Equal doubles may stand for different decimals.
    return a < b ? -1 : a > b ? 1 : left == right ? 0 : nil
}

private func signed(_ text: String) -> (isNegative: Bool, digits: String) {
    let isNegative = text.hasPrefix("-")
    let digits = String((isNegative ? text.dropFirst() : text[...]).drop { $0 == "0" })
    return (isNegative && !digits.isEmpty, digits)
}

/// Days since 1970-01-01 of `YYYY-MM-DD`; nil for an impossible date.
func isoDay(_ text: Substring) -> Int? {
    let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0].count == 4, parts[1].count == 2, parts[2].count == 2,
        let year = digits(parts[0]), let month = digits(parts[1]), let day = digits(parts[2]),
        (1...12).contains(month), day >= 1, day <= daysInMonth(month, year: year)
    else { return nil }
    // Howard Hinnant's `days_from_civil`: years start in March, so that the leap day comes last.
    let shifted = month <= 2 ? year - 1 : year
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
}

/// Number of days in a month.
func daysInMonth(_ month: Int, year: Int) -> Int {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
}

/// Days carried and nanoseconds of `HH:MM:SS[.fff][Z|±HH:MM]`; nil when it is malformed.
func isoTime(_ text: Substring, needsZone: Bool) -> (Int, Int)? {
    var clock = text
    var offset = 0
    if clock.hasSuffix("Z") || clock.hasSuffix("z") {
        clock = clock.dropLast()
    } else if clock.utf8.count > 8, let sign = clock.utf8.lastIndex(where: { $0 == 0x2B || $0 == 0x2D }) {
        let zone = clock.utf8[clock.utf8.index(after: sign)...].split(
            separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard zone.count == 2, zone[0].count == 2, zone[1].count == 2, let hours = digits(zone[0]),
            let minutes = digits(zone[1]), hours < 24, minutes < 60
        else { return nil }
        offset = (hours * 60 + minutes) * (clock.utf8[sign] == 0x2D ? -1 : 1)
        clock = clock[..<sign]
    } else if needsZone {
        return nil
    }
    let parts = clock.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0].count == 2, parts[1].count == 2, let hour = digits(parts[0]),
        let minute = digits(parts[1]), hour < 24, minute < 60
    else { return nil }
    let seconds = parts[2].split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard seconds.count <= 2, seconds[0].count == 2, let second = digits(seconds[0]), second <= 60 else { return nil }
    var nanoseconds = 0
    if seconds.count == 2 {
        guard (1...9).contains(seconds[1].count), let fraction = digits(seconds[1]) else { return nil }
        nanoseconds = (seconds[1].count..<9).reduce(fraction) { value, _ in value * 10 }
    }
    return (0, (((hour * 60 + minute) - offset) * 60 + second) * 1_000_000_000 + nanoseconds)
}

/// The instant of an RFC 3339 time; UTC without a zone.
private func isoInstant(_ text: String) -> (Int, Int)? {
    guard text.utf8.count > 11, let day = isoDay(text.prefix(10)),
        let time = isoTime(text.dropFirst(11), needsZone: false),
        ["T", "t", " "].contains(text.dropFirst(10).prefix(1))
    else { return nil }
    let dayLength = 86_400_000_000_000
    let carried = time.1 >= 0 ? time.1 / dayLength : -1
    return (day + carried, time.1 - carried * dayLength)
}

/// Microseconds since 1970 of an RFC 3339 time or a date; nil when it is malformed.
func ruleInstant(_ text: String) -> Int64? {
    guard let (day, nanoseconds) = isoDay(text[...]).map({ ($0, 0) }) ?? isoInstant(text) else { return nil }
    return Int64(day) * 86_400_000_000 + Int64(nanoseconds / 1000)
}

private func digits(_ text: some Collection<UInt8>) -> Int? {
    guard !text.isEmpty, text.count <= 9, text.allSatisfy(isDigit) else { return nil }
    return text.reduce(0) { $0 * 10 + Int($1 & 0x0F) }
}
