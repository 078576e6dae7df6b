package import Tabular

/// The beginning of a source: byte order mark, header, layout, and findings about them.
package struct SourceHead: Sendable {
    /// The layout; nil when the columns cannot be matched to the contract.
    package var layout: Layout?
    /// Bytes before the first data record.
    package var length: Int
    /// Findings about the header; one that quarantines or rejects refuses the file. `field` is the contract's field, or
    /// -1.
    package var findings: [Finding]
    /// Positions, from 1, of columns the contract does not have.
    package var unknown: [Int]
    /// Number of columns that the contract names.
    package var matches: Int
    /// The labels of the unknown columns, in that order.
    package var unknownLabels: [String] = []
    /// Columns, from 0, that are not named by their label, because it is blank or repeated.
    package var unlabelled: Set<Int> = []
    /// Whether the last column has no label.
    package var lastIsBlank = false
}

/// A source that is not in the declared format at all.
package struct UnreadableSource: Error, Sendable {
    /// What the file seems to be, and the remedy.
    package let reason: String
}

/// Reads the head of a source.
///
/// - Parameters:
///   - bytes: the beginning of the file: at least the header, or `maxRowBytes` of it.
///   - isWhole: whether these are all bytes of the file.
///   - plan: how the source is read.
/// - Returns: the head; nil when more bytes are needed.
/// - Throws: `UnreadableSource` when the bytes are in another encoding, or the header is no record.
package func readHead(
    _ bytes: Span<UInt8>, isWhole: Bool, plan: ReadingPlan
) throws(UnreadableSource) -> SourceHead? {
    let mark = try textStart(bytes, plan.coding)
    if let reason = unreadableText(bytes, from: mark, plan) { throw UnreadableSource(reason: reason) }
    if plan.format == .jsonl, !plan.dialect.hasArrayItems {
        let layout = Layout(jsonMembers: plan.fieldNames)
        return SourceHead(layout: layout, length: mark, findings: [], unknown: [], matches: plan.fieldNames.count)
    }
    var limits = plan.limits
    let leading = plan.dialect.leadingRows
    // Without a header the first data row only shows the number of columns.
    limits.blockRows = max(leading, 1)
    var block = RecordBlock(base: mark, width: 0)
    var scanner = AnyScanner(plan, limits)
    var end = mark
    // A block also ends after a number of bytes, which may all be blank lines.
    while block.count < limits.blockRows, end < bytes.count {
        let next = scanner.scan(bytes, from: end, isFinal: isWhole, into: &block)
        if next == end { break }
        end = next
    }
    if block.count < limits.blockRows, !isWhole { return nil }
    if block.count == 0, plan.format == .jsonl, !plan.fieldNames.isEmpty {
        // An empty list: only the contract names columns.
        return try headless(block, [], length: end, plan)
    }
    if block.count < limits.blockRows {
        let rows = limits.blockRows == 1 ? "a header" : "\(limits.blockRows) rows before the data"
        throw UnreadableSource(
            reason: block.count == 0
                ? "the file is empty: it needs at least a header" : "the file has fewer than \(rows)"
        )
    }
    if let problem = block.problems.first(where: { plan.dialect.headerRows.contains($0.row + 1) }) {
        throw UnreadableSource(
            reason: plan.format == .jsonl
                ? "cannot read the first item as an array of names (\(problem.code.rawValue)); check that the items are arrays, "
                    + "as the dialect says"
                : "cannot read the header as CSV (\(problem.code.rawValue)); check that the file is CSV, in "
                    + "\(plan.coding.encoding.rawValue)")
    }
    let rows = block.texts(bytes)
    if plan.dialect.headerRows.isEmpty {
        return try headless(block, rows, length: leading > 0 ? end : mark, plan)
    }
    if plan.format == .jsonl, block.cells.contains(where: { $0.kind != .quoted }) {
        throw UnreadableSource(
            reason:
                "the first item names the columns, and not all of its values are texts; if it is a record, write header: false "
                + "and itemKeys in the dialect")
    }
    let names = join(plan.dialect.headerRows.map { rows[$0 - 1] }, plan.dialect.headerJoin)
    // Blank lines above the header do not belong to it.
    let first = mark + (block.records.first.map { Int($0.start) } ?? 0)
    let isVerbatim = plan.format == .csv && plan.dialect.isVerbatim && leading == 1
    if names.isEmpty { throw UnreadableSource(reason: "the header names no column") }
    let raw = isVerbatim ? (first..<end).map { bytes[$0] } : nil
    return ColumnMatching(names, plan).head(raw: raw, length: end)
}

