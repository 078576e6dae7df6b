import Tabular

/// Reads the comparison with earlier batches and the poisoning tests (`sluice: baseline:`, `poisoning:`).
extension SchemaLoader {
    /// Reads `baseline:`.
    mutating func loadBaseline(_ cursor: Cursor, _ fields: [Field]) throws(SchemaError) -> BaselineRules {
        var rules = BaselineRules()
        let unread = [
            "anchor":
                "anchor has no effect in a contract: a batch is compared with the baseline that was approved for its dataset (sluice "
                + "baseline approve), else with the last accepted batches",
            "rolling":
                "rolling has no effect: history sets how many accepted batches count, \(rules.batches) by default",
            "update": "update has no effect: every accepted batch counts for the later ones",
        ]
        try cursor.refuseKeys(besides: ["learning", "history", "season"] + unread.keys.sorted())
        try checkKeys(of: cursor, known: ["learning", "history", "season"], unread: unread)
        rules.learning = try cursor["learning"]?.whole(in: 1...400) ?? rules.learning
        if let season = cursor["season"] {
            guard fields.contains(where: { $0.role == .eventTime && $0.type.isMoment }) else {
                throw season.error(
                    .inconsistent,
                    "a season needs the time of a row: set sluice: { role: event-time } in the field with its date or time"
                )
            }
            rules.season = try season.choice(Season.self, what: "season")
            rules.batches = rules.season?.batches ?? rules.batches
        }
        if let history = cursor["history"] {
            try history.refuseKeys(besides: ["batches", "rows"])
            rules.batches = try history["batches"]?.whole(in: 1...200) ?? rules.batches
            rules.rows = try history["rows"]?.whole(in: 1...1_000_000) ?? rules.rows
        }
        return rules
    }

    /// Reads `poisoning:`.
    mutating func loadPoisoning(_ cursor: Cursor, _ fields: [Field]) throws(SchemaError) -> PoisoningRules {
        try cursor.refuseKeys(besides: ["duplicates", "labelFlip", "triggers", "crossVerify"])
        var rules = PoisoningRules()
        rules.duplicates = try loadPoison(
            cursor["duplicates"], own: ["acrossBatches", "exact"],
            unread: [
                "near": "near has no effect: rows with nearly the same text are looked for wherever duplicates are"
            ])
        if let exact = cursor["duplicates"]?["exact"] {
            let message =
                "exact is not carried out by this version: copies within a file are only counted; write duplicateRows: flag or "
                + "quarantine under sluice.batch, and remove exact"
            if exact.value.flag == false {
                warnings.append(exact.warning("exact: false has no effect: copies within a file are only counted"))
            } else {
                try refuse(exact, message)
            }
        }
        rules.acrossBatches = try cursor["duplicates"]?["acrossBatches"]?.flag() ?? true
        rules.crossVerify = try cursor["crossVerify"].map { (rule) throws(SchemaError) in
            try loadCrossRule(rule, fields)
        }
        rules.labelFlip = try loadPoison(
            cursor["labelFlip"],
            unread: [
                "k": "k has no effect: 10 neighbours of a row are asked",
                "agreement":
                    "agreement has no effect: 8 of 10 neighbours with another label flag a row, 9 call for action",
            ])
        let learnt = "the threshold follows from the budget of false alarms and the size of the batch"
        rules.triggers = try loadPoison(
            cursor["triggers"],
            unread: [
                "fields": "fields has no effect: every screened field is searched",
                "minSupport": "minSupport has no effect: \(learnt)", "minPurity": "minPurity has no effect: \(learnt)",
                "alpha": "alpha has no effect: \(learnt)",
            ])
        return rules
    }

    /// Reads the fields that several sources must agree on.
    private func loadCrossRule(_ cursor: Cursor, _ fields: [Field]) throws(SchemaError) -> CrossRule {
        try cursor.refuseKeys(besides: ["key", "fields", "minSources", "action"])
        guard let key = cursor["key"], let compared = cursor["fields"] else {
            throw cursor.error(.missing, "crossVerify needs key: with the identifying fields, and fields: to compare")
        }
        var rule = CrossRule(key: try loadNames(key, fields), fields: [])
        guard !rule.key.isEmpty else { throw key.error(.missing, "name at least one field") }
        for name in try compared.keys() {
            guard let settings = compared[name] ?? emptyMember(compared, name) else { continue }
            guard let field = placeOfField[name].map({ fields[$0] }), !rule.key.contains(name) else {
                throw settings.error(
                    .unknownValue,
                    rule.key.contains(name)
                        ? "\(quoted(name)) is the key already; remove it here"
                        : "there is no field \(quoted(name))\(didYouMean(name, among: fields.map(\.name)))", atKey: true
                )
            }
            var one = CrossRule.Compared(name: name)
            if settings.value.members != nil {
                try settings.refuseKeys(besides: ["tolerance", "skew"])
                if let tolerance = settings["tolerance"] {
                    guard field.isNumeric else {
                        throw tolerance.error(.inconsistent, "tolerance is for numbers; remove it", atKey: true)
                    }
                    one.tolerance = try tolerance.number(in: 0...1)
                }
                if let skew = settings["skew"] {
                    guard field.type.isPoint else {
                        throw skew.error(
                            .inconsistent, "skew is for dates and times, in seconds; remove it", atKey: true)
                    }
                    one.skew = try skew.number(in: 0...1e9)
                }
            } else if settings.value != .null {
                throw settings.wrongKind("a mapping, such as { tolerance: 0.01 } or {}")
            }
            rule.fields.append(one)
        }
        guard (1...64).contains(rule.fields.count) else {
            throw compared.error(.outOfRange, "compare 1 to 64 fields")
        }
        rule.minSources = try cursor["minSources"]?.whole(in: 2...64) ?? 2
        if let action = cursor["action"] { rule.action = try loadAction(action) }
        return rule
    }

    /// A member whose value is left empty; nil for others.
    private func emptyMember(_ cursor: Cursor, _ key: String) -> Cursor? {
        cursor.place.members[key].map {
            Cursor(document: cursor.document, value: .null, place: $0, path: "\(cursor.path).\(key)")
        }
    }

    private mutating func loadPoison(
        _ cursor: Cursor?, own: [String] = [], unread: [String: String]
    ) throws(SchemaError) -> PoisonRule {
        var rule = PoisonRule()
        guard let cursor else { return rule }
        let known = ["enabled", "action"] + own
        try cursor.refuseKeys(besides: known + unread.keys.sorted())
        try checkKeys(of: cursor, known: known, unread: unread)
        rule.enabled = try cursor["enabled"]?.flag() ?? true
        if let action = cursor["action"] { rule.action = try loadAction(action) }
        return rule
    }
}
