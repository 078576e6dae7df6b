import Tabular
import Testing

@testable import Recognition

/// The values of a column that are not scanned, beside a scan of every value.
struct ColumnCandidatesTests {
    /// A reproducible sequence.
    private struct Draws {
        var state: UInt64

        mutating func next(_ below: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % below
        }
    }

    private static let scanners: [TextScanner] = [
        TextScanner(entities: Entity.usual, columnName: "order_id", secrets: true),
        TextScanner(entities: Entity.usual, columnName: "note", secrets: true),
        TextScanner(entities: Set(Entity.allCases), columnName: "n"),
        TextScanner(entities: Set(Entity.allCases), columnName: "n", minimumScore: 0.05),
        TextScanner(entities: Set(Entity.allCases), columnName: "n", minimumScore: 0.45),
        TextScanner(entities: Set(Entity.allCases), columnName: "phone"),
        TextScanner(entities: Set(Entity.allCases), columnName: "passport_number", secrets: true),
        TextScanner(entities: [], columnName: "email", secrets: true),
        TextScanner(entities: [], columnName: "api_key", secrets: true),
        TextScanner(entities: [.usSsn, .usPassport], columnName: "n"),
        TextScanner(entities: [.phoneNumber], columnName: "n", minimumScore: 0.3),
        TextScanner(entities: [.usBankNumber, .usPassport], columnName: "n", minimumScore: 0.05),
    ]

    /// A block with one column.
    private func block(_ texts: [String]) -> RowBlock {
        var (bytes, cells, records): ([UInt8], [Cell], [RecordRange]) = ([], [], [])
        for text in texts {
            let start = bytes.count
            bytes += Array(text.utf8)
            cells.append(
                Cell(kind: .bare, start: start, end: bytes.count, rawStart: start, rawEnd: bytes.count))
            bytes.append(0x0A)
            records.append(RecordRange(start: start, end: bytes.count))
        }
        return RowBlock(
            layout: Layout(format: .csv, columns: ["a"], fieldOfColumn: [0], columnOfField: [0], header: []),
            bytes: bytes,
            rows: .init(
                cells: cells, records: records, isWellFormed: texts.map { _ in true }, findings: []),
            origin: .init(firstRow: 1, baseOffset: 0))
    }

    @Test func `digits of a silent length are nothing, whatever they are`() {
        var draws = Draws(state: 3)
        var silent = 0
        for var scanner in Self.scanners {
            scanner.isNumber = true
            for length in 1...12 where scanner.silentLengths &>> UInt32(length) & 1 == 1 {
                silent += 1
                for _ in 0..<20_000 {
                    var digits = (0..<length).map { _ in UInt8(0x30 + draws.next(10)) }
                    if digits[0] == 0x30 { digits[0] = 0x31 }
                    var matches: [EntityMatch] = []
                    let secret = scanner.scan(digits.span, range: digits.indices, into: &matches)
                    #expect(secret == nil && matches.isEmpty, "\(String(decoding: digits, as: UTF8.self)) \(matches)")
                }
            }
        }
        // Otherwise nothing was tested.
        #expect(silent > 0)
        var orders = Self.scanners[0]
        orders.isNumber = true
        #expect(orders.silentLengths &>> 8 & 1 == 1, "numbers of orders are the case this is for")
    }

    @Test func `what is not a candidate holds nothing`() {
        let pieces = [
            "a", "Anna", "@", ".", ":", "=", "-", "7", "4111111111111111", "305 555 0181", "x.org", " ", "{", "[1]",
            "\u{AD}", "%40", "AKIA", "password", "sk_live_", "0123456789abcdef", "2024-01-02", "ab-cd-ef", "0000",
            "averyverylongwordwithoutdigits", "1.5", "+", "(", ")", "123456789",
        ]
        var draws = Draws(state: 5)
        let texts = (0..<4000).map { _ in (0..<draws.next(5)).map { _ in pieces[draws.next(pieces.count)] }.joined() }
        let made = block(texts)
        let anchors = CandidateMap(made.bytes.span, 0..<made.bytes.count)
        var passed = 0
        for scanner in Self.scanners {
            var found: [Int] = []
            let values = scanner.candidates(
                inTexts: 0, of: made, among: Array(texts.indices), anchors: anchors, into: &found)
            #expect(values == texts.count { !$0.isEmpty })
            let wanted = Set(found)
            for (row, text) in texts.enumerated() where !wanted.contains(row) {
                var matches: [EntityMatch] = []
                let bytes = Array(text.utf8)
                let secret = scanner.scan(bytes.span, range: bytes.indices, into: &matches)
                #expect(secret == nil && matches.isEmpty, "\(text) \(matches)")
                passed += 1
            }
        }
        #expect(passed > 4000, "some values were passed over")
    }

    @Test func `numbers that are not candidates are fractions, short or silent`() {
        let texts = ["1.25", "12", "1234567", "12345678", "1234567.0", "1e9", "", "x", "-7654321", "12345678901"]
        let numbers: [Double] = [
            1.25, 12, 1_234_567, 12_345_678, 1_234_567, 1e9, .nan, .nan, -7_654_321, 12_345_678_901,
        ]
        var scanner = Self.scanners[0]
        scanner.isNumber = true
        var found: [Int] = []
        let values = scanner.candidates(
            inNumbers: 0, of: block(texts), among: Array(texts.indices), numbers: numbers, atLeast: 7, into: &found)
        #expect(values == 9)
        let silent = scanner.silentLengths
        let expected = [2, 3, 4, 5, 7, 8, 9].filter { row in
            guard row == 2 || row == 3 || row == 9 else { return true }
            return silent &>> UInt32(texts[row].utf8.count) & 1 == 0
        }
        #expect(found == expected)
    }

    @Test func `parts of a block are mapped as in the whole`() {
        var draws = Draws(state: 9)
        let signs = Array("ab1-.:@=K A09ff\n".utf8)
        let bytes = (0..<5000).map { _ in signs[draws.next(signs.count)] } + Array("abcdefghijklmnopqrstuvw".utf8)
        let whole = CandidateMap(bytes.span, 0..<bytes.count)
        for _ in 0..<200 {
            var parts: [Range<Int>] = []
            var at = 0
            while at < bytes.count {
                let (start, length) = (at + draws.next(300), draws.next(120))
                if start + length > bytes.count { break }
                parts.append(start..<start + length)
                at = start + length
            }
            parts.append(bytes.count - 23..<bytes.count)
            let some = CandidateMap(bytes.span, parts: parts)
            for part in parts {
                var (left, right) = (part.lowerBound, part.lowerBound)
                while left < part.upperBound || right < part.upperBound {
                    left = whole.next(from: left, below: part.upperBound)
                    right = some.next(from: right, below: part.upperBound)
                    #expect(left == right)
                    if left != right { break }
                    (left, right) = (left + 1, right + 1)
                }
                #expect(whole.holdsOdd(in: part) == some.holdsOdd(in: part))
            }
        }
    }
}
