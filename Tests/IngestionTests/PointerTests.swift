import Foundation
import Reading
import Schemas
import Screening
import Sealing
import Tabular
import Testing

@testable import Ingestion

/// Values inside nested JSON as columns: checked, screened and masked in place.
@Suite struct `JSON pointers` {
    static let contract = """
        fields:
          - { name: id, type: integer, constraints: { required: true } }
          - { name: city, type: string, constraints: { enum: [Rome, Bonn] }, sluice: { path: /address/city } }
          - { name: mail, type: string, sluice: { path: "/address/e~1mail", pii: { entity: EMAIL_ADDRESS, operator: replace } } }
          - { name: first, type: number, sluice: { path: /prices/0/net } }
          - { name: secret, type: string, sluice: { path: /address/deep/secret, pii: { entity: ID, operator: drop } } }
          - { name: renamed, type: string, sluice: { path: "/re named" } }
        sluice: { batch: { maxRejectedRate: 0.9 }, unknownFields: UNKNOWN }
        """

    private func run(_ shop: Workshop, _ text: String, unknown: String) async throws -> (
        report: BatchReport, out: String
    ) {
        let contract = Self.contract.replacing("UNKNOWN", with: unknown)
        let loaded = try Schema.load(Array(contract.utf8), name: "c.yaml")
        let report = try await Pipeline(store: shop.store, writes: true).run(
            BatchRequest(
                BatchInput(file: try shop.write("a.jsonl", text)), schema: Schema.digested(loaded),
                contract: loaded.document,
                dataset: "d-" + unknown,
                source: "s", options: BatchOptions()))
        var out = ""
        for path in report.published where path.hasPrefix("accepted") {
            out += try shop.opened(path)
        }
        return (report, out)
    }

