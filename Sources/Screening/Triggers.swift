import Glibc
import Sketches

/// An item that stands nearly always beside one label, and did not before.
package struct Trigger: Sendable, Equatable {
    /// The item: a keyed hash.
    package var item: UInt64
    /// Rows of the sample with it, and those of them with the label.
    package var count: Int, pure: Int
    /// How far beyond chance that is, and what chance reaches.
    package var z: Double, critical: Double
    /// Rows of the baseline with it, and how many rows that had.
    package var before: Int, basis: Int
    /// The label, as a code.
    package var label: UInt64
}

/// Looks for the mark that a backdoor waits for (FEATURES 7.7).
///
/// For each item z = (p̂(y | item) − p(y)) / √(p(y)(1 − p(y)) / n) (Gardner et al. 2021; Z-Def, He et al. 2023), with a critical
/// value for all items and labels together. Honest words of a class are as pure, so an item must also be *novel*: far rarer in
/// the baseline, or with another label there.
enum Triggers {
    /// Rows with an item for it to count.
    static let supportMin = 20
    /// The share of its rows that one label has.
    static let purityMin = 0.9
    /// The chance of a false association, over all items and labels; and of a false novelty.
    static let alpha = 1e-4
    /// How many times as often as in the baseline.
    static let novelty = 10.0
    /// A label's share there may differ by this.
    static let purityChange = 0.3
    /// Labels at most; with more it is no class.
    static let labelsMax = 64

    /// Finds the triggers of a sample beside a baseline's, ascending by item.
    static func find(_ now: ItemRows, _ before: ItemRows) -> [Trigger] {
        guard now.count >= supportMin else { return [] }
        var priors: [UInt64: Int] = [:]
        for label in now.labels where label != 0 { priors[label, default: 0] += 1 }
        guard priors.count >= 2, priors.count <= labelsMax else { return [] }
        let order = priors.keys.sorted()
        var counts = ItemCounts(
            now, atLeast: supportMin,
            labels: Dictionary(uniqueKeysWithValues: order.enumerated().map { ($1, $0 + 1) }))
        counts.look(before)
        let critical = Significance.normalCritical(alpha / Double(max(1, counts.place.count * priors.count)))
        var found: [(trigger: Trigger, pureBefore: Int)] = []
        for (item, place) in counts.place {
            let here = counts.here(place)
            guard let (most, pure) = here.dropFirst().enumerated().max(by: { $0.element < $1.element }) else {
                continue
            }
            let count = here.total
            let purity = Double(pure) / Double(count)
            let prior = Double(priors[order[most]] ?? 0) / Double(now.count)
            guard purity >= purityMin, prior < 1 else { continue }
            let z = (purity - prior) / (prior * (1 - prior) / Double(count)).squareRoot()
            guard z > critical else { continue }
            let there = counts.before(place)
            let trigger = Trigger(
                item: item, count: count, pure: Int(pure), z: z, critical: critical, before: there.total,
                basis: before.count, label: order[most])
            found.append((trigger, there.isEmpty ? 0 : Int(there[there.startIndex + most + 1])))
        }
        // Honest words stand beside their label not by chance, so this test must not fail once among all suspects.
        let share = alpha / Double(max(found.count, 1))
        let kept = found.filter { isNovel($0.trigger, $0.pureBefore, of: now.count, share) }
        return kept.map(\.trigger).sorted { $0.item < $1.item }
    }

    private static func isNovel(_ found: Trigger, _ pureBefore: Int, of n: Int, _ alpha: Double) -> Bool {
        guard found.basis > 0 else { return false }
        let isRarer =
            Double(found.before) / Double(found.basis) < Double(found.count) / Double(n) / novelty
            && Significance.excess(found.count, of: n, before: found.before, of: found.basis) < alpha
        if isRarer { return true }
        guard found.before >= supportMin else { return false }
        let change = Double(found.pure) / Double(found.count) - Double(pureBefore) / Double(found.before)
        return change > purityChange
            && Significance.excess(found.pure, of: found.count, before: pureBefore, of: found.before) < alpha
    }
}
