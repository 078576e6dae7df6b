package import Tabular

extension Schema {
    /// The contract as a JSON Schema 2020-12 for JSON records. `sluice:` settings stand where the loader of JSON
    /// Schemas looks for them.
    ///
    /// - Parameter document: the contract's own document, for titles and settings.
    package func jsonSchema(_ document: JSONValue) -> ConvertedSchema {
        var writer = JSONSchemaWriter(schema: self)
        return writer.write(document)
    }
}

/// Writes a Table Schema as a JSON Schema, one property a field.
private struct JSONSchemaWriter {
    let schema: Schema
    private var out = ConvertedSchema(document: .null)

    init(schema: Schema) { self.schema = schema }

    /// The schema for one record, with notes on constraints that span records.
    mutating func write(_ document: JSONValue) -> ConvertedSchema {
        var properties: [String: JSONValue] = [:]
        for (index, field) in schema.fields.enumerated() {
            let source = document["fields"]?.items?[index] ?? .null
            properties[field.name] = .object(property(field, index, source))
        }
        var members: [String: JSONValue] = [
            "$schema": jsonText("https://json-schema.org/draft/2020-12/schema"), "type": jsonText("object"),
            "properties": .object(properties),
        ]
        let required = schema.fields.filter { $0.constraints.required || schema.primaryKey.contains($0.name) }.map {
            jsonText($0.name)
        }
        if !required.isEmpty { members["required"] = .array(required) }
        if schema.unknownFields == .reject { members["additionalProperties"] = .bool(false) }
        for key in ["name", "version", "title", "description"] { members[key] = document[key] }
        if var settings = document["sluice"]?.members {
            for key in ["unknownFields", "references", "dialect", "dropColumns", "trailingDelimiter", "trimLabels"] {
                settings[key] = nil
            }
            if !settings.isEmpty { members["sluice"] = .object(settings) }
        }
        // Formats are assertions in a Table Schema and annotations in a JSON Schema, unless that is switched.
        if properties.values.contains(where: { $0["format"] != nil }) {
            var settings = members["sluice"]?.members ?? [:]
            var rules = settings["jsonSchema"]?.members ?? [:]
            rules["format"] = jsonText("assertion")
            settings["jsonSchema"] = .object(rules)
            members["sluice"] = .object(settings)
        }
        if !schema.primaryKey.isEmpty {
            out.note("primaryKey", "JSON Schema judges records one by one, so nothing is unique")
        }
        if !schema.uniqueKeys.isEmpty {
            out.note("uniqueKeys", "JSON Schema judges records one by one, so nothing is unique")
        }
        if !(document["foreignKeys"]?.items ?? []).isEmpty {
            out.note("foreignKeys", "JSON Schema knows one record only")
        }
        if schema.missingValues != [""], schema.missingValues != [] {
            out.note("missingValues", "in JSON a value is missing when it is null or not there")
        }
        if schema.fields.contains(where: { $0.isNumeric || $0.type == .boolean }) {
            out.note("fields", "numbers and truth values that are written as texts are refused")
        }
        if schema.fields.indices.contains(where: {
            schema.missingValues(of: $0).contains("") && !schema.fields[$0].constraints.required
        }) {
            out.note("fields", "an empty text is a value to JSON Schema, and null or nothing is none")
        }
        if document["sluice"]?["dialect"] != nil {
            out.note("sluice.dialect", "it was left out: the schema is for JSON")
        }
        out.document = .object(members)
        return out
    }

