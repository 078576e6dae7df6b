import Tabular

/// Scans CSV of any dialect byte by byte, for dialects that the structural scanner cannot read.
///
/// It is equally strict: a quote inside an unquoted field, text after a closing quote, a control character or invalid
/// UTF-8 makes the row bad, and the grammar restarts at the next line end. libcsv cannot express these dialects, so
/// they have no second reader.
struct DialectScanner: RecordScanner, ~Copyable {
    private let dialect: Dialect
    private let limits: ScanLimits
    // -1 stands for a mark that the dialect lacks; no byte equals it.
    private let quote: Int
    private let escape: Int
    private let comment: Int

    init(_ dialect: Dialect, limits: ScanLimits) {
        self.dialect = dialect
        self.limits = limits
        quote = dialect.quote.map { Int($0) } ?? -1
        escape = dialect.escape.map { Int($0) } ?? -1
        comment = dialect.comment.map { Int($0) } ?? -1
    }

    func scan(_ bytes: Span<UInt8>, from start: Int, isFinal: Bool, into block: inout RecordBlock) -> Int {
        var position = start
        while position < bytes.count, block.count < limits.blockRows, position - start < limits.blockBytes {
            let next = record(bytes, at: position, isFinal: isFinal, into: &block)
            if next == position { break }
            position = next
        }
        return position
    }

    /// The role of one byte.
    private enum Mark {
        case none
        case delimiter
        /// A line end of so many bytes.
        case lineEnd(Int)
        /// A carriage return at the end of the bytes, which may begin a line end.
        case undecided
        case strayReturn
    }

    /// The state of one record.
    private struct Record {
        /// Offset of its first byte.
        let start: Int
        /// Offset past the last byte that may decide about it, however much the caller has read.
        let end: Int
        /// Whether the bytes end with the file, and whether `end` is that end.
        let isFinal: Bool, isEnd: Bool
        /// Its first violation of the grammar.
        var fault: (code: FindingCode, at: Int)?
        /// Whether more bytes are needed to decide.
        var isCut = false
        /// Where the field begins whose quote is open at `end`.
        var openField: Int?

        init(_ bytes: Span<UInt8>, at start: Int, isFinal: Bool, limits: ScanLimits) {
            self.start = start
            self.isFinal = isFinal
            end = min(start + limits.maxRowBytes + 2, bytes.count)
            isEnd = end == bytes.count && isFinal
        }
    }

    @inline(__always)
    private func mark(_ bytes: Span<UInt8>, at: Int, in record: Record) -> Mark {
        let byte = bytes[at]
        if byte == dialect.delimiter { return .delimiter }
        if let terminator = dialect.lineTerminator { return byte == terminator ? .lineEnd(1) : .none }
        if byte == 0x0A { return .lineEnd(1) }
        if byte != 0x0D { return .none }
        if at + 1 < record.end { return bytes[at + 1] == 0x0A ? .lineEnd(2) : .strayReturn }
        return record.isEnd ? .strayReturn : .undecided
    }

