/// The accepted batches that a batch is compared with.
package struct Precedents: Sendable {
    /// Rows of accepted batches with the same features; nil at cold start.
    package var baseline: Baseline?
    /// The last accepted batches, if `baseline` is another one; drift from either counts.
    package var rolling: Baseline?
    /// The levels from which slow drift is measured.
    package var anchor: ReferenceLevels?
    /// The cumulative sums of slow drift up to the last accepted batch.
    package var slow: SlowDrift?
    /// Codes of rows of the last accepted batches, batch by batch.
    package var earlierRows: [[UInt64]]

    /// Precedents with a baseline, or without one at cold start.
    package init(baseline: Baseline? = nil, earlierRows: [[UInt64]] = []) {
        (self.baseline, self.earlierRows) = (baseline, earlierRows)
    }
}
