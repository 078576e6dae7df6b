import Schemas
import Tabular

/// One field's contract, compiled: constants parsed once, so that a column is checked by loops over bytes.
/// A class, because a column loop that copies a dozen fields to ask one question spends its time copying.
final class FieldCheck: Sendable {
    let index: Int
    let type: FieldType
    let isInteger: Bool
    let isNumeric: Bool
    /// Whether its values are text to people.
    let isText: Bool
    /// What hidden text does to a row.
    let hiddenText: Outcome
    let required: Bool
    let minLength: Int?
    let maxLength: Int?
    let missing: [[UInt8]]
    /// Whether the empty text is the only missing value, as by default.
    let onlyEmptyIsMissing: Bool
    let style: Numbers.Style
    let isPlainNumber: Bool
    let minimum: Double?
    let maximum: Double?
    let exclusiveMinimum: Double?
    let exclusiveMaximum: Double?
    let earliest: Int64?
    let latest: Int64?
    let after: Int64?
    let before: Int64?
    let enumeration: [[UInt8]]?
    let enumerationNumbers: [Double]
    let enumerationMoments: [Int64]
    let allowsTrue: Bool
    let allowsFalse: Bool
    let wholes: Wholes
    let trueWords: [[UInt8]]
    let falseWords: [[UInt8]]
    let pattern: Pattern?
    let jsonSchema: JSONSchemaCheck?
    /// Whether a JSON Schema judges its values: then they are only read.
    let isOnlyRead: Bool
    private let maxDepth: Int

    init(_ schema: Schema, _ index: Int) throws(UnusableContract) {
        let field = schema.fields[index]
        let constraints = field.constraints
        // A limit that is no value of the field's type would be a limit that nothing enforces.
        func unusable(_ text: String) -> UnusableContract {
            UnusableContract(
                reason: "field \(field.name): the limit or enum value \"\(text)\" is no \(field.type.name)")
        }
        func number(_ text: String?) throws(UnusableContract) -> Double? {
            guard let text, field.isNumeric else { return nil }
            let bytes = Array(text.utf8)
            guard let value = Numbers.decimal(bytes.span, 0..<bytes.count) else { throw unusable(text) }
            return value
        }
        func moment(_ text: String?) throws(UnusableContract) -> Int64? {
            guard let text, field.type.isMoment else { return nil }
            guard let value = Dates.limit(text, field.type) else { throw unusable(text) }
            return value
        }
        self.index = index
        (maxDepth, isOnlyRead) = (schema.limits.maxDepth, schema.recordSchema != nil)
        jsonSchema = try constraints.jsonSchema.map { (made) throws(UnusableContract) in try JSONSchemaCheck(made) }
        type = field.type
        (isInteger, isNumeric) = (field.type == .integer, field.isNumeric)
        switch field.type {
        case .string, .any, .object, .array: isText = true
        default: isText = false
        }
        hiddenText = field.hiddenText ?? schema.hiddenText
        required = constraints.required
        minLength = constraints.minLength
        maxLength = constraints.maxLength
        onlyEmptyIsMissing = schema.missingValues(of: index) == [""]
        missing = schema.missingValues(of: index).map { Array($0.utf8) }
        style = Numbers.Style(
            decimal: Array(field.decimalChar.utf8), group: Array((field.groupChar ?? "").utf8), isBare: field.bareNumber
        )
        isPlainNumber = style == Numbers.Style()
        minimum = try number(constraints.minimum)
        maximum = try number(constraints.maximum)
        exclusiveMinimum = try number(constraints.exclusiveMinimum)
        exclusiveMaximum = try number(constraints.exclusiveMaximum)
        earliest = try moment(constraints.minimum)
        latest = try moment(constraints.maximum)
        after = try moment(constraints.exclusiveMinimum)
        before = try moment(constraints.exclusiveMaximum)
        enumeration = constraints.enumeration?.map { Array($0.utf8) }
        var numbers: [Double] = []
        var moments: [Int64] = []
        for text in constraints.enumeration ?? [] {
            if let value = try number(text) { numbers.append(value) }
            if let value = try moment(text) { moments.append(value) }
        }
        enumerationNumbers = numbers
        enumerationMoments = moments
        let words = constraints.enumeration
        allowsTrue = words.map { $0.contains { field.trueValues.contains($0) || $0 == "true" } } ?? true
        allowsFalse = words.map { $0.contains { field.falseValues.contains($0) || $0 == "false" } } ?? true
        wholes = Wholes(constraints)
        (trueWords, falseWords) = (field.trueValues.map { Array($0.utf8) }, field.falseValues.map { Array($0.utf8) })
        if let text = constraints.pattern {
            do throws(Pattern.Refused) {
                pattern = try Pattern(text)
            } catch {
                throw UnusableContract(reason: "field \(field.name): the pattern does not compile: \(error.reason)")
            }
        } else {
            pattern = nil
        }
    }

