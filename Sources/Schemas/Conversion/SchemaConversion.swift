package import Tabular

/// A contract in another form, and what that form cannot say as it was said.
package struct ConvertedSchema: Sendable, Equatable {
    /// The document.
    package var document: JSONValue
    /// What is lost or stricter, each with its place; words of the contract only.
    package var notes: [String] = []

    /// A document that says all that it has to say.
    package init(document: JSONValue) { self.document = document }

    /// The same in the form that the published profile 2.0 takes: `fieldsMatch` is a word to the standard and a list to its profile.
    package var portable: ConvertedSchema {
        var copy = self
        if var members = document.members, let word = members["fieldsMatch"], word.text != nil {
            members["fieldsMatch"] = .array([word])
            copy.document = .object(members)
        }
        return copy
    }

    fileprivate mutating func note(_ place: String, _ what: String) { notes.append("\(place): \(what)") }
}

private func text(_ value: String) -> JSONValue { .string(value) }
private func whole(_ value: Int) -> JSONValue { .integer(Int64(value)) }

/// A number as it is written in a contract.
private func number(_ lexeme: String) -> JSONValue {
    if let whole = Int64(lexeme) { return .integer(whole) }
    return Double(lexeme).map { .number($0) } ?? .string(lexeme)
}

extension Schema {
    /// The contract as a JSON Schema 2020-12 of JSON records, with `sluice:` settings where our reader of such schemas finds them.
    ///
    /// - Parameter document: the contract's own document, for titles and settings.
    package func jsonSchema(_ document: JSONValue) -> ConvertedSchema {
        var out = ConvertedSchema(document: .null)
        var properties: [String: JSONValue] = [:]
        for (index, field) in fields.enumerated() {
            let source = document["fields"]?.items?[index] ?? .null
            properties[field.name] = .object(property(field, index, source, &out))
        }
        var members: [String: JSONValue] = [
            "$schema": text("https://json-schema.org/draft/2020-12/schema"), "type": text("object"),
            "properties": .object(properties),
        ]
        let required = fields.filter { $0.constraints.required || primaryKey.contains($0.name) }.map { text($0.name) }
        if !required.isEmpty { members["required"] = .array(required) }
        if unknownFields == .reject { members["additionalProperties"] = .bool(false) }
        for key in ["name", "version", "title", "description"] { members[key] = document[key] }
        if var settings = document["sluice"]?.members {
            for key in ["unknownFields", "references", "dialect", "dropColumns", "trailingDelimiter", "trimLabels"] {
                settings[key] = nil
            }
            if !settings.isEmpty { members["sluice"] = .object(settings) }
        }
        // Formats are rules in a Table Schema.
        if properties.values.contains(where: { $0["format"] != nil }) {
            var settings = members["sluice"]?.members ?? [:]
            var rules = settings["jsonSchema"]?.members ?? [:]
            rules["format"] = text("assertion")
            settings["jsonSchema"] = .object(rules)
            members["sluice"] = .object(settings)
        }
        if !primaryKey.isEmpty { out.note("primaryKey", "JSON Schema judges records one by one, so nothing is unique") }
        if !uniqueKeys.isEmpty { out.note("uniqueKeys", "JSON Schema judges records one by one, so nothing is unique") }
        if !(document["foreignKeys"]?.items ?? []).isEmpty {
            out.note("foreignKeys", "JSON Schema knows one record only")
        }
        if missingValues != [""], missingValues != [] {
            out.note("missingValues", "in JSON a value is missing when it is null or not there")
        }
        if fields.contains(where: { $0.isNumeric || $0.type == .boolean }) {
            out.note("fields", "numbers and truth values that are written as texts are refused")
        }
        if fields.indices.contains(where: { missingValues(of: $0).contains("") && !fields[$0].constraints.required }) {
            out.note("fields", "an empty text is a value to JSON Schema, and null or nothing is none")
        }
        if document["sluice"]?["dialect"] != nil {
            out.note("sluice.dialect", "it was left out: the schema is for JSON")
        }
        out.document = .object(members)
        return out
    }

