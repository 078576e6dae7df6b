package import Tabular

/// The number of occurrences of each finding, with the first rows; totals are exact even when lists are capped.
package struct FindingCounts: Sendable, Mergeable, Equatable {
    /// Findings of one kind are counted together.
    package struct Kind: Sendable, Hashable, Comparable {
        /// The finding.
        package var code: FindingCode
        /// The contract's field, or nil.
        package var field: Int?
        /// The outcome that it gave the row.
        package var outcome: Outcome
        /// The contract's rule, or nil.
        package var rule: String?

        /// Orders kinds by severity, then code, then field, then rule.
        package static func < (left: Kind, right: Kind) -> Bool {
            if left.outcome != right.outcome { return left.outcome > right.outcome }
            if left.code != right.code { return left.code < right.code }
            return (left.field ?? -1, left.rule ?? "") < (right.field ?? -1, right.rule ?? "")
        }
    }

    /// A total and the smallest row numbers.
    package struct Tally: Sendable, Equatable {
        /// Number of findings.
        package var count = 0
        /// The first rows, ascending, each once, at most `rowsKept`.
        package var firstRows: [Int] = []
    }

    /// Row numbers kept for each kind.
    package static let rowsKept = 5
    /// The tallies.
    package private(set) var tallies: [Kind: Tally] = [:]

    /// Nothing counted.
    package init() {}

    /// Counts one finding.
    package mutating func add(_ finding: Finding) {
        let kind = Kind(code: finding.code, field: finding.field, outcome: finding.outcome, rule: finding.rule)
        tallies[kind, default: Tally()].count += 1
        guard let row = finding.row, let firstRows = tallies[kind]?.firstRows else { return }
        if firstRows.count < Self.rowsKept || row < firstRows[Self.rowsKept - 1] {
            tallies[kind]?.firstRows = Array(Set(firstRows + [row]).sorted().prefix(Self.rowsKept))
        }
    }

    /// Adds another part's counts.
    package mutating func merge(_ other: FindingCounts) {
        for (kind, tally) in other.tallies {
            var mine = tallies[kind] ?? Tally()
            mine.count += tally.count
            mine.firstRows = Array(Set(mine.firstRows + tally.firstRows).sorted().prefix(Self.rowsKept))
            tallies[kind] = mine
        }
    }

    /// Findings of one code.
    package func count(_ code: FindingCode) -> Int {
        tallies.reduce(0) { $0 + ($1.key.code == code ? $1.value.count : 0) }
    }

    /// Number of findings of one code that gave their rows this outcome.
    package func count(_ code: FindingCode, _ outcome: Outcome) -> Int {
        tallies.reduce(0) { $0 + ($1.key.code == code && $1.key.outcome == outcome ? $1.value.count : 0) }
    }

    /// The kinds, the most severe first.
    package var sorted: [(kind: Kind, tally: Tally)] {
        tallies.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
}

extension FindingCounts: WireValue {
    /// Appends the value's bytes.
    package func write(to wire: inout WireWriter) { wire.append(tallies) }
    /// Reads the bytes that `write` appended.
    package init(from wire: inout WireReader) throws(WireError) { tallies = try wire.read() }
}

extension FindingCounts.Kind: WireValue {
    /// Appends the value's bytes.
    package func write(to wire: inout WireWriter) {
        wire.append(code)
        wire.append(field)
        wire.append(outcome)
        wire.append(rule)
    }

    /// Reads the bytes that `write` appended.
    package init(from wire: inout WireReader) throws(WireError) {
        self.init(code: try wire.read(), field: try wire.read(), outcome: try wire.read(), rule: try wire.read())
    }
}

extension FindingCounts.Tally: WireValue {
    /// Appends the value's bytes.
    package func write(to wire: inout WireWriter) {
        wire.append(count)
        wire.append(firstRows)
    }

    /// Reads the bytes that `write` appended.
    package init(from wire: inout WireReader) throws(WireError) {
        (count, firstRows) = (try wire.read(), try wire.read())
    }
}
