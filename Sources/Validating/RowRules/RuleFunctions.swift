import Schemas
import Tabular

/// The functions of row rules (github.com/google/cel-spec, "Standard definitions"; `math` and `trim` of its
/// extensions).
extension RuleRun {
    /// Calls a function.
    ///
    /// - Parameters:
    ///   - function: the function.
    ///   - operands: its arguments, a method's receiver first.
    ///   - type: the type of the result.
    ///   - bytes: the block's bytes.
    mutating func call(
        _ function: RuleFunction, _ operands: [RuleOperand], giving type: RuleType, _ bytes: Span<UInt8>
    ) -> RuleColumn {
        let arguments = operands.map(\.column)
        let (first, firstType) = (arguments[0], operands[0].type)
        switch function {
        case .size: return mapped(first) { (Int64(scalars(Self.range($0), bytes)), .here) }
        case .contains: return found(first, arguments[1], bytes)
        case .startsWith:
            return mapped(first, arguments[1]) { text, part in
                (stands(part, in: text, at: Self.range(text).lowerBound, bytes) ? 1 : 0, .here)
            }
        case .endsWith:
            return mapped(first, arguments[1]) { text, part in
                (stands(part, in: text, at: Self.range(text).upperBound - Self.range(part).count, bytes) ? 1 : 0, .here)
            }
        case .lowerAscii, .upperAscii: return changed(first, isUpper: function == .upperAscii, bytes)
        case .trim: return mapped(first) { (trimmed(Self.range($0), bytes), .here) }
        case .int: return whole(first, firstType, bytes)
        case .double: return double(first, firstType, bytes)
        case .string: return string(first, firstType)
        case .timestamp where firstType == .string:
            return mapped(first) { moment(Self.range($0), bytes).map { ($0, .here) } ?? (0, .wrong) }
        // A duration's text is a constant, parsed with the contract.
        case .timestamp, .duration: return first
        case .abs, .greatest, .least, .floor, .ceil, .round, .trunc: return math(function, arguments, type)
        default: return mapped(first) { (Self.part(function, $0, firstType), .here) }
        }
    }

    // MARK: Texts

    private func scalars(_ range: Range<Int>, _ bytes: Span<UInt8>) -> Int {
        var count = 0
        for at in range where byte(at, bytes) & 0xC0 != 0x80 { count += 1 }
        return count
    }

    /// Whether a text continues with a part at a place.
    private func stands(_ part: Int64, in text: Int64, at place: Int, _ bytes: Span<UInt8>) -> Bool {
        let (whole, piece) = (Self.range(text), Self.range(part))
        guard place >= whole.lowerBound, place + piece.count <= whole.upperBound else { return false }
        for offset in 0..<piece.count where byte(place + offset, bytes) != byte(piece.lowerBound + offset, bytes) {
            return false
        }
        return true
    }

    private func found(_ texts: RuleColumn, _ parts: RuleColumn, _ bytes: Span<UInt8>) -> RuleColumn {
        // Usually every row searches for the same text.
        var (last, search): (Int64, TextSearch?) = (-1, nil)
        return mapped(texts, parts) { text, part in
            let (whole, piece) = (Self.range(text), Self.range(part))
            if piece.isEmpty { return (1, .here) }
            if piece.count > whole.count { return (0, .here) }
            if part != last || search == nil { (last, search) = (part, TextSearch(piece.map { byte($0, bytes) })) }
            guard let search else { return (0, .wrong) }
            let isThere =
                whole.upperBound <= bytes.count
                ? search.isIn(bytes, whole)
                : search.isIn(made.span, whole.lowerBound - bytes.count..<whole.upperBound - bytes.count)
            return (isThere ? 1 : 0, .here)
        }
    }

    private mutating func changed(_ column: RuleColumn, isUpper: Bool, _ bytes: Span<UInt8>) -> RuleColumn {
        var out = column
        for row in rows.indices where column.states[row] == .here {
            let text = Self.range(column.words[row]).map { at -> UInt8 in
                let byte = byte(at, bytes)
                let first: UInt8 = isUpper ? 0x61 : 0x41
                return byte &- first < 26 ? byte ^ 0x20 : byte
            }
            keep(text, row, &out)
        }
        return out
    }

    /// The text without surrounding white space (Unicode), as CEL's extension defines it.
    private func trimmed(_ range: Range<Int>, _ bytes: Span<UInt8>) -> Int64 {
        let text = range.map { byte($0, bytes) }
        func isSpace(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.isWhitespace }
        let whole = String(decoding: text, as: UTF8.self).unicodeScalars
        let start = whole.prefix(while: isSpace).utf8Length
        let end = start == text.count ? 0 : whole.reversed().prefix(while: isSpace).utf8Length
        return Self.place(range.lowerBound + start, range.upperBound - end)
    }

    // MARK: Conversions

    /// The bytes of a text.
    private func text(_ word: Int64, _ bytes: Span<UInt8>) -> [UInt8] { Self.range(word).map { byte($0, bytes) } }

