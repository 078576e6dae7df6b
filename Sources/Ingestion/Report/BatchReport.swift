package import Lineage
package import Masking
import Recognition
import Schemas
package import Screening
package import Sketches
package import Tabular

/// The report of one batch: input, outcomes and reasons. It holds no value of the data.
package struct BatchReport: Sendable {
    /// The verdict on a batch.
    package enum Status: String, Sendable {
        /// Its shards are published.
        case accepted
        /// Nothing is published; the source is sealed in quarantine until a person decides.
        case held
        /// Stored like a held batch and never released, because the check of a digest, a signature or the supplier's standing
        /// failed, or because it exceeds a limit of a contract with `onExceed: reject`.
        case rejected
        /// The same content was judged before under the same contract and policy.
        case duplicate
        /// It was only checked.
        case checked
    }

    /// The verdict.
    package var status: Status
    /// The batch's id; empty when nothing was recorded.
    package var batch = ""
    /// The dataset.
    package var dataset: String
    /// The supplier; empty when none is named.
    package var source: String
    /// The file as the user named it.
    package let file: String
    /// The file's name as reports may show it, without personal data that the supplier put into it.
    package let name: String
    /// The files, where there are several.
    package var files: [ReportedFile] = []
    /// Size of the file or files in bytes.
    package var bytes = 0
    /// The reader's remarks about lines that are no rows.
    package var remarks = RowRemarks()
    /// Rows before the header or the first data row that the dialect skips.
    package var leadingRows = 0
    /// The first file, from 0, whose last line lacks its line end; nil for none.
    package var lacksLineEnd: Int?
    /// SHA-256 of the file, hexadecimal; of several files, that of the list of their digests.
    package var dataHash = ""
    /// The encoding of the text, as declared.
    package var encoding = TextEncoding.utf8
    /// The compression, and the bytes after decompression; nil for a plain file. Offsets into a compressed file count
    /// decompressed bytes.
    package var compression: (name: String, bytes: Int)?
    /// SHA-256 of the contract's canonical form, hexadecimal.
    package var contractHash = ""
    /// Whether the contract was inferred from this very file.
    package var isInferred = false
    /// The columns that were searched for personal data, with the entities found.
    package var columns: [PersonalColumn] = []
    /// Columns that hold personal data by name or values and are not wholly masked.
    package var unmasked: [UnmaskedColumn] = []
    /// Repeated rows in the sample, by content, and rows in the sample; nil where there is none.
    package var copies: (rows: Int, of: Int)?
    /// k-anonymity and l-diversity of the released rows; nil where the contract names no quasi-identifiers or nothing
    /// was released.
    package var anonymity: EquivalenceClasses.Summary?
    /// The smallest class of equal quasi-identifiers that the contract wants.
    package var minimumClass = 5
    /// Detections of personal data one by one, up to the requested number.
    package var detections: [DetectionPlace] = []
    /// Rows by outcome.
    package var counts = OutcomeCounts()
    /// Totals of all findings, strictest outcome first.
    package var findings = FindingCounts()
    /// Findings one by one, by row, up to the requested number.
    package var listed = FindingList()
    /// Findings about the whole batch. Those with outcome `quarantined` or worse hold it.
    package var batchFindings: [Finding] = []
    /// Names of the contract's fields.
    package var fields: [String]
    /// Positions, from 1, of columns that the contract does not name. Names are withheld: without a header the first
    /// row of data is in their place.
    package var unknownColumns: [Int] = []
    /// Columns, from 1, whose labels contain invisible or look-alike characters, with the finding.
    package var disguisedColumns: [(column: Int, code: FindingCode)] = []
    /// Whether none of the contract's columns is in the file, so that its header is probably missing.
    package var lacksHeader = false
    /// The origin of the thresholds; nil when nothing was screened.
    package var basis: Decision.Basis?
    /// The name of the anchor or pinned baseline; nil for the last accepted batches.
    package var baseline: String?
    /// Rows that the thresholds rest on.
    package var basisRows = 0
    /// The stated false-alarm rates: the share of clean rows beyond a modified z-score threshold, and beyond the
    /// forest's.
    package var falseAlarmRates: (modifiedZ: Double, forest: Double) = (0, 0)
    /// The stated share of honest rows that the label test flags; nil when labels were not tested.
    package var labelFlipRate: Double?
    /// Thresholds of modified z-scores: field, threshold, rows it was made from, whether values are compared as
    /// logarithms.
    package var thresholds: [(field: Int, threshold: Double, count: Int, log: Bool)] = [] {
        didSet {
            thresholdRows = Dictionary(thresholds.map { ($0.field, $0.count) }, uniquingKeysWith: { first, _ in first })
        }
    }
    /// By field, the rows that its threshold was made from.
    private(set) var thresholdRows: [Int: Int] = [:]
    /// The tests of the whole batch against its baseline.
    package var tests: [BatchTest] = []
    /// Fields that were not screened, with the reason; nil stands for the whole batch.
    package var untested: [(field: Int?, reason: String)] = []
    /// Power of the trigger search: the fewest rows with a trigger that it would have detected, and the rows searched.
    package var triggerPower: [(what: String, rows: Int, of: Int)] = []
    /// During the learning phase, the number of accepted batches after which a difference holds a batch; nil later.
    package var learning: Int?
    /// The source with its standing and provenance; nil where nothing is known of sources.
    package var attestation: JSONValue?
    /// The cross-check with other sources; nil when the contract compares nothing.
    package var cross: CrossReport?
    /// The comparison with a candidate contract; nil without one.
    package var shadow: ShadowReport?
    /// The outcome of every row, if it was asked for.
    package var fates: RowMap?
    /// Histograms of all rows' scores.
    package var scores = ScoreHistograms()
    /// The places of the forest's thresholds among the bins of its histogram; nil without a forest.
    package var forestThresholds: (flag: Double, quarantine: Double)?
    /// Names of sources and label values that may be shown, by their codes.
    package var names: [UInt64: String] = [:]
    /// Masked cells, counted by field, entity and operator.
    package var masks: [(receipt: MaskReceipt, count: Int)] = []
    /// Published or quarantined files, relative to the store.
    package var published: [String] = []
    /// For a duplicate: the batch that judged this content.
    package var duplicateOf = ""
    /// For a duplicate: whether the content was accepted under another contract or policy, so that this run changed
    /// nothing.
    package var isRefusedReplacement = false
    /// The batch that this one replaced; empty without one.
    package var supersedes = ""
    /// The oldest held batch that shows the same change, with the time of its verdict.
    package var incident: (batch: String, since: String)?
    /// The held batch that this one releases, or was meant to.
    package var releases = ""
    /// The rows of that batch which this one releases, such as `3,5-7`; empty for all of a held batch.
    package var releasedRows = ""
    /// Those of them that fail for a reason that is never waived, in a refused release.
    package var releasedRowsHeld = ""
    /// Who rejected the batch of which this is a duplicate; empty when nobody did.
    package var rejection = ""
    /// Whether the release was refused: nothing was recorded, and what was held stays so.
    package var isRefusedRelease = false
    /// Whether it had to pass without a waiver, since another batch of the same incident was released.
    package var isJudgedAgain = false
    /// The findings that the release waived.
    package var waived: [Waived] = []
    /// For a duplicate: whether the earlier batch was accepted.
    package var earlierWasAccepted = false
    /// For a duplicate: whether the earlier batch is held and can be released.
    package var earlierWasHeld = false
    /// For a duplicate: rejected rows of the earlier batch.
    package var earlierRejected = 0
    /// For a duplicate: its quarantined rows.
    package var earlierQuarantined = 0
    /// For a duplicate: its flagged rows.
    package var earlierFlagged = 0
    /// The reader, and whether a second one checked sampled blocks.
    package var readers = ""
    /// Wall time in seconds.
    package var seconds = 0.0

    /// A report without results.
    ///
    /// - Parameters:
    ///   - status: the verdict.
    ///   - dataset: the dataset.
    ///   - source: the supplier.
    ///   - file: the file as the user named it.
    ///   - fields: names of the contract's fields.
    package init(status: Status, dataset: String, source: String, file: String, fields: [String]) {
        self.status = status
        self.dataset = dataset
        self.source = source
        self.file = file
        name = LabelSearch.usual.shown(file)
        self.fields = fields
    }

    /// Rows read.
    package var rows: Int { counts.total }

    /// Whether a finding about the whole batch holds it.
    package var hasHoldingFinding: Bool { batchFindings.contains { $0.outcome >= .quarantined } }

    /// Whether no finding holds back a row or the batch.
    package var isClean: Bool {
        !hasHoldingFinding && counts.count(.rejected) == 0 && counts.count(.quarantined) == 0
    }
}
