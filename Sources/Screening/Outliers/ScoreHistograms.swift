package import Tabular
import Sketches

/// The distribution of the scores of all rows relative to their thresholds: counts, never values.
package struct ScoreHistograms: Sendable, Mergeable, Equatable {
    /// For each rule, the counts of rows by modified z, in bins of a tenth of the threshold; the last bin has the rest.
    package private(set) var deviations: [[Int]]
    /// The counts of rows by mean path length in the forest, in bins of a quarter step; isolated rows have short paths.
    package private(set) var paths: [Int]

    /// Bins of a modified z: up to four times the threshold, then the rest.
    package static let deviationBins = 41
    /// Bins of a path: up to 16 steps.
    package static let pathBins = 64

    /// Nothing counted.
    package init(rules: Int = 0) {
        deviations = Array(repeating: Array(repeating: 0, count: Self.deviationBins), count: rules)
        paths = Array(repeating: 0, count: Self.pathBins)
    }

    @inline(__always)
    mutating func addDeviation(_ rule: Int, _ score: Double, threshold: Double) {
        let tenths = score / threshold * 10
        deviations[rule][tenths < Double(Self.deviationBins - 1) ? Int(tenths) : Self.deviationBins - 1] += 1
    }

    @inline(__always)
    mutating func addPath(_ sum: UInt32, trees: Int) {
        paths[min(Int(sum) * 4 / (Int(IsolationForest.unit) * trees), Self.pathBins - 1)] += 1
    }

    /// The position of a path sum on the axis of bins, where a threshold is drawn.
    package static func place(of sum: UInt32, trees: Int) -> Double {
        Double(sum) * 4 / (IsolationForest.unit * Double(trees))
    }

    /// Adds another part's counts.
    package mutating func merge(_ other: ScoreHistograms) {
        if deviations.isEmpty { deviations = Self(rules: other.deviations.count).deviations }
        for rule in other.deviations.indices {
            for bin in other.deviations[rule].indices { deviations[rule][bin] += other.deviations[rule][bin] }
        }
        for bin in paths.indices { paths[bin] += other.paths[bin] }
    }
}

extension ScoreHistograms: WireValue {
    /// Appends the value's bytes.
    package func write(to wire: inout WireWriter) {
        wire.append(deviations)
        wire.append(paths)
    }

    /// Reads the bytes that `write` appended.
    package init(from wire: inout WireReader) throws(WireError) {
        (deviations, paths) = (try wire.read(), try wire.read())
        guard paths.count == Self.pathBins, deviations.allSatisfy({ $0.count == Self.deviationBins }) else {
            throw WireError()
        }
    }
}
