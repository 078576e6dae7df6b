import Foundation
import Schemas
import Sketches
import Tabular
import Testing

@testable import Screening

@Suite struct DecisionTests {
    private static let text =
        "fields:\n  - { name: a, type: number }\n  - { name: b, type: number }\n  - { name: c, type: number }\n"
        + "sluice: { baseline: { learning: 1 } }\n"

    private func clean(_ count: Int, seed: UInt64) -> [[Double]] {
        var draws = Draws(seed: seed)
        return (0..<count).map { _ in [draws.draw("normal"), draws.draw("lognormal"), draws.draw("uniform")] }
    }

    /// Clean rows, with a tight cluster instead of every eleventh row: about 9 %.
    private func poisoned(_ count: Int, seed: UInt64) -> [[Double]] {
        var draws = Draws(seed: seed &+ 1000)
        var rows = clean(count, seed: seed)
        for row in stride(from: 0, to: count, by: 11) {
            rows[row] = [17 + 0.05 * draws.normal(), 9 + 0.05 * draws.normal(), 0.02 + 0.001 * draws.uniform()]
        }
        return rows
    }

    @Test func `clean batches pass their baseline, a poisoned one is held`() throws {
        let gate = try Gate(try contract(Self.text))
        let first = try gate.judge(clean(12_000, seed: 1), nil)
        #expect(first.verdict.isAccepted, "\(first.verdict.findings)")
        #expect(first.decision.basis == .firstContact && first.decision.forest?.quarantineBelow == 0)
        var baseline = first.baseline
        for seed in [2, 3] as [UInt64] {
            let next = try gate.judge(clean(6000, seed: seed), baseline)
            #expect(next.decision.basis == .baseline && next.verdict.isAccepted, "\(next.verdict.findings)")
            let rate = Double(next.counts.remarkedForest) / 6000
            print("held-out flag rate of a clean batch: \(rate)")
            #expect((0.004...0.02).contains(rate))
            baseline = try #require(Baseline.merged([next.baseline, baseline]))
        }
        #expect(baseline.batches == 3)
        let rows = poisoned(6000, seed: 4)
        let bad = try gate.judge(rows, baseline)
        let cluster = Array(stride(from: 0, to: rows.count, by: 11))
        let caught = cluster.count { bad.outcomes[$0] > .accepted }
        print("poison caught by a baseline: \(caught) of \(cluster.count); \(bad.verdict.findings.map(\.code))")
        #expect(Double(caught) >= 0.95 * Double(cluster.count))
        #expect(!bad.verdict.isAccepted)
        #expect(bad.verdict.findings.contains { $0.code == .tooManyQuarantined })
        // Judged by itself the batch hides the cluster; that is why there is a baseline.
        let alone = try gate.judge(rows, nil)
        let seen = Set(alone.findings.filter { $0.code == .isolatedRow }.compactMap(\.row).map { $0 - 1 })
        print("poison caught by the batch's own forest: \(cluster.count { seen.contains($0) })")
    }

    @Test func `rows are held back by the forest while they are few, and are the rate's business when they are many`()
        throws
    {
        let gate = try Gate(try contract(Self.text))
        var parts = [try gate.judge(clean(6000, seed: 21), nil).baseline]
        parts.append(try gate.judge(clean(6000, seed: 22), parts[0]).baseline)
        let judged = try gate.judge(clean(3000, seed: 23), Baseline.merged(parts.reversed()))
        let forest = try #require(judged.decision.forest)
        #expect(forest.quarantineBelow > 0)
        // Rows in the middle of the accepted ones, so that only the threshold decides.
        let rows = clean(3000, seed: 24)
        let center = (0..<3).map { place in Robust.median(rows.map { $0[place] }.ascending()) }
        let middle = sample(Array(repeating: center, count: 100))
        let (now, accepted) = (sample(rows), [sample(clean(3000, seed: 21))])
        func followed(_ line: UInt32) -> UInt32 {
            var copy = forest
            copy.quarantineBelow = line
            copy.follow(now, accepted, middle)
            return copy.quarantineBelow
        }
        #expect(followed(forest.quarantineBelow) > 0)
        // A threshold that most rows exceed.
        #expect(followed(.max) == 0)
    }

