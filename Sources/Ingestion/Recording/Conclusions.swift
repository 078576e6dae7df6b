import Cryptography
import Lineage
import Screening
import Sealing
import Sketches
import Storage
import Tabular

/// Why a delivered file could not be judged at all.
package enum FailureReason: String, Sendable {
    /// Its name does not say a format.
    case unknownFormat = "unknown-format"
    /// It is not in its format at all.
    case unreadable
    /// The process ended three times while it worked on it.
    case crashLoop = "crash-loop"
}

/// A batch that came before with the same content.
struct EarlierBatch: Sendable {
    let batch: String
    /// Its entry `batch.judged`, proven.
    let judged: LedgerEntry
    /// Whether contract, policy and what vouched for it were the same too.
    let isSame: Bool
    var isAccepted: Bool { judged.body["verdict"]?.text == "accepted" }
}

extension Recorder {
    /// The batch that judged this content before, if one did. What was accepted once is never accepted again, whatever contract, policy,
    /// recipients or version it comes under; what was held is judged again under any other.
    ///
    /// Keys and tables only say where to look: what is found is proven and compared with the batch.
    func earlier(_ batch: BatchIdentity) throws(IngestionError) -> EarlierBatch? {
        let state = try store.proven().state
        for sequence in state.acceptances(dataset: batch.dataset, digest: batch.digest) {
            guard let found = try earlier(sequence, batch), found.isAccepted else { continue }
            // What would replace itself unchanged is a duplicate as well.
            if found.batch != batch.supersedes || found.isSame { return found }
        }
        if batch.isForced { return nil }
        // Judgements from before their keys were part of them are found by the table alone.
        let table = try recording { () throws(LedgerError) in try ledger.seen(batch.seenKey) }
        for sequence in state.judgements(batch.seenKey) + (table.map { [$0] } ?? []) where sequence < state.size {
            if let found = try earlier(sequence, batch), found.isSame, found.batch != batch.supersedes { return found }
        }
        return nil
    }

    private func earlier(_ sequence: Int, _ batch: BatchIdentity) throws(IngestionError) -> EarlierBatch? {
        try recording { () throws(LedgerError) in
            let judged = try record.entry(sequence)
            guard judged.event == .batchJudged, let id = judged.body["batch"]?.text,
                let received = try record.run(around: sequence, id).first(where: { $0.event == .batchReceived })?.body,
                received["dataset"]?.text == batch.dataset, received["data_hash"]?.text == hex(batch.digest)
            else { return nil }
            if batch.comparesSources, received["source"]?.text != batch.source { return nil }
            let isSame: Bool
            if let keys = judged.body["seen"]?.items?.compactMap(\.text) {
                isSame = keys.contains(hex(batch.seenKey)) || keys.contains(hex(batch.contentKey))
            } else {
                isSame =
                    received["contract_sha256"]?.text == hex(batch.contractDigest)
                    && received["policy_sha256"]?.text == hex(batch.policyDigest)
            }
            return EarlierBatch(batch: id, judged: judged, isSame: isSame)
        }
    }

    /// The batch that `--supersede` names, which must be an accepted one of the dataset that still counts.
    func requireSupersedable(_ old: String, in dataset: String) throws(IngestionError) {
        let state = try store.proven().state
        let run = try recording { () throws(LedgerError) in try record.run(old) }
        guard let judged = run.first(where: { $0.event == .batchJudged })?.body, judged["verdict"]?.text == "accepted",
            judged["dataset"]?.text == dataset
        else {
            throw IngestionError(
                .usage,
                "--supersede: \(dataset) has no accepted batch with that id; see: sluice lineage log --dataset \(dataset)"
            )
        }
        if let by = state.superseded[old] {
            throw IngestionError(
                .usage, "--supersede: batch \(old) is already superseded by batch \(by); give that one")
        }
    }
}

extension Store {
    /// The batch that replaced one, if one did, by the proven record.
    package func superseding(_ batch: String) throws(IngestionError) -> String? { try proven().state.superseded[batch] }
}

/// The ends a batch can come to.
extension Recorder {
    /// Clears up after an ending that failed before its commit; what was committed is left for recovery to finish.
    ///
    /// Whether it was is asked of the record, not of the error: a sync that fails behind the commit point, or a lock that
    /// cannot be removed when all is done, are errors of a batch that is committed.
    ///
    /// - Returns: an equal batch that another process judged meanwhile, if that was the reason.
    func afterFailure(_ lease: Lease, _ batch: BatchIdentity) throws(IngestionError) -> EarlierBatch? {
        if try !recording({ () throws(LedgerError) in try record.run(batch.id) }).isEmpty { return nil }
        let earlier = try earlier(batch)
        try abandon(lease)
        return earlier
    }

