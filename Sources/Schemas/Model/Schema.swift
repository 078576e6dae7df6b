package import Tabular

/// A contract: a Table Schema with the `sluice:` settings.
package struct Schema: Sendable, Equatable {
    /// The contract's name, or an empty string.
    package var name = ""
    /// The contract's version, or an empty string.
    package var version = ""
    /// The columns.
    package var fields: [Field]
    /// Texts that mean "no value".
    package var missingValues: [String] = [""]
    /// Field names that together identify a row.
    package var primaryKey: [String] = []
    /// Field names that together have no value twice; a row without one of them is no repetition (as in SQL).
    package var uniqueKeys: [[String]] = []
    /// Field names whose values must stand somewhere else; a row without one of them refers to nothing (as in SQL).
    package var foreignKeys: [ForeignKey] = []
    /// How a file's columns and the fields must match, when the contract says it; else by name, in any order, and
    /// `unknownFields` says the rest.
    package var fieldsMatch: FieldsMatch?
    /// The row rules.
    package var rules: [RowRule] = []
    /// What happens to other columns.
    package var unknownFields: UnknownFields = .reject
    /// Columns of CSV, from 1, that are read and left out.
    package var dropColumns: Set<Int> = []
    /// Whether rows of CSV end with a delimiter, which is no column.
    package var trailingDelimiter = false
    /// Whether spaces around labels of CSV do not count.
    package var trimLabels = false
    /// What a JSON string is where another type is wanted.
    package var jsonStrings = JSONStrings.reject
    /// How the files' CSV is written, if the contract says it.
    package var dialect: Dialect?
    /// How the files' text is encoded.
    package var encoding = TextEncoding.utf8
    /// What hidden text does to a row; accepted means that it is not searched for.
    package var hiddenText = Outcome.flagged
    /// What a credential in a text does to a row; accepted means that none is searched for.
    package var secrets = Outcome.rejected
    /// What undeclared personal data does to a row.
    package var undeclaredPII = UndeclaredPII.mask
    /// Rules for personal data in all fields.
    package var personalData = PersonalDataRules()
    /// The wanted size of every class of rows with equal quasi-identifiers (`privacy.kAnonymity.k`): reported, not
    /// enforced.
    package var minimumClass = 5
    /// Row limits.
    package var limits = RowLimits()
    /// Batch limits.
    package var batch = BatchRule()
    /// The forest.
    package var forest = ForestRule()
    /// Marks of poison.
    package var poisoning = PoisoningRules()
    /// What batches are compared with.
    package var baseline = BaselineRules()
    /// What a whole record of JSON must keep; a contract that is a JSON Schema has it, and then it alone judges values.
    package var recordSchema: JSONSchema?
    /// SHA-256 of the contract's canonical JSON form (RFC 8785), so that layout and comments do not matter.
    package var digest: [UInt8] = []
    /// Whether it was inferred from the data that it judges.
    package var isInferred = false

    /// A contract with the given columns.
    package init(fields: [Field]) { self.fields = fields }

    /// Whether a foreign key refers to what a dataset of a store has accepted.
    package var refersToDatasets: Bool {
        foreignKeys.contains { if case .dataset = $0.source { true } else { false } }
    }

    /// The missing values of field `index`.
    package func missingValues(of index: Int) -> [String] { fields[index].missingValues ?? missingValues }
}

/// How a file's columns match a contract's fields (Table Schema 2, `fieldsMatch`).
package enum FieldsMatch: String, Sendable, CaseIterable {
    /// The same names in the same order.
    case exact
    /// The same names in any order.
    case equal
    /// All fields, and others.
    case subset
    /// No others, but some may be missing.
    case superset
    /// At least one field.
    case partial

    /// Whether columns that are no fields may be there.
    package var allowsUnknown: Bool { self == .subset || self == .partial }
    /// Whether fields may be missing, unless they are required.
    package var allowsMissing: Bool { self == .superset || self == .partial }
}

/// What happens to columns that the contract does not name.
package enum UnknownFields: String, Sendable, CaseIterable {
    /// The file or row is refused.
    case reject
    /// They pass through untouched.
    case keep
    /// They are left out of the shards.
    case drop
}

/// What a JSON string is where the contract has a number, a truth value, an object or a list (`sluice: jsonStrings:`).
package enum JSONStrings: String, Sendable, CaseIterable {
    /// No value of the type: JSON has forms for these.
    case reject
    /// Read as the text of a CSV cell is.
    case parse
}
