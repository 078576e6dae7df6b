package import Sketches
package import Tabular

/// The comparison of several suppliers' assertions about the same keys.
///
/// If two suppliers differ, both are doubted. With three or more the weighted majority wins. A supplier's weight is the
/// lower 5 % bound of Beta(1 + agreed, 1 + differed) for the field, from earlier comparisons (after Dawid and Skene
/// 1979, and Li et al. 2014), so that many new names do not outvote a known one. Values are never averaged.
package struct CrossCheck: Sendable, Equatable {
    /// A value that is not confirmed.
    package struct Conflict: Sendable, Equatable {
        /// The row's number.
        package var row: Int
        /// The contract's field.
        package var field: Int
        /// The share of all suppliers' weight that supports the row's value.
        package var support: Double
        /// Number of suppliers with a claim.
        package var sources: Int
    }

    /// The values that are not confirmed, by row and field.
    package internal(set) var conflicts: [Conflict] = []
    /// Rows of the batch with a complete key, rows that were kept, and rows whose key enough suppliers have.
    package internal(set) var rows = 0, kept = 0, shared = 0
    /// Values that were compared.
    package internal(set) var compared = 0
    /// This batch's comparisons by supplier.
    package internal(set) var tallies: [UInt64: SourceTally] = [:]
    /// Suppliers that are contradicted too often: all their rows are held back until a person trusts them.
    package internal(set) var distrusted: [UInt64] = []
    /// The lower bound of the confirmed share of a supplier's values, by supplier.
    private(set) var trusts: [UInt64: Double] = [:]
    /// Released values of earlier batches that most suppliers now contradict: their number, by batch.
    package internal(set) var contradicted: [String: Int] = [:]
    /// The outcome of a row with an unconfirmed value.
    package internal(set) var action = Outcome.quarantined
    /// The sender of the batch, to whom rows without a supplier of their own belong.
    package internal(set) var batchSource: UInt64 = 0

    /// Fewest comparisons for a supplier's record, and the confirmed share below which a supplier is distrusted.
    static let comparisonsMin = 50
    static let trustMin = 0.8

    /// Nothing compared.
    init() {}

    /// Compares a batch's assertions with each other and with earlier ones.
    ///
    /// - Parameters:
    ///   - assertions: the batch's assertions, ascending by key.
    ///   - earlier: others' assertions about the same keys, newest batch first.
    package init(_ assertions: RowSample, earlier: [EarlierAssertions], _ reader: AssertionReader) {
        action = reader.action
        batchSource = reader.batchSource
        (rows, kept) = (assertions.offered, assertions.count)
        var record: [UInt64: SourceTally] = [:]
        for batch in earlier {
            for (source, tally) in batch.tallies {
                record[source, default: SourceTally(fields: reader.compared.count)].add(tally)
            }
        }
        var jury = Jury(reader, record)
        var at = earlier.map { _ in 0 }
        var first = 0
        while first < assertions.count {
            var end = first + 1
            while end < assertions.count, assertions.ranks[end] == assertions.ranks[first] { end += 1 }
            jury.begin()
            // The newest claim of a supplier counts: its last row here, else the newest batch before.
            jury.hear(assertions, first..<end, batch: nil)
            for (index, batch) in earlier.enumerated() {
                while at[index] < batch.rows.count, batch.rows.ranks[at[index]] < assertions.ranks[first] {
                    at[index] += 1
                }
                let begin = at[index]
                while at[index] < batch.rows.count, batch.rows.ranks[at[index]] == assertions.ranks[first] {
                    at[index] += 1
                }
                jury.hear(batch.rows, begin..<at[index], batch: index)
            }
            if jury.sources >= reader.minSources { shared += end - first }
            for place in reader.compared.indices { judge(place, &jury, earlier) }
            first = end
        }
        tallies = jury.tallies
        conflicts.sort { ($0.row, $0.field) < ($1.row, $1.field) }
        for (source, tally) in tallies { record[source, default: SourceTally(fields: tally.agreed.count)].add(tally) }
        for (source, tally) in record {
            let (agreed, differed) = (tally.agreed.reduce(0, +), tally.differed.reduce(0, +))
            let trust = Significance.betaLower(agreed, differed)
            guard agreed + differed >= Self.comparisonsMin, trust < Self.trustMin else { continue }
            distrust(source, trust)
        }
        distrusted.sort()
    }

    mutating func distrust(_ source: UInt64, _ trust: Double) {
        distrusted.append(source)
        trusts[source] = trust
    }

    /// The conflicts of rows, as a part of the sorted list.
    func conflicts(in rows: Range<Int>) -> ArraySlice<Conflict> {
        func first(_ row: Int) -> Int {
            var (low, high) = (0, conflicts.count)
            while low < high {
                let middle = (low + high) / 2
                if conflicts[middle].row < row { low = middle + 1 } else { high = middle }
            }
            return low
        }
        return conflicts[first(rows.lowerBound)..<first(rows.upperBound)]
    }

    /// The lower bound of the confirmed share of a distrusted supplier's values.
    func trust(of source: UInt64) -> Double { trusts[source] ?? 1 }

    private mutating func judge(_ place: Int, _ jury: inout Jury, _ earlier: [EarlierAssertions]) {
        guard let verdict = jury.decide(place) else { return }
        let field = jury.reader.compared[place].field
        let total = jury.total
        for assertion in jury.assertions where assertion.batch == nil && assertion.hasValue(place, jury.reader) {
            compared += 1
            if verdict.isAgreed || assertion.isNear(verdict.believed, place, jury.reader) { continue }
            conflicts.append(
                Conflict(
                    row: assertion.row, field: field, support: total > 0 ? jury.support(place, assertion) / total : 0,
                    sources: verdict.sources))
        }
        guard !verdict.isAgreed, verdict.believed != nil else { return }
        for assertion in jury.assertions
        where !assertion.isWithheld && assertion.hasValue(place, jury.reader)
            && !assertion.isNear(verdict.believed, place, jury.reader)
        {
            if let batch = assertion.batch { contradicted[earlier[batch].batch, default: 0] += 1 }
        }
    }
}

