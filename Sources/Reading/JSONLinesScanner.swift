package import Tabular

/// JSON Lines by structural index: every line is one object; its strings and its end are found with SIMD.
///
/// A line feed always ends the record, whatever came before it, so a broken line costs one row. Members come out as
/// cells in the order of the contract's fields; duplicate keys make a row bad, also when they differ only by escapes.
package struct JSONLinesScanner: ~Copyable, RecordScanner {
    private let names: JSONNames
    private let itemKeys: Set<[UInt8]>
    /// Whether rows are arrays, whose values are columns by their place.
    private let hasArrays: Bool
    private let rejectsUnknown: Bool
    private let keepsUnknown: Bool
    private let limits: ScanLimits
    private let skimmer: JSONSkimmer
    private let defaultWindow: Int
    private var index = StructuralIndex()
    private var cursor = Cursor()
    private var window = 1 << 16
    /// Where the last block of the same bytes ended inside the window.
    private var resume = -1
    private var predictor = JSONNames.Predictor()
    /// What is lifted out of nested members; the names behind those of the fields are its roots.
    private let pointers: JSONPointers
    private let rootOfName: [Int]
    private let width: Int

    /// How far a walk has come in the index of its window.
    private struct Cursor {
        /// The first position that was not used.
        var event = 0
        /// The first odd byte at or behind where the last one was looked for.
        var odd = -1

        /// Whether a range, which begins behind all ranges asked for before, holds what a string may not hold as it is: an
        /// escape, or a TAB or CR that is a fault.
        @inline(__always)
        mutating func hasOdd(in range: Range<Int>, _ index: borrowing StructuralIndex) -> Bool {
            if odd < range.lowerBound { odd = index.nextOdd(from: range.lowerBound) }
            return odd < range.upperBound
        }
    }

    /// A scanner for the given field names; `unknown` members are refused, or noted as extras.
    ///
    /// `paths` are the tokens of fields that have a JSON Pointer; the others are members by their name. Of the dialect only what
    /// it says of items counts: members that its `itemKeys` do not name are noted as extras, whatever holds for unknown ones.
    package init(
        fields: [String], paths: [[String]?] = [], dialect: Dialect = Dialect(), rejectsUnknown: Bool,
        notesUnknown: Bool, limits: ScanLimits = ScanLimits()
    ) {
        hasArrays = dialect.hasArrayItems
        itemKeys = dialect.hasArrayItems ? [] : Set(dialect.itemKeys.map { Array($0.utf8) })
        let pointers = JSONPointers(paths, rejectsUnknown: rejectsUnknown, notesUnknown: notesUnknown)
        // A field that is lifted out of a member is none itself; no key has this name, which is no UTF-8.
        let own = fields.indices.map { index -> [UInt8] in
            guard index < paths.count, let path = paths[index] else { return Array(fields[index].utf8) }
            return path.count == 1 ? Array(path[0].utf8) : [0xFF] + Array(String(index).utf8)
        }
        let extra = pointers.roots.keys.filter { !own.contains($0) }.sorted { $0.lexicographicallyPrecedes($1) }
        let names = own + extra
        rootOfName = names.map { pointers.roots[$0] ?? -1 }
        self.pointers = pointers
        width = fields.count
        self.names = JSONNames(names)
        self.rejectsUnknown = rejectsUnknown
        keepsUnknown = notesUnknown
        self.limits = limits
        skimmer = JSONSkimmer(maxDepth: limits.maxDepth - 1)
        defaultWindow = min(1 << 16, limits.maxRowBytes + 2)
    }

    /// Scans rows as the protocol says.
    package mutating func scan(
        _ bytes: Span<UInt8>, from start: Int, isFinal: Bool, into block: inout RecordBlock
    ) -> Int {
        if !block.keepsCells, limits.blockRows == .max { return ends(bytes, start, isFinal, &block) }
        if start != resume || start == 0 {
            window = defaultWindow
            refill(bytes, start)
        }
        return records(bytes, from: start, until: start + limits.blockBytes, isFinal: isFinal, into: &block)
    }

    /// Only the ends of records, for cutting slices: a window without blank lines is counted, any other one is walked.
    private mutating func ends(_ bytes: Span<UInt8>, _ start: Int, _ isFinal: Bool, _ block: inout RecordBlock) -> Int {
        var position = start
        while position < bytes.count, position - start < limits.blockBytes {
            let stop = min(position + defaultWindow, bytes.count)
            let clean = StructuralIndex.countLines(bytes, from: position, to: stop)
            if clean.end > position {
                block.addRows(clean.rows)
                position = clean.end
                continue
            }
            window = defaultWindow
            refill(bytes, position)
            let next = records(bytes, from: position, until: stop, isFinal: isFinal, into: &block)
            if next == position { break }
            position = next
        }
        resume = -1
        return position
    }

    /// Walks records from `start` on, until one starts at or after `stop`.
    private mutating func records(
        _ bytes: Span<UInt8>, from start: Int, until stop: Int, isFinal: Bool, into block: inout RecordBlock
    ) -> Int {
        var position = start
        defer { resume = position < index.end ? position : -1 }
        while position < bytes.count, block.count < limits.blockRows, position < stop {
            if position >= index.end { refill(bytes, position) }
            let (next, end) = walk(bytes, position, stop: stop, isFinal: isFinal, &block)
            position = next
            let recovery: Recovery
            switch end {
            case .atRecord: continue
            case .malformed(let code, _):
                recovery = .bad(code, bytes, from: position, position: position, isFinal: isFinal, limits)
            case .incomplete:
                if position > index.base, index.end < bytes.count {
                    refill(bytes, position)
                    continue
                }
                // Whatever stands in a row, it ends at its first line feed.
                recovery = .incomplete(
                    .rowTooLong, bytes, from: position, position: position, windowEnd: index.end, isFinal: isFinal,
                    limits: limits)
            }
            switch recovery {
            case .needMore: return position
            case .widen(let size):
                window = size
                refill(bytes, position)
            case .bad(let code, let recordEnd, let next):
                // At the end of the file an unfinished object is malformed, however short.
                let isShort = recordEnd - position <= limits.maxRowBytes
                block.addBadRow(position, recordEnd, code == .rowTooLong && isShort ? .malformedJSON : code)
                position = next
                // The index goes on behind a fault: it does not know which quotes open a string.
                if position >= index.end {
                    refill(bytes, position)
                } else {
                    var event = cursor.event
                    while event < index.count, index.base + Int(index.positions[event]) < position { event += 1 }
                    cursor.event = event
                }
            }
        }
        return position
    }

    private mutating func refill(_ bytes: Span<UInt8>, _ position: Int) {
        let end = min(position + window, bytes.count)
        index.indexJSON(bytes, from: min(position, end), to: end)
        cursor = Cursor()
        window = defaultWindow
    }

    private mutating func walk(
        _ bytes: Span<UInt8>, _ start: Int, stop: Int, isFinal: Bool, _ block: inout RecordBlock
    ) -> (Int, WalkEnd) {
        var position = start
        var fault: WalkEnd?
        var cursor = self.cursor
        var predictor = JSONNames.Predictor()
        swap(&predictor, &self.predictor)
        defer {
            swap(&predictor, &self.predictor)
            self.cursor = cursor
        }
        while position < index.end, position < stop, block.count < limits.blockRows {
            let firstEvent = cursor
            let mark = block.mark
            let outcome =
                !block.keepsCells
                ? line(bytes, position, isFinal, &cursor)
                : hasArrays
                    ? items(bytes, position, isFinal, &cursor, &block)
                    : object(bytes, position, isFinal, &cursor, &predictor, &block)
            switch outcome {
            case .blank(let next):
                block.roll(back: mark)
                position = next
            case .record(let end, let next):
                if block.keepsCells, let code = complaint(bytes, position, end) {
                    block.roll(back: mark)
                    block.addBadRow(position, end, code)
                } else {
                    block.endRow(position, end)
                }
                position = next
            case .fault(let end):
                block.roll(back: mark)
                cursor = firstEvent
                fault = end
            }
            if fault != nil { break }
        }
        return (position, fault ?? .atRecord)
    }

    private enum Line {
        case blank(next: Int)
        case record(end: Int, next: Int)
        case fault(WalkEnd)
    }

    /// Only the ends of a line: for cutting slices.
    private func line(_ bytes: Span<UInt8>, _ start: Int, _ isFinal: Bool, _ cursor: inout Cursor) -> Line {
        while cursor.event < index.count {
            let at = index.base &+ Int(index.positions[cursor.event])
            cursor.event &+= 1
            if bytes[at] == 0x0A { return ended(bytes, start, at, at + 1) }
        }
        if isLast(bytes, start, isFinal) { return ended(bytes, start, index.end, index.end) }
        return .fault(.incomplete(openField: nil))
    }

    /// Whether the line that starts at `start` ends with the file. A line of more than the row limit does not: it is judged
    /// by its beginning, so that nothing depends on whether the end of the file was in sight.
    @inline(__always)
    private func isLast(_ bytes: Span<UInt8>, _ start: Int, _ isFinal: Bool) -> Bool {
        index.end == bytes.count && isFinal && index.end - start < limits.maxRowBytes + 2
    }

    private func ended(_ bytes: Span<UInt8>, _ start: Int, _ feed: Int, _ next: Int) -> Line {
        let end = feed > start && bytes[feed - 1] == 0x0D ? feed - 1 : feed
        var at = start
        while at < end, isSpace(bytes, at) { at &+= 1 }
        return at == end ? .blank(next: next) : .record(end: end, next: next)
    }

    /// A carriage return is white space only where the line ends: what takes it for a line end by itself would read other records.
    @inline(__always)
    private func isSpace(_ bytes: Span<UInt8>, _ at: Int) -> Bool {
        let byte = bytes[at]
        if byte > 0x20 { return false }
        if byte == 0x20 || byte == 0x09 { return true }
        return byte == 0x0D && (at &+ 1 >= bytes.count || bytes[at &+ 1] == 0x0A)
    }

    private func complaint(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> FindingCode? {
        if end - start > limits.maxRowBytes { return .rowTooLong }
        if index.hasControl(in: start..<end) { return .controlCharacter }
        if index.firstInvalidUTF8(bytes, in: start..<end) != nil { return .encodingError }
        return nil
    }

    /// One line as an object whose members become cells.
    // Long function: the state machine of a record, kept in one place so that it can be read against the grammar.
    private func object(
        _ bytes: Span<UInt8>, _ start: Int, _ isFinal: Bool, _ cursor: inout Cursor,
        _ predictor: inout JSONNames.Predictor,
        _ block: inout RecordBlock
    ) -> Line {
        let (base, windowEnd, total) = (index.base, index.end, index.count)
        let origin = block.base
        let row = block.cells.count
        var event = cursor.event
        var member = 0
        var unknown = JSONKeys()
        // A fault inside the window is final; at its edge it may only be that the rest was not indexed yet.
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
        let events = index.positions.span
        var at = skip(start)
        if at >= windowEnd {
            if isLast(bytes, start, isFinal) {
                cursor.event = total
                return .blank(next: windowEnd)
            }
            return .fault(.incomplete(openField: nil))
        }
        if bytes[at] == 0x0A {
            cursor.event = event + 1
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
                let keyEnd = eventAt(event &+ 1, events)
                guard keyEnd < windowEnd, bytes[keyEnd] == 0x22 else { return broken(.malformedJSON, keyEnd) }
                event &+= 2
                let isEscapedKey = cursor.hasOdd(in: keyStart..<keyEnd, index)
                at = skip(keyEnd &+ 1)
                guard at < windowEnd, bytes[at] == 0x3A else { return broken(.malformedJSON, at) }
                at = skip(at &+ 1)
                guard at < windowEnd else { return .fault(.incomplete(openField: nil)) }
                var cell: Cell
                var isDecoded = false
                let close = eventAt(event &+ 1, events)
                if bytes[at] == 0x22, close < windowEnd, bytes[close] == 0x22,
                    !cursor.hasOdd(in: at..<close, index)
                {
                    // As `value` has it; here because it is what most values are, and a call costs as much.
                    event &+= 2
                    cell = Cell(
                        kind: .quoted, start: at &+ 1 &- origin, end: close &- origin, rawStart: at &- origin,
                        rawEnd: close &+ 1 &- origin)
                    at = close &+ 1
                } else {
                    cell = .absent
                    switch value(bytes, at, &event, &cursor, &block, &cell) {
                    case .plain(let end): at = end
                    case .decoded(let end): (at, isDecoded) = (end, true)
                    case .fault(let fault): return .fault(fault)
                    }
                }
                // Where it belongs.
                let field = names.field(bytes, keyStart..<keyEnd, isEscaped: isEscapedKey, member, &predictor)
                if isDecoded, field >= 0, field < width { block.decodedCells.append(row + field) }
                if field >= 0, rootOfName[field] >= 0 {
                    // The same member twice would be lifted twice.
                    if unknown.insert(bytes, keyStart..<keyEnd, hasEscape: isEscapedKey) != .new {
                        return .fault(.malformed(.duplicateKey, at: keyStart))
                    }
                    let part = pointers.lift(
                        bytes, Int(cell.rawStart) + origin, cell.rawEnd + origin, at: rootOfName[field],
                        covered: field < width, row: row, into: &block)
                    if part == .refused || (part == .unknown && rejectsUnknown) {
                        return .fault(.malformed(.unknownField, at: keyStart))
                    }
                    if part == .unknown, keepsUnknown { block.addExtra(keyStart - 1, at) }
                }
                if field >= width {
                    // Only the way to what was lifted.
                } else if field >= 0 {
                    if !block.cells[row + field].isAbsent { return .fault(.malformed(.duplicateKey, at: at)) }
                    block.cells[row + field] = cell
                } else {
                    let isListed = itemKeys.isEmpty || isListed(bytes, keyStart, keyEnd, isEscapedKey)
                    if rejectsUnknown, isListed { return .fault(.malformed(.unknownField, at: keyStart)) }
                    switch unknown.insert(bytes, keyStart..<keyEnd, hasEscape: isEscapedKey) {
                    case .new: break
                    case .duplicate: return .fault(.malformed(.duplicateKey, at: keyStart))
                    case .malformed: return .fault(.malformed(.malformedJSON, at: keyStart))
                    }
                    if cell.range.count > limits.maxCellBytes { return .fault(.malformed(.cellTooLong, at: keyStart)) }
                    if keepsUnknown || !isListed { block.addExtra(keyStart - 1, at, isLeftOut: !isListed) }
                    if isEscapedKey || index.hasHigh(in: keyStart..<keyEnd) {
                        block.addOddKey(keyStart - 1, keyEnd + 1)
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
            guard isLast(bytes, start, isFinal) else { return .fault(.incomplete(openField: nil)) }
            cursor.event = total
            return .record(end: end, next: windowEnd)
        }
        guard bytes[at] == 0x0A else { return .fault(.malformed(.malformedJSON, at: at)) }
        cursor.event = event &+ 1
        return .record(end: end, next: at &+ 1)
    }

    private enum Value {
        /// The offset behind the value.
        case plain(end: Int)
        /// The same, of a string whose escapes were undone: the cell is one of `decodedCells`.
        case decoded(end: Int)
        case fault(WalkEnd)
    }

    /// The value that starts at `at`, as a cell.
    private func value(
        _ bytes: Span<UInt8>, _ at: Int, _ event: inout Int, _ cursor: inout Cursor, _ block: inout RecordBlock,
        _ cell: inout Cell
    ) -> Value {
        let (base, windowEnd, total) = (index.base, index.end, index.count)
        let origin = block.base
        let events = index.positions.span
        switch bytes[at] {
        case 0x22:
            let close = event &+ 1 < total ? base &+ Int(events[event &+ 1]) : windowEnd
            guard close < windowEnd else { return .fault(.incomplete(openField: nil)) }
            if bytes[close] != 0x22 { return .fault(.malformed(.malformedJSON, at: close)) }
            event &+= 2
            if cursor.hasOdd(in: at..<close, index) {
                let first = block.decoded.count
                if !decodeJSONString(bytes, at + 1..<close, into: &block.decoded) {
                    return .fault(.malformed(faultCode(bytes, at + 1..<close), at: at))
                }
                cell = Cell(
                    kind: .quoted, start: first, end: block.decoded.count, rawStart: at - origin,
                    rawEnd: close + 1 - origin)
                return .decoded(end: close &+ 1)
            }
            cell = Cell(
                kind: .quoted, start: at &+ 1 &- origin, end: close &- origin, rawStart: at &- origin,
                rawEnd: close &+ 1 &- origin)
            return .plain(end: close &+ 1)
        case 0x7B, 0x5B:
            let end: Int?
            do throws(JSONSkimmer.Fault) {
                end = try skimmer.endOfNested(bytes, at, windowEnd)
            } catch {
                return .fault(.malformed(error.code, at: error.at))
            }
            guard let end else { return .fault(.incomplete(openField: nil)) }
            cell = Cell(
                kind: bytes[at] == 0x7B ? .object : .array, start: at - origin, end: end - origin,
                rawStart: at - origin, rawEnd: end - origin)
            while event < total, base + Int(events[event]) < end { event &+= 1 }
            return .plain(end: end)
        case 0x74, 0x66, 0x6E:
            let end = JSONSkimmer.endOfScalar(bytes, at, windowEnd)
            guard end < windowEnd else { return .fault(.incomplete(openField: nil)) }
            guard let kind = JSONSkimmer.scalarKind(bytes, at, end) else {
                return .fault(.malformed(.malformedJSON, at: at))
            }
            cell = Cell(
                kind: kind, start: at &- origin, end: end &- origin, rawStart: at &- origin, rawEnd: end &- origin)
            return .plain(end: end)
        default:
            let (end, isNumber) = JSONSkimmer.endOfNumber(bytes, at, windowEnd)
            guard end < windowEnd else { return .fault(.incomplete(openField: nil)) }
            if !isNumber { return .fault(.malformed(.malformedJSON, at: at)) }
            cell = Cell(
                kind: .number, start: at &- origin, end: end &- origin, rawStart: at &- origin, rawEnd: end &- origin)
            return .plain(end: end)
        }
    }

    /// One line as an array whose values become cells by their place.
    private func items(
        _ bytes: Span<UInt8>, _ start: Int, _ isFinal: Bool, _ cursor: inout Cursor, _ block: inout RecordBlock
    ) -> Line {
        let windowEnd = index.end
        var event = cursor.event
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
            guard isLast(bytes, start, isFinal) else { return .fault(.incomplete(openField: nil)) }
            cursor.event = index.count
            return .blank(next: windowEnd)
        }
        if bytes[at] == 0x0A {
            cursor.event = event + 1
            return .blank(next: at + 1)
        }
        if bytes[at] != 0x5B { return broken(at) }
        at = skip(at + 1)
        if at < windowEnd, bytes[at] == 0x5D {
            at += 1
        } else {
            while true {
                guard at < windowEnd else { return .fault(.incomplete(openField: nil)) }
                var cell = Cell.absent
                switch value(bytes, at, &event, &cursor, &block, &cell) {
                case .plain(let end): at = end
                case .decoded(let end):
                    if count < block.width || block.width == 0 { block.decodedCells.append(block.cells.count) }
                    at = end
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
            guard isLast(bytes, start, isFinal) else { return .fault(.incomplete(openField: nil)) }
            cursor.event = index.count
            next = windowEnd
        } else {
            guard bytes[at] == 0x0A else { return broken(at) }
            cursor.event = event + 1
            next = at + 1
        }
        if block.width > 0, count != block.width {
            return .fault(.malformed(count > block.width ? .extraCell : .missingCell, at: start))
        }
        return .record(end: end, next: next)
    }

    /// Why a string is none: a TAB or CR in it, or an escape that is no character.
    private func faultCode(_ bytes: Span<UInt8>, _ range: Range<Int>) -> FindingCode {
        for at in range where bytes[at] < 0x20 { return .controlCharacter }
        return .malformedJSON
    }

    /// Whether a key is one of the dialect's `itemKeys`.
    private func isListed(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, _ isEscaped: Bool) -> Bool {
        var key: [UInt8] = []
        if isEscaped {
            // A bad escape is found below, whatever it is a key of.
            if !decodeJSONString(bytes, start..<end, into: &key) { return true }
        } else {
            for at in start..<end { key.append(bytes[at]) }
        }
        return itemKeys.contains(key)
    }
}
