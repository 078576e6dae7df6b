import Cryptography
import Foundation
import Lineage
import Storage
import Tabular
import Testing

@testable import Ingestion

/// A claim's name.
private let dead = "01a22df6-e384-7b19-8fd1-e0fe1fe57471"

@Suite struct `recovery` {
    private func claims(_ shop: Workshop) throws -> [String] { try shop.store.ledger().inflight().map(\.claim) }

    @Test func `a claim that was only begun leaves nothing`() throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let ledger = try shop.store.ledger()
        try ledger.insertInflight(
            Inflight(claim: dead, source: "numbers", state: .claimed, attempts: 1, updatedMilliseconds: 0))
        try makeFolder(join(shop.store.workFolder, dead))
        try writeDurably(join(shop.store.workFolder, dead + "/0.sluice.part"), Array("half".utf8).span)
        _ = try Recorder(shop.store)
        #expect(try claims(shop).isEmpty)
        #expect(try listFolder(shop.store.workFolder).isEmpty)
    }

    @Test(arguments: [0, 1, 2]) func `a committed plan is carried out, wherever it stopped`(moved: Int) throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let ledger = try shop.store.ledger()
        let folder = join(shop.store.workFolder, dead)
        try makeFolder(folder)
        let target = join(shop.store.root, "accepted/numbers/" + dead)
        try makeFolder(target)
        for index in 0..<2 {
            try writeDurably(
                index < moved ? join(target, "\(index).sluice") : join(folder, "\(index).sluice"),
                Array("sealed \(index)".utf8).span)
        }
        // The row's statement of where files go is unsigned.
        let plan = JSONValue.object([
            "batch": .string("../../victim"),
            "files": .array([.object(["from": .string("0.sluice"), "to": .string("../victim/0.sluice")])]),
        ])
        func entry(_ kind: String, _ rest: [String: JSONValue]) -> JSONValue {
            let common: [String: JSONValue] = [
                "kind": .string(kind), "v": .integer(1), "time": .string("2026-11-21T00:00:00.000Z"),
                "batch": .string(dead), "dataset": .string("numbers"),
            ]
            return .object(common.merging(rest) { _, new in new })
        }
        let files = (0..<2).map { index in
            JSONValue.object([
                "path": .string("accepted/numbers/\(dead)/\(index).sluice"), "role": .string("accepted"),
                "shard": .integer(Int64(index)),
                "file_sha256": .string(hex(SHA256.hash(Array("sealed \(index)".utf8)))),
            ])
        }
        let entries = [
            entry("batch.received", ["data_hash": .string("d")]), entry("shard.published", ["files": .array(files)]),
        ]
        _ = try ledger.commit(
            LedgerChange(
                entries: entries,
                putInflight: [
                    Inflight(
                        claim: dead, source: "numbers", state: .publishing, attempts: 1, updatedMilliseconds: 0
                    ).following(plan.canonicalBytes())
                ]))
        _ = try Recorder(shop.store)
        #expect(
            try listFolder(target).sorted() == ["0.sluice", "0.sluice.tlog-proof", "1.sluice", "1.sluice.tlog-proof"])
        #expect(try claims(shop).isEmpty)
        #expect(try listFolder(shop.store.workFolder).isEmpty)
        // The receipt proves the entry to anyone who knows the ledger's key.
        let text = try FileDescriptor.openRegular(join(target, "1.sluice.tlog-proof")).readAll(max: 65_536)
        let proof = try #require(TlogProof(text))
        let body = try #require(try LineageQuery(ledger).run(dead).last).bytes
        #expect(proof.proves(body: body, key: ledger.verifier))
        #expect(!proof.proves(body: body + [0x20], key: ledger.verifier))
    }

    @Test func `a claim that another process holds is let alone`() throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let ledger = try shop.store.ledger()
        let live = "01a22df6-e384-7b19-8fd1-000000000000"
        let lock = try FileLock.tryAcquire(
            try #require(FileName(Array("\(live).lock".utf8))), in: try OpenFolder(shop.store.workFolder))
        let isTaken = lock != nil
        #expect(isTaken)
        try makeFolder(join(shop.store.workFolder, live))
        try ledger.insertInflight(
            Inflight(claim: live, source: "numbers", state: .claimed, attempts: 1, updatedMilliseconds: 0))
        _ = try Recorder(shop.store)
        #expect(try claims(shop) == [live])
        #expect(exists(join(shop.store.workFolder, live)))
        _ = consume lock
    }

    /// A store beside a folder that no claim may reach: it must be unchanged afterwards.
    private func withVictim(_ body: (_ shop: Workshop, _ ledger: Ledger, _ victim: String) throws -> Void) throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let victim = join(shop.folder, "victim")
        try makeFolder(victim)
        try writeDurably(join(victim, "a.csv"), [1].span)
        try body(shop, try shop.store.ledger(), victim)
        #expect(try listFolder(victim) == ["a.csv"])
    }

    @Test func `a row that is no claim of ours is left alone, and reaches nothing`() throws {
        try withVictim { shop, ledger, victim in
            for claim in ["../../victim", "..", "", "a/b", victim, String(repeating: "x", count: 300)] {
                for state in [Inflight.State.claimed, .publishing] {
                    let plan = JSONValue.object([
                        "batch": .string(claim), "files": .array([]),
                        "delivery": .object([
                            "dataset": .string("../../victim"), "inbox": .string(victim),
                            "place": .string(join(victim, "a.csv")), "archive": .string("/tmp"),
                            "name_sha256": .string("00"),
                        ]),
                    ])
                    try ledger.putInflight(
                        Inflight(
                            claim: claim, source: "numbers", state: state, attempts: 1, updatedMilliseconds: 0
                        ).following(plan.canonicalBytes()))
                    _ = try Recorder(shop.store)
                }
            }
            let verified = try Ledger.verify(path: shop.store.ledgerPath, key: ledger.verifier)
            #expect(verified.damage.count == 6)
            let found = try shop.store.proving().examine(.success(ledger), readFiles: false)
            #expect(found.contains { $0.subject == "ledger" && $0.grade == .bad })
        }
    }

    @Test func `a genuine claim with a foreign plan moves nothing elsewhere`() throws {
        try withVictim { shop, ledger, victim in
            let plan = JSONValue.object([
                "batch": .string(dead),
                "delivery": .object([
                    "dataset": .string("numbers"), "inbox": .string(victim), "place": .string(join(victim, "a.csv")),
                    "archive": .string(join(shop.folder, "elsewhere")), "name_sha256": .string("00"),
                ]),
            ])
            try ledger.putInflight(
                Inflight(
                    claim: dead, source: "numbers", state: .publishing, attempts: 1, updatedMilliseconds: 0
                ).following(plan.canonicalBytes()))
            _ = try Recorder(shop.store)
            #expect(!exists(join(shop.folder, "elsewhere")))
        }
    }

    @Test func `what lies in work and is none of ours is told, and stops nobody`() throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let work = shop.store.workFolder
        try writeDurably(join(work, "stray"), [1].span)
        try FileManager.default.createSymbolicLink(atPath: join(work, dead), withDestinationPath: shop.folder)
        try makeFolder(join(work, "folder"))
        let recorder = try Recorder(shop.store)
        #expect(try listFolder(work) == [dead, "folder", "stray"])
        let answer = try recorder.store.audit().problems
        #expect(answer.count { $0.hasPrefix("WORK") } == 3)
    }
}
