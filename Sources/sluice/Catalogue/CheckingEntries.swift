import Tabular

/// Findings of the header, and rows against the contract.
extension FindingCatalogue.Entry {
    static let missingLabel = Self(
        .missingLabel, "missing column",
        what: "the header lacks a column of the contract",
        example: "the header   id,n   under a contract of id, name and n",
        cure: "add the column, change the contract, or say where it is with sluice.column")
    static let extraLabel = Self(
        .extraLabel, "unknown column",
        what: "the header has a column that the contract does not name",
        example: "the header   id,name,n,extra   under a contract of id, name and n",
        cure:
            "add it to the contract, set sluice.unknownFields to keep or drop, or name its position in "
            + "sluice.dropColumns (a column without a label where rows end with a delimiter: "
            + "sluice.trailingDelimiter)")
    static let incorrectLabel = Self(
        .incorrectLabel, "columns in another order",
        what: "the header has the contract's columns in another order, and fieldsMatch is exact",
        example: "the header   name,id   under fields id, name and fieldsMatch: exact",
        cure: "put them in the order of the contract, or write fieldsMatch: equal")
    static let duplicateLabel = Self(
        .duplicateLabel, "duplicate column",
        what: "two columns have the same label; the later one gets a number added to its name",
        example: "the header   id,name,name",
        cure: "give the field its position with sluice.column, or have one column renamed")
    static let blankLabel = Self(
        .blankLabel, "blank column name",
        what: "a column has no label; its position is used as its name",
        example: "the header   id,,n",
        cure: "declare a field with this position (sluice.column), or drop the column with sluice.dropColumns")
    static let typeError = Self(
        .typeError, "wrong type",
        what: "the value is not of the field's type or format",
        example: "12 apples   in a field of type integer",
        cure: "correct the value or the contract's type")
    static let requiredError = Self(
        .requiredError, "missing value",
        what: "a required value is missing",
        example: "an empty cell in a field with constraints: { required: true }",
        cure: "supply the value, or make the field optional")
    static let minimumError = Self(
        .minimumError, "too small",
        what: "the value is below the contract's minimum",
        example: "-1   under constraints: { minimum: 0 }",
        cure: "correct the value or the bound")
    static let maximumError = Self(
        .maximumError, "too large",
        what: "the value is above the contract's maximum",
        example: "101   under constraints: { maximum: 100 }",
        cure: "correct the value or the bound")
    static let minLengthError = Self(
        .minLengthError, "too short",
        what: "the value is shorter than minLength",
        example: "ab   under constraints: { minLength: 3 }",
        cure: "correct the value or the bound")
    static let maxLengthError = Self(
        .maxLengthError, "too long",
        what: "the value is longer than maxLength",
        example: "abcd   under constraints: { maxLength: 3 }",
        cure: "correct the value or the bound")
    static let patternError = Self(
        .patternError, "pattern mismatch",
        what: "the value does not match the contract's pattern",
        example: "AB12   under constraints: { pattern: \"[A-Z]{3}[0-9]+\" }",
        cure: "correct the value or the pattern")
    static let patternBudget = Self(
        .patternBudget, "pattern too costly",
        what: "matching the pattern took more steps than allowed and was stopped",
        example: "a long row of a under constraints: { pattern: \"(a+)+b\" }",
        cure: "simplify the pattern: nested repetition such as (a+)+ explodes on hostile text")
    static let enumError = Self(
        .enumError, "value not allowed",
        what: "the value is not in the enum or the categories of the contract",
        example: "yelow   under constraints: { enum: [red, yellow] }, or the same under categories",
        cure: "correct the value, or extend the enum or categories")
    static let jsonSchemaError = Self(
        .jsonSchemaError, "JSON Schema violated",
        what: "the record or value violates a keyword of the contract's JSON Schema",
        example: "{\"id\": 0}   under   {\"properties\": {\"id\": {\"minimum\": 1}}}",
        cure: "see keywordLocation in the JSON report (--format json); correct the value or the schema")
    static let jsonSchemaBudget = Self(
        .jsonSchemaBudget, "JSON Schema too costly",
        what: "evaluating the JSON Schema took more steps than allowed and was stopped",
        example: "deeply nested records under a schema whose anyOf tries every branch at every level",
        cure: "simplify the schema: nested anyOf and patterns such as (a+)+ explode on hostile data")
    static let rowConstraint = Self(
        .rowConstraint, "row rule violated",
        what: "the row violates one of the contract's rules (sluice.rules), or the rule fails for it",
        example: "amount 90 and credit_limit 50 under the rule amount <= credit_limit",
        cure:
            "the report names the rule; correct the row or the rule (a division by zero or an overflow violates a "
            + "rule, a missing value never does)")
    static let uniqueError = Self(
        .uniqueError, "not unique",
        what: "an earlier row has the same value",
        example: "two rows with id 7 in a field with constraints: { unique: true }",
        cure: "remove the duplicate")
    static let primaryKeyError = Self(
        .primaryKeyError, "primary key",
        what: "the primary key is missing or an earlier row has it",
        example: "two rows with the same values in all fields of primaryKey, or one without them",
        cure: "supply a unique key")
    static let foreignKeyError = Self(
        .foreignKeyError, "foreign key",
        what: "the value does not occur in the table that the foreign key refers to",
        example: "customer_id 7 where no row of customers has id 7",
        cure: "the report names the key; correct the value, or deliver the table it refers to first")
    static let hiddenText = Self(
        .hiddenText, "hidden text",
        what: "the text has invisible characters: zero-width characters, direction controls, tags or fillers",
        example: "ig<U+200B>nore: a zero-width space in a word",
        cure:
            "distrust the source: such text can carry instructions or evade filters; sluice.hiddenText sets what "
            + "happens to the row")
    static let mixedScript = Self(
        .mixedScript, "mixed scripts",
        what: "a word of Latin letters has letters of another script that look like Latin ones",
        example: "p<U+0430>ypal: a Cyrillic а among Latin letters",
        cure: "compare with the plain spelling; sluice.hiddenText sets what happens to the row")
    static let decomposedText = Self(
        .decomposedText, "not in NFC",
        what: "the text is not in Unicode normalisation form C (NFC), so equal words can differ in bytes",
        example: "e<U+0301> where others write é as one character",
        cure: "have the supplier normalise to NFC; sluice.hiddenText sets what happens to the row")
    static let formulaStart = Self(
        .formulaStart, "formula start",
        what: "the text begins with a character that starts a formula in a spreadsheet (= + - @ tab)",
        example: "=HYPERLINK(\"http://evil.example\")",
        cure: "harmless for a model; neutralise such cells before you open the data in a spreadsheet")
    static let secret = Self(
        .secret, "credential",
        what:
            "a text contains a token, key or password: recognised by its form, or, as \"key or password beside its "
            + "name\", by the word before it or the name of its column",
        example: "a GitHub token, which begins with ghp_, in a note",
        cure:
            "treat the credential as leaked: have its owner revoke it and the supplier remove it from the data; for "
            + "a false alarm set sluice.secrets: allow in the field")
    static let undeclaredPII = Self(
        .undeclaredPII, "undeclared personal data",
        what: "a text contains personal data that the contract does not declare",
        example: "an e-mail address in a column of notes",
        cure: "declare it (see: sluice scan FILE), or set sluice.undeclaredPii to mask, quarantine, reject or allow")
    static let undeclaredColumn = Self(
        .undeclaredColumn, "undeclared column of personal data",
        what:
            "at least 20 % of at least 100 values of a column are personal data of one kind, and the contract does "
            + "not declare it",
        example: "a column of telephone numbers that the contract declares as a string without pii",
        cure: "declare pii for the field (see: sluice scan FILE), or set undeclaredPii: allow in the field")
    static let suppressedRow = Self(
        .suppressedRow, "suppressed row",
        what: "the row contains personal data of a field with operator suppress, so the row is held back",
        example: "a passport number in a field whose operator is suppress",
        cure: "nothing; to release such rows, choose another operator for the field")
    static let duplicateRow = Self(
        .duplicateRow, "duplicate row",
        what: "an earlier row of the file has the same values in all fields",
        example: "the same sale on two lines, to the last digit",
        cure:
            "ask the source why rows come twice; if they may, set sluice.batch.duplicateRows: flag, or remove the "
            + "setting")
}
