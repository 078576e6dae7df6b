import Cryptography
import Foundation
import GRDB
import Lineage
import Tabular
import Testing

/// Writing and reading: all or nothing, and serialised between processes.
struct LedgerTests {
    let scratch: Scratch
    let path: String

    init() throws {
        scratch = try Scratch()
        path = scratch.file("ledger.sqlite")
    }

    private static let claim = "01a22df6-e384-7b19-8fd1-e0fe1fe57471"

    private static func judgement(_ key: [UInt8]) -> JSONValue {
        .object([
            "kind": .string("batch.judged"), "v": .integer(1), "batch": .string("b"),
            "seen": .array([.string(hex(key))]),
        ])
    }

    static func note(_ text: String) -> JSONValue {
        .object([
            "kind": .string("config.changed"), "v": .integer(1), "time": .string(Demo.time), "note": .string(text),
        ])
    }

    @Test func `settings of the file`() throws {
        _ = try Demo.build(path)
        let queue = try DatabaseQueue(path: path)
        func pragma(_ name: String) throws -> String? {
            try queue.read { try String.fetchOne($0, sql: "PRAGMA \(name)") }
        }
        #expect(try pragma("application_id") == "\(0x494C_4447)")
        #expect(try pragma("user_version") == "1")
        #expect(try pragma("journal_mode") == "delete", "nothing of a WAL remains")
        #expect(FileManager.default.fileExists(atPath: path + "-journal"), "the journal is truncated, not removed")
    }

    @Test func `a ledger is created once and opened by its own key`() throws {
        _ = try Demo.build(path)
        let again = #expect(throws: LedgerError.self) { try Demo.build(path) }
        #expect(again?.code == .exists)
        let evil = #expect(throws: LedgerError.self) { try Ledger.open(path: path, signingKey: Demo.key("evil")) }
        #expect(evil?.code == .wrongKey)
        let none = #expect(throws: LedgerError.self) { try Ledger.openReadonly(path: scratch.file("none")) }
        #expect(none?.code == .notFound)
        #expect(none?.description == "cannot open ledger \(scratch.file("none")): there is no such file")
        try Data(repeating: 7, count: 5000).write(to: URL(fileURLWithPath: scratch.file("junk")))
        #expect(throws: LedgerError.self) { try Ledger.openReadonly(path: scratch.file("junk")) }
        _ = try DatabaseQueue(path: scratch.file("other")).write { try $0.execute(sql: "CREATE TABLE t(a)") }
        let other = #expect(throws: LedgerError.self) { try Ledger.openReadonly(path: scratch.file("other")) }
        #expect(other?.code == .notALedger)
        let opened = try Ledger.open(path: path, signingKey: Demo.key())
        #expect(try opened.origin == Demo.origin && opened.size() == 16)
    }

    @Test func `an empty file that a crash left is taken over`() throws {
        try Data().write(to: URL(fileURLWithPath: path))
        _ = try Demo.build(path)
        #expect(try Demo.verify(path).isEmpty)
    }

    @Test func `one commit moves everything`() throws {
        let (ledger, _) = try Demo.build(path, batches: 0)
        let claim = Inflight(claim: "c1", source: "inbox/a.csv", state: .claimed, attempts: 1, updatedMilliseconds: 5)
        try ledger.insertInflight(claim)
        let taken = #expect(throws: LedgerError.self) { try ledger.insertInflight(claim) }
        #expect(taken?.code == .alreadyClaimed)
        var staged = claim
        staged.state = .publishing
        staged.plan = [1, 2]
        staged.sha256 = SHA256.hash([1])
        try ledger.putInflight(staged)
        #expect(try ledger.inflight() == [staged])
        let key = SHA256.hash([9])
        let map = LedgerBlob(media: RowMap.mediaType, data: Array("map0".utf8))
        let next = Inflight(claim: "c2", source: "inbox/b.csv", state: .staged, updatedMilliseconds: 6)
        let committed = try ledger.commit(
            LedgerChange(entries: Demo.bodies(0), blobs: [map], seen: [key: 1], putInflight: [next]))
        #expect(committed.firstSequence == 1 && committed.size == 4)
        #expect(try ledger.seen(key) == 2 && ledger.seen([1]) == nil)
        #expect(try ledger.inflight() == [staged, next])
        try ledger.removeInflight(claim: "c1")
        #expect(try ledger.blob(sha256: SHA256.hash(map.data)) == map)
        let head = try #require(try ledger.latestCheckpoint())
        #expect(head.note == committed.note && head.head.root == committed.root && head.head.size == 4)
        #expect(try ledger.entry(3)?.kind == "shard.published" && ledger.entry(4) == nil && ledger.entry(-1) == nil)
        #expect(try LineageQuery(ledger).log(limit: 9, kind: "batch.judged").map(\.sequence) == [2])
        #expect(try ledger.consistencyProof(from: 1, to: 4).count == 2)
        try ledger.removeInflight(claim: "c2")
        #expect(try ledger.inflight().isEmpty && Demo.verify(path).isEmpty)
    }

