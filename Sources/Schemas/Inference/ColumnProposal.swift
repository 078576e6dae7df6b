import Recognition
package import Tabular

/// What an inferred contract sets.
extension ColumnSummary {
    /// The field, with every setting that the evidence supports.
    func field(rows: Int, isEventTime: Bool) -> Field {
        var field = written
        let tokens = missingTokens
        if !tokens.isEmpty { field.missingValues = [""] + tokens }
        // A few rows may look like anything.
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

    /// Whether it is a quasi-identifier: it narrows down a person, and says little alone (postal codes, coordinates).
    var isQuasi: Bool { entity.flatMap { Entity(name: $0.name) }?.isQuasi ?? false }

    /// Whether its values tell rows apart by design: numbers of the kind that the screening leaves out, numbers that
    /// count on, UUIDs, and names of papers and parts.
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

    /// Whether a few numbers are spread so wide that they stand for something: of quantities the ones between would be
    /// there, too.
    private var isSparse: Bool { isCounting && largest - smallest > 100 * Double(hashes.count) }

    /// Whether texts repeat so often that they come from a list and are not personal.
    private func isVocabulary(_ type: FieldType) -> Bool {
        guard case .string(.default) = type, form == .category, isCounting, hashes.count <= Self.wordsMax else {
            return false
        }
        return hashes.count * 10 <= values && entities.isEmpty && ColumnNames.proposal(name) == nil
            && ![.label, .annotator].contains(role(type))
    }

    /// The texts of a column from a list, in order, with those that could be words for no value.
    var vocabulary: [String] {
        (Array(words) + zip(SchemaInference.missingTokens, tokens).filter { $0.1 > 0 && missingTokens.isEmpty }.map(\.0))
            .sorted()
    }

    /// Whether its values are dates, and not those on which people were born.
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

    /// Whether the column is called after a moment.
    var isCalledTime: Bool {
        let known: Set = [
            "timestamp", "datetime", "date", "time", "ts", "when", "created", "occurred", "recorded", "event",
        ]
        return nameWords.contains(where: known.contains)
    }

    /// Whether the column is called after numbers that stand for something.
    private var isCalledNumber: Bool {
        guard let last = nameWords.last else { return false }
        let known: Set = [
            "id", "ids", "key", "code", "uuid", "guid", "oid", "fid", "no", "nr", "zip", "zipcode", "postcode", "plz",
            "phone",
            "telephone", "fax", "account", "serial", "isbn", "ean", "gtin", "upc", "sku", "ssn", "ein", "npi", "fips",
        ]
        if known.contains(last) { return true }
        // objectid, customerid: English has few other words that end so.
        let others: Set = [
            "paid", "unpaid", "prepaid", "bid", "grid", "covid", "fluid", "liquid", "solid", "acid", "humid", "valid",
            "invalid",
            "said", "aid", "raid", "void", "mid", "rapid", "plasmid", "android", "kid", "lid", "rid", "avoid", "hybrid",
        ]
        return last.hasSuffix("id") && !others.contains(last)
    }

    /// Whether values that differ in one file may be meant to differ: texts and whole numbers, not measures and times.
    func mayBeKey(_ type: FieldType) -> Bool {
        if case .string = type { return longest <= 64 }
        return type == .integer
    }

    /// What the column's name and values suggest that it is for.
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
    /// What inference can set, as keys and values of the contract's own words.
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
