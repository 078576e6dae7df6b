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

extension Committer {
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
            guard judged.kind == "batch.judged", let id = judged.body["batch"]?.text,
                let received = try record.run(around: sequence, id).first(where: { $0.kind == "batch.received" })?.body,
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
        guard let judged = run.first(where: { $0.kind == "batch.judged" })?.body, judged["verdict"]?.text == "accepted",
            judged["dataset"]?.text == dataset
        else {
            throw IngestionError(
                .usage,
                "--supersede: \(dataset) has no accepted batch of that id; see: sluice lineage log --dataset \(dataset)"
            )
        }
        if let by = state.superseded[old] {
            throw IngestionError(
                .usage, "--supersede: batch \(old) was superseded by batch \(by) already; name that one")
        }
    }
}

extension Store {
    /// The batch that replaced one, if one did, by the proven record.
    package func superseding(_ batch: String) throws(IngestionError) -> String? { try proven().state.superseded[batch] }
}

/// The ends a batch can come to.
extension Committer {
    /// Clears up after an ending that failed before its commit; what was committed is left for recovery to finish.
    ///
    /// Whether it was is asked of the record, not of the error: a sync that fails behind the commit point, or a lock that
    /// cannot be removed when all is done, are errors of a batch that is committed.
    ///
    /// - Returns: an equal batch that another process judged meanwhile, if that was the reason.
    func afterFailure(_ claim: Claim, _ batch: BatchIdentity) throws(IngestionError) -> EarlierBatch? {
        if try !recording({ () throws(LedgerError) in try record.run(batch.id) }).isEmpty { return nil }
        let earlier = try earlier(batch)
        try abandon(claim)
        return earlier
    }

    /// Records that a batch came again, and repeats the earlier verdict.
    func repeated(
        _ earlier: EarlierBatch, _ batch: BatchIdentity, _ report: BatchReport, _ claim: Claim?, _ started: Double
    ) throws(IngestionError) -> BatchReport {
        var report = report
        let of = earlier.batch
        report.status = .duplicate
        report.batch = batch.id
        report.duplicateOf = of
        report.isRefusedReplacement = earlier.isAccepted && !earlier.isSame
        let earlier = earlier.judged
        report.earlierWasAccepted = earlier.body["verdict"]?.text == "accepted"
        report.earlierWasHeld = earlier.body["verdict"]?.text == "held"
        report.earlierRejected = Int(earlier.body["rejected"]?.whole ?? 0)
        report.earlierQuarantined = Int(earlier.body["quarantined"]?.whole ?? 0)
        report.earlierFlagged = Int(earlier.body["flagged"]?.whole ?? 0)
        let entry = JSONValue.object([
            "kind": .string("batch.duplicate"), "v": .integer(1), "time": .string(Clock.text()),
            "batch": .string(batch.id), "dataset": .string(batch.dataset), "source": .string(batch.source),
            "data_hash": .string(hex(batch.digest)), "of": .string(of),
        ])
        let change = LedgerChange(entries: [entry])
        if let claim {
            try commit(claim, batch, shards: [], change, in: nil)
        } else {
            _ = try append(change)
        }
        report.seconds = Clock.monotonic() - started
        return report
    }

    private func companion(_ message: SealedMessage, _ role: String) -> StagedShard {
        StagedShard(role: role, ordinal: 0, name: role + ".sluice", message: message)
    }

    /// The decision as it is kept, with what a replay needs beside it: its digest is in the record.
    private func document(of decision: Decision, _ batch: BatchIdentity) -> [UInt8] {
        var members = decision.document().members ?? [:]
        members["reading"] = batch.reading.map { KeptReading.document(batch, $0) }
        return JSONValue.object(members).canonicalBytes()
    }

    /// Seals the decision, and the report with its pictures for whoever asks later: two lines of one file, since each file more is
    /// felt where batches are small.
    private func keep(
        _ decision: [UInt8], _ report: JSONValue, _ stage: Stage, _ shards: inout [StagedShard],
        _ path: (StagedShard) -> String
    ) throws(IngestionError) {
        let text =
            (decision.isEmpty ? Array("null".utf8) : decision) + [0x0A] + report.text(pretty: false).utf8 + [0x0A]
        var shard = companion(
            try stage.seal(text, name: "decision.sluice", role: "decision", mediaType: "application/jsonl"), "decision")
        shard.path = path(shard)
        shards.append(shard)
    }

