import Reading
import Cryptography
import Lineage
import Masking
import Screening
import Sealing
import Sketches
import Tabular

/// The recorded facts of a judged batch. The ledger's entries are built from them, never from the report.
struct Conclusion {
    /// The input as it was read: bytes, encoding and compression.
    struct Input {
        let bytes: Int
        let encoding: TextEncoding
        let compression: (name: String, bytes: Int)?
        /// The number of files.
        let files: Int
    }

    let batch: BatchIdentity
    /// Accepted, held or rejected.
    let status: BatchReport.Status
    let input: Input
    let counts: OutcomeCounts
    let findings: FindingCounts
    let batchFindings: [Finding]
    let masks: [(receipt: MaskReceipt, count: Int)]
    let waived: [Waived]
    let cross: CrossReport?
    let shadow: ShadowReport?
    /// The baseline that it was judged by; nil on cold start.
    let baseline: JudgingBaseline?
    /// SHA-256 of the kept decision; empty where no row was judged by one.
    var decisionDigest: [UInt8] = []
    /// The outcome of every row, as runs.
    var rowMap = RowMap()
    /// The sealed files with their places.
    var shards: [StagedShard] = []
    /// The oldest held batch that shows the same change; nil when there is none.
    var incident: HeldBatch?
    /// The keys of subjects that values were encrypted with; nil for none.
    var keyring: SubjectKeyring?

    var isAccepted: Bool { status == .accepted }
    /// Findings that hold the batch.
    var holding: [Finding] { batchFindings.filter { $0.outcome >= .quarantined } }
    /// Whether the batch counts as a pass for a source on probation. At least 30 released rows are required: a handful
    /// proves nothing.
    var passesProbation: Bool {
        // Rows that a person released say nothing about the source.
        batch.waiver?.rows == nil && counts.count(.accepted) + counts.count(.flagged) >= 30
            && holding.allSatisfy { $0.code == .sourceProbation }
    }

    init(_ judged: JudgedBatch, _ status: BatchReport.Status) {
        let (decided, cutter) = (judged.decided, judged.opened.cutter)
        batch = judged.identity
        self.status = status
        input = Input(
            bytes: cutter.bytesRead, encoding: decided.plan.reading.coding.encoding,
            compression: cutter.compression.map { ($0.kind.rawValue, $0.bytes) }, files: cutter.files.count)
        counts = judged.counts
        findings = judged.findings
        batchFindings = judged.batchFindings
        masks = judged.processed?.release.masks ?? []
        waived = judged.waived
        cross = decided.decision.cross.map { CrossReport($0, decided.decision) }
        shadow = judged.shadow
        baseline = judged.processed == nil ? nil : decided.baseline
    }
}

extension JudgedBatch {
    /// The decision with contract and reading settings, so that a replay needs nothing else; nil where no row was
    /// judged by it.
    var keptDecision: [UInt8]? {
        guard let decision else { return nil }
        var members = decision.document().members ?? [:]
        let columns = decided.survey.head.layout?.columns ?? []
        members["reading"] = identity.reading.map { KeptReading.document(identity, $0, columns: columns) }
        return JSONValue.object(members).canonicalBytes()
    }

    /// The baseline that the released rows make for later batches; nil when nothing is screened or released.
    var newBaseline: Baseline? {
        guard let decision, var kept = processed?.release.kept else { return nil }
        kept.finish()
        guard !decision.screened.isEmpty, kept.sample.count > 0 else { return nil }
        var made = Baseline(
            features: decision.screened.numberNames(identity.fields),
            codes: decision.screened.codeNames(identity.fields),
            sample: kept.sample, texts: kept.texts, remarks: Baseline.Remarks(counts, decision))
        made.sizes = [counts.total]
        made.slow = decision.slow
        made.beginLevels(of: identity.waiver?.newLevels ?? [])
        made.marks = [decision.markRecord]
        made.clock = decision.clock
        return made
    }

    /// The start of each row in the source: `sluice-rows-v1`, then the differences of starts as LEB128 varints.
    var rowIndex: [UInt8] {
        var lengths = Array("sluice-rows-v1\n".utf8)
        var lastStart: UInt64 = 0
        for result in results {
            Varint.append(result.firstStart - lastStart, to: &lengths)
            lengths += result.rowLengths
            lastStart = result.lastStart
        }
        return lengths
    }
}
