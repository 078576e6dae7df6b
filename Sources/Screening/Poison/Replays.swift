/// The rows of earlier batches, as hashes of their whole content, for detecting rows that are sent again.
package struct Replays: Sendable, Equatable {
    /// Codes, ascending, without the bits that distinguish batches.
    let codes: [UInt64]
    /// Number of rows, and of those that also occur in another batch.
    package let count: Int, repeated: Int

    /// Batches that codes distinguish.
    static let batchesMax = 32
    private static let batchBits = UInt64(batchesMax - 1)

    /// Above this share the batch consists of copies instead of having some.
    static let apartMax = 0.25

    /// Made from the codes of each batch.
    init(_ batches: [[UInt64]]) {
        precondition(batches.count <= Self.batchesMax, "five bits distinguish 32 batches")
        // Code and batch in one word, so that one sort groups both.
        var words: [UInt64] = []
        for (batch, rows) in batches.enumerated() {
            for code in rows { words.append(code & ~Self.batchBits | UInt64(batch)) }
        }
        words.sort()
        var (codes, repeated, first) = ([UInt64](), 0, 0)
        while first < words.count {
            var end = first + 1
            while end < words.count, words[end] & ~Self.batchBits == words[first] & ~Self.batchBits { end += 1 }
            if words[first] != words[end - 1] { repeated += end - first }
            codes.append(words[first] & ~Self.batchBits)
            first = end
        }
        self.codes = codes
        self.repeated = repeated
        count = words.count
    }

    /// Made from stored codes.
    init(codes: [UInt64]) {
        self.codes = codes
        (count, repeated) = (codes.count, 0)
    }

    /// Whether there are no rows.
    package var isEmpty: Bool { codes.isEmpty }

    /// Whether an earlier batch had a row with this code.
    func holds(_ code: UInt64) -> Bool { codes.holds(code & ~Self.batchBits) }
}
