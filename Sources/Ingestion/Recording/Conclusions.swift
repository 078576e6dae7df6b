import Cryptography
import Lineage
import Screening
import Sealing
import Sketches
import Storage
import Tabular

/// Why a delivered file was set aside unjudged.
package enum FailureReason: String, Sendable {
    /// Its name does not imply a format.
    case unknownFormat = "unknown-format"
    /// It is not in the declared format at all.
    case unreadable
    /// Three attempts at it ended with the death of the process.
    case crashLoop = "crash-loop"
}

/// A batch with the same content that was judged before.
struct EarlierBatch: Sendable {
    let batch: String
    /// Its proven `batch.judged` entry.
    let judged: LedgerEntry
    /// Whether contract, policy and attestation were equal too.
    let isSame: Bool
    var isAccepted: Bool { judged.body["verdict"]?.text == "accepted" }
}

extension Recorder {
    /// The batch that judged this content before, if there is one. Accepted content is never accepted again, whatever
    /// the contract, policy, recipients or version. Held content is judged again once any of them changes.
    ///
    /// Keys and tables only locate candidates: each is proven from the log and compared with the batch.
    func earlier(_ batch: BatchIdentity) throws(IngestionError) -> EarlierBatch? {
        // Other rows may have the same bytes. That each is released once is checked by their numbers.
        if batch.waiver?.rows != nil { return nil }
        let state = try store.proven().state
        for sequence in state.acceptances(dataset: batch.dataset, digest: batch.digest) {
            guard let found = try earlier(sequence, batch), found.isAccepted else { continue }
            // A batch that would replace itself unchanged is a duplicate as well.
            if found.batch != batch.supersedes || found.isSame { return found }
        }
        if batch.isForced { return nil }
        // Judgements of early versions do not list their keys and are found by the table alone.
        let table = try recording { () throws(LedgerError) in try ledger.seen(batch.seenKey) }
        for sequence in state.judgements(batch.seenKey) + (table.map { [$0] } ?? []) where sequence < state.size {
            if let found = try earlier(sequence, batch), found.isSame, found.batch != batch.supersedes { return found }
        }
        return nil
    }

