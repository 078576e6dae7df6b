import Recognition
import Schemas
import Screening
package import Tabular
import Validating

/// The new source texts of a block's masked cells, with their receipts.
struct Replacements {
    /// A range of `text`; negative for a cell that is not masked.
    struct Piece {
        var start: Int32
        var end: Int32
    }

    /// The rules' columns, ascending.
    let columns: [Int]
    /// Source text of replaced cells.
    fileprivate(set) var text: [UInt8] = []
    /// Rules × rows: the range of each cell in `text`.
    fileprivate var pieces: [Piece]
    /// The kinds of masked values, each with its count.
    fileprivate(set) var receipts: [MaskReceipt: Int] = [:]
    /// The masked spans of each row; empty if the contract does not ask for them.
    private(set) var spans: [[MaskedSpan]]
    private let rows: Int

    /// No replacements yet, for a block of `rows` rows.
    init(columns: [Int], rows: Int, hasSpans: Bool) {
        self.columns = columns
        self.rows = rows
        pieces = [Piece](repeating: Piece(start: -1, end: -1), count: columns.count * rows)
        spans = [[MaskedSpan]](repeating: [], count: hasSpans ? rows : 0)
    }

    /// The range of the text of a row's cell under the rule at `index`.
    func piece(rule index: Int, row: Int) -> Piece { pieces[index &* rows &+ row] }

    fileprivate mutating func set(_ piece: Piece, rule index: Int, row: Int) { pieces[index &* rows &+ row] = piece }

    /// Counts cells of a column to which an operator applied `operation`.
    fileprivate mutating func count(_ operation: MaskOperator, of entity: String, field: Int?, _ cells: Int = 1) {
        receipts[MaskReceipt(field: field, entity: entity, operation: operation), default: 0] += cells
    }

    /// Keeps the masked spans of a value, if the contract asks for them.
    fileprivate mutating func note(_ placed: [PlacedMask], in value: [UInt8], row: Int, column: Int) {
        if spans.isEmpty { return }
        spans[row] += zip(placed, SpanColumn.scalars(value, placed.map(\.range))).map { place, range in
            MaskedSpan(column: column, range: range, entity: place.entity, operation: place.done)
        }
    }
}

/// The mask of one match, and the range of its new text in the value.
private struct PlacedMask {
    var entity: String
    var range: Range<Int>
    var done: MaskOperator
}

extension Masker {
    /// Masks the cells of a block, rule by rule.
    func replacements(in screened: ScreenedBlock, released: [Bool]) -> Replacements {
        let batch = screened.batch
        let found = byColumn(screened.detections)
        let rules = rules(of: found)
        var replaced = Replacements(columns: rules.map(\.column), rows: batch.count, hasSpans: spanColumn != nil)
        for (index, rule) in rules.enumerated() {
            let column = ColumnWork(rule, at: index, salts: salts)
            if rule.isScanned {
                let detections = screened.detections[found[rule.column] ?? 0..<0]
                replaceMatches(detections, of: column, in: batch, released: released, into: &replaced)
            } else {
                replaceValues(of: column, in: batch, released: released, into: &replaced)
            }
        }
        return replaced
    }

    /// The range of each column's detections, which are sorted by column.
    private func byColumn(_ detections: [Detection]) -> [Int: Range<Int>] {
        var found: [Int: Range<Int>] = [:]
        var start = 0
        while start < detections.count {
            let column = detections[start].column
            var end = start + 1
            while end < detections.count, detections[end].column == column { end += 1 }
            found[column] = start..<end
            start = end
        }
        return found
    }

    /// The rules for a block: the contract's, and those of columns in which undeclared personal data was found.
    private func rules(of found: [Int: Range<Int>]) -> [ColumnRule] {
        let more = found.keys.compactMap { undeclared[$0] }
        return more.isEmpty ? rules : (rules + more).sorted { $0.column < $1.column }
    }

    /// Makes the new texts of the matches in the cells of a column.
    private func replaceMatches(
        _ detections: ArraySlice<Detection>, of column: ColumnWork, in batch: RowBlock, released: [Bool],
        into replaced: inout Replacements
    ) {
        let rule = column.rule
        let onlyEmptyIsMissing = rule.missing == [[]]
        // A number, or the source of an object, is searched like text; a masked match turns it into a string.
        var rest = detections
        while let row = rest.first?.row {
            let here = rest.prefix { $0.row == row }
            rest = rest.dropFirst(here.count)
            let cell = batch.cells[row &* batch.width &+ rule.column]
            guard released[row], onlyEmptyIsMissing || !isMissing(cell, batch.bytes.span, rule.missing) else {
                continue
            }
            setSubject(of: row, in: batch, for: column)
            let piece = replace(here.map(\.match), of: column, in: batch, row: row, into: &replaced)
            replaced.set(piece, rule: column.index, row: row)
        }
    }