    /// Scans one record, blank line or comment.
    ///
    /// - Parameters:
    ///   - bytes: the buffer.
    ///   - start: where the record begins.
    ///   - isFinal: whether the bytes end with the file.
    ///   - block: gets the row.
    /// - Returns: where the next record begins; `start` when this one is incomplete.
    // Long function: the state machine of a record, kept in one place so that it can be read against the grammar.
    private func record(
        _ bytes: Span<UInt8>, at start: Int, isFinal: Bool, into block: inout RecordBlock
    ) -> Int {
        var record = Record(bytes, at: start, isFinal: isFinal, limits: limits)
        let (end, isEnd) = (record.end, record.isEnd)
        if Int(bytes[start]) == comment {
            if let next = lineEnd(bytes.extracting(0..<end), from: start, of: start)?.next { return next }
            // A comment is subject to the same limit as a record.
            return isEnd && end - start < limits.maxRowBytes + 2 ? end : endBad(record, bytes, into: &block)
        }
        if case .lineEnd(let length) = mark(bytes, at: start, in: record) { return start + length }
        let undo = block.mark
        let origin = block.base
        var at = start
        var fields = 0
        var next = start
        fields: while true {
            if dialect.skipInitialSpace { while at < end, bytes[at] == 0x20 { at += 1 } }
            let raw = at
            let isQuoted = at < end && Int(bytes[at]) == quote
            var valueStart = at
            var valueEnd = at
            let decodedStart = block.decoded.count
            // After an escape the bytes from `valueStart` to `copied` are in `decoded`.
            var copied = -1
            func decode(_ block: inout RecordBlock, upTo place: Int) {
                if block.keepsCells {
                    for index in (copied < 0 ? valueStart : copied)..<place { block.decoded.append(bytes[index]) }
                }
            }
            if isQuoted {
                at += 1
                valueStart = at
                while true {
                    if at >= end {
                        (record.isCut, record.openField) = (true, raw)
                        break fields
                    }
                    let byte = Int(bytes[at])
                    if byte == escape, byte != quote || !dialect.doubleQuote {
                        if at + 1 >= end {
                            (record.isCut, record.openField) = (true, raw)
                            break fields
                        }
                        decode(&block, upTo: at)
                        copied = at + 1
                        at += 2
                    } else if byte == quote {
                        if dialect.doubleQuote, at + 1 < end, Int(bytes[at + 1]) == quote {
                            decode(&block, upTo: at)
                            copied = at + 1
                            at += 2
                            continue
                        }
                        // A quote as the last visible byte may be followed by another one.
                        if at + 1 == end, !isEnd { record.isCut = true }
                        break
                    } else {
                        at += 1
                    }
                }
                if record.isCut { break fields }
                valueEnd = at
                at += 1
            } else {
                while at < end {
                    if Int(bytes[at]) == escape {
                        if at + 1 >= end {
                            if isEnd { record.fault = (.strayQuote, at) } else { record.isCut = true }
                            break fields
                        }
                        // A bad row ends at any line end, even an escaped one; read by itself it must not become whole.
                        if at + 2 == end, isEnd, bytes[at + 1] == dialect.lineTerminator ?? 0x0A {
                            record.fault = (.strayQuote, at)
                            break fields
                        }
                        decode(&block, upTo: at)
                        copied = at + 1
                        at += 2
                        continue
                    }
                    if case .none = mark(bytes, at: at, in: record) {
                        if Int(bytes[at]) == quote {
                            record.fault = (.strayQuote, at)
                            break fields
                        }
                        at += 1
                        continue
                    }
                    break
                }
                valueEnd = at
            }
            fields += 1
            if block.keepsCells {
                if copied >= 0 {
                    decode(&block, upTo: valueEnd)
                    block.decodedCells.append(block.cells.count)
                    (valueStart, valueEnd) = (decodedStart, block.decoded.count)
                } else {
                    (valueStart, valueEnd) = (valueStart - origin, valueEnd - origin)
                }
                let isNull = !isQuoted && isNullSequence(bytes, from: raw, to: at)
                block.cells.append(
                    Cell(
                        kind: isNull ? .null : isQuoted ? .quoted : .bare, start: valueStart, end: valueEnd,
                        rawStart: raw - origin, rawEnd: at - origin))
            }
            if at >= end {
                if isEnd {
                    next = at
                    break
                }
                record.isCut = true
                break
            }
            switch mark(bytes, at: at, in: record) {
            case .delimiter: at += 1
            case .lineEnd(let length):
                next = at + length
                break fields
            case .undecided:
                record.isCut = true
                break fields
            case .strayReturn:
                record.fault = (.strayCarriageReturn, at)
                break fields
            case .none:
                let end = WalkEnd.behindQuote(
                    bytes, field: raw, closing: at - 1, lineEnd: dialect.lineTerminator ?? 0x0A)
                if case .malformed(let code, let place) = end { record.fault = (code, place) }
                break fields
            }
        }
        if record.isCut || record.fault != nil {
            block.roll(back: undo)
            return endBad(record, bytes, into: &block)
        }
        if let code = complaint(bytes, from: start, to: at, fields: fields, in: block) {
            block.roll(back: undo)
            block.addBadRow(from: start, to: at, as: code)
        } else {
            block.endRow(from: start, to: at)
        }
        return next
    }

    private func isNullSequence(_ bytes: Span<UInt8>, from start: Int, to end: Int) -> Bool {
        guard let text = dialect.nullSequence, text.count == end - start else { return false }
        return text.indices.allSatisfy { bytes[start + $0] == text[$0] }
    }

    /// Ends a record that violates the grammar or the limit at a line end.
    ///
    /// - Returns: where the next record begins; the record's own start when its end is not visible yet.
    private func endBad(_ record: Record, _ bytes: Span<UInt8>, into block: inout RecordBlock) -> Int {
        let (start, fault, openField) = (record.start, record.fault, record.openField)
        var code = fault?.code ?? (openField == nil ? .rowTooLong : .unclosedQuote)
        if fault == nil, record.end - start < limits.maxRowBytes + 2, !record.isFinal { return start }
        // An open quote costs no more than its own line.
        if let found = lineEnd(bytes, from: fault?.at ?? openField ?? record.end, of: start) {
            if found.end - start > limits.maxRowBytes { code = .rowTooLong }
            block.addBadRow(from: start, to: found.end, as: code)
            return found.next
        }
        if !record.isFinal { return start }
        block.addBadRow(from: start, to: bytes.count, as: code)
        return bytes.count
    }

    /// The first line end at or after an offset of a record, and the offset past it; nil when none is visible.
    private func lineEnd(_ bytes: Span<UInt8>, from: Int, of start: Int) -> (end: Int, next: Int)? {
        let terminator = dialect.lineTerminator ?? 0x0A
        var at = from
        while at < bytes.count {
            if bytes[at] == terminator {
                let isPair = dialect.lineTerminator == nil && at > start && bytes[at - 1] == 0x0D
                return (isPair ? at - 1 : at, at + 1)
            }
            at += 1
        }
        return nil
    }

    private func complaint(
        _ bytes: Span<UInt8>, from start: Int, to end: Int, fields: Int, in block: borrowing RecordBlock
    ) -> FindingCode? {
        if !block.keepsCells { return nil }
        if block.width > 0, fields != block.width { return fields > block.width ? .extraCell : .missingCell }
        if end - start > limits.maxRowBytes { return .rowTooLong }
        for at in start..<end {
            let byte = bytes[at]
            if byte >= 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D || byte == dialect.delimiter { continue }
            return .controlCharacter
        }
        return firstInvalidUTF8(bytes, start..<end) == nil ? nil : .encodingError
    }
}
