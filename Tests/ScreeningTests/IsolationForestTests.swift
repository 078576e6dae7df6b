import CKernels
import Foundation
import Sketches
import Tabular
import Testing

@testable import Screening

@Suite struct IsolationForestTests {
    private func clean(_ count: Int, _ width: Int, seed: UInt64) -> [[Double]] {
        var draws = Draws(seed: seed)
        return (0..<count).map { _ in (0..<width).map { _ in draws.normal() } }
    }

    private func forest(_ rows: [[Double]], _ dimensions: Int, trees: Int = 100, seed: UInt64 = 1) -> IsolationForest {
        IsolationForest(
            sample: sample(rows), rows: 0..<rows.count, fields: Array(0..<rows[0].count),
            shape: .init(trees: trees, dimensions: dimensions), seed: seed)
    }

    @Test func `the expected path length is exact`() {
        #expect(IsolationForest.expectedPath(0) == 0 && IsolationForest.expectedPath(1) == 0)
        #expect(IsolationForest.expectedPath(2) == 1)
        #expect(abs(IsolationForest.expectedPath(256) - 10.2487) < 5e-5)
    }

    @Test(arguments: [1, 3])
    func `sums are the same for vectors, scalars, plain walks and any partition`(dimensions: Int) {
        let rows = clean(2000, 5, seed: 4)
        for trees in [100, 130] {
            let made = forest(rows, dimensions, trees: trees)
            var others = clean(333, 5, seed: 5)
            others[0] = [.nan, .infinity, -.infinity, 1e308, -1e308]
            others[1] = [1e6, -1e6, 1e6, -1e6, 1e6]
            let whole = made.sums(columns(others[...]))
            let quantised = made.quantise(columns(others[...]))
            let scalar =
                dimensions == 1
                ? ForestKernel.narrow(quantised, made.narrow, roots: made.roots, isScalar: true)
                : ForestKernel.wide(quantised, made.wide, roots: made.roots, isScalar: true)
            #expect(Array(scalar.prefix(others.count)) == whole)
            #expect(others.map { walk(made, $0) } == whole)
            for cut in [1, 63, 64, 65, 200, 332] {
                let first = made.sums(columns(others[..<cut]))
                let second = made.sums(columns(others[cut...]))
                #expect(first + second == whole)
            }
            for sum in whole { #expect((0.0...1.0).contains(made.score(sum))) }
            #expect(made.score(whole[1]) > 0.65)
        }
    }

    @Test func `a value has the same 16 bits alone and in a block`() throws {
        var draws = Draws(seed: 9)
        var values = [
            .nan, .infinity, -.infinity, 1e308, -1e308, 32_767, 32_767.5, -32_767.5, -0.0, 0.49999999999999994,
        ]
        values += (-9...9).map { Double($0) / 2 } + (0..<99).map { _ in 30_000 * draws.normal() }
        for (center, scale) in [(0.0, 1.0), (0.25, 2), (-3, 1.0 / 3), (7, 0), (1e300, 1e10)] {
            let quantiser = IsolationForest.Quantiser(center: center, scale: scale)
            var block = [Int16](repeating: 0, count: 3 * 128)
            ForestKernel.quantise(values, quantiser, feature: 1, of: 3, into: &block)
            #expect(values.indices.map { block[($0 / 64 * 3 + 1) * 64 + $0 % 64] } == values.map { quantiser($0) })
            // The neighbouring features were not changed.
            #expect([0..<64, 128..<256, 320..<384].allSatisfy { block[$0].allSatisfy { $0 == 0 } })
        }
    }

    /// A row's sum, node by node.
    private func walk(_ forest: IsolationForest, _ row: [Double]) -> UInt32 {
        let x = row.indices.map { forest.quantisers[$0](row[$0]) }
        var sum: UInt32 = 0
        for tree in 0..<forest.trees {
            let root = Int(forest.roots[tree])
            var at = root
            if forest.dimensions == 1 {
                while forest.narrow[at].feature >= 0 {
                    let node = forest.narrow[at]
                    at = x[Int(node.feature)] >= node.threshold ? root + Int(node.right) : at + 1
                }
                sum += UInt32(forest.narrow[at].value)
            } else {
                while forest.wide[at].leaf == 0 {
                    let node = forest.wide[at]
                    let side = SplitDirection(node.w).project(
                        x[Int(node.f.0)], x[Int(node.f.1)], x[Int(node.f.2)])
                    at = side > node.threshold ? root + Int(node.right) : at + 1
                }
                sum += UInt32(forest.wide[at].value)
            }
        }
        return sum
    }

    @Test(arguments: [1, 3])
    func `a seed makes a forest, and another seed another`(dimensions: Int) {
        let rows = clean(500, 3, seed: 6)
        let sums = [1, 1, 2].map { seed in forest(rows, dimensions, seed: seed).sums(columns(rows[...])) }
        #expect(sums[0] == sums[1] && sums[0] != sums[2])
    }

    @Test(arguments: [1, 3])
    func `the planted field is named first`(dimensions: Int) {
        let made = forest(clean(4000, 6, seed: 7), dimensions)
        var first = 0
        for field in 0..<6 {
            var row = [Double](repeating: 0.1, count: 6)
            row[field] = 12
            let named = made.contributors(row)
            #expect(named.count <= 3 && named.contains(field))
            first += named.first == field ? 1 : 0
        }
        #expect(first == 6)
    }

    @Test func `columns without variation do no harm`() {
        let rows = (0..<100).map { [Double($0), 1, .nan] }
        for dimensions in [1, 3] {
            let made = forest(rows, dimensions)
            let sums = made.sums(columns(rows[...]))
            #expect(Set(sums).count > 10)
        }
        let flat = forest([[1], [1]], 1)
        #expect(flat.sums([[1]]) == [UInt32(100 * 32)])
    }

    @Test(arguments: [1, 3])
    func `a stored forest is read back exactly, in its form of today and of earlier versions`(dimensions: Int) throws {
        for rows in [
            clean(700, 5, seed: 8), (0..<100).map { [Double($0), 1, .nan, 2, 3] },
            [[1, 1, 1, 1, 1], [1, 1, 1, 1, 1]],
        ] {
            let made = forest(rows, dimensions)
            let document = made.document
            let read = try IsolationForest(Kept(document))
            #expect(read.document == document)
            #expect(read.sums(columns(rows[...])) == made.sums(columns(rows[...])))
            var earlier = document.members ?? [:]
            earlier["leaves"] = nil
            earlier["nodes"] = .array(
                dimensions == 1
                    ? made.narrow.map { list([Int($0.feature), Int($0.threshold), Int($0.value), Int($0.right)]) }
                    : made.wide.map { node in
                        list([
                            Int(node.w.0), Int(node.w.1), Int(node.w.2), Int(node.f.0), Int(node.f.1), Int(node.f.2),
                            Int(node.leaf), Int(node.threshold), Int(node.value), Int(node.right),
                        ])
                    })
            #expect(try IsolationForest(Kept(.object(earlier))).document == document)
            // What is cut or changed in its form is refused: the kernel follows these numbers.
            let leaves = try #require(document["leaves"]?.text)
            for bad in [
                String(leaves.dropLast()), leaves + "1", "0" + leaves.dropFirst(leaves.first == "0" ? 1 : 0),
                leaves.replacing("1", with: "0"), leaves.replacing("1", with: "2"),
            ] where bad != leaves {
                var members = document.members ?? [:]
                members["leaves"] = .string(bad)
                #expect(throws: Unreadable.self) { _ = try IsolationForest(Kept(.object(members))) }
            }
            for name in document.members?.keys.sorted() ?? [] {
                guard let text = document[name]?.text, name != "leaves", text.count > 4 else { continue }
                for bad in [String(text.dropLast()), String(text.dropLast(4)), "x" + text.dropFirst()] {
                    var members = document.members ?? [:]
                    members[name] = .string(bad)
                    #expect(throws: Unreadable.self) { _ = try IsolationForest(Kept(.object(members))) }
                }
            }
        }
    }

    private func list(_ numbers: [Int]) -> JSONValue { .array(numbers.map { .integer(Int64($0)) }) }
}
