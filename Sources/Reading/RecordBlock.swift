package import Tabular

/// The place of a block in its source.
package struct SourcePlace: Sendable {
    /// Number of its first row, from 1.
    package var firstRow: Int
    /// Offset of its first byte.
    package var offset: UInt64
    /// The source's encoding, before it was decoded to UTF-8.
    package var encoding: TextEncoding

    /// A place in a source.
    package init(firstRow: Int, offset: UInt64, encoding: TextEncoding = .utf8) {
        self.firstRow = firstRow
        self.offset = offset
        self.encoding = encoding
    }
}

/// The rows found so far. A scanner fills it, and a `RowBlock` is made from it.
///
/// Cell offsets are relative to `base`. Decoded values are kept apart until the length of the block is known.
package struct RecordBlock: Sendable {
    /// Offset of the block's first byte in the scanned bytes.
    package let base: Int
    /// Cells a row.
    package let width: Int
    /// Whether cells are kept, or only the ends of records are wanted.
    package let keepsCells: Bool
    /// The range of each row, relative to `base`.
    package private(set) var records: [RecordRange] = []
    /// For each row, whether it could be split.
    package private(set) var isWellFormed: [Bool] = []
    /// Rows that could not be split, with the reason.
    package private(set) var problems: [(row: Int, code: FindingCode)] = []
    /// JSON members outside the contract: row and source text.
    package private(set) var extras: [RowBlock.Extra] = []
    /// Non-ASCII keys outside the contract, which may resemble one of its names.
    package private(set) var oddKeys: [RowBlock.Extra] = []
    /// Most bytes of a cell's value; a row with a longer one is bad.
    private let maxCellBytes: Int
    var cells: [Cell] = []
    var decoded: [UInt8] = []
    var decodedCells: [Int] = []
    private(set) var rowCount = 0

    /// An empty block.
    ///
    /// - Parameters:
    ///   - base: offset of its first byte.
    ///   - width: cells a row.
    ///   - keepsCells: whether cells are kept.
    ///   - rows: rows to reserve memory for.
    ///   - maxCellBytes: most bytes of a value.
    package init(
        base: Int, width: Int, keepsCells: Bool = true, expecting rows: Int = 0, maxCellBytes: Int = .max
    ) {
        self.maxCellBytes = maxCellBytes
        self.base = base
        self.width = width
        self.keepsCells = keepsCells
        if keepsCells {
            records.reserveCapacity(rows)
            isWellFormed.reserveCapacity(rows)
            cells.reserveCapacity(rows * width + width)
        }
    }

    /// Rows in the block.
    package var count: Int { rowCount }

    /// A state to return to when the current row turns out bad.
    struct Mark {
        var cells: Int
        var decoded: Int
        var decodedCells: Int
        var extras: Int
    }

    var mark: Mark {
        Mark(cells: cells.count, decoded: decoded.count, decodedCells: decodedCells.count, extras: extras.count)
    }

    mutating func roll(back mark: Mark) {
        if cells.count > mark.cells { cells.removeLast(cells.count - mark.cells) }
        if decoded.count > mark.decoded { decoded.removeLast(decoded.count - mark.decoded) }
        if decodedCells.count > mark.decodedCells { decodedCells.removeLast(decodedCells.count - mark.decodedCells) }
        if extras.count > mark.extras { extras.removeLast(extras.count - mark.extras) }
    }

    /// Ends a row whose cells were appended.
    mutating func endRow(from start: Int, to end: Int) {
        if keepsCells {
            // Only a row longer than the limit can contain such a value.
            if end - start > maxCellBytes, cells.suffix(width).contains(where: { $0.range.count > maxCellBytes }) {
                let first = cells.count - width
                roll(
                    back: Mark(
                        cells: first, decoded: decoded.count,
                        decodedCells: decodedCells.firstIndex { $0 >= first } ?? decodedCells.count,
                        extras: extras.firstIndex { $0.row == rowCount } ?? extras.count))
                return addBadRow(from: start, to: end, as: .cellTooLong)
            }
            records.append(RecordRange(start: start - base, end: end - base))
            isWellFormed.append(true)
        }
        rowCount += 1
    }

    /// Adds rows without cells.
    mutating func addRows(_ rows: Int) {
        precondition(!keepsCells, "a block of cells is filled row by row")
        rowCount += rows
    }

    /// Adds a row that could not be split.
    mutating func addBadRow(from start: Int, to end: Int, as code: FindingCode) {
        while oddKeys.last?.row == rowCount { oddKeys.removeLast() }
        problems.append((rowCount, code))
        rowCount += 1
        if keepsCells {
            records.append(RecordRange(start: start - base, end: end - base))
            isWellFormed.append(false)
            for _ in 0..<width { cells.append(.absent) }
        }
    }

    /// Makes rows bad that have a value in the surplus last column, in files whose rows end with a delimiter.
    mutating func requireEmptyLast() {
        guard width > 0 else { return }
        for row in 0..<rowCount where isWellFormed[row] && !cells[row * width + width - 1].range.isEmpty {
            isWellFormed[row] = false
            problems.append((row, .extraCell))
            for cell in row * width..<(row + 1) * width { cells[cell] = .absent }
        }
        problems.sort { $0.row < $1.row }
    }

    /// Notes a member outside the contract.
    ///
    /// - Parameters:
    ///   - start: where it begins.
    ///   - end: where it ends.
    ///   - isLeftOut: whether the dialect excludes it.
    mutating func addExtra(from start: Int, to end: Int, isLeftOut: Bool = false) {
        extras.append(RowBlock.Extra(row: rowCount, start: start - base, end: end - base, isLeftOut: isLeftOut))
    }

    /// Notes a key with its quotes.
    mutating func addOddKey(from start: Int, to end: Int) {
        oddKeys.append(RowBlock.Extra(row: rowCount, start: start - base, end: end - base))
    }

    /// The finished block.
    ///
    /// - Parameters:
    ///   - bytes: the scanned bytes.
    ///   - end: the offset past the block's last line end in `bytes`.
    ///   - layout: the columns.
    ///   - place: where the block begins in its source.
    ///   - knowsExtras: whether members outside the contract were noted.
    package consuming func batch(
        _ bytes: Span<UInt8>, end: Int, layout: Layout, at place: SourcePlace, knowsExtras: Bool = false
    ) -> RowBlock {
        let firstRow = place.firstRow, sourceOffset = place.offset
        let length = end - base
        var owned = [UInt8](capacity: length + decoded.count) { out in
            for at in base..<end { out.append(bytes[at]) }
        }
        owned.append(contentsOf: decoded)
        for index in decodedCells {
            cells[index].start += UInt32(length)
            cells[index].end += UInt32(length)
        }
        let places = place.encoding == .utf8 ? nil : sourceRanges(bytes, from: place)
        let isCSV = layout.format == .csv
        let findings = problems.flatMap { problem in
            let record = records[problem.row]
            let range =
                places?[problem.row] ?? sourceOffset + UInt64(record.start)..<sourceOffset + UInt64(record.end)
            // Other faults of the row's bytes are reported too, so that they can be corrected together.
            let others = isCSV ? faults(bytes, record).filter { $0 != problem.code } : []
            return ([problem.code] + others).map { code in
                Finding(code, outcome: .rejected, at: .row(firstRow + problem.row), bytes: range)
            }
        }
        return RowBlock(
            layout: layout, bytes: owned,
            rows: .init(cells: cells, records: records, isWellFormed: isWellFormed, findings: findings),
            origin: .init(firstRow: firstRow, baseOffset: sourceOffset, sourceRanges: places),
            unnamed: .init(extras: extras, oddKeys: oddKeys, knowsExtras: knowsExtras))
    }

    /// Faults of a row's bytes, whatever its cells. The separators 0x1C to 0x1F may be the delimiter.
    private func faults(_ bytes: Span<UInt8>, _ record: RecordRange) -> [FindingCode] {
        let range = base + Int(record.start)..<base + Int(record.end)
        var found: [FindingCode] = []
        if firstInvalidUTF8(bytes, range) != nil { found.append(.encodingError) }
        for at in range where bytes[at] < 0x1C && bytes[at] != 0x09 && bytes[at] != 0x0A && bytes[at] != 0x0D {
            return found + [.controlCharacter]
        }
        return found
    }

    /// The byte ranges of rows in a source of another encoding.
    private func sourceRanges(_ bytes: Span<UInt8>, from place: SourcePlace) -> [Range<UInt64>] {
        var (at, source) = (base, place.offset)
        return records.map { record in
            func advance(to next: Int) -> UInt64 {
                source += UInt64(place.encoding.sourceLength(of: bytes.extracting(at..<next)))
                at = next
                return source
            }
            let start = advance(to: base + Int(record.start))
            return start..<advance(to: base + Int(record.end))
        }
    }
}
