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
    /// The labels of the unknown columns, in that order.
    package var unknownLabels: [String] = []
    /// Columns, from 0, whose names are not their labels, as these are blank or another column's.
    package var unlabelled: Set<Int> = []
    /// Whether the last column has no label.
    package var lastIsBlank = false
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
    let mark = try textStart(bytes, plan.coding)
    if let reason = unreadableText(bytes, from: mark, plan) { throw UnreadableSource(reason: reason) }
    if plan.format == .jsonl, !plan.dialect.hasArrayItems {
        let layout = Layout(jsonMembers: plan.fieldNames)
        return SourceHead(layout: layout, length: mark, findings: [], unknown: [], matches: plan.fieldNames.count)
    }
    var limits = plan.limits
    let leading = plan.dialect.leadingRows
    // Without a header the first data row is only looked at, for how many columns there are.
    limits.blockRows = max(leading, 1)
    var block = RecordBlock(base: mark, width: 0)
    var scanner = AnyScanner(plan, limits)
    var end = mark
    // A block ends after so many bytes, though they may be blank lines.
    while block.count < limits.blockRows, end < bytes.count {
        let next = scanner.scan(bytes, from: end, isFinal: isWhole, into: &block)
        if next == end { break }
        end = next
    }
    if block.count < limits.blockRows, !isWhole { return nil }
    if block.count == 0, plan.format == .jsonl, !plan.fieldNames.isEmpty {
        // A list without records, whose columns nobody names.
        return try headless(block, [], length: end, plan)
    }
    if block.count < limits.blockRows {
        let rows = limits.blockRows == 1 ? "a header" : "\(limits.blockRows) rows before the data"
        throw UnreadableSource(
            reason: block.count == 0 ? "the file is empty: it needs at least a header" : "the file has not even \(rows)"
        )
    }
    if let problem = block.problems.first(where: { plan.dialect.headerRows.contains($0.row + 1) }) {
        throw UnreadableSource(
            reason: plan.format == .jsonl
                ? "the first item is no readable array of names (\(problem.code.rawValue)); are the items arrays, as the dialect says?"
                : "the header is no readable CSV record (\(problem.code.rawValue)); is the file CSV, in "
                    + "\(plan.coding.encoding.rawValue)?")
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
    // Blank lines above the header are not part of it.
    let first = mark + (block.records.first.map { Int($0.start) } ?? 0)
    let isVerbatim = plan.format == .csv && plan.dialect.isVerbatim && leading == 1
    if names.isEmpty { throw UnreadableSource(reason: "the header names no column") }
    return match(names, raw: isVerbatim ? (first..<end).map { bytes[$0] } : nil, length: end, plan)
}

/// Where the text of a source begins: behind the byte order mark, if there is one.
///
/// - Throws: when the bytes are in another encoding, or are no text.
package func textStart(_ bytes: Span<UInt8>, _ coding: SourceCoding) throws(UnreadableSource) -> Int {
    if let form = ForeignForm(bytes) { throw UnreadableSource(reason: form.reason) }
    if let found = foreignEncoding(bytes) {
        throw UnreadableSource(
            reason:
                "the file is \(found), and \(coding.encoding.rawValue) is declared; if that is meant, say sluice.encoding: "
                + "\(found) in the contract or give --encoding \(found)")
    }
    return TextEncoding(mark: bytes) == .utf8 ? 3 : 0
}

/// The encoding that a sample seems to be in, before decoding, and why. ISO 8859-1 reads like Windows-1252, which has more.
package func guessEncoding(_ bytes: Span<UInt8>) -> (encoding: TextEncoding, reason: String) {
    if let marked = TextEncoding(mark: bytes) { return (marked, "its byte order mark says so") }
    if let name = foreignEncoding(bytes), let encoding = TextEncoding(name: name) {
        return (encoding, "its NUL bytes stand as in that encoding")
    }
    // Letters of Windows-1252 stand beside letters; text of it that is UTF-8 by chance is one in hundreds.
    var (at, faults, letters, wide) = (0, 0, 0, 0)
    var first = 0
    func isLetter(_ place: Int) -> Bool {
        bytes.indices.contains(place) && (0x61...0x7A).contains(bytes[place] | 0x20)
    }
    // The sample may end inside a character.
    while at < bytes.count - 3 {
        if bytes[at] < 0x80 {
            at += 1
            continue
        }
        let length = bytes[at] >= 0xF0 ? 4 : bytes[at] >= 0xE0 ? 3 : 2
        if firstInvalidUTF8(bytes, at..<at + length) == nil {
            wide += 1
            at += length
            continue
        }
        if faults == 0 { first = at }
        faults += 1
        if bytes[at] >= 0xC0, isLetter(at - 1) || isLetter(at + 1) { letters += 1 }
        at += 1
    }
    if faults == 0 { return (.utf8, "all of the sample is valid in it") }
    if wide < faults, 2 * letters > faults {
        return (
            .windows1252,
            "\(faults) byte(s), the first at \(first), are no UTF-8 and stand like letters: check a name with an accent"
        )
    }
    return (.utf8, "\(faults) byte(s) of the sample, the first at \(first), are no UTF-8; they will cost their rows")
}

