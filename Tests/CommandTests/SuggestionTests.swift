import Foundation
import Testing

/// What a message tells a person to run or to look at works as it stands, from where the person stands.
@Suite struct `what a message suggests` {
    /// Runs a line as a shell does, in the harness's folder.
    private func shell(_ line: String, _ harness: Harness) throws -> Harness.Outcome {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", line]
        process.currentDirectoryURL = URL(filePath: harness.folder)
        let environment = ProcessInfo.processInfo.environment
        let program = Harness.program.deletingLastPathComponent().path
        process.environment = environment.merging([
            "XDG_CONFIG_HOME": harness.path(".config"), "PATH": "\(program):\(environment["PATH"] ?? "/bin:/usr/bin")",
        ]) { $1 }
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Harness.Outcome(code: process.terminationStatus, out: String(decoding: bytes, as: UTF8.self), err: "")
    }

    /// The commands of a text, each up to the end of its store.
    private func commands(in text: String) -> [String] {
        text.matches(of: #/sluice [a-z]+ [^;\n]*?--store 'a b/store'/#).map { String($0.output) }
    }

    @Test func `every command for a held batch runs as it is printed`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        try harness.write("c.yaml", MovingRows.contract)
        #expect(try harness.run("init", "a b/store").code == 0)
        func ingest(_ text: String) throws -> Harness.Outcome {
            try harness.write("data.csv", text)
            return try harness.run(
                "ingest", "data.csv", "--schema", "c.yaml", "--source", "s", "--store", "a b/store")
        }
        for seed in 1...4 {
            let accepted = try ingest(MovingRows.table(seed))
            #expect(accepted.code == 0 && accepted.out.contains(" in a b/store/accepted/rows/"), "\(accepted.out)")
        }
        let held = try ingest(MovingRows.table(9, shift: 3))
        #expect(held.code == 1, "\(held.out)")
        let folder = try #require(held.out.firstMatch(of: #/sealed whole in (a b/store/quarantine/rows/.*)/#))
        #expect(FileManager.default.fileExists(atPath: harness.path(String(folder.1) + "source.sluice")))
        let printed = commands(in: held.out)
        #expect(printed.contains { $0.hasPrefix("sluice review release ") }, "\(held.out)")
        let listed = try harness.run("review", "list", "--store", "a b/store")
        #expect(commands(in: listed.out).count == 1, "\(listed.out)")
        let json = try harness.run("review", "list", "--json", "--store", "a b/store")
        let documents = try JSONSerialization.jsonObject(with: Data(json.out.utf8)) as? [[String: Any]] ?? []
        let next = try #require(documents.first?["next"] as? String)
        #expect(commands(in: next) == [next] && commands(in: listed.out) == [next], "\(next)")
        let batch = try #require(documents.first?["batch"] as? String)
        let page = try harness.run("report", batch, "--html", "--store", "a b/store").out
        #expect(page.contains("sluice lineage explain \(batch):ROW --store "), "\(page.count)")
        // The release last: what is shown of a held batch is asked for while it is held.
        for command in printed.filter({ !$0.contains("release") }) + [next] {
            let outcome = try shell(command, harness)
            #expect(outcome.code == 0, "\(command): \(outcome.out)")
        }
    }

