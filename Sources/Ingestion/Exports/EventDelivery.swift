import Lineage
import Schemas
import Storage
import Synchronization
import Tabular

/// `openLineage:` of `sluice.yaml`: where run events go as batches are judged.
package struct EventSinks: Sendable, Equatable {
    /// A file outside the store to which events are appended, one line each.
    package private(set) var file: String?
    /// The endpoint of an OpenLineage server.
    package private(set) var url: String?
    /// A file with header lines for the endpoint, such as its token; relative to the store.
    package private(set) var headers: String?

    /// No sink.
    init() {}

    /// Reads `openLineage:`.
    init(_ cursor: Cursor) throws(SchemaError) {
        let settings = try SettingReader(cursor, .openLineage)
        file = try settings.text("file")
        url = try settings.text("url")
        headers = try settings.text("headers")
        if let url {
            let rest = ["http://", "https://"].first(where: url.hasPrefix).map { url.dropFirst($0.count) }
            let host = rest?.prefix { $0 != "/" } ?? ""
            guard !host.isEmpty, !host.contains("@"), url.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                throw settings["url"].map {
                    $0.error(.outOfRange, "write http:// or https://, a host and a path, without a password")
                }
                    ?? cursor.error(.outOfRange, "url")
            }
        }
        guard file != nil || url != nil else {
            throw cursor.error(.inconsistent, "openLineage has file, url or both", atKey: true)
        }
        if headers != nil, url == nil { throw cursor.error(.inconsistent, "headers go with url", atKey: true) }
    }
}

extension SettingGroup {
    /// `openLineage:`.
    static let openLineage = SettingGroup([
        Setting(
            "file", .text("a path"), "a file outside the store to which events are appended, one line of JSON each"),
        Setting("url", .text("http:// or https://"), "the endpoint of an OpenLineage server; `curl` sends to it"),
        Setting(
            "headers", .text("a path"), default: "none",
            "a file with header lines for the endpoint, such as `Authorization: Bearer …`, that only its owner can read"
        ),
    ])
}