/// Names that several header rows make: their parts in order, without empty ones and repetitions.
private func join(_ rows: [[String]], _ separator: String) -> [String] {
    (0..<(rows.map(\.count).max() ?? 0)).map { column in
        var parts: [String] = []
        for row in rows where column < row.count && !row[column].isEmpty && parts.last != row[column] {
            parts.append(row[column])
        }
        return parts.joined(separator: separator)
    }
}

/// A file without a header: its columns are the contract's fields in order, or, without a contract, as many as there are.
private func headless(
    _ block: RecordBlock, _ rows: [[String]], length: Int, _ plan: ReadingPlan
) throws(UnreadableSource) -> SourceHead {
    var names = plan.fieldNames
    if plan.format == .jsonl, !plan.dialect.itemKeys.isEmpty {
        return match(plan.dialect.itemKeys, raw: nil, length: length, plan)
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
        format: plan.format, columns: names, fieldOfColumn: names.indices.map { plan.fieldNames.isEmpty ? -1 : $0 },
        columnOfField: Array(plan.fieldNames.indices), header: header(names, plan))
    return SourceHead(
        layout: layout, length: length, findings: [],
        unknown: plan.fieldNames.isEmpty ? names.indices.map { $0 + 1 } : [], matches: plan.fieldNames.count)
}

/// A file without a header under a contract that says where columns are: fields without a column take those that are left, in order.
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
    var head = match(labels, raw: nil, length: length, placed)
    head.layout?.hasEmptyLast = plan.places.hasTrailingDelimiter && first.count > 1
    return head
}

/// A header record of RFC 4180 with a line end; the delimiter is the file's where shards keep that. Shards of JSON have none.
private func header(_ names: [String], _ plan: ReadingPlan) -> [UInt8] {
    if plan.format == .jsonl { return [] }
    let delimiter = plan.dialect.isVerbatim ? plan.dialect.delimiter : 0x2C
    var out: [UInt8] = []
    for (column, name) in names.enumerated() {
        if column > 0 { out.append(delimiter) }
        appendCSV(Array(name.utf8), wasQuoted: false, delimiter, &out)
    }
    return out + [0x0A]
}

