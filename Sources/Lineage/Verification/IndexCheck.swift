import GRDB
import Tabular

/// The sum of many hashes: the same for the same rows in any order, under this process's random key, so that nobody can
/// aim at one.
struct RowSum: Equatable, Sendable {
    private var high = 0
    private var low = 0

    /// Adds the hash of an entry's place in the index by kind.
    mutating func add(kind: String, sequence: Int) {
        var hasher = Hasher()
        hasher.combine(kind)
        hasher.combine(sequence)
        add(hasher)
    }

    /// Adds the hash of an edge.
    mutating func add(edge source: String, _ relation: String, _ target: String) {
        var hasher = Hasher()
        hasher.combine(source)
        hasher.combine(relation)
        hasher.combine(target)
        add(hasher)
    }

    private mutating func add(_ hasher: Hasher) {
        var other = hasher
        other.combine(1 as UInt8)
        high &+= hasher.finalize()
        low &+= other.finalize()
    }
}

/// Holds the indices against what they are of. SQLite's record of an index can be made to say what it does not hold,
/// and its quick check does not look into indices: look-ups would then miss entries in silence.
enum IndexCheck {
    /// Begins the comparison, beside whatever else is done.
    ///
    /// - Parameter kinds: the sum of kind and number over the entries of the log that were walked.
    static func begin(_ path: String, rows: Int, kinds: RowSum) -> Background<DamageList> {
        Background {
            var damage = DamageList()
            try compare(try Ledger.connect(path, readonly: true), rows: rows, kinds: kinds, &damage)
            return damage
        }
    }

    private static func compare(
        _ queue: DatabaseQueue, rows: Int, kinds: RowSum, _ damage: inout DamageList
    ) throws {
        var indexed = RowSum()
        try queue.forEachRow(
            "SELECT kind, seq FROM entry INDEXED BY entry_kind", orderedBy: ["kind", "seq"], chunk: 65_536
        ) { row in
            if row.integer(1) < rows { indexed.add(kind: row.text(0), sequence: row.integer(1)) }
        }
        if indexed != kinds { damage.add(.projection, "the index entry_kind disagrees with the entries") }
        // In one transaction: edges of entries to come would be in one of the two only.
        try queue.read { db in
            var (edges, byTarget) = (RowSum(), RowSum())
            // The number is not in the index: without it SQLite would walk the index for the table, NOT INDEXED or not.
            try db.forEach("SELECT src, rel, dst, seq FROM prov_edge ORDER BY src, rel, dst") {
                edges.add(edge: $0.text(0), $0.text(1), $0.text(2))
            }
            try db.forEach("SELECT src, rel, dst FROM prov_edge INDEXED BY prov_edge_dst") {
                byTarget.add(edge: $0.text(0), $0.text(1), $0.text(2))
            }
            if edges != byTarget { damage.add(.projection, "the index prov_edge_dst disagrees with its table") }
        }
    }
}
