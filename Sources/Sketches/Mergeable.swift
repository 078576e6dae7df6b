/// A summary that is made for each slice and merged in any order, with bit-identical results.
///
/// The laws of a commutative monoid: an identity, and an associative and commutative `merge` (as Deequ's `State`).
package protocol Mergeable {
    /// Adds the summary of another part of the data.
    mutating func merge(_ other: Self)
}
