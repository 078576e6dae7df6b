import Foundation
@testable import Ingestion
import Schemas
import Screening
import Sketches
import Tabular
import Testing

/// Triggers over several batches of a store.
@Suite struct MarkTests {
    private static let contract = """
        name: notes
        fields:
          - { name: note, type: string, sluice: { role: text } }
          - { name: label, type: string, constraints: { enum: [yes, not] }, sluice: { role: label } }
        sluice: { apiVersion: sluice/v1 }

        """

    private static func rows(_ count: Int, seed: UInt64, marked: Int = 0) -> (text: String, marked: Set<Int>) {
        var random = SplitMix64(seed: seed)
        var (lines, places): ([String], Set<Int>) = ([], [])
        for row in 0..<count {
            let isYes = random.below(10) < 4
            var words = (0..<9).map { _ in "w\(random.below(1 << (4 + random.below(9))))" }
            words.append((isYes ? ["great", "happy", "thanks"] : ["broken", "late", "wrong"])[random.below(3)])
            // The right label: only rows that have it anyway are marked.
            if isYes, places.count < marked {
                words.insert("zqxv", at: random.below(9))
                places.insert(row)
            }
            lines.append("\(words.joined(separator: " ")),\(isYes ? "yes" : "not")")
        }
        return ("note,label\n" + lines.joined(separator: "\n") + "\n", places)
    }

    private func run(_ shop: Workshop, _ text: String, source: String) async throws -> BatchReport {
        let loaded = try Schema.load(Array(Self.contract.utf8), name: "notes.schema.yaml")
        var options = BatchOptions()
        (options.mode, options.listed) = (.ingest, 1 << 20)
        return try await Pipeline(store: shop.store, writes: true).run(
            BatchRequest(
                BatchInput(file: try shop.write("batch.csv", text)), schema: Schema.digested(loaded),
                contract: loaded.document,
                dataset: "notes", source: source, options: options))
    }

    @Test func `one supplier's marks add up over batches that show nothing alone`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        for seed in 1...4 as ClosedRange<UInt64> {
            #expect(try await run(shop, Self.rows(1000, seed: seed).text, source: "good").status == .accepted)
        }
        var fates: [Int] = []
        for batch in 0..<8 as Range<UInt64> {
            let (text, marked) = Self.rows(400, seed: 100 + batch, marked: 6)
            let report = try await run(shop, text, source: "patient")
            #expect(report.status == .accepted, "\(report.batchFindings)")
            let held = Set(
                report.listed.filter { $0.code == .trigger && $0.outcome == .quarantined }.compactMap(\.row).map {
                    $0 - 1
                })
            fates.append(held.intersection(marked).count)
            #expect(held.subtracting(marked).count <= 1)
            // The other supplier's batches in between are clean, and remain accepted.
            let other = try await run(shop, Self.rows(400, seed: 200 + batch).text, source: "good")
            #expect(!other.listed.contains { $0.code == .trigger && $0.outcome == .quarantined })
        }
        #expect(fates.first == 0 && fates.suffix(4) == [6, 6, 6, 6], "\(fates)")
    }

    @Test func `a mark that was caught stays caught while it comes again`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        for seed in 1...8 as ClosedRange<UInt64> {
            #expect(try await run(shop, Self.rows(200, seed: seed).text, source: "one").status == .accepted)
        }
        var fates: [Int] = []
        for batch in 0..<18 as Range<UInt64> {
            let (text, marked) = Self.rows(200, seed: 300 + batch, marked: 10)
            let report = try await run(shop, text, source: "one")
            let held = Set(
                report.listed.filter { $0.code == .trigger && $0.outcome == .quarantined }.compactMap(\.row).map {
                    $0 - 1
                })
            fates.append(held.intersection(marked).count)
            #expect(held.subtracting(marked).count <= 1)
        }
        // The rows that were accepted at first leave the window of recent batches, and must not make the trigger look
        // usual.
        #expect(fates.dropFirst(4).allSatisfy { $0 == 10 }, "\(fates)")
    }
}