    private func whole(_ column: RuleColumn, _ type: RuleType, _ bytes: Span<UInt8>) -> RuleColumn {
        switch type {
        case .double:
            return mapped(column) { word in
                let value = Self.double(word)
                guard value > -0x1p63, value < 0x1p63 else { return (0, .wrong) }
                return (Int64(value), .here)
            }
        case .string:
            return mapped(column) { word in
                let digits = text(word, bytes)
                guard digits.first != 0x2B, digits.count <= 32,
                    let value = Int64(String(decoding: digits, as: UTF8.self))
                else { return (0, .wrong) }
                return (value, .here)
            }
        case .timestamp: return mapped(column) { (Self.floored($0, 1_000_000).quotient, .here) }
        default: return column
        }
    }

    private func double(_ column: RuleColumn, _ type: RuleType, _ bytes: Span<UInt8>) -> RuleColumn {
        switch type {
        case .int: return mapped(column) { (Self.word(Double($0)), .here) }
        case .string:
            return mapped(column) { word in
                let digits = text(word, bytes)
                let value = digits.count <= 1024 ? Numbers.decimal(digits.span, digits.indices) : nil
                return value.map { (Self.word($0), .here) } ?? (0, .wrong)
            }
        default: return column
        }
    }

    private mutating func string(_ column: RuleColumn, _ type: RuleType) -> RuleColumn {
        if type == .string { return column }
        var out = column
        for row in rows.indices where column.states[row] == .here {
            let word = column.words[row]
            keep(Array((type == .bool ? (word == 1 ? "true" : "false") : String(word)).utf8), row, &out)
        }
        return out
    }

    /// An RFC 3339 time or an ISO 8601 date.
    private func moment(_ range: Range<Int>, _ bytes: Span<UInt8>) -> Int64? {
        guard range.count <= 64 else { return nil }
        let text = range.map { byte($0, bytes) }
        return Dates.value(text.span, text.indices, text.count == 10 ? .date(.iso) : .datetime(.iso))
    }

    // MARK: Numbers

    private func math(_ function: RuleFunction, _ arguments: [RuleColumn], _ type: RuleType) -> RuleColumn {
        let first = arguments[0]
        let isDouble = type == .double
        switch function {
        case .abs:
            if isDouble { return mapped(first) { (Self.word(Self.double($0).magnitude), .here) } }
            return mapped(first) { $0 == .min ? (0, .wrong) : (Swift.abs($0), .here) }
        case .greatest, .least:
            return arguments.dropFirst().reduce(first) { best, next in
                mapped(best, next) { a, b in
                    let isLess = isDouble ? Self.double(b) < Self.double(a) : b < a
                    let isMore = isDouble ? Self.double(b) > Self.double(a) : b > a
                    return ((function == .least ? isLess : isMore) ? b : a, .here)
                }
            }
        default:
            let rule: FloatingPointRoundingRule =
                switch function {
                case .floor: .down
                case .ceil: .up
                case .round: .toNearestOrAwayFromZero
                default: .towardZero
                }
            return mapped(first) { (Self.word(Self.double($0).rounded(rule)), .here) }
        }
    }

    // MARK: Times

    private static func floored(_ value: Int64, _ by: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: by)
        return remainder < 0 ? (quotient - 1, remainder + by) : (quotient, remainder)
    }

    /// A component of a time in UTC, or of a duration. As in CEL, months and days of month, week and year count from 0,
    /// and `getDate` from 1.
    private static func part(_ function: RuleFunction, _ micros: Int64, _ type: RuleType) -> Int64 {
        if type == .duration {
            switch function {
            case .getHours: return micros / 3_600_000_000
            case .getMinutes: return micros / 60_000_000
            default: return micros / 1_000_000
            }
        }
        let (days, time) = floored(micros, 86_400_000_000)
        switch function {
        case .getHours: return time / 3_600_000_000
        case .getMinutes: return time / 60_000_000 % 60
        case .getSeconds: return time / 1_000_000 % 60
        case .getMilliseconds: return time / 1000 % 1000
        // 1970-01-01 was a Thursday.
        case .getDayOfWeek: return floored(days + 4, 7).remainder
        default: break
        }
        let (year, month, day) = Dates.civil(days)
        switch function {
        case .getFullYear: return year
        case .getMonth: return month - 1
        case .getDate: return day
        case .getDayOfMonth: return day - 1
        default: return days - (Dates.days(Int(year), 1, 1) ?? days)
        }
    }
}

extension Sequence<Unicode.Scalar> {
    /// Length in UTF-8 bytes.
    fileprivate var utf8Length: Int { reduce(0) { $0 + UTF8.width($1) } }
}

/// Searches by the failure table of Knuth, Morris and Pratt, in linear time: two long hostile texts must not cost their
/// product.
private struct TextSearch {
    private let wanted: [UInt8]
    private let failure: [Int]

    init(_ wanted: [UInt8]) {
        self.wanted = wanted
        var failure = [0]
        var length = 0
        for at in 1..<max(1, wanted.count) {
            while length > 0, wanted[at] != wanted[length] { length = failure[length - 1] }
            if wanted[at] == wanted[length] { length += 1 }
            failure.append(length)
        }
        self.failure = failure
    }

    func isIn(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        let wanted = wanted.span
        let first = wanted[0]
        var length = 0
        for at in range {
            let next = bytes[at]
            if length == 0, next != first { continue }
            while length > 0, next != wanted[length] { length = failure[length - 1] }
            if next == wanted[length] { length += 1 }
            if length == wanted.count { return true }
        }
        return false
    }
}
