import Foundation
import Reading
import Schemas
import Screening
import Tabular
import Testing

@testable import Ingestion

/// The properties of Table Dialect v2 for JSON: `property`, `itemType` and `itemKeys`.
@Suite struct `dialects of JSON` {
    /// The name under which a document lies, and how it is cut.
    private struct File {
        var name = "a.json"
        var slice = 1 << 20
    }

    private func run(
        _ shop: Workshop, _ data: Data, dialect: String, unknown: String = "reject", as file: File = File()
    ) async throws -> (report: BatchReport, out: String) {
        let contract = """
            fields:
              - { name: id, type: integer, constraints: { required: true } }
              - { name: mail, type: string, sluice: { pii: { entity: EMAIL_ADDRESS, operator: replace } } }
              - { name: pin, type: any, sluice: { pii: { entity: ID, operator: drop } } }
              - { name: city, type: any }
            sluice: { batch: { maxRejectedRate: 0.9 }, unknownFields: \(unknown), dialect: \(dialect) }
            """
        let loaded = try Schema.load(Array(contract.utf8), name: "c.yaml")
        var options = BatchOptions()
        options.sliceBytes = file.slice
        let path = shop.folder + "/" + file.name
        try data.write(to: URL(filePath: path))
        let report = try await Pipeline(store: shop.store, writes: true).run(
            BatchRequest(
                BatchInput(file: path), schema: Schema.digested(loaded), contract: loaded.document, dataset: "d",
                source: "s",
                options: options))
        var out = ""
        for path in report.published where path.hasPrefix("accepted") { out += try shop.opened(path) }
        return (report, out)
    }

    @Test func `a list inside a document is read where the property says`() async throws {
        let text = """
            {"note": {"rows": [1], "t": "a\\"]}", "n": [-1.5e3, true, null, {}, []]},
             "resp\\u006fnse": {"data": {"rows": 1}, "rows": [
               {"id": 1, "mail": "a@b.example",
                "city": ["]", {"rows": []}]},
               {"id": "x"},
               {"id": 3, "city": "\\u005d"} ] , "next": null }, "rows": "" }

            """
        for (name, data) in [
            ("a.json", Data(text.utf8)), ("a.json.gz", try `the source reader`.pack("gzip", Data(text.utf8))),
        ] {
            for slice in [40, 1 << 20] {
                let shop = try Workshop()
                defer { shop.remove() }
                let (report, out) = try await run(
                    shop, data, dialect: "{ property: response.rows }", as: File(name: name, slice: slice))
                #expect(report.status == .accepted && report.rows == 3 && report.counts.count(.rejected) == 1)
                let finding = try #require(report.listed.first { $0.outcome == .rejected })
                let place = try #require(text.range(of: "{\"id\": \"x\"}")?.lowerBound)
                #expect(finding.row == 2 && abs(Int(finding.byteOffset) - text[..<place].utf8.count) <= 20)
                let lines = out.split(separator: "\n")
                #expect(lines.count == 2 && lines[0].contains("<EMAIL_ADDRESS>") && lines[1].contains("\\u005d"))
            }
        }
    }