    // Long function: one constraint after the other.
    private func property(
        _ field: Field, _ index: Int, _ source: JSONValue, _ out: inout ConvertedSchema
    ) -> [String: JSONValue] {
        var members = basis(field, &out)
        let place = "fields.\(field.name)"
        let limits = field.constraints
        if field.isNumeric || field.type == .year {
            for (key, bound) in [
                ("minimum", limits.minimum), ("maximum", limits.maximum), ("exclusiveMinimum", limits.exclusiveMinimum),
                ("exclusiveMaximum", limits.exclusiveMaximum),
            ] { if let bound { members[key] = number(bound) } }
        } else if limits.minimum ?? limits.maximum ?? limits.exclusiveMinimum ?? limits.exclusiveMaximum != nil {
            out.note(place, "JSON Schema has no limits of dates and times")
        }
        let lengths: (String, String) =
            switch field.type {
            case .array: ("minItems", "maxItems")
            case .object: ("minProperties", "maxProperties")
            default: ("minLength", "maxLength")
            }
        if case .list = field.type, limits.minLength ?? limits.maxLength != nil {
            out.note(place, "a list is a text in JSON, whose items are not counted")
        } else {
            members[lengths.0] = limits.minLength.map(whole)
            members[lengths.1] = limits.maxLength.map(whole)
        }
        if let pattern = limits.pattern { members["pattern"] = text("^(?:\(pattern))$") }
        if limits.unique { out.note(place, "JSON Schema judges records one by one, so nothing is unique") }
        if let allowed = limits.enumeration ?? field.categories {
            var values = allowed.map { field.isNumeric ? number($0) : text($0) }
            if field.type == .boolean { values = allowed.map { .bool(field.trueValues.contains($0) || $0 == "true") } }
            if field.type.isJSON { values = allowed.compactMap { try? JSONValue.parse(Array($0.utf8)) } }
            if !limits.required { values.append(.null) }
            members["enum"] = .array(values)
        }
        if let schema = source["constraints"]?["jsonSchema"] ?? source["sluice"]?["jsonSchema"] {
            members["allOf"] = .array([schema])
        }
        // What is not required may be null, or, for texts, empty.
        if !limits.required, !primaryKey.contains(field.name), let type = members["type"] {
            members["type"] = .array([type, text("null")])
        } else if field.type == .string(.default), limits.required, limits.minLength ?? 0 == 0, limits.pattern == nil,
            members["enum"] == nil, missingValues(of: index).contains("")
        {
            members["minLength"] = whole(1)
        }
        for key in ["title", "description"] { members[key] = source[key] }
        if var settings = source["sluice"]?.members {
            settings["jsonSchema"] = nil
            settings["column"] = nil
            if settings.removeValue(forKey: "path") != nil {
                out.note(place, "its path: a property of a JSON Schema is the member of its name; nest it by hand")
            }
            if !settings.isEmpty { members["sluice"] = .object(settings) }
        }
        return members
    }

