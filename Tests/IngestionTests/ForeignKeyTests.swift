import Foundation
import Lineage
import Reading
import Schemas
import Screening
import Sketches
import Tabular
import Testing

@testable import Ingestion

/// Keys of rows: duplicates, and references to nothing, with memory for all keys or for a few.
@Suite struct ForeignKeyTests {
    private static let customers = """
        fields:
          - { name: id, type: integer, constraints: { unique: true } }
          - { name: mail, sluice: { pii: { entity: EMAIL_ADDRESS, operator: replace } } }
        sluice: { isolationForest: { enabled: false }, batch: { maxRejectedRate: 1 } }

        """

    private static func orders(_ references: String, _ keys: String) -> String {
        """
        fields:
          - { name: id, type: integer, constraints: { unique: true } }
          - { name: customer, type: number }
          - { name: parent, type: integer }
        foreignKeys:
        \(keys)
        sluice: { isolationForest: { enabled: false }, batch: { maxRejectedRate: 1 }\(references) }

        """
    }

    private static let toCustomers = "  - { fields: customer, reference: { resource: customers, fields: id } }\n"
    private static let toItself = "  - { fields: [parent], reference: { resource: '', fields: [id] } }\n"

    /// How a file is judged.
    private struct Run {
        var dataset = "orders"
        var mode = RunMode.ingest
        var keys = 8 << 20
        var jobs = 2
        var inStore = true
        var supersedes: String?
    }

    private func run(
        _ shop: Workshop, _ path: String, _ contract: String, as how: Run = Run()
    ) async throws -> BatchReport {
        let loaded = try loadContract(shop.write("\(how.dataset).schema.yaml", contract))
        #expect(loaded.warnings == [])
        var options = BatchOptions()
        options.mode = how.mode
        options.jobs = how.jobs
        options.sliceBytes = 65_536
        options.keysInMemory = how.keys
        options.supersedes = how.supersedes
        return try await Pipeline(store: how.inStore ? shop.store : nil, writes: how.mode == .ingest).run(
            BatchRequest(
                BatchInput(file: path), schema: Schema.digested(loaded), contract: loaded.document,
                dataset: how.dataset, source: "s",
                options: options))
    }

    private func broken(_ report: BatchReport) -> [String] {
        report.listed.map { "\($0.row ?? 0) \($0.code.rawValue) \($0.rule ?? "")" }
    }

