import Foundation
import Glibc
import Storage
import Testing

/// The daemon, from the view of a supplier and of an operator.
@Suite struct `watch` {
    /// A store whose dataset `rows` takes `id,x`, in the harness's folder as `store`.
    static func store(_ harness: Harness, _ name: String = "store", more: String = "") throws {
        #expect(try harness.run("init", name).code == 0)
        let contract = """
            fields:
              - { name: id, type: integer, constraints: { required: true }, sluice: { role: key } }
              - { name: x, type: number }
            sluice: { apiVersion: sluice/v1, batch: { maxRejectedRate: 0.5 } }

            """
        try harness.write(name + "/schemas/rows.schema.yaml", contract)
        let text = try String(contentsOfFile: harness.path(name + "/sluice.yaml"), encoding: .utf8)
        let head = text.prefix(upTo: text.range(of: "datasets:")?.lowerBound ?? text.endIndex)
        try harness.write(
            name + "/sluice.yaml",
            head + "datasets:\n  rows: { schema: schemas/rows.schema.yaml, source: partner\(more) }\n")
        try FileManager.default.createDirectory(
            atPath: harness.path(name + "/inbox/rows"), withIntermediateDirectories: true)
    }

    static func rows(_ first: Int, _ count: Int) -> String {
        "id,x\n" + (first..<first + count).map { "\($0),\($0 % 7).5\n" }.joined()
    }

    /// Kinds of the entries that record an outcome, in order.
    static func outcomes(_ harness: Harness) throws -> [String] {
        let log = try harness.run("lineage", "log", "--json", "--limit", "1000", "--store", "store")
        return try log.out.split(separator: "\n").reversed().compactMap { line in
            let entry = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            switch entry?["kind"] as? String {
            case "batch.judged": return entry?["verdict"] as? String
            case "batch.duplicate": return "duplicate"
            case "batch.failed": return entry?["reason"] as? String
            default: return nil
            }
        }
    }

    static func inbox(_ harness: Harness) throws -> [String] { try listFolder(harness.path("store/inbox/rows")) }

