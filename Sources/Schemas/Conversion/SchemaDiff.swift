package import Tabular

/// One difference between two contracts, with its effect on suppliers and consumers.
package struct SchemaChange: Sendable, Equatable {
    /// The effect of a difference, ordered by severity.
    package enum Impact: String, Sendable, CaseIterable, Comparable {
        /// The same data passes, and the same data is released.
        case cosmetic
        /// Everything that passed still passes, and more does.
        case widening
        /// Data that passed may be rejected or held, or the released data differs.
        case breaking

        private var rank: Int { self == .cosmetic ? 0 : self == .widening ? 1 : 2 }

        /// Orders effects by severity.
        package static func < (left: Impact, right: Impact) -> Bool { left.rank < right.rank }
    }

    /// The effect.
    package let verdict: Impact
    /// The place, such as `fields.amount.constraints.minimum`.
    package let place: String
    /// The change in a few words.
    package let what: String
}

extension Schema {
    /// The differences between this contract and another one, most severe first.
    package func changes(to new: Schema) -> [SchemaChange] {
        var diff = SchemaDiff()
        diff.compare(self, new)
        return diff.changes.sorted { ($1.verdict, $0.place, $0.what) < ($0.verdict, $1.place, $1.what) }
    }
}

/// Collects the differences between two contracts.
private struct SchemaDiff {
    var changes: [SchemaChange] = []

    /// Adds a difference.
    private mutating func note(_ verdict: SchemaChange.Impact, _ place: String, _ what: String) {
        changes.append(SchemaChange(verdict: verdict, place: place, what: what))
    }

    /// Compares one setting.
    ///
    /// - Parameters:
    ///   - old: its old value.
    ///   - new: its new value.
    ///   - place: where it stands.
    ///   - verdict: the effect of a difference; breaking unless it is known to be harmless.
    ///   - what: the difference in a few words.
    private mutating func changed<Value: Equatable>(
        _ old: Value, _ new: Value, at place: String, is verdict: SchemaChange.Impact = .breaking,
        _ what: String = "changed"
    ) {
        if old != new { note(verdict, place, what) }
    }

    /// Compares a rule that may be absent. Removing it widens; adding or replacing it breaks.
    private mutating func rule<Value: Equatable>(_ old: Value?, _ new: Value?, _ place: String) {
        switch (old, new) {
        case (nil, _?): note(.breaking, place, "added")
        case (_?, nil): note(.widening, place, "removed")
        case (let old?, let new?): changed(old, new, at: place)
        default: break
        }
    }

    /// Compares a limit. A higher upper limit and a lower lower limit widen; anything else breaks.
    private mutating func limit(_ old: String?, _ new: String?, _ place: String, isUpper: Bool) {
        guard let old, let new else { return rule(old, new, place) }
        if old == new { return }
        let order = comparedNumbers(old, new) ?? (old < new ? -1 : 1)
        note((order < 0) == isUpper ? .widening : .breaking, place, "from \(old) to \(new)")
    }

    /// Compares a limit of lengths or counts.
    private mutating func limit(_ old: Int?, _ new: Int?, _ place: String, isUpper: Bool) {
        limit(old.map { String($0) }, new.map { String($0) }, place, isUpper: isUpper)
    }

    /// Compares a share: a larger one widens.
    private mutating func share(_ old: Double, _ new: Double, _ place: String) {
        if old != new { note(old < new ? .widening : .breaking, place, "from \(old) to \(new)") }
    }

    /// Compares lists of allowed values. Notes count values and never repeat them.
    private mutating func vocabulary(_ old: [String]?, _ new: [String]?, _ place: String) {
        guard let old, let new else { return rule(old, new, place) }
        let (gone, come) = (Set(old).subtracting(new).count, Set(new).subtracting(old).count)
        if gone > 0 { note(.breaking, place, "\(gone) value\(gone == 1 ? "" : "s") removed") }
        if come > 0 { note(.widening, place, "\(come) value\(come == 1 ? "" : "s") added") }
        if gone == 0, come == 0, old != new { note(.cosmetic, place, "in another order") }
    }

