import Tabular

/// Scans CSV with libcsv alone: the slow reference (`--csv-engine libcsv`).
///
/// libcsv reports no offsets, so its decoded fields are located again in the record's source. A record that they do not
/// spell exactly, such as one with a stray quote, is bad.
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

    /// See `RecordScanner.scan`.
    package mutating func scan(
        _ bytes: Span<UInt8>, from start: Int, isFinal: Bool, into block: inout RecordBlock
    ) -> Int {
        var position = start
        while position < bytes.count, block.count < limits.blockRows, position - start < limits.blockBytes {
            guard let next = record(bytes, at: position, isFinal: isFinal, into: &block) else { return position }
            position = next
        }
        return position
    }

    /// Scans one record; nil when it is incomplete.
    private func record(
        _ bytes: Span<UInt8>, at start: Int, isFinal: Bool, into block: inout RecordBlock
    ) -> Int? {
        if let next = afterBlank(bytes, start) { return next }
        // A record is decided on a fixed number of bytes, however much the caller has read.
        let windowEnd = min(start + limits.maxRowBytes + 2, bytes.count)
        var parser = LibCSVParser(delimiter: delimiter, quote: quote)
        var row = CollectedRow()
        var at = start
        while row.rows == 0, at < windowEnd {
            let feed = nextLineFeed(bytes.extracting(0..<windowEnd), from: at)
            let next = feed.map { $0 + 1 } ?? windowEnd
            parser.feed(bytes, in: at..<next, ends: next == bytes.count && isFinal, into: &row)
            at = next
        }
        let hasLineEnd = bytes[at - 1] == 0x0A
        var end = hasLineEnd ? at - 1 : at
        if hasLineEnd, end > start, bytes[end - 1] == 0x0D { end -= 1 }
        let mark = block.mark
        let isWhole = row.rows == 1 && (hasLineEnd || (at == bytes.count && isFinal))
        guard isWhole, append(row, of: bytes, in: start..<end, to: &block) else {
            block.roll(back: mark)
            let broken = BrokenRecord(
                start: start, windowEnd: windowEnd, isFinal: isFinal, maxRowBytes: limits.maxRowBytes)
            return endBad(broken, bytes, into: &block)
        }
        let fields = row.ends.count
        if block.width > 0, fields != block.width {
            block.roll(back: mark)
            block.addBadRow(from: start, to: end, as: fields > block.width ? .extraCell : .missingCell)
        } else if let code = complaint(bytes, from: start, to: end) {
            block.roll(back: mark)
            block.addBadRow(from: start, to: end, as: code)
        } else {
            block.endRow(from: start, to: end)
        }
        return at
    }

    /// Ends a record that libcsv's fields do not spell. libcsv does not report what it repaired, so the fault is
    /// located by walking the grammar.
    ///
    /// - Returns: nil when more bytes are needed to find the record's end.
    private func endBad(_ broken: BrokenRecord, _ bytes: Span<UInt8>, into block: inout RecordBlock) -> Int? {
        let recovery: Recovery
        switch firstFault(of: broken, bytes) {
        case .malformed(let code, let at): recovery = broken.malformed(bytes, as: code, from: at)
        case .incomplete(let openField): recovery = broken.incomplete(bytes, openField: openField)
        case .atRecord:
            // libcsv splits the row differently than the grammar does.
            recovery = broken.malformed(bytes, as: .readersDisagree, from: broken.start)
        }
        guard case .bad(let code, let end, let next) = recovery else { return nil }
        block.addBadRow(from: broken.start, to: end, as: code)
        return next
    }

    /// The first violation of RFC 4180 in a record, or how it is cut off.
    private func firstFault(of broken: BrokenRecord, _ bytes: Span<UInt8>) -> WalkEnd {
        let windowEnd = broken.windowEnd
        let isEnd = windowEnd == bytes.count && broken.isFinal
        var at = broken.start
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

    /// The offset past a blank line at `start`; nil when there is none.
    private func afterBlank(_ bytes: Span<UInt8>, _ start: Int) -> Int? {
        if bytes[start] == 0x0A { return start + 1 }
        if bytes[start] == 0x0D, start + 1 < bytes.count, bytes[start + 1] == 0x0A { return start + 2 }
        return nil
    }

    private func complaint(_ bytes: Span<UInt8>, from start: Int, to end: Int) -> FindingCode? {
        if end - start > limits.maxRowBytes { return .rowTooLong }
        for at in start..<end where bytes[at] < 0x20 && bytes[at] != 0x09 && !isFence(bytes[at]) {
            return .controlCharacter
        }
        return firstInvalidUTF8(bytes, start..<end) == nil ? nil : .encodingError
    }

    /// Locates each decoded field in the record's source and appends its cell.
    ///
    /// - Returns: false when the source spells something else.
    private func append(
        _ row: CollectedRow, of bytes: Span<UInt8>, in record: Range<Int>, to block: inout RecordBlock
    ) -> Bool {
        var at = record.lowerBound
        let end = record.upperBound
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
