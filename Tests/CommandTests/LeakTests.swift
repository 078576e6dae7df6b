import Foundation
import Glibc
import Storage
import Testing

/// No personal data and no key appears where it must not: unique strings are planted in every personal column and in
/// every failing rule, and searched in everything that the program writes or prints.
@Suite struct `no leaks` {
    /// A needle in the forms in which it could appear: as it is, in hexadecimal, in base64 at each of the three
    /// alignments, and escaped for JSON.
    static func forms(_ needle: [UInt8]) -> [Data] {
        var forms = [Data(needle)]
        let hex = needle.map { String(UInt32($0) + 256, radix: 16).suffix(2) }.joined()
        forms.append(Data(hex.utf8))
        forms.append(Data(hex.uppercased().utf8))
        for shift in 0..<3 {
            // Only the characters that depend on the needle alone.
            let text = Data(Array(repeating: UInt8(0), count: shift) + needle).base64EncodedString()
            let from = (shift * 8 + 5) / 6
            let to = (shift + needle.count) * 8 / 6
            let inner = String(text.dropFirst(from).prefix(to - from))
            forms.append(Data(inner.utf8))
            forms.append(Data(inner.replacing("+", with: "-").replacing("/", with: "_").utf8))
        }
        if let text = String(validating: needle, as: UTF8.self) {
            forms.append(
                Data(text.unicodeScalars.map { "\\u" + String($0.value + 65536, radix: 16).suffix(4) }.joined().utf8))
            forms.append(Data(text.replacing("@", with: "\\u0040").replacing("\"", with: "\\\"").utf8))
        }
        return forms
    }

    /// The places of any needle, in any form.
    static func hits(_ needles: [[UInt8]], in data: Data, _ place: String) -> [String] {
        needles.flatMap { needle in
            forms(needle).enumerated().compactMap { form, bytes in
                data.range(of: bytes) == nil ? nil : "\(place): needle of \(needle.count) bytes, form \(form)"
            }
        }
    }

    /// Canaries: the personal columns, and one value for every rule it breaks.
    static let personal = ["Zyxwina Qorblatt", "zyxwina.q@canary-mail.example", "+1 415 555 0199 77", "536-90-4399"]
    static let failing = [
        "BADWORD-7731-canary", "987654321987654", "not-a-number-canary", "toolong-canary-toolong-canary",
    ]

    static let contract = """
        fields:
          - { name: id, type: integer, constraints: { required: true, unique: true } }
          - { name: who, type: string, sluice: { pii: { entity: PERSON, operator: replace } } }
          - { name: mail, type: string, sluice: { pii: { entity: EMAIL_ADDRESS, operator: tokenize, key: tokens } } }
          - { name: phone, type: string, sluice: { pii: { entity: PHONE_NUMBER, operator: redact } } }
          - { name: ssn, type: string, sluice: { pii: { entity: US_SSN, operator: mask } } }
          - { name: kind, type: string, constraints: { enum: [a, b], maxLength: 20 } }
          - { name: x, type: number, constraints: { maximum: 100 } }
        sluice: { apiVersion: sluice/v1, batch: { maxRejectedRate: 0.9, maxQuarantinedRate: 0.9 } }

        """

    static func table() -> String {
        var text = "id,who,mail,phone,ssn,kind,x\n"
        for row in 0..<60 { text += "\(row),\(personal.joined(separator: ",")),a,\(row % 9).5\n" }
        for (row, bad) in failing.enumerated() {
            text +=
                "\(900 + row),\(personal.joined(separator: ",")),\(row % 2 == 0 ? bad : "a"),\(row % 2 == 0 ? "1" : bad)\n"
        }
        text += "901,\(personal[0]),x,x,x,a,1\n"
        text += "broken \"\(failing[0])\n"
        return text
    }

