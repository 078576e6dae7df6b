import Recognition
package import Tabular

/// Settings of an inferred contract.
extension ColumnSummary {
    /// The field with every setting that the evidence supports.
    ///
    /// - Parameters:
    ///   - rows: rows of the file.
    ///   - isEventTime: whether the column is the event time.
    func field(rows: Int, isEventTime: Bool) -> Field {
        var field = written
        let tokens = missingTokens
        if !tokens.isEmpty { field.missingValues = [""] + tokens }
        // Too few rows to conclude anything.
        guard values >= Self.rowsToTell else { return field }
        if let entity {
            guard entity.count >= Self.rowsToTell, !isQuasi else { return field }
            var rule = PIIRule()
            rule.entity = entity.name
            field.pii = rule
        } else if holding >= Self.rowsToTell, holding * 10 >= searched * 9 {
            var rule = PIIRule()
            rule.scan = true
            field.pii = rule
        } else if isKey(field.type, rows: rows) {
            field.role = .key
        } else if field.type == .integer, isCalledNumber, !isCounting || hashes.count > 40 {
            field.form = .key
        } else if field.type == .integer, form == .code, isCalledNumber || isSparse {
            field.form = .code
        } else if isEventTime {
            field.role = .eventTime
        } else if isVocabulary(field.type) {
            if keepsWords, words.count == hashes.count, hashes.count * 20 <= values, plainTokens.isEmpty {
                field.categories = vocabulary
            } else {
                field.form = .category
            }
        }
        return field
    }

    /// Whether it is a quasi-identifier: it narrows down a person without identifying one, as postal codes and
    /// coordinates do.
    var isQuasi: Bool { entity.flatMap { Entity(name: $0.name) }?.isQuasi ?? false }

    /// Whether its values identify rows by design: numbers that the screening excludes, counters, UUIDs, and reference
    /// numbers.
    private func isKey(_ type: FieldType, rows: Int) -> Bool {
        guard values * 10 >= rows * 9 else { return false }
        let isUnique = isUnique || !isCounting && form == .key
        switch type {
        case .integer: return isUnique && (form == .key || isCalledNumber) || isSequence
        case .string(.uuid): return isUnique
        case .string(.default): return isUnique && isCoded && longest <= 64
        default: return false
        }
    }

    /// Whether a few numbers are spread so widely that they must be codes: a quantity would also take the values in
    /// between.
    private var isSparse: Bool { isCounting && largest - smallest > 100 * Double(hashes.count) }

    /// Whether texts repeat so often that they come from a closed list, and are not personal data.
    private func isVocabulary(_ type: FieldType) -> Bool {
        guard case .string(.default) = type, form == .category, isCounting, hashes.count <= Self.wordsMax else {
            return false
        }
        return hashes.count * 10 <= values && entities.isEmpty && ColumnNames.proposal(name) == nil
            && ![.label, .annotator].contains(role(type))
    }

    /// The values of such a column, sorted, without those that may stand for "no value".
    var vocabulary: [String] {
        (Array(words) + zip(SchemaInference.missingTokens, tokens).filter { $0.1 > 0 && missingTokens.isEmpty }.map(\.0))
            .sorted()
    }

    /// Whether its values are times of events and not dates of birth.
    var isMomentOfEvents: Bool {
        guard values >= Self.rowsToTell, ColumnNames.proposal(name) != .dateOfBirth else { return false }
        switch type {
        case .date, .datetime: return true
        default: return false
        }
    }

    private var nameWords: [String] {
        name.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
    }

    /// Whether the column's name suggests a point in time.
    var isCalledTime: Bool {
        let known: Set = [
            "timestamp", "datetime", "date", "time", "ts", "when", "created", "occurred", "recorded", "event",
        ]
        return nameWords.contains(where: known.contains)
    }

    /// Whether the column's name suggests codes rather than quantities.
    private var isCalledNumber: Bool {
        guard let last = nameWords.last else { return false }
        let known: Set = [
            "id", "ids", "key", "code", "uuid", "guid", "oid", "fid", "no", "nr", "zip", "zipcode", "postcode", "plz",
            "phone",
            "telephone", "fax", "account", "serial", "isbn", "ean", "gtin", "upc", "sku", "ssn", "ein", "npi", "fips",
        ]
        if known.contains(last) { return true }
        // objectid, customerid: few other English words end in `id`.
        let others: Set = [
            "paid", "unpaid", "prepaid", "bid", "grid", "covid", "fluid", "liquid", "solid", "acid", "humid", "valid",
            "invalid",
            "said", "aid", "raid", "void", "mid", "rapid", "plasmid", "android", "kid", "lid", "rid", "avoid", "hybrid",
        ]
        return last.hasSuffix("id") && !others.contains(last)
    }

    /// Whether distinct values may be meant to be distinct, as in a key: texts and whole numbers, not measures or
    /// times.
    func mayBeKey(_ type: FieldType) -> Bool {
        if case .string = type { return longest <= 64 }
        return type == .integer
    }

    /// The role that name and values suggest; nil for none.
    func role(_ type: FieldType) -> FieldRole? {
        let words = nameWords
        func names(_ these: String...) -> Bool { words.contains(where: these.contains) }
        let isLarge = !isCounting
        let isFew = isCounting && hashes.count <= 50
        if names("id", "key", "uuid", "guid", "number", "no"), isUnique || isLarge, type != .number {
            return words.count > 1 && names("customer", "user", "person", "patient", "member", "client", "subject")
                ? .subject : .key
        }
        if names("customer", "user", "person", "patient", "member", "client", "subject"), names("id", "key") {
            return .subject
        }
        if names("label", "target", "class", "y", "outcome", "category", "intent"), isFew { return .label }
        if names("annotator", "labeler", "rater") { return .annotator }
        if case .datetime = type { return .eventTime }
        if case .date = type, names("date", "day", "at", "time") { return .eventTime }
        if case .string(.default) = type, longest >= 80, isLarge || 2 * hashes.count > values { return .text }
        return nil
    }
}

extension Field {
    /// The properties that inference sets, as keys and values of a contract.
    package var inferred: [(key: String, value: JSONValue)] {
        var members: [(key: String, value: JSONValue)] = [("name", .string(name)), ("type", .string(type.name))]
        if let format = type.format { members.append(("format", .string(format))) }
        if decimalChar != "." { members.append(("decimalChar", .string(decimalChar))) }
        if let groupChar { members.append(("groupChar", .string(groupChar))) }
        if !bareNumber { members.append(("bareNumber", .bool(false))) }
        if let missingValues { members.append(("missingValues", .array(missingValues.map { .string($0) }))) }
        if let categories { members.append(("categories", .array(categories.map { .string($0) }))) }
        var settings: [String: JSONValue] = [:]
        settings["column"] = column.map { .integer(Int64($0)) }
        settings["role"] = role.map { .string($0.rawValue) }
        settings["undeclaredPii"] = undeclaredPII.map { .string($0.rawValue) }
        settings["form"] = form.map { .string($0.rawValue) }
        settings["pii"] = pii.map {
            var rule: [String: JSONValue] = ["operator": .string($0.operation.rawValue)]
            rule["entity"] = $0.entity.map { .string($0) }
            if $0.scan { rule["scan"] = .bool(true) }
            return .object(rule)
        }
        if !settings.isEmpty { members.append(("sluice", .object(settings))) }
        return members
    }
}
