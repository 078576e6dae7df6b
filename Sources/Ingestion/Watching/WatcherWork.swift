import Lineage
import Schemas
import Sealing
import Storage
import Synchronization
import Tabular

/// The daemon's work on a delivered file.
extension Watcher {
    /// Takes and judges one candidate, if contract, keys and disk space allow it now.
    func work(on candidate: Candidate, in inbox: Inbox) async throws(IngestionError) {
        guard let folder = inbox.folder else { return }
        let file = Troubles.Matter.file(dataset: inbox.dataset, name: candidate.name)
        let name = candidate.name.description
        // Contract, keys and disk first: a file that cannot be judged now stays where it is.
        do throws(IngestionError) {
            _ = try store.contract(of: inbox.dataset)
            _ = try (recorder.store.recipients(of: inbox.dataset), recorder.store.key(.store, "store"))
        } catch {
            try later(error, .dataset(inbox.dataset), dataset: inbox.dataset, name: name)
            pauses[inbox.dataset] = retryAt
            return
        }
        troubles.remove(.dataset(inbox.dataset))
        let claim: Lease
        do throws(IngestionError) {
            let free = try storing { () throws(StorageError) in try freeSpace(store.root) }
            let listed = inbox.list(candidate.name)
            let size = listed?.size(in: folder) ?? candidate.identity.size
            // No sum: the supplier chooses the size, and that of a sparse file may overflow.
            guard size <= max(0, free - options.minFree) / 2 else {
                throw IngestionError(
                    .tryAgain,
                    "the disk of \(store.root) has \(free >> 20) MiB free, and \(name) needs twice its size "
                        + "(\(size >> 20) MiB) and \(options.minFree >> 20) MiB; free space, or take the file "
                        + "away; it is tried again")
            }
            claim = try recorder.take(candidate.name, from: folder, dataset: inbox.dataset, listed: listed)
        } catch {
            if (try? folder.status(of: candidate.name)) == nil { inbox.forget(candidate.name) }
            try later(error, file, dataset: inbox.dataset, name: name)
            // This file waits; the next may be smaller, or of another dataset.
            inbox.postpone(candidate.name, to: retryAt)
            return
        }
        inbox.forget(candidate.name)
        troubles.remove(file)
        try await process(claim, attempt: 1)
        // A daemon lives long, so memory that one large file needed is returned.
        returnFreeMemory()
    }

    /// Removes sealed files whose retention ended, once a day. What stands in the way is tried again after ten minutes.
    func removeExpired(_ now: Double) throws(IngestionError) {
        nextRemoval = now + 86_400
        if store.configuration.retainsEverything { return }
        do throws(IngestionError) {
            let removed = try recorder.remove(try recorder.expiredFiles(), isStopped: { stop.signal != nil })
            if removed.files > 0 { tell(.removed(removed)) }
            if removed.waiting > 0 { nextRemoval = now + 600 }
            if let first = removed.strange.first {
                let cause =
                    "\(counted(removed.strange.count, "file")) missing or not the recorded ones, such as \(first), and left; see: "
                    + "sluice doctor"
                tell(.removalFailed(cause: cause, seconds: nextRemoval - now))
            }
        } catch {
            if error.isFatal { throw error }
            nextRemoval = now + 600
            tell(.removalFailed(cause: error.description, seconds: 600))
        }
    }

    /// Sends run events of what was judged, and says why some wait.
    func sendEvents() {
        guard let events = recorder.events else {
            nextSending = .infinity
            return
        }
        for complaint in events.send(isStopped: { [stop] in stop.isOver() || stop.signal != nil }) {
            tell(.eventsWait(cause: complaint))
        }
        nextSending = events.retryAt
    }

    /// Takes over leases that a dead daemon, or an earlier attempt of this one, left.
    func takeUpAbandoned() async throws(IngestionError) {
        let rows: [Inflight]
        do throws(IngestionError) {
            let failures = try recorder.recover()
            rows = try recorder.deliveries()
            // A lease that is not tried here again was completed, by this process or another.
            troubles.keep { matter in
                guard case .claim(let name) = matter else { return matter != .store }
                return rows.contains { $0.claim == name }
            }
            for (claim, error) in failures {
                let dataset = recorder.delivery(of: claim)?.dataset ?? ""
                try later(error, .claim(claim.claim), dataset: dataset, name: name(of: claim.claim))
            }
        } catch {
            return try later(error, .store)
        }
        for row in rows {
            if stop.signal != nil { return }
            do throws(IngestionError) {
                // Another process holds it for a moment; look again soon.
                guard let claim = try recorder.takeUp(row) else {
                    retryAt = min(retryAt, Clock.monotonic() + 1)
                    continue
                }
                if row.attempts >= 3 {
                    let cause = "the process died \(row.attempts) times while it worked on the file"
                    try setAside(claim, .crashLoop, attempts: row.attempts, cause: cause)
                    continue
                }
                try recorder.count(claim, attempts: row.attempts + 1)
                try await process(claim, attempt: row.attempts + 1)
            } catch {
                try later(error, .claim(row.claim), dataset: row.source, name: name(of: row.claim))
            }
            drain()
        }
    }

