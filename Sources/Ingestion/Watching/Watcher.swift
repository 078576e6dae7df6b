import Lineage
import Schemas
import Sealing
package import Storage
import Synchronization
import Tabular

/// How `watch` works.
package struct WatchOptions: Sendable {
    /// Take what is there, then end.
    package var once = false
    /// When a file counts as delivered.
    package var readiness = Readiness.auto
    /// Seconds that size and time must stand still where nothing better tells that a file is whole.
    package var settle = 2.0
    /// Seconds between two looks at the folders; some file systems tell nothing of new files.
    package var interval = 60.0
    /// Files remembered an inbox; what is beyond is found at a later look.
    package var maxQueue = 100_000
    /// Bytes that must stay free on the store's disk, beside twice the file.
    package var minFree = 64 << 20
    /// Seconds that a file being worked on may still take after a signal to stop.
    package var grace = 8.0
    /// Workers.
    package var jobs = 2

    /// The defaults.
    package init() {}
}

/// What a daemon tells: every event once, never a value of anyone's data.
package enum WatchEvent: Sendable {
    /// It watches these inboxes.
    case started([(dataset: String, inbox: String)])
    /// A file was taken; for one that a process left behind, the attempt is beyond the first.
    case taken(dataset: String, name: String, batch: String, attempt: Int)
    /// A file has its outcome.
    case judged(BatchReport, attempt: Int)
    /// A file could not be judged and was set aside.
    case setAside(dataset: String, name: String, batch: String, reason: FailureReason, path: String, cause: String)
    /// A thing in an inbox is not taken.
    case refused(dataset: String, name: String, reason: String)
    /// The world is wrong; it is tried again.
    case waiting(dataset: String, name: String, code: IngestionError.Code, cause: String, seconds: Double)
    /// An inbox cannot be watched, and is looked for again.
    case lost(dataset: String, inbox: String, cause: String)
    /// An inbox that was lost is there again.
    case found(dataset: String, inbox: String)
    /// The kernel dropped events; the folders were read instead.
    case overflowed
    /// A signal came.
    case stopping(signal: Int32)
    /// It ended.
    case stopped
}

/// How a daemon ended.
package struct WatchEnd: Sendable {
    /// The signal that ended it.
    package var signal: Int32?
    /// Files by how they ended.
    package var tally = WatchTally()
    /// The newest reason why a file is still waiting, if one is.
    package var pending: IngestionError?
}

/// Files by how they ended, since the daemon began.
package struct WatchTally: Sendable, Equatable {
    /// Batches accepted, held, recognised as duplicates, and files set aside unjudged.
    package var accepted = 0, held = 0, duplicate = 0, setAside = 0
    /// Times that the world was wrong.
    package var errors = 0

    /// Begins at nothing.
    package init() {}
}

