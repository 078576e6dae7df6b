import Reading
import Tabular
import Testing

/// Files that are not tables: the message says what they are, and what to do.
@Suite struct `files of another form` {
    private func reason(
        _ bytes: [UInt8], _ format: SourceFormat = .csv, _ change: (inout ReadingPlan) -> Void = { _ in }
    ) -> String {
        var plan = ReadingPlan(format: format, fieldNames: ["a"], rejectsUnknown: false)
        change(&plan)
        do {
            _ = try readHead(bytes.span, isWhole: true, plan: plan)
            return ""
        } catch {
            return error.reason
        }
    }

    private func eastAsian(_ bytes: [UInt8]) -> String? { eastAsianEncoding(bytes.span) }
    private func hasSpaces(_ text: String) -> Bool { hasColumnsOfSpaces(Array(text.utf8).span) }

    @Test(arguments: [
        ("<!DOCTYPE html>\n<html><body>a, b</body></html>", "HTML", "sign-in"), ("\n  <HTML>", "HTML", "sign-in"),
        ("<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code></Error>", "XML", "error message"),
        ("%PDF-1.7\n", "PDF", "CSV"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "Git LFS", "git lfs pull"),
        ("PK\u{3}\u{4}xxxx", ".xlsx", "export"),
        ("PAR1xxxx", "Parquet", "CSV"), ("ARROW1xx", "Arrow", "CSV"), ("BZh91AY&SYxx", "bzip2", "bunzip2"),
        ("SQLite format 3\0", "SQLite", "export"),
    ]) func `by their first bytes`(text: String, name: String, cure: String) {
        for format in [SourceFormat.csv, .jsonl] {
            let said = reason(Array(text.utf8), format)
            #expect(said.contains(name) && said.contains(cure), "\(said)")
        }
    }

    @Test func `by first bytes that are no text`() {
        #expect(reason([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0, 1, 2]).contains("unxz"))
        #expect(reason([0xD0, 0xCF, 0x11, 0xE0, 1, 2, 3]).contains(".xls"))
        #expect(reason([0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C]).contains("7z"))
        #expect(reason(Array("a,\0".utf8).flatMap { [$0, 0] }).contains("utf-16le"))
    }

    @Test func `lines that end with a carriage return alone`() {
        #expect(reason(Array("name,age\rann,3\rbob,4\r".utf8)).contains("lineTerminator"))
        #expect(reason(Array("name,age\rann,3\r".utf8)) { $0.dialect.lineTerminator = 0x0D } == "")
        #expect(reason(Array("name,age\r\nann,3\r\n".utf8)) == "")
        #expect(reason(Array("<a>,b\n1,2\n".utf8)) == "" && reason(Array("BZh,b\n1,2\n".utf8)) == "")
    }

    @Test func `one JSON document over several lines`() {
        let pretty = "{\n  \"a\": 1,\n  \"b\": {\n    \"c\": \"}\"\n  }\n}\n"
        #expect(reason(Array(pretty.utf8), .jsonl).contains("one record a line"))
        #expect(reason(Array((pretty + pretty).utf8), .jsonl).contains("property"))
        // A broken row among others rejects only itself.
        for text in ["{\"a\": 1,\n{\"a\": 2}\n", "{\"a\": 1}\n{\"a\": 2}\n", "{\n{\"a\": 1}\n", "{\"a\": \"x\n\"}\n"] {
            #expect(reason(Array(text.utf8), .jsonl) == "", "\(text)")
        }
    }

    @Test func `a carriage return inside a JSON record is no white space`() throws {
        let plan = ReadingPlan(format: .jsonl, fieldNames: ["a"], rejectsUnknown: false)
        let text = Array(
            "{\"a\":1,\r\"b\":2}\n{\"a\":1}\r\n{\"a\":\r1}\n{\"a\":[1,\r2]}\n{\"a\":1}\r{\"a\":2}\n{\"a\":1} \r\n".utf8)
        let layout = try #require(try readHead(text.span, isWhole: true, plan: plan)?.layout)
        var reader = SliceReader(
            SourceSlice(ordinal: 0, offset: 0, length: UInt64(text.count), firstRow: 1, rowCount: 6, bytes: text),
            layout: layout,
            plan: plan)
        let next = reader.next()
        let batch = try #require(next)
        #expect(batch.isWellFormed == [false, true, false, false, false, true])
    }

    @Test func `East Asian encodings by their pairs of bytes, and Western ones not`() {
        // "なまえ,とし" and the like, in those encodings.
        let shiftJIS: [UInt8] = [
            0x82, 0xC8, 0x82, 0xDC, 0x82, 0xA6, 0x2C, 0x82, 0xC6, 0x82, 0xB5, 0x0A, 0x8E, 0x52, 0x93, 0x63, 0x2C, 0x33,
        ]
        #expect(eastAsian(shiftJIS + Array("\nx,y\n".utf8)) == "Shift-JIS")
        let eucJP: [UInt8] = [0xA4, 0xCA, 0xA4, 0xDE, 0xA4, 0xA8, 0x2C, 0xA4, 0xC8, 0xA4, 0xB7, 0x0A]
        #expect(eastAsian(eucJP + Array("x,y\n1,2\n".utf8))?.contains("EUC") == true)
        let western =
            Array("name,city\n".utf8) + [0x5A, 0x6F, 0xEB, 0x2C, 0x4F, 0x72, 0x6C, 0xE9, 0x61, 0x6E, 0x73, 0x0A]
        #expect(eastAsian(western + western + western + western) == nil)
        #expect(eastAsian(Array("naïve,café,日本語,ひらがな\n".utf8)) == nil)
    }

    @Test func `columns of spaces`() {
        #expect(hasSpaces("name   age\nann    30\nbob    4\n"))
        #expect(!hasSpaces("name\nJohn Smith\nAnn Lee\n"))
        #expect(!hasSpaces("first last\nJohn Smith\nAnn Lee\n"))
    }
}
