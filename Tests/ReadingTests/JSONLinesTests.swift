import Foundation
import Reading
import Tabular
import TestSupport
import Testing

/// JSON Lines compared with a simple reference and the published suite.
struct JSONLinesTests {
    /// How the rows read from `text` differ from the reference; nil if they do not.
    static func disagreement(_ text: [UInt8], _ names: [String], rejects: Bool, limits: ScanLimits) -> String? {
        let plan = ReadingPlan.json(names, rejects: rejects, limits: limits)
        let all = batches(SourceSlice(whole: text), plan)
        var seenRows: [(batch: RowBlock, row: Int)] = []
        for batch in all { for row in 0..<batch.count { seenRows.append((batch, row)) } }
        var index = 0
        var offset = 0
        for part in text.split(separator: 0x0A, omittingEmptySubsequences: false) {
            let line = Array(part)
            defer { offset += line.count + 1 }
            let isLong = line.count >= limits.maxRowBytes + 2
            let own = line.last == 0x0D ? line.dropLast() : line[...]
            if own.allSatisfy({ $0 == 0x20 || $0 == 0x09 }), !isLong { continue }
            guard index < seenRows.count else { return "row \(index) is missing: \(shown(line))" }
            let (batch, row) = seenRows[index]
            index += 1
            let record = batch.records[row]
            if Int(batch.baseOffset) + Int(record.start) != offset {
                return "row \(index) starts elsewhere: \(shown(line))"
            }
            let spaces: Set<UInt8> = [0x20, 0x09, 0x0D]
            let trimmed = line.count - (line.reversed().firstIndex { !spaces.contains($0) } ?? 0)
            var members =
                isLong || trimmed > limits.maxRowBytes
                ? nil : ReferenceJSON.object(line, maxDepth: limits.maxDepth)
            if rejects, let found = members, !found.allSatisfy({ names.map { Array($0.utf8) }.contains($0.key) }) {
                members = nil
            }
            if batch.isWellFormed[row] != (members != nil) {
                return "row \(index) is \(members == nil ? "" : "not ")bad by the reference: \(shown(line))"
            }
            if let members, let fault = difference(batch, row, at: offset, from: members, of: names) {
                return "\(fault): \(shown(line))"
            }
        }
        return index == seenRows.count ? nil : "\(seenRows.count - index) rows too many: \(shown(text))"
    }

    private static func difference(
        _ batch: RowBlock, _ row: Int, at offset: Int, from members: [SeenMember], of names: [String]
    ) -> String? {
        let base = offset - Int(batch.baseOffset)
        var extras = batch.extras.filter { $0.row == row }
        var cells = Array(batch.cells[row * batch.width..<(row + 1) * batch.width])
        for member in members {
            guard let field = names.firstIndex(where: { Array($0.utf8) == member.key }) else {
                guard !extras.isEmpty else { return "an extra is missing" }
                let extra = extras.removeFirst()
                if extra.start - base != member.keyStart || extra.end - base != member.end {
                    return "an extra's extent"
                }
                continue
            }
            let cell = cells[field]
            cells[field] = .absent
            if Int(cell.rawStart) - base != member.start || cell.rawEnd - base != member.end {
                return "a cell's extent"
            }
            if Array(batch.bytes[cell.range]) != member.value { return "a cell's value" }
        }
        if !extras.isEmpty { return "an extra too many" }
        return cells.allSatisfy { $0.kind == .absent } ? nil : "a cell of no member"
    }

