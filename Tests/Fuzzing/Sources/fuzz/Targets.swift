import Foundation
import Reading
import Tabular

/// Settings are taken from the front of the input, so that the fuzzer can choose them.
private struct Choices {
    var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }
    mutating func pick<T>(_ items: [T]) -> T { items[Int(byte()) % items.count] }
}

private func fail(_ text: String) -> Never { fatalError(text) }

private func requireSlices(_ bytes: [UInt8], _ plan: ReadingPlan, _ size: Int) {
    let whole = read(bytes, plan)
    if let fault = slicingFault(bytes, plan, sliceBytes: size, whole: whole) { fail("slices of \(size): \(fault)") }
}

/// Both engines and the plain reference agree, and slices change nothing.
@Sendable func attackCSV(_ bytes: [UInt8]) {
    var choices = Choices(bytes)
    let width = 1 + Int(choices.byte() & 3)
    let limits = ScanLimits(
        maxRowBytes: choices.pick([1 << 20, 1 << 20, 5, 17, 100]), blockRows: choices.pick([2048, 1, 3]))
    let delimiter: UInt8 = choices.pick([0x2C, 0x3B, 0x09])
    let quote: UInt8 = choices.byte() & 1 == 0 ? 0x22 : 0x27
    let size = 1 + Int(choices.byte())
    let text = Array(choices.rest)
    let expected = ReferenceCSV(
        bytes: text, width: width, delimiter: delimiter, quote: quote, maxRowBytes: limits.maxRowBytes
    ).rows()
    for engine in [CSVEngine.structural, .libcsv] {
        var plan = ReadingPlan.csv(width: width, engine: engine, limits: limits, delimiter: delimiter)
        plan.dialect.quote = quote
        if read(text, plan) != expected { fail("\(engine) disagrees with the reference") }
    }
    var plan = ReadingPlan.csv(width: width, limits: limits, delimiter: delimiter)
    plan.dialect.quote = quote
    for batch in batches(SourceSlice(whole: text), plan)
    where rowWhereLibCSVDisagrees(batch, delimiter: delimiter, quote: quote) != nil {
        fail("the cross-check disagrees")
    }
    requireSlices(text, plan, size)
}

/// Any dialect: slices change nothing, and a head can be read.
@Sendable func attackDialect(_ bytes: [UInt8]) {
    var choices = Choices(bytes)
    var plan = ReadingPlan.csv(width: 1 + Int(choices.byte() & 3))
    plan.dialect.delimiter = choices.pick([0x2C, 0x3B, 0x09])
    plan.dialect.quote = choices.pick([0x22, 0x27, nil])
    plan.dialect.escape = choices.pick([nil, 0x5C, plan.dialect.quote])
    plan.dialect.doubleQuote = choices.byte() & 1 == 0
    plan.dialect.lineTerminator = choices.pick([nil, 0x0D, 0x7C])
    plan.dialect.comment = choices.pick([nil, 0x23])
    plan.dialect.skipInitialSpace = choices.byte() & 1 == 0
    plan.dialect.headerRows = choices.pick([[1], [], [1, 2]])
    plan.limits.maxRowBytes = choices.pick([1 << 20, 5, 17, 100])
    let size = 1 + Int(choices.byte())
    let text = Array(choices.rest)
    requireSlices(text, plan, size)
    _ = try? readHead(text.span, isWhole: true, plan: plan)
    guard plan.dialect.isKnownToLibCSV, let quote = plan.dialect.quote else { return }
    for slice in cut(text, plan, sliceBytes: 1 << 20) {
        for batch in batches(slice, plan)
        where rowWhereLibCSVDisagrees(
            batch, delimiter: plan.dialect.delimiter, quote: quote, lineTerminator: plan.dialect.lineTerminator) != nil
        { fail("libcsv reads a dialect otherwise") }
    }
}

/// The reader, the plain reference and the document parser agree on what an object is, and slices change nothing.
@Sendable func attackJSON(_ bytes: [UInt8]) {
    var choices = Choices(bytes)
    var plan = ReadingPlan.json(
        ["a", "b\u{E9}"], rejects: choices.byte() & 1 == 0,
        limits: ScanLimits(maxRowBytes: choices.pick([1 << 20, 9, 40]), maxDepth: choices.pick([64, 2, 3])))
    let kind = choices.byte()
    if kind & 1 == 0 { plan.fieldPaths = [["a", "b"], ["o", "0"]] }
    if kind & 6 == 6 {
        plan.fieldPaths = []
        plan.dialect.hasArrayItems = true
        plan.dialect.headerRows = []
    }
    if kind & 24 == 24 { plan.dialect.itemKeys = ["a", "c"] }
    let size = 1 + Int(choices.byte())
    let text = Array(choices.rest)
    requireSlices(text, plan, size)
    for row in read(text, plan) where row.cells != nil && row.end > row.start {
        let line = Array(text[row.start..<row.end])
        if !plan.dialect.hasArrayItems, ReferenceJSON.object(line, maxDepth: plan.limits.maxDepth) == nil {
            fail("the reference refuses a row that was read")
        }
        do throws(JSONTextError) {
            let value = try JSONValue.parse(line)
            if plan.dialect.hasArrayItems ? value.items?.count != 2 : value.members == nil {
                fail("the parser reads no object in a row that was read")
            }
        } catch {
            // A document's numbers are doubles; a row's are text.
            if error.reason != "number out of range" { fail("the parser refuses a row that was read: \(error.reason)") }
        }
    }
}