    // Long function: one constraint after the other.
    private mutating func property(_ field: Field, _ index: Int, _ source: JSONValue) -> [String: JSONValue] {
        var members = basis(field)
        let place = "fields.\(field.name)"
        let limits = field.constraints
        if field.isNumeric || field.type == .year {
            for (key, bound) in [
                ("minimum", limits.minimum), ("maximum", limits.maximum), ("exclusiveMinimum", limits.exclusiveMinimum),
                ("exclusiveMaximum", limits.exclusiveMaximum),
            ] { if let bound { members[key] = jsonNumber(bound) } }
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
            members[lengths.0] = limits.minLength.map(jsonWhole)
            members[lengths.1] = limits.maxLength.map(jsonWhole)
        }
        if let pattern = limits.pattern { members["pattern"] = jsonText("^(?:\(pattern))$") }
        if limits.unique { out.note(place, "JSON Schema judges records one by one, so nothing is unique") }
        if let allowed = limits.enumeration ?? field.categories {
            var values = allowed.map { field.isNumeric ? jsonNumber($0) : jsonText($0) }
            if field.type == .boolean { values = allowed.map { .bool(field.trueValues.contains($0) || $0 == "true") } }
            if field.type.isJSON { values = allowed.compactMap { try? JSONValue.parse(Array($0.utf8)) } }
            if !limits.required { values.append(.null) }
            members["enum"] = .array(values)
        }
        if let schema = source["constraints"]?["jsonSchema"] ?? source["sluice"]?["jsonSchema"] {
            members["allOf"] = .array([schema])
        }
        // An optional value may be null or, if it is a text, empty.
        if !limits.required, !schema.primaryKey.contains(field.name), let type = members["type"] {
            members["type"] = .array([type, jsonText("null")])
        } else if field.type == .string(.default), limits.required, limits.minLength ?? 0 == 0, limits.pattern == nil,
            members["enum"] == nil, schema.missingValues(of: index).contains("")
        {
            members["minLength"] = jsonWhole(1)
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
    private mutating func basis(_ field: Field) -> [String: JSONValue] {
        let place = "fields.\(field.name)"
        func string(_ format: String) -> [String: JSONValue] {
            ["type": jsonText("string"), "format": jsonText(format)]
        }
        func patterned(_ pattern: String) -> [String: JSONValue] {
            ["type": jsonText("string"), "pattern": jsonText(pattern)]
        }
        switch field.type {
        case .any: return [:]
        case .integer: return ["type": jsonText("integer")]
        case .number: return ["type": jsonText("number")]
        case .year: return ["type": jsonText("integer")]
        case .boolean: return ["type": jsonText("boolean")]
        case .string(.default): return ["type": jsonText("string")]
        case .string(.binary): return ["type": jsonText("string"), "contentEncoding": jsonText("base64")]
        case .string(.wkt):
            out.note(place, "JSON Schema has no format for well-known text")
            return ["type": jsonText("string")]
        case .string(let format): return string(format.rawValue)
        case .date(.iso): return string("date")
        case .datetime(.iso):
            out.note(place, "to JSON Schema a datetime has an offset")
            return string("date-time")
        case .time(.iso): return patterned("^[0-9]{2}:[0-9]{2}:[0-9]{2}")
        case .date, .datetime, .time:
            out.note(place, "JSON Schema has no format for its dates or times")
            return ["type": jsonText("string")]
        case .duration: return string("duration")
        case .yearmonth: return patterned("^[0-9]{4}-(0[1-9]|1[0-2])$")
        case .list:
            out.note(place, "a list is a text in JSON, whose items are not looked at")
            return ["type": jsonText("string")]
        case .object: return ["type": jsonText("object")]
        case .array: return ["type": jsonText("array")]
        case .geojson:
            out.note(place, "GeoJSON is any object to JSON Schema")
            return ["type": jsonText("object")]
        case .geopoint(.default): return patterned("^-?[0-9.]+, ?-?[0-9.]+$")
        case .geopoint(.array):
            let numbers: JSONValue = .object(["type": jsonText("number")])
            return ["type": jsonText("array"), "items": numbers, "minItems": jsonWhole(2), "maxItems": jsonWhole(2)]
        case .geopoint(.object):
            return ["type": jsonText("object"), "required": .array([jsonText("lon"), jsonText("lat")])]
        }
    }
}