    /// Records that a batch came again.
    func record(
        duplicate batch: BatchIdentity, of earlier: EarlierBatch, lease: Lease?
    ) throws(IngestionError) {
        let change = LedgerChange(entries: [EntryBodies(batch, time: Clock.text()).duplicate(of: earlier.batch)])
        if let lease {
            try commit(change, of: batch, lease: lease, from: nil)
        } else {
            _ = try append(change)
        }
    }

    /// Publishes an accepted batch.
    func accept(_ judged: JudgedBatch, in workplace: Workplace) throws(IngestionError) -> BatchReport {
        var conclusion = Conclusion(judged, .accepted)
        let (batch, staging) = (conclusion.batch, workplace.staging)
        conclusion.rowMap = judged.fates
        conclusion.shards = judged.results.flatMap(\.shards)
        if let baseline = judged.newBaseline {
            conclusion.shards.append(
                try staging.seal(
                    baseline.encoded(), role: .baseline, mediaType: "application/octet-stream",
                    // Whose it is must be known without opening it: others' batches are passed over.
                    extra: batch.source.isEmpty ? [:] : ["source": batch.source]))
        }
        conclusion.shards += try sealCompanions(of: judged, in: staging)
        conclusion.shards.append(
            try staging.seal(judged.rowIndex, role: .rows, mediaType: "application/octet-stream"))
        var report = try finish(&conclusion, judged, in: workplace, publishing: [.accepted, .quarantine])
        report.supersedes = batch.supersedes ?? ""
        return report
    }

    /// Holds a batch: nothing is published, the source is sealed whole into quarantine, with the findings.
    func hold(_ judged: JudgedBatch, in workplace: Workplace) throws(IngestionError) -> BatchReport {
        let isRejected = judged.batchFindings.contains { $0.code.rejectsBatch }
        var conclusion = Conclusion(judged, isRejected ? .rejected : .held)
        let staging = workplace.staging
        for shard in judged.results.flatMap(\.shards) {
            if shard.role == .quarantine {
                conclusion.shards.append(shard)
            } else {
                try storing { () throws(StorageError) in try staging.folder.remove(Store.name(shard.name)) }
            }
        }
        // What held rows say is no baseline, but it counts as a vote: whoever came first must not be right for that.
        conclusion.shards += try sealCompanions(of: judged, in: staging)
        conclusion.shards.append(try sealSource(judged.opened.source, rows: judged.counts.total, staging))
        // What was sealed is what was judged.
        try requireSettled(judged.opened.source, workplace.lease)
        // Rows with a reason of their own are in a quarantine shard, and can be traced; all others are held with the batch.
        for run in judged.results.flatMap(\.rowMap.runs) {
            conclusion.rowMap.append(run.fate.outcome.map(\.isReleased) ?? true ? .held : run.fate, count: run.count)
        }
        if judged.results.isEmpty, judged.counts.total > 0 {
            conclusion.rowMap.append(.held, count: judged.counts.total)
        }
        if conclusion.status == .held { conclusion.incident = try incident(of: conclusion) }
        return try finish(&conclusion, judged, in: workplace, publishing: [.source, .quarantine])
    }

    /// The oldest held batch that shows the same change as one that is about to be held.
    private func incident(of conclusion: Conclusion) throws(IngestionError) -> HeldBatch? {
        let batch = conclusion.batch
        let reasons = conclusion.batchFindings.filter { $0.outcome >= .quarantined }.map {
            HeldBatch.Reason(
                code: $0.code.rawValue, field: batch.fields.indices.contains($0.field) ? batch.fields[$0.field] : "")
        }
        return try store.incident(reasons, dataset: batch.dataset, source: batch.source)
    }

