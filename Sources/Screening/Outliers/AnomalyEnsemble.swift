import Glibc
package import Sketches

/// Isolation forests over any number of features: one for each 255 of them, whose path lengths are added.
package struct WideForest: Sendable {
    /// The forests, each over the next features.
    let forests: [IsolationForest]

    /// Fewest trees of each forest, if there are many forests.
    private static let treesMin = 20

    /// Fits them to a sample; the trees of `shape` are divided among the forests.
    package init(_ sample: RowSample, fields: [Int], shape: IsolationForest.Shape, seed: UInt64) {
        let most = IsolationForest.featuresMax
        let parts = (fields.count + most - 1) / most
        var each = shape
        if parts != 1 { each.trees = max(Self.treesMin, shape.trees / parts) }
        forests = (0..<parts).map { part in
            let features = part * most..<min((part + 1) * most, fields.count)
            var narrow = sample
            if parts > 1 {
                narrow = RowSample(capacity: sample.capacity, width: features.count)
                for row in 0..<sample.count {
                    let first = row * sample.width
                    narrow.append(
                        rank: sample.ranks[row],
                        Array(sample.values[first + features.lowerBound..<first + features.upperBound]))
                }
            }
            return IsolationForest(
                sample: narrow, rows: 0..<narrow.count, fields: Array(fields[features]), shape: each,
                seed: seed &+ UInt64(part))
        }
    }

    /// The sum of leaf values of each row; an isolated row has a small sum.
    ///
    /// - Parameter columns: features × rows.
    package func sums(_ columns: [[Double]]) -> [UInt32] {
        var (out, first): ([UInt32], Int) = ([], 0)
        for forest in forests {
            let sums = forest.sums(Array(columns[first..<first + forest.fields.count]))
            if first == 0 { out = sums } else { for row in out.indices { out[row] += sums[row] } }
            first += forest.fields.count
        }
        return out
    }

    /// The anomaly score of a sum: 2^(−E[h]/c(ψ)), between 0 and 1.
    package func score(_ sum: UInt32) -> Double {
        let trees = forests.reduce(0) { $0 + $1.trees }
        return exp2(
            -Double(sum) / IsolationForest.unit / Double(trees) / IsolationForest.expectedPath(forests[0].sampleSize))
    }
}

/// The anomaly of a row by three detectors with different weaknesses: an isolation forest, histograms (HBOS, Goldstein
/// and Dengel 2012) and the distance to the k-th nearest row of a sample (Ramaswamy et al. 2000).
///
/// Their scores have no common scale, so each is replaced by its rank among the sample's rows, and the mean rank
/// counts. All sums are of integers, so the result is bit-identical for any number of workers.
package struct AnomalyEnsemble: Sendable {
    private let forest: WideForest
    private let histograms: Histograms
    private let neighbours: SampleNeighbours
    /// The detectors' scores of rows of the sample, ascending: ranks are taken among them.
    private let paths: [UInt32], rarities: [Int], distances: [Int]

    /// Most values of the sample that are ranked, and the fewest and most rows of them.
    private static let cellsMax = 1 << 21, rowsLeast = 256, rowsMost = 4096

    /// Fits the detectors to a sample of at least two rows.
    package init(_ sample: RowSample, forest: WideForest) {
        self.forest = forest
        histograms = Histograms(sample)
        neighbours = SampleNeighbours(sample)
        let count = min(
            sample.count, max(Self.rowsLeast, min(Self.rowsMost, Self.cellsMax / max(sample.width, 1))))
        let columns = (0..<sample.width).map { feature in
            (0..<count).map { sample.values[$0 * sample.width + feature] }
        }
        paths = forest.sums(columns).sorted()
        rarities = histograms.rarities(columns).sorted()
        distances = neighbours.distances(columns).sorted()
    }

    /// The mean rank of each row, between 0 and 1; a larger one is more anomalous.
    ///
    /// - Parameter columns: features × rows.
    package func scores(_ columns: [[Double]]) -> [Double] {
        let (sums, rare, far) = (forest.sums(columns), histograms.rarities(columns), neighbours.distances(columns))
        return sums.indices.map { row in
            // A short path is anomalous, and so is a large rarity or distance.
            (1 - Self.rank(sums[row], paths) + Self.rank(rare[row], rarities) + Self.rank(far[row], distances)) / 3
        }
    }

    /// The share of ascending values below one value; equal ones count half.
    private static func rank<Value: Comparable>(_ value: Value, _ sorted: [Value]) -> Double {
        func first(_ isBefore: (Value) -> Bool) -> Int {
            var (low, high) = (0, sorted.count)
            while low < high {
                let middle = (low + high) / 2
                if isBefore(sorted[middle]) { low = middle + 1 } else { high = middle }
            }
            return low
        }
        return Double(first { $0 < value } + first { $0 <= value }) / 2 / Double(sorted.count)
    }
}

/// The rarity of a row's values, summed over its columns: histograms with bins of equal width.
struct Histograms: Sendable {
    private struct Column: Sendable {
        var low: Double, scale: Double
        /// −log₂ of the share of each bin, in 1/1024; then that of values outside, and of missing ones.
        var rarities: [Int]
    }
    private let columns: [Column]

    private static let bins = 10

