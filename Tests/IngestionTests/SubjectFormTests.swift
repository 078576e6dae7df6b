import Foundation
import Lineage
import Schemas
import Screening
import Sealing
import Storage
import Tabular
import Testing

@testable import Ingestion

/// Subjects in unusual data: spellings, rows that cannot be split, dropped columns, equal contents.
@Suite struct `subjects in unusual data` {
    private func run(
        _ shop: Workshop, _ path: String, subject: String = "role: subject", limits: String = "maxRejectedRate: 0.9",
        _ change: (inout BatchOptions) -> Void = { _ in }
    ) async throws -> BatchReport {
        let loaded = try contract(subject: subject, limits: limits)
        var options = BatchOptions()
        options.mode = .ingest
        change(&options)
        return try await Pipeline(store: Store(shop.store.root), writes: true).run(
            BatchRequest(
                BatchInput(file: path), schema: Schema.digested(loaded), contract: loaded.document, dataset: "notes",
                source: "test",
                options: options))
    }

    private func contract(subject: String = "role: subject", limits: String = "maxRejectedRate: 0.9") throws
        -> LoadedSchema
    {
        let text = """
            fields:
              - { name: id, type: integer, constraints: { required: true } }
              - { name: who, type: string, sluice: { \(subject) } }
              - { name: note, type: string }
            sluice:
              batch: { \(limits) }
              undeclaredPii: allow
              hiddenText: allow

            """
        return try Schema.load(Array(text.utf8), name: "notes.schema.yaml")
    }

    private func recorder(_ shop: Workshop) throws -> Recorder { try Recorder(Store(shop.store.root)) }

    private func find(_ shop: Workshop, _ name: String) throws -> SubjectReport {
        try recorder(shop).findSubject(.value(name), dataset: nil)
    }

    private func erase(_ shop: Workshop, _ name: String) async throws -> Recorder.Erased {
        try await recorder(shop).eraseSubject(.value(name), dataset: nil, reason: "request")
    }

