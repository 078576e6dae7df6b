import CKernels
import Glibc
import Sketches

/// Grows the trees of a forest on quantised rows.
struct TreeGrower {
    private let width: Int
    private let dimensions: Int
    private var random: SplitMix64
    /// Rows × features.
    private var values: [Int16] = []
    private var count = 0
    private var narrow: [NarrowNode] = []
    private var wide: [WideNode] = []
    private var roots: [UInt32] = []
    private var heightMax = 0

    init(width: Int, dimensions: Int, seed: UInt64) {
        self.width = width
        self.dimensions = dimensions
        random = SplitMix64(seed: seed)
    }

    mutating func load(_ rows: Int, _ value: (_ row: Int, _ feature: Int) -> Int16) {
        count = rows
        values.reserveCapacity(rows * width)
        for row in 0..<rows {
            for feature in 0..<width { values.append(value(row, feature)) }
        }
    }

    /// Draws rows without replacement and grows one tree to height ⌈log₂ψ⌉.
    mutating func growTree(sampleSize: Int) {
        var drawn: [Int] = []
        if sampleSize * 2 >= count {
            var all = Array(0..<count)
            for index in 0..<sampleSize {
                all.swapAt(index, index + random.below(count - index))
                drawn.append(all[index])
            }
        } else {
            var seen = Set<Int>()
            while drawn.count < sampleSize {
                let row = random.below(count)
                if seen.insert(row).inserted { drawn.append(row) }
            }
        }
        heightMax = Int(ceil(log2(Double(max(sampleSize, 2)))))
        let root = nodeCount
        roots.append(UInt32(root))
        grow(drawn, depth: 0, root: root)
    }

    private var nodeCount: Int { dimensions == 1 ? narrow.count : wide.count }

    /// The nodes of all trees.
    consuming func finish() -> IsolationForest.Nodes {
        IsolationForest.Nodes(narrow: narrow, wide: wide, roots: roots + [UInt32(nodeCount)])
    }

    private mutating func grow(_ rows: [Int], depth: Int, root: Int) {
        if depth < heightMax, rows.count > 1 {
            if dimensions == 1 ? splitNarrow(rows, depth, root) : splitWide(rows, depth, root) { return }
        }
        let length = Double(depth) + IsolationForest.expectedPath(rows.count)
        let value = Int16((length * IsolationForest.unit).rounded())
        if dimensions == 1 {
            narrow.append(NarrowNode(feature: -1, threshold: 0, value: value, right: 0))
        } else {
            wide.append(WideNode(w: (0, 0, 0), f: (0, 0, 0), leaf: 1, threshold: 0, value: value, right: 0))
        }
    }

    /// Splits by a uniform threshold on one feature that still varies; false if none does.
    private mutating func splitNarrow(_ rows: [Int], _ depth: Int, _ root: Int) -> Bool {
        var candidates = Array(0..<width)
        while !candidates.isEmpty {
            let pick = random.below(candidates.count)
            let feature = candidates.remove(at: pick)
            var (low, high) = (Int.max, Int.min)
            for row in rows {
                let value = Int(values[row * width + feature])
                low = min(low, value)
                high = max(high, value)
            }
            if high <= low { continue }
            let threshold = low + 1 + random.below(high - low)
            let node = narrow.count
            narrow.append(
                NarrowNode(feature: Int16(feature), threshold: Int16(threshold), value: 0, right: 0))
            grow(rows.filter { Int(values[$0 * width + feature]) < threshold }, depth: depth + 1, root: root)
            narrow[node].right = UInt16(narrow.count - root)
            grow(rows.filter { Int(values[$0 * width + feature]) >= threshold }, depth: depth + 1, root: root)
            return true
        }
        return false
    }

    /// A normal deviate from integers only (Irwin–Hall with twelve terms), the same on every machine.
    private mutating func deviate() -> Double {
        var sum: Int64 = 0
        for _ in 0..<12 { sum += Int64(random.next() >> 32) }
        return Double(sum - 6 << 32) / 0x1p32
    }

    /// Splits by a uniform threshold along a random direction through up to three features; false if nothing varies.
    private mutating func splitWide(_ rows: [Int], _ depth: Int, _ root: Int) -> Bool {
        for _ in 0..<20 {
            var features: [Int] = []
            while features.count < dimensions {
                let feature = random.below(width)
                if !features.contains(feature) { features.append(feature) }
            }
            let weights = features.map { _ in deviate() }
            let norm = weights.reduce(0) { $0 + $1 * $1 }.squareRoot()
            guard norm > 0 else { continue }
            // 0.57 ≈ 1/√3: three saturated features still fit 16 bits.
            var scaled = weights.map { Int16(($0 / norm * 32_767 * 0.57).rounded()) }
            while features.count < 3 {
                features.append(0)
                scaled.append(0)
            }
            let direction = SplitDirection((scaled[0], scaled[1], scaled[2]))
            let along = rows.map { row in
                Int(
                    direction.project(
                        values[row * width + features[0]], values[row * width + features[1]],
                        values[row * width + features[2]]))
            }
            guard let low = along.min(), let high = along.max(), high > low else { continue }
            let threshold = low + random.below(high - low)
            let node = wide.count
            wide.append(
                WideNode(
                    w: (scaled[0], scaled[1], scaled[2]),
                    f: (UInt8(features[0]), UInt8(features[1]), UInt8(features[2])), leaf: 0,
                    threshold: Int16(threshold), value: 0, right: 0))
            let sides = zip(rows, along)
            let left = sides.filter { $0.1 <= threshold }.map(\.0)
            let right = sides.filter { $0.1 > threshold }.map(\.0)
            grow(left, depth: depth + 1, root: root)
            wide[node].right = UInt16(wide.count - root)
            grow(right, depth: depth + 1, root: root)
            return true
        }
        return false
    }
}

/// The direction of an oblique split: the weights of three features, in 1/32,768.
struct SplitDirection {
    private let u: Int16, v: Int16, w: Int16

    @inline(__always)
    init(_ weights: (Int16, Int16, Int16)) { (u, v, w) = weights }

    /// The coordinate of a row along the direction: the weighted sum as `_mm256_mulhrs_epi16` and saturating adds
    /// compute it, so that fitting and scoring agree to the bit.
    @inline(__always)
    func project(_ x: Int16, _ y: Int16, _ z: Int16) -> Int16 {
        let first = max(-32_768, min(32_767, Self.round(x, u) + Self.round(y, v)))
        return Int16(max(-32_768, min(32_767, first + Self.round(z, w))))
    }

    @inline(__always)
    private static func round(_ value: Int16, _ weight: Int16) -> Int {
        Int(Int16(truncatingIfNeeded: ((Int(value) * Int(weight)) >> 14 + 1) >> 1))
    }
}