    @Test(arguments: [
        #"{"a":1,"a":2}"#, #"{"a":1,"\u0061":2}"#, #"{"x":1,"\u0078":2}"#, #"{"\u0061":1}"#, #"{"a":{"b":1,"b":2}}"#,
        #"{"a":{"b":1,"\u0062":2}}"#, #"{"a":[{"b":1},{"b":1}]}"#, #"{"a":"\ud800"}"#, #"{"a":"\ud83d\ude00"}"#,
        #"{"a":"\ude00\ud83d"}"#, #"{"a":["\udc00"]}"#, #"{"\ud800":1}"#, #"{"x\q":1}"#, #"{"\u00zz":1}"#,
        #"{"a":123456789012345678901234567890}"#, #"{"a":-0}"#, #"{"a":01}"#, #"{"a":1.}"#, #"{"a":.5}"#, #"{"a":1e5}"#,
        #"{"a":1E+}"#, #"{"a":+1}"#, #"{"a":NaN}"#, #"{"a":tru}"#, #"{"a":true }"#, #"{"a": null}"#, #"{"a":nulll}"#,
        "\t{ \"a\" :\t1 , \"b\"\r: [ 1 , { } ] }  \r", "{}", "{ }", "[]", "1", "\"a\"", "null", "{\"a\":1}{\"b\":2}",
        "{\"a\":1},",
        "{\"a\":1,}", "{,}", "{\"a\"}", "{\"a\":}", "{a:1}", "{'a':1}", "{\"a\":\"\t\"}", "{\"a\":\"\u{1}\"}",
        "{\"a\":[\"\t\"]}",
        "{\"a\\b\":1}", "{\"a\\\\b\":1}", #"{"b":"\"","a":"\\"}"#, #"{"a":"\\\"","b":"x"}"#, "{\"a\":\"é\"}",
        "{\"é\":1}", "\u{FEFF}{}",
        "{\"a\":1}\\", "{\"a\":\\\"x\"}", "{\"a\":\"x\\", "{\"a\":[\"x\\", "{\"a\":[1,2", "{\"a\":[1 2]}",
        "{\"a\":[,]}", "{\"a\":{\"b\"}}",
        "{\"a\":[1],\"b\":{\"c\":[{}]},\"x\":[[]]}", "{\"a\":\"x\"y}", "{\"a\" 1}", "{\"a\"::1}", "{\"\":1}",
        "{\"a\":1\0}", "{\"a\":\0}",
    ])
    func `one line among others`(line: String) {
        for names in [["a", "b"], ["b", "a", "a\\b"], []] {
            for rejects in [false, true] {
                let text = "{\"b\":1,\"a\":2}\n\(line)\n{\"a\":\"x\",\"b\":\"\\n\"}\r\n\(line)"
                let limits = ScanLimits()
                #expect(Self.disagreement(Array(text.utf8), names, rejects: rejects, limits: limits) == nil)
                // The previous row has set the scanner's predicted order of keys.
                let twice = Array("\(line)\n\(line)\n{\"a\\b\":1,\"b\":0}\n{\"a\\\\b\":1}\n{\"a\\b\":1}\n".utf8)
                #expect(Self.disagreement(twice, names, rejects: rejects, limits: limits) == nil)
            }
        }
    }

