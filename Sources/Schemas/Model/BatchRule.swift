package import Tabular

/// Limits of a whole batch (`sluice: batch:`).
package struct BatchRule: Sendable, Equatable {
    /// Fewest rows.
    package var minRows = 0
    /// Largest share of rejected rows, 0 to 1.
    package var maxRejectedRate = 0.01
    /// Largest number of rejected rows; nil for no limit but the rate.
    package var maxRejected: Int?
    /// What becomes of rejected rows.
    package var rejectedRows = RejectedRows.quarantine
    /// Largest share of quarantined rows, 0 to 1.
    package var maxQuarantinedRate = 0.05
    /// What becomes of a row that equals an earlier one value by value; nil where they are only counted.
    package var duplicateRows: DuplicateRows?

    /// A rule with the defaults.
    package init() {}
}

/// What becomes of rows that repeat an earlier row of the file (`sluice: batch: duplicateRows:`).
package enum DuplicateRows: String, Sendable, CaseIterable {
    /// They are flagged.
    case flag
    /// They are kept back.
    case quarantine

    /// The outcome of a row.
    package var outcome: Outcome { self == .flag ? .flagged : .quarantined }
}

/// What becomes of rejected rows (`sluice: batch: rejectedRows:`).
package enum RejectedRows: String, Sendable, CaseIterable {
    /// One of them holds the whole batch.
    case fail
    /// They are sealed raw, with their findings.
    case quarantine
    /// Their findings, number and place are sealed, they themselves are not kept.
    case skip
}

/// Limits of a row (`sluice: limits:`).
package struct RowLimits: Sendable, Equatable {
    /// Bytes of one row.
    package var maxRowBytes = 1_048_576
    /// Bytes of one value.
    package var maxCellBytes = 65_536
    /// Columns of one row.
    package var maxFields = 4096
    /// Depth of nested JSON.
    package var maxDepth = 64
    /// How many times its size a compressed file may have.
    package var maxDecompressionRatio = 100
    /// Bytes that a compressed file may have.
    package var maxDecompressedBytes = 10 << 30

    /// The default limits.
    package init() {}
}
