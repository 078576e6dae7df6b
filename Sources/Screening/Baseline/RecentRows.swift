import Sketches

/// Which rows of a merged baseline came in the last accepted batches of the supplier whose batch is judged. Marks that
/// are too few in each batch add up over these, and older rows tell what is new: a patient attacker may mark ten rows
/// in each of forty batches.
struct RecentRows: Sendable {
    /// Windows grow by doubling: the last batch, the last three, seven, fifteen, thirty-one, sixty-three.
    static let levels = 6
    /// Rows that are distinguished at most; more would cost a daemon more than the search.
    private static let rowsMax = 32_768

    private var levelOf: [UInt64: Int8] = [:]

    /// Nothing is recent.
    init() {}

    /// The supplier's batches, newest first.
    init(_ parts: [Baseline]) {
        for (age, part) in parts.prefix(1 << Self.levels - 1).enumerated() {
            guard levelOf.count + part.sample.count <= Self.rowsMax else { return }
            let level = Int8(Int.bitWidth - (age + 1).leadingZeroBitCount)
            for row in 0..<part.sample.count {
                levelOf[Self.key(part.sample, row, codes: part.codes.count)] = level
            }
        }
    }

    /// For each row of a sample the smallest window that it is in, from 1; 0 for what is older, or another supplier's.
    func levels(of sample: RowSample, codes: Int) -> [Int] {
        if levelOf.isEmpty { return Array(repeating: 0, count: sample.count) }
        return (0..<sample.count).map { Int(levelOf[Self.key(sample, $0, codes: codes)] ?? 0) }
    }

    /// Names a row: its rank depends on its place under the key of its slice, its last code on its whole content.
    private static func key(_ sample: RowSample, _ row: Int, codes: Int) -> UInt64 {
        guard codes > 0, sample.codeWidth >= codes else { return sample.ranks[row] }
        return SplitMix64.mix(sample.ranks[row]) ^ sample.codes[row * sample.codeWidth + codes - 1]
    }
}

/// The marks of an accepted batch, with which those of later batches are compared.
package struct MarkRecord: Sendable, Equatable {
    /// A mark that was found.
    package struct Caught: Sendable, Equatable {
        /// The item, and the label that it stood beside.
        package var item: UInt64, label: UInt64
        /// Rows of the batch that had both.
        package var count: Int
        /// Whether its rows were held back; otherwise a person released them, and the mark counts as honest from then
        /// on.
        package var isHeld: Bool
    }

    /// Rows that were looked at.
    package var rows = 0
    /// Rows of the most frequent mark of each kind that was let in: honest new words and values come at their own rate.
    package var largest = [Int](repeating: 0, count: RowItems.Kind.allCases.count)
    /// The evidence of the strongest pool of rare words that was let in, in hundredths.
    package var pooled = 0
    /// Marks that were held back, or were and then released: their rows are not in the sample.
    package var caught: [Caught] = []

    /// Marks that are remembered of a batch.
    static let caughtMax = 1024

    /// Nothing was seen.
    package init() {}

    /// The largest share of a kind's marks that was let in.
    func share(_ kind: RowItems.Kind) -> Double {
        Double(largest[Int(kind.rawValue) - 1]) / Double(max(rows, 1))
    }

    /// The marks that batches caught, newest first: the newest record of each counts.
    static func known(_ records: [MarkRecord]) -> [UInt64: Caught] {
        var last: [UInt64: Caught] = [:]
        for record in records { for mark in record.caught where last[mark.item] == nil { last[mark.item] = mark } }
        return last.filter(\.value.isHeld)
    }
}
