/// What kind of token a cell was in the source.
@frozen public enum CellKind: UInt8, Sendable {
    /// No such cell: a JSON member that is not there, or a row that could not be split.
    case absent = 0
    /// CSV text without quotes.
    case bare = 1
    /// CSV text between quotes, or a JSON string.
    case quoted = 2
    /// A JSON number, as its lexeme.
    case number = 3
    /// JSON `true` or `false`.
    case boolean = 4
    /// JSON `null`.
    case null = 5
    /// A JSON object, as its source text.
    case object = 6
    /// A JSON array, as its source text.
    case array = 7
}

extension CellKind {
    /// The kind in the high four bits of a cell's last word; a switch, because it is inlined where `rawValue` is not.
    @inlinable public var tag: UInt32 {
        switch self {
        case .absent: 0
        case .bare: 1 << 28
        case .quoted: 2 << 28
        case .number: 3 << 28
        case .boolean: 4 << 28
        case .null: 5 << 28
        case .object: 6 << 28
        case .array: 7 << 28
        }
    }
}

/// One cell: where its value and its source text lie in `Batch.bytes`.
///
/// 16 bytes. The value of a quoted cell lies between the quotes, or, when escapes had to be decoded, behind the rows.
@frozen public struct Cell: Sendable, Equatable {
    /// First byte of the value.
    public var start: UInt32
    /// First byte past the value.
    public var end: UInt32
    /// First byte of the source text, quotes included.
    public var rawStart: UInt32
    /// Source end in the low 28 bits, kind in the high four.
    @usableFromInline var tagged: UInt32

    /// Makes a cell; offsets are into `Batch.bytes` and below 2^28.
    @inlinable public init(kind: CellKind, start: Int, end: Int, rawStart: Int, rawEnd: Int) {
        self.start = UInt32(truncatingIfNeeded: start)
        self.end = UInt32(truncatingIfNeeded: end)
        self.rawStart = UInt32(truncatingIfNeeded: rawStart)
        self.tagged = UInt32(truncatingIfNeeded: rawEnd) | kind.tag
    }

    /// A cell that is not there.
    @inlinable public static var absent: Cell { Cell(kind: .absent, start: 0, end: 0, rawStart: 0, rawEnd: 0) }

    /// First byte past the source text.
    @inlinable public var rawEnd: Int { Int(tagged & 0x0FFF_FFFF) }
    /// The kind of token.
    public var kind: CellKind { CellKind(rawValue: UInt8(tagged >> 28)) ?? .absent }
    /// The value's bytes as a range of `Batch.bytes`.
    @inlinable public var range: Range<Int> { Int(start)..<Int(end) }

    // Asked for every cell, so they are inlined into other rooms: a call or an enum comparison there costs more than
    // the check it serves. Public for that alone: Swift 6.3 does not inline what is `package`, whatever it is marked.

    /// Whether there is no value at all: absent or JSON null.
    @inlinable public var isNothing: Bool { tagged >> 28 == 0 || tagged >> 28 == 5 }
    /// Whether there is no such cell.
    @inlinable public var isAbsent: Bool { tagged >> 28 == 0 }
    /// Whether it is a JSON object or array.
    @inlinable public var isNested: Bool { tagged >> 28 >= 6 }
    /// Whether it is CSV text or a JSON string.
    @inlinable public var isText: Bool { tagged >> 28 == 1 || tagged >> 28 == 2 }
    /// Whether it stood between quotes.
    @inlinable public var isQuoted: Bool { tagged >> 28 == 2 }
    /// Whether it is a JSON number.
    @inlinable public var isNumber: Bool { tagged >> 28 == 3 }
    /// Whether it is JSON true or false.
    @inlinable public var isBoolean: Bool { tagged >> 28 == 4 }
}

/// Where a record lies in `Batch.bytes`, without its line end.
package struct RecordRange: Sendable, Equatable {
    /// First byte.
    package var start: UInt32
    /// First byte past the record.
    package var end: UInt32

    /// Makes a range.
    package init(start: Int, end: Int) {
        self.start = UInt32(truncatingIfNeeded: start)
        self.end = UInt32(truncatingIfNeeded: end)
    }
}

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
    /// The contract field of each column, or -1.
    package var fieldOfColumn: [Int]
    /// The column of each contract field, or -1 when the file does not have it.
    package var columnOfField: [Int]
    /// The header record's bytes with its line end, empty when there is none.
    package var header: [UInt8]
    /// Columns that the contract leaves out.
    package var dropped: Set<Int> = []
    /// Whether the last column is only the delimiter that rows end with: a row with a value in it has a cell too many.
    package var hasEmptyLast = false

    /// Makes a layout.
    package init(
        format: SourceFormat, columns: [String], fieldOfColumn: [Int], columnOfField: [Int], header: [UInt8]
    ) {
        self.format = format
        self.columns = columns
        self.fieldOfColumn = fieldOfColumn
        self.columnOfField = columnOfField
        self.header = header
    }

    /// The layout of JSON Lines: each member of the contract is a column of its own.
    package init(jsonMembers names: [String]) {
        self.init(
            format: .jsonl, columns: names, fieldOfColumn: Array(names.indices), columnOfField: Array(names.indices),
            header: [])
    }
}

