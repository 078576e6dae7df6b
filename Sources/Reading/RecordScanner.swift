import Tabular

/// The limits of a scanner.
package struct ScanLimits: Sendable, Equatable {
    /// Most bytes of a row; a longer one is a single finding.
    package var maxRowBytes: Int
    /// Most bytes of a value; a row with a longer one is a single finding. A contract sets the limit; without one there
    /// is none.
    package var maxCellBytes = Int.max
    /// Depth of nested JSON.
    package var maxDepth: Int
    /// Most rows of a block.
    package var blockRows: Int
    /// Bytes of a block, to within one row.
    package var blockBytes: Int

    /// Limits that bound the cost of a hostile row: 1 MiB a row, 64 levels of JSON. A block of 1 MiB fits a core's
    /// second-level cache.
    package init(
        maxRowBytes: Int = 1_048_576, maxDepth: Int = 64, blockRows: Int = 2048, blockBytes: Int = 1 << 20
    ) {
        self.maxRowBytes = min(max(maxRowBytes, 1), 1 << 26)
        self.maxDepth = maxDepth
        self.blockRows = blockRows
        self.blockBytes = min(blockBytes, 1 << 26)
    }
}

/// Splits bytes into cells. It never fails: a record that it cannot split becomes one bad row.
package protocol RecordScanner: ~Copyable {
    /// Scans rows into a block until it is full.
    ///
    /// - Parameters:
    ///   - bytes: the bytes of a slice.
    ///   - start: where a record begins.
    ///   - isFinal: whether the last record may end without a line end.
    ///   - block: gets the rows.
    /// - Returns: the offset of the first record that was not scanned; `start` when that one is incomplete.
    mutating func scan(_ bytes: Span<UInt8>, from start: Int, isFinal: Bool, into block: inout RecordBlock) -> Int
}

/// The offset of the first LF at or after `from`; nil when there is none.
func nextLineFeed(_ bytes: Span<UInt8>, from: Int) -> Int? {
    var at = from
    let end = bytes.count
    while at < end {
        if bytes[at] == 0x0A { return at }
        at &+= 1
    }
    return nil
}
