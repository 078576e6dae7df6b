import Recognition
import Tabular

extension SchemaLoader {
    /// Reads the rules for personal data in all fields.
    func loadPersonalData(_ cursor: Cursor, _ fields: [Field]) throws(SchemaError) -> PersonalDataRules {
        let settings = try SettingReader(cursor, .personalData)
        var rules = PersonalDataRules()
        if let thresholds = settings["thresholds"] {
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
                        "no field searches for \(name): add it to the entities of a field with pii: { scan: true }")
                }
                rules.thresholds[entity] = try thresholds[name]?.number(in: 0.01...1)
            }
        }
        if let spans = settings["spans"] {
            let name = try short(spans, 256)
            guard !name.isEmpty, !fields.contains(where: { $0.name == name }) else {
                throw spans.error(
                    .inconsistent,
                    "spans names a new column of the shard; give a name that no field has")
            }
            rules.spansColumn = name
        }
        return rules
    }

    /// Reads the wanted class size (k-anonymity). It is reported only: suppression would need another pass.
    mutating func loadPrivacy(_ cursor: Cursor) throws(SchemaError) -> Int {
        guard let cursor = try SettingReader(cursor, .privacy)["kAnonymity"] else { return 5 }
        let settings = try SettingReader(cursor, .anonymity)
        if let action = settings["action"], try settings.word("action", what: "action") == "suppress" {
            try refuse(
                action,
                "suppress is not carried out by this version: small classes are reported and leave the gate; write report, and "
                    + "generalize or redact the quasi-identifiers with pii")
        }
        return try settings.whole("k") ?? 5
    }
}
