import Foundation
import GRDB
import Storage
import Testing

/// Damage and tampering on a real store, as the program reports them.
@Suite struct `integrity` {
    private let guards = """
        SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'
        """

    /// Changes the ledger as an intruder would: drops the guards, makes the change, restores the guards.
    private func alter(_ path: String, _ body: (Database) throws -> Void) throws {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = false
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        try queue.write { db in
            let triggers = try Row.fetchAll(db, sql: guards).map { ($0["name"] as String, $0["sql"] as String) }
            for (name, _) in triggers { try db.execute(sql: "DROP TRIGGER \(name)") }
            try body(db)
            for (_, sql) in triggers { try db.execute(sql: sql) }
        }
        try queue.close()
    }

    /// A store with two accepted batches.
    private func shop() throws -> Harness {
        let harness = try Harness()
        try `watch`.store(harness)
        for batch in 0..<2 {
            try harness.write("\(batch).csv", `watch`.rows(batch * 1000, 40))
            #expect(try harness.run("ingest", "\(batch).csv", "--dataset", "rows", "--store", "store").code == 0)
        }
        return harness
    }

    private func receipt(_ harness: Harness) throws -> String {
        let proofs = harness.files(below: "store/accepted").filter { $0.hasSuffix("0.sluice.tlog-proof") }
        // Batch ids sort by time.
        return "store/accepted/" + (try #require(proofs.max()))
    }

    @Test(arguments: [
        (
            """
            UPDATE entry SET body = CAST(replace(CAST(body AS TEXT), '"accepted":40', '"accepted":41') AS BLOB)
            WHERE kind = 'batch.judged'
            """,
            ["ROW", "body does not match its stored hash", "ROOT mismatch"]
        ),
        ("DELETE FROM entry WHERE seq = 3", ["ROW 3 missing"]),
        (
            "UPDATE entry SET seq = 900 WHERE seq = 4; UPDATE entry SET seq = 4 WHERE seq = 5; UPDATE entry SET seq = 5 WHERE seq = 900",
            ["ROOT mismatch"]
        ),
        ("DELETE FROM entry WHERE seq >= 6", ["TAIL signed checkpoint covers"]),
        (
            "INSERT INTO entry SELECT max(seq) + 1, body, leaf_hash, kind FROM entry",
            ["TAIL 1 row after the last signed checkpoint"]
        ),
        ("DELETE FROM prov_edge WHERE seq > 1", ["PROJECTION"]),
        ("UPDATE node SET hash = zeroblob(32) WHERE level = 1 AND idx = 1", ["NODE 1/1"]),
        ("UPDATE checkpoint SET note = CAST('x' AS BLOB) WHERE size > 1", ["CHECKPOINT"]),
        ("UPDATE blob SET data = x'00'", ["BLOB"]),
    ]) func `tampering is named`(sql: String, words: [String]) throws {
        let harness = try shop()
        defer { harness.remove() }
        try alter(harness.path("store/ledger.sqlite")) { db in
            try db.execute(sql: sql)
        }
        let found = try harness.run("lineage", "verify", "--store", "store")
        #expect(found.code == 1 && found.out.contains("TAMPERED"), "\(found.out)\(found.err)")
        for word in words { #expect(found.out.contains(word), "\(found.out)") }
        // Nothing is signed on top of it, and the doctor says what to do.
        #expect(try harness.run("doctor", "--store", "store").code == 1)
    }

    /// A person without any key of the store can still verify its ledger.
    @Test func `an auditor verifies a backup without keys`() throws {
        let harness = try shop()
        defer { harness.remove() }
        let listed = try harness.run("keys", "list", "--store", "store").out
        let key = try #require(
            listed.split(separator: "\n").first { $0.hasPrefix("verifier") }?.split(separator: "\t").last)
        #expect(try harness.run("backup", "copy", "--store", "store").code == 0)
        // The key was pinned outside the store on creation. Without a pinned key, the backup's own statement does not
        // count.
        let pinned = try harness.run("lineage", "verify", "--store", "copy")
        #expect(pinned.code == 0 && pinned.out.contains("pinned in"), "\(pinned.out)\(pinned.err)")
        let known = harness.path(".config/sluice/known-ledgers")
        try FileManager.default.removeItem(atPath: known)
        #expect(try harness.run("lineage", "verify", "--store", "copy").code == 77)
        #expect(try harness.run("restore", "copy", "restored").code == 77)
        try harness.write("key.txt", key + "\n")
        for vkey in [String(key), "key.txt"] {
            let found = try harness.run("lineage", "verify", "--store", "copy", "--vkey", vkey, "--files")
            #expect(found.code == 0 && found.out.contains("intact"), "\(found.out)\(found.err)")
        }
        #expect(try harness.run("init", "other").code == 0)
        let others = try harness.run("keys", "list", "--store", "other").out
        let wrong = try #require(
            others.split(separator: "\n").first { $0.hasPrefix("verifier") }?.split(separator: "\t").last)
        let found = try harness.run("lineage", "verify", "--store", "copy", "--vkey", String(wrong))
        #expect(found.code == 1 && found.out.contains("CHECKPOINT"), "\(found.out)")
        #expect(try harness.run("lineage", "verify", "--store", "copy", "--vkey", "nonsense").code == 64)
    }

