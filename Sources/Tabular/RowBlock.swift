/// A block of consecutive rows of one slice: owned bytes and the cells found in them. Rows × columns, row-major.
///
/// A block is small enough to stay in a core's second-level cache while the stages pass over it column by column.
package struct RowBlock: Sendable {
    /// The columns.
    package let layout: Layout
    /// The rows' source bytes with line ends, then decoded values.
    package let bytes: [UInt8]
    /// `rows × layout.columns.count` cells.
    package let cells: [Cell]
    /// The range of each row in `bytes`.
    package let records: [RecordRange]
    /// Data record number of row 0, from 1.
    package let firstRow: Int
    /// Source offset of `bytes[0]`.
    package let baseOffset: UInt64
    /// Findings of the reader, in row order; all cells of a row with a finding are absent.
    package let findings: [Finding]
    /// For each row, whether the reader could split it.
    package let isWellFormed: [Bool]
    /// JSON members that the contract does not name.
    package let extras: [Extra]
    /// Whether `extras` has all such members.
    package let knowsExtras: Bool
    /// JSON keys that are not plain ASCII and that the contract does not name: their source text with the quotes.
    package let oddKeys: [Extra]
    /// Skipped lines and suspicious quoted values.
    package var remarks = RowRemarks()
    /// The range of each row in a source that is not UTF-8, where offsets cannot be computed from `baseOffset`.
    private let sourceRanges: [Range<UInt64>]?

    /// A JSON member that the contract does not name: its source text, key included, in `bytes`.
    package struct Extra: Sendable, Equatable {
        /// Row of the block.
        package var row: Int
        /// First byte of the key's quote.
        package var start: Int
        /// First byte past the value.
        package var end: Int
        /// Whether it is dropped whatever `unknownFields` says, because the dialect's `itemKeys` do not name it.
        package var isLeftOut: Bool

        /// Makes an extra.
        package init(row: Int, start: Int, end: Int, isLeftOut: Bool = false) {
            self.isLeftOut = isLeftOut
            self.row = row
            self.start = start
            self.end = end
        }
    }

    /// The rows of a block, as the scanner found them.
    package struct Rows {
        let cells: [Cell], records: [RecordRange], isWellFormed: [Bool], findings: [Finding]

        /// - Parameters:
        ///   - cells: rows × columns, row-major.
        ///   - records: where each row lies in the block's bytes.
        ///   - isWellFormed: for each row, whether it could be split; the cells of the others are absent.
        ///   - findings: what is wrong with rows, in row order.
        package init(cells: [Cell], records: [RecordRange], isWellFormed: [Bool], findings: [Finding]) {
            (self.cells, self.records) = (cells, records)
            (self.isWellFormed, self.findings) = (isWellFormed, findings)
        }
    }

    /// The position of a block in its source.
    package struct Origin {
        let firstRow: Int, baseOffset: UInt64, sourceRanges: [Range<UInt64>]?

        /// - Parameters:
        ///   - firstRow: the data record number of the first row, from 1.
        ///   - baseOffset: the offset of the block's first byte in the source.
        ///   - sourceRanges: where each row lies, for a source that is not UTF-8.
        package init(firstRow: Int, baseOffset: UInt64, sourceRanges: [Range<UInt64>]? = nil) {
            (self.firstRow, self.baseOffset, self.sourceRanges) = (firstRow, baseOffset, sourceRanges)
        }
    }

    /// The members of JSON objects that the contract does not name.
    package struct UnnamedMembers {
        let extras: [Extra], oddKeys: [Extra], knowsExtras: Bool

        /// - Parameters:
        ///   - extras: members that the contract does not name.
        ///   - oddKeys: their keys that are not plain ASCII.
        ///   - knowsExtras: whether `extras` has all of them.
        package init(extras: [Extra] = [], oddKeys: [Extra] = [], knowsExtras: Bool = false) {
            (self.extras, self.oddKeys, self.knowsExtras) = (extras, oddKeys, knowsExtras)
        }
    }

    /// Makes a block; outside tests only the reader does.
    ///
    /// - Parameter bytes: the rows' source bytes with line ends, then decoded values.
    package init(
        layout: Layout, bytes: [UInt8], rows: Rows, origin: Origin, unnamed: UnnamedMembers = UnnamedMembers()
    ) {
        let count = rows.records.count
        precondition(rows.cells.count == count * layout.columns.count && rows.isWellFormed.count == count)
        self.layout = layout
        self.bytes = bytes
        (cells, records, isWellFormed, findings) = (rows.cells, rows.records, rows.isWellFormed, rows.findings)
        (firstRow, baseOffset, sourceRanges) = (origin.firstRow, origin.baseOffset, origin.sourceRanges)
        (extras, oddKeys, knowsExtras) = (unnamed.extras, unnamed.oddKeys, unnamed.knowsExtras)
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

    /// A finding about row `index` of this block, or about one of its fields.
    package func finding(_ code: FindingCode, outcome: Outcome, at index: Int, field: Int? = nil) -> Finding {
        Finding(
            code, outcome: outcome, at: Finding.Location(row: firstRow + index, field: field),
            bytes: sourceRange(of: index))
    }

    /// The row of this block that a finding about one of its rows is about.
    package func index(of finding: Finding) -> Int {
        guard let row = finding.row else { preconditionFailure("a finding about a block is about one of its rows") }
        return row - firstRow
    }
}

/// The range of a record in `RowBlock.bytes`, without its line end.
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
