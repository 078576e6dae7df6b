import Schemas
import Sketches
import Tabular

extension Validator {
    /// Hashes the keys of rows. A row without a complete primary key gets a finding; a value of the wrong type counts
    /// as none, since it has a finding already.
    ///
    /// - Parameters:
    ///   - rows: the rows' indices.
    ///   - batch: the block.
    ///   - rule: the key rule.
    ///   - findings: gets the findings.
    func keys(
        of rows: [UInt32], in batch: RowBlock, by rule: KeyRule, into findings: inout BlockFindings
    ) -> [ValidatedBlock.RowKey] {
        var keys: [ValidatedBlock.RowKey] = []
        keys.reserveCapacity(rows.count)
        let wrong = Set(
            findings.all.lazy.filter { finding in
                finding.code == .typeError && finding.field.map(rule.fields.contains) ?? false
            }.map(batch.index(of:)))
        for row in rows where wrong.isEmpty || !wrong.contains(Int(row)) {
            if let hash = key(of: Int(row), in: batch, by: rule) {
                keys.append(ValidatedBlock.RowKey(row: batch.firstRow + Int(row), hash: hash))
            } else if rule.code == .primaryKeyError {
                findings.reject(Int(row), for: .primaryKeyError, field: rule.onlyField)
            }
        }
        return keys
    }

    /// The hash of a row's key; nil when a part is missing.
    @inline(__always)
    private func key(of row: Int, in batch: RowBlock, by rule: KeyRule) -> Hash128? {
        let bytes = batch.bytes.span
        var state = Hash128(high: 0, low: 0)
        var isWhole = true
        for field in rule.fields {
            let check = checks[field]
            guard let column = batch.layout.columnOfField[field] else {
                if rule.code != .duplicateRow { isWhole = false }
                continue
            }
            let cell = batch.cells[row * batch.width + column]
            if check.isMissing(cell, bytes) {
                // Two missing values are equal in copies of rows.
                if rule.code == .duplicateRow {
                    state = hash.hash(0x6E6F_6E65, state: state)
                } else {
                    isWhole = false
                }
            } else {
                state = key(cell, bytes, as: check, state: state)
            }
        }
        return isWhole ? state : nil
    }
}
