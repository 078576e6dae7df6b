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
    /// What a credential in it does to a row.
    let secrets: Outcome
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
    private let allowed: Allowed
    let allowsTrue: Bool
    let allowsFalse: Bool
    let wholes: Wholes
    let trueWords: [[UInt8]]
    let falseWords: [[UInt8]]
    let pattern: Pattern?
    let jsonSchema: JSONSchemaCheck?
    /// Whether a JSON Schema judges its values: then they are only read.
    let isOnlyRead: Bool
    /// Whether a JSON string is no value of it.
    let refusesJSONStrings: Bool
    private let maxDepth: Int

    init(_ schema: Schema, _ index: Int) throws(UnusableContract) {
        let field = schema.fields[index]
        let constraints = field.constraints
        // A limit that is no value of the field's type would be a limit that nothing enforces.
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
        secrets = field.secrets ?? schema.secrets
        // A primary key is no null. Where its rule is that of one unique field, this is all that is left to say.
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
        allowed = try Allowed(field, number: number, moment: moment)
        let words = constraints.enumeration
        allowsTrue = words.map { $0.contains { field.trueValues.contains($0) || $0 == "true" } } ?? true
        allowsFalse = words.map { $0.contains { field.falseValues.contains($0) || $0 == "false" } } ?? true
        wholes = Wholes(field)
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

    /// Whether there is no text that the check has anything against.
    var takesAnyText: Bool {
        (type == .string(.default) || type == .any) && !required && !limitsLength && allowed.texts == nil
            && allowed.categories == nil && pattern == nil && jsonSchema == nil
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
        } else if cell.isNumber {
            // Whoever reads it would take a number that no double holds for infinity (RFC 8259, 6).
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

    /// The whole number in a cell, when 64 bits hold it and it can be told exactly.
    func whole(_ cell: Cell, _ bytes: Span<UInt8>) -> Int64? {
        guard let value = number(cell, bytes) else { return nil }
        if value.magnitude < 0x1p53 { return Int64(exactly: value) }
        let plain =
            isPlainNumber || cell.isNumber ? cell.range.map { bytes[$0] } : Numbers.plain(bytes, cell.range, style)
        return plain.count <= 1024 ? Int64(String(decoding: plain, as: UTF8.self)) : nil
    }

    /// One text for each number beyond what a double tells apart.
    func exactText(_ cell: Cell, _ bytes: Span<UInt8>) -> [UInt8] {
        let plain =
            isPlainNumber || cell.isNumber ? cell.range.map { bytes[$0] } : Numbers.plain(bytes, cell.range, style)
        // Infinity, by its name.
        guard plain.contains(where: { $0 &- 0x30 < 10 }) else { return plain }
        return ExactNumber(plain.span, 0..<plain.count).canonical
    }

    /// The truth value in a cell.
    func flag(_ cell: Cell, _ bytes: Span<UInt8>) -> Bool? {
        // JSON true has four letters.
        if cell.isBoolean { return cell.range.count == 4 }
        guard cell.isText else { return nil }
        if trueWords.contains(where: { Self.equal(bytes, cell.range, $0) }) { return true }
        return falseWords.contains { Self.equal(bytes, cell.range, $0) } ? false : nil
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
        if allowed.texts != nil, !allowed.numbers.contains(value) { return .enumError }
        if allowed.categories != nil, !allowed.categoryNumbers.contains(value) { return .enumError }
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
        if allowed.texts != nil, !wholes.enumeration.contains(whole) { return .enumError }
        if let categories = wholes.categories, !categories.contains(whole) { return .enumError }
        return nil
    }

    /// The limits of an integer field, digit by digit.
    struct Wholes: Sendable {
        let categories: [Numbers.Whole]?
        let minimum: Numbers.Whole?
        let maximum: Numbers.Whole?
        let exclusiveMinimum: Numbers.Whole?
        let exclusiveMaximum: Numbers.Whole?
        let enumeration: [Numbers.Whole]
        let areNeeded: Bool

        init(_ field: Field) {
            let constraints = field.constraints
            func whole(_ text: String?) -> Numbers.Whole? {
                let bytes = Array((text ?? "").utf8)
                return Numbers.Whole(bytes.span, 0..<bytes.count)
            }
            minimum = whole(constraints.minimum)
            maximum = whole(constraints.maximum)
            exclusiveMinimum = whole(constraints.exclusiveMinimum)
            exclusiveMaximum = whole(constraints.exclusiveMaximum)
            enumeration = (constraints.enumeration ?? []).compactMap { whole($0) }
            categories = field.categories?.compactMap { whole($0) }
            areNeeded =
                categories != nil || minimum != nil || maximum != nil || exclusiveMinimum != nil
                || exclusiveMaximum != nil
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
        if allowed.texts != nil, !allowed.moments.contains(value) { return .enumError }
        return nil
    }

    /// Whether the text is one of the allowed ones.
    @inline(__always)
    func isAllowed(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        (allowed.texts?.contains(bytes, range) ?? true) && (allowed.categories?.contains(bytes, range) ?? true)
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
            case .binary: if !Formats.isBase64(bytes, cell.range) { return .typeError }
            case .wkt: if !Formats.isWKT(bytes, cell.range) { return .typeError }
            }
            if limitsLength, let code = lengths(Formats.scalars(bytes, cell.range)) { return code }
            return isAllowed(bytes, cell.range) ? nil : .enumError
        case .date, .time, .datetime, .year, .yearmonth, .duration:
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
        case .object, .array, .geojson, .geopoint(.array), .geopoint(.object): return nested(cell, bytes)
        case .geopoint(.default):
            guard cell.isText, Formats.isGeopoint(bytes, cell.range) else { return .typeError }
            return isAllowed(bytes, cell.range) ? nil : .enumError
        case .list(let form): return list(cell, bytes, form)
        }
    }

    /// Items with a mark between them.
    private func list(_ cell: Cell, _ bytes: Span<UInt8>, _ form: ListForm) -> FindingCode? {
        guard cell.isText else { return .typeError }
        let mark = Array(form.delimiter.utf8)
        var (first, at, count) = (cell.range.lowerBound, cell.range.lowerBound, 0)
        let end = cell.range.upperBound
        while true {
            let isMark = at + mark.count <= end && Self.equal(bytes, at..<at + mark.count, mark)
            if at == end || isMark {
                guard isItem(bytes, first..<at, form.item) else { return .typeError }
                count += 1
                if at == end { break }
                at += mark.count
                first = at
            } else {
                at += 1
            }
        }
        return lengths(count) ?? (isAllowed(bytes, cell.range) ? nil : .enumError)
    }

    private func isItem(_ bytes: Span<UInt8>, _ range: Range<Int>, _ item: ListForm.Item) -> Bool {
        switch item {
        case .string: true
        case .integer: Numbers.integer(bytes, range) != nil
        case .number: Numbers.decimal(bytes, range) != nil
        case .boolean: (trueWords + falseWords).contains { Self.equal(bytes, range, $0) }
        case .date: Dates.value(bytes, range, .date(.iso)) != nil
        case .time: Dates.value(bytes, range, .time(.iso)) != nil
        case .datetime: Dates.value(bytes, range, .datetime(.iso)) != nil
        }
    }

    /// A JSON value, in a JSON member or as CSV text.
    private func nested(_ cell: Cell, _ bytes: Span<UInt8>) -> FindingCode? {
        let isNative = cell.isNested
        // The reader has checked its grammar; a number that no double holds is JSON too.
        if isNative, allowed.texts == nil {
            if type == .object {
                return cell.kind != .object ? .typeError : limitsLength ? lengths(count(cell, bytes)) : nil
            }
            if type == .array {
                return cell.kind != .array ? .typeError : limitsLength ? lengths(count(cell, bytes)) : nil
            }
        }
        guard isNative || cell.isText else { return .typeError }
        // As the reader of JSON has it: numbers of any size, but no key twice and no nesting without end.
        var tape = JSONTape()
        guard (try? tape.read(bytes, cell.range, maxDepth: maxDepth)) != nil, isNative || tape.hasUniqueKeys else {
            return .typeError
        }
        let fits: Bool
        switch type {
        case .object: fits = tape.values[0].kind == .object
        case .array: fits = tape.values[0].kind == .array
        case .geojson(let isTopology): fits = isTopology ? Formats.isTopoJSON(tape) : Formats.isGeoJSON(tape)
        case .geopoint(.array): fits = Formats.isGeopoint(array: tape)
        default: fits = Formats.isGeopoint(object: tape)
        }
        guard fits else { return .typeError }
        if allowed.texts != nil, !allowed.values.contains(where: { $0.equals(0, tape, 0) }) { return .enumError }
        return lengths(Int(tape.values[0].count))
    }

    private func count(_ cell: Cell, _ bytes: Span<UInt8>) -> Int { countOfMembers(bytes, cell.range) }
}

