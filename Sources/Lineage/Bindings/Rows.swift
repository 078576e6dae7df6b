// GRDB represents blobs as Foundation's `Data`; only this file uses it.
import FoundationEssentials
import GRDB

/// Bytes as an argument of a statement.
func asBlob(_ bytes: [UInt8]) -> any DatabaseValueConvertible { Data(bytes) }

/// Reads columns of a file that may have been tampered with: SQLite converts values where necessary, and nothing traps.
extension Row {
    func bytes(_ index: Int) -> [UInt8] {
        // The data is in SQLite's memory, so it is copied once.
        (try? withUnsafeData(atIndex: index) { $0.map { [UInt8]($0) } }) ?? []
    }
    func integer(_ index: Int) -> Int { (self[index] as Int64?).map { Int($0) } ?? Int.min }
    func text(_ index: Int) -> String { (self[index] as String?) ?? "" }
    func value(_ index: Int) -> DatabaseValue { self[index] }
}

extension Database {
    /// Runs a query with a cached statement and passes each row on; a row is valid only during the call.
    func forEach(_ sql: String, _ arguments: StatementArguments = [], _ body: (Row) throws -> Void) throws {
        let rows = try Row.fetchCursor(cachedStatement(sql: sql), arguments: arguments)
        while let row = try rows.next() { try body(row) }
    }

    /// The first row of a query, converted.
    func first<T>(_ sql: String, _ arguments: StatementArguments = [], _ body: (Row) throws -> T) throws -> T? {
        let rows = try Row.fetchCursor(cachedStatement(sql: sql), arguments: arguments)
        return try rows.next().map(body)
    }

    /// Runs a statement that returns no rows.
    func run(_ sql: String, _ arguments: StatementArguments) throws {
        try cachedStatement(sql: sql).execute(arguments: arguments)
    }
}

extension DatabaseQueue {
    /// Passes on each row of a table in the order of its key, one chunk in each transaction, so that no writer waits
    /// long.
    ///
    /// - Parameters:
    ///   - select: `SELECT ... FROM ...`, whose first columns are those of `key`.
    ///   - key: columns that identify a row and are ordered by an index.
    ///   - chunk: rows read in one transaction.
    func forEachRow(_ select: String, orderedBy key: [String], chunk: Int, _ body: (Row) throws -> Void) throws {
        let columns = key.joined(separator: ", ")
        let marks = key.map { _ in "?" }.joined(separator: ", ")
        // The values themselves, not their texts: only they have SQLite's order.
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
