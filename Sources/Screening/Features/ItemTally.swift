import Sketches

/// Counts items to find the largest count.
///
/// Items are hashes, so their own bits index the table. Deliberate collisions cost only a few milliseconds, since a
/// sample has a thousand rows.
struct ItemTally {
    private var items: [UInt64]
    private var counts: [Int32]
    private var used = 0
    private var zeros = 0
    /// The largest count.
    private(set) var most = 0

    /// A table for about this many different items; it grows.
    init(items expected: Int) {
        let size = 1 << max(6, Int.bitWidth - (2 * expected).leadingZeroBitCount)
        items = Array(repeating: 0, count: size)
        counts = Array(repeating: 0, count: size)
    }

    /// Counts an item once more.
    @inline(__always)
    mutating func count(_ item: UInt64) {
        if item == 0 {
            zeros += 1
            most = max(most, zeros)
            return
        }
        if 4 * used >= 3 * items.count { grow() }
        let place = place(of: item)
        if items[place] == 0 {
            items[place] = item
            used += 1
        }
        counts[place] += 1
        most = max(most, Int(counts[place]))
    }

    @inline(__always)
    private func place(of item: UInt64) -> Int {
        let mask = items.count - 1
        var place = Int(truncatingIfNeeded: item ^ item >> 32) & mask
        while items[place] != 0, items[place] != item { place = (place + 1) & mask }
        return place
    }

    private mutating func grow() {
        let (oldItems, oldCounts) = (items, counts)
        items = Array(repeating: 0, count: 2 * oldItems.count)
        counts = Array(repeating: 0, count: 2 * oldItems.count)
        for (item, count) in zip(oldItems, oldCounts) where item != 0 {
            let place = place(of: item)
            (items[place], counts[place]) = (item, count)
        }
    }
}
