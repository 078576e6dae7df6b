import Schemas
import Sketches
package import Tabular

/// Keyed hashes and times of values, for other modules: they never see the values themselves.
extension Validator {
    /// The cell of a field; nil when it stands for "no value".
    package func value(of field: Int, row: Int, in batch: RowBlock) -> Cell? {
        guard let column = batch.layout.columnOfField[field] else { return nil }
        let cell = batch.cells[row * batch.width + column]
        return checks[field].isMissing(cell, batch.bytes.span) ? nil : cell
    }

    /// A keyed hash of a field's value by its meaning, never 0; nil without a value.
    package func code(of field: Int, row: Int, in batch: RowBlock) -> UInt64? {
        guard let cell = value(of: field, row: row, in: batch) else { return nil }
        return max(1, key(cell, batch.bytes.span, as: checks[field], state: Hash128(high: 0, low: 0)).high)
    }

    /// A keyed hash of the cells of some fields as they are written.
    package func code(ofAll fields: [Int], row: Int, in batch: RowBlock) -> UInt64 {
        var state = Hash128(high: 0, low: 0)
        let bytes = batch.bytes.span
        for field in fields {
            guard let column = batch.layout.columnOfField[field] else { continue }
            state = hash.hash(bytes, batch.cells[row * batch.width + column].range, state: state)
        }
        return max(1, state.high)
    }

    /// A keyed hash of several fields' values by their meaning, never 0; nil unless all have one.
    package func code(ofKey fields: [Int], row: Int, in batch: RowBlock) -> UInt64? {
        var state = Hash128(high: 0, low: 0)
        for field in fields {
            guard let cell = value(of: field, row: row, in: batch) else { return nil }
            state = key(cell, batch.bytes.span, as: checks[field], state: state)
        }
        return max(1, state.high)
    }

    /// A keyed hash of a field's text, trimmed and in normalisation form C; nil without a value.
    package func code(ofText field: Int, row: Int, in batch: RowBlock) -> UInt64? {
        guard let cell = value(of: field, row: row, in: batch) else { return nil }
        let bytes = batch.bytes.span
        var range = cell.range
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
        while let last = range.last, isSpace(bytes[last]) { range = range.lowerBound..<last }
        while let first = range.first, isSpace(bytes[first]) { range = first + 1..<range.upperBound }
        if !HiddenText.hasHigh(bytes, range) { return max(1, hash.hash(bytes, range).high) }
        return code(ofText: String(decoding: range.map { bytes[$0] }, as: UTF8.self))
    }

    /// The same hash of a text from elsewhere.
    package func code(ofText text: String) -> UInt64 {
        let bytes = Array(HiddenText.composed(text).utf8)
        return max(1, hash.hash(bytes.span, 0..<bytes.count).high)
    }

    /// The hash of a listed value, equal to that of the rows that have it.
    ///
    /// - Parameters:
    ///   - value: the value as the contract lists it.
    ///   - field: the field.
    package func code(ofListed value: String, field: Int) -> UInt64 {
        let check = checks[field]
        if check.isNumeric, let number = Double(value), number.magnitude < 0x1p53 {
            return max(1, hash.hash(number == 0 ? 0 : number.bitPattern).high)
        }
        if check.type == .boolean {
            return max(1, hash.hash(schema.fields[field].trueValues.contains(value) ? 1 : 0).high)
        }
        return code(ofText: value)
    }

    /// A time in seconds, comparable within its field; nil for none.
    package func moment(of field: Int, row: Int, in batch: RowBlock) -> Double? {
        guard let cell = value(of: field, row: row, in: batch), cell.isText else { return nil }
        return Dates.value(batch.bytes.span, cell.range, checks[field].type).map { Double($0) / 1e6 }
    }

    /// A keyed hash of a word, from which other modules derive secrets.
    package func code(of word: UInt64) -> UInt64 { hash.hash(word).high }

    /// The hash of a value by its meaning: all spellings of a number, truth value or time are one key.
    ///
    /// - Parameters:
    ///   - cell: the cell.
    ///   - bytes: the block's bytes.
    ///   - check: the field's contract.
    ///   - state: the hash of the preceding fields.
    func key(_ cell: Cell, _ bytes: Span<UInt8>, as check: FieldCheck, state: Hash128) -> Hash128 {
        if check.isNumeric, let value = check.number(cell, bytes) {
            // -0 equals 0.
            if value.magnitude < 0x1p53 { return hash.hash(value == 0 ? 0 : value.bitPattern, state: state) }
            let exact = value.isNaN ? Array("NaN".utf8) : check.exactText(cell, bytes)
            return hash.hash(exact.span, 0..<exact.count, state: state)
        }
        if check.type == .boolean, let flag = check.flag(cell, bytes) { return hash.hash(flag ? 1 : 0, state: state) }
        if check.type.isMoment, cell.isText, let moment = Dates.value(bytes, cell.range, check.type) {
            let known = hash.hash(UInt64(bitPattern: moment), state: state)
            // The digits below a microsecond.
            let rest = Dates.finer(bytes, cell.range)
            return rest.isEmpty ? known : hash.hash(bytes, rest, state: known)
        }
        return hash.hash(bytes, cell.range, state: state)
    }
}
