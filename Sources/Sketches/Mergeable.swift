/// A summary that can be made per slice and merged in any order with the same result, bit for bit.
///
/// The law is that of a commutative monoid: an identity, `merge` associative and commutative (Deequ's `State`).
package protocol Mergeable {
    /// Takes in what another part of the data says.
    mutating func merge(_ other: Self)
}
