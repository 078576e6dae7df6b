import Glibc
package import Schemas
package import Sketches
package import Tabular
import Validating

/// The decision about a batch before its second pass: a pure function of its profile, the accepted batches and the
/// contract.
package struct Decision: Sendable {
    /// The data from which the thresholds were computed.
    package enum Basis: String, Sendable {
        /// Rows of accepted batches.
        case baseline
        /// The batch itself, since no batch was accepted before (cold start).
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
        /// Few batches were accepted, so the variation of relations inside rows is not yet known.
        case learning = "fewer than three batches were accepted"
        /// There is no label to test.
        case noLabel = "no field with role: label"
        /// A label with one value, or with too many values, cannot be tested.
        case noClass = "the label has one value, or more than 64"
    }

    /// The rule of each screened field that could be tested.
    package var rules: [ModifiedZ] = []
    /// Pairs of measures of which one predicts the other.
    package var pairs: [ResidualPair] = []
    /// Fields, or nil for the whole batch, that were not tested, by what, and why.
    package var untested: [(field: Int?, reason: String)] = []
    /// The forest and its thresholds, if there is one.
    package var forest: ForestThresholds?
    /// Triggers: items that occur with one label and did not before, in the fields and in the text.
    package var triggers: [Trigger] = [], wordTriggers: [Trigger] = []
    /// The fewest rows in which a trigger would have been detected, of how many searched rows.
    package internal(set) var triggerPower: [(what: String, rows: Int, of: Int)] = []
    /// The evidence of the strongest pool of rare words, and the kinds of the items found in fields.
    var pooled = 0.0, triggerKinds: [UInt64: RowItems.Kind] = [:]
    /// Number of rows that were searched for triggers.
    var triggerRows = 0
    /// Whether tokens distinguish words from phrases; false in decisions before format 6.
    var tagsWords = true
    /// Clusters of copies: by fields, and by text.
    package var floods: [Flood] = [], textFloods: [Flood] = []
    /// The share of rows that repeat rows of the last accepted batches, and the largest such share of an accepted
    /// batch.
    package internal(set) var copiedShare = 0.0, mostCopied = 0.0
    /// Codes of rows of earlier batches, if far more rows repeat them than before.
    package var copied = Replays([])
    /// The check of the labels by each view of the neighbours.
    package var labels: [LabelCheck] = []
    /// The check of the labels by a linear model, with what the model learnt from the accepted batches.
    package internal(set) var linear: LinearCheck?
    var linearBasis: LinearBasis?
    /// The comparison of suppliers' values for the same keys, if the contract asks for it.
    package var cross: CrossCheck?
    /// Names of sources that may be named, by their codes.
    package var sourceNames: [UInt64: String] = [:]
    /// By item, the supplier that a trigger or cluster comes from, if it disappears without that supplier's rows.
    package var markSources: [UInt64: UInt64] = [:]
    /// The contract's rules on poisoning.
    package var poisoning = PoisoningRules()
    /// The outcome of rows in clusters of copies, and of rows with triggers, in this batch.
    package internal(set) var floodAction = Outcome.quarantined, triggerAction = Outcome.quarantined
    /// The outcome of rows that repeat rows of earlier batches.
    package internal(set) var copyAction = Outcome.quarantined
    /// Tests of the whole batch.
    package var tests: [BatchTest] = []
    /// The cumulative sums of slow drift up to this batch, if there is an anchor.
    package var slow: SlowDrift?
    /// Each test's share of the false-alarm budget.
    package var alpha = 0.0
    /// The data from which the thresholds were computed.
    package var basis: Basis
    /// Number of rows from which the thresholds were computed.
    package var basisRows: Int
    /// Share of those rows beyond a modified z threshold, and beyond a pair's threshold.
    package var flagRateZ = 0.0, flagRatePairs = 0.0
    /// The forest's stated false-alarm rate: from held-out rows, or from the rows of earlier batches including those
    /// held back.
    package var flagRateForest: Double {
        forest.map { max($0.flagRate, remarks.share(remarks.isolated)) } ?? 0
    }
    /// The stated false-alarm rate of label checks: honest rows whose neighbours agree on another label; nil if labels
    /// are not tested.
    package var flagRateLabels: Double? { (labels.map(\.flagRate) + (linear.map { [$0.doubtRate] } ?? [])).max() }
    /// The event times of the batch's rows.
    package internal(set) var clock = BatchClock()
    /// Counts of flagged rows of accepted batches by kind, against which an excess is tested.
    package var remarks = Baseline.Remarks()
    /// The same counts of each accepted batch, if the batches are known one by one.
    package var earlierRemarks: [Baseline.Remarks] = []
    /// The form of each column, numbers first; empty if the batches are not known one by one.
    package var forms: [ColumnForm] = []
    /// Whether differences only flag, since few batches were accepted.
    package var isLearning = false
    /// For each key rule, the rows that violate it.
    package var keyErrors: [RowSet] = []
    /// The findings that a person waived (release).
    package var waivers = Waivers.none
    /// The screened fields.
    package var screened: ScreenedFields
    var rowItems: RowItems?
    var floodItems: FloodItems?

    /// Whether there are triggers, clusters or labels to search in the rows.
    package var hasMarks: Bool {
        !triggers.isEmpty || !floods.isEmpty || !copied.isEmpty || labels.contains(where: \.judgesRows)
            || linear?.judgesRows == true || needsText
    }
    /// Whether the second pass needs the code of whole rows.
    var needsRowCode: Bool { !floods.isEmpty || !copied.isEmpty }
    /// Whether the second pass needs codes.
    package var needsCodes: Bool { hasMarks || forest?.categories.isEmpty == false }
    /// Whether the second pass needs tokens of texts.
    package var needsText: Bool {
        !wordTriggers.isEmpty || !textFloods.isEmpty || labels.contains { $0.judgesRows && $0.view.isText }
            || linear.map { $0.judgesRows && $0.readsWords } == true
    }
}

