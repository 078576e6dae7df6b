import Glibc
import Schemas
import Sketches
import Tabular

/// Detects rows that are sent again, and clusters of near copies.
extension Deliberation {
    /// Tests whether far more rows repeat rows of earlier batches than those batches repeat of each other. If so, each
    /// repeating row counts as a copy.
    ///
    /// With one earlier batch the usual rate of repetition is unknown (a whole table may be sent every day), so the
    /// finding then only flags.
    ///
    /// If all rows of an earlier batch are kept, every copy of it is found and named. If only a sample is kept, naming
    /// the copies would reveal which rows are in the sample, and would let the other copies pass. So the whole batch is
    /// held.
    mutating func findReplays(of earlier: [[UInt64]]) {
        let now = profile.sample.codes(screened.codeCount - 1).filter { $0 != 0 }
        let batches = earlier.filter { !$0.isEmpty }.suffix(Replays.batchesMax)
        let known = Replays(Array(batches))
        guard known.count >= ModifiedZ.rowsMin, now.count >= ModifiedZ.rowsMin else { return }
        let repeated = now.count(where: known.holds)
        let onlyFlags = batches.count == 1
        // An earlier batch could repeat rows of one batch fewer than this one can.
        let ratio = onlyFlags ? 1 : Double(batches.count) / Double(batches.count - 1)
        let p = Significance.excess(repeated, of: now.count, before: known.repeated, of: known.count, ratio: ratio)
        let share = Double(repeated) / Double(now.count)
        decision.copiedShare = share
        let rate = max(ratio * Double(known.repeated) / Double(known.count), 1.5 * decision.mostCopied)
        var test = BatchTest(
            .copyExcess, chance: .init(p: p, share: decision.alpha),
            effect: .init(
                repeated >= NearDuplicates.rowsMin ? share : 0, warn: max(NearDuplicates.shareMin, 2 * rate),
                hold: onlyFlags ? .infinity : max(0.05, 2 * rate)),
            rows: .init(now.count, before: known.count))
        let capacity = Baseline.capacity(words: screened.numberCount + screened.codeCount)
        let whole = Replays(batches.filter { $0.count < capacity })
        let sampled = now.count { known.holds($0) && !whole.holds($0) }
        if !onlyFlags, sampled >= NearDuplicates.rowsMin, Double(sampled) / Double(now.count) >= test.warn {
            test.hold = test.warn
        }
        decision.tests.append(test)
        if test.outcome > .accepted, !onlyFlags { decision.copied = whole }
        // With so many copies the batch consists of them: it is held, and the rows are only flagged.
        if test.outcome >= .quarantined, share > Replays.apartMax { decision.copyAction = .flagged }
    }

    /// Finds clusters of copies and near copies.
    mutating func findFloods() {
        covered = CoveredRows()
        guard let before, let floodItems = decision.floodItems else {
            decision.untested.append((nil, "copies: " + Decision.Untested.noBaseline.rawValue))
            return
        }
        let kinds = [screened.label, screened.source].compactMap { $0 }
        // Rows of an accepted batch may be as close together as these, at other places.
        (decision.floods, covered.rows) = NearDuplicates.find(profile.sample, before.sample, floodItems, kinds: kinds) {
            level in
            before.history?.samples.map { NearDuplicates.largestShare($0, floodItems, level) }.max() ?? 0
        }
        if !screened.texts.isEmpty, before.texts.count > 0 {
            (decision.textFloods, covered.texts) = NearDuplicates.find(
                profile.texts, before.texts, decision.textFloodItems, kinds: kinds)
        }
    }

    /// Holds copies back if there are more of them than accepted batches had: full tables have copies at their own
    /// rate. While fewer than three batches are accepted, only a large number holds.
    mutating func followFloods(_ batches: [BatchSummary], least: Int) {
        let largest = batches.map { $0.remarks.share($0.remarks.flooded) }.max() ?? 0
        func share(_ rows: [Bool]) -> Double { rows.isEmpty ? 0 : Double(rows.count { $0 }) / Double(rows.count) }
        let copies = max(share(covered.rows), share(covered.texts))
        if copies <= (batches.count >= least ? max(RateChart.markedFloor, 3 * largest) : 0.03) {
            decision.floodAction = min(decision.floodAction, .flagged)
        }
    }
}
