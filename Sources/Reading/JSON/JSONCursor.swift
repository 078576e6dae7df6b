import Tabular

/// The position of a walk in its window's index, and the order of members seen so far. Its methods read one line each.
struct JSONCursor {
    /// A position in the index.
    struct Place {
        /// The first event that was not used.
        var event = 0
        /// The first odd byte at or after the place where the last one was looked for.
        var odd = -1
    }

    var place = Place()
    private var predictor = JSONNames.Predictor()

    /// The result of reading a line.
    enum Line {
        case blank(next: Int)
        case record(end: Int, next: Int)
        case fault(WalkEnd)
    }

    /// Moves to the beginning of a new window.
    mutating func restart() { place = Place() }

    /// Whether a range contains a byte that may not stand in a string as it is: an escape, or a TAB or CR. Ranges must
    /// be asked for in ascending order.
    @inline(__always)
    private mutating func hasOdd(in range: Range<Int>, _ index: borrowing StructuralIndex) -> Bool {
        if place.odd < range.lowerBound { place.odd = index.nextOdd(from: range.lowerBound) }
        return place.odd < range.upperBound
    }

    /// Finds only the end of a line, for cutting slices.
    mutating func line(
        _ bytes: Span<UInt8>, at start: Int, by scanner: borrowing JSONLinesScanner
    ) -> Line {
        while place.event < scanner.index.count {
            let at = scanner.index.base &+ Int(scanner.index.positions[place.event])
            place.event &+= 1
            if bytes[at] == 0x0A { return ended(bytes, from: start, to: at, next: at + 1) }
        }
        let end = scanner.index.end
        if scanner.isLast(bytes, start) { return ended(bytes, from: start, to: end, next: end) }
        return .fault(.incomplete(openField: nil))
    }

    private func ended(_ bytes: Span<UInt8>, from start: Int, to feed: Int, next: Int) -> Line {
        let end = feed > start && bytes[feed - 1] == 0x0D ? feed - 1 : feed
        var at = start
        while at < end, isSpace(bytes, at) { at &+= 1 }
        return at == end ? .blank(next: next) : .record(end: end, next: next)
    }

