import Recognition
import Tabular

extension SettingGroup {
    /// `sluice:` of a contract.
    package static let contract = SettingGroup([
        Setting("apiVersion", .text("`sluice/v1`"), default: "`sluice/v1`", "the version of these keys"),
        Setting(
            "unknownFields", .words(UnknownFields.allCases.map(\.rawValue)), default: "`reject`",
            "what is done about columns and members that the contract does not name"),
        Setting(
            "dropColumns", .list("column positions, from 1 to 65,536"), default: "none",
            "CSV columns that are read and left out"),
        Setting(
            "trailingDelimiter", .flag, default: "false",
            "CSV rows end with a delimiter, so that the last column has neither label nor values"),
        Setting(
            "trimLabels", .flag, default: "false",
            "spaces around CSV labels do not count, and a run of them inside counts as one"),
        Setting(
            "dialect", .mapping(.dialect), default: "RFC 4180 with header",
            "how the file is written: a Table Dialect v2"),
        Setting(
            "encoding", .text(TextEncoding.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", ")),
            default: "`utf-8`",
            "the encoding of the text"),
        Setting(
            "hiddenText", .wordsOrMapping(outcomes, .hiddenText), default: "`flag`",
            "what is done about a row with zero-width and direction characters, tags, look-alike letters or text not in NFC"
        ),
        Setting(
            "secrets", .wordsOrMapping(outcomes, .secrets), default: "`reject`",
            "what is done about a row with a credential; a value beside a word such as password is only flagged"),
        Setting(
            "undeclaredPii", .words(UndeclaredPII.allCases.map(\.rawValue)), default: "`mask`",
            "what is done about personal data that no `pii` declares; with `mask` the row is flagged too"),
        Setting("limits", .mapping(.limits), "limits of rows and files"),
        Setting("isolationForest", .mapping(.isolationForest), "the search for unusual combinations of values"),
        Setting("batch", .mapping(.batch), "limits of a whole batch"),
        Setting("baseline", .mapping(.baseline), "the comparison with earlier batches"),
        Setting("poisoning", .mapping(.poisoning), "the tests for poisoning"),
        Setting("rules", .mappings(.rule, or: "expressions"), default: "none", "row rules, at most 256"),
        Setting(
            "references", .named("resource", .reference), default: "not looked up",
            "where the resources of foreign keys are"),
        Setting("jsonSchema", .mapping(.jsonSchema), "how JSON Schemas of the contract are read"),
        Setting("privacy", .mapping(.privacy), "what is reported about how well rows hide"),
        Setting("pii", .mapping(.personalData), "personal data in all fields"),
        Setting(
            "jsonStrings", .words(JSONStrings.allCases.map(\.rawValue)), default: "`reject`",
            "what a JSON string is where a number, truth value, object or list is declared"),
        Setting("encryption", .refused, "shards are always sealed, for the recipients in `sluice.yaml`; remove it"),
        Setting("encrypt", .refused, "shards are always sealed, for the recipients in `sluice.yaml`; remove it"),
    ])

    /// What may happen to a row that is found.
    static let outcomes = ["allow", "flag", "quarantine", "reject"]

    /// `hiddenText:` as a mapping.
    static let hiddenText = SettingGroup([
        Setting("action", .words(outcomes), default: "required", "what is done about the row")
    ])

    /// `secrets:` as a mapping.
    static let secrets = SettingGroup([
        Setting("scan", .flag, default: "true", "false ends the search"),
        Setting("action", .words(outcomes), default: "`reject`", "what is done about the row"),
    ])

    /// `limits:`.
    static let limits = SettingGroup([
        Setting("maxRowBytes", .whole(1...16_777_216), default: "\(RowLimits().maxRowBytes)", "most bytes of one row"),
        Setting(
            "maxCellBytes", .whole(1...16_777_216), default: "\(RowLimits().maxCellBytes)", "most bytes of one value"),
        Setting("maxFields", .whole(1...16_384), default: "\(RowLimits().maxFields)", "most columns"),
        Setting("maxDepth", .whole(1...512), default: "\(RowLimits().maxDepth)", "deepest nesting of JSON"),
        Setting(
            "maxDecompressionRatio", .whole(1...1_000_000), default: "\(RowLimits().maxDecompressionRatio)",
            "largest ratio of decompressed to compressed size"),
        Setting(
            "maxDecompressedBytes", .whole(1...1 << 50), default: "\(RowLimits().maxDecompressedBytes)",
            "most bytes after decompression"),
    ])

    /// `batch:`.
    static let batch = SettingGroup([
        Setting("minRows", .whole(0...Int(Int32.max)), default: "\(BatchRule().minRows)", "fewest rows"),
        Setting(
            "maxRejectedRate", .number(0...1), default: "\(BatchRule().maxRejectedRate)",
            "largest share of rejected rows"),
        Setting(
            "maxRejected", .whole(0...1 << 50), default: "none", "largest number of rejected rows, beside the rate"),
        Setting(
            "rejectedRows", .words(RejectedRows.allCases.map(\.rawValue)), default: "`quarantine`",
            "what is done with rejected rows: `quarantine` seals them raw with their findings, `skip` seals findings and place only, "
                + "`fail` holds the batch for a single one"),
        Setting(
            "duplicateRows", .words(DuplicateRows.allCases.map(\.rawValue)),
            default: "counted in the sample and reported",
            "what is done about rows whose every value stands in an earlier row"),
        Setting(
            "maxQuarantinedRate", .number(0...1), default: "\(BatchRule().maxQuarantinedRate)",
            "largest share of quarantined rows"),
        Setting(
            "onExceed", .words(OnExceed.allCases.map(\.rawValue)), default: "`quarantine`",
            "a batch that exceeds a limit is held; with `reject` it is rejected, and nobody can release it"),
    ])

    /// An element of `rules:`.
    static let rule = SettingGroup([
        Setting("name", .text("1 to 128 bytes"), default: "the beginning of the rule", "its name in reports"),
        Setting("rule", .text("an expression"), default: "required", "the condition that every row must meet"),
        Setting(
            "action", .words(["flag", "quarantine", "reject"]), default: "`reject`",
            "what is done about a row that breaks it"),
        Setting("description", .ignored, "for people"),
    ])

    /// A member of `references:`.
    static let reference = SettingGroup([
        Setting("file", .text("a path beside the contract"), "a file with the rows that may be referred to"),
        Setting("dataset", .text("a dataset of the store"), "the accepted rows of a dataset, in place of a file"),
    ])

    /// `jsonSchema:`.
    static let jsonSchema = SettingGroup([
        Setting(
            "format", .words(["annotation", "assertion"]), default: "`annotation`",
            "whether the keyword `format` is a note or a rule"),
        Setting(
            "documents", .table("identifier: file; at most 64"), default: "none",
            "the files that references may lead to; they become a part of the contract"),
    ])

    /// `privacy:`.
    static let privacy = SettingGroup([
        Setting("kAnonymity", .mapping(.anonymity), "the smallest class of equal quasi-identifiers")
    ])

    /// `kAnonymity:`.
    static let anonymity = SettingGroup([
        Setting("k", .whole(2...1_000_000), default: "5", "the wanted class size; reported, not enforced"),
        Setting(
            "action", .words(["report", "suppress"]), default: "`report`",
            "`suppress` is refused, since small classes would leave the gate"),
    ])

    /// `pii:` of the contract.
    static let personalData = SettingGroup([
        Setting(
            "thresholds", .table("entity: score from 0.01 to 1"),
            default: "0.6; 0.4 where a context word is required anyway",
            "the score at which a match counts, in declared and undeclared fields"),
        Setting(
            "spans", .text("at most 256 bytes, the name of no field"), default: "none",
            "the name of a new shard column that lists what was masked in the row"),
    ])
}
