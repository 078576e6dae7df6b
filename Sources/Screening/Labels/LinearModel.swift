import Glibc

/// Rows as features, concatenated, each with its label.
struct LinearRows {
    private(set) var starts = [0]
    private(set) var features: [Int32] = []
    private(set) var values: [Int32] = []
    /// Indices of labels.
    private(set) var labels: [Int] = []

    var count: Int { labels.count }

    mutating func append(_ row: LabelledRow, _ chosen: LinearFeatures, label: Int) {
        chosen.forEach(row) { feature, value in
            features.append(feature)
            values.append(value)
        }
        starts.append(features.count)
        labels.append(label)
    }
}

/// A multinomial logistic model of the labels. Weights are multiples of 1/1024, so that a score is a sum of integers.
struct LinearModel: Sendable, Equatable {
    /// Number of labels.
    let labels: Int
    /// Features × labels.
    let weights: [Int16]

    /// The steps of a weight of one.
    private static let unit: Float = 1024

    init(labels: Int, weights: [Int16]) {
        self.labels = labels
        self.weights = weights
    }

    /// Learns from some rows, starting from another model: stochastic gradient descent with a step size for each
    /// feature (AdaGrad, Duchi et al. 2011).
    ///
    /// The rows are processed in the given order, so that the same rows give the same bits.
    init(_ rows: LinearRows, _ order: some Collection<Int>, passes: Int, step: Float, from start: LinearModel) {
        labels = start.labels
        var learnt = start.weights.map { Float($0) / Self.unit }
        var squares = [Float](repeating: 1, count: learnt.count / labels)
        var slope = [Float](repeating: 0, count: labels)
        for _ in 0..<passes {
            for row in order {
                let (first, end) = (rows.starts[row], rows.starts[row + 1])
                for label in 0..<labels { slope[label] = 0 }
                for place in first..<end {
                    let value = Float(rows.values[place]) / Float(LinearFeatures.unit)
                    let at = Int(rows.features[place]) &* labels
                    for label in 0..<labels { slope[label] += learnt[at &+ label] * value }
                }
                var most = slope[0]
                for label in 1..<labels { most = max(most, slope[label]) }
                var sum: Float = 0
                for label in 0..<labels {
                    slope[label] = expf(slope[label] - most)
                    sum += slope[label]
                }
                for label in 0..<labels { slope[label] /= sum }
                slope[rows.labels[row]] -= 1
                // Half of it, so that with two labels each counts as it would alone.
                let energy = slope.reduce(0) { $0 + $1 * $1 } / 2
                for place in first..<end {
                    let value = Float(rows.values[place]) / Float(LinearFeatures.unit)
                    let feature = Int(rows.features[place])
                    squares[feature] += energy * value * value
                    let pace = step * value / squares[feature].squareRoot()
                    for label in 0..<labels { learnt[feature &* labels &+ label] -= pace * slope[label] }
                }
            }
        }
        weights = learnt.map { Int16(max(-32_767, min(32_767, ($0 * Self.unit).rounded()))) }
    }

    /// A model that has learnt nothing.
    init(features: Int32, labels: Int) {
        self.init(labels: labels, weights: Array(repeating: 0, count: Int(features) * labels))
    }

    /// The probability of each label for a row of a list.
    func probabilities(_ rows: LinearRows, _ row: Int) -> [Double] {
        var sums = [Int](repeating: 0, count: labels)
        for place in rows.starts[row]..<rows.starts[row + 1] {
            let (at, value) = (Int(rows.features[place]) &* labels, Int(rows.values[place]))
            for label in 0..<labels { sums[label] &+= Int(weights[at &+ label]) &* value }
        }
        return Self.shares(sums)
    }

    private static func shares(_ sums: [Int]) -> [Double] {
        let most = sums.max() ?? 0
        let parts = sums.map { exp(Double($0 - most) / Double(unit) / Double(LinearFeatures.unit)) }
        let sum = parts.reduce(0, +)
        return parts.map { $0 / sum }
    }
}
