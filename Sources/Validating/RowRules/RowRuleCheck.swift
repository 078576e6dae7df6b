import Schemas
import Tabular

extension Validator {
    /// Judges the sound rows by the row rules: in both passes by those that only flag or quarantine, since they leave a
    /// row sound, and by those that reject only where the first pass has not found a row sound already.
    func applyRowRules(
        to batch: Batch, _ selection: RowSelection, isReplay: Bool, into findings: inout BlockFindings
    ) {
        if rules.isEmpty { return }
        let wasSound = findings.isSound
        for check in rules {
            let rows =
                isReplay && check.rule.action != .rejected
                ? (0..<UInt32(batch.count)).filter { wasSound[Int($0)] } : selection.rows.filter { wasSound[Int($0)] }
            for row in check.broken(batch, rows, checks) {
                findings.add(.rowConstraint, check.rule.action, at: Int(row), rule: check.rule.name)
            }
        }
    }
}
