import Masking
import Schemas
import Sketches
import Tabular
import Testing

/// The output can always be read again, whatever the input.
@Suite struct MaskedPropertyTests {
    private static let operators = [
        "operator: redact", "operator: replace", "operator: replace, replacement: 'x,\"; y'", "operator: mask",
        "operator: mask, keepLast: 2", "operator: truncate, keepFirst: 2", "operator: tokenize, key: k",
        "operator: drop",
    ]
    /// Those that are written in place, with what may keep them from it.
    private static let plain = [
        "operator: tokenize, key: k, prefix: 'p-'", "operator: tokenize, key: k, prefix: 'a,\"'",
        "operator: mask, keepFirst: 1, keepLast: 1", "operator: mask, maskChar: ','", "operator: mask, keepLast: 3",
        "operator: tokenize, key: k",
    ]
    private static let texts = [
        "", "a", "a,b", "q\"q", "\"", "l\nm", "r\rs", "é𝄞", " s ", "\\", "\\\"", "ann@example.com", ";", "\t", "'",
        "NA",
    ]

    @Test(arguments: [SourceFormat.csv, .jsonl])
    func `values that are written in place are those of the operators`(_ format: SourceFormat) throws {
        var random = SplitMix64(seed: 13)
        for _ in 0..<100 {
            let columns = 1 + random.below(4)
            var lines = "missingValues: ['', NA]\nfields:\n"
            for column in 0..<columns {
                let rule = Self.plain[random.below(Self.plain.count)]
                lines += "  - { name: f\(column), type: any, sluice: { pii: { entity: PERSON, \(rule) } } }\n"
            }
            let schema = try contract(lines)
            var text = format == .csv ? schema.fields.map(\.name).joined(separator: ",") + "\n" : ""
            for _ in 0..<40 {
                let cells = (0..<columns).map { _ in Self.texts[random.below(Self.texts.count)] }
                if format == .csv {
                    text += cells.map { "\"" + $0.replacing("\"", with: "\"\"") + "\"" }.joined(separator: ",") + "\n"
                    text += cells.map { $0.filter { !",\"\n\r".contains($0) } + "x" }.joined(separator: ",") + "\n"
                } else {
                    let members = zip(schema.fields, cells).map { field, cell in
                        let value = random.below(4) == 0 ? "1234.5" : JSONValue.string(cell).text(pretty: false)
                        return "\"\(field.name)\":\(value)"
                    }
                    text += "{" + members.joined(separator: ",") + "}\n"
                }
            }
            let (quick, slow) = (try mask(schema, text, format), try mask(schema, text, format, inPlace: false))
            #expect(quick.text == slow.text, "\(text)")
            #expect(quick.receipts == slow.receipts)
        }
    }

    private func schema(_ random: inout SplitMix64, columns: Int) throws -> Schema {
        var lines = "missingValues: ['', NA]\nfields:\n"
        for column in 0..<columns {
            var rule = ""
            switch random.below(4) {
            case 0: break
            case 1: rule = "scan: true"
            default: rule = "entity: PERSON, " + Self.operators[random.below(column == 0 ? 7 : 8)]
            }
            lines += "  - { name: f\(column), type: any\(rule.isEmpty ? "" : ", sluice: { pii: { \(rule) } }") }\n"
        }
        let drops = random.below(2) == 0 ? ", unknownFields: drop" : ""
        return try contract(lines + "sluice: { undeclaredPii: allow\(drops) }\n")
    }

