/// The rows of a block that a stage works on; stages narrow the selection and never move data.
package struct RowSelection: Sendable, Equatable {
    /// Row indices of the block, ascending.
    package let rows: [UInt32]

    /// All rows of `batch` that the reader could split.
    package init(wellFormed batch: RowBlock) {
        rows = batch.isWellFormed.indices.compactMap { batch.isWellFormed[$0] ? UInt32($0) : nil }
    }

    /// The given rows, ascending.
    package init(_ rows: [UInt32]) { self.rows = rows }
}
