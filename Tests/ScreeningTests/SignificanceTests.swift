import Foundation
import Testing

@testable import Screening

@Suite struct SignificanceTests {
    @Test func `binomial tails are those of exact sums`() {
        for (n, p) in [(20, 0.01), (20, 0.5), (200, 0.03), (200, 0.97), (1000, 0.3)] as [(Int, Double)] {
            // Term by term, from the smallest to the largest.
            let terms = (0...n).map { (k: Int) -> Double in
                let (all, some, rest) = (Double(n), Double(k), Double(n - k))
                let choices: Double = lgamma(all + 1) - lgamma(some + 1) - lgamma(rest + 1)
                return exp(choices + some * log(p) + rest * log1p(-p))
            }
            for k in stride(from: 0, through: n, by: max(1, n / 50)) {
                let expected = terms[k...].reversed().reduce(0, +)
                let found = Significance.binomialTail(k, of: n, p)
                #expect(abs(found - expected) < 1e-10 + 1e-8 * expected, "\(k) of \(n), p \(p): \(found), \(expected)")
            }
        }
        // Far in the tail, where single terms dominate: 100 of 100 at one half.
        #expect(abs(Significance.binomialTail(100, of: 100, 0.5) / 0x1p-100 - 1) < 1e-9)
        #expect(Significance.binomialTail(0, of: 10, 0.1) == 1 && Significance.binomialTail(11, of: 10, 0.1) == 0)
        #expect(Significance.binomialTail(3, of: 10, 0) == 0 && Significance.binomialTail(3, of: 10, 1) == 1)
    }

    /// Abramowitz and Stegun, tables 26.1 and 26.8.
    @Test(arguments: [
        (0.05, 1, 3.841459), (0.01, 1, 6.634897), (0.05, 9, 16.918978), (0.001, 9, 27.877165), (0.001, 30, 59.703064),
        (0.005, 100, 140.169489), (0.999, 10, 1.478743),
    ])
    func `critical values of χ² are those of the tables`(alpha: Double, degrees: Int, expected: Double) {
        #expect(abs(Significance.chiSquareCritical(alpha, degrees) - expected) < 2e-5)
        #expect(abs(Significance.chiSquareTail(expected, degrees) / alpha - 1) < 1e-5)
    }

    @Test(arguments: [(0.5, 0.0), (0.025, 1.959964), (0.001, 3.090232), (1e-10, 6.361341), (0.975, -1.959964)])
    func `critical values of the normal distribution are those of the tables`(alpha: Double, expected: Double) {
        #expect(abs(Significance.normalCritical(alpha) - expected) < 1e-5)
    }

    @Test func `an excess accounts for the error of the earlier rate`() {
        // Ten of a thousand after none of a hundred is weak evidence; after none of ten thousand it is overwhelming.
        #expect(Significance.excess(10, of: 1000, before: 0, of: 100) > 0.3)
        #expect(Significance.excess(10, of: 1000, before: 0, of: 10_000) < 1e-9)
        // The probability is calibrated: equal rates, drawn often.
        var draws = Draws(seed: 77)
        var alarms = 0
        for _ in 0..<4000 {
            let (now, before) = (Int(draws.poisson(12)), Int(draws.poisson(6)))
            if Significance.excess(now, of: 2000, before: before, of: 1000) < 0.01 { alarms += 1 }
        }
        #expect(alarms < 60, "\(alarms) of 4000 at one per cent")
    }

    @Test func `Wilson's bound is that of his paper's form`() {
        // 8 of 10 at z = 1.96: 0.4902 to 0.9433.
        #expect(abs(Significance.wilsonLower(8, of: 10) - 0.4902) < 1e-4)
        #expect(Significance.wilsonLower(0, of: 10) == 0 && Significance.wilsonLower(0, of: 0) == 0)
    }

    @Test func `Smirnov's critical distance holds its rate`() {
        #expect(abs(Significance.smirnovCritical(0.05, 100, 100) - 0.19206) < 1e-4)
        var draws = Draws(seed: 78)
        var alarms = 0
        for _ in 0..<1000 {
            let left = (0..<80).map { _ in draws.normal() }.sorted()
            let right = (0..<300).map { _ in draws.normal() }.sorted()
            if Drift.distance(left, right) > Significance.smirnovCritical(0.05, 80, 300) { alarms += 1 }
        }
        #expect((10...65).contains(alarms), "\(alarms) of 1000 at five per cent")
    }
}