    @Test func `a refused commit changes nothing`() throws {
        let (ledger, _) = try Demo.build(path, batches: 1)
        let key = SHA256.hash([9])
        _ = try ledger.commit(LedgerChange(entries: [Self.judgement(key)], seen: [key: 0]))
        try ledger.putInflight(Inflight(claim: Self.claim, source: "s", state: .claimed, updatedMilliseconds: 0))
        let before = try ledger.latestCheckpoint()?.note
        let data = Array("evidence".utf8)
        func refuse(_ entry: JSONValue, _ code: LedgerError.Code) {
            let change = LedgerChange(
                entries: [Self.note("second"), entry], blobs: [LedgerBlob(media: "text/plain", data: data)],
                seen: [key: 0],
                putInflight: [Inflight(claim: Self.claim, source: "s", state: .publishing, updatedMilliseconds: 1)])
            #expect(throws: LedgerError.self) { try ledger.commit(change) }
            do { _ = try ledger.commit(change) } catch { #expect(error.code == code, "\(error)") }
        }
        refuse(Self.note("third"), .alreadySeen)
        refuse(.object(["kind": .string("x")]), .badBody)
        refuse(.object(["kind": .string("x"), "v": .integer(1), "share": .number(0.5)]), .badBody)
        refuse(.object(["kind": .string("x"), "v": .integer(1), "n": .integer(1 << 53)]), .badBody)
        refuse(.object(["kind": .string("x"), "v": .integer(1), "edges": .array([.null])]), .badBody)
        refuse(Self.note(String(repeating: "x", count: 70_000)), .badBody)
        #expect(try ledger.size() == 5 && ledger.latestCheckpoint()?.note == before)
        #expect(try ledger.inflight().map(\.state) == [.claimed] && ledger.blob(sha256: SHA256.hash(data)) == nil)
        #expect(try Demo.verify(path).isEmpty)
    }

    @Test func `the same source and shard may turn up again`() throws {
        let (ledger, _) = try Demo.build(path, batches: 2)
        _ = try ledger.commit(LedgerChange(entries: Demo.bodies(1) + Demo.bodies(0)))
        #expect(try ledger.size() == 13 && Demo.verify(path).isEmpty)
    }

    @Test func `threads write at once`() throws {
        let (_, _) = try Demo.build(path, batches: 0)
        let path = path
        DispatchQueue.concurrentPerform(iterations: 4) { worker in
            do {
                let ledger = try Ledger.open(path: path, signingKey: Demo.key())
                for number in 0..<25 {
                    _ = try ledger.commit(LedgerChange(entries: [Self.note("\(worker)/\(number)")]))
                }
            } catch {
                Issue.record(error)
            }
        }
        let ledger = try Ledger.openReadonly(path: path)
        let notes = Set(try ledger.entries(from: 1, limit: 200).compactMap { $0.body["note"]?.text })
        #expect(notes.count == 100)
        let found = try Ledger.verify(path: path, key: Demo.verifier())
        #expect(found.damage.isEmpty && found.rows == 101 && found.checkpoints == 101)
    }

    @Test func `processes write at once, while one verifies`() async throws {
        let path = path
        try Demo.build(path, batches: 0).ledger.removeInflight(claim: "")
        async let first: Void = Self.child(path, "a")
        async let second: Void = Self.child(path, "b")
        async let third: Void = Self.child(path, "c")
        for _ in 0..<5 {
            let found = try Demo.verify(path)
            #expect(found.isEmpty)
        }
        _ = await (first, second, third)
        let found = try Ledger.verify(path: path, key: Demo.verifier())
        #expect(found.damage.isEmpty && found.rows == 61)
    }

    static func child(_ path: String, _ name: String) async {
        await #expect(processExitsWith: .success) { [path, name] in
            let ledger = try Ledger.open(path: path, signingKey: Demo.key())
            for number in 0..<20 {
                _ = try ledger.commit(LedgerChange(entries: [LedgerTests.note("\(name)\(number)")]))
            }
        }
    }

    @Test func `a hot journal is told apart, healed by a writer, and nothing is lost`() throws {
        _ = try Demo.build(path)
        let crashed = scratch.file("crashed.sqlite")
        var configuration = Configuration()
        configuration.prepareDatabase { try $0.execute(sql: "PRAGMA journal_mode = TRUNCATE; PRAGMA cache_size = 1") }
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        // The state that a killed writer leaves: pages spilled into the database, and a full journal.
        try queue.writeWithoutTransaction { db in
            try db.inTransaction(.immediate) {
                for number in 0..<200 {
                    let data = Data(repeating: UInt8(number), count: 3000)
                    let name = Data(SHA256.hash([UInt8(number)]))
                    try db.execute(sql: "INSERT INTO blob VALUES(?, 'x', ?)", arguments: [name, data])
                }
                for end in ["", "-journal"] {
                    try FileManager.default.copyItem(atPath: path + end, toPath: crashed + end)
                }
                return .rollback
            }
        }
        let error = #expect(throws: LedgerError.self) { try Ledger.openReadonly(path: crashed) }
        #expect(error?.code == .hotJournal, "\(String(describing: error))")
        let verdict = #expect(throws: LedgerError.self) { try Demo.verify(crashed) }
        #expect(verdict?.code == .hotJournal)
        try Ledger.heal(path: crashed)
        #expect(try Ledger.openReadonly(path: crashed).size() == 16)
        #expect(try Demo.verify(crashed).isEmpty)
    }
}
