import Foundation
import Lineage
import Schemas
import Screening
import Storage
import Testing

@testable import Ingestion

/// Stores that seal only for recipients whose keys are elsewhere.
@Suite struct `stores that seal and cannot open` {
    /// Names only a post-quantum recipient. `main.kek` stays in `keys/`, as `sluice init` makes it.
    private func closed(_ plain: Workshop) throws -> Workshop {
        let outside = plain.folder + "/usb"
        try makeFolder(outside)
        let made = try Recorder(plain.store).generatePair("escrow", privatePath: outside + "/escrow.xwing")
        return try changed(
            plain, "  - kek: main ", to: "  - xwing: escrow\n    publicKey: \(made.publicFile)\n  # was: main ")
    }

    private func changed(_ shop: Workshop, _ old: String, to new: String) throws -> Workshop {
        let path = shop.store.root + "/sluice.yaml"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(text.contains(old))
        try Data(text.replacing(old, with: new).utf8).write(to: URL(filePath: path))
        return Workshop(folder: shop.folder, store: try Store(shop.store.root))
    }

    private func risks(_ shop: Workshop) throws -> [String] {
        try Store(shop.store.root).examine(.success(shop.store.readableLedger()), readFiles: true)
            .filter { $0.grade != .well }.map(\.finding)
    }

    @Test func `each batch is a first one, whatever key of another use is in keys`() async throws {
        let plain = try Workshop()
        defer { plain.remove() }
        let shop = try closed(plain)
        for (place, name) in ["a.csv", "b.csv", "c.csv"].enumerated() {
            let report = try await shop.run(try shop.write(name, Workshop.rows(4000, from: 1 + place * 5000)))
            #expect(report.status == .accepted, "\(name) \(report.batchFindings)")
        }
        let found = try risks(shop)
        #expect(found.contains { $0.contains("dataset example has its key elsewhere") }, "\(found)")

        // With an opener again later batches are compared with what it opens.
        let opened = try changed(shop, "  # was: main ", to: "  - kek: main ")
        for (place, name) in ["d.csv", "e.csv"].enumerated() {
            let report = try await opened.run(try shop.write(name, Workshop.rows(4000, from: 20_001 + place * 5000)))
            #expect(report.status == .accepted, "\(name) \(report.batchFindings)")
        }
        let left = try risks(opened)
        #expect(!left.contains { $0.contains("elsewhere") }, "\(left)")
        try FileManager.default.moveItem(
            atPath: opened.store.keysFolder + "/main.kek", toPath: plain.folder + "/main.kek")
        let blind = try changed(opened, "  - kek: main ", to: "  # was: main ")
        let refused = await failure {
            _ = try await blind.run(try shop.write("f.csv", Workshop.rows(4000, from: 40_001)))
        }
        #expect(
            refused?.code == .notPermitted && refused?.description.contains("main.kek is missing") == true,
            "\(refused as Any)")
    }

    @Test func `keys of single subjects are not made where no later batch could read them`() async throws {
        let plain = try Workshop()
        defer { plain.remove() }
        let shop = try closed(plain)
        let contract = """
            fields:
              - { name: who, type: string, sluice: { role: subject } }
              - name: mail
                type: string
                sluice: { pii: { entity: EMAIL_ADDRESS, operator: encrypt, key: tokens, perSubject: true } }
            sluice: { undeclaredPii: allow }

            """
        let loaded = try Schema.load(Array(contract.utf8), name: "visits.schema.yaml")
        let path = try shop.write("a.csv", "who,mail\np1,a@example.com\np2,b@example.com\n")
        let refused = await failure {
            var options = BatchOptions()
            options.mode = .ingest
            _ = try await Pipeline(store: Store(shop.store.root), writes: true).run(
                BatchRequest(
                    BatchInput(file: path), schema: Schema.digested(loaded), contract: loaded.document,
                    dataset: "visits",
                    source: "test", options: options))
        }
        #expect(
            refused?.code == .notPermitted && refused?.description.contains("perSubject") == true, "\(refused as Any)")
    }
}
