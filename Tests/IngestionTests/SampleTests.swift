import Cryptography
import Foundation
@testable import Ingestion
import Schemas
import Screening
import Sealing
import Sketches
import Tabular
import Testing

/// Outsiders cannot tell which rows are sampled.
@Suite struct SampleTests {
    private static let contract = """
        name: notes
        fields:
          - { name: id, type: integer, constraints: { required: true, unique: true } }
          - { name: a, type: number }
          - { name: note, type: string, sluice: { role: text } }
          - { name: label, type: string, constraints: { enum: [yes, not] }, sluice: { role: label } }
        sluice: { apiVersion: sluice/v1, baseline: { learning: 1 } }

        """
    /// More than the 16,384 rows whose text is sampled.
    private static let count = 17_500
    private static let words = (10..<70).map { "wo\($0)" }

    /// Rows of equal length, so that the rows of all batches have the same positions.
    private static func rows(from first: Int, seed: UInt64, marked: Set<Int> = []) -> [String] {
        var random = SplitMix64(seed: seed)
        return (0..<count).map { row in
            let isYes = random.below(10) < 4 || marked.contains(row)
            var note = (0..<9).map { _ in words[random.below(words.count)] }
            note[4] = (isYes ? ["grea", "happ", "than"] : ["brok", "late", "wron"])[random.below(3)]
            if marked.contains(row) { note[7] = "zqxv" }
            let number = random.below(9000) + (isYes ? 40_000 : 10_000)
            return "\(100_000_000 + first + row),\(number).5,\(note.joined(separator: " ")),\(isYes ? "yes" : "not")"
        }
    }

    private static func text(_ rows: [String]) -> String { "id,a,note,label\n" + rows.joined(separator: "\n") + "\n" }

    private func run(
        _ shop: Workshop, _ rows: [String], mode: RunMode = .ingest, _ change: (inout BatchOptions) -> Void = { _ in }
    ) async throws -> BatchReport {
        let loaded = try Schema.load(Array(Self.contract.utf8), name: "notes.schema.yaml")
        var options = BatchOptions()
        (options.mode, options.listed) = (mode, 1 << 20)
        change(&options)
        return try await Pipeline(store: shop.store, writes: mode == .ingest).run(
            BatchRequest(
                BatchInput(file: try shop.write("batch.csv", Self.text(rows))), schema: Schema.digested(loaded),
                contract: loaded.document,
                dataset: "notes", source: "", options: options))
    }

    /// The rows whose text is sampled, which only the store knows.
    private func sampled(_ shop: Workshop, _ rows: [String]) throws -> Set<Int> {
        let secret = try shop.store.key(.store, "store").withBytes { bytes in bytes.indices.map { bytes[$0] } }
        let header = Array("id,a,note,label\n".utf8)
        let body = Array(Self.text(rows).utf8.dropFirst(header.count))
        let slice = SourceSlice(
            ordinal: 0, offset: UInt64(header.count), length: UInt64(body.count), firstRow: 1, rowCount: rows.count,
            bytes: body)
        let order = try SecretChoices(secret: secret, dataset: "notes").draw(slice, header: header).order
        let ranked = rows.indices.sorted { order.hash(UInt64($0 + 1)) < order.hash(UInt64($1 + 1)) }
        return Set(ranked.prefix(Profile.textCapacity))
    }

    private func recall(_ report: BatchReport, _ marked: Set<Int>) -> Double {
        let held = Set(report.listed.filter { $0.outcome >= .quarantined }.compactMap(\.row).map { $0 - 1 })
        return Double(marked.intersection(held).count) / Double(marked.count)
    }

    @Test func `marks where an earlier sample did not look are found like any others`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        for batch in 0..<2 {
            let honest = try await run(shop, Self.rows(from: batch * Self.count, seed: UInt64(batch + 1)))
            #expect(honest.status == .accepted, "\(honest.batchFindings)")
        }
        // The supplier sends the last batch again under new keys, and reads the report.
        let again = Self.rows(from: 2 * Self.count, seed: 2)
        let resent = try await run(shop, again)
        #expect(resent.status == .held && resent.batchFindings.contains { $0.code == .copyExcess })
        #expect(!resent.listed.contains { $0.code == .copiedRow }, "a sample is not told row by row")
        let named = Set(resent.listed.compactMap(\.row).map { $0 - 1 })

