import Tabular
import Testing

@Suite struct PrintableTextTests {
    private static let hidden: [UInt32] = [
        0x00, 0x07, 0x09, 0x0A, 0x0D, 0x1B, 0x7F, 0x80, 0x85, 0x9B, 0x9F, 0xAD, 0x34F, 0x61C, 0x115F, 0x180E, 0x200B,
        0x200C, 0x200D, 0x200E, 0x200F, 0x2028, 0x2029, 0x202A, 0x202E, 0x2060, 0x2066, 0x2069, 0x206F, 0x3164, 0xFE0F,
        0xFEFF, 0xFFF9, 0xE0000, 0xE0001, 0xE0041, 0xE007F, 0xE0100,
    ]

    @Test(arguments: hidden)
    func `what is hidden shows, and parses to the same`(value: UInt32) throws {
        let scalar = try #require(UnicodeScalar(value))
        let text = "a" + String(scalar) + "é漢😀\"\\"
        #expect(PrintableText.isHidden(scalar))
        let line = PrintableText.line(text)
        #expect(!line.unicodeScalars.contains(where: PrintableText.isHidden) && line.hasPrefix("a\\x"))
        for pretty in [true, false] {
            let value = JSONValue.object([text: .array([.string(text), .null])])
            let json = PrintableText.json(value.text(pretty: pretty))
            #expect(!json.unicodeScalars.contains { $0 != "\n" && PrintableText.isHidden($0) })
            #expect(try JSONValue.parse(Array(json.utf8)) == value)
        }
    }

    @Test func `ordinary text stays as it is`() {
        for text in ["", "orders-2026.csv", "Größe €/m²", "名前", "naïve café", "a b"] {
            #expect(PrintableText.line(text) == text && PrintableText.json(text) == text)
        }
        #expect(PrintableText.line("a\n\u{1B}b") == "a\\x0a\\x1bb")
    }

    @Test func `data for a terminal may be cut anywhere`() {
        let bytes = Array("é\t😀\u{1B}[2J\r\n漢\u{202E}x\u{E0041}".utf8) + [0xFF, 0x9B, 0x0A, 0xC3]
        var whole = PrintableStream()
        let want = whole.take(bytes.span) + whole.finish()
        #expect(want == "é\t😀\\x1b[2J\\x0d\n漢\\x202ex\\xe0041\u{FFFD}\u{FFFD}\n\u{FFFD}")
        for size in 1...5 {
            var stream = PrintableStream()
            var got = ""
            for start in stride(from: 0, to: bytes.count, by: size) {
                got += stream.take(Array(bytes[start..<min(start + size, bytes.count)]).span)
            }
            #expect(got + stream.finish() == want, "\(size)")
        }
    }
}

@Suite struct JSONOutlineTests {
    @Test func `a document that is made while it is written is the very document, in pieces`() throws {
        let rows = (0..<9000).map { JSONValue.object(["row": .integer(Int64($0)), "text": .string("é\n\"")]) }
        let head: [String: JSONValue] = ["a": .bool(true), "z": .array([.null]), "e": .object([:])]
        let outline = JSONOutline(
            head,
            adding: [
                "list": .list(AnySequence(rows)), "none": .list(AnySequence([])),
                "runs": .array([JSONOutline(head, adding: ["results": .list(AnySequence(rows))]), .array([])]),
            ])
        var whole = head
        (whole["list"], whole["none"]) = (.array(rows), .array([]))
        whole["runs"] = .array([.object(head.merging(["results": .array(rows)]) { $1 }), .array([])])
        for pretty in [true, false] {
            var pieces: [[UInt8]] = []
            outline.write(pretty: pretty) { pieces.append($0) }
            #expect(String(decoding: pieces.joined(), as: UTF8.self) == JSONValue.object(whole).text(pretty: pretty))
            #expect(
                pieces.count > 5
                    && pieces.allSatisfy { $0.count < 1 << 17 && String(validating: $0, as: UTF8.self) != nil })
        }
    }
}

@Suite struct FindingListTests {
    private func findings(_ count: Int) -> [Finding] {
        (0..<count).map { index in
            let row = (index * 7919) % 1000
            // Some are about the batch or a column, and some have no place in the source.
            var finding = Finding(
                index % 3 == 0 ? .typeError : .secret, outcome: index % 2 == 0 ? .rejected : .flagged,
                at: Finding.Location(row: row == 0 ? nil : row, field: index % 5 == 0 ? nil : index % 5 - 1),
                bytes: index % 13 == 0 ? nil : UInt64(index) << 33..<UInt64(index) << 33 + 9)
            if index % 4 == 0 { (finding.statistic, finding.threshold, finding.contributors) = (0.5, nil, [index]) }
            if index % 7 == 0 { finding.rule = "rule \(index % 2)" }
            if index % 11 == 0 { finding.keyword = "/required" }
            return finding
        }
    }

    @Test func `findings come out as they went in`() {
        let all = findings(500)
        var list = FindingList()
        list.append(contentsOf: all)
        #expect(Array(list) == all && list.count == 500)
    }

    @Test func `the first of them stay, in order and in the order of arrival`() {
        let all = findings(5000)
        let want = all.enumerated().sorted {
            ($0.element.location, $0.offset) < ($1.element.location, $1.offset)
        }
        .map(\.element)
        for most in [Int.max, 5000, 77, 0] {
            var list = FindingList()
            list.append(contentsOf: all)
            list.sort(keeping: most)
            #expect(Array(list) == Array(want.prefix(most)))
            list.sort(keeping: most / 2)
            #expect(Array(list) == Array(want.prefix(most / 2)))
        }
    }
}
