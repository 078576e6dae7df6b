import Foundation
import Schemas
import Tabular
import TestSupport
import Testing
import Validating

/// The field cases of frictionless-py, for the types that exist here.
@Suite struct FrictionlessCaseTests {
    /// Deliberate differences: type, source and our result.
    private static let decided: [String: String] = [
        // A cell with spaces around the number would be released unchanged, and strict readers refuse it.
        "integer default  01 ": "type-error", "number default  01 ": "type-error",
        // xs:gYear, to which the standard refers, has negative years and years of five digits.
        "year default -2000": "ok", "year default 20000": "ok",
        // RFC 7946 3.1.1: a position may have an altitude.
        #"geojson default {"coordinates":[0,0,0],"type":"Point"}"#: "ok",
        // The default of geopoint is the text "lon, lat", and a yearmonth is an xs:gYearMonth: a list is neither.
        "geopoint default [180,90]": "type-error", "yearmonth default [2000,10]": "type-error",
    ]

    private static let suite = shared("suites/frictionless/field_cases.json")

    /// The field as a contract declares it; nil if there is no such field, for example with an invalid format.
    private func field(_ item: JSONValue) throws -> Field? {
        var members: [String: JSONValue] = ["name": .string("v"), "type": item["type"] ?? .null]
        if let format = item["format"]?.text, format != "default" { members["format"] = .string(format) }
        for (key, value) in item["options"]?.members ?? [:] { members[key] = value }
        let contract = JSONValue.object(["fields": .array([.object(members)])])
        return try? Schema.load(Array(contract.text(pretty: false).utf8), name: "c.json").schema.fields[0]
    }

    @Test(.enabled(if: suite != nil, "run scripts/suites"))
    func `the cells that frictionless reads are sound, and no others`() throws {
        let file = try #require(Self.suite)
        let cases = try #require(try JSONValue.parse(Array(try Data(contentsOf: file))).items)
        var (run, skipped) = (0, 0)
        for item in cases {
            guard let source = item["source"], source["py"] == nil else {
                // Python values are not text.
                skipped += 1
                continue
            }
            let name =
                "\(item["type"]?.text ?? "") \(item["format"]?.text ?? "") \(source.text ?? source.text(pretty: false))"
            // The empty text is no value of any type; a required field reports it.
            let isEmpty = source == .string("")
            let expected =
                isEmpty ? "constraint-required" : Self.decided[name] ?? (item["target"] == .null ? "type-error" : "ok")
            run += 1
            guard var field = try field(item) else {
                // A contract that is refused reads nothing.
                #expect(item["target"] == .null, "\(name)")
                continue
            }
            field.constraints.required = isEmpty
            var schema = Schema(fields: [field, Field(name: "z", type: .any)])
            // Its cells are texts, whatever their origin.
            schema.jsonStrings = .parse
            var found: [String] = []
            if let text = source.text { found += try csv(schema, [text]) + csv(schema, [text], isQuoted: true) }
            found += try json(schema, [source.text(pretty: false)])
            #expect(found.allSatisfy { $0 == expected }, "\(name) \(item["options"] as Any): \(found), not \(expected)")
        }
        print(
            "frictionless field cases: \(run) run, \(skipped) skipped, which are values of Python; \(Self.decided.count) decided otherwise"
        )
        #expect(run == 328 && skipped == 22)
    }
}
