import Cryptography
import GRDB
import Lineage
import Tabular
import Testing

/// Queries of a ledger as the pipeline writes it.
struct QueryTests {
    let scratch: Scratch
    let query: LineageQuery

    static func body(_ kind: String, _ batch: String, _ rest: [String: JSONValue]) -> JSONValue {
        let common: [String: JSONValue] = [
            "kind": .string(kind), "v": .integer(1), "time": .string(Demo.time), "batch": .string(batch),
            "dataset": .string("people"),
        ]
        return .object(common.merging(rest) { _, new in new })
    }

    static func file(_ batch: String, _ role: String, _ ordinal: Int64, rows: String) -> JSONValue {
        let name = "\(batch)-\(role)-\(ordinal)"
        return .object([
            "shard": .integer(ordinal), "role": .string(role), "path": .string("accepted/people/\(name).sluice"),
            "rows": .string(rows), "file_sha256": .string(Demo.digest(name)), "message_id": .string("m-\(name)"),
        ])
    }

    static func published(_ batch: String, _ files: JSONValue...) -> JSONValue {
        body(
            "shard.published", batch,
            ["keys": .array([.string("k1"), .string("k2")]), "files": .array(files)])
    }

    static func received(_ batch: String, source: String) -> JSONValue {
        body(
            "batch.received", batch,
            [
                "source": .string(source), "source_name_hash": .string("h-" + source),
                "data_hash": .string(Demo.digest(source)), "contract_sha256": .string(Demo.digest("contract")),
            ])
    }

    init() throws {
        scratch = try Scratch()
        let (ledger, _) = try Demo.build(scratch.file("ledger.sqlite"), batches: 0)
        query = LineageQuery(ledger)
        var map = RowMap()
        map.append(.init(.accepted, shard: 0), count: 5)
        map.append(.init(.rejected, shard: 0), count: 1)
        map.append(.init(.flagged, shard: 0), count: 2)
        map.append(.init(.accepted, shard: 1), count: 4)
        let judged = Self.body(
            "batch.judged", "b1",
            [
                "verdict": .string("accepted"), "rows": .integer(12), "accepted": .integer(9), "flagged": .integer(2),
                "decision_sha256": .string("dd"), "rowmap_sha256": .string(hex(SHA256.hash(map.encoded()))),
                "findings": .object(["type-error": .integer(1)]), "columns": .array([]),
            ])
        let contract = Self.body(
            "contract.registered", "", ["contract_sha256": .string(Demo.digest("contract")), "name": .string("c")])
        _ = try ledger.commit(
            LedgerChange(
                entries: [
                    contract, Self.received("b1", source: "a.csv"), judged,
                    Self.published(
                        "b1", Self.file("b1", "accepted", 0, rows: "1-8"),
                        Self.file("b1", "accepted", 1, rows: "9-12")),
                    Self.published("b1", Self.file("b1", "quarantine", 0, rows: "1-8")),
                ],
                blobs: [
                    LedgerBlob(media: RowMap.mediaType, data: map.encoded()),
                    LedgerBlob(media: LedgerBlob.contractMedia, data: Array("contract".utf8)),
                ]))
        let held = Self.body("batch.judged", "b2", ["verdict": .string("held"), "rows": .integer(7)])
        _ = try ledger.commit(
            LedgerChange(entries: [
                Self.received("b2", source: "b.csv"), held,
                Self.published("b2", Self.file("b2", "source", 0, rows: "1-7")),
                Self.body("batch.duplicate", "b3", ["of": .string("b1")]),
            ]))
        #expect(try Demo.verify(scratch.file("ledger.sqlite")).isEmpty)
    }

