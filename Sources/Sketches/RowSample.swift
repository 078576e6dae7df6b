package import Tabular

/// A uniform sample of rows: the k rows whose position in the source has the smallest keyed hash (bottom-k).
///
/// With fewer than k rows it has all of them. Which rows are in it depends only on the key and the positions, so
/// merging is exact and commutative. A row has `width` numbers (NaN for a missing one), `codeWidth` codes (keyed hashes
/// of values) and any number of tokens (keyed hashes of the words of its text). Numbers and codes are row-major.
package struct RowSample: Sendable, Mergeable, Equatable {
    /// Rows kept at most.
    package let capacity: Int
    /// Numbers a row.
    package let width: Int
    /// Codes a row.
    package let codeWidth: Int
    /// The rank of each row: the hash of its position.
    package private(set) var ranks: [UInt64] = []
    /// `ranks.count × width` numbers.
    package private(set) var values: [Double] = []
    /// `ranks.count × codeWidth` codes.
    package private(set) var codes: [UInt64] = []
    /// The tokens of all rows, one row after the other.
    package private(set) var tokens: [UInt32] = []
    /// The end of each row's tokens in `tokens`.
    package private(set) var tokenEnds: [Int] = []
    /// Number of rows offered, kept or not.
    package private(set) var offered = 0
    /// Rows with a larger rank than this are no longer in the sample.
    package private(set) var bound = UInt64.max

    /// An empty sample.
    package init(capacity: Int, width: Int, codeWidth: Int = 0) {
        self.capacity = capacity
        self.width = width
        self.codeWidth = codeWidth
    }

    /// The rows of a stored sample, ascending by rank.
    package struct Rows {
        let ranks: [UInt64], values: [Double], codes: [UInt64], tokens: [UInt32], tokenEnds: [Int]

        /// Rows × width numbers and rows × code width codes, row-major; without `tokenEnds` no row has tokens.
        package init(
            ranks: [UInt64], values: [Double], codes: [UInt64] = [], tokens: [UInt32] = [], tokenEnds: [Int]? = nil
        ) {
            (self.ranks, self.values, self.codes, self.tokens) = (ranks, values, codes, tokens)
            self.tokenEnds = tokenEnds ?? Array(repeating: 0, count: ranks.count)
        }
    }

    /// A sample as it was stored.
    ///
    /// - Parameter offered: how many rows were offered to it, kept or not.
    package init(capacity: Int, width: Int, codeWidth: Int = 0, rows: Rows, offered: Int) {
        let count = rows.ranks.count
        precondition(rows.values.count == count * width && rows.codes.count == count * codeWidth)
        precondition(rows.tokenEnds.count == count && rows.tokenEnds.last ?? 0 == rows.tokens.count)
        self.init(capacity: capacity, width: width, codeWidth: codeWidth)
        (ranks, values, codes) = (rows.ranks, rows.values, rows.codes)
        (tokens, tokenEnds) = (rows.tokens, rows.tokenEnds)
        self.offered = offered
        settle()
    }

    /// Whether two samples are the same, bit for bit; missing values are equal.
    package static func == (left: RowSample, right: RowSample) -> Bool {
        left.capacity == right.capacity && left.width == right.width && left.codeWidth == right.codeWidth
            && left.offered == right.offered && left.bound == right.bound && left.ranks == right.ranks
            && left.codes == right.codes && left.tokens == right.tokens && left.tokenEnds == right.tokenEnds
            && left.values.elementsEqual(right.values) { $0.bitPattern == $1.bitPattern }
    }

    /// Rows in the sample.
    package var count: Int { ranks.count }

    /// The tokens of row `row`.
    package func tokens(of row: Int) -> ArraySlice<UInt32> {
        tokens[(row == 0 ? 0 : tokenEnds[row - 1])..<tokenEnds[row]]
    }

    /// Counts a row whose rank is known to be too large for the sample.
    @inline(__always)
    package mutating func skip() { offered += 1 }

    /// Whether a row with this rank may be in the sample; if so, `append` its values.
    package mutating func admits(_ rank: UInt64) -> Bool {
        offered += 1
        return rank <= bound
    }

    /// Appends an admitted row: its numbers, one feature after the other, its codes and tokens.
    package mutating func append(
        rank: UInt64, _ row: [Double], codes rowCodes: [UInt64] = [], tokens found: [UInt32] = []
    ) {
        precondition(row.count == width && rowCodes.count == codeWidth)
        ranks.append(rank)
        values.append(contentsOf: row)
        codes.append(contentsOf: rowCodes)
        tokens.append(contentsOf: found)
        tokenEnds.append(tokens.count)
        if ranks.count >= 2 * capacity { compact() }
    }

    /// Adds another part's sample. A sample with a smaller capacity counts with the rows that it kept.
    package mutating func merge(_ other: RowSample) {
        precondition(width == other.width && codeWidth == other.codeWidth && capacity >= other.capacity)
        ranks.append(contentsOf: other.ranks)
        values.append(contentsOf: other.values)
        codes.append(contentsOf: other.codes)
        let before = tokens.count
        tokens.append(contentsOf: other.tokens)
        for end in other.tokenEnds { tokenEnds.append(before + end) }
        offered += other.offered
        if ranks.count >= 2 * capacity { compact() }
    }

    /// The union of several samples; it does not depend on their order.
    ///
    /// Each row is copied once, to its place: a merged baseline has tens of megabytes.
    package static func union(_ parts: [RowSample], capacity: Int) -> RowSample {
        var made = RowSample(capacity: capacity, width: parts.first?.width ?? 0, codeWidth: parts.first?.codeWidth ?? 0)
        let (width, codeWidth) = (made.width, made.codeWidth)
        for part in parts {
            precondition(part.width == width && part.codeWidth == codeWidth && capacity >= part.capacity)
            made.offered += part.offered
        }
        var places = parts.enumerated().flatMap { part, sample in
            sample.ranks.enumerated().map { RowPlace(rank: $1, part: Int32(part), row: Int32($0)) }
        }
        places.sort { left, right in
            if left.rank != right.rank { return left.rank < right.rank }
            return parts[Int(left.part)].precedes(Int(left.row), parts[Int(right.part)], Int(right.row))
        }
        let kept = places.prefix(capacity)
        made.ranks = kept.map(\.rank)
        made.values.reserveCapacity(kept.count * width)
        made.codes.reserveCapacity(kept.count * codeWidth)
        made.tokens.reserveCapacity(parts.reduce(0) { $0 + $1.tokens.count })
        made.tokenEnds.reserveCapacity(kept.count)
        for place in kept {
            let (part, row) = (parts[Int(place.part)], Int(place.row))
            made.values.append(contentsOf: part.numbers(of: row))
            made.codes.append(contentsOf: part.codes(of: row))
            if !part.tokens.isEmpty { made.tokens.append(contentsOf: part.tokens(of: row)) }
            made.tokenEnds.append(made.tokens.count)
        }
        made.settle()
        return made
    }

    /// Where a row of a union comes from.
    private struct RowPlace {
        var rank: UInt64, part: Int32, row: Int32
    }

    /// Sorts by rank and drops rows beyond the capacity; the result does not depend on the order of merging.
    package mutating func compact() {
        if ranks.count <= capacity, isOrdered { return settle() }
        let order = ranks.indices.sorted { precedes($0, $1) }
        self = rows(order.prefix(capacity))
        settle()
    }

    /// Whether each rank is larger than the one before.
    private var isOrdered: Bool { zip(ranks, ranks.dropFirst()).allSatisfy { $0 < $1 } }

    private mutating func settle() {
        if ranks.count == capacity, let last = ranks.last { bound = last }
    }

    /// The sample with these of its rows, in this order.
    package func rows(_ order: some Collection<Int>) -> RowSample {
        var kept = RowSample(capacity: capacity, width: width, codeWidth: codeWidth)
        kept.offered = offered
        kept.bound = bound
        kept.ranks.reserveCapacity(order.count)
        kept.tokenEnds.reserveCapacity(order.count)
        kept.values = values.gathered(width: width, order)
        kept.codes = codes.gathered(width: codeWidth, order)
        for row in order {
            kept.ranks.append(ranks[row])
            if !tokens.isEmpty { kept.tokens.append(contentsOf: tokens(of: row)) }
            kept.tokenEnds.append(kept.tokens.count)
        }
        return kept
    }

    /// The rows with the smallest ranks of a compacted sample: again a uniform sample.
    package func first(_ most: Int) -> RowSample { count <= most ? self : rows(0..<most) }

    /// The same rows, with the numbers of these columns missing in every row.
    package func blanking(_ columns: Set<Int>) -> RowSample {
        if columns.isEmpty { return self }
        var copy = self
        for row in 0..<count { for column in columns { copy.values[row * width + column] = .nan } }
        return copy
    }

    /// Orders rows by rank, and rows of equal rank by their content, so that the order of arrival does not matter.
    private func precedes(_ left: Int, _ right: Int) -> Bool {
        ranks[left] != ranks[right] ? ranks[left] < ranks[right] : precedes(left, self, right)
    }

    /// Orders a row of this sample and one of another by their content.
    private func precedes(_ left: Int, _ other: RowSample, _ right: Int) -> Bool {
        for feature in 0..<width {
            let (a, b) = (values[left * width + feature].bitPattern, other.values[right * width + feature].bitPattern)
            if a != b { return a < b }
        }
        for code in 0..<codeWidth {
            let (a, b) = (codes[left * codeWidth + code], other.codes[right * codeWidth + code])
            if a != b { return a < b }
        }
        return tokens(of: left).lexicographicallyPrecedes(other.tokens(of: right))
    }

    /// The same rows in the same order, with their tokens mapped.
    package func mapTokens(_ made: (UInt32) -> UInt32) -> RowSample {
        var copy = self
        for place in tokens.indices { copy.tokens[place] = made(tokens[place]) }
        return copy
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

    /// The numbers of row `row`.
    package func numbers(of row: Int) -> ArraySlice<Double> { values[row * width..<(row + 1) * width] }
    /// The codes of row `row`.
    package func codes(of row: Int) -> ArraySlice<UInt64> { codes[row * codeWidth..<(row + 1) * codeWidth] }

    /// One code of every row.
    package func codes(_ column: Int) -> [UInt64] { (0..<count).map { codes[$0 * codeWidth + column] } }
}

extension RowSample: WireValue {
    /// Appends the value's bytes.
    package func write(to wire: inout WireWriter) {
        for number in [capacity, width, codeWidth, offered] { wire.append(number) }
        wire.append(bound)
        wire.append(ranks)
        wire.append(values)
        wire.append(codes)
        wire.append(tokens)
        wire.append(tokenEnds)
    }

    /// Reads the bytes that `write` appended.
    package init(from wire: inout WireReader) throws(WireError) {
        self.init(capacity: try wire.read(), width: try wire.read(), codeWidth: try wire.read())
        offered = try wire.read()
        bound = try wire.read()
        ranks = try wire.read()
        values = try wire.read()
        codes = try wire.read()
        tokens = try wire.read()
        tokenEnds = try wire.read()
        let isWhole =
            capacity >= 0 && (0...1 << 24).contains(width) && (0...1 << 24).contains(codeWidth)
            && values.count == count * width && codes.count == count * codeWidth && tokenEnds.count == count
            && zip([0] + tokenEnds, tokenEnds + [tokens.count]).allSatisfy { $0 <= $1 }
            && tokenEnds.last ?? 0 == tokens.count
        guard isWhole else { throw WireError() }
    }
}
