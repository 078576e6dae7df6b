import Sketches

/// Marks the rows of a merged baseline that came in the last accepted batches of the supplier whose batch is being
/// judged. A trigger in too few rows of each batch adds up over these batches, and older rows show whether it is new: a
/// patient attacker may plant ten rows in each of forty batches.
struct RecentRows: Sendable {
    /// Windows grow by doubling: the last batch, the last three, seven, fifteen, thirty-one, sixty-three.
    static let levels = 6
    /// Rows that are distinguished at most; more would cost a daemon more than the search.
    private static let rowsMax = 32_768

    private var rows = ItemIndex()
    /// The level of each row.
    private var levels: [Int8] = []

    /// No recent rows.
    init() {}

    /// The supplier's batches, newest first.
    init(_ parts: [Baseline]) {
        rows = ItemIndex(expecting: min(Self.rowsMax, parts.reduce(0) { $0 + $1.sample.count }))
        for (age, part) in parts.prefix(1 << Self.levels - 1).enumerated() {
            guard rows.count + part.sample.count <= Self.rowsMax else { return }
            let level = Int8(Int.bitWidth - (age + 1).leadingZeroBitCount)
            for row in 0..<part.sample.count {
                let place = rows.insert(Self.key(part.sample, row, codes: part.codes.count))
                if place == levels.count { levels.append(level) } else { levels[place] = level }
            }
        }
    }

    /// For each row of a sample, the smallest window that contains it, from 1; 0 for older rows and rows of other
    /// suppliers.
    func levels(of sample: RowSample, codes: Int) -> [Int] {
        if rows.count == 0 { return Array(repeating: 0, count: sample.count) }
        return (0..<sample.count).map { row in
            let place = rows.find(Self.key(sample, row, codes: codes))
            return place < 0 ? 0 : Int(levels[place])
        }
    }

    /// Identifies a row: its rank depends on its position under the key of its slice, its last code on its whole
    /// content.
    private static func key(_ sample: RowSample, _ row: Int, codes: Int) -> UInt64 {
        guard codes > 0, sample.codeWidth >= codes else { return sample.ranks[row] }
        return SplitMix64.mix(sample.ranks[row]) ^ sample.codes[row * sample.codeWidth + codes - 1]
    }
}

/// The trigger candidates of an accepted batch, with which those of later batches are compared.
package struct MarkRecord: Sendable, Equatable {
    /// A trigger that was detected.
    package struct Caught: Sendable, Equatable {
        /// The item, and the label that it occurred with.
        package var item: UInt64, label: UInt64
        /// Rows of the batch that had both.
        package var count: Int
        /// Whether its rows were held back. Otherwise a person released them, and from then on the item counts as
        /// honest.
        package var isHeld: Bool
    }

    /// Rows that were searched.
    package var rows = 0
    /// For each kind, the rows of the most frequent candidate that was accepted: honest new words and values have rates
    /// of their own.
    package var largest = [Int](repeating: 0, count: RowItems.Kind.allCases.count)
    /// The evidence of the strongest pool of rare words that was accepted, in hundredths.
    package var pooled = 0
    /// Triggers that were held back, or were held back and then released: their rows are not in the sample.
    package var caught: [Caught] = []

    /// Most triggers that are remembered of a batch.
    static let caughtMax = 1024

    /// No candidates.
    package init() {}

    /// The largest share of rows of an accepted candidate of a kind.
    func share(_ kind: RowItems.Kind) -> Double {
        Double(largest[Int(kind.rawValue) - 1]) / Double(max(rows, 1))
    }

    /// The triggers that earlier batches were caught with; the newest record of each counts. Records are newest first.
    static func known(_ records: [MarkRecord]) -> [UInt64: Caught] {
        var last: [UInt64: Caught] = [:]
        for record in records { for mark in record.caught where last[mark.item] == nil { last[mark.item] = mark } }
        return last.filter(\.value.isHeld)
    }
}
