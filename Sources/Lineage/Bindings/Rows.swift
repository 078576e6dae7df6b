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
