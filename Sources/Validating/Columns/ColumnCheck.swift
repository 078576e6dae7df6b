import Schemas
import Tabular

/// Checks one column of a block: types, limits, patterns and JSON Schemas of its values.
struct ColumnCheck {
    // Loops copy it into a local first; otherwise each row would count references.
    private let check: FieldCheck
    /// The values as numbers, one a row, NaN for none; empty when nobody needs them.
    private(set) var numbers: [Double]

    /// A check of one column.
    ///
    /// - Parameters:
    ///   - check: the field's compiled contract.
    ///   - values: how many numbers to keep: the rows of the block, or none.
    init(_ check: FieldCheck, values: Int) {
        self.check = check
        numbers = [Double](repeating: .nan, count: values)
    }

    /// Checks the rows with these indices.
    mutating func check(_ rows: [UInt32], of batch: RowBlock, into findings: inout BlockFindings) {
        guard let column = batch.layout.columnOfField[check.index] else { return }
        if check.isOnlyRead { return readOnly(rows, of: batch, column: column) }
        if check.takesAnyText { return checkKind(rows, of: batch, column: column, into: &findings) }
        if check.isNumeric, check.pattern == nil {
            return checkNumbers(rows, of: batch, column: column, into: &findings)
        }
        let present = checkValues(rows, of: batch, column: column, into: &findings)
        if let pattern = check.pattern { match(present, of: batch, column: column, against: pattern, into: &findings) }
        if let jsonSchema = check.jsonSchema {
            jsonSchema.judge(present, of: batch, as: .field(check.index), into: &findings)
        }
    }

    /// Reads the numbers of a column that a JSON Schema judges.
    private mutating func readOnly(_ rows: [UInt32], of batch: RowBlock, column: Int) {
        if numbers.isEmpty { return }
        let check = check
        let bytes = batch.bytes.span
        let cells = batch.cells.span
        let width = batch.width
        for row in rows {
            if let value = check.number(cells[Int(row) &* width &+ column], bytes) { numbers[Int(row)] = value }
        }
    }

    /// Checks that the values of a column of text are texts.
    private func checkKind(_ rows: [UInt32], of batch: RowBlock, column: Int, into findings: inout BlockFindings) {
        // Every CSV value is a text.
        if batch.layout.format == .csv || check.type == .any { return }
        let cells = batch.cells.span
        let width = batch.width
        for row in rows {
            let cell = cells[Int(row) &* width &+ column]
            if cell.isText || cell.isNothing { continue }
            findings.reject(Int(row), for: .typeError, field: check.index)
        }
    }

    /// Checks type and limits of each value.
    ///
    /// - Returns: the rows that pass, where a pattern or JSON Schema is still to be checked.
    private mutating func checkValues(
        _ rows: [UInt32], of batch: RowBlock, column: Int, into findings: inout BlockFindings
    ) -> [UInt32] {
        let check = check
        let bytes = batch.bytes.span
        let cells = batch.cells.span
        let width = batch.width
        let required = check.required
        let refusesText = check.refusesJSONStrings && batch.layout.format == .jsonl
        let keepsNumbers = !numbers.isEmpty
        var present: [UInt32] = []
        for row in rows {
            let cell = cells[Int(row) &* width &+ column]
            var code: FindingCode?
            if check.isMissing(cell, bytes) {
                if required { code = .requiredError }
            } else if refusesText, cell.isText {
                code = .typeError
            } else {
                var value = Double.nan
                code = check.complaint(cell, bytes, &value)
                if code == nil {
                    if keepsNumbers { numbers[Int(row)] = value }
                    if check.pattern != nil || check.jsonSchema != nil { present.append(row) }
                }
            }
            if let code { findings.reject(Int(row), for: code, field: check.index) }
        }
        return present
    }

    /// Checks a numeric column: the loop above, specialised for the most frequent case.
    private mutating func checkNumbers(
        _ rows: [UInt32], of batch: RowBlock, column: Int, into findings: inout BlockFindings
    ) {
        let check = check
        let bytes = batch.bytes.span
        let cells = batch.cells.span
        let width = batch.width
        let required = check.required
        let refusesText = check.refusesJSONStrings && batch.layout.format == .jsonl
        for row in rows {
            let cell = cells[Int(row) &* width &+ column]
            var code: FindingCode?
            if check.isMissing(cell, bytes) {
                if !required { continue }
                code = .requiredError
            } else if refusesText, cell.isText {
                code = .typeError
            } else if let value = check.number(cell, bytes) {
                code = check.bounds(value, cell, bytes)
                if code == nil { numbers[Int(row)] = value }
            } else {
                code = .typeError
            }
            if let code { findings.reject(Int(row), for: code, field: check.index) }
        }
    }

    /// Matches the values against the field's pattern.
    private func match(
        _ rows: [UInt32], of batch: RowBlock, column: Int, against pattern: Pattern,
        into findings: inout BlockFindings
    ) {
        let matcher = pattern.matcher()
        let bytes = batch.bytes.span
        for row in rows {
            let answer = matcher.answer(bytes, batch.cells[Int(row) * batch.width + column].range)
            if case .matches = answer { continue }
            var code = FindingCode.patternError
            if case .overBudget = answer { code = .patternBudget }
            findings.reject(Int(row), for: code, field: check.index)
        }
    }

    /// Reads the numbers of rows that are known to be valid.
    mutating func readNumbers(of batch: RowBlock, where isValid: [Bool]) {
        let check = check
        guard let column = batch.layout.columnOfField[check.index] else { return }
        let bytes = batch.bytes.span
        let cells = batch.cells.span
        for row in 0..<batch.count where isValid[row] {
            let cell = cells[row &* batch.width &+ column]
            if !check.isMissing(cell, bytes), let value = check.number(cell, bytes) { numbers[row] = value }
        }
    }
}
