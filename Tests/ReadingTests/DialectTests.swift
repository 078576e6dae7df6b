import Foundation
import Tabular
import Testing

@testable import Reading

/// A simple reader of any dialect, which consumes bytes from the front. `DialectScanner` is compared with it.
private struct ReferenceDialect {
    let dialect: Dialect
    let width: Int
    let maxRowBytes: Int
    let bytes: [UInt8]

    enum Token: Equatable { case byte(UInt8), literal(UInt8), quote, delimiter, lineEnd, loneReturn, end }

    /// The token at an offset outside quotes, and its length.
    func token(_ at: Int, _ limit: Int) -> (Token, Int) {
        if at >= limit { return (.end, 0) }
        let byte = bytes[at]
        if byte == dialect.escape { return at + 1 < limit ? (.literal(bytes[at + 1]), 2) : (.end, 1) }
        if byte == dialect.delimiter { return (.delimiter, 1) }
        if let terminator = dialect.lineTerminator {
            if byte == terminator { return (.lineEnd, 1) }
        } else if byte == 0x0A {
            return (.lineEnd, 1)
        } else if byte == 0x0D {
            return at + 1 < limit && bytes[at + 1] == 0x0A ? (.lineEnd, 2) : (.loneReturn, 1)
        }
        if byte == dialect.quote { return (.quote, 1) }
        return (.byte(byte), 1)
    }

    func rows() -> [SeenRow] {
        var rows: [SeenRow] = []
        var at = 0
        while at < bytes.count {
            let limit = min(at + maxRowBytes + 2, bytes.count)
            if bytes[at] == dialect.comment, let next = commentEnd(at, limit) {
                at = next
                continue
            }
            if bytes[at] != dialect.comment, bytes[at] != dialect.escape {
                let (first, length) = token(at, limit)
                if first == .lineEnd {
                    at += length
                    continue
                }
            }
            let (cells, next, end, bad) = record(at, limit)
            if let bad {
                let (lineEnd, following) = nextLine(bad, at)
                rows.append(SeenRow(start: at, end: lineEnd, cells: nil))
                at = following
            } else {
                rows.append(SeenRow(start: at, end: end, cells: isGood(at, end, cells) ? cells : nil))
                at = next
            }
        }
        return rows
    }

    private func commentEnd(_ at: Int, _ limit: Int) -> Int? {
        let terminator = dialect.lineTerminator ?? 0x0A
        if let end = bytes[at..<limit].firstIndex(of: terminator) { return end + 1 }
        return limit == bytes.count && limit - at < maxRowBytes + 2 ? bytes.count : nil
    }

    private func nextLine(_ from: Int, _ start: Int) -> (Int, Int) {
        let terminator = dialect.lineTerminator ?? 0x0A
        guard let end = bytes[from...].firstIndex(of: terminator) else { return (bytes.count, bytes.count) }
        let isPair = dialect.lineTerminator == nil && end > start && bytes[end - 1] == 0x0D
        return (isPair ? end - 1 : end, end + 1)
    }

    private func record(_ start: Int, _ limit: Int) -> ([SeenCell], Int, Int, bad: Int?) {
        let isWhole = limit == bytes.count
        var cells: [SeenCell] = []
        var at = start
        while true {
            if dialect.skipInitialSpace { while at < limit, bytes[at] == 0x20 { at += 1 } }
            let raw = at
            var value: [UInt8] = []
            let isQuoted = at < limit && bytes[at] == dialect.quote
            if isQuoted {
                at += 1
                quoted: while true {
                    if at >= limit { return ([], 0, 0, bad: raw) }
                    let byte = bytes[at]
                    if byte == dialect.escape, !(byte == dialect.quote && dialect.doubleQuote) {
                        if at + 1 >= limit { return ([], 0, 0, bad: raw) }
                        value.append(bytes[at + 1])
                        at += 2
                    } else if byte == dialect.quote {
                        guard dialect.doubleQuote, at + 1 < limit, bytes[at + 1] == byte else { break quoted }
                        value.append(byte)
                        at += 2
                    } else {
                        value.append(byte)
                        at += 1
                    }
                }
                at += 1
            } else {
                bare: while true {
                    let (found, length) = token(at, limit)
                    switch found {
                    case .literal(let byte)
                    where isWhole && at + 2 == limit && byte == dialect.lineTerminator ?? 0x0A:
                        return ([], 0, 0, bad: at)
                    case .byte(let byte), .literal(let byte): value.append(byte)
                    case .quote: return ([], 0, 0, bad: at)
                    case .end where length == 1: return ([], 0, 0, bad: isWhole ? at : limit)
                    default: break bare
                    }
                    at += length
                }
            }
            cells.append(SeenCell(value: value, isQuoted: isQuoted, rawStart: raw, rawEnd: at))
            if at >= limit { return isWhole ? (cells, at, at, nil) : ([], 0, 0, bad: limit) }
            // After a closing quote an escape is ordinary text.
            let (found, length) = isQuoted && bytes[at] == dialect.escape ? (.byte(0), 1) : token(at, limit)
            switch found {
            case .delimiter: at += 1
            case .lineEnd: return (cells, at + length, at, nil)
            case .loneReturn: return ([], 0, 0, bad: at + 1 < limit || isWhole ? at : limit)
            default: return ([], 0, 0, bad: isQuoted ? raw : at)
            }
        }
    }

