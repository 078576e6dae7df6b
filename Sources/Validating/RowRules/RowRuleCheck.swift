import Schemas
import Tabular

extension Validator {
    /// Applies the row rules to valid rows. Rules that flag or quarantine run in both passes, since they leave a row
    /// valid; rules that reject run only where the first pass has not found a row valid.
    ///
    /// - Parameters:
    ///   - batch: the block.
    ///   - selection: the rows.
    ///   - isReplay: whether this is the second pass.
    ///   - findings: gets the findings.
    func applyRowRules(
        to batch: RowBlock, _ selection: RowSelection, isReplay: Bool, into findings: inout BlockFindings
    ) {
        if rules.isEmpty { return }
        let wasValid = findings.isValid
        for check in rules {
            let rows =
                isReplay && check.rule.action != .rejected
                ? (0..<UInt32(batch.count)).filter { wasValid[Int($0)] } : selection.rows.filter { wasValid[Int($0)] }
            for row in check.broken(batch, rows, checks) {
                findings.add(.rowConstraint, check.rule.action, at: Int(row), rule: check.rule.name)
            }
        }
    }
}