    /// Seals decision and report, records the conclusion, and reports.
    ///
    /// Decision and report are two lines of one file, since each file more is felt where batches are small.
    ///
    /// - Parameter roles: roles of the files that the report names.
    private func finish(
        _ conclusion: inout Conclusion, _ judged: JudgedBatch, in workplace: Workplace, publishing roles: Set<FileRole>
    ) throws(IngestionError) -> BatchReport {
        let batch = conclusion.batch
        for index in conclusion.shards.indices {
            conclusion.shards[index].path = path(
                batch, conclusion.shards[index], isAccepted: conclusion.isAccepted)
        }
        var report = judged.report(conclusion.status)
        report.batch = batch.id
        report.incident = conclusion.incident.map { (batch: $0.batch, since: $0.time) }
        report.published = conclusion.shards.filter { roles.contains($0.role) }.map(\.path)
        let decision = judged.keptDecision
        let kept = report.keptDocument(judged.decision).text(pretty: false)
        var shard = try workplace.staging.seal(
            (decision ?? Array("null".utf8)) + [0x0A] + kept.utf8 + [0x0A], role: .decision,
            mediaType: "application/jsonl")
        shard.path = path(batch, shard, isAccepted: conclusion.isAccepted)
        conclusion.shards.append(shard)
        conclusion.decisionDigest = decision.map { SHA256.hash($0) } ?? []
        try commit(conclusion, in: workplace)
        report.seconds = judged.opened.seconds
        return report
    }

    /// Seals what is kept beside the data: what rows say that others may speak of too, and what vouched for the file.
    private func sealCompanions(
        of judged: JudgedBatch, in staging: StagingArea
    ) throws(IngestionError) -> [StagedShard] {
        var shards: [StagedShard] = []
        if let claims = judged.processed?.claims {
            shards.append(
                try staging.seal(
                    claims, role: .claims, mediaType: "application/octet-stream",
                    extra: ["source": judged.identity.source]))
        }
        if let sidecars = judged.identity.attestation?.provenance.sidecars, !sidecars.files.isEmpty {
            shards.append(
                try staging.seal(
                    sidecars.document.canonicalBytes(), role: .provenance, mediaType: "application/json"))
        }
        return shards
    }

    /// Sets a delivered file aside that cannot be judged: it is sealed whole into quarantine, and that is its outcome.
    ///
    /// - Returns: the path of the sealed file, relative to the store.
    func fail(
        _ lease: Lease, as reason: FailureReason, source sourceName: String, attempts: Int,
        isStopped: @escaping @Sendable () -> Bool = { false }
    ) throws(IngestionError) -> String {
        guard let delivery = lease.delivery else { preconditionFailure("only a delivered file is set aside") }
        let source = try store.openSource(
            of: lease.name, delivery, calling: deliveredName(lease.name)?.description ?? lease.name,
            isStopped: isStopped)
        let recipients = try store.recipients(of: delivery.dataset)
        try enroll(recipients.map(UsedKey.init))
        let batch = BatchIdentity(
            unjudged: lease, source: sourceName, file: source, digest: try digest(of: source), recipients: recipients)
        let workplace = try begin(batch, lease)
        var shard = try sealSource(source, rows: 0, workplace.staging)
        try requireSettled(source, lease)
        shard.path = path(batch, shard, isAccepted: false)
        let folder = workplace.staging.folder
        try storing { () throws(StorageError) in try folder.sync() }
        let bodies = EntryBodies(batch, time: Clock.text())
        let entries = [bodies.failed(reason, bytes: source.size, attempts: attempts)] + bodies.published([shard])
        try commit(LedgerChange(entries: entries), of: batch, lease: lease, from: folder)
        return shard.path
    }

    private func sealSource(
        _ source: InputFile, rows: Int, _ stage: StagingArea
    ) throws(IngestionError) -> StagedShard {
        var context = stage.context
        context["role"] = FileRole.source.rawValue
        let made = context
        let opened = try sealing { () throws(SealingError) in
            let file = try sealed { () throws(StorageError) in
                try StagedFile(in: stage.folder, name: "source.sluice")
            }
            return try MessageWriter(to: file, context: made, recipients: stage.recipients)
        }
        var writer = opened
        var length = 0
        try source.forEachChunk { chunk throws(IngestionError) in
            length += chunk.count
            do throws(SealingError) { try writer.write(chunk) } catch { throw IngestionError(error) }
        }
        do throws(SealingError) {
            let message = try writer.finish().commit(as: "source.sluice")
            return StagedShard(
                role: .source, ordinal: 0, name: "source.sluice",
                sourceRows: .init(count: rows, first: min(1, rows), last: rows, offset: 0, end: UInt64(length)),
                message: message)
        } catch {
            throw IngestionError(error)
        }
    }
}
