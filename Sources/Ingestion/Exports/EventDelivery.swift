import Lineage
import Schemas
import Storage
import Synchronization
import Tabular

/// `openLineage:` of `sluice.yaml`: where run events go as batches are judged.
package struct EventSinks: Sendable, Equatable {
    /// A file to which events are appended, one line each; relative to the store.
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
        Setting("file", .text("a path"), "a file to which events are appended, one line of JSON each"),
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
/// reached, and an event may be sent twice. No batch waits for a sink, and none fails because of one.
package final class EventDelivery: Sendable {
    private let sinks: EventSinks
    private let store: Store
    private let pause = Mutex<(until: Double, seconds: Double)>((0, 0))

    private static let positions = Store.name("openlineage.json"), lock = Store.name("openlineage.lock")
    /// Batches that are sent before the position is kept, and the longest pause after a failure.
    private static let atOnce = 50, longestPause = 300.0

    /// Sends for a store whose record is open; nil where it names no sink. A sink that is new begins with the next batch: what was
    /// before is exported by `sluice lineage export`.
    init?(_ store: Store) {
        guard store.configuration.openLineage != EventSinks() else { return nil }
        (sinks, self.store) = (store.configuration.openLineage, store)
        // What stands in the way is said by `send`.
        try? alone { () throws(IngestionError) in try begin() }
    }

    /// Gives sinks that are new a position.
    private func begin() throws(IngestionError) {
        let size = try store.proven().state.size
        let before = try read()
        var now = before
        for (name, target) in targets
        where before[name]?.target != target || before[name].map({ $0.next > size }) ?? true {
            now[name] = Position(target: target, next: size)
        }
        if now != before { try keep(now) }
    }

    /// When sending is tried again, by the monotonic clock.
    package var retryAt: Double { pause.withLock { $0.until } }

    /// Sends what waits.
    ///
    /// - Returns: what went wrong, one line a sink; empty when all was sent, or another process sends.
    package func send() -> [String] {
        var complaints: [String] = []
        do throws(IngestionError) {
            try alone { () throws(IngestionError) in
                try begin()
                for (name, _) in targets {
                    if let complaint = try send(to: name) { complaints.append(complaint) }
                }
            }
        } catch { complaints.append("OpenLineage: not everything was sent: \(error.description)") }
        return complaints
    }

    /// Does it unless another process does.
    private func alone(_ body: () throws(IngestionError) -> Void) throws(IngestionError) {
        let held = try storing { () throws(StorageError) in try FileLock.tryAcquire(Self.lock, in: store.files) }
        guard let held else { return }
        try body()
        _ = consume held
    }

    // MARK: Positions

    /// How far a sink is.
    private struct Position: Equatable {
        let target: String
        var next: Int
    }

    private var targets: [(name: String, target: String)] {
        [("file", sinks.file), ("url", sinks.url)].compactMap { name, target in target.map { (name, $0) } }
    }

    private func read() throws(IngestionError) -> [String: Position] {
        let bytes = try storing { () throws(StorageError) -> [UInt8] in
            guard try store.files.status(of: Self.positions) != nil else { return [] }
            return try store.files.openRegular(Self.positions).readAll(max: 1 << 16)
        }
        // What cannot be read is no position: the sink begins anew.
        let members = (try? JSONValue.parse(bytes))?.members ?? [:]
        return members.compactMapValues { value in
            guard let target = value["target"]?.text, let next = value["next"]?.whole else { return nil }
            return Position(target: target, next: Int(next))
        }
    }

    private func keep(_ positions: [String: Position]) throws(IngestionError) {
        let document = JSONValue.object(
            positions.mapValues { .object(["target": .string($0.target), "next": .integer(Int64($0.next))]) })
        try storing { () throws(StorageError) in
            var file = try StagedFile(in: store.files, name: Self.positions)
            try file.write(document.canonicalBytes().span)
            try file.commit(as: Self.positions, replacing: true)
        }
    }

    // MARK: Sinks

    /// Sends to one sink until nothing waits.
    private func send(to name: String) throws(IngestionError) -> String? {
        let now = Clock.monotonic()
        if name == "url", now < retryAt { return nil }
        while true {
            var positions = try read()
            guard let position = positions[name], position.next < (try store.proven().state.size) else { return nil }
            var scope = ExportScope(since: position.next)
            scope.limit = Self.atOnce
            var events: [JSONValue] = []
            let next = try store.forEachOpenLineageEvent(of: scope) { events.append($0) }
            let trouble = name == "file" ? append(events) : post(events)
            if case .later(let cause) = trouble {
                if name == "url" {
                    pause.withLock {
                        $0 = (Clock.monotonic() + max(1, $0.seconds), min(Self.longestPause, 2 * max(1, $0.seconds)))
                    }
                }
                return
                    "OpenLineage: \(position.target): \(cause); the events wait in the ledger, and are sent again with the next batch"
            }
            if name == "url" { pause.withLock { $0 = (0, 0) } }
            positions[name]?.next = next
            try keep(positions)
            if case .refused(let cause) = trouble {
                return "OpenLineage: \(position.target): \(cause); these events are not sent again; write them with: "
                    + "sluice lineage export --format openlineage --since \(position.next)"
            }
        }
    }

    private enum Trouble {
        /// It is tried again.
        case later(String)
        /// The endpoint will never take them.
        case refused(String)
    }

    private func append(_ events: [JSONValue]) -> Trouble? {
        let text = events.map { $0.text(pretty: false) + "\n" }.joined()
        do throws(StorageError) {
            try appendDurably(store.placed(sinks.file ?? ""), Array(text.utf8).span)
            return nil
        } catch { return .later(error.description) }
    }

    private func post(_ events: [JSONValue]) -> Trouble? {
        guard let program = Self.curl else {
            return .later("curl is not installed, which sends the events: apt-get install curl")
        }
        var refused: [String] = []
        for event in events {
            let run = event["run"]?["runId"]?.text ?? ""
            // The command line of a process is public: the body is its input, and secrets are in a file.
            var command = [
                program, "-q", "--silent", "--output", "/dev/null", "--write-out", "%{http_code} %{errormsg}",
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
    /// Checks what sending run events needs.
    func examineEvents() -> [Diagnosis] {
        guard configuration.openLineage.url != nil else { return [] }
        var found: [Diagnosis] = []
        if EventDelivery.curl == nil {
            found.append(
                Diagnosis(
                    "events", .risk, "openLineage.url is set, and curl, which sends the events, is not installed",
                    cure: "apt-get install curl; until then the events wait in the ledger"))
        }
        if let headers = configuration.openLineage.headers.map(placed) {
            let status = (try? fileStatus(headers)) ?? nil
            if status?.kind != .regular {
                found.append(
                    Diagnosis(
                        "events", .risk, "\(headers), which openLineage.headers names, is no file",
                        cure: "write the header lines into it, such as Authorization: Bearer …"))
            } else if let mode = status?.mode, mode & 0o077 != 0 {
                found.append(
                    Diagnosis(
                        "events", .risk,
                        "\(headers) has a token perhaps, and is open to others (mode \(String(mode, radix: 8)))",
                        cure: "chmod 600 \(headers)"))
            }
        }
        return found
    }
}
