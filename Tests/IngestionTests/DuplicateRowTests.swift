import Foundation
import Ingestion
import Reading
import Schemas
import Screening
import Sketches
import Tabular
import Testing

/// Rows that occur twice in a file.
@Suite struct DuplicateRowTests {
    private func run(_ shop: Workshop, _ more: String, _ text: String, mode: RunMode = .dryRun) async throws
        -> BatchReport
    {
        let contract = """
            name: d
            fields:
              - { name: day, type: date }
              - { name: amount, type: string }
              - { name: note }
            \(more)

            """
        let loaded = try Schema.load(Array(contract.utf8), name: "c.yaml")
        var options = BatchOptions()
        options.mode = mode
        options.sliceBytes = 65_536
        return try await Pipeline(store: nil, writes: false).run(
            BatchRequest(
                BatchInput(file: shop.write("a.csv", text)), schema: Schema.digested(loaded), contract: loaded.document,
                dataset: "d",
                source: "s",
                options: options))
    }

    private static let text =
        "day,amount,note\n"
        + (0..<99).map { "2026-01-\(10 + $0 % 20),\($0).5,n\($0)\n" }.joined()
        + String(repeating: "2026-02-01,7,\n", count: 7)

    @Test func `copies are counted, and are what the contract makes of them`() async throws {
        let shop = try Workshop()
        defer { shop.remove() }
        for mode in [RunMode.validate, .dryRun] {
            let plain = try await run(shop, "", Self.text, mode: mode)
            #expect(plain.counts.count(.accepted) == 106)
            for (word, outcome) in [("flag", Outcome.flagged), ("quarantine", .quarantined)] {
                let rule = "sluice: { batch: { duplicateRows: \(word), maxQuarantinedRate: 1 } }"
                let report = try await run(shop, rule, Self.text, mode: mode)
                // The first occurrence is a row like any other.
                #expect(report.counts.count(outcome) == 6 && report.counts.count(.accepted) == 100, "\(word) \(mode)")
                let answer = report.findings.sorted.filter { $0.kind.code == .duplicateRow }
                #expect(answer.count == 1 && answer[0].tally.count == 6)
            }
        }
        let plain = try await run(shop, "", Self.text)
        #expect(plain.copies?.rows == 6 && plain.copies?.of == 106)
        let none = try await run(
            shop, "sluice: { batch: { duplicateRows: flag } }", "day,amount,note\n2026-02-01,7,\n2026-02-01,,7\n")
        #expect(none.copies == nil && none.counts.count(.accepted) == 2)
    }

    @Test func `what the contract may say of them`() throws {
        let contract = "fields: [ { name: a } ]\nsluice: { batch: { duplicateRows: drop } }\n"
        #expect(throws: SchemaError.self) { try Schema.load(Array(contract.utf8), name: "c.yaml") }
    }
}
