import Reading
import Screening
import Sketches
import Tabular
import Validating

/// One bit for each row of a slice.
struct RowBits: Sendable {
    private var words: [UInt64] = []
    private(set) var count = 0

    mutating func append(_ bits: [Bool]) {
        words.reserveCapacity((count + bits.count + 63) / 64)
        for bit in bits {
            if count & 63 == 0 { words.append(0) }
            if bit { words[count >> 6] |= 1 << UInt64(count & 63) }
            count += 1
        }
    }

    func bits(from first: Int, count: Int) -> [Bool] {
        (first..<first + count).map { words[$0 >> 6] >> UInt64($0 & 63) & 1 == 1 }
    }
}

/// The result of the first pass over one slice.
struct SliceSurvey: Sendable {
    var ordinal: Int
    var profile: Profile
    var isValid = RowBits()
    /// Rows in which personal data or a credential was detected.
    var hasDetection = RowBits()
    /// Rows with hidden text or a formula in their cells.
    var hasHiddenText = RowBits()
    var evidence = ColumnEvidence()
    /// The first detections, as many as were asked for.
    var detections: [DetectionPlace] = []
    /// A block on which the second CSV reader disagrees; nil when none does.
    var disagreement: Finding?
    var listed: [Finding] = []
    var remarks = RowRemarks()
    /// The slice's draw, which the second pass reuses.
    var draw: SliceDraw
}

/// The results of the first pass on one slice that the second pass needs.
struct SliceRecall: Sendable {
    /// Rows that keep the contract.
    let sound: RowBits
    /// Rows in which personal data or a credential was detected; the others are not scanned again.
    let detectedRows: RowBits
    /// Rows with hidden text or a formula; the others are not searched for it again.
    let hiddenTextRows: RowBits
    /// The slice's draw in the first pass, with the tag of its bytes.
    let draw: SliceDraw

    /// What the first pass found about `count` rows from `first` on.
    func known(from first: Int, count: Int) -> Validator.Known {
        Validator.Known(
            isValid: sound.bits(from: first, count: count),
            hasDetection: detectedRows.bits(from: first, count: count),
            hasHiddenText: hiddenTextRows.bits(from: first, count: count))
    }
}

extension RowBits: WireValue {
    func write(to wire: inout WireWriter) {
        wire.append(count)
        wire.append(words)
    }

    init(from wire: inout WireReader) throws(WireError) {
        (count, words) = (try wire.read(), try wire.read())
        guard count >= 0, words.count == (count + 63) / 64 else { throw WireError() }
    }
}

extension SliceSurvey: WireValue {
    func write(to wire: inout WireWriter) {
        wire.append(ordinal)
        wire.append(profile)
        for bits in [isValid, hasDetection, hasHiddenText] { wire.append(bits) }
        wire.append(evidence)
        wire.append(detections)
        wire.append(disagreement)
        wire.append(listed)
        wire.append(remarks)
        wire.append(draw)
    }

    init(from wire: inout WireReader) throws(WireError) {
        (ordinal, profile) = (try wire.read(), try wire.read())
        (isValid, hasDetection, hasHiddenText) = (try wire.read(), try wire.read(), try wire.read())
        (evidence, detections) = (try wire.read(), try wire.read())
        (disagreement, listed) = (try wire.read(), try wire.read())
        (remarks, draw) = (try wire.read(), try wire.read())
    }
}

extension SliceRecall: WireValue {
    func write(to wire: inout WireWriter) {
        for bits in [sound, detectedRows, hiddenTextRows] { wire.append(bits) }
        wire.append(draw)
    }

    init(from wire: inout WireReader) throws(WireError) {
        (sound, detectedRows, hiddenTextRows) = (try wire.read(), try wire.read(), try wire.read())
        draw = try wire.read()
    }
}
