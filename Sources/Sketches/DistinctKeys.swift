package import Tabular

/// Finds every row whose key occurs in an earlier row, or does not occur in another set. Exact, with 16 bytes a row.
///
/// Keys are 128-bit keyed hashes. 88 bits are stored beside a 40-bit row number, and eight more are the bucket, so 96
/// bits are compared. With 10⁷ rows a false duplicate has probability 10¹⁴/2⁹⁷ < 10⁻¹⁵. Buckets grow in pages, so
/// growing copies nothing and never doubles the memory.
package struct DistinctKeys: Sendable, Mergeable {
    private static let pageEntries = 1024
    fileprivate struct Entry: Sendable {
        var high: UInt64
        /// 24 more bits of hash above 40 bits of row number.
        var low: UInt64

        var row: Int { Int(low & ((1 << 40) - 1)) }
        var hashBits: UInt64 { low & ~((1 << 40) - 1) }
    }
    private var pages: [[[Entry]]]
    /// Number of rows added.
    package private(set) var count = 0

    /// An empty set.
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
        // A small batch has small pages; a large batch soon uses pages of full size.
        page.reserveCapacity(pages[bucket].isEmpty ? 16 : Self.pageEntries)
        page.append(entry)
        pages[bucket].append(page)
    }

    /// Adds the keys of other rows.
    package mutating func merge(_ other: DistinctKeys) {
        for bucket in 0..<Self.buckets {
            for page in other.pages[bucket] {
                for entry in page { append(entry, bucket) }
            }
        }
        count += other.count
    }

    /// Moves all keys out, bucket by bucket, as pairs of words for the caller to store: 16 bytes a key. Without the
    /// hash's secret the words reveal nothing.
    package mutating func drain<Failure: Error>(_ keep: (_ bucket: Int, _ words: [UInt64]) throws(Failure) -> Void)
        throws(Failure)
    {
        for bucket in 0..<Self.buckets where !pages[bucket].isEmpty {
            // In parts: if all keys are equal, one bucket has everything.
            var words: [UInt64] = []
            let mine = pages[bucket]
            pages[bucket] = []
            for (index, page) in mine.enumerated() {
                for entry in page {
                    words.append(entry.high)
                    words.append(entry.low)
                }
                if words.count >= 1 << 17 || index == mine.count - 1 {
                    try keep(bucket, words)
                    words.removeAll(keepingCapacity: true)
                }
            }
        }
        count = 0
    }

    /// Number of buckets.
    package static let buckets = 256

    /// The keys in memory as a set for look-ups; keys that were drained are not in it.
    package func known() -> Known {
        Known(
            tables: (0..<Self.buckets).map { bucket in
                var table = Table()
                for page in pages[bucket] {
                    for entry in page {
                        let at = table.place(of: entry)
                        if table.slots[at].low == 0 { table.insert(entry, at: at) }
                    }
                }
                return table
            })
    }

    /// A set of keys for look-ups.
    package struct Known: Sendable {
        fileprivate let tables: [Table]
    }

    /// Removes the rows whose key is known, so that only the others must be looked up elsewhere; most rows refer to
    /// known keys.
    package mutating func forget(_ known: Known) {
        var left = DistinctKeys()
        for bucket in 0..<Self.buckets {
            let table = known.tables[bucket]
            for page in pages[bucket] {
                for entry in page where table.slots[table.place(of: entry)].low == 0 {
                    left.append(entry, bucket)
                    left.count += 1
                }
            }
        }
        self = left
    }

    /// Rows that repeat the key of an earlier row, ascending.
    package func duplicates() -> RowSet { duplicates { _, _ in nil } }

    /// Rows that repeat the key of an earlier row, if some keys were drained.
    ///
    /// - Parameter drained: gives the words of a bucket back, part by part, then nil. A bucket's distinct keys and one
    ///   part are in memory at once.
    package func duplicates<Failure: Error>(
        _ drained: (_ bucket: Int, _ part: Int) throws(Failure) -> [UInt64]?
    ) throws(Failure) -> RowSet {
        var rows = RowSet()
        for bucket in 0..<Self.buckets {
            // The first row of each key is kept in the table; later ones are reported.
            var table = Table()
            try visit(bucket, drained) { entry in
                let at = table.place(of: entry)
                if table.slots[at].low == 0 {
                    table.insert(entry, at: at)
                } else {
                    rows.insert(max(table.slots[at].row, entry.row))
                    if entry.row < table.slots[at].row { table.slots[at] = entry }
                }
            }
        }
        return rows
    }

    /// Rows whose key does not occur in `others`, ascending.
    package func rows(missingFrom others: DistinctKeys) -> RowSet {
        rows(missingFrom: others, drained: { _, _ in nil }, othersDrained: { _, _ in nil })
    }

    /// Rows whose key does not occur in `others`, if some keys of either were drained.
    package func rows<Failure: Error>(
        missingFrom others: DistinctKeys, drained: (_ bucket: Int, _ part: Int) throws(Failure) -> [UInt64]?,
        othersDrained: (_ bucket: Int, _ part: Int) throws(Failure) -> [UInt64]?
    ) throws(Failure) -> RowSet {
        var rows = RowSet()
        for bucket in 0..<Self.buckets {
            var table = Table()
            try others.visit(bucket, othersDrained) { entry in
                let at = table.place(of: entry)
                if table.slots[at].low == 0 { table.insert(entry, at: at) }
            }
            try visit(bucket, drained) { entry in
                if table.slots[table.place(of: entry)].low == 0 { rows.insert(entry.row) }
            }
        }
        return rows
    }

    /// Visits all entries of a bucket: the drained ones, then those in memory.
    private func visit<Failure: Error>(
        _ bucket: Int, _ drained: (_ bucket: Int, _ part: Int) throws(Failure) -> [UInt64]?,
        _ body: (Entry) -> Void
    ) throws(Failure) {
        var part = 0
        while let words = try drained(bucket, part) {
            for at in stride(from: 0, to: words.count, by: 2) { body(Entry(high: words[at], low: words[at + 1])) }
            part += 1
        }
        for page in pages[bucket] { for entry in page { body(entry) } }
    }

    /// Open addressing at half load or less. Row numbers start at 1, so a slot of zeros is free.
    fileprivate struct Table: Sendable {
        var slots = [Entry](repeating: Entry(high: 0, low: 0), count: 16)
        private var count = 0

        func place(of entry: Entry) -> Int {
            var at = Int(truncatingIfNeeded: entry.high) & (slots.count - 1)
            while slots[at].low != 0, slots[at].high != entry.high || slots[at].hashBits != entry.hashBits {
                at = (at + 1) & (slots.count - 1)
            }
            return at
        }

        mutating func insert(_ entry: Entry, at place: Int) {
            slots[place] = entry
            count += 1
            if 2 * count < slots.count { return }
            let old = slots
            slots = [Entry](repeating: Entry(high: 0, low: 0), count: 2 * old.count)
            for entry in old where entry.low != 0 {
                let at = self.place(of: entry)
                slots[at] = entry
            }
        }
    }
}

extension DistinctKeys: WireValue {
    /// By bucket, the words of its keys.
    package func write(to wire: inout WireWriter) {
        for bucket in 0..<Self.buckets {
            wire.append(pages[bucket].joined().flatMap { [$0.high, $0.low] })
        }
    }

    /// Reads the bytes that `write` appended.
    package init(from wire: inout WireReader) throws(WireError) {
        self.init()
        for bucket in 0..<Self.buckets {
            let words = try wire.read([UInt64].self)
            guard words.count.isMultiple(of: 2) else { throw WireError() }
            for place in stride(from: 0, to: words.count, by: 2) {
                append(Entry(high: words[place], low: words[place + 1]), bucket)
            }
            count += words.count / 2
        }
    }
}
