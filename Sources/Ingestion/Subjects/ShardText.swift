import Reading
import Storage
import Tabular

/// The text of an accepted shard, row by row.
struct ShardText {
    /// A row: its bytes, up to the row after, and the value of its subject's column as bytes of the shard.
    struct Row {
        let bytes: Range<Int>
        let subject: [UInt8]?
    }

    let rows: [Row]

    /// Reads a shard.
    ///
    /// - Parameters:
    ///   - text: the whole shard.
    ///   - form: how it is written.
    ///   - path: where it is, for messages.
    /// - Throws: `damaged` when it is not in that form.
    init(_ text: [UInt8], _ form: ShardForm, calling path: String) throws(IngestionError) {
        var plan = ReadingPlan(
            format: form.format, fieldNames: form.hasNamedSubject ? [form.path[0]] : [], rejectsUnknown: false)
        plan.limits = ScanLimits(maxRowBytes: 1 << 26, maxDepth: 1 << 10)
        plan.optionalFields = [0]
        plan.dialect.delimiter = form.delimiter
        if form.headerCount == 0 { plan.dialect.headerRows = [] }
        if form.format == .jsonl, form.path.count > 1 { plan.fieldPaths = [form.path] }
        var head = try Self.head(of: text, plan, path)
        if head.layout == nil {
            // The column was dropped.
            plan.fieldNames = []
            plan.optionalFields = []
            head = try Self.head(of: text, plan, path)
        }
        guard let layout = head.layout else {
            throw IngestionError(.damaged, "\(path): it is not in the form that the ledger records")
        }
        let column = layout.columnOfField.first ?? nil
        let slice = SourceSlice(
            ordinal: 0, offset: UInt64(head.length), length: UInt64(text.count - head.length), firstRow: 1,
            rowCount: 0, bytes: Array(text[head.length...]))
        var blocks = SliceReader(slice, layout: layout, plan: plan)
        var found: [(start: Int, subject: [UInt8]?)] = []
        while let block = blocks.next() {
            for row in 0..<block.count {
                var subject: [UInt8]?
                if let column, block.isWellFormed[row] {
                    let cell = block.cells[row * block.width + column]
                    if !cell.isNothing { subject = Array(block.bytes[cell.range]) }
                }
                found.append((Int(block.sourceRange(of: row).lowerBound), subject))
            }
        }
        rows = found.indices.map { index in
            Row(
                bytes: found[index].start..<(index + 1 < found.count ? found[index + 1].start : text.count),
                subject: found[index].subject)
        }
    }
}

extension ShardText {
    private static func head(
        of text: [UInt8], _ plan: ReadingPlan, _ path: String
    ) throws(IngestionError) -> SourceHead {
        do throws(UnreadableSource) {
            if let head = try readHead(text.span, isWhole: true, plan: plan) { return head }
        } catch {
            throw IngestionError(.damaged, "\(path): it is not in the form that the ledger records: \(error.reason)")
        }
        throw IngestionError(.damaged, "\(path): it is not in the form that the ledger records")
    }
}

extension ShardForm {
    /// Whether a shard in this form names the column of the subject, so that its value can be found there.
    var hasNamedSubject: Bool { !path.isEmpty && (format == .jsonl || headerCount > 0) }
}

extension [UInt8] {
    /// The bytes without these ranges, which ascend and do not overlap.
    func without(_ ranges: [Range<Int>]) -> [UInt8] {
        var (out, at): ([UInt8], Int) = ([], 0)
        out.reserveCapacity(count)
        for range in ranges {
            out += self[at..<range.lowerBound]
            at = range.upperBound
        }
        return out + self[at...]
    }
}
