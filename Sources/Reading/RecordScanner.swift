import Tabular

/// Limits a scanner keeps to.
package struct ScanLimits: Sendable, Equatable {
    /// Bytes of one row; a longer row is one finding.
    package var maxRowBytes: Int
    /// Bytes of one cell's value; a row with a longer one is one finding. A contract sets it; reading without a
    /// contract has no such limit.
    package var maxCellBytes = Int.max
    /// Depth of nested JSON.
    package var maxDepth: Int
    /// Rows of one block.
    package var blockRows: Int
    /// Bytes of one block, give or take a row.
    package var blockBytes: Int

    /// Limits that bound what a hostile row can cost: rows of 1 MiB, JSON of 64 levels. A block of 1 MiB fits a core's
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

/// Splits bytes into fields. It cannot fail: a record that it cannot split becomes one bad row, and it reads on.
package protocol RecordScanner: ~Copyable {
    /// Scans rows from `start`, which is the start of a record, into `block`, until the block is full.
    ///
    /// - Parameters:
    ///   - bytes: the bytes of a slice.
    ///   - isFinal: whether the last record may end without a line end.
    /// - Returns: the offset of the first record not scanned; equal to `start` when the record there is not complete.
    mutating func scan(_ bytes: Span<UInt8>, from start: Int, isFinal: Bool, into block: inout RecordBlock) -> Int
}

/// The offset of the first LF at or after `from`, or nil.
func nextLineFeed(_ bytes: Span<UInt8>, from: Int) -> Int? {
    var at = from
    let end = bytes.count
    while at < end {
        if bytes[at] == 0x0A { return at }
        at &+= 1
    }
    return nil
}
