import Tabular

/// Cuts a stream of bytes at record ends, without keeping any of them.
package struct Slicer: ~Copyable {
    private var scanner: AnyScanner
    private let limits: ScanLimits

    /// A place at which a buffer may be cut.
    package struct Cut: Sendable, Equatable {
        /// Offset past the last complete record.
        package var end: Int
        /// Records before `end`.
        package var rows: Int
        /// Whether the row at `end` exceeds the row limit; skip to its line end.
        package var isOverlong: Bool
    }

    /// A slicer for one source.
    package init(_ plan: ReadingPlan) {
        limits = plan.limits
        let boundaries = ScanLimits(
            maxRowBytes: plan.limits.maxRowBytes, maxDepth: plan.limits.maxDepth, blockRows: .max, blockBytes: 1 << 26)
        scanner = AnyScanner(plan, boundaries)
    }

    /// Finds the last record end.
    ///
    /// - Parameters:
    ///   - bytes: a buffer that begins at a record.
    ///   - isFinal: whether it ends with the source.
    package mutating func cut(_ bytes: Span<UInt8>, isFinal: Bool) -> Cut {
        var block = RecordBlock(base: 0, width: 0, keepsCells: false)
        let end = scanner.scan(bytes, from: 0, isFinal: isFinal, into: &block)
        let isOverlong = !isFinal && bytes.count - end > limits.maxRowBytes + 1
        return Cut(end: end, rows: block.count, isOverlong: isOverlong)
    }
}
