import Cryptography
import Foundation
import GRDB
import Lineage
import Screening
import Sealing
import Storage
import Tabular
import Testing

@testable import Ingestion

/// The possibilities of a person who can write into the store but holds no key.
@Suite struct `only what is signed is believed` {
    /// Writes into the ledger directly; the triggers that would forbid it are restored.
    private func tamper(_ shop: Workshop, _ sql: String, _ arguments: StatementArguments = []) throws {
        try DatabaseQueue(path: shop.store.ledgerPath).writeWithoutTransaction { db in
            let triggers = try Row.fetchAll(db, sql: "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
            for trigger in triggers { try db.execute(sql: "DROP TRIGGER \(trigger["name"] as String)") }
            try db.execute(sql: sql, arguments: arguments)
            for trigger in triggers { try db.execute(sql: trigger["sql"] as String) }
        }
    }

    private func execute(_ sql: String, at path: String) throws {
        try DatabaseQueue(path: path).writeWithoutTransaction { try $0.execute(sql: sql) }
    }

    /// Makes an index omit rows, without a trace in SQLite's own record of it.
    private func makeHole(_ shop: Workshop, _ name: String, _ rest: String) throws {
        try DatabaseQueue(path: shop.store.ledgerPath).writeWithoutTransaction { db in
            let sql = try String.fetchOne(
                db, sql: "SELECT sql FROM sqlite_schema WHERE name = ?", arguments: [name])
            try db.execute(sql: "DROP INDEX \(name); \(sql ?? "") WHERE \(rest); PRAGMA writable_schema = ON")
            try db.execute(sql: "UPDATE sqlite_schema SET sql = ? WHERE name = ?", arguments: [sql, name])
        }
    }

    private func accepted(_ shop: Workshop, _ name: String, from first: Int) async throws -> BatchReport {
        let report = try await shop.run(try shop.write(name, Workshop.rows(200, from: first)))
        #expect(report.status == .accepted, "\(report.batchFindings)")
        return report
    }

    private func code(_ body: () async throws -> Void) async -> IngestionError.Code? {
        do { try await body() } catch { return (error as? IngestionError)?.code }
        return nil
    }

    @Test(arguments: ["removed", "flipped", "link", "swapped"])
    func `a recorded baseline that is not as recorded makes the next batch wait`(how: String) async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let first = try await accepted(shop, "a.csv", from: 1)
        let second = try await accepted(shop, "b.csv", from: 1001)
        let folder = shop.store.root + "/baselines/numbers/"
        let path = folder + first.batch + ".sluice"
        let bytes = try FileDescriptor.openRegular(path).readAll(max: 1 << 24)
        try removeFile(path)
        switch how {
        case "flipped":
            var flipped = bytes
            flipped[flipped.count - 1] ^= 1
            try writeDurably(path, flipped.span)
        case "link":
            try writeDurably(shop.folder + "/copy", bytes.span)
            try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: shop.folder + "/copy")
        case "swapped": try FileManager.default.copyItem(atPath: folder + second.batch + ".sluice", toPath: path)
        default: break
        }
        let next = try shop.write("c.csv", Workshop.rows(200, from: 2001))
        do {
            _ = try await shop.run(next)
            Issue.record("it was judged without its baseline")
        } catch let error as IngestionError {
            #expect(error.code == .tryAgain, "\(error)")
            #expect(error.description.contains("sluice baseline exclude \(first.batch)"), "\(error)")
        }
        #expect(try listFolder(shop.store.workFolder).isEmpty)
        #expect(try !shop.store.audit().problems.isEmpty)
        // A person may decide to continue without it.
        try Recorder(shop.store).excludeBaseline(of: first.batch, dataset: "numbers", reason: "lost")
        #expect(try await shop.run(next).status == .accepted)
    }

    @Test func `a batch proves the baselines that it is judged by, however many there were before`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        _ = try await accepted(shop, "a.csv", from: 1)
        let log = try shop.store.proven().log
        let entry = try #require(try log.state().publications("numbers", role: .baseline).last)
        let file = try #require(try log.files(.baseline, in: [entry]).first)
        let ring = try shop.store.keyRing()
        let (bytes, _) = try shop.store.readEvidence(
            file, keys: ring, expect: ["dataset": "numbers", "batch-id": file.batch, "role": "baseline"])
        let made = try #require(Baseline(decoding: bytes))
        let loader = BaselineLoader(
            store: shop.store, dataset: "numbers", features: made.features, codes: made.codes, ring: ring, cache: nil)
        var counts: [Int] = []
        for earlier in [10, 1000] {
            let before = log.entriesProven
            let sequences = [Int](repeating: entry, count: earlier)
            _ = try loader.load(RecordedFiles(log: log, role: .baseline, sequences: sequences), limit: 1)
            counts.append(log.entriesProven - before)
        }
        #expect(counts[0] > 0 && counts[1] <= Store.baselineBatches, "\(counts)")
    }

    @Test func `an unrecorded file among the baselines is not one`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let first = try await accepted(shop, "a.csv", from: 1)
        let folder = shop.store.root + "/baselines/numbers/"
        try FileManager.default.copyItem(
            atPath: folder + first.batch + ".sluice", toPath: folder + "ffffffff-ffff-7fff-8fff-ffffffffffff.sluice")
        _ = try await accepted(shop, "b.csv", from: 1001)
        #expect(try shop.store.audit().problems.count == 1)
    }

    @Test func `a changed entry stops every decision, also when it is changed back later`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        try Recorder(shop.store).take(.block, source: "test", reason: "sends rubbish")
        let path = try shop.write("a.csv", Workshop.rows(200))
        #expect(try await shop.run(path).status != .accepted)
        try tamper(
            shop,
            "UPDATE entry SET body = CAST(replace(CAST(body AS TEXT), 'source.blocked', 'source.trusted') AS BLOB)")
        let other = try shop.write("b.csv", Workshop.rows(200, from: 1001))
        let stopped = await code { _ = try await shop.run(other) }
        #expect(stopped == .inputOutput)
        let dry = await code { _ = try await shop.run(other, mode: .dryRun) }
        #expect(dry == .inputOutput)
        try tamper(
            shop,
            "UPDATE entry SET body = CAST(replace(CAST(body AS TEXT), 'source.trusted', 'source.blocked') AS BLOB)")
        #expect(try await shop.run(other).status != .accepted)
    }

    @Test(arguments: [
        "UPDATE entry SET kind = 'note' WHERE kind = 'source.blocked'",
        "DELETE FROM prov_edge; DELETE FROM prov_entity",
        "DELETE FROM seen", "UPDATE seen SET seq = 0",
    ]) func `what an index says decides nothing`(sql: String) async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let first = try await accepted(shop, "a.csv", from: 1)
        try Recorder(shop.store).take(.block, source: "bad", reason: "sends rubbish")
        try tamper(shop, sql)
        let again = try await shop.run(shop.folder + "/a.csv")
        #expect(again.status == .duplicate && again.duplicateOf == first.batch)
        #expect(try shop.store.proving().standing("bad")?.state == .blocked)
        let verified = try Ledger.verify(path: shop.store.ledgerPath, key: shop.store.ledger().verifier)
        #expect(!verified.damage.isEmpty)
    }

    @Test func `a cache of the record that is not ours is not used`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let ledger = try shop.store.ledger()
        let notes = (0..<300).map { number in
            JSONValue.object(["kind": .string("note"), "v": .integer(1), "n": .integer(Int64(number))])
        }
        _ = try ledger.commit(LedgerChange(entries: notes))
        try Recorder(shop.store).take(.block, source: "bad", reason: "sends rubbish")
        let path = shop.store.root + "/ledger.index"
        var bytes = try FileDescriptor.openRegular(path).readAll(max: 1 << 24)
        let place = try #require(bytes.indices.last { bytes[$0] == UInt8(ascii: "}") })
        bytes[place - 1] ^= 1
        try writeDurably(path, bytes.span, replacing: true)
        #expect(try Store(shop.store.root).proving().standing("bad")?.state == .blocked)
        try removeFile(path)
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/etc/passwd")
        #expect(try Store(shop.store.root).proving().standing("bad")?.state == .blocked)
    }

    @Test(arguments: ["main.kek", "tokens.token", "store.store", "ledger.signing"])
    func `another key under the same name is refused`(name: String) async throws {
        let (shop, other) = (try Workshop(), try Workshop())
        defer {
            shop.remove()
            other.remove()
        }
        _ = try await accepted(shop, "a.csv", from: 1)
        let path = shop.store.keysFolder + "/" + name
        try removeFile(path)
        try FileManager.default.copyItem(atPath: other.store.keysFolder + "/" + name, toPath: path)
        let next = try shop.write("b.csv", Workshop.rows(200, from: 1001))
        let refused = await code { _ = try await shop.run(next) }
        // This store makes no tokens.
        if name != "tokens.token" { #expect(refused == .notPermitted) }
        if name == "ledger.signing" { return }
        let answer = try shop.store.proving().examineRecordedKeys()
        #expect(answer.contains { $0.grade == .bad && $0.finding.contains("keys/\(name)") }, "\(answer)")
        #expect(try shop.store.audit().problems.contains { $0.hasPrefix("KEY keys/\(name)") })
    }

    @Test func `a key whose name was used is never made anew`() throws {
        let shop = try Workshop()
        defer { shop.remove() }
        _ = try Recorder(shop.store).generateKey(.token, "second")
        try removeFile(shop.store.keysFolder + "/second.token")
        let error = #expect(throws: IngestionError.self) {
            _ = try Recorder(shop.store).generateKey(.token, "second")
        }
        #expect(error?.code == .notPermitted)
        #expect(try shop.store.proving().missingKeys().count == 1)
    }

    @Test func `a ledger that was signed anew is met with the key that is known`() throws {
        let (shop, other) = (try Workshop(), try Workshop())
        defer {
            shop.remove()
            other.remove()
        }
        let origin = shop.store.configuration.origin
        let key = try other.store.signingKey()
        // As an attacker would: another key, and a ledger of the same name signed by it.
        for name in ["ledger.sqlite", "keys/ledger.signing"] { try removeFile(shop.store.root + "/" + name) }
        try FileManager.default.copyItem(
            atPath: other.store.keysFolder + "/ledger.signing", toPath: shop.store.keysFolder + "/ledger.signing")
        _ = try Ledger.create(path: shop.store.ledgerPath, origin: origin, signingKey: key, time: Clock.text())
        for attempt in [{ _ = try Recorder(shop.store) }, { _ = try shop.store.proving() }] {
            let error = #expect(throws: IngestionError.self) { try attempt() }
            #expect(
                error?.code == .damaged && error?.description.contains("known-ledgers") == true,
                "\(String(describing: error))")
        }
    }

    @Test func `content is accepted once, and replaced only by name`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let first = try await accepted(shop, "a.csv", from: 1)
        let path = shop.folder + "/a.csv"
        let forced = try await shop.run(path) { $0.force = true }
        #expect(forced.status == .duplicate && forced.isRefusedReplacement && forced.duplicateOf == first.batch)
        // Another policy, such as another slice size.
        let other = try await shop.run(path) { $0.sliceBytes = 1 << 20 }
        #expect(other.status == .duplicate && other.isRefusedReplacement)
        let same = try await shop.run(path)
        #expect(same.status == .duplicate && !same.isRefusedReplacement)
        let replaced = try await shop.run(path) {
            $0.sliceBytes = 1 << 20
            $0.supersedes = first.batch
        }
        #expect(replaced.status == .accepted && replaced.supersedes == first.batch)
        let (log, state) = try shop.store.proving().proven()
        #expect(state.superseded == [first.batch: replaced.batch])
        #expect(
            try log.files(.accepted, in: state.publications("numbers", role: .accepted)).map(\.batch) == [
                replaced.batch
            ])
        let twice = await code { _ = try await shop.run(path) { $0.supersedes = first.batch } }
        #expect(twice == .usage)
        #expect(try shop.store.audit().problems.isEmpty)
        #expect(try Ledger.verify(path: shop.store.ledgerPath, key: log.ledger.verifier).damage.isEmpty)
    }

    @Test func `everything that is not as recorded is named`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let first = try await accepted(shop, "a.csv", from: 1)
        let root = shop.store.root
        let shard = "accepted/numbers/\(first.batch)/0.sluice"
        func named(_ change: () throws -> Void, _ undo: () throws -> Void = {}) throws -> [String] {
            try change()
            let found = try shop.store.audit().problems
            try undo()
            return found
        }
        for name in ["x.SLUICE", "x.csv", ".hidden", "a\nb", "\u{202E}x"] {
            let path = root + "/accepted/numbers/" + name
            let found = try named({ try writeDurably(path, [1].span) }, { try removeFile(path) })
            #expect(found.count == 1 && found[0].hasPrefix("FILE") && !found[0].contains("\n"), "\(name) \(found)")
        }
        let link = root + "/accepted/numbers/elsewhere"
        let linked = try named(
            { try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: root + "/quarantine") },
            { try removeFile(link) })
        #expect(linked.count == 1)
        let receipt = root + "/" + shard + ".tlog-proof"
        let nonsense = Array("c2sp.org/tlog-proof@v1\nindex 0\n".utf8)
        let proof = try FileDescriptor.openRegular(receipt).readAll(max: 1 << 20)
        let damaged = try named(
            { try writeDurably(receipt, nonsense.span, replacing: true) },
            { try writeDurably(receipt, proof.span, replacing: true) })
        #expect(damaged.count == 1 && damaged[0].hasPrefix("RECEIPT"))
        let moved = root + "/moved"
        let replaced = try named(
            {
                try FileManager.default.moveItem(atPath: root + "/accepted", toPath: moved)
                try FileManager.default.createSymbolicLink(atPath: root + "/accepted", withDestinationPath: moved)
            },
            {
                try removeFile(root + "/accepted")
                try FileManager.default.moveItem(atPath: moved, toPath: root + "/accepted")
            })
        #expect(!replaced.isEmpty)
        #expect(try shop.store.audit().problems.isEmpty)
    }

    @Test func `contracts are not read through a folder that became a link`() throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let named = "{ schema: schemas/example.schema.yaml, shadow: schemas/example.schema.yaml }"
        let settings = Configuration.template(origin: shop.store.configuration.origin)
        _ = try shop.write(
            "store/sluice.yaml", settings.replacing("datasets:\n", with: "datasets:\n  numbers: \(named)\n"))
        let store = try Store(shop.store.root)
        _ = try (store.contract(of: "numbers"), store.shadow(of: "numbers"))
        let (path, elsewhere) = (store.root + "/schemas", shop.folder + "/elsewhere")
        try FileManager.default.moveItem(atPath: path, toPath: elsewhere)
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: elsewhere)
        for read in [{ _ = try store.contract(of: "numbers") }, { _ = try store.shadow(of: "numbers") }] {
            let error = #expect(throws: IngestionError.self) { try read() }
            #expect(error?.description.contains("symbolic link") == true, "\(String(describing: error))")
        }
    }

    @Test func `a checkpoint that was taken away, and evidence of another kind, are missed`() async throws {
        for sql in [
            "DELETE FROM checkpoint WHERE size = (SELECT min(size) FROM checkpoint)",
            "UPDATE blob SET media = 'text/plain'", "DELETE FROM seen",
        ] {
            let shop = try Workshop()
            defer { shop.remove() }
            _ = try await accepted(shop, "a.csv", from: 1)
            let key = try shop.store.ledger().verifier
            try tamper(shop, sql)
            #expect(try !Ledger.verify(path: shop.store.ledgerPath, key: key).damage.isEmpty, "\(sql)")
        }
    }

    /// SQLite keeps names of triggers and tables apart: a trigger with a table's name is easily overlooked.
    @Test(arguments: [
        "CREATE TRIGGER prov_edge BEFORE INSERT ON entry WHEN NEW.kind = 'source.blocked' BEGIN SELECT RAISE(IGNORE); END",
        "CREATE TRIGGER undo AFTER INSERT ON inflight BEGIN SELECT RAISE(ROLLBACK, 'no'); END",
        "CREATE TRIGGER quiet BEFORE INSERT ON checkpoint BEGIN SELECT RAISE(IGNORE); END", "CREATE TABLE more(x)",
        "CREATE VIEW look AS SELECT * FROM entry", "DROP TRIGGER cp_grow",
    ]) func `tables that are not a ledger's are used for nothing`(sql: String) async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        _ = try await accepted(shop, "a.csv", from: 1)
        let open = try Recorder(shop.store)
        let key = open.ledger.verifier
        try execute(sql, at: shop.store.ledgerPath)
        // A process that had it open before is stopped too.
        #expect(throws: IngestionError.self) { try open.take(.block, source: "bad", reason: "r") }
        let next = try shop.write("b.csv", Workshop.rows(200, from: 1001))
        let stopped = await code { _ = try await shop.run(next) }
        #expect(stopped == .inputOutput)
        let damage = try Ledger.verify(path: shop.store.ledgerPath, key: key).damage
        #expect(damage.count == 1 && damage[0].kind == .schema, "\(damage)")
    }

    @Test func `an older copy of the ledger is refused where a newer state was seen`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        _ = try await accepted(shop, "a.csv", from: 1)
        let older = shop.folder + "/older"
        try FileManager.default.copyItem(atPath: shop.store.ledgerPath, toPath: older)
        try Recorder(shop.store).take(.block, source: "test", reason: "r")
        try removeFile(shop.store.ledgerPath)
        try FileManager.default.copyItem(atPath: older, toPath: shop.store.ledgerPath)
        let next = try shop.write("b.csv", Workshop.rows(200, from: 1001))
        let stopped = await code { _ = try await shop.run(next) }
        #expect(stopped == .damaged)
        #expect(throws: IngestionError.self) { try shop.store.proving() }
    }

    @Test func `ledgers that are met at the same time are all written down`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        // Made without pinning, and seen for the first time when they are opened.
        let stores = try (0..<6).map { number in
            var store = try Store.create(shop.folder + "/\(number)", isPinned: false)
            store.isPinned = true
            return store
        }
        let known = try #require(KnownLedgers())
        for store in stores { #expect(try known.key(of: store.configuration.origin) == nil) }
        await withTaskGroup(of: Void.self) { group in
            for store in stores { group.addTask { _ = try? Recorder(store) } }
        }
        for store in stores { #expect(try known.key(of: store.configuration.origin) != nil) }
    }

    @Test func `a backup leaves out what nothing rests on, and restores`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let first = try await accepted(shop, "a.csv", from: 1)
        _ = try await accepted(shop, "b.csv", from: 1001)
        try removeFile(shop.store.root + "/baselines/numbers/\(first.batch).sluice")
        let recorder = try Recorder(shop.store)
        await #expect(throws: IngestionError.self) {
            _ = try await Backup.make(of: recorder, in: shop.folder + "/no", withKeys: false)
        }
        try recorder.excludeBaseline(of: first.batch, dataset: "numbers", reason: "lost")
        #expect(try shop.store.audit().problems.isEmpty)
        let (copy, target) = (shop.folder + "/copy", shop.folder + "/again")
        _ = try await Backup.make(of: recorder, in: copy, withKeys: true)
        _ = try Backup.restore(copy, to: target, Backup.Trust(recorder.ledger.verifier))
        #expect(try Store(target).proving().audit().problems.isEmpty)
    }

    @Test(arguments: [
        "config", "contract", "shard", "receipt", "receipt longer", "ledger", "note", "link", "other key", "key",
        "missing shard",
    ]) func `a backup that is not what was signed restores nothing`(how: String) async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let first = try await accepted(shop, "a.csv", from: 1)
        let copy = shop.folder + "/copy"
        let recorder = try Recorder(shop.store)
        _ = try await Backup.make(of: recorder, in: copy, withKeys: true)
        func change(_ name: String, _ more: String) throws {
            let path = copy + "/" + name
            let bytes = try FileDescriptor.openRegular(path).readAll(max: 1 << 24) + Array(more.utf8)
            try writeDurably(path, bytes.span, replacing: true)
        }
        let shard = "accepted/numbers/\(first.batch)/0.sluice"
        var key = recorder.ledger.verifier
        switch how {
        case "config": try change("sluice.yaml", "\n# more\n")
        case "contract": try change("schemas/example.schema.yaml", "\n")
        case "shard": try change(shard, "x")
        case "receipt": try writeDurably(copy + "/" + shard + ".tlog-proof", [1].span, replacing: true)
        case "receipt longer": try change(shard + ".tlog-proof", "\n")
        case "ledger":
            try execute(
                "INSERT INTO inflight VALUES('../../victim','d','claimed',1,NULL,NULL,0)", at: copy + "/ledger.sqlite")
        case "note": try removeFile(copy + "/backup.note")
        case "link":
            try removeFile(copy + "/" + shard)
            try FileManager.default.createSymbolicLink(atPath: copy + "/" + shard, withDestinationPath: "/etc/passwd")
        case "key": try change("keys/main.kek", "# more\n")
        case "missing shard": try removeFile(copy + "/" + shard)
        default: key = try Recorder(Workshop().store).ledger.verifier
        }
        let target = shop.folder + "/target"
        var trust = Backup.Trust(key)
        trust.acceptsUnsignedSettings = how == "note"
        let made = trust
        let error = #expect(throws: IngestionError.self) { try Backup.restore(copy, to: target, made) }
        #expect(error?.code == .damaged, "\(String(describing: error))")
        #expect(try listFolder(target).isEmpty)
    }

    /// An index can be made to omit rows that SQLite believes are in it.
    @Test func `an index with a hole is named, and misses nothing that counts`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let first = try await accepted(shop, "a.csv", from: 1)
        let key = try shop.store.ledger().verifier
        for (name, hole) in [("entry_kind", "kind <> 'shard.published'"), ("prov_edge_dst", "rel <> 'used'")] {
            try makeHole(shop, name, hole)
            let damage = try Ledger.verify(path: shop.store.ledgerPath, key: key).damage
            #expect(damage.contains { $0.detail.contains("the index \(name)") }, "\(damage)")
        }
        #expect(try shop.store.audit().problems.isEmpty)
        let again = try await shop.run(shop.folder + "/a.csv")
        #expect(again.duplicateOf == first.batch)
    }

    @Test func `a journal that would make sqlite touch other files is refused`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let victim = shop.folder + "/victim"
        try writeDurably(victim, Array("precious".utf8).span)
        let journal = shop.store.ledgerPath + "-journal"
        if exists(journal) { try removeFile(journal) }
        try FileManager.default.linkItem(atPath: victim, toPath: journal)
        #expect(throws: IngestionError.self) { try shop.store.ledger() }
        try removeFile(journal)
        let text = [UInt8](repeating: 0, count: 512) + [0xD9, 0xD5, 0x05, 0xF9, 0x20, 0xA1, 0x63, 0xD7]
        try writeDurably(journal, text.span)
        #expect(throws: IngestionError.self) { try shop.store.ledger() }
        try removeFile(journal)
        #expect(try FileDescriptor.openRegular(victim).readAll(max: 99) == Array("precious".utf8))
        _ = try shop.store.ledger()
    }

    // MARK: Signed manifests

    /// Files in minisign's format, made with a test key (jedisct1.github.io/minisign, "Signature format").
    private struct Minisign {
        let key: SigningKey
        private let number: [UInt8] = Array("sluicekey".utf8.prefix(8))

        init() throws { key = try SigningKey(seed: SecretKey(random: 32)) }

        var publicLine: String { base64(Array("Ed".utf8) + number + key.publicKey) }

        func sign(_ text: [UInt8]) throws -> String {
            var digest = try MessageDigest(.blake2b512)
            digest.update(text.span)
            let signature = try key.sign(digest.finish().span)
            let comment = "trusted comment: t"
            let over = try key.sign((signature + Array("t".utf8)).span)
            return
                "untrusted comment: u\n\(base64(Array("ED".utf8) + number + signature))\n\(comment)\n\(base64(over))\n"
        }
    }

    /// A file of 60 rows from `first` on, and what its signed manifest says of it.
    private struct Delivery {
        let first: Int
        let sequence: Int?
        var dataset = "numbers", supplier = "test"
        /// Whether the signature stands beside the manifest, and not beside the file.
        var inOwnFile = true
    }

    private func deliver(_ shop: Workshop, _ minisign: Minisign?, _ delivery: Delivery) async throws -> BatchReport {
        let name = "m\(delivery.first).csv"
        let path = try shop.write(name, Workshop.rows(60, from: delivery.first))
        let sum = hex(SHA256.hash([UInt8](try Data(contentsOf: URL(filePath: path)))))
        if let minisign {
            let number = delivery.sequence.map { ", \"sequence\": \($0)" } ?? ""
            let manifest =
                "{\"sha256\": \"\(sum)\", \"dataset\": \"numbers\", \"supplier\": \"\(delivery.supplier)\"\(number)}"
            _ = try shop.write(name + ".manifest", manifest)
            _ = try shop.write(
                name + (delivery.inOwnFile ? ".manifest" : "") + ".minisig", minisign.sign(Array(manifest.utf8)))
        }
        let (schema, document) = try Workshop.contract()
        return try await Pipeline(store: try Store(shop.store.root), writes: true).run(
            BatchRequest(
                BatchInput(file: path), schema: schema, contract: document, dataset: delivery.dataset, source: "test",
                options: BatchOptions()))
    }

    @Test func `a signed manifest binds a file to its dataset and its place in the order`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let (minisign, stranger) = (try Minisign(), try Minisign())
        _ = try shop.write(
            "store/sluice.yaml",
            Configuration.template(origin: shop.store.configuration.origin)
                + "sources:\n  test: { probation: 0, require: [manifest], keys: [{ minisign: \(minisign.publicLine) }] }\n"
        )
        func codes(_ report: BatchReport) -> [FindingCode] { report.batchFindings.map(\.code).filter(\.rejectsBatch) }
        let first = try await deliver(shop, minisign, Delivery(first: 1, sequence: 7))
        #expect(first.status == .accepted, "\(first.batchFindings)")
        let next = try await deliver(shop, minisign, Delivery(first: 101, sequence: 8, inOwnFile: false))
        #expect(next.status == .accepted, "\(next.batchFindings)")
        #expect(try codes(await deliver(shop, nil, Delivery(first: 201, sequence: 9))) == [.manifestMissing])
        #expect(try codes(await deliver(shop, stranger, Delivery(first: 301, sequence: 9))) == [.manifestMissing])
        for odd in [-1, 9_007_199_254_740_993] {
            let report = try await deliver(shop, minisign, Delivery(first: 801 + odd % 97, sequence: odd))
            #expect(codes(report) == [.manifestMismatch] && report.status == .rejected)
        }
        for late in [7, 8] {
            let report = try await deliver(shop, minisign, Delivery(first: 401 + late, sequence: late))
            #expect(codes(report) == [.manifestReplayed] && report.status == .rejected)
        }
        #expect(try codes(await deliver(shop, minisign, Delivery(first: 501, sequence: nil))) == [.manifestMissing])
        #expect(
            try codes(await deliver(shop, minisign, Delivery(first: 601, sequence: 9, dataset: "others"))) == [
                .manifestMismatch
            ])
        let foreign = try await deliver(shop, minisign, Delivery(first: 701, sequence: 9, supplier: "somebody"))
        #expect(codes(foreign) == [.manifestMismatch])
        // The same delivery again is a duplicate, not out of order.
        let again = try await deliver(shop, minisign, Delivery(first: 101, sequence: 8))
        #expect(again.status == .duplicate && again.duplicateOf == next.batch)
    }
}
