import Schemas
package import Screening
import Sketches
import Tabular

/// Released rows with personal data masked, in the batch's own format. Only this room can make one.
package struct MaskedBlock: Sendable {
    /// The rows, each with its line end. Unmasked cells are the source's bytes, unless the source's dialect is not RFC
    /// 4180: then all cells are rewritten.
    package let text: [UInt8]
    /// Rows in `text`.
    package let rows: Int
    /// The kinds of masked values, each with its count.
    package let receipts: [MaskReceipt: Int]
    /// For each row, hashes of its quasi-identifiers after masking, and of its label; empty when the contract names
    /// none.
    package let classKeys: [(identity: UInt64, sensitive: UInt32)]

    fileprivate init(
        text: [UInt8], rows: Int, receipts: [MaskReceipt: Int], classKeys: [(identity: UInt64, sensitive: UInt32)]
    ) {
        self.classKeys = classKeys
        self.text = text
        self.rows = rows
        self.receipts = receipts
    }
}

extension Masker {
    /// Masks and writes the released rows of a block.
    package func mask(_ screened: ScreenedBlock) -> MaskedBlock {
        let batch = screened.batch
        // Computed once, since it is read for each cell of each masked column.
        let released = screened.outcomes.map(\.isReleased)
        let replaced = replacements(in: screened, released: released)
        let columns = replaced.columns
        let removes =
            !dropped.isEmpty || !screened.sightedExtras.isEmpty || batch.extras.contains { dropsExtras || $0.isLeftOut }
        let sightedExtras = Set(screened.sightedExtras)
        let isUnordered = format == .jsonl
        var out: [UInt8] = []
        out.reserveCapacity(batch.bytes.count + replaced.text.count / 2 + 64)
        var rows = 0
        var classKeys: [(identity: UInt64, sensitive: UInt32)] = []
        var edits: [Edit] = []
        var extra = 0
        for row in 0..<batch.count {
            edits.removeAll(keepingCapacity: true)
            while extra < batch.extras.count, batch.extras[extra].row < row { extra += 1 }
            guard released[row] else { continue }
            if !quasiIdentifiers.isEmpty { classKeys.append(classKey(of: row, in: batch, with: replaced)) }
            for index in columns.indices {
                let text = replaced.piece(rule: index, row: row)
                if text.start < 0 { continue }
                let cell = batch.cells[row &* batch.width &+ columns[index]]
                edits.append(Edit(start: Int(cell.rawStart), end: cell.rawEnd, text: text))
            }
            if removes, !rewrites {
                remove(from: row, of: batch, firstExtra: extra, detected: sightedExtras, into: &edits)
            }
            if isUnordered, !edits.isEmpty { edits.putInOrder() }
            let rowStart = out.count
            if rewrites {
                rewrite(row, of: batch, with: replaced, into: &out)
            } else {
                write(row, of: batch, edits: edits, with: replaced, into: &out)
            }
            if let spanColumn {
                spanColumn.append(replaced.spans[row], rowStart: rowStart, to: &out)
            } else if out.count == rowStart {
                // An empty line would not be read as a row.
                out.append(contentsOf: [0x22, 0x22])
            }
            out.append(0x0A)
            rows += 1
        }
        let receipts = receipts(of: replaced, withDropped: sightedExtras, in: screened)
        return MaskedBlock(text: out, rows: rows, receipts: receipts, classKeys: classKeys)
    }

    /// Counts the masked values of a block by kind, including the columns and members that were dropped.
    private func receipts(
        of replaced: Replacements, withDropped extras: Set<Int>, in screened: ScreenedBlock
    ) -> [MaskReceipt: Int] {
        let batch = screened.batch
        var receipts = replaced.receipts.filter { $0.value > 0 }
        for extra in extras where screened.outcomes[batch.extras[extra].row].isReleased {
            receipts[MaskReceipt(field: nil, entity: "", operation: .drop), default: 0] += 1
        }
        for column in dropped {
            guard let field = batch.layout.fieldOfColumn[column] else { continue }
            let removed = screened.outcomes.indices.count { row in
                screened.outcomes[row].isReleased && !batch.cells[row &* batch.width &+ column].isAbsent
            }
            if removed == 0 { continue }
            receipts[MaskReceipt(field: field, entity: droppedEntities[column] ?? "", operation: .drop)] = removed
        }
        return receipts
    }

    /// The hashes of a row's masked quasi-identifiers and of its masked label; 0 without a label.
    private func classKey(
        of row: Int, in batch: RowBlock, with replaced: Replacements
    ) -> (identity: UInt64, sensitive: UInt32) {
        var state = Hash128(high: 0, low: 0)
        func value(_ column: Int) -> Hash128 {
            if let rule = replaced.columns.firstIndex(of: column) {
                let text = replaced.piece(rule: rule, row: row)
                if text.start >= 0 {
                    return hash.hash(replaced.text.span, Int(text.start)..<Int(text.end), state: state)
                }
            }
            return hash.hash(batch.bytes.span, batch.cells[row * batch.width + column].range, state: state)
        }
        for column in quasiIdentifiers { state = value(column) }
        let key = state.high
        state = Hash128(high: 0, low: 0)
        return (key, sensitive.map { UInt32(truncatingIfNeeded: value($0).high) } ?? 0)
    }
}
