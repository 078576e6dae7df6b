import ArgumentParser
import Ingestion
import Logging
import Screening
import Storage
import Tabular

/// How the daemon's log is written.
enum LogFormat: String, ExpressibleByArgument, CaseIterable {
    case json
    case text
}

/// How much the daemon's log says.
enum LogLevel: String, ExpressibleByArgument, CaseIterable {
    case debug
    case info
    case notice
    case warning
    case error

    var level: Logger.Level {
        switch self {
        case .debug: .debug
        case .info: .info
        case .notice: .notice
        case .warning: .warning
        case .error: .error
        }
    }
}

/// Log lines on standard error: one JSON document a line, or one line for people.
///
/// Messages are constant texts and metadata are counts, codes, names and paths: never a value of anyone's data. What a
/// supplier chose (a file's name) is one line in either format, with nothing hidden in it.
struct StreamLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info
    let format: LogFormat

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { _, new in new }
        var line: String
        switch format {
        case .json:
            var members = all.mapValues(Self.value)
            members["time"] = .string(Clock.text())
            members["level"] = .string(event.level.rawValue)
            members["message"] = .string(event.message.description)
            line = PrintableText.json(JSONValue.object(members).text(pretty: false))
        case .text:
            line = "\(Clock.text()) \(event.level.rawValue) \(event.message)"
            for (key, value) in all.sorted(by: { $0.key < $1.key }) { line += "  \(key)=\(value)" }
            line = Terminal.printable(line)
        }
        Terminal.write(Array((line + "\n").utf8), to: .error)
    }

    private static func value(_ value: Logger.MetadataValue) -> JSONValue {
        switch value {
        case .string(let text): .string(text)
        case .stringConvertible(let number as Int): .integer(Int64(number))
        case .stringConvertible(let number as Double): .number(number)
        case .stringConvertible(let other): .string(other.description)
        case .array(let items): .array(items.map(Self.value))
        case .dictionary(let members): .object(members.mapValues(Self.value))
        }
    }
}

/// The daemon's events as log lines: the words, the levels, and what is counted.
struct WatchLog {
    let logger: Logger

    init(format: LogFormat, level: LogLevel) {
        var logger = Logger(label: "sluice.watch") { _ in StreamLogHandler(format: format) }
        logger.logLevel = level.level
        self.logger = logger
    }

    func tell(_ event: WatchEvent) {
        switch event {
        case .started(let inboxes):
            for (dataset, inbox) in inboxes {
                logger.info("watching", metadata: ["dataset": "\(dataset)", "inbox": "\(inbox)"])
            }
        case .taken(let dataset, let name, let batch, let attempt):
            logger.debug(
                "moved into the store",
                metadata: [
                    "dataset": "\(dataset)", "file": "\(shown(name))", "batch": "\(batch)", "attempt": .count(attempt),
                ])
        case .judged(let report, let attempt): judged(report, attempt)
        case .setAside(let dataset, let name, let batch, let reason, let path, let cause):
            logger.error(
                "cannot be judged; sealed whole in quarantine",
                metadata: [
                    "dataset": "\(dataset)", "file": "\(shown(name))", "batch": "\(batch)",
                    "reason": "\(reason.rawValue)",
                    "path": "\(path)", "cause": "\(shown(cause, of: name))",
                ])
        case .refused(let dataset, let name, let reason):
            logger.warning(
                "skipped",
                metadata: ["dataset": "\(dataset)", "file": "\(shown(name))", "reason": "\(shown(reason, of: name))"])
        case .waiting(let dataset, let name, let code, let cause, let seconds):
            logger.error(
                "cannot be judged now; kept and retried",
                metadata: [
                    "dataset": "\(dataset)", "file": "\(shown(name))", "code": .count(Int(code.rawValue)),
                    "cause": "\(shown(cause, of: name))", "retry_seconds": .stringConvertible(seconds),
                ])
        case .lost(let dataset, let inbox, let cause):
            logger.error(
                "inbox unavailable; looking for it",
                metadata: ["dataset": "\(dataset)", "inbox": "\(inbox)", "cause": "\(cause)"])
        case .found(let dataset, let inbox):
            logger.notice("inbox available again", metadata: ["dataset": "\(dataset)", "inbox": "\(inbox)"])
        case .overflowed: logger.notice("file events were dropped; inboxes rescanned")
        case .stopping(let signal): logger.notice("stopping", metadata: ["signal": .count(Int(signal))])
        case .stopped: logger.info("stopped")
        }
    }

    /// A supplier's name for a file, without what it says of somebody.
    private func shown(_ name: String) -> String { LabelSearch.usual.shown(name) }

    /// What was said of such a file.
    private func shown(_ text: String, of name: String) -> String { LabelSearch.usual.shown(text, of: name) }

    private func judged(_ report: BatchReport, _ attempt: Int) {
        var metadata: Logger.Metadata = [
            "dataset": "\(report.dataset)", "file": "\(report.name)", "batch": "\(report.batch)",
            "bytes": .count(report.bytes), "seconds": .stringConvertible((report.seconds * 1000).rounded() / 1000),
            "sha256": "\(report.dataHash)",
        ]
        if report.status != .duplicate {
            metadata["rows"] = .count(report.counts.total)
            for outcome in Outcome.allCases { metadata[outcome.name] = .count(report.counts.count(outcome)) }
        }
        if attempt > 1 { metadata["attempt"] = .count(attempt) }
        switch report.status {
        case .accepted: logger.info("accepted", metadata: metadata)
        case .duplicate:
            metadata["of"] = "\(report.duplicateOf)"
            logger.info("duplicate", metadata: metadata)
        default:
            // Rows of a held batch are held, not accepted.
            for outcome in Outcome.allCases where outcome.isReleased { metadata[outcome.name] = nil }
            metadata["why"] = .array(Set(report.batchFindings.map(\.code.rawValue)).sorted().map { "\($0)" })
            if report.status == .held { metadata["next"] = "\(Words.release(report.batch))" }
            if let incident = report.incident { metadata["incident"] = "\(incident.batch)" }
            let word = report.status == .rejected ? "rejected" : "held"
            logger.warning("\(word); nothing was published", metadata: metadata)
        }
    }
}

extension Logger.MetadataValue {
    /// A number that stays one in JSON.
    fileprivate static func count(_ number: Int) -> Self { .stringConvertible(number) }
}
