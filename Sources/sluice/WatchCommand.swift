import ArgumentParser
import Ingestion
import Lineage
import Storage
import Tabular

extension Readiness: ExpressibleByArgument {}

/// `sluice watch`.
struct WatchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch", abstract: "Take files out of the datasets' inboxes through the gate, until stopped.",
        discussion: """
            Each dataset of sluice.yaml that has a contract has an inbox: inbox/NAME in the store, or what its key inbox \
            says. A file that is whole is moved into the store, judged like by `ingest`, and removed, or moved into the \
            dataset's archive, once its outcome is recorded. Hidden names and names that end in .part, .tmp, .temp, \
            .filepart, .crdownload, .partial, .lock, .swp, ~, .done, .sha256, .sig, .minisig or .manifest are not deliveries. \
            What cannot be judged at all is sealed into quarantine and recorded; what cannot be judged now, because a disk \
            is full or a key is missing, waits and is tried again.

            SIGTERM and SIGINT stop it: the file in work may take 8 seconds more, then it is put back and judged by the \
            next daemon. A second signal stops it at once. Nothing is lost if it is killed.

            Exit codes: 130 or 143 after SIGINT or SIGTERM · 75 another daemon watches the store · with --once: 0 every file \
            accepted or a duplicate · 1 one was held or set aside · others if a file is still waiting for what the code says.
            """)

    @Flag(name: .long, help: "Take what is there and end: for cron.")
    var once = false

    @Option(name: .long, help: "When a file is whole: auto, rename, marker (NAME.done beside it) or stable.")
    var ready = Readiness.auto

    @Option(name: .long, help: "Seconds that size and time must stand still where nothing better tells.")
    var settle = 2.0

    @Option(name: .long, help: "Seconds between two looks at the whole inboxes.")
    var interval = 60.0

    @Option(name: .long, help: "Files remembered an inbox; the oldest come first, others are found later.")
    var maxQueue = 100_000

    @Option(name: .long, help: "MiB that must stay free on the store's disk.")
    var minFree = 64

    @Option(name: .long, help: "Workers (default: the number of processors).")
    var jobs: Int?

    @Option(name: .long, help: "json or text.")
    var logFormat = LogFormat.json

    @Option(name: .long, help: "debug, info, notice, warning or error.")
    var logLevel = LogLevel.info

    @OptionGroup var store: StoreOptions

    func validate() throws {
        if let jobs, !(1...256).contains(jobs) { throw ValidationError("--jobs must be 1 to 256") }
        if !(0...86_400).contains(settle) { throw ValidationError("--settle must be 0 to 86400 seconds") }
        if !(0.1...86_400).contains(interval) { throw ValidationError("--interval must be 0.1 to 86400 seconds") }
        if maxQueue < 1 { throw ValidationError("--max-queue must be at least 1") }
        if !(0...1 << 30).contains(minFree) { throw ValidationError("--min-free must be 0 or more") }
    }

    func run() async throws {
        ignoreBrokenPipes()
        var code: Int32 = 0
        try await reporting {
            let signals = try StopSignals()
            let store = try store.require()
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

/// `sluice status`.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Say whether a daemon runs, what waits, what is worked on, and what went wrong.",
        discussion:
            "Exit codes: 0 a daemon runs and nothing is in trouble · 1 none runs, or something cannot go on.")

    @Flag(name: .long, help: "As JSON.") var json = false
    @OptionGroup var store: StoreOptions

    func run() async throws {
        ignoreBrokenPipes()
        var isWell = false
        try await reporting {
            let store = try store.require()
            let ledger = try LineageCommand.open(store)
            let status = try store.status(ledger)
            isWell = status.daemon != nil && status.trouble == nil && status.inboxes.allSatisfy { $0.problem == nil }
            if json {
                Terminal.json(Self.document(status))
            } else {
                Self.print(status)
            }
        }
        if !isWell { throw ExitCode(1) }
    }

    private static func print(_ status: StoreStatus) {
        if let pid = status.daemon {
            let board = status.board
            func count(_ key: String) -> String { Words.number(Int(board?[key]?.whole ?? 0)) }
            Terminal.line("daemon  runs, process \(pid), since \(board?["started"]?.text ?? "just now")")
            Terminal.line(
                "done    \(count("accepted")) accepted, \(count("held")) held, \(count("duplicate")) duplicate, "
                    + "\(count("set_aside")) set aside")
        } else {
            Terminal.line("daemon  does not run; start it with: sluice watch")
        }
        for inbox in status.inboxes {
            if let problem = inbox.problem {
                Terminal.remark("inbox   \(inbox.dataset)  \(problem)")
                continue
            }
            let age = inbox.oldest.map { ", the oldest \(Words.number($0)) s old" } ?? ""
            Terminal.line("inbox   \(inbox.dataset)  \(Words.number(inbox.waiting)) waiting\(age)  \(inbox.path)")
        }
        for claim in status.claims {
            Terminal.line("claim   \(claim.claim)  \(claim.state.rawValue), attempt \(claim.attempts)")
        }
        if let trouble = status.trouble {
            let others = status.inTrouble > 1 ? "  (and \(Words.number(status.inTrouble - 1)) more)" : ""
            Terminal.line("trouble \(trouble.time)  \(trouble.message)\(others)")
        }
        Terminal.line("ledger  \(Words.number(status.entries)) entries")
        Terminal.line("disk    \(Words.number(status.free >> 20)) MiB free")
    }

    private static func document(_ status: StoreStatus) -> JSONValue {
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
            "ledger_entries": .integer(Int64(status.entries)), "free_bytes": .integer(Int64(status.free)),
        ])
    }
}
