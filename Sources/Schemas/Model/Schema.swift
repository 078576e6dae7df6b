package import Tabular

/// The type of a field, with its format where the standard gives it one (Table Schema 2.0).
package enum FieldType: Sendable, Equatable {
    /// Text; `format` is default, email, uri or uuid.
    case string(StringFormat)
    /// A whole number of any size; values beyond 64 bits are kept as text.
    case integer
    /// A decimal number.
    case number
    /// One of the declared true or false words.
    case boolean
    /// A calendar date.
    case date(DatePattern)
    /// A time of day.
    case time(DatePattern)
    /// A date and time.
    case datetime(DatePattern)
    /// A calendar year.
    case year
    /// Anything.
    case any
    /// A JSON object.
    case object
    /// A JSON array.
    case array
    /// Items with a mark between them.
    case list(ListForm)
    /// A month of a year.
    case yearmonth
    /// An ISO 8601 duration.
    case duration
    /// A place on earth.
    case geopoint(GeopointFormat)
    /// GeoJSON, or TopoJSON.
    case geojson(isTopology: Bool)

    /// Whether values are dates, times or years.
    package var isMoment: Bool {
        switch self {
        case .date, .time, .datetime, .year, .yearmonth, .duration: true
        default: false
        }
    }

    /// Whether values are points in time, to the microsecond.
    package var isPoint: Bool {
        switch self {
        case .date, .time, .datetime: true
        default: false
        }
    }

    /// The standard's name of the type.
    package var name: String {
        switch self {
        case .string: "string"
        case .integer: "integer"
        case .number: "number"
        case .boolean: "boolean"
        case .date: "date"
        case .time: "time"
        case .datetime: "datetime"
        case .year: "year"
        case .any: "any"
        case .object: "object"
        case .array: "array"
        case .list: "list"
        case .yearmonth: "yearmonth"
        case .duration: "duration"
        case .geopoint: "geopoint"
        case .geojson: "geojson"
        }
    }

    /// Whether its values are JSON, also in CSV.
    package var isJSON: Bool {
        switch self {
        case .object, .array, .geojson: true
        default: false
        }
    }

    /// The standard's word for the format; nil for the default one.
    package var format: String? {
        switch self {
        case .string(let format) where format != .default: format.rawValue
        case .date(.pattern(let pattern)), .time(.pattern(let pattern)), .datetime(.pattern(let pattern)): pattern
        case .date(.any), .time(.any), .datetime(.any): "any"
        case .geopoint(let format) where format != .default: format.rawValue
        case .geojson(isTopology: true): "topojson"
        default: nil
        }
    }
}

/// The `format` of a string field.
package enum StringFormat: String, Sendable {
    case `default`
    case email
    case uri
    case uuid
    /// Base64.
    case binary
    /// Well-known text of a geometry.
    case wkt
}

/// How a place is written: `lon, lat`, a JSON array of both, or a JSON object of both.
package enum GeopointFormat: String, Sendable, CaseIterable {
    case `default`, array, object
}

/// How the items of a list are written.
package struct ListForm: Sendable, Equatable {
    /// What an item is.
    package enum Item: String, Sendable, CaseIterable {
        case string, integer, boolean, number, datetime, date, time
    }

    /// Stands between items.
    package var delimiter = ","
    /// What each item is, in its default format.
    package var item = Item.string

    /// Texts with commas between them.
    package init() {}
}

/// How a date, time or datetime is written.
package enum DatePattern: Sendable, Equatable {
    /// The standard's default: RFC 3339 / ISO 8601 extended.
    case iso
    /// A `strptime` pattern of the declared kind, such as `%d/%m/%Y`.
    case pattern(String)
    /// The default, or a form that nobody can misread: months by name, hours with am or pm. Day and month are never guessed.
    case any
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
    /// What tells rows apart: nothing is compared.
    case key
}

