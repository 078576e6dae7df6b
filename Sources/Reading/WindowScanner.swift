import Tabular

/// A scanner that finds the structural bytes of a window with SIMD, and then visits only those.
protocol WindowScanner: RecordScanner, ~Copyable {
    var limits: ScanLimits { get }
    /// Whether the bytes of the current scan end with the file.
    var isFinal: Bool { get set }
    /// Bytes of a window, if no row needs a wider one.
    var defaultWindow: Int { get }
    /// Bytes of the next window.
    var window: Int { get set }
    /// Where the last block of the same bytes ended inside the window, so that the next one need not look again.
    var resume: Int? { get set }

    /// Indexes the window that begins at `position`.
    mutating func refill(_ bytes: Span<UInt8>, _ position: Int)
    /// Walks records from `start` on, until one starts at or after `stop`.
    mutating func records(_ bytes: Span<UInt8>, from start: Int, until stop: Int, into block: inout RecordBlock) -> Int
    /// Counts the records that end in `bytes[from..<to]`. Returns (0, from) if they must be walked, else the count and
    /// the offset past the last one.
    func countRecords(_ bytes: Span<UInt8>, from: Int, to: Int) -> (rows: Int, end: Int)
}

extension WindowScanner where Self: ~Copyable {
    /// Scans rows as the protocol says.
    mutating func scanWindows(
        _ bytes: Span<UInt8>, from start: Int, isFinal: Bool, into block: inout RecordBlock
    ) -> Int {
        self.isFinal = isFinal
        if !block.keepsCells, limits.blockRows == .max { return ends(bytes, from: start, into: &block) }
        if start != resume || start == 0 {
            window = defaultWindow
            refill(bytes, start)
        }
        return records(bytes, from: start, until: start + limits.blockBytes, into: &block)
    }

    /// Finds only the ends of records, for cutting slices: windows without faults are counted, others are walked.
    private mutating func ends(_ bytes: Span<UInt8>, from start: Int, into block: inout RecordBlock) -> Int {
        var position = start
        while position < bytes.count, position - start < limits.blockBytes {
            let stop = min(position + defaultWindow, bytes.count)
            let clean = countRecords(bytes, from: position, to: stop)
            if clean.end > position {
                block.addRows(clean.rows)
                position = clean.end
                continue
            }
            window = defaultWindow
            refill(bytes, position)
            let next = records(bytes, from: position, until: stop, into: &block)
            if next == position { break }
            position = next
        }
        resume = nil
        return position
    }
}
