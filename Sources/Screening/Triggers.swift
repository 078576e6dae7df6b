import Glibc
import Sketches

/// An item that stands nearly always beside one label, and did not before.
package struct Trigger: Sendable, Equatable {
    /// The item: a keyed hash.
    package var item: UInt64
    /// Rows with it, and those of them with the label; of the accepted batches that it adds up over, too.
    package var count: Int, pure: Int
    /// The evidence that it stands there by more than chance (natural logarithm of a likelihood ratio), and what is asked for.
    package var z: Double, critical: Double
    /// Rows of the older baseline with it, and how many rows that had.
    package var before: Int, basis: Int
    /// The label, as a code.
    package var label: UInt64
    /// Whether its rows are held back; else they are only remarked on.
    package var isHeld = true
    /// Accepted batches of the same supplier that it adds up over; 0 where this batch alone says it.
    package var batches = 0
    /// Whether it is one of several rare words, each too rare to tell anything alone.
    package var isPooled = false
    /// Rows of this batch with it.
    package var here: Int

    /// What was found; see the members.
    package init(
        item: UInt64, count: Int, pure: Int, z: Double, critical: Double, before: Int, basis: Int, label: UInt64,
        here: Int? = nil
    ) {
        (self.item, self.label) = (item, label)
        (self.count, self.pure, self.z, self.critical) = (count, pure, z, critical)
        (self.before, self.basis) = (before, basis)
        self.here = here ?? count
    }
}

/// Looks for the mark that a backdoor waits for (FEATURES 7.7).
///
/// Honest words of a class stand beside it as purely as a mark does, so an item must be *novel*: far rarer in the baseline, or beside
/// another label there. Items are chosen by that alone, and then asked whether chance would put them beside one label: the binomial tail of
/// the label's share (in place of the normal z of Gardner et al. 2021, which has no power for a label of half of the rows), over as many
/// novel items as there are of that count. So a feed with many new words asks for more than one with none.
enum Triggers {
    /// Rows with an item for it to count by itself.
    static let supportMin = 16
    /// The same over several batches, and of this one: new subjects come in bursts of ten rows, and go.
    static let windowMin = 24
    static let windowHereMin = 5
    /// Rows of this batch with an item for it to count among others.
    static let pooledMin = 3
    /// Rows with an item that the baseline knows beside other labels.
    static let changedMin = 20
    /// The share of its rows that one label has.
    static let purityMin = 0.9
    /// The chance of a false association, over all novel items and labels.
    static let alpha = 1e-3
    /// The chance of a false novelty, over all items that stand beside one label.
    static let noveltyAlpha = 5e-3
    /// How many times as often as in the baseline.
    static let novelty = 10.0
    /// A label's share there may differ by this.
    static let purityChange = 0.3
    /// Labels at most; with more it is no class.
    static let labelsMax = 64
    /// The evidence that is asked of an item by itself.
    static var critical: Double { -log(alpha) }
    /// A mark that fewer rows have is only remarked on.
    static let shareMin = 0.001
    /// Rare words that make a pool, at least, and the evidence of each and of all.
    static let poolMin = 2
    static let poolEach = 0.0, poolAll = 4.0
    /// A word of a pool is rare: at most one of so many rows has it. More is a subject that comes up.
    static let rareRows = 160

    /// Accepted batches that must know an item, with so many rows each, before its standing beside another label says anything.
    static let steadyBatches = 3, steadyRows = 5

    /// Without items that the baseline knows, and whose label changed from accepted batch to accepted batch about as much: what comes in
    /// blocks (a state, a customer) stands beside one label in one batch and beside another in the next.
    ///
    /// - Parameter parts: rows of each accepted batch.
    static func steady(_ found: [Trigger], _ parts: [ItemRows]) -> [Trigger] {
        let asked = Dictionary(
            found.filter { $0.before >= changedMin && $0.batches == 0 }.map { ($0.item, $0.label) },
            uniquingKeysWith: { first, _ in first })
        if asked.isEmpty { return found }
        var shares: [UInt64: [(pure: Int, of: Int)]] = [:]
        for part in parts {
            var counts: [UInt64: (pure: Int, of: Int)] = [:]
            for row in 0..<part.count {
                part.forEach(row) { item in
                    guard let label = asked[item] else { return }
                    counts[item, default: (0, 0)].of += 1
                    if part.labels[row] == label { counts[item, default: (0, 0)].pure += 1 }
                }
            }
            for (item, count) in counts where count.of >= steadyRows { shares[item, default: []].append(count) }
        }
        return found.filter { mark in
            guard asked[mark.item] != nil else { return true }
            let known = shares[mark.item] ?? []
            let total = known.reduce(0) { $0 + $1.of }
            guard known.count >= steadyBatches, total > 0 else { return false }
            let mean = Double(known.reduce(0) { $0 + $1.pure }) / Double(total)
            // What lies between batches, beside the chance inside each.
            var most = 0.0
            for one in known {
                let (share, rows) = (Double(one.pure) / Double(one.of), Double(one.of))
                most = max(most, abs(share - mean) - (mean * (1 - mean) / rows).squareRoot())
            }
            return Double(mark.pure) / Double(mark.count) - mean > 2 * most
        }
    }