/// Sends the run events of OpenLineage to the sinks that `sluice.yaml` names, as batches are judged.
///
/// The ledger is the queue: of each sink only the number of the entry to go on with is kept. So nothing is lost while a sink cannot be
/// reached, and an event may be sent twice. No batch fails because of a sink, and none waits for one longer than `patience`.
package final class EventDelivery: Sendable {
    private let sinks: EventSinks
    private let store: Store
    /// By sink when it is tried again, and how long that pause was.
    private let pauses = Mutex<[String: (until: Double, seconds: Double)]>([:])

    private static let positions = Store.name("openlineage.json"), lock = Store.name("openlineage.lock")
    /// Seconds that sending may take before it is left for the next time, and the longest pause after a failure.
    private static let patience = 10.0, longestPause = 300.0

    /// Sends for a store whose record is open; nil where it names no sink.
    init?(_ store: Store) {
        guard store.configuration.openLineage != EventSinks() else { return nil }
        (sinks, self.store) = (store.configuration.openLineage, store)
    }

    /// Has sinks that are new begin with the next batch; what was before is exported by `sluice lineage export`. What stands in the way is
    /// said by `send`.
    func prepare() {
        // Another process may be sending, which is nothing to wait for where all are known.
        if let known = try? read(), names.allSatisfy({ known[$0] != nil }) { return }
        try? alone { () throws(IngestionError) in try begin() }
    }

    /// Gives sinks that are new a position.
    ///
    /// - Throws: `unreadableData` for positions that were damaged.
    private func begin() throws(IngestionError) {
        let size = try store.proven().state.size
        let before = try read()
        var now = before.filter { names.contains($0.key) }
        for name in names where before[name].map({ $0 > size }) ?? true { now[name] = size }
        if now != before { try keep(now) }
    }

    /// When sending is tried again, by the monotonic clock; infinite when nothing waits.
    package var retryAt: Double { pauses.withLock { $0.values.map(\.until).min() ?? .infinity } }

    /// Sends what waits, within ten seconds and what one more event takes.
    ///
    /// - Parameter isStopped: asked before each event.
    /// - Returns: what went wrong, one line a sink; empty when all was sent.
    package func send(isStopped: () -> Bool = { false }) -> [String] {
        var complaints: [String] = []
        do throws(IngestionError) {
            try alone { () throws(IngestionError) in
                do throws(IngestionError) { try begin() } catch {
                    guard error.code == .unreadableData else { throw error }
                    complaints.append("OpenLineage: \(error.description)")
                    try keep([:])
                    try begin()
                }
                for name in names {
                    if let complaint = try send(to: name, isStopped) { complaints.append(complaint) }
                }
            }
        } catch { complaints.append("OpenLineage: not everything was sent: \(error.description)") }
        return complaints
    }

    /// Does it while no other process does.
    private func alone(_ body: () throws(IngestionError) -> Void) throws(IngestionError) {
        let until = Clock.monotonic() + Self.patience
        while true {
            let held = try storing { () throws(StorageError) in try FileLock.tryAcquire(Self.lock, in: store.files) }
            if let held {
                try body()
                _ = consume held
                return
            }
            guard Clock.monotonic() < until else {
                names.forEach(pauseAfterFailure)
                throw IngestionError(
                    .tryAgain,
                    "another process has been sending for \(Int(Self.patience)) seconds; the next batch sends the rest")
            }
            pause(milliseconds: 50)
        }
    }

    private func pauseAfterFailure(of name: String) {
        pauses.withLock { pauses in
            let seconds = pauses[name].map { min(Self.longestPause, 2 * $0.seconds) } ?? 1
            pauses[name] = (Clock.monotonic() + seconds, seconds)
        }
    }

    // MARK: Positions

    private var names: [String] { (sinks.file == nil ? [] : ["file"]) + (sinks.url == nil ? [] : ["url"]) }

    /// By sink the entry to go on with. A sink with another target goes on where the one before was: what waited was not taken.
    private func read() throws(IngestionError) -> [String: Int] {
        let bytes = try storing { () throws(StorageError) -> [UInt8] in
            guard try store.files.status(of: Self.positions) != nil else { return Array("{}".utf8) }
            return try store.files.openRegular(Self.positions).readAll(max: 1 << 16)
        }
        guard let members = (try? JSONValue.parse(bytes))?.members, members.values.allSatisfy({ ($0.whole ?? -1) >= 0 })
        else {
            throw IngestionError(
                .unreadableData,
                "\(join(store.root, "openlineage.json")) is damaged, so that events may not have been sent; write those that are "
                    + "missing with: sluice lineage export --format openlineage")
        }
        return members.mapValues { Int($0.whole ?? 0) }
    }

    private func keep(_ positions: [String: Int]) throws(IngestionError) {
        let document = JSONValue.object(positions.mapValues { .integer(Int64($0)) })
        try storing { () throws(StorageError) in
            var file = try StagedFile(in: store.files, name: Self.positions)
            try file.write(document.canonicalBytes().span)
            try file.commit(as: Self.positions, replacing: true)
        }
    }

    // MARK: Sinks

    /// Sends to one sink, batch by batch, until nothing waits or the time is up.
    private func send(to name: String, _ isStopped: () -> Bool) throws(IngestionError) -> String? {
        let until = Clock.monotonic() + Self.patience
        if let pause = pauses.withLock({ $0[name] }), Clock.monotonic() < pause.until { return nil }
        var refused: String?
        while true {
            var positions = try read()
            guard let position = positions[name], position < (try store.proven().state.size) else {
                pauses.withLock { $0[name] = nil }
                return refused
            }
            var scope = ExportScope(since: position)
            scope.limit = 1
            var events: [JSONValue] = []
            let next = try store.forEachOpenLineageEvent(of: scope) { events.append($0) }
            var trouble: Trouble?
            if Clock.monotonic() >= until || isStopped() {
                trouble = .later("the time for it is up")
            } else {
                trouble = name == "file" ? append(events) : post(events)
            }
            if case .later(let cause) = trouble {
                pauseAfterFailure(of: name)
                return
                    "OpenLineage: \(shown(name)): \(cause); the events wait in the ledger, and are sent again with the next batch"
            }
            positions[name] = next
            try keep(positions)
            if case .refused(let cause) = trouble, refused == nil {
                refused =
                    "OpenLineage: \(shown(name)): \(cause); this batch's events are not sent again; write them with: "
                    + "sluice lineage export --format openlineage --since \(position)"
            }
        }
    }

    /// A sink for messages, without the query of a URL, which may have a key.
    private func shown(_ name: String) -> String {
        name == "file" ? sinks.file ?? "" : String((sinks.url ?? "").prefix { $0 != "?" })
    }

    private enum Trouble {
        /// It is tried again.
        case later(String)
        /// The endpoint will never take them.
        case refused(String)
    }

    private func append(_ events: [JSONValue]) -> Trouble? {
        let path = store.placed(sinks.file ?? "")
        if store.isOwnSink(path) { return .later(Self.ownSink) }
        let text = events.map { $0.text(pretty: false) + "\n" }.joined()
        do throws(StorageError) {
            try appendLines(path, Array(text.utf8).span)
            return nil
        } catch { return .later(error.description) }
    }

    fileprivate static let ownSink = "it is in the store, whose files are not to be written to; name one outside"

    /// Why the file of header lines cannot be used; nil when it can, or there is none.
    fileprivate var headersFault: String? {
        guard let headers = sinks.headers.map(store.placed) else { return nil }
        do throws(StorageError) {
            let file = try FileDescriptor.openRegular(headers)
            if try file.status().size == 0 { return "\(headers) is empty, and openLineage.headers names it" }
            return try file.status().mode & 0o077 == 0
                ? nil : "\(headers) may have a token, and is open to others: chmod 600 \(headers)"
        } catch { return error.description }
    }

    private func post(_ events: [JSONValue]) -> Trouble? {
        guard let program = Self.curl else {
            return .later("curl is not installed, which sends the events: apt-get install curl")
        }
        if let fault = headersFault { return .later(fault) }
        var refused: [String] = []
        for event in events {
            let run = event["run"]?["runId"]?.text ?? ""
            // The command line of a process is public: the body is its input, and secrets are in a file.
            var command = [
                program, "-q", "--globoff", "--silent", "--output", "/dev/null", "--write-out",
                "%{http_code} %{errormsg}",
                "--connect-timeout",
                "5", "--max-time", "10", "--proto", "=http,https", "--header", "Content-Type: application/json",
                "--header", "Expect:",
            ]
            if let headers = sinks.headers { command += ["--header", "@\(store.placed(headers))"] }
            command += ["--data-binary", "@-", sinks.url ?? ""]
            guard let child = ChildProcess(command) else { return .later("\(program) cannot be started") }
            defer { child.end() }
            let answer: String
            do throws(ChildProcess.Silence) {
                answer = String(
                    decoding: try child.answer(to: Array(event.text(pretty: false).utf8), max: 4096, seconds: 15),
                    as: UTF8.self)
            } catch { return .later("\(program) gave no answer") }
            let words = answer.split(separator: " ", maxSplits: 1)
            switch words.first.flatMap({ Int($0) }) ?? 0 {
            case 200..<300: continue
            case 400, 413, 415, 422: refused.append("it refused an event of batch \(run) (HTTP \(words[0]))")
            case 0: return .later(words.count > 1 ? String(words[1]) : "it cannot be reached")
            case let code: return .later("it answered HTTP \(code)")
            }
        }
        return refused.first.map { first in
            .refused(refused.count > 1 ? "\(first) and \(refused.count - 1) others" : first)
        }
    }

    /// Where curl is; nil where it is not installed.
    static var curl: String? { ["/usr/bin/curl", "/bin/curl", "/usr/local/bin/curl"].first(where: exists) }
}

extension Store {
    /// Whether a file of events would be in the store.
    fileprivate func isOwnSink(_ path: String) -> Bool { isOwn(exists(path) ? path : split(path).folder) }

    /// Checks what sending run events needs.
    func examineEvents() -> [Diagnosis] {
        var found: [Diagnosis] = []
        if let file = configuration.openLineage.file.map(placed), isOwnSink(file) {
            found.append(
                Diagnosis(
                    "events", .risk, "openLineage.file: \(file): \(EventDelivery.ownSink)",
                    cure: "correct \(Self.configurationName); until then the events wait in the ledger"))
        }
        guard configuration.openLineage.url != nil else { return found }
        if EventDelivery.curl == nil {
            found.append(
                Diagnosis(
                    "events", .risk, "openLineage.url is set, and curl, which sends the events, is not installed",
                    cure: "apt-get install curl; until then the events wait in the ledger"))
        }
        if let fault = EventDelivery(self)?.headersFault {
            found.append(
                Diagnosis(
                    "events", .risk, fault,
                    cure: "give the file its header lines and mode 600; until then the events wait"))
        }
        return found
    }
}
