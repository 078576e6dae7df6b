import Screening
import Tabular

/// The fourth stage: every row is screened and masked, and shards are sealed where the batch is recorded.
struct ProcessedBatch {
    let decided: DecidedBatch
    let release: Release
    /// The lease and staging area; nil where nothing is recorded.
    let workplace: Workplace?
    /// The values that the rows give for keys that other sources describe too, encoded.
    let assertions: [UInt8]?
    /// The sealed index of subjects; nil where nothing is recorded, or rows name none.
    let subjects: StagedShard?
    /// The keys of subjects that values were encrypted with; nil where no rule asks for them.
    let keyring: SubjectKeyring?
    /// Whether the second pass read other bytes than the first, or the file's size changed.
    let hasChanged: Bool

    /// Gives the verdict. If a candidate contract is configured, the batch is judged by that as well, for the report
    /// only.
    func judge() async throws(IngestionError) -> JudgedBatch {
        var findings = decided.survey.findings
        if hasChanged { findings.append(Finding(.sourceChanged, outcome: .quarantined, at: .batch)) }
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

    /// Gives up the lease and removes the staged files.
    private func abandon() {
        if let workplace { try? decided.opened.recorder?.abandon(workplace.lease) }
    }
}
