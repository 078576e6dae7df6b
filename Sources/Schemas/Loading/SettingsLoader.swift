import Recognition
import Tabular

/// The personal-data entities a contract may name: Presidio's vocabulary.
package enum Entities {
    /// Names that may be declared for a whole column: what can be found, and what only people can tell.
    package static let known = Entity.allCases.map(\.name) + ["AGE", "ID"]
    /// Names that can be looked for in free text.
    package static let scanned = Entity.allCases.filter { !$0.isListed }.map(\.name)
    /// Names of what only a list of names finds.
    static let listed = Entity.allCases.filter(\.isListed).map(\.name)
}

extension SchemaLoader {
    private static let unenforcedSettings = ["encryption", "encrypt"]

    /// `sluice:` of a field.
    mutating func loadFieldSettings(_ cursor: Cursor, into field: inout Field) throws(SchemaError) {
        try cursor.refuseKeys(
            besides: [
                "role", "column", "path", "pii", "form", "anomaly", "drift", "hiddenText", "secrets", "undeclaredPii",
                "jsonSchema",
            ]
                + Self.unenforcedSettings + ["baseline", "privacy"])
        try warnAboutKeys(
            of: cursor,
            known: [
                "role", "column", "path", "pii", "form", "anomaly", "drift", "hiddenText", "secrets", "undeclaredPii",
                "jsonSchema",
            ],
            unenforced: Self.unenforcedSettings + ["baseline", "privacy"])
        field.role = try cursor["role"]?.choice(FieldRole.self, what: "role")
        field.column = try cursor["column"]?.whole(in: 1...65_536)
        if let path = cursor["path"] { field.path = try loadPath(path) }
        if let rule = cursor["hiddenText"] { field.hiddenText = try loadHiddenText(rule) }
        if let rule = cursor["secrets"] { field.secrets = try loadSecrets(rule) }
        field.undeclaredPII = try cursor["undeclaredPii"]?.choice(UndeclaredPII.self, what: "policy")
        // Beside the standard's place for it, which the reference library of Table Schema does not read.
        if let schema = cursor["jsonSchema"] {
            guard field.type == .object || field.type == .array, field.constraints.jsonSchema == nil else {
                throw schema.error(
                    .inconsistent, "jsonSchema is for fields of type object and array, and is written once", atKey: true
                )
            }
            field.constraints.jsonSchema = try schema.jsonSchema(surroundings)
        }
        if let pii = cursor["pii"] { field.pii = try loadPII(pii, field) }
        if let form = cursor["form"] {
            let own: [DeclaredForm] = field.isNumeric ? [.measure, .code, .key] : [.category, .key]
            field.form = DeclaredForm(rawValue: try form.word(of: own.map(\.rawValue), what: "form"))
        }
        if let anomaly = cursor["anomaly"] {
            guard field.isNumeric else {
                throw anomaly.error(
                    .inconsistent,
                    "anomaly needs type integer or number and \(quoted(field.name)) is \(field.type.name); remove it",
                    atKey: true)
            }
            field.anomaly = try loadAnomaly(anomaly)
        }
        if let drift = cursor["drift"] { field.drift = try loadDrift(drift, field) }
    }