    @Test func `twenty equal batches neither wear the baseline down nor are held`() throws {
        // Rows that are held back are missing in the sample. Thresholds from the remaining rows alone would move
        // inwards, hold back more each time, and finally hold sound batches.
        let gate = try Gate(try contract(Self.text))
        var recent = [try gate.judge(clean(3000, seed: 500), nil).baseline]
        var shares: [Double] = []
        for seed in 501...520 as ClosedRange<UInt64> {
            let next = try gate.judge(clean(3000, seed: seed), Baseline.merged(recent))
            #expect(next.verdict.isAccepted, "batch \(seed): \(next.verdict.findings)")
            shares.append(Double(next.counts.count(.quarantined)) / 3000)
            recent = (recent + [next.baseline]).suffix(8)
        }
        let (early, late) = (shares.prefix(8).reduce(0, +) / 8, shares.suffix(8).reduce(0, +) / 8)
        #expect(late < 0.01 && late < 1.5 * early + 0.001, "held back \(early), later \(late)")
    }

    @Test func `a baseline that lacks a feature judges the others`() throws {
        let gate = try Gate(try contract(Self.text))
        let whole = try gate.judge(clean(9000, seed: 41), nil).baseline
        let fewer = try #require(whole.projected(onto: ["b", "c"], codes: ["\0row"])).projected(
            onto: ["a", "b", "c"], codes: ["\0row"])
        let judged = try gate.judge(clean(6000, seed: 42), fewer)
        #expect(judged.decision.basis == .baseline && judged.verdict.isAccepted)
        #expect(
            judged.decision.untested.compactMap(\.field) == [0, 0]
                && judged.decision.forest?.inputs == [.measure(1), .measure(2)])
        #expect(whole.projected(onto: ["x"]) == nil)
    }

    @Test func `the forest of a baseline alone catches the cluster`() throws {
        var draws = Draws(seed: 31)
        let base = (0..<8000).map { _ in (0..<5).map { _ in draws.normal() } }
        let forest = IsolationForest(
            sample: sample(base), rows: 0..<4000, fields: [0, 1, 2, 3, 4], seed: 8)
        let held = forest.sums(columns(base[4000...])).sorted()
        let line = held[40]
        let fresh = (0..<4000).map { _ in (0..<5).map { _ in draws.normal() } }
        let flagged = forest.sums(columns(fresh[...])).count { $0 < line }
        print("flag rate on fresh clean rows: \(Double(flagged) / 4000)")
        #expect((0.004...0.018).contains(Double(flagged) / 4000))
        let cluster = (0..<400).map { _ in (0..<5).map { _ in 3 + 0.1 * draws.normal() } }
        let caught = forest.sums(columns(cluster[...])).count { $0 < line }
        print("cluster caught by the baseline's forest: \(caught) of 400")
        #expect(caught >= 380)
    }

    @Test func `the same input makes the same document`() throws {
        let gate = try Gate(try contract(Self.text))
        let rows = clean(5000, seed: 9)
        let batches = try gate.checked(rows)
        let whole = gate.profile(batches)
        var parts = Profile(gate.reader, keyRules: 0)
        for batch in batches.reversed() {
            var part = Profile(gate.reader, keyRules: 0)
            part.add(batch, gate.reader, order: Gate.order)
            parts.merge(part)
        }
        parts.finish()
        let first = gate.decide(whole, nil).document().canonicalBytes()
        #expect(first == gate.decide(whole, nil).document().canonicalBytes())
        #expect(first == gate.decide(parts, nil).document().canonicalBytes())
        #expect(String(decoding: first, as: UTF8.self).contains("\"first-contact\""))
    }

    @Test func `few rows are said to be untested, a constant too`() throws {
        let gate = try Gate(try contract(Self.text))
        let few = try gate.judge(clean(29, seed: 10), nil)
        #expect(few.decision.rules.isEmpty && few.decision.forest == nil)
        #expect(few.decision.untested.compactMap(\.field) == [0, 1, 2])
        #expect(few.outcomes.allSatisfy { $0 == .accepted })
        var rows = clean(100, seed: 11)
        for row in rows.indices { rows[row][0] = 5 }
        let constant = try gate.judge(rows, nil)
        #expect(constant.decision.untested.compactMap(\.field) == [0])
        var changed = clean(100, seed: 12)
        for row in changed.indices { changed[row][0] = row == 50 ? 6 : 5 }
        let later = try gate.judge(changed, constant.baseline)
        #expect(later.findings.contains { $0.code == .constantChanged && $0.row == 51 && $0.outcome == .flagged })
    }

    @Test func `a baseline over other features is left aside`() throws {
        let gate = try Gate(try contract(Self.text))
        let rows = clean(200, seed: 13)
        let other = Baseline(
            features: ["a", "b", "x"], sample: sample(rows, capacity: Baseline.capacity), remarks: .init())
        #expect(try gate.judge(rows, other).decision.basis == .firstContact)
        let small = Baseline(
            features: ["a", "b", "c"], sample: sample(Array(rows.prefix(29)), capacity: Baseline.capacity),
            remarks: .init())
        #expect(try gate.judge(rows, small).decision.basis == .firstContact)
        var same = Baseline(
            features: ["a", "b", "c"], sample: sample(rows, capacity: Baseline.capacity), remarks: .init())
        // A baseline of a version without codes.
        let projected = same.projected(onto: ["a", "b", "c"], codes: ["\0row"])
        #expect(try gate.judge(rows, projected).decision.basis == .baseline)
        #expect(try #require(Baseline(decoding: same.encoded())) == same)
        #expect(Baseline(decoding: Array(same.encoded().dropLast())) == nil)
        // A store that an earlier version began keeps its baselines.
        same.sizes = []
        for version in 1...2 { #expect(Baseline(decoding: older(same, version)) == same) }
        // Its texts have other items; everything else is kept.
        let texts = RowSample(
            capacity: 8, width: 0, codeWidth: 1,
            rows: .init(ranks: [1], values: [], codes: [7], tokens: [1, 2], tokenEnds: [2]), offered: 1)
        let whole = Baseline(
            features: ["a", "b", "c"], codes: ["\0row"], sample: try #require(projected).sample, texts: texts,
            remarks: .init())
        var third = whole.encoded()
        third[17] = UInt8(ascii: "3")
        // The previous format had no event times: 31 counts after the levels.
        var sixth = whole.encoded()
        sixth[17] = UInt8(ascii: "6")
        sixth.removeSubrange(19 + 17 * 8..<19 + 48 * 8)
        #expect(Baseline(decoding: sixth) == whole)
        // Format 3 had neither records of triggers nor levels: two counts after the sizes and the marker for no slow
        // drift.
        third.removeSubrange(19 + 15 * 8..<19 + 48 * 8)
        // It did not count copies, triggers and rows with another label than their neighbours.
        third.removeSubrange(19 + 6 * 8..<19 + 12 * 8)
        let read = try #require(Baseline(decoding: third))
        #expect(Baseline(decoding: whole.encoded()) == whole && whole.texts.count == 1)
        #expect(read.texts.count == 0 && read.sample == whole.sample)
        #expect(Baseline.merged([same, other]) == same && Baseline.merged([]) == nil)
        // Merged one by one, all at once, and in any order: the same rows.
        let parts = try (60...62).map { try gate.judge(clean(9000, seed: $0), nil).baseline }
        let once = try #require(Baseline.merged(parts))
        let some = try #require(Baseline.merged([parts[2], parts[0]]))
        let stepwise = try #require(Baseline.merged([some, parts[1]]))
        #expect(once.sample == stepwise.sample && once.remarks == stepwise.remarks && once.batches == 3)
        #expect(once.sample.count == Baseline.capacity)
    }

    /// A baseline as earlier versions wrote it.
    private func older(_ baseline: Baseline, _ version: Int) -> [UInt8] {
        var out = Array("sluice-baseline-v\(version)\n".utf8)
        func word(_ value: UInt64) {
            for shift in 0..<8 { out.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * shift))) }
        }
        let sample = baseline.sample
        for count in [baseline.batches, sample.capacity, sample.offered, sample.count] { word(UInt64(count)) }
        if version > 1 { for _ in 0..<4 { word(0) } }
        word(UInt64(baseline.features.count))
        for name in baseline.features {
            word(UInt64(name.utf8.count))
            out += Array(name.utf8)
        }
        for rank in sample.ranks { word(rank) }
        for value in sample.values { word(value.bitPattern) }
        return out
    }

    @Test func `an infinite value is remarked on with a number that a report can hold`() throws {
        let gate = try Gate(try contract(Self.text))
        var rows = clean(100, seed: 14)
        rows[7][0] = .infinity
        let judged = try gate.judge(rows.map { $0 }, nil)
        let finding = try #require(judged.findings.first { $0.row == 8 && $0.field == 0 })
        #expect(finding.code == .deviatedValue && finding.outcome == .quarantined)
    }
}
