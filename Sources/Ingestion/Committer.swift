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
    /// nil when the name does not say and nobody else did.
    let format: SourceFormat?
    let digest: [UInt8]
    let contractDigest: [UInt8]
    let contract: JSONValue
    /// The contract with its numbers as they are, and how the file was read: what a replay needs beside the decision.
    let document: JSONValue
    let reading: KeptPlan?
    let contractName: String
    let contractVersion: String
    let policyDigest: [UInt8]
    let seenKey: [UInt8]
    /// The same whoever brings it and whatever vouches for it: what was accepted once is a duplicate for good.
    let contentKey: [UInt8]
    let keys: [String]
    let fields: [String]
    /// For each field with a keyed operator, the fingerprint of its key.
    let keyFingerprints: [Int: String]
    /// What foreign keys referred to.
    let references: [Reference]
    /// Who brings it, and what vouches for it.
    let visitor: Visitor?

    /// SHA-256 of the file's name as its supplier or user gave it.
    let nameHash: [UInt8]
    /// The file as it was when it was opened.
    let fileIdentity: Delivery.FileIdentity

    /// A delivered file that could not be judged: it has a name, an origin and a digest, and neither contract nor policy.
    init(failed claim: Claim, _ delivery: Delivery, source: String, file: Source, digest: [UInt8], keys: [String]) {
        id = claim.name
        dataset = delivery.dataset
        self.source = source
        format = delivery.format
        self.digest = digest
        contractDigest = []
        contract = .null
        document = .null
        reading = nil
        contractName = ""
        contractVersion = ""
        policyDigest = []
        seenKey = []
        contentKey = []
        self.keys = keys
        fields = []
        keyFingerprints = [:]
        references = []
        visitor = nil
        nameHash = delivery.nameHash
        fileIdentity = file.identity
    }

    init(
        plan: Plan, digest: [UInt8], contract: JSONValue, source file: Source, claim: Claim?, visitor: Visitor?
    ) throws(IngestionError) {
        self.visitor = visitor
        if let claim { id = claim.name } else { id = try Clock.identifier() }
        nameHash = claim?.delivery?.nameHash ?? SHA256.hash(Array(file.path.utf8))
        fileIdentity = file.identity
        dataset = plan.dataset
        source = plan.source
        format = plan.reading.format
        self.digest = digest
        contractDigest = plan.schema.digest
        self.contract = wholeNumbered(contract)
        document = contract
        reading = KeptPlan(plan)
        contractName = plan.schema.name
        contractVersion = plan.schema.version
        policyDigest = plan.policyDigest
        keys = plan.recipients.map(\.name)
        fields = plan.fieldNames
        keyFingerprints = Dictionary(
            uniqueKeysWithValues: plan.schema.fields.enumerated().compactMap { index, field in
                field.pii?.key.flatMap { name in plan.tokenKeys[name].map { (index, $0.fingerprint(name: name)) } }
            })
        references = plan.references
        var key = SHA256()
        key.update(Array("ingest/seen/v1".utf8).span)
        key.update(SHA256.hash(Array(plan.dataset.utf8)).span)
        for part in [digest, contractDigest, policyDigest] { key.update(part.span) }
        // Where sources are held against each other, the same words from another one are words of their own.
        if plan.reader.claims != nil { key.update(SHA256.hash(Array(plan.source.utf8)).span) }
        if plan.options.force { key.update(Array(id.utf8).span) }
        contentKey = key.digest()
        let vouched = visitor?.identity ?? []
        key.update(vouched.span)
        seenKey = key.digest()
    }

    /// What every shard of the batch carries in clear, authenticated (SECURITY.md 1.3).
    func context(_ origin: String) -> [String: String] {
        var context = [
            "v": "1", "origin": origin, "batch-id": id, "dataset": dataset, "source-sha256": hex(digest),
            "media-type": format?.mediaType ?? "application/octet-stream",
        ]
        if !contractDigest.isEmpty { context["schema-sha256"] = hex(contractDigest) }
        if !policyDigest.isEmpty { context["policy-sha256"] = hex(policyDigest) }
        return context
    }
}