    private mutating func loadPII(_ cursor: Cursor, _ field: Field) throws(SchemaError) -> PIIRule {
        guard cursor.value.members != nil else { throw cursor.wrongKind("a mapping with entity: or scan:") }
        var rule = PIIRule()
        // The operator first: the keys that belong to an operator of the future are not the mistake.
        if let word = cursor["operator"] { rule.operation = try loadOperator(word) }
        let own: [String] =
            switch rule.operation {
            case .redact, .drop, .suppress: []
            case .replace: ["replacement"]
            case .encrypt: ["key", "prefix", "mode", "perSubject", "normalize", "country"]
            case .dateShift: ["key", "maxDays"]
            case .generalize: ["to", "bucket"]
            case .mask: ["maskChar", "keepFirst", "keepLast", "keepFormat"]
            case .truncate: ["keepFirst"]
            case .tokenize: ["key", "prefix", "normalize", "country"]
            }
        let common = ["entity", "scan", "entities", "dictionary", "dictionaryEntity", "operator", "validate"]
        let all = [
            "replacement", "maskChar", "keepFirst", "keepLast", "keepFormat", "key", "prefix", "mode", "perSubject",
            "maxDays", "to", "bucket", "normalize", "country",
        ]
        for key in all where !own.contains(key) {
            guard let stray = cursor[key] else { continue }
            throw stray.error(
                .inconsistent, "\(key) does not belong to operator \(rule.operation.rawValue); remove it", atKey: true)
        }
        try cursor.refuseKeys(besides: common + own)
        try loadEntities(cursor, into: &rule)
        rule.replacement = try cursor["replacement"].map { (text) throws(SchemaError) in try short(text, 256) }
        if let character = cursor["maskChar"] {
            rule.maskCharacter = try character.text()
            guard rule.maskCharacter.unicodeScalars.count == 1,
                rule.maskCharacter.unicodeScalars.allSatisfy({ $0.value > 0x20 && !(0x7F...0x9F).contains($0.value) })
            else {
                throw character.error(.outOfRange, "maskChar is one visible character")
            }
        }
        rule.keepFirst = try cursor["keepFirst"]?.whole(in: 0...10_000) ?? 0
        rule.keepLast = try cursor["keepLast"]?.whole(in: 0...10_000) ?? 0
        rule.key = try cursor["key"].map { (name) throws(SchemaError) in try keyName(name) }
        rule.prefix = try cursor["prefix"].map { (text) throws(SchemaError) in try short(text, 64) } ?? ""
        if [.tokenize, .encrypt, .dateShift].contains(rule.operation), rule.key == nil {
            throw cursor.error(
                .missing, "operator \(rule.operation.rawValue) needs key: with the name of a token key", atKey: true)
        }
        rule.keepsFormat = try cursor["keepFormat"]?.flag() ?? false
        rule.isRandom = try cursor["mode"]?.word(of: ["deterministic", "random"], what: "mode") == "random"
        rule.isPerSubject = try cursor["perSubject"]?.flag() ?? false
        try loadNormalisation(cursor, into: &rule)
        rule.maxDays = try cursor["maxDays"]?.whole(in: 1...36_500) ?? 90
        try loadCoarse(cursor, field, into: &rule)
        if rule.operation == .truncate, rule.keepFirst == 0 {
            throw cursor.error(.missing, "operator truncate needs keepFirst: of 1 or more; use redact to keep nothing")
        }
        if let check = cursor["validate"] {
            _ = try check.word(of: ["luhn", "mod97"], what: "check")
            warnings.append(
                check.warning("validate is not enforced by this version: every value of the column is masked"))
        }
        return rule
    }

    /// Whether values are brought into one spelling before they are made tokens.
    private mutating func loadNormalisation(_ cursor: Cursor, into rule: inout PIIRule) throws(SchemaError) {
        rule.normalizes = try cursor["normalize"]?.flag() ?? false
        if let country = cursor["country"] {
            let name = try country.text()
            guard PhonePlan.knows(name) else {
                throw country.error(
                    .outOfRange,
                    "no numbering plan of this country is known; give its two capitals (ISO 3166), such as DE")
            }
            guard rule.normalizes else {
                throw country.error(.inconsistent, "country says how numbers are normalised; add normalize: true")
            }
            rule.country = name
        }
        let isSpelled = rule.scan || rule.entity == Entity.emailAddress.name || rule.entity == Entity.phoneNumber.name
        if rule.operation == .tokenize, isSpelled, cursor["normalize"] == nil {
            warnings.append(
                cursor.warning(
                    "tokens of other spellings of the same address or number do not join: add normalize: true, or normalize: false where "
                        + "earlier tokens must stay as they are"))
        }
    }