    /// The judgement at a ledger sequence, if it is of the same content.
    private func earlier(_ sequence: Int, _ batch: BatchIdentity) throws(IngestionError) -> EarlierBatch? {
        try recording { () throws(LedgerError) in
            let judged = try record.entry(sequence)
            guard judged.event == .batchJudged, let id = judged.body["batch"]?.text else { return nil }
            let run = try record.run(around: sequence, id)
            guard let received = run.first(where: { $0.event == .batchReceived })?.body,
                received["dataset"]?.text == batch.dataset, received["data_hash"]?.text == hex(batch.digest)
            else { return nil }
            // A held batch whose source was removed cannot be released: the same content is judged anew.
            if try isSourceRemoved(run) { return nil }
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

    /// Whether the sealed source of a batch was removed, or nobody can open it any more.
    private func isSourceRemoved(_ run: [LedgerEntry]) throws(LedgerError) -> Bool {
        guard let source = run.flatMap(\.files).first(where: { $0.role == .source }) else { return false }
        if case .present = try record.standing(of: source) { return false }
        return true
    }

    /// Whether the entry that recorded a key of `seen` is that of a held batch whose source was removed.
    func removedHold(with key: [UInt8]) throws(IngestionError) -> Bool {
        try recording { () throws(LedgerError) in
            guard let sequence = try ledger.seen(key),
                let batch = try record.entry(sequence).body["batch"]?.text
            else { return false }
            return try isSourceRemoved(record.run(around: sequence, batch))
        }
    }

    /// Checks `--supersede`.
    ///
    /// - Parameters:
    ///   - old: the id that it names.
    ///   - dataset: the dataset of the new batch.
    /// - Throws: `usage` unless the id is that of an accepted batch of the dataset that nothing replaced yet.
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
    /// The batch that replaced the given one, by the proven record; nil when none did.
    package func superseding(_ batch: String) throws(IngestionError) -> String? { try proven().state.superseded[batch] }
}

/// The ways in which a batch ends: duplicate, accepted, held, set aside.
extension Recorder {
    /// Cleans up after an ending that failed before its commit. A committed batch is left for recovery to complete.
    ///
    /// The record decides which it was, not the error: a failed sync after the commit point is an error of a batch that
    /// is committed.
    ///
    /// - Returns: an equal batch that another process judged meanwhile, if that was the reason.
    func afterFailure(_ lease: Lease, _ batch: BatchIdentity) throws(IngestionError) -> EarlierBatch? {
        if try !recording({ () throws(LedgerError) in try record.run(batch.id) }).isEmpty { return nil }
        let earlier = try earlier(batch)
        try abandon(lease)
        return earlier
    }

    /// Records that a batch is a duplicate.
    ///
    /// - Parameters:
    ///   - batch: the batch.
    ///   - earlier: the batch that judged the same content.
    ///   - lease: the lease of a delivered file, which ends here.
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

    /// Records an accepted batch and publishes its shards.
    ///
    /// - Returns: the report with the published paths.
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
        conclusion.keyring = judged.processed?.keyring
        if let added = conclusion.keyring?.added {
            conclusion.shards.append(
                try staging.seal(added, role: .subjectKeys, mediaType: "application/octet-stream"))
        }
        conclusion.shards += try sealCompanions(of: judged, in: staging)
        conclusion.shards.append(
            try staging.seal(judged.rowIndex, role: .rows, mediaType: "application/octet-stream"))
        var report = try finish(&conclusion, judged, in: workplace, publishing: [.accepted, .quarantine])
        report.supersedes = batch.supersedes ?? ""
        return report
    }

    /// Records a held or rejected batch: nothing is published, and the whole source is sealed into quarantine.
    ///
    /// - Returns: the report with the quarantined paths.
    func hold(_ judged: JudgedBatch, in workplace: Workplace) throws(IngestionError) -> BatchReport {
        var conclusion = Conclusion(judged, judged.isRejected ? .rejected : .held)
        let staging = workplace.staging
        for shard in judged.results.flatMap(\.shards) {
            if shard.role == .quarantine {
                conclusion.shards.append(shard)
            } else {
                try storing { () throws(StorageError) in try staging.folder.remove(Store.name(shard.name)) }
            }
        }
        // Held rows make no baseline, but they still vote in cross-checks, so arriving first confers no advantage.
        conclusion.shards += try sealCompanions(of: judged, in: staging)
        conclusion.shards.append(try sealSource(judged.opened.source, rows: judged.counts.total, staging))
        // The sealed source must be the judged one: a file that changed meanwhile is not recorded.
        try requireSettled(judged.opened.source, workplace.lease)
        // Rows with a finding of their own are in a quarantine shard and stay traceable; all others are held with the
        // batch.
        for run in judged.results.flatMap(\.rowMap.runs) {
            conclusion.rowMap.append(run.fate.outcome.map(\.isReleased) ?? true ? .held : run.fate, count: run.count)
        }
        if judged.results.isEmpty, judged.counts.total > 0 {
            conclusion.rowMap.append(.held, count: judged.counts.total)
        }
        if conclusion.status == .held { conclusion.incident = try incident(of: conclusion) }
        return try finish(&conclusion, judged, in: workplace, publishing: [.source, .quarantine])
    }

    /// The oldest held batch that shows the same change as the one about to be held.
    private func incident(of conclusion: Conclusion) throws(IngestionError) -> HeldBatch? {
        let batch = conclusion.batch
        let reasons = conclusion.batchFindings.filter { $0.outcome >= .quarantined }.map {
            HeldBatch.Reason(code: $0.code.rawValue, field: batch.fields.name(ofField: $0.field) ?? "")
        }
        return try store.incident(reasons, dataset: batch.dataset, source: batch.source)
    }

    /// Seals decision and report, records the conclusion, and builds the report.
    ///
    /// Decision and report are two lines of one file: every further file costs a sync, which dominates small batches.
    ///
    /// - Parameters:
    ///   - conclusion: what is recorded; its shards get their places here.
    ///   - judged: the judged batch.
    ///   - workplace: its lease and staging area.
    ///   - roles: roles of the files that the report lists.
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

    /// Seals the files that are kept beside the data: assertions for cross-checks, and the sidecars.
    private func sealCompanions(
        of judged: JudgedBatch, in staging: StagingArea
    ) throws(IngestionError) -> [StagedShard] {
        var shards: [StagedShard] = judged.processed?.subjects.map { [$0] } ?? []
        if let assertions = judged.processed?.assertions {
            shards.append(
                try staging.seal(
                    assertions, role: .claims, mediaType: "application/octet-stream",
                    extra: ["source": judged.identity.source]))
        }
        if let sidecars = judged.identity.attestation?.provenance.sidecars, sidecars.areKept {
            shards.append(
                try staging.seal(
                    sidecars.document.canonicalBytes(), role: .provenance, mediaType: "application/json"))
        }
        return shards
    }

    /// Sets a delivered file aside that cannot be judged: the whole file is sealed into quarantine, and the ledger
    /// records why.
    ///
    /// - Parameters:
    ///   - lease: the file's lease.
    ///   - reason: why it cannot be judged.
    ///   - sourceName: the supplier.
    ///   - attempts: how often it was tried.
    ///   - isStopped: asked before each read.
    /// - Returns: the path of the sealed file, relative to the store.
    func fail(
        _ lease: Lease, as reason: FailureReason, source sourceName: String, attempts: Int,
        isStopped: @escaping @Sendable () -> Bool = { false }
    ) throws(IngestionError) -> String {
        guard let delivery = lease.delivery else { preconditionFailure("only a delivered file is set aside") }
        let source = try store.openLeft(
            of: lease, delivery, calling: deliveredName(lease.name)?.description ?? lease.name, isStopped: isStopped)
        let recipients = try store.recipients(of: delivery.dataset)
        try enroll(recipients.map(UsedKey.init))
        let batch = BatchIdentity(
            unjudged: lease, source: sourceName, file: source, digest: try source.digest().whole, recipients: recipients
        )
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

    /// Seals the whole source, streamed: a file as it is, several as an archive.
    private func sealSource(
        _ source: SourceFiles, rows: Int, _ stage: StagingArea
    ) throws(IngestionError) -> StagedShard {
        var context = stage.context
        context["role"] = FileRole.source.rawValue
        if source.parts.count > 1 { context["media-type"] = FileArchive.mediaType }
        let made = context
        let opened = try sealing { () throws(SealingError) in
            let file = try sealed { () throws(StorageError) in
                try StagedFile(in: stage.folder, name: "source.sluice")
            }
            return try MessageWriter(to: file, context: made, recipients: stage.recipients)
        }
        var writer = opened
        var length = 0
        try source.forEachSealedChunk { chunk throws(IngestionError) in
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