/// A claim on a batch while it is worked on; its lock lives as long as it does, however the process ends.
package final class Claim: Sendable {
    let name: String
    let folder: String
    /// The file that `watch` took for it; nil when the source is the user's own file and stays where it is.
    let delivery: Delivery?
    private let lock: FileLock

    init(name: String, folder: String, lock: consuming FileLock, delivery: Delivery? = nil) {
        self.name = name
        self.folder = folder
        self.delivery = delivery
        self.lock = lock
    }
}

/// Writes history: claims, commits, publishes, and finishes what a crash left behind by the very same functions.
package struct Committer: Sendable {
    let store: Store
    /// The record.
    package let ledger: Ledger
    /// Baselines that were opened before.
    let baselines = BaselineCache()

    /// Opens the store's ledger and finishes or undoes what dead processes left.
    package init(_ store: Store) throws(IngestionError) {
        self.store = store
        ledger = try store.ledger()
        // What cannot be finished now, such as a move into an archive that is not mounted, is no reason to do nothing else.
        _ = try recover()
    }

    // MARK: Claims

    func lockPath(_ claim: String) -> String { join(store.workFolder, claim + ".lock") }

    func lock(_ claim: String) throws(IngestionError) -> FileLock {
        let path = lockPath(claim)
        let taken = try storing { () throws(StorageError) in try FileLock.tryAcquire(path) }
        guard let taken else { throw IngestionError(.tryAgain, "\(path): the claim is held by another process") }
        return taken
    }

    /// Begins to make something of a batch: takes a claim, unless the file was delivered and has one, and an empty folder for
    /// what is staged.
    func begin(_ batch: BatchIdentity, _ delivered: Claim?) throws(IngestionError) -> Claim {
        let claim: Claim
        if let delivered {
            claim = delivered
        } else {
            claim = Claim(name: batch.id, folder: join(store.workFolder, batch.id), lock: try lock(batch.id))
            try recording { () throws(LedgerError) in
                try ledger.insertInflight(
                    Inflight(
                        claim: batch.id, source: batch.dataset, state: .claimed, attempts: 1, sha256: batch.digest,
                        updatedMilliseconds: Clock.milliseconds()))
            }
        }
        try storing { () throws(StorageError) in
            if exists(claim.folder) { try removeTree(claim.folder) }
            try makeFolder(claim.folder)
        }
        return claim
    }

    /// Gives up what was made of a claim. Without a delivered file nothing of it stays; with one, the claim and the file do,
    /// for another try.
    func abandon(_ claim: Claim) throws(IngestionError) {
        if claim.delivery == nil { return try forget(claim.name) }
        try storing { () throws(StorageError) in if exists(claim.folder) { try removeTree(claim.folder) } }
    }

    /// Lets a claim go: its staged files, its row and its lock. A delivered file is not touched; see `dispose`.
    func forget(_ claim: String) throws(IngestionError) {
        let folder = join(store.workFolder, claim)
        try storing { () throws(StorageError) in
            if exists(folder) { try removeTree(folder) }
            for rest in [folder + ".name", folder + ".sidecars"] where exists(rest) && !exists(folder + ".source") {
                try removeFile(rest)
            }
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
        /// The entries that published the baselines it was judged by.
        var baseline: JudgingBaseline?
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
        // One commit's entries of a batch stand together, so what is about its source comes first.
        if let visitor = batch.visitor {
            let held = outcome.report.batchFindings.filter { $0.outcome >= .quarantined }
            // A handful of rows proves nothing.
            let sound = outcome.report.counts.count(.accepted) + outcome.report.counts.count(.flagged)
            entries += try self.entries(
                about: visitor, passes: sound >= 30 && held.allSatisfy { $0.code == .sourceProbation }, batch, time)
        }
        entries.append(received(batch, outcome.report, time))
        let judgedIndex = entries.count
        entries.append(judged(batch, outcome, time, rowMap))
        entries += published(batch, outcome.shards, time)
        var seen = [batch.seenKey: judgedIndex]
        if outcome.verdict == "accepted" { seen[batch.contentKey] = judgedIndex }
        try commit(
            claim, batch, shards: outcome.shards,
            LedgerChange(
                entries: entries, blobs: blobs,
                seen: seen))
    }

    /// Records entries together with the plan of what is to be moved where, then carries the plan out.
    func commit(
        _ claim: Claim, _ batch: BatchIdentity, shards: [StagedShard], _ change: LedgerChange
    ) throws(IngestionError) {
        var plan: [String: JSONValue] = [
            "batch": .string(batch.id),
            "files": .array(shards.map { .object(["from": .string($0.name), "to": .string($0.path)]) }),
        ]
        if var delivery = claim.delivery {
            delivery.judged = batch.fileIdentity
            plan["delivery"] = delivery.document
        }
        let inflight = Inflight(
            claim: claim.name, source: batch.dataset, state: .publishing, attempts: 1, sha256: batch.digest,
            plan: JSONValue.object(plan).canonicalBytes(), updatedMilliseconds: Clock.milliseconds())
        var change = change
        change.putInflight.append(inflight)
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
        case "claims": return "\(Store.claimsPath(batch.dataset))/\(batch.id).sluice"
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
        if let delivery = delivery(of: claim), try !dispose(delivery, claim: claim.claim) { return }
        try forget(claim.claim)
    }

    /// Writes a `.tlog-proof` beside each shard of a batch: anyone can check it offline against the signed checkpoint.
    private func receipts(_ batch: String) throws(IngestionError) {
        let entries = try recording { () throws(LedgerError) in try LineageQuery(ledger).run(batch) }
        // All are written before the first is made durable: one journal commit of the file system serves them all.
        var receipts: [Receipt] = []
        for entry in entries where !entry.files.isEmpty {
            let proof = try recording { () throws(LedgerError) in try ledger.proof(of: entry.sequence) }
            guard let proof else { continue }
            for file in entry.files {
                let target = join(store.root, file.path + ".tlog-proof")
                if exists(target) { continue }
                receipts.append(try storing { () throws(StorageError) in try Receipt(target, proof.text) })
            }
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
    ///
    /// - Returns: claims that could not be finished, and why; they stay for the next time.
    package func recover() throws(IngestionError) -> [(claim: Inflight, error: IngestionError)] {
        var failures: [(claim: Inflight, error: IngestionError)] = []
        let claims = try recording { () throws(LedgerError) in try ledger.inflight() }
        for claim in claims {
            let lock = try storing { () throws(StorageError) in try FileLock.tryAcquire(lockPath(claim.claim)) }
            guard lock != nil else { continue }
            if claim.state == .publishing {
                do throws(IngestionError) { try publish(claim) } catch { failures.append((claim, error)) }
            } else if let delivery = delivery(of: claim), mayHaveSource(delivery) {
                // The supplier's file waits for the daemon; only what was made of it goes.
                try storing { () throws(StorageError) in
                    let folder = join(store.workFolder, claim.claim)
                    if exists(folder) { try removeTree(folder) }
                }
            } else {
                try forget(claim.claim)
            }
        }
        let known = Set(claims.map(\.claim))
        let names = try storing { () throws(StorageError) in try listFolder(store.workFolder) }
        for name in names {
            // A file of a supplier's without a claim is nobody's to remove; `doctor` names it.
            if name.hasSuffix(".source") { continue }
            let claim = String(name.prefix { $0 != "." })
            if known.contains(claim) || !exists(join(store.workFolder, name)) { continue }
            let lock = try storing { () throws(StorageError) in try FileLock.tryAcquire(lockPath(claim)) }
            guard lock != nil else { continue }
            // The row may have been committed since the list was read; then it is no orphan.
            let now = try recording { () throws(LedgerError) in try ledger.inflight() }
            if now.contains(where: { $0.claim == claim }) { continue }
            try storing { () throws(StorageError) in
                let path = join(store.workFolder, claim)
                if exists(path) { try removeTree(path) }
                for end in [".name", ".name.part", ".sidecars", ".sidecars.part"]
                where exists(path + end) && !exists(path + ".source") {
                    try removeFile(path + end)
                }
                try removeFile(lockPath(claim))
            }
        }
        return failures
    }

    /// Whether a claim's file is there, or may be there once its file system is mounted again.
    private func mayHaveSource(_ delivery: Delivery) -> Bool {
        let inbox = store.placed(delivery.inbox)
        if exists(store.placed(delivery.place)) { return true }
        return !delivery.place.hasPrefix("work/") && isEmptyFolder(inbox)
    }

    private func isEmptyFolder(_ path: String) -> Bool { (try? listFolder(path))?.isEmpty ?? true }
}
