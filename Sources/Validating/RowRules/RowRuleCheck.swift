import Schemas
import Tabular

extension Validator {
    /// Judges the sound rows by the row rules: in both passes by those that only flag or quarantine, since they leave a
    /// row sound, and by those that reject only where the first pass has not found a row sound already.
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
