import Tabular

extension SchemaLoader {
    /// Whether a document is a JSON Schema: `$schema` says so, or it has JSON Schema keywords and no `fields`.
    func isJSONSchema(_ root: Cursor) throws(SchemaError) -> Bool {
        if root["fields"] != nil { return false }
        if let address = root["$schema"]?.value.text, address.contains("json-schema.org") { return true }
        return ["properties", "$defs", "$ref", "allOf", "anyOf", "oneOf"].contains { root[$0] != nil }
    }

    /// Loads a JSON Schema as a contract. The schema judges each record as a whole. Its properties become fields that
    /// can be screened and masked, with `sluice:` settings beside their keywords.
    mutating func loadRecordSchema(_ root: Cursor) throws(SchemaError) -> Schema {
        let compiled = try root.jsonSchema(surroundings)
        try lint(root)
        var collector = PropertyCollector(root: root)
        collector.collect(root, depth: 0)
        var fields: [Field] = []
        var taken: Set<String> = []
        for (name, property) in collector.found {
            guard name.utf8.count <= 1024 else {
                throw property.error(.outOfRange, "a field name has at most 1024 bytes", atKey: true)
            }
            let known = placeOfField[name]
            var field = known.map { fields[$0] } ?? Field(name: name, type: type(of: property))
            // Branches disagree on the member's type, so it may be anything.
            if known != nil, field.type != type(of: property) { field.type = .any }
            if property.value.members != nil {
                if field.title == nil { field.title = try property["title"]?.lexeme() }
                if let settings = property["sluice"], !taken.contains(settings.path) {
                    guard field.pii == nil, field.role == nil else {
                        throw settings.error(
                            .inconsistent, "another branch has settings of \(quoted(name)) already; write them once",
                            atKey: true)
                    }
                    try loadFieldSettings(settings, into: &field)
                    taken.insert(settings.path)
                }
            }
            if let known {
                fields[known] = field
            } else {
                placeOfField[name] = fields.count
                fields.append(field)
            }
        }
        guard !fields.isEmpty else {
            throw root.error(
                .missing,
                "a JSON Schema as a contract needs properties:, at its top or in its branches, which are the fields of a record"
            )
        }
        var schema = Schema(fields: fields)
        schema.name = try root["name"]?.lexeme() ?? ""
        schema.version = try root["version"]?.lexeme() ?? ""
        schema.recordSchema = compiled
        // The schema itself decides whether a record may have other members.
        schema.unknownFields = .keep
        if let settings = root["sluice"] {
            if let stray = settings["references"] {
                throw stray.error(
                    .inconsistent, "a JSON Schema has no foreign keys, so nothing is referred to; use a Table Schema",
                    atKey: true)
            }
            try loadSettings(settings, into: &schema)
            taken.insert(settings.path)
        }
        // Ignoring a protection would release what it was meant to mask.
        for stray in found where !taken.contains(stray.path) {
            throw stray.error(
                .inconsistent,
                "sluice: settings are read at the top, and beside the properties of a record; nothing would be masked here: move them",
                atKey: true)
        }
        return schema
    }

    /// Collects all `sluice` settings, and refuses or warns about misspelt keywords.
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
                if meant == "sluice" || isMistyped(key, for: meant) {
                    try refuseKey(
                        member, isFirm: meant == "sluice",
                        "unknown key \(quoted(key)); did you mean \(quoted(meant))? it would be ignored as it stands")
                    continue
                }
                warnings.append(
                    member.warning(
                        "\(quoted(key)) is not a keyword of JSON Schema; did you mean \(quoted(meant))? it is ignored"))
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

    /// The type for row rules and statistics. Only the JSON Schema judges values.
    private func type(of property: Cursor) -> FieldType {
        let words =
            property["type"].map { $0.value.text.map { [$0] } ?? $0.value.items?.compactMap(\.text) ?? [] } ?? []
        let types = Set(words).subtracting(["null"])
        if !types.isEmpty, types.isSubset(of: ["integer", "number"]) {
            return types == ["integer"] ? .integer : .number
        }
        guard types.count == 1, let type = types.first else { return .any }
        switch type {
        case "boolean": return .boolean
        case "object": return .object
        case "array": return .array
        default:
            // A format that is not asserted guarantees nothing.
            guard surroundings.assertsFormat else { return .string(.default) }
            switch property["format"]?.value.text {
            case "date": return .date(.iso)
            case "date-time": return .datetime(.iso)
            default: return .string(.default)
            }
        }
    }
}

/// Finds the properties of the record itself: at the top level, behind references, and in branches.
private struct PropertyCollector {
    let root: Cursor
    private(set) var found: [(name: String, place: Cursor)] = []
    private var seen: Set<[String]> = []

    init(root: Cursor) { self.root = root }

    /// Collects the properties of a schema and of its branches, at most 4096 and 16 levels deep.
    mutating func collect(_ schema: Cursor, depth: Int) {
        guard depth < 16, found.count < 4096, schema.value.members != nil else { return }
        if let properties = schema["properties"] {
            for name in (try? properties.keys()) ?? [] {
                if let place = properties[name], seen.insert([name, place.path]).inserted {
                    found.append((name, place))
                }
            }
        }
        // Generated schemas often have everything under `$defs`.
        if let reference = schema["$ref"]?.value.text, reference.hasPrefix("#/") {
            collect(root.at(pointer: String(reference.dropFirst())), depth: depth + 1)
        }
        for key in ["allOf", "anyOf", "oneOf"] {
            for branch in (try? schema[key]?.items()) ?? [] { collect(branch, depth: depth + 1) }
        }
        for key in ["if", "then", "else"] {
            if let branch = schema[key] { collect(branch, depth: depth + 1) }
        }
    }
}