    @Test func `a supplier whose name has spaces or marks of a shell is one word of a command`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        try harness.write("c.yaml", MovingRows.contract)
        #expect(try harness.run("init", "a b/store").code == 0)
        let settings = try String(contentsOf: URL(filePath: harness.path("a b/store/sluice.yaml")), encoding: .utf8)
        let name = "it's $(touch made); or else"
        try harness.write("a b/store/sluice.yaml", settings + "\nsources:\n  \"\(name)\": { owner: x }\n")
        try harness.write("data.csv", MovingRows.table(1))
        let held = try harness.run(
            "ingest", "data.csv", "--schema", "c.yaml", "--source", name, "--store", "a b/store")
        #expect(held.code == 1, "\(held.out)")
        let trust = try #require(held.out.firstMatch(of: #/sluice source trust .*/#), "\(held.out)")
        #expect(trust.output.hasSuffix(" --reason TEXT --store 'a b/store'"), "\(trust.output)")
        let outcome = try shell(String(trust.output), harness)
        #expect(outcome.code == 0 && outcome.out.contains("source \(name) is trusted"), "\(outcome.out)")
        #expect(!FileManager.default.fileExists(atPath: harness.path("made")))
    }

    @Test func `errors and the doctor name the store that was given`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        #expect(try harness.run("init", "a b/store").code == 0)
        let unknown = try harness.run("lineage", "show", "nothing", "--store", "a b/store")
        #expect(
            unknown.code == 66 && unknown.err.contains("see: sluice lineage log --store 'a b/store'"), "\(unknown.err)")
        let suggested = try #require(commands(in: unknown.err).first)
        #expect(try shell(suggested, harness).code == 0)
        let doctor = try harness.run("doctor", "--store", "a b/store")
        #expect(doctor.out.contains("do: start sluice watch --store 'a b/store', which creates it"), "\(doctor.out)")
        let status = try harness.run("status", "--store", "a b/store")
        #expect(
            status.code == 1 && status.out.contains("start it with: sluice watch --store 'a b/store'"), "\(status.out)")
        // Below the store it is found without an option, and paths say where it is.
        let below = try harness.run(["lineage", "show", "nothing"], in: "a b/store/schemas")
        #expect(below.code == 66 && below.err.hasSuffix("see: sluice lineage log\n"), "\(below.err)")
        try harness.write("c.yaml", MovingRows.contract)
        try harness.write("data.csv", MovingRows.table(1))
        let accepted = try harness.run(
            ["ingest", harness.path("data.csv"), "--schema", harness.path("c.yaml"), "--source", "s"],
            in: "a b/store/schemas")
        let folder = try #require(accepted.out.firstMatch(of: #/ in (/.*/a b/store/accepted/rows/.*)/#))
        #expect(FileManager.default.fileExists(atPath: String(folder.1)), "\(accepted.out)")
        // Where a store has the contract, the message says by which name.
        let lost = try harness.run("ingest", "data.csv", "--store", "a b/store")
        #expect(lost.code == 64 && lost.err.contains("--dataset NAME") && lost.err.contains("(example)"), "\(lost.err)")
        let other = try harness.run("ingest", "data.csv", "--dataset", "none", "--store", "a b/store")
        #expect(
            other.code == 64 && other.err.contains("names no contract for dataset none, only for example"),
            "\(other.err)")
    }

    @Test func `the daemon's log names the store by its whole path`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        #expect(try harness.run("init", "a b/store").code == 0)
        let settings = try String(contentsOf: URL(filePath: harness.path("a b/store/sluice.yaml")), encoding: .utf8)
        try harness.write(
            "a b/store/sluice.yaml",
            settings.replacing(
                "datasets:\n", with: "datasets:\n  rows:\n    schema: schemas/rows.yaml\n    source: s\n"))
        try harness.write(
            "a b/store/schemas/rows.yaml",
            MovingRows.contract.replacing("learning: 1 }", with: "learning: 1 }, batch: { minRows: 1000 }"))
        #expect(try harness.run("watch", "--once", "--store", "a b/store").code == 0)
        try harness.write("a b/store/inbox/rows/few.csv", MovingRows.table(1))
        try harness.write("a b/store/inbox/rows/none.csv", "<html><body>no table</body></html>\n")
        let run = try harness.run("watch", "--once", "--settle", "0", "--store", "a b/store")
        #expect(run.code == 1, "\(run.err)")
        let lines = try run.err.split(separator: "\n").map {
            try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] ?? [:]
        }
        let next = lines.compactMap { $0["next"] as? String }
        #expect(next.count == 2, "\(run.err)")
        for command in next {
            #expect(command.hasSuffix(" --store '\(harness.path("a b/store"))'"), "\(command)")
        }
        #expect(next.contains { $0.hasPrefix("sluice review release ") }, "\(next)")
        let show = try #require(next.first { $0.hasPrefix("sluice lineage show ") })
        #expect(try shell("cd / && " + show, harness).code == 0)
    }

    @Test func `a folder is called one, and so is a word that is no command`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        #expect(try harness.run("init", "store").code == 0)
        for name in ["data", "data.csv"] {
            try FileManager.default.createDirectory(atPath: harness.path(name), withIntermediateDirectories: true)
            for command in [
                ["validate", name, "--infer"], ["ingest", name, "--infer", "--store", "store"],
                ["schema", "infer", name], ["scan", name],
            ] {
                let outcome = try harness.run(command)
                #expect(outcome.code == 66, "\(command): \(outcome.err)")
                #expect(outcome.err.contains("\(name): it has no CSV or JSON files"), "\(command): \(outcome.err)")
            }
            for command in [["score", name], ["dialect", name]] {
                let outcome = try harness.run(command)
                #expect(outcome.code == 66, "\(command): \(outcome.err)")
                #expect(outcome.err.contains("it is a folder; give its files"), "\(command): \(outcome.err)")
            }
        }
        let missing = try harness.run("validate", "nothing", "--infer")
        #expect(missing.code == 66 && missing.err.contains("no such file"), "\(missing.err)")
        try harness.write("plain", "x")
        let file = try harness.run("doctor", "--store", "plain")
        #expect(file.code == 78 && file.err.contains("plain is not a store: it is a file"), "\(file.err)")
        let none = try harness.run("doctor", "--store", "nowhere")
        #expect(none.code == 78 && none.err.contains("there is no such folder"), "\(none.err)")
        let spaced = try harness.run("doctor", "--store", "no where")
        #expect(spaced.err.hasSuffix("make a store with: sluice init 'no where'\n"), "\(spaced.err)")
        let backup = try harness.run("restore", "nowhere", "new")
        #expect(backup.code == 66 && backup.err.contains("there is no such folder"), "\(backup.err)")

        let typo = try harness.run("ingst", "x.csv")
        #expect(typo.code == 64 && typo.err.contains("did you mean sluice ingest?"), "\(typo.err)")
        let inner = try harness.run("review", "lst")
        #expect(inner.code == 64 && inner.err.contains("did you mean sluice review list?"), "\(inner.err)")
        let trusted = try harness.run("source", "trust", "shop-ue", "--reason", "known", "--store", "store")
        #expect(trusted.code == 0 && trusted.err.contains("if it is misspelt, see: sluice source list --store store"))
        let strange = try harness.run("lineage", "frobnicate")
        #expect(strange.code == 64 && strange.err.contains("see: sluice lineage --help"), "\(strange.err)")
    }

    @Test func `a missing key is named once, with what needs it`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        #expect(try harness.run("init", "store").code == 0)
        let ingested = try harness.run(
            "ingest", Harness.sample("orders-good.csv"), "--schema", Harness.schema("orders.schema.yaml"), "--source",
            "s", "--store", "store")
        #expect(ingested.code == 0, "\(ingested.err)")
        for (file, needs) in [
            ("main.kek", "recipients"), ("store.store", "store key"), ("ledger.signing", "signing key"),
        ] {
            try FileManager.default.moveItem(
                atPath: harness.path("store/keys/\(file)"), toPath: harness.path("kept"))
            let doctor = try harness.run("doctor", "--store", "store")
            #expect(doctor.code == 1, "\(doctor.out)")
            #expect(doctor.out.ranges(of: file).count == 1, "\(doctor.out)")
            #expect(doctor.out.contains("is missing; it is needed for: \(needs)"), "\(doctor.out)")
            let check = try harness.run("keys", "check", "--store", "store")
            #expect(check.code == 77, "\(check.out)\(check.err)")
            #expect(check.out.ranges(of: file).count == 1 && check.out.contains("copy it back"), "\(check.out)")
            #expect(!check.out.contains("keys check"), "\(check.out)")
            try FileManager.default.moveItem(
                atPath: harness.path("kept"), toPath: harness.path("store/keys/\(file)"))
        }
        #expect(try harness.run("doctor", "--store", "store").code == 0)
        #expect(try harness.run("keys", "check", "--store", "store").code == 0)
    }

    @Test func `a lost token key is to be copied back before it is made anew`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        #expect(try harness.run("init", "store").code == 0)
        try harness.write(
            "c.yaml",
            "name: c\nfields:\n  - { name: a, type: string, sluice: { pii: { entity: ID, operator: tokenize, key: tokens } } }\n"
        )
        try harness.write("data.csv", "a\nx\ny\n")
        try FileManager.default.removeItem(atPath: harness.path("store/keys/tokens.token"))
        let run = try harness.run("ingest", "data.csv", "--schema", "c.yaml", "--source", "s", "--store", "store")
        #expect(run.code == 77, "\(run.err)")
        let copied = try #require(run.err.range(of: "copy it back"))
        let made = try #require(run.err.range(of: "make it with: sluice keys generate"))
        #expect(copied.upperBound <= made.lowerBound, "\(run.err)")
    }

    @Test func `help has no option that means nothing`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        let infer = try harness.run("schema", "infer", "--help").out
        for option in ["--schema", "--infer", "--exclude", "--seed"] { #expect(!infer.contains(option), "\(infer)") }
        #expect(infer.contains("--delimiter") && infer.contains("--show-values"))
        #expect(try !harness.run("schema", "check", "--help").out.contains("--infer"))
        let header = try harness.write("header.csv", "a,b\n")
        let empty = try harness.run("schema", "infer", header)
        #expect(empty.code == 65 && empty.out.isEmpty && empty.err.contains("no rows"), "\(empty.out)\(empty.err)")
        let scanned = try harness.run("scan", header)
        #expect(scanned.code == 0 && scanned.out.contains("no row could be searched"), "\(scanned.out)\(scanned.err)")
    }
}
