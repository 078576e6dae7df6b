import Tabular

/// Scans JSON Lines by structural index: every line is one object, and SIMD finds its strings and its end.
///
/// A line feed always ends the record, whatever came before it, so that a broken line costs one row. Members become
/// cells in the order of the contract's fields; duplicate keys make a row bad, also when they differ only by escapes.
struct JSONLinesScanner: ~Copyable, WindowScanner {
    let names: JSONNames
    private let itemKeys: Set<[UInt8]>
    /// Whether rows are arrays, whose values are columns by position.
    private let hasArrays: Bool
    let rejectsUnknown: Bool
    let notesUnknown: Bool
    let limits: ScanLimits
    let skimmer: JSONSkimmer
    let defaultWindow: Int
    private(set) var index = StructuralIndex()
    private var cursor = JSONCursor()
    var window = 1 << 16
    var isFinal = false
    var resume: Int?
    /// The values inside nested members that become cells.
    let pointers: JSONPointers
    /// By name its node in `pointers`, or -1. Names after those of the fields are roots only.
    let rootOfName: [Int]
    /// Fields of the contract.
    let width: Int

    /// A scanner for the fields of a plan. Of the dialect only the settings for items apply.
    ///
    /// Members that the dialect's `itemKeys` do not list are noted as extras, whatever the plan says of unknown
    /// members.
    init(_ plan: ReadingPlan, limits: ScanLimits) {
        let (fields, paths, dialect) = (plan.fieldNames, plan.fieldPaths, plan.dialect)
        hasArrays = dialect.hasArrayItems
        itemKeys = dialect.hasArrayItems ? [] : Set(dialect.itemKeys.map { Array($0.utf8) })
        let pointers = JSONPointers(paths, rejectsUnknown: plan.rejectsUnknown, notesUnknown: plan.notesUnknown)
        // A field inside a member is no member itself; invalid UTF-8 stands for its name, which no key equals.
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
        rejectsUnknown = plan.rejectsUnknown
        notesUnknown = plan.notesUnknown
        self.limits = limits
        skimmer = JSONSkimmer(maxDepth: limits.maxDepth - 1)
        defaultWindow = min(1 << 16, limits.maxRowBytes + 2)
    }

    /// See `RecordScanner.scan`.
    mutating func scan(
        _ bytes: Span<UInt8>, from start: Int, isFinal: Bool, into block: inout RecordBlock
    ) -> Int {
        scanWindows(bytes, from: start, isFinal: isFinal, into: &block)
    }

    /// Lines that are not blank; see `WindowScanner`.
    func countRecords(_ bytes: Span<UInt8>, from: Int, to: Int) -> (rows: Int, end: Int) {
        StructuralIndex.countLines(bytes, from: from, to: to)
    }

    /// Walks records from `start` on, until one starts at or after `stop`.
    mutating func records(
        _ bytes: Span<UInt8>, from start: Int, until stop: Int, into block: inout RecordBlock
    ) -> Int {
        var position = start
        defer { resume = position < index.end ? position : nil }
        while position < bytes.count, block.count < limits.blockRows, position < stop {
            if position >= index.end { refill(bytes, position) }
            let (next, end) = walk(bytes, from: position, until: stop, into: &block)
            position = next
            let broken = BrokenRecord(
                start: position, windowEnd: index.end, isFinal: isFinal, maxRowBytes: limits.maxRowBytes)
            let recovery: Recovery
            switch end {
            case .atRecord: continue
            case .malformed(let code, _): recovery = broken.malformed(bytes, as: code, from: position)
            case .incomplete:
                if position > index.base, index.end < bytes.count {
                    refill(bytes, position)
                    continue
                }
                // A row always ends at its first line feed.
                recovery = broken.incomplete(bytes, as: .rowTooLong, from: position)
            }
            switch recovery {
            case .needMore: return position
            case .widen(let size):
                window = size
                refill(bytes, position)
            case .bad(let code, let recordEnd, let next):
                // At the end of the file an incomplete object is malformed.
                let isShort = recordEnd - position <= limits.maxRowBytes
                block.addBadRow(
                    from: position, to: recordEnd, as: code == .rowTooLong && isShort ? .malformedJSON : code)
                position = next
                // After a fault the index no longer knows which quotes open a string.
                if position >= index.end {
                    refill(bytes, position)
                } else {
                    var event = cursor.place.event
                    while event < index.count, index.base + Int(index.positions[event]) < position { event += 1 }
                    cursor.place.event = event
                }
            }
        }
        return position
    }

    mutating func refill(_ bytes: Span<UInt8>, _ position: Int) {
        let end = min(position + window, bytes.count)
        index.indexJSON(bytes, from: min(position, end), to: end)
        cursor.restart()
        window = defaultWindow
    }

    /// Walks the complete records of the window.
    ///
    /// - Returns: the next record, and why the walk stopped.
    private mutating func walk(
        _ bytes: Span<UInt8>, from start: Int, until stop: Int, into block: inout RecordBlock
    ) -> (next: Int, end: WalkEnd) {
        var position = start
        var fault: WalkEnd?
        var cursor = JSONCursor()
        swap(&cursor, &self.cursor)
        defer { swap(&cursor, &self.cursor) }
        while position < index.end, position < stop, block.count < limits.blockRows {
            let before = cursor.place
            let mark = block.mark
            let outcome =
                !block.keepsCells
                ? cursor.line(bytes, at: position, by: self)
                : hasArrays
                    ? cursor.array(bytes, at: position, by: self, into: &block)
                    : cursor.object(bytes, at: position, by: self, into: &block)
            switch outcome {
            case .blank(let next):
                block.roll(back: mark)
                position = next
            case .record(let end, let next):
                if block.keepsCells, let code = complaint(bytes, position, end) {
                    block.roll(back: mark)
                    block.addBadRow(from: position, to: end, as: code)
                } else {
                    block.endRow(from: position, to: end)
                }
                position = next
            case .fault(let end):
                block.roll(back: mark)
                cursor.place = before
                fault = end
            }
            if fault != nil { break }
        }
        return (position, fault ?? .atRecord)
    }

    /// Whether the line at `start` ends with the file. A line beyond the row limit does not: it is decided by its
    /// beginning, independently of how much was read.
    @inline(__always)
    func isLast(_ bytes: Span<UInt8>, _ start: Int) -> Bool {
        index.end == bytes.count && isFinal && index.end - start < limits.maxRowBytes + 2
    }

    private func complaint(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> FindingCode? {
        if end - start > limits.maxRowBytes { return .rowTooLong }
        if index.hasControl(in: start..<end) { return .controlCharacter }
        if index.firstInvalidUTF8(bytes, in: start..<end) != nil { return .encodingError }
        return nil
    }

    /// Whether a key is one of the dialect's `itemKeys`; always true without any.
    func isListed(_ bytes: Span<UInt8>, key range: Range<Int>, isEscaped: Bool) -> Bool {
        if itemKeys.isEmpty { return true }
        var key: [UInt8] = []
        if isEscaped {
            // The caller reports the invalid escape.
            if !decodeJSONString(bytes, range, into: &key) { return true }
        } else {
            for at in range { key.append(bytes[at]) }
        }
        return itemKeys.contains(key)
    }
}
