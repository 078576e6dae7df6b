package import Tabular

/// The fate of each row of a source, in source order, run-length coded: the row-level provenance of one batch.
///
/// The bytes are `(count, fate)` pairs of minimal LEB128 varints; `fate = shard << 3 | code`, where the code is 0
/// accepted, 1 flagged, 2 quarantined, 3 rejected (as `Outcome`), 4 held. Accepted and flagged rows are in the accepted
/// shard of that ordinal, quarantined and rejected rows in the quarantine shard of that ordinal, each in source order.
/// Held rows have shard 0 and are in the sealed source. Rows and positions in shards count from 1, as in findings.
package struct RowMap: Sendable, Equatable {
    /// The media type of the blob.
    package static let mediaType = "application/vnd.sluice.rowmap.v1"

    /// The outcome of a row, and the shard that it is in.
    package struct Fate: Sendable, Hashable {
        /// The outcome; nil if the whole batch was held.
        package let outcome: Outcome?
        /// The ordinal of the shard, accepted or quarantine as the outcome says; nil when held.
        package let shard: Int?

        /// A row of a judged batch.
        package init(_ outcome: Outcome, shard: Int) {
            precondition(shard >= 0 && shard < 1 << 48, "a shard's ordinal is a small whole number")
            self.outcome = outcome
            self.shard = shard
        }

        private init() {
            outcome = nil
            shard = nil
        }

        /// A row of a held batch.
        package static let held = Fate()

        fileprivate var code: UInt64 { UInt64(shard ?? 0) << 3 | UInt64(outcome?.rawValue ?? 4) }

        fileprivate init?(code: UInt64) {
            let shard = code >> 3
            if code == 4 {
                self = .held
            } else if let outcome = Outcome(rawValue: UInt8(code & 7)), shard < 1 << 48 {
                self.init(outcome, shard: Int(shard))
            } else {
                return nil
            }
        }

        /// The kind of file that the row is in (released, held back or held), and its ordinal.
        fileprivate var file: [Int] { [outcome.map { $0.isReleased ? 0 : 1 } ?? 2, shard ?? 0] }
    }

    /// Consecutive rows with the same fate.
    package struct Run: Sendable, Equatable {
        /// Number of rows, at least one.
        package fileprivate(set) var count: Int
        /// Their fate.
        package let fate: Fate
    }

    /// The place of one row.
    package struct Place: Sendable, Equatable {
        /// Outcome and shard.
        package let fate: Fate
        /// The row's number within its shard as it is today, from 1.
        package let row: Int
        /// Whether it was erased from the shard, in which it would have this number.
        package let isErased: Bool
    }

    /// The runs in source order; adjacent runs have different fates.
    package private(set) var runs: [Run] = []
    /// Number of rows in the map.
    package private(set) var rowCount = 0
    /// Rows of the source that were erased from their files since. They are no part of the blob.
    package var erased: RowList?

    /// An empty map.
    package init() {}

    /// Appends `count` rows.
    package mutating func append(_ fate: Fate, count: Int) {
        precondition(count >= 0, "a run has no negative length")
        if count == 0 { return }
        rowCount += count
        if runs.last?.fate == fate {
            runs[runs.count - 1].count += count
        } else {
            runs.append(Run(count: count, fate: fate))
        }
    }

    /// Appends another map's rows, as when the results of slices are merged in order.
    package mutating func append(_ other: RowMap) {
        for run in other.runs { append(run.fate, count: run.count) }
    }

    /// The blob's bytes.
    package func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        for run in runs {
            Varint.append(UInt64(run.count), to: &bytes)
            Varint.append(run.fate.code, to: &bytes)
        }
        return bytes
    }

    /// Reads a blob; nil unless it is exactly what `encoded` writes for some map.
    package init?(encoded bytes: [UInt8]) {
        var position = 0
        while position < bytes.count {
            guard let count = Varint.read(bytes, at: &position), count > 0, count < 1 << 48,
                let fate = Varint.read(bytes, at: &position).flatMap({ Fate(code: $0) }), fate != runs.last?.fate
            else { return nil }
            append(fate, count: Int(count))
            guard rowCount < 1 << 53 else { return nil }
        }
    }

    /// The place of source row `row` (from 1), or nil if there is no such row.
    package func place(ofRow row: Int) -> Place? {
        guard row >= 1, row <= rowCount else { return nil }
        var first = 1
        var before: [[Int]: Int] = [:]
        for run in runs {
            let earlier = before[run.fate.file, default: 0]
            if row < first + run.count {
                return Place(
                    fate: run.fate, row: earlier + left(in: first..<row) + 1, isErased: erased?.contains(row) ?? false)
            }
            before[run.fate.file] = earlier + left(in: first..<first + run.count)
            first += run.count
        }
        return nil
    }

    /// The places of many rows, in their order; rows that do not exist are left out. It takes one walk over the map.
    package func places(of rows: RowList) -> [(row: Int, place: Place)] {
        var found: [(row: Int, place: Place)] = []
        var before: [[Int]: Int] = [:]
        var (first, next, gone) = (1, 0, 0)
        let erased = erased?.ranges ?? []
        for run in runs {
            let end = first + run.count
            var left = before[run.fate.file, default: 0]
            var row = first
            while row < end {
                while gone < erased.count, erased[gone].upperBound < row { gone += 1 }
                while next < rows.ranges.count, rows.ranges[next].upperBound < row { next += 1 }
                let isErased = gone < erased.count && erased[gone].contains(row)
                let isAsked = next < rows.ranges.count && rows.ranges[next].contains(row)
                // Up to where either changes.
                var stop = end
                if gone < erased.count {
                    stop = min(stop, isErased ? erased[gone].upperBound + 1 : erased[gone].lowerBound)
                }
                if next < rows.ranges.count {
                    stop = min(stop, isAsked ? rows.ranges[next].upperBound + 1 : rows.ranges[next].lowerBound)
                }
                if isAsked {
                    for each in row..<stop {
                        let place = left + (isErased ? 0 : each - row) + 1
                        found.append((each, Place(fate: run.fate, row: place, isErased: isErased)))
                    }
                }
                if !isErased { left += stop - row }
                row = stop
            }
            before[run.fate.file] = left
            first = end
        }
        return found
    }

    /// The number of rows that were not erased among these rows of the source.
    private func left(in rows: Range<Int>) -> Int { rows.count - (erased?.count(in: rows) ?? 0) }

    /// The source row (from 1) and fate of row `row` (from 1) of an accepted or a quarantine shard as it is today, or nil.
    package func source(ofRow row: Int, inShard shard: Int, released: Bool) -> (row: Int, fate: Fate)? {
        guard row >= 1 else { return nil }
        var first = 1
        var before = 0
        for run in runs {
            if run.fate.file == [released ? 0 : 1, shard] {
                let rows = first..<first + run.count
                if row <= before + left(in: rows) {
                    return (leftRow(row - before, from: first), run.fate)
                }
                before += left(in: rows)
            }
            first += run.count
        }
        return nil
    }

    /// The row (from 1) of the sealed source of a held batch that has this number there today; nil if there is none.
    package func source(ofHeldRow row: Int) -> Int? {
        guard row >= 1, row <= left(in: 1..<rowCount + 1) else { return nil }
        return leftRow(row, from: 1)
    }

    /// The number that a row of a held batch has in its sealed source today.
    package func heldRow(of row: Int) -> Int { left(in: 1..<row) + 1 }

    /// The `count`-th row that was not erased among those from `first` on.
    private func leftRow(_ count: Int, from first: Int) -> Int {
        var row = first + count - 1
        for range in erased?.ranges ?? [] where range.upperBound >= first {
            if range.lowerBound > row { break }
            row += range.upperBound - max(first, range.lowerBound) + 1
        }
        return row
    }

    /// Number of rows with this outcome; nil counts held rows.
    package func count(_ outcome: Outcome?) -> Int {
        runs.reduce(0) { $0 + ($1.fate.outcome == outcome ? $1.count : 0) }
    }
}
