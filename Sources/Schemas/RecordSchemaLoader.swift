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
        let compiled = try root.jsonSchema()
        var fields: [Field] = []
        if let properties = root["properties"] {
            for name in try properties.keys() {
                guard let property = properties[name] else { continue }
                guard !name.isEmpty, name.utf8.count <= 1024 else {
                    throw property.error(.outOfRange, "a field name has 1 to 1024 bytes", atKey: true)
                }
                var field = Field(name: name, type: type(of: property))
                if property.value.members != nil {
                    field.title = try property["title"]?.lexeme()
                    if let settings = property["sluice"] { try loadFieldSettings(settings, into: &field) }
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
        if let settings = root["sluice"] { try loadSettings(settings, into: &schema) }
        return schema
    }

    /// Numbers can be screened; all else is whatever the schema says.
    private func type(of property: Cursor) -> FieldType {
        let words =
            property["type"].map { $0.value.text.map { [$0] } ?? $0.value.items?.compactMap(\.text) ?? [] } ?? []
        let types = Set(words).subtracting(["null"])
        return types == ["integer"]
            ? .integer : types.isSubset(of: ["integer", "number"]) && !types.isEmpty ? .number : .any
    }
}
