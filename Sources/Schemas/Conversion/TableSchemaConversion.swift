package import Tabular

extension Schema {
    /// A JSON Schema contract as a Table Schema: each property becomes a field, and nested schemas stay JSON Schema.
    ///
    /// - Parameter document: the schema's own document.
    package func tableSchema(_ document: JSONValue) -> ConvertedSchema {
        var writer = TableSchemaWriter(document: document)
        return writer.write(self)
    }
}

/// Writes a JSON Schema as a Table Schema, one field a property.
private struct TableSchemaWriter {
    /// The properties that a schema and its branches name, by the loader's rules.
    private struct Collected {
        var properties: [String: JSONValue] = [:]
        var required: Set<String> = []
        /// Properties named only in branches that need not apply, and properties that branches describe differently.
        var doubtful: Set<String> = []
        var isRepeated: Set<String> = []
        var isClosed = false
    }

    let document: JSONValue
    private var found = Collected()
    private var out = ConvertedSchema(document: .null)

    init(document: JSONValue) { self.document = document }

    /// The Table Schema, with notes on keywords that it cannot express.
    mutating func write(_ schema: Schema) -> ConvertedSchema {
        collect(document, isCertain: true, depth: 0)
        var fields: [JSONValue] = []
        for field in schema.fields {
            var property = found.properties[field.name] ?? .null
            if found.doubtful.contains(field.name) {
                out.note("properties.\(field.name)", "only some branches say this of it, and here it holds always")
                if found.isRepeated.contains(field.name) {
                    // The branches disagree: only the name and its settings are certain.
                    property = .object(property["sluice"].map { ["sluice": $0] } ?? [:])
                }
            }
            if let reference = property["$ref"]?.text, var target = resolved(reference)?.members {
                // Since draft 2019-09, keywords beside `$ref` apply too.
                for (key, value) in property.members ?? [:] where key != "$ref" { target[key] = value }
                property = .object(target)
            }
            let isRequired = found.required.contains(field.name)
            fields.append(.object(self.field(field.name, property, isRequired: isRequired)))
        }
        var members: [String: JSONValue] = [
            "$schema": jsonText("https://datapackage.org/profiles/2.0/tableschema.json"), "fields": .array(fields),
        ]
        for key in ["name", "version", "title", "description"] { members[key] = document[key] }
        var settings = document["sluice"]?.members ?? [:]
        settings["unknownFields"] = jsonText(found.isClosed ? "reject" : "keep")
        out.note("fields", "an empty text is no value in a Table Schema, and neither is null where it is not required")
        if fields.contains(where: { ["integer", "number", "boolean"].contains($0["type"]?.text) }) {
            out.note("fields", "a Table Schema also takes numbers and truth values that are written as texts")
        }
        members["sluice"] = .object(settings)
        // The properties of `allOf` branches were collected; other keywords of the branches are reported as lost.
        let kept = [
            "$schema", "$id", "$ref", "$defs", "definitions", "type", "properties", "required", "additionalProperties",
            "name",
            "version", "title", "description", "sluice", "$comment", "examples", "allOf",
        ]
        for key in (document.members ?? [:]).keys.sorted() where !kept.contains(key) {
            out.note(key, "a Table Schema says nothing of whole records; a row rule (sluice.rules) may")
        }
        if let rest = document["additionalProperties"], rest.flag == nil {
            out.note("additionalProperties", "other members pass unchecked")
        }
        out.document = .object(members)
        return out
    }

    /// Collects the properties of a schema and, recursively, of its branches.
    ///
    /// - Parameters:
    ///   - schema: the schema or branch.
    ///   - isCertain: whether the branch must apply to every record.
    ///   - depth: nesting so far, which bounds the recursion.
    private mutating func collect(_ schema: JSONValue, isCertain: Bool, depth: Int) {
        guard depth < 16, schema.members != nil else { return }
        for (name, property) in schema["properties"]?.members ?? [:] {
            if !isCertain { found.doubtful.insert(name) }
            guard let known = found.properties[name] else {
                found.properties[name] = property
                continue
            }
            if known != property { found.isRepeated.insert(name) }
            // Settings stand in one branch only; the first found is kept.
            if known["sluice"] == nil, let settings = property["sluice"] {
                var members = known.members ?? [:]
                members["sluice"] = settings
                found.properties[name] = .object(members)
            }
        }
        if isCertain {
            found.required.formUnion((schema["required"]?.items ?? []).compactMap(\.text))
            if schema["additionalProperties"] == .bool(false) {
                found.isClosed = true
            }
        }
        if let target = schema["$ref"]?.text.flatMap({ resolved($0) }) {
            collect(target, isCertain: isCertain, depth: depth + 1)
        }
        for part in schema["allOf"]?.items ?? [] {
            collect(part, isCertain: isCertain, depth: depth + 1)
        }
        for part in ["anyOf", "oneOf"].flatMap({ schema[$0]?.items ?? [] })
            + ["if", "then", "else"].compactMap({ schema[$0] })
        {
            collect(part, isCertain: false, depth: depth + 1)
        }
    }

    /// The target of a reference within the document; nil for any other.
    private func resolved(_ reference: String) -> JSONValue? {
        guard reference.hasPrefix("#/") else { return nil }
        var found = document
        for token in reference.dropFirst(2).split(separator: "/") {
            let key = token.replacing("~1", with: "/").replacing("~0", with: "~")
            guard let next = found[String(key)] else { return nil }
            found = next
        }
        return found
    }

