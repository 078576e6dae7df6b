import Cryptography
import GRDB
import Tabular

/// Derives the projection and the names of blobs from the bodies, then compares them with the tables.
struct ProjectionCheck {
    /// The data derived from one entry's bytes alone, so it can be computed on any thread.
    struct Derived: Sendable {
        let leaf: [UInt8]
        /// The body's kind; nil if the body is not JSON or has no kind.
        let kind: String?
        let isJSON: Bool
        fileprivate let rows: [DerivedRow]
        fileprivate let blobs: [(name: String, media: String)]
        /// Number of entries of its commit, if it is the first of them.
        let commit: Int?
        /// The keys of `seen` that it records; nil unless it is a judgement with keys.
        fileprivate let seen: [[UInt8]]?
        fileprivate let isJudgement: Bool

        init(_ sequence: Int, _ bytes: [UInt8], _ reader: EntryBodyReader) {
            let leaf = MerkleTree.leafHash(bytes)
            if let body = reader.read(bytes) {
                self.init(sequence, leaf, body)
            } else {
                self.init(sequence, leaf, try? JSONValue.parse(bytes))
            }
        }

        private init(_ sequence: Int, _ leaf: [UInt8], _ body: (some EntryBody)?) {
            self.leaf = leaf
            isJSON = body != nil
            kind = body?["kind"]?.text
            rows = body.map { ProvenanceRow.rows(of: $0).rows.map { DerivedRow($0, sequence) } } ?? []
            blobs = body.map { ProvenanceRow.blobs(in: $0) } ?? []
            commit = body?["commit"]?.whole.map { Int($0) }
            seen = body.flatMap { $0["seen"] == nil ? nil : SeenKeys.recorded(in: $0) }
            isJudgement = kind == LedgerEvent.batchJudged.rawValue
        }
    }

    private var tables = ProvenanceRow.Table.allCases.map { TableCheck(table: $0) }
    private var evidence = EvidenceCheck()
    private var seen = SeenCheck()

    /// Reserves memory for a log of this many rows; a number that was tampered with is limited.
    mutating func reserve(_ rows: Int) {
        let rows = max(0, min(rows, 1 << 21))
        // A batch of three entries names about five entities, is one activity and uses one entity.
        for (place, share) in [2 * rows, rows / 2, rows / 2].enumerated() { tables[place].reserve(share) }
    }

    /// Adds the data of one entry.
    mutating func add(_ entry: Derived, _ sequence: Int, kind: String, _ damage: inout DamageList) {
        if !entry.isJSON { return damage.add(.projection, "body of row \(sequence) is not json") }
        if entry.kind != kind {
            damage.add(.projection, "entry.kind of row \(sequence) disagrees with its body")
        }
        for row in entry.rows { tables[Int(row.table.rawValue)].add(row) }
        evidence.add(entry.blobs, sequence)
        if entry.isJudgement { seen.add(entry.seen, sequence) }
    }

    /// Compares with the tables and ignores rows of entries after the first `rows`. Each table is read on its own
    /// connection, so that all processors work.
    consuming func finish(_ path: String, rows: Int, _ damage: inout DamageList) throws {
        func begin<Found: Sendable>(_ work: @escaping @Sendable (DatabaseQueue) throws -> Found) -> Background<Found> {
            Background { try work(try Ledger.connect(path, readonly: true)) }
        }
        let compared = tables.map { table in begin { queue in try table.differences(queue, rows: rows) } }
        let others = [
            begin { [seen] in try seen.compare($0, rows: rows) }, begin { [evidence] in try evidence.compare($0) },
        ]
        // All are awaited in any case, since they use the file.
        let (differences, found) = (
            compared.map { table in Result { try table.value() } }, others.map { part in Result { try part.value() } }
        )
        let count = try differences.reduce(0) { try $0 + $1.get() }
        if count > 0 { damage.add(.projection, "prov tables disagree with the log: \(counted(count, "difference"))") }
        for part in found { damage.add(try part.get()) }
    }
}

/// The expected content of a row of the projection.
private struct DerivedRow: Sendable {
    /// A row's identity, as a 128-bit hash under a random key of this process, so nobody can construct a collision.
    struct Name: Hashable, Sendable {
        let high: Int
        let low: Int

