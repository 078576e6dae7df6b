/// Numbers items from 0, in the order of their first appearance: a hash table with open addressing.
///
/// Items are hashes already, so multiplying by an odd number that nobody knows (Dietzfelbinger et al. 1997) is enough to
/// spread them. It comes from the standard library's hasher, which is seeded anew for each process: a supplier cannot
/// send items that collide. No result depends on it.
struct ItemIndex: Sendable {
    /// The items, by their numbers.
    private(set) var items: [UInt64] = []
    /// The item in each slot, and its number; a free slot has 0. The item 0 has no slot.
    private var keys: [UInt64]
    private var places: [Int32]
    private var zero = -1
    private let factor = Self.factor
    private var shift: UInt64

    private static let factor = UInt64(bitPattern: Int64(Hasher().finalize())) | 1

    /// An index for about this many items; it grows.
    init(expecting count: Int = 32) {
        let bits = max(6, Int.bitWidth - (2 * max(count, 1)).leadingZeroBitCount)
        keys = Array(repeating: 0, count: 1 << bits)
        places = Array(repeating: 0, count: 1 << bits)
        shift = UInt64(UInt64.bitWidth - bits)
    }

    /// Number of items.
    var count: Int { items.count }

    /// The number of an item; -1 when it has none.
    @inline(__always)
    func find(_ item: UInt64) -> Int {
        if item == 0 { return zero }
        var slot = Int(truncatingIfNeeded: (item &* factor) &>> shift)
        while true {
            let key = keys[slot]
            if key == item { return Int(places[slot]) }
            if key == 0 { return -1 }
            slot = (slot &+ 1) & (keys.count &- 1)
        }
    }

    /// The number of an item, which is its new one when it has none yet.
    @inline(__always)
    mutating func insert(_ item: UInt64) -> Int {
        let found = find(item)
        return found >= 0 ? found : append(item)
    }

    private mutating func append(_ item: UInt64) -> Int {
        let place = items.count
        items.append(item)
        if item == 0 {
            zero = place
            return place
        }
        if 3 * items.count > 2 * keys.count { grow() } else { put(item, Int32(place)) }
        return place
    }

    private mutating func put(_ item: UInt64, _ place: Int32) {
        var slot = Int(truncatingIfNeeded: (item &* factor) &>> shift)
        while keys[slot] != 0 { slot = (slot &+ 1) & (keys.count &- 1) }
        (keys[slot], places[slot]) = (item, place)
    }

    private mutating func grow() {
        (keys, places) = (Array(repeating: 0, count: 2 * keys.count), Array(repeating: 0, count: 2 * keys.count))
        shift -= 1
        for (place, item) in items.enumerated() where item != 0 { put(item, Int32(place)) }
    }
}
