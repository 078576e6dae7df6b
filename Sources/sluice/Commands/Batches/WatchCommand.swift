import ArgumentParser
import Ingestion
import Lineage
import Storage
import Tabular

extension Readiness: ExpressibleByArgument {}

/// `sluice watch`: the daemon that ingests files from inboxes until a signal stops it.
struct WatchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch", abstract: "Ingest the files that arrive in the inboxes, until stopped.",
        discussion: """
            Each dataset with a contract in sluice.yaml has an inbox: inbox/NAME in the store, or the path of its key inbox. A complete \
            file is moved into the store, judged as by sluice ingest, and once its outcome is recorded it is removed or moved into the \
            dataset's archive. Ignored are hidden names and names that end in .part, .tmp, .temp, .filepart, .crdownload, .partial, \
            .lock, .swp, ~, .done, .sha256, .sig, .minisig or .manifest. A file that can never be judged is sealed into quarantine and \
            recorded. A file that cannot be judged now, because the disk is full or a key is missing, is retried. A list (NAME.batch, as \
            sha256sum writes it) is taken with the files that it names, as one batch, once all of them are there.

            SIGTERM and SIGINT stop the daemon: the current file gets 8 more seconds, then it is put back for the next start. A second \
            signal stops at once. Nothing is lost if the daemon is killed.

            Examples:
              sluice watch --store store --log-format text
              sluice watch --once --store store

            Exit codes: 130 or 143 after SIGINT or SIGTERM · 75 another daemon watches the store · with --once: 0 every file \
            accepted or a duplicate · 1 one was held or set aside · the error's code if a file could not be judged yet.
            """)

    @Flag(name: .long, help: "Ingest the files that are there and end, for cron.")
    var once = false

    @Option(
        name: .long,
        help:
            "When a file counts as complete: auto (nobody writes to it), rename (at once), marker (NAME.done exists) or stable (--settle)."
    )
    var ready = Readiness.auto

    @Option(
        name: .long,
        help:
            "Seconds that size and modification time must stay unchanged before a file counts as complete, 0 to 86400.")
    var settle = 2.0

    @Option(name: .long, help: "Seconds between two full scans of the inboxes, 0.1 to 86400.")
    var interval = 60.0

    @Option(
        name: .long,
        help: "Number of waiting files remembered for each inbox, oldest first; later scans find the others.")
    var maxQueue = 100_000

    @Option(name: .long, help: "Free space in MiB that the store's disk must keep.")
    var minFree = 64

    @Option(name: .long, help: "Number of workers, 1 to 256 (default: the number of processors).")
    var jobs: Int?

    @Option(name: .long, help: "The format of the log on standard error.")
    var logFormat = LogFormat.json

    @Option(name: .long, help: "The lowest level that is logged.")
    var logLevel = LogLevel.info

    @OptionGroup var store: StoreOptions

    /// Checks the ranges of the numeric options.
    func validate() throws {
        if let jobs, !(1...256).contains(jobs) { throw ValidationError("--jobs must be a whole number from 1 to 256") }
        if !(0...86_400).contains(settle) { throw ValidationError("--settle must be from 0 to 86400 seconds") }
        if !(0.1...86_400).contains(interval) { throw ValidationError("--interval must be from 0.1 to 86400 seconds") }
        if maxQueue < 1 { throw ValidationError("--max-queue must be at least 1") }
        if !(0...1 << 30).contains(minFree) { throw ValidationError("--min-free must be 0 or more MiB") }
    }

    /// Runs the daemon. The exit code is 128 plus the signal, the code of a pending error, 1 for held files, else 0.
    func run() async throws {
        ignoreBrokenPipes()
        var code: Int32 = 0
        try await reporting {
            let signals = try StopSignals()
            let store = try store.require()
            try NamedStore.useAbsolutePath(of: store.root)
            var options = WatchOptions()
            options.once = once
            options.readiness = ready
            options.settle = settle
            options.interval = interval
            options.maxQueue = maxQueue
            options.minFree = minFree << 20
            options.jobs = jobs ?? processorCount()
            let log = WatchLog(format: logFormat, level: logLevel)
            let end = try await Watcher(store, options: options, signals: signals, tell: log.tell).run()
            if let signal = end.signal {
                code = 128 + signal
            } else if let pending = end.pending {
                code = pending.code.rawValue
            } else if end.tally.held + end.tally.setAside > 0 {
                code = 1
            }
        }
        if code != 0 { throw ExitCode(code) }
    }
}