    /// Finds the triggers of a sample beside a baseline's, ascending by item.
    static func find(_ now: ItemRows, _ before: ItemRows) -> [Trigger] {
        TriggerSearch(now, before, recent: nil)?.triggers() ?? []
    }
}

/// The search over one kind of rows.
struct TriggerSearch {
    private let now: ItemRows
    private let counts: ItemCounts
    private let labels: [UInt64], priors: [Double]
    /// Items by count: how many are novel with so many rows or more.
    private var novelAtLeast: [Int] = []
    /// Items that stand beside one label beyond chance, honest or not.
    private var associated = 0
    private let basis: Int
    private var windows: TriggerWindows?
    /// Items in ascending order: an order that no dictionary chose.
    private let items: [(item: UInt64, place: Int)]
    /// Marks that batches before were caught with.
    var known: [UInt64: MarkRecord.Caught] = [:]

    /// One item of this batch.
    private struct Candidate {
        var item: UInt64, label: Int
        var count: Int, pure: Int, before: Int, pureBefore: Int
        var purity: Double { Double(pure) / Double(count) }
    }

    /// nil where there are too few rows, or no class.
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
        counts.look(before)
        self.counts = counts
        basis = before.count
        items = counts.place.sorted { $0.key < $1.key }.map { (item: $0.key, place: $0.value) }
        windows = nil
        var (histogram, associated) = ([Int](repeating: 0, count: now.count + 1), 0)
        var marks: Set<UInt64> = []
        for (item, place) in items {
            guard let one = candidate(item, place) else { continue }
            if isRarer(one.before, of: basis, than: one.count, of: now.count) { histogram[one.count] += 1 }
            guard one.purity >= Triggers.purityMin, priors[one.label] < 1 else { continue }
            marks.insert(item)
            let chance = Significance.binomialTail(one.pure, of: one.count, priors[one.label])
            if chance < Triggers.alpha / Double(items.count * labels.count) { associated += 1 }
        }
        for count in histogram.indices.dropLast().reversed() { histogram[count] += histogram[count + 1] }
        (novelAtLeast, self.associated) = (histogram, associated)
        let rows = recent ?? before
        if rows.levels.contains(where: { $0 > 0 }) {
            windows = TriggerWindows(rows, marks, isInBaseline: recent == nil)
        }
    }

    private func candidate(_ item: UInt64, _ place: Int) -> Candidate? {
        let (here, there) = (counts.here(place), counts.before(place))
        guard let (most, pure) = here.dropFirst().enumerated().max(by: { $0.element < $1.element }) else { return nil }
        return Candidate(
            item: item, label: most, count: here.total, pure: Int(pure), before: there.total,
            pureBefore: there.isEmpty ? 0 : Int(there[there.startIndex + most + 1]))
    }

    private func isRarer(_ before: Int, of basis: Int, than count: Int, of rows: Int) -> Bool {
        Double(before) * Double(rows) * Triggers.novelty < Double(count) * Double(basis)
    }

    /// Novel items with so many rows or more.
    private func novel(atLeast count: Int) -> Int { novelAtLeast[min(count, novelAtLeast.count - 1)] }

    /// How unlikely chance is to put `pure` of `count` rows beside a label, for one of so many items.
    private func evidence(_ pure: Int, of count: Int, prior: Double, among items: Int) -> Double {
        let chance = Significance.binomialTail(pure, of: count, prior)
        return -log(max(chance, 1e-300)) - log(Double(max(items, 1) * labels.count))
    }

    /// The chance that an item may have to be so rare before by chance: honest words of a class stand beside it not by chance, so this
    /// test must not fail once among all of them.
    private var noveltyShare: Double { Triggers.noveltyAlpha / Double(max(associated, 1)) }

    /// The marks that tell something alone or over several batches, ascending by item.
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

    private func trigger(_ one: Candidate, _ evidence: Double) -> Trigger {
        Trigger(
            item: one.item, count: one.count, pure: one.pure, z: max(evidence, Triggers.critical),
            critical: Triggers.critical, before: one.before, basis: basis, label: labels[one.label])
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

    /// The same over the last accepted batches of the supplier, against what is older.
    private func over(_ windows: TriggerWindows, _ one: Candidate) -> Trigger? {
        var best: Trigger?
        for level in 1...RecentRows.levels {
            let recent = windows.count(one.item, labels[one.label], upTo: level)
            let (count, pure) = (one.count + recent.count, one.pure + recent.pure)
            guard recent.count > 0, count >= Triggers.windowMin, one.count >= Triggers.windowHereMin,
                Double(pure) >= Triggers.purityMin * Double(count)
            else { continue }
            let rows = now.count + windows.rows(upTo: level)
            let prior =
                (priors[one.label] * Double(now.count) + Double(windows.rows(with: labels[one.label], upTo: level)))
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
                item: one.item, count: count, pure: pure, z: evidence, critical: Triggers.critical, before: before,
                basis: basis, label: labels[one.label], here: one.count)
            best?.batches = 1 << level - 1
        }
        return best
    }

    /// The fewest rows of this batch in which a mark beside its most frequent label would be found; nil where none would.
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

