import Recognition
import Tabular

/// Writes a proposed field as YAML, with comments on the evidence.
extension ColumnSummary {
    /// The field in YAML with its comments.
    ///
    /// - Parameters:
    ///   - field: the proposed field.
    ///   - rows: rows of the file.
    func yaml(_ field: Field, rows: Int) -> String {
        var text = "  - name: \(yamlScalar(name))\n    type: \(field.type.name)\n"
        for (key, value) in field.inferred where key != "name" && key != "type" {
            text += "    \(key): \(value.yaml)\n"
        }
        for line in remarks(field, rows: rows) { text += "    # \(line)\n" }
        return text
    }

    /// The evidence, and last the settings that it suggests, one line each.
    private func remarks(_ field: Field, rows: Int) -> [String] {
        let type = field.type
        guard values > 0 else { return ["no value was seen, so anything may come: declare the type"] }
        // In a column of text, words such as NA may be ordinary values.
        let asValues = zip(SchemaInference.missingTokens, tokens).filter { $0.1 > 0 && missingTokens.isEmpty }
        let values = values + asValues.reduce(0) { $0 + $1.1 }
        var lines = ["\(values) of \(rows) rows have a value"] + writingRemarks(field)
        var limits = values == rows ? ["required: true"] : []
        if type == .integer || type == .number, smallest <= largest, field.isPlainNumber {
            let (low, high) = (outward(smallest, up: false), outward(largest, up: true))
            lines.append("from about \(low) to about \(high)")
            // The rounded bounds of huge whole numbers are not exact, and a bound must never exclude an observed value.
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

    /// Remarks on the notation of values, if inference set it, if it needs a decision, or if it shows damage.
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

    /// The role that the column may have, and the personal data in it.
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
                "not masked, but its name suggests personal data: sluice: { pii: { entity: \(named.name), operator: replace } }"
            )
        }
        if !settings.isEmpty {
            let isSet = field.pii != nil || field.role != nil || field.form != nil || field.undeclaredPII != nil
            lines.append((isSet ? "or else sluice: { " : "sluice: { ") + settings.joined(separator: ", ") + " }")
        }
        return lines
    }

    /// The type of at least 90 % of the values, when a few do not fit it.
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
    /// The number marks, as a contract declares them.
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
}

extension JSONValue {
    /// The value as YAML on one line.
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
