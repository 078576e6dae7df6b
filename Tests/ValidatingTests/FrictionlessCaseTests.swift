import Foundation
import Schemas
import Tabular
import Testing
import Validating

/// The field cases of frictionless-py, as far as their types are ours.
@Suite struct FrictionlessCaseTests {
    /// Where we differ on purpose: type, source and what we say.
    private static let decided: [String: String] = [
        // A cell with spaces around the number would leave as it is, and strict readers refuse it.
        "integer  01 ": "type-error", "number  01 ": "type-error",
        // xs:gYear, to which the standard refers, has negative years and years of five digits.
        "year -2000": "ok", "year 20000": "ok",
    ]

    private static func suite() -> URL? {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let shared =
            ProcessInfo.processInfo.environment["SLUICE_SHARED"].map { URL(filePath: $0) }
            ?? root.deletingLastPathComponent().appending(path: "shared")
        let file = shared.appending(path: "suites/frictionless/field_cases.json")
        return FileManager.default.fileExists(atPath: file.path) ? file : nil
    }

    private func field(_ item: JSONValue) -> Field? {
        let format = item["format"]?.text ?? "default"
        let type: FieldType
        switch (item["type"]?.text ?? "", format) {
        case ("string", _):
            guard let known = StringFormat(rawValue: format) else { return nil }
            type = .string(known)
        case ("integer", "default"): type = .integer
        case ("number", "default"): type = .number
        case ("boolean", "default"): type = .boolean
        case ("year", "default"): type = .year
        case ("any", "default"): type = .any
        case ("object", "default"): type = .object
        case ("array", "default"): type = .array
        case ("date", "default"): type = .date(.iso)
        case ("time", "default"): type = .time(.iso)
        case ("datetime", "default"): type = .datetime(.iso)
        case ("date", _) where format.hasPrefix("%"): type = .date(.pattern(format))
        case ("time", _) where format.hasPrefix("%"): type = .time(.pattern(format))
        case ("datetime", _) where format.hasPrefix("%"): type = .datetime(.pattern(format))
        default: return nil
        }
        var field = Field(name: "v", type: type)
        let options = item["options"]
        if let words = options?["trueValues"]?.items { field.trueValues = words.compactMap(\.text) }
        if let words = options?["falseValues"]?.items { field.falseValues = words.compactMap(\.text) }
        if let mark = options?["groupChar"]?.text { field.groupChar = mark }
        if let mark = options?["decimalChar"]?.text { field.decimalChar = mark }
        if let bare = options?["bareNumber"]?.flag { field.bareNumber = bare }
        return field
    }

    @Test func `the cells that frictionless reads are sound, and no others`() throws {
        guard let file = Self.suite() else {
            print("skipped: suites/frictionless is not there")
            return
        }
        let cases = try #require(try JSONValue.parse(Array(try Data(contentsOf: file))).items)
        var (run, skipped) = (0, 0)
        for item in cases {
            guard let field = field(item), let source = item["source"], source["py"] == nil, source != .string("")
            else {
                skipped += 1
                continue
            }
            let schema = Schema(fields: [field, Field(name: "z", type: .any)])
            var found: [String] = []
            if let text = source.text { found += try csv(schema, [text]) + csv(schema, [text], isQuoted: true) }
            found += try json(schema, [source.text(pretty: false)])
            let name = "\(item["type"]?.text ?? "") \(source.text ?? source.text(pretty: false))"
            let expected = Self.decided[name] ?? (item["target"] == .null ? "type-error" : "ok")
            #expect(found.allSatisfy { $0 == expected }, "\(name) \(item["options"] as Any): \(found), not \(expected)")
            run += 1
        }
        print("frictionless field cases: \(run) run, \(skipped) skipped (types, formats or sources that are not ours)")
        #expect(run > 150)
    }
}
