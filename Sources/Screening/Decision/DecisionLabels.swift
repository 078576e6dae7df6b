import Schemas
import Sketches
import Tabular

/// Compares the batch's labels with those of the baseline.
extension Deliberation {
    /// Checks the labels by neighbours and by a linear model.
    mutating func checkLabels() {
        guard let label = screened.label else { return }
        let field = screened.categories[label]
        func leave(_ reason: String) { decision.untested.append((field, "labels: " + reason)) }
        guard let baseline = before else { return leave(Decision.Untested.noBaseline.rawValue) }
        if let history = baseline.history, history.comparable.count < min(3, schema.baseline.learning) {
            return leave(Decision.Untested.learning.rawValue)
        }
        let held = heldRanks()
        var views: [(view: NeighbourView, now: RowSample, before: RowSample)] = []
        if let view = LabelNeighbours(baseline.sample, screened) {
            views.append((.fields(view), profile.sample, baseline.sample))
        }
        if !screened.texts.isEmpty, let view = WordNeighbours(baseline.texts, label: label) {
            views.append((.words(view), profile.texts, baseline.texts))
        }
        let share = decision.alpha / Double(views.count)
        let history = baseline.history?.known.map(\.remarks) ?? []
        decision.labels = views.compactMap {
            LabelTrial($0.view, baseline: $0.before, screened: screened, alpha: share, history: history)?
                .check($0.now, of: profile.rows, without: held)
        }
        // Reused when parts of the batch are left out.
        if decision.linearBasis == nil {
            decision.linearBasis = LinearBasis(baseline.parts, screened, decision.forms)
        }
        decision.linear = decision.linearBasis.flatMap { LinearCheck.make($0, profile, screened, without: held) }
        if let linear = decision.linear, linear.isExcessive {
            for index in decision.labels.indices { decision.labels[index].holdRows(changed: linear.share) }
        }
        let found = decision.labels.flatMap(\.tests), estimated = decision.linear?.tests ?? []
        // If neighbours and the linear model find the same, the stricter test is reported; if both are equally strict,
        // the one with an estimate.
        func isSaid(_ test: BatchTest, by others: [BatchTest]) -> Bool {
            let same = others.filter { $0.code == test.code && $0.field == test.field }
            return test.outcome > .accepted
                && same.contains { $0.outcome > test.outcome || $0.outcome == test.outcome && $0.range != nil }
        }
        decision.tests += found.filter { !isSaid($0, by: estimated) } + estimated.filter { !isSaid($0, by: found) }
        let reason: LabelCheck.Untested = views.isEmpty ? .noLabels : .noRelation
        if decision.labels.isEmpty, decision.linear == nil { leave(reason.rawValue) }
    }

    /// The ranks of rows that will be held back for a trigger or as copies. Their fault is known, and must not cast
    /// doubt on the labels of other rows.
    private func heldRanks() -> Set<UInt64> {
        var ranks: Set<UInt64> = []
        func add(_ found: [Trigger], _ rows: ItemRows, _ sample: RowSample) {
            let labelOf = Dictionary(
                found.filter(\.isHeld).map { ($0.item, $0.label) }, uniquingKeysWith: { first, _ in first })
            for row in 0..<rows.count {
                rows.forEach(row) { if labelOf[$0] == rows.labels[row] { ranks.insert(sample.ranks[row]) } }
            }
        }
        if let label = screened.label, decision.triggerAction >= .quarantined {
            if let rowItems = decision.rowItems, !decision.triggers.isEmpty {
                add(decision.triggers, ItemRows(profile.sample, label: label, rowItems), profile.sample)
            }
            if !decision.wordTriggers.isEmpty {
                add(decision.wordTriggers, ItemRows(tokensOf: profile.texts, label: label), profile.texts)
            }
        }
        if decision.floodAction >= .quarantined {
            for (isCovered, rank) in zip(covered.rows, profile.sample.ranks) where isCovered { ranks.insert(rank) }
            for (isCovered, rank) in zip(covered.texts, profile.texts.ranks) where isCovered { ranks.insert(rank) }
        }
        return ranks
    }
}