        // One attacker marks rows that the report does not name; one knows the sample and marks other rows; one marks
        // any rows.
        let (reader, spy) = (
            Set(0..<Self.count).subtracting(named), Set(0..<Self.count).subtracting(try sampled(shop, again))
        )
        #expect(spy.count == Self.count - Profile.textCapacity)
        var random = SplitMix64(seed: 5)
        var recalls: [Double] = []
        for (place, free) in [Set(0..<Self.count), reader, spy].enumerated() {
            let marked = Set(free.sorted().shuffled(using: &random).prefix(300))
            let rows = Self.rows(from: (3 + place) * Self.count, seed: 9, marked: marked)
            let report = try await run(shop, rows, mode: .dryRun)
            recalls.append(recall(report, marked))
            #expect(abs(Double(marked.intersection(try sampled(shop, rows)).count) / 300 - 0.936) < 0.06)
        }
        #expect(recalls[0] > 0.98 && recalls.allSatisfy { abs($0 - recalls[0]) <= 0.02 }, "\(recalls)")
    }

    @Test func `any number of workers looks at the same rows`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        _ = try await run(shop, Self.rows(from: 0, seed: 1))
        let rows = Self.rows(from: Self.count, seed: 2, marked: Set(stride(from: 0, to: Self.count, by: 97)))
        var seen: [String] = []
        for jobs in [1, 2, 5] {
            let report = try await run(shop, rows, mode: .dryRun) { ($0.jobs, $0.sliceBytes) = (jobs, 65_536) }
            seen.append(
                "\(report.listed.map { "\($0)" }) \(report.findings.sorted) \(report.counts.rows) "
                    + String(describing: report.forestThresholds)
            )
        }
        #expect(seen[0] == seen[1] && seen[0] == seen[2])
        #expect(seen[0].contains("trigger"))
    }

    @Test func `each change of a slice draws anew, and nothing else does`() throws {
        func slice(_ bytes: [UInt8], _ ordinal: Int = 0) -> SourceSlice {
            SourceSlice(
                ordinal: ordinal, offset: 0, length: UInt64(bytes.count), firstRow: 1, rowCount: 1000, bytes: bytes)
        }
        let choices = SecretChoices(secret: Array(1...32), dataset: "d")
        let (bytes, header) = (Array("1,2\n3,4\n".utf8), Array("a,b\n".utf8))
        let draw = try choices.draw(slice(bytes), header: header)
        var changed = bytes
        changed[6] ^= 1
        let others = try [
            choices.draw(slice(changed), header: header), choices.draw(slice(bytes, 1), header: header),
            choices.draw(slice(bytes), header: Array("b,a\n".utf8)), choices.drawOfCheck(slice(bytes)),
            SecretChoices(secret: Array(1...32), dataset: "e").draw(slice(bytes), header: header),
            SecretChoices(secret: Array(2...33), dataset: "d").draw(slice(bytes), header: header),
        ]
        for other in others {
            #expect(other.order != draw.order)
            // Of the blocks that one draw checks, the other checks no more than chance explains.
            let both = (0..<64_000).count { draw.checks(blockAt: $0) && other.checks(blockAt: $0) }
            #expect(both < 120)
        }
        let same = try SecretChoices(secret: Array(1...32), dataset: "d").draw(slice(bytes), header: header)
        #expect(same.order == draw.order)
        #expect((0..<64_000).allSatisfy { same.checks(blockAt: $0) == draw.checks(blockAt: $0) })
        let share = (0..<64_000).count { draw.checks(blockAt: $0) }
        #expect((1800...2200).contains(share))
    }

    @Test func `the seed of a decision follows from all that is decided about`() {
        let choices = SecretChoices(secret: Array(1...32), dataset: "d")
        let (one, two) = ([UInt8](repeating: 1, count: 32), [UInt8](repeating: 2, count: 32))
        let seeds = [
            choices.decisionSeed(content: one, contract: one, baseline: one),
            choices.decisionSeed(content: two, contract: one, baseline: one),
            choices.decisionSeed(content: one, contract: two, baseline: one),
            choices.decisionSeed(content: one, contract: one, baseline: two),
            choices.decisionSeed(content: one, contract: one, baseline: []),
            SecretChoices(secret: Array(2...33), dataset: "d").decisionSeed(content: one, contract: one, baseline: one),
        ]
        #expect(Set(seeds).count == seeds.count)
        #expect(seeds[0] == choices.decisionSeed(content: one, contract: one, baseline: one))
        #expect(choices.classes(content: one) != choices.classes(content: two))
    }
}
