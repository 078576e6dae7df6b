package import Recognition

/// One match of personal data in a block.
package struct Detection: Sendable, Equatable {
    /// The column in the layout.
    package var column: Int
    /// The row's index in the block.
    package var row: Int
    /// The entity with its place in the block's bytes; in an object or array with escapes, its place in the unescaped
    /// text.
    package var match: EntityMatch
    /// Whether the place refers to the unescaped text.
    package var isUnescaped: Bool
    /// Whether the contract does not declare it, so that `undeclaredPii` applies.
    package var isUndeclared: Bool
}

/// The result of searching one block.
struct SearchResult {
    var detections: [Detection] = []
    var evidence = ColumnEvidence()
    /// For each row, whether anything was found in it.
    var hasDetection: [Bool]
    /// Extras with personal data, as indices in `RowBlock.extras`.
    var extras: [Int] = []
}
