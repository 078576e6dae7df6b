import Sketches

/// The items that enough rows have, and their counts by label, in this batch and in the baseline.
struct ItemCounts {
    /// The items, and the index of each in the counts.
    private(set) var index = ItemIndex()
    /// Items × (labels + 1); the first count of each is for rows without a label, or with an unknown one.
    private var here: [Int32] = []
    private var before: [Int32] = []
    private let labels: [UInt64: Int]
    private var labelledBefore: [Int] = []
    private var width: Int { labels.count + 1 }
    private static let roughBits = 20
    /// The largest number of items. Rows come in the order of secret ranks, so a supplier cannot crowd out an item.
    private static let itemsMax = 200_000

    /// Counts in two passes, so that the many rare items take no memory.
    ///
    /// - Parameter labels: the index of each label, from 1.
    init(_ rows: ItemRows, atLeast fewest: Int, labels: [UInt64: Int]) {
        self.labels = labels
        // Few rows have few items, for which clearing a table of two megabytes would be slow.
        let bits = min(Self.roughBits, max(12, Int.bitWidth - (64 * rows.count).leadingZeroBitCount))
        let shift = UInt64(64 - bits)
        var rough = [UInt16](repeating: 0, count: 1 << bits)
        for row in 0..<rows.count {
            rows.forEach(row) { item in
                let at = Int(item >> shift)
                if rough[at] < .max { rough[at] += 1 }
            }
        }
        var (found, counts) = (ItemIndex(expecting: 4 * rows.count), [Int32]())
        let width = labels.count + 1
        for row in 0..<rows.count {
            let label = labels[rows.labels[row]] ?? 0
            rows.forEach(row) { item in
                guard Int(rough[Int(item >> shift)]) >= fewest else { return }
                var place = found.find(item)
                if place < 0 {
                    guard found.count < Self.itemsMax else { return }
                    place = found.insert(item)
                    counts.append(contentsOf: repeatElement(0, count: width))
                }
                counts[place * width + label] += 1
            }
        }
        index = ItemIndex(expecting: found.count)
        for (place, item) in found.items.enumerated() {
            let own = counts[place * width..<(place + 1) * width]
            guard own.total >= fewest else { continue }
            _ = index.insert(item)
            here += own
        }
    }

    /// Counts the same items in the rows of a baseline.
    mutating func countEarlier(_ rows: ItemRows) {
        var counts = [Int32](repeating: 0, count: here.count)
        let (width, index) = (width, index)
        for row in 0..<rows.count {
            let label = labels[rows.labels[row]] ?? 0
            rows.forEach(row) { item in
                let place = index.find(item)
                if place >= 0 { counts[place &* width &+ label] &+= 1 }
            }
        }
        before = counts
        labelledBefore = [Int](repeating: 0, count: width)
        for label in rows.labels { labelledBefore[labels[label] ?? 0] += 1 }
    }

    /// Number of the baseline's rows with a label, by the label's index.
    func labelled(_ label: Int) -> Int { labelledBefore.isEmpty ? 0 : labelledBefore[label + 1] }

    /// The rows with the item at an index, by label; those without a label come first.
    func here(_ place: Int) -> ArraySlice<Int32> { here[place * width..<(place + 1) * width] }
    /// The same in the baseline; empty if there is none.
    func before(_ place: Int) -> ArraySlice<Int32> {
        before.isEmpty ? [] : before[place * width..<(place + 1) * width]
    }
}

extension ArraySlice<Int32> {
    /// All of them.
    var total: Int { reduce(0) { $0 + Int($1) } }
}
