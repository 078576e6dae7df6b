import Screening
package import Tabular

/// What several sources say of the same keys, as reports and the record tell it: counts and names, no value.
package struct CrossReport: Sendable {
    /// Rows with a whole key, those that were compared at all, those whose key enough sources speak of.
    package var rows = 0, kept = 0, shared = 0
    /// Values that were compared, and those that are not confirmed.
    package var compared = 0, conflicts = 0
    /// For each source, how often what it says was confirmed and contradicted, and whether it is not trusted for that.
    package var sources: [(name: String, agreed: Int, differed: Int, isDistrusted: Bool)] = []
    /// Batches with values that were released and that most sources contradict now, and how many.
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
            // Tags of sources that nobody knows must not crowd out those that matter.
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
