import Lineage
import Masking
import Screening
import Sketches
import Tabular

/// What the second pass made of a file.
struct Release {
    /// What each slice came to, in the order of the source.
    let results: [SliceResult]
    /// Rows by outcome, with all findings.
    let counts: OutcomeCounts
    /// Masked cells: field, entity, operator, count.
    let masks: [(receipt: MaskReceipt, count: Int)]
    /// Released rows by their quasi-identifiers.
    let classes: EquivalenceClasses
    /// Released rows for the next baseline.
    let kept: KeptRows
    /// Findings one by one, as many as were asked for.
    let listed: FindingList
}

/// Merges what the second pass made of slices. Slices come in any order; the result is the same.
struct ReleaseFold {
    private(set) var kept: KeptRows
    private(set) var results: [SliceResult] = []
    private let reader: FeatureReader
    private let listedMax: Int
    private var classes = EquivalenceClasses()
    private var listed: [Int: FindingList] = [:]

    init(_ plan: Plan) {
        reader = plan.reader
        kept = KeptRows(plan.reader)
        listedMax = plan.options.listed
    }

    /// Takes in one slice. Samples are merged at once: one a slice would grow with the file.
    mutating func take(_ part: SliceResult) {
        var part = part
        kept.merge(part.kept)
        part.kept = KeptRows(reader)
        classes.merge(part.classes)
        part.classes = EquivalenceClasses()
        listed[part.ordinal, default: FindingList()].append(contentsOf: part.listed)
        part.listed = []
        results.append(part)
    }

    /// What all slices together came to.
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
