import Cryptography
import Foundation
import GRDB
import Sealing
import Storage
import Tabular
import Testing

@testable import Ingestion
@testable import Lineage

/// Data planted by a person who can write into the store: other keys, rows in unsigned tables, impossible numbers.
@Suite struct `what is planted decides nothing` {
    private func accepted(_ shop: Workshop, _ name: String, from first: Int) async throws -> BatchReport {
        let report = try await shop.run(try shop.write(name, Workshop.rows(200, from: first)))
        #expect(report.status == .accepted, "\(report.batchFindings)")
        return report
    }

    /// Writes into the ledger directly; the triggers that would forbid it are restored.
    private func tamper(_ shop: Workshop, _ sql: String, _ arguments: StatementArguments = []) throws {
        try DatabaseQueue(path: shop.store.ledgerPath).writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA foreign_keys = OFF")
            let triggers = try Row.fetchAll(db, sql: "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
            for trigger in triggers { try db.execute(sql: "DROP TRIGGER \(trigger["name"] as String)") }
            try db.execute(sql: sql, arguments: arguments)
            for trigger in triggers { try db.execute(sql: trigger["sql"] as String) }
        }
    }

    @Test func `an index under a planted store key is not used`() async throws {
        let (shop, other) = (try Workshop(), try Workshop())
        defer {
            shop.remove()
            other.remove()
        }
        _ = try await accepted(shop, "a.csv", from: 1)
        try Recorder(shop.store).take(.block, source: "bad", reason: "sends rubbish")
        // The state of the whole ledger, without the block, and with the planted key as the recorded one.
        let secret = try other.store.keyFolders.read(.store, "store")
        let planted = UsedKey(.store, "store", secret)
        let (log, state) = try shop.store.proving().proven()
        var text = String(decoding: state.document().canonicalBytes(), as: UTF8.self)
        text = text.replacingOccurrences(of: "source.blocked", with: "source.trusted")
        for key in state.keys where key.key.kind == "store" {
            text = text.replacingOccurrences(of: key.value.identity, with: planted.identity)
                .replacingOccurrences(of: key.value.fingerprint, with: planted.fingerprint)
        }
        #expect(!text.contains("source.blocked") && text.contains(planted.identity))
        let bytes = Array(text.utf8)
        let proof = hmacSHA256(
            key: secret, (Array("sluice/ledger-index/v1\0\(log.ledger.verifier)\0".utf8) + bytes).span)
        try writeDurably(shop.store.root + "/ledger.index", (proof + bytes).span, replacing: true)
        let path = shop.store.keysFolder + "/store.store"
        try removeFile(path)
        try FileManager.default.copyItem(atPath: other.store.keysFolder + "/store.store", toPath: path)
        let opened = try Store(shop.store.root).proving()
        #expect(try opened.proven().state.sources["bad"]?.decision == "source.blocked")
        #expect(try opened.examineRecordedKeys().contains { $0.grade == .bad })
        let error = await #expect(throws: IngestionError.self) {
            _ = try await shop.run(try shop.write("b.csv", Workshop.rows(200, from: 1001)))
        }
        #expect(error?.code == .notPermitted)
    }

    @Test(arguments: [Inflight.State.claimed, .staged, .publishing])
    func `a committed batch is published whatever its row says`(state: Inflight.State) throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let ledger = try shop.store.ledger()
        let claim = "01a22df6-e384-7b19-8fd1-000000000001"
        let path = "accepted/numbers/\(claim)/0.sluice"
        let bytes = Array("sealed".utf8)
        try makeFolder(join(shop.store.workFolder, claim))
        try writeDurably(join(shop.store.workFolder, claim) + "/0.sluice", bytes.span)
        let entry = JSONValue.object([
            "kind": .string("shard.published"), "v": .integer(1), "time": .string(Clock.text()),
            "batch": .string(claim),
            "dataset": .string("numbers"),
            "files": .array([
                .object([
                    "role": .string("accepted"), "path": .string(path), "bytes": .integer(Int64(bytes.count)),
                    "file_sha256": .string(hex(SHA256.hash(bytes))),
                ])
            ]),
        ])
        _ = try ledger.commit(
            LedgerChange(
                entries: [entry],
                putInflight: [
                    Inflight(claim: claim, source: "numbers", state: state, attempts: 1, updatedMilliseconds: 0)
                ]))
        _ = try Recorder(shop.store)
        #expect(exists(join(shop.store.root, path)))
        #expect(try ledger.inflight().isEmpty)
    }

    @Test func `a contract whose blob was there before is registered all the same`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let other = try Workshop()
        defer { other.remove() }
        let digest = Cryptography.bytes(hex: try await accepted(other, "a.csv", from: 1).contractHash) ?? []
        let contract = try other.store.ledger().blob(sha256: digest)
        try tamper(
            shop, "INSERT INTO blob(sha256, media, data) VALUES(?, 'application/schema+json', ?)",
            [Data(digest), Data(contract?.data ?? [])])
        _ = try await accepted(shop, "a.csv", from: 1)
        #expect(try shop.store.ledger().entries(from: 0, limit: 1000).contains { $0.kind == "contract.registered" })
    }

    @Test(arguments: [
        "INSERT INTO seen SELECT zeroblob(32), 99999",
        "UPDATE seen SET key = CAST(substr(key, 1, 16) || zeroblob(16) AS BLOB)",
    ]) func `rows of seen that no judgement made are named`(sql: String) async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        _ = try await accepted(shop, "a.csv", from: 1)
        let key = try shop.store.ledger().verifier
        try tamper(shop, sql)
        #expect(try !Ledger.verify(path: shop.store.ledgerPath, key: key).damage.isEmpty)
    }

    @Test func `numbers that no body should have end nothing by a signal`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        _ = try await accepted(shop, "a.csv", from: 1)
        let key = try shop.store.ledger().verifier
        try tamper(
            shop,
            """
            UPDATE entry SET body = CAST(replace(CAST(body AS TEXT), '"commit":', '"commit":922337203685477580') AS BLOB)
            WHERE seq > 0
            """)
        #expect(try !Ledger.verify(path: shop.store.ledgerPath, key: key).damage.isEmpty)
        let body = #"{"epsilon_millionths":9223372036854775807,"kind":"profile.published","source_sha256":"aa","v":1}"#
        try tamper(shop, "UPDATE entry SET body = CAST(? AS BLOB) WHERE seq > 0", [body])
        try? removeFile(shop.store.root + "/ledger.index")
        #expect(throws: IngestionError.self) { try Store(shop.store.root).proving().proven() }
    }

    @Test func `a backup is one that restore takes, or none`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let report = try await accepted(shop, "a.csv", from: 1)
        // A changed receipt is written again, since the log proves the file.
        let receipt = shop.store.root + "/accepted/numbers/\(report.batch)/0.sluice.tlog-proof"
        let text = try FileDescriptor.openRegular(receipt).readAll(max: 1 << 20)
        try writeDurably(receipt, (text + [0x0A]).span, replacing: true)
        let target = shop.folder + "/copy"
        try makeFolder(target)
        let made = try await Backup.make(of: Recorder(shop.store), in: target, withKeys: false)
        #expect(made.files > 0)
        let copied = try FileDescriptor.openRegular(target + "/accepted/numbers/\(report.batch)/0.sluice.tlog-proof")
            .readAll(max: 1 << 20)
        #expect(TlogProof(copied)?.text == copied)
        try tamper(shop, "UPDATE entry SET kind = 'note' WHERE kind = 'shard.published'")
        let other = shop.folder + "/other"
        try makeFolder(other)
        let error = await #expect(throws: IngestionError.self) {
            _ = try await Backup.make(of: Recorder(shop.store), in: other, withKeys: false)
        }
        #expect(error?.code == .damaged)
    }

    @Test func `content that another process accepted meanwhile is not accepted again under another contract`()
        async throws
    {
        let shop = try Workshop()
        defer { shop.remove() }
        let ledger = try shop.store.ledger()
        let before = try ledger.size()
        _ = try await accepted(shop, "a.csv", from: 1)
        let received = try #require(
            try ledger.entries(from: 0, limit: 1000).first { $0.kind == "batch.received" }?.body)
        func commit(_ content: LedgerChange.Content) throws {
            let entry = JSONValue.object(["kind": .string("note"), "v": .integer(1)])
            _ = try ledger.commit(
                LedgerChange(entries: [entry], seen: [[UInt8](repeating: UInt8(before % 250), count: 32): 0])
                    .decided(at: before, accepting: content))
        }
        let digest = try #require(received["data_hash"]?.text)
        let error = #expect(throws: LedgerError.self) {
            try commit(LedgerChange.Content(dataset: "numbers", digest: digest, source: nil))
        }
        #expect(error?.code == .alreadySeen)
        try commit(LedgerChange.Content(dataset: "others", digest: digest, source: nil))
    }
}
