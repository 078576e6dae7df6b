import Tabular

/// Rows of a batch as people write them: `3,5-7`, counted from 1.
package struct RowList: Sendable, Equatable {
    /// Ascending, without overlaps.
    package let ranges: [ClosedRange<Int>]
    /// Most rows of one list, and the highest row number.
    private static let rowsMax = 1_000_000, lastMax = 1 << 40
    /// Most bytes of a list as it is recorded.
    package static let textMax = 16_384

    /// A list as a person writes it; nil for a text that is no list of rows, or of more than a million.
    package init?(_ text: String) {
        self.init(recorded: text)
        guard ranges.reduce(0, { min($0 + $1.count, Self.rowsMax + 1) }) <= Self.rowsMax else { return nil }
    }

    /// A list as the ledger has it, however long; nil for a text that is no list of rows.
    package init?(recorded text: String) {
        guard text.utf8.count <= Self.textMax else { return nil }
        var found: [ClosedRange<Int>] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
            guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1], first >= 1,
                first <= last, last <= Self.lastMax
            else { return nil }
            found.append(first...last)
        }
        self.init(found)
    }

    /// The rows that entries `shard.rewritten` say were erased; nil for none.
    ///
    /// - Throws: for a list that this version cannot read: as no list, the erasure would be overlooked.
    static func erased(_ bodies: some Sequence<JSONValue>) throws(UnreadableRows) -> RowList? {
        var lists: [RowList] = []
        for body in bodies {
            let text = body["rows"]?.text ?? ""
            // Only a key was erased.
            if text.isEmpty { continue }
            guard let list = RowList(recorded: text) else { throw UnreadableRows() }
            lists.append(list)
        }
        return union(lists)
    }

    /// A list of rows that cannot be read.
    struct UnreadableRows: Error {}

    /// nil for no ranges.
    package init?(_ given: [ClosedRange<Int>]) {
        let found = given.sorted { $0.lowerBound < $1.lowerBound }
        var ranges: [ClosedRange<Int>] = []
        for range in found {
            if let last = ranges.last, range.lowerBound <= last.upperBound + 1 {
                ranges[ranges.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                ranges.append(range)
            }
        }
        if ranges.isEmpty { return nil }
        self.ranges = ranges
    }

    /// The list as it is recorded.
    package var text: String {
        ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: ",")
    }

    /// The first rows of the list as text, with how many more there are.
    package func text(first most: Int) -> String {
        let shown = ranges.prefix(most)
        let rest = count - shown.reduce(0) { $0 + $1.count }
        guard rest > 0, let part = RowList(Array(shown)) else { return text }
        return "\(part.text) and \(rest) more"
    }

    /// Number of rows.
    package var count: Int { ranges.reduce(0) { $0 + $1.count } }

    /// Whether a row is in the list.
    package func contains(_ row: Int) -> Bool {
        var (low, high) = (0, ranges.count)
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < row { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count && ranges[low].lowerBound <= row
    }

    /// Number of its rows in a range.
    package func count(in range: Range<Int>) -> Int {
        ranges.reduce(0) { sum, own in
            let part =
                max(
                    own.lowerBound, range.lowerBound)..<max(
                    own.lowerBound, range.lowerBound, min(own.upperBound + 1, range.upperBound))
            return sum + part.count
        }
    }

    /// The rows of both lists.
    package static func union(_ lists: [RowList]) -> RowList? { RowList(lists.flatMap(\.ranges)) }

    /// The first row that is in both lists.
    package func firstShared(with other: RowList) -> Int? {
        ranges.flatMap { own in
            other.ranges.filter { own.overlaps($0) }.map { max(own.lowerBound, $0.lowerBound) }
        }.min()
    }
}
