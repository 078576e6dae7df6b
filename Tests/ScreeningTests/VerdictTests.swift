import Foundation
import Schemas
import Sketches
import Tabular
import Testing

@testable import Screening

@Suite struct VerdictTests {
    @Test func `the Poisson tail is that of exact sums`() {
        for mean in [0.01, 0.5, 1, 3, 10, 50, 200] {
            // P(X < k), term by term.
            var term = exp(-mean)
            var below = 0.0
            for k in 0..<400 {
                let expected = 1 - below
                let found = Verdict.tail(k, mean)
                #expect(abs(found - expected) < 1e-10, "k \(k), mean \(mean)")
                below += term
                term *= mean / Double(k + 1)
            }
        }
        // Far in the tail, where 1 - sum says nothing: the first terms of the series, in logarithms.
        let tail = Verdict.tail(30, 3)
        let first = exp(30 * log(3.0) - 3 - lgamma(31))
        #expect(tail > first && tail < first * 1.2)
        #expect(Verdict.tail(0, 5) == 1 && Verdict.tail(3, 0) == 0)
        #expect(Verdict.tail(5, 5000) == 1 && Verdict.tail(4000, 5000) == 1)
    }

    @Test func `an excess is unlikely, and more than twice what is expected`() {
        #expect(!Verdict.isExcess(4, expected: 0.001))
        #expect(Verdict.isExcess(5, expected: 0.1))
        #expect(!Verdict.isExcess(20, expected: 10) && Verdict.isExcess(25, expected: 10))
        #expect(!Verdict.isExcess(1900, expected: 1000) && Verdict.isExcess(2001, expected: 1000))
    }

    @Test func `limits of the batch hold it, each by its own name`() throws {
        let schema = try contract(
            "fields: [{ name: a, type: string }]\n"
                + "sluice: { batch: { minRows: 10, maxRejectedRate: 0.1, maxQuarantinedRate: 0.2 } }\n")
        let gate = try Gate(schema)
        let decision = gate.decide(gate.profile([]), nil)
        func codes(accepted: Int, rejected: Int) -> [FindingCode] {
            var counts = OutcomeCounts()
            counts.set(accepted: accepted, flagged: 0, quarantined: 0, rejected: rejected)
            return Verdict(decision, counts, schema: schema).findings.map(\.code)
        }
        #expect(codes(accepted: 9, rejected: 1) == [])
        #expect(codes(accepted: 8, rejected: 1) == [.tooFewRows, .tooManyRejected])
        #expect(codes(accepted: 89, rejected: 11) == [.tooManyRejected])
        #expect(codes(accepted: 0, rejected: 0) == [.tooFewRows])
        var counts = OutcomeCounts()
        counts.set(accepted: 20, flagged: 0, quarantined: 0, rejected: 0)
        let earlier = [Finding(.readersDisagree, outcome: .quarantined, row: 0)]
        #expect(!Verdict(decision, counts, schema: schema, earlier: earlier).isAccepted)
    }
}
