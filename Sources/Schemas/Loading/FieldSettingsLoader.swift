import Tabular

extension SchemaLoader {
    private static let readSettings = [
        "role", "column", "path", "pii", "form", "anomaly", "drift", "hiddenText", "secrets", "undeclaredPii",
        "jsonSchema",
    ]

    /// Reads `sluice:` of a field.
    mutating func loadFieldSettings(_ cursor: Cursor, into field: inout Field) throws(SchemaError) {
        try cursor.refuseKeys(besides: Self.readSettings + Self.encryptionKeys + ["baseline", "privacy"])
        try checkEncryption(
            cursor,
            "a field is not sealed by itself: shards are sealed as a whole; to encrypt its values, write pii: { entity: …, "
                + "operator: encrypt, key: NAME }")
        if let privacy = cursor["privacy"] {
            try refuse(
                privacy,
                "privacy of a field is not carried out by this version; remove it: sluice.privacy.kAnonymity measures the fields with "
                    + "role: quasi-identifier, and pii masks them")
        }
        if let baseline = cursor["baseline"] {
            warnings.append(
                baseline.warning(
                    "baseline of a field has no effect: sluice.baseline of the contract holds for every field"))
        }
        field.role = try cursor["role"]?.choice(FieldRole.self, what: "role")
        field.column = try cursor["column"]?.whole(in: 1...65_536)
        if let path = cursor["path"] { field.path = try loadPath(path) }
        if let rule = cursor["hiddenText"] { field.hiddenText = try loadHiddenText(rule) }
        if let rule = cursor["secrets"] { field.secrets = try loadSecrets(rule) }
        field.undeclaredPII = try cursor["undeclaredPii"]?.choice(UndeclaredPII.self, what: "policy")
        // Accepted here as well, since the reference library rejects `jsonSchema` in the standard's place.
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

    static let encryptionKeys = ["encryption", "encrypt"]

    /// Refuses settings of encryption, which is decided by the recipients in `sluice.yaml`. That something is not to be sealed
    /// is a warning, since it is sealed all the same.
    ///
    /// - Parameters:
    ///   - cursor: the mapping with the settings.
    ///   - message: what holds instead.
    mutating func checkEncryption(_ cursor: Cursor, _ message: String) throws(SchemaError) {
        for key in Self.encryptionKeys {
            guard let setting = cursor[key] else { continue }
            if setting.value.flag == false {
                warnings.append(setting.warning("\(key): false has no effect: shards are always sealed as a whole"))
            } else {
                try refuse(setting, "\(key) is not carried out by this version: \(message)")
            }
        }
    }

    /// Reads a JSON Pointer (RFC 6901).
    private func loadPath(_ cursor: Cursor) throws(SchemaError) -> [String] {
        let text = try cursor.text()
        guard text.hasPrefix("/"), text.utf8.count <= 1024 else {
            throw cursor.error(.outOfRange, "must be a JSON Pointer such as /address/city, of at most 1024 bytes")
        }
        var tokens: [String] = []
        for token in text.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            let rest = token.split(separator: "~", omittingEmptySubsequences: false).dropFirst()
            guard rest.allSatisfy({ $0.hasPrefix("0") || $0.hasPrefix("1") }) else {
                throw cursor.error(.outOfRange, "in a JSON Pointer, write ~0 for a tilde and ~1 for a slash in a name")
            }
            tokens.append(String(token).replacing("~1", with: "/").replacing("~0", with: "~"))
        }
        return tokens
    }

    /// Reads an action, or a mapping with `action:`.
    func loadHiddenText(_ cursor: Cursor) throws(SchemaError) -> Outcome {
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

    /// Reads an action, or a mapping with `scan:` and `action:`.
    func loadSecrets(_ cursor: Cursor) throws(SchemaError) -> Outcome {
        guard cursor.value.members != nil else { return try loadHiddenText(cursor) }
        try cursor.refuseKeys(besides: ["scan", "action"])
        if try cursor["scan"]?.flag() == false { return .accepted }
        return try cursor["action"].map { (action) throws(SchemaError) in try loadHiddenText(action) } ?? .rejected
    }
}
