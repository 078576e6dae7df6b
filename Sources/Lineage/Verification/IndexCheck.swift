import GRDB
import Tabular

/// The sum of the hashes of rows: it does not depend on their order, and is keyed by a random key of this process, so
/// nobody can construct a collision.
struct RowSum: Equatable, Sendable {
    private var high = 0
    private var low = 0

    /// Adds the hash of an entry's row in the index by kind.
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

/// Compares the indices with their tables. An attacker can make an index omit rows, and SQLite's quick check does not
/// read indices: look-ups would then miss entries silently.
enum IndexCheck {
    /// Starts the comparison in the background.
    ///
    /// - Parameter kinds: the sum of kind and sequence number over all entries that were read.
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
        // In one transaction, since edges of later entries would be in only one of the two.
        try queue.read { db in
            var (edges, byTarget) = (RowSum(), RowSum())
            // The sequence number is not in the index. Without it, SQLite would scan the index instead of the table, in
            // spite of NOT INDEXED.
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