    /// What holds for personal data in all fields.
    private func loadPersonalData(_ cursor: Cursor, _ fields: [Field]) throws(SchemaError) -> PersonalDataRules {
        try cursor.refuseKeys(besides: ["thresholds", "spans"])
        var rules = PersonalDataRules()
        if let thresholds = cursor["thresholds"] {
            let names = try thresholds.keys()
            try thresholds.refuseKeys(besides: Entities.scanned)
            for name in names {
                guard let entity = Entity(name: name) else { continue }
                guard
                    Entity.usual.contains(entity)
                        || fields.contains(where: { $0.pii?.entities.contains(name) ?? false })
                else {
                    throw thresholds.error(
                        .inconsistent,
                        "nobody looks for \(name): name it in the entities of a field whose pii is scan: true")
                }
                rules.thresholds[entity] = try thresholds[name]?.number(in: 0.01...1)
            }
        }
        if let spans = cursor["spans"] {
            let name = try short(spans, 256)
            guard !name.isEmpty, !fields.contains(where: { $0.name == name }) else {
                throw spans.error(
                    .inconsistent,
                    "spans names a new column of the shard; no field may have that name, nor may it be empty")
            }
            rules.spansColumn = name
        }
        return rules
    }

    /// The class size that is wanted. Suppression would need another pass: it is said, and nothing is left out.
    private mutating func loadPrivacy(_ cursor: Cursor) throws(SchemaError) -> Int {
        try cursor.refuseKeys(besides: ["kAnonymity"])
        guard let rule = cursor["kAnonymity"] else { return 5 }
        try rule.refuseKeys(besides: ["k", "action"])
        if let action = rule["action"], try action.word(of: ["report", "suppress"], what: "action") == "suppress" {
            warnings.append(
                action.warning(
                    "suppress is not enforced by this version: small classes are reported, and leave the gate"))
        }
        return try rule["k"]?.whole(in: 2...1_000_000) ?? 5
    }

    private func loadOperator(_ cursor: Cursor) throws(SchemaError) -> MaskOperator {
        try cursor.choice(MaskOperator.self, what: "operator")
    }

    private func loadEntities(_ cursor: Cursor, into rule: inout PIIRule) throws(SchemaError) {
        rule.entity = try cursor["entity"]?.word(of: Entities.known, what: "entity")
        rule.scan = try cursor["scan"]?.flag() ?? false
        for item in try cursor["entities"]?.items() ?? [] {
            let name = try item.text()
            if Entities.known.contains(name), !Entities.scanned.contains(name) {
                throw item.error(
                    .unsupported,
                    "\(name) has no form by which it could be found in free text; declare the column that holds it")
            }
            rule.entities.append(try item.word(of: Entities.scanned, what: "entity"))
        }
        rule.dictionary = try cursor["dictionary"].map { (file) throws(SchemaError) in try short(file, 4096) }
        if let kind = cursor["dictionaryEntity"] {
            rule.dictionaryEntity = try kind.word(of: Entities.listed, what: "entity")
        }
        if rule.dictionary != nil, !rule.scan {
            throw cursor.error(
                .inconsistent, "dictionary belongs to scan: true: its names are looked for in text", atKey: true)
        }
        if cursor["dictionaryEntity"] != nil, rule.dictionary == nil {
            throw cursor.error(
                .inconsistent, "dictionaryEntity says what the names of dictionary are; name a dictionary too",
                atKey: true)
        }
        if rule.entity != nil, rule.scan {
            throw cursor.error(
                .inconsistent, "entity is for a column of one kind and scan: true for free text; keep one of them")
        }
        if rule.entity == nil, !rule.scan {
            throw cursor.error(.missing, "pii needs entity: for the whole column, or scan: true for free text")
        }
        if let entities = cursor["entities"], !rule.scan {
            throw entities.error(.inconsistent, "entities belongs to scan: true; use entity here", atKey: true)
        }
        if rule.scan, rule.operation == .drop {
            throw cursor.error(.inconsistent, "operator drop removes the whole column; leave scan out, name an entity")
        }
    }

    private func keyName(_ cursor: Cursor) throws(SchemaError) -> String {
        let text = try cursor.text()
        let isPlain = text.utf8.allSatisfy {
            isDigit($0) || ($0 | 0x20) &- 0x61 < 26 || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
        }
        guard isPlain, (1...64).contains(text.utf8.count) else {
            throw cursor.error(.outOfRange, "a key name has 1 to 64 letters, digits, - and _")
        }
        return text
    }

