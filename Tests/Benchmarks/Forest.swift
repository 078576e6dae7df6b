import Screening
import Sketches

/// Fits a forest to 65,536 of 1,000,000 rows of ten doubles and scores them all, on one thread. `path` has them
/// row-major after a 128-byte header.
func benchmarkForest(_ path: String) {
    let raw = bytes(path)
    let (rows, width) = (1_000_000, 10)
    // Column-major, as in the pipeline.
    let columns = (0..<width).map { feature in
        (0..<rows).map { row in
            let at = 128 + (row * width + feature) * 8
            return Double(bitPattern: (0..<8).reduce(0) { $0 | UInt64(raw[at + $1]) << UInt64(8 * $1) })
        }
    }
    for dimensions in [1, 3] {
        let seconds = time {
            var sample = RowSample(capacity: 65_536, width: width)
            for row in 0..<65_536 {
                sample.append(rank: UInt64(row), columns.map { $0[row * 15] })
            }
            let forest = IsolationForest(
                sample: sample, rows: 0..<sample.count, fields: Array(0..<width),
                shape: .init(dimensions: dimensions), seed: 1)
            var total: UInt64 = 0
            for first in stride(from: 0, to: rows, by: 2048) {
                let part = first..<min(first + 2048, rows)
                for sum in forest.sums(columns.map { Array($0[part]) }) { total += UInt64(sum) }
            }
            precondition(total > 0)
        }
        report("forest-ndim\(dimensions)", seconds, "s")
    }
}
