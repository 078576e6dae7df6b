import Lineage
import Masking
import Screening
import Sketches
import Tabular

/// The merged result of the second pass.
struct Release {
    /// The result of each slice, in the order of the source.
    let results: [SliceResult]
    /// Rows by outcome, with all findings.
    let counts: OutcomeCounts
    /// Masked cells, counted by field, entity and operator.
    let masks: [(receipt: MaskReceipt, count: Int)]
    /// Released rows, grouped by their quasi-identifiers.
    let classes: EquivalenceClasses
    /// A sample of the released rows for the next baseline.
    let kept: KeptRows
    /// Findings listed one by one, up to the requested number.
    let listed: FindingList
}

/// Merges the slices of the second pass. The result does not depend on their order.
struct ReleaseFold {
    private(set) var kept: KeptRows
    private(set) var results: [SliceResult] = []
    /// Whether the bytes of a slice are not those of the first pass.
    private(set) var hasChanged = false
    private let reader: FeatureReader
    private let listedMax: Int
    private var classes = EquivalenceClasses()
    private var listed: [Int: FindingList] = [:]

    init(_ plan: Plan) {
        reader = plan.reader
        kept = KeptRows(plan.reader)
        listedMax = plan.options.listed
    }

    /// Adds the result of one slice. Its sample is merged at once, and the subjects of its rows are written: kept apart,
    /// they would grow with the file.
    mutating func take(_ part: SliceResult, index: SubjectIndexFile?) throws(IngestionError) {
        var part = part
        try index?.append(part.subjects)
        part.subjects = SubjectRows()
        hasChanged = hasChanged || part.hasChanged
        kept.merge(part.kept)
        part.kept = KeptRows(reader)
        classes.merge(part.classes)
        part.classes = EquivalenceClasses()
        listed[part.ordinal, default: FindingList()].append(contentsOf: part.listed)
        part.listed = []
        results.append(part)
    }

    /// The merged result.
    func finish() -> Release {
        let ordered = results.sorted { $0.ordinal < $1.ordinal }
        var (counts, list) = (OutcomeCounts(), FindingList())
        var masks: [MaskReceipt: Int] = [:]
        for result in ordered {
            counts.merge(result.counts)
            masks.merge(result.receipts, uniquingKeysWith: +)
            if list.count < listedMax, let more = listed[result.ordinal] {
                list.append(contentsOf: more.prefix(listedMax - list.count))
            }
        }
        return Release(
            results: ordered, counts: counts,
            masks: masks.sorted { $0.key < $1.key }.map { (receipt: $0.key, count: $0.value) }, classes: classes,
            kept: kept, listed: list)
    }
}