    private func short(_ cursor: Cursor, _ limit: Int) throws(SchemaError) -> String {
        let text = try cursor.text()
        guard text.utf8.count <= limit, !text.unicodeScalars.contains(where: { $0.value < 0x20 }) else {
            throw cursor.error(.outOfRange, "must be at most \(limit) bytes without control characters")
        }
        return text
    }

    private func loadAnomaly(_ cursor: Cursor) throws(SchemaError) -> AnomalyRule {
        try cursor.refuseKeys(besides: ["threshold", "transform", "tails", "action", "enabled", "method"])
        var rule = AnomalyRule()
        if let threshold = cursor["threshold"], threshold.value.text != "auto" {
            guard threshold.value.text == nil else {
                throw threshold.error(.unknownValue, "must be a number or auto")
            }
            rule.threshold = try threshold.number(in: 0.1...1e6)
        }
        // `auto` is the absence of a choice, and so is leaving it out.
        let transform = try cursor["transform"]?.word(of: ["none", "log1p", "auto"], what: "transform")
        rule.transform = transform == "auto" ? nil : transform
        let tails = try cursor["tails"]?.word(of: ["single", "double", "auto"], what: "tails")
        rule.tails = tails == "auto" ? nil : tails
        if let action = cursor["action"] { rule.action = try loadAction(action) }
        rule.enabled = try cursor["enabled"]?.flag() ?? true
        _ = try cursor["method"]?.word(of: ["modified-z"], what: "method")
        return rule
    }

    private func loadDrift(_ cursor: Cursor, _ field: Field) throws(SchemaError) -> DriftRule {
        try cursor.refuseKeys(besides: ["metric", "bins", "warn", "fail", "enabled"])
        var rule = DriftRule()
        let own = field.isNumeric && field.role != .label ? "psi" : "linf"
        if let metric = cursor["metric"], try metric.word(of: ["psi", "linf"], what: "metric") != own {
            throw metric.error(
                .inconsistent, "\(quoted(field.name)) is compared by \(own); write that, or leave it out")
        }
        if let bins = cursor["bins"] { _ = try bins.whole(in: 10...10) }
        rule.warn = try cursor["warn"]?.number(in: 0...100)
        rule.fail = try cursor["fail"]?.number(in: 0...100)
        if let fail = cursor["fail"], let warn = rule.warn, let limit = rule.fail, warn > limit {
            throw fail.error(.inconsistent, "warn is above fail; the milder line must come first")
        }
        rule.enabled = try cursor["enabled"]?.flag() ?? true
        return rule
    }

