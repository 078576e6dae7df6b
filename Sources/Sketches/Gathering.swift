// Marked kernel: rows are copied whole, as there are thousands of them for every batch; each row is checked before the first is copied.

extension Array where Element: BitwiseCopyable {
    /// These rows of a row-major table with `width` columns, in this order.
    func gathered(width: Int, _ order: some Collection<Int>) -> [Element] {
        if width == 0 { return [] }
        let rows = count / width
        precondition(order.allSatisfy { (0..<rows).contains($0) })
        return unsafe [Element](unsafeUninitializedCapacity: order.count * width) { out, filled in
            unsafe withUnsafeBufferPointer { source in
                for row in order {
                    let from = unsafe UnsafeBufferPointer(rebasing: source[row * width..<(row + 1) * width])
                    let to = unsafe UnsafeMutableBufferPointer(rebasing: out[filled..<filled + width])
                    filled += unsafe to.initialize(fromContentsOf: from)
                }
            }
        }
    }
}
