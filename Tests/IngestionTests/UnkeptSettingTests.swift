import Foundation
import Lineage
import Schemas
import Storage
import Tabular
import Testing

@testable import Ingestion

/// Contracts with settings that a new contract is refused for, because earlier versions recorded batches under them.
@Suite struct `settings that are refused today` {
    private static let text = """
        name: numbers
        fields:
          - { name: id, type: integer, constraints: { required: true, unique: true } }
          - { name: x, type: number, sluice: { encrypt: true } }
          - { name: note, type: string }
        sluice: { batch: { minRows: 1000 }, privacy: { kAnonymity: { action: suppress } } }

        """

    /// The contract as an earlier version loaded it.
    private func earlier() throws -> LoadedSchema {
        try Schema.load(try loadDocument(Array(Self.text.utf8), name: "numbers.schema.yaml"), isRecorded: true)
    }

    @Test func `a batch that was judged under them is replayed, and not released by them`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        #expect(throws: SchemaError.self) { try Schema.load(Array(Self.text.utf8), name: "numbers.schema.yaml") }
        let contract = try earlier()
        var options = BatchOptions()
        options.mode = .ingest
        let file = try shop.write("a.csv", Workshop.rows(200))
        let held = try await Pipeline(store: shop.store, writes: true).run(
            BatchRequest(
                BatchInput(file: file), schema: Schema.digested(contract), contract: contract.document,
                dataset: "numbers",
                source: "test",
                options: options))
        #expect(held.status == .held && held.batchFindings.contains { $0.code == .tooFewRows }, "\(held.batchFindings)")

        let store = try Store(shop.store.root).proving()
        let replay = try store.replay(held.batch, row: nil, file: nil)
        #expect(replay.isReplayed && replay.isSame, "\(replay.differing)")

        let pipeline = try Pipeline(store: try Store(shop.store.root), writes: true)
        let error = await #expect(throws: IngestionError.self) {
            try await pipeline.release(
                Pipeline.ReleaseRequest(held.batch, reason: "known"), options: options)
        }
        #expect(error?.code == .configuration, "\(String(describing: error))")
        #expect(error?.description.contains("--schema FILE") == true, "\(String(describing: error))")
        // A corrected contract releases it.
        let corrected = Self.text.replacingOccurrences(of: ", sluice: { encrypt: true }", with: "")
            .replacingOccurrences(of: "minRows: 1000", with: "minRows: 1")
            .replacingOccurrences(of: "action: suppress", with: "action: report")
        let better = try Schema.load(Array(corrected.utf8), name: "numbers.schema.yaml")
        var request = Pipeline.ReleaseRequest(held.batch, reason: "known")
        request.contract = better
        let released = try await pipeline.release(request, options: options)
        guard case .judged(let report) = released else {
            Issue.record("the content was not accepted before")
            return
        }
        #expect(report.status == .accepted, "\(report.batchFindings)")
    }

    @Test func `a batch beyond a limit is rejected where the contract says so`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        func judge(_ name: String, _ batch: String) async throws -> BatchReport {
            let text = """
                name: numbers
                fields:
                  - { name: id, type: integer, constraints: { required: true } }
                  - { name: x, type: number }
                  - { name: note, type: string }
                sluice: { batch: { \(batch) } }

                """
            let loaded = try Schema.load(Array(text.utf8), name: "numbers.schema.yaml")
            var options = BatchOptions()
            options.mode = .ingest
            // Four rows of two hundred have no number.
            let rows = Workshop.rows(196) + "197,a,n\n198,b,n\n199,c,n\n200,d,n\n"
            return try await Pipeline(store: try Store(shop.store.root), writes: true).run(
                BatchRequest(
                    BatchInput(file: try shop.write("\(name).csv", rows)), schema: Schema.digested(loaded),
                    contract: loaded.document,
                    dataset: name, source: "test", options: options))
        }
        let held = try await judge("held", "maxRejectedRate: 0.01, onExceed: quarantine")
        #expect(held.status == .held && held.batchFindings.map(\.code) == [.tooManyRejected])
        for (name, limit, code) in [
            ("rate", "maxRejectedRate: 0.01", FindingCode.tooManyRejected),
            ("number", "maxRejectedRate: 1, maxRejected: 3", .tooManyRejectedRows),
            ("fail", "maxRejectedRate: 1, rejectedRows: fail", .tooManyRejectedRows),
            ("few", "maxRejectedRate: 1, minRows: 201", .tooFewRows),
        ] {
            let report = try await judge(name, limit + ", onExceed: reject")
            #expect(report.status == .rejected, "\(name): \(report.batchFindings)")
            #expect(report.batchFindings.map(\.code) == [code], "\(name)")
            #expect(report.published.allSatisfy { $0.hasPrefix("quarantine/") }, "\(report.published)")
            let error = await #expect(throws: IngestionError.self) {
                try await Pipeline(store: try Store(shop.store.root), writes: true).release(
                    Pipeline.ReleaseRequest(report.batch, reason: "known"), options: BatchOptions())
            }
            #expect(error?.code == .usage && error?.description.contains("onExceed: reject") == true, "\(name)")
        }
        // Within its limits nothing is rejected.
        let accepted = try await judge("accepted", "maxRejectedRate: 0.05, onExceed: reject")
        #expect(accepted.status == .accepted, "\(accepted.batchFindings)")
        #expect(try Store(shop.store.root).heldBatches().map(\.batch) == [held.batch])
        let ledger = try shop.store.ledger()
        #expect(try Ledger.verify(path: shop.store.ledgerPath, key: ledger.verifier).damage.isEmpty)
    }
}
