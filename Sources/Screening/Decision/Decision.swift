import Glibc
package import Schemas
package import Sketches
package import Tabular
import Validating

/// What was decided about a batch before its second pass: a pure function of its profile, the accepted batches and the
/// contract.
package struct Decision: Sendable {
    /// What the thresholds were learnt from.
    package enum Basis: String, Sendable {
        /// Rows of accepted batches.
        case baseline
        /// The batch itself, since nothing was accepted before.
        case firstContact = "first-contact"
    }

    /// Why something was not tested.
    package enum Untested: String, Sendable {
        /// Too few rows, or none.
        case tooFewRows = "too few values (30 needed)"
        /// Nothing to compare with.
        case noBaseline = "no baseline to compare with"
        /// The baseline has never seen the field.
        case unseenField = "the baseline has not seen this field"
        /// Few batches were accepted: relations inside rows vary too, if less than what is in them.
        case learning = "fewer than three batches were accepted"
        /// There is no class to test for.
        case noLabel = "no field with role: label"
        /// A label with too many values is no class.
        case noClass = "the label has one value, or more than 64"
    }

    /// The rule of each screened field that could be tested.
    package var rules: [ModifiedZ] = []
    /// Measures that predict each other.
    package var pairs: [ResidualPair] = []
    /// Fields, or nil for the whole batch, that were not tested, by what, and why.
    package var untested: [(field: Int?, reason: String)] = []
    /// The forest and its lines, when there is one.
    package var forest: ForestThresholds?
    /// Marks that occur beside one label and did not before: in the rows, and in their text.
    package var triggers: [Trigger] = [], wordTriggers: [Trigger] = []
    /// The fewest rows in which a mark beside one label would have been found, of how many rows that were looked at.
    package internal(set) var triggerPower: [(what: String, rows: Int, of: Int)] = []
    /// The evidence of the strongest pool of rare words, and the kinds of what was found in the rows.
    var pooled = 0.0, triggerKinds: [UInt64: RowItems.Kind] = [:]
    /// Rows that were looked at for marks.
    var triggerRows = 0
    /// Whether tokens of texts tell words from phrases: not in decisions before the sixth form.
    var tagsWords = true
    /// Clusters of copies: of rows, and of their text.
    package var floods: [Flood] = [], textFloods: [Flood] = []
    /// The share of rows that repeat rows of the last accepted batches, and the largest such share of an accepted
    /// batch.
    package internal(set) var copiedShare = 0.0, mostCopied = 0.0
    /// Codes of rows that earlier batches had, when far more rows repeat them than before.
    package var copied = Replays([])
    /// The check of the labels by each view of the rows' neighbours.
    package var labels: [LabelCheck] = []
    /// The check of the labels by a linear model, and what that learnt from the accepted batches.
    package internal(set) var linear: LinearCheck?
    var linearBasis: LinearBasis?
    /// The comparison of what several sources say of the same keys, when the contract asks for it.
    package var cross: CrossCheck?
    /// Names of sources that may be named, by their codes.
    package var sourceNames: [UInt64: String] = [:]
    /// The source that a mark of poison comes from, where it is gone without that source's rows: by the mark's item.
    package var markSources: [UInt64: UInt64] = [:]
    /// What marks of poison do to a row.
    package var poisoning = PoisoningRules()
    /// What clusters of copies, and what marks beside one label, do to a row of this batch.
    package internal(set) var floodAction = Outcome.quarantined, triggerAction = Outcome.quarantined
    /// What repeating a row of an earlier batch does to a row.
    package internal(set) var copyAction = Outcome.quarantined
    /// Tests of the whole batch.
    package var tests: [BatchTest] = []
    /// How far the batches up to this one add up to a drift away from the anchor, when there is one.
    package var slow: SlowDrift?
    /// Each test's share of the budget of false alarms.
    package var alpha = 0.0
    /// What the thresholds were learnt from.
    package var basis: Basis
    /// Rows that the thresholds were learnt from.
    package var basisRows: Int
    /// Share of basis rows beyond a modified z threshold, and beyond a pair's.
    package var flagRateZ = 0.0, flagRatePairs = 0.0
    /// The stated rate of the forest: of held-out rows, or of the rows of batches before, which lack nothing.
    package var flagRateForest: Double {
        forest.map { max($0.flagRate, remarks.share(remarks.isolated)) } ?? 0
    }
    /// The stated rate of label flips: honest rows whose neighbours agree on another label; nil when labels are not
    /// tested.
    package var flagRateLabels: Double? { (labels.map(\.flagRate) + (linear.map { [$0.doubtRate] } ?? [])).max() }
    /// When the batch's rows happened.
    package internal(set) var clock = BatchClock()
    /// Rows of accepted batches with each kind of remark, against which an excess is tested.
    package var remarks = Baseline.Remarks()
    /// The same of each accepted batch, where they are known one by one.
    package var earlierRemarks: [Baseline.Remarks] = []
    /// What each column is, numbers first; empty where no batches are known one by one.
    package var forms: [ColumnForm] = []
    /// Whether differences are only remarked on, since few batches were accepted.
    package var isLearning = false
    /// For each key rule the rows that break it.
    package var keyErrors: [RowSet] = []
    /// Whether a person let the batch out in spite of what statistics say: they flag rows and the batch, and hold
    /// nothing back.
    package var waivesStatistics = false
    /// The screened fields.
    package var screened: ScreenedFields
    var rowItems: RowItems?
    var floodItems: FloodItems?

    /// Whether there are marks of poison to look for in the rows.
    package var hasMarks: Bool {
        !triggers.isEmpty || !floods.isEmpty || !copied.isEmpty || labels.contains(where: \.judgesRows)
            || linear?.judgesRows == true || needsText
    }
    /// Whether the second pass needs the code of the whole row.
    var needsRowCode: Bool { !floods.isEmpty || !copied.isEmpty }
    /// Whether the second pass needs the codes of rows.
    package var needsCodes: Bool { hasMarks || forest?.categories.isEmpty == false }
    /// Whether it needs what stands in the text.
    package var needsText: Bool {
        !wordTriggers.isEmpty || !textFloods.isEmpty || labels.contains { $0.judgesRows && $0.view.isText }
            || linear.map { $0.judgesRows && $0.readsWords } == true
    }
}