    /// Compares everything that two contracts declare.
    mutating func compare(_ old: Schema, _ new: Schema) {
        changed(old.name, new.name, at: "name", is: .cosmetic)
        changed(old.version, new.version, at: "version", is: .cosmetic)
        let names = Set(old.fields.map(\.name)).intersection(new.fields.map(\.name))
        for field in old.fields where !names.contains(field.name) {
            let passes = new.unknownFields != .reject
            note(
                .breaking, "fields.\(field.name)",
                passes ? "removed: it is no longer checked" : "removed: files that have it are refused")
        }
        for field in new.fields where !names.contains(field.name) {
            let mayLack = new.fieldsMatch?.allowsMissing == true && !field.constraints.required
            note(
                mayLack ? .widening : .breaking, "fields.\(field.name)",
                mayLack ? "added" : "added: files that lack it are refused")
        }
        let others = Dictionary(new.fields.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        for field in old.fields {
            guard let other = others[field.name] else { continue }
            compare(field, other, "fields.\(field.name)")
        }
        let (was, now) = (old.fields.map(\.name).filter(names.contains), new.fields.map(\.name).filter(names.contains))
        changed(was, now, at: "fields", is: new.fieldsMatch == .exact ? .breaking : .cosmetic, "in another order")
        changed(old.missingValues, new.missingValues, at: "missingValues", is: .breaking, "other texts mean no value")
        rule(old.primaryKey.isEmpty ? nil : old.primaryKey, new.primaryKey.isEmpty ? nil : new.primaryKey, "primaryKey")
        let (oldUnique, newUnique) = (Set(old.uniqueKeys), Set(new.uniqueKeys))
        for key in old.uniqueKeys where !newUnique.contains(key) { note(.widening, "uniqueKeys", "one removed") }
        for key in new.uniqueKeys where !oldUnique.contains(key) { note(.breaking, "uniqueKeys", "one added") }
        let (oldKeys, newKeys) = (Set(old.foreignKeys), Set(new.foreignKeys))
        for key in old.foreignKeys where !newKeys.contains(key) {
            note(.widening, "foreignKeys", "\(quoted(key.name)) removed")
        }
        for key in new.foreignKeys where !oldKeys.contains(key) {
            note(.breaking, "foreignKeys", "\(quoted(key.name)) added")
        }
        changed(old.fieldsMatch, new.fieldsMatch, at: "fieldsMatch")
        rules(old.rules, new.rules)
        if old.recordSchema != new.recordSchema {
            note(.breaking, "the JSON Schema", "changed: what it lets through cannot be compared")
        }
        settings(old, new)
    }

    /// Compares row rules by their names.
    private mutating func rules(_ old: [RowRule], _ new: [RowRule]) {
        let others = Dictionary(new.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        for rule in old {
            guard let other = others[rule.name] else {
                note(.widening, "sluice.rules", "\(quoted(rule.name)) removed")
                continue
            }
            changed(rule.condition, other.condition, at: "sluice.rules", is: .breaking, "\(quoted(rule.name)) changed")
            if rule.action != other.action {
                note(
                    rule.action < other.action ? .breaking : .widening, "sluice.rules",
                    "\(quoted(rule.name)): from \(rule.action.name) to \(other.action.name)")
            }
        }
        let names = Set(old.map(\.name))
        for rule in new where !names.contains(rule.name) {
            note(rule.action == .flagged ? .cosmetic : .breaking, "sluice.rules", "\(quoted(rule.name)) added")
        }
    }

    /// Compares the `sluice:` settings of the contracts.
    private mutating func settings(_ old: Schema, _ new: Schema) {
        let toPass = old.unknownFields == .reject && new.unknownFields != .reject
        changed(
            old.unknownFields, new.unknownFields, at: "sluice.unknownFields", is: toPass ? .widening : .breaking,
            "from \(old.unknownFields.rawValue) to \(new.unknownFields.rawValue)")
        changed(old.dialect ?? Dialect(), new.dialect ?? Dialect(), at: "sluice.dialect")
        changed(old.encoding, new.encoding, at: "sluice.encoding")
        if old.hiddenText != new.hiddenText {
            note(
                old.hiddenText < new.hiddenText ? .breaking : .widening, "sluice.hiddenText",
                "from \(old.hiddenText.name) to \(new.hiddenText.name)")
        }
        if old.secrets != new.secrets {
            note(
                old.secrets < new.secrets ? .breaking : .widening, "sluice.secrets",
                "from \(old.secrets.name) to \(new.secrets.name)")
        }
        if old.dropColumns != new.dropColumns {
            note(.breaking, "sluice.dropColumns", "changed: other columns leave the gate")
        }
        if old.trailingDelimiter != new.trailingDelimiter {
            note(
                new.trailingDelimiter ? .widening : .breaking, "sluice.trailingDelimiter",
                "now \(new.trailingDelimiter)")
        }
        if old.trimLabels != new.trimLabels {
            note(new.trimLabels ? .widening : .breaking, "sluice.trimLabels", "now \(new.trimLabels)")
        }
        if old.jsonStrings != new.jsonStrings {
            note(
                new.jsonStrings == .parse ? .widening : .breaking, "sluice.jsonStrings",
                "from \(old.jsonStrings.rawValue) to \(new.jsonStrings.rawValue)")
        }
        if old.undeclaredPII != new.undeclaredPII {
            note(
                .breaking, "sluice.undeclaredPii", "from \(old.undeclaredPII.rawValue) to \(new.undeclaredPII.rawValue)"
            )
        }
        if old.personalData != new.personalData {
            note(.breaking, "sluice.pii", "changed: something else leaves the gate")
        }
        limit(old.limits.maxRowBytes, new.limits.maxRowBytes, "sluice.limits.maxRowBytes", isUpper: true)
        limit(old.limits.maxCellBytes, new.limits.maxCellBytes, "sluice.limits.maxCellBytes", isUpper: true)
        limit(old.limits.maxFields, new.limits.maxFields, "sluice.limits.maxFields", isUpper: true)
        limit(old.limits.maxDepth, new.limits.maxDepth, "sluice.limits.maxDepth", isUpper: true)
        limit(
            old.limits.maxDecompressionRatio, new.limits.maxDecompressionRatio, "sluice.limits.maxDecompressionRatio",
            isUpper: true)
        limit(
            old.limits.maxDecompressedBytes, new.limits.maxDecompressedBytes, "sluice.limits.maxDecompressedBytes",
            isUpper: true)
        limit(old.batch.minRows, new.batch.minRows, "sluice.batch.minRows", isUpper: false)
        limit(old.batch.maxRejected, new.batch.maxRejected, "sluice.batch.maxRejected", isUpper: true)
        share(old.batch.maxRejectedRate, new.batch.maxRejectedRate, "sluice.batch.maxRejectedRate")
        share(old.batch.maxQuarantinedRate, new.batch.maxQuarantinedRate, "sluice.batch.maxQuarantinedRate")
        changed(old.batch.rejectedRows, new.batch.rejectedRows, at: "sluice.batch.rejectedRows")
        changed(old.batch.duplicateRows, new.batch.duplicateRows, at: "sluice.batch.duplicateRows")
        changed(old.batch.onExceed, new.batch.onExceed, at: "sluice.batch.onExceed")
        changed(
            old.forest, new.forest, at: "sluice.isolationForest", is: .breaking, "changed: other rows may be held back")
    }

    /// Compares two fields of the same name.
    private mutating func compare(_ old: Field, _ new: Field, _ place: String) {
        changed(old.title, new.title, at: place + ".title", is: .cosmetic)
        if old.type != new.type {
            let widens = isWider(new.type, than: old.type)
            note(widens ? .widening : .breaking, place + ".type", "from \(words(old.type)) to \(words(new.type))")
        }
        let (was, now, at) = (old.constraints, new.constraints, place + ".constraints.")
        if was.required != now.required {
            note(now.required ? .breaking : .widening, at + "required", "now \(now.required)")
        }
        if was.unique != now.unique { note(now.unique ? .breaking : .widening, at + "unique", "now \(now.unique)") }
        limit(was.minimum, now.minimum, at + "minimum", isUpper: false)
        limit(was.maximum, now.maximum, at + "maximum", isUpper: true)
        limit(was.exclusiveMinimum, now.exclusiveMinimum, at + "exclusiveMinimum", isUpper: false)
        limit(was.exclusiveMaximum, now.exclusiveMaximum, at + "exclusiveMaximum", isUpper: true)
        limit(was.minLength, now.minLength, at + "minLength", isUpper: false)
        limit(was.maxLength, now.maxLength, at + "maxLength", isUpper: true)
        rule(was.pattern, now.pattern, at + "pattern")
        rule(was.jsonSchema, now.jsonSchema, at + "jsonSchema")
        vocabulary(was.enumeration, now.enumeration, at + "enum")
        vocabulary(old.categories, new.categories, place + ".categories")
        changed(
            old.missingValues, new.missingValues, at: place + ".missingValues", is: .breaking,
            "other texts mean no value")
        for (name, first, second) in [
            ("trueValues", old.trueValues, new.trueValues), ("falseValues", old.falseValues, new.falseValues),
        ] {
            changed(first, second, at: "\(place).\(name)", is: Set(first).isSubset(of: second) ? .widening : .breaking)
        }
        changed(old.decimalChar, new.decimalChar, at: place + ".decimalChar")
        changed(
            old.groupChar, new.groupChar, at: place + ".groupChar", is: old.groupChar == nil ? .widening : .breaking)
        changed(old.bareNumber, new.bareNumber, at: place + ".bareNumber", is: new.bareNumber ? .breaking : .widening)
        changed(old.path, new.path, at: place + ".sluice.path")
        changed(old.column, new.column, at: place + ".sluice.column")
        changed(old.pii, new.pii, at: place + ".sluice.pii", is: .breaking, "changed: something else leaves the gate")
        changed(old.hiddenText, new.hiddenText, at: place + ".sluice.hiddenText")
        changed(old.secrets, new.secrets, at: place + ".sluice.secrets")
        changed(
            old.undeclaredPII, new.undeclaredPII, at: place + ".sluice.undeclaredPii", is: .breaking,
            "changed: something else leaves the gate")
        changed(old.role, new.role, at: place + ".sluice.role", is: .breaking, "changed: it is screened otherwise")
        changed(
            old.anomaly, new.anomaly, at: place + ".sluice.anomaly", is: .breaking,
            "changed: other rows may be held back")
    }

    /// A type with its format, for a note.
    private func words(_ type: FieldType) -> String { type.format.map { "\(type.name) (\($0))" } ?? type.name }

    /// Whether every value of the old type is also a value of the new one.
    private func isWider(_ new: FieldType, than old: FieldType) -> Bool {
        switch (old, new) {
        case (_, .any), (.integer, .number), (.string, .string(.default)): true
        case (.date(.iso), .date(.any)), (.time(.iso), .time(.any)), (.datetime(.iso), .datetime(.any)): true
        default: false
        }
    }
}

/// The contract without any `sluice:` settings, as its standard alone defines it.
package func strippedDescriptor(_ document: JSONValue) -> JSONValue {
    guard var members = document.members else { return document }
    members["sluice"] = nil
    if let fields = members["fields"]?.items { members["fields"] = .array(fields.map(strippedDescriptor)) }
    if let properties = members["properties"]?.members {
        members["properties"] = .object(properties.mapValues(strippedDescriptor))
    }
    return .object(members)
}