    // Long function: one keyword after the other.
    private mutating func field(
        _ name: String, _ property: JSONValue, isRequired: Bool
    ) -> [String: JSONValue] {
        let place = "properties.\(name)"
        if property == .bool(false) { out.note(place, "it must not be there, which a Table Schema cannot say") }
        let words = property["type"].map { $0.text.map { [$0] } ?? $0.items?.compactMap(\.text) ?? [] } ?? []
        let types = words.filter { $0 != "null" }
        var field: [String: JSONValue] = ["name": jsonText(name)]
        var limits: [String: JSONValue] = [:]
        var used: Set<String> = [
            "type", "title", "description", "sluice", "$comment", "examples", "default", "deprecated",
        ]
        let type = types.count == 1 ? types[0] : types.sorted() == ["integer", "number"] ? "number" : "any"
        if types.count > 1, type == "any" { out.note(place, "a field has one type; any takes all of them") }
        field["type"] = jsonText(type)
        func take(_ key: String, as other: String) {
            guard let value = property[key] else { return }
            limits[other] = value
            used.insert(key)
        }
        switch type {
        case "string":
            let formats = ["email": "email", "uri": "uri", "uuid": "uuid"]
            let others = ["date": "date", "date-time": "datetime", "duration": "duration"]
            let format = property["format"]?.text ?? ""
            if let known = formats[format] { field["format"] = jsonText(known) }
            if let other = others[format] { field["type"] = jsonText(other) }
            if formats[format] != nil || others[format] != nil {
                used.insert("format")
                if document["sluice"]?["jsonSchema"]?["format"] != jsonText("assertion") {
                    out.note(place, "its format becomes a rule")
                }
            }
            if property["contentEncoding"]?.text == "base64" {
                field["format"] = jsonText("binary")
                used.insert("contentEncoding")
            }
            if field["type"] == jsonText("string") {
                take("minLength", as: "minLength")
                take("maxLength", as: "maxLength")
                if let pattern = property["pattern"]?.text {
                    // A JSON Schema pattern may match anywhere, one of Table Schema must match the whole value (XML
                    // Schema regular expressions).
                    limits["pattern"] = jsonText(wholePattern(pattern))
                    used.insert("pattern")
                }
            }
        case "integer", "number":
            for key in ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"] { take(key, as: key) }
        case "object", "array":
            var rest = (property.members ?? [:]).filter { !used.contains($0.key) }
            // References inside the nested schema must still resolve.
            if !rest.isEmpty {
                rest["$defs"] = rest["$defs"] ?? document["$defs"]
                rest["type"] = jsonText(type)
                limits["jsonSchema"] = .object(rest)
            }
            used.formUnion(property.members?.keys.map { $0 } ?? [])
        default: break
        }
        if let allowed = property["enum"]?.items ?? property["const"].map({ [$0] }), type != "object", type != "array" {
            let values = allowed.filter { $0 != .null }
            if values.allSatisfy({ $0.text != nil || $0.double != nil || $0.flag != nil }), !values.isEmpty {
                // Without `type` the allowed values decide it.
                if types.isEmpty {
                    let isText = values.allSatisfy { $0.text != nil }
                    field["type"] = jsonText(
                        isText ? "string" : values.allSatisfy { $0.whole != nil } ? "integer" : "any")
                }
                limits["enum"] = .array(values)
                used.formUnion(["enum", "const"])
            }
        }
        if isRequired {
            limits["required"] = .bool(true)
            if words.contains("null") { out.note(place, "it must be there and may be null: a required field may not") }
        }
        for key in (property.members ?? [:]).keys.sorted() where !used.contains(key) {
            out.note(place, "\(key) has no counterpart in a Table Schema")
        }
        for key in ["title", "description", "sluice"] { field[key] = property[key] }
        if !limits.isEmpty { field["constraints"] = .object(limits) }
        return field
    }

    /// Rewrites a pattern that may match anywhere as one that matches the whole value.
    private func wholePattern(_ pattern: String) -> String {
        // Undoes the form in which `jsonSchema` writes a pattern.
        if pattern.hasPrefix("^(?:"), pattern.hasSuffix(")$") {
            let inner = String(pattern.dropFirst(4).dropLast(2))
            if isBalanced(inner) { return inner }
        }
        var inner = pattern
        let isStart = inner.hasPrefix("^")
        let isEnd = inner.hasSuffix("$") && !inner.hasSuffix("\\$")
        if isStart { inner.removeFirst() }
        if isEnd { inner.removeLast() }
        // With a top-level alternative each anchor would apply to one branch only.
        if isStart, isEnd, !inner.contains("|") { return inner }
        return "[\\s\\S]*?(?:\(pattern))[\\s\\S]*"
    }
}

/// Whether brackets are balanced, apart from escapes and character classes, so that an enclosing pair belongs together.
private func isBalanced(_ pattern: String) -> Bool {
    var (depth, isClass, isEscaped) = (0, false, false)
    for scalar in pattern.unicodeScalars {
        if isEscaped {
            isEscaped = false
        } else if scalar == "\\" {
            isEscaped = true
        } else if isClass {
            isClass = scalar != "]"
        } else if scalar == "[" {
            isClass = true
        } else if scalar == "(" {
            depth += 1
        } else if scalar == ")" {
            depth -= 1
            if depth < 0 { return false }
        }
    }
    return depth == 0 && !isClass && !isEscaped
}
