import Cryptography
import Foundation
import GRDB
import Lineage
import Tabular
import TestSupport
import Testing

/// A folder that is removed when the value is released.
final class Scratch: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("ledger-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { path + "/" + name }
}

/// The vectors of the reference implementation; a test that needs one is enabled only if it is present.
enum Vectors {
    static func has(_ name: String) -> Bool { shared("vectors/ledger/" + name) != nil }

    /// The path of a file.
    static func path(_ name: String) throws -> String { try #require(shared("vectors/ledger/" + name)).path }

    static func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: path(name))))
    }

    static func json(_ name: String) throws -> JSONValue { try JSONValue.parse(bytes(name)) }
}

/// The ledger that the tests tamper with: the reference's demonstration, 16 entries in 6 commits, built by this code.
enum Demo {
    static let origin = "ingest.example/ledger/7f3c"
    static let time = "2026-11-21T00:00:00.000Z"

    static func key(_ phrase: String = "TEST ledger key, never use") throws -> SigningKey {
        try SigningKey(seed: SecretKey(copying: SHA256.hash(Array(phrase.utf8)).span))
    }

    static func verifier() throws -> VerifierKey {
        try #require(VerifierKey(name: origin, publicKey: key().publicKey))
    }

    static func digest(_ phrase: String) -> String { hex(SHA256.hash(Array(phrase.utf8))) }

    /// The bodies of one commit of the reference.
    static func bodies(_ number: Int, accepted: Int64 = 97) -> [JSONValue] {
        let batch = "sha256:" + digest("batch\(number)")
        let shard = "sha256:" + digest("shard\(number)")
        let run = "run:\(number)"
        func edge(_ parts: String...) -> JSONValue { .array(parts.map { .string($0) }) }
        func thing(_ id: String, _ kind: String) -> JSONValue { .object(["id": .string(id), "kind": .string(kind)]) }
        return [
            .object([
                "kind": .string("batch.received"), "v": .integer(1),
                "time": .string("2026-11-21T00:00:0\(number).000Z"), "batch": .string("b\(number)"),
                "bytes": .integer(Int64(1000 + number)), "sha256": .string(digest("batch\(number)")),
                "entities": .array([thing(batch, "batch")]),
            ]),
            .object([
                "kind": .string("batch.judged"), "v": .integer(1), "batch": .string("b\(number)"),
                "rows": .integer(100), "accepted": .integer(accepted), "rejected": .integer(3),
                "rowmap_sha256": .string(digest("map\(number)")), "schema_sha256": .string(digest("schema")),
                "policy_sha256": .string(digest("policy")),
                "activities": .array([thing(run, "validate")]), "edges": .array([edge(run, "used", batch)]),
            ]),
            .object([
                "kind": .string("shard.published"), "v": .integer(1), "batch": .string("b\(number)"),
                "path": .string("shards/\(digest("shard\(number)").prefix(16)).esdk"),
                "ciphertext_sha256": .string(digest("shard\(number)")),
                "message_id": .string(digest("mid\(number)")), "entities": .array([thing(shard, "shard")]),
                "edges": .array([edge(shard, "wasGeneratedBy", run), edge(shard, "wasDerivedFrom", batch)]),
            ]),
        ]
    }

    /// Builds the ledger and returns its signed notes.
    @discardableResult
    static func build(
        _ path: String, key: SigningKey? = nil, accepted: Int64 = 97, batches: Int = 5
    ) throws -> (ledger: Ledger, notes: [[UInt8]]) {
        let ledger = try Ledger.create(path: path, origin: origin, signingKey: key ?? Self.key(), time: time)
        var notes = [try #require(try ledger.latestCheckpoint()).note]
        for number in 0..<batches {
            let map = LedgerBlob(media: RowMap.mediaType, data: Array("map\(number)".utf8))
            let change = LedgerChange(entries: bodies(number, accepted: number == 1 ? accepted : 97), blobs: [map])
            notes.append(try ledger.commit(change).note)
        }
        return (ledger, notes)
    }

    static func verify(_ path: String, _ anchors: [TrustAnchor] = []) throws -> [String] {
        try Ledger.verify(path: path, key: verifier(), evidence: OutsideEvidence(anchors: anchors)).damage.map(
            \.description)
    }
}

/// Access as an intruder has it: SQLite without the guards.
enum Intruder {
    /// Runs SQL with every trigger dropped, and restores the triggers.
    static func alter(_ path: String, _ change: (Database) throws -> Void) throws {
        try open(path) { db in
            let triggers = try Row.fetchAll(db, sql: "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
            for trigger in triggers { try db.execute(sql: "DROP TRIGGER \(trigger["name"] as String)") }
            try change(db)
            for trigger in triggers { try db.execute(sql: trigger["sql"]) }
        }
    }

    static func open(_ path: String, _ change: (Database) throws -> Void) throws {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = false
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        try queue.writeWithoutTransaction { db in try change(db) }
        try queue.close()
    }
}
