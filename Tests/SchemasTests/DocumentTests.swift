import Schemas
import Tabular
import Testing

@Suite struct DocumentTests {
    @Test(arguments: [
        ("null", JSONValue.null), ("~", .null), ("", .null), ("true", .bool(true)), ("FALSE", .bool(false)),
        ("yes", .string("yes")), ("off", .string("off")), ("2015-01-01", .string("2015-01-01")),
        ("12:30:45", .string("12:30:45")), ("190:20", .string("190:20")), ("1_000", .string("1_000")),
        ("12", .integer(12)), ("+12", .integer(12)), ("-7", .integer(-7)), ("0o17", .integer(15)),
        ("0xff", .integer(255)),
        ("010", .integer(10)), ("0x-1", .string("0x-1")), ("1.5", .number(1.5)), (".5", .number(0.5)),
        ("5.", .number(5)), ("1e3", .number(1000)), ("1.e2", .number(100)), ("-.5", .number(-0.5)),
        ("e3", .string("e3")), (".", .string(".")), ("-", .string("-")), ("1e", .string("1e")),
        ("99999999999999999999", .number(1e20)), ("'12'", .string("12")), ("\"true\"", .string("true")),
        ("3.1.0", .string("3.1.0")), ("!!str 12", .string("12")),
    ])
    func `plain scalars follow YAML 1.2's core schema`(text: String, value: JSONValue) throws {
        // In block context a lone dash is a list, so the value is put into a flow mapping, where it is legal.
        let source = text == "-" ? "{a: \"-\"}" : "a: \(text)"
        #expect(try document(source).root == .object(["a": value]))
    }

