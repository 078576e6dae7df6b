import Foundation
import Testing

/// Remarks on a file apart from its rows, and how rows are counted.
@Suite(.serialized) struct `remarks on files` {
    private static let contract = "name: t\nfields: [{ name: a, type: integer }, { name: b, type: string }]\n"

    private func judged(_ text: String, _ contract: String = contract, _ arguments: String...) throws -> Harness.Outcome
    {
        let harness = try Harness()
        defer { harness.remove() }
        try harness.write("d.csv", text)
        try harness.write("c.yaml", contract)
        return try harness.run(["validate", "d.csv", "--schema", "c.yaml"] + arguments, after: nil)
    }

    @Test func `a file without a last line end, and blank lines`() throws {
        let cut = try judged("a,b\n1,x\n2,lorem ips")
        #expect(cut.code == 0 && cut.out.contains("no line end"), "\(cut.out)")
        let whole = try judged("a,b\n1,x\n\n\n2,y\n\n")
        #expect(
            whole.code == 0 && whole.out.contains("3 blank or comment lines") && !whole.out.contains("no line end"),
            "\(whole.out)")
        let plain = try judged("a,b\r\n1,x\r\n2,y\r\n")
        #expect(plain.code == 0 && !plain.out.contains("note"), "\(plain.out)")
    }

    @Test func `a quoted value that holds rows is remarked`() throws {
        let rows = (1...9).map { "\($0),word" }.joined(separator: "\n")
        let text = "a,b\n10,\"stray\n\(rows)\n11,\"\n12,x\n"
        let found = try judged(text)
        #expect(found.out.contains("row 1") && found.out.contains("line(s) of 2 cells"), "\(found.out)")
        #expect(!found.out.contains("stray\n") && !found.out.contains("word"))
        let poem = try judged("a,b\n10,\"one line\nanother line, of words, with commas\nand a last\"\n")
        #expect(!poem.out.contains("line(s)"), "\(poem.out)")
    }

    @Test func `rows are numbered as frictionless numbers them in its format`() throws {
        func numbers(_ text: String, _ contract: String = Self.contract) throws -> [String] {
            let outcome = try judged(text, contract, "--format", "frictionless")
            let document = try JSONSerialization.jsonObject(with: Data(outcome.out.utf8)) as? [String: Any]
            let task = (document?["tasks"] as? [[String: Any]])?.first
            return (task?["errors"] as? [[String: Any]] ?? []).map { "\($0["rowNumber"] ?? "-") \($0["type"] ?? "-")" }
        }
        let headless = Self.contract + "sluice: { apiVersion: sluice/v1, dialect: { header: false } }\n"
        #expect(try numbers("1,a\n2,b\n3,c,d\n", headless) == ["3 extra-cell"])
        #expect(try numbers("a,b\n1,a\n\n\n2\n3,c\n\nx,d\n") == ["5 missing-cell", "8 type-error"])
        let below =
            Self.contract + "sluice: { apiVersion: sluice/v1, dialect: { commentRows: [1], headerRows: [2] } }\n"
        #expect(try numbers("Report\na,b\nx,1\n", below) == ["3 type-error"])
        #expect(
            try numbers("a,c\n1,2\n").map { $0.split(separator: " ").last.map(String.init) } == [
                "extra-label", "missing-label",
            ])
    }

    @Test func `a row with two faults has two reasons`() throws {
        let both = try judged("a,b\n1,\u{1}x,y\n2,b\n", Self.contract, "--format", "ndjson")
        #expect(both.out.contains("extra-cell") && both.out.contains("control-character"), "\(both.out)")
    }

    @Test func `encodings and forms are named with what helps`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        try Data([0x6E, 0x2C, 0x6B, 0x0A] + (0..<6).flatMap { _ in [0x5A, 0x6F, 0xEB, 0x2C, 0x33, 0x0A] as [UInt8] })
            .write(to: URL(filePath: harness.path("w.csv")))
        let western = try harness.run("schema", "infer", "w.csv")
        #expect(western.code == 0 && western.out.contains("encoding: windows-1252"), "\(western.err)")
        try harness.write("s.csv", "name   age\nann    30\nbob    4\n")
        let spaces = try harness.run("schema", "infer", "s.csv")
        #expect(spaces.code == 65 && spaces.err.contains("tr -s"), "\(spaces.err)")
        try Data([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0, 0, 4]).write(to: URL(filePath: harness.path("a.csv.xz")))
        let packed = try harness.run("schema", "infer", "a.csv.xz")
        #expect(packed.code == 65 && packed.err.contains("unxz"), "\(packed.err)")
        try harness.write("o.json", "{\n  \"data\": [\n    {\"a\": 1}\n  ]\n}\n")
        let one = try harness.run("schema", "infer", "o.json")
        #expect(one.code == 65 && one.err.contains("property"), "\(one.err)")
    }
}
