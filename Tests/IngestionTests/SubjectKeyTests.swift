import Cryptography
import Foundation
import Lineage
import Masking
import Schemas
import Screening
import Sealing
import Storage
import Tabular
import Testing

@testable import Ingestion

/// With `perSubject` each subject has a key of its own, which an erasure destroys.
@Suite struct `keys of single subjects` {
    private func contract(limit: Double) throws -> LoadedSchema {
        let text = """
            fields:
              - { name: who, type: string, sluice: { role: subject } }
              - { name: id, type: integer, constraints: { required: true } }
              - name: mail
                type: string
                sluice: { pii: { entity: EMAIL_ADDRESS, operator: encrypt, key: tokens, perSubject: true } }
            sluice: { batch: { maxRejectedRate: \(limit) }, undeclaredPii: allow, baseline: { learning: 1 } }

            """
        return try Schema.load(Array(text.utf8), name: "visits.schema.yaml")
    }

    private func run(
        _ shop: Workshop, _ path: String, dataset: String = "visits", limit: Double = 0.5,
        _ change: (inout BatchOptions) -> Void = { _ in }
    ) async throws -> BatchReport {
        let loaded = try contract(limit: limit)
        var options = BatchOptions()
        options.mode = .ingest
        change(&options)
        return try await Pipeline(store: Store(shop.store.root), writes: options.mode == .ingest).run(
            BatchRequest(
                BatchInput(file: path), schema: Schema.digested(loaded), contract: loaded.document, dataset: dataset,
                source: "test",
                options: options))
    }

    private func rows(_ count: Int, from first: Int, people: Int = 5) -> String {
        "who,id,mail\n" + (first..<first + count).map { "p\($0 % people),\($0),a\($0 % 2)@example.com\n" }.joined()
    }

    /// The encrypted values of a batch's rows, by person and clear value.
    private func values(_ shop: Workshop, _ report: BatchReport, from first: Int, people: Int = 5) throws -> [String:
        Set<String>]
    {
        var found: [String: Set<String>] = [:]
        let lines = try shop.opened(report.published[0]).split(separator: "\n").dropFirst()
        for (place, line) in lines.enumerated() {
            let id = first + place
            found["p\(id % people) a\(id % 2)", default: []].insert(String(line.split(separator: ",")[2]))
        }
        return found
    }

    private func reveal(_ shop: Workshop, _ value: String, _ subject: String) throws -> String? {
        let opened = try Recorder(Store(shop.store.root)).reveal(
            [value], key: "tokens", prefix: "", subject: subject, reason: "test")
        return opened[0].map { String(decoding: $0, as: UTF8.self) }
    }

    private func files(_ shop: Workshop) throws -> [PublishedFile] { try Store(shop.store.root).subjectKeyFiles() }

    @Test func `equal values of a subject are equal in all batches, and an erasure makes them unreadable for good`()
        async throws
    {
        let shop = try Workshop()
        defer { shop.remove() }
        let first = try await run(shop, try shop.write("a.csv", rows(60, from: 1)))
        let second = try await run(shop, try shop.write("b.csv", rows(60, from: 101)), dataset: "other")
        #expect(first.status == .accepted && second.status == .accepted, "\(first.batchFindings)")
        let (one, two) = (try values(shop, first, from: 1), try values(shop, second, from: 101))
        #expect(one == two && one.values.allSatisfy { $0.count == 1 } && one.count == 10)
        #expect(Set(one.values.joined()).count == 10)
        // The second batch has no new subject.
        #expect(try files(shop).map(\.batch) == [first.batch])
        let kept = try #require(one["p1 a1"]?.first)
        let other = try #require(one["p2 a1"]?.first)
        #expect(try reveal(shop, kept, "p1") == "a1@example.com" && reveal(shop, kept, "p2") == nil)
        _ = try await Recorder(Store(shop.store.root)).eraseSubject(.value("p1"), dataset: nil, reason: "request")
        try shop.expectSound()
        // A copy of the value outside the store, with all keys of the store.
        #expect(try reveal(shop, kept, "p1") == nil && reveal(shop, other, "p2") == "a1@example.com")
        // The same person again has another key.
        let third = try await run(shop, try shop.write("c.csv", rows(60, from: 201)))
        let three = try values(shop, third, from: 201)
        #expect(three["p1 a1"] != one["p1 a1"] && three["p2 a1"] == one["p2 a1"])
        #expect(try reveal(shop, #require(three["p1 a1"]?.first), "p1") == "a1@example.com")
        #expect(try files(shop).map(\.batch) == [first.batch, third.batch])
        try shop.expectSound()
    }