/// Whatever the document, it is framed alike in all pieces, and what has a list has rows; a head is found or refused.
@Sendable func attackDocument(_ bytes: [UInt8]) {
    var choices = Choices(bytes)
    let property = choices.pick([["a"], ["a", "b"], []])
    var plan = ReadingPlan(format: .jsonl, fieldNames: choices.pick([[], ["x"], ["x", "y"]]))
    plan.dialect.hasArrayItems = choices.byte() & 1 == 0
    plan.dialect.headerRows = choices.pick([[1], [], [1, 2]])
    plan.dialect.itemKeys = plan.dialect.headerRows.isEmpty ? choices.pick([[], ["x", "y"]]) : []
    let text = Array(choices.rest)
    var whole = JSONArrayFramer(property: property)
    var framed = text
    whole.frame(&framed, from: 0)
    var parts = JSONArrayFramer(property: property)
    var pieces: [UInt8] = []
    for byte in text {
        pieces.append(byte)
        parts.frame(&pieces, from: pieces.count - 1)
    }
    if pieces != framed || parts.complaint != whole.complaint { fail("a document depends on its pieces") }
    let isValid = whole.complaint == nil && !property.isEmpty
    if isValid, !read(framed, .json(["x"])).contains(where: { $0.cells == nil }) {
        // Its rows are objects, and what stands around them is JSON: then it is all JSON.
        let document = text.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(text.dropFirst(3)) : text
        if (try? JSONTape.reading(document)) == nil { fail("a document that is no JSON") }
    }
    guard let head = try? readHead(framed.span, isWhole: true, plan: plan), let layout = head.layout else { return }
    let rest = Array(framed[head.length...])
    let slice = SourceSlice(
        ordinal: 0, offset: 0, length: UInt64(rest.count), firstRow: 1, rowCount: 0, bytes: rest)
    var reader = SliceReader(slice, layout: layout, plan: plan)
    while reader.next() != nil {}
}

extension JSONTape {
    fileprivate static func reading(_ bytes: [UInt8]) throws(Fault) -> JSONTape {
        var tape = JSONTape()
        try tape.read(bytes.span, 0..<bytes.count)
        return tape
    }
}

/// Whatever the sample, there is an answer; and text is the same in whatever pieces it is decoded.
@Sendable func attackSniffer(_ bytes: [UInt8]) {
    _ = DialectSniffer.sniff(bytes.span, isWhole: true)
    _ = guessEncoding(bytes.span)
    for encoding in TextEncoding.allCases where encoding != .utf16 && encoding != .utf32 {
        guard var whole = Transcoder(encoding), var parts = Transcoder(encoding) else { continue }
        var (first, second): ([UInt8], [UInt8]) = ([], [])
        whole.append(bytes.span, isFinal: true, to: &first)
        for at in bytes.indices { parts.append(bytes.span.extracting(at..<at + 1), isFinal: false, to: &second) }
        parts.append(bytes.span.extracting(0..<0), isFinal: true, to: &second)
        if first != second { fail("\(encoding) depends on its pieces") }
        if encoding.sourceLength(of: first.span) != bytes.count { fail("\(encoding) forgets its length") }
    }
}

/// What a stream decompresses to does not depend on the pieces it comes in.
@Sendable func attackDecompressor(_ bytes: [UInt8]) {
    for compression in Compression.all {
        func unpack(piece: Int, limit: Int) -> (bytes: [UInt8], failed: Bool) {
            guard let stream = try? Decompressor(compression) else { fail("no memory") }
            var out: [UInt8] = []
            var used = 0
            do {
                while out.count < 1 << 20 {
                    let end = min(bytes.count, used + piece)
                    let before = out.count
                    let took = try stream.decompress(bytes.span.extracting(used..<end), limit: limit, to: &out)
                    if out.count - before > limit { fail("more than was asked for") }
                    used += took
                    if took == 0, out.count == before, end == bytes.count { break }
                    if took == 0, out.count == before, piece >= bytes.count { break }
                }
                if out.count < 1 << 20 { try stream.finish() }
            } catch {
                return (out, true)
            }
            return (out, false)
        }
        let whole = unpack(piece: bytes.count + 1, limit: 1 << 16)
        let small = unpack(piece: 7, limit: 1 << 16)
        // Where it was given up, an error may be near in one and not yet seen in the other.
        if max(whole.bytes.count, small.bytes.count) >= 1 << 20 { continue }
        if whole.failed != small.failed || (!whole.failed && whole.bytes != small.bytes) {
            fail("\(compression) depends on its pieces")
        }
    }
}