    @Test func `each delivered file gets one outcome, oldest first, and is gone`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        try Self.store(harness)
        let files = [
            ("c-newest.csv", Self.rows(1, 20)), ("b.csv", Self.rows(100, 20)), ("a-copy.csv", Self.rows(100, 20)),
            ("d.csv", "id,x\n" + (0..<9).map { "\($0),word\n" }.joined()), ("e.pdf", "%PDF"), ("f.csv", ""),
            ("g.jsonl", "{\"id\":1,\"x\":2}\n"),
        ]
        for (age, (name, text)) in files.reversed().enumerated() {
            let path = try harness.write("store/inbox/rows/" + name, text)
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSince1970: 1_700_000_000 + Double(age))], ofItemAtPath: path)
        }
        let run = try harness.run("watch", "--once", "--store", "store")
        #expect(run.code == 1, "\(run.err)")
        #expect(
            try Self.outcomes(harness)
                == ["accepted", "unreadable", "unknown-format", "held", "accepted", "duplicate", "accepted"])
        #expect(try Self.inbox(harness).isEmpty && listFolder(harness.path("store/work")).isEmpty)
        #expect(try harness.run("lineage", "verify", "--files", "--store", "store").code == 0)
        // A file that could not be judged is sealed whole, and can be recovered.
        let sealed = harness.files(below: "store/quarantine").filter { $0.hasSuffix("source.sluice") }
        let bodies = try sealed.map {
            try harness.run("shard", "cat", "store/quarantine/" + $0, "--reason", "test", "--store", "store").out
        }
        #expect(Set(bodies) == ["%PDF", "", files[3].1])
        // Every line of the log is one document, and a second run has nothing to do.
        for line in run.err.split(separator: "\n") {
            #expect(try JSONSerialization.jsonObject(with: Data(line.utf8)) is [String: Any])
        }
        #expect(try harness.run("watch", "--once", "--store", "store").code == 0)
    }

    @Test func `unfinished names, markers and settling`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        try Self.store(harness)
        for name in [".hidden.csv", "a.csv.part", "b.tmp", "c.crdownload", "d.csv~", "e.csv.sha256", "F.CSV.PART"] {
            try harness.write("store/inbox/rows/" + name, Self.rows(1, 3))
        }
        let before = try Self.inbox(harness)
        #expect(try harness.run("watch", "--once", "--store", "store", "--settle", "0.1").code == 0)
        #expect(try Self.inbox(harness) == before && Self.outcomes(harness).isEmpty)
        // Only the file with a marker is taken, and the marker is removed with it.
        try harness.write("store/inbox/rows/x.csv", Self.rows(1, 3))
        try harness.write("store/inbox/rows/y.csv", Self.rows(7, 3))
        try harness.write("store/inbox/rows/y.csv.done", "")
        #expect(
            try harness.run("watch", "--once", "--ready", "marker", "--settle", "0.1", "--store", "store").code == 0)
        #expect(try Self.inbox(harness) == (before + ["x.csv"]).sorted())
        // A file that a process has open for writing waits.
        let open = try #require(FileHandle(forWritingAtPath: harness.path("store/inbox/rows/x.csv")))
        #expect(try harness.run("watch", "--once", "--store", "store", "--settle", "0.1").code == 0)
        #expect(try Self.inbox(harness).contains("x.csv"))
        try open.close()
        #expect(try harness.run("watch", "--once", "--store", "store", "--settle", "0.1").code == 0)
        #expect(try Self.inbox(harness) == before && Self.outcomes(harness) == ["accepted", "accepted"])
    }

    @Test func `things that are no plain files are told of and left alone`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        try Self.store(harness)
        let inbox = harness.path("store/inbox/rows")
        try FileManager.default.createSymbolicLink(atPath: inbox + "/link.csv", withDestinationPath: "/etc/passwd")
        try FileManager.default.createDirectory(atPath: inbox + "/folder.csv", withIntermediateDirectories: false)
        let isPipe = unsafe mkfifo(inbox + "/pipe.csv", 0o600) == 0
        #expect(isPipe)
        let run = try harness.run("watch", "--once", "--store", "store")
        #expect(run.code == 0)
        for (name, kind) in [("link", "symbolic link"), ("folder", "folder"), ("pipe", "pipe")] {
            #expect(run.err.contains("\"file\":\"\(name).csv\"") && run.err.contains("it is a \(kind)"), "\(run.err)")
        }
        #expect(try Self.inbox(harness).count == 3 && Self.outcomes(harness).isEmpty)
    }

    @Test func `one file that cannot be taken keeps no other waiting`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        try Self.store(harness)
        // A sparse file may have any size; twice that size may overflow.
        let huge = try harness.write("store/inbox/rows/huge.csv", "id,x\n")
        let file = try #require(FileHandle(forWritingAtPath: huge))
        var size: UInt64 = 1 << 43
        if (try? file.truncate(atOffset: UInt64(Int64.max))) == nil, (try? file.truncate(atOffset: size)) == nil {
            size = 1 << 40
            try file.truncate(atOffset: size)
        }
        try file.close()
        try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSince1970: 1)], ofItemAtPath: huge)
        try harness.write("store/inbox/rows/small.csv", Self.rows(1, 9))
        let run = try harness.run("watch", "--once", "--settle", "0.1", "--store", "store")
        #expect(run.code == 75 && run.err.contains("huge.csv needs twice its size"), "\(run.code) \(run.err)")
        #expect(try Self.outcomes(harness) == ["accepted"] && Self.inbox(harness) == ["huge.csv"])
    }

    @Test func `an archive that is an inbox, and one inbox for two, are refused`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        try Self.store(harness, more: ", archive: inbox/rows")
        let loop = try harness.run("watch", "--once", "--store", "store")
        #expect(loop.code == 78 && loop.err.contains("is the inbox of rows"), "\(loop.err)")
        try Self.store(harness, "second", more: " }\n  more: { schema: schemas/rows.schema.yaml, inbox: inbox/rows")
        let twice = try harness.run("watch", "--once", "--store", "second")
        #expect(twice.code == 78 && twice.err.contains("have the same inbox"), "\(twice.err)")
    }

    @Test func `a marker of an earlier file says nothing of a later one`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        try Self.store(harness)
        try harness.write("store/inbox/rows/a.csv.done", "")
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: -30)],
            ofItemAtPath: harness.path("store/inbox/rows/a.csv.done"))
        let path = try harness.write("store/inbox/rows/a.csv", Self.rows(1, 9))
        let open = try #require(FileHandle(forWritingAtPath: path))
        #expect(try harness.run("watch", "--once", "--settle", "0.1", "--store", "store").code == 0)
        #expect(
            try harness.run("watch", "--once", "--ready", "marker", "--settle", "0.1", "--store", "store").code == 0)
        #expect(try Self.outcomes(harness).isEmpty)
        try open.close()
        #expect(try harness.run("watch", "--once", "--settle", "0.1", "--store", "store").code == 0)
        #expect(try Self.outcomes(harness) == ["accepted"] && Self.inbox(harness).isEmpty)
    }

    @Test func `what comes beside a file is taken along, and what is required is waited for`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        try Self.store(harness)
        let name = "store/sluice.yaml"
        let text = String(decoding: try Data(contentsOf: URL(filePath: harness.path(name))), as: UTF8.self)
        try harness.write(name, text + "sources:\n  partner: { probation: 0, require: [digest] }\n")
        func sum(_ file: String) throws -> String {
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/sha256sum")
            process.arguments = [harness.path(file)]
            let pipe = Pipe()
            process.standardOutput = pipe
            try process.run()
            process.waitUntilExit()
            return String(decoding: try #require(try pipe.fileHandleForReading.readToEnd()), as: UTF8.self)
        }
        try harness.write("store/inbox/rows/a.csv", Self.rows(1, 9))
        try harness.write("store/inbox/rows/a.csv.sha256", try sum("store/inbox/rows/a.csv"))
        #expect(try harness.run("watch", "--once", "--settle", "0.1", "--store", "store").code == 0)
        #expect(try Self.outcomes(harness) == ["accepted"] && harness.files(below: "store/inbox/rows").isEmpty)
        #expect(harness.files(below: "store/work").isEmpty)
        // Without it the file waits, and is rejected after the timeout.
        try harness.write("store/inbox/rows/b.csv", Self.rows(101, 9))
        let run = try harness.run("watch", "--once", "--settle", "0.1", "--store", "store")
        #expect(run.code == 1 && run.err.contains("digest-missing"), "\(run.err)")
        // A digest of another file does not count.
        try harness.write("store/inbox/rows/c.csv", Self.rows(201, 9))
        try harness.write("store/inbox/rows/c.csv.sha256", String(repeating: "0", count: 64))
        let wrong = try harness.run("watch", "--once", "--settle", "0.1", "--store", "store")
        #expect(wrong.code == 1 && wrong.err.contains("digest-mismatch"), "\(wrong.err)")
        #expect(harness.files(below: "store/inbox/rows").isEmpty && harness.files(below: "store/work").isEmpty)
    }

    @Test func `names cannot forge a line or leave the folder`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        try Self.store(harness, more: ", archive: archive")
        let names: [[UInt8]] = [
            Array("a\n{\"level\":\"info\",\"message\":\"accepted\"}.csv".utf8), Array("b\u{1B}[2Jc.csv".utf8),
            [0x62, 0xFF, 0xFE] + Array(".csv".utf8), Array("c..%2F..%2Fc.csv".utf8), Array("d \u{202E}vsc.csv".utf8),
            Array(repeating: 0x6E, count: 251) + Array(".csv".utf8),
        ]
        let inbox = harness.path("store/inbox/rows")
        for (index, name) in names.enumerated() {
            let path = Array((inbox + "/").utf8) + name + [0]
            let file = unsafe open(path.map { CChar(bitPattern: $0) }, O_WRONLY | O_CREAT, 0o600)
            let text = Array(Self.rows(index * 100, 5).utf8)
            let isWritten = unsafe write(file, text, text.count) == text.count && close(file) == 0
            #expect(isWritten)
        }
        let run = try harness.run("watch", "--once", "--store", "store", "--log-level", "debug")
        #expect(run.code == 0, "\(run.err)")
        #expect(try Self.outcomes(harness) == Array(repeating: "accepted", count: names.count))
        #expect(!run.err.utf8.contains(0x1B) && !run.err.utf8.contains(0xFF) && !run.err.contains("\u{202E}"))
        let lines = run.err.split(separator: "\n")
        #expect(try lines.allSatisfy { try JSONSerialization.jsonObject(with: Data($0.utf8)) is [String: Any] })
        #expect(lines.count { $0.contains("\"message\":\"accepted\"") } == names.count)
        // The archive has them under their own names, byte for byte.
        var archived: Set<[UInt8]> = []
        try OpenFolder(harness.path("store/archive")).forEachName { archived.insert($0.bytes) }
        #expect(archived == Set(names))
        #expect(try Self.inbox(harness).isEmpty)
    }

    @Test func `a second daemon is refused with the first one's process id`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        try Self.store(harness)
        let first = try Daemon(harness)
        defer { first.stop() }
        #expect(first.waits { try harness.run("status", "--store", "store").code == 0 })
        let second = try harness.run("watch", "--store", "store")
        #expect(second.code == 75 && second.err.contains("process \(first.processID)"), "\(second.err)")
        // Another store with the same inbox is refused too.
        try Self.store(harness, "other", more: ", inbox: \(harness.path("store/inbox/rows"))")
        let third = try harness.run("watch", "--store", "other")
        #expect(third.code != 0 && third.err.contains("another daemon watches it"), "\(third.err)")
        // A one-shot `ingest` works beside the daemon, and the daemon takes new files.
        try harness.write("mine.csv", Self.rows(1, 9))
        #expect(try harness.run("ingest", "mine.csv", "--dataset", "rows", "--store", "store").code == 0)
        try harness.write("store/inbox/rows/theirs.csv", Self.rows(50, 9))
        #expect(first.waits { try Self.outcomes(harness) == ["accepted", "accepted"] })
        #expect(first.end(SIGTERM) == 143)
        #expect(try harness.run("status", "--store", "store").code == 1)
    }

    @Test func `a hold that waits too long can fail the status`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        try Self.store(harness)
        let daemon = try Daemon(harness)
        defer { daemon.stop() }
        func status(_ more: String...) throws -> Harness.Outcome {
            try harness.run(["status", "--store", "store"] + more)
        }
        #expect(daemon.waits { try status("--fail-on", "held").code == 0 })
        try harness.write("store/inbox/rows/bad.csv", "id,x\n" + (0..<9).map { "\($0),none\n" }.joined())
        #expect(daemon.waits { try Self.outcomes(harness) == ["held"] })
        #expect(daemon.waits { try status().code == 0 })
        let shown = try status("--fail-on", "held")
        #expect(shown.code == 1 && shown.out.contains("1 held and open"), "\(shown.out)")
        #expect(try status("--json").out.contains("\"open\": 1"))
        #expect(try status("--fail-on", "held:1h").code == 0 && status("--fail-on", "held:0s").code == 1)
        for wrong in ["holds", "held:", "held:4", "held:-1h", "held:xh"] {
            #expect(try status("--fail-on", wrong).code == 64, "\(wrong)")
        }
        let batch = try harness.run("review", "list", "--store", "store").out.prefix(36)
        #expect(try harness.run("review", "reject", String(batch), "--reason", "no", "--store", "store").code == 0)
        #expect(try status("--fail-on", "held").code == 0)
        #expect(daemon.end(SIGTERM) == 143)
    }

    @Test func `a lost inbox is found again, and events that were lost are made up for`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        try Self.store(harness)
        let daemon = try Daemon(harness)
        defer { daemon.stop() }
        #expect(daemon.waits { try harness.run("status", "--store", "store").code == 0 })
        let inbox = harness.path("store/inbox/rows")
        try FileManager.default.moveItem(atPath: inbox, toPath: inbox + "-away")
        try FileManager.default.createDirectory(atPath: inbox, withIntermediateDirectories: false)
        try harness.write("store/inbox/rows/a.csv", Self.rows(1, 9))
        #expect(daemon.waits { try Self.outcomes(harness) == ["accepted"] })
        // A network file system delivers no events; such a file is found by the next scan.
        try harness.write("b.csv", Self.rows(50, 9))
        try FileManager.default.linkItem(atPath: harness.path("b.csv"), toPath: inbox + "/b.csv")
        #expect(daemon.waits { try Self.outcomes(harness) == ["accepted", "accepted"] })
    }

    @Test func `a file over which the process died three times is set aside`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        try Self.store(harness)
        try harness.write("store/inbox/rows/a.csv", Self.rows(1, 20_000))
        var kills = 0
        for delay in [0.02, 0.05, 0.1, 0.2, 0.1, 0.15, 0.2, 0.25, 0.3, 0.1, 0.15, 0.2] {
            if try !Self.outcomes(harness).isEmpty { break }
            if try harness.run(["watch", "--once", "--store", "store", "--jobs", "1"], after: delay).code == SIGKILL {
                kills += 1
            }
        }
        _ = try harness.run("watch", "--once", "--store", "store")
        #expect(kills >= 3)
        // Whether the kills hit the work or came before it, there is one outcome and nothing is left behind.
        let outcomes = try Self.outcomes(harness)
        #expect(outcomes == ["crash-loop"] || outcomes == ["accepted"], "\(outcomes)")
        #expect(try Self.inbox(harness).isEmpty && listFolder(harness.path("store/work")).isEmpty)
    }

    @Test func `what is wrong with the world is said, waited for, and costs nothing`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        try Self.store(harness)
        try harness.write("store/inbox/rows/a.csv", Self.rows(1, 9))
        let key = harness.path("store/keys/main.kek")
        let contract = harness.path("store/schemas/rows.schema.yaml")
        func away(_ path: String) -> (spoil: () -> Int32, mend: () -> Int32) {
            ({ unsafe rename(path, path + ".away") }, { unsafe rename(path + ".away", path) })
        }
        func open(_ path: String) -> (spoil: () -> Int32, mend: () -> Int32) {
            ({ unsafe chmod(path, 0o644) }, { unsafe chmod(path, 0o600) })
        }
        for (trouble, code, word) in [
            (away(key), Int32(77), "the key is missing"), (open(key), 77, "chmod 600"),
            (away(contract), 66, "rows.schema.yaml"),
        ] {
            #expect(trouble.spoil() == 0)
            let run = try harness.run("watch", "--once", "--store", "store")
            #expect(run.code == code && run.err.contains(word), "\(run.code) \(run.err)")
            #expect(try Self.outcomes(harness).isEmpty)
            #expect(trouble.mend() == 0)
        }
        #expect(try harness.run("watch", "--once", "--store", "store").code == 0)
        // Too little free space: the file stays in its inbox.
        try harness.write("store/inbox/rows/b.csv", Self.rows(50, 9))
        let full = try harness.run("watch", "--once", "--settle", "0.1", "--store", "store", "--min-free", "\(1 << 29)")
        #expect(full.code == 75 && full.err.contains("free space"), "\(full.err)")
        #expect(try Self.inbox(harness) == ["b.csv"])
        #expect(try harness.run("watch", "--once", "--store", "store").code == 0)
        #expect(try Self.outcomes(harness) == ["accepted", "accepted"] && Self.inbox(harness).isEmpty)
    }

    /// A file's trouble is not over because another file was processed.
    @Test func `status tells a trouble until it is over`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        try Self.store(harness)
        let path = harness.path("store/sluice.yaml")
        let text = try String(contentsOfFile: path, encoding: .utf8)
        try harness.write(
            "store/sluice.yaml", text + "  other: { schema: schemas/other.schema.yaml, source: partner }\n")
        try FileManager.default.createDirectory(
            atPath: harness.path("store/inbox/other"), withIntermediateDirectories: true)
        try harness.write("store/inbox/other/a.csv", Self.rows(1, 9))
        let daemon = try Daemon(harness)
        defer { daemon.stop() }
        #expect(daemon.waits { try harness.run("status", "--store", "store").out.contains("trouble") })
        for name in ["b", "c"] {
            try harness.write("store/inbox/rows/\(name).csv", Self.rows(name == "b" ? 1 : 100, 9))
        }
        #expect(daemon.waits { try harness.run("status", "--store", "store").out.contains("2 accepted") })
        let troubled = try harness.run("status", "--store", "store")
        #expect(troubled.code == 1 && troubled.out.contains("other.schema.yaml"), "\(troubled.out)")
        try FileManager.default.copyItem(
            atPath: harness.path("store/schemas/rows.schema.yaml"),
            toPath: harness.path("store/schemas/other.schema.yaml"))
        #expect(daemon.waits { try harness.run("status", "--store", "store").code == 0 })
        let well = try harness.run("status", "--store", "store")
        #expect(well.out.contains("3 accepted") && !well.out.contains("trouble"), "\(well.out)")
        #expect(daemon.end(SIGTERM) == 128 + SIGTERM)
    }

    @Test func `once says what still waits, and nothing when it is gone`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        try Self.store(harness)
        try harness.write("store/inbox/rows/a.csv", Self.rows(1, 9))
        let path = try harness.write("store/inbox/rows/big.csv", "")
        #expect(unsafe truncate(path, 1 << 43) == 0)
        let troubled = try harness.run("watch", "--once", "--settle", "0.1", "--store", "store")
        #expect(troubled.code == 75 && troubled.err.contains("free space"), "\(troubled.err)")
        try FileManager.default.removeItem(atPath: path)
        #expect(try harness.run("watch", "--once", "--settle", "0.1", "--store", "store").code == 0)
        #expect(try Self.outcomes(harness) == ["accepted"])
    }

    @Test func `what the parent left open is closed`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        try Self.store(harness)
        // Only the daemon inherits the writing end, so the reading end shows when the daemon closed it.
        unsafe mkfifo(harness.path("pipe"), 0o600)
        let reading = unsafe open(harness.path("pipe"), O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        let writing = unsafe open(harness.path("pipe"), O_WRONLY | O_CLOEXEC)
        try #require(reading >= 0 && writing >= 0)
        let daemon = try Daemon(harness, inheriting: writing)
        defer { daemon.stop() }
        close(writing)
        var byte: UInt8 = 0
        #expect(daemon.waits { unsafe read(reading, &byte, 1) == 0 })
        var status: Int32 = 0
        #expect(unsafe waitpid(daemon.processID, &status, WNOHANG) == 0, "it lives and has closed it")
        close(reading)
    }
}

