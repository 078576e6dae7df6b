/// Text format of a source and of the shards made from it.
package enum SourceFormat: String, Sendable, CaseIterable {
    /// Comma-separated values, RFC 4180.
    case csv
    /// JSON Lines: one object a line.
    case jsonl

    /// The media type recorded in a shard's encryption context.
    package var mediaType: String { self == .csv ? "text/csv" : "application/jsonl" }
}

/// Which columns a file has, in file order, and which contract field each one is.
package struct Layout: Sendable, Equatable {
    /// The format the rows are in.
    package var format: SourceFormat
    /// The file's column names; for JSON Lines the contract's field names.
    package var columns: [String]
    /// The contract field of each column; nil where the contract does not name it.
    package var fieldOfColumn: [Int?]
    /// The column of each contract field; nil when the file does not have it.
    package var columnOfField: [Int?]
    /// The header record's bytes with its line end, empty when there is none.
    package var header: [UInt8]
    /// Columns that are not released, by the contract's `dropColumns` or `unknownFields`.
    package var dropped: Set<Int> = []
    /// Whether rows end with a delimiter, so that the last column must be empty: a row with a value there has a cell
    /// too many.
    package var hasEmptyLast = false

    /// Makes a layout.
    package init(
        format: SourceFormat, columns: [String], fieldOfColumn: [Int?], columnOfField: [Int?], header: [UInt8]
    ) {
        self.format = format
        self.columns = columns
        self.fieldOfColumn = fieldOfColumn
        self.columnOfField = columnOfField
        self.header = header
    }

    /// The layout of JSON Lines: each field of the contract is a column.
    package init(jsonMembers names: [String]) {
        self.init(
            format: .jsonl, columns: names, fieldOfColumn: Array(names.indices), columnOfField: Array(names.indices),
            header: [])
    }
}