    /// The name that a lease's file came with, or the lease's own.
    func name(of claim: String) -> String { recorder.deliveredName(claim)?.description ?? claim }

    /// Judges the file of a lease, and reports the outcome.
    func process(_ lease: Lease, attempt: Int) async throws(IngestionError) {
        guard let delivery = lease.delivery else { return }
        let dataset = delivery.dataset
        let given = recorder.deliveredName(lease.name)
        let name = given?.description ?? lease.name
        if let given { inboxes.first { $0.dataset == dataset }?.removeMarker(of: given) }
        tell(.taken(dataset: dataset, name: name, batch: lease.name, attempt: attempt))
        showBoard(working: lease.name)
        let source = store.configuration.datasets[dataset]?.source ?? "unknown"
        do throws(IngestionError) {
            try recorder.collect(lease.name, delivery)
            guard let format = delivery.format else {
                return try setAside(
                    lease, .unknownFormat, attempts: attempt,
                    cause: "its name ends in neither .csv, .tsv, .jsonl, .ndjson nor .json, with or without .gz or .zst"
                )
            }
            var batch = BatchOptions()
            batch.format = format
            batch.jobs = options.jobs
            batch.sliceBytes = store.configuration.sliceBytes
            batch.listed = 0
            batch.isStopped = { [stop] in stop.isOver() }
            // Loaded anew for each file, so that a corrected contract takes effect at once.
            let loaded = try store.contract(of: dataset)
            batch.shadow = try store.shadow(of: dataset)
            let list = try store.listed(lease.name, delivery)?.list
            var request = BatchRequest(
                list.map { BatchInput(name: name, files: $0.entries.map(\.name), list: $0) } ?? BatchInput(file: name),
                schema: Schema.digested(loaded), contract: loaded.document, dataset: dataset, source: source,
                options: batch)
            request.lease = lease
            let report = try await pipeline.run(request)
            switch report.status {
            case .accepted: end.tally.accepted += 1
            case .duplicate: end.tally.duplicate += 1
            default: end.tally.held += 1
            }
            failures = 0
            troubles.remove(.claim(lease.name))
            tell(.judged(report, attempt: attempt))
            // A process has it open for writing; it is disposed of when that ends.
            if (try? store.sourceStatus(of: lease.name, delivery)) != nil {
                retryAt = min(retryAt, Clock.monotonic() + options.settle)
            }
        } catch {
            if error.code == .unreadableData {
                return try setAside(lease, .unreadable, attempts: attempt, cause: error.description)
            }
            // Ended in good order, so this attempt does not count against the file.
            if error.code != .software { try? recorder.count(lease, attempts: attempt - 1) }
            try later(error, .claim(lease.name), dataset: dataset, name: name)
            // The same cause would stop the next file of the dataset, which therefore stays in its inbox.
            pauses[dataset] = retryAt
        }
    }

    func setAside(
        _ lease: Lease, _ reason: FailureReason, attempts: Int, cause: String
    ) throws(IngestionError) {
        guard let delivery = lease.delivery else { return }
        let name = name(of: lease.name)
        do throws(IngestionError) {
            let path = try recorder.fail(
                lease, as: reason, source: store.configuration.datasets[delivery.dataset]?.source ?? "unknown",
                attempts: attempts, isStopped: { [stop] in stop.isOver() })
            end.tally.setAside += 1
            troubles.remove(.claim(lease.name))
            tell(
                .setAside(
                    SetAside(
                        dataset: delivery.dataset, name: name, batch: lease.name, reason: reason, path: path,
                        cause: cause)))
        } catch {
            try later(error, .claim(lease.name), dataset: delivery.dataset, name: name)
        }
    }

    /// Postpones work after an operational error, with a delay that doubles up to a minute.
    ///
    /// - Parameters:
    ///   - error: the error.
    ///   - matter: what waits for it.
    ///   - dataset: the dataset, for the event.
    ///   - name: the file, for the event.
    /// - Throws: the error itself when the process must not go on.
    func later(
        _ error: IngestionError, _ matter: Troubles.Matter, dataset: String = "", name: String = ""
    ) throws(IngestionError) {
        if stop.signal != nil { return }
        // After a failed sync the ledger's state is unknown until it is opened again.
        if error.isFatal { throw error }
        end.tally.errors += 1
        failures += 1
        let seconds = min(60, 0.5 * Double(1 << min(failures, 7)))
        retryAt = Clock.monotonic() + seconds
        troubles.add(matter, error, of: name)
        tell(.waiting(dataset: dataset, name: name, code: error.code, cause: error.description, seconds: seconds))
    }
}