/// One row's claim about the compared key.
private struct Assertion {
    var source: UInt64
    /// The batch among the earlier ones; nil for the one that is judged.
    var batch: Int?
    var row: Int
    var isWithheld: Bool
    var numbers: ArraySlice<Double>
    var codes: ArraySlice<UInt64>

    func hasValue(_ place: Int, _ reader: AssertionReader) -> Bool {
        switch reader.compared[place].kind {
        case .number(let at, _), .point(let at, _): !numbers[numbers.startIndex + at].isNaN
        case .code(let at): codes[codes.startIndex + at] != 0
        }
    }

    /// Whether two assertions agree about a field; a missing assertion agrees with none.
    func isNear(_ other: Assertion?, _ place: Int, _ reader: AssertionReader) -> Bool {
        guard let other else { return false }
        switch reader.compared[place].kind {
        case .number(let at, let tolerance):
            let (a, b) = (numbers[numbers.startIndex + at], other.numbers[other.numbers.startIndex + at])
            // An infinite value is near to itself only.
            return a == b || a.isFinite && b.isFinite && abs(a - b) <= tolerance * max(abs(a), abs(b))
        case .point(let at, let skew):
            return abs(numbers[numbers.startIndex + at] - other.numbers[other.numbers.startIndex + at]) <= skew
        case .code(let at): return codes[codes.startIndex + at] == other.codes[other.codes.startIndex + at]
        }
    }
}

/// The suppliers with a claim about one key.
private struct Jury {
    let reader: AssertionReader
    /// The record of each supplier before this batch.
    private let record: [UInt64: SourceTally]
    private var weights: [UInt64: [Double]] = [:]
    private var heard = Set<UInt64>()
    /// The weight of a supplier without a record, and of all votes together.
    private var unknownWeight = 0.05
    private(set) var total = 0.0
    private(set) var assertions: [Assertion] = []
    /// This batch's comparisons by supplier.
    private(set) var tallies: [UInt64: SourceTally] = [:]
    /// The newest assertion of each supplier, as indices in `assertions`, with a value of the field being judged.
    private var votes: [Int] = []

    init(_ reader: AssertionReader, _ record: [UInt64: SourceTally]) {
        self.reader = reader
        self.record = record
    }

    mutating func begin() {
        assertions.removeAll(keepingCapacity: true)
        heard.removeAll(keepingCapacity: true)
    }

    /// Number of suppliers with a claim about the key.
    var sources: Int { heard.count }

