package import Recognition

/// Personal data in one cell of a block.
package struct Detection: Sendable, Equatable {
    /// The column of the layout.
    package var column: Int
    /// Row of the block.
    package var row: Int
    /// The entity and its place in the block's bytes; in an object or array with escapes, its place in the text without
    /// them.
    package var match: EntityMatch
    /// Whether the place is one in a text without escapes.
    package var isUnescaped: Bool
    /// Whether the contract does not declare it: `undeclaredPii` says what happens then.
    package var isUndeclared: Bool
}

/// What the search of one block found.
struct SearchResult {
    var detections: [Detection] = []
    var evidence = ColumnEvidence()
    /// For each row, whether anything was found in it.
    var hasDetection: [Bool]
    /// Extras with personal data, as places in `RowBlock.extras`.
    var extras: [Int] = []
}
