import Foundation
import Lineage
import Screening
import Storage
import Tabular
import Testing

@testable import Ingestion

/// A reviewer looks at rows that are held. The ledger says who, which and why before one appears.
@Suite struct `rows shown to a reviewer` {
    private func shown(
        _ shop: Workshop, _ batch: String, _ rows: String, reason: String = "check"
    ) throws(IngestionError) -> [Int: String?] {
        // Opened again, as a command does.
        let recorder = try Recorder(Store(shop.store.root))
        guard let rows = RowList(rows) else { throw IngestionError(.software, "no list of rows") }
        let found = try recorder.showRows(rows, of: batch, reason: reason)
        return Dictionary(
            uniqueKeysWithValues: found.map { ($0.number, $0.bytes.map { String(decoding: $0, as: UTF8.self) }) })
    }

    private func openings(_ shop: Workshop) throws -> [LedgerEntry] {
        try Store(shop.store.root).ledger().entries(from: 0, limit: 100).filter { $0.event == .shardOpened }
    }

    @Test func `withheld rows appear as they came, and accepted ones do not`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        var text = Workshop.rows(4000)
        for id in 1...5 { text += "\(4000 + id),9\(id)001,\"far, \(id)\"\n" }
        text += "4006,none,bad\n"
        let report = try await shop.run(try shop.write("a.csv", text))
        #expect(report.counts.count(.quarantined) == 5, "\(report.batchFindings)")
        let rows = try shown(shop, report.batch, "4002,4006")
        #expect(rows == [4002: "4002,92001,\"far, 2\"", 4006: "4006,none,bad"])
        let entry = try #require(try openings(shop).last)
        #expect(entry.body["rows"]?.text == "4002,4006" && entry.body["reason"]?.text == "check")
        #expect(entry.body["uid"]?.whole == Int64(getuid()))
        #expect(!entry.body.text(pretty: false).contains("92001"))

        for (rows, reason, word) in [
            ("17", "check", "was accepted"), ("4001-4006,9000", "check", "has no row 9000"),
            ("1-21", "check", "at most 20 rows"), ("4002", "ask joe@example.com", "personal data"),
            ("4002", "", "reason"),
        ] {
            let refused = await failure { _ = try shown(shop, report.batch, rows, reason: reason) }
            #expect(refused?.code == .usage && refused?.description.contains(word) == true, "\(rows) \(refused as Any)")
        }
        #expect(try openings(shop).count == 1, "nothing was opened for a refused request")
        try shop.expectSound()
    }

    @Test func `rows of a held batch come from its sealed source`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        var lines = ["id,x,note"]
        // Most rows break the contract, so the batch is held whole.
        for id in 1...200 { lines.append(id % 3 == 0 ? "\(id),1,n" : "\(id),none,\"two\nlines \(id)\"") }
        let report = try await shop.run(try shop.write("a.csv", lines.joined(separator: "\r\n") + "\r\n"))
        #expect(report.status == .held, "\(report.status)")
        #expect(try shown(shop, report.batch, "2-3") == [2: "2,none,\"two\nlines 2\"", 3: "3,1,n"])
        #expect(try openings(shop).map { $0.body["rows"]?.text } == ["2-3"])
        try FileManager.default.removeItem(
            atPath: shop.store.root + "/" + (try #require(report.published.first { $0.contains("source") })))
        let gone = await failure { _ = try shown(shop, report.batch, "2") }
        #expect(gone != nil)
        #expect(try openings(shop).count == 1)
    }

    @Test func `a long row is cut, and its length told`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let long = String(repeating: "k", count: 70_000)
        let report = try await shop.run(try shop.write("a.csv", "id,x,note\n1,none,\(long)\n2,none,b\n"))
        #expect(report.status == .held)
        let rows = try Recorder(Store(shop.store.root)).showRows(
            try #require(RowList("1-2")), of: report.batch, reason: "check")
        #expect(rows.map { $0.bytes?.count } == [65_536, 8] && rows.map(\.length) == [70_007, 8])
    }
}
