import Cryptography
import Foundation
import Ingestion
import Lineage
import Storage
import Tabular

/// Makes a ledger of batches, each three entries under one signed checkpoint as the pipeline commits them, and verifies it.
func benchmarkLedger(_ folder: String, entries: Int) throws {
    let path = folder + "/bench-ledger-\(entries).sqlite"
    // A fixed seed, so that the key is the same each time; only the time matters.
    let key = try SigningKey(seed: SecretKey(copying: [UInt8](repeating: 7, count: 32).span))
    if !FileManager.default.fileExists(atPath: path) {
        let ledger = try Ledger.create(
            path: path + ".part", origin: "bench.example/ledger/1", signingKey: key, time: Clock.text())
        for batch in 0..<(entries - 1) / 3 { _ = try ledger.commit(change(batch)) }
        try FileManager.default.moveItem(atPath: path + ".part", toPath: path)
    }
    let verifier = try Ledger.openReadonly(path: path).verifier
    var rows = 0
    let seconds = time {
        guard let result = try? Ledger.verify(path: path, key: verifier),
            result.damage.isEmpty
        else { exit(70) }
        rows = result.rows
    }
    let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
    report("ledger-entries", Double(rows), "entries")
    report("ledger-verify", seconds, "s")
    report("ledger-bytes", Double(size) / Double(rows / 3), "bytes/batch")
}

/// The cost of a decision with a ledger of this many batches: the fold from the beginning; the fold with the cache of
/// an earlier process and newer entries; and twenty entries proven one by one.
func benchmarkProof(_ folder: String, batches: Int) throws {
    // If there is a store in the folder, it gets the batches, so that whole commands can be measured.
    if FileManager.default.fileExists(atPath: folder + "/sluice.yaml") {
        let ledger = try Store(folder).ledger()
        for batch in 0..<batches { _ = try ledger.commit(change(batch)) }
        return
    }
    let root = folder + "/bench-proof-\(batches)"
    try? FileManager.default.removeItem(atPath: root)
    try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    let key = try SigningKey(seed: SecretKey(copying: [UInt8](repeating: 7, count: 32).span))
    let path = root + "/ledger.sqlite"
    let ledger = try Ledger.create(path: path, origin: "bench.example/ledger/2", signingKey: key, time: Clock.text())
    // The cache is accepted only under a key that the ledger records.
    let recorded: [String: JSONValue] = [
        "kind": .string("store"), "name": .string("store"), "fingerprint": .string("bench"),
        "identity": .string("bench"),
    ]
    _ = try ledger.commit(
        LedgerChange(entries: [
            .object(["kind": .string("key.recorded"), "v": .integer(1), "keys": .array([.object(recorded)])])
        ]))
    for batch in 0..<batches { _ = try ledger.commit(change(batch)) }
    let cache = ProvenLog.Cache(
        in: try OpenFolder(root), secret: SecretKey(copying: [UInt8](repeating: 9, count: 32).span), identity: "bench")
    func proven() throws -> ProvenLog {
        ProvenLog(try Ledger.openReadonly(path: path), key: ledger.verifier, cache: cache)
    }
    report("proof-batches", Double(batches), "batches")
    // Only once, since it leaves the cache behind.
    let start = Clock.monotonic()
    _ = try proven().state()
    report("proof-cold", Clock.monotonic() - start, "s")
    report("proof-cached", time { guard (try? proven().state()) != nil else { exit(70) } }, "s")
    for batch in 0..<60 { _ = try ledger.commit(change(batches + batch)) }
    report("proof-cached-180-entries-later", time { guard (try? proven().state()) != nil else { exit(70) } }, "s")
    let log = try proven()
    let last = try log.state().size - 1
    report(
        "proof-20-entries",
        time { for place in 0..<20 where (try? log.entry(last - 7 * place)) == nil { exit(70) } }, "s")
    report(
        "proof-cache", Double(try FileDescriptor.openRegular(root + "/ledger.index").readAll(max: 1 << 30).count),
        "bytes")
}

/// Bodies as large as those of a real batch: one accepted shard, three files beside it, twenty baselines.
private func change(_ batch: Int) -> LedgerChange {
    func digest(_ what: String) -> JSONValue { .string(hex(SHA256.hash(Array("\(what) \(batch)".utf8)))) }
    let id = "01a1fec7-0596-7b91-a397-" + String(repeating: "0", count: 12 - String(batch).count) + String(batch)
    func body(_ kind: String, _ rest: [String: JSONValue]) -> JSONValue {
        let common: [String: JSONValue] = [
            "kind": .string(kind), "v": .integer(1), "time": .string("2026-11-21T15:43:38.409Z"), "batch": .string(id),
            "dataset": .string("orders"),
        ]
        return .object(common.merging(rest) { _, new in new })
    }
    func file(_ role: String, _ path: String, _ rest: [String: JSONValue] = [:]) -> JSONValue {
        let common: [String: JSONValue] = [
            "role": .string(role), "path": .string(path), "bytes": .integer(5508), "file_sha256": digest(role),
        ]
        return .object(common.merging(rest) { _, new in new })
    }
    let map = Array("\(batch)".utf8)
    let fixed = hex(SHA256.hash([1]))
    let received = body(
        "batch.received",
        [
            "source": .string("partner"), "data_hash": digest("data"), "source_name_hash": digest("name"),
            "bytes": .integer(8306), "provenance_hash": digest("provenance"), "format": .string("csv"),
            "contract_sha256": .string(fixed), "policy_sha256": .string(fixed),
        ])
    let judged = body(
        "batch.judged",
        [
            "verdict": .string("accepted"), "rows": .integer(300), "accepted": .integer(296), "flagged": .integer(4),
            "quarantined": .integer(0), "rejected": .integer(0), "findings": .object(["isolated-row": .integer(4)]),
            "batch_findings": .array([]),
            "columns": .array([
                .object([
                    "field": .string("email"),
                    "masks": .array([
                        .object([
                            "count": .integer(299), "entity": .string("EMAIL_ADDRESS"), "operator": .string("redact"),
                        ])
                    ]),
                ])
            ]),
            "decision_sha256": digest("document"), "rowmap_sha256": .string(hex(SHA256.hash(map))),
            "baseline": .array((0..<20).map { .integer(Int64(max(1, 3 * (batch - $0)))) }), "pipeline": .string("2"),
        ])
    let shard: [String: JSONValue] = [
        "shard": .integer(0), "rows": .string("1-300"), "row_count": .integer(300), "first_offset": .integer(16),
        "end_offset": .integer(8306), "body_sha256": digest("body"), "message_id": digest("message"),
        "commitment": digest("commitment"),
    ]
    let files = [
        file("accepted", "accepted/orders/\(id)/0.sluice", shard),
        file("decision", "accepted/orders/\(id)/evidence/decision.sluice"),
        file("baseline", "baselines/orders/\(id).sluice"),
        file("rows", "accepted/orders/\(id)/evidence/rows.sluice"),
    ]
    let published = body("shard.published", ["keys": .array([.string("main")]), "files": .array(files)])
    return LedgerChange(
        entries: [received, judged, published], blobs: [LedgerBlob(media: RowMap.mediaType, data: map)],
        seen: [SHA256.hash(map): 1])
}
