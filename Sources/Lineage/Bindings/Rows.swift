// GRDB's blobs are Foundation's `Data`; this file is the only one that knows.
import FoundationEssentials
import GRDB

/// Bytes as an argument of a statement.
func asBlob(_ bytes: [UInt8]) -> any DatabaseValueConvertible { Data(bytes) }

/// Reading columns of a file that may have been tampered with: SQLite converts what it must, nothing traps.
extension Row {
    func bytes(_ index: Int) -> [UInt8] {
        // The data lie in SQLite's memory, so they are copied once.
        (try? withUnsafeData(atIndex: index) { $0.map { [UInt8]($0) } }) ?? []
    }
    func integer(_ index: Int) -> Int { (self[index] as Int64?).map { Int($0) } ?? Int.min }
    func text(_ index: Int) -> String { (self[index] as String?) ?? "" }
    func value(_ index: Int) -> DatabaseValue { self[index] }
}

extension Database {
    /// Runs a query with a kept statement and hands over each row, valid only during the call.
    func forEach(_ sql: String, _ arguments: StatementArguments = [], _ body: (Row) throws -> Void) throws {
        let rows = try Row.fetchCursor(cachedStatement(sql: sql), arguments: arguments)
        while let row = try rows.next() { try body(row) }
    }

    /// The first row of a query, converted.
    func first<T>(_ sql: String, _ arguments: StatementArguments = [], _ body: (Row) throws -> T) throws -> T? {
        let rows = try Row.fetchCursor(cachedStatement(sql: sql), arguments: arguments)
        return try rows.next().map(body)
    }

    /// Runs a statement that gives no rows.
    func run(_ sql: String, _ arguments: StatementArguments) throws {
        try cachedStatement(sql: sql).execute(arguments: arguments)
    }
}

extension DatabaseQueue {
    /// Hands over each row of a table in the order of its key, a chunk a transaction, so that no writer waits long.
    ///
    /// - Parameters:
    ///   - select: `SELECT ... FROM ...`, whose first columns are those of `key`.
    ///   - key: columns that tell one row from another and are ordered by an index.
    ///   - chunk: rows read in one transaction.
    func forEachRow(_ select: String, orderedBy key: [String], chunk: Int, _ body: (Row) throws -> Void) throws {
        let columns = key.joined(separator: ", ")
        let marks = key.map { _ in "?" }.joined(separator: ", ")
        // The values themselves, not as text: only they order as SQLite does.
        var last: [DatabaseValue] = []
        repeat {
            let condition = last.isEmpty ? "" : " WHERE (\(columns)) > (\(marks))"
            let arguments = StatementArguments(last)
            last = []
            try read { db in
                var count = 0
                try db.forEach("\(select)\(condition) ORDER BY \(columns) LIMIT \(chunk)", arguments) { row in
                    count += 1
                    if count == chunk { last = key.indices.map { row.value($0) } }
                    try body(row)
                }
            }
        } while !last.isEmpty
    }
}