extension Decision {
    /// Decides about a batch. Errors of keys and what sources say are facts that the caller adds.
    ///
    /// - Parameters:
    ///   - profile: the finished profile of the whole batch.
    ///   - precedents: the accepted batches that it is compared with.
    ///   - screened: the columns that statistics look at, by the contract.
    ///   - seed: the forest's seed.
    package init(
        _ profile: Profile, beside precedents: Precedents, schema: Schema, screened: ScreenedFields, seed: UInt64
    ) {
        var deliberation = Deliberation(profile, beside: precedents, schema: schema, screened: screened)
        deliberation.decide(precedents, seed: seed)
        self = deliberation.decision
    }

    /// A decision about nothing yet.
    init(basis: Basis, basisRows: Int, screened: ScreenedFields, baseline: RowSample?) {
        (self.basis, self.basisRows, self.screened) = (basis, basisRows, screened)
        rowItems = baseline.map { RowItems($0, screened) }
        floodItems = baseline.map {
            FloodItems($0, measures: screened.fields.count, codeCount: screened.codeCount, label: screened.label)
        }
    }

    /// The name of a source in reports: its own where that may be shown, else a tag that tells two sources apart.
    package func name(ofSource code: UInt64) -> String { sourceNames[code] ?? "#" + tag(code) }

    /// The items of texts in which near copies agree: bands of the signature alone.
    var textFloodItems: FloodItems { FloodItems(codeCount: screened.codeCount) }
}

/// The first bits of a keyed hash: enough to tell two apart in a report, and nothing of the value.
func tag(_ item: UInt64) -> String {
    let digits = String(item >> 48, radix: 16)
    return String(repeating: "0", count: 4 - digits.count) + digits
}

extension [UInt64] {
    /// Whether an ascending list has a word.
    func holds(_ word: UInt64) -> Bool {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < word { low = middle + 1 } else { high = middle }
        }
        return low < count && self[low] == word
    }
}
