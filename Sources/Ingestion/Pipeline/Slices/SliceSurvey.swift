import Reading
import Screening
import Sketches
import Tabular
import Validating

/// One bit a row of a slice.
struct RowBits: Sendable {
    private var words: [UInt64] = []
    private(set) var count = 0

    mutating func append(_ bit: Bool) {
        if count & 63 == 0 { words.append(0) }
        if bit { words[count >> 6] |= 1 << UInt64(count & 63) }
        count += 1
    }

    func bits(from first: Int, count: Int) -> [Bool] {
        (first..<first + count).map { words[$0 >> 6] >> UInt64($0 & 63) & 1 == 1 }
    }
}

/// What the first pass found in a slice.
struct SliceSurvey: Sendable {
    var ordinal: Int
    var profile: Profile
    var isValid = RowBits()
    /// Rows in which personal data or a credential was seen.
    var hasDetection = RowBits()
    var evidence = ColumnEvidence()
    /// The first of what was seen, for those who ask.
    var detections: [DetectionPlace] = []
    var disagreement: Finding?
    var listed: [Finding] = []
    var remarks = RowRemarks()
    /// What was drawn, for the second pass.
    var draw: SliceDraw
}

/// What the second pass must recall of a slice.
struct SliceRecall: Sendable {
    /// Rows that keep the contract.
    let sound: RowBits
    /// Rows in which personal data or a credential was seen.
    let sighted: RowBits
    /// The order in which rows are sampled.
    let order: SipHash
}
