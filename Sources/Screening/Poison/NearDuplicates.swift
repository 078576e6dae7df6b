import Sketches

/// A cluster of nearly equal rows that the baseline does not have.
package struct Flood: Sendable, Equatable {
    /// The item that its rows share: a keyed hash.
    package var item: UInt64
    /// Rows of the sample with it, and rows of the baseline with it.
    package var count: Int, before: Int
}

/// The items that nearly equal rows share: the whole content, a small cell of all measures together, or a band of their
/// text's MinHash signature (locality-sensitive hashing; Broder 1997).
struct FloodItems: Sendable {
    /// Median and robust deviation of each measure that varies.
    let scales: [(feature: Int, center: Double, deviation: Double)]
    private let codeCount: Int
    /// The index of the label among the codes: nearly equal rows must have the same label.
    private let label: Int?
    private let hasSignature: Bool
    /// Widths of cells, in robust deviations. Each width has several grids, so copies that one grid separates meet in
    /// another.
    private static let widths = [0.05, 0.25, 1.0]
    private static let grids = 6
    /// LSH bands of the signature, and slots of each (detects 0.8-similar pairs with 94.7 %, 0.5-similar ones with 6.1
    /// %).
    private static let bands = 16
    private static let bandWords = TextItems.signatureWords / bands
    /// With fewer measures every cell has many rows.
    private static let measuresMin = 2

    init(_ sample: RowSample, measures: Int, codeCount: Int, label: Int?) {
        self.codeCount = codeCount
        self.label = label
        hasSignature = false
        scales = (0..<measures).compactMap { feature in
            let sorted = sample.column(feature).filter(\.isFinite).ascending()
            guard sorted.count >= 30 else { return nil }
            let center = Robust.median(sorted)
            let deviation = Robust.medianDeviation(sorted, from: center) * 1.4826
            return deviation > 0 ? (feature, center, deviation) : nil
        }
    }

    /// Items as they were stored.
    init(scales: [(feature: Int, center: Double, deviation: Double)], codeCount: Int, label: Int?) {
        self.scales = scales
        self.codeCount = codeCount
        self.label = label
        hasSignature = false
    }

    /// Bands of the signature alone, which follows `codeCount` other codes.
    init(codeCount: Int) {
        self.codeCount = codeCount
        label = nil
        hasSignature = true
        scales = []
    }

    /// Levels of similarity, the most similar first: equal rows, then smaller cells, then larger ones; or equal texts,
    /// then bands of their signatures.
    var levels: Int { hasSignature ? 2 : scales.count >= Self.measuresMin ? 1 + Self.widths.count : 1 }

    /// Calls `body` with every item of a row at a level, each once. The last of its `codeCount` codes is that of the
    /// whole row.
    @inline(__always)
    func forEach(
        _ numbers: ArraySlice<Double>, _ codes: ArraySlice<UInt64>, at level: Int, _ body: (UInt64) -> Void
    ) {
        if hasSignature { return forEachBand(level, codes, body) }
        if level == 0 {
            let row = codes[codes.startIndex + codeCount - 1]
            if row != 0 { body(SplitMix64.mix(row ^ 0x726F_7700)) }
            return
        }
        let width = Self.widths[level - 1]
        for grid in 0..<Self.grids {
            var hash = UInt64(level) << 8 | UInt64(grid)
            if let label { hash = SplitMix64.mix(hash ^ codes[codes.startIndex + label]) }
            for scale in scales {
                let value = (numbers[numbers.startIndex + scale.feature] - scale.center) / scale.deviation
                // Offsets in seventeenths of a cell, different for each measure.
                let offset = Double((grid * 7 + scale.feature * 3) % 17) / 17
                let place = value / width + offset
                let cell = place.isNaN ? .min : Int64(max(-1e15, min(1e15, place.rounded(.down))))
                hash = SplitMix64.mix(hash ^ UInt64(bitPattern: cell))
            }
            body(hash)
        }
    }

    private func forEachBand(_ level: Int, _ codes: ArraySlice<UInt64>, _ body: (UInt64) -> Void) {
        let first = codes.startIndex + codeCount
        if codes[first] == 0 { return }
        let words = level == 0 ? TextItems.signatureWords : Self.bandWords
        for band in 0..<TextItems.signatureWords / words {
            var hash = 0x6261_6E64 &+ UInt64(band) &+ UInt64(level) << 32
            for word in 0..<words { hash = SplitMix64.mix(hash ^ codes[first + band * words + word]) }
            body(hash)
        }
    }
}

