import Schemas
import Tabular
import Testing

@testable import Masking

@Suite struct MaskedBatchTests {
    private static let untouched = "fields:\n  - { name: a }\n  - { name: b }\n  - { name: n, type: any }\n"

    /// A contract over a, b and n where `a` is masked by a rule.
    private func masking(_ rule: String, _ more: String = "") throws -> Schema {
        try contract(
            "fields:\n  - { name: a, type: any, sluice: { pii: { \(rule) } } }\n  - { name: b, type: any }\n"
                + "  - { name: n, type: any }\n" + more)
    }

    /// A contract over a, b and c where the named columns are dropped.
    private func dropping(_ names: String..., more: String = "") throws -> Schema {
        let fields = ["a", "b", "c"].map { name in
            let rule = names.contains(name) ? ", sluice: { pii: { entity: PERSON, operator: drop } }" : ""
            return "  - { name: \(name), type: any\(rule) }\n"
        }
        return try contract("fields:\n" + fields.joined() + more)
    }

    @Test func `what is not touched stays as it was, byte for byte`() throws {
        let schema = try contract(Self.untouched)
        let csv = "b,\"a\",n\n\"x\"\"y\", z ,\"\"\n,\"1,2\",\"l1\nl2\"\n\"\",é,007.50\n"
        #expect(try mask(schema, csv, .csv).text == csv)
        let jsonl =
            "{ \"b\" :\t\"\\u00e9\\/\" , \"a\":\"\\ud834\\udd1e\",\"n\": {\"x\" : [1e0, -0.0 ]} }\n{}\n{\"a\":null}\n"
        #expect(try mask(schema, jsonl, .jsonl).text == jsonl)
        #expect(try mask(schema, jsonl, .jsonl).receipts.isEmpty)
    }

    @Test func `line ends become one line feed, and the last row has one`() throws {
        let schema = try contract(Self.untouched)
        #expect(try mask(schema, "a,b,n\r\n1,2,3\r\n4,5,6", .csv).text == "a,b,n\r\n1,2,3\n4,5,6\n")
        #expect(try mask(schema, "{\"a\":\"1\"}\r\n{\"b\":\"2\"}", .jsonl).text == "{\"a\":\"1\"}\n{\"b\":\"2\"}\n")
    }

