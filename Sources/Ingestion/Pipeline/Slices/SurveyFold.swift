import Reading
import Screening
import Sketches
import Tabular
import Validating

/// What the first pass learned of a file.
struct Survey {
    var profile: Profile
    /// For each slice the rows that keep the contract.
    let sound: [RowBits]
    /// For each slice the rows in which personal data or a credential was seen.
    let sighted: [RowBits]
    /// For each slice what was drawn in it.
    let draws: [SliceDraw]
    var evidence: ColumnEvidence
    let spotted: [DetectionPlace]
    let places: [SlicePlace]
    /// SHA-256 of the file.
    let digest: [UInt8]
    /// Findings about the whole batch.
    var findings: [Finding]
    /// The first findings about rows.
    let listed: FindingList
    let head: SourceHead
    /// Whether blocks were read by a second reader as well.
    let crossChecked: Bool
    let remarks: RowRemarks
}

/// Merges what the first pass found in slices. Slices come in any order; the result is the same.
///
/// It is a value of its own so that another runner than the one of this machine can drive it.
struct SurveyFold {
    private(set) var profile: Profile
    private(set) var draws: [SliceDraw?] = []
    private let keys: BatchKeys
    private let listedMax: Int
    private var sound: [Int: RowBits] = [:]
    private var sighted: [Int: RowBits] = [:]
    private var evidence = ColumnEvidence()
    private var spotted: [DetectionPlace] = []
    private var remarks = RowRemarks()
    private var findings: [Finding] = []
    private var listed = FindingList()

    init(_ plan: Plan, keys: BatchKeys) {
        profile = Profile(plan.reader, keyRules: plan.validator.keyRules.count)
        self.keys = keys
        listedMax = plan.options.listed
    }

    /// Takes in one slice.
    mutating func take(_ part: SliceSurvey) throws(IngestionError) {
        profile.merge(part.profile)
        try keys.spill.relieve(&profile.keys)
        sound[part.ordinal] = part.isValid
        sighted[part.ordinal] = part.hasDetection
        draws += Array(repeating: nil, count: max(0, part.ordinal + 1 - draws.count))
        draws[part.ordinal] = part.draw
        evidence.merge(part.evidence)
        spotted += part.detections
        remarks.merge(part.remarks)
        if let finding = part.disagreement { findings.append(finding) }
        listed.append(contentsOf: part.listed)
        // Slices end in any order: only those of the first rows stay.
        if listed.count / 2 > listedMax { listed.sort(keeping: listedMax) }
    }

    /// Takes samples that were drawn anew.
    mutating func takeSamples(of other: Profile) { profile.takeSamples(of: other) }

    /// What all slices together say; the fold is over then.
    mutating func finish(_ cutter: SliceCutter, _ plan: Plan) -> Survey {
        profile.finish()
        listed.sort(keeping: listedMax)
        findings =
            cutter.head.findings + findings + remarks.swallowedRows(columns: cutter.head.layout?.columns.count ?? 0)
        findings.sort { ($0.row, $0.code) < ($1.row, $1.code) }
        spotted.sort { ($0.row, $0.column, $0.start) < ($1.row, $1.column, $1.start) }
        let slices = 0..<cutter.places.count
        return Survey(
            profile: profile, sound: slices.map { sound[$0] ?? RowBits() },
            sighted: slices.map { sighted[$0] ?? RowBits() }, draws: draws.compactMap(\.self), evidence: evidence,
            spotted: spotted, places: cutter.places, digest: cutter.digest(), findings: findings, listed: listed,
            head: cutter.head, crossChecked: plan.isCrossChecked, remarks: remarks)
    }
}

extension RowRemarks {
    /// Findings about quoted values that hold rows.
    func swallowedRows(columns: Int) -> [Finding] {
        swallowed.map { found in
            var finding = Finding(.strayQuote, outcome: .flagged, row: found.row)
            finding.rule = "a quoted value holds \(found.lines) line(s) of \(columns) cells each, as rows have"
            return finding
        }
    }
}
