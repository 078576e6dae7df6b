import Foundation
import Schemas
import Sketches
import Tabular
import Testing

@testable import Screening

@Suite struct VerdictTests {
    @Test func `limits of the batch hold it, each by its own name`() throws {
        let schema = try contract(
            "fields: [{ name: a, type: string }]\n"
                + "sluice: { batch: { minRows: 10, maxRejectedRate: 0.1, maxQuarantinedRate: 0.2 } }\n")
        let gate = try Gate(schema)
        let decision = gate.decide(gate.profile([]), nil)
        func codes(accepted: Int, rejected: Int) -> [FindingCode] {
            var counts = OutcomeCounts()
            counts.set(accepted: accepted, flagged: 0, quarantined: 0, rejected: rejected)
            return BatchVerdict(decision, counts, schema: schema).findings.map(\.code)
        }
        #expect(codes(accepted: 9, rejected: 1) == [])
        #expect(codes(accepted: 8, rejected: 1) == [.tooFewRows, .tooManyRejected])
        #expect(codes(accepted: 89, rejected: 11) == [.tooManyRejected])
        #expect(codes(accepted: 0, rejected: 0) == [.tooFewRows])
        var counts = OutcomeCounts()
        counts.set(accepted: 20, flagged: 0, quarantined: 0, rejected: 0)
        let earlier = [Finding(.readersDisagree, outcome: .quarantined, at: .batch)]
        #expect(!BatchVerdict(decision, counts, schema: schema, earlier: earlier).isAccepted)
    }

    @Test func `a person waives what statistics say, and nothing else`() throws {
        let schema = try contract("fields: [{ name: a, type: string }]\n")
        let gate = try Gate(schema)
        var decision = gate.decide(gate.profile([]), nil)
        var counts = OutcomeCounts()
        counts.set(accepted: 20, flagged: 0, quarantined: 0, rejected: 0)
        for code in FindingCode.allCases {
            let earlier = [Finding(code, outcome: .quarantined, at: .column(0))]
            decision.waivers = .none
            #expect(!BatchVerdict(decision, counts, schema: schema, earlier: earlier).isAccepted)
            decision.waivers = .statistics
            let verdict = BatchVerdict(decision, counts, schema: schema, earlier: earlier)
            #expect(verdict.isAccepted == code.isStatistical && verdict.waived == (code.isStatistical ? earlier : []))
            #expect(!code.isStatistical || verdict.findings.map(\.outcome) == [.flagged])
        }
        let never = FindingCode.allCases.filter { $0.rejectsBatch || $0.stage == .read || $0.stage == .check }
        #expect(never.filter { $0.isStatistical }.isEmpty)
    }
}