/// What the modified z-score does with a numeric column (`sluice: anomaly:`).
package struct AnomalyRule: Sendable, Equatable {
    /// The threshold of |M|; nil means `auto`.
    package var threshold: Double?
    /// `none`, `log1p`, or nil for the choice by skew.
    package var transform: String?
    /// `single`, `double`, or nil for the choice by skew.
    package var tails: String?
    /// What a row beyond the threshold becomes; beyond twice the threshold at least `quarantined`.
    package var action: Outcome = .flagged
    /// False when the column is not to be screened.
    package var enabled = true

    /// A rule with the defaults.
    package init() {}
}

/// How a column is compared with its baseline (`sluice: drift:`).
package struct DriftRule: Sendable, Equatable {
    /// False when it is not to be compared.
    package var enabled = true
    /// From here on a batch is flagged, and held; nil for the metric's own.
    package var warn: Double?, fail: Double?

    /// A rule with the defaults.
    package init() {}
}

/// What is done about marks of poison (`sluice: poisoning:`).
package struct PoisonRule: Sendable, Equatable {
    /// Whether it is looked for.
    package var enabled = true
    /// What it does to a row.
    package var action = Outcome.quarantined

    /// A rule with the defaults.
    package init() {}
}

/// Marks of poison that are looked for (`sluice: poisoning:`).
package struct PoisoningRules: Sendable, Equatable {
    /// Copies and near copies.
    package var duplicates = PoisonRule()
    /// Labels that do not fit.
    package var labelFlip = PoisonRule()
    /// What stands beside one label.
    package var triggers = PoisonRule()
    /// Whether rows that repeat what earlier batches brought are copies too: not where every file is the whole table again.
    package var acrossBatches = true
    /// What several sources say of the same thing.
    package var crossVerify: CrossRule?

    /// Rules with the defaults.
    package init() {}
}

/// What batches of one kind have in common, so that they are compared with each other (`sluice: baseline: season:`).
package enum Season: String, Sendable, CaseIterable {
    /// The weekday, or the hour of the day, of most rows' event time.
    case weekday, hour

    /// How many accepted batches are looked at where the contract does not say: six weeks, or four days.
    var batches: Int { self == .weekday ? 42 : 96 }
}

/// What batches are compared with (`sluice: baseline:`).
package struct BaselineRules: Sendable, Equatable {
    /// Accepted batches after which a difference from them holds a batch; before that it is remarked on.
    package var learning = 8
    /// How many accepted batches, and how many of their rows, are looked at; the larger of the two.
    package var batches = 20, rows = 20_000
    /// Whether a batch may be compared with those of its weekday or hour alone.
    package var season: Season?

    /// The defaults.
    package init() {}
}

/// How what several sources say of the same key is compared (`sluice: poisoning: crossVerify:`).
package struct CrossRule: Sendable, Equatable {
    /// A field that sources must agree on.
    package struct Compared: Sendable, Equatable {
        /// The field's name.
        package var name: String
        /// How far apart numbers may be, as a share of the larger one.
        package var tolerance = 0.0
        /// How far apart times may be, in seconds.
        package var skew = 0.0
    }

    /// Names of the fields that say what a row is about.
    package var key: [String]
    /// The fields that are compared.
    package var fields: [Compared]
    /// Fewer sources than this are not compared.
    package var minSources = 2
    /// What a value that is not confirmed does to its row.
    package var action = Outcome.quarantined
}

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
    /// What personal data does that the contract does not speak of; nil for what the contract says in general.
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

/// Where the rows are that a foreign key refers to.
package enum ReferenceSource: Sendable, Hashable {
    /// The rows of the same file.
    case itself
    /// A file, by its path; a relative one is the contract's neighbour.
    case file(String)
    /// What a dataset of the store has accepted.
    case dataset(String)
}