    init(_ sample: RowSample) {
        columns = (0..<sample.width).map { feature in
            let values = (0..<sample.count).map { sample.values[$0 * sample.width + feature] }
            let finite = values.filter(\.isFinite)
            let (low, high) = (finite.min() ?? 0, finite.max() ?? 0)
            // Halved, since the difference of two doubles may overflow.
            let range = high / 2 - low / 2
            var made = Column(low: low / 2, scale: range > 0 ? Double(Self.bins) / range : 0, rarities: [])
            var counts = [Int](repeating: 0, count: Self.bins + 2)
            for value in values { counts[Self.bin(value, made)] += 1 }
            // With half a row added to each bin.
            let total = Double(values.count) + 0.5 * Double(counts.count)
            made.rarities = counts.map { Int((-log2((Double($0) + 0.5) / total) * 1024).rounded()) }
            return made
        }
    }

    @inline(__always)
    private static func bin(_ value: Double, _ column: Column) -> Int {
        if value.isNaN { return bins + 1 }
        let place = (value / 2 - column.low) * column.scale
        // A column of one value has no bins; any other value is outside.
        if column.scale == 0 { return value / 2 == column.low ? 0 : bins }
        if place < 0 || place > Double(bins) { return bins }
        return min(Int(place), bins - 1)
    }

    /// The rarity of each row.
    func rarities(_ values: [[Double]]) -> [Int] {
        var out = [Int](repeating: 0, count: values.first?.count ?? 0)
        for (column, values) in zip(columns, values) {
            for row in values.indices { out[row] += column.rarities[Self.bin(values[row], column)] }
        }
        return out
    }
}

/// The squared distance of a row to the tenth nearest of some rows of a sample, in steps of a robust deviation.
struct SampleNeighbours: Sendable {
    /// Number of rows that are kept, and which of the nearest counts.
    private static let rowsMax = 256, nearest = 10
    /// Values are clipped at this many robust deviations.
    private static let reach = 8.0

    private let quantisers: [IsolationForest.Quantiser]
    private let limit: Int16
    /// Blocks of 16 rows × features.
    private var blocks: [SIMD16<Int32>] = []
    private let count: Int

    init(_ sample: RowSample) {
        count = min(sample.count, Self.rowsMax)
        // The squares of all columns together fit 31 bits, for any number of columns.
        let steps = min(32, max(1, (Double(Int32.max) / Double(max(sample.width, 1))).squareRoot() / (2 * Self.reach)))
        limit = Int16(Self.reach * steps.rounded(.down))
        quantisers = (0..<sample.width).map { feature in
            let sorted = sample.column(feature).filter(\.isFinite).ascending()
            guard !sorted.isEmpty else { return .init(center: 0, scale: 0) }
            let center = Robust.median(sorted)
            var deviation = Robust.medianDeviation(sorted, from: center) * 1.4826
            // A column that is mostly one value is scaled by its standard deviation, so that its other values count
            // properly.
            if deviation == 0 {
                deviation =
                    (sorted.reduce(0) { $0 + ($1 - center) * ($1 - center) } / Double(sorted.count)).squareRoot()
            }
            return .init(
                center: center, scale: deviation > 0 && deviation.isFinite ? steps.rounded(.down) / deviation : 0)
        }
        blocks = [SIMD16<Int32>](repeating: .zero, count: (count + 15) / 16 * sample.width)
        for row in 0..<count {
            for feature in 0..<sample.width {
                blocks[row / 16 * sample.width + feature][row % 16] = step(
                    sample.values[row * sample.width + feature], feature)
            }
        }
    }

    @inline(__always)
    private func step(_ value: Double, _ feature: Int) -> Int32 {
        Int32(max(-limit, min(limit, quantisers[feature](value))))
    }

    /// The squared distance of each row to its tenth nearest row. A row at distance 0 counts once as the row itself.
    func distances(_ columns: [[Double]]) -> [Int] {
        let width = quantisers.count
        var point = [SIMD16<Int32>](repeating: .zero, count: width)
        var near: [Int32] = []
        return (0..<(columns.first?.count ?? 0)).map { row in
            for feature in 0..<width { point[feature] = SIMD16(repeating: step(columns[feature][row], feature)) }
            near.removeAll(keepingCapacity: true)
            // One more, for the row itself.
            let wanted = min(Self.nearest + 1, count)
            var limit = Int32.max
            for block in 0..<(count + 15) / 16 {
                var sum = SIMD16<Int32>.zero
                for feature in 0..<width {
                    let difference = blocks[block &* width &+ feature] &- point[feature]
                    sum = sum &+ difference &* difference
                }
                // −1 in each lane that is closer; distances are never negative.
                if near.count == wanted, ((sum &- SIMD16(repeating: limit)) &>> 31).wrappedSum() == 0 { continue }
                for lane in 0..<min(16, count - block * 16) where near.count < wanted || sum[lane] < limit {
                    let place = near.firstIndex { $0 > sum[lane] } ?? near.count
                    near.insert(sum[lane], at: place)
                    if near.count > wanted { near.removeLast() }
                    if near.count == wanted { limit = near[wanted - 1] }
                }
            }
            let isItself = near.first == 0
            return Int(near[min(near.count - 1, Self.nearest - (isItself ? 0 : 1))])
        }
    }
}
