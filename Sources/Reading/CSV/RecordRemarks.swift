import Tabular

extension RecordBlock {
    /// Remarks on a block of CSV: lines skipped between rows, and quoted values that contain rows.
    ///
    /// - Parameters:
    ///   - bytes: the scanned bytes.
    ///   - end: the offset past the block.
    ///   - firstRow: number of the block's first row.
    ///   - dialect: the dialect.
    func remarks(_ bytes: Span<UInt8>, end: Int, firstRow: Int, dialect: Dialect) -> RowRemarks {
        var remarks = RowRemarks()
        let lineEnd = dialect.lineTerminator ?? 0x0A
        func lines(_ range: Range<Int>) -> Int {
            var count = 0
            for at in range where bytes[at] == lineEnd { count += 1 }
            return count
        }
        var last = base
        for (row, record) in records.enumerated() {
            let start = base + Int(record.start)
            // A line end has at most two bytes, so nearly all rows take this exit.
            if start - last > (row == 0 ? 0 : 1) {
                let skipped = lines(last..<start) - (row == 0 ? 0 : 1)
                if skipped > 0 { remarks.skip(skipped, before: firstRow + row) }
            }
            last = base + Int(record.end)
        }
        if end - last > 1, !records.isEmpty {
            let skipped = lines(last..<end) - 1
            if skipped > 0 { remarks.skip(skipped, before: firstRow + count) }
        }
        if width > 1 { findSwallowed(bytes, firstRow: firstRow, dialect: dialect, into: &remarks) }
        return remarks
    }

    /// Finds quoted values whose inner lines have as many cells as a row: probably an earlier quote was not closed.
    private func findSwallowed(
        _ bytes: Span<UInt8>, firstRow: Int, dialect: Dialect, into remarks: inout RowRemarks
    ) {
        for (index, cell) in cells.enumerated() where cell.kind == .quoted {
            let raw = base + Int(cell.rawStart)..<base + Int(cell.rawEnd)
            guard raw.count > 2 * width else { continue }
            var (rows, marks, isInside) = (0, 0, false)
            var isTable = true
            for at in raw {
                if bytes[at] == 0x0A {
                    if isInside {
                        if marks != width - 1 { isTable = false }
                        rows += 1
                    }
                    (isInside, marks) = (true, 0)
                } else if bytes[at] == dialect.delimiter {
                    marks += 1
                }
            }
            if isTable, rows > 0 { remarks.swallow(rows, in: firstRow + index / width) }
        }
    }
}
