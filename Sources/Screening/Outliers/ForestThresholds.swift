import Glibc
import Schemas
import Sketches
import Tabular

/// A forest with its thresholds, beyond which a row is easier to isolate than rows of the baseline.
package struct ForestThresholds: Sendable {
    /// A feature of the forest.
    package enum Input: Sendable, Equatable {
        /// A measure, as an index in `ScreenedFields.fields`.
        case measure(Int)
        /// An indicator of whether a measure is missing.
        case missing(Int)
        /// The rarity of the value of a category: −ln of its share in the baseline.
        case rarity(Int)
    }

    /// The forest.
    package var forest: IsolationForest
    /// Its features.
    package var inputs: [Input]
    /// For each category that is a feature, the rarity of its values.
    package var rarities: [Int: [UInt64: Double]]
    /// By category, the rarity of a value that was never seen.
    package var unseen: [Int: Double]
    /// Rows with a smaller sum are flagged.
    package var flagBelow: UInt32
    /// Rows with a smaller sum are quarantined; 0 when none are.
    package var quarantineBelow: UInt32
    /// The share of held-out rows beyond the flag threshold.
    package var flagRate: Double

    /// Fewest held-out rows from which a quantile may quarantine.
    package static let heldOutMin = 2000
    /// Fewest rows that a forest needs.
    static let rowsMin = 64

    /// The rarity of a value; missing values have a share of their own.
    @inline(__always)
    func rarity(_ place: Int, _ code: UInt64) -> Double { rarities[place]?[code] ?? unseen[place] ?? 0 }

    /// Categories that are features.
    var categories: [Int] {
        inputs.compactMap { if case .rarity(let place) = $0 { place } else { nil } }
    }

    /// Fits the forest on one half of the sample and takes the thresholds from the other half, if there are enough rows
    /// for both; nil if there is nothing to fit on.
    ///
    /// - Parameters:
    ///   - withheld: the share of rows that the sample of a baseline lacks because they were held back. They were its
    ///     tail, so the quarantine threshold is moved outwards among the remaining rows; otherwise each batch would cut
    ///     off a little more than the one before. The flag threshold is not moved, since it holds nothing back. nil
    ///     without a baseline: then nothing is quarantined, since a batch that sets its own threshold would always lose a
    ///     share of its rows.
    init?(_ sample: RowSample, _ fields: ScreenedFields, _ rule: ForestRule, seed: UInt64, withheld: Double?) {
        guard rule.enabled, sample.count >= Self.rowsMin else { return nil }
        (inputs, rarities, unseen) = Self.inputs(sample, fields)
        guard !inputs.isEmpty else { return nil }
        let lookup = (rarities, unseen)
        func value(_ input: Input, _ row: Int) -> Double {
            switch input {
            case .measure(let place): return sample.values[row * sample.width + place]
            case .missing(let place): return sample.values[row * sample.width + place].isNaN ? 1 : 0
            case .rarity(let place):
                return lookup.0[place]?[sample.codes[row * sample.codeWidth + place]] ?? lookup.1[place] ?? 0
            }
        }
        var features = RowSample(capacity: sample.capacity, width: inputs.count)
        for row in 0..<sample.count { features.append(rank: sample.ranks[row], inputs.map { value($0, row) }) }
        let isSplit = sample.count >= 2 * Self.heldOutMin
        let half = isSplit ? sample.count / 2 : sample.count
        forest = IsolationForest(
            sample: features, rows: 0..<half, fields: inputs.map { Self.field($0, fields) },
            shape: .init(trees: rule.trees, sampleSize: rule.sampleSize, dimensions: rule.dimensions), seed: seed)
        let first = isSplit ? half : 0
        let held = forest.sums(
            inputs.indices.map { input in
                (first..<features.count).map { features.values[$0 * features.width + input] }
            }
        ).sorted()
        func line(_ quantile: Double, withheld: Double = 0) -> UInt32 {
            let beyond = max(0, 1 - quantile - withheld) / max(1 - withheld, 0.5)
            return held[min(Int((Double(held.count) * beyond).rounded(.down)), held.count - 1)]
        }
        let flag = line(rule.flagQuantile)
        flagBelow = flag
        quarantineBelow = 0
        if let withheld, held.count >= Self.heldOutMin, rule.action >= .quarantined {
            quarantineBelow = line(rule.quarantineQuantile, withheld: withheld)
        }
        flagRate = Double(held.prefix { $0 < flag }.count) / Double(held.count)
    }

    /// The largest share of a batch's rows that is held back one by one.
    private static let withheldMax = 0.05

    /// Adapts the thresholds to a batch whose rows are all a little easier to isolate. The shift of its median is
    /// tested with the batch; a row is held back only if it is beyond every accepted one.
    ///
    /// - Parameters:
    ///   - batches: rows of the accepted batches, batch by batch.
    ///   - accepted: all of them.
    mutating func follow(_ now: RowSample, _ batches: [RowSample], _ accepted: RowSample) {
        func sums(_ sample: RowSample) -> [UInt32] {
            let rows = min(sample.count, BatchSummary.rowsMax)
            let columns = inputs.map { input in
                (0..<rows).map { row -> Double in
                    switch input {
                    case .measure(let place): sample.values[row * sample.width + place]
                    case .missing(let place): sample.values[row * sample.width + place].isNaN ? 1 : 0
                    case .rarity(let place): rarity(place, sample.codes[row * sample.codeWidth + place])
                    }
                }
            }
            return forest.sums(columns).sorted()
        }
        let here = sums(now)
        let centers = batches.map(sums).filter { $0.count >= ModifiedZ.rowsMin }.map { $0[$0.count / 2] }
        guard here.count >= ModifiedZ.rowsMin, let lowest = centers.min(), let smallest = sums(accepted).first else {
            return
        }
        let own = here[here.count / 2]
        let shift = lowest > own ? lowest - own : 0
        flagBelow = flagBelow > shift ? flagBelow - shift : 0
        if quarantineBelow > 0 {
            quarantineBelow = min(quarantineBelow > shift ? quarantineBelow - shift : 0, smallest)
            // So many rows are another kind of batch, not outliers; the rate of isolated rows is tested instead.
            let beyond = here.prefix { $0 < quarantineBelow }.count
            if Double(beyond) > Self.withheldMax * Double(here.count) { quarantineBelow = 0 }
        }
    }

    /// The contract's field of a feature.
    static func field(_ input: Input, _ fields: ScreenedFields) -> Int {
        switch input {
        case .measure(let place), .missing(let place): fields.fields[place]
        case .rarity(let place): fields.categories[place]
        }
    }

    /// The features of which the sample has enough values.
    private static func inputs(_ sample: RowSample, _ fields: ScreenedFields) -> (
        [Input], [Int: [UInt64: Double]], [Int: Double]
    ) {
        var inputs: [Input] = []
        for place in fields.forest {
            let known = sample.column(place).count
            // A feature that the baseline lacks has no threshold; a forest over it would know only one value.
            guard known >= ModifiedZ.rowsMin else { continue }
            inputs.append(.measure(place))
            if known < sample.count { inputs.append(.missing(place)) }
        }
        var rarities: [Int: [UInt64: Double]] = [:]
        var unseen: [Int: Double] = [:]
        for place in fields.forestCategories where sample.codeWidth > place {
            var counts: [UInt64: Int] = [:]
            for row in 0..<sample.count { counts[sample.codes[row * sample.codeWidth + place], default: 0] += 1 }
            guard counts.count >= 2, counts[Baseline.unseen] == nil else { continue }
            inputs.append(.rarity(place))
            rarities[place] = counts.mapValues { -log(Double($0) / Double(sample.count)) }
            unseen[place] = log(Double(sample.count + 1))
        }
        return (Array(inputs.prefix(IsolationForest.featuresMax)), rarities, unseen)
    }
}
