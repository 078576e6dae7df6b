import CKernels
import Glibc
package import Sketches

/// An isolation forest (Liu, Ting, Zhou 2008) with extended splits (Hariri et al. 2019), bit-exact on every machine.
///
/// Features are quantised to 16 bits when the forest is fitted, splits are drawn on the quantised values, and leaf
/// values are fixed point in 1/32. So a score is a sum of integers: the same for any number of workers and on any
/// machine.
package struct IsolationForest: Sendable {
    /// The number of trees, and how they are grown.
    package struct Shape: Sendable, Equatable {
        /// Number of trees.
        package var trees: Int
        /// Rows drawn for each tree.
        package var sampleSize: Int
        /// Features combined in a split: 1 for the classical forest, up to 3 for the extended one.
        package var dimensions: Int

        /// A shape; the defaults are the sizes of the original paper.
        package init(trees: Int = 100, sampleSize: Int = 256, dimensions: Int = 3) {
            (self.trees, self.sampleSize, self.dimensions) = (trees, sampleSize, dimensions)
        }
    }

    /// The nodes of all trees, concatenated.
    struct Nodes: Sendable {
        /// Nodes of classical trees; empty in an extended forest.
        var narrow: [NarrowNode] = []
        /// Nodes of extended trees; empty in a classical forest.
        var wide: [WideNode] = []
        /// The index of each tree's first node, then the number of nodes.
        var roots: [UInt32] = []
    }

    private let shape: Shape
    private let nodes: Nodes
    /// Rows drawn for a tree.
    package var sampleSize: Int { shape.sampleSize }
    /// Trees.
    package var trees: Int { shape.trees }
    /// Features a split combines, 1 to 3.
    package var dimensions: Int { shape.dimensions }
    /// The contract fields that are the features.
    package let fields: [Int]
    /// The quantiser of each feature, to 16 bits.
    package let quantisers: [Quantiser]
    var narrow: [NarrowNode] { nodes.narrow }
    var wide: [WideNode] { nodes.wide }
    var roots: [UInt32] { nodes.roots }

    /// Most features of a forest, since a split refers to them by one byte.
    package static let featuresMax = 255
    /// Leaf values are multiples of 1/32.
    static let unit = 32.0

    /// A linear map of a feature to 16 bits, saturating.
    package struct Quantiser: Sendable, Equatable {
        /// The value that becomes 0; missing values become 0 too.
        package var center: Double
        /// Steps of one unit.
        package var scale: Double

        /// One value; ``ForestKernel/quantise(_:_:feature:of:into:)`` has the same bits.
        @inline(__always)
        func callAsFunction(_ value: Double) -> Int16 {
            let scaled = (value - center) * scale
            if scaled.isNaN { return 0 }
            // Rounds half away from zero by adding a half and truncating: on processors without a rounding instruction,
            // rounded() is a function call for each value.
            let limited = max(-32_767, min(32_767, scaled))
            return Int16(limited + (limited < 0 ? -0.5 : 0.5))
        }
    }

    /// Fits a forest to a sample.
    ///
    /// - Parameters:
    ///   - sample: rows × features; at least two rows and one feature.
    ///   - fields: the contract field of each feature.
    ///   - shape: a tree draws at most as many rows, and a split combines at most as many features, as there are.
    ///   - seed: the source of all random choices.
    package init(sample: RowSample, rows: Range<Int>, fields: [Int], shape: Shape = Shape(), seed: UInt64) {
        precondition(rows.count >= 2 && sample.width == fields.count && (1...Self.featuresMax).contains(fields.count))
        self.fields = fields
        let shape = Shape(
            trees: shape.trees, sampleSize: min(shape.sampleSize, rows.count),
            dimensions: min(shape.dimensions, fields.count, 3))
        self.shape = shape
        let isNarrow = shape.dimensions == 1
        let quantisers = fields.indices.map { feature in
            let column = rows.map { sample.values[$0 * sample.width + feature] }.filter { !$0.isNaN }
            return isNarrow ? Self.spanning(column) : Self.standardising(column)
        }
        self.quantisers = quantisers
        var grower = TreeGrower(width: fields.count, dimensions: shape.dimensions, seed: seed)
        grower.load(rows.count) { row, feature in
            quantisers[feature](sample.values[(rows.lowerBound + row) * sample.width + feature])
        }
        for _ in 0..<shape.trees { grower.growTree(sampleSize: shape.sampleSize) }
        nodes = grower.finish()
    }

    /// A forest as it was stored; nil unless it is safe for the kernel: every jump must stay inside its tree.
    init?(_ nodes: Nodes, shape: Shape, fields: [Int], quantisers: [Quantiser]) {
        let (trees, sampleSize, dimensions) = (shape.trees, shape.sampleSize, shape.dimensions)
        let (narrow, wide, roots) = (nodes.narrow, nodes.wide, nodes.roots)
        let count = dimensions == 1 ? narrow.count : wide.count
        guard (1...1000).contains(trees), (2...256).contains(sampleSize), (1...3).contains(dimensions),
            (1...Self.featuresMax).contains(fields.count), quantisers.count == fields.count, roots.count == trees + 1,
            roots[0] == 0, Int(roots[trees]) == count
        else { return nil }
        for tree in 0..<trees {
            let (first, end) = (Int(roots[tree]), Int(roots[tree + 1]))
            guard first < end, end <= count else { return nil }
            for at in first..<end {
                let isLeaf = dimensions == 1 ? narrow[at].feature < 0 : wide[at].leaf != 0
                if isLeaf { continue }
                let right = first + Int(dimensions == 1 ? narrow[at].right : wide[at].right)
                // Forward only, so that every walk ends.
                guard at + 1 < end, right > at, right < end else { return nil }
                let used =
                    dimensions == 1
                    ? [Int(narrow[at].feature)] : [Int(wide[at].f.0), Int(wide[at].f.1), Int(wide[at].f.2)]
                guard used.allSatisfy({ $0 < fields.count }) else { return nil }
            }
        }
        (self.nodes, self.shape, self.fields, self.quantisers) = (nodes, shape, fields, quantisers)
    }

    /// For axis-parallel splits only the order matters, so the sample's range is mapped to all 16 bits.
    private static func spanning(_ column: [Double]) -> Quantiser {
        let finite = column.filter(\.isFinite)
        guard let low = finite.min(), let high = finite.max(), high > low else {
            return Quantiser(center: finite.first ?? 0, scale: 0)
        }
        return Quantiser(center: low / 2 + high / 2, scale: 65_534 / (high - low))
    }

    /// For oblique splits features must be comparable: centred at the median, with 1/1024 of a robust deviation (MAD) a
    /// step, up to ±32 deviations.
    private static func standardising(_ column: [Double]) -> Quantiser {
        let sorted = column.filter(\.isFinite).ascending()
        guard !sorted.isEmpty else { return Quantiser(center: 0, scale: 0) }
        let center = Robust.median(sorted)
        var deviation = Robust.medianDeviation(sorted, from: center) / 0.6745
        // A feature that is mostly one value is scaled by its standard deviation, so that its other values count
        // properly.
        if deviation == 0 {
            deviation = (sorted.reduce(0) { $0 + ($1 - center) * ($1 - center) } / Double(sorted.count)).squareRoot()
        }
        return Quantiser(center: center, scale: deviation > 0 ? 1024 / deviation : 0)
    }

    /// The expected path length of an unsuccessful search among `count` rows: c(n) = 2H(n−1) − 2(n−1)/n, exact H.
    package static func expectedPath(_ count: Int) -> Double {
        count < expectedPaths.count ? expectedPaths[count] : computedPath(count)
    }

    /// c(n) up to the sample size of a tree, since it is needed for each scored row.
    private static let expectedPaths = (0...256).map(computedPath)

    private static func computedPath(_ count: Int) -> Double {
        if count <= 1 { return 0 }
        if count == 2 { return 1 }
        var harmonic = 0.0
        for term in 1..<count { harmonic += 1 / Double(term) }
        return 2 * harmonic - 2 * Double(count - 1) / Double(count)
    }

    /// Features × rows in the kernel's layout; the rows that fill up the last block are 0.
    func quantise(_ columns: [[Double]]) -> QuantisedRows {
        precondition(columns.count == fields.count)
        let count = columns.first?.count ?? 0
        var rows = QuantisedRows(count, features: fields.count)
        for (feature, (quantiser, values)) in zip(quantisers, columns).enumerated() {
            precondition(values.count == count)
            ForestKernel.quantise(values, quantiser, feature: feature, of: fields.count, into: &rows.columns)
        }
        return rows
    }

    /// The sum of leaf values of each row, in units of 1/32; an isolated row has a small sum.
    ///
    /// - Parameter columns: features × rows.
    package func sums(_ columns: [[Double]]) -> [UInt32] {
        let rows = quantise(columns)
        let sums =
            dimensions == 1
            ? ForestKernel.narrow(rows, narrow, roots: roots) : ForestKernel.wide(rows, wide, roots: roots)
        return Array(sums.prefix(columns.first?.count ?? 0))
    }

    /// The anomaly score of a sum: 2^(−E[h]/c(ψ)), between 0 and 1.
    package func score(_ sum: UInt32) -> Double {
        exp2(-Double(sum) / Self.unit / Double(trees) / Self.expectedPath(sampleSize))
    }

    /// The features that isolate a row most, strongest first: the split features of each path, weighted by how early
    /// they split and by how much shorter than expected the path is.
    package func contributors(_ row: [Double], limit: Int = 3) -> [Int] {
        var weight = [Double](repeating: 0, count: fields.count)
        let x = fields.indices.map { quantisers[$0](row[$0]) }
        var part = weight
        for tree in 0..<trees {
            let root = Int(nodes.roots[tree])
            for index in part.indices { part[index] = 0 }
            let length = dimensions == 1 ? narrowPath(x, root, &part) : widePath(x, root, &part)
            let gain = max(0, Self.expectedPath(256) - length)
            for index in part.indices { weight[index] += gain * part[index] }
        }
        let order = weight.indices.filter { weight[$0] > 0 }
            .sorted { weight[$0] != weight[$1] ? weight[$0] > weight[$1] : $0 < $1 }
        return order.prefix(limit).map { fields[$0] }
    }

    private func narrowPath(_ x: [Int16], _ root: Int, _ part: inout [Double]) -> Double {
        var at = root
        var share = 1.0
        while nodes.narrow[at].feature >= 0 {
            let feature = Int(nodes.narrow[at].feature)
            part[feature] += 1 / share
            share += 1
            at = x[feature] >= nodes.narrow[at].threshold ? root + Int(nodes.narrow[at].right) : at + 1
        }
        return Double(nodes.narrow[at].value) / Self.unit
    }

    private func widePath(_ x: [Int16], _ root: Int, _ part: inout [Double]) -> Double {
        var at = root
        var share = 1.0
        while nodes.wide[at].leaf == 0 {
            let node = nodes.wide[at]
            let (f0, f1, f2) = (Int(node.f.0), Int(node.f.1), Int(node.f.2))
            let r0 = abs(Double(x[f0]) * Double(node.w.0))
            let r1 = abs(Double(x[f1]) * Double(node.w.1))
            let r2 = abs(Double(x[f2]) * Double(node.w.2))
            let total = (r0 + r1 + r2) * share
            if total > 0 {
                part[f0] += r0 / total
                part[f1] += r1 / total
                part[f2] += r2 / total
            }
            share += 1
            let side = SplitDirection(node.w).project(x[f0], x[f1], x[f2])
            at = side > node.threshold ? root + Int(node.right) : at + 1
        }
        return Double(nodes.wide[at].value) / Self.unit
    }
}
