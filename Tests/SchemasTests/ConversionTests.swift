import Schemas
import Tabular
import Testing

@Suite struct ConversionTests {
    /// The contract as JSON Schema, with the notes about it.
    private func toJSONSchema(_ text: String) throws -> ConvertedSchema {
        let loaded = try contract(text)
        return loaded.schema.jsonSchema(loaded.document)
    }

    private func toTable(_ text: String) throws -> ConvertedSchema {
        let loaded = try contract(text, name: "c.json")
        return loaded.schema.tableSchema(loaded.document)
    }

    private func json(_ text: String) throws -> JSONValue { try JSONValue.parse(Array(text.utf8)) }

    @Test(arguments: [
        (
            "type: integer\nconstraints: { minimum: -1, exclusiveMaximum: 9 }",
            #"{"type":["integer","null"],"minimum":-1,"exclusiveMaximum":9}"#
        ),
        ("type: number\nconstraints: { required: true, maximum: 0.5 }", #"{"type":"number","maximum":0.5}"#),
        ("type: string\nconstraints: { required: true }", #"{"type":"string","minLength":1}"#),
        (
            "type: string\nconstraints: { pattern: 'a|b', maxLength: 3 }",
            #"{"type":["string","null"],"pattern":"^(?:a|b)$","maxLength":3}"#
        ),
        ("type: string\nformat: email", #"{"type":["string","null"],"format":"email"}"#),
        ("type: string\nformat: binary", #"{"type":["string","null"],"contentEncoding":"base64"}"#),
        ("type: string\nconstraints: { enum: [x, y] }", #"{"type":["string","null"],"enum":["x","y",null]}"#),
        ("type: integer\ncategories: [1, 2]\nconstraints: { required: true }", #"{"type":"integer","enum":[1,2]}"#),
        ("type: boolean\nconstraints: { enum: ['true'], required: true }", #"{"type":"boolean","enum":[true]}"#),
        (
            "type: array\nconstraints: { minLength: 2, jsonSchema: { items: { type: integer } } }",
            #"{"type":["array","null"],"minItems":2,"allOf":[{"items":{"type":"integer"}}]}"#
        ),
        ("type: object\nconstraints: { maxLength: 2 }", #"{"type":["object","null"],"maxProperties":2}"#),
        ("type: any", "{}"), ("type: date", #"{"type":["string","null"],"format":"date"}"#),
        ("type: year\nconstraints: { minimum: 1999 }", #"{"type":["integer","null"],"minimum":1999}"#),
        ("type: yearmonth", #"{"type":["string","null"],"pattern":"^[0-9]{4}-(0[1-9]|1[0-2])$"}"#),
        (
            "type: string\ntitle: T\nsluice: { pii: { entity: PERSON } }",
            #"{"type":["string","null"],"title":"T","sluice":{"pii":{"entity":"PERSON"}}}"#
        ),
    ])
    func `a field becomes a property`(field: String, property: String) throws {
        let lines = field.split(separator: "\n").map { "    \($0)\n" }.joined()
        let made = try toJSONSchema("fields:\n  - name: v\n\(lines)")
        #expect(made.document["properties"]?["v"] == (try json(property)))
        #expect(made.notes.filter { !$0.hasPrefix("fields: ") } == [])
        _ = try Schema.load(Array(made.document.text(pretty: true).utf8), name: "made.json")
    }

    @Test func `what JSON Schema cannot say is told`() throws {
        let made = try toJSONSchema(
            """
            name: n
            primaryKey: [a]
            uniqueKeys: [[b]]
            foreignKeys: [{ fields: a, reference: { resource: x, fields: k } }]
            missingValues: ['', '-']
            fields:
              - { name: a, type: string, constraints: { unique: true } }
              - { name: b, type: date, constraints: { minimum: '2020-01-01' } }
              - { name: c, type: list, constraints: { minLength: 1 } }
              - { name: d, type: datetime, format: '%d.%m.%Y' }
              - { name: e, type: geojson, sluice: { path: /x/y } }
            sluice: { unknownFields: reject, dialect: { delimiter: ";" }, limits: { maxCellBytes: 10 } }

            """)
        #expect(
            Set(made.notes.map { String($0.prefix { $0 != ":" }) }) == [
                "fields.a", "fields.b", "fields.c", "fields.d", "fields.e", "primaryKey", "uniqueKeys", "foreignKeys",
                "missingValues", "sluice.dialect", "fields",
            ])
        #expect(
            made.document["required"] == .array([.string("a")]) && made.document["additionalProperties"] == .bool(false)
        )
        #expect(made.document["sluice"]?["limits"] != nil && made.document["name"] == .string("n"))
        #expect(made.document["sluice"]?["jsonSchema"]?["format"] == .string("assertion"))
    }

    @Test func `a JSON Schema becomes fields, and what is inside of them stays`() throws {
        let made = try toTable(
            ##"""
            {"$schema": "https://json-schema.org/draft/2020-12/schema", "name": "n", "required": ["id", "tags"],
             "additionalProperties": false, "minProperties": 1,
             "properties": {
               "id": {"$ref": "#/$defs/id", "title": "T"}, "mail": {"type": ["string", "null"], "format": "email"},
               "at": {"type": "string", "format": "date-time"}, "code": {"type": "string", "pattern": "^[A-Z]+$"},
               "part": {"type": "string", "pattern": "x|y"}, "kind": {"enum": ["a", "b", null]}, "n": {"const": 3},
               "tags": {"type": "array", "items": {"$ref": "#/$defs/id"}, "minItems": 1},
               "odd": {"type": "integer", "multipleOf": 3}, "any": {"type": ["string", "integer"]},
               "pii": {"type": "string", "sluice": {"pii": {"entity": "PERSON"}}}},
             "$defs": {"id": {"type": "integer", "minimum": 1}}}
            """##)
        let fields = Dictionary(
            uniqueKeysWithValues: (made.document["fields"]?.items ?? []).map { ($0["name"]?.text ?? "", $0) })
        let wanted = [
            "id": #"{"name":"id","type":"integer","title":"T","constraints":{"minimum":1,"required":true}}"#,
            "mail": #"{"name":"mail","type":"string","format":"email"}"#, "at": #"{"name":"at","type":"datetime"}"#,
            "code": #"{"name":"code","type":"string","constraints":{"pattern":"[A-Z]+"}}"#,
            "part": #"{"name":"part","type":"string","constraints":{"pattern":"[\\s\\S]*?(?:x|y)[\\s\\S]*"}}"#,
            "kind": #"{"name":"kind","type":"string","constraints":{"enum":["a","b"]}}"#,
            "n": #"{"name":"n","type":"integer","constraints":{"enum":[3]}}"#,
            "odd": #"{"name":"odd","type":"integer"}"#,
            "any": #"{"name":"any","type":"any"}"#,
            "pii": #"{"name":"pii","type":"string","sluice":{"pii":{"entity":"PERSON"}}}"#,
        ]
        for (name, text) in wanted { #expect(fields[name] == (try json(text)), "\(name)") }
        #expect(fields["tags"]?["constraints"]?["jsonSchema"]?["items"]?["$ref"] != nil)
        #expect(fields["tags"]?["constraints"]?["required"] == .bool(true))
        #expect(
            made.notes.map { String($0.prefix { $0 != ":" }) }.sorted() == [
                "fields", "fields", "minProperties", "properties.any", "properties.at", "properties.mail",
                "properties.odd",
            ])
        let again = try Schema.load(Array(made.document.text(pretty: true).utf8), name: "made.json")
        #expect(again.warnings == [] && again.schema.unknownFields == .reject)
        #expect(again.schema.fields.first?.name == "id", "in the order of the schema")
    }

    /// A contract that lost its masks in a conversion would release what they were meant to mask.
    @Test(arguments: [
        ##"{"properties": {"id": {"type": "integer"}}, "allOf": [{"properties": {"email": P}, "required": ["email"]}]}"##,
        ##"{"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/B"}, "B": {"properties": {"email": P}, "required": ["email"]}}}"##,
        ##"{"properties": {"id": {}}, "anyOf": [{"properties": {"email": P}}, {"properties": {"email": {"type": "null"}}}]}"##,
    ])
    func `settings in branches come along`(text: String) throws {
        let mail =
            #"{"type": "string", "maxLength": 9, "sluice": {"pii": {"entity": "EMAIL_ADDRESS", "operator": "redact"}}}"#
        let made = try toTable(text.replacing("P}", with: mail + "}"))
        let again = try Schema.load(Array(made.document.text(pretty: true).utf8), name: "made.json").schema
        let field = try #require(again.fields.first { $0.name == "email" })
        #expect(field.pii?.operation == .redact)
        let isCertain = !text.contains("anyOf")
        #expect((field.constraints.maxLength == 9) == isCertain && field.constraints.required == isCertain)
        #expect(made.notes.contains { $0.hasPrefix("properties.email") } == !isCertain)
    }

    @Test func `a package is taken apart and put together`() throws {
        let package = """
            {"resources": [
              {"name": "customers", "path": "customers.csv", "schema": {"fields": [{"name": "id"}]}},
              {"name": "orders", "path": "o.csv", "dialect": {"delimiter": ";"}, "encoding": "utf-8",
               "schema": {"fields": [{"name": "c"}], "fieldsMatch": "subset",
                 "foreignKeys": [{"fields": "c", "reference": {"resource": "customers", "fields": "id"}}]}}]}
            """
        let found = try document(package, name: "datapackage.json")
        let made = try tableSchema(ofPackage: found, resource: "orders").portable
        #expect(made.document["fieldsMatch"] == .array([.string("subset")]))
        let loaded = try Schema.load(Array(made.document.text(pretty: true).utf8), name: "orders.json")
        #expect(loaded.warnings == [] && loaded.schema.name == "orders")
        #expect(loaded.schema.dialect?.delimiter == UInt8(ascii: ";"))
        #expect(loaded.schema.foreignKeys.map(\.source) == [.file("customers.csv")])
        let back = loaded.schema.dataPackage(loaded.document, path: "o.csv").document
        let resources = try #require(back["resources"]?.items)
        #expect(resources.map { $0["name"] } == [.string("orders"), .string("customers")])
        #expect(
            resources[0]["dialect"]?["delimiter"] == .string(";")
                && resources[0]["schema"]?["sluice"]?["dialect"] == nil)
        for (wanted, hint) in [(nil, "give one of"), ("order", "did you mean \"orders\"")] as [(String?, String)] {
            let error = #expect(throws: SchemaError.self) { try tableSchema(ofPackage: found, resource: wanted) }
            #expect(error?.message.contains(hint) == true)
        }
        let bare = try document(#"{"resources": [{"name": "x", "path": "x.csv", "schema": "s.json"}]}"#, name: "d.json")
        #expect(throws: SchemaError.self) { try tableSchema(ofPackage: bare, resource: nil) }
    }

    @Test func `schemas refer to files that the contract names, and formats are rules when it says so`() throws {
        let text = """
            {"properties": {"m": {"$ref": "https://e.example/m"}}, "sluice": {"jsonSchema": {
              "format": "assertion", "documents": {"https://e.example/m": "m.json"}}}}
            """
        let found = try document(text, name: "c.json")
        #expect(try Schema.referencedDocuments(found) == ["https://e.example/m": "m.json"])
        #expect(throws: SchemaError.self) { try Schema.load(found) }
        let one = try Schema.load(found, documents: ["https://e.example/m": Array(#"{"format": "email"}"#.utf8)])
        let two = try Schema.load(found, documents: ["https://e.example/m": Array(#"{"format": "uri"}"#.utf8)])
        #expect(one.document != two.document, "what is referred to is a part of the contract")
        #expect(
            refusal(#"{"properties": {"m": {}}, "sluice": {"jsonSchema": {"format": "maybe"}}}"#, name: "c.json") != nil
        )
        #expect(
            refusal(#"{"properties": {"m": {}}, "sluice": {"jsonSchema": {"formats": true}}}"#, name: "c.json") != nil)
    }
}
