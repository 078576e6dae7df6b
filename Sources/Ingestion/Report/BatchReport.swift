package import Lineage
package import Masking
import Recognition
import Schemas
package import Screening
package import Sketches
package import Tabular

/// What came in, what came out, and why: the result of one batch, without a value of anyone's data.
package struct BatchReport: Sendable {
    /// How the batch ended.
    package enum Status: String, Sendable {
        /// Its shards are published.
        case accepted
        /// Nothing was published; the source is sealed in quarantine.
        case held
        /// The same, and not for what is in it: it is not what its source sent, or the source is refused.
        case rejected
        /// The same content was judged before under the same contract and policy.
        case duplicate
        /// Only checked.
        case checked
    }

    /// How the batch ended.
    package var status: Status
    /// The batch's name; empty when nothing was recorded.
    package var batch = ""
    /// The dataset.
    package var dataset: String
    /// Who sent it.
    package var source: String
    /// The file as it was named.
    package let file: String
    /// The file as it may be shown: a supplier may have called it by something that is somebody's.
    package let name: String
    /// Bytes and SHA-256 of the file.
    package var bytes = 0
    /// What the reader saw besides rows.
    package var remarks = RowRemarks()
    /// Rows before the first data row.
    package var leadingRows = 0
    /// Whether the last line has no line end.
    package var lacksLineEnd = false
    /// SHA-256 of the file, hexadecimal.
    package var dataHash = ""
    /// The encoding of the text, as declared.
    package var encoding = TextEncoding.utf8
    /// How the file is compressed, and the bytes it decompresses to; nil when it is not. Offsets of a compressed file are
    /// offsets in what it decompresses to.
    package var compression: (name: String, bytes: Int)?
    /// SHA-256 of the contract's canonical form, hexadecimal.
    package var contractHash = ""
    /// Whether the contract was inferred from this very file.
    package var isInferred = false
    /// What the columns hold that were searched for personal data.
    package var columns: [PersonalColumn] = []
    /// Columns that are somebody's by their names or values, of which not everything is masked.
    package var unmasked: [UnmaskedColumn] = []
    /// Rows of the sample that are others of it again, by their content, and rows in the sample; nil where none is.
    package var copies: (rows: Int, of: Int)?
    /// How well rows hide among each other by their quasi-identifiers; nil where the contract names none or nothing was released.
    package var anonymity: EquivalenceClasses.Summary?
    /// The class size that the contract wants.
    package var minimumClass = 5
    /// Personal data one by one, as many as were asked for.
    package var spotted: [DetectionPlace] = []
    /// Rows by outcome.
    package var counts = OutcomeCounts()
    /// Totals of all findings, strictest first.
    package var findings = FindingCounts()
    /// Findings one by one, by row, as many as were asked for.
    package var listed = FindingList()
    /// Findings about the whole batch; those that quarantine hold it.
    package var batchFindings: [Finding] = []
    /// Names of the contract's fields.
    package var fields: [String]
    /// Positions, from 1, of columns that the contract does not name. Not their names: without a header the first row of
    /// data stands there.
    package var unknownColumns: [Int] = []
    /// Columns, from 1, whose labels have text in them that people do not see, and what it is.
    package var disguisedColumns: [(column: Int, code: FindingCode)] = []
    /// Whether no column at all is one of the contract's.
    package var lacksHeader = false
    /// Where the lines come from; nil when nothing was screened.
    package var basis: Decision.Basis?
    /// The name of the anchor or the pinned baseline; nil for the last accepted batches.
    package var baseline: String?
    /// Rows the lines were made from.
    package var basisRows = 0
    /// The stated false-alarm rates: share of clean rows beyond a modified z threshold, and beyond the forest's line.
    package var falseAlarmRates: (modifiedZ: Double, forest: Double) = (0, 0)
    /// The stated rate of label flips among honest rows; nil when labels were not tested.
    package var labelFlipRate: Double?
    /// Thresholds by field: field, threshold, rows, transform.
    package var thresholds: [(field: Int, threshold: Double, count: Int, log: Bool)] = [] {
        didSet {
            thresholdRows = Dictionary(thresholds.map { ($0.field, $0.count) }, uniquingKeysWith: { first, _ in first })
        }
    }
    /// The rows that each field's threshold was made from.
    private(set) var thresholdRows: [Int: Int] = [:]
    /// Tests of the whole batch beside its baseline.
    package var tests: [BatchTest] = []
    /// Fields that were not screened, or -1 for the whole batch, and why.
    package var untested: [(field: Int, reason: String)] = []
    /// The fewest rows in which a mark beside one label would have been found, of how many rows that were looked at.
    package var triggerPower: [(what: String, rows: Int, of: Int)] = []
    /// While it learns: accepted batches after which a difference holds a batch.
    package var learning: Int?
    /// Who brought it, and what vouches for it; nil where nothing is known.
    package var attestation: JSONValue?
    /// What several sources say of the same keys; nil when the contract compares nothing.
    package var cross: CrossReport?
    /// What would be different under the contract that runs beside the one in force.
    package var shadow: ShadowReport?
    /// What became of each row, when that was asked for.
    package var fates: RowMap?
    /// The scores of all rows beside their lines, and where the forest's lines are.
    package var scores = ScoreHistograms()
    /// The forest's lines among the bins of its histogram; nil without a forest.
    package var forestLines: (flag: Double, quarantine: Double)?
    /// Names of sources and of label values that may be told, by their codes.
    package var names: [UInt64: String] = [:]
    /// Masked cells: field, entity, operator, count.
    package var masks: [(receipt: MaskReceipt, count: Int)] = []
    /// Published files, relative to the store.
    package var published: [String] = []
    /// For a duplicate: the batch that judged this content.
    package var duplicateOf = ""
    /// For a duplicate: whether the content was accepted before under another contract or policy, so that this run changed nothing.
    package var isRefusedReplacement = false
    /// The batch that this one replaced.
    package var supersedes = ""
    /// The oldest held batch that shows the same change, and when it was judged.
    package var incident: (batch: String, since: String)?
    /// The held batch that a person let out as this one, or tried to.
    package var releases = ""
    /// Whether that was refused: nothing was recorded, and the batch stays held.
    package var isRefusedRelease = false
    /// Whether it had to pass by itself, since another batch that shows the same change was let out.
    package var isJudgedAgain = false
    /// What a person waived.
    package var waived: [Waived] = []
    /// For a duplicate: how that batch ended.
    package var earlierWasAccepted = false
    /// Whether that batch is held, and may be let out.
    package var earlierWasHeld = false
    /// Whether rows of that earlier batch were held back.
    package var earlierRejected = 0
    /// Quarantined rows of that earlier batch.
    package var earlierQuarantined = 0
    /// Flagged rows of that earlier batch.
    package var earlierFlagged = 0
    /// The CSV reader, and whether the second reader looked.
    package var readers = ""
    /// Seconds of wall time.
    package var seconds = 0.0

    /// A report about `file`.
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

    /// Whether nothing was found that holds back a row or the batch.
    package var isClean: Bool {
        !hasHoldingFinding && counts.count(.rejected) == 0 && counts.count(.quarantined) == 0
    }
}