    /// Whether there is no text that the check has anything against.
    var takesAnyText: Bool {
        (type == .string(.default) || type == .any) && !required && !limitsLength && enumeration == nil
            && pattern == nil && jsonSchema == nil
    }

    /// Whether the cell holds no value.
    @inline(__always)
    func isMissing(_ cell: Cell, _ bytes: Span<UInt8>) -> Bool {
        if cell.isNothing { return true }
        if !cell.isText { return false }
        if onlyEmptyIsMissing { return cell.start == cell.end }
        for token in missing where token.count == Int(cell.end &- cell.start) {
            if Self.equal(bytes, cell.range, token) { return true }
        }
        return false
    }

    @inline(__always)
    static func equal(_ bytes: Span<UInt8>, _ range: Range<Int>, _ text: [UInt8]) -> Bool {
        guard text.count == range.count else { return false }
        for offset in text.indices where bytes[range.lowerBound &+ offset] != text[offset] { return false }
        return true
    }

    /// The number in a cell, or nil when there is none; JSON `12.0` is a whole number, text `12.0` is not.
    @inline(__always)
    func number(_ cell: Cell, _ bytes: Span<UInt8>) -> Double? {
        guard cell.isText || cell.isNumber else { return nil }
        if isInteger {
            if isPlainNumber, let value = Numbers.integer(bytes, cell.range) { return value }
            if cell.isNumber, Numbers.isWhole(bytes, cell.range) { return Numbers.decimal(bytes, cell.range) }
        } else if isPlainNumber || cell.isNumber {
            return Numbers.decimal(bytes, cell.range)
        }
        if isPlainNumber || cell.isNumber { return nil }
        let plain = Numbers.plain(bytes, cell.range, style)
        if plain.isEmpty { return isInteger ? nil : Numbers.special(bytes, cell.range) }
        return isInteger
            ? Numbers.integer(plain.span, 0..<plain.count) : Numbers.decimal(plain.span, 0..<plain.count)
    }

    /// What the number in a cell breaks, or nil.
    @inline(__always)
    func bounds(_ value: Double, _ cell: Cell, _ bytes: Span<UInt8>) -> FindingCode? {
        if isInteger, wholes.areNeeded, value.magnitude >= 0x1p53 { return exactBounds(cell, bytes, value) }
        return bounds(value)
    }

    @inline(__always)
    private func bounds(_ value: Double) -> FindingCode? {
        if let minimum, !(value >= minimum) { return .minimumError }
        if let maximum, !(value <= maximum) { return .maximumError }
        if let exclusiveMinimum, !(value > exclusiveMinimum) { return .minimumError }
        if let exclusiveMaximum, !(value < exclusiveMaximum) { return .maximumError }
        if enumeration != nil, !enumerationNumbers.contains(value) { return .enumError }
        return nil
    }

    /// What a whole number breaks that a double cannot hold exactly; JSON's `1e30` is compared as a double.
    private func exactBounds(_ cell: Cell, _ bytes: Span<UInt8>, _ value: Double) -> FindingCode? {
        var whole = Numbers.Whole(bytes, cell.range)
        if whole == nil, !cell.isNumber {
            let plain = Numbers.plain(bytes, cell.range, style)
            whole = Numbers.Whole(plain.span, 0..<plain.count)
        }
        guard let whole else { return bounds(value) }
        if let minimum = wholes.minimum, whole < minimum { return .minimumError }
        if let maximum = wholes.maximum, whole > maximum { return .maximumError }
        if let minimum = wholes.exclusiveMinimum, whole <= minimum { return .minimumError }
        if let maximum = wholes.exclusiveMaximum, whole >= maximum { return .maximumError }
        if enumeration != nil, !wholes.enumeration.contains(whole) { return .enumError }
        return nil
    }

    /// The limits of an integer field, digit by digit.
    struct Wholes: Sendable {
        let minimum: Numbers.Whole?
        let maximum: Numbers.Whole?
        let exclusiveMinimum: Numbers.Whole?
        let exclusiveMaximum: Numbers.Whole?
        let enumeration: [Numbers.Whole]
        let areNeeded: Bool

        init(_ constraints: Constraints) {
            func whole(_ text: String?) -> Numbers.Whole? {
                let bytes = Array((text ?? "").utf8)
                return Numbers.Whole(bytes.span, 0..<bytes.count)
            }
            minimum = whole(constraints.minimum)
            maximum = whole(constraints.maximum)
            exclusiveMinimum = whole(constraints.exclusiveMinimum)
            exclusiveMaximum = whole(constraints.exclusiveMaximum)
            enumeration = (constraints.enumeration ?? []).compactMap { whole($0) }
            areNeeded =
                minimum != nil || maximum != nil || exclusiveMinimum != nil || exclusiveMaximum != nil
                || constraints.enumeration != nil
        }
    }

