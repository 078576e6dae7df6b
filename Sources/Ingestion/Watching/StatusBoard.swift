package import Lineage
import Glibc
import Storage
package import Tabular

/// The running daemon's counts and times, in a file that `sluice status` reads. The file is disposable.
final class StatusBoard {
    /// The file's name in the store.
    static let name = "watch.status"

    private let folder: OpenFolder
    private let started = Clock.text()
    private var shown = -Double.infinity
    private var shownState: JSONValue?

    init(in folder: OpenFolder) { self.folder = folder }

    /// Writes the file, at most once a second while there is work or nothing changes.
    ///
    /// - Parameters:
    ///   - tally: files by outcome.
    ///   - waiting: files in the queues.
    ///   - working: the file in work; nil for none.
    ///   - troubles: what waits for a remedy.
    func show(_ tally: WatchTally, waiting: Int, working: String?, _ troubles: Troubles) {
        let now = Clock.monotonic()
        if working != nil, now - shown < 1 { return }
        let newest = troubles.newest.map { trouble in
            JSONValue.object(["time": .string(trouble.time), "message": .string(trouble.message)])
        }
        var members: [String: JSONValue] = [
            "pid": .integer(Int64(getpid())), "started": .string(started),
            "waiting": .integer(Int64(waiting)),
            "working": working.map { .string(LabelSearch.usual.shown($0)) } ?? .null,
            "accepted": .integer(Int64(tally.accepted)), "held": .integer(Int64(tally.held)),
            "duplicate": .integer(Int64(tally.duplicate)), "set_aside": .integer(Int64(tally.setAside)),
            "errors": .integer(Int64(tally.errors)), "in_trouble": .integer(Int64(troubles.count)),
            "last_error": newest ?? .null,
        ]
        // Without work the next call can be far off, so that whatever changed is written now.
        let state = JSONValue.object(members)
        if state == shownState, now - shown < 1 { return }
        shown = now
        shownState = state
        members["updated"] = .string(Clock.text())
        let document = JSONValue.object(members)
        // Informative only: a full disk is no reason to stop.
        guard var file = try? StagedFile(in: folder, name: Store.name(Self.name)) else {
            try? folder.remove(Store.name(Self.name + ".part"))
            return
        }
        guard (try? file.write(Array((document.text(pretty: false) + "\n").utf8).span)) != nil else { return }
        try? file.commitLoosely(as: Store.name(Self.name), replacing: true)
    }

    /// Removes the file at the end.
    func remove() { try? folder.remove(Store.name(Self.name)) }
}

/// The work that cannot proceed at present, each with its newest reason. An entry stays until its work can proceed.
struct Troubles {
    /// The subject of an entry.
    enum Matter: Hashable {
        /// The ledger, or the store as a whole.
        case store
        /// All files of a dataset: its contract or keys are at fault.
        case dataset(String)
        /// A file in an inbox.
        case file(dataset: String, name: FileName)
        /// A file under lease.
        case claim(String)
    }

    /// The message has the supplier's file name replaced.
    typealias Reason = (order: Int, time: String, error: IngestionError, message: String)

    private var reasons: [Matter: Reason] = [:]
    private var order = 0

    var count: Int { reasons.count }
    var newest: Reason? { reasons.values.max { $0.order < $1.order } }

    /// Adds or replaces a reason.
    ///
    /// - Parameters:
    ///   - matter: what waits.
    ///   - error: why.
    ///   - name: the file that the error is about, which a supplier named; empty for none.
    mutating func add(_ matter: Matter, _ error: IngestionError, of name: String) {
        order += 1
        let search = LabelSearch.usual
        let message = search.shown(search.shown(error.description, of: name))
        reasons[matter] = (order, Clock.text(), error, message)
    }

    mutating func remove(_ matter: Matter) { reasons[matter] = nil }

    mutating func keep(where condition: (Matter) -> Bool) { reasons = reasons.filter { condition($0.key) } }
}

/// The state of a store for `sluice status`.
package struct StoreStatus: Sendable {
    /// The process id of the running daemon; nil when none runs.
    package var daemon: Int?
    /// The daemon's last status file.
    package var board: JSONValue?
    /// The newest reason for waiting and its time; nil when the daemon waits for nothing.
    package var trouble: (time: String, message: String)? {
        guard let error = board?["last_error"], let time = error["time"]?.text, let message = error["message"]?.text
        else { return nil }
        return (time, message)
    }
    /// Number of files, or whole datasets, that cannot proceed.
    package var inTrouble: Int { Int(board?["in_trouble"]?.whole ?? 0) }
    /// By inbox, the number of waiting files, the age of the oldest in seconds, and why it cannot be read.
    package var inboxes: [(dataset: String, path: String, waiting: Int, oldest: Int?, problem: String?)] = []
    /// Leases that are in work or waiting.
    package var claims: [Inflight] = []
    /// Entries in the ledger.
    package var entries = 0
    /// Bytes free on the store's disk.
    package var free = 0
}

extension Store {
    /// Reads the state of the store without changing it.
    package func status(_ ledger: Ledger) throws(IngestionError) -> StoreStatus {
        var status = StoreStatus()
        status.daemon = try storing { () throws(StorageError) in
            try FileLock.holder(Self.name(Watcher.lockName), in: files)
        }
        if status.daemon != nil {
            let bytes = try? files.openRegular(Self.name(StatusBoard.name)).readAll(max: 65_536)
            status.board = bytes.flatMap { try? JSONValue.parse($0) }
        }
        for (dataset, settings) in configuration.datasets.sorted(by: { $0.key < $1.key }) where settings.schema != nil {
            status.inboxes.append(inboxStatus(dataset))
        }
        (status.claims, status.entries) = try recording { () throws(LedgerError) in
            (try ledger.inflight(), try ledger.size())
        }
        status.free = try storing { () throws(StorageError) in try freeSpace(root) }
        return status
    }

    private func inboxStatus(
        _ dataset: String
    ) -> (dataset: String, path: String, waiting: Int, oldest: Int?, problem: String?) {
        let path = inbox(of: dataset)
        var waiting = 0
        var oldest: Int?
        do throws(StorageError) {
            let folder = try openPlace(inboxPath(of: dataset))
            var names: [FileName] = []
            try folder.forEachName { if !Inbox.isIgnored($0) { names.append($0) } }
            for name in names {
                guard let found = try folder.status(of: name) else { continue }
                waiting += 1
                oldest = min(oldest ?? .max, found.modifiedNanoseconds)
            }
        } catch {
            let isMissing = error.code == .notFound
            let problem = isMissing ? "\(path) does not exist yet; sluice watch creates it" : error.description
            return (dataset, path, waiting, nil, problem)
        }
        let age = oldest.map { max(0, Clock.milliseconds() / 1000 - $0 / 1_000_000_000) }
        return (dataset, path, waiting, age, nil)
    }
}