    @Test func `lifted values are checked and masked where they stand`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let text = """
            {"id": 1, "address": {"city": "Rome", "e/mail": "a@b.example", "deep": {"secret": "s", "k": 1}}, "prices": [{"net": 1.5}]}
            {"address": {"e\\/mail":"c\\u0040d.example" , "city":"\\u0042onn"}, "id": 2, "re named": "x"}
            {"id": 3, "address": null, "prices": []}
            {"id": 4, "address": {"city": "Paris"}}
            {"id": 5, "prices": [{"net": "text"}]}
            {"id": 6, "address": {"city": "Rome"}, "address": {"city": "Bonn"}}
            {"id": 7, "address": {"city": "Rome", "city": "Bonn"}}

            """
        let (report, out) = try await run(shop, text, unknown: "keep")
        #expect(report.status == .accepted && report.counts.count(.rejected) == 4)
        #expect(report.listed.filter { $0.outcome == .rejected }.map(\.row) == [4, 5, 6, 7])
        #expect(
            report.listed.filter { $0.outcome == .rejected }.map(\.code) == [
                .enumError, .typeError, .duplicateKey, .duplicateKey,
            ])
        let lines = out.split(separator: "\n")
        #expect(
            lines.first
                == #"{"id": 1, "address": {"city": "Rome", "e/mail": "<EMAIL_ADDRESS>", "deep": { "k": 1}}, "prices": [{"net": 1.5}]}"#
        )
        #expect(lines.count == 3 && lines[1].contains(#""e\/mail":"<EMAIL_ADDRESS>""#) && !out.contains("0040"))
        #expect(report.masks.map(\.count) == [2, 1])
    }

    /// Undeclared members do not pass just because they are beside declared ones.
    @Test func `unknown parts are refused or dropped`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let text = """
            {"id": 1, "address": {"city": "Rome"}, "prices": [{"net": 1}]}
            {"id": 2, "address": {"city": "Rome", "street": "x"}}
            {"id": 3, "prices": [{"net": 1, "gross": 2}]}
            {"id": 4, "prices": [{"net": 1}, {"net": 2}]}
            {"id": 5, "address": "whole"}
            {"id": 6, "address": {"deep": {"secret": "s", "more": {"a": [1]}}}}
            {"id": 7, "other": 1}

            """
        let strict = try await run(shop, text, unknown: "reject")
        #expect(strict.report.counts.count(.accepted) == 1 && strict.report.counts.count(.rejected) == 6)
        #expect(strict.report.listed.allSatisfy { $0.code == .unknownField })
        let dropped = try await run(shop, text, unknown: "drop")
        #expect(dropped.report.counts.count(.rejected) == 1, "an element has no key")
        for word in ["street", "gross", "whole", "more", "other", "secret"] {
            #expect(!dropped.out.contains(word), "\(word)")
        }
        for line in dropped.out.split(separator: "\n") {
            #expect((try? JSONValue.parse(Array(line.utf8))) != nil, "\(line)")
        }
    }

    @Test(arguments: [
        ("[{name: a, sluice: {path: x}}]", "JSON Pointer"), ("[{name: a, sluice: {path: /x~2}}]", "~0"),
        ("[{name: a}, {name: b, sluice: {path: /a}}]", "same place"),
        (
            "[{name: a, type: object, sluice: {pii: {entity: ID}}}, {name: b, sluice: {path: /a/b}}]",
            "masked as a whole"
        ),
        ("[{name: a, sluice: {path: /x/0, pii: {entity: ID, operator: drop}}}]", "redact"),
    ]) func `paths that cannot be`(fields: String, word: String) {
        let error = #expect(throws: SchemaError.self) {
            try Schema.load(Array("fields: \(fields)".utf8), name: "c.yaml")
        }
        #expect(error?.description.contains(word) == true, "\(String(describing: error))")
    }

    /// Wherever it is on the path to the lifted value, it is dropped or the row is refused; it is never released.
    @Test(arguments: [
        (#"{"id": 1, "address": "leak"}"#, true), (#"{"id": 1, "address": {"deep": "leak"}}"#, true),
        (#"{"id": 1, "address": ["leak"]}"#, true), (#"{"id": 1, "address": {"deep": [{"secret": "leak"}]}}"#, true),
        (#"{"id": 1, "prices": [{"net": 1, "x": "leak"}]}"#, true), (#"{"id": 1, "prices": ["leak"]}"#, true),
        (#"{"id": 1, "prices": [{"net": 1}, "leak"]}"#, false),
        (#"{"id": 1, "address": {"city": "Rome", "x": ["leak"]}}"#, true),
        (#"{"id": 1, "prices": {"0": {"net": 1}, "y": "leak"}}"#, true),
    ]) func `what nobody named is never released`(line: String, isAccepted: Bool) async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let good = (2...9).map { "{\"id\": \($0)}\n" }.joined()
        let dropped = try await run(shop, line + "\n" + good, unknown: "drop")
        #expect(
            dropped.report.counts.count(.rejected) == (isAccepted ? 0 : 1) && !dropped.out.contains("leak"),
            "\(dropped.out)")
        for line in dropped.out.split(separator: "\n") {
            #expect((try? JSONValue.parse(Array(line.utf8))) != nil, "\(line)")
        }
        let strict = try await run(shop, line + "\n" + good, unknown: "reject")
        #expect(strict.report.counts.count(.rejected) == 1)
    }

    @Test func `escapes hide nothing in nested values`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let contract = """
            fields:
              - { name: id, type: integer }
              - { name: p, type: object, sluice: { pii: { scan: true, operator: replace } } }
              - { name: q, type: any, sluice: { hiddenText: quarantine } }
            sluice: { batch: { maxQuarantinedRate: 0.9 } }
            """
        let loaded = try Schema.load(Array(contract.utf8), name: "c.yaml")
        let text = #"""
            {"id":1,"p":{"e":"bob\u0040secret.com"},"q":[1]}
            {"id":2,"p":{"e":"bob@secret.com"},"q":{"a":"plain \u00e9"}}
            {"id":3,"p":{"e":"n\\u0040ne \"x\" \/"},"q":"x"}
            {"id":4,"p":{},"q":{"a":"z\u200bw"}}
            {"id":5,"p":{},"q":["z​w"]}

            """#
        let report = try await Pipeline(store: shop.store, writes: true).run(
            BatchRequest(
                BatchInput(file: try shop.write("a.jsonl", text)), schema: Schema.digested(loaded),
                contract: loaded.document,
                dataset: "d",
                source: "s", options: BatchOptions()))
        #expect(report.listed.map(\.row) == [4, 5] && report.listed.allSatisfy { $0.code == .hiddenText })
        let path = try #require(report.published.first { $0.hasPrefix("accepted") })
        let out = try shop.opened(path)
        #expect(!out.contains("secret.com") && out.split(separator: "\n").count == 3)
        // A value without matches is released unchanged.
        #expect(out.contains(#"{"id":3,"p":{"e":"n\\u0040ne \"x\" \/"},"q":"x"}"#))
        for line in out.split(separator: "\n") { #expect((try? JSONValue.parse(Array(line.utf8))) != nil, "\(line)") }
    }

    @Test func `a path is about JSON`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let loaded = try Schema.load(Array("fields: [{name: a, sluice: {path: /x/a}}]".utf8), name: "c.yaml")
        let path = try shop.write("a.csv", "a\n1\n")
        let error = await #expect(throws: IngestionError.self) {
            try await Pipeline(store: nil, writes: false).run(
                BatchRequest(
                    BatchInput(file: path), schema: Schema.digested(loaded), contract: loaded.document, dataset: "d",
                    source: "",
                    options: BatchOptions()))
        }
        #expect(error?.code == .configuration)
    }
}
