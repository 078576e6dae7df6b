import Screening
import Tabular

/// The fourth stage: every row was screened and masked, and shards are sealed where the batch is recorded.
struct ProcessedBatch {
    let decided: DecidedBatch
    let release: Release
    /// Where the batch is made; nil where nothing is recorded.
    let workplace: Workplace?
    /// What the rows say that other sources may speak of too.
    let claims: [UInt8]?
    /// Whether the file was not the same when it was read for the second time.
    let hasChanged: Bool

    /// Gives the verdict, and has the batch judged by the contract that runs beside the one in force, if there is one.
    func judge() async throws(IngestionError) -> JudgedBatch {
        var findings = decided.survey.findings
        if hasChanged { findings.append(Finding(.sourceChanged, outcome: .quarantined, row: 0)) }
        let verdict = BatchVerdict(decided.decision, release.counts, schema: decided.plan.schema, earlier: findings)
        var judged = JudgedBatch(
            decided: decided, counts: release.counts, findings: release.counts.findings, listed: release.listed,
            batchFindings: verdict.findings)
        judged.processed = self
        judged.waived = Waived.all(verdict, release.counts)
        let options = decided.opened.options
        if options.keepsFates || options.shadow != nil {
            do throws(IngestionError) { judged.shadow = try await judged.judgedByShadow() } catch {
                abandon()
                throw error
            }
        }
        return judged
    }

    /// Gives up what was made of the batch.
    private func abandon() {
        if let workplace { try? decided.opened.recorder?.abandon(workplace.lease) }
    }
}
