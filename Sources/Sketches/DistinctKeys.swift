/// Finds every row whose key stood in an earlier row, exactly, with 16 bytes a row.
///
/// Keys are 128-bit keyed hashes; 88 bits are kept beside a 40-bit row number, and eight more are the bucket, so 96 bits
/// decide. With 10⁷ rows a false duplicate has probability 10¹⁴/2⁹⁷ < 10⁻¹⁵. Buckets grow in pages, so that nothing is
/// copied and nothing is doubled.
package struct DistinctKeys: Sendable, Mergeable {
    private static let pageEntries = 1024
    private struct Entry: Sendable {
        var high: UInt64
        /// 24 more bits of hash above 40 bits of row number.
        var low: UInt64
    }
    private var pages: [[[Entry]]]
    /// Rows added.
    package private(set) var count = 0

    /// Nothing yet.
    package init() { pages = Array(repeating: [], count: 256) }

    /// Adds the key of a row; row numbers are 1 to 2⁴⁰ − 1.
    package mutating func add(_ key: Hash128, row: Int) {
        let bucket = Int(key.low & 0xFF)
        let entry = Entry(high: key.high, low: (key.low >> 8) << 40 | UInt64(row))
        append(entry, bucket)
        count += 1
    }

    private mutating func append(_ entry: Entry, _ bucket: Int) {
        if let last = pages[bucket].indices.last, pages[bucket][last].count < Self.pageEntries {
            pages[bucket][last].append(entry)
            return
        }
        var page: [Entry] = []
        // A small batch has small pages; a large one soon reaches the full size.
        page.reserveCapacity(pages[bucket].isEmpty ? 16 : Self.pageEntries)
        page.append(entry)
        pages[bucket].append(page)
    }

    /// Takes in the keys of other rows.
    package mutating func merge(_ other: DistinctKeys) {
        for bucket in 0..<256 {
            for page in other.pages[bucket] {
                for entry in page { append(entry, bucket) }
            }
        }
        count += other.count
    }

    /// Rows that repeat the key of an earlier row, ascending.
    package func duplicates() -> [Int] {
        let rowMask: UInt64 = (1 << 40) - 1
        var rows: [Int] = []
        var slots: [Entry] = []
        for bucket in pages {
            let count = bucket.reduce(0) { $0 + $1.count }
            if count < 2 { continue }
            // Open addressing at half load: the first row of each key stays, a later one is reported. Row numbers start
            // at 1, so a slot of zeros is free.
            var size = 16
            while size < 2 * count { size *= 2 }
            slots = [Entry](repeating: Entry(high: 0, low: 0), count: size)
            for page in bucket {
                for entry in page {
                    var at = Int(truncatingIfNeeded: entry.high) & (size - 1)
                    while slots[at].low != 0,
                        slots[at].high != entry.high || slots[at].low & ~rowMask != entry.low & ~rowMask
                    {
                        at = (at + 1) & (size - 1)
                    }
                    if slots[at].low == 0 {
                        slots[at] = entry
                    } else {
                        rows.append(Int(max(slots[at].low & rowMask, entry.low & rowMask)))
                        if entry.low & rowMask < slots[at].low & rowMask { slots[at] = entry }
                    }
                }
            }
        }
        return rows.sorted()
    }
}