    @Test func `values of earlier versions still open`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        _ = try await run(shop, try shop.write("a.csv", rows(60, from: 1)))
        var cipher = try ValueCipher(try shop.store.key(.token, "tokens"), subject: Array("p1".utf8))
        let old = base64URL(try cipher.seal(Array("old@example.com".utf8).span))
        #expect(try reveal(shop, old, "p1") == "old@example.com")
    }

    @Test func `what is not accepted leaves no key, and its release does`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let path = try shop.write("a.csv", rows(60, from: 1) + "x,none,y\n")
        #expect(try await run(shop, path) { $0.mode = .dryRun }.counts.total == 61)
        let held = try await run(shop, path, limit: 0.001)
        #expect(held.status == .held)
        #expect(try files(shop).isEmpty)
        var request = Pipeline.ReleaseRequest(held.batch, reason: "sound")
        request.contract = try contract(limit: 0.5)
        _ = try await Pipeline(store: Store(shop.store.root), writes: true).release(request, options: BatchOptions())
        #expect(try files(shop).count == 1)
        try shop.expectSound()
    }

    @Test func `two batches never give one subject two keys`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let (one, two) = (try shop.write("a.csv", rows(60, from: 1)), try shop.write("b.csv", rows(60, from: 101)))
        let isDone = Once()
        let error = await failure {
            _ = try await run(shop, one) { options in
                options.progress = { _, bytes, total in
                    // At the end of the second pass.
                    if bytes < total || isDone.set() { return }
                    meanwhile { _ = try? await run(shop, two) }
                }
            }
        }
        #expect(error?.code == .tryAgain, "\(error?.description ?? "accepted")")
        let again = try await run(shop, one)
        let files = try files(shop)
        #expect(again.status == .accepted && files.count == 1)
        try shop.expectSound()
    }

    @Test func `keys outlive the batch that made them, and are erased without it`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        let first = try await run(shop, try shop.write("a.csv", rows(60, from: 1)))
        let kept = try #require(try values(shop, first, from: 1)["p3 a1"]?.first)
        let settings = shop.store.root + "/sluice.yaml"
        let text = try String(contentsOfFile: settings, encoding: .utf8)
        try Data((text + "retention: { accepted: 1s, decision: 1s }\n").utf8).write(to: URL(filePath: settings))
        usleep(1_100_000)
        let writer = try Recorder(Store(shop.store.root))
        _ = try writer.remove(try writer.expiredFiles())
        #expect(try files(shop).count == 1)
        #expect(try reveal(shop, kept, "p3") == "a1@example.com")
        let erased = try await Recorder(Store(shop.store.root)).eraseSubject(
            .value("p3"), dataset: nil, reason: "request")
        #expect(erased.rows == 0 && erased.replaced.files == 1 && erased.entry != nil)
        #expect(try reveal(shop, kept, "p3") == nil)
        try shop.expectSound()
    }

    @Test func `a store that cannot read the keys again gives none`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        try FileManager.default.removeItem(atPath: shop.store.keysFolder + "/main.kek")
        let error = await failure { _ = try await run(shop, try shop.write("a.csv", rows(60, from: 1))) }
        #expect(error?.code == .notPermitted, "\(error?.description ?? "accepted")")
        #expect(try files(shop).isEmpty)
    }
}
