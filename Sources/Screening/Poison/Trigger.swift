/// An item that nearly always occurs beside one label, and did not in the baseline: the mark of a backdoor.
package struct Trigger: Sendable, Equatable {
    /// The item: a keyed hash.
    package var item: UInt64
    /// Rows with it, and those of them with the label; of the accepted batches that it adds up over, too.
    package var count: Int, pure: Int
    /// The evidence that it stands there by more than chance (natural logarithm of a likelihood ratio), and what is
    /// asked for.
    package var z: Double, critical: Double
    /// Rows of the older baseline with it, and how many rows that had.
    package var before: Int, basis: Int
    /// The label, as a code.
    package var label: UInt64
    /// Whether its rows are held back; else they are only remarked on.
    package var isHeld = true
    /// Accepted batches of the same supplier that it adds up over; 0 where this batch alone shows it.
    package var batches = 0
    /// Whether it is one of several rare words, each too rare to tell anything alone.
    package var isPooled = false
    /// Rows of this batch with it.
    package var here: Int

    /// Rows with an item, here and in the older baseline.
    struct Rows {
        /// Rows with it, and those of them with the label.
        var count: Int, pure: Int
        /// Rows of the older baseline with it, and all rows of that.
        var before: Int, basis: Int
    }

    /// A mark whose rows are all of this batch.
    init(item: UInt64, label: UInt64, rows: Rows, z: Double, critical: Double) {
        (self.item, self.label) = (item, label)
        (count, pure, before, basis) = (rows.count, rows.pure, rows.before, rows.basis)
        (self.z, self.critical) = (z, critical)
        here = rows.count
    }
}