    @Test func `rows that cannot be split are searched in every spelling`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let csv = "id,who,note\n1,\"O\"\"B\",n\n2,b,x\n3,\"O\"\"B\",y,4\n5,\"XO\"\"B\",y,4\n"
        let first = try await run(shop, try shop.write("a.csv", csv))
        #expect(first.status == .accepted && first.counts.count(.rejected) == 2)
        #expect(try find(shop, "O\"B").batches.first?.rows.text == "1,3")
        let json =
            "{\"id\": 1, \"who\": \"Zo\\u00eb\", \"note\": \"n\"}\n{\"id\": 2, \"who\": \"Zo\\u00eb\", \"note\": }\n"
        _ = try await run(shop, try shop.write("b.jsonl", json + "{\"id\": 3, \"who\": \"Zoëe\", \"note\": }\n"))
        #expect(try find(shop, "Zoë").batches.first?.rows.text == "1-2")
        let erased = try await erase(shop, "Zoë")
        #expect(erased.rows == 2 && erased.report.unsearchedRows == 0)
        try shop.expectSound()
    }

    @Test func `an overlong row of a held file is found in the file`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let long = "3,\(String(repeating: "z", count: 3 << 20)),X1zz\n"
        let held = try await run(
            shop, try shop.write("a.csv", "id,who,note\n1,X1zz,n\n2,b,x\n\(long)4,X1zz,n\n5,c,n\n"),
            limits: "maxRejected: 0")
        #expect(held.status == .held, "\(held.counts)")
        #expect(try find(shop, "X1zz").batches.first?.rows.text == "1,3-4")
        _ = try await erase(shop, "X1zz")
        #expect(try shop.opened("quarantine/notes/\(held.batch)/source.sluice") == "id,who,note\n2,b,x\n5,c,n\n")
        try shop.expectSound()
    }

    @Test func `a dropped column of the subject does not keep its rows from being erased`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let drop = "role: subject, pii: { entity: ID, operator: drop }"
        let report = try await run(shop, try shop.write("a.csv", "id,who,note\n1,X1,n\n2,b,x\n3,X1,y\n"), subject: drop)
        #expect(report.status == .accepted)
        let erased = try await erase(shop, "X1")
        #expect(erased.rows == 2 && erased.entry != nil, "\(erased.replaced.failures)")
        #expect(try shop.opened(report.published[0]) == "id,note\n2,x\n")
        // And other batches' tokens are still looked up.
        let tokens = "role: subject, pii: { entity: ID, operator: tokenize, key: tokens }"
        let other = try await run(shop, try shop.write("b.csv", "id,who,note\n1,Y1,n\n2,b,x\n"), subject: tokens)
        let token = String(try shop.opened(other.published[0]).split(separator: "\n")[1].split(separator: ",")[1])
        #expect(try recorder(shop).findSubject(.token(token), dataset: nil).rowCount == 1)
        try shop.expectSound()
    }

    @Test func `spellings that have one token are one subject`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let tokens = "role: subject, pii: { entity: EMAIL_ADDRESS, operator: tokenize, key: tokens, normalize: true }"
        let text = "id,who,note\n1,bob@example.com,n\n2,BOB@Example.com,x\n3,eve@example.com,x\n"
        _ = try await run(shop, try shop.write("a.csv", text), subject: tokens)
        let other = try await run(shop, try shop.write("b.csv", text.replacing("BOB", with: "Bob")), subject: tokens)
        let token = String(try shop.opened(other.published[0]).split(separator: "\n")[1].split(separator: ",")[1])
        for spelling in ["bob@example.com", "BOB@Example.com", "Bob@Example.com"] {
            #expect(try find(shop, spelling).batches.map(\.rows.text) == ["1-2", "1-2"])
        }
        #expect(try recorder(shop).findSubject(.token(token), dataset: nil).rowCount == 4)
        #expect(try await erase(shop, "BOB@Example.com").rows == 4)
        #expect(try !shop.opened(other.published[0]).contains(token))
        try shop.expectSound()
    }

    @Test func `content that is held twice is released once, and nothing of it when all rows are gone`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let path = try shop.write("a.csv", "id,who,note\n1,P,n\n2,Q,x\n3,C,y\nx,P,y\n")
        let one = try await run(shop, path, limits: "maxRejected: 0")
        let two = try await run(shop, path, limits: "maxRejected: 0") { $0.force = true }
        #expect(one.status == .held && two.status == .held && one.batch != two.batch)
        _ = try await erase(shop, "P")
        func release(_ batch: String) async throws -> Pipeline.Release {
            var request = Pipeline.ReleaseRequest(batch, reason: "sound")
            request.contract = try contract()
            return try await Pipeline(store: Store(shop.store.root), writes: true).release(
                request, options: BatchOptions())
        }
        guard case .judged(let released) = try await release(one.batch) else {
            Issue.record("it was not judged")
            return
        }
        #expect(released.status == .accepted && released.counts.total == 2)
        #expect(try Store(shop.store.root).proving().heldBatches().isEmpty)
        _ = try await erase(shop, "Q")
        guard case .earlier(released.batch) = try await release(two.batch) else {
            Issue.record("it was released twice")
            return
        }
        // All rows of a held file are one person's.
        let third = try await run(
            shop, try shop.write("c.csv", "id,who,note\n1,Z,n\nx,Z,y\n"), limits: "maxRejected: 0")
        #expect(third.status == .held)
        _ = try await erase(shop, "Z")
        #expect(try Store(shop.store.root).proving().heldBatches().isEmpty)
        #expect(await failure { _ = try await release(third.batch) }?.description.contains("were erased") == true)
        try shop.expectSound()
    }

    @Test func `a recipient that is named no more gets no new form, and that is said`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        try Store.generateKey(in: shop.store.keysFolder, kind: .kek, name: "spare")
        let settings = shop.store.root + "/sluice.yaml"
        let text = try String(contentsOfFile: settings, encoding: .utf8)
        _ = try await run(shop, try shop.write("a.csv", "id,who,note\n1,P,n\n2,Q,x\n"))
        #expect(try Store(shop.store.root).proving().sealer(for: "gone") == nil)
        try Data(text.utf8).write(to: URL(filePath: settings))
        let erased = try await erase(shop, "P")
        #expect(erased.dropped.isEmpty && erased.entry != nil)
    }

    @Test func `rows that retention removed are not counted as erased`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let text = "id,who,note\n1,P,n\n2,Q,x\nx,P,y\ny,P,z\n"
        _ = try await run(shop, try shop.write("a.csv", text))
        let settings = shop.store.root + "/sluice.yaml"
        let before = try String(contentsOfFile: settings, encoding: .utf8)
        try Data((before + "retention: { quarantine: 1s }\n").utf8).write(to: URL(filePath: settings))
        usleep(1_100_000)
        let writer = try recorder(shop)
        _ = try writer.remove(try writer.expiredFiles())
        #expect(try find(shop, "P").rowCount == 1)
        let erased = try await erase(shop, "P")
        let entry = try #require(erased.entry)
        #expect(erased.rows == 1)
        #expect(try Store(shop.store.root).proving().proof(ofErasure: entry)?.claim["rows"]?.whole == 1)
        #expect(try find(shop, "P").rowCount == 0)
        try shop.expectSound()
    }

    @Test func `lists of any length are read from the record, and places are those of single rows`() throws {
        #expect(RowList("1-1000001") == nil && RowList(recorded: "1-1000001")?.count == 1_000_001)
        let body = JSONValue.object(["batch": .string("b"), "rows": .string("1-1000001"), "files": .array([.null])])
        #expect(ErasureTotals([body])?.rows == 1_000_001)
        #expect(ErasureTotals([.object(["batch": .string("b"), "rows": .string("1-")])]) == nil)
        var seed: UInt64 = 7
        func next(_ bound: Int) -> Int {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(seed >> 33) % bound
        }
        for _ in 0..<200 {
            var map = RowMap()
            for _ in 0..<next(12) + 1 {
                let fate = next(6) == 0 ? RowMap.Fate.held : RowMap.Fate(Outcome.allCases[next(4)], shard: next(3))
                map.append(fate, count: next(9))
            }
            func list() -> RowList? { RowList((0..<next(5)).map { _ in next(40) + 1 }.map { $0...$0 + next(4) }) }
            map.erased = list()
            guard let asked = list() else { continue }
            let places = map.places(of: asked)
            let single = asked.ranges.flatMap { $0 }.compactMap { row in map.place(ofRow: row).map { (row, $0) } }
            #expect(places.map(\.row) == single.map(\.0) && places.map(\.place) == single.map(\.1))
        }
    }
}
