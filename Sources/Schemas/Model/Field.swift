package import Tabular

/// One declared column.
package struct Field: Sendable, Equatable {
    /// The column's name.
    package var name: String
    /// What its values are.
    package var type: FieldType
    /// What its values must fulfil.
    package var constraints = Constraints()
    /// The only values there are (`categories`), as written in the contract; nil when anything goes.
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
    /// What the column is for.
    package var role: FieldRole?
    /// What is done about personal data in it.
    package var pii: PIIRule?
    /// Its column in CSV, from 1; nil when it goes by its label.
    package var column: Int?
    /// Where it is in a JSON record: the tokens of a JSON Pointer (RFC 6901); nil for the member of its name.
    package var path: [String]?
    /// What hidden text in it does to a row; nil means the schema's.
    package var hiddenText: Outcome?
    /// What a credential in it does to a row; nil means the schema's.
    package var secrets: Outcome?
    /// What undeclared personal data does; nil means the schema's.
    package var undeclaredPII: UndeclaredPII?
    /// What it is to statistics; nil for what its values look like.
    package var form: DeclaredForm?
    /// How its numbers are screened.
    package var anomaly = AnomalyRule()
    /// How it is compared with its baseline.
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
    /// The cell must be present and not a missing value.
    package var required = false
    /// No two rows may hold the same value.
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
    /// What a JSON value must keep.
    package var jsonSchema: JSONSchema?

    /// No constraint.
    package init() {}
}

/// What a column is for (`sluice: role:`).
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

/// What a column is, where its values would say something else (`sluice: form:`).
package enum DeclaredForm: String, Sendable, CaseIterable {
    /// Numbers that are magnitudes: distributions are compared, and outliers looked for.
    case measure
    /// Few numbers that stand for something: shares are compared.
    case code
    /// Texts that stand for something: shares are compared, and new ones counted.
    case category
    /// Identifiers of rows: nothing is compared.
    case key
}
