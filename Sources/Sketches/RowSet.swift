/// A set of row numbers of a file, one bit a row.
package struct RowSet: Sendable, Equatable, Sequence {
    /// Pages of 65,536 rows; one without a row is empty.
    private var pages: [[UInt64]] = []
    /// Number of rows in it.
    package private(set) var count = 0
    private static let pageWords = 1024

    /// The empty set.
    package init() {}

    /// The given rows.
    package init(_ rows: some Sequence<Int>) { for row in rows { insert(row) } }

    /// Adds a row, which is not negative.
    package mutating func insert(_ row: Int) {
        let (page, word, bit) = (row >> 16, row >> 6 & (Self.pageWords - 1), UInt64(1) << UInt64(row & 63))
        if page >= pages.count { pages += Array(repeating: [], count: page + 1 - pages.count) }
        if pages[page].isEmpty { pages[page] = Array(repeating: 0, count: Self.pageWords) }
        if pages[page][word] & bit == 0 {
            pages[page][word] |= bit
            count += 1
        }
    }

    /// The first row from `start` on, or nil.
    package func first(from start: Int) -> Int? {
        var (page, word) = (start >> 16, start >> 6 & (Self.pageWords - 1))
        var mask = UInt64.max << UInt64(start & 63)
        while page < pages.count {
            if !pages[page].isEmpty {
                while word < Self.pageWords {
                    let found = pages[page][word] & mask
                    if found != 0 { return page << 16 + word << 6 + found.trailingZeroBitCount }
                    (word, mask) = (word + 1, .max)
                }
            }
            (page, word, mask) = (page + 1, 0, .max)
        }
        return nil
    }

    /// The rows, ascending.
    package func makeIterator() -> AnyIterator<Int> {
        var next = 0
        return AnyIterator {
            guard let row = first(from: next) else { return nil }
            next = row + 1
            return row
        }
    }

    /// Sets are equal if they have the same rows.
    package static func == (left: RowSet, right: RowSet) -> Bool {
        left.count == right.count && left.elementsEqual(right)
    }
}
