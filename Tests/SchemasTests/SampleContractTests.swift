import Foundation
import Schemas
import TestSupport
import Testing

@Suite struct SampleContractTests {
    /// An example contract outside the repository, which may be absent.
    private static let sample = "design/tickets.schema.yaml"

    @Test(.enabled(if: shared(sample) != nil, "the design's contract is not here: set SLUICE_SHARED"))
    func `the design's sample names protections that are not given, and loads without them`() throws {
        let text = try String(contentsOf: #require(shared(Self.sample)), encoding: .utf8)
        #expect(refusal(text)?.code == .unsupported)
        let loaded = try Schema.load(document(text, name: "tickets.schema.yaml"), isRecorded: true)
        #expect(loaded.schema.fields.count == 14 && loaded.schema.primaryKey == ["ticket_id"])
        #expect(loaded.schema.version == "3.1.0" && loaded.schema.batch.minRows == 100)
        #expect(
            loaded.warnings.map(\.path) == [
                "fields[3].sluice.pii", "fields[5].sluice.pii.validate", "fields[5].sluice.encrypt",
                "sluice.poisoning.duplicates.exact", "sluice.poisoning.duplicates.near",
                "sluice.poisoning.labelFlip.k",
                "sluice.poisoning.labelFlip.agreement", "sluice.poisoning.triggers.fields",
                "sluice.poisoning.triggers.minSupport", "sluice.poisoning.triggers.minPurity",
                "sluice.poisoning.triggers.alpha", "sluice.baseline.anchor", "sluice.baseline.rolling",
                "sluice.baseline.update", "sluice.privacy.kAnonymity.action",
                "sluice.encryption",
            ])
        #expect(loaded.schema.fields[8].drift.warn == 0.1 && loaded.schema.fields[12].drift.fail == 0.15)
        #expect(loaded.schema.forest.fields == ["amount", "handle_seconds", "source", "intent"])
    }
}