extension Decision {
    /// Decides about a batch. The caller adds key violations and the comparison of suppliers, which are facts.
    ///
    /// - Parameters:
    ///   - profile: the finished profile of the whole batch.
    ///   - precedents: the accepted batches that it is compared with.
    ///   - screened: the columns that statistics use, by the contract.
    ///   - seed: the forest's seed.
    package init(
        _ profile: Profile, beside precedents: Precedents, schema: Schema, screened: ScreenedFields, seed: UInt64
    ) {
        var deliberation = Deliberation(profile, beside: precedents, schema: schema, screened: screened)
        deliberation.decide(precedents, seed: seed)
        self = deliberation.decision
    }

    /// An empty decision.
    init(basis: Basis, basisRows: Int, screened: ScreenedFields, baseline: RowSample?) {
        (self.basis, self.basisRows, self.screened) = (basis, basisRows, screened)
        rowItems = baseline.map { RowItems($0, screened) }
        floodItems = baseline.map {
            FloodItems($0, measures: screened.fields.count, codeCount: screened.codeCount, label: screened.label)
        }
    }

    /// The name of a supplier in reports: its own name if it may be shown, else a tag that distinguishes suppliers.
    package func name(ofSource code: UInt64) -> String { sourceNames[code] ?? "#" + tag(code) }

    /// The items in which near copies of texts agree: bands of the MinHash signature alone.
    var textFloodItems: FloodItems { FloodItems(codeCount: screened.codeCount) }
}

/// The first bits of a keyed hash: enough to distinguish two in a report, and nothing about the value.
func tag(_ item: UInt64) -> String {
    let digits = String(item >> 48, radix: 16)
    return String(repeating: "0", count: 4 - digits.count) + digits
}

extension [UInt64] {
    /// Whether an ascending list contains a word.
    func holds(_ word: UInt64) -> Bool {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < word { low = middle + 1 } else { high = middle }
        }
        return low < count && self[low] == word
    }
}