extension Field {
    /// Whether JSON has a form of its own for its values, and the field declares none of texts.
    fileprivate var hasJSONForm: Bool {
        switch type {
        case .integer, .number: groupChar == nil && bareNumber && (type == .integer || decimalChar == ".")
        case .boolean: trueValues == ["true", "True", "TRUE", "1"] && falseValues == ["false", "False", "FALSE", "0"]
        case .object, .array, .geojson, .geopoint(.array), .geopoint(.object): true
        default: false
        }
    }
}

/// The values that a field may have at all: those of `enum`, and those of `categories`.
private struct Allowed: Sendable {
    /// `enum` as texts; nil when there is none.
    let texts: TextSet?
    let numbers: [Double]
    let moments: [Int64]
    /// Of a field whose values are JSON.
    let values: [JSONTape]
    let categories: TextSet?
    let categoryNumbers: Set<Double>

    init(
        _ field: Field, number: (String?) throws(UnusableContract) -> Double?,
        moment: (String?) throws(UnusableContract) -> Int64?
    ) throws(UnusableContract) {
        let words = field.constraints.enumeration
        texts = words.map(TextSet.init)
        categories = field.categories.map(TextSet.init)
        values = field.type.isJSON ? (words ?? []).compactMap(tape) : []
        var (numbers, moments, categoryNumbers): ([Double], [Int64], Set<Double>) = ([], [], [])
        for text in words ?? [] {
            if let value = try number(text) { numbers.append(value) }
            if let value = try moment(text) { moments.append(value) }
        }
        for text in field.categories ?? [] { if let value = try number(text) { categoryNumbers.insert(value) } }
        (self.numbers, self.moments, self.categoryNumbers) = (numbers, moments, categoryNumbers)
    }
}

/// A JSON text on a tape.
private func tape(_ text: String) -> JSONTape? {
    let bytes = Array(text.utf8)
    var tape = JSONTape()
    return (try? tape.read(bytes.span, 0..<bytes.count)) != nil ? tape : nil
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
