import Lineage
import Masking
import Reading
import Schemas
import Screening
import Sketches
package import Tabular

/// The last stage: the verdict is known, and nothing is recorded yet. Report and ledger entries are built from it.
struct JudgedBatch {
    let decided: DecidedBatch
    /// Rows by outcome.
    let counts: OutcomeCounts
    /// Totals of all findings.
    let findings: FindingCounts
    /// Findings listed one by one, up to the requested number.
    let listed: FindingList
    /// Findings about the whole batch. Those with outcome `quarantined` or worse hold it.
    let batchFindings: [Finding]
    /// The second pass; nil where there was none.
    var processed: ProcessedBatch?
    /// The findings that a person's release waived.
    var waived: [Waived] = []
    /// The comparison with a candidate contract; nil without one.
    var shadow: ShadowReport?

    var identity: BatchIdentity { decided.surveyed.identity }
    var opened: OpenedBatch { decided.opened }
    /// The results of the slices in the order of the source; none without a second pass.
    var results: [SliceResult] { processed?.release.results ?? [] }
    /// The decision that is kept with the batch; nil where no row was judged by it.
    var decision: Decision? { processed == nil ? nil : decided.decision }
    /// Whether rows were released and no finding holds the batch.
    var isAccepted: Bool {
        processed != nil && !batchFindings.contains { $0.outcome >= .quarantined } && hasPassingRows
    }
    /// False for a release of single rows of which one fails for another reason: it stays held with its own batch.
    private var hasPassingRows: Bool {
        opened.options.waiver?.rows == nil || counts.count(.quarantined) + counts.count(.rejected) == 0
    }
    /// Whether it is rejected, so that nobody can release it: its origin is refused, or it breaks a limit of the contract under
    /// `onExceed: reject`. Other batches that are not accepted are held.
    var isRejected: Bool {
        let limits: Set<FindingCode> = [.tooManyRejected, .tooManyRejectedRows, .tooManyQuarantined, .tooFewRows]
        let rejects = decided.plan.schema.batch.onExceed == .reject
        return batchFindings.contains {
            $0.code.rejectsBatch || rejects && $0.outcome >= .quarantined && limits.contains($0.code)
        }
    }
    /// The outcome of every row, as runs.
    var fates: RowMap {
        var fates = RowMap()
        for result in results { fates.append(result.rowMap) }
        return fates
    }

    /// Records the verdict in mode `ingest`, writes the row files that `validate` was asked for, and builds the report.
    func conclude() async throws(IngestionError) -> BatchReport {
        let waiver = opened.options.waiver
        // Without a second pass a release is refused before anything is staged: the header does not fit.
        if processed == nil, let waiver { return waiver.refused(self) }
        guard let recorder = opened.recorder else {
            if processed == nil { try writeRowFiles() }
            return report()
        }
        let workplace: Workplace
        if let made = processed?.workplace {
            workplace = made
        } else {
            workplace = try recorder.begin(identity, opened.request.lease)
        }
        do throws(IngestionError) {
            try recorder.requireSettled(opened.source, opened.request.lease)
            if isAccepted { return try recorder.accept(self, in: workplace) }
            if let waiver {
                try recorder.abandon(workplace.lease)
                return waiver.refused(self)
            }
            return try recorder.hold(self, in: workplace)
        } catch {
            // Another process judged the same bytes meanwhile, so this batch is the duplicate.
            if let earlier = try recorder.afterFailure(workplace.lease, identity) {
                return try decided.surveyed.repeating(earlier)
            }
            throw error
        }
    }

    private func writeRowFiles() throws(IngestionError) {
        guard decided.survey.head.layout != nil, let files = try RowFiles(opened.options) else { return }
        try files.write(decided)
        try files.finish()
    }
}

/// A finding that a person waived, with the number of rows that have it.
package struct Waived: Sendable, Equatable {
    /// The finding's code.
    package let code: FindingCode
    /// The contract's field; nil for none.
    package let field: Int?
    /// Rows with the finding; 0 for one about the batch.
    package internal(set) var rows: Int

    /// Everything that would have held the batch or its rows, each code and field once.
    static func all(_ verdict: BatchVerdict, _ counts: OutcomeCounts) -> [Waived] {
        var found: [Waived] = []
        func add(_ code: FindingCode, _ field: Int?, _ rows: Int) {
            if let place = found.firstIndex(where: { $0.code == code && $0.field == field }) {
                found[place].rows += rows
            } else {
                found.append(Waived(code: code, field: field, rows: rows))
            }
        }
        for finding in verdict.waived { add(finding.code, finding.field, 0) }
        for (kind, tally) in counts.waived.sorted { add(kind.code, kind.field, tally.count) }
        return found
    }
}