    /// Seals what is kept beside the data: what rows say that others may speak of too, and what vouched for the file.
    private func keep(
        _ said: [UInt8]?, _ batch: BatchIdentity, _ stage: Stage, _ shards: inout [StagedShard]
    ) throws(IngestionError) {
        if let said {
            let message = try stage.seal(
                said, name: "claims.sluice", role: "claims", mediaType: "application/octet-stream",
                extra: ["source": batch.source])
            shards.append(companion(message, "claims"))
        }
        if let sidecars = batch.visitor?.provenance.sidecars, !sidecars.files.isEmpty {
            let message = try stage.seal(
                sidecars.document.canonicalBytes(), name: "provenance.sluice", role: "provenance",
                mediaType: "application/json")
            shards.append(companion(message, "provenance"))
        }
    }

    /// Publishes an accepted batch.
    func accept(
        _ claim: Claim, _ batch: BatchIdentity, _ report: BatchReport, decision: Decision, baseline: JudgingBaseline?,
        kept merged: KeptRows, stage: Stage, results: [SliceResult], said: [UInt8]?, _ started: Double
    ) throws(IngestionError) -> BatchReport {
        var report = report
        var shards = results.flatMap(\.shards)
        let kept = document(of: decision, batch)
        var released = merged
        var rowMap = RowMap()
        var lengths = Array("sluice-rows-v1\n".utf8)
        var lastStart: UInt64 = 0
        for result in results {
            rowMap.append(result.rowMap)
            Varint.append(result.firstStart - lastStart, to: &lengths)
            lengths += result.rowLengths
            lastStart = result.lastStart
        }
        released.finish()
        if !decision.screened.isEmpty, released.sample.count > 0 {
            var made = Baseline(
                features: decision.screened.numberNames(batch.fields), codes: decision.screened.codeNames(batch.fields),
                sample: released.sample, texts: released.texts, remarks: Baseline.Remarks(report.counts, decision))
            made.sizes = [report.counts.total]
            made.slow = decision.slow
            made.beginLevels(of: batch.waiver?.newLevels ?? [])
            made.marks = [decision.markRecord]
            made.clock = decision.clock
            let message = try stage.seal(
                made.encoded(),
                name: "baseline.sluice", role: "baseline",
                mediaType: "application/octet-stream",
                // Whose it is must be known without opening it: others' batches are passed over.
                extra: batch.source.isEmpty ? [:] : ["source": batch.source])
            shards.append(companion(message, "baseline"))
        }
        try keep(said, batch, stage, &shards)
        let index = try stage.seal(
            lengths, name: "rows.sluice", role: "rows", mediaType: "application/octet-stream")
        shards.append(companion(index, "rows"))
        report.status = .accepted
        report.batch = batch.id
        for index in shards.indices { shards[index].path = path(batch, shards[index], isAccepted: true) }
        report.published = shards.filter { $0.role == "accepted" || $0.role == "quarantine" }.map(\.path)
        report.seconds = Clock.monotonic() - started
        try keep(kept, report.keptDocument(decision), stage, &shards) { path(batch, $0, isAccepted: true) }
        try commit(
            claim, batch,
            Outcome(
                verdict: "accepted", report: report, decisionDigest: SHA256.hash(kept), baseline: baseline,
                rowMap: rowMap, shards: shards), in: stage.folder)
        report.supersedes = batch.supersedes ?? ""
        report.seconds = Clock.monotonic() - started
        return report
    }

