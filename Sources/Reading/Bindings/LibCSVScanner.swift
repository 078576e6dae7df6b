import CLibCSV
package import Tabular

/// A libcsv parser that neither trims spaces nor forgives; freed with its owner.
@safe private struct LibCSVParser: ~Copyable {
    // Sound: libcsv keeps no pointer to the struct between calls, and `csv_free` runs once.
    private var parser = unsafe csv_parser()

    init(delimiter: UInt8, quote: UInt8, lineTerminator: UInt8? = nil) {
        unsafe csv_init(&parser, 0)
        unsafe csv_set_delim(&parser, delimiter)
        unsafe csv_set_quote(&parser, quote)
        unsafe csv_set_space_func(&parser) { _ in 0 }
        switch lineTerminator {
        case nil: break
        case 0x0D: unsafe csv_set_term_func(&parser) { $0 == 0x0D ? 1 : 0 }
        case 0x1E: unsafe csv_set_term_func(&parser) { $0 == 0x1E ? 1 : 0 }
        case 0x3B: unsafe csv_set_term_func(&parser) { $0 == 0x3B ? 1 : 0 }
        case 0x7C: unsafe csv_set_term_func(&parser) { $0 == 0x7C ? 1 : 0 }
        default: preconditionFailure("one of Dialect.terminatorsOfLibCSV")
        }
    }

    deinit {
        var parser = unsafe parser
        unsafe csv_free(&parser)
    }

    /// Feeds `bytes[range]`, telling `target` of every field and row; `ends` flushes the last row.
    mutating func feed<Target: LibCSVTarget>(
        _ bytes: Span<UInt8>, _ range: Range<Int>, ends: Bool, into target: inout Target
    ) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
        // Sound: the callbacks run only inside these calls, while `target` is borrowed here.
        unsafe withUnsafeMutablePointer(to: &target) { context in
            let onField: @convention(c) (UnsafeMutableRawPointer?, Int, UnsafeMutableRawPointer?) -> Void =
                unsafe Target.onField
            let onRow: @convention(c) (Int32, UnsafeMutableRawPointer?) -> Void = unsafe Target.onRow
            unsafe bytes.withUnsafeBufferPointer { source in
                if let start = source.baseAddress, !range.isEmpty {
                    _ = unsafe csv_parse(&parser, start + range.lowerBound, range.count, onField, onRow, context)
                }
            }
            if ends { _ = unsafe csv_fini(&parser, onField, onRow, context) }
        }
    }
}

/// Who is told of libcsv's fields and rows.
private protocol LibCSVTarget {
    static var onField: @convention(c) (UnsafeMutableRawPointer?, Int, UnsafeMutableRawPointer?) -> Void { get }
    static var onRow: @convention(c) (Int32, UnsafeMutableRawPointer?) -> Void { get }
}

/// The fields of one row, as libcsv decoded them.
private struct CollectedRow: LibCSVTarget {
    var bytes: [UInt8] = []
    var ends: [Int] = []
    var rows = 0

    static let onField: @convention(c) (UnsafeMutableRawPointer?, Int, UnsafeMutableRawPointer?) -> Void = {
        unsafe CollectedRow.add($0, $1, $2)
    }
    static let onRow: @convention(c) (Int32, UnsafeMutableRawPointer?) -> Void = { _, context in
        guard let row = unsafe context?.assumingMemoryBound(to: CollectedRow.self) else { return }
        unsafe row.pointee.rows += 1
    }

    private static func add(_ data: UnsafeMutableRawPointer?, _ length: Int, _ context: UnsafeMutableRawPointer?) {
        guard let row = unsafe context?.assumingMemoryBound(to: CollectedRow.self) else { return }
        if let data = unsafe data {
            unsafe row.pointee.bytes.append(contentsOf: UnsafeRawBufferPointer(start: data, count: length))
        }
        unsafe row.pointee.ends.append(row.pointee.bytes.count)
    }
}

/// Compares libcsv's fields with a batch's cells while they come.
private struct Comparison: LibCSVTarget {
    let batch: Batch
    var row: Int
    var column = 0
    var differs = false

    static let onField: @convention(c) (UnsafeMutableRawPointer?, Int, UnsafeMutableRawPointer?) -> Void = {
        unsafe Comparison.compare($0, $1, $2)
    }
    static let onRow: @convention(c) (Int32, UnsafeMutableRawPointer?) -> Void = { _, context in
        guard let state = unsafe context?.assumingMemoryBound(to: Comparison.self) else { return }
        if unsafe state.pointee.differs { return }
        unsafe state.pointee.differs = state.pointee.column != state.pointee.batch.width
        unsafe state.pointee.column = 0
        unsafe state.pointee.row += state.pointee.differs ? 0 : 1
    }

