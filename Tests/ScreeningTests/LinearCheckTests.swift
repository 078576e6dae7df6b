import Foundation
import Schemas
import Sketches
import Tabular
import Testing

@testable import Screening

/// Changed labels detected by a linear model in addition to the neighbours, in batches of a few hundred rows.
@Suite struct LinearCheckTests {
    private static let width = 12
    private static let text =
        "fields:\n"
        + (0..<width).map { "  - { name: m\($0), type: number }\n" }.joined()
        + "  - { name: label, type: string, constraints: { enum: [yes, no] }, sluice: { role: label } }\n"

    /// Rows whose label depends on the sum of many measures: neighbours are far away, a linear model works.
    ///
    /// - Parameter level: the level of this batch's measures; the label does not depend on it.
    private static func rows(_ count: Int, seed: UInt64, level: Double = 0, gap: Double = 1) -> [[String]] {
        var draws = Draws(seed: seed)
        var out: [[String]] = []
        while out.count < count {
            let values = (0..<width).map { _ in draws.normal() }
            let sum = values.reduce(0, +)
            if abs(sum) < gap { continue }
            out.append(values.map { "\($0 + level)" } + [sum > 0 ? "yes" : "no"])
        }
        return out
    }

    private static func flipped(_ rows: [[String]], _ places: [Int]) -> [[String]] {
        var rows = rows
        for row in places { rows[row][width] = rows[row][width] == "yes" ? "no" : "yes" }
        return rows
    }

    private static func baseline(_ gate: Gate, _ batches: Int, rows: Int = 200) throws -> Baseline {
        let parts = try (1...UInt64(batches)).map { try gate.judge(texts: Self.rows(rows, seed: $0), nil).baseline }
        return try #require(Baseline.merged(parts))
    }

    private func excess(_ decision: Decision) -> BatchTest? {
        decision.tests.first { $0.code == .labelFlipExcess && $0.range != nil }
    }

    @Test func `an estimate of changed labels is near the truth, and its range has it`() {
        var inside = 0
        for seed in 0..<60 as Range<UInt64> {
            var draws = Draws(seed: seed)
            let truth = Double(seed % 6) * 0.04
            let given = (0..<400).map { _ in
                // One label of three, as likely as the model says; some are changed to one of the others.
                let p = 0.5 + 0.5 * draws.uniform()
                let isRight = draws.uniform() < p
                if draws.uniform() < truth { return isRight ? (1 - p) / 2 : draws.uniform() < 0.5 ? p : (1 - p) / 2 }
                return isRight ? p : (1 - p) / 2
            }
            let found = FlipEstimate(given, labels: 3)
            #expect(abs(found.share - truth) < 0.15, "\(truth): \(found)")
            if found.range.contains(truth) { inside += 1 }
            #expect(found.range.contains(found.share) && found.range.lowerBound >= 0)
        }
        #expect(inside >= 52, "\(inside) of 60 ranges have the truth")
        #expect(FlipEstimate([Double](repeating: 0.99, count: 100), labels: 2).share == 0)
        #expect(FlipEstimate([Double](repeating: 0, count: 100), labels: 2).share > 0.8)
    }

    @Test(arguments: [3, 10]) func `a tenth of changed labels holds a small batch`(
        _ batches: Int
    ) throws {
        let gate = try Gate(try contract(Self.text))
        let baseline = try Self.baseline(gate, batches)
        let rows = Self.rows(200, seed: 500)
        let clean = try gate.judge(texts: rows, baseline)
        #expect(clean.verdict.isAccepted, "\(clean.verdict.findings)")
        #expect(try #require(excess(clean.decision)).outcome == .accepted)
        let places = Array(stride(from: 4, to: 200, by: 10))
        let judged = try gate.judge(texts: Self.flipped(rows, places), baseline)
        let test = try #require(excess(judged.decision))
        #expect(test.outcome == .quarantined && !judged.verdict.isAccepted)
        // The share estimates the number of changed labels.
        #expect(try #require(test.range).contains(0.1) && abs(test.effect - 0.1) < 0.05, "\(test)")
        let held = Set(
            judged.findings.filter { $0.code == .labelFlip && $0.outcome == .quarantined }.compactMap(\.row).map {
                $0 - 1
            })
        #expect(places.count(where: held.contains) >= 12, "\(held.intersection(places).count) of 20")
        #expect(held.subtracting(places).count <= 6, "\(held.subtracting(places).count) honest rows")
    }