    /// Reads a line as an object whose members become cells.
    ///
    /// - Parameters:
    ///   - bytes: the buffer.
    ///   - start: where the line begins.
    ///   - scanner: its names, limits and index.
    ///   - block: gets the cells.
    // Long function: the state machine of a record, kept in one place so that it can be read against the grammar.
    mutating func object(
        _ bytes: Span<UInt8>, at start: Int, by scanner: borrowing JSONLinesScanner, into block: inout RecordBlock
    ) -> Line {
        let (base, windowEnd, total) = (scanner.index.base, scanner.index.end, scanner.index.count)
        let (origin, width) = (block.base, scanner.width)
        let row = block.cells.count
        var member = 0
        var unknown = JSONKeys()
        // A fault inside the window is final; at its edge the rest may not be indexed yet.
        func broken(_ code: FindingCode, _ at: Int) -> Line {
            .fault(at >= windowEnd ? .incomplete(openField: nil) : .malformed(code, at: at))
        }
        func skip(_ from: Int) -> Int {
            var at = from
            while at < windowEnd, isSpace(bytes, at) { at &+= 1 }
            return at
        }
        func eventAt(_ index: Int, _ events: Span<UInt32>) -> Int {
            index < total ? base &+ Int(events[index]) : windowEnd
        }
        let events = scanner.index.positions.span
        var at = skip(start)
        if at >= windowEnd {
            if scanner.isLast(bytes, start) {
                place.event = total
                return .blank(next: windowEnd)
            }
            return .fault(.incomplete(openField: nil))
        }
        if bytes[at] == 0x0A {
            place.event += 1
            return .blank(next: at + 1)
        }
        if bytes[at] != 0x7B { return broken(.malformedJSON, at) }
        for _ in 0..<block.width { block.cells.append(.absent) }
        at = skip(at &+ 1)
        if at < windowEnd, bytes[at] == 0x7D {
            at &+= 1
        } else {
            members: while true {
                // "key"
                guard at < windowEnd, bytes[at] == 0x22 else { return broken(.malformedJSON, at) }
                let keyStart = at &+ 1
                let keyEnd = eventAt(place.event &+ 1, events)
                guard keyEnd < windowEnd, bytes[keyEnd] == 0x22 else { return broken(.malformedJSON, keyEnd) }
                place.event &+= 2
                let isEscapedKey = hasOdd(in: keyStart..<keyEnd, scanner.index)
                at = skip(keyEnd &+ 1)
                guard at < windowEnd, bytes[at] == 0x3A else { return broken(.malformedJSON, at) }
                at = skip(at &+ 1)
                guard at < windowEnd else { return .fault(.incomplete(openField: nil)) }
                let cell: Cell
                var isDecoded = false
                let close = eventAt(place.event &+ 1, events)
                if bytes[at] == 0x22, close < windowEnd, bytes[close] == 0x22,
                    !hasOdd(in: at..<close, scanner.index)
                {
                    // Repeats `value` for the most frequent case, plain strings, where a call would cost as much as the
                    // work.
                    place.event &+= 2
                    cell = Cell(
                        kind: .quoted, start: at &+ 1 &- origin, end: close &- origin, rawStart: at &- origin,
                        rawEnd: close &+ 1 &- origin)
                    at = close &+ 1
                } else {
                    switch value(bytes, at: at, by: scanner, into: &block) {
                    case .plain(let found, let end): (cell, at) = (found, end)
                    case .decoded(let found, let end): (cell, at, isDecoded) = (found, end, true)
                    case .fault(let fault): return .fault(fault)
                    }
                }
                // Its field.
                let field = scanner.names.field(
                    bytes, in: keyStart..<keyEnd, isEscaped: isEscapedKey, member: member, predictor: &predictor)
                if isDecoded, field >= 0, field < width { block.decodedCells.append(row + field) }
                if field >= 0, scanner.rootOfName[field] >= 0 {
                    // A duplicate member would be lifted twice.
                    if unknown.insert(bytes, keyStart..<keyEnd, hasEscape: isEscapedKey) != .new {
                        return .fault(.malformed(.duplicateKey, at: keyStart))
                    }
                    let part = scanner.pointers.lift(
                        bytes, in: Int(cell.rawStart) + origin..<cell.rawEnd + origin, at: scanner.rootOfName[field],
                        isCovered: field < width, into: &block)
                    if part == .refused || (part == .unknown && scanner.rejectsUnknown) {
                        return .fault(.malformed(.unknownField, at: keyStart))
                    }
                    if part == .unknown, scanner.notesUnknown { block.addExtra(from: keyStart - 1, to: at) }
                }
                if field >= width {
                    // The member only leads to fields inside it.
                } else if field >= 0 {
                    if !block.cells[row + field].isAbsent { return .fault(.malformed(.duplicateKey, at: at)) }
                    block.cells[row + field] = cell
                } else {
                    let isListed = scanner.isListed(bytes, key: keyStart..<keyEnd, isEscaped: isEscapedKey)
                    if scanner.rejectsUnknown, isListed { return .fault(.malformed(.unknownField, at: keyStart)) }
                    switch unknown.insert(bytes, keyStart..<keyEnd, hasEscape: isEscapedKey) {
                    case .new: break
                    case .duplicate: return .fault(.malformed(.duplicateKey, at: keyStart))
                    case .malformed: return .fault(.malformed(.malformedJSON, at: keyStart))
                    }
                    if cell.range.count > scanner.limits.maxCellBytes {
                        return .fault(.malformed(.cellTooLong, at: keyStart))
                    }
                    if scanner.notesUnknown || !isListed {
                        block.addExtra(from: keyStart - 1, to: at, isLeftOut: !isListed)
                    }
                    if isEscapedKey || scanner.index.hasHigh(in: keyStart..<keyEnd) {
                        block.addOddKey(from: keyStart - 1, to: keyEnd + 1)
                    }
                }
                member &+= 1
                at = skip(at)
                guard at < windowEnd else { return .fault(.incomplete(openField: nil)) }
                switch bytes[at] {
                case 0x2C: at = skip(at &+ 1)
                case 0x7D:
                    at &+= 1
                    break members
                default: return .fault(.malformed(.malformedJSON, at: at))
                }
            }
        }
        let end = at
        at = skip(at)
        if at >= windowEnd {
            guard scanner.isLast(bytes, start) else { return .fault(.incomplete(openField: nil)) }
            place.event = total
            return .record(end: end, next: windowEnd)
        }
        guard bytes[at] == 0x0A else { return .fault(.malformed(.malformedJSON, at: at)) }
        place.event &+= 1
        return .record(end: end, next: at &+ 1)
    }

    /// Reads a line as an array whose values become cells by position.
    mutating func array(
        _ bytes: Span<UInt8>, at start: Int, by scanner: borrowing JSONLinesScanner, into block: inout RecordBlock
    ) -> Line {
        let windowEnd = scanner.index.end
        var count = 0
        func skip(_ from: Int) -> Int {
            var at = from
            while at < windowEnd, isSpace(bytes, at) { at &+= 1 }
            return at
        }
        func broken(_ at: Int) -> Line {
            .fault(at >= windowEnd ? .incomplete(openField: nil) : .malformed(.malformedJSON, at: at))
        }
        var at = skip(start)
        if at >= windowEnd {
            guard scanner.isLast(bytes, start) else { return .fault(.incomplete(openField: nil)) }
            place.event = scanner.index.count
            return .blank(next: windowEnd)
        }
        if bytes[at] == 0x0A {
            place.event += 1
            return .blank(next: at + 1)
        }
        if bytes[at] != 0x5B { return broken(at) }
        at = skip(at + 1)
        if at < windowEnd, bytes[at] == 0x5D {
            at += 1
        } else {
            while true {
                guard at < windowEnd else { return .fault(.incomplete(openField: nil)) }
                let cell: Cell
                switch value(bytes, at: at, by: scanner, into: &block) {
                case .plain(let found, let end): (cell, at) = (found, end)
                case .decoded(let found, let end):
                    (cell, at) = (found, end)
                    if count < block.width || block.width == 0 { block.decodedCells.append(block.cells.count) }
                case .fault(let fault): return .fault(fault)
                }
                if count < block.width || block.width == 0 { block.cells.append(cell) }
                count += 1
                at = skip(at)
                guard at < windowEnd else { return .fault(.incomplete(openField: nil)) }
                if bytes[at] == 0x5D { break }
                if bytes[at] != 0x2C { return broken(at) }
                at = skip(at + 1)
            }
            at += 1
        }
        let end = at
        at = skip(at)
        let next: Int
        if at >= windowEnd {
            guard scanner.isLast(bytes, start) else { return .fault(.incomplete(openField: nil)) }
            place.event = scanner.index.count
            next = windowEnd
        } else {
            guard bytes[at] == 0x0A else { return broken(at) }
            place.event += 1
            next = at + 1
        }
        if block.width > 0, count != block.width {
            return .fault(.malformed(count > block.width ? .extraCell : .missingCell, at: start))
        }
        return .record(end: end, next: next)
    }

