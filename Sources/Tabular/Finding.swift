/// One thing that is wrong with a row, a cell or a batch, and its place; never the value itself.
package struct Finding: Sendable, Equatable {
    /// The kind of the finding.
    package var code: FindingCode
    /// The outcome that it gives the row.
    package var outcome: Outcome
    /// The number of the data record in its file, from 1; the header is not counted; 0 for the whole batch.
    package var row: Int
    /// The index of the contract's field, or -1 for the whole row.
    package var field: Int
    /// Offset of the row's first byte in the source file.
    package var byteOffset: UInt64
    /// Length of the row in source bytes, without its line end.
    package var byteLength: UInt64
    /// The statistic that was compared, for statistical findings.
    package var statistic: Double?
    /// The threshold that the statistic was compared with.
    package var threshold: Double?
    /// The contract fields that contribute most, strongest first; for multivariate findings.
    package var contributors: [Int]
    /// The JSON Schema keyword that failed: a location in the schema, never one in the data.
    package var keyword: String?
    /// The name of the contract's rule that failed, where there can be several.
    package var rule: String?
    /// For a finding about the whole batch: what changed, and how much it usually varies.
    package var movement: Movement?

    /// Makes a finding about a row, or about one of its fields when `field` is not negative.
    ///
    /// - Parameters:
    ///   - row: the number of the data record, from 1; 0 for the whole batch.
    ///   - bytes: where the row lies in the source file.
    package init(
        _ code: FindingCode, outcome: Outcome, row: Int, field: Int = -1, bytes: Range<UInt64> = 0..<0
    ) {
        self.code = code
        self.outcome = outcome
        self.row = row
        self.field = field
        byteOffset = bytes.lowerBound
        byteLength = bytes.upperBound - bytes.lowerBound
        contributors = []
    }

    /// The same finding with a statistic and its threshold.
    ///
    /// - Parameter contributors: the contract fields that contribute most, strongest first.
    package consuming func measuring(
        _ statistic: Double?, against threshold: Double?, contributors: [Int] = []
    ) -> Finding {
        self.statistic = statistic
        self.threshold = threshold
        self.contributors = contributors
        return self
    }

    /// The same finding with the name of the rule, trigger or supplier that it concerns.
    package consuming func naming(_ rule: String) -> Finding {
        self.rule = rule
        return self
    }
}
