/// An item that occurs almost only with one label, and did not in the baseline: the trigger of a backdoor.
package struct Trigger: Sendable, Equatable {
    /// The item: a keyed hash.
    package var item: UInt64
    /// Rows with it, and those of them with the label, including rows of the accepted batches that it adds up over.
    package var count: Int, pure: Int
    /// The evidence that the association is not chance (natural logarithm of a likelihood ratio), and its threshold.
    package var z: Double, critical: Double
    /// Rows of the older baseline with it, and all rows of that baseline.
    package var before: Int, basis: Int
    /// The label, as a code.
    package var label: UInt64
    /// Whether its rows are held back; otherwise they are only flagged.
    package var isHeld = true
    /// Number of accepted batches of the same supplier that it adds up over; 0 if this batch alone suffices.
    package var batches = 0
    /// Whether it is one of several rare words, each too rare to be evidence alone.
    package var isPooled = false
    /// Rows of this batch with it.
    package var here: Int

    /// Rows with an item, here and in the older baseline.
    struct Rows {
        /// Rows with it, and those of them with the label.
        var count: Int, pure: Int
        /// Rows of the older baseline with it, and all rows of that baseline.
        var before: Int, basis: Int
    }

    /// A trigger whose rows are all in this batch.
    init(item: UInt64, label: UInt64, rows: Rows, z: Double, critical: Double) {
        (self.item, self.label) = (item, label)
        (count, pure, before, basis) = (rows.count, rows.pure, rows.before, rows.basis)
        (self.z, self.critical) = (z, critical)
        here = rows.count
    }
}
