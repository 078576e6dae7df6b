import Reading
import Screening
import Sketches
import Tabular
import Validating

/// The merged result of the first pass.
struct Survey {
    var profile: Profile
    /// By slice, the rows that keep the contract.
    let sound: [RowBits]
    /// By slice, the rows in which personal data or a credential was detected.
    let detectedRows: [RowBits]
    /// By slice, the rows with hidden text or a formula in their cells.
    let hiddenTextRows: [RowBits]
    /// By slice, its draw.
    let draws: [SliceDraw]
    var evidence: ColumnEvidence
    let detections: [DetectionPlace]
    /// The slices, for later passes.
    let text: SourceText
    /// The digest of the source, and of each of its files.
    let sourceDigest: SourceDigest
    /// What identifies the source's content.
    let digest: [UInt8]
    /// Findings about the whole batch.
    var findings: [Finding]
    /// The first findings about rows, up to the requested number.
    let listed: FindingList
    let head: SourceHead
    /// Whether some blocks were checked by the second CSV reader.
    let crossChecked: Bool
    let remarks: RowRemarks
}

/// Merges the slices of the first pass. The result does not depend on their order.
///
/// It is a value of its own so that a runner on several machines can drive it too.
struct SurveyFold {
    private(set) var profile: Profile
    private(set) var draws: [SliceDraw?] = []
    private let keys: BatchKeys
    private let listedMax: Int
    private var sound: [Int: RowBits] = [:]
    private var detectedRows: [Int: RowBits] = [:]
    private var hiddenTextRows: [Int: RowBits] = [:]
    private var evidence = ColumnEvidence()
    private var detections: [DetectionPlace] = []
    private var remarks = RowRemarks()
    private var findings: [Finding] = []
    private var listed = FindingList()

    init(_ plan: Plan, keys: BatchKeys) {
        profile = Profile(plan.reader, keyRules: plan.validator.keyRules.count)
        self.keys = keys
        listedMax = plan.options.listed
    }

    /// Adds the result of one slice. Keys spill to the file once they exceed memory.
    mutating func take(_ part: SliceSurvey) throws(IngestionError) {
        profile.merge(part.profile)
        try keys.spill.relieve(&profile.keys)
        sound[part.ordinal] = part.isValid
        detectedRows[part.ordinal] = part.hasDetection
        hiddenTextRows[part.ordinal] = part.hasHiddenText
        draws += Array(repeating: nil, count: max(0, part.ordinal + 1 - draws.count))
        draws[part.ordinal] = part.draw
        evidence.merge(part.evidence)
        detections += part.detections
        remarks.merge(part.remarks)
        if let finding = part.disagreement { findings.append(finding) }
        listed.append(contentsOf: part.listed)
        // Slices end in any order, so only findings of the lowest rows are kept.
        if listed.count / 2 > listedMax { listed.sort(keeping: listedMax) }
    }

    /// Replaces the samples by those of another profile, which were drawn anew.
    mutating func takeSamples(of other: Profile) { profile.takeSamples(of: other) }

    /// The merged result. The fold must not be used afterwards.
    ///
    /// - Parameters:
    ///   - cutter: the finished first pass, for digest and places.
    ///   - plan: how the batch is judged.
    mutating func finish(_ cutter: SliceCutter, _ plan: Plan) -> Survey {
        profile.finish()
        listed.sort(keeping: listedMax)
        findings =
            cutter.head.findings + findings + remarks.swallowedRows(columns: cutter.head.layout?.columns.count ?? 0)
        findings.sort { ($0.row ?? 0, $0.code) < ($1.row ?? 0, $1.code) }
        detections.sort { ($0.row, $0.column, $0.start) < ($1.row, $1.column, $1.start) }
        let (slices, digest) = (0..<cutter.places.count, cutter.digest())
        return Survey(
            profile: profile, sound: slices.map { sound[$0] ?? RowBits() },
            detectedRows: slices.map { detectedRows[$0] ?? RowBits() },
            hiddenTextRows: slices.map { hiddenTextRows[$0] ?? RowBits() }, draws: draws.compactMap(\.self),
            evidence: evidence, detections: detections, text: cutter.text, sourceDigest: digest,
            digest: digest.whole, findings: findings, listed: listed,
            head: cutter.head, crossChecked: plan.isCrossChecked, remarks: remarks)
    }
}

extension Survey {
    /// The slices, in order.
    var places: [SlicePlace] { text.places }
}

extension RowRemarks {
    /// Findings about quoted values that hold several lines, each with as many cells as a row: an unclosed quote may
    /// have swallowed rows.
    func swallowedRows(columns: Int) -> [Finding] {
        swallowed.map { found in
            var finding = Finding(.strayQuote, outcome: .flagged, at: .row(found.row))
            finding.rule = "a quoted value holds \(found.lines) line(s) of \(columns) cells each, as rows have"
            return finding
        }
    }
}
