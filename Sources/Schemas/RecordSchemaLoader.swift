import Tabular

extension SchemaLoader {
    /// Whether a document is a JSON Schema: it says so, or has its words and no fields.
    func isJSONSchema(_ root: Cursor) throws(SchemaError) -> Bool {
        if root["fields"] != nil { return false }
        if let address = root["$schema"]?.value.text, address.contains("json-schema.org") { return true }
        return ["properties", "$defs", "$ref", "allOf", "anyOf", "oneOf"].contains { root[$0] != nil }
    }

    /// A JSON Schema as a contract: it judges every record whole. Its properties are the fields that can be screened and masked;
    /// `sluice:` beside their keywords says how, as in a Table Schema.
    mutating func loadRecordSchema(_ root: Cursor) throws(SchemaError) -> Schema {
        let compiled = try root.jsonSchema(surroundings)
        try lint(root)
        var fields: [Field] = []
        var taken: [String] = []
        // Generators put everything under $defs and refer to it.
        var top = root
        if root["properties"] == nil, let reference = root["$ref"]?.value.text, reference.hasPrefix("#/") {
            top = root.at(pointer: String(reference.dropFirst()))
        }
        if let properties = top["properties"] {
            for name in try properties.keys() {
                guard let property = properties[name] else { continue }
                guard !name.isEmpty, name.utf8.count <= 1024 else {
                    throw property.error(.outOfRange, "a field name has 1 to 1024 bytes", atKey: true)
                }
                var field = Field(name: name, type: type(of: property))
                if property.value.members != nil {
                    field.title = try property["title"]?.lexeme()
                    if let settings = property["sluice"] {
                        try loadFieldSettings(settings, into: &field)
                        taken.append(settings.path)
                    }
                }
                fields.append(field)
            }
        }
        guard !fields.isEmpty else {
            throw root.error(
                .missing, "a JSON Schema as a contract needs properties: at its top, which are the fields of a record")
        }
        var schema = Schema(fields: fields)
        schema.name = try root["name"]?.lexeme() ?? ""
        schema.version = try root["version"]?.lexeme() ?? ""
        schema.recordSchema = compiled
        // What a record may have besides is the schema's to say.
        schema.unknownFields = .keep
        if let settings = root["sluice"] {
            try loadSettings(settings, into: &schema)
            taken.append(settings.path)
        }
        // A protection that nothing takes up would let through what it was written for.
        for stray in found where !taken.contains(stray.path) {
            throw stray.error(
                .inconsistent,
                "sluice: settings are read at the top, and beside the properties at the top; here nothing would be masked: move them there",
                atKey: true)
        }
        return schema
    }

    /// All `sluice` settings, and words that were meant as others.
    private mutating func lint(_ schema: Cursor) throws(SchemaError) {
        guard schema.value.members != nil else { return }
        for key in try schema.keys() {
            guard let member = schema[key] else { continue }
            if key == "sluice" {
                found.append(member)
            } else if Self.mapped.contains(key) {
                for name in (try? member.keys()) ?? [] { if let part = member[name] { try lint(part) } }
            } else if Self.single.contains(key) {
                try lint(member)
            } else if Self.listed.contains(key) {
                for part in (try? member.items()) ?? [] { try lint(part) }
            } else if !Self.others.contains(key), !key.hasPrefix("x-"), !key.hasPrefix("$"),
                let meant = suggestion(
                    for: key, among: Self.mapped + Self.single + Self.listed + Self.others + ["sluice"])
            {
                if meant == "sluice" {
                    throw member.error(
                        .unknownKey, "unknown key \(quoted(key)); did you mean \(quoted(meant))?", atKey: true)
                }
                warnings.append(
                    member.warning(
                        "\(quoted(key)) is no keyword of JSON Schema; did you mean \(quoted(meant))? it is ignored"))
            }
        }
    }

    private static let mapped = [
        "properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies",
    ]
    private static let single = [
        "additionalProperties", "items", "contains", "not", "if", "then", "else", "propertyNames", "unevaluatedItems",
        "unevaluatedProperties", "contentSchema",
    ]
    private static let listed = ["allOf", "anyOf", "oneOf", "prefixItems"]
    private static let others = [
        "type", "const", "enum", "multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
        "minLength",
        "maxLength", "pattern", "minItems", "maxItems", "uniqueItems", "minContains", "maxContains", "minProperties",
        "maxProperties", "required", "dependentRequired", "format", "title", "description", "default", "deprecated",
        "readOnly", "writeOnly", "examples", "contentEncoding", "contentMediaType", "name", "version", "example", "id",
    ]

    /// Numbers can be screened; all else is whatever the schema says.
    private func type(of property: Cursor) -> FieldType {
        let words =
            property["type"].map { $0.value.text.map { [$0] } ?? $0.value.items?.compactMap(\.text) ?? [] } ?? []
        let types = Set(words).subtracting(["null"])
        return types == ["integer"]
            ? .integer : types.isSubset(of: ["integer", "number"]) && !types.isEmpty ? .number : .any
    }
}
