import Schemas
import Tabular

/// The compiled contract of one field: constants are parsed once, and columns are checked by loops over bytes. It is a
/// class, since copying so many properties would cost a column loop more than the check.
final class FieldCheck: Sendable {
    let index: Int
    let type: FieldType
    let isInteger: Bool
    let isNumeric: Bool
    /// Whether people read its values as text, so that hidden text is searched.
    let isText: Bool
    /// The outcome of a row with hidden text.
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
    let allowed: AllowedValues
    let allowsTrue: Bool
    let allowsFalse: Bool
    let wholes: WholeLimits
    let trueWords: [[UInt8]]
    let falseWords: [[UInt8]]
    let pattern: Pattern?
    let jsonSchema: JSONSchemaCheck?
    /// Whether the record's JSON Schema judges the values, so that they are only read here.
    let isOnlyRead: Bool
    /// Whether a JSON string is an error.
    let refusesJSONStrings: Bool
    let maxDepth: Int

    /// Compiles the constraints of one field.
    ///
    /// - Throws: `UnusableContract` for a limit or pattern that could never be enforced.
    init(_ schema: Schema, _ index: Int) throws(UnusableContract) {
        let field = schema.fields[index]
        let constraints = field.constraints
        // A limit that is not a value of the field's type could never be enforced.
        func unusable(_ text: String) -> UnusableContract {
            UnusableContract(
                reason: "field \(field.name): the limit or enum value \"\(text)\" is no \(field.type.name)",
                pointer: "/fields/\(index)/constraints")
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
        refusesJSONStrings = schema.jsonStrings == .reject && field.hasJSONForm
        (isInteger, isNumeric) = (field.type == .integer, field.isNumeric)
        switch field.type {
        case .string, .any, .object, .array: isText = true
        default: isText = false
        }
        hiddenText = field.hiddenText ?? schema.hiddenText
        // A primary key is never null. Where a single unique field is the primary key, no other rule says so.
        required = constraints.required || (constraints.unique && schema.primaryKey == [field.name])
        minLength = constraints.minLength
        maxLength = constraints.maxLength
        onlyEmptyIsMissing = schema.missingValues(of: index) == [""]
        missing = schema.missingValues(of: index).map { Array($0.utf8) }
        style = Numbers.Style(field)
        isPlainNumber = style.isPlain
        minimum = try number(constraints.minimum)
        maximum = try number(constraints.maximum)
        exclusiveMinimum = try number(constraints.exclusiveMinimum)
        exclusiveMaximum = try number(constraints.exclusiveMaximum)
        earliest = try moment(constraints.minimum)
        latest = try moment(constraints.maximum)
        after = try moment(constraints.exclusiveMinimum)
        before = try moment(constraints.exclusiveMaximum)
        allowed = try AllowedValues(field, number: number, moment: moment)
        let words = constraints.enumeration
        allowsTrue = words.map { $0.contains { field.trueValues.contains($0) || $0 == "true" } } ?? true
        allowsFalse = words.map { $0.contains { field.falseValues.contains($0) || $0 == "false" } } ?? true
        wholes = WholeLimits(field)
        (trueWords, falseWords) = (field.trueValues.map { Array($0.utf8) }, field.falseValues.map { Array($0.utf8) })
        if let text = constraints.pattern {
            do throws(Pattern.Refused) {
                pattern = try Pattern(text)
            } catch {
                throw UnusableContract(
                    reason: "field \(field.name): the pattern does not compile: \(error.reason)",
                    pointer: "/fields/\(index)/constraints/pattern")
            }
        } else {
            pattern = nil
        }
    }

    /// Whether any text passes.
    var takesAnyText: Bool {
        (type == .string(.default) || type == .any) && !required && !limitsLength && allowed.texts == nil
            && allowed.categories == nil && pattern == nil && jsonSchema == nil
    }

    /// Whether the cell stands for "no value".
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

    /// The number in a cell; nil for none. JSON `12.0` is a whole number, the text `12.0` is not.
    @inline(__always)
    func number(_ cell: Cell, _ bytes: Span<UInt8>) -> Double? {
        guard cell.isText || cell.isNumber else { return nil }
        if isInteger {
            if isPlainNumber, let value = Numbers.integer(bytes, cell.range) { return value }
            if cell.isNumber, Numbers.isWhole(bytes, cell.range) { return Numbers.decimal(bytes, cell.range) }
        } else if cell.isNumber {
            // A number beyond a double's range would be read as infinity (RFC 8259, section 6).
            return Numbers.decimal(bytes, cell.range).flatMap { $0.isFinite ? $0 : nil }
        } else if isPlainNumber {
            return Numbers.decimal(bytes, cell.range)
        }
        if isPlainNumber || cell.isNumber { return nil }
        let plain = Numbers.plain(bytes, cell.range, style)
        if plain.isEmpty { return isInteger ? nil : Numbers.special(bytes, cell.range) }
        return isInteger
            ? Numbers.integer(plain.span, 0..<plain.count) : Numbers.decimal(plain.span, 0..<plain.count)
    }

    /// The whole number in a cell, if it fits 64 bits.
    func whole(_ cell: Cell, _ bytes: Span<UInt8>) -> Int64? {
        guard let value = number(cell, bytes) else { return nil }
        if value.magnitude < 0x1p53 { return Int64(exactly: value) }
        let plain =
            isPlainNumber || cell.isNumber ? cell.range.map { bytes[$0] } : Numbers.plain(bytes, cell.range, style)
        return plain.count <= 1024 ? Int64(String(decoding: plain, as: UTF8.self)) : nil
    }

    /// The canonical text of a number that a double cannot hold exactly.
    func exactText(_ cell: Cell, _ bytes: Span<UInt8>) -> [UInt8] {
        let plain =
            isPlainNumber || cell.isNumber ? cell.range.map { bytes[$0] } : Numbers.plain(bytes, cell.range, style)
        // A special value such as INF.
        guard plain.contains(where: { $0 &- 0x30 < 10 }) else { return plain }
        return ExactNumber(plain.span, 0..<plain.count).canonical
    }

    /// The truth value in a cell; nil for none.
    func flag(_ cell: Cell, _ bytes: Span<UInt8>) -> Bool? {
        // JSON true has four letters.
        if cell.isBoolean { return cell.range.count == 4 }
        guard cell.isText else { return nil }
        if trueWords.contains(where: { Self.equal(bytes, cell.range, $0) }) { return true }
        return falseWords.contains { Self.equal(bytes, cell.range, $0) } ? false : nil
    }

    /// The limit that a number violates; nil for none.
    @inline(__always)
    func bounds(_ value: Double, _ cell: Cell, _ bytes: Span<UInt8>) -> FindingCode? {
        if isInteger, wholes.areNeeded, value.magnitude >= 0x1p53 { return exactBounds(cell, bytes, value) }
        return bounds(value)
    }

    @inline(__always)
    /// The limit that a number violates as a double; nil for none.
    private func bounds(_ value: Double) -> FindingCode? {
        if let minimum, !(value >= minimum) { return .minimumError }
        if let maximum, !(value <= maximum) { return .maximumError }
        if let exclusiveMinimum, !(value > exclusiveMinimum) { return .minimumError }
        if let exclusiveMaximum, !(value < exclusiveMaximum) { return .maximumError }
        if allowed.texts != nil, !allowed.numbers.contains(value) { return .enumError }
        if allowed.categories != nil, !allowed.categoryNumbers.contains(value) { return .enumError }
        return nil
    }

    /// The limit that a whole number beyond 2⁵³ violates; nil for none. JSON's `1e30` is compared as a double.
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
        if allowed.texts != nil, !wholes.enumeration.contains(whole) { return .enumError }
        if let categories = wholes.categories, !categories.contains(whole) { return .enumError }
        return nil
    }

