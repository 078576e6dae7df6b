import Glibc
import Sketches

/// The search for triggers among one kind of items: those of the fields, or those of the text.
struct TriggerSearch {
    let now: ItemRows
    let counts: ItemCounts
    let labels: [UInt64], priors: [Double]
    /// By count, the number of items that are novel and have at least this many rows.
    private var novelAtLeast: [Int] = []
    /// Number of items that are associated with a label significantly, honest or not.
    private var associated = 0
    let basis: Int
    private var windows: TriggerWindows?
    /// Items in ascending order, since that of a dictionary varies.
    let items: [(item: UInt64, place: Int)]
    /// Triggers that earlier batches were caught with.
    var known: [UInt64: MarkRecord.Caught] = [:]

    /// One item of this batch.
    struct Candidate {
        var item: UInt64, label: Int
        var count: Int, pure: Int, before: Int, pureBefore: Int
        var purity: Double { Double(pure) / Double(count) }
    }

    /// nil if there are too few rows, or the label is not a class.
    ///
    /// - Parameters:
    ///   - now: rows of this batch.
    ///   - before: rows of the baseline.
    ///   - recent: rows of the supplier's last accepted batches; nil for those of `before` that have a level.
    init?(_ now: ItemRows, _ before: ItemRows, recent: ItemRows?) {
        guard now.count >= Triggers.supportMin else { return nil }
        var found: [UInt64: Int] = [:]
        for label in now.labels where label != 0 { found[label, default: 0] += 1 }
        guard found.count >= 2, found.count <= Triggers.labelsMax else { return nil }
        self.now = now
        labels = found.keys.sorted()
        priors = labels.map { Double(found[$0] ?? 0) / Double(now.count) }
        let places = Dictionary(uniqueKeysWithValues: labels.enumerated().map { ($1, $0 + 1) })
        var counts = ItemCounts(now, atLeast: max(Triggers.pooledMin, now.count / 1024), labels: places)
        counts.countEarlier(before)
        self.counts = counts
        basis = before.count
        items = counts.index.items.enumerated().map { (item: $1, place: $0) }.sorted { $0.item < $1.item }
        windows = nil
        var (histogram, associated) = ([Int](repeating: 0, count: now.count + 1), 0)
        var marks = ItemIndex()
        for (item, place) in items {
            guard let one = candidate(item, place) else { continue }
            if isRarer(one.before, of: basis, than: one.count, of: now.count) { histogram[one.count] += 1 }
            guard one.purity >= Triggers.purityMin, priors[one.label] < 1 else { continue }
            _ = marks.insert(item)
            let chance = Significance.binomialTail(one.pure, of: one.count, priors[one.label])
            if chance < Triggers.alpha / Double(items.count * labels.count) { associated += 1 }
        }
        for count in histogram.indices.dropLast().reversed() { histogram[count] += histogram[count + 1] }
        (novelAtLeast, self.associated) = (histogram, associated)
        let rows = recent ?? before
        if rows.levels.contains(where: { $0 > 0 }) {
            windows = TriggerWindows(rows, marks, labels: places, isInBaseline: recent == nil)
        }
    }

    func candidate(_ item: UInt64, _ place: Int) -> Candidate? {
        let (here, there) = (counts.here(place), counts.before(place))
        guard let (most, pure) = here.dropFirst().enumerated().max(by: { $0.element < $1.element }) else { return nil }
        return Candidate(
            item: item, label: most, count: here.total, pure: Int(pure), before: there.total,
            pureBefore: there.isEmpty ? 0 : Int(there[there.startIndex + most + 1]))
    }

    func isRarer(_ before: Int, of basis: Int, than count: Int, of rows: Int) -> Bool {
        Double(before) * Double(rows) * Triggers.novelty < Double(count) * Double(basis)
    }

    /// Number of novel items with at least `count` rows.
    private func novel(atLeast count: Int) -> Int { novelAtLeast[min(count, novelAtLeast.count - 1)] }

    /// How unlikely it is that `pure` of `count` rows have one label by chance, for any of so many items.
    private func evidence(_ pure: Int, of count: Int, prior: Double, among items: Int) -> Double {
        let chance = Significance.binomialTail(pure, of: count, prior)
        return -log(max(chance, 1e-300)) - log(Double(max(items, 1) * labels.count))
    }

