import Lineage
import Masking
import Recognition
import Schemas
import Screening
import Sketches
import Tabular

/// Line numbers of rows by the offset of their first byte. Look-up is a binary search.
package struct FindingLines: Sendable {
    private var offsets: [UInt64] = []
    private var lines: [Int] = []

    /// No lines.
    init() {}

    /// Adds a row's line; offsets must ascend.
    mutating func add(_ line: Int, at offset: UInt64) {
        offsets.append(offset)
        lines.append(line)
    }

    /// The line of the row that begins at an offset; nil for an offset that is not listed.
    package subscript(offset: UInt64) -> Int? {
        var (low, high) = (0, offsets.count)
        while low < high {
            let middle = (low + high) / 2
            if offsets[middle] < offset { low = middle + 1 } else { high = middle }
        }
        return low < offsets.count && offsets[low] == offset ? lines[low] : nil
    }
}