    private func isGood(_ start: Int, _ end: Int, _ cells: [SeenCell]) -> Bool {
        if cells.count != width || end - start > maxRowBytes { return false }
        for byte in bytes[start..<end] where byte < 0x20 && ![9, 10, 13, dialect.delimiter].contains(byte) {
            return false
        }
        return String(validating: bytes[start..<end], as: UTF8.self) != nil
    }
}

/// CSV in dialects other than RFC 4180's.
@Suite struct `dialects` {
    private static func dialect(_ random: inout Seeded) -> Dialect {
        var dialect = Dialect()
        dialect.delimiter = random.pick([0x2C, 0x3B, 0x09])
        dialect.quote = random.pick([0x22, 0x22, 0x27, nil])
        dialect.doubleQuote = random.below(3) > 0
        dialect.escape = random.pick([nil, 0x5C, 0x5C, dialect.quote])
        dialect.lineTerminator = random.pick([nil, nil, 0x0D, 0x7C])
        dialect.skipInitialSpace = random.below(3) == 0
        dialect.comment = random.pick([nil, 0x23])
        return dialect
    }

    @Test func `random rows in random dialects, in every split`() {
        var random = Seeded(state: 0x5EED_0041)
        let pieces = [
            "a", "a", "b", ",", ";", "\t", "\"", "'", "\\", "\n", "\r", "\r\n", "|", "#", " ", "é", "\u{1}", "\"\"",
            "',",
            "\",", ",\"", "\\\"", "\\n",
        ].map { Array($0.utf8) }
        var good = 0
        for round in 0..<50_000 {
            var plan = ReadingPlan.csv(width: 1 + random.below(3))
            plan.dialect = Self.dialect(&random)
            plan.limits = ScanLimits(
                maxRowBytes: random.pick([2, 3, 5, 9, 100, 100]), blockRows: random.pick([1, 3, 2048]))
            let own = [plan.dialect.delimiter, plan.dialect.lineTerminator ?? 0x0A, 0x61, plan.dialect.quote ?? 0x62]
            let bytes = (0..<random.below(24)).flatMap { _ in
                random.below(2) == 0 ? [random.pick(own)] : random.pick(pieces)
            }
            let want = ReferenceDialect(
                dialect: plan.dialect, width: plan.fieldNames.count, maxRowBytes: plan.limits.maxRowBytes, bytes: bytes
            ).rows()
            let block = plan.limits
            var found: [SeenRow] = []
            // The dialect scanner itself, also for dialects that the plan would give to the structural scanner.
            var position = 0
            while position < bytes.count {
                var rows = RecordBlock(base: position, width: plan.fieldNames.count)
                let start = position
                position = DialectScanner(plan.dialect, limits: block).scan(
                    bytes.span, from: position, isFinal: true, into: &rows)
                if rows.count > 0 {
                    found += seen(
                        rows.batch(
                            bytes.span, end: position, layout: plan.layout,
                            at: SourcePlace(firstRow: 1, offset: UInt64(start))))
                }
            }
            good += found.count { $0.cells != nil }
            if found != want {
                Issue.record(
                    "\(plan.dialect.document) \(shown(bytes)) width \(plan.fieldNames.count):\n\(found)\nnot\n\(want)")
                return
            }
            if plan.dialect.isStructural, plan.dialect.quote != nil, read(bytes, plan) != want {
                Issue.record("structural: \(plan.dialect.document) \(shown(bytes))")
                return
            }
            if round % 5 == 0, !plan.dialect.isStructural,
                let fault = SlicingTests.everySplit(bytes, plan)
            {
                Issue.record("\(plan.dialect.document) \(fault)")
                return
            }
        }
        #expect(good > 10_000)
    }

