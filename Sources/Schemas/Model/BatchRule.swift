package import Tabular

/// Limits of a whole batch (`sluice: batch:`).
package struct BatchRule: Sendable, Equatable {
    /// Fewest rows.
    package var minRows = 0
    /// Largest share of rejected rows, 0 to 1.
    package var maxRejectedRate = 0.01
    /// Largest number of rejected rows; nil for no limit but the rate.
    package var maxRejected: Int?
    /// The treatment of rejected rows.
    package var rejectedRows = RejectedRows.quarantine
    /// Largest share of quarantined rows, 0 to 1.
    package var maxQuarantinedRate = 0.05
    /// The treatment of rows that equal an earlier one in every value; nil to count them only.
    package var duplicateRows: DuplicateRows?

    /// What becomes of a batch that breaks one of these limits.
    package var onExceed = OnExceed.quarantine

    /// A rule with the defaults.
    package init() {}
}

/// What becomes of a batch that breaks a limit of `sluice: batch:` (`onExceed:`).
package enum OnExceed: String, Sendable, CaseIterable {
    /// It is held until a person decides.
    case quarantine
    /// It is rejected: nobody can release it.
    case reject
}

/// The treatment of rows that repeat an earlier row of the file (`sluice: batch: duplicateRows:`).
package enum DuplicateRows: String, Sendable, CaseIterable {
    /// They are flagged.
    case flag
    /// They are quarantined.
    case quarantine

    /// The outcome of a row.
    package var outcome: Outcome { self == .flag ? .flagged : .quarantined }
}

/// The treatment of rejected rows (`sluice: batch: rejectedRows:`).
package enum RejectedRows: String, Sendable, CaseIterable {
    /// A single one holds the whole batch.
    case fail
    /// They are sealed unmasked, with their findings.
    case quarantine
    /// Their findings and places are sealed, the rows themselves are not.
    case skip
}

/// Limits of rows and files (`sluice: limits:`), which bound memory on hostile input.
package struct RowLimits: Sendable, Equatable {
    /// Most bytes of one row.
    package var maxRowBytes = 1_048_576
    /// Most bytes of one value.
    package var maxCellBytes = 65_536
    /// Most columns.
    package var maxFields = 4096
    /// Deepest nesting of JSON.
    package var maxDepth = 64
    /// Largest ratio of decompressed to compressed size.
    package var maxDecompressionRatio = 100
    /// Most bytes after decompression.
    package var maxDecompressedBytes = 10 << 30

    /// The default limits.
    package init() {}
}
