import Foundation
import Tabular
import TestSupport
import Testing

/// Reading and writing JSON, compared with the published suites if they are present.
struct JSONTextTests {
    static func canonical(_ text: String) throws -> String {
        String(decoding: try JSONValue.parse(Array(text.utf8)).canonicalBytes(), as: UTF8.self)
    }

    @Test(.enabled(if: shared("suites/json/test_parsing") != nil, "run scripts/suites"))
    func `JSONTestSuite is accepted and refused as its file names say`() throws {
        let folder = try #require(shared("suites/json/test_parsing"))
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        var counts = (accepted: 0, refused: 0)
        for name in names.sorted() where name.hasSuffix(".json") {
            let bytes = [UInt8](try Data(contentsOf: folder.appendingPathComponent(name)))
            let isRead = (try? JSONValue.parse(bytes)) != nil
            // RFC 8259 allows duplicate keys; the ledger must not.
            let isDuplicate = name.hasPrefix("y_object_duplicated_key")
            if name.hasPrefix("y_"), !isDuplicate {
                #expect(isRead, "\(name)")
                counts.accepted += 1
            } else if name.hasPrefix("n_") || isDuplicate {
                #expect(!isRead, "\(name)")
                counts.refused += 1
            }
        }
        print("JSONTestSuite: \(counts.accepted) accepted, \(counts.refused) refused")
        #expect(counts.accepted >= 90 && counts.refused >= 185)
    }

    @Test(arguments: [
        (#"{ "b" : 1, "a" : [ true , null ] }"#, #"{"a":[true,null],"b":1}"#),
        // RFC 8785, section 3.2.3: keys in UTF-16 order, so U+1F600 (surrogates) precedes U+FB33.
        (
            #"{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","#
                + #""\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With "#
                + #"Diaeresis"}"#,
            #"{"\r":"Carriage Return","1":"One","\#u{80}":"Control","ö":"Latin Small Letter O With Diaeresis","#
                + #""€":"Euro Sign","😀":"Emoji: Grinning Face","\#u{fb33}":"Hebrew Letter Dalet With Dagesh"}"#
        ),
        // RFC 8785 3.2.2.2.
        (#"["\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/"]"#, #"["€$\u000f\nA'B\"\\\\\"/"]"#),
        (#"{"":[],"z":{}}"#, #"{"":[],"z":{}}"#),
        ("-0", "0"),
        ("-9223372036854775808", "-9223372036854775808"),
    ])
    func `canonical form`(source: String, canonical: String) throws {
        #expect(try Self.canonical(source) == canonical)
        #expect(try Self.canonical(canonical) == canonical)
    }

    @Test(arguments: [
        (#"{"a":1,"a":2}"#, "duplicate key", 7),
        (#"["\ud800"]"#, "lone surrogate", 2),
        (#"["\ud800\n"]"#, "lone surrogate", 2),
        (#"["\udc00"]"#, "lone surrogate", 2),
        ("[1,]", "value expected", 3),
        ("01", "leading zero", 0),
        ("1e999", "number out of range", 0),
        ("[", "unexpected end", 1),
        ("{} x", "text after the document", 3),
        ("\u{feff}{}", "byte order mark", 0),
    ])
    func `errors say what and where`(source: String, reason: String, offset: Int) {
        let error = #expect(throws: JSONTextError.self) { try JSONValue.parse(Array(source.utf8)) }
        #expect(error?.reason == reason)
        #expect(error?.offset == offset)
    }

    @Test func `bytes that are not UTF-8 are refused with their offset`() {
        let error = #expect(throws: JSONTextError.self) { try JSONValue.parse([0x22, 0x61, 0xFF, 0x22]) }
        #expect(error?.reason == "not UTF-8" && error?.offset == 2)
    }

    @Test func `nesting is bounded`() throws {
        func nested(_ depth: Int) -> [UInt8] {
            Array(repeating: 0x5B, count: depth) + Array(repeating: 0x5D, count: depth)
        }
        _ = try JSONValue.parse(nested(64))
        #expect(throws: JSONTextError.self) { try JSONValue.parse(nested(65)) }
        #expect(throws: JSONTextError.self) { try JSONValue.parse(nested(100_000)) }
    }

    @Test func `numbers keep their kind`() throws {
        #expect(try JSONValue.parse(Array("9223372036854775807".utf8)) == .integer(.max))
        #expect(try JSONValue.parse(Array("9223372036854775808".utf8)) == .number(9_223_372_036_854_775_808))
        #expect(try JSONValue.parse(Array("1.0".utf8)) == .number(1))
        let report = JSONValue.object(["n": .number(0.1), "m": .array([.integer(3), .number(1e300)])])
        #expect(report.text(pretty: false) == #"{"m":[3,1e+300],"n":0.1}"#)
        #expect(report.text(pretty: true) == "{\n  \"m\": [\n    3,\n    1e+300\n  ],\n  \"n\": 0.1\n}")
        #expect(try JSONValue.parse(Array(report.text(pretty: true).utf8)) == report)
    }

    @Test func `a ledger body holds exact integers only`() {
        let most = JSONValue.largestExactInteger
        #expect(JSONValue.array([.integer(most), .integer(-most)]).pathOfInexactNumber() == nil)
        #expect(JSONValue.array([.integer(most + 1)]).pathOfInexactNumber() == "$[0]")
        #expect(JSONValue.integer(.min).pathOfInexactNumber() == "$")
        let body = JSONValue.object(["rows": .array([.null, .object(["share": .number(0.5)])])])
        #expect(body.pathOfInexactNumber() == "$.rows[1].share")
    }

    @Test func `a fraction in a canonical body is a programmer's error`() async {
        await #expect(processExitsWith: .failure) { _ = JSONValue.number(0.5).canonicalBytes() }
    }
}
