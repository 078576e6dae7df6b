import Schemas
import Tabular
import Testing

/// The same numbers in every run.
private struct FixedNumbers {
    var state: UInt64
    mutating func below(_ bound: UInt64) -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (state >> 33) % bound
    }
}

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
        (["1", "None", "#N/A", "n/a", "\\N", "<NA>", "?", "."], .integer), (["2020-01-01", "NaT"], .date(.iso)),
        (["2026-01-01 10:00:01.5", "2026-01-01T10:00:01"], .datetime(.iso)),
        (["2026-01-01 10:00:01+00:00"], .datetime(.iso)),
        (["2026-01-01 10:00:01", "2026-01-01"], .datetime(.any)), (["2026-01-01 10:00"], .datetime(.any)),
        (["2026/01/01 10:00:00+00", "2026/1/2 10:00 UTC"], .datetime(.any)), (["2026/01/31"], .date(.any)),
        (["10:00", "9:05"], .time(.pattern("%H:%M"))), (["10:00", "10:00:30"], .time(.any)),
        (["25:00"], .string(.default)),
        (["31/12/2025", "1/2/2025"], .date(.pattern("%d/%m/%Y"))),
        (["12/31/2025", "1/2/2025"], .date(.pattern("%m/%d/%Y"))),
        (["1/2/2025", "3/4/2025"], .string(.default)), (["31/12/2025", "12/31/2025"], .string(.default)),
        (["1.2.2025", "3.4.2025"], .date(.pattern("%d.%m.%Y"))),
        (["31-Jan-24", "1-Feb-99"], .date(.pattern("%d-%b-%y"))),
        (["31 January 2024", "1 May 2024"], .date(.pattern("%d %B %Y"))),
        (["Jan 31, 2024"], .date(.pattern("%b %d, %Y"))),
        (["30/02/2025"], .string(.default)), (["31.12.2025 10:05"], .datetime(.pattern("%d.%m.%Y %H:%M"))),
        (["12/31/2025, 10:05:01 PM"], .datetime(.pattern("%m/%d/%Y, %I:%M:%S %p"))),
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

    @Test(arguments: [
        (["1.234,50", "12,5", "0,125"], ["number", ",", "."]), (["1,234.50", "999"], ["number", ".", ","]),
        (["12,5", "3,25"], ["number", ",", ""]), (["1.234.567", "1.234"], ["integer", ".", "."]),
        (["1 234,5", "1\u{A0}000\u{202F}000"], ["number", ",", " "]), (["1'234.50", "12"], ["number", ".", "'"]),
        (["$1,234.50", "$5"], ["number", ".", ",", "signs"]), (["12,5 %", "3 %"], ["number", ",", "", "signs"]),
        (["-1.234,5", "7,25"], ["number", ",", "."]),
        // 1,234 is 1234 or 1.234; groups of one width may mean anything; two currencies are not one measure.
        (["1,234", "5,678"], ["string"]), (["612 345 678", "913 222 111"], ["string"]), (["$5", "€6"], ["string"]),
        (["1.5", "1,5"], ["string"]), (["1,23,456"], ["string"]), (["12,5", "x"], ["string"]),
        (["0042", "1,5"], ["string"]),
        (["10.0.0.1"], ["string"]), (["1.234", "5.678"], ["number", ".", ""]),
    ])
    func `marks of numbers are proposed where one reading is left`(cells: [String], found: [String]) throws {
        let inference = infer(["c"], cells.map { [$0] })
        let field = inference.schema().fields[0]
        let made =
            field.isNumeric
            ? [field.type.name, field.decimalChar, field.groupChar ?? ""] + (field.bareNumber ? [] : ["signs"])
            : [field.type.name]
        #expect(made == found)
        #expect(try contract(inference.yaml(name: "x")).schema.fields == inference.schema().fields)
    }

    @Test func `large numbers with marks and small ones without are groups`() {
        let cells = (1...12).map { ["\($0),\(100 + $0)"] } + [["7"], ["999"]]
        #expect(infer(["c"], cells).schema().fields[0].groupChar == ",")
        #expect(infer(["c"], cells + [["1234"]]).schema().fields[0].type == .string(.default))
        let points = (1...12).map { ["\($0).\(100 + $0)"] }
        let whole = infer(["c"], points + [["7"], ["0"], ["999"]]).schema().fields[0]
        #expect(whole.type == .integer && whole.groupChar == ".")
        for other in ["1234", "1.5", "0.125"] {
            #expect(infer(["c"], points + [["7"], ["0"], ["999"], [other]]).schema().fields[0].type == .number)
        }
        #expect(infer(["c"], points).schema().fields[0].type == .number)
    }

    @Test func `what has two readings, lost digits or zeros in front is remarked on`() {
        let names = ["date", "amount", "id", "card_last4", "point", "note"]
        let rows = (1...24).map { row in
            [
                "0\(row % 9 + 1)/02/2025", "\(row),\(100 + row)", "1.2345\(row % 9)E+11", "00\(10 + row)",
                "\(row).\(100 + row)", row > 3 ? "a" : "\\N",
            ]
        }
        let yaml = infer(names, rows).yaml(name: "x")
        for words in [
            "format: \"%d/%m/%Y\" or \"%m/%d/%Y\"",
            "type: integer with groupChar: \",\", or type: number with decimalChar: \",\"",
            "24 numbers in scientific notation", "24 values are digits after zeros: codes",
            "three digits behind its point",
            "programs write \"\\N\" for no value", "missingValues: [\"\", \"\\\\N\"]",
        ] { #expect(yaml.contains(words), "\(words) \(yaml)") }
        #expect(infer(names, rows).schema().fields[3].type == .string(.default))
        let missing = infer(["n"], [["1"], ["None"], ["None"], ["\\N"]])
        #expect(missing.yaml(name: "x").contains("taken for no value: 2 are \"None\", 1 are"))
        #expect(missing.schema().fields[0].missingValues == ["", "None", "\\N"])
    }

    @Test func `roles and forms are set where the evidence is clear`() throws {
        let names = ["row", "order", "uuid", "customer_id", "when", "born_on", "colour", "mail", "paid", "amount"]
        var random = FixedNumbers(state: 7)
        let rows = (0..<200).map { row in
            [
                "\(row + 1)", "A-\(1000 + row * 7)", "123e4567-e89b-12d3-a456-4266141\(74000 + row)",
                "\(50_000 + random.below(90))",
                "2026-01-\(10 + row % 20)T10:00:00Z", "1970-01-\(10 + row % 20)", ["red", "green", "blue"][row % 3],
                "x", "\(random.below(9000))",
                "\(random.below(90_000)).5",
            ]
        }
        var inference = infer(names, rows)
        for row in 0..<200 where row < 200 { inference.note(column: 7, whole: "EMAIL_ADDRESS", inside: []) }
        inference.note(column: 6, form: .category)
        let fields = inference.schema().fields
        #expect(fields.map(\.role) == [.key, .key, .key, nil, .eventTime, nil, nil, nil, nil, nil])
        #expect(fields.map(\.form) == [nil, nil, nil, .key, nil, nil, .category, nil, nil, nil])
        #expect(fields[7].pii?.entity == "EMAIL_ADDRESS" && fields[7].pii?.operation == .replace)
        #expect(try contract(inference.yaml(name: "x")).schema.fields == fields)
        // Two columns of dates, without evidence which one is the event time.
        let two = infer(["a_on", "b_on"], (10..<31).map { ["2026-01-\($0)", "2026-02-\($0 - 9)"] }).schema().fields
        #expect(two.allSatisfy { $0.role == nil })
        // A few rows are no evidence.
        #expect(infer(["id"], (0..<10).map { ["\($0)"] }).schema().fields[0].role == nil)
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
        // A type that rejects half of the rows that it was inferred from is wrong.
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
