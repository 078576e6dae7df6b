import Screening
package import Tabular

/// The cross-check as reports and the ledger state it: counts and names, no value.
package struct CrossReport: Sendable {
    /// Rows with a complete key, rows that were compared at all, and rows whose key enough sources describe.
    package var rows = 0, kept = 0, shared = 0
    /// Values that were compared, and values without confirmation.
    package var compared = 0, conflicts = 0
    /// By source, how often its values were confirmed and contradicted, and whether it lost its vote for that.
    package var sources: [(name: String, agreed: Int, differed: Int, isDistrusted: Bool)] = []
    /// Earlier batches with released values that most sources contradict now, and how many.
    package var contradicted: [(batch: String, values: Int)] = []

    init(_ cross: CrossCheck, _ decision: Decision) {
        (rows, kept, shared) = (cross.rows, cross.kept, cross.shared)
        (compared, conflicts) = (cross.compared, cross.conflicts.count)
        sources = cross.tallies.map { source, tally in
            (
                decision.name(ofSource: source), tally.agreed.reduce(0, +), tally.differed.reduce(0, +),
                cross.distrusted.contains(source)
            )
        }.sorted {
            // Sources that lost their vote come first: names that nobody knows must not crowd them out of the list.
            if $0.isDistrusted != $1.isDistrusted { return $0.isDistrusted }
            let (a, b) = ($0.agreed + $0.differed, $1.agreed + $1.differed)
            return a != b ? a > b : $0.name < $1.name
        }
        contradicted = cross.contradicted.map { ($0.key, $0.value) }.sorted { $0.batch < $1.batch }
    }

    /// The report as a document.
    package var document: JSONValue {
        func whole(_ number: Int) -> JSONValue { .integer(Int64(number)) }
        return .object([
            "rows": whole(rows), "kept": whole(kept), "shared": whole(shared), "compared": whole(compared),
            "conflicts": whole(conflicts),
            "sources": .array(
                sources.prefix(64).map {
                    .object([
                        "name": .string($0.name), "agreed": whole($0.agreed), "differed": whole($0.differed),
                        "distrusted": .bool($0.isDistrusted),
                    ])
                }),
            "contradicted": .array(
                contradicted.map { .object(["batch": .string($0.batch), "values": whole($0.values)]) }),
        ])
    }
}
