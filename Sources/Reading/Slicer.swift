import Tabular

/// Cuts a stream of bytes at record ends, without keeping more than the bytes it is shown.
package struct Slicer: ~Copyable {
    private var scanner: AnyScanner
    private let limits: ScanLimits

    /// Where a buffer may be cut.
    package struct Cut: Sendable, Equatable {
        /// First byte that does not belong to a complete record.
        package var end: Int
        /// Records before `end`.
        package var rows: Int
        /// Whether the row at `end` is past the row limit: skip to its line end.
        package var isOverlong: Bool
    }

    /// A slicer for one source.
    package init(_ plan: ReadingPlan) {
        limits = plan.limits
        let boundaries = ScanLimits(
            maxRowBytes: plan.limits.maxRowBytes, maxDepth: plan.limits.maxDepth, blockRows: .max, blockBytes: 1 << 26)
        scanner = AnyScanner(plan, boundaries)
    }

    /// The last record end in `bytes`, which start at a record.
    package mutating func cut(_ bytes: Span<UInt8>, isFinal: Bool) -> Cut {
        var block = RecordBlock(base: 0, width: 0, keepsCells: false)
        let end = scanner.scan(bytes, from: 0, isFinal: isFinal, into: &block)
        let isOverlong = !isFinal && bytes.count - end > limits.maxRowBytes + 1
        return Cut(end: end, rows: block.count, isOverlong: isOverlong)
    }
}
