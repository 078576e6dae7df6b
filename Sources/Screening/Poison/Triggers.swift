import Glibc
import Sketches

/// Looks for the mark of a backdoor (BadNets, Gu et al. 2017): an item whose rows all have one label.
///
/// Honest words of a class are as pure as a mark, so an item must be *novel*: far rarer in the baseline, or beside
/// another label there. Items are chosen by novelty alone, and then tested for whether chance would put them beside one
/// label: the binomial tail of the label's share (in place of the normal z of Gardner et al. 2021, which has no power
/// for a label of half of the rows), with a Bonferroni correction for as many novel items as there are of that count.
/// So a feed with many new words needs more evidence.
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
    /// Rare words that make a pool, at least.
    static let poolMin = 2
    /// What a word's evidence may lack to count towards a pool; what it may lack to be one of its marks; and the most that
    /// it adds.
    static let poolFloor = 2.5, poolEach = 1.6, poolCap = 1.0
    /// The evidence that is asked of many words together, and of words that each tell something. In 60 honest
    /// batches of 2,000 film reviews the first was at most 9.8; in 30, the second was at most 4.8.
    static let poolAll = 10.0, poolStrong = 5.5
    /// How many times the evidence of the accepted batches' pools.
    static let poolGrowth = 1.25
    /// A word of a pool is rare: at most one of so many rows has it. More is a subject that comes up.
    static let rareRows = 160

    /// Accepted batches that must know an item, with so many rows each, before its standing beside another label says
    /// anything.
    static let steadyBatches = 3, steadyRows = 5

    /// Removes items that the baseline knows and whose label changed from accepted batch to accepted batch about as
    /// much: what comes in blocks (a state, a customer) occurs beside one label in one batch and beside another in the
    /// next.
    ///
    /// - Parameters:
    ///   - parts: rows of each accepted batch.
    ///   - known: marks that batches before were caught with. They stay: rows that were let in before a mark was caught
    ///     must not make it usual.
    static func steady(
        _ found: [Trigger], _ parts: [ItemRows], except known: [UInt64: MarkRecord.Caught]
    ) -> [Trigger] {
        let asked = Dictionary(
            found.filter { mark in
                mark.before >= changedMin && mark.batches == 0 && known[mark.item]?.label != mark.label
            }.map { ($0.item, $0.label) },
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