    /// Rows that the dialect scanner splits are split alike by libcsv, for the row ends that libcsv supports.
    @Test func `libcsv agrees on other line ends`() {
        var random = Seeded(state: 0x5EED_0043)
        var checked = 0
        for _ in 0..<30_000 {
            var plan = ReadingPlan.csv(width: 1 + random.below(3))
            plan.dialect.delimiter = random.pick([0x2C, 0x09, 0x1F])
            plan.dialect.quote = random.pick([0x22, 0x27])
            plan.dialect.lineTerminator = random.pick(Dialect.terminatorsOfLibCSV)
            guard plan.dialect.isKnownToLibCSV, let end = plan.dialect.lineTerminator, let quote = plan.dialect.quote
            else {
                Issue.record("\(plan.dialect.document)")
                return
            }
            let own = [plan.dialect.delimiter, end, quote, quote, 0x61, 0x62, 0x0A, 0x20]
            let bytes = (0..<random.below(30)).map { _ in random.pick(own) }
            for slice in cut(bytes, plan, sliceBytes: 1000) {
                for batch in batches(slice, plan) {
                    checked += batch.isWellFormed.count { $0 }
                    if let row = rowWhereLibCSVDisagrees(
                        batch, delimiter: plan.dialect.delimiter, quote: quote, lineTerminator: end)
                    {
                        Issue.record("\(plan.dialect.document) \(shown(bytes)) row \(row)")
                        return
                    }
                }
            }
        }
        #expect(checked > 5_000)
        // The comparison is sensitive: with another line end the same rows differ.
        let plan = ReadingPlan.csv(width: 1)
        let other = batches(cut(Array("a\n".utf8), plan, sliceBytes: 10)[0], plan)[0]
        #expect(rowWhereLibCSVDisagrees(other, delimiter: 0x61, lineTerminator: 0x0D) == 0)
    }

    /// On RFC 4180 it reads the same as the others.
    @Test func `the dialect scanner is the third reader of RFC 4180`() {
        var random = Seeded(state: 0x5EED_0042)
        let letters = ["a", ",", "\"", "\n", "\r", "\r\n", "é", "\"\"", "\",", ",\"", "b", "\0"].map { Array($0.utf8) }
        for _ in 0..<20_000 {
            let bytes = (0..<random.below(30)).flatMap { _ in random.pick(letters) }
            let limits = ScanLimits(maxRowBytes: random.pick([2, 5, 9, 100]))
            let width = 1 + random.below(3)
            let want = read(bytes, .csv(width: width, limits: limits))
            var block = RecordBlock(base: 0, width: width)
            let end = DialectScanner(Dialect(), limits: limits).scan(bytes.span, from: 0, isFinal: true, into: &block)
            let found =
                block.count == 0
                ? []
                : seen(
                    block.batch(
                        bytes.span, end: end, layout: ReadingPlan.csv(width: width).layout,
                        at: SourcePlace(firstRow: 1, offset: 0)))
            if found != want || end != bytes.count {
                Issue.record("\(shown(bytes)): \(found)\nnot\n\(want)")
                return
            }
        }
    }

    private func head(_ text: String, _ names: [String], _ change: (inout Dialect) -> Void) throws -> SourceHead {
        var plan = ReadingPlan(format: .csv, fieldNames: names)
        change(&plan.dialect)
        return try #require(try readHead(Array(text.utf8).span, isWhole: true, plan: plan))
    }

    @Test func `headers of several rows, of none, and behind comments`() throws {
        let two = try head("a,,b\nx,y,b\n1,2,3\n", ["a x", "y", "b"]) { $0.headerRows = [1, 2] }
        #expect(two.layout?.columns == ["a x", "y", "b"] && two.length == 11)
        #expect(two.layout.map { String(decoding: $0.header, as: UTF8.self) } == "a x,y,b\n")
        let none = try head("1,2\n3,4\n", ["a", "b"]) { $0.headerRows = [] }
        #expect(none.length == 0 && none.layout?.header == Array("a,b\n".utf8) && none.layout?.columnOfField == [0, 1])
        let said = try head("made by x\na;b\n1;2\n", ["a", "b"]) {
            $0.delimiter = 0x3B
            $0.commentRows = [1]
            $0.headerRows = [2]
        }
        #expect(said.length == 14 && said.layout?.header == Array("a;b\n".utf8))
        let hash = try head("# c\nA,b\n# d\n1,2\n", ["a", "B"]) {
            $0.comment = 0x23
            $0.caseSensitiveHeader = false
        }
        #expect(hash.layout?.columnOfField == [0, 1] && hash.length == 8)
        let inferred = try head("1,2\n3,4\n", []) { $0.headerRows = [] }
        #expect(inferred.layout?.columns == ["field1", "field2"])
        let odd = try head("'a''b';'c\"'\n", ["a'b", "c\""]) {
            $0.delimiter = 0x3B
            $0.quote = 0x27
        }
        #expect(odd.layout?.header == Array("a'b,\"c\"\"\"\n".utf8))
    }

    @Test func `what is no value is none`() throws {
        var plan = ReadingPlan.csv(width: 3)
        plan.dialect.nullSequence = Array("\\N".utf8)
        let batch = try #require(batches(SourceSlice(whole: Array("\\N,\"\\N\",x\n".utf8)), plan).first)
        #expect(batch.cells.map(\.kind) == [.null, .quoted, .bare])
    }
}
