import Tabular

/// Reads how fields are screened: `anomaly:`, `drift:` and `isolationForest:`.
extension SchemaLoader {
    /// Reads `anomaly:` of a field.
    func loadAnomaly(_ cursor: Cursor) throws(SchemaError) -> AnomalyRule {
        try cursor.refuseKeys(besides: ["threshold", "transform", "tails", "action", "enabled", "method"])
        var rule = AnomalyRule()
        if let threshold = cursor["threshold"], threshold.value.text != "auto" {
            guard threshold.value.text == nil else {
                throw threshold.error(.unknownValue, "must be a number or auto")
            }
            rule.threshold = try threshold.number(in: 0.1...1e6)
        }
        // `auto` equals leaving the key out.
        let transform = try cursor["transform"]?.word(of: ["none", "log1p", "auto"], what: "transform")
        rule.transform = transform == "auto" ? nil : transform
        let tails = try cursor["tails"]?.word(of: ["single", "double", "auto"], what: "tails")
        rule.tails = tails == "auto" ? nil : tails
        if let action = cursor["action"] { rule.action = try loadAction(action) }
        rule.enabled = try cursor["enabled"]?.flag() ?? true
        _ = try cursor["method"]?.word(of: ["modified-z"], what: "method")
        return rule
    }

    /// Reads `drift:` of a field.
    func loadDrift(_ cursor: Cursor, _ field: Field) throws(SchemaError) -> DriftRule {
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
            throw fail.error(.inconsistent, "warn is above fail; swap them")
        }
        rule.enabled = try cursor["enabled"]?.flag() ?? true
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
                throw threshold.error(.inconsistent, "flag is above quarantine; swap them")
            }
        }
        if let action = cursor["action"] { rule.action = try loadAction(action) }
        rule.enabled = try cursor["enabled"]?.flag() ?? true
        return rule
    }
}