    @Test(arguments: [
        (#"{"rows": [{"id": 1}]"#, "cut off"), (#"{"rows": [{"id": 1}"#, "cut off"), (#"{"rows": ["#, "cut off"),
        (#"{"rows": [{"id": 1}], "rows": []}"#, "twice"), (#"{"rows": 1, "r\u006fws": [{"id": 1}]}"#, "twice"),
        (#"{"rows": [{"id": 1}], "a": 01}"#, "not JSON"), (#"{"rows": [{"id": 1}],}"#, "not JSON"),
        (#"{"rows": [{"id": 1}]} x"#, "text follows"), (#"{"a": "\x", "rows": []}"#, "not JSON"),
        (#"{"a" 1, "rows": []}"#, "not JSON"), (#"{"rows": [{"id": 1}]}{"rows": []}"#, "text follows"),
        (#"{"a": {"rows": [{"id": 1}]}}"#, "no list"), (#"[{"rows": [{"id": 1}]}]"#, "no list"),
        (#"{"rows": {"id": 1}}"#, "no list"), (#"{"id": 1}"#, "no list"), ("", "cut off"), ("12 ", "no list"),
    ]) func `a document that has no such list, or is none, is refused`(text: String, word: String) async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let error = await #expect(throws: IngestionError.self) {
            try await run(shop, Data(text.utf8), dialect: "{ property: rows }")
        }
        #expect(error?.description.contains(word) == true, "\(String(describing: error))")
        #expect(error?.code == .unreadableData)
    }

    @Test func `items that are arrays become columns by their header, and objects in shards`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let text = """
            [["city", "id", "p\\u0069n", "mail"],
             ["Ro\\"me", 1, [1, "x"], "a@b.example"],
             [null, "2\\n", {"a": 1}, null],
             [{"k": [1]}, 3, "4", "c@d.example"],
             ["short", 4], ["long", 5, 1, "m", 1], {"id": 6}, [], "x", [1,2,3,"e"] ]
            """
        let (report, out) = try await run(shop, Data(text.utf8), dialect: "{ itemType: array }")
        #expect(report.rows == 9 && report.counts.count(.rejected) == 6)
        #expect(
            report.listed.filter { $0.outcome == .rejected }.map(\.code) == [
                .typeError, .missingCell, .extraCell, .malformedJSON, .missingCell, .malformedJSON,
            ])
        #expect(
            out == """
                {"city":"Ro\\"me","id":1,"mail":"<EMAIL_ADDRESS>"}
                {"city":{"k": [1]},"id":3,"mail":"<EMAIL_ADDRESS>"}
                {"city":1,"id":2,"mail":"<EMAIL_ADDRESS>"}

                """)
        // The same as lines without a header, with names from the dialect; undeclared members are dropped.
        let lines = "[1, \"a@b.example\", 7, \"z\"]\n\n[2, null, 8, \"y\"]\n"
        let second = try Workshop()
        defer { second.remove() }
        let (bare, plain) = try await run(
            second, Data(lines.utf8),
            dialect: "{ itemType: array, header: false, itemKeys: [id, mail, pin, other, city] }", unknown: "drop",
            as: File(name: "a.jsonl"))
        #expect(bare.rows == 2 && bare.counts.count(.rejected) == 2 && plain.isEmpty)
        let third = try Workshop()
        defer { third.remove() }
        let (_, kept) = try await run(
            third, Data("[1, \"a@b.example\", 7, \"z\", \"R\"]\n".utf8),
            dialect: "{ itemType: array, header: false, itemKeys: [id, mail, pin, other, city] }", unknown: "drop",
            as: File(name: "a.jsonl"))
        #expect(kept == "{\"id\":1,\"mail\":\"<EMAIL_ADDRESS>\",\"city\":\"R\"}\n")
    }

    @Test func `members that itemKeys do not name are left out, whatever holds for unknown ones`() async throws {
        for unknown in ["reject", "keep", "drop"] {
            let shop = try Workshop()
            defer { shop.remove() }
            let text = """
                {"id": 1, "extra": {"a": 1}, "mail": "a@b.example", "pin": 9, "e\\u0078": 1}
                {"id": 2, "more": "x", "city": "B"}
                {"id": 3, "extra": 1, "extra": 2}

                """
            let (report, out) = try await run(
                shop, Data(text.utf8), dialect: "{ itemKeys: [id, mail, pin, city, more] }", unknown: unknown,
                as: File(name: "a.jsonl"))
            // A duplicate key is a fault wherever it occurs.
            #expect(report.counts.count(.rejected) == (unknown == "reject" ? 2 : 1), "\(unknown)")
            let second =
                unknown == "keep"
                ? "{\"id\": 2, \"more\": \"x\", \"city\": \"B\"}\n" : "{\"id\": 2,  \"city\": \"B\"}\n"
            #expect(
                out == "{\"id\": 1,  \"mail\": \"<EMAIL_ADDRESS>\"}\n" + (unknown == "reject" ? "" : second),
                "\(unknown)")
        }
    }

    /// Every text that the framer accepts is JSON to Foundation, with as many records.
    @Test func `random documents agree with Foundation`() throws {
        var state: UInt64 = 0x5EED_0009
        func below(_ count: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % count
        }
        let sound = [
            #"{"a":1,"rows":[{"x":1},{"y":[1,2]}],"b":"\u0041"}"#, #"{"rows":[]}"#,
            #"{"n":{"rows":[{}]},"rows":[{"a":"]"}]}"#,
            #"{"t":[1,-2.5e1,null,{"rows":"[\"}],"rows":[{"a":{"rows":[1]}}],"z":false}"#,
        ]
        let marks = Array(#"{}[]:,"\u0e-1.tn rows"#.utf8)
        var (read, refused) = (0, 0)
        for _ in 0..<40_000 {
            var bytes = Array(sound[below(sound.count)].utf8)
            for _ in 0..<below(3) {
                let at = below(bytes.count)
                switch below(3) {
                case 0: bytes[at] = marks[below(marks.count)]
                case 1: bytes.remove(at: at)
                default: bytes.insert(marks[below(marks.count)], at: at)
                }
            }
            var framer = JSONArrayFramer(property: ["rows"])
            var framed = bytes
            framer.frame(&framed, from: 0)
            let lines = framed.split(separator: 0x0A).filter { $0.contains { $0 != 0x20 } }
            let areSound = lines.allSatisfy { line in
                (try? JSONSerialization.jsonObject(with: Data(line), options: .fragmentsAllowed)) != nil
            }
            let document = try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
            guard framer.complaint == nil, areSound else {
                refused += 1
                continue
            }
            read += 1
            let rows = (document as? [String: Any])?["rows"] as? [Any]
            #expect(rows?.count == lines.count, "\(String(decoding: bytes, as: UTF8.self))")
        }
        #expect(read > 5_000 && refused > 5_000)
    }

    /// The file name decides whether a text is one list or one record a line. The content is not considered, so that a
    /// bad record stays a single one.
    @Test func `lists and lines are told apart by the name`() async throws {
        let arrays = "{ itemType: array, header: false, itemKeys: [id, mail, pin, city] }"
        let sound = "[1,\"a@b.de\",1,2]"
        for (name, text, rows, rejected) in [
            ("a.json", "[\n null,\n \(sound),\n \(sound) ]", 3, 1), ("b.json", "[ ]", 0, 0), ("c.json", "[\n]\n", 0, 0),
            ("d.jsonl", "[[1,2],\"a@b.de\",1,2]\n\(sound)\n", 2, 1), ("e.jsonl", "\(sound)\n", 1, 0),
        ] {
            let shop = try Workshop()
            defer { shop.remove() }
            let (report, _) = try await run(shop, Data(text.utf8), dialect: arrays, as: File(name: name))
            #expect(report.rows == rows && report.counts.count(.rejected) == rejected, "\(name)")
        }
        let shop = try Workshop()
        defer { shop.remove() }
        #expect(try await run(shop, Data("[]".utf8), dialect: "{ itemType: array }").report.rows == 0)
        #expect(
            try await run(shop, Data("{\"a\":[]}".utf8), dialect: "{ itemType: array, property: a }").report.rows == 0)
        // A record is not a header.
        let error = await #expect(throws: IngestionError.self) {
            try await run(shop, Data("[[{\"iban\":\"DE89\"},\"x\"],[1,2]]".utf8), dialect: "{ itemType: array }")
        }
        #expect(error?.description.contains("not all of its values are texts") == true)
        #expect(error?.description.contains("DE89") == false)
    }

