import Cryptography
import Foundation
import GRDB
import Lineage
import Tabular
import Testing

/// Exports take only what is proven, and sign what DSSE says.
@Suite struct `exports of the record` {
    private func batch(_ number: Int) -> [JSONValue] {
        let id = "01a2393c-1edb-7038-b41c-00000000000\(number)"
        func entry(_ kind: LedgerEvent, _ more: [String: JSONValue]) -> JSONValue {
            .object(
                more.merging([
                    "kind": .event(kind), "v": .integer(1), "batch": .string(id), "dataset": .string("orders"),
                    "time": .string("2026-01-0\(number)T00:00:00.000Z"),
                ]) { own, _ in own })
        }
        return [
            entry(
                .batchReceived,
                ["source": .string("shop"), "data_hash": .string(Demo.digest("\(number)")), "bytes": .integer(9)]),
            entry(.batchJudged, ["verdict": .string("held"), "rows": .integer(97), "rejected": .integer(3)]),
        ]
    }

    private func build(_ scratch: Scratch) throws -> Ledger {
        let path = scratch.file("ledger.sqlite")
        let ledger = try Ledger.create(path: path, origin: Demo.origin, signingKey: Demo.key(), time: Demo.time)
        for number in 1...3 { _ = try ledger.commit(LedgerChange(entries: batch(number))) }
        return ledger
    }

    private func batches(_ ledger: Ledger, from first: Int = 0) throws -> [RecordedBatch] {
        var found: [RecordedBatch] = []
        try ProvenLog(ledger, key: ledger.verifier).forEachBatch(from: first) { found.append($0) }
        return found
    }

    @Test func `every batch is given once, from an entry on`() throws {
        let scratch = try Scratch()
        let ledger = try build(scratch)
        #expect(try batches(ledger).map(\.entries) == [[1, 2], [3, 4], [5, 6]])
        #expect(try batches(ledger, from: 3).map(\.entries) == [[3, 4], [5, 6]])
        #expect(try batches(ledger, from: 7).isEmpty)
    }

    @Test func `an entry that was changed after the log was proven is noticed`() throws {
        let scratch = try Scratch()
        let ledger = try build(scratch)
        let log = ProvenLog(ledger, key: ledger.verifier)
        _ = try log.state()
        // The state is proven, and is not proven again while the checkpoint is the same.
        try Intruder.alter(ledger.path) {
            try $0.execute(
                sql: """
                    UPDATE entry SET body = CAST(replace(CAST(body AS TEXT), '"held"', '"accepted"') AS BLOB) WHERE seq = 4
                    """)
        }
        let error = #expect(throws: LedgerError.self) { try log.forEachBatch { _ in } }
        #expect(error?.code == .damaged)
    }

    @Test func `the signature is over the encoding of DSSE`() throws {
        let scratch = try Scratch()
        let one = try #require(try batches(try build(scratch)).first)
        let (key, statement) = (try Demo.key("another"), try #require(GateStatement(one, origin: Demo.origin)))
        let envelope = try JSONValue.parse(Array(try statement.envelope(signedWith: key).utf8))
        let payload = try #require(envelope["payload"]?.text.flatMap { bytes(base64: $0) })
        let signature = try #require(envelope["signatures"]?.items?.first?["sig"]?.text.flatMap { bytes(base64: $0) })
        // Written here once more, from the protocol's text.
        let signed = Array("DSSEv1 28 application/vnd.in-toto+json \(payload.count) ".utf8) + payload
        #expect(verifyEd25519(publicKey: key.publicKey, message: signed, signature: signature))
        let result = try JSONValue.parse(payload)["predicate"]
        #expect(result?["result"] == .string("FAILED") && result?["failedTests"] == .array([.string("held")]))
        #expect(result?["warnedTests"] == .array([.string("contract")]))
    }
}
