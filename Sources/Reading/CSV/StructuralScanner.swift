import Tabular

/// Scans CSV (RFC 4180) by structural index: SIMD finds quotes, delimiters and line ends, and only those are walked.
///
/// Stricter than most readers on purpose: a quote inside an unquoted field, text behind a closing quote, a lone
/// carriage return, a control character or an invalid UTF-8 sequence makes the row bad, since two readers may
/// disagree about it. The grammar is reset at the next line end, so that one bad row costs one row.
package struct StructuralScanner: ~Copyable, WindowScanner {
    private let delimiter: UInt8
    private let quote: UInt8
    let limits: ScanLimits
    let defaultWindow: Int
    private var index = StructuralIndex()
    private var cursor = 0
    var window = 1 << 16
    var isFinal = false
    var resume: Int?

    /// A scanner for one delimiter and quote character.
    package init(delimiter: UInt8 = 0x2C, quote: UInt8 = 0x22, limits: ScanLimits = ScanLimits()) {
        self.delimiter = delimiter
        self.quote = quote
        self.limits = limits
        self.defaultWindow = min(1 << 16, limits.maxRowBytes + 2)
    }

    /// See `RecordScanner.scan`.
    package mutating func scan(
        _ bytes: Span<UInt8>, from start: Int, isFinal: Bool, into block: inout RecordBlock
    ) -> Int {
        scanWindows(bytes, from: start, isFinal: isFinal, into: &block)
    }

    /// Walks records from `start` on, until one starts at or after `stop`.
    mutating func records(
        _ bytes: Span<UInt8>, from start: Int, until stop: Int, into block: inout RecordBlock
    ) -> Int {
        var position = start
        defer { resume = position < index.end ? position : nil }
        while position < bytes.count, block.count < limits.blockRows, position < stop {
            if position >= index.end { refill(bytes, position) }
            let (next, event, end) = walk(bytes, from: position, until: stop, isFinal: isFinal, into: &block)
            position = next
            cursor = event
            let broken = BrokenRecord(
                start: position, windowEnd: index.end, isFinal: isFinal, maxRowBytes: limits.maxRowBytes)
            let recovery: Recovery
            switch end {
            case .atRecord: continue
            case .malformed(let code, let at): recovery = broken.malformed(bytes, as: code, from: at)
            case .incomplete(let openField):
                if position > index.base, index.end < bytes.count {
                    refill(bytes, position)
                    continue
                }
                recovery = broken.incomplete(bytes, openField: openField)
            }
            switch recovery {
            case .needMore: return position
            case .widen(let size):
                window = size
                refill(bytes, position)
            case .bad(let code, let recordEnd, let next):
                block.addBadRow(from: position, to: recordEnd, as: code)
                position = next
                // After a fault the index has the wrong parity, so the bytes are indexed again: a small window at
                // first, in case the input is hostile.
                window = min(1 << 12, defaultWindow)
                refill(bytes, position)
            }
        }
        return position
    }

    /// Records without a fault; see `WindowScanner`.
    func countRecords(_ bytes: Span<UInt8>, from: Int, to: Int) -> (rows: Int, end: Int) {
        StructuralIndex.countCSV(bytes, from: from, to: to, delimiter: delimiter, quote: quote)
    }

    mutating func refill(_ bytes: Span<UInt8>, _ position: Int) {
        let end = min(position + window, bytes.count)
        index.indexCSV(bytes, from: min(position, end), to: end, delimiter: delimiter, quote: quote)
        cursor = 0
        window = defaultWindow
    }

    /// Walks the complete records of the window.
    ///
    /// - Returns: the next record, its first event, and why the walk stopped.
    // Long function: the state machine of a record, kept in one place so that it can be read against the grammar.
    private func walk(
        _ bytes: Span<UInt8>, from start: Int, until stop: Int, isFinal: Bool, into block: inout RecordBlock
    ) -> (next: Int, event: Int, end: WalkEnd) {
        let (base, windowEnd, total) = (index.base, index.end, index.count)
        let atEnd = windowEnd == bytes.count
        let (width, keeps, origin) = (block.width, block.keepsCells, block.base)
        var position = start
        var event = cursor
        var fault: WalkEnd?
        let events = index.positions.span.extracting(0..<total)
        records: while position < windowEnd, position < stop, block.count < limits.blockRows {
            let firstEvent = event
            let mark = block.mark
            var fieldStart = position
            var fields = 0
            var recordEnd = 0
            var next = 0
            while true {
                var at = windowEnd
                var isQuoted = false
                var closing = 0
                if event < total {
                    at = base &+ Int(events[event])
                    if bytes[at] == quote {
                        if at != fieldStart {
                            fault = .malformed(.strayQuote, at: at)
                            break
                        }
                        isQuoted = true
                        event &+= 1
                        var escaped = false
                        closing = -1
                        while event < total {
                            let candidate = base &+ Int(events[event])
                            event &+= 1
                            if candidate + 1 < windowEnd, bytes[candidate + 1] == quote {
                                escaped = true
                                event &+= 1
                                continue
                            }
                            closing = candidate
                            break
                        }
                        // A quote as the window's last byte counts as closing, however much the caller has read.
                        if closing < 0 || (closing + 1 == windowEnd && !(atEnd && isFinal)) {
                            fault = .incomplete(openField: closing < 0 ? fieldStart : nil)
                            break
                        }
                        at = event < total ? base &+ Int(events[event]) : windowEnd
                        if at != closing + 1 {
                            fault = .behindQuote(bytes, field: fieldStart, closing: closing)
                            break
                        }
                        if keeps {
                            appendQuoted(bytes, open: fieldStart, close: closing, isEscaped: escaped, into: &block)
                        }
                        fields &+= 1
                    }
                }
                if !isQuoted {
                    if event >= total, !(atEnd && isFinal) {
                        fault = .incomplete(openField: nil)
                        break
                    }
                    if keeps {
                        block.cells.append(
                            Cell(
                                kind: .bare, start: fieldStart &- origin, end: at &- origin,
                                rawStart: fieldStart &- origin, rawEnd: at &- origin))
                    }
                    fields &+= 1
                }
                // The terminator at `at`, or the end of the file.
                if event >= total {
                    if !(atEnd && isFinal) {
                        fault = .incomplete(openField: nil)
                        break
                    }
                    recordEnd = windowEnd
                    next = windowEnd
                    break
                }
                event &+= 1
                let byte = bytes[at]
                if byte == delimiter {
                    fieldStart = at &+ 1
                    continue
                }
                recordEnd = at
                next = at &+ 1
                if byte == 0x0D {
                    if next < windowEnd {
                        if bytes[next] != 0x0A {
                            fault = .malformed(.strayCarriageReturn, at: at)
                            break
                        }
                        next &+= 1
                        event &+= 1
                    } else {
                        // At the end of the file a lone CR is half a line end.
                        fault =
                            atEnd && isFinal
                            ? .malformed(.strayCarriageReturn, at: at) : .incomplete(openField: nil)
                    }
                }
                break
            }
            if fault != nil {
                block.roll(back: mark)
                event = firstEvent
                break records
            }
            if recordEnd == position {
                block.roll(back: mark)
            } else if keeps,
                let code = complaint(
                    bytes, from: position, to: recordEnd, fields: fields, width: width)
            {
                block.roll(back: mark)
                block.addBadRow(from: position, to: recordEnd, as: code)
            } else {
                block.endRow(from: position, to: recordEnd)
            }
            position = next
        }
        return (position, event, fault ?? .atRecord)
    }

    /// The fault of a record that was split; nil for none.
    @inline(__always)
    private func complaint(
        _ bytes: Span<UInt8>, from start: Int, to end: Int, fields: Int, width: Int
    ) -> FindingCode? {
        if fields != width, width > 0 { return fields > width ? .extraCell : .missingCell }
        if end - start > limits.maxRowBytes { return .rowTooLong }
        if index.hasControl(in: start..<end) { return .controlCharacter }
        if index.firstInvalidUTF8(bytes, in: start..<end) != nil { return .encodingError }
        return nil
    }

    /// Appends the cell between two quotes. A value with doubled quotes is decoded after the block's bytes.
    private func appendQuoted(
        _ bytes: Span<UInt8>, open: Int, close: Int, isEscaped: Bool, into block: inout RecordBlock
    ) {
        let origin = block.base
        var (start, end) = (open + 1 - origin, close - origin)
        if isEscaped {
            block.decodedCells.append(block.cells.count)
            start = block.decoded.count
            var at = open + 1
            while at < close {
                block.decoded.append(bytes[at])
                at += bytes[at] == quote ? 2 : 1
            }
            end = block.decoded.count
        }
        block.cells.append(
            Cell(kind: .quoted, start: start, end: end, rawStart: open - origin, rawEnd: close + 1 - origin))
    }
}
