import Cryptography

/// The hash tree of RFC 6962, section 2, computed from complete subtrees that a closure reads.
///
/// Leaves are level 0; `(level, index)` covers the leaves `index << level ..< (index + 1) << level`.
package enum MerkleTree {
    /// The hash of a leaf: SHA-256(00 ‖ body).
    package static func leafHash(_ body: [UInt8]) -> [UInt8] {
        var hash = SHA256()
        hash.update([0].span)
        hash.update(body.span)
        return hash.finish()
    }

    /// The hash of an inner node: SHA-256(01 ‖ left ‖ right).
    package static func nodeHash(_ left: [UInt8], _ right: [UInt8]) -> [UInt8] {
        var hash = SHA256()
        hash.update([1].span)
        hash.update(left.span)
        hash.update(right.span)
        return hash.finish()
    }

    /// The root of the tree of the first `size` leaves.
    package static func root<E: Error>(
        size: Int, _ read: (_ level: Int, _ index: Int) throws(E) -> [UInt8]
    ) throws(E) -> [UInt8] {
        size == 0 ? SHA256.hash([]) : try hash(0..<size, read)
    }

    /// The siblings that prove leaf `index` in the tree of `size` leaves, nearest first.
    package static func inclusionProof<E: Error>(
        index: Int, size: Int, _ read: (_ level: Int, _ index: Int) throws(E) -> [UInt8]
    ) throws(E) -> [[UInt8]] {
        precondition(index >= 0 && index < size, "the leaf is not in the tree")
        var proof: [[UInt8]] = []
        var range = 0..<size
        while range.count > 1 {
            let middle = split(range)
            if index < middle {
                proof.append(try hash(middle..<range.upperBound, read))
                range = range.lowerBound..<middle
            } else {
                proof.append(try hash(range.lowerBound..<middle, read))
                range = middle..<range.upperBound
            }
        }
        return proof.reversed()
    }

    /// The hashes that prove that the tree of `old` leaves is a prefix of the tree of `new` leaves.
    package static func consistencyProof<E: Error>(
        from old: Int, to new: Int, _ read: (_ level: Int, _ index: Int) throws(E) -> [UInt8]
    ) throws(E) -> [[UInt8]] {
        precondition(old > 0 && old <= new, "a tree is consistent only with a larger one")
        var proof: [[UInt8]] = []
        var range = 0..<new
        // The verifier knows the old root, so the last subtree is needed only if it is not the whole old tree.
        while range.upperBound != old {
            let middle = split(range)
            if old <= middle {
                proof.append(try hash(middle..<range.upperBound, read))
                range = range.lowerBound..<middle
            } else {
                proof.append(try hash(range.lowerBound..<middle, read))
                range = middle..<range.upperBound
            }
        }
        if range.lowerBound > 0 { proof.append(try hash(range, read)) }
        return proof.reversed()
    }

    /// Whether `proof` proves the leaf at `index` in the tree of `size` leaves with this root.
    package static func isIncluded(
        leaf: [UInt8], index: Int, size: Int, root: [UInt8], proof: [[UInt8]]
    ) -> Bool {
        guard index >= 0, index < size, leaf.count == 32, root.count == 32 else { return false }
        var node = index
        var last = size - 1
        var hash = leaf
        for sibling in proof {
            guard last > 0, sibling.count == 32 else { return false }
            if node & 1 == 1 || node == last {
                hash = nodeHash(sibling, hash)
                while node & 1 == 0, node > 0 {
                    node >>= 1
                    last >>= 1
                }
            } else {
                hash = nodeHash(hash, sibling)
            }
            node >>= 1
            last >>= 1
        }
        return last == 0 && hash == root
    }

    /// Whether `proof` proves that the tree with `oldRoot` is a prefix of the tree with `newRoot`. Size 0 is refused:
    /// the empty tree is a prefix of every tree, so such a proof means nothing.
    package static func isConsistent(
        old: Int, new: Int, oldRoot: [UInt8], newRoot: [UInt8], proof: [[UInt8]]
    ) -> Bool {
        guard old > 0, old <= new, proof.allSatisfy({ $0.count == 32 }) else { return false }
        if old == new { return proof.isEmpty && oldRoot == newRoot }
        let path = old & (old - 1) == 0 ? [oldRoot] + proof : proof
        guard !proof.isEmpty, let first = path.first else { return false }
        var node = old - 1
        var last = new - 1
        while node & 1 == 1 {
            node >>= 1
            last >>= 1
        }
        var before = first
        var after = first
        for sibling in path.dropFirst() {
            guard last > 0 else { return false }
            if node & 1 == 1 || node == last {
                before = nodeHash(sibling, before)
                after = nodeHash(sibling, after)
                while node & 1 == 0, node > 0 {
                    node >>= 1
                    last >>= 1
                }
            } else {
                after = nodeHash(after, sibling)
            }
            node >>= 1
            last >>= 1
        }
        return before == oldRoot && after == newRoot && last == 0
    }

    /// The first leaf after the largest complete subtree that is smaller than the range.
    private static func split(_ range: Range<Int>) -> Int {
        range.lowerBound + 1 << (Int.bitWidth - 1 - (range.count - 1).leadingZeroBitCount)
    }

    private static func hash<E: Error>(
        _ range: Range<Int>, _ read: (_ level: Int, _ index: Int) throws(E) -> [UInt8]
    ) throws(E) -> [UInt8] {
        let count = range.count
        if count & (count - 1) == 0, range.lowerBound.isMultiple(of: count) {
            let level = count.trailingZeroBitCount
            return try read(level, range.lowerBound >> level)
        }
        let middle = split(range)
        return nodeHash(
            try hash(range.lowerBound..<middle, read), try hash(middle..<range.upperBound, read))
    }
}

/// The right edge of a growing tree: the roots of its complete subtrees, largest first. Memory is logarithmic in the
/// size.
package struct TreeFrontier {
    /// Number of leaves.
    package private(set) var size = 0
    private var peaks: [[UInt8]] = []

    /// An empty tree.
    package init() {}

    /// The edge of a stored tree, whose complete subtrees can be read.
    package init<E: Error>(size: Int, _ read: (_ level: Int, _ index: Int) throws(E) -> [UInt8]) throws(E) {
        self.size = size
        for level in (0..<Int.bitWidth).reversed() where size >> level & 1 == 1 {
            peaks.append(try read(level, (size >> level) - 1))
        }
    }

    /// Adds a leaf and passes on every inner node that it completes, lowest first.
    package mutating func append(
        leafHash: [UInt8], completed: (_ level: Int, _ index: Int, _ hash: [UInt8]) -> Void = { _, _, _ in }
    ) {
        var hash = leafHash
        var index = size
        var level = 0
        while index & 1 == 1 {
            hash = MerkleTree.nodeHash(peaks.removeLast(), hash)
            index >>= 1
            level += 1
            completed(level, index, hash)
        }
        peaks.append(hash)
        size += 1
    }

    /// The root over all leaves.
    package func root() -> [UInt8] {
        guard var hash = peaks.last else { return SHA256.hash([]) }
        for peak in peaks.dropLast().reversed() { hash = MerkleTree.nodeHash(peak, hash) }
        return hash
    }
}