/// Detects clusters of copies and near copies.
enum NearDuplicates {
    /// Fewest rows of a cluster, and its share of the batch.
    static let rowsMin = 20
    static let shareMin = 0.005
    /// The required ratio to the baseline's frequency.
    static let novelty = 10.0
    /// The probability of a false cluster, over all items.
    static let alpha = 1e-4

    /// Finds the clusters, the most similar rows first. Rows of a cluster are excluded from coarser levels, so that
    /// rows that merely lie near a cluster do not join it.
    ///
    /// - Parameters:
    ///   - kinds: codes that together are the label and the supplier of a row.
    ///   - crowding: the largest share of a batch that repeated one item of a level; called only if there are clusters.
    /// - Returns: the clusters, and for each row of the sample whether it is in one.
    static func find(
        _ now: RowSample, _ before: RowSample, _ items: FloodItems, kinds: [Int],
        crowding: (_ level: Int) -> Double = { _ in 0 }
    ) -> (floods: [Flood], isCovered: [Bool]) {
        var isCovered = [Bool](repeating: false, count: now.count)
        let labels = (0..<now.count).map { row in
            let codes = now.codes(of: row)
            return kinds.isEmpty ? 0 : kinds.reduce(0) { SplitMix64.mix($0 ^ codes[codes.startIndex + $1]) }
        }
        var floods: [Flood] = []
        for level in 0..<items.levels {
            var found = find(
                ItemRows(labels: labels) { row, body in
                    if !isCovered[row] { items.forEach(now.numbers(of: row), now.codes(of: row), at: level, body) }
                },
                ItemRows(labels: Array(repeating: 0, count: before.count)) { row, body in
                    items.forEach(before.numbers(of: row), before.codes(of: row), at: level, body)
                }
            )
            if found.isEmpty { continue }
            let usual = crowding(level)
            found.removeAll { Double($0.count) <= 3 * usual * Double(now.count) }
            if found.isEmpty { continue }
            let marked = Set(found.map(\.item))
            for row in 0..<now.count where !isCovered[row] {
                items.forEach(now.numbers(of: row), now.codes(of: row), at: level) { item in
                    if marked.contains(item) { isCovered[row] = true }
                }
            }
            floods += found
        }
        return (floods, isCovered)
    }

    /// The largest share of a sample's rows that repeat one item of a level. The first row with an item is no
    /// repetition: in a small sample it alone would be a large share.
    static func largestShare(_ sample: RowSample, _ items: FloodItems, _ level: Int) -> Double {
        var tally = ItemTally(items: sample.count * (level == 0 ? 1 : 4))
        for row in 0..<sample.count {
            items.forEach(sample.numbers(of: row), sample.codes(of: row), at: level) { tally.count($0) }
        }
        return Double(max(tally.most - 1, 0)) / Double(max(sample.count, 1))
    }

    /// The clusters of one level, ascending by item. A cluster with one label and one supplier may have a smaller share
    /// of the rows.
    private static func find(_ now: ItemRows, _ before: ItemRows) -> [Flood] {
        var kinds: [UInt64: Int] = [:]
        for label in now.labels where label != 0 && kinds[label] == nil && kinds.count < 64 {
            kinds[label] = kinds.count + 1
        }
        var counts = ItemCounts(now, atLeast: rowsMin, labels: kinds)
        if counts.index.count == 0 { return [] }
        counts.countEarlier(before)
        let share = alpha / Double(counts.index.count)
        var floods: [Flood] = []
        for (place, item) in counts.index.items.enumerated() {
            let here = counts.here(place)
            let (count, there) = (here.total, counts.before(place).total)
            let isOneKind = kinds.count > 1 && here.dropFirst().contains { Int($0) == count }
            guard isOneKind || Double(count) > shareMin * Double(now.count),
                Double(there) / Double(before.count) < Double(count) / Double(now.count) / novelty,
                Significance.excess(count, of: now.count, before: there, of: before.count) < share
            else { continue }
            floods.append(Flood(item: item, count: count, before: there))
        }
        return floods.sorted { $0.item < $1.item }
    }
}
