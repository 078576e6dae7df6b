import Tabular

extension SchemaLoader {
    /// Reads `sluice:` of a field.
    mutating func loadFieldSettings(_ cursor: Cursor, into field: inout Field) throws(SchemaError) {
        let settings = try SettingReader(cursor, .field)
        try checkEffects(of: settings)
        field.role = try settings.choice("role", FieldRole.self, what: "role")
        field.column = try settings.whole("column")
        if let path = settings["path"] { field.path = try loadPath(path) }
        if let rule = settings["hiddenText"] { field.hiddenText = try loadHiddenText(rule) }
        if let rule = settings["secrets"] { field.secrets = try loadSecrets(rule) }
        field.undeclaredPII = try settings.choice("undeclaredPii", UndeclaredPII.self, what: "policy")
        // Accepted here as well, since the reference library rejects `jsonSchema` in the standard's place.
        if let schema = settings["jsonSchema"] {
            guard field.type == .object || field.type == .array, field.constraints.jsonSchema == nil else {
                throw schema.error(
                    .inconsistent, "jsonSchema is for fields of type object and array, and is written once", atKey: true
                )
            }
            field.constraints.jsonSchema = try schema.jsonSchema(surroundings)
        }
        if let pii = settings["pii"] { field.pii = try loadPII(pii, field) }
        if let form = settings["form"] {
            let own: [DeclaredForm] = field.isNumeric ? [.measure, .code, .key] : [.category, .key]
            field.form = DeclaredForm(rawValue: try form.word(of: own.map(\.rawValue), what: "form"))
        }
        if let anomaly = settings["anomaly"] {
            guard field.isNumeric else {
                throw anomaly.error(
                    .inconsistent,
                    "anomaly needs type integer or number and \(quoted(field.name)) is \(field.type.name); remove it",
                    atKey: true)
            }
            field.anomaly = try loadAnomaly(anomaly)
        }
        if let drift = settings["drift"] { field.drift = try loadDrift(drift, field) }
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
            guard let action = try SettingReader(cursor, .hiddenText)["action"] else {
                throw cursor.error(.missing, "needs action:")
            }
            return try loadHiddenText(action)
        }
        switch try cursor.word(of: SettingGroup.outcomes, what: "action") {
        case "allow": return .accepted
        case "flag": return .flagged
        case "quarantine": return .quarantined
        default: return .rejected
        }
    }

    /// Reads an action, or a mapping with `scan:` and `action:`.
    func loadSecrets(_ cursor: Cursor) throws(SchemaError) -> Outcome {
        guard cursor.value.members != nil else { return try loadHiddenText(cursor) }
        let settings = try SettingReader(cursor, .secrets)
        if try settings.flag("scan") == false { return .accepted }
        return try settings["action"].map { (action) throws(SchemaError) in try loadHiddenText(action) } ?? .rejected
    }
}
