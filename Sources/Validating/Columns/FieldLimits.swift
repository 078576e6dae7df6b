import Schemas
import Tabular

/// The limits of an integer field, as integers of any size.
struct WholeLimits: Sendable {
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

/// The allowed values by `enum` and `categories`.
struct AllowedValues: Sendable {
    /// The texts of `enum`; nil without one.
    let texts: TextSet?
    let numbers: [Double]
    let moments: [Int64]
    /// The values of `enum` for a field of JSON.
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

/// Parses a JSON text into a tape.
private func tape(_ text: String) -> JSONTape? {
    let bytes = Array(text.utf8)
    var tape = JSONTape()
    return (try? tape.read(bytes.span, 0..<bytes.count)) != nil ? tape : nil
}