    /// The type and format of a field's values in JSON.
    private func basis(_ field: Field, _ out: inout ConvertedSchema) -> [String: JSONValue] {
        let place = "fields.\(field.name)"
        func string(_ format: String) -> [String: JSONValue] { ["type": text("string"), "format": text(format)] }
        func patterned(_ pattern: String) -> [String: JSONValue] { ["type": text("string"), "pattern": text(pattern)] }
        switch field.type {
        case .any: return [:]
        case .integer: return ["type": text("integer")]
        case .number: return ["type": text("number")]
        case .year: return ["type": text("integer")]
        case .boolean: return ["type": text("boolean")]
        case .string(.default): return ["type": text("string")]
        case .string(.binary): return ["type": text("string"), "contentEncoding": text("base64")]
        case .string(.wkt):
            out.note(place, "JSON Schema has no format for well-known text")
            return ["type": text("string")]
        case .string(let format): return string(format.rawValue)
        case .date(.iso): return string("date")
        case .datetime(.iso):
            out.note(place, "to JSON Schema a datetime has an offset")
            return string("date-time")
        case .time(.iso): return patterned("^[0-9]{2}:[0-9]{2}:[0-9]{2}")
        case .date, .datetime, .time:
            out.note(place, "JSON Schema has no format for its dates or times")
            return ["type": text("string")]
        case .duration: return string("duration")
        case .yearmonth: return patterned("^[0-9]{4}-(0[1-9]|1[0-2])$")
        case .list:
            out.note(place, "a list is a text in JSON, whose items are not looked at")
            return ["type": text("string")]
        case .object: return ["type": text("object")]
        case .array: return ["type": text("array")]
        case .geojson:
            out.note(place, "GeoJSON is any object to JSON Schema")
            return ["type": text("object")]
        case .geopoint(.default): return patterned("^-?[0-9.]+, ?-?[0-9.]+$")
        case .geopoint(.array):
            let numbers: JSONValue = .object(["type": text("number")])
            return ["type": text("array"), "items": numbers, "minItems": whole(2), "maxItems": whole(2)]
        case .geopoint(.object): return ["type": text("object"), "required": .array([text("lon"), text("lat")])]
        }
    }

