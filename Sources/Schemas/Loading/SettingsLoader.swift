import Tabular

extension SchemaLoader {
    /// Reads `sluice:` of the contract.
    mutating func loadSettings(_ cursor: Cursor, into schema: inout Schema) throws(SchemaError) {
        let settings = try SettingReader(cursor, .contract)
        try checkEffects(of: settings)
        if let version = settings["apiVersion"], try version.text() != "sluice/v1" {
            throw version.error(.unsupported, "this version reads apiVersion sluice/v1; use that, or a newer sluice")
        }
        schema.unknownFields = try settings.choice("unknownFields", UnknownFields.self) ?? schema.unknownFields
        try loadColumns(settings, into: &schema)
        if let dialect = settings["dialect"] {
            let loaded = try loadDialect(dialect)
            var seen: [String: String] = [:]
            for field in schema.fields where !loaded.caseSensitiveHeader {
                if let other = seen.updateValue(field.name, forKey: field.name.lowercased()) {
                    throw dialect.error(
                        .inconsistent,
                        "fields \(quoted(other)) and \(quoted(field.name)) are one column when caseSensitiveHeader is false"
                    )
                }
            }
            schema.dialect = loaded
        }
        if let name = settings["encoding"] {
            guard let encoding = TextEncoding(name: try name.text()) else {
                throw name.error(
                    .unsupported,
                    "this version reads \(TextEncoding.allCases.map(\.rawValue).joined(separator: ", ")); convert the files, or "
                        + "name one of these")
            }
            schema.encoding = encoding
        }
        schema.jsonStrings = try settings.choice("jsonStrings", JSONStrings.self) ?? schema.jsonStrings
        if let rule = settings["hiddenText"] { schema.hiddenText = try loadHiddenText(rule) }
        if let rule = settings["secrets"] { schema.secrets = try loadSecrets(rule) }
        schema.undeclaredPII =
            try settings.choice("undeclaredPii", UndeclaredPII.self, what: "policy") ?? schema.undeclaredPII
        if let rules = settings["pii"] { schema.personalData = try loadPersonalData(rules, schema.fields) }
        if let privacy = settings["privacy"] { schema.minimumClass = try loadPrivacy(privacy) }
        if let rules = settings["rules"] { schema.rules = try loadRules(rules, schema.fields) }
        if let limits = settings["limits"] { schema.limits = try loadLimits(limits) }
        if let batch = settings["batch"] { schema.batch = try loadBatch(batch) }
        if let baseline = settings["baseline"] { schema.baseline = try loadBaseline(baseline, schema.fields) }
        if let poisoning = settings["poisoning"] { schema.poisoning = try loadPoisoning(poisoning, schema.fields) }
        if let forest = settings["isolationForest"] { schema.forest = try loadForest(forest, schema.fields) }
    }

    /// Reads `limits:`.
    private func loadLimits(_ cursor: Cursor) throws(SchemaError) -> RowLimits {
        let settings = try SettingReader(cursor, .limits)
        var limits = RowLimits()
        limits.maxRowBytes = try settings.whole("maxRowBytes") ?? limits.maxRowBytes
        limits.maxCellBytes = try settings.whole("maxCellBytes") ?? limits.maxCellBytes
        limits.maxFields = try settings.whole("maxFields") ?? limits.maxFields
        limits.maxDepth = try settings.whole("maxDepth") ?? limits.maxDepth
        limits.maxDecompressionRatio = try settings.whole("maxDecompressionRatio") ?? limits.maxDecompressionRatio
        limits.maxDecompressedBytes = try settings.whole("maxDecompressedBytes") ?? limits.maxDecompressedBytes
        return limits
    }

    /// Reads `batch:`.
    private func loadBatch(_ cursor: Cursor) throws(SchemaError) -> BatchRule {
        let settings = try SettingReader(cursor, .batch)
        var rule = BatchRule()
        rule.minRows = try settings.whole("minRows") ?? rule.minRows
        rule.maxRejected = try settings.whole("maxRejected")
        rule.rejectedRows = try settings.choice("rejectedRows", RejectedRows.self) ?? rule.rejectedRows
        rule.duplicateRows = try settings.choice("duplicateRows", DuplicateRows.self)
        rule.maxRejectedRate = try settings.number("maxRejectedRate") ?? rule.maxRejectedRate
        rule.maxQuarantinedRate = try settings.number("maxQuarantinedRate") ?? rule.maxQuarantinedRate
        rule.onExceed = try settings.choice("onExceed", OnExceed.self) ?? rule.onExceed
        return rule
    }
}