    private static func compare(_ data: UnsafeMutableRawPointer?, _ length: Int, _ context: UnsafeMutableRawPointer?) {
        guard let state = unsafe context?.assumingMemoryBound(to: Comparison.self) else { return }
        unsafe state.pointee.check(UnsafeRawBufferPointer(start: data, count: data == nil ? 0 : length))
    }

    private mutating func check(_ field: UnsafeRawBufferPointer) {
        if differs { return }
        guard row < batch.count, column < batch.width else {
            differs = true
            return
        }
        let range = batch.cells[row * batch.width + column].range
        differs = range.count != field.count
        var offset = 0
        while !differs, offset < range.count {
            let byte = unsafe field[offset]
            differs = batch.bytes[range.lowerBound + offset] != byte
            offset += 1
        }
        column += 1
    }
}

/// Reads the well-formed rows of a CSV block again with libcsv (design decision D2).
///
/// Rows that our scanner refused are no disagreement: each run of well-formed rows between them is read by itself.
/// - Returns: the index of the first row the two readers see differently, or nil.
package func rowWhereLibCSVDisagrees(
    _ batch: Batch, delimiter: UInt8, quote: UInt8 = 0x22, lineTerminator: UInt8? = nil
) -> Int? {
    var row = 0
    while row < batch.count {
        guard batch.isWellFormed[row] else {
            row += 1
            continue
        }
        var end = row
        while end < batch.count, batch.isWellFormed[end] { end += 1 }
        var parser = LibCSVParser(delimiter: delimiter, quote: quote, lineTerminator: lineTerminator)
        var comparison = Comparison(batch: batch, row: row)
        let range = Int(batch.records[row].start)..<Int(batch.records[end - 1].end)
        parser.feed(batch.bytes.span, range, ends: true, into: &comparison)
        if comparison.differs || comparison.row != end { return min(comparison.row, batch.count - 1) }
        row = end
    }
    return nil
}