    /// A contract that is a JSON Schema as a Table Schema: its properties are fields, and what is inside of them stays JSON Schema.
    ///
    /// - Parameter document: the schema's own document.
    package func tableSchema(_ document: JSONValue) -> ConvertedSchema {
        var out = ConvertedSchema(document: .null)
        var found = Collected()
        collect(document, document, &found, isCertain: true, depth: 0)
        let fields = fields.map { field -> JSONValue in
            var property = found.properties[field.name] ?? .null
            if found.doubtful.contains(field.name) {
                out.note("properties.\(field.name)", "only some branches say this of it, and here it holds always")
                if found.isRepeated.contains(field.name) {
                    // Branches that differ: the name and its settings are all that is sure.
                    property = .object(property["sluice"].map { ["sluice": $0] } ?? [:])
                }
            }
            if let reference = property["$ref"]?.text, var target = resolved(reference, document)?.members {
                // What stands beside a reference holds too.
                for (key, value) in property.members ?? [:] where key != "$ref" { target[key] = value }
                property = .object(target)
            }
            return .object(
                self.field(field.name, property, isRequired: found.required.contains(field.name), document, &out))
        }
        var members: [String: JSONValue] = [
            "$schema": text("https://datapackage.org/profiles/2.0/tableschema.json"), "fields": .array(fields),
        ]
        for key in ["name", "version", "title", "description"] { members[key] = document[key] }
        var settings = document["sluice"]?.members ?? [:]
        settings["unknownFields"] = text(found.isClosed ? "reject" : "keep")
        out.note("fields", "an empty text is no value in a Table Schema, and neither is null where it is not required")
        if fields.contains(where: { ["integer", "number", "boolean"].contains($0["type"]?.text) }) {
            out.note("fields", "a Table Schema also takes numbers and truth values that are written as texts")
        }
        members["sluice"] = .object(settings)
        // Of branches that must all hold, the members were taken; other words of theirs are not looked for.
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

    /// What a schema says of a record's members, branches included, as the loader finds them.
    private struct Collected {
        var properties: [String: JSONValue] = [:]
        var required: Set<String> = []
        /// Named in branches that need not hold, and by several of them.
        var doubtful: Set<String> = []
        var isRepeated: Set<String> = []
        var isClosed = false
    }

    private func collect(
        _ schema: JSONValue, _ document: JSONValue, _ found: inout Collected, isCertain: Bool, depth: Int
    ) {
        guard depth < 16, schema.members != nil else { return }
        for (name, property) in schema["properties"]?.members ?? [:] {
            if !isCertain { found.doubtful.insert(name) }
            guard let known = found.properties[name] else {
                found.properties[name] = property
                continue
            }
            if known != property { found.isRepeated.insert(name) }
            // Settings stand once, wherever that is; and what certainly holds is worth more.
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
        if let target = schema["$ref"]?.text.flatMap({ resolved($0, document) }) {
            collect(target, document, &found, isCertain: isCertain, depth: depth + 1)
        }
        for part in schema["allOf"]?.items ?? [] {
            collect(part, document, &found, isCertain: isCertain, depth: depth + 1)
        }
        for part in ["anyOf", "oneOf"].flatMap({ schema[$0]?.items ?? [] })
            + ["if", "then", "else"].compactMap({ schema[$0] })
        {
            collect(part, document, &found, isCertain: false, depth: depth + 1)
        }
    }

    /// What a reference into the document leads to.
    private func resolved(_ reference: String, _ document: JSONValue) -> JSONValue? {
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
    private func field(
        _ name: String, _ property: JSONValue, isRequired: Bool, _ document: JSONValue, _ out: inout ConvertedSchema
    ) -> [String: JSONValue] {
        let place = "properties.\(name)"
        if property == .bool(false) { out.note(place, "it must not be there, which a Table Schema cannot say") }
        let words = property["type"].map { $0.text.map { [$0] } ?? $0.items?.compactMap(\.text) ?? [] } ?? []
        let types = words.filter { $0 != "null" }
        var field: [String: JSONValue] = ["name": text(name)]
        var limits: [String: JSONValue] = [:]
        var used: Set<String> = [
            "type", "title", "description", "sluice", "$comment", "examples", "default", "deprecated",
        ]
        let type = types.count == 1 ? types[0] : types.sorted() == ["integer", "number"] ? "number" : "any"
        if types.count > 1, type == "any" { out.note(place, "a field has one type; any takes all of them") }
        field["type"] = text(type)
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
            if let known = formats[format] { field["format"] = text(known) }
            if let other = others[format] { field["type"] = text(other) }
            if formats[format] != nil || others[format] != nil {
                used.insert("format")
                if document["sluice"]?["jsonSchema"]?["format"] != text("assertion") {
                    out.note(place, "its format becomes a rule")
                }
            }
            if property["contentEncoding"]?.text == "base64" {
                field["format"] = text("binary")
                used.insert("contentEncoding")
            }
            if field["type"] == text("string") {
                take("minLength", as: "minLength")
                take("maxLength", as: "maxLength")
                if let pattern = property["pattern"]?.text {
                    // Matched anywhere there, and by the whole value here.
                    limits["pattern"] = text(wholePattern(pattern))
                    used.insert("pattern")
                }
            }
        case "integer", "number":
            for key in ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"] { take(key, as: key) }
        case "object", "array":
            var rest = (property.members ?? [:]).filter { !used.contains($0.key) }
            // References inside lead where they led.
            if !rest.isEmpty {
                rest["$defs"] = rest["$defs"] ?? document["$defs"]
                rest["type"] = text(type)
                limits["jsonSchema"] = .object(rest)
            }
            used.formUnion(property.members?.keys.map { $0 } ?? [])
        default: break
        }
        if let allowed = property["enum"]?.items ?? property["const"].map({ [$0] }), type != "object", type != "array" {
            let values = allowed.filter { $0 != .null }
            if values.allSatisfy({ $0.text != nil || $0.double != nil || $0.flag != nil }), !values.isEmpty {
                // Without a type, the values tell it.
                if types.isEmpty {
                    let isText = values.allSatisfy { $0.text != nil }
                    field["type"] = text(isText ? "string" : values.allSatisfy { $0.whole != nil } ? "integer" : "any")
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

    /// A pattern that is found anywhere, as one that the whole value matches.
    private func wholePattern(_ pattern: String) -> String {
        // As we write them.
        if pattern.hasPrefix("^(?:"), pattern.hasSuffix(")$") {
            let inner = String(pattern.dropFirst(4).dropLast(2))
            if isBalanced(inner) { return inner }
        }
        var inner = pattern
        let isStart = inner.hasPrefix("^")
        let isEnd = inner.hasSuffix("$") && !inner.hasSuffix("\\$")
        if isStart { inner.removeFirst() }
        if isEnd { inner.removeLast() }
        // An alternative at the top would take the anchors apart.
        if isStart, isEnd, !inner.contains("|") { return inner }
        return "[\\s\\S]*?(?:\(pattern))[\\s\\S]*"
    }
}

/// Whether brackets close in the order they open, escapes and classes aside: then what is around them belongs together.
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

extension Schema {
    /// The contract as a Data Package of one resource.
    ///
    /// - Parameters:
    ///   - document: the contract's own document.
    ///   - path: where the data is, relative to the package.
    package func dataPackage(_ document: JSONValue, path: String) -> ConvertedSchema {
        var members = document.members ?? [:]
        var resource: [String: JSONValue] = [
            "name": text(name.isEmpty ? "data" : resourceName(name)), "path": text(path), "type": text("table"),
        ]
        if var settings = members["sluice"]?.members {
            resource["dialect"] = settings.removeValue(forKey: "dialect")
            resource["encoding"] = settings.removeValue(forKey: "encoding")
            members["sluice"] = .object(settings)
        }
        resource["schema"] = .object(members)
        var resources = [JSONValue.object(resource)]
        // What foreign keys refer to is a resource of the package, where it is a file.
        for key in foreignKeys {
            guard case .file = key.source, let file = document["sluice"]?["references"]?[key.resource]?["file"] else {
                continue
            }
            let other: JSONValue = .object(["name": text(key.resource), "path": file, "type": text("table")])
            if !resources.contains(other) { resources.append(other) }
        }
        var package: [String: JSONValue] = [
            "$schema": text("https://datapackage.org/profiles/2.0/datapackage.json"), "resources": .array(resources),
        ]
        if !name.isEmpty { package["name"] = text(resourceName(name)) }
        if !version.isEmpty { package["version"] = text(version) }
        return ConvertedSchema(document: .object(package))
    }

    /// A name as the standard has it: small letters, digits, and `.`, `_` and `-`.
    private func resourceName(_ name: String) -> String {
        String(name.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) ? $0 : "-" })
    }
}

/// The contract of one resource of a Data Package: its schema, with what the package says besides under `sluice:`.
package func tableSchema(
    ofPackage document: Document, resource wanted: String?
) throws(SchemaError) -> ConvertedSchema {
    let root = document.cursor
    guard let list = root["resources"] else { throw root.error(.missing, "a data package has resources:") }
    let items = try list.items()
    var names: [String] = []
    for item in items { names.append(try item["name"]?.text() ?? "") }
    let index: Int
    if let wanted {
        guard let found = names.firstIndex(of: wanted) else {
            throw list.error(
                .unknownValue,
                "there is no resource \(quoted(wanted))\(didYouMean(wanted, among: names)); there are \(listed(names))")
        }
        index = found
    } else {
        guard items.count == 1 else {
            throw list.error(.missing, "the package has \(items.count) resources: say which, one of \(listed(names))")
        }
        index = 0
    }
    let resource = items[index]
    guard let schema = resource["schema"] else {
        throw resource.error(.missing, "the resource has no schema; make one: sluice schema infer")
    }
    guard var members = schema.value.members else {
        throw schema.error(.unsupported, "the schema is in a file of its own; use that one")
    }
    var settings = members["sluice"]?.members ?? [:]
    if let dialect = resource["dialect"]?.value, dialect.members != nil { settings["dialect"] = dialect }
    if let encoding = resource["encoding"]?.value { settings["encoding"] = encoding }
    var places = settings["references"]?.members ?? [:]
    for key in members["foreignKeys"]?.items ?? [] {
        guard let name = key["reference"]?["resource"]?.text, places[name] == nil,
            let other = names.firstIndex(of: name), let path = items[other]["path"]?.value.text
        else { continue }
        places[name] = .object(["file": text(path)])
    }
    if !places.isEmpty { settings["references"] = .object(places) }
    if !settings.isEmpty { members["sluice"] = .object(settings) }
    if members["name"] == nil, !names[index].isEmpty { members["name"] = text(names[index]) }
    return ConvertedSchema(document: .object(members))
}
