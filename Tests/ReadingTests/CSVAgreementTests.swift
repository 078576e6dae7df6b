import Foundation
import Reading
import Tabular
import TestSupport
import Testing

/// Three readers of CSV compared: the structural scanner, libcsv, and a simple reference.
struct CSVAgreementTests {
    /// How the three readers disagree; nil if they agree.
    static func disagreement(
        _ bytes: [UInt8], width: Int, limits: ScanLimits = ScanLimits(), delimiter: UInt8 = 0x2C, quote: UInt8 = 0x22
    ) -> String? {
        let expected = ReferenceCSV(
            bytes: bytes, width: width, delimiter: delimiter, quote: quote, maxRowBytes: limits.maxRowBytes
        ).rows()
        for engine in [CSVEngine.structural, .libcsv] {
            var plan = ReadingPlan.csv(width: width, engine: engine, limits: limits, delimiter: delimiter)
            plan.dialect.quote = quote
            let rows = read(bytes, plan)
            if rows != expected {
                return
                    "\(engine) on \(shown(bytes)) width \(width) limit \(limits.maxRowBytes):\n\(rows)\nnot\n\(expected)"
            }
        }
        var plan = ReadingPlan.csv(width: width, limits: limits, delimiter: delimiter)
        plan.dialect.quote = quote
        for batch in batches(SourceSlice(whole: bytes), plan) {
            if let row = rowWhereLibCSVDisagrees(batch, delimiter: delimiter, quote: quote) {
                return "the cross-check disagrees on row \(row) of \(shown(bytes))"
            }
        }
        return nil
    }

    @Test(arguments: [
        "a,b\nc,d\n", "a,b\r\nc,d\r\n", "a,b\nc,d", "a,b\r\nc,d\r", "\"a,1\",b\n", "\"a\"\"1\",b\n",
        "\"a\nb\",c\nd,e\n",
        "\"a\r\nb\",c\r\nd,e\r\n", "a\nb,c\n", "a,b,c\nd,e\n", "a\"b,c\nd,e\n", "\"a\"b,c\nd,e\n", "\"a\" ,c\nd,e\n",
        "a\rb,c\nd,e\n", "a,b\rc,d\n", "a,\0\nc,d\n", "\"a\0\",b\nc,d\n", ",\n,\n", "\"\",\"\"\n",
        "\n\na,b\n\n\r\n\nc,d\n\n",
        "\"a,b\nc,d\ne,f\n", "\"a,b", "a,\"b", "a,\"b\"", "a,b,", "a,", ",", "\"", "\"\"", "\"\"\"", "\r", "\r\n", "\n",
        "a,b\n\r",
        "\r\r\n", "a,\"b\"\r", "a,\"b\r\n", "\"a\nb\"x,c\nd,e\n", "\"a\nb\" \nc\nd,e\n", "a,b\n\"c\"\"d\n\",e\n",
        " a , b \n",
        "a,b\n\u{FEFF}c,d\n", "\té,\u{1F600}\n", "a,\u{7F}\n", "a,\u{1}\nb,c\n",
    ])
    func `hand-written cases`(text: String) {
        for width in 1...3 {
            for max in [3, 4, 5, 6, 8, 1 << 20] {
                for block in [1, 2048] {
                    let limits = ScanLimits(maxRowBytes: max, blockRows: block)
                    let fault = Self.disagreement(Array(text.utf8), width: width, limits: limits)
                    #expect(fault == nil)
                }
            }
        }
    }