extension RecordBlock {
    /// The decoded texts of the cells of each row, whatever their number.
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

/// Puts the columns of a file beside the fields of a contract.
private func match(_ labels: [String], raw: [UInt8]?, length: Int, _ plan: ReadingPlan) -> SourceHead {
    let comparison = Labels.Comparison(
        isCaseSensitive: plan.dialect.caseSensitiveHeader, isTrimmed: plan.places.trimsLabels)
    let named = Labels(labels, comparison)
    let columns = named.names
    var raw = (named.areNames ? raw : nil) ?? header(columns, plan)
    if plan.format == .csv, raw.last != 0x0A { raw.append(0x0A) }
    let left = droppedColumns(named, plan.places)
    var findings = remarks(named, besides: left, plan)
    var columnOfField = plan.fieldNames.map { _ in -1 }
    let byPlace = Set(plan.fieldNames.indices.compactMap(plan.places.place))
    let places = Dictionary(
        columns.enumerated().filter { !byPlace.contains($0.offset) && !left.contains($0.offset) }.map {
            (comparison.key($0.element), $0.offset)
        }, uniquingKeysWith: { first, _ in first })
    for (field, name) in plan.fieldNames.enumerated() {
        if let place = plan.places.place(field) {
            if columns.indices.contains(place) { columnOfField[field] = place }
        } else if let place = places[comparison.key(name)] {
            columnOfField[field] = place
        }
    }
    var fieldOfColumn = columns.map { _ in -1 }
    for (field, column) in columnOfField.enumerated() where column >= 0 { fieldOfColumn[column] = field }
    for (field, column) in columnOfField.enumerated() where column < 0 && !plan.optionalFields.contains(field) {
        var finding = Finding(.missingLabel, outcome: .rejected, row: 0, field: field)
        finding.rule = missingReason(field, columns, fieldOfColumn, plan)
        findings.append(finding)
    }
    let known = columnOfField.filter { $0 >= 0 }
    if known.isEmpty, !findings.contains(where: { $0.outcome >= .quarantined }), !plan.fieldNames.isEmpty {
        findings.append(Finding(.missingLabel, outcome: .rejected, row: 0))
    }
    if plan.isOrdered, known != known.sorted() {
        findings.append(Finding(.incorrectLabel, outcome: .rejected, row: 0))
    }
    let unknown = fieldOfColumn.indices.filter { fieldOfColumn[$0] < 0 && !left.contains($0) }.map { $0 + 1 }
    let isDoubled = findings.contains { $0.code == .duplicateLabel && $0.outcome >= .quarantined }
    if plan.rejectsUnknown, !unknown.allSatisfy({ isDoubled && named.doubled.contains($0 - 1) }) {
        var finding = Finding(.extraLabel, outcome: .rejected, row: 0)
        finding.rule = unlabelledReason(unknown.filter { named.blank.contains($0 - 1) }, of: columns.count)
        findings.append(finding)
    }
    var layout = Layout(
        format: plan.format, columns: columns, fieldOfColumn: fieldOfColumn, columnOfField: columnOfField, header: raw)
    layout.dropped = left
    layout.hasEmptyLast = plan.places.hasTrailingDelimiter && left.contains(columns.count - 1)
    return SourceHead(
        layout: findings.contains { $0.outcome >= .quarantined } ? nil : layout, length: length, findings: findings,
        unknown: unknown, matches: columns.count - unknown.count - left.count,
        unknownLabels: unknown.map { columns[$0 - 1] }, unlabelled: Set(named.blank + named.doubled),
        lastIsBlank: named.blank.last == columns.count - 1)
}

/// Columns, from 0, that a contract leaves out.
private func droppedColumns(_ labels: Labels, _ places: ColumnPlaces) -> Set<Int> {
    var left = Set(places.dropped.map { $0 - 1 }.filter(labels.names.indices.contains))
    let last = labels.names.count - 1
    if places.hasTrailingDelimiter, last > 0, labels.blank.contains(last) { left.insert(last) }
    return left
}

/// What is remarkable about the labels: columns that are called by their position or by a number. A label that two columns have is
/// nobody's when a field goes by it.
private func remarks(_ labels: Labels, besides left: Set<Int>, _ plan: ReadingPlan) -> [Finding] {
    let byPlace = Set(plan.fieldNames.indices.compactMap(plan.places.place)).union(left)
    let isCaseSensitive = plan.dialect.caseSensitiveHeader
    let fields = Set(plan.fieldNames.map { isCaseSensitive ? $0 : $0.lowercased() })
    func remark(_ code: FindingCode, _ outcome: Outcome, _ rule: String) -> Finding {
        var finding = Finding(code, outcome: outcome, row: 0)
        finding.rule = rule
        return finding
    }
    func list(_ places: [Int]) -> String {
        let shown = places.prefix(8).map { "\($0 + 1)" }.joined(separator: ", ")
        return (places.count == 1 ? "column " : "columns ") + shown
            + (places.count > 8 ? " and \(places.count - 8) more" : "")
    }
    var findings: [Finding] = []
    // A contract that was made of this very file names all its columns.
    let isNamed = { (place: Int) in byPlace.contains(place) && !plan.places.areInferred || left.contains(place) }
    let blank = labels.blank.filter { !isNamed($0) }
    if !blank.isEmpty { findings.append(remark(.blankLabel, .flagged, list(blank))) }
    for (places, outcome) in [
        (labels.doubled.filter { labels.isContested($0, fields, byPlace) }, Outcome.rejected),
        (labels.doubled.filter { !labels.isContested($0, fields, byPlace) && !isNamed($0) }, .flagged),
    ] where !places.isEmpty {
        findings.append(remark(.duplicateLabel, outcome, list(places)))
    }
    return findings
}

/// What helps with columns, from 1, that the contract does not name and that have no label.
private func unlabelledReason(_ blank: [Int], of count: Int) -> String? {
    guard let first = blank.first else { return nil }
    let isLast = first == count
    return "column \(first) has no label: write sluice.dropColumns: [\(first)], or sluice.column: \(first) in a field"
        + (isLast ? ", or sluice.trailingDelimiter: true if rows end with a delimiter" : "")
}

/// Why a field has no column.
private func missingReason(
    _ field: Int, _ columns: [String], _ fieldOfColumn: [Int], _ plan: ReadingPlan
) -> String? {
    if let place = plan.places.place(field) { return "sluice.column \(place + 1): the file has \(columns.count)" }
    for (column, label) in columns.enumerated() where fieldOfColumn[column] < 0 {
        if let near = NearLabel(label, plan.fieldNames[field]) { return near.reason(column: column + 1) }
    }
    return nil
}

/// The encoding that is not plain UTF-8, by its mark or by the pattern of NUL bytes.
private func foreignEncoding(_ bytes: Span<UInt8>) -> String? {
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
    default: return nil
    }
}
