import Glibc
import Schemas
import Sketches
import Tabular

/// Makes a decision. It owns the batch's profile, the data that the batch is compared with, and the decision so far.
struct Deliberation {
    let schema: Schema
    let screened: ScreenedFields
    /// The batch's profile, in which the numbers of keys and counters are blanked.
    var profile: Profile
    /// The baseline, blanked likewise; nil at cold start.
    let before: Baseline?
    /// The last accepted batches, if the baseline is another one.
    var rolling: Baseline?
    /// The accepted batches one by one, if they are known so.
    let history: FeedHistory?
    /// The batch's own summary; nil if it has too few rows.
    let own: BatchSummary?
    /// The indices of the blanked numbers.
    private let leftOut: Set<Int>
    /// Rows of the samples that are copies of others.
    var covered = CoveredRows()
    /// The decision so far.
    var decision: Decision

    /// For each row of both samples, whether it is a copy of others; empty if that was not tested.
    struct CoveredRows {
        var rows: [Bool] = [], texts: [Bool] = []
    }

    /// Determines the form of each column, and the batches to compare with.
    init(_ profile: Profile, beside precedents: Precedents, schema: Schema, screened: ScreenedFields) {
        let names = schema.fields.map(\.name)
        let baseline = precedents.baseline
        let isUsable =
            baseline.map {
                $0.features == screened.numberNames(names) && $0.codes == screened.codeNames(names)
                    && $0.sample.count >= ModifiedZ.rowsMin
            } ?? false
        history = isUsable ? baseline?.history : nil
        own = profile.sample.count >= ModifiedZ.rowsMin ? BatchSummary(profile.sample, rows: profile.rows) : nil
        var forms: [ColumnForm] = []
        if let history {
            forms = Decision.forms(history.known + (own.map { [$0] } ?? []), screened, schema)
        } else if !isUsable, let own {
            forms = Decision.forms([own], screened, schema)
        }
        // Keys and counters take part in no distance, neither between rows nor between batches.
        leftOut = Set(forms.prefix(screened.fields.count).indices.filter { forms[$0].isLeftOut })
        self.profile = profile.blanking(leftOut)
        before = isUsable ? baseline?.blanking(leftOut) : nil
        (self.schema, self.screened, rolling) = (schema, screened, precedents.rolling)
        decision = Decision(
            basis: isUsable ? .baseline : .firstContact, basisRows: (before?.sample ?? self.profile.sample).count,
            screened: screened, baseline: before?.sample)
        decision.forms = forms
        decision.clock = profile.clock
        decision.remarks = before?.remarks ?? Baseline.Remarks()
        if let history {
            decision.isLearning = history.comparable.count < schema.baseline.learning
            decision.earlierRemarks = history.known.map(\.remarks)
            decision.mostCopied = decision.earlierRemarks.map { $0.share($0.copied) }.max() ?? 0
        }
    }

    /// Runs the detectors, one after the other.
    mutating func decide(_ precedents: Precedents, seed: UInt64) {
        decision.poisoning = schema.poisoning
        decision.alpha = BatchTest.budget / Double(Detector.plannedTests(screened) * (rolling == nil ? 1 : 2))
        for detector in Detector.allCases { ask(detector, beside: precedents, seed: seed) }
        if let before { attribute(before) }
        decision.tellCauses()
    }

    /// Fits the forest to rows of the present levels: rows of earlier levels would look isolated, and would make the
    /// present ones look less so.
    mutating func growForest(_ sample: RowSample, seed: UInt64) {
        let basis = history?.levelSample?.blanking(leftOut) ?? sample
        let withheld = before == nil ? nil : decision.remarks.share(decision.remarks.withheld)
        decision.forest = ForestThresholds(basis, screened, schema.forest, seed: seed, withheld: withheld)
        if let history, let own, history.compared(profile.sample, rows: own.rows) != nil {
            decision.forest?.follow(
                profile.sample, Array(history.samples.dropFirst(history.levelStart)), basis)
        }
    }
}