    @Test func `a dropped guard is named`() throws {
        let harness = try shop()
        defer { harness.remove() }
        let queue = try DatabaseQueue(path: harness.path("store/ledger.sqlite"))
        try queue.write { try $0.execute(sql: "DROP TRIGGER cp_grow") }
        try queue.close()
        let found = try harness.run("lineage", "verify", "--store", "store")
        #expect(found.code == 1 && found.out.contains("SCHEMA cp_grow is missing"), "\(found.out)")
    }

    @Test func `a whole ledger of another store is named`() throws {
        let harness = try shop()
        defer { harness.remove() }
        try `watch`.store(harness, "other")
        try FileManager.default.removeItem(atPath: harness.path("store/ledger.sqlite"))
        try FileManager.default.copyItem(
            atPath: harness.path("other/ledger.sqlite"), toPath: harness.path("store/ledger.sqlite"))
        let found = try harness.run("lineage", "verify", "--store", "store")
        #expect(
            found.code == 1 && found.out.contains("CHECKPOINT 3 signature is not by the pinned key"), "\(found.out)")
    }

    @Test func `an older ledger shows with an anchor only, and verify says so`() throws {
        let harness = try shop()
        defer { harness.remove() }
        let ledger = harness.path("store/ledger.sqlite")
        try FileManager.default.copyItem(atPath: ledger, toPath: harness.path("older.sqlite"))
        try harness.write("late.csv", `watch`.rows(5000, 40))
        #expect(try harness.run("ingest", "late.csv", "--dataset", "rows", "--store", "store").code == 0)
        let anchor = try receipt(harness)
        try FileManager.default.copyItem(atPath: harness.path(anchor), toPath: harness.path("elsewhere.tlog-proof"))
        let intact = try harness.run("lineage", "verify", "--anchor", "elsewhere.tlog-proof", "--store", "store")
        #expect(intact.code == 0 && intact.out.contains("1 anchor agrees"), "\(intact.out)")
        try FileManager.default.removeItem(atPath: ledger)
        try FileManager.default.moveItem(atPath: harness.path("older.sqlite"), toPath: ledger)
        // This user has seen a newer state; another user has not.
        let seen = try harness.run("lineage", "verify", "--store", "store")
        #expect(seen.code == 1 && seen.out.contains("an older copy was put in its place"), "\(seen.out)")
        try FileManager.default.removeItem(atPath: harness.path(".config/sluice/known-ledgers"))
        let silent = try harness.run("lineage", "verify", "--store", "store")
        #expect(silent.code == 0 && silent.out.contains("no anchor was checked"), "\(silent.out)")
        #expect(try harness.run("lineage", "verify", "--require-anchor", "--store", "store").code == 3)
        let caught = try harness.run("lineage", "verify", "--anchor", "elsewhere.tlog-proof", "--store", "store")
        #expect(caught.code == 1 && caught.out.contains("ROLLBACK"), "\(caught.out)")
        // The later shards are files that this ledger does not record.
        let files = try harness.run("lineage", "verify", "--files", "--store", "store")
        #expect(files.code == 1 && files.out.contains("is not recorded"), "\(files.out)")
    }

    @Test func `a damaged shard is refused and leaves no plaintext`() throws {
        let harness = try shop()
        defer { harness.remove() }
        let shard =
            "store/accepted/"
            + (try #require(harness.files(below: "store/accepted").filter { $0.hasSuffix("/0.sluice") }.max()))
        let good = try Data(contentsOf: URL(filePath: harness.path(shard)))
        let text = `watch`.rows(1000, 40).split(separator: "\n")[5]
        let before = Set(try listFolder(harness.folder))
        for step in 0..<24 {
            var bad = good
            if step % 2 == 0 {
                bad[bad.count * step / 24] ^= 1 << UInt8(step % 8)
            } else {
                bad = bad.prefix(bad.count * step / 24)
            }
            try bad.write(to: URL(filePath: harness.path("copy.sluice")))
            // Outside the store, with its keys, only the message itself can be verified.
            for arguments in [
                ["shard", "cat", "copy.sluice", "--store", "store", "--reason", "test"],
                ["shard", "verify", "copy.sluice", "--store", "store"],
            ] {
                let run = try harness.run(arguments)
                #expect(run.code != 0 && !run.out.contains(text), "step \(step), \(arguments): \(run.code)")
            }
        }
        #expect(Set(try listFolder(harness.folder)) == before.union(["copy.sluice"]))
    }

    @Test func `shards that were swapped are named from wherever one looks`() throws {
        let harness = try shop()
        defer { harness.remove() }
        let shards = harness.files(below: "store/accepted").filter { $0.hasSuffix("/0.sluice") }
        try #require(shards.count == 2)
        let places = shards.map { harness.path("store/accepted/" + $0) }
        let held = harness.path("held")
        for (from, to) in [(places[0], held), (places[1], places[0]), (held, places[1])] {
            try FileManager.default.moveItem(atPath: from, toPath: to)
        }
        for shard in shards {
            let folder = "store/accepted/" + shard.split(separator: "/").dropLast().joined(separator: "/")
            let dotted = folder + String(repeating: "/.", count: 6) + "/0.sluice"
            for (place, file, store) in [
                (".", "store/accepted/" + shard, "store"), (".", dotted, "store"), (folder, "0.sluice", "../../.."),
            ] {
                let run = try harness.run(["shard", "verify", file, "--store", store], in: place)
                #expect(run.code == 1 && run.out.contains("the files were swapped"), "\(file): \(run.out)\(run.err)")
            }
        }
    }

    @Test func `a contract in a folder that became a link is not used`() throws {
        let harness = try shop()
        defer { harness.remove() }
        let (path, elsewhere) = (harness.path("store/schemas"), harness.path("elsewhere"))
        try FileManager.default.moveItem(atPath: path, toPath: elsewhere)
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: elsewhere)
        try harness.write("more.csv", `watch`.rows(5000, 40))
        let run = try harness.run("ingest", "more.csv", "--dataset", "rows", "--store", "store")
        #expect(run.code == 66 && run.err.contains("symbolic link"), "\(run.code) \(run.out)\(run.err)")
        let doctor = try harness.run("doctor", "--store", "store")
        #expect(doctor.code == 1 && doctor.out.contains("symbolic link"), "\(doctor.out)")
    }

    @Test func `backup and restore while the store is written to`() throws {
        let harness = try shop()
        defer { harness.remove() }
        let daemon = try Daemon(harness)
        defer { daemon.stop() }
        for index in 0..<30 {
            try harness.write("store/inbox/rows/\(index).csv", `watch`.rows(10_000 + index * 100, 20))
            if index % 10 == 5 {
                let made = try harness.run("backup", "backup-\(index)", "--store", "store")
                #expect(made.code == 0 && made.out.contains("keys are not in it"), "\(made.err)")
            }
        }
        #expect(daemon.waits { try `watch`.outcomes(harness).count == 32 })
        for index in [5, 15, 25] {
            #expect(try listFolder(harness.path("backup-\(index)/keys")).isEmpty)
            let restored = try harness.run("restore", "backup-\(index)", "restored-\(index)")
            #expect(restored.code == 0 && restored.out.contains("copy yours"), "\(restored.err)")
            for key in try listFolder(harness.path("store/keys")) {
                try FileManager.default.copyItem(
                    atPath: harness.path("store/keys/" + key), toPath: harness.path("restored-\(index)/keys/" + key))
            }
            let verified = try harness.run("lineage", "verify", "--files", "--store", "restored-\(index)")
            #expect(verified.code == 0, "\(verified.out)\(verified.err)")
            // The store can be used further.
            try harness.write("more.csv", `watch`.rows(90_000, 20))
            let more = try harness.run("ingest", "more.csv", "--dataset", "rows", "--store", "restored-\(index)")
            #expect(more.code == 0, "\(more.err)")
            #expect(try harness.run("doctor", "--store", "restored-\(index)").code == 0)
        }
        // Existing files are not overwritten, and an incomplete backup is not a backup.
        #expect(try harness.run("backup", "backup-5", "--store", "store").code == 73)
        try FileManager.default.removeItem(atPath: harness.path("backup-5/backup.json"))
        #expect(try harness.run("restore", "backup-5", "restored-again").code == 66)
        #expect(try harness.run("restore", "backup-15", "store").code == 73)
    }

    @Test func `an audit beside writers raises no false alarm`() throws {
        let harness = try shop()
        defer { harness.remove() }
        let daemon = try Daemon(harness)
        defer { daemon.stop() }
        for index in 0..<25 {
            try harness.write("store/inbox/rows/\(index).csv", `watch`.rows(10_000 + index * 100, 20))
            let verified = try harness.run("lineage", "verify", "--files", "--store", "store")
            #expect(verified.code == 0, "\(verified.out)\(verified.err)")
        }
        // A writer was running during the audits, and finished without an error.
        #expect(try `watch`.outcomes(harness).count > 2)
        #expect(daemon.waits { try `watch`.outcomes(harness).count == 27 })
    }

    @Test func `a batch is named by the beginning of its id or as latest`() throws {
        let harness = try shop()
        defer { harness.remove() }
        let log = try harness.run("lineage", "log", "--kind", "batch.received", "--store", "store").out
        let ids = log.split(separator: "\n").compactMap { $0.split(separator: " ").dropFirst(4).first.map(String.init) }
        #expect(ids.count == 2, "\(log)")
        let newest = try #require(ids.first)
        for name in ["latest", String(newest.prefix(30)), newest] {
            let shown = try harness.run("lineage", "show", name, "--store", "store")
            #expect(shown.code == 0 && shown.out.contains(newest), "\(name): \(shown.err)")
        }
        // The two were ingested within a minute, so their ids share the prefix that encodes the time.
        let both = try harness.run("lineage", "show", String(newest.prefix(6)), "--store", "store")
        #expect(both.code == 64 && both.err.contains("2 batches"), "\(both.err)")
        let short = try harness.run("lineage", "show", String(newest.prefix(5)), "--store", "store")
        #expect(short.code == 66, "\(short.err)")
    }

    @Test func `the log refuses a kind and a time that are none`() throws {
        let harness = try shop()
        defer { harness.remove() }
        let kind = try harness.run("lineage", "log", "--kind", "batch.jugded", "--store", "store")
        #expect(kind.code == 64 && kind.err.contains("batch.judged"), "\(kind.err)")
        let time = try harness.run("lineage", "log", "--since", "yesterday", "--store", "store")
        #expect(time.code == 64 && time.err.contains("2026-12-01"), "\(time.err)")
        let later = try harness.run("lineage", "log", "--since", "2999-01-01T00:00Z", "--store", "store")
        #expect(later.code == 64, "\(later.out)")
        let none = try harness.run("lineage", "log", "--since", "2999-01-01T00:00", "--store", "store")
        #expect(none.code == 0 && none.out.isEmpty, "\(none.out)")
        let source = try harness.run("lineage", "log", "--source", "nobody", "--store", "store")
        #expect(source.code == 0 && source.out.isEmpty, "\(source.out)")
    }

    @Test func `the doctor names what is wrong and the cure`() throws {
        let harness = try shop()
        defer { harness.remove() }
        let well = try harness.run("doctor", "--store", "store")
        #expect(well.code == 0 && !well.out.contains("BAD"), "\(well.out)")
        let shard = try #require(harness.files(below: "store/accepted").first { $0.hasSuffix("0.sluice") })
        try FileManager.default.removeItem(atPath: harness.path("store/accepted/" + shard))
        try harness.write("store/accepted/orphan.sluice", "x")
        try harness.write("store/work/lost.source", "id,x\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: harness.path("store/keys"))
        let sick = try harness.run("doctor", "--json", "--store", "store")
        #expect(sick.code == 1)
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: harness.path("store/keys"))
        let found = try #require(try JSONSerialization.jsonObject(with: Data(sick.out.utf8)) as? [[String: String]])
        let bad = found.filter { $0["grade"] == "bad" }
        #expect(bad.allSatisfy { $0["cure"]?.isEmpty == false })
        for (subject, word) in [
            ("files", "is missing"), ("files", "is not recorded"), ("claims", "without a claim"),
            ("rights", "open to others"),
        ] {
            #expect(
                bad.contains { $0["subject"] == subject && $0["finding"]?.contains(word) == true }, "\(word): \(bad)")
        }
    }

    /// Monitors read the log from files, and a checkpoint of them is an anchor.
    @Test func `the log is exported as tiles, outside the store`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        #expect(try harness.run("init", "store").code == 0)
        for place in ["store", "store/tiles", "store/keys"] {
            let refused = try harness.run("lineage", "export", place, "--format", "tlog-tiles", "--store", "store")
            #expect(refused.code == 64 && refused.err.contains("inside the store"), "\(refused)")
        }
        #expect(!FileManager.default.fileExists(atPath: harness.path("store/tiles")))
        let made = try harness.run("lineage", "export", "tiles", "--format", "tlog-tiles", "--store", "store")
        #expect(made.code == 0 && harness.files(below: "tiles").contains("checkpoint"), "\(made)")
        let words = ["lineage", "verify", "--anchor", "tiles/checkpoint", "--require-anchor", "--store", "store"]
        #expect(try harness.run(words).code == 0)
        let unseen = try harness.run(
            words + ["--witness", "witness.example/w1+e75f6532+BAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"])
        #expect(unseen.code == 1 && unseen.out.contains("cosigned by none"), "\(unseen)")
        #expect(try harness.run(words + ["--witness", "w"]).code == 64)
    }

    /// What a supplier's data became names files that are gone, and says so.
    @Test func `impact says which files were removed`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        try harness.write("c.yaml", "name: d\nfields: [{ name: id, type: integer }]\n")
        try harness.write("d.csv", "id\n1\n2\n")
        #expect(try harness.run("init", "store").code == 0)
        let settings = try String(contentsOfFile: harness.path("store/sluice.yaml"), encoding: .utf8)
        try harness.write("store/sluice.yaml", settings + "retention: { accepted: 1s }\n")
        let words = ["--store", "store"]
        #expect(try harness.run(["ingest", "d.csv", "--schema", "c.yaml", "--source", "s"] + words).code == 0)
        let before = try harness.run(["lineage", "impact", "s"] + words)
        #expect(before.code == 0 && !before.out.contains("removed"), "\(before)")
        usleep(1_100_000)
        #expect(try harness.run(["prune"] + words).code == 0)
        let after = try harness.run(["lineage", "impact", "s"] + words)
        #expect(after.code == 0 && after.out.contains("it was removed on"), "\(after)")
        let json = try harness.run(["lineage", "impact", "s", "--json"] + words)
        #expect(json.out.contains("\"gone_by\""), "\(json)")
        let line = try #require(before.out.split(separator: "\n").first { $0.contains("accepted/") })
        let path = try #require(line.split(separator: " ").first { $0.hasPrefix("accepted/") })
        let opened = try harness.run(["shard", "cat", "store/" + path, "--reason", "why"] + words)
        #expect(opened.code == 66 && opened.err.contains("it was removed on"), "\(opened)")
    }

    @Test func `keys list and check name the recipients whose keys are elsewhere`() throws {
        let harness = try Harness()
        defer { harness.remove() }
        #expect(try harness.run("init", "store").code == 0)
        try FileManager.default.createDirectory(
            atPath: harness.path("safe"), withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        let made = try harness.run("keys", "pair", "offsite", "--private", "safe/offsite.xwing", "--store", "store")
        #expect(made.code == 0, "\(made.err)")
        let file = try #require(
            harness.files(below: "store").first { $0.contains("offsite") }, "\(harness.files(below: "store"))")
        let settings = try String(contentsOfFile: harness.path("store/sluice.yaml"), encoding: .utf8)
        try harness.write(
            "store/sluice.yaml",
            settings.replacing("- kek: main", with: "- kek: main\n  - xwing: offsite\n    publicKey: \(file)"))
        let list = try harness.run("keys", "list", "--store", "store")
        let line = list.out.split(separator: "\n").first { $0.hasPrefix("xwing\toffsite\t") }
        #expect(list.code == 0 && line?.split(separator: "\t").last?.count == 16, "\(list.out) \(list.err)")
        #expect(try harness.run("keys", "check", "--store", "store").out.contains("ok    recipient xwing: offsite"))
        // One that cannot be read hides nothing else.
        try FileManager.default.removeItem(atPath: harness.path("store/\(file)"))
        let without = try harness.run("keys", "list", "--store", "store")
        #expect(without.code != 0 && without.err.contains("offsite") && without.out.contains("verifier\tledger"))
    }
}
