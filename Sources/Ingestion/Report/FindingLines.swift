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

    /// Reads a file and adds the lines of its rows; nothing where it cannot be read.
    ///
    /// - Parameters:
    ///   - wanted: offsets of rows in the source, ascending.
    ///   - path: the file.
    ///   - text: where it stands in the source.
    mutating func add(_ wanted: ArraySlice<UInt64>, in path: String, at text: FileText) {
        guard let file = try? InputFile(path) else { return }
        let moved = text.source.start &- text.source.head
        var wanted = wanted
        var (offset, line): (UInt64, Int) = (moved, 1)
        // A record of an array includes the text before it; its line is that of its first visible byte.
        var waiting: UInt64?
        try? file.forEachChunk { (chunk) throws(IngestionError) in
            for at in 0..<chunk.count {
                if let first = wanted.first, first == offset {
                    waiting = first
                    while wanted.first == offset { wanted.removeFirst() }
                }
                if let place = waiting, chunk[at] > 0x20 {
                    add(line, at: place)
                    waiting = nil
                }
                if chunk[at] == 0x0A { line += 1 }
                offset &+= 1
            }
        }
    }

    /// Adds a row's line; offsets must ascend.
    private mutating func add(_ line: Int, at offset: UInt64) {
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
