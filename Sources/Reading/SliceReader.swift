package import Tabular

/// Reads the blocks of one slice, in order.
package struct SliceReader: ~Copyable {
    private let slice: SourceSlice
    private let layout: Layout
    private let plan: ReadingPlan
    private var limits: ScanLimits
    private var scanner: AnyScanner
    private var position = 0
    /// Offset of `position` in the source.
    private var sourceOffset: UInt64
    private var row: Int

    /// A reader of `slice`.
    package init(_ slice: SourceSlice, layout: Layout, plan: ReadingPlan) {
        self.slice = slice
        self.layout = layout
        self.plan = plan
        row = slice.firstRow
        sourceOffset = slice.offset
        // With thousands of columns a block must not be larger than the slice that it comes from.
        limits = plan.limits
        limits.blockRows = max(1, min(limits.blockRows, Self.blockCells / max(1, layout.columns.count)))
        scanner = AnyScanner(plan, limits)
    }

    /// Cells of a block, to within one row; tables of up to 256 columns never reach it.
    private static let blockCells = 1 << 19

    /// The next block; nil after the last.
    package mutating func next() -> RowBlock? {
        if position >= slice.bytes.count { return nil }
        if slice.isOverlong {
            position = slice.bytes.count
            let finding = Finding(
                .rowTooLong, outcome: .rejected, at: .row(slice.firstRow),
                bytes: slice.offset..<slice.offset + slice.length)
            let rows = RowBlock.Rows(
                cells: layout.columns.map { _ in .absent }, records: [RecordRange(start: 0, end: slice.bytes.count)],
                isWellFormed: [false], findings: [finding])
            return RowBlock(
                layout: layout, bytes: slice.bytes, rows: rows,
                origin: .init(firstRow: slice.firstRow, baseOffset: slice.offset))
        }
        let start = position
        let bytes = slice.bytes
        var block = RecordBlock(
            base: start, width: layout.columns.count, expecting: limits.blockRows,
            maxCellBytes: limits.maxCellBytes)
        position = scanner.scan(bytes.span, from: start, isFinal: true, into: &block)
        if layout.hasEmptyLast { block.requireEmptyLast() }
        precondition(position > start, "a scanner made no progress on a final slice")
        // Only blank lines.
        if block.count == 0 {
            sourceOffset += UInt64(plan.coding.encoding.sourceLength(of: bytes.span.extracting(start..<position)))
            return next()
        }
        let first = row
        row += block.count
        let offset = sourceOffset
        sourceOffset += UInt64(plan.coding.encoding.sourceLength(of: bytes.span.extracting(start..<position)))
        let remarks =
            plan.format == .csv
            ? block.remarks(bytes.span, end: position, firstRow: first, dialect: plan.dialect) : nil
        let place = SourcePlace(firstRow: first, offset: offset, encoding: plan.coding.encoding)
        var batch = block.batch(
            bytes.span, end: position, layout: layout, at: place,
            knowsExtras: plan.format == .jsonl && plan.notesUnknown)
        if let remarks { batch.remarks = remarks }
        return batch
    }
}
