import Lineage
import Masking
import Recognition
import Schemas
import Screening
import Sketches
import Tabular

/// The lines that rows begin at, by the offset of their first byte.
package struct FindingLines: Sendable {
    private var offsets: [UInt64] = []
    private var lines: [Int] = []

    /// No lines.
    init() {}

    /// Adds the line of a row behind all that are there.
    mutating func add(_ line: Int, at offset: UInt64) {
        offsets.append(offset)
        lines.append(line)
    }

    /// The line of the row that begins at an offset.
    package subscript(offset: UInt64) -> Int? {
        var (low, high) = (0, offsets.count)
        while low < high {
            let middle = (low + high) / 2
            if offsets[middle] < offset { low = middle + 1 } else { high = middle }
        }
        return low < offsets.count && offsets[low] == offset ? lines[low] : nil
    }
}
