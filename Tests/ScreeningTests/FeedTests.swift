import Foundation
import Schemas
import Sketches
import Tabular
import Testing
import Validating

@testable import Screening

/// Batches that differ from day to day, as real ones do: usual variation passes, other changes are held.
@Suite struct `batches that differ` {
    private static let text = """
        fields:
          - { name: order, type: integer }
          - { name: price, type: number }
          - { name: day, type: integer }
          - { name: shop, type: string }
        """

    /// Orders of a day: ascending numbers, prices around a level, the day, and one of five shops.
    private func day(_ number: Int, level: Double, rows count: Int = 400, shops: Int = 5) -> [[String]] {
        var draws = Draws(seed: UInt64(number + 1))
        return (0..<count).map { row in
            let price = level + 10 * draws.normal()
            let shop = min(Int(draws.uniform() * Double(shops)), shops - 1)
            return ["\(number * 1000 + row)", "\(price)", "\(20_000 + number)", "shop\(shop)"]
        }
    }

    /// Levels that change by up to a deviation from day to day.
    private func level(_ number: Int) -> Double {
        var draws = Draws(seed: UInt64(9000 + number))
        return 100 + 10 * draws.uniform()
    }

    /// Accepts days one after the other, whatever they are; returns what was held, and the last baseline.
    private func learn(_ gate: Gate, days: Range<Int>, rows: Int = 400) throws -> (held: Int, parts: [Baseline]) {
        var (held, parts) = (0, [Baseline]())
        for number in days {
            let judged = try gate.judge(
                texts: day(number, level: level(number), rows: rows), Baseline.merged(parts.reversed()))
            if !judged.verdict.isAccepted { held += 1 }
            parts.append(judged.baseline)
        }
        return (held, parts)
    }

