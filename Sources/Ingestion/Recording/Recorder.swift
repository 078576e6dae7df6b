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

/// The exclusive right to work on a batch. It holds a file lock, which ends with the process in whatever way that ends.
package final class Lease: Sendable {
    let name: String
    /// The file that `watch` took; nil when the source is the user's own file and stays where it is.
    let delivery: Delivery?
    private let lock: FileLock

    init(name: String, lock: consuming FileLock, delivery: Delivery? = nil) {
        self.name = name
        self.delivery = delivery
        self.lock = lock
    }

    /// The name of the lease's folder in `work`.
    var folderName: FileName { Store.name(name) }
}

/// The place where a batch is made: its lease, and the folder of its staged files.
struct Workplace: Sendable {
    let lease: Lease
    let staging: StagingArea
}

/// Writes the store's history: takes leases, commits, publishes, and completes after a crash what was committed before
/// it.
package struct Recorder: Sendable {
    /// The store, with its record.
    let store: Store
    /// The ledger, for writing.
    package let ledger: Ledger
    /// The proven record, for decisions.
    package let record: ProvenLog
    /// The folder of leases.
    let work: OpenFolder
    /// Baselines that were opened before; kept for the life of a daemon.
    let baselines = BaselineCache()
    /// Sends run events; nil where `sluice.yaml` names no sink.
    package let events: EventDelivery?

    /// Opens the store's ledger, proves it, and completes or undoes what dead processes left.
    ///
    /// - Throws: `damaged` when the record does not hold.
    package init(_ store: Store) throws(IngestionError) {
        ledger = try store.ledger()
        let proving = store.proving(ledger)
        record = try proving.proven().log
        self.store = proving
        work = try storing { () throws(StorageError) in try proving.openWork() }
        events = EventDelivery(proving)
        events?.prepare()
        // A lease that cannot be completed now, for example because its archive is not mounted, must not stop other
        // work.
        _ = try recover()
        try catchUp()
    }

    // MARK: Writing

    /// Records entries by themselves.
    func append(_ entries: [JSONValue]) throws(IngestionError) { _ = try append(LedgerChange(entries: entries)) }

    /// Commits a change and pins the new signed state outside the store, so that a rollback to an older copy of the
    /// ledger is detected.
    func append(_ change: LedgerChange) throws(IngestionError) -> Committed {
        let made = try recording { () throws(LedgerError) in try ledger.commit(change) }
        _ = try store.pinning(ledger)
        return made
    }

    // MARK: Leases

    /// The lock file of a lease.
    func lockName(_ claim: String) -> FileName { Store.name(claim + ".lock") }

    /// The lock of a lease; nil while another process holds it.
    func tryLock(_ claim: String) throws(IngestionError) -> FileLock? {
        try storing { () throws(StorageError) in try FileLock.tryAcquire(lockName(claim), in: work) }
    }

    /// The lock of a lease.
    ///
    /// - Throws: `tryAgain` while another process holds it.
    func lock(_ claim: String) throws(IngestionError) -> FileLock {
        if let taken = try tryLock(claim) { return taken }
        throw IngestionError(.tryAgain, "\(store.workFolder)/\(claim).lock: another process works on it; try later")
    }

    /// Begins work on a batch. It takes a lease, unless the file was delivered and has one, and makes an empty folder
    /// for staged files.
    func begin(_ batch: BatchIdentity, _ delivered: Lease?) throws(IngestionError) -> Workplace {
        let lease: Lease
        if let delivered {
            lease = delivered
        } else {
            lease = Lease(name: batch.id, lock: try lock(batch.id))
            try recording { () throws(LedgerError) in
                try ledger.insertInflight(
                    Inflight(
                        claim: batch.id, source: batch.dataset, state: .claimed, attempts: 1,
                        updatedMilliseconds: Clock.milliseconds()
                    ).of(sha256: batch.digest))
            }
        }
        let folder = try storing { () throws(StorageError) in
            try removeStaging(lease.name)
            return try work.makeFolder(lease.folderName)
        }
        return Workplace(
            lease: lease,
            staging: StagingArea(
                folder: folder, context: batch.context(ledger.origin), recipients: batch.recipients))
    }

    /// Gives up a batch. For a user's file everything is removed; for a delivered file lease and file remain for
    /// another attempt.
    func abandon(_ claim: Lease) throws(IngestionError) {
        if claim.delivery == nil { return try forget(claim.name) }
        try storing { () throws(StorageError) in try removeStaging(claim.name) }
    }

    /// Ends a lease: removes its staged files, its row and its lock. A delivered file is not touched; see `dispose`.
    func forget(_ claim: String) throws(IngestionError) {
        try storing { () throws(StorageError) in
            try removeStaging(claim)
            try removeRest(of: claim, [".name", ".sidecars"])
            try work.sync()
        }
        try recording { () throws(LedgerError) in try ledger.removeInflight(claim: claim) }
        try storing { () throws(StorageError) in try work.remove(lockName(claim)) }
    }

    /// Ends leases without a delivered file, in one transaction.
    func forget(_ claims: [String]) throws(IngestionError) {
        try storing { () throws(StorageError) in
            for claim in claims { try removeStaging(claim) }
            try work.sync()
        }
        try recording { () throws(LedgerError) in try ledger.removeInflight(claims: claims) }
        try storing { () throws(StorageError) in for claim in claims { try work.remove(lockName(claim)) } }
    }

    /// Removes the lease's folder of staged files.
    func removeStaging(_ claim: String) throws(StorageError) {
        if try work.status(of: Store.name(claim)) != nil { try work.removeTree(Store.name(claim)) }
    }

    /// Removes the name and sidecars of a delivered file, unless the file itself is still there.
    func removeRest(of claim: String, _ endings: [String]) throws(StorageError) {
        if try work.status(of: Store.name(claim + ".source")) != nil { return }
        for name in endings.map({ Store.name(claim + $0) }) where try work.status(of: name) != nil {
            try work.remove(name)
        }
    }

    // MARK: Commit

    /// Records a batch and its lease's row in one transaction, then moves the files into place.
    ///
    /// - Throws: `tryAgain` when another process judged the same content meanwhile.
    func commit(_ conclusion: Conclusion, in workplace: Workplace) throws(IngestionError) {
        let (batch, folder) = (conclusion.batch, workplace.staging.folder)
        try storing { () throws(StorageError) in try folder.sync() }
        // Check again: another process may have judged the same content since.
        let state = try store.proven().state
        if try earlier(batch) != nil {
            throw IngestionError(.tryAgain, "batch \(batch.id): the same content was judged just now; try again")
        }
        if let gone = batch.recipients.first(where: { state.shredded[$0.name] != nil }) {
            throw IngestionError(
                .tryAgain,
                "batch \(batch.id): the key \(gone.name) was destroyed while the batch was in work; try again")
        }
        try conclusion.keyring?.requireCurrent(in: store)
        if let waiver = batch.waiver {
            if let rejected = try store.rejection(of: waiver.held, dataset: batch.dataset, digest: hex(batch.digest)) {
                throw IngestionError(.usage, rejected)
            }
            guard state.erasedRows[waiver.held]?.count ?? 0 == waiver.erasures else {
                throw IngestionError(
                    .tryAgain, "rows of batch \(waiver.held) were erased while it was in work; try again")
            }
            if let rows = waiver.rows { try state.requireReleasable(rows, of: waiver.held) }
        }
        let bodies = EntryBodies(batch, time: Clock.text())
        let rowMap = conclusion.rowMap.encoded()
        var entries: [JSONValue] = []
        var blobs = [LedgerBlob(media: RowMap.mediaType, data: rowMap)]
        if !state.contracts.contains(hex(batch.contractDigest)) {
            blobs.append(LedgerBlob(media: LedgerBlob.contractMedia, data: batch.contract.canonicalBytes()))
            entries.append(bodies.contractRegistered)
        }
        // A batch's entries stand together in one commit, so those about its source come first.
        if let attestation = batch.attestation {
            entries += try self.entries(about: attestation, bodies, passes: conclusion.passesProbation)
        }
        entries.append(bodies.received(conclusion.input))
        let judgedIndex = entries.count
        entries.append(bodies.judged(conclusion, rowMap: rowMap))
        entries += bodies.published(conclusion.shards)
        if conclusion.isAccepted, let old = batch.supersedes {
            // Rows that were released from the old batch are replaced with it.
            entries += state.withReleases(of: old).map(bodies.superseded)
        }
        if let waiver = batch.waiver { entries.append(bodies.released(waiver, waived: conclusion.waived)) }
        let seen = Dictionary(
            batch.seenKeys(isAccepted: conclusion.isAccepted).map { ($0, judgedIndex) },
            uniquingKeysWith: { first, _ in first })
        var change = LedgerChange(entries: entries, blobs: blobs, seen: seen).decided(
            at: state.size,
            accepting: conclusion.isAccepted && batch.supersedes == nil && batch.waiver?.rows == nil
                ? batch.content : nil,
            hold: batch.waiver?.held ?? batch.supersedes)
        for key in seen.keys where try removedHold(with: key) { change.repeated.insert(key) }
        try commit(change, of: batch, lease: workplace.lease, from: folder)
    }

    /// Commits a change together with the lease's row, which is the commit point, then moves the files into place.
    ///
    /// - Parameters:
    ///   - change: the entries and blobs.
    ///   - batch: the batch that they belong to.
    ///   - lease: its lease, which ends here.
    ///   - staging: the folder of staged files; nil when there are none.
    func commit(
        _ change: LedgerChange, of batch: BatchIdentity, lease: Lease, from staging: OpenFolder?
    ) throws(IngestionError) {
        var delivery = lease.delivery
        delivery?.judged = batch.fileIdentity
        let plan = delivery.map { JSONValue.object(["delivery": $0.document]).canonicalBytes() }
        let inflight = Inflight(
            claim: lease.name, source: batch.dataset, state: .publishing, attempts: 1,
            updatedMilliseconds: Clock.milliseconds()
        ).of(sha256: batch.digest).following(plan)
        var change = change
        change.putInflight.append(inflight)
        let made = try append(change)
        var files: [Placement] = []
        for (index, entry) in change.entries.enumerated() where entry.event == .shardPublished {
            for file in entry["files"]?.items ?? [] {
                files.append(try Placement(file, sequence: made.firstSequence + index))
            }
        }
        if let staging { try place(files, from: staging, isRecovery: false) }
        try finish(lease.name, delivery)
    }
}
