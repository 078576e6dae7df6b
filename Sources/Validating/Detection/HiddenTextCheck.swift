import Schemas
import Tabular

/// Searches the rows of a block for hidden text and formulas.
extension Validator {
    /// Searches every row that could be split, in both passes, since findings that flag or quarantine leave a row
    /// valid.
    ///
    /// - Parameters:
    ///   - batch: the block.
    ///   - known: the rows in whose cells the first pass found something; nil to search all.
    ///   - findings: gets the findings.
    /// - Returns: for each row, whether something was found in its cells.
    func scanHiddenText(in batch: RowBlock, known: [Bool]?, into findings: inout BlockFindings) -> [Bool] {
        if schema.hiddenText != .accepted { scanKeys(of: batch, into: &findings) }
        if let known, !known.contains(true) { return known }
        let before = findings.all.count
        let isWanted = checks.contains { $0.isText && $0.hiddenText != .accepted }
        let rows = isWanted ? rowsBeyondASCII(batch, among: known) : []
        let all = (0..<batch.count).filter { known?[$0] ?? true }
        for check in checks where check.isText {
            guard let column = batch.layout.columnOfField[check.index] else { continue }
            let nested = scanFormulas(all, of: batch, column: column, field: check.index, into: &findings)
            if check.hiddenText == .accepted { continue }
            scan(rows, of: batch, column: column, by: check, into: &findings)
            scan(nested: nested, of: batch, column: column, by: check, into: &findings)
        }
        var isFound = [Bool](repeating: false, count: batch.count)
        for finding in findings.all[before...] { isFound[batch.index(of: finding)] = true }
        return isFound
    }

    /// Finds formulas in a column.
    ///
    /// - Returns: the rows with an object or array there.
    private func scanFormulas(
        _ rows: [Int], of batch: RowBlock, column: Int, field: Int, into findings: inout BlockFindings
    ) -> [Int] {
        let bytes = batch.bytes.span
        let cells = batch.cells.span
        let width = batch.width
        var nested: [Int] = []
        for row in rows {
            let cell = cells[row &* width &+ column]
            if cell.start == cell.end { continue }
            if HiddenText.mayBeFormula(bytes[Int(cell.start)]) {
                if !cell.isText || !HiddenText.isFormula(bytes, cell.range) { continue }
                findings.add(.formulaStart, .accepted, at: row, field: field)
            } else if cell.isNested {
                nested.append(row)
            }
        }
        return nested
    }

    /// Finds hidden text in the texts of a column.
    private func scan(
        _ rows: [Int], of batch: RowBlock, column: Int, by check: FieldCheck, into findings: inout BlockFindings
    ) {
        let bytes = batch.bytes.span
        let cells = batch.cells.span
        let width = batch.width
        for row in rows {
            let cell = cells[row &* width &+ column]
            if cell.isText, HiddenText.hasHigh(bytes, cell.range) {
                note(HiddenText.kinds(bytes, cell.range), at: row, by: check, into: &findings)
            }
        }
    }

    /// Finds hidden text in the objects and arrays of a column, which are source text with escapes.
    private func scan(
        nested rows: [Int], of batch: RowBlock, column: Int, by check: FieldCheck,
        into findings: inout BlockFindings
    ) {
        let bytes = batch.bytes.span
        let cells = batch.cells.span
        let width = batch.width
        for row in rows {
            let cell = cells[row &* width &+ column]
            if let plain = unescapedJSON(bytes, cell.range) {
                if HiddenText.hasHigh(plain.span, 0..<plain.count) {
                    note(HiddenText.kinds(plain.span, 0..<plain.count), at: row, by: check, into: &findings)
                }
            } else if HiddenText.hasHigh(bytes, cell.range) {
                note(HiddenText.kinds(bytes, cell.range), at: row, by: check, into: &findings)
            }
        }
    }

    private func note(
        _ kinds: HiddenText.Kinds, at row: Int, by check: FieldCheck, into findings: inout BlockFindings
    ) {
        if kinds.isEmpty { return }
        for (kind, code) in HiddenText.codes where kinds.contains(kind) {
            findings.add(code, check.hiddenText, at: row, field: check.index)
        }
    }

    /// Finds hidden text in the keys of JSON records: a key that only resembles one of the contract's is unknown, and
    /// might pass as such.
    private func scanKeys(of batch: RowBlock, into findings: inout BlockFindings) {
        let bytes = batch.bytes.span
        for key in batch.oddKeys where batch.isWellFormed[key.row] {
            let range = key.start + 1..<key.end - 1
            let plain = unescapedJSON(bytes, range)
            let kinds =
                plain.map { HiddenText.kinds($0.span, 0..<$0.count) } ?? HiddenText.kinds(bytes, range)
            for (kind, code) in HiddenText.codes where kinds.contains(kind) {
                findings.add(code, schema.hiddenText, at: key.row)
            }
        }
    }

    /// The rows that can contain hidden text: those with non-ASCII bytes or JSON escapes.
    private func rowsBeyondASCII(_ batch: RowBlock, among known: [Bool]?) -> [Int] {
        let bytes = batch.bytes.span
        let end = batch.records.last.map { Int($0.end) } ?? 0
        let isDecoded = HiddenText.hasHigh(bytes, end..<bytes.count)
        if !isDecoded, !HiddenText.hasHigh(bytes, 0..<end) { return [] }
        var rows: [Int] = []
        for (row, record) in batch.records.enumerated() where batch.isWellFormed[row] && known?[row] ?? true {
            if isDecoded || HiddenText.hasHigh(bytes, Int(record.start)..<Int(record.end)) { rows.append(row) }
        }
        return rows
    }
}
