import Cryptography
import Dispatch
import GRDB
import Synchronization
import Tabular

/// Maps independent elements on all processors, in stripes; the order is kept.
func parallelMap<Element: Sendable, Result: Sendable>(
    _ elements: [Element], stripe: Int, _ transform: @Sendable (Element) -> Result
) -> [Result] {
    let stripes = (elements.count + stripe - 1) / stripe
    let results = Mutex<[[Result]]>(Array(repeating: [], count: stripes))
    DispatchQueue.concurrentPerform(iterations: stripes) { number in
        let part = elements[(number * stripe)..<min(elements.count, (number + 1) * stripe)].map(transform)
        results.withLock { $0[number] = part }
    }
    return results.withLock { Array($0.joined()) }
}

/// Work that goes on beside the rest, on a thread of its own.
final class Background<Value: Sendable>: Sendable {
    private let outcome = Mutex<Result<Value, any Error>?>(nil)
    private let group = DispatchGroup()

    init(_ work: @escaping @Sendable () throws -> Value) {
        DispatchQueue.global().async(group: group) { [self] in
            let result = Result { try work() }
            outcome.withLock { $0 = result }
        }
    }

    /// Waits for the end.
    func value() throws -> Value {
        group.wait()
        guard let result = outcome.withLock({ $0 }) else { preconditionFailure("work that ended has a result") }
        return try result.get()
    }
}

/// SQLite's own check of the file's pages, on a connection of its own; nil when they are sound, else what is wrong.
func checkPages(_ path: String) throws -> String? {
    let said = try Ledger.connect(path, readonly: true).read { db in
        try db.first("PRAGMA quick_check(1)") { $0.text(0) } ?? "no answer"
    }
    return said == "ok" ? nil : said
}

/// Compares SQLite's record of the tables with the built-in one.
enum SchemaCheck {
    /// A thing in the record: triggers and tables may have the same name.
    private struct Name: Hashable {
        let type: String
        let name: String
    }

    static func compare(_ db: Database, _ damage: inout DamageList) throws {
        for line in try differences(db) { damage.add(.schema, line) }
        for (pragma, value) in [
            ("application_id", LedgerSchema.applicationID), ("user_version", LedgerSchema.version),
        ] where try db.first("PRAGMA \(pragma)", [], { $0.integer(0) }) != Int(value) {
            damage.add(.schema, "\(pragma) was changed")
        }
    }

    /// What is missing, changed, or there besides; a line each. An added trigger can undo what is written in the very transaction.
    static func differences(_ db: Database) throws -> [String] {
        let want = expected
        let have = try objects(db)
        let names = Set(want.keys).union(have.keys).sorted { ($0.name, $0.type) < ($1.name, $1.type) }
        return names.compactMap { name in
            let (wanted, found) = (want[name] ?? [], have[name] ?? [])
            if wanted == found { return nil }
            if wanted.isEmpty {
                // Whoever added it chose the name, which may be that of one of ours.
                let shown = name.name.unicodeScalars.prefix(64).map { $0.escaped(asASCII: true) }.joined()
                return want.keys.contains { $0.name == name.name }
                    ? "a \(name.type) \(shown) was added" : "\(shown) was added"
            }
            return found.isEmpty ? "\(name.name) is missing" : "\(name.name) was changed"
        }
    }

    /// Whether a name is that of the built-in table, and of no view.
    static func isTable(_ name: String, in db: Database) throws -> Bool {
        let key = Name(type: "table", name: name)
        let have = try objects(db)
        return have[key] == expected[key] && have[Name(type: "view", name: name)] == nil
    }

    private static let expected: [Name: [String]] = {
        guard let memory = try? DatabaseQueue() else { preconditionFailure("a database in memory can be made") }
        let found = try? memory.writeWithoutTransaction { db in
            try db.execute(sql: LedgerSchema.sql)
            return try objects(db)
        }
        guard let found else { preconditionFailure("the tables of a ledger can be made") }
        return found
    }()

    private static func objects(_ db: Database) throws -> [Name: [String]] {
        var found: [Name: [String]] = [:]
        try db.forEach("SELECT type, name, tbl_name, sql FROM sqlite_schema") { row in
            let name = Name(type: row.text(0), name: row.text(1))
            found[name, default: []].append(row.text(2) + "\n" + (row.value(3).isNull ? "none" : row.text(3)))
        }
        return found.mapValues { $0.sorted() }
    }
}

/// Derives the projection and the names of blobs from the bodies, then compares them with the tables.
struct ProjectionCheck {
    /// Rows of a table read in one transaction.
    static let chunk = 8192
    /// Blobs read in one transaction; they are larger.
    static let blobChunk = 64

