import Tabular

/// Reads the comparison with earlier batches and the poisoning tests (`sluice: baseline:`, `poisoning:`).
extension SchemaLoader {
    /// Reads `baseline:`.
    mutating func loadBaseline(_ cursor: Cursor, _ fields: [Field]) throws(SchemaError) -> BaselineRules {
        let settings = try SettingReader(cursor, .baseline)
        try checkEffects(of: settings)
        var rules = BaselineRules()
        rules.learning = try settings.whole("learning") ?? rules.learning
        if let season = settings["season"] {
            guard fields.contains(where: { $0.role == .eventTime && $0.type.isMoment }) else {
                throw season.error(
                    .inconsistent,
                    "a season needs the time of a row: set sluice: { role: event-time } in the field with its date or time"
                )
            }
            rules.season = try settings.choice("season", Season.self, what: "season")
            rules.batches = rules.season?.batches ?? rules.batches
        }
        if let cursor = settings["history"] {
            let history = try SettingReader(cursor, .history)
            rules.batches = try history.whole("batches") ?? rules.batches
            rules.rows = try history.whole("rows") ?? rules.rows
        }
        return rules
    }

    /// Reads `poisoning:`.
    mutating func loadPoisoning(_ cursor: Cursor, _ fields: [Field]) throws(SchemaError) -> PoisoningRules {
        let settings = try SettingReader(cursor, .poisoning)
        var rules = PoisoningRules()
        if let cursor = settings["duplicates"] {
            let duplicates = try SettingReader(cursor, .duplicates)
            rules.duplicates = try loadPoison(duplicates)
            rules.acrossBatches = try duplicates.flag("acrossBatches") ?? true
        }
        rules.crossVerify = try settings["crossVerify"].map { (rule) throws(SchemaError) in
            try loadCrossRule(rule, fields)
        }
        if let cursor = settings["labelFlip"] {
            rules.labelFlip = try loadPoison(try SettingReader(cursor, .labelFlip))
        }
        if let cursor = settings["triggers"] {
            rules.triggers = try loadPoison(try SettingReader(cursor, .triggers))
        }
        return rules
    }

    /// Reads the fields that several sources must agree on.
    private func loadCrossRule(_ cursor: Cursor, _ fields: [Field]) throws(SchemaError) -> CrossRule {
        let settings = try SettingReader(cursor, .crossVerify)
        guard let key = settings["key"], let compared = settings["fields"] else {
            throw cursor.error(.missing, "crossVerify needs key: with the identifying fields, and fields: to compare")
        }
        var rule = CrossRule(key: try loadNames(key, fields), fields: [])
        guard !rule.key.isEmpty else { throw key.error(.missing, "name at least one field") }
        for name in try compared.keys() {
            guard let member = compared[name] ?? emptyMember(compared, name) else { continue }
            guard let field = placeOfField[name].map({ fields[$0] }), !rule.key.contains(name) else {
                throw member.error(
                    .unknownValue,
                    rule.key.contains(name)
                        ? "\(quoted(name)) is the key already; remove it here"
                        : "there is no field \(quoted(name))\(didYouMean(name, among: fields.map(\.name)))", atKey: true
                )
            }
            var one = CrossRule.Compared(name: name)
            if member.value.members != nil {
                let limits = try SettingReader(member, .compared)
                if let tolerance = limits["tolerance"] {
                    guard field.isNumeric else {
                        throw tolerance.error(.inconsistent, "tolerance is for numbers; remove it", atKey: true)
                    }
                    one.tolerance = try limits.number("tolerance") ?? 0
                }
                if let skew = limits["skew"] {
                    guard field.type.isPoint else {
                        throw skew.error(
                            .inconsistent, "skew is for dates and times, in seconds; remove it", atKey: true)
                    }
                    one.skew = try limits.number("skew") ?? 0
                }
            } else if member.value != .null {
                throw member.wrongKind("a mapping, such as { tolerance: 0.01 } or {}")
            }
            rule.fields.append(one)
        }
        guard (1...64).contains(rule.fields.count) else {
            throw compared.error(.outOfRange, "compare 1 to 64 fields")
        }
        rule.minSources = try settings.whole("minSources") ?? 2
        if let action = settings["action"] { rule.action = try loadAction(action) }
        return rule
    }

    /// A member whose value is left empty; nil for others.
    private func emptyMember(_ cursor: Cursor, _ key: String) -> Cursor? {
        cursor.place.members[key].map {
            Cursor(document: cursor.document, value: .null, place: $0, path: "\(cursor.path).\(key)")
        }
    }

    /// Reads what every kind of mark has.
    private mutating func loadPoison(_ settings: SettingReader) throws(SchemaError) -> PoisonRule {
        try checkEffects(of: settings)
        var rule = PoisonRule()
        rule.enabled = try settings.flag("enabled") ?? true
        if let action = settings["action"] { rule.action = try loadAction(action) }
        return rule
    }
}