/// Names from several header rows: their parts in order, without empty ones and repetitions.
private func join(_ rows: [[String]], _ separator: String) -> [String] {
    (0..<(rows.map(\.count).max() ?? 0)).map { column in
        var parts: [String] = []
        for row in rows where column < row.count && !row[column].isEmpty && parts.last != row[column] {
            parts.append(row[column])
        }
        return parts.joined(separator: separator)
    }
}

/// The head of a file without a header: the columns are the contract's fields in order or, without a contract, as many
/// as there are.
///
/// - Parameters:
///   - block: the scanned rows.
///   - rows: their texts.
///   - length: bytes before the first data row.
///   - plan: how the source is read.
private func headless(
    _ block: RecordBlock, _ rows: [[String]], length: Int, _ plan: ReadingPlan
) throws(UnreadableSource) -> SourceHead {
    var names = plan.fieldNames
    if plan.format == .jsonl, !plan.dialect.itemKeys.isEmpty {
        return ColumnMatching(plan.dialect.itemKeys, plan).head(raw: nil, length: length)
    }
    if names.isEmpty { names = (rows.last ?? []).indices.map { "field\($0 + 1)" } }
    if names.isEmpty {
        let code = block.problems.last.map { " (\($0.code.rawValue))" } ?? ""
        throw UnreadableSource(
            reason:
                "its first row tells no columns\(code), and neither does a contract; correct the row, or write a contract"
        )
    }
    if plan.format == .csv, !plan.places.isEmpty { return try placed(rows.last ?? [], length: length, plan) }
    let layout = Layout(
        format: plan.format, columns: names, fieldOfColumn: names.indices.map { plan.fieldNames.isEmpty ? nil : $0 },
        columnOfField: Array(plan.fieldNames.indices), header: headerRecord(names, plan))
    return SourceHead(
        layout: layout, length: length, findings: [],
        unknown: plan.fieldNames.isEmpty ? names.indices.map { $0 + 1 } : [], matches: plan.fieldNames.count)
}

/// The head of such a file under a contract that names positions: other fields take the remaining columns, in order.
private func placed(_ first: [String], length: Int, _ plan: ReadingPlan) throws(UnreadableSource) -> SourceHead {
    var places = plan.places
    if places.hasTrailingDelimiter, first.count > 1 { places.dropped.insert(first.count) }
    var labels = first.indices.map { "column \($0 + 1)" }
    let taken = places.dropped.union(places.ofFields.compactMap(\.self))
    var free = labels.indices.filter { !taken.contains($0 + 1) }[...]
    for (field, name) in plan.fieldNames.enumerated() {
        guard let place = plan.places.place(field) ?? free.popFirst() else { break }
        if labels.indices.contains(place) { labels[place] = name }
    }
    var placed = plan
    placed.places = places
    var head = ColumnMatching(labels, placed).head(raw: nil, length: length)
    head.layout?.hasEmptyLast = plan.places.hasTrailingDelimiter && first.count > 1
    return head
}

extension RecordBlock {
    /// The decoded texts of each row's cells, however many.
    fileprivate func texts(_ bytes: Span<UInt8>) -> [[String]] {
        let isDecoded = Set(decodedCells)
        var rows: [[String]] = []
        var next = 0
        for record in records {
            var row: [String] = []
            while next < cells.count, cells[next].rawEnd <= Int(record.end) {
                let cell = cells[next]
                var text: [UInt8] = []
                for at in cell.range { text.append(isDecoded.contains(next) ? decoded[at] : bytes[base + at]) }
                row.append(String(decoding: text, as: UTF8.self))
                next += 1
            }
            rows.append(row)
        }
        return rows
    }
}
