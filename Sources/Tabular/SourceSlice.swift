/// A record-aligned byte range of one source: the unit of work, and of shards.
package struct SourceSlice: Sendable {
    /// Its number among the slices of its source, from 0; also the ordinal of the shard made from it.
    package let ordinal: Int
    /// Offset of the first byte in the source.
    package let offset: UInt64
    /// Bytes of the source that the slice stands for; more than `bytes.count` only for an over-long row.
    package let length: UInt64
    /// Data record number of the first record, from 1.
    package let firstRow: Int
    /// Records in the slice.
    package let rowCount: Int
    /// The slice's own bytes, as UTF-8; for an over-long row only the beginning.
    package let bytes: [UInt8]
    /// Whether the slice is one row that exceeds the row limit, kept only in part.
    package var isOverlong = false

    /// Makes a slice.
    package init(
        ordinal: Int, offset: UInt64, length: UInt64, firstRow: Int, rowCount: Int, bytes: [UInt8]
    ) {
        self.ordinal = ordinal
        self.offset = offset
        self.length = length
        self.firstRow = firstRow
        self.rowCount = rowCount
        self.bytes = bytes
    }
}
