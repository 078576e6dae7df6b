import Recognition
import Tabular

extension SettingGroup {
    /// `sluice:` of a field.
    package static let field = SettingGroup([
        Setting("role", .words(FieldRole.allCases.map(\.rawValue)), default: "none", "what the column is to the gate"),
        Setting(
            "column", .whole(1...65_536), default: "the column of its name",
            "CSV: the position of the column, whatever its label"),
        Setting(
            "path", .text("a JSON Pointer of at most 1024 bytes"), default: "the member of its name",
            "JSON: the place of a nested member, such as `/address/city`"),
        Setting("pii", .mapping(.fieldPII), "personal data that the column holds"),
        Setting(
            "form", .words(["measure", "code", "key", "category"]), default: "by its values",
            "what the column is to statistics: numbers are `measure`, `code` or `key`, others `category` or `key`"),
        Setting("anomaly", .mapping(.anomaly), "outliers of a numeric column"),
        Setting("drift", .mapping(.drift), "the comparison of the column with earlier batches"),
        Setting(
            "hiddenText", .wordsOrMapping(outcomes, .hiddenText), default: "the contract's",
            "the contract's key of this name, for this field"),
        Setting(
            "secrets", .wordsOrMapping(outcomes, .secrets), default: "the contract's",
            "the contract's key of this name, for this field"),
        Setting(
            "undeclaredPii", .words(UndeclaredPII.allCases.map(\.rawValue)), default: "the contract's",
            "the contract's key of this name, for this field"),
        Setting(
            "jsonSchema", .foreign("JSON Schema 2020-12"), default: "none",
            "the constraint of this name, for tools that refuse it at the standard's place"),
        Setting("encryption", .refused, ofOneField),
        Setting("encrypt", .refused, ofOneField),
        Setting("baseline", .unenforced, "`sluice.baseline` of the contract holds for every field"),
        Setting(
            "privacy", .refused,
            "remove it; `sluice.privacy.kAnonymity` measures the fields with `role: quasi-identifier`, and `pii` masks them"
        ),
    ])

    /// The encryption of one field.
    private static let ofOneField =
        "shards are always sealed as a whole; to encrypt a field's values, write `pii: { entity: …, operator: encrypt, key: NAME }`"

    /// The keys of `pii:` that every operator has.
    private static let pii = [
        Setting("entity", .text("an entity's name"), "the whole column is this entity; give this or `scan`"),
        Setting("scan", .flag, default: "false", "free text is searched for entities"),
        Setting(
            "entities", .list("entities"), default: "all but DATE_TIME and URL", "with `scan`: what is looked for"),
        Setting(
            "dictionary", .text("a path of at most 4096 bytes"), default: "none",
            "with `scan`: a file of names, one a line"),
        Setting(
            "dictionaryEntity", .words(Entities.listed), default: "`PERSON`", "what the names of the dictionary are"),
        Setting(
            "operator", .words(MaskOperator.allCases.map(\.rawValue)), default: "`replace`",
            "what is written in its place"),
        Setting(
            "validate", .words(["luhn", "mod97"]), default: "none",
            "refused: every value of the column is masked, whether its checksum holds or not"),
    ]

    /// The keys of `pii:` that belong to some operators.
    private static let operatorKeys = [
        Setting(
            "replacement", .text("at most 256 bytes"), default: "`<ENTITY>`", "`replace`: the text that is written"),
        Setting(
            "maskChar", .text("one visible character"), default: "`*`", "`mask`: the character that overwrites others"),
        Setting(
            "keepFirst", .whole(0...10_000), default: "0",
            "`mask`, `truncate`: characters kept at the front; `truncate` needs at least 1"),
        Setting("keepLast", .whole(0...10_000), default: "0", "`mask`: characters kept at the end"),
        Setting("keepFormat", .flag, default: "false", "`mask`: only letters and digits are overwritten"),
        Setting(
            "key", .text("1 to 64 letters, digits, - and _"), default: "required",
            "`tokenize`, `encrypt`, `date-shift`: the name of a token key of the store"),
        Setting(
            "prefix", .text("at most 64 bytes"), default: "empty", "`tokenize`, `encrypt`: a text before the new value"),
        Setting(
            "mode", .words(["deterministic", "random"]), default: "`deterministic`",
            "`encrypt`: whether equal values stay equal"),
        Setting("perSubject", .flag, default: "false", "`encrypt`: each subject has a key of its own"),
        Setting(
            "maxDays", .whole(1...36_500), default: "\(PIIRule().maxDays)",
            "`date-shift`: most days in either direction"),
        Setting(
            "to", .words(PIIRule.Part.allCases.map(\.rawValue)), default: "required, or `bucket`",
            "`generalize`: the part of the value that is kept"),
        Setting(
            "bucket", .number(1e-9...1e15), default: "required, or `to`",
            "`generalize`: the width of the buckets of a number"),
        Setting(
            "normalize", .flag, default: "false",
            "`tokenize`, `encrypt`: values are brought into one spelling first, so that spellings of one address join"),
        Setting(
            "country", .text("two capitals of ISO 3166"), default: "none",
            "with `normalize`: the country of telephone numbers without a calling code"),
    ]

    /// `pii:` of a field.
    static let fieldPII = SettingGroup(pii + operatorKeys)

    /// `pii:` of a field under one operator.
    static func fieldPII(_ operation: MaskOperator) -> SettingGroup {
        let own: [String] =
            switch operation {
            case .redact, .drop, .suppress: []
            case .replace: ["replacement"]
            case .encrypt: ["key", "prefix", "mode", "perSubject", "normalize", "country"]
            case .dateShift: ["key", "maxDays"]
            case .generalize: ["to", "bucket"]
            case .mask: ["maskChar", "keepFirst", "keepLast", "keepFormat"]
            case .truncate: ["keepFirst"]
            case .tokenize: ["key", "prefix", "normalize", "country"]
            }
        return SettingGroup(pii + own.compactMap { name in operatorKeys.first { $0.key == name } })
    }

    /// `anomaly:`.
    static let anomaly = SettingGroup([
        Setting(
            "threshold", .numberOr("auto", 0.1...1e6), default: "`auto`",
            "the largest modified z-score that is not flagged"),
        Setting(
            "transform", .words(["none", "log1p", "auto"]), default: "`auto`",
            "what is done to values before they are judged"),
        Setting(
            "tails", .words(["single", "double", "auto"]), default: "`auto`",
            "whether both sides of the median are measured alike"),
        Setting(
            "action", .words(["flag", "quarantine"]), default: "`flag`",
            "what is done about an outlier; beyond twice the threshold it is quarantined at least"),
        Setting("enabled", .flag, default: "true", "false ends all statistics on single values of this column"),
        Setting("method", .words(["modified-z"]), default: "`modified-z`", "the statistic"),
    ])

    /// `drift:`.
    static let drift = SettingGroup([
        Setting(
            "metric", .words(["psi", "linf"]), default: "by type", "the distance: `psi` for numbers, `linf` for others"),
        Setting("bins", .whole(10...10), default: "10", "bins of the distance"),
        Setting(
            "warn", .number(0...100), default: "learned",
            "the difference from accepted rows at which a batch is flagged"),
        Setting(
            "fail", .number(0...100), default: "learned", "the difference from accepted rows at which a batch is held"),
        Setting("enabled", .flag, default: "true", "false ends the comparison of the field"),
    ])
}
