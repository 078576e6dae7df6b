import Recognition
package import Tabular

/// What is set in an inferred contract, and what is only remarked on.
extension ColumnSummary {
    /// The field, with all that the evidence says clearly.
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

    /// Whether it is of what narrows down who somebody is, and says little by itself: postal codes, coordinates.
    var isQuasi: Bool { entity.flatMap { Entity(name: $0.name) }?.isQuasi ?? false }

    /// Whether its values tell rows apart by design: numbers of the kind that the screening leaves out, numbers that count on, UUIDs, and
    /// names of papers and parts.
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

    /// Whether a few numbers are spread so wide that they stand for something: of quantities the ones between would be there, too.
    private var isSparse: Bool { isCounting && largest - smallest > 100 * Double(hashes.count) }

    /// Whether texts repeat so often that they are from a list, and nobody's.
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

    /// The field in YAML with its comments.
    func yaml(_ field: Field, rows: Int) -> String {
        var text = "  - name: \(yamlScalar(name))\n    type: \(field.type.name)\n"
        for (key, value) in field.inferred where key != "name" && key != "type" {
            text += "    \(key): \(value.yaml)\n"
        }
        for line in remarks(field, rows: rows) { text += "    # \(line)\n" }
        return text
    }

    /// What was seen, and last the settings that it suggests, each kind on a line of its own.
    private func remarks(_ field: Field, rows: Int) -> [String] {
        let type = field.type
        guard values > 0 else { return ["no value was seen, so anything may come: declare the type"] }
        // In text, words such as NA are values like any other.
        let asValues = zip(SchemaInference.missingTokens, tokens).filter { $0.1 > 0 && missingTokens.isEmpty }
        let values = values + asValues.reduce(0) { $0 + $1.1 }
        var lines = ["\(values) of \(rows) rows have a value"] + writingRemarks(field)
        var limits = values == rows ? ["required: true"] : []
        if type == .integer || type == .number, smallest <= largest, field.isPlainNumber {
            let (low, high) = (outward(smallest, up: false), outward(largest, up: true))
            lines.append("from about \(low) to about \(high)")
            // Of huge whole numbers the rounded ends are none; and rounding must never cut off what was seen.
            let isWritten = type == .number || (low + high).utf8.allSatisfy { isDigit($0) || $0 == 0x2D }
            if isWritten, let least = Double(low), let most = Double(high), least <= smallest, most >= largest {
                limits += ["minimum: \(low)", "maximum: \(high)"]
            }
        } else if firstMonth <= lastMonth {
            lines.append("from \(month(firstMonth)) to \(month(lastMonth))")
        }
        if natives > 0, natives < values, type == .any {
            lines.append(
                "\(natives) JSON numbers or booleans and \(values - natives) texts: declare one type, and have it sent so"
            )
        }
        if case .string = type {
            lines.append("\(shortest) to \(longest) characters")
            if let near = nearMiss { lines.append(near) }
        }
        if isCounting {
            let isUnique = !hasRepeats && hashes.count + asValues.count == values && values > 1
            lines.append(isUnique ? "all values differ" : "\(hashes.count) distinct values")
            if isUnique, mayBeKey(type) { limits.append("unique: true") }
            if case .string(.default) = type, !isUnique, hashes.count <= Self.wordsMax, hashes.count * 10 <= values,
                field.categories == nil
            {
                if keepsWords, words.count == hashes.count {
                    limits.append("enum: [\(vocabulary.map(yamlScalar).joined(separator: ", "))]")
                } else {
                    lines.append("so few values suggest a vocabulary: an enum (--show-values writes one)")
                }
            }
        } else {
            lines.append("many distinct values")
        }
        if objects + arrays == values { limits.append("jsonSchema: \(nested.schema.text(pretty: false))") }
        if !limits.isEmpty { lines.append("constraints: { \(limits.joined(separator: ", ")) }") }
        return lines + settings(field)
    }