    /// A projected row's identity, as 128 bits under this process's random key: nobody can aim at a collision.
    fileprivate struct Name: Hashable {
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
            // Two ends of one absorbed state: as good as two hashes of the strings, for the price of one.
            var other = hasher
            other.combine(1 as UInt8)
            high = hasher.finalize()
            low = other.finalize()
        }
    }

    /// What the row says beside its identity.
    fileprivate struct Content: Equatable {
        let kind: Int
        let sequence: Int

        init(_ row: ProvenanceRow, _ sequence: Int) {
            kind = row.table == .edge ? 0 : row.second.hashValue
            self.sequence = sequence
        }
    }

    /// What one entry says, worked out from its bytes alone, so on any thread.
    struct Derived: Sendable {
        let leaf: [UInt8]
        /// The body's kind; nil when it is not JSON or has none.
        let kind: String?
        let isJSON: Bool
        fileprivate let rows: [(Name, Content)]
        fileprivate let blobs: [(name: String, media: String)]
        /// Entries that its commit made, where it is the first of them.
        let commit: Int?
        /// The keys of `seen` that it records; nil unless it is a judgement that says which.
        fileprivate let seen: [[UInt8]]?
        fileprivate let isJudgement: Bool

        init(_ sequence: Int, _ bytes: [UInt8]) {
            leaf = MerkleTree.leafHash(bytes)
            let body = try? JSONValue.parse(bytes)
            isJSON = body != nil
            kind = body?["kind"]?.text
            rows = body.map { ProvenanceRow.rows(of: $0).rows.map { (Name($0), Content($0, sequence)) } } ?? []
            blobs = body.map { ProvenanceRow.blobs(in: $0) } ?? []
            commit = body?["commit"]?.whole.map { Int($0) }
            seen = body.flatMap { $0["seen"] == nil ? nil : SeenKeys.recorded(in: $0) }
            isJudgement = kind == "batch.judged"
        }
    }

    private var expected: [Name: Content] = [:]
    private var blobs: [[UInt8]: (sequence: Int, media: String)] = [:]
    private var differences = 0
    private var seen = SeenCheck()

    /// Makes room for a log of this many rows, as far as a tampered number may be believed.
    mutating func reserve(_ rows: Int) { expected.reserveCapacity(2 * max(0, min(rows, 1 << 21))) }

    /// Takes one entry into account.
    mutating func add(_ entry: Derived, _ sequence: Int, kind: String, _ damage: inout DamageList) {
        if !entry.isJSON { return damage.add(.projection, "body of row \(sequence) is not json") }
        if entry.kind != kind {
            damage.add(.projection, "entry.kind of row \(sequence) disagrees with its body")
        }
        // The first entry that names a thing keeps the row, as in the writer.
        for (name, content) in entry.rows { expected.merge(CollectionOfOne((name, content))) { first, _ in first } }
        for (name, media) in entry.blobs {
            let sha256 = Cryptography.bytes(hex: name) ?? []
            if blobs[sha256] == nil { blobs[sha256] = (sequence, media) }
        }
        if entry.isJudgement { seen.add(entry.seen, sequence) }
    }

    /// Compares with the tables; rows of entries that came after the first `rows` are left alone.
    mutating func finish(_ queue: DatabaseQueue, rows: Int, _ damage: inout DamageList) throws {
        var later: [Int] = []
        for table in ProvenanceRow.Table.allCases { try compare(table, queue, rows, &later) }
        let size = try queue.read { try Ledger.size($0) }
        differences += later.count { $0 >= size } + expected.count
        if differences > 0 {
            damage.add(.projection, "prov tables disagree with the log: \(differences) difference(s)")
        }
        try seen.finish(queue, rows: rows, &damage)
        try compareBlobs(queue, &damage)
    }

    private mutating func compare(
        _ table: ProvenanceRow.Table, _ queue: DatabaseQueue, _ rows: Int, _ later: inout [Int]
    ) throws {
        let columns = table == .edge ? "src, rel, dst" : "id"
        let marks = table == .edge ? "(?, ?, ?)" : "?"
        let select =
            table == .edge ? "SELECT src, rel, dst, seq FROM prov_edge" : "SELECT id, kind, '', seq FROM \(table.name)"
        var last: [DatabaseValue] = []
        repeat {
            let condition = last.isEmpty ? "" : " WHERE (\(columns)) > \(marks)"
            let arguments = StatementArguments(last)
            last = []
            try queue.read { db in
                var count = 0
                try db.forEach("\(select)\(condition) ORDER BY \(columns) LIMIT \(Self.chunk)", arguments) { row in
                    count += 1
                    // The values themselves, not as text: only they order as SQLite does.
                    if count == Self.chunk { last = (0..<(table == .edge ? 3 : 1)).map { row.value($0) } }
                    let sequence = row.integer(3)
                    if sequence >= rows { return later.append(sequence) }
                    let found = ProvenanceRow(
                        table: table, first: row.text(0), second: row.text(1), third: row.text(2))
                    match(found, sequence)
                }
            }
        } while !last.isEmpty
    }

    private mutating func match(_ row: ProvenanceRow, _ sequence: Int) {
        guard let content = expected.removeValue(forKey: Name(row)) else {
            differences += 1
            return
        }
        // A changed row counts on both sides, as in the difference of two sets.
        if content != Content(row, sequence) { differences += 2 }
    }

    private mutating func compareBlobs(_ queue: DatabaseQueue, _ damage: inout DamageList) throws {
        var last: DatabaseValue?
        repeat {
            let condition = last == nil ? "" : " WHERE sha256 > ?"
            let arguments = StatementArguments(last.map { [$0] } ?? [])
            last = nil
            try queue.read { db in
                var count = 0
                let sql = "SELECT sha256, data, media FROM blob\(condition) ORDER BY sha256 LIMIT \(Self.blobChunk)"
                try db.forEach(sql, arguments) { row in
                    count += 1
                    if count == Self.blobChunk { last = row.value(0) }
                    let name = row.bytes(0)
                    if let named = blobs.removeValue(forKey: name), named.media != row.text(2) {
                        damage.add(
                            .blob, "\(hex(name)) is kept as another kind of thing than row \(named.sequence) says")
                    }
                    if SHA256.hash(row.bytes(1)) != name { damage.add(.blob, "\(hex(name)) does not match its name") }
                }
            }
        } while last != nil
        for (name, named) in blobs.sorted(by: { ($0.value.sequence, hex($0.key)) < ($1.value.sequence, hex($1.key)) }) {
            damage.add(.blob, "\(hex(name)) named by row \(named.sequence) is missing")
        }
    }
}
