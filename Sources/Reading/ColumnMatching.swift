import Tabular

/// Matches the columns of a file to the fields of a contract.
struct ColumnMatching {
    private let plan: ReadingPlan
    private let labels: Labels
    /// Names of the columns, made distinct.
    private let columns: [String]
    /// Columns, from 0, that the contract drops.
    private let dropped: Set<Int>
    /// Columns, from 0, that a field names by position.
    private let byPlace: Set<Int>
    /// By field its column, and by column its field.
    private let columnOfField: [Int?], fieldOfColumn: [Int?]

    /// Matches the labels of a file to the fields of a plan.
    init(_ texts: [String], _ plan: ReadingPlan) {
        let comparison = Labels.Comparison(
            isCaseSensitive: plan.dialect.caseSensitiveHeader, isTrimmed: plan.places.trimsLabels)
        let labels = Labels(texts, comparison)
        let columns = labels.names
        let dropped = Self.droppedColumns(labels, plan.places)
        let byPlace = Set(plan.fieldNames.indices.compactMap(plan.places.place))
        let places = Dictionary(
            columns.enumerated().filter { !byPlace.contains($0.offset) && !dropped.contains($0.offset) }.map {
                (comparison.key($0.element), $0.offset)
            }, uniquingKeysWith: { first, _ in first })
        var columnOfField = [Int?](repeating: nil, count: plan.fieldNames.count)
        for (field, name) in plan.fieldNames.enumerated() {
            if let place = plan.places.place(field) {
                if columns.indices.contains(place) { columnOfField[field] = place }
            } else if let place = places[comparison.key(name)] {
                columnOfField[field] = place
            }
        }
        var fieldOfColumn = [Int?](repeating: nil, count: columns.count)
        for (field, column) in columnOfField.enumerated() {
            if let column { fieldOfColumn[column] = field }
        }
        self.plan = plan
        self.labels = labels
        self.columns = columns
        self.dropped = dropped
        self.byPlace = byPlace
        self.columnOfField = columnOfField
        self.fieldOfColumn = fieldOfColumn
    }

    /// The head of the file.
    ///
    /// - Parameters:
    ///   - raw: the header's bytes, where shards keep it unchanged.
    ///   - length: bytes before the first data record.
    func head(raw: [UInt8]?, length: Int) -> SourceHead {
        var raw = (labels.areNames ? raw : nil) ?? headerRecord(columns, plan)
        if plan.format == .csv, raw.last != 0x0A { raw.append(0x0A) }
        let unknown = fieldOfColumn.indices.filter { fieldOfColumn[$0] == nil && !dropped.contains($0) }.map { $0 + 1 }
        let findings = findings(unknown: unknown)
        var layout = Layout(
            format: plan.format, columns: columns, fieldOfColumn: fieldOfColumn, columnOfField: columnOfField,
            header: raw)
        layout.dropped = dropped
        layout.hasEmptyLast = plan.places.hasTrailingDelimiter && dropped.contains(columns.count - 1)
        return SourceHead(
            layout: findings.contains { $0.outcome >= .quarantined } ? nil : layout, length: length,
            findings: findings, unknown: unknown, matches: columns.count - unknown.count - dropped.count,
            unknownLabels: unknown.map { columns[$0 - 1] }, unlabelled: Set(labels.blank + labels.doubled),
            lastIsBlank: labels.blank.last == columns.count - 1)
    }

    /// Findings about the header.
    ///
    /// - Parameter unknown: columns, from 1, that the contract does not name.
    private func findings(unknown: [Int]) -> [Finding] {
        var findings = remarks()
        for (field, column) in columnOfField.enumerated() where column == nil && !plan.optionalFields.contains(field) {
            var finding = Finding(.missingLabel, outcome: .rejected, at: .column(field))
            finding.rule = missingReason(field)
            findings.append(finding)
        }
        let known = columnOfField.compactMap(\.self)
        if known.isEmpty, !findings.contains(where: { $0.outcome >= .quarantined }), !plan.fieldNames.isEmpty {
            findings.append(Finding(.missingLabel, outcome: .rejected, at: .batch))
        }
        if plan.isOrdered, known != known.sorted() {
            findings.append(Finding(.incorrectLabel, outcome: .rejected, at: .batch))
        }
        let isDoubled = findings.contains { $0.code == .duplicateLabel && $0.outcome >= .quarantined }
        if plan.rejectsUnknown, !unknown.allSatisfy({ isDoubled && labels.doubled.contains($0 - 1) }) {
            var finding = Finding(.extraLabel, outcome: .rejected, at: .batch)
            finding.rule = unlabelledReason(unknown.filter { labels.blank.contains($0 - 1) })
            findings.append(finding)
        }
        return findings
    }

    /// Columns, from 0, that the contract drops.
    private static func droppedColumns(_ labels: Labels, _ places: ColumnPlaces) -> Set<Int> {
        var left = Set(places.dropped.map { $0 - 1 }.filter(labels.names.indices.contains))
        let last = labels.names.count - 1
        if places.hasTrailingDelimiter, last > 0, labels.blank.contains(last) { left.insert(last) }
        return left
    }

    /// Findings about labels. Columns without a label are named by position, repeated ones get a number. The file is
    /// refused if a field's label is repeated.
    private func remarks() -> [Finding] {
        let byPlace = byPlace.union(dropped)
        let isCaseSensitive = plan.dialect.caseSensitiveHeader
        let fields = Set(plan.fieldNames.map { isCaseSensitive ? $0 : $0.lowercased() })
        func remark(_ code: FindingCode, _ outcome: Outcome, _ rule: String) -> Finding {
            var finding = Finding(code, outcome: outcome, at: .batch)
            finding.rule = rule
            return finding
        }
        func list(_ places: [Int]) -> String {
            let shown = places.prefix(8).map { "\($0 + 1)" }.joined(separator: ", ")
            return (places.count == 1 ? "column " : "columns ") + shown
                + (places.count > 8 ? " and \(places.count - 8) more" : "")
        }
        var findings: [Finding] = []
        // A contract inferred from this very file names all its columns.
        let isNamed = { (place: Int) in byPlace.contains(place) && !plan.places.areInferred || dropped.contains(place) }
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

    /// The remedy for columns, from 1, without a label and outside the contract.
    private func unlabelledReason(_ blank: [Int]) -> String? {
        guard let first = blank.first else { return nil }
        let isLast = first == columns.count
        return
            "column \(first) has no label: write sluice.dropColumns: [\(first)], or sluice.column: \(first) in a field"
            + (isLast ? ", or sluice.trailingDelimiter: true if rows end with a delimiter" : "")
    }

    /// Why a field has no column.
    private func missingReason(_ field: Int) -> String? {
        if let place = plan.places.place(field) { return "sluice.column \(place + 1): the file has \(columns.count)" }
        for (column, label) in columns.enumerated() where fieldOfColumn[column] == nil {
            if let near = NearLabel(label, plan.fieldNames[field]) { return near.reason(column: column + 1) }
        }
        return nil
    }
}

/// A header record of RFC 4180 with its line end, by the file's delimiter where shards keep that. Empty for shards of
/// JSON.
func headerRecord(_ names: [String], _ plan: ReadingPlan) -> [UInt8] {
    if plan.format == .jsonl { return [] }
    let delimiter = plan.dialect.isVerbatim ? plan.dialect.delimiter : 0x2C
    var out: [UInt8] = []
    for (column, name) in names.enumerated() {
        if column > 0 { out.append(delimiter) }
        appendCSV(Array(name.utf8), wasQuoted: false, delimiter, &out)
    }
    return out + [0x0A]
}
