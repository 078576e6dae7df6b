/// A uniform sample of rows: the k with the smallest keyed hash of their place in the source (bottom-k).
///
/// Exact below k rows. Which rows are in it depends on the key and the places alone, so that merging is exact and
/// commutative. Rows × features, row-major, NaN for a missing value.
package struct RowSample: Sendable, Mergeable, Equatable {
    /// Rows kept at most.
    package let capacity: Int
    /// Features a row.
    package let width: Int
    /// Hash of each row's place.
    package private(set) var ranks: [UInt64] = []
    /// `ranks.count × width` values.
    package private(set) var values: [Double] = []
    /// Rows offered, kept or not.
    package private(set) var offered = 0
    /// Rows with a larger rank than this cannot be in the sample any more.
    package private(set) var bound = UInt64.max

    /// An empty sample.
    package init(capacity: Int, width: Int) {
        self.capacity = capacity
        self.width = width
    }

    /// A sample as it was stored; rows are ascending by rank.
    package init(capacity: Int, width: Int, ranks: [UInt64], values: [Double], offered: Int) {
        precondition(values.count == ranks.count * width)
        self.capacity = capacity
        self.width = width
        self.ranks = ranks
        self.values = values
        self.offered = offered
        if ranks.count == capacity, let last = ranks.last { bound = last }
    }

    /// Whether two samples are the same, bit for bit; missing values are equal.
    package static func == (left: RowSample, right: RowSample) -> Bool {
        left.capacity == right.capacity && left.width == right.width && left.offered == right.offered
            && left.bound == right.bound && left.ranks == right.ranks
            && left.values.elementsEqual(right.values) { $0.bitPattern == $1.bitPattern }
    }

    /// Rows in the sample.
    package var count: Int { ranks.count }

    /// Counts a row that is known to rank behind the sample.
    @inline(__always)
    package mutating func skip() { offered += 1 }

    /// Whether a row with this rank may be in the sample; if so, `append` its values.
    package mutating func admits(_ rank: UInt64) -> Bool {
        offered += 1
        return rank <= bound
    }

    /// Appends the values of an admitted row, one feature after the other, then its rank.
    package mutating func append(rank: UInt64, _ row: [Double]) {
        precondition(row.count == width)
        ranks.append(rank)
        values.append(contentsOf: row)
        if ranks.count >= 2 * capacity { compact() }
    }

    /// Takes in another part's sample.
    package mutating func merge(_ other: RowSample) {
        precondition(width == other.width && capacity == other.capacity)
        ranks.append(contentsOf: other.ranks)
        values.append(contentsOf: other.values)
        offered += other.offered
        if ranks.count >= 2 * capacity { compact() }
    }

    /// Sorts by rank and drops what does not belong; the result does not depend on the order of merging.
    package mutating func compact() {
        let order = ranks.indices.sorted { precedes($0, $1) }.prefix(capacity)
        var keptRanks: [UInt64] = []
        var keptValues: [Double] = []
        keptRanks.reserveCapacity(order.count)
        keptValues.reserveCapacity(order.count * width)
        for index in order {
            keptRanks.append(ranks[index])
            keptValues.append(contentsOf: values[index * width..<(index + 1) * width])
        }
        ranks = keptRanks
        values = keptValues
        if ranks.count == capacity, let last = ranks.last { bound = last }
    }

    /// Orders rows by rank, and rows of one rank by their values, so that no order of arrival shows.
    private func precedes(_ left: Int, _ right: Int) -> Bool {
        if ranks[left] != ranks[right] { return ranks[left] < ranks[right] }
        for feature in 0..<width {
            let (a, b) = (values[left * width + feature].bitPattern, values[right * width + feature].bitPattern)
            if a != b { return a < b }
        }
        return false
    }

    /// The values of one feature that are not missing.
    package func column(_ feature: Int) -> [Double] {
        var out: [Double] = []
        out.reserveCapacity(count)
        for row in 0..<count {
            let value = values[row * width + feature]
            if !value.isNaN { out.append(value) }
        }
        return out
    }
}