    /// A JSON Pointer: `/` before each token, `~1` for a slash and `~0` for a tilde in one.
    private func loadPath(_ cursor: Cursor) throws(SchemaError) -> [String] {
        let text = try cursor.text()
        guard text.hasPrefix("/"), text.utf8.count <= 1024 else {
            throw cursor.error(.outOfRange, "must be a JSON Pointer such as /address/city, of at most 1024 bytes")
        }
        var tokens: [String] = []
        for token in text.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            let rest = token.split(separator: "~", omittingEmptySubsequences: false).dropFirst()
            guard rest.allSatisfy({ $0.hasPrefix("0") || $0.hasPrefix("1") }) else {
                throw cursor.error(.outOfRange, "a tilde in a JSON Pointer is written ~0, and a slash in a token ~1")
            }
            tokens.append(String(token).replacing("~1", with: "/").replacing("~0", with: "~"))
        }
        return tokens
    }

    /// A word, or a mapping with `action:`.
    private func loadHiddenText(_ cursor: Cursor) throws(SchemaError) -> Outcome {
        if cursor.value.members != nil {
            try cursor.refuseKeys(besides: ["action"])
            guard let action = cursor["action"] else { throw cursor.error(.missing, "needs action:") }
            return try loadHiddenText(action)
        }
        switch try cursor.word(of: ["allow", "flag", "quarantine", "reject"], what: "action") {
        case "allow": return .accepted
        case "flag": return .flagged
        case "quarantine": return .quarantined
        default: return .rejected
        }
    }

    /// A word, or a mapping with `scan:` and `action:`.
    private func loadSecrets(_ cursor: Cursor) throws(SchemaError) -> Outcome {
        guard cursor.value.members != nil else { return try loadHiddenText(cursor) }
        try cursor.refuseKeys(besides: ["scan", "action"])
        if try cursor["scan"]?.flag() == false { return .accepted }
        return try cursor["action"].map { (action) throws(SchemaError) in try loadHiddenText(action) } ?? .rejected
    }

    /// Statistics never reject: a person must be able to release a false alarm.
    func loadAction(_ cursor: Cursor) throws(SchemaError) -> Outcome {
        if cursor.value.text == "reject" {
            throw cursor.error(
                .unknownValue, "statistics never reject, since they may be wrong; use flag or quarantine")
        }
        return try cursor.word(of: ["flag", "quarantine"], what: "action") == "flag" ? .flagged : .quarantined
    }

    /// `sluice:` of the contract.
    mutating func loadSettings(_ cursor: Cursor, into schema: inout Schema) throws(SchemaError) {
        let known = [
            "apiVersion", "unknownFields", "dropColumns", "trailingDelimiter", "trimLabels", "dialect", "encoding",
            "hiddenText", "secrets", "undeclaredPii", "limits",
            "isolationForest",
            "batch", "baseline", "poisoning", "rules", "references", "jsonSchema", "privacy", "pii", "jsonStrings",
        ]
        try cursor.refuseKeys(besides: known + Self.unenforcedSettings)
        try warnAboutKeys(of: cursor, known: known, unenforced: Self.unenforcedSettings)
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

    private mutating func loadBatch(_ cursor: Cursor) throws(SchemaError) -> BatchRule {
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
        if let word = cursor["onExceed"], try word.word(of: ["quarantine", "reject"]) == "reject" {
            warnings.append(
                word.warning("onExceed: reject is not enforced by this version: the batch is held for review instead"))
        }
        return rule
    }

    private func loadForest(_ cursor: Cursor, _ fields: [Field]) throws(SchemaError) -> ForestRule {
        try cursor.refuseKeys(
            besides: ["fields", "trees", "sampleSize", "ndim", "threshold", "action", "enabled"])
        var rule = ForestRule()
        if let names = cursor["fields"] {
            rule.fields = try loadNames(names, fields)
            for (item, name) in zip(try names.items(), rule.fields) {
                guard let field = placeOfField[name].map({ fields[$0] }), !field.isNumeric, field.type != .boolean,
                    field.categories == nil, field.constraints.enumeration == nil
                else { continue }
                throw item.error(
                    .inconsistent,
                    "\(quoted(name)) is \(field.type.name) without declared values; the forest takes numbers, booleans, and "
                        + "fields with enum or categories, so remove it here")
            }
        }
        rule.trees = try cursor["trees"]?.whole(in: 1...1000) ?? rule.trees
        rule.sampleSize = try cursor["sampleSize"]?.whole(in: 2...256) ?? rule.sampleSize
        rule.dimensions = try cursor["ndim"]?.whole(in: 1...3) ?? rule.dimensions
        if let threshold = cursor["threshold"] {
            try threshold.refuseKeys(besides: ["flag", "quarantine"])
            rule.flagQuantile = try threshold["flag"]?.number(in: 0.5...0.99999) ?? rule.flagQuantile
            rule.quarantineQuantile =
                try threshold["quarantine"]?.number(in: 0.5...0.99999)
                ?? max(rule.quarantineQuantile, rule.flagQuantile)
            guard rule.flagQuantile <= rule.quarantineQuantile else {
                throw threshold.error(.inconsistent, "flag is above quarantine; the milder line must come first")
            }
        }
        if let action = cursor["action"] { rule.action = try loadAction(action) }
        rule.enabled = try cursor["enabled"]?.flag() ?? true
        return rule
    }
}