    /// Holds a batch: nothing is published, the source is sealed whole into quarantine, with the findings.
    func hold(
        _ claim: Claim, _ batch: BatchIdentity, _ report: BatchReport, decision: Decision?,
        baseline: JudgingBaseline?, stage: Stage, source: Source, results: [SliceResult], said: [UInt8]? = nil,
        _ started: Double
    ) throws(IngestionError) -> BatchReport {
        var report = report
        var shards: [StagedShard] = []
        for shard in results.flatMap(\.shards) {
            if shard.role == "quarantine" {
                shards.append(shard)
            } else {
                try storing { () throws(StorageError) in try stage.folder.remove(Store.name(shard.name)) }
            }
        }
        let kept = decision.map { document(of: $0, batch) } ?? []
        // What held rows say is no baseline, but a word among others: whoever came first must not be right for that.
        try keep(said, batch, stage, &shards)
        shards.append(try sealSource(source, rows: report.counts.total, stage))
        // What was sealed is what was judged.
        try requireSettled(source, claim)
        // Rows with a reason of their own are in a quarantine shard, and can be traced; all others are held with the batch.
        var rowMap = RowMap()
        for run in results.flatMap(\.rowMap.runs) {
            rowMap.append(run.fate.outcome.map(\.isReleased) ?? true ? .held : run.fate, count: run.count)
        }
        if results.isEmpty, report.counts.total > 0 { rowMap.append(.held, count: report.counts.total) }
        report.status = report.batchFindings.contains { $0.code.rejectsBatch } ? .rejected : .held
        report.batch = batch.id
        if report.status == .held {
            let reasons = report.batchFindings.filter { $0.outcome >= .quarantined }.map {
                HeldBatch.Reason(
                    code: $0.code.rawValue, field: batch.fields.indices.contains($0.field) ? batch.fields[$0.field] : ""
                )
            }
            report.incident = try store.incident(reasons, dataset: batch.dataset, source: batch.source).map {
                (batch: $0.batch, since: $0.time)
            }
        }
        for index in shards.indices { shards[index].path = path(batch, shards[index], isAccepted: false) }
        report.published = shards.filter { $0.role == "source" || $0.role == "quarantine" }.map(\.path)
        report.seconds = Clock.monotonic() - started
        try keep(kept, report.keptDocument(decision), stage, &shards) { path(batch, $0, isAccepted: false) }
        try commit(
            claim, batch,
            Outcome(
                verdict: report.status.rawValue, report: report, decisionDigest: kept.isEmpty ? [] : SHA256.hash(kept),
                baseline: baseline,
                rowMap: rowMap, shards: shards), in: stage.folder)
        report.seconds = Clock.monotonic() - started
        return report
    }

    /// Sets a delivered file aside that cannot be judged: it is sealed whole into quarantine, and that is its outcome.
    ///
    /// - Returns: the path of the sealed file, relative to the store.
    func fail(
        _ claim: Claim, as reason: FailureReason, source sourceName: String, attempts: Int,
        isStopped: @escaping @Sendable () -> Bool = { false }
    ) throws(IngestionError) -> String {
        guard let delivery = claim.delivery else { preconditionFailure("only a delivered file is set aside") }
        let source = try store.openSource(
            of: claim.name, delivery, calling: deliveredName(claim.name)?.description ?? claim.name,
            isStopped: isStopped)
        let recipients = try store.recipients(of: delivery.dataset)
        try enroll(recipients.map(UsedKey.init))
        let batch = BatchIdentity(
            failed: claim, delivery, source: sourceName, file: source, digest: try digest(of: source),
            keys: recipients.map(\.name))
        let staging = try begin(batch, claim).staging
        let stage = Stage(folder: staging, context: batch.context(ledger.origin), recipients: recipients)
        var shard = try sealSource(source, rows: 0, stage)
        try requireSettled(source, claim)
        shard.path = path(batch, shard, isAccepted: false)
        try storing { () throws(StorageError) in try staging.sync() }
        let time = Clock.text()
        let entries =
            [failed(batch, reason, bytes: source.size, attempts: attempts, time)] + published(batch, [shard], time)
        try commit(claim, batch, shards: [shard], LedgerChange(entries: entries), in: staging)
        return shard.path
    }

    private func sealSource(
        _ source: Source, rows: Int, _ stage: Stage
    ) throws(IngestionError) -> StagedShard {
        var context = stage.context
        context["role"] = "source"
        let made = context
        let opened = try sealing { () throws(SealingError) in
            let file = try staging { () throws(StorageError) in try StagedFile(in: stage.folder, name: "source.sluice")
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
                role: "source", ordinal: 0, name: "source.sluice",
                sourceRows: .init(count: rows, first: min(1, rows), last: rows, offset: 0, end: UInt64(length)),
                message: message)
        } catch {
            throw IngestionError(error)
        }
    }
}