    /// Adds the assertions of one batch about the key, the last row first. Suppliers beyond the limit are ignored, and one
    /// batch may not use up the limit alone.
    mutating func hear(_ rows: RowSample, _ range: Range<Int>, batch: Int?) {
        if range.isEmpty { return }
        func number(_ row: Int) -> UInt64 { rows.codes[row * rows.codeWidth] & ~AssertionReader.withheldBit }
        // Suppliers with a record come first, so that a crowd of new names cannot push them out.
        func isKnown(_ row: Int) -> Bool { record[rows.codes[row * rows.codeWidth + 1]] != nil }
        let order =
            range.count == 1
            ? Array(range)
            : range.map { (isKnown: isKnown($0), number: number($0), row: $0) }.sorted {
                $0.isKnown != $1.isKnown ? $0.isKnown : $0.number > $1.number
            }.map(\.row)
        let room = batch == nil ? Self.sourcesMax / 2 : Self.sourcesMax
        for row in order {
            let codes = rows.codes(of: row)
            let source = codes[codes.startIndex + 1]
            if !heard.contains(source) {
                if heard.count >= room { continue }
                heard.insert(source)
            }
            assertions.append(
                Assertion(
                    source: source, batch: batch, row: Int(number(row)),
                    isWithheld: codes[codes.startIndex] & AssertionReader.withheldBit != 0,
                    numbers: rows.numbers(of: row),
                    codes: codes))
        }
    }

    /// Most suppliers that are compared for one key.
    private static let sourcesMax = 64

    /// The weight of a vote: the lower bound of the supplier's earlier agreement. All suppliers without a record
    /// together weigh at most as much as three of them, so they cannot outvote one with a record, however many they
    /// are.
    private mutating func weight(_ source: UInt64, _ place: Int) -> Double {
        guard let tally = record[source], tally.agreed[place] + tally.differed[place] > 0 else { return unknownWeight }
        if let known = weights[source] { return known[place] }
        let made = reader.compared.indices.map { Significance.betaLower(tally.agreed[$0], tally.differed[$0]) }
        weights[source] = made
        return made[place]
    }

    struct Consensus {
        var isAgreed: Bool
        /// The claim whose value wins; nil if none does.
        var believed: Assertion?
        var sources: Int
    }

    /// Decides about a field; nil if too few suppliers have a value of it.
    mutating func decide(_ place: Int) -> Consensus? {
        votes.removeAll(keepingCapacity: true)
        for (index, assertion) in assertions.enumerated()
        where votes.count < heard.count && assertion.hasValue(place, reader)
            && !votes.contains(where: { assertions[$0].source == assertion.source })
        {
            votes.append(index)
        }
        guard votes.count >= max(2, reader.minSources) else { return nil }
        let unknown = votes.count { vote in
            record[assertions[vote].source].map { $0.agreed[place] + $0.differed[place] == 0 } ?? true
        }
        unknownWeight = min(0.05, 0.15 / Double(max(unknown, 1)))
        total = 0
        for vote in votes { total += weight(assertions[vote].source, place) }
        var (most, best) = (-1.0, votes[0])
        for vote in votes {
            let mine = support(place, assertions[vote])
            // Ties are decided by the supplier's code, so that the order of batches does not matter.
            if mine > most || mine == most && assertions[vote].source < assertions[best].source {
                (most, best) = (mine, vote)
            }
        }
        let believed = assertions[best]
        let isAgreed = votes.allSatisfy { assertions[$0].isNear(believed, place, reader) }
        // The newest claims agree, but a supplier may have had another value in an earlier row of the same file.
        let hasOwnOther = assertions.contains {
            $0.batch == nil && $0.hasValue(place, reader) && !$0.isNear(believed, place, reader)
        }
        guard isAgreed || votes.count >= 3 && most > total / 2 else {
            return Consensus(isAgreed: false, believed: nil, sources: votes.count)
        }
        // Earlier claims were counted in their own batch.
        for vote in votes where assertions[vote].batch == nil {
            let source = assertions[vote].source
            if assertions[vote].isNear(believed, place, reader) {
                tallies[source, default: SourceTally(fields: reader.compared.count)].agreed[place] += 1
            } else {
                tallies[source, default: SourceTally(fields: reader.compared.count)].differed[place] += 1
            }
        }
        return Consensus(isAgreed: isAgreed && !hasOwnOther, believed: believed, sources: votes.count)
    }

    /// The weight of the votes that agree with an assertion.
    mutating func support(_ place: Int, _ assertion: Assertion) -> Double {
        var sum = 0.0
        for vote in votes where assertions[vote].isNear(assertion, place, reader) {
            sum += weight(assertions[vote].source, place)
        }
        return sum
    }
}