    /// What a date or time breaks, or nil.
    @inline(__always)
    func bounds(_ value: Int64) -> FindingCode? {
        if let earliest, value < earliest { return .minimumError }
        if let latest, value > latest { return .maximumError }
        if let after, value <= after { return .minimumError }
        if let before, value >= before { return .maximumError }
        if enumeration != nil, !enumerationMoments.contains(value) { return .enumError }
        return nil
    }

    /// Whether the text is one of the allowed ones.
    @inline(__always)
    func isAllowed(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard let enumeration else { return true }
        for text in enumeration where Self.equal(bytes, range, text) { return true }
        return false
    }

    /// What a text's length breaks, or nil.
    @inline(__always)
    func lengths(_ count: Int) -> FindingCode? {
        if let least = minLength, count < least { return .minLengthError }
        if let most = maxLength, count > most { return .maxLengthError }
        return nil
    }

    /// Whether lengths are limited at all.
    var limitsLength: Bool { minLength != nil || maxLength != nil }

    /// The type and constraint check of one present cell, apart from `pattern` and uniqueness.
    @inline(__always)
    func complaint(_ cell: Cell, _ bytes: Span<UInt8>, _ value: inout Double) -> FindingCode? {
        switch type {
        case .integer, .number:
            guard let number = number(cell, bytes) else { return .typeError }
            value = number
            return bounds(number, cell, bytes)
        case .string(let format):
            guard cell.isText else { return .typeError }
            switch format {
            case .default: break
            case .email: if !Formats.isEmail(bytes, cell.range) { return .typeError }
            case .uri: if !Formats.isURI(bytes, cell.range) { return .typeError }
            case .uuid: if !Formats.isUUID(bytes, cell.range) { return .typeError }
            }
            if limitsLength, let code = lengths(Formats.scalars(bytes, cell.range)) { return code }
            return isAllowed(bytes, cell.range) ? nil : .enumError
        case .date, .time, .datetime, .year:
            guard cell.isText || (cell.isNumber && type == .year), let moment = Dates.value(bytes, cell.range, type)
            else { return .typeError }
            return bounds(moment)
        case .boolean:
            // JSON true has four letters.
            if cell.isBoolean { return (cell.range.count == 4 ? allowsTrue : allowsFalse) ? nil : .enumError }
            guard cell.isText else { return .typeError }
            for word in trueWords where Self.equal(bytes, cell.range, word) { return allowsTrue ? nil : .enumError }
            for word in falseWords where Self.equal(bytes, cell.range, word) { return allowsFalse ? nil : .enumError }
            return .typeError
        case .any: return isAllowed(bytes, cell.range) ? nil : .enumError
        case .object, .array: return nested(cell, bytes)
        }
    }

    /// A JSON object or array, in a JSON member or as CSV text.
    private func nested(_ cell: Cell, _ bytes: Span<UInt8>) -> FindingCode? {
        let wanted: CellKind = type == .object ? .object : .array
        // The reader has checked its grammar; a number that no double holds is JSON too.
        if cell.kind == wanted { return limitsLength ? lengths(countOfMembers(bytes, cell.range)) : nil }
        guard cell.kind == .bare || cell.kind == .quoted else { return .typeError }
        // As the reader of JSON has it: numbers of any size, but no key twice and no nesting without end.
        var tape = JSONTape()
        guard (try? tape.read(bytes, cell.range, maxDepth: maxDepth)) != nil,
            tape.values[0].kind == (type == .object ? .object : .array), tape.hasUniqueKeys
        else { return .typeError }
        return lengths(Int(tape.values[0].count))
    }
}

extension FieldType {
    /// Whether values are dates, times or years.
    var isMoment: Bool {
        switch self {
        case .date, .time, .datetime, .year: true
        default: false
        }
    }
}

/// How many members or items a JSON object or array has, whose grammar was checked.
private func countOfMembers(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int {
    var (count, depth) = (0, 0)
    var (isInString, isEmpty) = (false, true)
    var at = range.lowerBound
    while at < range.upperBound {
        let byte = bytes[at]
        if isInString {
            if byte == 0x5C { at += 1 }
            isInString = byte != 0x22
        } else {
            switch byte {
            case 0x22: isInString = true
            case 0x5B, 0x7B: depth += 1
            case 0x5D, 0x7D: depth -= 1
            case 0x2C where depth == 1: count += 1
            default: break
            }
            let isOutermost = at == range.lowerBound || at == range.upperBound - 1
            if !isOutermost, byte > 0x20 { isEmpty = false }
        }
        at += 1
    }
    return isEmpty ? 0 : count + 1
}