    @Test func `log`() throws {
        #expect(try query.log(limit: 2).map(\.sequence) == [9, 8])
        #expect(try query.log(limit: 99).count == 10)
        #expect(try query.log(limit: 99, dataset: "people").count == 9)
        #expect(try query.log(limit: 99, dataset: "other").isEmpty)
        #expect(try query.log(limit: 2, kind: "shard.published").map(\.sequence) == [8, 5])
        #expect(try query.log(limit: 99, source: "b.csv").map(\.sequence) == [6])
        #expect(try query.log(limit: 99, times: ("9999-01-01", nil)).isEmpty)
        #expect(try query.log(limit: 99, times: (nil, "0001-01-01")).isEmpty)
        // The last day counts as a whole.
        let day = String(try #require(try query.log(limit: 1).first?.body["time"]?.text).prefix(10))
        #expect(try query.log(limit: 99, times: (nil, day)).count == query.log(limit: 99).count)
        #expect(try query.log(limit: 99, times: (day, day)).count == query.log(limit: 99, times: (day, nil)).count)
    }

    @Test func `batches by the beginning of their ids, and the newest`() throws {
        #expect(try query.batches(beginningWith: "b") == ["b1", "b2"])
        #expect(try query.batches(beginningWith: "B2") == ["b2"])
        #expect(try query.batches(beginningWith: "b3").isEmpty)
        #expect(try query.newestBatch() == "b2")
    }

    @Test func `run`() throws {
        #expect(try query.run("b1").map(\.sequence) == [2, 3, 4, 5])
        #expect(try query.run("b2").flatMap(\.files).map(\.role) == [.source])
        #expect(try query.run("b3").isEmpty && query.run("b").isEmpty)
    }

    @Test func `file`() throws {
        let file = try #require(try query.file(Demo.digest("b1-accepted-1")))
        #expect(file.batch == "b1" && file.role == .accepted && file.entry.sequence == 4)
        #expect(file.document["keys"]?.items?.count == 2 && file.document["shard"]?.whole == 1)
        #expect(file.document["files"] == nil)
        #expect(try query.file(Demo.digest("none")) == nil)
        // Without the index, the bodies still give the answer.
        try Intruder.open(scratch.file("ledger.sqlite")) { db in try db.execute(sql: "DELETE FROM prov_entity") }
        #expect(try query.file(Demo.digest("b1-accepted-1")) == file)
    }

    /// The pipeline's bodies state each digest once; the projection must have all rows that the queries look up.
    @Test func `the projection follows from the bodies`() throws {
        try Intruder.open(scratch.file("ledger.sqlite")) { db in
            func rows(_ sql: String) throws -> Int { try Int.fetchOne(db, sql: sql) ?? -1 }
            #expect(try rows("SELECT count(*) FROM prov_entity WHERE kind = 'shard'") == 4)
            #expect(try rows("SELECT count(*) FROM prov_entity WHERE kind = 'batch'") == 2)
            #expect(try rows("SELECT count(*) FROM prov_entity WHERE kind = 'contract'") == 1)
            #expect(try rows("SELECT count(*) FROM prov_activity") == 2)
            #expect(try rows("SELECT count(*) FROM prov_edge WHERE src = 'run:b1' AND seq = 2") == 1)
            try db.execute(sql: "DELETE FROM prov_entity WHERE kind = 'shard' AND seq = 8")
        }
        #expect(
            try Demo.verify(scratch.file("ledger.sqlite"))
                == ["PROJECTION prov tables disagree with the log: 1 difference"])
    }

    @Test func `batch`() throws {
        #expect(try query.batch("b1").map(\.sequence) == [2, 3, 4, 5, 9])
        #expect(try query.batch("b2").map(\.sequence) == [6, 7, 8])
        #expect(try query.batch("b").isEmpty && query.batch("people").isEmpty)
    }

    @Test(arguments: [
        ("b1-accepted-0", 5, 5, Outcome.accepted), ("b1-accepted-0", 6, 7, .flagged), ("b1-accepted-0", 8, 0, nil),
        ("b1-accepted-1", 1, 9, .accepted), ("b1-quarantine-0", 1, 6, .rejected), ("b2-source-0", 7, 7, nil),
        ("b2-source-0", 8, 0, nil),
    ])
    func `trace`(name: String, row: Int, source: Int, outcome: Outcome?) throws {
        for key in [Demo.digest(name), "m-" + name, "accepted/people/\(name).sluice"] {
            let trace = try #require(try query.trace(shard: key, row: row))
            #expect((trace.row?.sourceRow ?? 0) == source && trace.row?.outcome == outcome)
            #expect(trace.keys == ["k1", "k2"] && trace.contract?.sequence == 1)
            let file = name.hasPrefix("b1") ? "a.csv" : "b.csv"
            #expect(trace.sourceName == file && trace.sourceDigest == Demo.digest(file))
            #expect(trace.decisionDigest == (file == "a.csv" ? "dd" : nil))
        }
        #expect(try query.trace(shard: "none") == nil)
    }

    @Test func `impact`() throws {
        for name in ["a.csv", "h-a.csv", Demo.digest("a.csv")] {
            let impact = try query.impact(ofSource: name)
            #expect(impact.map(\.batch) == ["b1"] && impact.first?.acceptedRows == 11)
            #expect(impact.first?.files.map(\.entry.sequence) == [4, 4, 5])
        }
        #expect(try query.impact(ofSource: "b.csv").first?.acceptedRows == 0)
        #expect(try query.impact(ofSource: "c.csv").isEmpty)
    }
}
