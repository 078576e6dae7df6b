import Schemas
import Tabular
import Testing

@Suite struct InferenceTests {
    /// Infers from rows of bare cells.
    private func infer(_ columns: [String], _ rows: [[String]], kind: CellKind = .bare, isJSON: Bool = false)
        -> SchemaInference
    {
        var inference = SchemaInference(columns: columns, isJSON: isJSON)
        for row in rows {
            for (index, cell) in row.enumerated() {
                let bytes = Array(cell.utf8)
                inference.add(column: index, kind: kind, bytes: bytes.span, range: 0..<bytes.count)
            }
            inference.endRow()
        }
        return inference
    }

    @Test(arguments: [
        (["1", "-2", "+3"], FieldType.integer), (["1", "2.5", "1e3", ".5"], .number),
        (["007", "12"], .string(.default)),
        (["1234567890123456"], .string(.default)), (["true", "FALSE"], .boolean), (["1", "true"], .string(.default)),
        (["2020-02-29"], .date(.iso)), (["2021-02-29"], .string(.default)), (["12:30:00"], .time(.iso)),
        (["2020-01-01T00:00:00Z", "2020-01-01T00:00:00.5+02:00"], .datetime(.iso)),
        (["2020-01-01 00:00:00"], .datetime(.pattern("%Y-%m-%d %H:%M:%S"))),
        (["a@b.example", "x.y+z@q.org"], .string(.email)), (["https://a.example/x", "s3://b/c"], .string(.uri)),
        (["123e4567-e89b-12d3-a456-426614174000"], .string(.uuid)), (["a@b@c.example"], .string(.default)),
        (["hello", "1"], .string(.default)), (["", ""], .any), (["1", "", "NA"], .integer), (["-", "1.5"], .number),
        (["nan", "5"], .integer), (["nan", "x"], .string(.default)), (["1."], .string(.default)),
        (["1e"], .string(.default)),
    ])
    func `a type needs every value`(cells: [String], type: FieldType) {
        #expect(infer(["c"], cells.map { [$0] }).schema().fields[0].type == type)
    }

    @Test func `missing value words count in typed columns only`() {
        let schema = infer(["n", "t"], [["1", "a"], ["NA", "NA"], ["nan", "null"], ["", ""]]).schema()
        #expect(schema.fields[0].missingValues == ["", "NA", "nan"])
        #expect(schema.fields[1].missingValues == nil)
        #expect(schema.isInferred && schema.unknownFields == .keep && schema.missingValues == [""])
    }

    @Test func `JSON kinds decide in JSON`() {
        #expect(infer(["a"], [["1"], ["2"]], kind: .quoted, isJSON: true).schema().fields[0].type == .string(.default))
        #expect(infer(["a"], [["1"], ["2"]], kind: .quoted).schema().fields[0].type == .integer)
        #expect(infer(["a"], [["1"], ["2.0"]], kind: .number, isJSON: true).schema().fields[0].type == .number)
        #expect(infer(["a"], [["{}"]], kind: .object, isJSON: true).schema().fields[0].type == .object)
        #expect(infer(["a"], [["[]"]], kind: .array, isJSON: true).schema().fields[0].type == .array)
        #expect(infer(["a"], [["null"]], kind: .null, isJSON: true).schema().fields[0].type == .any)
        var mixed = infer(["a"], [["{}"]], kind: .object, isJSON: true)
        mixed.add(column: 0, kind: .number, bytes: [0x31].span, range: 0..<1)
        #expect(mixed.schema().fields[0].type == .any)
        // A type that refuses half of the very rows it was inferred from is none.
        for (native, text) in [(CellKind.number, "x1"), (.number, "2026-01-01"), (.boolean, "true"), (.number, "1")] {
            var both = infer(["a"], [[native == .boolean ? "true" : "17"]], kind: native, isJSON: true)
            let bytes = Array(text.utf8)
            both.add(column: 0, kind: .quoted, bytes: bytes.span, range: 0..<bytes.count)
            #expect(both.schema().fields[0].type == .any)
        }
        var words = infer(["a"], [["true"]], kind: .boolean, isJSON: true)
        words.add(column: 0, kind: .number, bytes: [0x31].span, range: 0..<1)
        #expect(words.schema().fields[0].type == .any)
    }

    @Test func `the document loads to the very contract, and shows no value of a text`() throws {
        let rows = (0..<100).map {
            [
                "\(1037 + $0 * 7)", "secret-\($0 % 3)", "19\(10 + $0 % 80)-03-17", $0 == 0 ? "NA" : "0.\(137 + $0)",
                "p\($0)@x.example",
            ]
        }
        let inference = infer(["id", "wei\"rd: name\n", "born", "no", "mail"], rows)
        let yaml = inference.yaml(name: "people 2026\n# x")
        let loaded = try contract(yaml)
        #expect(loaded.warnings.isEmpty && loaded.schema.fields == inference.schema().fields)
        #expect(loaded.schema.name == "people 2026\n# x" && loaded.schema.unknownFields == .keep)
        #expect(!yaml.contains("secret") && !yaml.contains("@") && !yaml.contains("1037") && !yaml.contains("-17"))
        #expect(yaml.contains("# from about 1000 to about 1800") && yaml.contains("# from 1910-03 to 1989-03"))
        #expect(yaml.contains("# from about 0.13 to about 0.24") && yaml.contains("# 3 distinct values"))
        #expect(yaml.contains("all values differ") && yaml.contains("99 of 100 rows have a value"))
        #expect(yaml.contains("vocabulary") && !yaml.contains("enum: ["))
    }

    @Test func `near misses are told, not assumed`() {
        let rows = (0..<50).map { ["\($0)"] } + [["oops"]]
        let inference = infer(["n"], rows)
        #expect(inference.schema().fields[0].type == .string(.default))
        #expect(inference.yaml(name: "x").contains("1 of 51 values are no number"))
    }

    @Test func `repeated and empty column names make one field and none`() throws {
        let inference = infer(["a", "a", ""], [["1", "2", "3"]])
        #expect(inference.schema().fields.map(\.name) == ["a"])
        #expect(throws: Never.self) { try contract(inference.yaml(name: "true")) }
    }

    @Test func `memory is bounded however many values come`() {
        let inference = infer(["a"], (0..<6000).map { ["\($0)"] })
        #expect(inference.yaml(name: "x").contains("many distinct values"))
    }
}