    @Test func `JSON and YAML of the same content have one canonical form`() throws {
        let json = try document(
            #"{"a": [1, 2.5, "x\u00e9\ud83d\ude00\/"], "b": {"c": null, "d": true}}"#, name: "a.json")
        let yaml = try document("b: {d: true, c: }\na:\n- 1\n- 2.50\n- xé😀/\n")
        #expect(canonicalForm(of: json) == canonicalForm(of: yaml))
    }

    @Test func `numbers beyond a double keep their digits in the canonical form`() throws {
        let first = try document("minimum: 123456789012345678901")
        let second = try document("minimum: 123456789012345678902")
        #expect(first.root == second.root)
        #expect(canonicalForm(of: first) != canonicalForm(of: second))
    }

    @Test func `places are lines and columns in scalars, of keys and of values`() throws {
        let yaml = try document("é: 1\nlist:\n  - one\n  - two: 0.10\n")
        #expect(yaml.place.members["é"] == place(1, 4, key: (1, 1), "1"))
        let inner = try #require(yaml.place.members["list"]?.elements[1].members["two"])
        #expect(inner == place(4, 10, key: (4, 5), "0.10"))
        let json = try document("{\"é\": 1,\n \"b\": [true]}", name: "x.json")
        #expect(json.place.members["é"] == place(1, 7, key: (1, 2), "1"))
        #expect(json.place.members["b"]?.elements.first == place(2, 8, key: (2, 8), "true"))
    }

    private func place(_ line: Int, _ column: Int, key: (Int, Int), _ lexeme: String) -> Place {
        var place = Place(line: line, column: column, lexeme: lexeme)
        (place.keyLine, place.keyColumn) = key
        return place
    }

    @Test(arguments: [
        ("a: &x 1\nb: *x\n", 1), ("a: 1\nb: *x\n", 2), ("a: &x [1]\n", 1), ("&k a: 1\n", 1), ("a: !!set {x}\n", 1),
        ("a: !mine 5\n", 1), ("a: ! 5\n", 1), ("a: &x 1\n? *x\n: 2\n", 1),
    ])
    func `anchors, aliases and tags are refused where they stand`(text: String, line: Int) throws {
        let error = #expect(throws: SchemaError.self) { try document(text) }
        #expect(error?.code == .alias)
        #expect(error?.line == line)
    }

    @Test func `an alias bomb costs nothing, even as a key`() {
        var bomb = "a0: &a0 [x, x]\n"
        for level in 1..<30 {
            bomb += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1)]\n"
        }
        for text in [bomb, bomb + "? *a29\n: 1\n", "# \"\n" + bomb, bomb.replacing("\n", with: " # don't\n")] {
            let error = #expect(throws: SchemaError.self) { try document(text) }
            #expect(error?.code == .alias)
        }
    }

    @Test func `stars and ampersands in texts and comments are no aliases`() throws {
        let stars = String(repeating: "# see *this* and &that\n", count: 20)
        #expect(try document(stars + "a: R&D * 2 # *b &c\nc: \"*\"\n").root["a"] == .string("R&D * 2"))
    }

    @Test func `depth is bounded in both languages, and no input overflows the stack`() {
        for depth in [33, 900, 5000, 100_000] {
            let flow = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
            for (text, name) in [(flow, "a.yaml"), (flow, "a.json")] {
                let error = #expect(throws: SchemaError.self) { try document(text, name: name) }
                #expect(error?.code == .limit)
            }
            let block = #expect(throws: SchemaError.self) { try document(String(repeating: "- ", count: depth) + "x") }
            #expect(block?.code == .limit)
        }
        #expect(throws: Never.self) {
            try document(String(repeating: "[", count: 32) + String(repeating: "]", count: 32))
        }
    }

    @Test func `size and encoding are checked first`() {
        let large = #expect(throws: SchemaError.self) {
            try loadDocument([UInt8](repeating: 0x20, count: DocumentLimits.bytesMax + 1), name: "x.yaml")
        }
        #expect(large?.code == .limit)
        let latin = #expect(throws: SchemaError.self) { try loadDocument([0x61, 0xE9], name: "x.yaml") }
        #expect(latin?.code == .encoding)
        #expect(throws: Never.self) { try loadDocument([0xEF, 0xBB, 0xBF] + Array("a: 1".utf8), name: "x.yaml") }
        let empty = #expect(throws: SchemaError.self) { try document("# nothing\n") }
        #expect(empty?.code == .missing)
    }

    @Test(arguments: [
        ("name: 1\ntitle: 2\nname: 3\n", "x.yaml", (1, 1), (3, 1)),
        ("fields:\n  - name: 1\n    type: 2\n    \"name\": 3\n", "x.yaml", (2, 5), (4, 5)),
        ("a: {b: 1, c: 2, b: 3}\n", "x.yaml", (1, 5), (1, 17)),
        ("1: x\n\"1\": y\n", "x.yaml", (1, 1), (2, 1)),
        ("{\"a\": 1,\n  \"a\": 2}", "x.json", (1, 2), (2, 3)),
    ])
    func `a repeated key is an error with both places`(
        text: String, name: String, first: (Int, Int), second: (Int, Int)
    ) {
        let error = #expect(throws: SchemaError.self) { try document(text, name: name) }
        #expect(error?.code == .duplicateKey)
        #expect(error?.line == second.0 && error?.column == second.1)
        #expect(error?.message.contains("line \(first.0), column \(first.1)") == true)
    }

    @Test(arguments: [
        "{", "[1,]", "{\"a\" 1}", "{\"a\": 01}", "{\"a\": 1.}", "\"\\ud800\"", "\"\\x\"", "{\"a\": 1} x", "tru",
        "\"open", "{\"a\": 1,}", "[1 2]", "'a'", "{\"a\": +1}", "\"a\u{1}\"", "",
    ])
    func `broken JSON is refused with a place`(text: String) {
        let error = #expect(throws: SchemaError.self) { try document(text, name: "x.json") }
        #expect(error?.code == .syntax)
        #expect(error?.line == 1)
    }

    @Test(arguments: ["a: [1", "a: b: c", "a:\n\t- x", "\"open", "a: .inf", "a: 1e999", "--- 1\n--- 2", "a: \u{1}"])
    func `broken YAML is refused`(text: String) {
        let error = #expect(throws: SchemaError.self) { try document(text) }
        #expect(error?.code == .syntax || error?.code == .outOfRange)
    }
}
