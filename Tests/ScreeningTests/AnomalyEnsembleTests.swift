import Foundation
import Sketches
import Testing

@testable import Screening

/// How anomalous rows are, by three detectors together.
@Suite struct AnomalyEnsembleTests {
    private static func made(_ rows: [[Double]], seed: UInt64 = 7) -> AnomalyEnsemble {
        let sample = sample(rows)
        return AnomalyEnsemble(
            sample,
            forest: WideForest(sample, fields: Array(0..<sample.width), shape: .init(), seed: seed))
    }

    private static func cloud(_ count: Int, width: Int, seed: UInt64) -> [[Double]] {
        var draws = Draws(seed: seed)
        return (0..<count).map { _ in (0..<width).map { _ in draws.normal() } }
    }

    /// The share of (anomalous, normal) pairs in the right order.
    private func auroc(_ scores: [Double], strange: Set<Int>) -> Double {
        var (right, all) = (0.0, 0.0)
        for row in strange {
            for other in scores.indices where !strange.contains(other) {
                all += 1
                right += scores[row] > scores[other] ? 1 : scores[row] == scores[other] ? 0.5 : 0
            }
        }
        return right / all
    }

    @Test func `what each detector sees is strange, and ranks lie between none and all`() {
        var rows = Self.cloud(600, width: 4, seed: 1)
        // On a line without other rows nearby, though each value is ordinary; and an extreme value in one column.
        for row in 0..<6 { rows[row] = [2, -2, 2, -2].map { $0 + 0.01 * Double(row) } }
        for row in 6..<12 { rows[row][2] = 9 + Double(row) }
        let scores = Self.made(rows).scores(columns(rows[...]))
        #expect(scores.allSatisfy { (0...1).contains($0) })
        #expect(auroc(scores, strange: Set(6..<12)) > 0.99)
        #expect(auroc(scores, strange: Set(0..<6)) > 0.9)
        // Ranks of the sample's own rows are uniform.
        #expect(abs(scores.reduce(0, +) / Double(scores.count) - 0.5) < 0.05)
    }

    @Test func `rows are scored alike in any company`() {
        let rows = Self.cloud(500, width: 5, seed: 2)
        let ensemble = Self.made(rows)
        let all = ensemble.scores(columns(rows[...]))
        let parts = [0..<1, 1..<17, 17..<100, 100..<500].flatMap { ensemble.scores(columns(rows[$0])) }
        #expect(all.map(\.bitPattern) == parts.map(\.bitPattern))
        #expect(Self.made(rows).scores(columns(rows[...])) == all)
    }

    @Test(arguments: [1, 2, 255, 256, 600, 9000]) func `any number of columns is looked at`(width: Int) {
        var rows = Self.cloud(60, width: width, seed: 3)
        for column in 0..<width where column >= width / 2 { rows[59][column] = 40 }
        let scores = Self.made(rows).scores(columns(rows[...]))
        #expect(scores.indices.max { scores[$0] < scores[$1] } == 59, "\(scores)")
    }

    @Test func `what is no number, or far beyond all, is counted and breaks nothing`() {
        var rows = Self.cloud(300, width: 3, seed: 4)
        for row in rows.indices { rows[row][1] = row % 3 == 0 ? .nan : 5 }
        let odd: [[Double]] = [
            [.infinity, 5, 0], [-.infinity, .nan, 0], [1e308, 5, -1e308], [.nan, .nan, .nan], [0, 6, 0],
        ]
        let scores = Self.made(rows + odd).scores(columns((rows + odd)[...]))
        #expect(scores.allSatisfy { (0...1).contains($0) })
        #expect(scores[302] > 0.9 && scores[300] > 0.9)
        // Equal rows are equally anomalous.
        let same = [[Double]](repeating: [1, 2], count: 20)
        #expect(Set(Self.made(same).scores(columns(same[...]))) == [0.5])
        let two = [[1.0], [2.0]]
        #expect(Self.made(two).scores(columns(two[...])).allSatisfy { (0...1).contains($0) })
    }
}
