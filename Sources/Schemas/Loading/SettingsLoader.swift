import Tabular

extension SchemaLoader {
    /// Reads `sluice:` of the contract.
    mutating func loadSettings(_ cursor: Cursor, into schema: inout Schema) throws(SchemaError) {
        let known = [
            "apiVersion", "unknownFields", "dropColumns", "trailingDelimiter", "trimLabels", "dialect", "encoding",
            "hiddenText", "secrets", "undeclaredPii", "limits",
            "isolationForest",
            "batch", "baseline", "poisoning", "rules", "references", "jsonSchema", "privacy", "pii", "jsonStrings",
        ]
        try cursor.refuseKeys(besides: known + Self.encryptionKeys)
        try checkEncryption(
            cursor,
            "shards are always sealed, for the recipients in sluice.yaml, which also names their keys; remove it")
        if let version = cursor["apiVersion"], try version.text() != "sluice/v1" {
            throw version.error(.unsupported, "this version reads apiVersion sluice/v1; use that, or a newer sluice")
        }
        if let word = cursor["unknownFields"] { schema.unknownFields = try word.choice(UnknownFields.self) }
        try loadColumns(cursor, into: &schema)
        if let dialect = cursor["dialect"] {
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
        if let name = cursor["encoding"] {
            guard let encoding = TextEncoding(name: try name.text()) else {
                throw name.error(
                    .unsupported,
                    "this version reads \(TextEncoding.allCases.map(\.rawValue).joined(separator: ", ")); convert the files, or "
                        + "name one of these")
            }
            schema.encoding = encoding
        }
        if let word = cursor["jsonStrings"] { schema.jsonStrings = try word.choice(JSONStrings.self) }
        if let rule = cursor["hiddenText"] { schema.hiddenText = try loadHiddenText(rule) }
        if let rule = cursor["secrets"] { schema.secrets = try loadSecrets(rule) }
        if let policy = cursor["undeclaredPii"] {
            schema.undeclaredPII = try policy.choice(UndeclaredPII.self, what: "policy")
        }
        if let rules = cursor["pii"] { schema.personalData = try loadPersonalData(rules, schema.fields) }
        if let privacy = cursor["privacy"] { schema.minimumClass = try loadPrivacy(privacy) }
        if let rules = cursor["rules"] { schema.rules = try loadRules(rules, schema.fields) }
        if let limits = cursor["limits"] { schema.limits = try loadLimits(limits) }
        if let batch = cursor["batch"] { schema.batch = try loadBatch(batch) }
        if let baseline = cursor["baseline"] { schema.baseline = try loadBaseline(baseline, schema.fields) }
        if let poisoning = cursor["poisoning"] { schema.poisoning = try loadPoisoning(poisoning, schema.fields) }
        if let forest = cursor["isolationForest"] { schema.forest = try loadForest(forest, schema.fields) }
    }

    /// Reads `limits:`.
    private func loadLimits(_ cursor: Cursor) throws(SchemaError) -> RowLimits {
        try cursor.refuseKeys(besides: [
            "maxRowBytes", "maxCellBytes", "maxFields", "maxDepth", "maxDecompressionRatio", "maxDecompressedBytes",
        ])
        var limits = RowLimits()
        limits.maxRowBytes = try cursor["maxRowBytes"]?.whole(in: 1...16_777_216) ?? limits.maxRowBytes
        limits.maxCellBytes = try cursor["maxCellBytes"]?.whole(in: 1...16_777_216) ?? limits.maxCellBytes
        limits.maxFields = try cursor["maxFields"]?.whole(in: 1...16_384) ?? limits.maxFields
        limits.maxDepth = try cursor["maxDepth"]?.whole(in: 1...512) ?? limits.maxDepth
        limits.maxDecompressionRatio =
            try cursor["maxDecompressionRatio"]?.whole(in: 1...1_000_000) ?? limits.maxDecompressionRatio
        limits.maxDecompressedBytes =
            try cursor["maxDecompressedBytes"]?.whole(in: 1...1 << 50) ?? limits.maxDecompressedBytes
        return limits
    }

    /// Reads `batch:`.
    private func loadBatch(_ cursor: Cursor) throws(SchemaError) -> BatchRule {
        try cursor.refuseKeys(
            besides: [
                "minRows", "maxRejectedRate", "maxRejected", "rejectedRows", "duplicateRows", "maxQuarantinedRate",
                "onExceed",
            ])
        var rule = BatchRule()
        rule.minRows = try cursor["minRows"]?.whole(in: 0...Int(Int32.max)) ?? rule.minRows
        rule.maxRejected = try cursor["maxRejected"]?.whole(in: 0...1 << 50)
        rule.rejectedRows = try cursor["rejectedRows"]?.choice(RejectedRows.self) ?? rule.rejectedRows
        rule.duplicateRows = try cursor["duplicateRows"]?.choice(DuplicateRows.self)
        rule.maxRejectedRate = try cursor["maxRejectedRate"]?.number(in: 0...1) ?? rule.maxRejectedRate
        rule.maxQuarantinedRate = try cursor["maxQuarantinedRate"]?.number(in: 0...1) ?? rule.maxQuarantinedRate
        rule.onExceed = try cursor["onExceed"]?.choice(OnExceed.self) ?? rule.onExceed
        return rule
    }
}
