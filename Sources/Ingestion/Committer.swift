import Cryptography
package import Lineage
import Masking
import Reading
import Schemas
import Screening
import Sealing
import Sketches
import Storage
import Tabular

/// Who a batch is: dataset, content, contract and policy decide whether it was judged before.
struct BatchIdentity: Sendable {
    let id: String
    let dataset: String
    let source: String
    let format: SourceFormat
    let digest: [UInt8]
    let contractDigest: [UInt8]
    let contract: JSONValue
    let contractName: String
    let contractVersion: String
    let policyDigest: [UInt8]
    let seenKey: [UInt8]
    let keys: [String]
    let fields: [String]

    init(plan: Plan, digest: [UInt8], contract: JSONValue) throws(IngestionError) {
        id = try Clock.identifier()
        dataset = plan.dataset
        source = plan.source
        format = plan.reading.format
        self.digest = digest
        contractDigest = plan.schema.digest
        self.contract = wholeNumbered(contract)
        contractName = plan.schema.name
        contractVersion = plan.schema.version
        policyDigest = plan.policyDigest
        keys = plan.recipients.map(\.name)
        fields = plan.fieldNames
        var key = SHA256()
        key.update(Array("ingest/seen/v1".utf8).span)
        key.update(SHA256.hash(Array(plan.dataset.utf8)).span)
        for part in [digest, contractDigest, policyDigest] { key.update(part.span) }
        if plan.options.force { key.update(Array(id.utf8).span) }
        seenKey = key.digest()
    }

    /// What every shard of the batch carries in clear, authenticated (SECURITY.md 1.3).
    func context(_ origin: String) -> [String: String] {
        [
            "v": "1", "origin": origin, "batch-id": id, "dataset": dataset, "source-sha256": hex(digest),
            "schema-sha256": hex(contractDigest), "policy-sha256": hex(policyDigest), "media-type": format.mediaType,
        ]
    }
}

/// A claim on a batch while it is worked on; its lock lives as long as it does, however the process ends.
final class Claim: Sendable {
    let name: String
    let folder: String
    private let lock: FileLock

    init(name: String, folder: String, lock: consuming FileLock) {
        self.name = name
        self.folder = folder
        self.lock = lock
    }
}