    private enum Value {
        /// The value's cell, and the offset past the value.
        case plain(Cell, end: Int)
        /// The same for a string with escapes, whose decoded cell is one of `decodedCells`.
        case decoded(Cell, end: Int)
        case fault(WalkEnd)
    }

    /// Reads the value at `at` as a cell.
    private mutating func value(
        _ bytes: Span<UInt8>, at: Int, by scanner: borrowing JSONLinesScanner, into block: inout RecordBlock
    ) -> Value {
        let (base, windowEnd, total) = (scanner.index.base, scanner.index.end, scanner.index.count)
        let origin = block.base
        let events = scanner.index.positions.span
        switch bytes[at] {
        case 0x22:
            let close = place.event &+ 1 < total ? base &+ Int(events[place.event &+ 1]) : windowEnd
            guard close < windowEnd else { return .fault(.incomplete(openField: nil)) }
            if bytes[close] != 0x22 { return .fault(.malformed(.malformedJSON, at: close)) }
            place.event &+= 2
            if hasOdd(in: at..<close, scanner.index) {
                let first = block.decoded.count
                if !decodeJSONString(bytes, at + 1..<close, into: &block.decoded) {
                    return .fault(.malformed(faultCode(bytes, at + 1..<close), at: at))
                }
                let cell = Cell(
                    kind: .quoted, start: first, end: block.decoded.count, rawStart: at - origin,
                    rawEnd: close + 1 - origin)
                return .decoded(cell, end: close &+ 1)
            }
            let cell = Cell(
                kind: .quoted, start: at &+ 1 &- origin, end: close &- origin, rawStart: at &- origin,
                rawEnd: close &+ 1 &- origin)
            return .plain(cell, end: close &+ 1)
        case 0x7B, 0x5B:
            let end: Int?
            do throws(JSONSkimmer.Fault) {
                end = try scanner.skimmer.endOfNested(bytes, at, windowEnd)
            } catch {
                return .fault(.malformed(error.code, at: error.at))
            }
            guard let end else { return .fault(.incomplete(openField: nil)) }
            let cell = Cell(
                kind: bytes[at] == 0x7B ? .object : .array, start: at - origin, end: end - origin,
                rawStart: at - origin, rawEnd: end - origin)
            while place.event < total, base + Int(events[place.event]) < end { place.event &+= 1 }
            return .plain(cell, end: end)
        case 0x74, 0x66, 0x6E:
            let end = JSONSkimmer.endOfScalar(bytes, at, windowEnd)
            guard end < windowEnd else { return .fault(.incomplete(openField: nil)) }
            guard let kind = JSONSkimmer.scalarKind(bytes, at, end) else {
                return .fault(.malformed(.malformedJSON, at: at))
            }
            let cell = Cell(
                kind: kind, start: at &- origin, end: end &- origin, rawStart: at &- origin, rawEnd: end &- origin)
            return .plain(cell, end: end)
        default:
            let (end, isNumber) = JSONSkimmer.endOfNumber(bytes, at, windowEnd)
            guard end < windowEnd else { return .fault(.incomplete(openField: nil)) }
            if !isNumber { return .fault(.malformed(.malformedJSON, at: at)) }
            let cell = Cell(
                kind: .number, start: at &- origin, end: end &- origin, rawStart: at &- origin, rawEnd: end &- origin)
            return .plain(cell, end: end)
        }
    }

    /// Why a string is malformed: a TAB or CR, or an invalid escape.
    private func faultCode(_ bytes: Span<UInt8>, _ range: Range<Int>) -> FindingCode {
        for at in range where bytes[at] < 0x20 { return .controlCharacter }
        return .malformedJSON
    }
}

/// Whether a byte is white space. A carriage return is only at a line's end: a reader that takes it for a line end by
/// itself would see other records.
@inline(__always)
private func isSpace(_ bytes: Span<UInt8>, _ at: Int) -> Bool {
    let byte = bytes[at]
    if byte > 0x20 { return false }
    if byte == 0x20 || byte == 0x09 { return true }
    return byte == 0x0D && (at &+ 1 >= bytes.count || bytes[at &+ 1] == 0x0A)
}
