/// Counts items to find the largest count.
struct ItemTally {
    private var index: ItemIndex
    private var counts: [Int32] = []
    /// The largest count.
    private(set) var most = 0

    /// A table for about this many different items; it grows.
    init(items expected: Int) {
        index = ItemIndex(expecting: expected)
        counts.reserveCapacity(expected)
    }

    /// Counts an item once more.
    @inline(__always)
    mutating func count(_ item: UInt64) {
        let place = index.insert(item)
        if place == counts.count { counts.append(0) }
        counts[place] += 1
        most = max(most, Int(counts[place]))
    }
}