/// A block of consecutive rows of one slice: owned bytes and the cells found in them. Rows × columns, row-major.
///
/// A block is small enough to stay in a core's second-level cache while the stages pass over it column by column.
package struct Batch: Sendable {
    /// The columns.
    package let layout: Layout
    /// The rows' source bytes with line ends, then decoded values.
    package let bytes: [UInt8]
    /// `rows × layout.columns.count` cells.
    package let cells: [Cell]
    /// Where each row lies in `bytes`.
    package let records: [RecordRange]
    /// Data record number of row 0, from 1.
    package let firstRow: Int
    /// Source offset of `bytes[0]`.
    package let baseOffset: UInt64
    /// Findings of the reader, in row order; a row with one has absent cells.
    package let findings: [Finding]
    /// For each row, whether the reader could split it.
    package let isWellFormed: [Bool]
    /// JSON members that the contract does not name.
    package let extras: [Extra]
    /// Whether all such members are in `extras`.
    package let knowsExtras: Bool
    /// JSON keys that the contract does not name and that are not plain ASCII: their source text with the quotes.
    package let oddKeys: [Extra]
    /// What was seen besides.
    package var remarks = RowRemarks()
    /// Where each row lies in the source when that is not `baseOffset` on: in a source that was not UTF-8.
    private let sourceRanges: [Range<UInt64>]?

    /// A JSON member that the contract does not name: its source text, key included, in `bytes`.
    package struct Extra: Sendable, Equatable {
        /// Row of the block.
        package var row: Int
        /// First byte of the key's quote.
        package var start: Int
        /// First byte past the value.
        package var end: Int
        /// Whether it is left out whatever holds for unknown members: the dialect's `itemKeys` do not name it.
        package var isLeftOut: Bool

        /// Makes an extra.
        package init(row: Int, start: Int, end: Int, isLeftOut: Bool = false) {
            self.isLeftOut = isLeftOut
            self.row = row
            self.start = start
            self.end = end
        }
    }

    /// Makes a block; the reader is the only maker outside tests.
    package init(
        layout: Layout, bytes: [UInt8], cells: [Cell], records: [RecordRange], firstRow: Int, baseOffset: UInt64,
        findings: [Finding], isWellFormed: [Bool], extras: [Extra] = [], knowsExtras: Bool = false,
        oddKeys: [Extra] = [], sourceRanges: [Range<UInt64>]? = nil
    ) {
        precondition(cells.count == records.count * layout.columns.count && isWellFormed.count == records.count)
        self.layout = layout
        self.bytes = bytes
        self.cells = cells
        self.records = records
        self.firstRow = firstRow
        self.baseOffset = baseOffset
        self.findings = findings
        self.isWellFormed = isWellFormed
        self.extras = extras
        self.knowsExtras = knowsExtras
        self.oddKeys = oddKeys
        self.sourceRanges = sourceRanges
    }

    /// The bytes of the source that row `index` stands in, without its line end.
    package func sourceRange(of index: Int) -> Range<UInt64> {
        if let sourceRanges { return sourceRanges[index] }
        return baseOffset + UInt64(records[index].start)..<baseOffset + UInt64(records[index].end)
    }

    /// Columns a row.
    package var width: Int { layout.columns.count }
    /// Rows in the block.
    package var count: Int { records.count }

    /// A finding about row `index` of this block.
    package func finding(
        _ code: FindingCode, outcome: Outcome, at index: Int, field: Int = -1, statistic: Double? = nil,
        threshold: Double? = nil, contributors: [Int] = []
    ) -> Finding {
        let range = sourceRange(of: index)
        return Finding(
            code, outcome: outcome, row: firstRow + index, field: field, byteOffset: range.lowerBound,
            byteLength: UInt64(range.count),
            statistic: statistic, threshold: threshold, contributors: contributors)
    }
}
