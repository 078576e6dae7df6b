import Foundation
import Schemas
import Sketches
import Testing

@testable import Screening

@Suite struct ModifiedZTests {
    @Test func `a few huge values do not blind a column that is mostly one value`() throws {
        var draws = Draws(seed: 17)
        var values = (0..<600).map { _ in 0.0 } + (0..<400).map { _ in 10 * draws.uniform() }
        let clean = try #require(ModifiedZ(field: 0, values: values))
        #expect(clean.score(500) > 2 * clean.threshold)
        values[10] = 1e308
        values[11] = 1e308
        let planted = try #require(ModifiedZ(field: 0, values: values))
        #expect(planted.score(500) > 2 * planted.threshold && planted.score(1e308) > 2 * planted.threshold)
        #expect(planted.score(5) <= planted.threshold)
    }

    /// What a contract may say of a column.
    private func columnRule(_ transform: String, tails: String? = nil, threshold: Double? = nil) -> AnomalyRule {
        var rule = AnomalyRule()
        (rule.transform, rule.tails, rule.threshold) = (transform, tails, threshold)
        return rule
    }

    /// The textbook median.
    private func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }

    @Test func `the score is that of Iglewicz and Hoaglin`() throws {
        var draws = Draws(seed: 1)
        for count in [30, 31, 100, 999] {
            let values = (0..<count).map { _ in draws.draw("normal") }
            let rule = try #require(
                ModifiedZ(field: 0, values: values, rule: columnRule("none", tails: "single", threshold: 3.5)))
            let center = median(values)
            let deviation = median(values.map { abs($0 - center) })
            for value in values + [1e6, -1e6] {
                let expected = abs(0.6745 * (value - center) / deviation)
                #expect(abs(rule.score(value) - expected) <= 1e-9 * max(1, expected))
            }
            #expect(rule.threshold == 3.5 && !rule.isConstant && rule.count == count)
            #expect(rule.score(.nan) == 0)
        }
    }

    @Test func `a column that is mostly one value uses the mean deviation`() throws {
        let values = [Double](repeating: 5, count: 80) + (0..<20).map { 5 + Double($0) }
        let rule = try #require(
            ModifiedZ(field: 0, values: values, rule: columnRule("none", tails: "single", threshold: 3.5)))
        // Of the nineteen deviations 1 to 19, those beyond the ninth decile are clipped.
        let cap = Robust.quantile((1...19).map(Double.init), 0.9)
        let mean = (1...19).reduce(0.0) { $0 + min(Double($1), cap) } / 100
        #expect(abs(rule.score(50) - 45 / (1.253314 * mean)) < 1e-9)
    }

    @Test func `a constant column, and too few rows`() throws {
        let constant = try #require(ModifiedZ(field: 0, values: [Double](repeating: 7, count: 30)))
        #expect(constant.isConstant && constant.score(7) == 0 && constant.score(8) == .infinity)
        #expect(ModifiedZ(field: 0, values: [Double](repeating: 7, count: 29)) == nil)
    }

    @Test func `infinite values have no say, and are beyond any line`() throws {
        var draws = Draws(seed: 2)
        let clean = (0..<200).map { _ in draws.draw("normal") }
        let rule = try #require(ModifiedZ(field: 0, values: clean))
        let mixed = try #require(ModifiedZ(field: 0, values: clean + [Double](repeating: .infinity, count: 60)))
        #expect(mixed == rule && mixed.threshold.isFinite)
        #expect(mixed.score(.infinity) == .infinity && mixed.score(-.infinity) == .infinity)
        #expect(ModifiedZ(field: 0, values: clean.prefix(29) + [.infinity]) == nil)
    }

    @Test func `skewed columns are tested as logarithms, or each tail apart`() throws {
        var draws = Draws(seed: 3)
        let lognormal = (0..<2000).map { _ in draws.draw("lognormal") }
        let rule = try #require(ModifiedZ(field: 0, values: lognormal))
        #expect(rule.usesLog)
        let negated = try #require(ModifiedZ(field: 0, values: lognormal.map { -$0 }))
        #expect(!negated.usesLog && negated.scaleBelow > 1.5 * negated.scaleAbove)
        let plain = try #require(ModifiedZ(field: 0, values: lognormal, rule: columnRule("none", tails: "single")))
        #expect(!plain.usesLog && plain.scaleBelow == plain.scaleAbove)
        #expect(try #require(ModifiedZ(field: 0, values: lognormal, rule: columnRule("log1p"))).score(-2) == .infinity)
    }

    /// The false-alarm rate of `threshold: auto`, on the rows that the threshold was made from and on as many fresh
    /// ones.
    @Test func `auto flags about one clean row in two thousand`() throws {
        let seeds = UInt64(ProcessInfo.processInfo.environment["SLUICE_SEEDS"] ?? "") ?? 3
        print("| distribution | same rows | fresh rows | threshold, mean | planted 0.5 % caught | planted 1 % caught |")
        print("|---|---|---|---|---|---|")
        for name in ["normal", "lognormal", "exponential", "uniform", "t3", "poisson"] {
            var (same, fresh, threshold) = (0, 0, 0.0)
            var caught = [0, 0]
            let count = 20_000
            for seed in 1...seeds {
                var draws = Draws(seed: seed &* 7919)
                let values = (0..<count).map { _ in draws.draw(name) }
                let others = (0..<count).map { _ in draws.draw(name) }
                let rule = try #require(ModifiedZ(field: 0, values: values))
                same += values.count { rule.score($0) > rule.threshold }
                fresh += others.count { rule.score($0) > rule.threshold }
                threshold += rule.threshold / Double(seeds)
                let planted = (values.max() ?? 0) * 20 + 20
                for (index, share) in [100, 200].enumerated() {
                    let dirty = Array(values.dropLast(share)) + [Double](repeating: planted, count: share)
                    let moved = try #require(ModifiedZ(field: 0, values: dirty))
                    caught[index] += moved.score(planted) > moved.threshold ? 1 : 0
                }
            }
            let total = Double(count) * Double(seeds)
            let rates = [Double(same), Double(fresh)].map { String(format: "%.5f", $0 / total) }
            print(
                "| \(name) | \(rates[0]) | \(rates[1]) | \(String(format: "%.2f", threshold)) "
                    + "| \(caught[0]) of \(seeds) | \(caught[1]) of \(seeds) |")
            #expect(Double(fresh) / total <= 2 * ModifiedZ.targetRate, "\(name)")
            #expect(caught[0] == Int(seeds), "\(name)")
            // Twenty times the largest value is not extreme for the logarithm of a lognormal column.
            if name != "lognormal" { #expect(caught[1] == Int(seeds), "\(name)") }
        }
    }

    @Test func `a column that is mostly one value, with others scattered around it`() throws {
        var draws = Draws(seed: 91)
        func scattered(_ count: Int) -> [Double] { (0..<count).map { _ in 2008 + (draws.normal() * 400).rounded() } }
        let years = (0..<80).map { _ in 2008.0 } + scattered(20)
        let rule = try #require(ModifiedZ(field: 0, values: years))
        #expect(rule.isConstant && rule.exceptions >= 18 && rule.score(2008) == 0 && rule.score(2009) == .infinity)
        // Mostly zero amounts, codes, and columns with a smaller constant share are different.
        let rain = (0..<80).map { _ in 0.0 } + (0..<20).map { _ in draws.draw("exponential") }
        #expect(try #require(ModifiedZ(field: 0, values: rain)).exceptions == 0)
        let fees = (0..<80).map { _ in 5.0 } + (0..<20).map { _ in 5 + draws.draw("exponential") }
        #expect(try #require(ModifiedZ(field: 0, values: fees)).exceptions == 0)
        let codes = (0..<80).map { _ in 2.0 } + (0..<20).map { Double(1 + 2 * ($0 % 2)) }
        #expect(try #require(ModifiedZ(field: 0, values: codes)).exceptions == 0)
        let half = (0..<60).map { _ in 2008.0 } + scattered(40)
        #expect(try #require(ModifiedZ(field: 0, values: half)).exceptions == 0)
    }
}
