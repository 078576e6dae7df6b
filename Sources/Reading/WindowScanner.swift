import Tabular

/// A scanner that finds the marks of a window of bytes with SIMD, then walks only those.
protocol WindowScanner: RecordScanner, ~Copyable {
    var limits: ScanLimits { get }
    /// Whether the bytes of the scan at hand end with the file.
    var isFinal: Bool { get set }
    /// Bytes of a window, where no row needs a wider one.
    var defaultWindow: Int { get }
    /// Bytes of the next window.
    var window: Int { get set }
    /// Where the last block of the same bytes ended inside the window, so that the next one need not look again.
    var resume: Int? { get set }

    /// Finds the marks of the window that begins at `position`.
    mutating func refill(_ bytes: Span<UInt8>, _ position: Int)
    /// Walks records from `start` on, until one starts at or after `stop`.
    mutating func records(_ bytes: Span<UInt8>, from start: Int, until stop: Int, into block: inout RecordBlock) -> Int
    /// Records that end in `bytes[from..<to]`, and the offset past the last one; (0, from) where they must be walked.
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

    /// Only the ends of records, for cutting slices: a window of ordinary ones is counted, any other one is walked.
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