    /// The limit that a date or time violates; nil for none.
    @inline(__always)
    func bounds(_ value: Int64) -> FindingCode? {
        if let earliest, value < earliest { return .minimumError }
        if let latest, value > latest { return .maximumError }
        if let after, value <= after { return .minimumError }
        if let before, value >= before { return .maximumError }
        if allowed.texts != nil, !allowed.moments.contains(value) { return .enumError }
        return nil
    }

    /// Whether the text is an allowed value.
    @inline(__always)
    func isAllowed(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        (allowed.texts?.contains(bytes, range) ?? true) && (allowed.categories?.contains(bytes, range) ?? true)
    }

    /// The limit that a length violates; nil for none.
    @inline(__always)
    func lengths(_ count: Int) -> FindingCode? {
        if let least = minLength, count < least { return .minLengthError }
        if let most = maxLength, count > most { return .maxLengthError }
        return nil
    }

    /// Whether lengths are limited.
    var limitsLength: Bool { minLength != nil || maxLength != nil }
}

extension Field {
    /// Whether JSON has a literal for the field's values, and the field declares no textual form.
    fileprivate var hasJSONForm: Bool {
        switch type {
        case .integer, .number: groupChar == nil && bareNumber && (type == .integer || decimalChar == ".")
        case .boolean: trueValues == ["true", "True", "TRUE", "1"] && falseValues == ["false", "False", "FALSE", "0"]
        case .object, .array, .geojson, .geopoint(.array), .geopoint(.object): true
        default: false
        }
    }
}