/// The daemon over the inboxes: one file at a time through the pipeline, oldest first, until it is told to stop.
///
/// It waits on one place only, for events and signals together, and only while no file is worked on.
package final class Watcher {
    private let store: Store
    private let options: WatchOptions
    private let tell: (WatchEvent) -> Void
    /// Holds the store's watch lock; see `lockName`.
    private let lock: FileLock
    private let stop: StopClock
    private let events: FolderEvents
    private let pipeline: Pipeline
    private let recorder: Recorder
    private var inboxes: [Inbox] = []
    private var lostInboxes = Set<String>()
    private var end = WatchEnd()
    private var nextLook = 0.0
    private var retryAt = Double.infinity
    private var failures = 0
    /// Datasets from which nothing new is taken before this time.
    private var pauses: [String: Double] = [:]
    private var tookSinceLook = false
    private var troubles = Troubles()
    private let board: StatusBoard
    /// The name of the lock that one daemon of a store holds.
    package static let lockName = "watch.lock"

    /// Opens the store, takes the lock, and finishes what dead processes left. Throws `tryAgain` with the other daemon's
    /// process id when there is one.
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
            // A dataset without a contract is nothing to watch; `init` writes one as an example.
            guard settings.schema != nil else { continue }
            inboxes.append(Inbox(of: dataset, in: store))
        }
    }

    /// Refuses two datasets with one inbox, and an archive that is an inbox: its files would be delivered again, for ever.
    private func refuseLoops() throws(IngestionError) {
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

    /// Works until a signal comes or, with `once`, until nothing that is whole is left.
    package func run() async throws(IngestionError) -> WatchEnd {
        try openFirst()
        tell(.started(inboxes.map { ($0.dataset, $0.path) }))
        try await takeUpAbandoned()
        while true {
            drain()
            if stop.signal != nil { break }
            let now = Clock.monotonic()
            if now >= nextLook {
                do throws(IngestionError) { try look() } catch {
                    try later(error, .store)
                    nextLook = retryAt
                }
            }
            if now >= retryAt {
                retryAt = .infinity
                try await takeUpAbandoned()
                continue
            }
            let (found, next) = choose(now)
            if let (inbox, candidate) = found {
                tookSinceLook = true
                try await work(on: candidate, in: inbox)
                continue
            }
            if tookSinceLook, inboxes.contains(where: \.isTruncated) {
                nextLook = 0
                continue
            }
            showBoard(working: nil)
            if options.once, !inboxes.contains(where: { $0.isSettling(now, settle: options.settle) }) { break }
            let bound = options.once ? Clock.monotonic() + max(options.settle, 0.05) : .infinity
            let due = min(next, nextLook, retryAt, bound) - Clock.monotonic()
            wait(events, stop.signals, milliseconds: Int(max(1, min(due * 1000, 3_600_000).rounded(.up))))
        }
        end.signal = stop.signal
        end.pending = troubles.newest?.error
        if let signal = end.signal { tell(.stopping(signal: signal)) }
        board.remove()
        tell(.stopped)
        return end
    }

    private func showBoard(working: String?) {
        board.show(end.tally, waiting: inboxes.reduce(0) { $0 + $1.count }, working: working, troubles)
    }

    // MARK: Inboxes

    /// Opens inboxes that are not open; at the first time one that is missing in the store is made.
    private func openAll(isFirst: Bool) throws(IngestionError) {
        for inbox in inboxes where inbox.folder == nil {
            do throws(IngestionError) {
                if isFirst, !exists(inbox.path) {
                    try inbox.make()
                }
                try inbox.open(events)
                if lostInboxes.remove(inbox.dataset) != nil {
                    tell(.found(dataset: inbox.dataset, inbox: inbox.path))
                    nextLook = 0
                }
            } catch {
                inbox.close(events)
                if lostInboxes.insert(inbox.dataset).inserted {
                    tell(.lost(dataset: inbox.dataset, inbox: inbox.path, cause: error.description))
                }
            }
        }
    }

    /// At the start one inbox that cannot be used does not stop the others; if none can be, there is nothing to do.
    private func openFirst() throws(IngestionError) {
        try openAll(isFirst: true)
        if !inboxes.isEmpty, inboxes.allSatisfy({ $0.folder == nil }) {
            // Once more, for its error.
            try inboxes[0].open(events)
        }
    }

    private func look() throws(IngestionError) {
        let now = Clock.monotonic()
        tookSinceLook = false
        for inbox in inboxes where inbox.folder != nil && !inbox.isCurrent() { lose(inbox) }
        try openAll(isFirst: false)
        var claimed = Set<String>()
        if inboxes.contains(where: { $0.folder != nil }) {
            claimed = Set(try recording { () throws(LedgerError) in try recorder.ledger.inflight().map(\.claim) })
        }
        for inbox in inboxes {
            do throws(IngestionError) {
                try inbox.look(limit: options.maxQueue, now: now, claimed: claimed, options.readiness)
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
        // A lost inbox is looked for more often than a quiet one is read.
        nextLook = now + (lostInboxes.isEmpty ? options.interval : min(options.interval, 5))
    }

    private func lose(_ inbox: Inbox) {
        inbox.close(events)
        if lostInboxes.insert(inbox.dataset).inserted {
            tell(
                .lost(
                    dataset: inbox.dataset, inbox: inbox.path,
                    cause: "it was removed, moved or unmounted; it is checked again every few seconds"))
        }
        nextLook = 0
    }

    private func drain() {
        let now = Clock.monotonic()
        for event in events.drain() {
            switch event {
            case .overflowed:
                tell(.overflowed)
                nextLook = 0
            case .gone(let watch):
                if let inbox = inboxes.first(where: { $0.watch == watch }) { lose(inbox) }
            case .arrived(let watch, let name):
                inboxes.first { $0.watch == watch }?.notice(name, limit: options.maxQueue, now: now)
            }
        }
        _ = stop.isOver()
    }

    /// The oldest file that is whole, or when to look again.
    private func choose(_ now: Double) -> (found: (Inbox, Candidate)?, next: Double) {
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
        // The oldest is nearly always whole: no need to sort a long queue for each file.
        if let oldest = due.min(by: isOlder), isReady(oldest.inbox, oldest.candidate, now: now, next: &next) {
            return (oldest, next)
        }
        for (inbox, candidate) in due.sorted(by: isOlder) where isReady(inbox, candidate, now: now, next: &next) {
            return ((inbox, candidate), next)
        }
        return (nil, next)
    }

    private func isReady(_ inbox: Inbox, _ candidate: Candidate, now: Double, next: inout Double) -> Bool {
        switch inbox.settling(of: candidate, options.readiness, settle: options.settle, now: now) {
        case .ready:
            guard let time = waitsForSidecars(inbox, candidate, now) else { return true }
            inbox.postpone(candidate.name, to: time)
            next = min(next, time)
        case .notBefore(let time):
            inbox.postpone(candidate.name, to: time)
            next = min(next, time)
        case .gone: inbox.forget(candidate.name)
        case .refused(let reason):
            if inbox.refuse(candidate) {
                tell(.refused(dataset: inbox.dataset, name: candidate.name.description, reason: reason))
            }
        }
        return false
    }

    /// When to look again whether what the source must bring beside a file is there; nil when it is, or was waited for long enough.
    private func waitsForSidecars(_ inbox: Inbox, _ candidate: Candidate, _ now: Double) -> Double? {
        let source = store.configuration.datasets[inbox.dataset]?.source ?? ""
        let required = store.configuration.sources[source]?.required ?? []
        let patience = options.once ? options.settle : Self.sidecarPatience
        guard inbox.lacks(required, beside: candidate.name), now - candidate.stillSince < patience else { return nil }
        return min(now + 1, candidate.stillSince + patience)
    }

    /// Seconds that a file waits for what must come beside it; then it is judged without, and rejected.
    private static let sidecarPatience = 60.0

    // MARK: Work

    private func work(on candidate: Candidate, in inbox: Inbox) async throws(IngestionError) {
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
            // No sum: a supplier chooses the size, and a sparse file may have any.
            guard candidate.identity.size <= max(0, free - options.minFree) / 2 else {
                throw IngestionError(
                    .tryAgain,
                    "the disk of \(store.root) has \(free >> 20) MiB free, and \(name) needs twice its size "
                        + "(\(candidate.identity.size >> 20) MiB) and \(options.minFree >> 20) MiB; free space, or take the file "
                        + "away; it is tried again")
            }
            claim = try recorder.take(candidate.name, from: folder, dataset: inbox.dataset)
        } catch {
            if (try? folder.status(of: candidate.name)) == nil { inbox.forget(candidate.name) }
            try later(error, file, dataset: inbox.dataset, name: name)
            // This file waits; the next one may be smaller, or someone else's.
            inbox.postpone(candidate.name, to: retryAt)
            return
        }
        inbox.forget(candidate.name)
        troubles.remove(file)
        try await process(claim, attempt: 1)
        // A daemon lives long: what one large file needed is not kept for the next.
        returnFreeMemory()
    }

    /// Takes up claims that a dead daemon, or an earlier try of this one, left.
    private func takeUpAbandoned() async throws(IngestionError) {
        let rows: [Inflight]
        do throws(IngestionError) {
            let failures = try recorder.recover()
            rows = try recorder.deliveries()
            // Whatever is not tried here again is over, whoever finished it.
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
                // Held for a moment by a process beside this one: looked at again soon.
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

    /// The name that a claim's file came with, or the claim's own.
    private func name(of claim: String) -> String { recorder.deliveredName(claim)?.description ?? claim }

    private func process(_ lease: Lease, attempt: Int) async throws(IngestionError) {
        guard let delivery = lease.delivery else { return }
        let dataset = delivery.dataset
        let given = recorder.deliveredName(lease.name)
        let name = given?.description ?? lease.name
        if let given { inboxes.first { $0.dataset == dataset }?.removeMarker(of: given) }
        tell(.taken(dataset: dataset, name: name, batch: lease.name, attempt: attempt))
        showBoard(working: lease.name)
        let source = store.configuration.datasets[dataset]?.source ?? "unknown"
        do throws(IngestionError) {
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
            // Loaded anew for each file, so that a corrected contract is used at once.
            let loaded = try store.contract(of: dataset)
            batch.shadow = try store.shadow(of: dataset)
            var request = BatchRequest(
                name, schema: Schema.digested(loaded), contract: loaded.document, dataset: dataset, source: source,
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
            // Somebody still has it open for writing: it goes when they are done.
            if (try? store.sourceStatus(of: lease.name, delivery)) != nil {
                retryAt = min(retryAt, Clock.monotonic() + options.settle)
            }
        } catch {
            if error.code == .unreadableData {
                return try setAside(lease, .unreadable, attempts: attempt, cause: error.description)
            }
            // Ended in good order: this try does not count against the file.
            if error.code != .software { try? recorder.count(lease, attempts: attempt - 1) }
            try later(error, .claim(lease.name), dataset: dataset, name: name)
            // What stopped this file would stop the next one, which had better stay where it is.
            pauses[dataset] = retryAt
        }
    }

    private func setAside(
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
                    dataset: delivery.dataset, name: name, batch: lease.name, reason: reason, path: path, cause: cause))
        } catch {
            try later(error, .claim(lease.name), dataset: delivery.dataset, name: name)
        }
    }

    /// Puts off what the world does not let us do now; longer each time, up to a minute.
    private func later(
        _ error: IngestionError, _ matter: Troubles.Matter, dataset: String = "", name: String = ""
    ) throws(IngestionError) {
        if stop.signal != nil { return }
        // A ledger whose sync failed is in an unknown state until it is opened again.
        if error.isFatal { throw error }
        end.tally.errors += 1
        failures += 1
        let seconds = min(60, 0.5 * Double(1 << min(failures, 7)))
        retryAt = Clock.monotonic() + seconds
        troubles.add(matter, error, of: name)
        tell(.waiting(dataset: dataset, name: name, code: error.code, cause: error.description, seconds: seconds))
    }
}

/// When a daemon must stop: some time after the first signal, at once after the second.
final class StopClock: Sendable {
    let signals: StopSignals
    private let grace: Double
    private let state = Mutex<(signal: Int32?, deadline: Double)>((nil, .infinity))

    init(_ signals: StopSignals, grace: Double) {
        self.signals = signals
        self.grace = grace
    }

    /// The signal that came first.
    var signal: Int32? { state.withLock { $0.signal } }

    /// Looks for signals, and tells whether the time that a file in work may still take is over.
    func isOver() -> Bool {
        let received = signals.received()
        return state.withLock { state in
            if let received {
                state.deadline = state.signal == nil ? Clock.monotonic() + grace : 0
                state.signal = state.signal ?? received
            }
            return state.signal != nil && Clock.monotonic() >= state.deadline
        }
    }
}
