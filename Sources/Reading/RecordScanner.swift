import Tabular

/// Limits a scanner keeps to.
package struct ScanLimits: Sendable, Equatable {
    /// Bytes of one row; a longer row is one finding.
    package var maxRowBytes: Int
    /// Bytes of one cell's value; a row with a longer one is one finding. Contracts have a limit unless they raise it; what reads
    /// without a contract has none.
    package var maxCellBytes = Int.max
    /// Depth of nested JSON.
    package var maxDepth: Int
    /// Rows of one block.
    package var blockRows: Int
    /// Bytes of one block, give or take a row.
    package var blockBytes: Int

    /// The default limits of SECURITY.md 5, and a block that fits a core's second-level cache.
    package init(
        maxRowBytes: Int = 1_048_576, maxDepth: Int = 64, blockRows: Int = 2048, blockBytes: Int = 1 << 20
    ) {
        self.maxRowBytes = min(max(maxRowBytes, 1), 1 << 26)
        self.maxDepth = maxDepth
        self.blockRows = blockRows
        self.blockBytes = min(blockBytes, 1 << 26)
    }
}

/// Bytes to fields: mechanism only. It cannot fail; what it cannot split becomes one bad row, and it reads on.
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

/// How a walk over a window of records ended.
enum WalkEnd {
    /// The block is full or the window was used up at a record's start.
    case atRecord
    /// The record is not complete in the window; where the field begins whose quote was still open when the window ended.
    case incomplete(openField: Int?)
    /// The record breaks the grammar at an offset.
    case malformed(FindingCode, at: Int)
}

extension WalkEnd {
    /// Text behind a closing quote. When the field goes over a line end, it is its opening quote that was never closed: the
    /// quote that closed it opens another field, and the record ends with its own line.
    static func behindQuote(_ bytes: Span<UInt8>, field start: Int, closing: Int, lineEnd: UInt8 = 0x0A) -> WalkEnd {
        var at = start
        while at < closing, bytes[at] != lineEnd { at += 1 }
        return .malformed(at < closing ? .unclosedQuote : .strayQuote, at: start)
    }
}

/// What is done about a record that a walk did not complete; shared by the scanners of both formats.
enum Recovery {
    /// Look again with a window of at least so many bytes.
    case widen(Int)
    /// The record is bad and ends (line end excluded) here; the next one starts there.
    case bad(FindingCode, end: Int, next: Int)
    /// More bytes are needed.
    case needMore

    /// The choice for an incomplete CSV record at `position` of a window that ends at `windowEnd`.
    static func incomplete(
        _ bytes: Span<UInt8>, position: Int, windowEnd: Int, openField: Int?, isFinal: Bool, limits: ScanLimits
    ) -> Recovery {
        // An open quote swallows no more than its own line.
        incomplete(
            openField == nil ? .rowTooLong : .unclosedQuote, bytes, from: openField ?? windowEnd, position: position,
            windowEnd: windowEnd, isFinal: isFinal, limits: limits)
    }

    /// The choice for an incomplete record that, if it is bad, ends at the first line end at or after `from`.
    static func incomplete(
        _ code: FindingCode, _ bytes: Span<UInt8>, from: Int, position: Int, windowEnd: Int, isFinal: Bool,
        limits: ScanLimits
    ) -> Recovery {
        // The decision is made on exactly `maxRowBytes + 2` bytes, or at the end of the file, so that it does not
        // depend on how much the caller happened to have read.
        let available = windowEnd - position
        let decisive = limits.maxRowBytes + 2
        if available < decisive {
            if windowEnd < bytes.count { return .widen(min(available * 2, decisive)) }
            if !isFinal { return .needMore }
        }
        // Past the row limit, or the file ends inside the record.
        return bad(code, bytes, from: from, position: position, isFinal: isFinal, limits)
    }

    /// Ends a bad record at the first line end at or after `from`.
    static func bad(
        _ code: FindingCode, _ bytes: Span<UInt8>, from: Int, position: Int, isFinal: Bool, _ limits: ScanLimits
    ) -> Recovery {
        if let feed = nextLineFeed(bytes, from: from) {
            let end = feed > position && bytes[feed - 1] == 0x0D ? feed - 1 : feed
            return .bad(feed - position > limits.maxRowBytes ? .rowTooLong : code, end: end, next: feed + 1)
        }
        if isFinal { return .bad(code, end: bytes.count, next: bytes.count) }
        return .needMore
    }
}
