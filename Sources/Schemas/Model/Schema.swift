package import Tabular

/// A contract: a Table Schema or JSON Schema with `sluice:` settings, loaded and checked.
package struct Schema: Sendable, Equatable {
    /// The contract's name, or an empty string.
    package var name = ""
    /// The contract's version, or an empty string.
    package var version = ""
    /// The fields, in the contract's order.
    package var fields: [Field]
    /// Texts that mean "no value".
    package var missingValues: [String] = [""]
    /// The fields that together identify a row.
    package var primaryKey: [String] = []
    /// Field lists whose values must be distinct together; a row that lacks one of the values is exempt (as in SQL).
    package var uniqueKeys: [[String]] = []
    /// Foreign keys; a row that lacks one of the values refers to nothing (as in SQL).
    package var foreignKeys: [ForeignKey] = []
    /// How columns and fields must match, if the contract says so; otherwise by name in any order, with `unknownFields`
    /// for the rest.
    package var fieldsMatch: FieldsMatch?
    /// The row rules.
    package var rules: [RowRule] = []
    /// The treatment of columns outside the contract.
    package var unknownFields: UnknownFields = .reject
    /// CSV columns, from 1, that are read and left out.
    package var dropColumns: Set<Int> = []
    /// Whether CSV rows end with a delimiter that makes no column.
    package var trailingDelimiter = false
    /// Whether spaces around CSV labels are ignored.
    package var trimLabels = false
    /// The treatment of a JSON string where another type is declared.
    package var jsonStrings = JSONStrings.reject
    /// The CSV dialect, if the contract has one.
    package var dialect: Dialect?
    /// The encoding of the text.
    package var encoding = TextEncoding.utf8
    /// The outcome of a row with hidden text; `accepted` disables the search.
    package var hiddenText = Outcome.flagged
    /// The outcome of a row with a credential; `accepted` disables the search.
    package var secrets = Outcome.rejected
    /// The treatment of undeclared personal data.
    package var undeclaredPII = UndeclaredPII.mask
    /// Rules for personal data in all fields.
    package var personalData = PersonalDataRules()
    /// The wanted size of classes with equal quasi-identifiers (`privacy.kAnonymity.k`): reported, not enforced.
    package var minimumClass = 5
    /// Limits of rows and files.
    package var limits = RowLimits()
    /// Limits of a whole batch.
    package var batch = BatchRule()
    /// Settings of the isolation forest.
    package var forest = ForestRule()
    /// The poisoning tests.
    package var poisoning = PoisoningRules()
    /// The comparison with earlier batches.
    package var baseline = BaselineRules()
    /// The JSON Schema of whole records, if the contract is one; it alone judges values then.
    package var recordSchema: JSONSchema?
    /// SHA-256 of the contract's canonical JSON form (RFC 8785), so that layout and comments do not matter.
    package var digest: [UInt8] = []
    /// Whether it was inferred from the data that it judges.
    package var isInferred = false

    /// A contract with the given columns.
    package init(fields: [Field]) { self.fields = fields }

    /// Whether a foreign key refers to a dataset of a store.
    package var refersToDatasets: Bool {
        foreignKeys.contains { if case .dataset = $0.source { true } else { false } }
    }

    /// The missing values of field `index`.
    package func missingValues(of index: Int) -> [String] { fields[index].missingValues ?? missingValues }
}

/// How a file's columns match the fields (Table Schema 2.0, `fieldsMatch`).
package enum FieldsMatch: String, Sendable, CaseIterable {
    /// The same names in the same order.
    case exact
    /// The same names in any order.
    case equal
    /// All fields, and possibly others.
    case subset
    /// Only fields, of which some may be missing.
    case superset
    /// At least one field.
    case partial

    /// Whether columns outside the contract are allowed.
    package var allowsUnknown: Bool { self == .subset || self == .partial }
    /// Whether fields may be missing, unless they are required.
    package var allowsMissing: Bool { self == .superset || self == .partial }
}

/// The treatment of columns outside the contract.
package enum UnknownFields: String, Sendable, CaseIterable {
    /// The file or row is rejected.
    case reject
    /// They are released unchanged.
    case keep
    /// They are left out of the shards.
    case drop
}

/// The treatment of a JSON string where a number, boolean, object or list is declared (`sluice: jsonStrings:`).
package enum JSONStrings: String, Sendable, CaseIterable {
    /// It is a type error: JSON has literals for these.
    case reject
    /// It is parsed as the text of a CSV cell is.
    case parse
}