    @Test func `keys are looked up in a file beside the contract, and in the batch itself`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        _ = try shop.write("customers.csv", "name,id\na,1\nb,02\nc,\nd,x\n")
        let contract = Self.orders(
            ", references: { customers: { file: customers.csv } }", Self.toCustomers + Self.toItself)
        let path = try shop.write("o.csv", "id,customer,parent\n1,1.0,\n2,2,1\n3,9,2\n4,,7\n4,2,4\n5,1,5\n")
        let wanted = [
            "3 foreign-key customer → customers.id", "4 foreign-key parent → id", "5 unique-error ",
        ]
        for mode in [RunMode.validate, .dryRun, .ingest] {
            let report = try await run(shop, path, contract, as: Run(mode: mode))
            #expect(broken(report) == wanted, "\(mode)")
            #expect(report.counts.count(.rejected) == 3 && report.counts.count(.accepted) == 3)
        }
        let report = try await run(shop, path, contract)
        #expect(report.status == .duplicate && !report.isRefusedReplacement)
        // With other customers the policy differs, but the same orders were accepted already.
        _ = try shop.write("customers.csv", "name,id\na,1\nb,2\nc,9\n")
        #expect(try await run(shop, path, contract).isRefusedReplacement)
        let again = try await run(shop, path, contract, as: Run(supersedes: report.duplicateOf))
        #expect(broken(again) == Array(wanted.dropFirst()))
        let ledger = try Ledger.openReadonly(path: shop.store.ledgerPath)
        let received = try LineageQuery(ledger).log(limit: 9, kind: "batch.received")
        #expect(received.count == 2 && received.allSatisfy { $0.body["sidecars"]?.items?.count == 1 })
        #expect(received[0].body["provenance_hash"] != received[1].body["provenance_hash"])
    }

    @Test func `keys are looked up in what a dataset has accepted`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let contract = Self.orders(", references: { customers: { dataset: customers } }", Self.toCustomers)
        let orders = try shop.write("o.csv", "id,customer,parent\n1,1,\n2,2,\n3,3,\n")
        // The dataset is neither configured nor ever accepted: probably a typing error.
        let unknown = await #expect(throws: IngestionError.self) { try await run(shop, orders, contract) }
        #expect(unknown?.code == .configuration && unknown?.description.contains("customers") == true)
        let first = try shop.write("c1.csv", "id,mail\n1,a@b.example\nx,\n")
        let second = try shop.write("c2.jsonl", "{\"id\": 2}\n{\"id\": 2}\n{\"id\": 4}\n")
        for path in [first, second] {
            #expect(try await run(shop, path, Self.customers, as: Run(dataset: "customers")).status == .accepted)
        }
        for mode in [RunMode.validate, .ingest] {
            #expect(
                try await broken(run(shop, orders, contract, as: Run(mode: mode))) == [
                    "3 foreign-key customer → customers.id"
                ])
        }
        let ledger = try Ledger.openReadonly(path: shop.store.ledgerPath)
        let judged = try LineageQuery(ledger).log(limit: 1, kind: "batch.judged")
        #expect(judged.first?.body["references"]?.items?.first?["files"]?.whole == 2)
        // A shard whose digest differs from the recorded one is not used as a reference.
        let published = try LineageQuery(ledger).log(limit: 99, dataset: "customers", kind: "shard.published")
        let recorded = published.flatMap(\.files).last { $0.role == .accepted }
        let shard = shop.store.root + "/" + (try #require(recorded).path)
        try FileManager.default.removeItem(atPath: shard)
        try Data("x".utf8).write(to: URL(filePath: shard))
        let error = await #expect(throws: IngestionError.self) {
            try await run(shop, orders, contract, as: Run(mode: .validate))
        }
        #expect(error?.code == .tryAgain && error?.description.contains(shard) == true)
    }

    @Test func `what cannot be looked up is told before anything is read`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let path = try shop.write("o.csv", "id,customer,parent\n1,1,\n")
        _ = try shop.write("c.csv", "id,id\n1,1\n")
        _ = try shop.write("d.csv", "other\n1\n")
        for (place, code) in [
            ("file: none.csv", IngestionError.Code.noInput), ("file: c.csv", .configuration),
            ("file: d.csv", .configuration), ("file: c.parquet", .configuration),
        ] {
            let contract = Self.orders(", references: { customers: { \(place) } }", Self.toCustomers)
            let error = await #expect(throws: IngestionError.self) { try await run(shop, path, contract) }
            #expect(error?.code == code, "\(place): \(error?.description ?? "")")
        }
        let contract = Self.orders(", references: { customers: { dataset: c } }", Self.toCustomers)
        let error = await #expect(throws: IngestionError.self) {
            try await run(shop, path, contract, as: Run(mode: .validate, inStore: false))
        }
        #expect(error?.code == .usage && error?.description.contains("--store") == true)
    }

    /// With ten thousand keys, of which a few hundred are in memory, the result equals that with all in memory, and
    /// that of sets.
    @Test func `memory does not decide`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        var random = SplitMix64(seed: 11)
        var customers = "id\n"
        var known: Set<Int> = []
        for _ in 0..<5000 {
            let id = random.below(20_000)
            known.insert(id)
            customers += "\(id)\n"
        }
        _ = try shop.write("customers.csv", customers)
        var text = "id,customer,parent\n"
        var rows: [(id: Int, customer: Int, parent: Int)] = []
        for _ in 0..<20_000 {
            let row = (random.below(60_000), random.below(20_000), random.below(60_000))
            rows.append(row)
            text += "\(row.0),\(row.1),\(row.2)\n"
        }
        let path = try shop.write("o.csv", text)
        let contract = Self.orders(
            ", references: { customers: { file: customers.csv } }", Self.toCustomers + Self.toItself)
        let ids = Set(rows.map(\.id))
        var seen: Set<Int> = []
        let repeated = rows.count { !seen.insert($0.id).inserted }
        let strangers = rows.count { !known.contains($0.customer) }
        let orphans = rows.count { !ids.contains($0.parent) }
        seen = []
        let bad = rows.count {
            let isRepeated = !seen.insert($0.id).inserted
            return isRepeated || !known.contains($0.customer) || !ids.contains($0.parent)
        }
        for (keys, jobs) in [(8 << 20, 2), (700, 1), (0, 3)] {
            for mode in [RunMode.validate, .dryRun] {
                let report = try await run(shop, path, contract, as: Run(mode: mode, keys: keys, jobs: jobs))
                let totals = Dictionary(
                    uniqueKeysWithValues: report.findings.sorted.map {
                        ($0.kind.rule ?? $0.kind.code.rawValue, $0.tally.count)
                    })
                #expect(
                    totals == [
                        "unique-error": repeated, "customer → customers.id": strangers, "parent → id": orphans,
                    ])
                #expect(report.counts.count(.rejected) == bad)
            }
        }
    }
}
