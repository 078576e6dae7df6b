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

/// Finishes or undoes what dead processes left.
extension Recorder {
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

    func recover(_ claim: Inflight) throws(IngestionError) {
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
    func reopen(_ claim: Inflight) throws(IngestionError) {
        var row = claim
        row.state = .claimed
        let made = row
        try recording { () throws(LedgerError) in try ledger.putInflight(made) }
    }

    /// Names of claims that left something in `work`, but for delivered files: those without a claim are nobody's to remove.
    func orphans() throws(IngestionError) -> [String] {
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

    func recoverOrphan(_ claim: String) throws(IngestionError) {
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
    func mayHaveSource(_ delivery: Delivery, _ claim: String) -> Bool {
        if (try? store.sourceStatus(of: claim, delivery)) != nil { return true }
        if delivery.isInWork { return false }
        return (try? store.openPlace(store.inboxPath(of: delivery.dataset)).names())?.isEmpty ?? true
    }
}