    @Test func `honest days pass, though no two are of one law, and a day unlike all is held`() throws {
        let gate = try Gate(try contract(Self.text))
        let (held, parts) = try learn(gate, days: 0..<14)
        #expect(held == 0)
        let baseline = try #require(Baseline.merged(parts.reversed()))
        let honest = try gate.judge(texts: day(20, level: 109), baseline)
        #expect(honest.verdict.isAccepted, "\(honest.verdict.findings)")
        #expect(!honest.decision.isLearning)
        let forms = honest.decision.forms
        #expect(forms[0] == .key || forms[0] == .counter, "\(forms)")
        #expect(forms[1] == .measure && forms[2].isLeftOut, "\(forms)")
        let dear = try gate.judge(texts: day(21, level: 160), baseline)
        #expect(
            dear.verdict.findings.contains {
                $0.code == .distributionDrift && $0.field == 1 && $0.outcome == .quarantined
            })
        // It is one finding about the batch, not one for each of its rows.
        #expect(dear.counts.count(.quarantined) == 0, "\(dear.counts.count(.quarantined))")
        let planted = day(22, level: 105).enumerated().map { row, cells in
            row < 8 ? [cells[0], "9000", cells[2], cells[3]] : cells
        }
        let found = try gate.judge(texts: planted, baseline)
        #expect((1...8).allSatisfy { row in found.findings.contains { $0.row == row && $0.outcome == .quarantined } })
        #expect(found.counts.count(.quarantined) == 8)
        let shops = try gate.judge(texts: day(23, level: 105).map { Array($0.dropLast()) + ["shop0"] }, baseline)
        #expect(!shops.verdict.isAccepted)
        let missing = try gate.judge(
            texts: day(24, level: 105).enumerated().map { $0 % 3 == 0 ? [$1[0], "", $1[2], $1[3]] : $1 }, baseline)
        #expect(missing.verdict.findings.contains { $0.code == .missingDrift && $0.outcome == .quarantined })
    }

    @Test func `while it learns drift is remarked on, and what is far out is held`() throws {
        let gate = try Gate(try contract(Self.text))
        let baseline = try #require(Baseline.merged(try learn(gate, days: 0..<7).parts.reversed()))
        let moved = try gate.judge(texts: day(5, level: 130), baseline)
        #expect(moved.decision.isLearning && moved.verdict.isAccepted, "\(moved.verdict.findings)")
        #expect(moved.verdict.findings.contains { $0.code == .distributionDrift && $0.outcome == .flagged })
        #expect(moved.decision.untested.contains { $0.reason.contains("learning (7 of 8 batches)") })
        let far = try gate.judge(texts: day(6, level: 200), baseline)
        #expect(!far.verdict.isAccepted)
    }

    @Test func `a level that a person accepted begins anew, and what is poisoned is held as before`() throws {
        let gate = try Gate(try contract(Self.text))
        var parts = try learn(gate, days: 0..<12).parts
        func judge(_ texts: [[String]]) throws -> Judged {
            try gate.judge(texts: texts, Baseline.merged(parts.reversed()))
        }
        let dear = try judge(day(12, level: 160))
        #expect(!dear.verdict.isAccepted)
        var first = dear.baseline
        first.beginLevels(of: ["price"])
        #expect(Baseline(decoding: first.encoded()) == first && first.newLevels == ["price"])
        parts.append(first)
        for number in 13..<23 {
            if number == 17 {
                // In the middle, a third of the prices is missing, and a batch with planted prices comes.
                let holes = day(number, level: 160).enumerated().map { $0 % 3 == 0 ? [$1[0], "", $1[2], $1[3]] : $1 }
                #expect(try !judge(holes).verdict.isAccepted)
                let planted = day(number, level: 160).enumerated().map {
                    $0 % 10 == 0 ? [$1[0], "9000", $1[2], $1[3]] : $1
                }
                #expect(try !judge(planted).verdict.isAccepted)
            }
            let judged = try judge(day(number, level: 60 + level(number)))
            #expect(judged.verdict.isAccepted, "\(number): \(judged.verdict.findings)")
            parts.append(judged.baseline)
        }
        // The old level is no longer usual.
        #expect(try !judge(day(30, level: 105)).verdict.isAccepted)
        // For the other fields all batches count: they do not learn again.
        let shops = try judge(day(31, level: 160).map { Array($0.dropLast()) + ["shop0"] })
        #expect(!shops.verdict.isAccepted)
    }

    @Test func `files too small to be compared are judged row by row, and many of them together`() throws {
        let gate = try Gate(try contract(Self.text))
        let baseline = try #require(Baseline.merged(try learn(gate, days: 0..<10).parts.reversed()))
        let small = try gate.judge(texts: day(11, level: 105, rows: 60), baseline)
        #expect(
            small.verdict.isAccepted
                && small.decision.untested.contains { $0.reason.contains("rows since the last comparison") })
        let one = try gate.judge(texts: day(13, level: 105, rows: 1), baseline)
        #expect(one.verdict.isAccepted && one.decision.basis == .baseline, "\(one.verdict.findings)")
        // Its level is not compared, so each row beyond all accepted ones counts.
        let poisoned = try gate.judge(texts: day(12, level: 400, rows: 60), baseline)
        #expect(!poisoned.verdict.isAccepted && poisoned.counts.count(.quarantined) == 60)
        // Files of forty rows are pooled into a batch of a hundred.
        let parts = try learn(gate, days: 30..<40, rows: 40).parts
        let history = FeedHistory(parts)
        #expect((3...4).contains(history.batches.count), "\(history.batches.map(\.rows))")
        #expect(history.batches.allSatisfy { $0.rows >= FeedHistory.rowsMin })
    }

    @Test func `the line follows how far batches were, and Student's quantiles are right`() {
        for (alpha, degrees, critical) in [
            (0.005, 6, 3.70743), (0.0001, 7, 7.06343), (0.001, 25, 3.45019), (1e-4, 10, 5.69382),
        ] {
            #expect(abs(Significance.studentCritical(alpha, degrees) - critical) < 1e-4)
        }
        func line(_ distances: [Double]) -> Double {
            BetweenBatches.line(
                distances.map { .init(value: $0, chance: 0.05) }, alpha: 2e-4, chance: 0.05, floor: 0.3)
        }
        #expect(line([]) == 0.3 && line(Array(repeating: 0, count: 15)) == 0.3)
        // Usual distances stay usual, and no threshold is more than three times the largest.
        #expect(line([0.4, 0.9, 0.5, 0.6]) >= 1.8)
        #expect((0.8...1.3).contains(line(Array(repeating: 0.4, count: 15))))
        // Batches just below the threshold widen it by at most a tenth each; a released batch counts in full.
        var greedy = (0..<8).map { _ in 0.2 }
        let begin = line(greedy)
        for _ in 0..<10 { greedy.append(0.99 * line(greedy)) }
        #expect(line(greedy) <= begin * pow(1.1, 10) + 1e-9 && line(greedy) > begin, "\(begin) \(line(greedy))")
        #expect(line(Array(repeating: 0.2, count: 8) + [3 * begin]) >= 6 * begin)
        var rates = (0..<8).map { _ in (found: 10, of: 1000) }
        func rate() -> Double { RateChart(alpha: 1e-3, floor: 0).line(rates, count: 1000) }
        let first = rate()
        for _ in 0..<10 { rates.append((found: Int(990 * rate()), of: 1000)) }
        #expect(rate() <= first * pow(1.1, 10) + 1e-9, "\(first) \(rate())")
        let chart = RateChart(alpha: 1e-3, floor: 0)
        let steady = chart.line((0..<10).map { _ in (found: 10, of: 1000) }, count: 1000)
        let varying = chart.line((0..<10).map { (found: $0 % 2 == 0 ? 2 : 18, of: 1000) }, count: 1000)
        #expect((0.015...0.03).contains(steady) && varying > 1.4 * steady, "\(steady) \(varying)")
    }
}
