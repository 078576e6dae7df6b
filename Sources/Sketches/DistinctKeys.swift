/// Finds every row whose key stood in an earlier row, or stands nowhere in another set, exactly, with 16 bytes a row.
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

        var row: Int { Int(low & ((1 << 40) - 1)) }
        var hashBits: UInt64 { low & ~((1 << 40) - 1) }
    }
    private var pages: [[[Entry]]]
    /// Rows added.
    package private(set) var count = 0

    /// Nothing yet.
    package init() { pages = Array(repeating: [], count: Self.buckets) }

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
        for bucket in 0..<Self.buckets {
            for page in other.pages[bucket] {
                for entry in page { append(entry, bucket) }
            }
        }
        count += other.count
    }

    /// Lets go of all keys, bucket by bucket, as pairs of words for somebody to keep: 16 bytes a key, and none of them says
    /// anything to whoever does not have the hash's secret.
    package mutating func drain<Failure: Error>(_ keep: (_ bucket: Int, _ words: [UInt64]) throws(Failure) -> Void)
        throws(Failure)
    {
        for bucket in 0..<Self.buckets where !pages[bucket].isEmpty {
            var words: [UInt64] = []
            words.reserveCapacity(2 * pages[bucket].reduce(0) { $0 + $1.count })
            for page in pages[bucket] { for entry in page { words += [entry.high, entry.low] } }
            pages[bucket] = []
            try keep(bucket, words)
        }
        count = 0
    }

    /// Buckets that keys are kept in.
    package static let buckets = 256

    /// Rows that repeat the key of an earlier row, ascending.
    package func duplicates() -> [Int] { duplicates { _ in [] } }

    /// Rows that repeat the key of an earlier row, ascending, when some keys were let go of.
    ///
    /// - Parameter drained: gives the words of a bucket back.
    package func duplicates<Failure: Error>(_ drained: (Int) throws(Failure) -> [UInt64]) throws(Failure) -> [Int] {
        var rows: [Int] = []
        for bucket in 0..<Self.buckets {
            let entries = entries(bucket, try drained(bucket))
            if entries.count < 2 { continue }
            // The first row of each key stays, a later one is reported.
            var table = Table(entries.count)
            for entry in entries {
                let at = table.place(of: entry)
                if table.slots[at].low == 0 {
                    table.slots[at] = entry
                } else {
                    rows.append(max(table.slots[at].row, entry.row))
                    if entry.row < table.slots[at].row { table.slots[at] = entry }
                }
            }
        }
        return rows.sorted()
    }

    /// Rows whose key is none of `others`, ascending.
    package func rows(missingFrom others: DistinctKeys) -> [Int] {
        rows(missingFrom: others, { _ in [] }, { _ in [] })
    }

    /// Rows whose key is none of `others`, ascending, when some keys of either were let go of.
    package func rows<Failure: Error>(
        missingFrom others: DistinctKeys, _ drained: (Int) throws(Failure) -> [UInt64],
        _ othersDrained: (Int) throws(Failure) -> [UInt64]
    ) throws(Failure) -> [Int] {
        var rows: [Int] = []
        for bucket in 0..<Self.buckets {
            let wanted = entries(bucket, try drained(bucket))
            if wanted.isEmpty { continue }
            let known = others.entries(bucket, try othersDrained(bucket))
            var table = Table(known.count)
            for entry in known {
                let at = table.place(of: entry)
                table.slots[at] = entry
            }
            for entry in wanted where table.slots[table.place(of: entry)].low == 0 { rows.append(entry.row) }
        }
        return rows.sorted()
    }

    private func entries(_ bucket: Int, _ words: [UInt64]) -> [Entry] {
        var all: [Entry] = []
        all.reserveCapacity(words.count / 2 + pages[bucket].reduce(0) { $0 + $1.count })
        for at in stride(from: 0, to: words.count, by: 2) { all.append(Entry(high: words[at], low: words[at + 1])) }
        for page in pages[bucket] { all += page }
        return all
    }

    /// Open addressing at half load or less. Row numbers start at 1, so a slot of zeros is free.
    private struct Table {
        var slots: [Entry]

        init(_ count: Int) {
            var size = 16
            while size < 2 * count { size *= 2 }
            slots = [Entry](repeating: Entry(high: 0, low: 0), count: size)
        }

        func place(of entry: Entry) -> Int {
            var at = Int(truncatingIfNeeded: entry.high) & (slots.count - 1)
            while slots[at].low != 0, slots[at].high != entry.high || slots[at].hashBits != entry.hashBits {
                at = (at + 1) & (slots.count - 1)
            }
            return at
        }
    }
}
