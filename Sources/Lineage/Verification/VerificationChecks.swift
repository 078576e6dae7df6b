import Dispatch
import GRDB
import Synchronization
import Tabular

/// Maps independent elements on all processors, in stripes; the order is kept.
func parallelMap<Element: Sendable, Result: Sendable>(
    _ elements: [Element], stripe: Int, _ transform: @Sendable (Element) -> Result
) -> [Result] {
    parallelMap(elements, stripe: stripe, with: { () }, { element, _ in transform(element) })
}

/// The same with a tool, which is made once for each stripe.
func parallelMap<Element: Sendable, Tool, Result: Sendable>(
    _ elements: [Element], stripe: Int, with tool: @Sendable () -> Tool,
    _ transform: @Sendable (Element, Tool) -> Result
) -> [Result] {
    let stripes = (elements.count + stripe - 1) / stripe
    let results = Mutex<[[Result]]>(Array(repeating: [], count: stripes))
    DispatchQueue.concurrentPerform(iterations: stripes) { number in
        let tool = tool()
        let part = elements[(number * stripe)..<min(elements.count, (number + 1) * stripe)].map { transform($0, tool) }
        results.withLock { $0[number] = part }
    }
    return results.withLock { Array($0.joined()) }
}

/// Work in the background, on a thread of its own.
final class Background<Value: Sendable>: Sendable {
    private let outcome = Mutex<Result<Value, any Error>?>(nil)
    private let group = DispatchGroup()

    init(_ work: @escaping @Sendable () throws -> Value) {
        DispatchQueue.global().async(group: group) { [self] in
            let result = Result { try work() }
            outcome.withLock { $0 = result }
        }
    }

    /// Waits for the result.
    func value() throws -> Value {
        group.wait()
        guard let result = outcome.withLock({ $0 }) else { preconditionFailure("work that ended has a result") }
        return try result.get()
    }
}

/// SQLite's own check of the file's pages, on its own connection; nil if they are sound, else the fault.
func checkPages(_ path: String) throws -> String? {
    let said = try Ledger.connect(path, readonly: true).read { db in
        try db.first("PRAGMA quick_check(1)") { $0.text(0) } ?? "no answer"
    }
    return said == "ok" ? nil : said
}

/// Compares SQLite's schema with the built-in one.
enum SchemaCheck {
    /// An object of the schema: triggers and tables may have the same name.
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

    /// The objects that are missing, changed or surplus, one line each. A surplus trigger could undo writes in the same
    /// transaction.
    static func differences(_ db: Database) throws -> [String] {
        let want = expected
        let have = try objects(db)
        let names = Set(want.keys).union(have.keys).sorted { ($0.name, $0.type) < ($1.name, $1.type) }
        return names.compactMap { name in
            let (wanted, found) = (want[name] ?? [], have[name] ?? [])
            if wanted == found { return nil }
            if wanted.isEmpty {
                // An attacker chose the name, which may be that of a built-in object.
                let shown = name.name.unicodeScalars.prefix(64).map { $0.escaped(asASCII: true) }.joined()
                return want.keys.contains { $0.name == name.name }
                    ? "a \(name.type) \(shown) was added" : "\(shown) was added"
            }
            return found.isEmpty ? "\(name.name) is missing" : "\(name.name) was changed"
        }
    }

    /// Whether a name is that of the built-in table, and not of a view.
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