    /// Makes the new texts of the cells of a column.
    private func replaceValues(
        of column: ColumnWork, in batch: RowBlock, released: [Bool], into replaced: inout Replacements
    ) {
        let bytes = batch.bytes.span
        let rule = column.rule
        var masked = maskedCells(of: rule, in: batch, released: released)
        if replaced.spans.isEmpty, writesPlainValues, let plain = rule.operation.plain,
            let values = PlainValues(plain, as: format, delimiter: delimiter)
        {
            let places = values.append(masked, of: bytes, to: &replaced.text) { column.token($0) }
            var written = 0
            for (row, place) in places.enumerated() {
                guard let place else { continue }
                let piece = Replacements.Piece(start: Int32(place.lowerBound), end: Int32(place.upperBound))
                replaced.set(piece, rule: column.index, row: row)
                masked[row] = nil
                written += 1
            }
            if written > 0 { replaced.count(rule.kind, of: rule.entity, field: rule.field, written) }
        }
        replaceCells(masked, of: column, in: batch, into: &replaced)
    }

    /// The cells of a column that its rule masks, by row; nil for one that stays.
    private func maskedCells(of rule: ColumnRule, in batch: RowBlock, released: [Bool]) -> [Cell?] {
        let bytes = batch.bytes.span
        let cells = batch.cells.span
        let (width, missing) = (batch.width, rule.missing)
        let onlyEmptyIsMissing = missing == [[]]
        return released.indices.map { row in
            guard released[row] else { return nil }
            let cell = cells[row &* width &+ rule.column]
            if cell.isNothing || cell.start == cell.end { return nil }
            return !onlyEmptyIsMissing && isMissing(cell, bytes, missing) ? nil : cell
        }
    }

    /// Makes the new texts of cells of a column by its operator.
    private func replaceCells(
        _ cells: [Cell?], of column: ColumnWork, in batch: RowBlock, into replaced: inout Replacements
    ) {
        let bytes = batch.bytes.span
        let rule = column.rule
        let isConstant = rule.kind == .replace || rule.kind == .redact
        var constants = [Replacements.Piece?](repeating: nil, count: 2)
        var value: [UInt8] = []
        // Values that the operator cannot change are counted under the operator that replaced them (`replace`).
        var (touched, substituted) = (0, 0)
        for (row, cell) in cells.enumerated() {
            guard let cell else { continue }
            var done = rule.kind
            if isConstant, let same = constants[cell.isQuoted ? 1 : 0] {
                replaced.set(same, rule: column.index, row: row)
            } else {
                value.removeAll(keepingCapacity: true)
                setSubject(of: row, in: batch, for: column)
                done = rule.operation.apply(
                    bytes.extracting(cell.range), entity: rule.entity, isNative: cell.isNumber, into: &value
                ) { column.code($0) }
                let piece = append(value, as: cell, by: rule, to: &replaced.text)
                replaced.set(piece, rule: column.index, row: row)
                if isConstant { constants[cell.isQuoted ? 1 : 0] = piece }
            }
            if done == rule.kind { touched += 1 } else { substituted += 1 }
            if !replaced.spans.isEmpty {
                let placed = PlacedMask(entity: rule.entity, range: 0..<value.count, done: done)
                replaced.note([placed], in: value, row: row, column: rule.column)
            }
        }
        for (kind, count) in [(rule.kind, touched), (.replace, substituted)] where count > 0 {
            replaced.count(kind, of: rule.entity, field: rule.field, count)
        }
    }

    /// Whether rows of this file name their subjects.
    package var knowsSubjects: Bool { subjectColumn != nil }

    /// The value that names a row's subject, as a range of the block's bytes; nil for a row without one.
    package func subject(of row: Int, in batch: RowBlock) -> Range<Int>? {
        guard let subjectColumn else { return nil }
        let cell = batch.cells[row &* batch.width &+ subjectColumn]
        return cell.isNothing || isMissing(cell, batch.bytes.span, subjectMissing) ? nil : cell.range
    }