    /// How the values are written, as far as that is set, asks for a decision, or has lost something.
    private func writingRemarks(_ field: Field) -> [String] {
        var lines: [String] = []
        if let missing = field.missingValues {
            let counts = missing.dropFirst().map { token in
                "\(tokens[SchemaInference.missingTokens.firstIndex(of: token) ?? 0]) are \(quoted(token))"
            }
            lines.append("taken for no value: " + counts.joined(separator: ", "))
        } else if !plainTokens.isEmpty {
            lines.append(
                "programs write \(plainTokens.map(quoted).joined(separator: " and ")) for no value: if that is meant, set "
                    + "missingValues: [\((["\"\""] + plainTokens.map { JSONValue.string($0).yaml }).joined(separator: ", "))]"
            )
        }
        let isText = if case .string = field.type { true } else { false }
        switch dates.reading(of: values) {
        case .pattern(let pattern, let evidence)? where field.type.format == pattern:
            lines.append("written so: \(evidence)")
        case .either(let dayFirst, let monthFirst)? where isText:
            lines.append(
                "dates whose day or month comes first, and no value tells which: type: date (or datetime) with format: "
                    + "\(quoted(dayFirst)) or \(quoted(monthFirst))")
        default: break
        }
        switch amounts.reading(of: values) {
        case .one(_, let evidence)? where !isText: if !evidence.isEmpty { lines.append("written so: \(evidence)") }
        case .several(let readings)? where isText:
            let ways = readings.map(\.words).joined(separator: ", or ")
            lines.append("numbers with a mark that no value tells the meaning of: \(ways)")
        default: break
        }
        if codes > 0, isText { lines.append("\(codes) values are digits after zeros: codes, which numbers would cut") }
        if scientific > 0, field.isNumeric {
            lines.append(
                "\(scientific) numbers in scientific notation, as spreadsheets write long ones: the digits that are missing are "
                    + "lost; have identifiers sent as text")
        }
        if thirds == values, field.type == .number, values >= Self.rowsToTell {
            lines.append(
                "every number has three digits behind its point: if that groups thousands, it is type: integer with "
                    + "groupChar: \".\"")
        }
        return lines
    }

    /// What the column may be for, and what personal data is in it.
    private func settings(_ field: Field) -> [String] {
        var lines: [String] = []
        var settings: [String] = []
        let found = entities.values.reduce(0) { $0 + $1.inside + $1.whole }
        if let entity {
            let isKept = field.undeclaredPII == .allow ? ", and are not masked" : ""
            lines.append("\(entity.count) of \(searched) values looked at are personal data\(isKept)")
            if field.pii == nil { settings.append("pii: { entity: \(entity.name), operator: replace }") }
        } else if let role = role(field.type), field.role != role {
            settings.append("role: \(role.rawValue)")
        }
        if entity == nil, found > 0 {
            let names = entities.keys.sorted().joined(separator: ", ")
            lines.append("personal data in about \(found) of \(searched) values looked at: \(names)")
            if field.pii == nil { settings.append("pii: { scan: true, operator: replace }") }
        }
        if found == 0, case .string = field.type, let named = ColumnNames.proposal(name), named.isListed {
            lines.append(
                "not masked; by its name this is somebody's: sluice: { pii: { entity: \(named.name), operator: replace } }"
            )
        }
        if !settings.isEmpty {
            let isSet = field.pii != nil || field.role != nil || field.form != nil || field.undeclaredPII != nil
            lines.append((isSet ? "or else sluice: { " : "sluice: { ") + settings.joined(separator: ", ") + " }")
        }
        return lines
    }

    /// Whether values that differ in one file may be meant to differ: texts and whole numbers, not measures and times.
    private func mayBeKey(_ type: FieldType) -> Bool {
        if case .string = type { return longest <= 64 }
        return type == .integer
    }

    /// What the column's name and values suggest that it is for.
    private func role(_ type: FieldType) -> FieldRole? {
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

    /// What nearly every value is, when a few are not.
    private var nearMiss: String? {
        let numeric = codes > 0 ? 0 : count(.integer) + count(.number)
        var candidates = [
            ("number", numeric), ("boolean", count(.boolean)), ("date", count(.date)), ("datetime", count(.datetime)),
            ("email", count(.email)), ("uuid", count(.uuid)),
        ]
        if let (found, pattern) = dates.mostly(of: values) { candidates.append(("date as \(pattern)", found)) }
        guard let best = candidates.max(by: { $0.1 < $1.1 }), best.1 < values, best.1 * 10 >= values * 9 else {
            return nil
        }
        return "\(values - best.1) of \(values) values are no \(best.0); if they are mistakes, declare \(best.0)"
    }

    private func month(_ packed: Int) -> String {
        let (year, month) = packed.quotientAndRemainder(dividingBy: 100)
        let padding = String(repeating: "0", count: max(0, 4 - String(year).count))
        return "\(padding)\(year)-\(month < 10 ? "0" : "")\(month)"
    }
}

extension WrittenAmounts.Reading {
    /// The marks, as they are declared.
    fileprivate var words: String {
        var parts = ["type: \(isInteger ? "integer" : "number")"]
        if let groupChar { parts.append("groupChar: \(quoted(groupChar))") }
        if decimalChar != "." { parts.append("decimalChar: \(quoted(decimalChar))") }
        if !bareNumber { parts.append("bareNumber: false") }
        return parts.joined(separator: " with ")
    }
}

extension Field {
    /// Whether its numbers have no marks.
    fileprivate var isPlainNumber: Bool { decimalChar == "." && groupChar == nil && bareNumber }

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

extension JSONValue {
    /// As YAML on one line.
    fileprivate var yaml: String {
        switch self {
        case .array(let items):
            "[" + items.map { $0.text.map { "\"\(escaped($0))\"" } ?? $0.yaml }.joined(separator: ", ") + "]"
        case .object(let members):
            "{ " + members.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value.yaml)" }.joined(separator: ", ")
                + " }"
        case .string(let text): yamlScalar(text)
        default: text(pretty: false)
        }
    }

    private func escaped(_ text: String) -> String {
        let scalar = yamlScalar(text)
        return scalar.hasPrefix("\"") ? String(scalar.dropFirst().dropLast()) : scalar
    }
}
