import Foundation
import Testing

/// Bad input gets a clear message, the right exit code, and loses nothing; no message ever shows a value.
@Suite(.serialized) struct `messages and exit codes` {
    @Test func `a missing file, a folder, a link and a pipe are named`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        try FileManager.default.createDirectory(atPath: harness.path("x.csv"), withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(atPath: harness.path("link.csv"), withDestinationPath: "/etc/passwd")
        _ = unsafe mkfifo(harness.path("pipe.csv"), 0o600)
        for name in ["none.csv", "x.csv", "link.csv", "pipe.csv"] {
            let outcome = try harness.run("validate", name, "--schema", Harness.schema("orders.schema.yaml"))
            #expect(outcome.code == 66, "\(name): \(outcome.err)")
            #expect(outcome.err.contains(name))
        }
    }

    @Test func `every command has an example in its help`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        var paths: [[String]] = [[]]
        var count = 0
        while let path = paths.popLast() {
            let help = try harness.run(["help"] + path)
            #expect(help.code == 0 && help.out.contains("Example"), "\(path): \(help.out)")
            count += 1
            for part in help.out.components(separatedBy: "SUBCOMMANDS:").dropFirst() {
                for line in part.split(separator: "\n") where line.hasPrefix("  ") {
                    let name = line.dropFirst(2).prefix { $0 != " " }
                    if let first = name.first, first.isLowercase { paths.append(path + [String(name)]) }
                }
            }
        }
        #expect(count > 40, "\(count) commands")
    }

    @Test func `other encodings and formats are refused by name`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        let cases: [(String, [UInt8], String)] = [
            ("utf16.csv", [0xFF, 0xFE, 0x61, 0, 0x2C, 0, 0x62, 0], "utf-16le"),
            ("gzip.csv", [0x1F, 0x8B, 8, 0, 0, 0, 0, 0], "gzip stream ends before"),
            ("zip.csv", [0x50, 0x4B, 3, 4, 0, 0, 0, 0], "zip archive"), ("empty.csv", [], "empty"),
        ]
        for (name, bytes, word) in cases {
            try Data(bytes).write(to: URL(filePath: harness.path(name)))
            let outcome = try harness.run("validate", name, "--schema", Harness.schema("orders.schema.yaml"))
            #expect(outcome.code == 65, "\(name): \(outcome.err)")
            #expect(outcome.err.contains(word) && outcome.err.contains(name))
        }
    }

    @Test func `usage, configuration and keys have their own codes`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        #expect(try harness.run("frobnicate").code == 64)
        #expect(try harness.run("ingest", Harness.sample("orders-good.csv")).code == 78)
        _ = try harness.run("init", "store")
        let none = try harness.run("lineage", "log", "--kind", "nonsense", "--store", "store")
        #expect(none.code == 64 && none.out.isEmpty && none.err.contains("batch.judged"), "\(none.err)")
        let configuration = try String(contentsOf: URL(filePath: harness.path("store/sluice.yaml")), encoding: .utf8)
        try harness.write("store/sluice.yaml", configuration.replacing("recipients:", with: "recipient:"))
        let typo = try harness.run("keys", "list", "--store", "store")
        #expect(typo.code == 78)
        #expect(typo.err.contains("did you mean"), "\(typo.err)")
        try harness.write("store/sluice.yaml", configuration)
        _ = unsafe chmod(harness.path("store/keys/main.kek"), 0o644)
        let open = try harness.run("keys", "check", "--store", "store")
        #expect(open.code == 77)
        #expect(open.out.contains("chmod 600"))
        let refused = try harness.run(
            "ingest", Harness.sample("orders-good.csv"), "--store", "store", "--dataset", "orders", "--schema",
            Harness.schema("orders.schema.yaml"))
        #expect(refused.code == 77)
        #expect(harness.files(below: "store/accepted").isEmpty)
        _ = unsafe chmod(harness.path("store/keys/main.kek"), 0o600)
        try FileManager.default.moveItem(
            atPath: harness.path("store/keys/tokens.token"), toPath: harness.path("store/keys/other.token"))
        let renamed = try harness.run("keys", "check", "--store", "store")
        #expect(renamed.code == 77 && renamed.out.contains("key tokens, not other;"), "\(renamed.out)")
    }

    @Test func `no value of anyone's data stands outside a sealed file`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        _ = try harness.run("init", "store")
        try harness.write(
            "canary.schema.yaml",
            """
            name: canary
            fields:
              - { name: id, type: integer, constraints: { required: true, unique: true } }
              - { name: mail, type: string, format: email, sluice: { pii: { entity: EMAIL_ADDRESS, operator: tokenize, key: tokens } } }
              - { name: code, type: string, constraints: { pattern: "[a-z]+", enum: [abc] } }
              - { name: amount, type: number, constraints: { maximum: 10 } }
              - { name: note, type: string, sluice: { pii: { scan: true, operator: replace } } }
            sluice: { apiVersion: sluice/v1, batch: { maxRejectedRate: 1.0 } }

            """)
        let canaries = ["canarymail9317", "CANARYCODE4471", "31337.0815", "canarynote5523"]
        try harness.write(
            "canary.csv",
            "id,mail,code,amount,note\n1,\(canaries[0])@example.com,abc,1,write \(canaries[3])@example.org now\n"
                + "2,x@example.com,\(canaries[1]),2,\n3,y@example.com,abc,\(canaries[2]),\n4,\(canaries[0]),abc,1,\n")
        var texts: [String] = []
        for format in ["text", "json"] {
            let outcome = try harness.run(
                "ingest", "canary.csv", "--store", "store", "--dataset", "canary", "--schema", "canary.schema.yaml",
                "--format",
                format, "--force")
            #expect(outcome.code == 1, "\(outcome.err)")
            texts += [outcome.out, outcome.err]
        }
        for verb in [["lineage", "log", "--json"], ["lineage", "verify"]] {
            texts.append(try harness.run(verb + ["--store", "store"]).out)
        }
        var haystack = Data(texts.joined().utf8)
        for file in harness.files(below: "store") {
            haystack.append(try Data(contentsOf: URL(filePath: harness.path("store/" + file))))
        }
        for canary in canaries {
            let bytes = Data(canary.utf8)
            let forms = [
                bytes, Data(bytes.map { String(format: "%02x", $0) }.joined().utf8),
                Data(bytes.base64EncodedString().prefix(16).utf8),
            ]
            for form in forms { #expect(haystack.range(of: form) == nil, "\(canary) leaked") }
        }
        // The check can fail: the sealed files do contain the values.
        let kept = harness.files(below: "store/quarantine").filter { $0.hasSuffix(".sluice") }
        let plain = try harness.run(
            "shard", "cat", "store/quarantine/" + (kept.first ?? ""), "--reason", "test", "--store", "store")
        #expect(plain.out.contains("constraint-enum"))
    }

    @Test func `a tampered ledger and a damaged shard are found`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        _ = try harness.run("init", "store")
        _ = try harness.run(
            "ingest", Harness.sample("orders-good.csv"), "--store", "store", "--dataset", "orders", "--schema",
            Harness.schema("orders.schema.yaml"))
        let shard =
            "store/accepted/" + (harness.files(below: "store/accepted").first { $0.hasSuffix("/0.sluice") } ?? "")
        #expect(try harness.run("shard", "verify", shard, "--store", "store").code == 0)
        var bytes = try Data(contentsOf: URL(filePath: harness.path(shard)))
        bytes[bytes.count / 2] ^= 1
        try bytes.write(to: URL(filePath: harness.path("store/damaged.sluice")))
        let damaged = try harness.run("shard", "cat", "store/damaged.sluice", "--reason", "test", "--store", "store")
        #expect(damaged.code == 1)
        #expect(damaged.out.isEmpty)
        // One digit of the ledger, changed in the file itself.
        let ledger = URL(filePath: harness.path("store/ledger.sqlite"))
        var record = try Data(contentsOf: ledger)
        let needle = Data("\"verdict\":\"accepted\"".utf8)
        let range = try #require(record.range(of: needle))
        record.replaceSubrange(range, with: Data("\"verdict\":\"acceptef\"".utf8))
        try record.write(to: ledger)
        let verified = try harness.run("lineage", "verify", "--store", "store")
        #expect(verified.code == 1)
        #expect(
            verified.out.contains("ROW") && verified.out.contains("does not match its stored hash"), "\(verified.out)")
    }

    @Test func `trace leads from a shard's row to the very bytes of the source`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        _ = try harness.run("init", "store")
        let source = Harness.sample("tickets-dirty.jsonl")
        _ = try harness.run(
            "ingest", source, "--store", "store", "--dataset", "tickets", "--schema",
            Harness.schema("tickets.schema.yaml"))
        let shard =
            "store/accepted/" + (harness.files(below: "store/accepted").first { $0.hasSuffix("/0.sluice") } ?? "")
        let rows = try harness.run("shard", "cat", shard, "--reason", "test", "--store", "store").out.split(
            separator: "\n")
        let bytes = try Data(contentsOf: URL(filePath: source))
        for row in [1, 17, rows.count] {
            let outcome = try harness.run("lineage", "trace", shard, "--row", String(row), "--store", "store", "--json")
            #expect(outcome.code == 0, "\(outcome.err)")
            let place = try harness.report(outcome)["row"] as? [String: Any] ?? [:]
            let (first, end) = (place["first_byte"] as? Int ?? 0, place["end_byte"] as? Int ?? 0)
            let original = try JSONSerialization.jsonObject(with: bytes[first..<end]) as? [String: Any] ?? [:]
            let masked = try JSONSerialization.jsonObject(with: Data(rows[row - 1].utf8)) as? [String: Any] ?? [:]
            #expect(original["ticket_id"] as? String == masked["ticket_id"] as? String)
            #expect(original["customer_email"] as? String != masked["customer_email"] as? String)
        }
        let digest = try harness.run("lineage", "impact", source, "--store", "store")
        #expect(digest.code == 0)
        #expect(digest.out.contains("accepted"))
    }
}
