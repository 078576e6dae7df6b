import Foundation
import Lineage
import Reading
import Schemas
import Screening
import Tabular
import Testing

@testable import Ingestion

/// A JSON Schema as a contract, and together with other constraints of a field.
@Suite struct `JSON Schema contracts` {
    static let schema = """
        {"$schema": "https://json-schema.org/draft/2020-12/schema", "name": "people", "type": "object",
         "required": ["id"], "unevaluatedProperties": false,
         "properties": {
           "id": {"type": "integer", "minimum": 1},
           "mail": {"$ref": "#/$defs/mail", "sluice": {"pii": {"entity": "EMAIL_ADDRESS", "operator": "replace"}}},
           "age": {"type": ["number", "null"], "maximum": 150},
           "tags": {"type": "array", "items": {"type": "string"}, "uniqueItems": true}},
         "$defs": {"mail": {"type": "string", "pattern": "@"}},
         "sluice": {"batch": {"maxRejectedRate": 0.9}}}
        """

    @Test func `members that only branches name are fields too, and are masked`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let schema = ##"""
            {"$schema": "https://json-schema.org/draft/2020-12/schema", "oneOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/b"}],
             "sluice": {"batch": {"maxRejectedRate": 0.9}},
             "$defs": {
               "a": {"required": ["k"], "properties": {"k": {"const": "a"},
                 "mail": {"type": "string", "sluice": {"pii": {"entity": "EMAIL_ADDRESS", "operator": "replace"}}}}},
               "b": {"required": ["k"], "properties": {"k": {"const": "b"}, "n": {"type": "integer"}, "": {"type": "string"}}}}}
            """##
        let loaded = try Schema.load(Array(schema.utf8), name: "events.schema.json")
        #expect(loaded.schema.fields.map(\.name) == ["k", "mail", "n", ""])
        let path = try shop.write(
            "e.jsonl",
            "{\"k\": \"a\", \"mail\": \"x@y.example\"}\n{\"k\": \"b\", \"n\": 1, \"\": \"e\"}\n{\"k\": \"c\"}\n{\"k\": \"b\", \"\": 1}\n"
        )
        let report = try await Pipeline(store: shop.store, writes: true).run(
            BatchRequest(
                BatchInput(file: path), schema: Schema.digested(loaded), contract: loaded.document, dataset: "d",
                source: "s",
                options: BatchOptions()))
        #expect(report.listed.filter { $0.outcome == .rejected }.map(\.row) == [3, 4])
        let out = try report.published.filter { $0.hasPrefix("accepted") }.map(shop.opened).joined()
        #expect(out.contains("<EMAIL_ADDRESS>") && !out.contains("x@y") && out.contains("\"\": \"e\""))
        // With the settings given twice it would be unclear which apply.
        let twice = schema.replacing("\"k\": {\"const\": \"b\"}", with: "\"mail\": {\"sluice\": {\"role\": \"key\"}}")
        #expect(throws: SchemaError.self) { try Schema.load(Array(twice.utf8), name: "events.schema.json") }
    }

    @Test func `a JSON Schema judges every record, and its properties are fields`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let loaded = try Schema.load(Array(Self.schema.utf8), name: "people.schema.json")
        #expect(loaded.warnings.isEmpty && loaded.schema.fields.map(\.name) == ["id", "mail", "age", "tags"])
        let rows = """
            {"id": 1, "mail": "a@b.example", "age": null}
            {"id": 2.0, "tags": ["x", "\\u0078"]}
            {"id": 3, "mail": "none"}
            {"id": 4, "age": 151}
            {"age": 5}
            {"id": 6, "more": 1}
            {"id": 99999999999999999999, "age": 1e2, "tags": []}

            """
        let path = try shop.write("a.jsonl", rows)
        let report = try await Pipeline(store: shop.store, writes: true).run(
            BatchRequest(
                BatchInput(file: path), schema: Schema.digested(loaded), contract: loaded.document, dataset: "d",
                source: "s",
                options: BatchOptions()))
        let found = report.listed.filter { $0.outcome == .rejected }
        #expect(found.map(\.row) == [2, 3, 4, 5, 6] && found.allSatisfy { $0.code == .jsonSchemaError })
        #expect(
            found.map(\.keyword) == [
                "#/properties/tags/uniqueItems", "#/$defs/mail/pattern", "#/properties/age/maximum", "#/required",
                "#/unevaluatedProperties",
            ])
        let out = try report.published.filter { $0.hasPrefix("accepted") }.map(shop.opened).joined()
        #expect(out.contains("<EMAIL_ADDRESS>") && out.contains("99999999999999999999") && !out.contains("@"))
        // It does not apply to CSV.
        let csv = try shop.write("a.csv", "id\n1\n")
        let error = await #expect(throws: IngestionError.self) {
            try await Pipeline(store: shop.store, writes: true).run(
                BatchRequest(
                    BatchInput(file: csv), schema: Schema.digested(loaded), contract: loaded.document, dataset: "d",
                    source: "s",
                    options: BatchOptions()))
        }
        #expect(error?.code == .configuration)
    }

    @Test func `a field's JSON Schema judges its value, in JSON and in CSV`() async throws {
        let contract = """
            fields:
              - { name: id, type: integer }
              - name: v
                type: object
                constraints:
                  minLength: 1
                  jsonSchema: { properties: { a: { type: integer, multipleOf: 0.5 } }, required: [a] }
            sluice: { batch: { maxRejectedRate: 0.9 } }
            """
        let loaded = try Schema.load(Array(contract.utf8), name: "c.yaml")
        for (name, text) in [
            (
                "a.jsonl",
                "{\"id\":1,\"v\":{\"a\":1}}\n{\"id\":2,\"v\":{\"a\":\"1\"}}\n{\"id\":3,\"v\":{}}\n{\"id\":4}\n"
            ),
            ("a.csv", "id,v\n1,\"{\"\"a\"\":1}\"\n2,\"{\"\"a\"\":\"\"1\"\"}\"\n3,{}\n4,\n"),
        ] {
            let shop = try Workshop()
            defer { shop.remove() }
            let report = try await Pipeline(store: shop.store, writes: true).run(
                BatchRequest(
                    BatchInput(file: try shop.write(name, text)), schema: Schema.digested(loaded),
                    contract: loaded.document,
                    dataset: "d",
                    source: "s", options: BatchOptions()))
            let found = report.listed.filter { $0.outcome == .rejected }
            #expect(
                found.map(\.row) == [2, 3] && found.map(\.code) == [.jsonSchemaError, .minLengthError],
                "\(name) \(found)")
            #expect(found.first?.keyword == "#/properties/a/type" && found.first?.field == 1)
        }
    }

    @Test(arguments: [
        (##"{"properties":{"a":{"type":"strng"}}}"##, "1:28", "did you mean \"string\""),
        (##"{"properties":{"a":{"$ref":"#/$defs/x"}}}"##, "1:28", "no target"),
        (##"{"properties":{"a":{"$ref":"http://x.example/s"}}}"##, "1:28", "none is ever fetched"),
        (##"{"properties":{"a":{"minLength":-1}}}"##, "1:33", "0 or more"),
        (##"{"allOf":[{"$ref":"#"}],"properties":{"a":true}}"##, "1:1", "again and again"),
        (##"{"$schema":"http://json-schema.org/draft-07/schema#","properties":{"a":{}}}"##, "1:12", "2020-12 only"),
        (##"{"properties":{"a":{"items":[{}]}}}"##, "1:29", "prefixItems"),
    ]) func `a schema that cannot be used says where and why`(text: String, place: String, word: String) {
        let error = #expect(throws: SchemaError.self) { try Schema.load(Array(text.utf8), name: "s.json") }
        #expect(error?.description.contains(word) == true, "\(String(describing: error))")
        #expect(error?.description.contains("s.json:\(place)") == true, "\(String(describing: error))")
    }

    /// Ignoring a protection would release what it was meant to mask.
    @Test(arguments: [
        ##"{"properties":{"a":{"properties":{"b":{"sluice":{"pii":{"entity":"ID","operator":"drop"}}}}}}}"##,
        ##"{"properties":{"a":{"$ref":"#/$defs/x"}},"$defs":{"x":{"sluice":{"pii":{"entity":"ID","operator":"drop"}}}}}"##,
        ##"{"properties":{"a":{}},"patternProperties":{"^x":{"sluice":{"pii":{"entity":"ID","operator":"drop"}}}}}"##,
        ##"{"properties":{"a":{}},"sluice":{"references":{"x":{"file":"x.csv"}}}}"##,
        ##"{"properties":{"a":{}},"not":{"properties":{"b":{"sluice":{"role":"key"}}}}}"##,
        ##"{"properties":{"a":{"slucie":{"pii":{"entity":"ID","operator":"drop"}}}}}"##,
        ##"{"properties":{"a":{}},"slucie":{}}"##,
    ]) func `settings that nobody would read are refused`(text: String) {
        let error = #expect(throws: SchemaError.self) { try Schema.load(Array(text.utf8), name: "s.json") }
        #expect(error?.path.contains("sluice") == true || error?.message.contains("sluice") == true)
    }

    @Test func `typing errors in keywords are refused or warned about, names are no keywords`() throws {
        let text = ##"{"properties":{"sluce":{},"minimun":{"mnimun":1}},"requred":["a"],"x-own":1}"##
        let error = #expect(throws: SchemaError.self) { try Schema.load(Array(text.utf8), name: "s.json") }
        #expect(error?.path == "requred" && error?.code == .unknownKey, "\(String(describing: error))")
        let document = try loadDocument(Array(text.utf8), name: "s.json")
        let recorded = try Schema.load(document, isRecorded: true).warnings
        #expect(recorded.map(\.path) == ["properties.minimun.mnimun", "requred"])
        let other = text.replacingOccurrences(of: "requred", with: "x-other")
        let warnings = try Schema.load(Array(other.utf8), name: "s.json").warnings
        #expect(warnings.map(\.path) == ["properties.minimun.mnimun"])
        let generated = ##"{"$ref":"#/$defs/Row","$defs":{"Row":{"properties":{"a":{"type":"integer"}}}}}"##
        #expect(try Schema.load(Array(generated.utf8), name: "s.json").schema.fields.map(\.name) == ["a"])
    }

    @Test func `it does not judge arrays in place of objects`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let text = ##"{"properties":{"a":{"type":"integer"}},"sluice":{"dialect":{"itemType":"array"}}}"##
        let loaded = try Schema.load(Array(text.utf8), name: "s.json")
        let error = await #expect(throws: IngestionError.self) {
            try await Pipeline(store: shop.store, writes: true).run(
                BatchRequest(
                    BatchInput(file: try shop.write("a.json", "[[\"a\"],[1]]")), schema: Schema.digested(loaded),
                    contract: loaded.document,
                    dataset: "d", source: "s", options: BatchOptions()))
        }
        #expect(error?.code == .configuration)
    }

    /// Lines of records in an array, whose bytes begin after the preceding comma.
    @Test func `a record of an array is at the line where it begins to the eye`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let text = "[{\"id\":1},\n {\"id\":\"q\"},\n\n {\"id\":\"r\"}]\n"
        let loaded = try Schema.load(Array(Self.schema.utf8), name: "s.json")
        let report = try await Pipeline(store: shop.store, writes: true).run(
            BatchRequest(
                BatchInput(file: try shop.write("a.json", text)), schema: Schema.digested(loaded),
                contract: loaded.document,
                dataset: "d",
                source: "s", options: BatchOptions()))
        let lines = report.lines()
        #expect(report.listed.filter { $0.outcome == .rejected }.map { lines[$0.byteOffset] } == [2, 4])
        #expect(report.listed.filter { $0.outcome == .rejected }.map(\.field) == [0, 0])
    }
}
