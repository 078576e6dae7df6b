import Glibc
import Schemas
import Sketches
import Tabular
import Testing

@testable import Screening

/// The first batch of a dataset (cold start).
@Suite struct `first contact` {
    private static let text = "fields:\n  - { name: amount, type: number }\n  - { name: count, type: integer }\n"

    private func rows(_ count: Int, _ amount: (Int, inout Draws) -> Double, other: (Int) -> Int = { $0 % 7 })
        -> [[String]]
    {
        var draws = Draws(seed: 5)
        return (0..<count).map { ["\(amount($0, &draws))", "\(other($0))"] }
    }

    @Test(arguments: [0.005, 0.05, 0.1, 0.2], [true, false])
    func `a group far behind a gap is found, however many rows are in it`(share: Double, isSame: Bool) throws {
        let gate = try Gate(try contract(Self.text))
        let planted = Int(1000 * share)
        for sign in [1.0, -1.0] {
            let judged = try gate.judge(
                texts: rows(1000) { row, draws in
                    let normal = 100 + 10 * draws.normal()
                    return row % (1000 / planted) == 0 ? 100 + sign * (isSame ? 9900 : 300 + 2 * normal) : normal
                }, nil)
            let held = Set(judged.findings.filter { $0.outcome == .quarantined && $0.field == 0 }.compactMap(\.row))
            #expect(held == Set((0..<1000).filter { $0 % (1000 / planted) == 0 }.map { $0 + 1 }), "\(held.count)")
            #expect(judged.verdict.isAccepted == (share < 0.01))
            #expect(judged.verdict.findings.contains { $0.code == .outlierGroup && $0.field == 0 } == (share > 0.01))
        }
    }

    /// Areas of lakes: four orders of magnitude in a table of two hundred rows.
    private func areas(_ seed: UInt64, _ count: Int = 200) -> [Double] {
        var draws = Draws(seed: seed)
        return (0..<count).map { _ in 75 * exp(1.4 * draws.normal()) }
    }

    @Test func `ten values far behind the largest of a heavy tail are a group, and tails have none`() throws {
        let gate = try Gate(try contract(Self.text))
        var alarms = 0
        for seed in 1...40 as ClosedRange<UInt64> {
            let honest = areas(seed)
            let largest = try #require(honest.max())
            func judge(_ values: [Double]) throws -> Judged {
                try gate.judge(texts: values.enumerated().map { ["\($1)", "\($0 % 7)"] }, nil)
            }
            if try judge(honest).verdict.findings.contains(where: { $0.code == .outlierGroup }) { alarms += 1 }
            if seed > 8 { continue }
            var planted = honest
            for row in 0..<10 { planted[row * 20] = largest * Double(6 + row) }
            let judged = try judge(planted)
            let held = Set(judged.findings.filter { $0.outcome == .quarantined && $0.field == 0 }.compactMap(\.row))
            #expect(held.isSuperset(of: (0..<10).map { $0 * 20 + 1 }), "seed \(seed): \(held.count)")
        }
        #expect(alarms == 0)
        // A fifth of the values there is another population; and one value far ahead of the others makes wide gaps
        // usual.
        let inside = areas(3)
        let largest = try #require(inside.max()) * 3
        func gap(_ behind: Int) -> ValueGap? {
            ValueGap((inside + [largest] + (0..<behind).map { largest * (6 + Double($0) / 4) }).ascending())
        }
        #expect((gap(12)?.count ?? 0) >= 12)
        #expect(gap(50) == nil)
    }

    @Test func `beside accepted batches a group behind all of their values is held back, a batch that moved is not`()
        throws
    {
        let gate = try Gate(try contract(Self.text))
        func texts(_ values: [Double]) -> [[String]] { values.enumerated().map { ["\($1)", "\($0 % 7)"] } }
        var parts: [Baseline] = []
        for seed in 1...10 as ClosedRange<UInt64> {
            parts.append(try gate.judge(texts: texts(areas(seed)), Baseline.merged(parts.reversed())).baseline)
        }
        let baseline = try #require(Baseline.merged(parts.reversed()))
        let largest = try #require((1...10).flatMap { areas(UInt64($0)) }.max())
        func held(_ values: [Double]) throws -> Set<Int> {
            let judged = try gate.judge(texts: texts(values), baseline)
            return Set(judged.findings.filter { $0.outcome == .quarantined && $0.field == 0 }.compactMap(\.row))
        }
        #expect(try held(areas(20)).isEmpty)
        var planted = areas(20)
        for row in 0..<8 { planted[row * 20] = largest * Double(8 + row) }
        #expect(try held(planted) == Set((0..<8).map { $0 * 20 + 1 }))
        // Most of the batch is there: its centre is tested, and its rows are no outliers.
        #expect(try held(areas(20).map { $0 * 3000 + 20 * largest }).isEmpty)
    }

    @Test func `tails, steps, codes and rare other values are no groups`() throws {
        let gate = try Gate(try contract(Self.text))
        let columns: [(Int, inout Draws) -> Double] = [
            { _, draws in exp(1.2 * draws.normal()) }, { _, draws in 1 / max(draws.uniform(), 1e-3) },
            { row, draws in Double(row % 3 == 0 ? 10 : 20) + draws.normal() }, { _, draws in draws.normal() },
        ]
        for (place, column) in columns.enumerated() {
            let judged = try gate.judge(texts: rows(1000, column), nil)
            #expect(!judged.verdict.findings.contains { $0.code == .outlierGroup }, "column \(place)")
        }
        // Rare values among zeros, and a few counts.
        for other in [{ $0 % 125 == 0 ? 1 : 0 }, { $0 % 20 == 0 ? 1 + $0 % 9 : 0 }] as [(Int) -> Int] {
            let judged = try gate.judge(texts: rows(1000, { _, draws in draws.normal() }, other: other), nil)
            #expect(!judged.findings.contains { $0.field == 1 }, "\(judged.findings.count { $0.field == 1 })")
        }
    }

    @Test func `no number of a declared code is an outlier`() throws {
        let codes = [1_100_001, 1_100_002, 1_100_003, 1_100_004, 1_080_205]
        func remarked(_ settings: String) throws -> Int {
            let text = "fields:\n  - { name: amount, type: number }\n  - { name: basin, type: integer\(settings) }\n"
            let judged = try Gate(try contract(text)).judge(
                texts: rows(182, { _, draws in draws.normal() }) { $0 == 90 ? 2_030_101 : codes[$0 % 5] }, nil)
            return judged.findings.count { $0.field == 1 }
        }
        #expect(try remarked("") == 1)
        #expect(try remarked(", sluice: { form: code }") == 0)
    }

    @Test func `the rule is kept with the decision`() throws {
        let gate = try Gate(try contract(Self.text))
        let judged = try gate.judge(
            texts: rows(500) { row, draws in row < 4 ? 10_000 : 100 + 10 * draws.normal() }, nil)
        let rule = try #require(judged.decision.rules.first { $0.gap != nil })
        #expect(rule.gap?.count == 4 && rule.gap?.high == 10_000 && rule.gap?.low == -.infinity)
        let read = try #require(Decision(judged.decision.document(), schema: gate.schema, screened: gate.screened))
        #expect(read.rules == judged.decision.rules)
    }
}