    @Test func `each operator on CSV`() throws {
        let text = "a,b,n\nann,1,\"q\"\n\"bob \"\"b\"\"\",2,\n,3,\n"
        func cells(_ rule: String) throws -> String { try mask(masking(rule), text, .csv).text }
        #expect(try cells("entity: PERSON, operator: redact") == "a,b,n\n,1,\"q\"\n,2,\n,3,\n")
        #expect(try cells("entity: PERSON") == "a,b,n\n<PERSON>,1,\"q\"\n\"<PERSON>\",2,\n,3,\n")
        #expect(
            try cells("entity: PERSON, operator: replace, replacement: 'a,\"b'")
                == "a,b,n\n\"a,\"\"b\",1,\"q\"\n\"a,\"\"b\",2,\n,3,\n")
        #expect(
            try cells("entity: PERSON, operator: mask, keepLast: 1") == "a,b,n\n**n,1,\"q\"\n\"******\"\"\",2,\n,3,\n")
        #expect(
            try cells("entity: PERSON, operator: truncate, keepFirst: 5")
                == "a,b,n\nann,1,\"q\"\n\"bob \"\"\",2,\n,3,\n")
        let tokens = try cells("entity: PERSON, operator: tokenize, key: k, prefix: 'p,'").split(separator: "\n")
        #expect(tokens[1].hasPrefix("\"p,") && tokens[1].hasSuffix("\",1,\"q\"") && tokens[1].count == 2 + 2 + 32 + 6)
        #expect(tokens[3] == ",3,")
    }

    @Test func `each operator on JSON Lines`() throws {
        let text =
            "{\"b\":1, \"a\" : \"a\\\"\\u00e9x\"}\n{\"a\":12345}\n{\"a\":null}\n{\"a\":\"\"}\n{}\n{\"a\":[\"x\"],\"b\":2}\n"
        func cells(_ rule: String) throws -> [String] {
            let lines = try mask(masking(rule), text, .jsonl).text.split(separator: "\n").map(String.init)
            #expect(lines[2...4].elementsEqual(["{\"a\":null}", "{\"a\":\"\"}", "{}"]))
            return [lines[0], lines[1], lines[5]]
        }
        #expect(
            try cells("entity: PERSON, operator: redact") == [
                "{\"b\":1, \"a\" : null}", "{\"a\":null}", "{\"a\":null,\"b\":2}",
            ])
        #expect(
            try cells("entity: PERSON") == [
                "{\"b\":1, \"a\" : \"<PERSON>\"}", "{\"a\":\"<PERSON>\"}", "{\"a\":\"<PERSON>\",\"b\":2}",
            ])
        #expect(
            try cells("entity: PERSON, operator: mask, keepFirst: 2") == [
                "{\"b\":1, \"a\" : \"a\\\"**\"}", "{\"a\":\"12***\"}", "{\"a\":\"[\\\"***\",\"b\":2}",
            ])
        #expect(
            try cells("entity: PERSON, operator: truncate, keepFirst: 3") == [
                "{\"b\":1, \"a\" : \"a\\\"é\"}", "{\"a\":\"123\"}", "{\"a\":\"[\\\"x\",\"b\":2}",
            ])
    }

    @Test func `text that is scanned, redacted alike in both formats`() throws {
        let csv = "a,b,n\nmail ann@example.com now,1,\nnothing,2,\n"
        let jsonl =
            "{\"a\":\"mail ann@example.com \\u00e9\"}\n{\"a\":\"\\u0061\"}\n{\"a\":4111111111111111}\n{\"a\":42}\n"
        let redact = try masking("scan: true, operator: redact")
        #expect(try mask(redact, csv, .csv).text == "a,b,n\nmail  now,1,\nnothing,2,\n")
        #expect(
            try mask(redact, jsonl, .jsonl).text
                == "{\"a\":\"mail  é\"}\n{\"a\":\"\\u0061\"}\n{\"a\":\"\"}\n{\"a\":42}\n")
        let replace = try masking("scan: true")
        let masked = try mask(replace, jsonl, .jsonl)
        #expect(
            masked.text
                == "{\"a\":\"mail <EMAIL_ADDRESS> é\"}\n{\"a\":\"\\u0061\"}\n{\"a\":\"<CREDIT_CARD>\"}\n{\"a\":42}\n")
        #expect(
            masked.receipts == [
                MaskReceipt(field: 0, entity: "EMAIL_ADDRESS", operation: .replace): 1,
                MaskReceipt(field: 0, entity: "CREDIT_CARD", operation: .replace): 1,
            ])
    }

    @Test func `missing values are left alone`() throws {
        let rule = "missingValues: [NA, '-999', '']\n"
        let schema = try masking("entity: PERSON", rule)
        #expect(
            try mask(schema, "a,b,n\nNA,1,\n\"NA\",2,\n,3,\nx,4,\n", .csv).text
                == "a,b,n\nNA,1,\n\"NA\",2,\n,3,\n<PERSON>,4,\n")
        // Only text can be a missing value: the number is a person's datum.
        #expect(
            try mask(schema, "{\"a\":\"NA\"}\n{\"a\":-999}\n", .jsonl).text == "{\"a\":\"NA\"}\n{\"a\":\"<PERSON>\"}\n")
    }

    @Test func `columns of CSV that are dropped`() throws {
        let text = "a,b,c\n1,\"x,y\",3\n,,\n\"4\",,6\n"
        func without(_ names: String...) throws -> String {
            let fields = ["a", "b", "c"].map { name in
                let rule = names.contains(name) ? ", sluice: { pii: { entity: PERSON, operator: drop } }" : ""
                return "  - { name: \(name), type: any\(rule) }\n"
            }
            return try mask(contract("fields:\n" + fields.joined()), text, .csv).text
        }
        #expect(try without("a") == "b,c\n\"x,y\",3\n,\n,6\n")
        #expect(try without("b") == "a,c\n1,3\n,\n\"4\",6\n")
        #expect(try without("c") == "a,b\n1,\"x,y\"\n,\n\"4\",\n")
        #expect(try without("a", "b") == "c\n3\n\"\"\n6\n")
        #expect(try without("b", "c") == "a\n1\n\"\"\n\"4\"\n")
        #expect(try without("a", "c") == "b\n\"x,y\"\n\"\"\n\"\"\n")
        #expect(throws: UnusableMask.self) { try without("a", "b", "c") }
    }

    @Test func `members of JSON that are dropped`() throws {
        func lines(_ schema: Schema, _ line: String) throws -> String {
            String(try mask(schema, line + "\n", .jsonl).text.dropLast())
        }
        let first = try dropping("a")
        #expect(try lines(first, "{\"a\":1,\"b\":2,\"c\":3}") == "{\"b\":2,\"c\":3}")
        #expect(try lines(first, "{\"b\":2,\"a\":1,\"c\":3}") == "{\"b\":2,\"c\":3}")
        #expect(try lines(first, "{ \"b\":2 , \"a\" : {\"x\":[1,\"}\"]} }") == "{ \"b\":2  }")
        #expect(try lines(first, "{\"b\":\"\\\"a\\\":\",\"a\":\"\\\"\"}") == "{\"b\":\"\\\"a\\\":\"}")
        #expect(try lines(first, "{\"\\u0061\":1,\"b\":2}") == "{\"b\":2}")
        #expect(try lines(first, "{\"a\":null}") == "{}")
        #expect(try lines(first, "{}") == "{}")
        #expect(try lines(first, "{\"b\":2,\t\"a\":1\t}") == "{\"b\":2\t}")
        #expect(try lines(first, "{\"a\":1\t,\"b\":2}") == "{\"b\":2}")
        let most = try dropping("a", "c")
        for line in ["{\"a\":1,\"b\":2,\"c\":3}", "{\"c\":1,\"a\":2,\"b\":2}", "{\"b\":2,\"a\":1,\"c\":3}"] {
            #expect(try lines(most, line) == "{\"b\":2}")
        }
        #expect(try lines(dropping("a", "b", "c"), "{ \"c\":1, \"a\":2 ,\"b\":2 }").filter { $0 != " " } == "{}")
    }

    @Test func `columns and members that the contract does not name`() throws {
        let schema = try dropping("b", more: "sluice: { unknownFields: drop }\n")
        #expect(try mask(schema, "u,a,b,c,\"v w\"\n0,1,2,3,4\n,,,,\n", .csv).text == "a,c\n1,3\n,\n")
        let jsonl =
            "{\"u\":{\"a\":1},\"a\":1,\"v\\\"\":[2],\"b\":2,\"c\":3,\"w\":null}\n{\"u\":1}\n{\"a\":1,\"u\\\\\":1}\n"
        #expect(try mask(schema, jsonl, .jsonl).text == "{\"a\":1,\"c\":3}\n{}\n{\"a\":1}\n")
    }

    @Test func `receipts count cells, by column, entity and operator`() throws {
        let csv = try mask(masking("entity: PERSON, operator: redact"), "a,b,n\nx,1,\n,2,\ny,3,\nbad\n", .csv)
        #expect(csv.rows == 3)
        #expect(csv.receipts == [MaskReceipt(field: 0, entity: "PERSON", operation: .redact): 2])
        let dropped = try mask(dropping("a"), "{\"a\":1}\n{\"b\":1}\n{\"a\":null}\n", .jsonl)
        #expect(dropped.receipts == [MaskReceipt(field: 0, entity: "PERSON", operation: .drop): 2])
    }

    @Test func `tokens join equal values of one key, in either format`() throws {
        let schema = try masking("entity: PERSON, operator: tokenize, key: k")
        let csv = try mask(schema, "a,b,n\nann,1,\n\"ann\",2,\nbob,3,\n", .csv).text.split(separator: "\n")
        let tokens = csv.dropFirst().map { $0.split(separator: ",")[0].replacing("\"", with: "") }
        #expect(tokens[0] == tokens[1] && tokens[0] != tokens[2])
        let json = try mask(schema, "{\"a\":\"\\u0061nn\"}\n", .jsonl).text
        #expect(json == "{\"a\":\"\(tokens[0])\"}\n")
        let other = try mask(schema, "{\"a\":\"ann\"}\n", .jsonl, keyByte: 2).text
        #expect(json != other)
        #expect(throws: UnusableMask.self) {
            try mask(masking("entity: PERSON, operator: tokenize, key: lost"), "a,b,n\n", .csv)
        }
    }

    @Test func `members in any order are masked where they stand`() throws {
        let schema = try contract(
            """
            fields:
              - { name: a, sluice: { pii: { entity: PERSON } } }
              - { name: b, sluice: { pii: { entity: PERSON, operator: drop } } }
              - { name: c, sluice: { pii: { entity: LOCATION, operator: redact } } }
            """)
        let masked = try mask(
            schema, "{\"c\":\"x\",\"b\":\"y\",\"a\":\"z\"}\n{\"a\":\"z\",\"c\":\"x\",\"b\":\"y\"}\n", .jsonl)
        #expect(masked.text == "{\"c\":null,\"a\":\"<PERSON>\"}\n{\"a\":\"<PERSON>\",\"c\":null}\n")
    }
}
