import Schemas
import Tabular

/// The limits of an integer field as whole numbers of any size.
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

/// The values that `enum` and `categories` allow.
struct AllowedValues: Sendable {
    /// `enum` as texts; nil when there is none.
    let texts: TextSet?
    let numbers: [Double]
    let moments: [Int64]
    /// `enum` of a field whose values are JSON.
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
