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
    private static let texts = [
        "", "a", "a,b", "q\"q", "\"", "l\nm", "r\rs", "é𝄞", " s ", "\\", "\\\"", "ann@example.com", ";", "\t", "'",
        "NA",
    ]

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