/// Writes history: claims, commits, publishes, and finishes what a crash left behind by the very same functions.
package struct Committer: Sendable {
    let store: Store
    /// The record.
    package let ledger: Ledger

    /// Opens the store's ledger and finishes or undoes what dead processes left.
    package init(_ store: Store) throws(IngestionError) {
        self.store = store
        ledger = try store.ledger()
        try recover()
    }

    // MARK: Claims

    private func lockPath(_ claim: String) -> String { join(store.workFolder, claim + ".lock") }

    func claim(_ batch: BatchIdentity) throws(IngestionError) -> Claim {
        let path = lockPath(batch.id)
        let taken = try storing { () throws(StorageError) in try FileLock.tryAcquire(path) }
        guard let taken else { throw IngestionError(.tryAgain, "\(path): the claim is held by another process") }
        let claim = Claim(name: batch.id, folder: join(store.workFolder, batch.id), lock: taken)
        try storing { () throws(StorageError) in try makeFolder(claim.folder) }
        try recording { () throws(LedgerError) in
            try ledger.insertInflight(
                Inflight(
                    claim: batch.id, source: batch.dataset, state: .claimed, attempts: 1, sha256: batch.digest,
                    updatedMilliseconds: Clock.milliseconds()))
        }
        return claim
    }

    /// Gives up a claim: nothing of it stays.
    func abandon(_ claim: Claim) throws(IngestionError) { try forget(claim.name) }

    private func forget(_ claim: String) throws(IngestionError) {
        try storing { () throws(StorageError) in
            try removeTree(join(store.workFolder, claim))
            try syncFolder(store.workFolder)
        }
        try recording { () throws(LedgerError) in try ledger.removeInflight(claim: claim) }
        try storing { () throws(StorageError) in try removeFile(lockPath(claim)) }
    }

    // MARK: Commit

    /// What a batch leaves behind, ready to be recorded and moved into place.
    struct Outcome {
        var verdict: String
        var report: BatchReport
        var decisionDigest: [UInt8]
        var baselineBatches: [String]
        var rowMap: RowMap
        var shards: [StagedShard]
    }

    /// Records a batch and its claim's plan in one transaction, then moves the files into place.
    func commit(_ claim: Claim, _ batch: BatchIdentity, _ outcome: Outcome) throws(IngestionError) {
        try storing { () throws(StorageError) in try syncFolder(claim.folder) }
        let time = Clock.text()
        let rowMap = outcome.rowMap.encoded()
        var entries: [JSONValue] = []
        var blobs = [LedgerBlob(media: RowMap.mediaType, data: rowMap)]
        let contract = batch.contract.canonicalBytes()
        let isNew = try recording { () throws(LedgerError) in try ledger.blob(sha256: batch.contractDigest) == nil }
        if isNew {
            blobs.append(LedgerBlob(media: "application/schema+json", data: contract))
            entries.append(
                .object([
                    "kind": .string("contract.registered"), "v": .integer(1), "time": .string(time),
                    "contract_sha256": .string(hex(batch.contractDigest)), "name": .string(batch.contractName),
                    "version": .string(batch.contractVersion),
                ]))
        }
        entries.append(received(batch, outcome.report, time))
        let judgedIndex = entries.count
        entries.append(judged(batch, outcome, time, rowMap))
        for shard in outcome.shards { entries.append(published(batch, shard, time)) }
        let plan = JSONValue.object([
            "batch": .string(batch.id),
            "files": .array(
                outcome.shards.map {
                    .object(["from": .string($0.name), "to": .string($0.path)])
                }),
        ])
        let inflight = Inflight(
            claim: claim.name, source: batch.dataset, state: .publishing, attempts: 1, sha256: batch.digest,
            plan: plan.canonicalBytes(), updatedMilliseconds: Clock.milliseconds())
        let change = LedgerChange(
            entries: entries, blobs: blobs, seen: [batch.seenKey: judgedIndex], putInflight: [inflight])
        _ = try recording { () throws(LedgerError) in try ledger.commit(change) }
        try publish(inflight)
    }

    /// Where a file goes, relative to the store. Decision and row index lie apart, so that `*.sluice` in a batch's folder
    /// is its shards and nothing else.
    func path(_ batch: BatchIdentity, _ shard: StagedShard, isAccepted: Bool) -> String {
        let home = "\(isAccepted ? "accepted" : "quarantine")/\(batch.dataset)/\(batch.id)"
        switch shard.role {
        case "quarantine": return "quarantine/\(batch.dataset)/\(batch.id)/\(shard.ordinal).sluice"
        case "source": return "quarantine/\(batch.dataset)/\(batch.id)/source.sluice"
        case "baseline": return "baselines/\(batch.dataset)/\(batch.id).sluice"
        case "accepted": return "\(home)/\(shard.ordinal).sluice"
        default: return "\(home)/evidence/\(shard.role).sluice"
        }
    }

    /// Moves the files of a committed plan into place, writes receipts, and lets the claim go. Doing it twice is doing it
    /// once: recovery after a crash calls this very function.
    func publish(_ claim: Inflight) throws(IngestionError) {
        guard let bytes = claim.plan, let plan = try? JSONValue.parse(bytes), let files = plan["files"]?.items,
            let batch = plan["batch"]?.text
        else { throw IngestionError(.software, "the plan of claim \(claim.claim) cannot be read") }
        var folders: [String] = []
        for file in files {
            guard let from = file["from"]?.text, let to = file["to"]?.text else { continue }
            let source = join(join(store.workFolder, claim.claim), from)
            let target = join(store.root, to)
            let folder = split(target).folder
            try storing { () throws(StorageError) in
                if !folders.contains(folder) {
                    try makeFolder(folder)
                    folders.append(folder)
                }
                // Already there after a crash between the rename and here.
                if exists(source) || !exists(target) { try renameNoReplace(from: source, to: target) }
            }
        }
        try receipts(batch)
        try storing { () throws(StorageError) in
            for folder in folders { try syncFolder(folder) }
        }
        try forget(claim.claim)
    }

    /// Writes a `.tlog-proof` beside each shard of a batch: anyone can check it offline against the signed checkpoint.
    private func receipts(_ batch: String) throws(IngestionError) {
        let entries = try recording { () throws(LedgerError) in try LineageQuery(ledger).batch(batch) }
        // All are written before the first is made durable: one journal commit of the file system serves them all.
        var receipts: [Receipt] = []
        for entry in entries where entry.kind == "shard.published" {
            guard let path = entry.body["path"]?.text else { continue }
            let proof = try recording { () throws(LedgerError) in try ledger.proof(of: entry.sequence) }
            let target = join(store.root, path + ".tlog-proof")
            guard let proof, !exists(target) else { continue }
            receipts.append(try storing { () throws(StorageError) in try Receipt(target, proof.text) })
        }
        for receipt in receipts { try storing { () throws(StorageError) in try receipt.commit() } }
    }

    /// A receipt that is written and not yet durable.
    private final class Receipt {
        private var file: StagedFile?
        private let name: String

        init(_ target: String, _ text: [UInt8]) throws(StorageError) {
            let (folder, name) = split(target)
            // A crash may have left the half of it.
            if exists(join(folder, name + ".part")) { try removeFile(join(folder, name + ".part")) }
            var file = try StagedFile(in: folder, name: name)
            try file.write(text.span)
            self.name = name
            self.file = consume file
        }

        func commit() throws(StorageError) {
            guard let open = file.take() else { return }
            try open.commit(as: name)
        }
    }

    /// Finishes or undoes every claim whose lock nobody holds.
    package func recover() throws(IngestionError) {
        let claims = try recording { () throws(LedgerError) in try ledger.inflight() }
        for claim in claims {
            let lock = try storing { () throws(StorageError) in try FileLock.tryAcquire(lockPath(claim.claim)) }
            guard lock != nil else { continue }
            if claim.state == .publishing { try publish(claim) } else { try forget(claim.claim) }
        }
        let known = Set(claims.map(\.claim))
        let names = try storing { () throws(StorageError) in try listFolder(store.workFolder) }
        for name in names {
            let claim = name.hasSuffix(".lock") ? String(name.dropLast(5)) : name
            if known.contains(claim) || !exists(join(store.workFolder, name)) { continue }
            let lock = try storing { () throws(StorageError) in try FileLock.tryAcquire(lockPath(claim)) }
            guard lock != nil else { continue }
            // The row may have been committed since the list was read; then it is no orphan.
            let now = try recording { () throws(LedgerError) in try ledger.inflight() }
            if now.contains(where: { $0.claim == claim }) { continue }
            try storing { () throws(StorageError) in
                if exists(join(store.workFolder, claim)) { try removeTree(join(store.workFolder, claim)) }
                try removeFile(lockPath(claim))
            }
        }
    }
}
