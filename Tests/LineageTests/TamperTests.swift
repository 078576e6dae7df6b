import Cryptography
import Foundation
import GRDB
import Lineage
import Tabular
import Testing

/// Every kind of tampering with the ledger, each on a ledger that this code built, with the damage that `verify` must
/// report.
struct TamperTests {
    let scratch: Scratch
    let path: String
    let witness: TrustAnchor
    let edit = """
        UPDATE entry SET body =
        CAST(replace(CAST(body AS TEXT), '"accepted":97', '"accepted":99') AS BLOB) WHERE seq = 5
        """

    init() throws {
        scratch = try Scratch()
        path = scratch.file("ledger.sqlite")
        let (_, notes) = try Demo.build(path)
        witness = TrustAnchor(name: "witness", text: try #require(notes.last))
    }

    func leaf(_ db: Database, _ sequence: Int) throws -> Data {
        let body = try Data.fetchOne(db, sql: "SELECT body FROM entry WHERE seq = ?", arguments: [sequence])
        return Data(MerkleTree.leafHash([UInt8](body ?? Data())))
    }

    @Test func `nothing done`() throws {
        let found = try Ledger.verify(path: path, key: Demo.verifier(), evidence: OutsideEvidence(anchors: [witness]))
        #expect(found.damage.isEmpty && found.anchors == 1 && found.rows == 16 && found.checkpoints == 6)
    }

    @Test(arguments: [
        "UPDATE entry SET body = x'7b7d' WHERE seq = 5", "DELETE FROM entry WHERE seq = 15",
        "UPDATE node SET hash = zeroblob(32)", "DELETE FROM checkpoint", "UPDATE blob SET data = x''",
    ])
    func `UPDATE through SQL is blocked`(sql: String) throws {
        let error = #expect(throws: DatabaseError.self) { try Intruder.open(path) { try $0.execute(sql: sql) } }
        #expect(error?.message == "ledger: append-only")
        #expect(try Demo.verify(path, [witness]).isEmpty)
    }

    @Test func `row edited, triggers put back`() throws {
        try Intruder.alter(path) { try $0.execute(sql: edit) }
        let found = try Demo.verify(path)
        #expect(found.first == "ROW 5 body does not match its stored hash")
        #expect(found.contains("ROOT mismatch at signed checkpoint 7: a row between 4 and 6 was changed"))
    }

    @Test func `row edited and leaf hash recomputed`() throws {
        try Intruder.alter(path) { db in
            try db.execute(sql: edit)
            try db.execute(sql: "UPDATE entry SET leaf_hash = ? WHERE seq = 5", arguments: [leaf(db, 5)])
        }
        let found = try Demo.verify(path)
        #expect(found.first == "ROOT mismatch at signed checkpoint 7: a row between 4 and 6 was changed")
        #expect(found.contains("NODE 1/2 disagrees with the recomputed tree"))
        #expect(!found.contains { $0.hasPrefix("NODE 1/3") || $0.hasPrefix("ROW") })
    }

    @Test func `row deleted`() throws {
        try Intruder.alter(path) { try $0.execute(sql: "DELETE FROM entry WHERE seq = 5") }
        #expect(try Demo.verify(path).first == "ROW 5 missing (next present row is 6)")
    }

    @Test func `first row deleted`() throws {
        try Intruder.alter(path) { try $0.execute(sql: "DELETE FROM entry WHERE seq = 0") }
        #expect(try Demo.verify(path).first == "ROW 0 missing (next present row is 1)")
    }

    @Test(arguments: [Int64(1) << 62, .max]) func `row far beyond the end`(sequence: Int64) throws {
        try Intruder.alter(path) { db in
            let leaf = Data(MerkleTree.leafHash([123, 125]))
            try db.execute(sql: "INSERT INTO entry VALUES(?, x'7b7d', ?, 'x')", arguments: [sequence, leaf])
        }
        let found = try Demo.verify(path)
        #expect(found.first { $0.hasPrefix("ROW 16 missing (next present row is ") } != nil, "\(found)")
    }

    @Test func `two rows swapped`() throws {
        try Intruder.alter(path) { db in
            try db.execute(
                sql: """
                    CREATE TEMP TABLE s AS SELECT * FROM entry WHERE seq IN (5, 8);
                    UPDATE entry SET body = (SELECT body FROM s WHERE s.seq = 13 - entry.seq),
                    leaf_hash = (SELECT leaf_hash FROM s WHERE s.seq = 13 - entry.seq) WHERE seq IN (5, 8);
                    DROP TABLE s
                    """)
        }
        let found = try Demo.verify(path)
        #expect(found.first == "ROOT mismatch at signed checkpoint 7: a row between 4 and 6 was changed")
    }

    @Test func `tail rows removed`() throws {
        try Intruder.alter(path) { try $0.execute(sql: "DELETE FROM entry WHERE seq >= 13") }
        let found = try Demo.verify(path)
        #expect(found.contains("TAIL signed checkpoint covers 16 rows, ledger holds 13: 3 rows removed"))
    }

    @Test func `clean rollback to an older signed state shows only with an anchor`() throws {
        try Intruder.alter(path) { db in
            try db.execute(
                sql: """
                    DELETE FROM checkpoint WHERE size > 13; DELETE FROM entry WHERE seq >= 13;
                    DELETE FROM node WHERE (idx + 1) << level > 13; DELETE FROM prov_entity WHERE seq >= 13;
                    DELETE FROM prov_activity WHERE seq >= 13; DELETE FROM prov_edge WHERE seq >= 13
                    """)
        }
        #expect(try Demo.verify(path).isEmpty)
        let found = try Demo.verify(path, [witness])
        #expect(found == ["ROLLBACK witness saw 16 rows signed by this key, ledger holds 13"])
    }

    @Test func `whole file swapped`() throws {
        try FileManager.default.removeItem(atPath: path)
        try Demo.build(path, key: Demo.key("evil"), batches: 0)
        let found = try Demo.verify(path)
        #expect(found == ["CHECKPOINT 1 signature is not by the pinned key"])
    }

    @Test func `rewritten and re-signed with the signing key shows only with an anchor`() throws {
        let receipt = try #require(try Ledger.openReadonly(path: path).proof(of: 9))
        try FileManager.default.removeItem(atPath: path)
        try Demo.build(path, accepted: 99)
        #expect(try Demo.verify(path).isEmpty)
        let fork = "saw a different history at 16 rows: ledger was rewritten and re-signed"
        #expect(try Demo.verify(path, [witness]) == ["FORK witness \(fork)"])
        #expect(try Demo.verify(path, [TrustAnchor(name: "r", text: receipt.text)]) == ["FORK r \(fork)"])
    }

    @Test func `unsigned row appended`() throws {
        try Intruder.open(path) { db in
            try db.execute(
                sql: "INSERT INTO entry VALUES(16, x'7b7d', ?, 'x')",
                arguments: [Data(MerkleTree.leafHash([123, 125]))])
        }
        let found = try Demo.verify(path)
        #expect(found.first == "TAIL 1 row after the last signed checkpoint (16)")
        #expect(found.contains("PROJECTION entry.kind of row 16 disagrees with its body"))
    }

    @Test func `a tampered log is not signed over`() throws {
        try Intruder.open(path) { db in
            try db.execute(
                sql: "INSERT INTO entry VALUES(16, x'7b7d', ?, 'x')",
                arguments: [Data(MerkleTree.leafHash([123, 125]))])
        }
        let ledger = try Ledger.open(path: path, signingKey: Demo.key())
        let error = #expect(throws: LedgerError.self) { try ledger.commit(LedgerChange(entries: Demo.bodies(7))) }
        #expect(error?.code == .damaged)
    }

    @Test func `checkpoint signed by another key`() throws {
        let text = Checkpoint(origin: Demo.origin, size: 16, root: [UInt8](repeating: 0, count: 32)).text
        let note = try SignedNote.sign(text, name: Demo.origin, key: Demo.key("evil"))
        try Intruder.alter(path) { db in
            let sql = "UPDATE checkpoint SET note = CAST(? AS BLOB) WHERE size = 16"
            try db.execute(sql: sql, arguments: [note])
        }
        #expect(try Demo.verify(path).contains("CHECKPOINT 16 signature is not by the pinned key"))
    }

    @Test func `checkpoint columns edited`() throws {
        try Intruder.alter(path) { try $0.execute(sql: "UPDATE checkpoint SET root = zeroblob(32) WHERE size = 7") }
        #expect(try Demo.verify(path) == ["CHECKPOINT 7 columns disagree with its signed text"])
    }

    @Test(arguments: [
        ("DROP TRIGGER cp_grow", "SCHEMA cp_grow is missing"),
        ("CREATE TABLE extra(a)", "SCHEMA extra was added"),
        ("DROP INDEX entry_kind; CREATE INDEX entry_kind ON entry(kind)", "SCHEMA entry_kind was changed"),
        ("PRAGMA user_version = 2", "SCHEMA user_version was changed"),
        (
            "UPDATE prov_entity SET kind = 'shard' WHERE kind = 'batch'",
            "PROJECTION prov tables disagree with the log: 10 differences"
        ),
        ("DELETE FROM prov_edge WHERE rel = 'used'", "PROJECTION prov tables disagree with the log: 5 differences"),
        (
            "INSERT INTO prov_activity VALUES('run:9', 'validate', 99)",
            "PROJECTION prov tables disagree with the log: 1 difference"
        ),
        ("INSERT INTO node VALUES(3, 2, zeroblob(32))", "NODE 3/2 disagrees with the recomputed tree"),
    ])
    func `projection, tree or schema edited`(sql: String, line: String) throws {
        try Intruder.open(path) { try $0.execute(sql: sql) }
        #expect(try Demo.verify(path, [witness]) == [line])
    }

    @Test func `node edited or removed`() throws {
        try Intruder.alter(path) { db in
            try db.execute(sql: "UPDATE node SET hash = zeroblob(32) WHERE level = 1 AND idx = 2")
            try db.execute(sql: "DELETE FROM node WHERE level = 4")
        }
        let found = try Demo.verify(path)
        #expect(found == ["NODE 1/2 disagrees with the recomputed tree", "NODE 4/0 is missing"])
    }

    @Test func `evidence edited or removed`() throws {
        let map = SHA256.hash(Array("map0".utf8))
        let other = SHA256.hash(Array("map1".utf8))
        try Intruder.alter(path) { db in
            try db.execute(sql: "UPDATE blob SET data = x'00' WHERE sha256 = ?", arguments: [Data(map)])
            try db.execute(sql: "DELETE FROM blob WHERE sha256 = ?", arguments: [Data(other)])
        }
        let found = try Demo.verify(path)
        #expect(found == ["BLOB \(hex(map)) does not match its name", "BLOB \(hex(other)) named by row 5 is missing"])
        let ledger = try Ledger.openReadonly(path: path)
        #expect(throws: LedgerError.self) { try ledger.blob(sha256: map) }
    }

    @Test func `anchors of others are said so`() throws {
        let foreign = try SignedNote.sign("other\n1\n\(base64(SHA256.hash([])))\n", name: Demo.origin, key: Demo.key())
        let evil = try SignedNote.sign("x\n", name: Demo.origin, key: Demo.key("evil"))
        var receipt = try #require(try Ledger.openReadonly(path: path).proof(of: 9))
        receipt = TlogProof(index: 8, hashes: receipt.hashes, note: receipt.note)
        let anchors = [
            TrustAnchor(name: "a", text: Array(foreign.utf8)), TrustAnchor(name: "b", text: Array(evil.utf8)),
            TrustAnchor(name: "c", text: receipt.text), TrustAnchor(name: "d", text: []),
        ]
        let lines = [
            "ANCHOR a is for another ledger other", "ANCHOR b is not signed by the pinned key",
            "ANCHOR d is not signed by the pinned key", "ANCHOR c does not prove row 8",
        ]
        #expect(try Demo.verify(path, anchors) == lines)
    }

    @Test func `not a database`() throws {
        try Data("not a database, but long enough to be looked at as one".utf8).write(to: URL(fileURLWithPath: path))
        #expect(try Demo.verify(path).first?.hasPrefix("FILE not a readable ledger: ") == true)
        try Data().write(to: URL(fileURLWithPath: path))
        #expect(try Demo.verify(path).isEmpty == false)
        let error = #expect(throws: LedgerError.self) { try Demo.verify(scratch.file("none")) }
        #expect(error?.code == .notFound)
    }

    @Test func `values of impossible types do not stop the verifier`() throws {
        try Intruder.open(path) { db in
            try db.execute(
                sql: """
                    DROP TABLE blob; DROP TABLE prov_entity; DROP TABLE prov_edge;
                    CREATE TABLE blob(sha256, media, data); CREATE TABLE prov_entity(id, kind, seq);
                    CREATE TABLE prov_edge(src, rel, dst, seq);
                    INSERT INTO blob VALUES(NULL, 1, NULL), ('text', NULL, 5.5), (7, 7, 7);
                    INSERT INTO prov_entity VALUES(NULL, x'00ff', NULL), (1, 2, 'seq'), (x'61', 'b', 3);
                    INSERT INTO prov_edge VALUES(NULL, NULL, NULL, NULL)
                    """)
        }
        #expect(try Demo.verify(path).contains("SCHEMA blob was changed"))
    }

    @Test func `any flipped bit is found or harmless`() throws {
        let original = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        let copy = scratch.file("flipped.sqlite")
        var found = 0
        var tries = 0
        for offset in stride(from: 0, to: original.count, by: 127) {
            var bytes = original
            bytes[offset] ^= offset.isMultiple(of: 2) ? 0x80 : 1
            try Data(bytes).write(to: URL(fileURLWithPath: copy))
            tries += 1
            let damage = (try? Demo.verify(copy, [witness])) ?? ["refused"]
            if !damage.isEmpty {
                found += 1
                continue
            }
            // A ledger that verify calls intact must read the same, byte for byte.
            let ledger = try Ledger.openReadonly(path: copy)
            let entries = try ledger.entries(from: 0, limit: 100)
            #expect(try entries == Ledger.openReadonly(path: path).entries(from: 0, limit: 100), "offset \(offset)")
        }
        print("flipped bits: \(tries) tried, \(found) found, the others in unused or unsigned space")
        #expect(found > tries / 4)
    }
}
