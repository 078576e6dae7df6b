import ArgumentParser
import Ingestion
import Logging
import Screening
import Storage
import Tabular

/// The format of the daemon's log.
enum LogFormat: String, ExpressibleByArgument, CaseIterable {
    case json
    case text
}

/// The lowest level of the daemon's log.
enum LogLevel: String, ExpressibleByArgument, CaseIterable {
    case debug
    case info
    case notice
    case warning
    case error

    /// The level of the logging library.
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

/// Writes log lines to standard error: one JSON document, or one text line for people.
///
/// Messages are constant, and metadata holds counts, codes, names and paths, never a value of the data. A supplier's
/// file name stays on one line and cannot hide anything.
struct StreamLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info
    let format: LogFormat

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes one line. Metadata of the event overrides that of the logger.
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

    /// A metadata value as JSON; numbers stay numbers.
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

/// Turns the daemon's events into log lines: message, level and metadata of each.
struct WatchLog {
    let logger: Logger

    /// A logger to standard error.
    ///
    /// - Parameters:
    ///   - format: the format of its lines.
    ///   - level: the lowest level that is written.
    init(format: LogFormat, level: LogLevel) {
        var logger = Logger(label: "sluice.watch") { _ in StreamLogHandler(format: format) }
        logger.logLevel = level.level
        self.logger = logger
    }

    /// Logs one event. Operational errors are `error` even though they are retried; a file that cannot be taken is a
    /// `warning`, and progress is `info` or `debug`.
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
        case .setAside(let file):
            logger.error(
                "cannot be judged; sealed whole in quarantine",
                metadata: [
                    "dataset": "\(file.dataset)", "file": "\(shown(file.name))", "batch": "\(file.batch)",
                    "reason": "\(file.reason.rawValue)",
                    "path": "\(file.path)", "cause": "\(shown(file.cause, of: file.name))",
                    "next": "\(NamedStore.completed("sluice lineage show \(file.batch)"))",
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
        case .removed(let removed):
            logger.notice(
                "sealed files were removed: their retention ended",
                metadata: [
                    "files": .count(removed.files), "bytes": .count(removed.bytes), "batches": .count(removed.batches),
                    "holds": .count(removed.holds),
                ])
        case .removalFailed(let cause, let seconds):
            logger.error(
                "sealed files whose retention ended could not be removed; tried again",
                metadata: ["cause": "\(cause)", "retry_seconds": .stringConvertible(seconds)])
        case .eventsWait(let cause): logger.warning("run events were not sent", metadata: ["cause": "\(cause)"])
        case .stopping(let signal): logger.notice("stopping", metadata: ["signal": .count(Int(signal))])
        case .stopped: logger.info("stopped")
        }
    }

    /// A supplier's file name without personal data.
    private func shown(_ name: String) -> String { LabelSearch.usual.shown(name) }

    /// A message about such a file.
    private func shown(_ text: String, of name: String) -> String {
        NamedStore.completed(LabelSearch.usual.shown(text, of: name))
    }

    /// Logs the verdict on a batch: accepted and duplicate batches as `info`, held and rejected ones as `warning`.
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
            if report.status == .held {
                metadata["next"] = "\(NamedStore.completed(FindingText.release(report.batch)))"
            }
            if let incident = report.incident { metadata["incident"] = "\(incident.batch)" }
            let word = report.status == .rejected ? "rejected" : "held"
            logger.warning("\(word); nothing was published", metadata: metadata)
        }
    }
}

extension Logger.MetadataValue {
    /// A number that stays a number in JSON.
    fileprivate static func count(_ number: Int) -> Self { .stringConvertible(number) }
}
