import Recognition
import Tabular

extension SchemaLoader {
    /// Reads the rules for personal data in all fields.
    func loadPersonalData(_ cursor: Cursor, _ fields: [Field]) throws(SchemaError) -> PersonalDataRules {
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
                        "no field searches for \(name): add it to the entities of a field with pii: { scan: true }")
                }
                rules.thresholds[entity] = try thresholds[name]?.number(in: 0.01...1)
            }
        }
        if let spans = cursor["spans"] {
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
        try cursor.refuseKeys(besides: ["kAnonymity"])
        guard let rule = cursor["kAnonymity"] else { return 5 }
        try rule.refuseKeys(besides: ["k", "action"])
        if let action = rule["action"], try action.word(of: ["report", "suppress"], what: "action") == "suppress" {
            try refuse(
                action,
                "suppress is not carried out by this version: small classes are reported and leave the gate; write report, and "
                    + "generalize or redact the quasi-identifiers with pii")
        }
        return try rule["k"]?.whole(in: 2...1_000_000) ?? 5
    }
}
