import Glibc
import Sketches

/// Searches the trigger of a backdoor (BadNets, Gu et al. 2017): an item whose rows nearly all have one label.
///
/// Honest words of a class are as pure as a trigger, so an item must be *novel*: far rarer in the baseline, or with
/// another label there. Candidates are selected by novelty alone. Then the binomial tail probability of the label's
/// share is tested, with a Bonferroni correction for the number of novel items with at least this count. (The normal z
/// of Gardner et al. 2021 has no power for a label of half of the rows.) So a feed with many new words needs more
/// evidence.
enum Triggers {
    /// Fewest rows with an item that counts by itself.
    static let supportMin = 16
    /// Fewest rows over several batches, and of this batch: new subjects come in bursts of ten rows, and go.
    static let windowMin = 24
    static let windowHereMin = 5
    /// Fewest rows of this batch with an item that counts as one of several.
    static let pooledMin = 3
    /// Fewest rows with an item that the baseline knows with other labels.
    static let changedMin = 20
    /// The share of its rows that one label must have.
    static let purityMin = 0.9
    /// The probability of a false association, over all novel items and labels.
    static let alpha = 1e-3
    /// The probability of a false novelty, over all items that are associated with a label.
    static let noveltyAlpha = 5e-3
    /// The required ratio to the baseline's frequency.
    static let novelty = 10.0
    /// A label's share in the baseline may differ by this much.
    static let purityChange = 0.3
    /// Most labels; with more it is not a class.
    static let labelsMax = 64
    /// The evidence that an item needs by itself.
    static var critical: Double { -log(alpha) }
    /// A trigger in a smaller share of the rows is only flagged.
    static let shareMin = 0.001
    /// Fewest rare words of a pool.
    static let poolMin = 2
    /// A word counts towards a pool from an evidence of -poolFloor on, and is one of its marks from -poolEach on; an
    /// evidence above poolCap adds no more.
    static let poolFloor = 2.5, poolEach = 1.6, poolCap = 1.0
    /// The evidence that many words need together, and that a few words need whose evidence is above 0 each. In 60 honest
    /// batches of 2,000 film reviews the first was at most 9.8; in 30, the second was at most 4.7.
    static let poolAll = 10.0, poolStrong = 5.5
    /// A word of a pool is in at most one of this many rows; a more frequent word is a new subject.
    static let rareRows = 160

    /// The number of accepted batches that must have an item, and of rows in each, before a changed label of the item
    /// counts.
    static let steadyBatches = 3, steadyRows = 5

    /// Removes items of the baseline whose label changed from accepted batch to accepted batch about as much: an item
    /// that comes in blocks (a state, a customer) occurs with one label in one batch and with another in the next.
    ///
    /// - Parameters:
    ///   - parts: rows of each accepted batch.
    ///   - known: triggers that earlier batches were caught with. They are kept: rows that were accepted before a trigger
    ///     was caught must not make it look usual.
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
            // The variation between batches, in addition to the sampling inside each.
            var most = 0.0
            for one in known {
                let (share, rows) = (Double(one.pure) / Double(one.of), Double(one.of))
                most = max(most, abs(share - mean) - (mean * (1 - mean) / rows).squareRoot())
            }
            return Double(mark.pure) / Double(mark.count) - mean > 2 * most
        }
    }

    /// Finds the triggers of a sample against a baseline's, ascending by item.
    static func find(_ now: ItemRows, _ before: ItemRows) -> [Trigger] {
        TriggerSearch(now, before, recent: nil)?.triggers() ?? []
    }
}
