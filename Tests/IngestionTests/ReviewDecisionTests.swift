import Foundation
import Lineage
import Schemas
import Screening
import Storage
import Tabular
import Testing

@testable import Ingestion

/// A person rejects a held batch, or releases rows that were held back from an accepted one.
@Suite struct `what a person decides` {
    /// Sound rows, five that lie far out, and one that breaks the contract.
    private func rows(_ count: Int, from first: Int = 1, far: Int = 5, bad: Int = 1) -> String {
        var text = Workshop.rows(count, from: first)
        for id in 0..<far { text += "\(first + count + id),9\(id)00\(first),far \(first + id)\n" }
        for id in 0..<bad { text += "\(first + count + far + id),none,bad\n" }
        return text
    }

    private func pipeline(_ shop: Workshop) throws -> Pipeline {
        // Opened again, as a command does.
        try Pipeline(store: try Store(shop.store.root), writes: true)
    }

    private func release(
        _ shop: Workshop, _ batch: String, _ rows: String?, contract: LoadedSchema? = nil
    ) async throws -> Pipeline.Release {
        var request = Pipeline.ReleaseRequest(batch, reason: "they are sound")
        (request.rows, request.contract) = (rows.flatMap { RowList($0) }, contract)
        var options = BatchOptions()
        options.jobs = 1
        return try await pipeline(shop).release(request, options: options)
    }

    private func accepted(_ release: Pipeline.Release) throws -> BatchReport {
        guard case .judged(let report) = release else { throw IngestionError(.software, "an earlier one") }
        #expect(report.status == .accepted, "\(report.batchFindings)")
        return report
    }

    @Test(arguments: [
        ("3,5-7", "3,5-7"), ("7,5-6,3", "3,5-7"), ("1", "1"), ("2-4,3-9", "2-9"), ("", nil), ("0", nil), ("5-3", nil),
        ("1,", nil), ("x", nil), ("1-2-3", nil), ("-3", nil), ("1-9223372036854775807,5", nil), ("1-2000000", nil),
        ("1-9223372036854775807", nil),
    ])
    func `rows are written as people write them`(_ text: String, _ expected: String?) {
        #expect(RowList(text)?.text == expected)
    }

    @Test func `rows that statistics held back are let out as a batch of their own, once`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let report = try await shop.run(try shop.write("a.csv", rows(4000)))
        #expect(report.status == .accepted && report.counts.count(.quarantined) == 5, "\(report.batchFindings)")
        let shown = try Store(shop.store.root).reviewCase(of: report.batch)
        #expect(shown.state == .accepted && shown.quarantined?.text == "4001-4005" && shown.rejected?.text == "4006")
        let contract = try Schema.load(
            Array(Workshop.contract().document.text(pretty: false).utf8), name: "numbers.schema.json")

        let made = try accepted(try await release(shop, report.batch, "4003,4001", contract: contract))
        #expect(made.rows == 2 && made.releases == report.batch && made.batch != report.batch)
        let shard = try #require(made.published.first { $0.hasPrefix("accepted/") })
        #expect(try shop.opened(shard).split(separator: "\n").dropFirst() == ["4001,90001,far 1", "4003,92001,far 3"])
        let body = try #require(try shop.store.proven().log.run(made.batch).last?.body)
        #expect(body["kind"]?.text == "batch.released" && body["rows"]?.text == "4001,4003")
        #expect(body["held"]?.text == report.batch && body["uid"]?.whole == Int64(getuid()))
        let after = try Store(shop.store.root).reviewCase(of: report.batch)
        #expect(after.released.map(\.rows) == ["4001,4003"] && after.released.map(\.batch) == [made.batch])