    @Test func `a CSV row has as many cells as the header, and the rest of its cells`() throws {
        var random = SplitMix64(seed: 11)
        for round in 0..<150 {
            let columns = 1 + random.below(5)
            let schema = try schema(&random, columns: columns)
            let delimiter = round % 3 == 0 ? ";" : ","
            let names = schema.fields.map(\.name)
            var text = names.joined(separator: delimiter) + "\n"
            let count = 1 + random.below(20)
            for _ in 0..<count {
                let cells = (0..<columns).map { _ in
                    let cell = Self.texts[random.below(Self.texts.count)]
                    let isPlain = !cell.contains { ",;\"\n\r".contains($0) } && columns > 1
                    return isPlain && random.below(2) == 0 ? cell : "\"" + cell.replacing("\"", with: "\"\"") + "\""
                }
                text += cells.joined(separator: delimiter) + "\n"
            }
            let code = delimiter == ";" ? UInt8(0x3B) : 0x2C
            let masked = try mask(schema, text, .csv, delimiter: code)
            #expect(masked.rows == count)
            let kept = schema.fields.filter { $0.pii?.operation != .drop }
            let released = Schema(fields: kept)
            let (layout, again) = try blocks(masked.text, plan(released, .csv, code))
            #expect(layout.columns == kept.map(\.name))
            #expect(again.flatMap(\.findings).isEmpty, "\(text)\n\(masked.text)")
            #expect(again.reduce(0) { $0 + $1.count } == count, "\(text)\n\(masked.text)")
            let (_, before) = try blocks(text, plan(schema, .csv, code))
            let old = before.flatMap { batch in (0..<batch.count).map { row in (batch, row) } }
            let new = again.flatMap { batch in (0..<batch.count).map { row in (batch, row) } }
            for ((first, at), (second, row)) in zip(old, new) {
                for (column, field) in kept.enumerated() where field.pii == nil {
                    let index = names.firstIndex(of: field.name) ?? 0
                    let was = first.cells[at * first.width + index]
                    let now = second.cells[row * second.width + column]
                    #expect(first.bytes[Int(was.rawStart)..<was.rawEnd] == second.bytes[Int(now.rawStart)..<now.rawEnd])
                }
            }
        }
    }

    @Test func `a JSON row parses, without what was dropped and with the rest as it was`() throws {
        var random = SplitMix64(seed: 12)
        func space() -> String { ["", "", " ", "\t", "\t ", "  "][random.below(6)] }
        func token() -> String {
            let text = JSONValue.string(Self.texts[random.below(Self.texts.count)]).text(pretty: false)
            let others = [
                text, text, text, "1.5e3", "true", "null", "{\"f0\":[\(text)], \"x\":{}}", "[1, {\"f1\":2}]",
                "4111111111111111",
            ]
            return others[random.below(others.count)]
        }
        for _ in 0..<150 {
            let columns = 1 + random.below(5)
            let schema = try schema(&random, columns: columns)
            var names = schema.fields.map(\.name)
            if schema.unknownFields == .drop { names += ["u", "v\"", "w\\", ""] }
            let count = 1 + random.below(20)
            var text = ""
            for _ in 0..<count {
                var order = names
                for index in order.indices.reversed() { order.swapAt(index, random.below(index + 1)) }
                let members = order.prefix(random.below(order.count + 1)).map { name in
                    let key = name == "f1" ? "\"f\\u0031\"" : JSONValue.string(name).text(pretty: false)
                    return space() + key + space() + ":" + space() + token() + space()
                }
                text += "{" + (members.isEmpty ? space() : members.joined(separator: ",")) + "}\n"
            }
            let masked = try mask(schema, text, .jsonl)
            #expect(masked.rows == count)
            let before = text.utf8.split(separator: 0x0A)
            let after = masked.text.utf8.split(separator: 0x0A)
            #expect(before.count == after.count)
            for (old, new) in zip(before, after) {
                let was = try #require(try JSONValue.parse(Array(old)).members)
                let parsed = try? JSONValue.parse(Array(new)).members
                let now = try #require(parsed ?? nil, "\(Substring(old)) became \(Substring(new))")
                let kept = schema.fields.filter { $0.pii?.operation != .drop }
                #expect(Set(now.keys) == Set(was.keys).intersection(kept.map(\.name)))
                for field in kept where field.pii == nil { #expect(now[field.name] == was[field.name]) }
            }
        }
    }
}
