import Glibc
import Sketches
import Testing

@Suite struct DiscreteLaplaceTests {
    /// Pearson's chi-square over 10^6 draws; the seed is fixed, so the result is deterministic.
    @Test(arguments: [(1, 1), (5, 2), (1, 3), (20, 1), (7, 10)] as [(UInt64, UInt64)])
    func `a million draws fit the distribution`(_ numerator: UInt64, _ denominator: UInt64) {
        var bits = SplitMix64(seed: numerator &* 1_000 &+ denominator)
        let laplace = DiscreteLaplace(numerator: numerator, denominator: denominator)
        let draws = 1_000_000
        var counts: [Int: Int] = [:]
        for _ in 0..<draws { counts[laplace.draw(&bits), default: 0] += 1 }
        let q = exp(-Double(denominator) / Double(numerator))
        func chance(_ value: Int) -> Double { (1 - q) / (1 + q) * pow(q, Double(abs(value))) }
        // Cells with at least twenty expected draws; the two tails are one cell each.
        var edge = 0
        while Double(draws) * chance(edge + 1) >= 20 { edge += 1 }
        var statistic = 0.0
        func add(_ observed: Int, _ expected: Double) {
            statistic += (Double(observed) - expected) * (Double(observed) - expected) / expected
        }
        for value in -edge...edge { add(counts[value] ?? 0, Double(draws) * chance(value)) }
        let tail = Double(draws) * pow(q, Double(edge + 1)) / (1 + q)
        add(counts.filter { $0.key > edge }.values.reduce(0, +), tail)
        add(counts.filter { $0.key < -edge }.values.reduce(0, +), tail)
        // The 99.9 % point of chi-square by Wilson and Hilferty.
        let freedom = Double(2 * edge + 2)
        let critical = freedom * pow(1 - 2 / (9 * freedom) + 3.0902 * (2 / (9 * freedom)).squareRoot(), 3)
        #expect(statistic < critical, "chi-square \(statistic) of \(freedom) degrees, critical \(critical)")
    }

    @Test func `a wide scale stays in range, and both signs come`() {
        var bits = SplitMix64(seed: 9)
        let laplace = DiscreteLaplace(numerator: 1 << 40, denominator: 1)
        let values = (0..<2_000).map { _ in laplace.draw(&bits) }
        let mean = values.map { Double(abs($0)) }.reduce(0, +) / 2_000
        #expect(abs(mean / Double(UInt64(1) << 40) - 1) < 0.1)
        #expect((800...1_200).contains(values.count { $0 > 0 }))
    }
}