    /// The spelling that all spellings of a subject's value have in common; nil where its rule does not normalise values, and
    /// for a value in that spelling.
    ///
    /// - Parameters:
    ///   - value: the value's bytes in the block.
    ///   - batch: the block.
    package func spelling(ofSubject value: Range<Int>, in batch: RowBlock) -> [UInt8]? {
        guard let rule = rules.first(where: { $0.column == subjectColumn }), rule.operation.normalizes else {
            return nil
        }
        let bytes = batch.bytes.span
        let made = oneSpelling(bytes, value, of: Entity(name: rule.entity), country: rule.operation.country)
        return made.elementsEqual(batch.bytes[value]) ? nil : made
    }

    /// Sets the subject of a row, if the operator needs it.
    private func setSubject(of row: Int, in batch: RowBlock, for column: ColumnWork) {
        guard column.needsSubject, subjectColumn != nil else { return }
        let bytes = batch.bytes.span
        column.setSubject(subject(of: row, in: batch)?.map { bytes[$0] })
    }

    /// The new source text of a cell in which `matches` were found.
    private func replace(
        _ matches: [EntityMatch], of column: ColumnWork, in batch: RowBlock, row: Int, into replaced: inout Replacements
    ) -> Replacements.Piece {
        let rule = column.rule
        let bytes = batch.bytes.span
        let cell = batch.cells[row &* batch.width &+ rule.column]
        for match in matches { replaced.count(rule.kind, of: match.entity.name, field: rule.field) }
        var placed: [PlacedMask] = []
        func place(_ match: EntityMatch, _ range: Range<Int>, _ done: MaskOperator) {
            placed.append(PlacedMask(entity: match.entity.name, range: range, done: done))
        }
        defer {
            for mask in placed where mask.done != rule.kind {
                replaced.count(rule.kind, of: mask.entity, field: rule.field, -1)
                replaced.count(mask.done, of: mask.entity, field: rule.field)
            }
        }
        func code(_ text: Span<UInt8>) -> [UInt8] { column.code(text) }
        // Escaped letters are written unescaped; characters that must be escaped in a string are escaped again.
        let isDocument = cell.isNested || isJSONText(bytes, cell.range)
        let plain = isDocument ? unescapedJSON(bytes, cell.range) : nil
        if isDocument,
            let text = plain.map({
                rule.operation.maskedJSON($0.span, 0..<$0.count, matches: matches, code: code, note: place)
            }) ?? rule.operation.maskedJSON(bytes, cell.range, matches: matches, code: code, note: place)
        {
            replaced.note(placed, in: text, row: row, column: rule.column)
            if !cell.isNested { return append(text, as: cell, by: rule, to: &replaced.text) }
            replaced.text += text
            let end = replaced.text.count
            return Replacements.Piece(start: Int32(end - text.count), end: Int32(end))
        }
        placed = []
        var value: [UInt8] = []
        if let plain {
            rule.operation.apply(plain.span, 0..<plain.count, matches: matches, into: &value, code: code, note: place)
        } else {
            rule.operation.apply(bytes, cell.range, matches: matches, into: &value, code: code, note: place)
        }
        replaced.note(placed, in: value, row: row, column: rule.column)
        return append(value, as: cell, by: rule, to: &replaced.text)
    }

    /// Appends a value as a cell of the batch's format.
    private func append(
        _ value: [UInt8], as cell: Cell, by rule: ColumnRule, to text: inout [UInt8]
    ) -> Replacements.Piece {
        let start = text.count
        if format == .csv {
            appendCSV(value, wasQuoted: cell.isQuoted, delimiter, &text)
        } else if rule.keepsNumbers, !cell.isText, value.first.map({ $0 != UInt8(ascii: "<") }) ?? false {
            text += value
        } else if rule.kind == .redact, !rule.isScanned {
            text.append(contentsOf: [0x6E, 0x75, 0x6C, 0x6C])
        } else {
            appendJSONString(value, &text)
        }
        return Replacements.Piece(start: Int32(start), end: Int32(text.count))
    }

    /// Whether a cell is empty or holds a text that stands for a missing value.
    private func isMissing(_ cell: Cell, _ bytes: Span<UInt8>, _ missing: [[UInt8]]) -> Bool {
        let range = cell.range
        if range.isEmpty { return true }
        // As in `Validating`: only text can be a missing value.
        if !cell.isText { return false }
        for token in missing where token.count == range.count {
            if token.indices.allSatisfy({ bytes[range.lowerBound + $0] == token[$0] }) { return true }
        }
        return false
    }
}