    /// The significance level of novelty. Honest words of a class are associated with it for a reason, so the novelty
    /// test must not fail for any of them: a Bonferroni correction by the number of associated items.
    private var noveltyShare: Double { Triggers.noveltyAlpha / Double(max(associated, 1)) }

    /// The triggers that are evident alone or over several batches, ascending by item.
    func triggers() -> [Trigger] {
        var found: [Trigger] = []
        for (item, place) in items {
            guard let one = candidate(item, place), one.purity >= Triggers.purityMin, priors[one.label] < 1 else {
                continue
            }
            let alone = alone(one)
            let together = windows.flatMap { over($0, one) }
            if let best = [alone, together].compactMap(\.self).max(by: { $0.z < $1.z }) {
                found.append(best)
            } else if let mark = known[item], mark.label == labels[one.label] {
                found.append(trigger(one, 0))
            }
        }
        return found
    }

    func trigger(_ one: Candidate, _ evidence: Double) -> Trigger {
        Trigger(
            item: one.item, label: labels[one.label],
            rows: .init(count: one.count, pure: one.pure, before: one.before, basis: basis),
            z: max(evidence, Triggers.critical), critical: Triggers.critical)
    }

    private func alone(_ one: Candidate) -> Trigger? {
        guard one.count >= Triggers.supportMin, basis > 0 else { return nil }
        let evidence = evidence(
            one.pure, of: one.count, prior: priors[one.label], among: novel(atLeast: one.count))
        guard evidence > Triggers.critical else { return nil }
        let isNew =
            isRarer(one.before, of: basis, than: one.count, of: now.count)
            && Significance.excess(one.count, of: now.count, before: one.before, of: basis) < noveltyShare
        if isNew { return trigger(one, evidence) }
        guard one.before >= Triggers.changedMin, one.count >= Triggers.changedMin else { return nil }
        let change = one.purity - Double(one.pureBefore) / Double(one.before)
        let chance = Significance.excess(one.pure, of: one.count, before: one.pureBefore, of: one.before)
        return change > Triggers.purityChange && chance < noveltyShare ? trigger(one, evidence) : nil
    }

    /// The same over the last accepted batches of the supplier, compared with older rows.
    private func over(_ windows: TriggerWindows, _ one: Candidate) -> Trigger? {
        var best: Trigger?
        for level in 1...RecentRows.levels {
            let recent = windows.count(one.item, one.label, upTo: level)
            let (count, pure) = (one.count + recent.count, one.pure + recent.pure)
            guard recent.count > 0, count >= Triggers.windowMin, one.count >= Triggers.windowHereMin,
                Double(pure) >= Triggers.purityMin * Double(count)
            else { continue }
            let rows = now.count + windows.rows(upTo: level)
            let prior =
                (priors[one.label] * Double(now.count) + Double(windows.rows(with: one.label, upTo: level)))
                / Double(rows)
            let (before, basis) =
                windows.isInBaseline
                ? (one.before - recent.count, basis - windows.rows(upTo: level)) : (one.before, basis)
            let evidence =
                evidence(pure, of: count, prior: prior, among: RecentRows.levels * novel(atLeast: one.count))
            guard evidence > max(Triggers.critical, best?.z ?? 0), basis > 0,
                isRarer(before, of: basis, than: count, of: rows),
                Significance.excess(count, of: rows, before: before, of: basis) < noveltyShare
            else { continue }
            best = Trigger(
                item: one.item, label: labels[one.label],
                rows: .init(count: count, pure: pure, before: before, basis: basis), z: evidence,
                critical: Triggers.critical)
            best?.here = one.count
            best?.batches = 1 << level - 1
        }
        return best
    }

    /// The fewest rows of this batch in which a trigger of its most frequent label would be detected; nil if none
    /// would.
    ///
    /// - Parameter least: the share of rows that it must have.
    func power(least: Double) -> Int? {
        guard basis > 0, let prior = priors.max(), prior < 1 else { return nil }
        let fewest = max(Triggers.supportMin, Int((least * Double(now.count)).rounded(.down)) + 1)
        return (fewest...max(fewest, now.count / 4)).first { count in
            evidence(count, of: count, prior: prior, among: novel(atLeast: count) + 1) > Triggers.critical
                && Significance.excess(count, of: now.count, before: 0, of: basis) < noveltyShare
        }
    }
}