/// `sluice status`: the state of the daemon and of the inboxes.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show the daemon, the waiting files, the files in work, open holds and the last error.",
        discussion: """
            Example:
              sluice status --store store
              sluice status --fail-on held:4h

            Exit codes: 0 a daemon runs without trouble · 1 none runs, something cannot go on, or --fail-on fits.
            """)

    @Option(
        name: .long,
        help: "held or held:AGE: exit with 1 also when a held batch waits for a decision (for AGE: 30m, 4h, 2d).")
    var failOn: HoldAge?
    @Flag(name: .long, help: "Print JSON.") var json = false
    @OptionGroup var store: StoreOptions

    /// Prints the state, and exits with 1 unless a daemon runs without trouble.
    func run() async throws {
        ignoreBrokenPipes()
        var (isWell, isReadable) = (false, true)
        try await reporting {
            let store = try store.require()
            let ledger = try LineageCommand.open(store)
            let status = try store.status(ledger)
            var held: [HeldBatch] = []
            // The daemon's state is shown all the same.
            do throws(IngestionError) { held = try store.proving().heldBatches() } catch {
                Terminal.complain("the open holds cannot be read: \(error.description)")
                isReadable = false
            }
            isWell =
                isReadable && status.daemon != nil && status.trouble == nil
                && status.inboxes.allSatisfy { $0.problem == nil }
            // Newest first. Times in this form sort as they follow each other.
            if let failOn, let oldest = held.last, oldest.time <= failOn.latest { isWell = false }
            if json {
                Terminal.json(Self.document(status, held))
            } else {
                Self.print(status, held)
            }
        }
        if !isWell { throw ExitCode(1) }
    }

    /// The status for people, one line for each fact.
    private static func print(_ status: StoreStatus, _ held: [HeldBatch]) {
        if let pid = status.daemon {
            let board = status.board
            func count(_ key: String) -> String { NumberText.number(Int(board?[key]?.whole ?? 0)) }
            Terminal.line("daemon  running, process \(pid), since \(board?["started"]?.text ?? "just now")")
            Terminal.line(
                "done    \(count("accepted")) accepted, \(count("held")) held, \(count("duplicate")) duplicate, "
                    + "\(count("set_aside")) set aside")
        } else {
            Terminal.line(NamedStore.completed("daemon  not running; start it with: sluice watch"))
        }
        for inbox in status.inboxes {
            if let problem = inbox.problem {
                Terminal.remark("inbox   \(inbox.dataset)  \(problem)")
                continue
            }
            let age = inbox.oldest.map { ", the oldest for \(NumberText.duration($0))" } ?? ""
            Terminal.line("inbox   \(inbox.dataset)  \(NumberText.number(inbox.waiting)) waiting\(age)  \(inbox.path)")
        }
        for claim in status.claims {
            Terminal.line("work    \(claim.claim)  \(claim.state.rawValue), attempt \(claim.attempts)")
        }
        if let oldest = held.last {
            Terminal.line(
                "review  \(NumberText.number(held.count)) held and open, the oldest since \(oldest.time); see: sluice review list"
            )
        }
        if let trouble = status.trouble {
            let others = status.inTrouble > 1 ? "  (and \(NumberText.number(status.inTrouble - 1)) more)" : ""
            Terminal.line("trouble \(trouble.time)  \(trouble.message)\(others)")
        }
        Terminal.line("ledger  \(NumberText.number(status.entries)) entries")
        Terminal.line("disk    \(NumberText.number(status.free >> 20)) MiB free")
    }

    /// The status as a document.
    private static func document(_ status: StoreStatus, _ held: [HeldBatch]) -> JSONValue {
        .object([
            "daemon": status.daemon.map { .integer(Int64($0)) } ?? .null, "board": status.board ?? .null,
            "inboxes": .array(
                status.inboxes.map {
                    .object([
                        "dataset": .string($0.dataset), "path": .string($0.path),
                        "waiting": .integer(Int64($0.waiting)),
                        "oldest_seconds": $0.oldest.map { .integer(Int64($0)) } ?? .null,
                        "problem": $0.problem.map { .string($0) } ?? .null,
                    ])
                }),
            "claims": .array(
                status.claims.map {
                    .object([
                        "claim": .string($0.claim), "state": .string($0.state.rawValue),
                        "attempts": .integer(Int64($0.attempts)),
                    ])
                }),
            "held": .object([
                "open": .integer(Int64(held.count)), "oldest": held.last.map { .string($0.time) } ?? .null,
            ]),
            "ledger_entries": .integer(Int64(status.entries)), "free_bytes": .integer(Int64(status.free)),
        ])
    }
}

/// `held` or `held:AGE`: how long a held batch may wait for a decision.
struct HoldAge: ExpressibleByArgument {
    private let milliseconds: Int

    init?(argument: String) {
        let parts = argument.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.first == "held" else { return nil }
        guard parts.count == 2 else {
            milliseconds = 0
            return
        }
        guard let age = duration(String(parts[1])) else { return nil }
        milliseconds = age
    }

    /// The time of the verdict from which on a batch has not waited too long.
    var latest: String { Clock.text(max(0, Clock.milliseconds() - milliseconds)) }
}
