import Tabular

/// One replacement of source text of a row.
struct Edit {
    var start: Int
    var end: Int
    /// The replacement text.
    var text: Replacements.Piece
    /// Whether it removes a JSON member, with its comma.
    var removesMember = false
}

extension [Edit] {
    /// Sorts edits by their offset, since members of an object come in any order.
    mutating func putInOrder() {
        var isOrdered = true
        for index in indices.dropFirst() where self[index].start < self[index - 1].start { isOrdered = false }
        if !isOrdered { sort { $0.start < $1.start } }
    }
}

// Rows as they are released.
extension Masker {
    /// Appends the edits that remove dropped columns and unknown members, and sorts all edits.
    ///
    /// - Parameters:
    ///   - firstExtra: the index of the row's first extra in the block, or of a later one if the row has none.
    ///   - detected: extras in which personal data was found.
    func remove(
        from row: Int, of batch: RowBlock, firstExtra: Int, detected: Set<Int>, into edits: inout [Edit]
    ) {
        if format == .csv {
            for column in dropped {
                let cell = batch.cells[row * batch.width + column]
                // The preceding delimiter is removed, or the following one if no earlier column is kept.
                let isLeading = column < leading
                edits.append(
                    Edit(
                        start: Int(cell.rawStart) - (isLeading ? 0 : 1), end: cell.rawEnd + (isLeading ? 1 : 0),
                        text: Replacements.Piece(start: 0, end: 0)))
            }
        } else {
            for column in dropped {
                let cell = batch.cells[row * batch.width + column]
                if cell.isAbsent { continue }
                let start = keyStart(batch.bytes.span, before: Int(cell.rawStart))
                edits.append(
                    Edit(
                        start: start, end: cell.rawEnd, text: Replacements.Piece(start: 0, end: 0), removesMember: true)
                )
            }
            var index = firstExtra
            while index < batch.extras.count, batch.extras[index].row == row {
                let extra = batch.extras[index]
                if dropsExtras || extra.isLeftOut || detected.contains(index) {
                    edits.append(
                        Edit(
                            start: extra.start, end: extra.end, text: Replacements.Piece(start: 0, end: 0),
                            removesMember: true))
                }
                index += 1
            }
        }
        edits.putInOrder()
    }

    /// The opening quote of the key before a value of a well-formed object.
    private func keyStart(_ bytes: Span<UInt8>, before value: Int) -> Int {
        var at = value - 1
        while bytes[at] != 0x3A { at -= 1 }
        while bytes[at] != 0x22 { at -= 1 }
        at -= 1
        while true {
            while bytes[at] != 0x22 { at -= 1 }
            var slashes = 0
            while bytes[at - 1 - slashes] == 0x5C { slashes += 1 }
            if slashes % 2 == 0 { return at }
            at -= 1
        }
    }

    /// Appends a row as RFC 4180 or as a JSON object, whatever its dialect.
    func rewrite(_ row: Int, of batch: RowBlock, with replaced: Replacements, into out: inout [UInt8]) {
        let isCSV = format == .csv
        let columns = replaced.columns
        var isFirst = true
        var rule = 0
        var gone = 0
        if !isCSV { out.append(0x7B) }
        for column in 0..<batch.width {
            while rule < columns.count, columns[rule] < column { rule += 1 }
            while gone < dropped.count, dropped[gone] < column { gone += 1 }
            if gone < dropped.count, dropped[gone] == column { continue }
            if !isFirst { out.append(isCSV ? delimiter : 0x2C) }
            isFirst = false
            if !isCSV { out.append(contentsOf: members[column]) }
            if rule < columns.count, columns[rule] == column {
                let text = replaced.piece(rule: rule, row: row)
                if text.start >= 0 {
                    out.append(contentsOf: replaced.text[Int(text.start)..<Int(text.end)])
                    continue
                }
            }
            let cell = batch.cells[row * batch.width + column]
            if !isCSV {
                out.append(contentsOf: batch.bytes[Int(cell.rawStart)..<cell.rawEnd])
            } else if !cell.isNothing {
                appendCSV(Array(batch.bytes[cell.range]), wasQuoted: cell.isQuoted, delimiter, &out)
            }
        }
        if !isCSV { out.append(0x7D) }
    }

    /// Appends a row's source text with its edits applied.
    func write(
        _ row: Int, of batch: RowBlock, edits: [Edit], with replaced: Replacements, into out: inout [UInt8]
    ) {
        let record = batch.records[row]
        let rowStart = out.count
        var at = Int(record.start)
        for edit in edits {
            out.append(contentsOf: batch.bytes[at..<edit.start])
            at = edit.end
            if edit.removesMember {
                var next = at
                while isSpace(batch.bytes[next]) { next += 1 }
                if batch.bytes[next] == 0x2C {
                    at = next + 1
                } else {
                    while let last = out.last, out.count > rowStart, isSpace(last) { out.removeLast() }
                    if out.count > rowStart, out.last == 0x2C { out.removeLast() }
                }
            } else {
                out.append(contentsOf: replaced.text[Int(edit.text.start)..<Int(edit.text.end)])
            }
        }
        out.append(contentsOf: batch.bytes[at..<Int(record.end)])
    }
}

/// White space inside a JSON line.
private func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
