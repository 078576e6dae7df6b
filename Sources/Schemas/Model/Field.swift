package import Tabular

/// One declared column.
package struct Field: Sendable, Equatable {
    /// The column's name.
    package var name: String
    /// The type of its values.
    package var type: FieldType
    /// The constraints on its values.
    package var constraints = Constraints()
    /// The allowed values (`categories`), as written in the contract; nil for any.
    package var categories: [String]?
    /// Texts that mean "no value"; nil means the schema's.
    package var missingValues: [String]?
    /// Words for true (default true, True, TRUE, 1).
    package var trueValues: [String] = ["true", "True", "TRUE", "1"]
    /// Words for false (default false, False, FALSE, 0).
    package var falseValues: [String] = ["false", "False", "FALSE", "0"]
    /// Decimal mark of numbers (default `.`).
    package var decimalChar = "."
    /// Digit group mark, or nil.
    package var groupChar: String?
    /// Whether a number stands alone in the cell; false allows currency signs and percent around it.
    package var bareNumber = true
    /// The column's role; nil for none.
    package var role: FieldRole?
    /// The treatment of personal data in it; nil for none declared.
    package var pii: PIIRule?
    /// Its column in CSV, from 1; nil to find it by its label.
    package var column: Int?
    /// Its place in a JSON record: the tokens of a JSON Pointer (RFC 6901); nil for the member of its name.
    package var path: [String]?
    /// The outcome of a row with hidden text in it; nil means the schema's.
    package var hiddenText: Outcome?
    /// The outcome of a row with a credential in it; nil means the schema's.
    package var secrets: Outcome?
    /// The treatment of undeclared personal data; nil means the schema's.
    package var undeclaredPII: UndeclaredPII?
    /// Its statistical form; nil to take it from the values.
    package var form: DeclaredForm?
    /// The screening of its numbers.
    package var anomaly = AnomalyRule()
    /// Its comparison with the baseline.
    package var drift = DriftRule()
    /// Human title, unused by checks.
    package var title: String?

    /// A field with the defaults.
    package init(name: String, type: FieldType) {
        self.name = name
        self.type = type
    }

    /// Whether the values are numbers that statistics may use.
    package var isNumeric: Bool { type == .integer || type == .number }
}

/// The constraints of one field that this version checks.
package struct Constraints: Sendable, Equatable {
    /// The cell must be present and not stand for "no value".
    package var required = false
    /// Values must be distinct.
    package var unique = false
    /// Smallest allowed value, as written in the contract (numbers, dates, times).
    package var minimum: String?
    /// Largest allowed value.
    package var maximum: String?
    /// The value must be larger than this.
    package var exclusiveMinimum: String?
    /// The value must be smaller than this.
    package var exclusiveMaximum: String?
    /// Smallest length in Unicode scalars (strings), items (arrays) or members (objects).
    package var minLength: Int?
    /// Largest length.
    package var maxLength: Int?
    /// A regular expression that the whole text must match.
    package var pattern: String?
    /// The allowed values, as written in the contract.
    package var enumeration: [String]?
    /// A JSON Schema that JSON values must satisfy.
    package var jsonSchema: JSONSchema?

    /// No constraint.
    package init() {}
}

/// The role of a column (`sluice: role:`).
package enum FieldRole: String, Sendable, CaseIterable {
    case key
    case subject
    case provenance
    case eventTime = "event-time"
    case label
    case text
    case annotator
    case quasiIdentifier = "quasi-identifier"
    case synthetic
    case labelConfidence = "label-confidence"
    case measure
}

/// The statistical form of a column, where its values would suggest another (`sluice: form:`).
package enum DeclaredForm: String, Sendable, CaseIterable {
    /// Magnitudes: distributions are compared, and outliers searched for.
    case measure
    /// A few numeric codes: their shares are compared.
    case code
    /// Text codes: their shares are compared, and new ones counted.
    case category
    /// Identifiers of rows: nothing is compared.
    case key
}