    /// The stored data about a batch gives the reasons, but no value.
    private func askedAfterwards(_ harness: Harness) throws -> String {
        var said = ""
        let log = try harness.run(
            "lineage", "log", "--json", "--limit", "999", "--kind", "batch.judged", "--store", "store")
        let batches = try log.out.split(separator: "\n").compactMap {
            try (JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])?["batch"] as? String
        }
        #expect(batches.count >= 3)
        for batch in batches {
            for arguments in [
                ["report", batch], ["report", batch, "--html"], ["lineage", "explain", batch, "--json"],
                ["lineage", "explain", batch + ":62"],
                ["lineage", "explain", batch + ":62", "--json", "--file", "data.csv"],
                ["lineage", "show", batch],
            ] {
                let run = try harness.run(arguments + ["--store", "store"])
                said += run.out + run.err
            }
        }
        return said
    }

    @Test func `canaries stand in nothing but sealed bodies and the supplier's own file`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        try `watch`.store(harness)
        try harness.write("store/schemas/rows.schema.yaml", Self.contract)
        try harness.write("data.csv", Self.table())
        try harness.write("store/inbox/rows/data.csv", Self.table().replacing("\n0,", with: "\n5000,"))
        try harness.write("store/inbox/rows/held.csv", "id,\(Self.personal[0])\n1,2\n")
        try harness.write("store/inbox/rows/data.pdf", Self.table())
        var said = ""
        for arguments in [
            ["validate", "data.csv", "--schema", "store/schemas/rows.schema.yaml"],
            ["validate", "data.csv", "--schema", "store/schemas/rows.schema.yaml", "--json"],
            ["validate", "data.csv", "--infer", "--json"], ["schema", "infer", "data.csv"], ["score", "data.csv"],
            ["score", "data.csv", "--format", "ndjson"],
            ["ingest", "data.csv", "--dataset", "rows", "--store", "store"],
            ["ingest", "data.csv", "--dataset", "rows", "--store", "store", "--force", "--json"],
            ["watch", "--once", "--store", "store", "--log-level", "debug"], ["status", "--store", "store"],
            ["status", "--json", "--store", "store"], ["doctor", "--store", "store"],
            ["doctor", "--json", "--store", "store"],
            ["lineage", "log", "--limit", "999", "--store", "store"],
            ["lineage", "log", "--limit", "999", "--json", "--store", "store"],
            ["lineage", "verify", "--files", "--store", "store"],
            ["backup", "copy", "--with-keys", "--store", "store"],
        ] {
            let run = try harness.run(arguments)
            #expect(run.code <= 1, "\(arguments): \(run.err)")
            said += run.out + run.err
        }
        said += try askedAfterwards(harness)
        let keys = try listFolder(harness.path("store/keys")).map { name in
            let text = try String(contentsOfFile: harness.path("store/keys/" + name), encoding: .utf8)
            let last = text.split(separator: "\n").last?.split(separator: ":").last ?? ""
            let base64 = last.replacing("-", with: "+").replacing("_", with: "/")
            return [UInt8](
                try #require(Data(base64Encoded: base64 + String(repeating: "=", count: (4 - base64.count % 4) % 4))))
        }
        #expect(keys.count == 4 && keys.allSatisfy { $0.count == 32 })
        let needles = (Self.personal + Self.failing).map { Array($0.utf8) }
        var found = Self.hits(needles + keys, in: Data(said.utf8), "what was said")
        var files = 0
        for file in harness.files(below: "store") + harness.files(below: "copy").map({ "../copy/" + $0 }) {
            let data = try Data(contentsOf: URL(filePath: harness.path("store/" + file)))
            files += 1
            found += Self.hits(needles, in: data, file)
            if !file.contains("keys/") { found += Self.hits(keys, in: data, file) }
        }
        #expect(found.isEmpty, "\(found)")
        #expect(files > 30)
        // The search itself works: it finds the needles in the original file.
        let own = try Data(contentsOf: URL(filePath: harness.path("data.csv")))
        #expect(Self.hits(needles, in: own, "data.csv").count >= needles.count)
        for shift in ["", "a", "ab"] {
            let encoded = Data(Data((shift + Self.personal[0] + "zz").utf8).base64EncodedString().utf8)
            #expect(!Self.hits(needles, in: encoded, "base64").isEmpty)
        }
    }

    /// Canaries of undeclared kinds, and values for the reversible operators.
    static let planted = [
        "qorblatt.z@canary-mail.example", "4012888888881881", "DE89 3704 0044 0532 0130 00", "canary-acct-5519",
        "canary-who-7781", "1971-03-19", "8001015009087",
    ]
    static let token = "gh" + "p_" + String(repeating: "c4Na", count: 9)
    static let reversible = """
        fields:
          - { name: id, type: integer }
          - { name: who, type: string, sluice: { role: subject, pii: { entity: ID, operator: tokenize, key: tokens } } }
          - { name: born, type: date, sluice: { pii: { entity: DATE_TIME, operator: date-shift, key: tokens } } }
          - { name: acct, type: string, sluice: { pii: { entity: ID, operator: encrypt, key: tokens, perSubject: true } } }
          - { name: note, type: string }
          - { name: x, type: number, constraints: { minimum: 0, maximum: 9 } }
        sluice: { unknownFields: keep, pii: { spans: masked }, batch: { maxRejectedRate: 0.9, maxQuarantinedRate: 0.9 } }

        """

    /// Rows with canaries, a sixth of which are rejected.
    static func planting(_ rows: Int) -> String {
        let notes = [
            "write to \(planted[0])", "card \(planted[1])", "iban \(planted[2])", "password is \(token)", "nothing",
            "born \(planted[5]) as \(planted[6])",
        ]
        var table = "id,who,born,acct,note,x,more\n"
        for row in 0..<rows {
            table +=
                "\(row),\(planted[4]),\(planted[5]),\(planted[3]),\(notes[row % 6]),\(row % 9),\(planted[row % 2])\n"
        }
        return table
    }

    @Test func `undeclared and reversible values stand in nothing but sealed bodies either`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        try harness.write("c.yaml", Self.reversible)
        try harness.write("d.csv", Self.planting(120))
        #expect(try harness.run("init", "store").code == 0)
        var said = ""
        let schema = ["--schema", "c.yaml"]
        let store = ["--store", "store", "--dataset", "d"]
        for arguments in [
            ["validate", "d.csv", "--json"] + schema, ["scan", "d.csv"], ["scan", "d.csv", "--format", "json"],
            ["scan", "d.csv", "--format", "spans"], ["scan", "d.csv"] + schema,
            ["ingest", "d.csv", "--dry-run", "--json"] + schema + store,
            ["ingest", "d.csv", "--json"] + schema + store, ["ingest", "d.csv", "--force"] + schema + store,
            ["profile", "d.csv", "--dp-epsilon", "1", "--store", "store"] + schema,
            ["lineage", "log", "--json", "--store", "store"],
            ["reveal", "--store", "store", "--key", "tokens", "--reason", "test", "bm9uc2Vuc2U"],
            ["doctor", "--store", "store"],
        ] {
            let run = try harness.run(arguments)
            #expect(run.code <= 1, "\(arguments): \(run.err)")
            said += run.out + run.err
        }
        #expect(said.contains("CREDIT_CARD") && said.contains("ZA_ID_NUMBER") && said.contains("GitHub token"))
        let needles = (Self.planted + [Self.token]).map { Array($0.utf8) }
        var found = Self.hits(needles, in: Data(said.utf8), "what was said")
        for file in harness.files(below: "store") {
            found += Self.hits(needles, in: try Data(contentsOf: URL(filePath: harness.path("store/" + file))), file)
        }
        #expect(found.isEmpty, "\(found)")
        // Released rows have none of them; rows held back are sealed.
        for shard in harness.files(below: "store/accepted") where shard.hasSuffix("/0.sluice") {
            let clear = try harness.run(
                "shard", "cat", "store/accepted/" + shard, "--reason", "test", "--store", "store"
            ).out
            #expect(clear.contains("<EMAIL_ADDRESS>") && Self.hits(needles, in: Data(clear.utf8), shard).isEmpty)
        }
    }

    /// A crash at any time leaves only sealed data, and no value in the output.
    @Test(arguments: [SIGKILL, SIGSEGV, SIGTERM])
    func `nothing leaks when a run is ended in its middle`(_ number: Int32) throws {
        let harness = try Harness()
        defer { harness.remove() }
        try harness.write("c.yaml", Self.reversible)
        try harness.write("d.csv", Self.planting(12_000))
        #expect(try harness.run("init", "store").code == 0)
        let needles = (Self.planted + [Self.token]).map { Array($0.utf8) }
        var ended = 0
        for delay in [0.05, 0.2, 0.5, 1] {
            let run = try harness.run(
                ["ingest", "d.csv", "--json", "--force", "--schema", "c.yaml", "--store", "store", "--dataset", "d"],
                endedBy: number, after: delay)
            ended += run.wasSignalled ? 1 : 0
            var found = Self.hits(needles, in: Data((run.out + run.err).utf8), "what was said")
            for file in harness.files(below: "store") {
                found += Self.hits(
                    needles, in: try Data(contentsOf: URL(filePath: harness.path("store/" + file))), file)
            }
            #expect(found.isEmpty, "\(delay): \(found)")
            let left = try listFolder(harness.folder) + listFolder(harness.path("store"))
            #expect(!left.contains { $0.hasPrefix("core") })
        }
        // SIGTERM is a request to stop, which a run obeys by itself.
        #expect(ended >= 1 || number == SIGTERM, "no run was ended before it was done")
        let last = try harness.run(
            "ingest", "d.csv", "--force", "--schema", "c.yaml", "--store", "store", "--dataset", "d")
        #expect(last.code <= 1, "\(last.err)")
        #expect(try harness.run("lineage", "verify", "--files", "--store", "store").code == 0)
    }

    @Test func `nothing leaks when the disk is full`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        try harness.write("c.yaml", Self.reversible)
        try harness.write("d.csv", Self.planting(60_000))
        #expect(try harness.run("init", "store").code == 0)
        // A mount of its own, which ends with the process; its content is copied out first.
        let line = """
            mkdir small out; mount -t tmpfs -o size=2m none small; cp -a store/. small/; code=0
            "$0" ingest d.csv --json --schema c.yaml --store small --dataset d > out/.out 2> out/.err || code=$?
            cp -a small/. out/; exit $code
            """
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/unshare")
        process.arguments = ["-m", "sh", "-ec", line, Harness.program.path]
        process.currentDirectoryURL = URL(filePath: harness.folder)
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard FileManager.default.fileExists(atPath: harness.path("out/ledger.sqlite")) else {
            print("skipped: a full disk needs the right to mount one")
            return
        }
        #expect(process.terminationStatus == 75)
        let needles = (Self.planted + [Self.token]).map { Array($0.utf8) }
        for file in harness.files(below: "out") {
            let data = try Data(contentsOf: URL(filePath: harness.path("out/" + file)))
            let found = Self.hits(needles, in: data, file)
            #expect(found.isEmpty, "\(found)")
            if file == ".err" { #expect(String(decoding: data, as: UTF8.self).contains("free space")) }
        }
    }

    @Test func `a process that is killed hard leaves no core, and its memory no keys`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        try `watch`.store(harness)
        try harness.write("store/inbox/rows/data.csv", `watch`.rows(1, 200))
        let daemon = try Daemon(harness)
        var isStopped = false
        defer { if !isStopped { daemon.stop() } }
        #expect(daemon.waits { try `watch`.outcomes(harness) == ["accepted"] })
        let base = "/proc/\(daemon.processID)/"
        let limits = try String(contentsOfFile: base + "limits", encoding: .utf8)
        let core = try #require(limits.split(separator: "\n").first { $0.hasPrefix("Max core file size") })
        #expect(core.split(separator: " ").filter { $0 == "0" }.count == 2, "\(core)")
        let status = try String(contentsOfFile: base + "status", encoding: .utf8)
        #expect(status.contains("NoNewPrivs:\t1") && status.contains("Umask:\t0077"))
        // The content of a core dump: every writable mapping that is not excluded from dumps. Only root may read it.
        if let memory = try? FileMemory(base + "mem"),
            let text = try? FileHandle(forReadingAtPath: base + "smaps")?.readToEnd()
        {
            let key = try #require(
                try String(contentsOfFile: harness.path("store/keys/main.kek"), encoding: .utf8)
                    .split(separator: "sluice-kek-v1:").last)
            let base64 = key.trimmingCharacters(in: .whitespacesAndNewlines).replacing("-", with: "+")
                .replacing("_", with: "/")
            let secret = [UInt8](try #require(Data(base64Encoded: base64 + "=")))
            var (range, flags, found, bytes) = (0..<0, "", [String](), 0)
            func search() {
                guard !range.isEmpty, flags.contains(" wr"), !flags.contains(" dd"), range.count < 1 << 30 else {
                    return
                }
                let data = memory.read(range)
                bytes += data.count
                found += Self.hits([secret], in: data, String(range.lowerBound, radix: 16))
            }
            for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
                if line.hasPrefix("VmFlags:") {
                    flags = " " + line
                    search()
                } else if let dash = line.firstIndex(of: "-"), let low = Int(line[..<dash], radix: 16),
                    let space = line.firstIndex(of: " "),
                    let high = Int(line[line.index(after: dash)..<space], radix: 16)
                {
                    (range, flags) = (low..<high, "")
                }
            }
            #expect(bytes > 1 << 20, "\(bytes)")
            #expect(found.isEmpty, "\(found)")
        } else {
            print("the daemon's memory was not searched: only root may")
        }
        kill(daemon.processID, SIGSEGV)
        daemon.stop()
        isStopped = true
        let left = try listFolder(harness.folder) + listFolder(harness.path("store"))
        #expect(!left.contains { $0.hasPrefix("core") })
    }
}

/// Another process's memory.
private struct FileMemory {
    private let file: Int32

    init(_ path: String) throws {
        file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        try #require(file >= 0)
    }

    /// The readable bytes of a range.
    func read(_ range: Range<Int>) -> Data {
        var data = Data(count: range.count)
        let got = unsafe data.withUnsafeMutableBytes {
            unsafe pread(file, $0.baseAddress, $0.count, off_t(range.lowerBound))
        }
        return data.prefix(max(0, got))
    }
}