    @Test(
        arguments: [
            [0xFF], [0xC0, 0xAF], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xC3],
            [0xE2, 0x82],
            [0xF0, 0x9F, 0x98], [0x80],
        ] as [[UInt8]])
    func `invalid UTF-8 costs its row only`(broken: [UInt8]) {
        for quote in [[], [UInt8(0x22)]] {
            let bytes = Array("a,b\n".utf8) + quote + broken + quote + Array(",c\nd,é\n".utf8)
            #expect(Self.disagreement(bytes, width: 2) == nil)
            #expect(read(bytes, .csv(width: 2)).map { $0.cells != nil } == [true, false, true])
        }
    }

    @Test func `bad rows carry their code, range and number`() throws {
        let text = "a,b\n\"x,y\nc\"d,e\nf\n1,2,3\ng\rh,i\nj,\0\nk,l\n"
        let batch = try #require(batches(SourceSlice(whole: Array(text.utf8)), .csv(width: 2)).first)
        // An open quote rejects its own line; the quote that seems to close it belongs to another line.
        #expect(
            batch.findings.map(\.code) == [
                .unclosedQuote, .strayQuote, .missingCell, .extraCell, .strayCarriageReturn, .controlCharacter,
            ])
        #expect(batch.findings.map(\.row) == [2, 3, 4, 5, 6, 7])
        #expect(batch.findings.map(\.byteOffset) == [4, 9, 15, 17, 23, 29])
        #expect(batch.findings.map(\.byteLength) == [4, 5, 1, 5, 5, 3])
        let open = batches(SourceSlice(whole: Array("a,b\n\"x,y\nc,d\n".utf8)), .csv(width: 2))
        #expect(open.flatMap(\.findings).map(\.code) == [.unclosedQuote])
        let long = batches(
            SourceSlice(whole: Array("a,b\nlong row,y\nc,d\n".utf8)), .csv(width: 2, limits: ScanLimits(maxRowBytes: 8))
        )
        #expect(long.flatMap(\.findings).map(\.code) == [.rowTooLong])
    }

    @Test func `random small inputs`() {
        var random = Seeded(state: 0x5EED_0001)
        let alphabet: [[UInt8]] = [
            [0x61], [0x2C], [0x20], [0x22], [0x0A], [0x0D], [0xC3, 0xA9], [0], [0x22], [0x0A], [0x2C], [0x0D, 0x0A],
            [0xC3],
            [0x2C, 0x22], [0x22, 0x2C], [0x22, 0x0A], [0x22, 0x22], [0x61], [0x61],
        ]
        // Rare letters are sometimes omitted, so that longer good records occur too.
        for _ in 0..<30_000 {
            let letters =
                random.below(2) == 0 ? alphabet : alphabet.filter { $0 != [0] && $0 != [0xC3] && $0 != [0x0D] }
            let bytes = (0..<random.below(40)).flatMap { _ in random.pick(letters) }
            let limits = ScanLimits(
                maxRowBytes: random.pick([1, 2, 3, 5, 8, 13, 100]), blockRows: random.pick([1, 2, 2048]),
                blockBytes: random.pick([1, 7, 1 << 20]))
            let width = 1 + random.below(3)
            // The same text with another quote character, which libcsv supports too.
            let quoted = bytes.map { $0 == 0x22 ? 0x27 : $0 }
            let fault =
                Self.disagreement(bytes, width: width, limits: limits)
                ?? Self.disagreement(quoted, width: width, limits: limits, quote: 0x27)
            if let fault {
                Issue.record("\(fault)")
                return
            }
        }
    }

    /// Every structural byte at every position of a 64-byte word, and at the edges of the scanner's windows.
    @Test func `records across word and window edges`() {
        let tails = [
            "\"q\"\"q\",b\nc,d\n", "\"x\ny\",b\r\nc,d", "\"a\"b,c\nd,e\n", "x\ry,b\nc,d\n", "\"open,b\nc,d\n",
            "a,b\r\nc,d\r\n",
            "\"\"\"\",\"\"\r\n\"a\",\"b\"",
        ]
        for edge in [64, 128, 4096, 65_536] {
            for shift in -12...3 {
                for tail in tails {
                    let filler = String(repeating: "x", count: edge + shift - 3)
                    for bytes in [
                        Array(("1," + filler + "\n" + tail).utf8), Array(("\"" + filler + "\n\"," + tail).utf8),
                    ] {
                        if let fault = Self.disagreement(bytes, width: 2) {
                            Issue.record("edge \(edge) shift \(shift) tail \(tail): \(fault.suffix(400))")
                            return
                        }
                    }
                }
            }
        }
    }

    @Test(arguments: [0x3B, 0x09, 0x7C, 0x20, 0x01] as [UInt8])
    func `other delimiters`(delimiter: UInt8) {
        let text = "a,\"b,\n\",c\nd,\"\"\"\",f\r\n,,\n"
        let bytes = Array(text.utf8).map { $0 == 0x2C ? delimiter : $0 }
        #expect(Self.disagreement(bytes, width: 3, delimiter: delimiter) == nil)
        #expect(read(bytes, .csv(width: 3, delimiter: delimiter)).allSatisfy { $0.cells != nil })
    }

    @Test(.enabled(if: shared("suites/csv-spectrum") != nil, "run scripts/suites"))
    func `csv-spectrum`() throws {
        let folder = try #require(shared("suites/csv-spectrum"))
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/csvs")
        var cells = 0
        for name in names.sorted() where name.hasSuffix(".csv") {
            let bytes = [UInt8](try Data(contentsOf: folder.appendingPathComponent("csvs/\(name)")))
            let json = folder.appendingPathComponent("json/\(name.dropLast(4)).json")
            let expected = try #require(
                try JSONSerialization.jsonObject(with: Data(contentsOf: json)) as? [[String: Any]])
            for engine in [CSVEngine.structural, .libcsv] {
                let plan = ReadingPlan(format: .csv, fieldNames: [], rejectsUnknown: false, engine: engine)
                let head = try #require(try readHead(bytes.span, isWhole: true, plan: plan))
                let columns = try #require(head.layout).columns
                let rows = read(Array(bytes[head.length...]), .csv(width: columns.count, engine: engine))
                #expect(rows.count == expected.count, "\(name)")
                for (row, object) in zip(rows, expected) {
                    let values = try #require(row.cells).map { String(decoding: $0.value, as: UTF8.self) }
                    #expect(object.count == columns.count, "\(name)")
                    for (column, value) in zip(columns, values) {
                        let wanted = try #require(object[column], "\(name) \(column)")
                        // The published files lost their carriage returns in a git checkout.
                        let text = bytes.contains(0x0D) ? "\(wanted)" : "\(wanted)".replacing("\r\n", with: "\n")
                        #expect(text == value, "\(name)")
                        cells += 1
                    }
                }
            }
        }
        #expect(cells >= 80)
    }

    @Test func `headers`() throws {
        func head(_ text: String, _ fields: [String], whole: Bool = true) throws -> SourceHead? {
            let plan = ReadingPlan(format: .csv, fieldNames: fields)
            return try readHead(Array(text.utf8).span, isWhole: whole, plan: plan)
        }
        let marked = try #require(try head("\u{FEFF}\n\r\nb,\"a\"\"x\"\r\n1,2\n", ["a\"x", "b"]))
        let layout = try #require(marked.layout)
        #expect(layout.columns == ["b", "a\"x"] && layout.fieldOfColumn == [1, 0] && layout.columnOfField == [1, 0])
        #expect(layout.header == Array("b,\"a\"\"x\"\r\n".utf8) && marked.length == 16)
        #expect(try head("a,b", ["a", "b"])?.layout?.header == Array("a,b\n".utf8))
        #expect(try head("a,b", ["a", "b"], whole: false) == nil)
        #expect(try head("a,a\n", ["a"])?.findings.map(\.code) == [.duplicateLabel])
        #expect(try head("a,\n", ["a"])?.findings.map(\.code) == [.blankLabel, .extraLabel])
        #expect(try head("a\n", ["a", "b"])?.findings.map(\.code) == [.missingLabel])
        for text in ["", "\n\n", "a\"b,c\n", "a,\0\n", "a\0,\0", "\0a\0,"] {
            #expect(throws: UnreadableSource.self) { try head(text, ["a"]) }
        }
    }
}
