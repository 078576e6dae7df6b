import Cryptography
import Foundation
import Ingestion
import Lineage
import Storage
import Tabular
import Testing

@Suite struct `recovery` {
    private func claims(_ shop: Workshop) throws -> [String] { try shop.store.ledger().inflight().map(\.claim) }

    @Test func `a claim that was only begun leaves nothing`() throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let ledger = try shop.store.ledger()
        try ledger.insertInflight(
            Inflight(claim: "dead", source: "numbers", state: .claimed, attempts: 1, updatedMilliseconds: 0))
        try makeFolder(join(shop.store.workFolder, "dead"))
        try writeDurably(join(shop.store.workFolder, "dead/0.sluice.part"), Array("half".utf8).span)
        _ = try Committer(shop.store)
        #expect(try claims(shop).isEmpty)
        #expect(try listFolder(shop.store.workFolder).isEmpty)
    }

    @Test(arguments: [0, 1, 2]) func `a committed plan is carried out, wherever it stopped`(moved: Int) throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let ledger = try shop.store.ledger()
        let folder = join(shop.store.workFolder, "dead")
        try makeFolder(folder)
        let target = join(shop.store.root, "accepted/numbers/dead")
        try makeFolder(target)
        for index in 0..<2 {
            try writeDurably(
                index < moved ? join(target, "\(index).sluice") : join(folder, "\(index).sluice"),
                Array("sealed \(index)".utf8).span)
        }
        let plan = JSONValue.object([
            "batch": .string("dead"),
            "files": .array(
                (0..<2).map {
                    .object(["from": .string("\($0).sluice"), "to": .string("accepted/numbers/dead/\($0).sluice")])
                }),
        ])
        func entry(_ kind: String, _ rest: [String: JSONValue]) -> JSONValue {
            let common: [String: JSONValue] = [
                "kind": .string(kind), "v": .integer(1), "time": .string("2026-11-21T00:00:00.000Z"),
                "batch": .string("dead"),
            ]
            return .object(common.merging(rest) { _, new in new })
        }
        let files = (0..<2).map { index in
            JSONValue.object(["path": .string("accepted/numbers/dead/\(index).sluice")])
        }
        let entries = [
            entry("batch.received", ["data_hash": .string("d")]), entry("shard.published", ["files": .array(files)]),
        ]
        _ = try ledger.commit(
            LedgerChange(
                entries: entries,
                putInflight: [
                    Inflight(
                        claim: "dead", source: "numbers", state: .publishing, attempts: 1, plan: plan.canonicalBytes(),
                        updatedMilliseconds: 0)
                ]))
        _ = try Committer(shop.store)
        #expect(
            try listFolder(target).sorted() == ["0.sluice", "0.sluice.tlog-proof", "1.sluice", "1.sluice.tlog-proof"])
        #expect(try claims(shop).isEmpty)
        #expect(try listFolder(shop.store.workFolder).isEmpty)
        // The receipt proves the entry to whoever knows the ledger's key.
        let text = try FileDescriptor.openRegular(join(target, "1.sluice.tlog-proof")).readAll(max: 65_536)
        let proof = try #require(TlogProof(text))
        let body = try #require(try ledger.entry(2)).bytes
        #expect(proof.proves(body: body, key: ledger.verifier))
        #expect(!proof.proves(body: body + [0x20], key: ledger.verifier))
    }

    @Test func `a claim that another process holds is let alone`() throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let ledger = try shop.store.ledger()
        let lock = try FileLock.tryAcquire(join(shop.store.workFolder, "live.lock"))
        let isTaken = lock != nil
        #expect(isTaken)
        try makeFolder(join(shop.store.workFolder, "live"))
        try ledger.insertInflight(
            Inflight(claim: "live", source: "numbers", state: .claimed, attempts: 1, updatedMilliseconds: 0))
        _ = try Committer(shop.store)
        #expect(try claims(shop) == ["live"])
        #expect(exists(join(shop.store.workFolder, "live")))
        _ = consume lock
    }
}
