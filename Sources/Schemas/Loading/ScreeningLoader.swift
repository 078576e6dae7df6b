import Tabular

/// Reads how fields are screened: `anomaly:`, `drift:` and `isolationForest:`.
extension SchemaLoader {
    /// Reads `anomaly:` of a field.
    func loadAnomaly(_ cursor: Cursor) throws(SchemaError) -> AnomalyRule {
        let settings = try SettingReader(cursor, .anomaly)
        var rule = AnomalyRule()
        rule.threshold = try settings.number("threshold")
        // `auto` equals leaving the key out.
        let transform = try settings.word("transform", what: "transform")
        rule.transform = transform == "auto" ? nil : transform
        let tails = try settings.word("tails", what: "tails")
        rule.tails = tails == "auto" ? nil : tails
        if let action = settings["action"] { rule.action = try loadAction(action) }
        rule.enabled = try settings.flag("enabled") ?? true
        _ = try settings.word("method", what: "method")
        return rule
    }

    /// Reads `drift:` of a field.
    func loadDrift(_ cursor: Cursor, _ field: Field) throws(SchemaError) -> DriftRule {
        let settings = try SettingReader(cursor, .drift)
        var rule = DriftRule()
        let own = field.isNumeric && field.role != .label ? "psi" : "linf"
        if let metric = settings["metric"], try settings.word("metric", what: "metric") != own {
            throw metric.error(
                .inconsistent, "\(quoted(field.name)) is compared by \(own); write that, or leave it out")
        }
        _ = try settings.whole("bins")
        rule.warn = try settings.number("warn")
        rule.fail = try settings.number("fail")
        if let fail = settings["fail"], let warn = rule.warn, let limit = rule.fail, warn > limit {
            throw fail.error(.inconsistent, "warn is above fail; swap them")
        }
        rule.enabled = try settings.flag("enabled") ?? true
        return rule
    }

    /// Reads an action. Statistics never reject, since a person must be able to release a false alarm.
    func loadAction(_ cursor: Cursor) throws(SchemaError) -> Outcome {
        if cursor.value.text == "reject" {
            throw cursor.error(
                .unknownValue, "statistics can be wrong and never reject rows; use flag or quarantine")
        }
        return try cursor.word(of: ["flag", "quarantine"], what: "action") == "flag" ? .flagged : .quarantined
    }

    /// Reads `isolationForest:`; its fields must be numeric, boolean or have declared values.
    func loadForest(_ cursor: Cursor, _ fields: [Field]) throws(SchemaError) -> ForestRule {
        let settings = try SettingReader(cursor, .isolationForest)
        var rule = ForestRule()
        if let names = settings["fields"] {
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
        rule.trees = try settings.whole("trees") ?? rule.trees
        rule.sampleSize = try settings.whole("sampleSize") ?? rule.sampleSize
        rule.dimensions = try settings.whole("ndim") ?? rule.dimensions
        if let threshold = settings["threshold"] {
            let quantiles = try SettingReader(threshold, .forestThreshold)
            rule.flagQuantile = try quantiles.number("flag") ?? rule.flagQuantile
            rule.quarantineQuantile =
                try quantiles.number("quarantine")
                ?? max(rule.quarantineQuantile, rule.flagQuantile)
            guard rule.flagQuantile <= rule.quarantineQuantile else {
                throw threshold.error(.inconsistent, "flag is above quarantine; swap them")
            }
        }
        if let action = settings["action"] { rule.action = try loadAction(action) }
        rule.enabled = try settings.flag("enabled") ?? true
        return rule
    }
}
