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

/// Completes or undoes what dead processes left.
extension Recorder {
    /// Completes or undoes every lease whose lock nobody holds.
    ///
    /// Rows and files in `work` that are not in the form of a lease are left alone; `doctor` and `verify --files`
    /// report them.
    ///
    /// - Returns: leases that could not be completed, and why; the next recovery tries again.
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

    /// Completes a lease that is committed, and resets or removes one that is not.
    func recover(_ claim: Inflight) throws(IngestionError) {
        let delivery = delivery(of: claim)
        // The row's state is unsigned. The record decides whether the batch is committed.
        let isStaged = try storing { () throws(StorageError) in
            try work.status(of: Store.name(claim.claim))?.kind == .folder
        }
        if isStaged || claim.state == .publishing, try republish(claim.claim, delivery) { return }
        if let delivery, mayHaveSource(delivery, claim.claim) {
            // The delivered file waits for the daemon; only what was staged for it is removed.
            try storing { () throws(StorageError) in try removeStaging(claim.claim) }
            if claim.state == .publishing { try reopen(claim) }
        } else {
            try forget(claim.claim)
        }
    }

    /// Resets a row in state `publishing` whose batch is not in the record: its file is still to be judged.
    func reopen(_ claim: Inflight) throws(IngestionError) {
        var row = claim
        row.state = .claimed
        let made = row
        try recording { () throws(LedgerError) in try ledger.putInflight(made) }
    }

    /// Names of leases without a row that left something in `work`. A delivered file is not listed: without its row it
    /// is not ours to remove.
    func orphans() throws(IngestionError) -> [String] {
        let names = try storing { () throws(StorageError) in try work.names() }
        var found: [String] = []
        for name in names.map(\.description) {
            guard let (claim, ending) = Store.claimPart(of: name), ![".source", ".files", ".judged"].contains(ending)
            else { continue }
            // A link, or a folder in a file's place, was not made by a lease.
            let kind = try storing { () throws(StorageError) in try work.status(of: Store.name(name))?.kind }
            guard kind == (ending.isEmpty ? .folder : .regular) else { continue }
            if found.last != claim { found.append(claim) }
        }
        return found
    }

    /// Completes or removes what a lease without a row left.
    func recoverOrphan(_ claim: String) throws(IngestionError) {
        guard let lock = try tryLock(claim) else { return }
        // The row may have been committed since the list was read.
        let now = try recording { () throws(LedgerError) in try ledger.inflight() }
        if now.contains(where: { $0.claim == claim }) { return }
        // A row can be deleted by others: a batch in the record is published all the same.
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

    /// Whether a lease's delivered file exists, or may exist again once its file system is mounted.
    func mayHaveSource(_ delivery: Delivery, _ claim: String) -> Bool {
        if (try? store.sourceStatus(of: claim, delivery)) != nil { return true }
        if delivery.isInWork { return false }
        return (try? store.openPlace(store.inboxPath(of: delivery.dataset)).names())?.isEmpty ?? true
    }
}