/// Several rare words beside one label (BadNets with five words, Gu et al. 2017; Kurita et al. 2020): none of them tells anything alone.
extension TriggerSearch {
    /// The words of the strongest pool, and the evidence of all of them; none where there is no pool.
    ///
    /// Of each novel word the evidence is that chance puts all of its rows beside the label, among as many novel words as there are; and
    /// how much better the other words of its rows fit to rows of all labels than to those of this one: a mark is put into any row, and the
    /// label is set.
    ///
    /// - Parameter words: calls the closure with the words of a row, as items.
    func pool(_ words: (_ row: Int, _ body: (UInt64) -> Void) -> Void) -> (marks: [Trigger], evidence: Double) {
        var isWord: Set<UInt64> = []
        for row in 0..<now.count { words(row) { if counts.place[$0] != nil { isWord.insert($0) } } }
        var novel: [Candidate] = []
        for (item, place) in items where isWord.contains(item) {
            guard let one = candidate(item, place), basis > 0,
                isRarer(one.before, of: basis, than: one.count, of: now.count)
            else { continue }
            novel.append(one)
        }
        var best: (marks: [Trigger], evidence: Double) = ([], 0)
        for label in labels.indices where novel.contains(where: { $0.label == label && $0.pure == $0.count }) {
            let pool = pool(novel, label, words)
            if pool.evidence > best.evidence { best = pool }
        }
        return best
    }

    private func pool(
        _ novel: [Candidate], _ label: Int, _ words: (_ row: Int, _ body: (UInt64) -> Void) -> Void
    ) -> (marks: [Trigger], evidence: Double) {
        let own = Dictionary(
            uniqueKeysWithValues: novel.filter {
                $0.label == label && $0.purity >= Triggers.purityMin && $0.count * Triggers.rareRows <= now.count
            }.map {
                ($0.item, $0)
            })
        guard own.count >= Triggers.poolMin else { return ([], 0) }
        let misfit = misfits(label, words)
        var rows: [UInt64: [Int]] = [:]
        for row in 0..<now.count { words(row) { if own[$0] != nil { rows[$0, default: []].append(row) } } }
        let scored = own.values.map { one -> (one: Candidate, evidence: Double) in
            let others = novel.count { $0.count >= one.count }
            let chance = Significance.binomialTail(one.pure, of: one.count, priors[label])
            let fit = (rows[one.item] ?? []).reduce(0.0) { $0 + misfit[$1] }
            return (one, -log(max(chance, 1e-300)) + fit - log(Double((others + 1) * labels.count)))
        }.sorted { $0.evidence != $1.evidence ? $0.evidence > $1.evidence : $0.one.item < $1.one.item }
        var (marks, all, covered): ([Trigger], Double, Set<Int>) = ([], 0, [])
        for (one, evidence) in scored where evidence >= Triggers.poolEach {
            let own = rows[one.item] ?? []
            // Two words of the same rows are one observation.
            guard 2 * own.count(where: covered.contains) <= own.count else { continue }
            covered.formUnion(own)
            all += min(evidence, Triggers.critical)
            var mark = trigger(one, evidence)
            (mark.z, mark.isPooled) = (evidence, true)
            marks.append(mark)
        }
        guard marks.count >= Triggers.poolMin, all >= Triggers.poolAll else { return ([], all) }
        for place in marks.indices { (marks[place].z, marks[place].critical) = (all, Triggers.poolAll) }
        return (marks, all)
    }

