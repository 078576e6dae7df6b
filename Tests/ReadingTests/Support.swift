import Foundation
import Reading
import Tabular

/// Bytes for a failure message.
func shown(_ bytes: [UInt8]) -> String {
    String(
        bytes.prefix(300).map { $0 >= 0x20 && $0 < 0x7F ? String(UnicodeScalar($0)) : "\\x" + String($0, radix: 16) }
            .joined())
}

extension ReadingPlan {
    static func csv(
        width: Int, engine: CSVEngine = .structural, limits: ScanLimits = ScanLimits(), delimiter: UInt8 = 0x2C
    ) -> ReadingPlan {
        var plan = ReadingPlan(
            format: .csv, fieldNames: (0..<width).map { "f\($0)" }, engine: engine, limits: limits)
        plan.dialect.delimiter = delimiter
        return plan
    }

    static func json(_ names: [String], rejects: Bool = false, limits: ScanLimits = ScanLimits()) -> ReadingPlan {
        ReadingPlan(
            format: .jsonl, fieldNames: names, rejectsUnknown: rejects, notesUnknown: !rejects, limits: limits)
    }

    var layout: Layout {
        Layout(
            format: format, columns: fieldNames, fieldOfColumn: Array(fieldNames.indices),
            columnOfField: Array(fieldNames.indices), header: [])
    }
}

extension SourceSlice {
    /// A whole source as one slice.
    init(whole bytes: [UInt8]) {
        self.init(ordinal: 0, offset: 0, length: UInt64(bytes.count), firstRow: 1, rowCount: 0, bytes: bytes)
    }
}

/// All batches of a slice.
func batches(_ slice: SourceSlice, _ plan: ReadingPlan) -> [RowBlock] {
    var reader = SliceReader(slice, layout: plan.layout, plan: plan)
    var all: [RowBlock] = []
    while let batch = reader.next() { all.append(batch) }
    return all
}

/// The rows of a batch, in offsets of the source.
func seen(_ batch: RowBlock) -> [SeenRow] {
    let base = Int(batch.baseOffset)
    return batch.records.enumerated().map { index, record in
        let (start, end) = (base + Int(record.start), base + Int(record.end))
        guard batch.isWellFormed[index] else { return SeenRow(start: start, end: end, cells: nil) }
        let cells = batch.cells[index * batch.width..<(index + 1) * batch.width].map { cell in
            cell.kind == .absent
                ? SeenCell(value: [], isQuoted: false, rawStart: 0, rawEnd: 0)
                : SeenCell(
                    value: Array(batch.bytes[cell.range]), isQuoted: cell.isQuoted, rawStart: base + Int(cell.rawStart),
                    rawEnd: base + cell.rawEnd)
        }
        return SeenRow(start: start, end: end, cells: cells)
    }
}

/// The rows that the reader makes from a whole source.
func read(_ bytes: [UInt8], _ plan: ReadingPlan) -> [SeenRow] {
    batches(SourceSlice(whole: bytes), plan).flatMap(seen)
}

/// Ingestion's slice cutter over bytes in memory: fill, cut, carry over; a row beyond the limit is skipped to its line
/// end.
func cut(_ source: [UInt8], _ plan: ReadingPlan, sliceBytes: Int) -> [SourceSlice] {
    var slicer = Slicer(plan)
    var slices: [SourceSlice] = []
    var (carryStart, readOffset, row) = (0, 0, 1)
    var isAtEnd = false
    var wanted = sliceBytes
    let lineEnd = plan.dialect.lineTerminator ?? 0x0A
    func slice(_ length: Int, rows: Int, isOverlong: Bool) -> SourceSlice {
        var made = SourceSlice(
            ordinal: slices.count, offset: UInt64(carryStart), length: UInt64(length), firstRow: row, rowCount: rows,
            bytes: Array(source[carryStart..<carryStart + (isOverlong ? min(length, 65_536) : length)]))
        made.isOverlong = isOverlong
        return made
    }
    while true {
        // The end of a file shows only in a short read.
        if !isAtEnd, readOffset - carryStart < wanted {
            let end = carryStart + wanted
            isAtEnd = end > source.count
            readOffset = min(end, source.count)
        }
        if readOffset == carryStart { return slices }
        let cut = slicer.cut(source[carryStart..<readOffset].span, isFinal: isAtEnd)
        if cut.end == 0 {
            if cut.isOverlong {
                var end = readOffset
                while end < source.count, source[end] != lineEnd { end += 1 }
                let found = end < source.count
                if found { end += 1 } else { isAtEnd = true }
                slices.append(slice(end - carryStart, rows: 1, isOverlong: true))
                row += 1
                // The cutter reads a large buffer to find the line end, so the following bytes are available already.
                (carryStart, readOffset, wanted) = (end, end, sliceBytes)
                continue
            }
            if isAtEnd { return slices }
            wanted = (readOffset - carryStart) * 2
            continue
        }
        if cut.rows > 0 {
            slices.append(slice(cut.end, rows: cut.rows, isOverlong: false))
            row += cut.rows
        }
        carryStart += cut.end
        wanted = sliceBytes
    }
}

/// How the rows of the slices differ from those of the source in one piece; nil if they do not.
func slicingFault(_ source: [UInt8], _ plan: ReadingPlan, sliceBytes: Int, whole: [SeenRow]) -> String? {
    var rows: [SeenRow] = []
    for slice in cut(source, plan, sliceBytes: sliceBytes) {
        if slice.firstRow != rows.count + 1 { return "slice \(slice.ordinal) starts at row \(slice.firstRow)" }
        let part = batches(slice, plan).flatMap(seen)
        if part.count != slice.rowCount {
            return "slice \(slice.ordinal) was cut with \(slice.rowCount) rows and read with \(part.count)"
        }
        rows += part
    }
    // In one piece, a bad row ends at its line end; if it was skipped, at the end of its slice.
    let plain = { (rows: [SeenRow]) in rows.map { $0.cells == nil ? SeenRow(start: $0.start, end: 0, cells: nil) : $0 }
    }
    return plain(rows) == plain(whole) ? nil : "slices: \(rows)\nwhole:  \(whole)"
}