/// A daemon in the background, over the store of a harness.
///
/// By posix_spawn: Foundation notices a child's end when an inherited socket closes, and the program closes inherited
/// descriptors at once, so Foundation would wait for a running daemon.
final class Daemon {
    let processID: Int32

    /// `inheriting` is a descriptor that the daemon inherits, like one that its parent forgot to close.
    init(_ harness: Harness, _ more: String..., inheriting: Int32? = nil) throws {
        let arguments =
            [Harness.program.path, "watch", "--store", harness.path("store"), "--interval", "0.3", "--settle", "0.1"]
            + more
        var words = unsafe arguments.map { unsafe strdup($0) } + [nil]
        defer { unsafe words.forEach { unsafe free($0) } }
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        for (number, path) in [(Int32(0), "/dev/null"), (1, "/dev/null"), (2, harness.path("log"))] {
            unsafe posix_spawn_file_actions_addopen(&actions, number, path, O_RDWR | O_CREAT, 0o600)
        }
        if let inheriting { unsafe posix_spawn_file_actions_adddup2(&actions, inheriting, 99) }
        var found: Int32 = 0
        let failure = unsafe posix_spawn(&found, Harness.program.path, &actions, nil, &words, environ)
        processID = found
        try #require(failure == 0)
    }

    /// Whether a condition becomes true within a minute; the time that it takes does not matter.
    func waits(_ condition: () throws -> Bool) -> Bool {
        for _ in 0..<300 {
            if (try? condition()) == true { return true }
            usleep(200_000)
        }
        return false
    }

    /// Its exit code after a signal; nil if the signal ended it, or if it did not end within a minute.
    func end(_ signal: Int32) -> Int32? {
        kill(processID, signal)
        var status: Int32 = 0
        guard waits({ unsafe waitpid(processID, &status, WNOHANG) == processID }) else { return nil }
        return status & 0x7F == 0 ? (status >> 8) & 0xFF : nil
    }

    func stop() {
        kill(processID, SIGKILL)
        var status: Int32 = 0
        _ = unsafe waitpid(processID, &status, 0)
    }
}