        // The same row is never let out twice, nor one that was not held back, nor one that breaks the contract.
        for (list, word) in [
            ("4001,4003", "released before"), ("4002-4003", "released before"), ("7", "not held back"),
            ("4002,9999", "not held back"), ("4006", "never waived"),
        ] {
            let size = try shop.store.ledger().size()
            let refused = await failure { _ = try await release(shop, report.batch, list, contract: contract) }
            #expect(refused?.code == .usage && refused?.description.contains(word) == true, "\(list) \(refused as Any)")
            #expect(try shop.store.ledger().size() == size)
        }
        let rest = try accepted(try await release(shop, report.batch, "4002,4004-4005", contract: contract))
        #expect(rest.rows == 3)
        let unknown = await failure { _ = try await release(shop, "nothing", "1", contract: contract) }
        #expect(unknown?.code == .usage)
        try shop.expectSound()
    }

    @Test(arguments: [
        ("a.csv", "\"dialect\": {\"delimiter\": \";\", \"lineTerminator\": \"\\r\\n\"}", ";", "\r\n", true),
        ("a.csv", "\"dialect\": {\"header\": false}", ",", "\n", false),
        ("a.csv", "\"dialect\": {\"commentRows\": [1], \"headerRows\": [2]}", ",", "\n", true),
        ("a.csv", "\"encoding\": \"utf-16le\"", ",", "\n", true),
        ("a.jsonl", "", "", "\n", false),
        ("a.json", "\"dialect\": {\"property\": \"items\"}", "", ",", false),
    ])
    func `rows of any form are let out`(
        name: String, setting: String, delimiter: String, end: String, hasHeader: Bool
    ) async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let text = """
            {"name": "numbers", "fields": [{"name": "id", "type": "integer"}, {"name": "x", "type": "number"},
             {"name": "note", "type": "string"}],
             "sluice": {"apiVersion": "sluice/v1", "baseline": {"learning": 1}\(setting.isEmpty ? "" : ", " + setting)}}
            """
        let contract = try Schema.load(Array(text.utf8), name: "numbers.schema.json")
        var lines = rows(3000, bad: 0).split(separator: "\n").dropFirst().map(String.init)
        if name == "a.csv" {
            lines = lines.map { $0.replacing(",", with: delimiter) }
            if hasHeader { lines.insert("id\(delimiter)x\(delimiter)note", at: 0) }
            if setting.contains("commentRows") { lines.insert("made by hand", at: 0) }
        } else {
            lines = lines.map { line in
                let parts = line.split(separator: ",")
                return "{\"id\": \(parts[0]), \"x\": \(parts[1]), \"note\": \"\(parts[2])\"}"
            }
        }
        var whole = lines.joined(separator: end) + (name == "a.json" ? "" : end)
        if name == "a.json" { whole = "{\"items\": [\(whole)]}" }
        let path = shop.folder + "/" + name
        let data = setting.contains("utf-16") ? try #require(whole.data(using: .utf16LittleEndian)) : Data(whole.utf8)
        try data.write(to: URL(filePath: path))
        let report = try await Pipeline(store: shop.store, writes: true).run(
            BatchRequest(
                BatchInput(file: path), schema: Schema.digested(contract), contract: contract.document,
                dataset: "numbers",
                source: "test",
                options: BatchOptions()))
        #expect(report.status == .accepted && report.counts.count(.quarantined) == 5, "\(report.batchFindings)")
        let made = try accepted(try await release(shop, report.batch, "3002-3003", contract: contract))
        #expect(made.rows == 2 && made.counts.count(.rejected) == 0)
        let shard = try #require(made.published.first { $0.hasPrefix("accepted/") })
        let opened = try shop.opened(shard)
        #expect(opened.contains("91001") && opened.contains("far 2") && opened.contains("92001"), "\(opened)")
        #expect(!opened.contains("90001") && !opened.contains("made by hand"), "\(opened)")
        try shop.expectSound()
    }

    @Test func `a row with a credential stays inside`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let token = "gh" + "p_" + String(repeating: "a1B2", count: 9)
        let text = """
            name: numbers
            fields: [{ name: id, type: integer }, { name: x, type: number }, { name: note, type: string }]
            sluice: { apiVersion: sluice/v1, secrets: quarantine, batch: { maxQuarantinedRate: 0.5 } }

            """
        let contract = try Schema.load(Array(text.utf8), name: "numbers.schema.yaml")
        let report = try await Pipeline(store: shop.store, writes: true).run(
            BatchRequest(
                BatchInput(file: try shop.write("a.csv", Workshop.rows(3000) + "3001,1,take \(token)\n")),
                schema: Schema.digested(contract),
                contract: contract.document, dataset: "numbers", source: "test", options: BatchOptions()))
        #expect(report.status == .accepted && report.counts.count(.quarantined) == 1, "\(report.batchFindings)")
        let size = try shop.store.ledger().size()
        guard case .judged(let refused) = try await release(shop, report.batch, "3001", contract: contract) else {
            Issue.record("it was not judged")
            return
        }
        for path in refused.published where path.hasPrefix("accepted/") {
            #expect(try !shop.opened(path).contains(token))
        }
        #expect(refused.isRefusedRelease, "\(refused.status)")
        #expect(try shop.store.ledger().size() == size)
        try shop.expectSound()
    }

    @Test func `a rejected hold is closed for good`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        _ = try await shop.run(try shop.write("a.csv", rows(4000)))
        let held = try await shop.run(try shop.write("b.csv", rows(3000, from: 10_001, far: 900)))
        #expect(held.status == .held, "\(held.batchFindings)")
        #expect(try Store(shop.store.root).reviewCase(of: held.batch).state == .held(incident: ""))
        #expect(await failure { try pipeline(shop).reject(held.batch, reason: "call +1 305 555 0181") }?.code == .usage)
        #expect(await failure { try pipeline(shop).reject("nothing", reason: "no") }?.code == .usage)
        try pipeline(shop).reject(held.batch, reason: "prices in cents")
        #expect(try Store(shop.store.root).heldBatches().isEmpty)
        let entry = try #require(try LineageQuery(try shop.store.ledger()).batch(held.batch).last)
        #expect(entry.kind == "hold.rejected" && entry.body["reason"]?.text == "prices in cents")
        #expect(entry.body["uid"]?.whole == Int64(getuid()) && entry.body["dataset"]?.text == "numbers")
        for attempt in [
            await failure { _ = try await release(shop, held.batch, nil) },
            await failure { try pipeline(shop).reject(held.batch, reason: "again") },
        ] {
            #expect(attempt?.code == .usage && attempt?.description.contains("prices in cents") == true)
        }
        guard case .rejectedByPerson(let told) = try Store(shop.store.root).reviewCase(of: held.batch).state else {
            Issue.record("it is not rejected")
            return
        }
        #expect(told.contains("prices in cents"))
        // The cached state gives the same answer as the entries.
        #expect(try Store(shop.store.root).proven().state.rejected[held.batch] == entry.sequence)
        // An accepted batch has nothing to reject, and later holds stand by themselves.
        let again = try await shop.run(try shop.write("c.csv", rows(3000, from: 20_001, far: 900)))
        #expect(again.status == .held && again.incident == nil)
        #expect(try Store(shop.store.root).heldBatches().map(\.batch) == [again.batch])
        let first = try #require(
            try LineageQuery(try shop.store.ledger()).log(limit: 100).last { $0.kind == "batch.judged" })
        let open = first.body["batch"]?.text ?? ""
        #expect(await failure { try pipeline(shop).reject(open, reason: "no") }?.code == .usage)
        try shop.expectSound()
    }

    @Test func `a release and a rejection at once cannot both be recorded`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        _ = try await shop.run(try shop.write("a.csv", rows(4000)))
        let held = try await shop.run(try shop.write("b.csv", rows(3000, from: 10_001, far: 900)))
        let contract = try Schema.load(
            Array(Workshop.contract().document.text(pretty: false).utf8), name: "numbers.schema.json")
        async let one = failure { _ = try await release(shop, held.batch, nil, contract: contract) }
        async let two = failure { try pipeline(shop).reject(held.batch, reason: "no") }
        let errors = await [one, two]
        #expect(errors.count { $0 == nil } == 1, "\(errors)")
        let kinds = try LineageQuery(try shop.store.ledger()).batch(held.batch).map(\.kind)
        #expect(kinds.count { $0 == "hold.rejected" || $0 == "batch.released" } == 1)
        try shop.expectSound()
    }

    @Test func `an entry that decides about a hold is refused once another has`() throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let ledger = try shop.store.ledger()
        func entry(_ kind: String, _ member: String) -> JSONValue {
            .object([
                "kind": .string(kind), "v": .integer(1), "time": .string("2026-12-02T00:00:00Z"), member: .string("b"),
                "dataset": .string("d"),
            ])
        }
        let size = try ledger.size()
        for (kind, member) in [("hold.rejected", "batch"), ("batch.released", "held")] {
            let fresh = try ledger.size()
            _ = try ledger.commit(LedgerChange(entries: [entry(kind, member)]).decided(at: fresh, hold: "b"))
            #expect(throws: LedgerError.self) {
                _ = try ledger.commit(LedgerChange(entries: [entry(kind, member)]).decided(at: fresh, hold: "b"))
            }
            // A decision about another hold passes.
            _ = try ledger.commit(LedgerChange(entries: [entry(kind, member)]).decided(at: fresh, hold: "c"))
        }
        #expect(try ledger.size() == size + 4)
    }

    /// A day's prices: lognormal, with a level that differs by up to 2 % from day to day.
    private func day(_ day: Int, level: Double, planted: Int = 0) -> String {
        var state = UInt64(day) &* 0x9E37_79B9_7F4A_7C15 &+ 77
        func uniform() -> Double {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (Double(state >> 11) + 0.5) / 9_007_199_254_740_992
        }
        let shift = 1 + 0.04 * (uniform() - 0.5)
        var text = "id,price,note\n"
        for row in 0..<500 {
            let normal = (-2 * log(uniform())).squareRoot() * cos(2 * .pi * uniform())
            let price = row < planted ? 4000 + uniform() : 20 * exp(0.3 * normal) * level * shift
            text += "\(day * 1000 + row),\((price * 100).rounded() / 100),n\n"
        }
        return text
    }

    @Test func `after a price rise that a person accepts, the next days pass, and a poisoned one among them does not`()
        async throws
    {
        let shop = try Workshop()
        defer { shop.remove() }
        let text = """
            name: prices
            fields: [{ name: id, type: integer }, { name: price, type: number }, { name: note, type: string }]
            sluice: { apiVersion: sluice/v1 }

            """
        let contract = try Schema.load(Array(text.utf8), name: "prices.schema.yaml")
        func deliver(_ number: Int, level: Double, planted: Int = 0) async throws -> BatchReport {
            try await Pipeline(store: try Store(shop.store.root), writes: true).run(
                BatchRequest(
                    BatchInput(file: try shop.write("\(number).csv", day(number, level: level, planted: planted))),
                    schema: Schema.digested(contract), contract: contract.document, dataset: "prices", source: "shop",
                    options: BatchOptions()))
        }
        for number in 0..<12 {
            let usual = try await deliver(number, level: 1)
            #expect(usual.status == .accepted, "\(number) \(usual.batchFindings)")
        }
        let risen = try await deliver(12, level: 1.2)
        #expect(risen.status == .held, "\(risen.batchFindings)")
        var request = Pipeline.ReleaseRequest(risen.batch, reason: "new price list")
        (request.newLevels, request.contract) = (["price"], contract)
        _ = try accepted(try await pipeline(shop).release(request, options: BatchOptions()))
        for number in 13..<23 {
            if number == 18 {
                let poisoned = try await deliver(100, level: 1.2, planted: 50)
                #expect(poisoned.status == .held, "\(poisoned.batchFindings)")
            }
            let next = try await deliver(number, level: 1.2)
            #expect(next.status == .accepted, "\(number) \(next.batchFindings)")
        }
        try shop.expectSound()
    }

    private static func numbers() throws -> LoadedSchema {
        try Schema.load(Array(Workshop.contract().document.text(pretty: false).utf8), name: "numbers.schema.json")
    }

    @Test func `of releases of overlapping rows at once one is recorded`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let report = try await shop.run(try shop.write("a.csv", rows(4000)))
        let contract = try Self.numbers()
        let errors = await withTaskGroup(of: IngestionError?.self) { group in
            for list in ["4001,4002", "4002-4003", "4002", "4002,4005"] {
                group.addTask { await failure { _ = try await release(shop, report.batch, list, contract: contract) } }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(errors.count { $0 == nil } == 1, "\(errors)")
        let released = try Store(shop.store.root).proven().state.releasedRows[report.batch] ?? []
        #expect(released.count { RowList($0.rows)?.contains(4002) ?? false } == 1, "\(released)")
        try shop.expectSound()
    }

    @Test func `a batch that is replaced takes the rows released from it along`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let report = try await shop.run(try shop.write("a.csv", rows(4000)))
        let contract = try Self.numbers()
        let made = try accepted(try await release(shop, report.batch, "4002", contract: contract))
        let digest = try #require(try shop.store.proven().log.run(report.batch).first?.body["data_hash"]?.text)
        let impact = try LineageQuery(try shop.store.ledger()).impact(ofSource: digest)
        #expect(impact.map(\.batch) == [report.batch, made.batch])
        #expect(impact.last?.released?.body["rows"]?.text == "4002")
        #expect(try Store(shop.store.root).releases(of: report.batch, row: 4002).count == 1)
        #expect(try Store(shop.store.root).releases(of: made.batch, row: 1).first?.contains("rows 4002 of") == true)
        let better = try await shop.run(try shop.write("b.csv", rows(4100))) { $0.supersedes = report.batch }
        #expect(better.status == .accepted, "\(better.batchFindings)")
        let state = try Store(shop.store.root).proven().state
        #expect(state.superseded[report.batch] == better.batch && state.superseded[made.batch] == better.batch)
        #expect(try Store(shop.store.root).reviewCase(of: report.batch).state == .superseded(by: better.batch))
        #expect(await failure { _ = try await release(shop, report.batch, "4003", contract: contract) }?.code == .usage)
        try shop.expectSound()
    }

    @Test func `rows that fail for another reason keep the others of the list back, and are named`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let text = """
            name: numbers
            fields: [{ name: id, type: integer }, { name: x, type: number }, { name: note, type: string }]
            sluice: { apiVersion: sluice/v1, undeclaredPii: quarantine, batch: { maxQuarantinedRate: 1 } }

            """
        let contract = try Schema.load(Array(text.utf8), name: "numbers.schema.yaml")
        let lines = rows(3000, far: 2, bad: 0) + "9,1,write to jane.roe@example.com\n"
        let report = try await pipeline(shop).run(
            BatchRequest(
                BatchInput(file: try shop.write("a.csv", lines)), schema: Schema.digested(contract),
                contract: contract.document,
                dataset: "numbers", source: "test", options: BatchOptions()))
        #expect(report.status == .accepted && report.counts.count(.quarantined) == 3, "\(report.batchFindings)")
        guard case .judged(let refused) = try await release(shop, report.batch, "3001,3003", contract: contract) else {
            Issue.record("it was not judged")
            return
        }
        #expect(refused.isRefusedRelease && refused.releasedRowsHeld == "3003")
        #expect(try Store(shop.store.root).proven().state.releasedRows.isEmpty)
        _ = try accepted(try await release(shop, report.batch, "3001-3002", contract: contract))
        #expect(try Store(shop.store.root).reviewCase(of: report.batch).quarantined?.text == "3003")
        var level = Pipeline.ReleaseRequest(report.batch, reason: "no")
        (level.rows, level.newLevels, level.contract) = (RowList("3003"), ["x"], contract)
        #expect(await failure { _ = try await pipeline(shop).release(level, options: BatchOptions()) }?.code == .usage)
        // Without the key the cause is told, and not an earlier version blamed.
        try FileManager.default.removeItem(atPath: shop.store.root + "/keys/main.kek")
        let locked = await failure { _ = try await release(shop, report.batch, "3003", contract: contract) }
        #expect(locked?.code == .notPermitted, "\(locked as Any)")
    }

    @Test func `rows with the same bytes are let out one by one`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let text = "fields: [{ name: x, type: number }]\nname: bare\nsluice: { apiVersion: sluice/v1 }\n"
        let contract = try Schema.load(Array(text.utf8), name: "bare.schema.yaml")
        let lines = "x\n" + (0..<2000).map { "\(Double($0 % 97) / 7)\n" }.joined() + "90000\n90000\n"
        let report = try await pipeline(shop).run(
            BatchRequest(
                BatchInput(file: try shop.write("a.csv", lines)), schema: Schema.digested(contract),
                contract: contract.document,
                dataset: "bare", source: "test", options: BatchOptions()))
        #expect(report.status == .accepted && report.counts.count(.quarantined) == 2, "\(report.batchFindings)")
        for row in ["2001", "2002"] { _ = try accepted(try await release(shop, report.batch, row, contract: contract)) }
        try shop.expectSound()
    }

    @Test func `content that a person rejected stays rejected when it comes again`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        _ = try await shop.run(try shop.write("a.csv", rows(4000)))
        let path = try shop.write("b.csv", rows(3000, from: 10_001, far: 900))
        let held = try await shop.run(path)
        try pipeline(shop).reject(held.batch, reason: "prices in cents")
        let again = try await shop.run(path)
        #expect(again.status == .duplicate && again.rejection.contains("prices in cents"))
        let forced = try await shop.run(path) { $0.force = true }
        #expect(forced.status == .held)
        #expect(try Store(shop.store.root).heldBatches().isEmpty)
        let refused = await failure { _ = try await release(shop, forced.batch, nil) }
        #expect(refused?.code == .usage && refused?.description.contains("prices in cents") == true)
        guard case .rejectedByPerson = try Store(shop.store.root).reviewCase(of: forced.batch).state else {
            Issue.record("it is not rejected")
            return
        }
        try shop.expectSound()
    }
}