/// CSV by libcsv alone: the slow reference (`--csv-engine libcsv`).
///
/// libcsv reports no offsets, so the fields it decoded are looked up again in the record's source text; a record whose
/// text they do not spell exactly (a stray quote, text behind a quote) is bad.
package struct LibCSVScanner: ~Copyable, RecordScanner {
    private let delimiter: UInt8
    private let quote: UInt8
    private let limits: ScanLimits

    /// A scanner for one delimiter and quote character.
    package init(delimiter: UInt8 = 0x2C, quote: UInt8 = 0x22, limits: ScanLimits = ScanLimits()) {
        self.delimiter = delimiter
        self.quote = quote
        self.limits = limits
    }

    /// Scans rows as the protocol says.
    package mutating func scan(
        _ bytes: Span<UInt8>, from start: Int, isFinal: Bool, into block: inout RecordBlock
    ) -> Int {
        var position = start
        while position < bytes.count, block.count < limits.blockRows, position - start < limits.blockBytes {
            guard let next = record(bytes, position, isFinal, &block) else { return position }
            position = next
        }
        return position
    }

    /// Reads one record; nil when it is not complete.
    private func record(_ bytes: Span<UInt8>, _ start: Int, _ isFinal: Bool, _ block: inout RecordBlock) -> Int? {
        if let next = afterBlank(bytes, start) { return next }
        // A record is judged by so many bytes, whatever the caller has read behind them.
        let windowEnd = min(start + limits.maxRowBytes + 2, bytes.count)
        var parser = LibCSVParser(delimiter: delimiter, quote: quote)
        var row = CollectedRow()
        var at = start
        while row.rows == 0, at < windowEnd {
            let feed = nextLineFeed(bytes.extracting(0..<windowEnd), from: at)
            let next = feed.map { $0 + 1 } ?? windowEnd
            parser.feed(bytes, at..<next, ends: next == bytes.count && isFinal, into: &row)
            at = next
        }
        let hasLineEnd = bytes[at - 1] == 0x0A
        var end = hasLineEnd ? at - 1 : at
        if hasLineEnd, end > start, bytes[end - 1] == 0x0D { end -= 1 }
        let mark = block.mark
        let isWhole = row.rows == 1 && (hasLineEnd || (at == bytes.count && isFinal))
        guard isWhole, spells(bytes, start, end, row, &block) else {
            block.roll(back: mark)
            return bad(bytes, start, windowEnd, isFinal, &block)
        }
        let fields = row.ends.count
        if block.width > 0, fields != block.width {
            block.roll(back: mark)
            block.addBadRow(start, end, fields > block.width ? .extraCell : .missingCell)
        } else if let code = complaint(bytes, start, end) {
            block.roll(back: mark)
            block.addBadRow(start, end, code)
        } else {
            block.endRow(start, end)
        }
        return at
    }

    /// Ends a record whose text libcsv's fields do not spell; nil when more bytes are needed to say where.
    ///
    /// libcsv forgives and does not tell what, so the place of the fault is found by walking the grammar.
    private func bad(
        _ bytes: Span<UInt8>, _ start: Int, _ windowEnd: Int, _ isFinal: Bool, _ block: inout RecordBlock
    ) -> Int? {
        let recovery: Recovery
        switch firstFault(bytes, start, windowEnd, isFinal) {
        case .malformed(let code, let at):
            recovery = .bad(code, bytes, from: at, position: start, isFinal: isFinal, limits)
        case .incomplete(let openField):
            recovery = .incomplete(
                bytes, position: start, windowEnd: windowEnd, openField: openField, isFinal: isFinal, limits: limits)
        case .atRecord:
            // libcsv sees another row than the grammar does.
            recovery = .bad(.readersDisagree, bytes, from: start, position: start, isFinal: isFinal, limits)
        }
        guard case .bad(let code, let end, let next) = recovery else { return nil }
        block.addBadRow(start, end, code)
        return next
    }

    /// Where the record at `start` breaks the grammar of RFC 4180, or how it is cut off.
    private func firstFault(_ bytes: Span<UInt8>, _ start: Int, _ windowEnd: Int, _ isFinal: Bool) -> WalkEnd {
        let isEnd = windowEnd == bytes.count && isFinal
        var at = start
        while true {
            if at < windowEnd, bytes[at] == quote {
                let field = at
                at += 1
                while at < windowEnd, bytes[at] != quote || (at + 1 < windowEnd && bytes[at + 1] == quote) {
                    at += bytes[at] == quote ? 2 : 1
                }
                if at >= windowEnd { return .incomplete(openField: field) }
                at += 1
                if at < windowEnd, !isFence(bytes[at]) {
                    return .behindQuote(bytes, field: field, closing: at - 1)
                }
            } else {
                while at < windowEnd, !isFence(bytes[at]) {
                    if bytes[at] == quote { return .malformed(.strayQuote, at: at) }
                    at += 1
                }
            }
            if at == windowEnd { return isEnd ? .atRecord : .incomplete(openField: nil) }
            if bytes[at] == 0x0A { return .atRecord }
            if bytes[at] == 0x0D {
                if at + 1 < windowEnd {
                    return bytes[at + 1] == 0x0A ? .atRecord : .malformed(.strayCarriageReturn, at: at)
                }
                return isEnd ? .malformed(.strayCarriageReturn, at: at) : .incomplete(openField: nil)
            }
            at += 1
        }
    }

    private func isFence(_ byte: UInt8) -> Bool { byte == delimiter || byte == 0x0A || byte == 0x0D }

    /// The offset behind a blank line at `start`, or nil when there is none.
    private func afterBlank(_ bytes: Span<UInt8>, _ start: Int) -> Int? {
        if bytes[start] == 0x0A { return start + 1 }
        if bytes[start] == 0x0D, start + 1 < bytes.count, bytes[start + 1] == 0x0A { return start + 2 }
        return nil
    }

    private func complaint(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> FindingCode? {
        if end - start > limits.maxRowBytes { return .rowTooLong }
        for at in start..<end where bytes[at] < 0x20 && bytes[at] != 0x09 && !isFence(bytes[at]) {
            return .controlCharacter
        }
        return firstInvalidUTF8(bytes, start..<end) == nil ? nil : .encodingError
    }

    /// Finds each decoded field in the record's text, and appends its cell; false when the text spells something else.
    private func spells(
        _ bytes: Span<UInt8>, _ start: Int, _ end: Int, _ row: CollectedRow, _ block: inout RecordBlock
    ) -> Bool {
        var at = start
        var valueStart = 0
        let origin = block.base
        for (index, valueEnd) in row.ends.enumerated() {
            let raw = at
            let isQuoted = at < end && bytes[at] == quote
            var escaped = false
            if isQuoted { at += 1 }
            for offset in valueStart..<valueEnd {
                guard at < end, bytes[at] == row.bytes[offset] else { return false }
                if row.bytes[offset] == quote {
                    guard isQuoted, at + 1 < end, bytes[at + 1] == quote else { return false }
                    escaped = true
                    at += 1
                }
                at += 1
            }
            if isQuoted {
                guard at < end, bytes[at] == quote else { return false }
                at += 1
            }
            if block.keepsCells {
                var (first, last) = isQuoted ? (raw + 1 - origin, at - 1 - origin) : (raw - origin, at - origin)
                if escaped {
                    block.decodedCells.append(block.cells.count)
                    first = block.decoded.count
                    block.decoded.append(contentsOf: row.bytes[valueStart..<valueEnd])
                    last = block.decoded.count
                }
                block.cells.append(
                    Cell(
                        kind: isQuoted ? .quoted : .bare, start: first, end: last, rawStart: raw - origin,
                        rawEnd: at - origin))
            }
            valueStart = valueEnd
            if index < row.ends.count - 1 {
                guard at < end, bytes[at] == delimiter else { return false }
                at += 1
            }
        }
        return at == end
    }
}