        init(_ row: ProvenanceRow) {
            var hasher = Hasher()
            hasher.combine(row.table.rawValue)
            hasher.combine(row.first)
            if row.table == .edge {
                hasher.combine(row.second)
                hasher.combine(row.third)
            }
            // Two outputs of one absorbed state: as good as two hashes of the strings, at the price of one.
            var other = hasher
            other.combine(1 as UInt8)
            high = hasher.finalize()
            low = other.finalize()
        }
    }

    /// The content of the row besides its identity.
    struct Content: Equatable, Sendable {
        let kind: Int
        let sequence: Int
    }

    let table: ProvenanceRow.Table
    let name: Name
    let content: Content

    init(_ row: ProvenanceRow, _ sequence: Int) {
        (table, name) = (row.table, Name(row))
        content = Content(kind: row.table == .edge ? 0 : row.second.hashValue, sequence: sequence)
    }
}

/// Compares one table of the projection with the rows that the bodies imply.
private struct TableCheck: Sendable {
    let table: ProvenanceRow.Table
    private var expected: [DerivedRow.Name: DerivedRow.Content] = [:]
    /// Rows of a table read in one transaction.
    private static let chunk = 8192

    init(table: ProvenanceRow.Table) { self.table = table }

    mutating func reserve(_ rows: Int) { expected.reserveCapacity(rows) }

    /// The first entry that names a thing keeps the row, as in the writer.
    mutating func add(_ row: DerivedRow) {
        expected.merge(CollectionOfOne((row.name, row.content))) { first, _ in first }
    }

    /// Number of rows that are missing, changed (counted twice, as in a symmetric difference) or surplus.
    func differences(_ queue: DatabaseQueue, rows: Int) throws -> Int {
        let (select, key) =
            table == .edge
            ? ("SELECT src, rel, dst, seq FROM prov_edge", ["src", "rel", "dst"])
            : ("SELECT id, kind, '', seq FROM \(table.name)", ["id"])
        var (missing, differences) = (expected, 0)
        var later: [Int] = []
        try queue.forEachRow(select, orderedBy: key, chunk: Self.chunk) { row in
            let sequence = row.integer(3)
            if sequence >= rows { return later.append(sequence) }
            let found = DerivedRow(
                ProvenanceRow(table: table, first: row.text(0), second: row.text(1), third: row.text(2)), sequence)
            guard let wanted = missing.removeValue(forKey: found.name) else {
                differences += 1
                return
            }
            if wanted != found.content { differences += 2 }
        }
        let size = try queue.read { try Ledger.size($0) }
        return differences + later.count { $0 >= size } + missing.count
    }
}

/// Compares the stored evidence with the hashes that the bodies name.
private struct EvidenceCheck: Sendable {
    private var named: [[UInt8]: (sequence: Int, media: String)] = [:]
    /// Blobs read in one transaction; they are larger than rows.
    private static let chunk = 64

    mutating func add(_ blobs: [(name: String, media: String)], _ sequence: Int) {
        for (name, media) in blobs {
            let sha256 = Cryptography.bytes(hex: name) ?? []
            if named[sha256] == nil { named[sha256] = (sequence, media) }
        }
    }

    func compare(_ queue: DatabaseQueue) throws -> DamageList {
        var (missing, damage) = (named, DamageList())
        try queue.forEachRow("SELECT sha256, data, media FROM blob", orderedBy: ["sha256"], chunk: Self.chunk) { row in
            let name = row.bytes(0)
            if let named = missing.removeValue(forKey: name), named.media != row.text(2) {
                damage.add(.blob, "\(hex(name)) is kept as another kind of thing than row \(named.sequence) says")
            }
            if SHA256.hash(row.bytes(1)) != name { damage.add(.blob, "\(hex(name)) does not match its name") }
        }
        for (name, named) in missing.sorted(by: { ($0.value.sequence, hex($0.key)) < ($1.value.sequence, hex($1.key)) })
        {
            damage.add(.blob, "\(hex(name)) named by row \(named.sequence) is missing")
        }
        return damage
    }
}