/// Values that must stand in rows somewhere else.
package struct ForeignKey: Sendable, Hashable {
    /// The fields here.
    package var fields: [String]
    /// The fields there, as many.
    package var reference: [String]
    /// The standard's name of the place: a resource; empty for the file itself.
    package var resource: String
    /// The place.
    package var source: ReferenceSource

    /// What reports call it.
    package var name: String {
        let place = resource.isEmpty ? "" : resource + "."
        return "\(fields.joined(separator: "+")) → \(place)\(reference.joined(separator: "+"))"
    }
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

/// Settings of the isolation forest (`sluice: isolationForest:`).
package struct ForestRule: Sendable, Equatable {
    /// Whether the forest is used.
    package var enabled = true
    /// The fields used; empty means every numeric field that is no key, label or personal data.
    package var fields: [String] = []
    /// Trees, 1 to 1000.
    package var trees = 100
    /// Rows drawn for each tree, 2 to 256.
    package var sampleSize = 256
    /// Features a split combines: 1 is the classical forest, 3 the extended one.
    package var dimensions = 3
    /// Quantile of held-out scores beyond which a row is flagged.
    package var flagQuantile = 0.99
    /// Quantile beyond which a row is quarantined, when there is a baseline.
    package var quarantineQuantile = 0.999
    /// The strictest outcome the forest may give.
    package var action: Outcome = .quarantined

    /// A rule with the defaults.
    package init() {}
}

/// Limits of a whole batch (`sluice: batch:`).
package struct BatchRule: Sendable, Equatable {
    /// Fewest rows.
    package var minRows = 0
    /// Largest share of rejected rows, 0 to 1.
    package var maxRejectedRate = 0.01
    /// Largest number of rejected rows; nil for no limit but the rate.
    package var maxRejected: Int?
    /// What becomes of rejected rows.
    package var rejectedRows = RejectedRows.quarantine
    /// Largest share of quarantined rows, 0 to 1.
    package var maxQuarantinedRate = 0.05
    /// What becomes of a row that is another one again, value by value; nil where they are only counted.
    package var duplicateRows: DuplicateRows?

    /// A rule with the defaults.
    package init() {}
}

/// What becomes of rows that stand in the file before (`sluice: batch: duplicateRows:`).
package enum DuplicateRows: String, Sendable, CaseIterable {
    /// They are flagged.
    case flag
    /// They are kept back.
    case quarantine

    /// What it makes of a row.
    package var outcome: Outcome { self == .flag ? .flagged : .quarantined }
}

/// What becomes of rejected rows (`sluice: batch: rejectedRows:`).
package enum RejectedRows: String, Sendable, CaseIterable {
    /// One of them holds the whole batch.
    case fail
    /// They are sealed raw, with their findings.
    case quarantine
    /// Their findings, number and place are sealed, they themselves are not kept.
    case skip
}

/// Limits of a row (`sluice: limits:`).
package struct RowLimits: Sendable, Equatable {
    /// Bytes of one row.
    package var maxRowBytes = 1_048_576
    /// Bytes of one value.
    package var maxCellBytes = 65_536
    /// Columns of one row.
    package var maxFields = 4096
    /// Depth of nested JSON.
    package var maxDepth = 64
    /// How many times its size a compressed file may have.
    package var maxDecompressionRatio = 100
    /// Bytes that a compressed file may have.
    package var maxDecompressedBytes = 10 << 30

    /// The default limits.
    package init() {}
}

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
    /// What every row keeps besides.
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
    /// What text that people do not see as machines do does to a row; accepted means that it is not looked for.
    package var hiddenText = Outcome.flagged
    /// What a credential in a text does to a row; accepted means that none is looked for.
    package var secrets = Outcome.rejected
    /// What personal data does that the contract does not speak of.
    package var undeclaredPII = UndeclaredPII.mask
    /// What holds for personal data in all fields.
    package var personalData = PersonalDataRules()
    /// Rows that are alike in all quasi-identifiers should be at least so many (`privacy.kAnonymity.k`): reported, not enforced.
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
    /// Whether it was inferred from the very data it judges.
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