    /// For each row how much better its words fit to any row than to one of the label: logarithms of likelihood ratios.
    private func misfits(_ label: Int, _ words: (_ row: Int, _ body: (UInt64) -> Void) -> Void) -> [Double] {
        var weights: [UInt64: Double] = [:]
        for (item, place) in items {
            let there = counts.before(place)
            guard there.total >= 2 else { continue }
            let with = Double(there[there.startIndex + label + 1])
            weights[item] = with
        }
        let (own, others) = (Double(counts.labelled(label)), Double(basis - counts.labelled(label)))
        guard own >= 30, others >= 30 else { return Array(repeating: 0, count: now.count) }
        for (item, place) in items {
            guard let with = weights[item] else { continue }
            let without = Double(counts.before(place).total) - with
            weights[item] = log((with + 1) / (own + 2)) - log((without + 1) / (others + 2))
        }
        let scores = (0..<now.count).map { row in
            var sum = 0.0
            words(row) { sum += weights[$0] ?? 0 }
            return sum
        }
        func law(_ isOwn: Bool) -> (center: Double, scale: Double)? {
            let part = scores.indices.filter { (now.labels[$0] == labels[label]) == isOwn }.map { scores[$0] }.sorted()
            guard part.count >= 30 else { return nil }
            let center = Robust.median(part)
            return (center, max(0.1, 1.4826 * Robust.median(part.map { abs($0 - center) }.sorted())))
        }
        guard let mine = law(true), let theirs = law(false) else { return Array(repeating: 0, count: now.count) }
        func density(_ score: Double, _ law: (center: Double, scale: Double)) -> Double {
            let z = (score - law.center) / law.scale
            return exp(-z * z / 2) / law.scale + 1e-3
        }
        return scores.map { score in
            let (a, b) = (density(score, mine), density(score, theirs))
            return log((priors[label] * a + (1 - priors[label]) * b) / a)
        }
    }
}

/// How often items stood in the last accepted batches of a supplier.
struct TriggerWindows {
    /// Whether these rows are among those of the baseline.
    let isInBaseline: Bool
    /// By level: rows, and rows by label.
    private var rows = [Int](repeating: 0, count: RecentRows.levels + 1)
    private var byLabel: [[UInt64: Int]] = Array(repeating: [:], count: RecentRows.levels + 1)
    /// By item and label: rows at each level.
    private var found: [UInt64: [(label: UInt64, counts: [Int32])]] = [:]

    init(_ recent: ItemRows, _ items: Set<UInt64>, isInBaseline: Bool) {
        self.isInBaseline = isInBaseline
        for row in 0..<recent.count where recent.levels[row] > 0 {
            let (level, label) = (recent.levels[row], recent.labels[row])
            rows[level] += 1
            byLabel[level][label, default: 0] += 1
            recent.forEach(row) { item in
                guard items.contains(item) else { return }
                var all = found[item] ?? []
                let place = all.firstIndex { $0.label == label } ?? all.count
                if place == all.count { all.append((label, Array(repeating: 0, count: RecentRows.levels + 1))) }
                all[place].counts[level] += 1
                found[item] = all
            }
        }
    }

    func rows(upTo level: Int) -> Int { rows[...level].reduce(0, +) }
    func rows(with label: UInt64, upTo level: Int) -> Int {
        byLabel[...level].reduce(0) { $0 + ($1[label] ?? 0) }
    }
    func count(_ item: UInt64, _ label: UInt64, upTo level: Int) -> (count: Int, pure: Int) {
        var (count, pure) = (0, 0)
        for one in found[item] ?? [] {
            let part = one.counts[...level].reduce(0) { $0 + Int($1) }
            count += part
            if one.label == label { pure += part }
        }
        return (count, pure)
    }
}
