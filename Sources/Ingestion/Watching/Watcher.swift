import Lineage
import Schemas
import Sealing
package import Storage
import Synchronization
import Tabular

/// The daemon over the inboxes. It judges one file at a time, oldest first, until a signal stops it.
///
/// It blocks in one place only, for events and signals together, and only while no file is in work.
package final class Watcher {
    let store: Store
    let options: WatchOptions
    let tell: (WatchEvent) -> Void
    /// The store's watch lock; see `lockName`.
    let lock: FileLock
    let stop: StopClock
    let events: FolderEvents
    let pipeline: Pipeline
    let recorder: Recorder
    var inboxes: [Inbox] = []
    var lostInboxes = Set<String>()
    var end = WatchEnd()
    var nextScan = 0.0
    var retryAt = Double.infinity
    var failures = 0
    /// Datasets from which no new file is taken before this time of the monotonic clock.
    var pauses: [String: Double] = [:]
    var tookSinceScan = false
    /// When sealed files whose retention ended are removed next, by the monotonic clock.
    var nextRemoval = 0.0
    var troubles = Troubles()
    let board: StatusBoard
    /// When run events that wait are sent again.
    var nextSending = 0.0
    /// The name of the lock that makes a daemon the only one of its store.
    package static let lockName = "watch.lock"

    /// Opens the store, takes the lock, and completes what dead processes left.
    ///
    /// - Parameters:
    ///   - store: the store.
    ///   - options: the settings.
    ///   - signals: the signals that stop it.
    ///   - tell: called with each event.
    /// - Throws: `tryAgain` with the other daemon's process id when one is running.
    package init(
        _ store: Store, options: WatchOptions, signals: StopSignals, tell: @escaping (WatchEvent) -> Void
    ) throws(IngestionError) {
        self.store = store
        self.options = options
        self.tell = tell
        let name = Store.name(Self.lockName)
        let taken = try storing { () throws(StorageError) in try FileLock.tryAcquire(name, in: store.files) }
        guard let taken else {
            let holder = try storing { () throws(StorageError) in try FileLock.holder(name, in: store.files) }
            throw IngestionError(
                .tryAgain,
                "\(store.root) is watched already by process \(holder.map { "\($0)" } ?? "unknown"); stop it first, or "
                    + "use another store")
        }
        lock = taken
        stop = StopClock(signals, grace: options.grace)
        events = try storing { () throws(StorageError) in try FolderEvents() }
        pipeline = try Pipeline(store: store, writes: true)
        guard let recorder = pipeline.recorder else { preconditionFailure("a pipeline that writes has a recorder") }
        self.recorder = recorder
        board = StatusBoard(in: store.files)
        try refuseLoops()
        for (dataset, settings) in store.configuration.datasets.sorted(by: { $0.key < $1.key }) {
            // A dataset without a contract cannot be watched; `init` writes one as an example.
            guard settings.schema != nil else { continue }
            inboxes.append(Inbox(of: dataset, in: store))
        }
    }

    /// Refuses two datasets with one inbox, and an archive that is an inbox, whose files would be delivered again for
    /// ever.
    func refuseLoops() throws(IngestionError) {
        func place(_ path: String) -> String {
            guard let status = try? store.openPlace(path).status() else { return store.placed(path) }
            return "\(status.device):\(status.inode)"
        }
        let name = join(store.root, Store.configurationName)
        var owners: [String: String] = [:]
        let watched = store.configuration.datasets.sorted { $0.key < $1.key }.filter { $0.value.schema != nil }
        for (dataset, _) in watched {
            if let other = owners.updateValue(dataset, forKey: place(store.inboxPath(of: dataset))) {
                throw IngestionError(
                    .configuration, "\(name): datasets \(other) and \(dataset) have the same inbox; give each its own")
            }
        }
        for (dataset, settings) in watched {
            if let archive = settings.archive, let owner = owners[place(archive)] {
                throw IngestionError(
                    .configuration,
                    "\(name): the archive of \(dataset) is the inbox of \(owner), so its files would be delivered again; choose "
                        + "another folder")
            }
        }
    }

    /// Works until a signal arrives or, with `once`, until nothing complete is left.
    ///
    /// - Throws: errors after which the process must end; others are reported as events and retried.
    package func run() async throws(IngestionError) -> WatchEnd {
        try openFirst()
        tell(.started(inboxes.map { ($0.dataset, $0.path) }))
        try await takeUpAbandoned()
        while true {
            drain()
            if stop.signal != nil { break }
            let now = Clock.monotonic()
            if now >= nextScan {
                do throws(IngestionError) { try scanInboxes() } catch {
                    try later(error, .store)
                    nextScan = retryAt
                }
            }
            if now >= retryAt {
                retryAt = .infinity
                try await takeUpAbandoned()
                continue
            }
            if now >= nextRemoval { try removeExpired(now) }
            if now >= nextSending { sendEvents() }
            let (found, next) = choose(now)
            if let (inbox, candidate) = found {
                tookSinceScan = true
                try await work(on: candidate, in: inbox)
                sendEvents()
                continue
            }
            if tookSinceScan, inboxes.contains(where: \.isTruncated) {
                nextScan = 0
                continue
            }
            showBoard(working: nil)
            if options.once, !inboxes.contains(where: { $0.isSettling(now, settle: options.settle) }) { break }
            let bound = options.once ? Clock.monotonic() + max(options.settle, 0.05) : .infinity
            let due = min(next, nextScan, retryAt, nextRemoval, nextSending, bound) - Clock.monotonic()
            wait(events, stop.signals, milliseconds: Int(max(1, min(due * 1000, 3_600_000).rounded(.up))))
        }
        end.signal = stop.signal
        end.pending = troubles.newest?.error
        if let signal = end.signal { tell(.stopping(signal: signal)) }
        board.remove()
        tell(.stopped)
        return end
    }

    func showBoard(working: String?) {
        board.show(end.tally, waiting: inboxes.reduce(0) { $0 + $1.count }, working: working, troubles)
    }

    // MARK: Inboxes

    /// Opens the inboxes that are not open. The first call creates missing ones inside the store.
    func openAll(isFirst: Bool) throws(IngestionError) {
        for inbox in inboxes where inbox.folder == nil {
            do throws(IngestionError) {
                if isFirst, !exists(inbox.path) {
                    try inbox.make()
                }
                try inbox.open(events)
                if lostInboxes.remove(inbox.dataset) != nil {
                    tell(.found(dataset: inbox.dataset, inbox: inbox.path))
                    nextScan = 0
                }
            } catch {
                inbox.close(events)
                if lostInboxes.insert(inbox.dataset).inserted {
                    tell(.lost(dataset: inbox.dataset, inbox: inbox.path, cause: error.description))
                }
            }
        }
    }

    /// Opens the inboxes at the start. One that cannot be used does not stop the others; if none can, its error is
    /// thrown.
    func openFirst() throws(IngestionError) {
        try openAll(isFirst: true)
        if !inboxes.isEmpty, inboxes.allSatisfy({ $0.folder == nil }) {
            // Opened once more for its error.
            try inboxes[0].open(events)
        }
    }

    /// Scans all inboxes, and drops those whose folder is gone.
    func scanInboxes() throws(IngestionError) {
        let now = Clock.monotonic()
        tookSinceScan = false
        for inbox in inboxes where inbox.folder != nil && !inbox.isCurrent() { lose(inbox) }
        try openAll(isFirst: false)
        var (claimed, inWork) = (Set<String>(), [String: Set<FileName>]())
        if inboxes.contains(where: { $0.folder != nil }) {
            let rows = try recording { () throws(LedgerError) in try recorder.ledger.inflight() }
            claimed = Set(rows.map(\.claim))
            for row in rows {
                guard let delivery = recorder.delivery(of: row), let list = try? store.listed(row.claim, delivery)
                else {
                    continue
                }
                inWork[delivery.dataset, default: []].formUnion(list.paths.map { $0.names[0] })
            }
        }
        for inbox in inboxes {
            do throws(IngestionError) {
                try inbox.scan(
                    limit: options.maxQueue, now: now, claimed: claimed, inWork: inWork[inbox.dataset] ?? [],
                    options.readiness)
            } catch {
                lose(inbox)
            }
        }
        troubles.keep { matter in
            switch matter {
            case .store: false
            case .dataset(let dataset): inboxes.contains { $0.dataset == dataset && $0.count > 0 }
            case .file(let dataset, let name): inboxes.contains { $0.dataset == dataset && $0.holds(name) }
            case .claim: true
            }
        }
        // A lost inbox is looked for more often than a quiet one is scanned.
        nextScan = now + (lostInboxes.isEmpty ? options.interval : min(options.interval, 5))
    }

    func lose(_ inbox: Inbox) {
        inbox.close(events)
        if lostInboxes.insert(inbox.dataset).inserted {
            tell(
                .lost(
                    dataset: inbox.dataset, inbox: inbox.path,
                    cause: "it was removed, moved or unmounted; it is checked again every few seconds"))
        }
        nextScan = 0
    }

    /// Handles all pending events; after an overflow the next scan is due at once.
    func drain() {
        let now = Clock.monotonic()
        for event in events.drain() {
            switch event {
            case .overflowed:
                tell(.overflowed)
                nextScan = 0
            case .gone(let watch):
                if let inbox = inboxes.first(where: { $0.watch == watch }) { lose(inbox) }
            case .arrived(let watch, let name):
                inboxes.first { $0.watch == watch }?.notice(name, limit: options.maxQueue, now: now)
            }
        }
        _ = stop.isOver()
    }

    /// The oldest complete file; nil when there is none, with the time at which to look again.
    func choose(_ now: Double) -> (found: (Inbox, Candidate)?, next: Double) {
        var next = Double.infinity
        var due: [(inbox: Inbox, candidate: Candidate)] = []
        for inbox in inboxes where inbox.folder != nil {
            if let pause = pauses[inbox.dataset], pause > now {
                next = min(next, pause)
                continue
            }
            let found = inbox.due(now)
            next = min(next, found.next)
            due += found.candidates.map { (inbox, $0) }
        }
        func isOlder(_ left: (inbox: Inbox, candidate: Candidate), _ right: (inbox: Inbox, candidate: Candidate))
            -> Bool
        {
            (left.candidate.identity.modifiedNanoseconds, left.candidate.identity.inode)
                < (right.candidate.identity.modifiedNanoseconds, right.candidate.identity.inode)
        }
        // The oldest file is nearly always complete, so a long queue is not sorted for each file.
        if let oldest = due.min(by: isOlder), isReady(oldest.inbox, oldest.candidate, now: now, next: &next) {
            return (oldest, next)
        }
        for (inbox, candidate) in due.sorted(by: isOlder) where isReady(inbox, candidate, now: now, next: &next) {
            return ((inbox, candidate), next)
        }
        return (nil, next)
    }

    /// Whether a candidate can be taken now. If not, it is postponed, and `next` lowered to the time at which it is
    /// due.
    func isReady(_ inbox: Inbox, _ candidate: Candidate, now: Double, next: inout Double) -> Bool {
        switch inbox.settling(of: candidate, options.readiness, settle: options.settle, now: now) {
        case .ready:
            if let obstacle = inbox.obstacle(to: candidate.name, device: storeDevice) {
                postpone(candidate, in: inbox, obstacle)
                inbox.postpone(candidate.name, to: now + 1)
                next = min(next, now + 1)
                return false
            }
            guard let time = waitsForSidecars(inbox, candidate, now) else { return true }
            inbox.postpone(candidate.name, to: time)
            next = min(next, time)
        case .notBefore(let time):
            inbox.postpone(candidate.name, to: time)
            next = min(next, time)
        case .gone: inbox.forget(candidate.name)
        case .refused(let reason): return refuse(candidate, in: inbox, reason)
        }
        return false
    }

    /// Reports once that a file cannot be taken.
    private func refuse(_ candidate: Candidate, in inbox: Inbox, _ reason: String) -> Bool {
        if inbox.refuse(candidate) {
            tell(.refused(dataset: inbox.dataset, name: candidate.name.description, reason: reason))
        }
        return false
    }

    /// Notes that a list waits for its files, and reports each new reason.
    private func postpone(_ candidate: Candidate, in inbox: Inbox, _ reason: String) {
        let name = candidate.name.description
        let error = IngestionError(.tryAgain, reason.hasPrefix(name) ? reason : "\(name): \(reason)")
        guard inbox.isNews(reason, of: candidate.name) else { return }
        troubles.add(.file(dataset: inbox.dataset, name: candidate.name), error, of: name)
        tell(.waiting(dataset: inbox.dataset, name: name, code: error.code, cause: error.description, seconds: 1))
    }

    /// The file system of the store's `work` folder.
    private var storeDevice: UInt64? { (try? recorder.work.status())?.device }

    /// When to check again for required sidecars; nil when they are there, or the wait is over.
    func waitsForSidecars(_ inbox: Inbox, _ candidate: Candidate, _ now: Double) -> Double? {
        let source = store.configuration.datasets[inbox.dataset]?.source ?? ""
        var required = store.configuration.sources[source]?.required ?? []
        // A list states the digests itself.
        if inbox.list(candidate.name) != nil { required.removeAll { $0 == .digest } }
        let patience = options.once ? options.settle : Self.sidecarPatience
        guard inbox.lacks(required, beside: candidate.name), now - candidate.stillSince < patience else { return nil }
        return min(now + 1, candidate.stillSince + patience)
    }

    /// Seconds that a file waits for its required sidecars. Afterwards it is judged without them, and rejected.
    private static let sidecarPatience = 60.0
}