    @Test func `clean batches of a feed are let through`() throws {
        let gate = try Gate(try contract(Self.text))
        let baseline = try Self.baseline(gate, 6)
        for seed in 600..<612 as Range<UInt64> {
            // Labels near the boundary are uncertain; there are more of them than before.
            let judged = try gate.judge(texts: Self.rows(150, seed: seed, gap: 0.9), baseline)
            #expect(excess(judged.decision)?.outcome == .accepted, "\(seed): \(judged.decision.tests)")
            #expect(judged.findings.count { $0.code == .labelFlip && $0.outcome == .quarantined } <= 1)
        }
    }

    @Test func `what a batch's other rows explain is no changed label`() throws {
        let gate = try Gate(try contract(Self.text))
        let baseline = try Self.baseline(gate, 6, rows: 300)
        // All measures are a little higher: the model of earlier batches expects far more of one label.
        let moved = Self.rows(400, seed: 700, level: 0.4)
        let decision = gate.decide(gate.profile(try gate.checked(moved)), baseline)
        let basis = try #require(decision.linearBasis)
        let doubted = moved.count {
            $0[Self.width] == "no" && $0.prefix(Self.width).reduce(0) { $0 + (Double($1) ?? 0) } > 0
        }
        #expect(doubted > 30, "the earlier line is wrong about many rows")
        #expect(try #require(excess(decision)).outcome == .accepted)
        let places = Array(stride(from: 4, to: 400, by: 10))
        let other = gate.decide(gate.profile(try gate.checked(Self.flipped(moved, places))), baseline)
        #expect(try #require(excess(other)).outcome == .quarantined)
        #expect(other.linearBasis?.model == basis.model, "the same rows teach the same model")
    }

    @Test func `where labels cannot be told nothing is said`() throws {
        let gate = try Gate(try contract(Self.text))
        func noise(_ count: Int, seed: UInt64) -> [[String]] {
            var draws = Draws(seed: seed)
            return Self.rows(count, seed: seed).map { $0.dropLast() + [draws.uniform() < 0.5 ? "yes" : "no"] }
        }
        let parts = try (1...5).map { try gate.judge(texts: noise(300, seed: $0), nil).baseline }
        let baseline = Baseline.merged(parts)
        let decision = gate.decide(gate.profile(try gate.checked(noise(300, seed: 50))), baseline)
        #expect(decision.linear == nil)
        #expect(decision.untested.contains { $0.reason.contains("cannot be told") })
    }

    @Test func `a kept decision has the same model, and older ones have none`() throws {
        let gate = try Gate(try contract(Self.text))
        let baseline = try Self.baseline(gate, 4)
        let rows = Self.flipped(Self.rows(200, seed: 800), Array(0..<30))
        let checked = try gate.checked(rows)
        let decision = gate.decide(gate.profile(checked), baseline)
        let document = try JSONValue.parse(decision.document().canonicalBytes())
        let kept = try #require(Decision(document, schema: gate.schema, screened: gate.screened))
        #expect(kept.linear?.features == decision.linear?.features && kept.linear?.models == decision.linear?.models)
        func screened(_ decision: Decision) -> [Finding] {
            checked.flatMap { Screener(decision, gate.reader, actions: [:]).screen($0).findings }
        }
        #expect(screened(kept) == screened(decision))
        #expect(screened(kept).contains { $0.code == .labelFlip && $0.outcome == .quarantined })
        // A decision of format 5 uses neighbours alone.
        var members = try #require(document.members)
        members["v"] = .integer(5)
        members["linear"] = nil
        let old = try #require(Decision(.object(members), schema: gate.schema, screened: gate.screened))
        #expect(old.linear == nil && screened(old).count < screened(decision).count)
        // Weights of another model would be read out of bounds.
        members = try #require(document.members)
        var linear = try #require(members["linear"]?.members)
        var models = try #require(linear["models"]?.members)
        let weights = try #require(models["weights"]?.items)
        for damaged in [
            [weights[0]], [weights[0], weights[1], .string("00zz")], [weights[0], weights[1], .string("0000")],
        ] {
            models["weights"] = .array(damaged)
            linear["models"] = .object(models)
            members["linear"] = .object(linear)
            #expect(Decision(.object(members), schema: gate.schema, screened: gate.screened) == nil)
        }
    }
}