    @Test func `a table without columns is refused, not made`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        for (name, text, dialect) in [
            ("a.csv", "a\"b,c\n1,2\n", "header: false"), ("b.json", "[[],[1]]", "itemType: array"),
            ("c.jsonl", "oops\n[1]\n", "{ itemType: array, header: false }"),
        ] {
            var options = BatchOptions()
            options.dialect = try Dialect.load(Array(dialect.utf8), name: "d.yaml")
            let path = try shop.write(name, text)
            let error = #expect(throws: IngestionError.self) { try inferSchema(BatchInput(path), options: options) }
            #expect(error?.code == .unreadableData, "\(name)")
        }
    }

    @Test func `marks, other encodings and much text before the list`() async throws {
        let rows = "{\"data\":[{\"id\":1}]}"
        let arrays =
            "{\"m\":\"\(String(repeating: "x", count: 3 << 20))\",\"data\":[[\"city\",\"pin\",\"mail\",\"id\"],[1,2,null,3]]}"
        for (text, dialect) in [
            (Data([0xEF, 0xBB, 0xBF]) + Data(rows.utf8), "{ property: data }"),
            (Data(arrays.utf8), "{ property: data, itemType: array }"),
        ] {
            let shop = try Workshop()
            defer { shop.remove() }
            for (name, data) in [("a.json", text), ("a.json.gz", try `the source reader`.pack("gzip", text))] {
                // A megabyte of one letter is not a decompression bomb.
                if name.hasSuffix("gz"), text.count > 1 << 20 { continue }
                let (report, _) = try await run(shop, data, dialect: dialect, as: File(name: name))
                #expect(report.rows == 1 && report.counts.count(.rejected) == 0, "\(name) \(dialect)")
            }
        }
        let wide = Data([0xFF, 0xFE]) + rows.utf8.reduce(into: Data()) { $0 += [$1, 0] }
        for (data, word) in [
            (wide, "utf-16le"), (Data([0x50, 0x4B, 3, 4, 5, 6, 7, 8]), "zip"),
            (Data("{\"a\":\"\u{FF}".utf8.dropLast()) + Data("\",\"data\":[]}".utf8), "not JSON"),
            (Data(#"{"a":"\ud800","data":[]}"#.utf8), "not JSON"),
            (Data(#"{"a":"\udc00","data":[]}"#.utf8), "not JSON"),
        ] {
            let shop = try Workshop()
            defer { shop.remove() }
            let error = await #expect(throws: IngestionError.self) {
                try await run(shop, data, dialect: "{ property: data }")
            }
            #expect(error?.description.contains(word) == true, "\(word): \(String(describing: error))")
        }
        let shop = try Workshop()
        defer { shop.remove() }
        let pair = Data(#"{"a":"\ud83d\ude00é€","data":[{"id":1}]}"#.utf8)
        #expect(try await run(shop, pair, dialect: "{ property: data }").report.rows == 1)
    }

    /// A key that only resembles a field's name is not in the contract, so its value is undeclared.
    @Test func `hidden text in keys is found`() async throws {
        let text =
            "{\"id\":1,\"mai\u{200B}l\":\"a@b.de\"}\n{\"id\":2,\"m\\u0430il\":\"c@d.de\"}\n{\"id\":3,\"größe\":1}\n"
        let shop = try Workshop()
        defer { shop.remove() }
        let (report, _) = try await run(
            shop, Data(text.utf8), dialect: "{}", unknown: "keep", as: File(name: "a.jsonl"))
        let codes = report.listed.map(\.code).filter { $0 != .undeclaredPII }
        #expect(codes == [.hiddenText, .mixedScript] && report.counts.count(.flagged) == 2)
        let other = try Workshop()
        defer { other.remove() }
        let (second, out) = try await run(
            other, Data(text.utf8), dialect: "{}, hiddenText: reject", unknown: "keep", as: File(name: "a.jsonl"))
        #expect(second.counts.count(.rejected) == 2 && !out.contains("@") && out.contains("größe"))
    }

    @Test func `a contract that asks for what the dialect leaves out is refused`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let error = await #expect(throws: IngestionError.self) {
            try await run(shop, Data("{\"id\": 1}".utf8), dialect: "{ itemKeys: [id, mail] }")
        }
        #expect(error?.code == .configuration && error?.description.contains("field pin") == true)
    }
}
