package import Tabular

/// The start of a source: encoding mark, header, and what is wrong with them.
package struct SourceHead: Sendable {
    /// The columns, or nil when they cannot be matched to the contract.
    package var layout: Layout?
    /// Bytes before the first data record.
    package var length: Int
    /// What is wrong with the header; any of them refuses the file. `field` is the contract's field, or -1.
    package var findings: [Finding]
    /// Positions, from 1, of columns the contract does not have.
    package var unknown: [Int]
    /// Columns that are the contract's.
    package var matches: Int
}

/// A source that is not in the declared format at all.
package struct UnreadableSource: Error, Sendable {
    /// What it seems to be, and what to do.
    package let reason: String
}

/// Looks at the first bytes of a source.
///
/// - Parameters:
///   - bytes: the beginning of the file, at least the header record or `maxRowBytes` of it.
///   - isWhole: whether these are all bytes of the file.
/// - Returns: the head, or nil when more bytes are needed.
/// - Throws: `UnreadableSource` when the bytes are in another encoding or the header is no record.
package func readHead(
    _ bytes: Span<UInt8>, isWhole: Bool, plan: ReadingPlan
) throws(UnreadableSource) -> SourceHead? {
    if let found = foreignForm(bytes) {
        let reason =
            TextEncoding(name: found) == nil
            ? "the file is \(found); send CSV or JSON Lines"
            : "the file is \(found), and \(plan.coding.encoding.rawValue) is declared; if that is meant, say sluice.encoding: "
                + "\(found) in the contract or give --encoding \(found)"
        throw UnreadableSource(reason: reason)
    }
    let mark = bytes.count >= 3 && bytes[0] == 0xEF && bytes[1] == 0xBB && bytes[2] == 0xBF ? 3 : 0
    if plan.format == .jsonl {
        let layout = Layout(jsonMembers: plan.fieldNames)
        return SourceHead(layout: layout, length: mark, findings: [], unknown: [], matches: plan.fieldNames.count)
    }
    var limits = plan.limits
    limits.blockRows = 1
    var block = RecordBlock(base: mark, width: 0)
    var scanner = StructuralScanner(delimiter: plan.delimiter, limits: limits)
    let end = scanner.scan(bytes, from: mark, isFinal: isWhole, into: &block)
    if block.count == 0 {
        if isWhole { throw UnreadableSource(reason: "the file is empty: a CSV file needs at least a header") }
        return nil
    }
    if let problem = block.problems.first {
        throw UnreadableSource(
            reason: "the header is no readable CSV record (\(problem.code.rawValue)); is the file CSV, in UTF-8?")
    }
    let header = block.batch(
        bytes, end: end,
        layout: Layout(format: .csv, columns: [], fieldOfColumn: [], columnOfField: [], header: []), names: ())
    return match(header, length: end, plan)
}

extension RecordBlock {
    /// The decoded texts of the cells of a one-row block, and its source bytes with the line end.
    consuming func batch(_ bytes: Span<UInt8>, end: Int, layout: Layout, names: Void) -> (names: [String], raw: [UInt8])
    {
        var raw: [UInt8] = []
        for at in base..<end { raw.append(bytes[at]) }
        let isDecoded = Set(decodedCells)
        let texts = cells.enumerated().map { index, cell in
            let source = isDecoded.contains(index) ? decoded : raw
            return String(decoding: source[cell.range], as: UTF8.self)
        }
        // Blank lines above the header are not part of it.
        let start = records.first.map { Int($0.start) } ?? 0
        return (texts, Array(raw[start...]))
    }
}

private func match(_ header: (names: [String], raw: [UInt8]), length: Int, _ plan: ReadingPlan) -> SourceHead {
    var findings: [Finding] = []
    let columns = header.names
    var raw = header.raw
    if raw.last != 0x0A { raw.append(0x0A) }
    if Set(columns).count != columns.count { findings.append(Finding(.duplicateLabel, outcome: .rejected, row: 0)) }
    if columns.contains(where: \.isEmpty) { findings.append(Finding(.blankLabel, outcome: .rejected, row: 0)) }
    let fieldOf = Dictionary(
        plan.fieldNames.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    let fieldOfColumn = columns.map { fieldOf[$0] ?? -1 }
    var columnOfField = plan.fieldNames.map { _ in -1 }
    for (column, field) in fieldOfColumn.enumerated() where field >= 0 { columnOfField[field] = column }
    for (field, column) in columnOfField.enumerated() where column < 0 {
        findings.append(Finding(.missingLabel, outcome: .rejected, row: 0, field: field))
    }
    let unknown = fieldOfColumn.indices.filter { fieldOfColumn[$0] < 0 }.map { $0 + 1 }
    if plan.rejectsUnknown, !unknown.isEmpty {
        findings.append(Finding(.extraLabel, outcome: .rejected, row: 0))
    }
    let layout = Layout(
        format: .csv, columns: columns, fieldOfColumn: fieldOfColumn, columnOfField: columnOfField, header: raw)
    return SourceHead(
        layout: findings.isEmpty ? layout : nil, length: length, findings: findings, unknown: unknown,
        matches: columns.count - unknown.count)
}

/// The encoding or format that is not plain UTF-8, by its mark or by the pattern of NUL bytes.
private func foreignForm(_ bytes: Span<UInt8>) -> String? {
    guard bytes.count >= 4 else { return nil }
    let start = (bytes[0], bytes[1], bytes[2], bytes[3])
    switch start {
    case (0xFF, 0xFE, 0, 0): return "utf-32le"
    case (0, 0, 0xFE, 0xFF): return "utf-32be"
    case (0xFF, 0xFE, _, _): return "utf-16le"
    case (0xFE, 0xFF, _, _): return "utf-16be"
    case (0, 0, 0, 1...): return "utf-32be"
    case (0, 1..., 0, 1...): return "utf-16be"
    case (1..., 0, 0, 0): return "utf-32le"
    case (1..., 0, 1..., 0): return "utf-16le"
    case (0x1F, 0x8B, _, _): return "compressed twice"
    case (0x28, 0xB5, 0x2F, 0xFD): return "compressed twice"
    case (0x50, 0x4B, 3, 4): return "a zip archive or a spreadsheet"
    case (0x50, 0x41, 0x52, 0x31): return "a Parquet file"
    default: return nil
    }
}