    @Test func `codes of bad rows`() {
        let lines: [(String, FindingCode)] = [
            (#"{"a":1,"\u0061":2}"#, .duplicateKey), (#"{"x":{"y":1,"y":2}}"#, .duplicateKey),
            (#"{"x":1,"x":2}"#, .duplicateKey),
            ("{\"a\":" + String(repeating: "[", count: 64) + String(repeating: "]", count: 64) + "}", .nestingTooDeep),
            (#"{"a":"\ud800"}"#, .malformedJSON), (#"{"\ud800":1}"#, .malformedJSON), ("[]", .malformedJSON),
            ("{", .malformedJSON),
            ("{\"a\":\"\u{1}\"}", .controlCharacter),
        ]
        for (line, code) in lines {
            let found = batches(SourceSlice(whole: Array(line.utf8)), .json(["a"])).flatMap(\.findings).map(\.code)
            #expect(found == [code], "\(line)")
        }
        let unknown = batches(SourceSlice(whole: Array("{\"x\":1}".utf8)), .json(["a"], rejects: true))
        #expect(unknown.flatMap(\.findings).map(\.code) == [.unknownField])
        let broken = batches(SourceSlice(whole: Array("{\"a\":\"".utf8) + [0xFF, 0x22, 0x7D]), .json(["a"]))
        #expect(broken.flatMap(\.findings).map(\.code) == [.encodingError])
    }

    @Test func `nesting up to the limit`() {
        for depth in 1...6 {
            for open in ["[", "{\"k\":"] {
                let close = open == "[" ? "]" : "}"
                let inner = open == "[" ? "" : "1"
                let line =
                    "{\"a\":" + String(repeating: open, count: depth) + inner + String(repeating: close, count: depth)
                    + "}"
                for limit in 1...7 {
                    let limits = ScanLimits(maxDepth: limit)
                    #expect(Self.disagreement(Array(line.utf8), ["a"], rejects: false, limits: limits) == nil)
                }
            }
        }
        let deep = Array(("{\"a\":" + String(repeating: "[", count: 100_000)).utf8)
        #expect(read(deep, .json(["a"])).map { $0.cells != nil } == [false])
    }

    @Test func `a duplicate key is found however wide the object is`() {
        let many = (0..<9_000).map { "\"k\($0)\":0" }.joined(separator: ",")
        for line in [
            "{\(many)}", "{\(many),\"k8999\":1}", "{\"a\":{\(many),\"k8999\":1}}", "{\"a\":{\(many)}}",
            "{\(many),\"k\\u0030\":1}",
        ] {
            let fault = Self.disagreement(Array(line.utf8), ["a"], rejects: false, limits: ScanLimits())
            #expect(fault == nil)
        }
    }

    @Test func `a wide object costs no more than its length`() {
        let many = (0..<90_000).map { "\"k\($0)\":0" }.joined(separator: ",")
        let clock = ContinuousClock()
        let time = clock.measure {
            #expect(read(Array("{\(many)}\n{\"a\":{\(many)}}\n".utf8), .json(["a"])).count == 2)
        }
        #expect(time < .seconds(30))
    }

    @Test(.enabled(if: shared("suites/json/test_parsing") != nil, "run scripts/suites"))
    func `JSONTestSuite as lines`() throws {
        let folder = try #require(shared("suites/json/test_parsing"))
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        var counts = (objects: 0, wrapped: 0, refused: 0, open: 0)
        for name in names.sorted() where name.hasSuffix(".json") {
            let bytes = [UInt8](try Data(contentsOf: folder.appendingPathComponent(name)))
            let line = bytes.last == 0x0A ? Array(bytes.dropLast()) : bytes
            if line.contains(0x0A) { continue }
            let forms = [line, Array("{\"a\":".utf8) + line + Array("}".utf8)]
            for (form, content) in forms.enumerated() {
                let limits = ScanLimits()
                #expect(Self.disagreement(content, ["a"], rejects: false, limits: limits) == nil, "\(name) \(form)")
                let rows = read(content, .json(["a"]))
                let isAccepted = rows.contains { $0.cells != nil }
                let isDuplicate = name.hasPrefix("y_object_duplicated_key")
                if name.hasPrefix("y_"), !isDuplicate, form == 1 || line.contains(0x7B) && line.first != 0x5B {
                    #expect(isAccepted, "\(name) \(form)")
                    counts.objects += form == 0 ? 1 : 0
                    counts.wrapped += form
                } else if name.hasPrefix("n_") {
                    // Trailing text may close the wrapper early and begin another value, which is not an object either.
                    #expect(!isAccepted, "\(name) \(form)")
                    counts.refused += 1
                } else if name.hasPrefix("i_"), form == 1 {
                    // Where RFC 8259 leaves a choice, as the manual states (Reading.md): numbers of any size are kept
                    // as they are written; text that is not valid Unicode is refused, and so is excessive depth.
                    #expect(isAccepted == name.hasPrefix("i_number_"), "\(name)")
                    counts.open += 1
                }
            }
        }
        print("JSONTestSuite as lines: \(counts)")
        #expect(counts.objects >= 9 && counts.wrapped >= 90 && counts.refused >= 300 && counts.open >= 30)
    }

    @Test func `random mutations of valid lines`() {
        var random = Seeded(state: 0x5EED_0004)
        let seeds = [
            #"{"a":1,"b":"text","c":[1,2,{"d":null}]}"#, #"{"b":"é\n\u00e9\ud83d\ude00","a":-1.5e+10}"#,
            #"{"a":{"x":{"y":[true,false]},"z":""},"q":"\\\""}"#,
            #" { "a" : 12345678901234567890 , "e\u0061" : [ ] } "#,
            #"{"a":"\\","b":"\"","c":{"\\":"\""}}"#,
        ].map { Array($0.utf8) }
        let bits =
            [
                "\"", "\\", "{", "}", "[", "]", ":", ",", " ", "\t", "\r", "\n", "0", "1", "e", ".", "-", "u", "a",
                "\\u", "\\\"",
            ]
            .map { Array($0.utf8) } + [[0], [0x1F], [0x7F], [0x80], [0xC3], [0xFF]]
        for _ in 0..<20_000 {
            var lines: [UInt8] = []
            for _ in 0..<1 + random.below(3) {
                var line = random.pick(seeds)
                for _ in 0..<random.below(4) {
                    let at = random.below(line.count + 1)
                    switch random.below(4) {
                    case 0: line.insert(contentsOf: random.pick(bits), at: at)
                    case 1: if at < line.count { line.remove(at: at) }
                    case 2: if at < line.count { line.replaceSubrange(at...at, with: random.pick(bits)) }
                    default:
                        let from = random.below(line.count + 1)
                        line.insert(contentsOf: line[min(at, from)..<max(at, from)].prefix(20), at: at)
                    }
                }
                lines += line + (random.below(3) == 0 ? [0x0D, 0x0A] : [0x0A])
            }
            let limits = ScanLimits(
                maxRowBytes: random.pick([8, 20, 35, 60, 1 << 20]), maxDepth: random.pick([2, 3, 64]),
                blockRows: random.pick([1, 2048]))
            let rejects = random.below(4) == 0
            if let fault = Self.disagreement(lines, ["a", "b", "ea"], rejects: rejects, limits: limits) {
                Issue.record("\(fault) limit \(limits.maxRowBytes) in \(shown(lines))")
                return
            }
        }
    }
}
