import CLibCSV
package import Tabular

/// A libcsv parser in strict mode that does not trim spaces; it is freed with its owner.
@safe struct LibCSVParser: ~Copyable {
    // Sound: libcsv keeps no pointer to the struct between calls, and `csv_free` runs once.
    private var parser = unsafe csv_parser()

    init(delimiter: UInt8, quote: UInt8, lineTerminator: UInt8? = nil) {
        unsafe csv_init(&parser, 0)
        unsafe csv_set_delim(&parser, delimiter)
        unsafe csv_set_quote(&parser, quote)
        unsafe csv_set_space_func(&parser) { _ in 0 }
        switch lineTerminator {
        case nil: break
        case 0x0D: unsafe csv_set_term_func(&parser) { $0 == 0x0D ? 1 : 0 }
        case 0x1E: unsafe csv_set_term_func(&parser) { $0 == 0x1E ? 1 : 0 }
        case 0x3B: unsafe csv_set_term_func(&parser) { $0 == 0x3B ? 1 : 0 }
        case 0x7C: unsafe csv_set_term_func(&parser) { $0 == 0x7C ? 1 : 0 }
        default: preconditionFailure("one of Dialect.terminatorsOfLibCSV")
        }
    }

    deinit {
        var parser = unsafe parser
        unsafe csv_free(&parser)
    }

    /// Parses `bytes[range]` and passes every field and row to `target`.
    ///
    /// - Parameters:
    ///   - bytes: the buffer.
    ///   - range: the part to parse.
    ///   - ends: whether the last row is flushed.
    ///   - target: receives fields and rows.
    mutating func feed<Target: LibCSVTarget>(
        _ bytes: Span<UInt8>, in range: Range<Int>, ends: Bool, into target: inout Target
    ) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
        // Sound: the callbacks run only inside these calls, while `target` is borrowed.
        unsafe withUnsafeMutablePointer(to: &target) { context in
            let onField: @convention(c) (UnsafeMutableRawPointer?, Int, UnsafeMutableRawPointer?) -> Void =
                unsafe Target.onField
            let onRow: @convention(c) (Int32, UnsafeMutableRawPointer?) -> Void = unsafe Target.onRow
            unsafe bytes.withUnsafeBufferPointer { source in
                if let start = source.baseAddress, !range.isEmpty {
                    _ = unsafe csv_parse(&parser, start + range.lowerBound, range.count, onField, onRow, context)
                }
            }
            if ends { _ = unsafe csv_fini(&parser, onField, onRow, context) }
        }
    }
}

/// Receives fields and rows from libcsv.
protocol LibCSVTarget {
    static var onField: @convention(c) (UnsafeMutableRawPointer?, Int, UnsafeMutableRawPointer?) -> Void { get }
    static var onRow: @convention(c) (Int32, UnsafeMutableRawPointer?) -> Void { get }
}

/// The fields of one row, as libcsv decoded them.
struct CollectedRow: LibCSVTarget {
    var bytes: [UInt8] = []
    var ends: [Int] = []
    var rows = 0

    static let onField: @convention(c) (UnsafeMutableRawPointer?, Int, UnsafeMutableRawPointer?) -> Void = {
        unsafe CollectedRow.add($0, $1, $2)
    }
    static let onRow: @convention(c) (Int32, UnsafeMutableRawPointer?) -> Void = { _, context in
        guard let row = unsafe context?.assumingMemoryBound(to: CollectedRow.self) else { return }
        unsafe row.pointee.rows += 1
    }

    private static func add(_ data: UnsafeMutableRawPointer?, _ length: Int, _ context: UnsafeMutableRawPointer?) {
        guard let row = unsafe context?.assumingMemoryBound(to: CollectedRow.self) else { return }
        if let data = unsafe data {
            unsafe row.pointee.bytes.append(contentsOf: UnsafeRawBufferPointer(start: data, count: length))
        }
        unsafe row.pointee.ends.append(row.pointee.bytes.count)
    }
}

/// Compares libcsv's fields with a block's cells as they arrive.
private struct Comparison: LibCSVTarget {
    let batch: RowBlock
    var row: Int
    var column = 0
    var differs = false

    static let onField: @convention(c) (UnsafeMutableRawPointer?, Int, UnsafeMutableRawPointer?) -> Void = {
        unsafe Comparison.compare($0, $1, $2)
    }
    static let onRow: @convention(c) (Int32, UnsafeMutableRawPointer?) -> Void = { _, context in
        guard let state = unsafe context?.assumingMemoryBound(to: Comparison.self) else { return }
        if unsafe state.pointee.differs { return }
        unsafe state.pointee.differs = state.pointee.column != state.pointee.batch.width
        unsafe state.pointee.column = 0
        unsafe state.pointee.row += state.pointee.differs ? 0 : 1
    }

    private static func compare(_ data: UnsafeMutableRawPointer?, _ length: Int, _ context: UnsafeMutableRawPointer?) {
        guard let state = unsafe context?.assumingMemoryBound(to: Comparison.self) else { return }
        unsafe state.pointee.check(UnsafeRawBufferPointer(start: data, count: data == nil ? 0 : length))
    }

    private mutating func check(_ field: UnsafeRawBufferPointer) {
        if differs { return }
        guard row < batch.count, column < batch.width else {
            differs = true
            return
        }
        let range = batch.cells[row * batch.width + column].range
        differs = range.count != field.count
        var offset = 0
        while !differs, offset < range.count {
            let byte = unsafe field[offset]
            differs = batch.bytes[range.lowerBound + offset] != byte
            offset += 1
        }
        column += 1
    }
}

/// Reads the well-formed rows of a CSV block again with libcsv, so that two independent readers agree on every cell.
///
/// A row that the scanner refused is no disagreement: the runs of well-formed rows between such rows are read
/// separately.
///
/// - Parameters:
///   - batch: the block.
///   - delimiter: the delimiter.
///   - quote: the quote character.
///   - lineTerminator: the line end; nil for LF and CRLF.
/// - Returns: the index of the first row on which the readers differ; nil when there is none.
package func rowWhereLibCSVDisagrees(
    _ batch: RowBlock, delimiter: UInt8, quote: UInt8 = 0x22, lineTerminator: UInt8? = nil
) -> Int? {
    var row = 0
    while row < batch.count {
        guard batch.isWellFormed[row] else {
            row += 1
            continue
        }
        var end = row
        while end < batch.count, batch.isWellFormed[end] { end += 1 }
        var parser = LibCSVParser(delimiter: delimiter, quote: quote, lineTerminator: lineTerminator)
        var comparison = Comparison(batch: batch, row: row)
        let range = Int(batch.records[row].start)..<Int(batch.records[end - 1].end)
        parser.feed(batch.bytes.span, in: range, ends: true, into: &comparison)
        if comparison.differs || comparison.row != end { return min(comparison.row, batch.count - 1) }
        row = end
    }
    return nil
}
