import Reading
import Cryptography
import Lineage
import Masking
import Screening
import Sealing
import Sketches
import Tabular

/// What is recorded of a judged batch. The ledger's entries are built from it, never from the report.
struct Conclusion {
    /// What the reader knows of the file.
    struct Input {
        let bytes: Int
        let encoding: TextEncoding
        let compression: (name: String, bytes: Int)?
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
    /// What it was judged by.
    let baseline: JudgingBaseline?
    /// SHA-256 of the decision as it is kept; empty where no row was judged by one.
    var decisionDigest: [UInt8] = []
    /// What became of each row.
    var rowMap = RowMap()
    /// The sealed files, each with its place.
    var shards: [StagedShard] = []
    /// The held batch that shows the same change, and was first.
    var incident: HeldBatch?

    var isAccepted: Bool { status == .accepted }
    /// Findings that hold the batch.
    var holding: [Finding] { batchFindings.filter { $0.outcome >= .quarantined } }
    /// Whether the batch counts for a source that is on probation. A handful of rows proves nothing.
    var passesProbation: Bool {
        counts.count(.accepted) + counts.count(.flagged) >= 30 && holding.allSatisfy { $0.code == .sourceProbation }
    }

    init(_ judged: JudgedBatch, _ status: BatchReport.Status) {
        let (decided, cutter) = (judged.decided, judged.opened.cutter)
        batch = judged.identity
        self.status = status
        input = Input(
            bytes: cutter.bytesRead, encoding: decided.plan.reading.coding.encoding,
            compression: cutter.compression.map { ($0.kind.rawValue, $0.bytes) })
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
    /// The decision as it is kept, with what a replay needs beside it; nil where no row was judged by it.
    var keptDecision: [UInt8]? {
        guard let decision else { return nil }
        var members = decision.document().members ?? [:]
        members["reading"] = identity.reading.map { KeptReading.document(identity, $0) }
        return JSONValue.object(members).canonicalBytes()
    }

    /// What the released rows look like, for later batches; nil when nothing is screened or nothing was released.
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

    /// Where each row begins in the source: offsets as differences, LEB128.
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
