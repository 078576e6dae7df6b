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

/// A claim on a batch while it is worked on; its lock lives as long as it does, however the process ends.
package final class Claim: Sendable {
    let name: String
    /// The file that `watch` took for it; nil when the source is the user's own file and stays where it is.
    let delivery: Delivery?
    private let lock: FileLock

    init(name: String, lock: consuming FileLock, delivery: Delivery? = nil) {
        self.name = name
        self.delivery = delivery
        self.lock = lock
    }

    /// The name of its folder in `work`.
    var folderName: FileName { Store.name(name) }
}

/// Writes history: claims, commits, publishes, and finishes what a crash left behind by the very same functions.
package struct Committer: Sendable {
    /// The store, with its record.
    let store: Store
    /// The record, to write into.
    package let ledger: Ledger
    /// The record, to decide by.
    package let record: ProvenLog
    /// The folder of claims.
    let work: OpenFolder
    /// Baselines that were opened before.
    let baselines = BaselineCache()

    /// Opens the store's ledger, proves it, and finishes or undoes what dead processes left.
    package init(_ store: Store) throws(IngestionError) {
        ledger = try store.ledger()
        let proving = store.proving(ledger)
        record = try proving.proven().log
        self.store = proving
        work = try storing { () throws(StorageError) in try proving.openWork() }
        // What cannot be finished now, such as a move into an archive that is not mounted, is no reason to do nothing else.
        _ = try recover()
        try catchUp()
    }

    // MARK: Writing

    /// Records entries by themselves.
    func append(_ entries: [JSONValue]) throws(IngestionError) { _ = try append(LedgerChange(entries: entries)) }

    /// Records a change, and writes the new state down outside the store: an older copy of the ledger is missed from then on.
    func append(_ change: LedgerChange) throws(IngestionError) -> Committed {
        let made = try recording { () throws(LedgerError) in try ledger.commit(change) }
        _ = try store.pinning(ledger)
        return made
    }

    // MARK: Claims

    private func lockName(_ claim: String) -> FileName { Store.name(claim + ".lock") }

    /// The lock of a claim; nil while somebody holds it.
    func tryLock(_ claim: String) throws(IngestionError) -> FileLock? {
        try storing { () throws(StorageError) in try FileLock.tryAcquire(lockName(claim), in: work) }
    }

    func lock(_ claim: String) throws(IngestionError) -> FileLock {
        if let taken = try tryLock(claim) { return taken }
        throw IngestionError(.tryAgain, "\(store.workFolder)/\(claim).lock: the claim is held by another process")
    }

    /// Begins to make something of a batch: takes a claim, unless the file was delivered and has one, and an empty folder for
    /// what is staged.
    func begin(_ batch: BatchIdentity, _ delivered: Claim?) throws(IngestionError) -> (
        claim: Claim, staging: OpenFolder
    ) {
        let claim: Claim
        if let delivered {
            claim = delivered
        } else {
            claim = Claim(name: batch.id, lock: try lock(batch.id))
            try recording { () throws(LedgerError) in
                try ledger.insertInflight(
                    Inflight(
                        claim: batch.id, source: batch.dataset, state: .claimed, attempts: 1,
                        updatedMilliseconds: Clock.milliseconds()
                    ).of(sha256: batch.digest))
            }
        }
        let staging = try storing { () throws(StorageError) in
            try removeStaging(claim.name)
            return try work.makeFolder(claim.folderName)
        }
        return (claim, staging)
    }

    /// Gives up what was made of a claim. Without a delivered file nothing of it stays; with one, the claim and the file do,
    /// for another try.
    func abandon(_ claim: Claim) throws(IngestionError) {
        if claim.delivery == nil { return try forget(claim.name) }
        try storing { () throws(StorageError) in try removeStaging(claim.name) }
    }

    /// Lets a claim go: its staged files, its row and its lock. A delivered file is not touched; see `dispose`.
    func forget(_ claim: String) throws(IngestionError) {
        try storing { () throws(StorageError) in
            try removeStaging(claim)
            try removeRest(of: claim, [".name", ".sidecars"])
            try work.sync()
        }
        try recording { () throws(LedgerError) in try ledger.removeInflight(claim: claim) }
        try storing { () throws(StorageError) in try work.remove(lockName(claim)) }
    }

    private func removeStaging(_ claim: String) throws(StorageError) {
        if try work.status(of: Store.name(claim)) != nil { try work.removeTree(Store.name(claim)) }
    }

    /// Removes what was kept of a delivered file, unless the file itself is still there.
    private func removeRest(of claim: String, _ endings: [String]) throws(StorageError) {
        if try work.status(of: Store.name(claim + ".source")) != nil { return }
        for name in endings.map({ Store.name(claim + $0) }) where try work.status(of: name) != nil {
            try work.remove(name)
        }
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

    /// Records a batch and its claim's row in one transaction, then moves the files into place.
    func commit(
        _ claim: Claim, _ batch: BatchIdentity, _ outcome: Outcome, in staging: OpenFolder
    ) throws(IngestionError) {
        try storing { () throws(StorageError) in try staging.sync() }
        // Looked for once more: another process may have judged the same content meanwhile.
        let state = try store.proven().state
        if try earlier(batch) != nil {
            throw IngestionError(.tryAgain, "batch \(batch.id): the same content was judged a moment ago")
        }
        let time = Clock.text()
        let rowMap = outcome.rowMap.encoded()
        var entries: [JSONValue] = []
        var blobs = [LedgerBlob(media: RowMap.mediaType, data: rowMap)]
        let contract = batch.contract.canonicalBytes()
        if !state.contracts.contains(hex(batch.contractDigest)) {
            blobs.append(LedgerBlob(media: LedgerBlob.contractMedia, data: contract))
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
        if outcome.verdict == "accepted", let old = batch.supersedes {
            entries.append(superseded(old, by: batch, time))
        }
        if let waiver = batch.waiver { entries.append(released(waiver, batch, outcome.report, time)) }
        let seen = Dictionary(
            batch.seenKeys(isAccepted: outcome.verdict == "accepted").map { ($0, judgedIndex) },
            uniquingKeysWith: { first, _ in first })
        try commit(
            claim, batch, shards: outcome.shards,
            LedgerChange(entries: entries, blobs: blobs, seen: seen).decided(
                at: state.size,
                accepting: outcome.verdict == "accepted" && batch.supersedes == nil ? batch.content : nil),
            in: staging)
    }

    /// Records entries together with the claim's row, then moves the files into place.
    func commit(
        _ claim: Claim, _ batch: BatchIdentity, shards: [StagedShard], _ change: LedgerChange, in staging: OpenFolder?
    ) throws(IngestionError) {
        var delivery = claim.delivery
        delivery?.judged = batch.fileIdentity
        let plan = delivery.map { JSONValue.object(["delivery": $0.document]).canonicalBytes() }
        let inflight = Inflight(
            claim: claim.name, source: batch.dataset, state: .publishing, attempts: 1,
            updatedMilliseconds: Clock.milliseconds()
        ).of(sha256: batch.digest).following(plan)
        var change = change
        change.putInflight.append(inflight)
        let made = try append(change)
        var files: [Placement] = []
        for (index, entry) in change.entries.enumerated() where entry["kind"]?.text == LedgerEntry.publishedKind {
            for file in entry["files"]?.items ?? [] {
                files.append(try Placement(file, sequence: made.firstSequence + index))
            }
        }
        if let staging { try place(files, from: staging, isRecovery: false) }
        try finish(claim.name, delivery)
    }

    /// A recorded file on its way from the claim's folder to its place, both worked out from the signed entry.
    struct Placement {
        /// Its name among the staged files.
        let staged: FileName
        /// Its place below the store.
        let target: RelativePath
        let digest: String
        /// The entry that records it.
        let sequence: Int

        /// Reads a member of an entry's `files`.
        init(_ file: JSONValue, sequence: Int) throws(IngestionError) {
            let role = file["role"]?.text ?? ""
            guard let path = file["path"]?.text, let target = recordedPath(path), let digest = file["file_sha256"]?.text
            else {
                throw IngestionError(.damaged, "entry \(sequence) of the ledger records a file without a place of ours")
            }
            let ordinal = file["shard"]?.whole ?? 0
            switch role {
            case "accepted": staged = Store.name("\(ordinal).sluice")
            case "quarantine": staged = Store.name("\(ordinal).quarantine.sluice")
            default:
                guard let name = FileName(Array((role + ".sluice").utf8)) else {
                    throw IngestionError(.damaged, "entry \(sequence) of the ledger records a file of no role of ours")
                }
                staged = name
            }
            self.target = target
            self.digest = digest
            self.sequence = sequence
        }
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

    /// Moves files of a committed batch into place and writes their receipts. Doing it twice is doing it once: recovery after a crash
    /// calls this very function.
    ///
    /// - Parameter isRecovery: whether the files were out of our hands since they were written; then each is compared with the record.
    private func place(_ files: [Placement], from staging: OpenFolder?, isRecovery: Bool) throws(IngestionError) {
        var folders: [RelativePath: OpenFolder] = [:]
        for file in files {
            guard let above = file.target.folder else { continue }
            try storing { () throws(StorageError) in
                let folder: OpenFolder
                if let known = folders[above] {
                    folder = known
                } else {
                    folder = try store.files.folder(at: above, making: true)
                }
                folders[above] = folder
                let isStaged = try staging?.status(of: file.staged) != nil
                // Already there after a crash between the rename and here.
                if !isStaged, try folder.status(of: file.target.name) != nil { return }
                guard let staging, isStaged else {
                    throw StorageError(
                        .notFound, "publish", join(store.root, file.target.description), errno: 0,
                        cause: "it is recorded, and neither there nor in work/; restore it from a backup")
                }
                if isRecovery, try sha256(of: staging.openRegular(file.staged)) != file.digest {
                    throw StorageError(
                        .inputOutput, "publish", join(store.root, file.target.description), errno: 0,
                        cause: "what is staged for it in work/ is not what the ledger records; restore it from a backup"
                    )
                }
                try staging.move(file.staged, to: folder, as: file.target.name)
            }
        }
        try receipts(files, folders)
        try storing { () throws(StorageError) in
            for folder in folders.values { try folder.sync() }
        }
    }

    /// Lets a delivered file go, and then the claim.
    private func finish(_ claim: String, _ delivery: Delivery?) throws(IngestionError) {
        if let delivery, try !dispose(delivery, claim: claim) { return }
        try forget(claim)
    }

    /// Publishes what a dead process committed: what is to go where is read from the proven record, never from the claim's row.
    ///
    /// - Returns: false when the record has no such batch, so that there is nothing to publish.
    func republish(_ claim: String, _ delivery: Delivery?) throws(IngestionError) -> Bool {
        let run = try recording { () throws(LedgerError) in try record.run(claim) }
        if run.isEmpty { return false }
        var files: [Placement] = []
        for entry in run {
            for file in entry.files { files.append(try Placement(file.body, sequence: entry.sequence)) }
        }
        let staging = try storing { () throws(StorageError) -> OpenFolder? in
            guard try work.status(of: Store.name(claim))?.kind == .folder else { return nil }
            return try work.folder(at: RelativePath(Store.name(claim)))
        }
        try place(files, from: staging, isRecovery: true)
        try finish(claim, delivery)
        return true
    }

    /// Writes a `.tlog-proof` beside each file: anyone can check it offline against the signed checkpoint.
    private func receipts(_ files: [Placement], _ folders: [RelativePath: OpenFolder]) throws(IngestionError) {
        // All are written before the first is made durable: one journal commit of the file system serves them all.
        var receipts: [Receipt] = []
        var proofs: [Int: [UInt8]] = [:]
        for file in files {
            guard let folder = file.target.folder.flatMap({ folders[$0] }),
                let name = file.target.with(ending: ".tlog-proof")?.name
            else { continue }
            if try storing({ () throws(StorageError) in try folder.status(of: name) }) != nil { continue }
            if proofs[file.sequence] == nil {
                proofs[file.sequence] =
                    try recording { () throws(LedgerError) in try ledger.proof(of: file.sequence) }?.text
            }
            guard let proof = proofs[file.sequence] else { continue }
            receipts.append(try storing { () throws(StorageError) in try Receipt(name, in: folder, proof) })
        }
        for receipt in receipts { try storing { () throws(StorageError) in try receipt.commit() } }
    }

    /// A receipt that is written and not yet durable.
    private final class Receipt {
        private var file: StagedFile?
        private let name: FileName

        init(_ name: FileName, in folder: OpenFolder, _ text: [UInt8]) throws(StorageError) {
            // A crash may have left the half of it.
            if let part = RelativePath(name).with(ending: ".part")?.name, try folder.status(of: part) != nil {
                try folder.remove(part)
            }
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

    // MARK: Recovery

    /// Finishes or undoes every claim whose lock nobody holds.
    ///
    /// A row that is no claim of ours, and a thing in `work` that is none, are nobody's to touch: `doctor` and `verify --files` name them.
    ///
    /// - Returns: claims that could not be finished, and why; they stay for the next time.
    package func recover() throws(IngestionError) -> [(claim: Inflight, error: IngestionError)] {
        var failures: [(claim: Inflight, error: IngestionError)] = []
        let claims = try recording { () throws(LedgerError) in try ledger.inflight() }.filter {
            Inflight.isName($0.claim)
        }
        for claim in claims {
            do throws(IngestionError) {
                guard let lock = try tryLock(claim.claim) else { continue }
                try recover(claim)
                _ = consume lock
            } catch {
                if error.isFatal { throw error }
                failures.append((claim, error))
            }
        }
        let known = Set(claims.map(\.claim))
        for claim in try orphans() where !known.contains(claim) {
            do throws(IngestionError) { try recoverOrphan(claim) } catch {
                if error.isFatal { throw error }
                let row = Inflight(claim: claim, source: "", state: .claimed, updatedMilliseconds: 0)
                failures.append((row, error))
            }
        }
        return failures
    }

    private func recover(_ claim: Inflight) throws(IngestionError) {
        let delivery = delivery(of: claim)
        // What the row says of its state is nobody's word: the record tells whether the batch is committed.
        let isStaged = try storing { () throws(StorageError) in
            try work.status(of: Store.name(claim.claim))?.kind == .folder
        }
        if isStaged || claim.state == .publishing, try republish(claim.claim, delivery) { return }
        if let delivery, mayHaveSource(delivery, claim.claim) {
            // The supplier's file waits for the daemon; only what was made of it goes.
            try storing { () throws(StorageError) in try removeStaging(claim.claim) }
            if claim.state == .publishing { try reopen(claim) }
        } else {
            try forget(claim.claim)
        }
    }

    /// A row that claims to be published of a batch that the record does not have is a file that is still to be judged.
    private func reopen(_ claim: Inflight) throws(IngestionError) {
        var row = claim
        row.state = .claimed
        let made = row
        try recording { () throws(LedgerError) in try ledger.putInflight(made) }
    }

    /// Names of claims that left something in `work`, but for delivered files: those without a claim are nobody's to remove.
    private func orphans() throws(IngestionError) -> [String] {
        let names = try storing { () throws(StorageError) in try work.names() }
        var found: [String] = []
        for name in names.map(\.description) {
            guard let (claim, ending) = Store.claimPart(of: name), ending != ".source" else { continue }
            // A link, or a folder in a file's place, is none of ours.
            let kind = try storing { () throws(StorageError) in try work.status(of: Store.name(name))?.kind }
            guard kind == (ending.isEmpty ? .folder : .regular) else { continue }
            if found.last != claim { found.append(claim) }
        }
        return found
    }

    private func recoverOrphan(_ claim: String) throws(IngestionError) {
        guard let lock = try tryLock(claim) else { return }
        // The row may have been committed since the list was read; then it is no orphan.
        let now = try recording { () throws(LedgerError) in try ledger.inflight() }
        if now.contains(where: { $0.claim == claim }) { return }
        // A row can be taken away: what the record has is published all the same.
        let isFolder = try storing { () throws(StorageError) in try work.status(of: Store.name(claim))?.kind == .folder
        }
        if isFolder, try republish(claim, nil) { return }
        try storing { () throws(StorageError) in
            try removeStaging(claim)
            try removeRest(of: claim, [".name", ".name.part", ".sidecars", ".sidecars.part"])
            try work.remove(lockName(claim))
        }
        _ = consume lock
    }

    /// Whether a claim's file is there, or may be there once its file system is mounted again.
    private func mayHaveSource(_ delivery: Delivery, _ claim: String) -> Bool {
        if (try? store.sourceStatus(of: claim, delivery)) != nil { return true }
        if delivery.isInWork { return false }
        return (try? store.openPlace(store.inboxPath(of: delivery.dataset)).names())?.isEmpty ?? true
    }
}
