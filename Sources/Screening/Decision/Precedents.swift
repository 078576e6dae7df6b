/// The accepted batches that a batch is judged beside.
package struct Precedents: Sendable {
    /// Rows of accepted batches, over the same features; nil on first contact.
    package var baseline: Baseline?
    /// The last accepted batches, where `baseline` is another one: drift from either counts.
    package var rolling: Baseline?
    /// The levels from which slow drift is measured.
    package var anchor: ReferenceLevels?
    /// The sums of slow drift up to the last accepted batch.
    package var slow: SlowDrift?
    /// Codes of rows of the last accepted batches, batch by batch.
    package var earlierRows: [[UInt64]]

    /// A baseline, or none on first contact.
    package init(baseline: Baseline? = nil, earlierRows: [[UInt64]] = []) {
        (self.baseline, self.earlierRows) = (baseline, earlierRows)
    }
}
