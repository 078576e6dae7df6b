import Glibc
import Sketches

/// Lines for how far a batch may be from the accepted ones, learnt from how far those were when they came (FEATURES 7.4).
///
/// A test that takes rows as independent draws of one law holds every real feed: with enough rows any difference is beyond chance. The
/// question is rather whether a batch is further from everything accepted than accepted batches were.
enum BetweenBatches {
    /// Distances below this are chance: the mean over 13 quantiles of two samples of one law, in units of their spread.
    static func chance(_ n: Int, _ m: Int) -> Double {
        0.9 * (1 / Double(max(n, 1)) + 1 / Double(max(m, 1))).squareRoot()
    }

    /// The same of the total variation of shares of `kinds` values.
    static func chance(_ n: Int, _ m: Int, kinds: Int) -> Double {
        0.4 * Double(max(kinds - 1, 1)).squareRoot() * (1 / Double(max(n, 1)) + 1 / Double(max(m, 1))).squareRoot()
    }

    /// How far a batch was from the nearest one before it, with what chance makes of that.
    struct Distance {
        /// The distance less what is chance.
        var value: Double
        /// What is chance.
        var chance: Double
    }

    /// The distance beyond which the next batch is unlike the accepted ones.
    ///
    /// Logarithms of the earlier distances with a prior worth six of them (standard deviation 0.45), and Student's predictive quantile; at
    /// least twice the largest, so that what is ordinary for this feed stays ordinary; at most three times the largest once there are
    /// twelve.
    ///
    /// - Parameters:
    ///   - history: distances of the accepted batches when they came, all but the first.
    ///   - alpha: the test's share of false alarms.
    ///   - chance: what is chance in the distance of this batch.
    ///   - floor: smaller differences never matter.
    static func line(_ history: [Distance], alpha: Double, chance: Double, floor: Double) -> Double {
        bounded(history.map(\.value), floor: floor) {
            unbounded(history.prefix($0), alpha: alpha, chance: chance, floor: floor)
        }
    }

    /// How much a line may grow with one accepted batch.
    static let growth = 1.1
    /// Distances that are known when learning ends, with the usual settings: these make the first line.
    private static let first = 7

    /// A line that grows by a tenth at most with each accepted batch, so that nobody widens it by batches that are each just inside it.
    ///
    /// An accepted batch that was beyond its line was let out by a person, who meant it: the line takes all of it in.
    ///
    /// - Parameters:
    ///   - history: distances or rates of the accepted batches when they came, oldest first.
    ///   - line: what follows from the first so many of them.
    private static func bounded(_ history: [Double], floor: Double, line: (Int) -> Double) -> Double {
        var bound = line(min(history.count, first))
        for count in 0..<history.count where count >= first {
            let next = line(count + 1)
            bound = history[count] > bound ? next : min(next, max(growth * bound, floor))
        }
        return bound
    }

    private static func unbounded(
        _ history: ArraySlice<Distance>, alpha: Double, chance: Double, floor: Double
    ) -> Double {
        guard let largest = history.map(\.value).max() else { return floor }
        let logs = history.map { log($0.value + $0.chance / 2 + 0.01) }
        let center = Robust.median(logs.sorted())
        // Six of the prior; the accepted batches are one more than their distances.
        let degrees = 6 + history.count
        let spread = ((6 * 0.45 * 0.45 + logs.reduce(0) { $0 + ($1 - center) * ($1 - center) }) / Double(degrees))
            .squareRoot()
        let reach =
            Significance.studentCritical(alpha, degrees) * spread * (1 + 1 / Double(history.count + 1)).squareRoot()
        var line = exp(center + reach) - chance / 2 - 0.01
        if history.count >= 12 { line = min(line, 3 * largest + chance / 2 + 0.01) }
        return max(line, 2 * largest, floor)
    }

    /// The rate beyond which more rows of a batch have something than before: Laney's p′ chart (2002) with Student's t.
    ///
    /// What lies between batches does not shrink with their size; a prior worth four batches stands for what few batches do not show.
    ///
    /// - Parameters:
    ///   - history: how many rows had it, of how many, batch by batch.
    ///   - count: rows of this batch.
    static func rateLine(
        _ history: [(found: Int, of: Int)], count: Int, alpha: Double, floor: Double, factor: Double = 1,
        prior: Double = 4
    ) -> Double {
        let known = history.filter { $0.of > 0 }
        return bounded(known.map { Double($0.found) / Double($0.of) }, floor: floor) {
            unboundedRate(known.prefix($0), count: count, alpha: alpha, floor: floor, factor: factor, prior: prior)
        }
    }

    private static func unboundedRate(
        _ known: ArraySlice<(found: Int, of: Int)>, count: Int, alpha: Double, floor: Double, factor: Double,
        prior: Double
    ) -> Double {
        let total = Double(known.reduce(0) { $0 + $1.of })
        guard total > 0, count > 0 else { return .infinity }
        let mean = (Double(known.reduce(0) { $0 + $1.found }) + 0.5) / (total + 1)
        let variance = mean * (1 - mean)
        let squares = known.reduce(0.0) { sum, batch in
            let rate = Double(batch.found) / Double(batch.of)
            return sum + (rate - mean) * (rate - mean) / (variance / Double(batch.of))
        }
        let spread = (prior + squares) / (prior + Double(known.count))
        let reach = Significance.studentCritical(alpha, Int(prior) + known.count - 1)
        let sizes = known.map { Double($0.of) }.sorted()
        let within = reach * (max(1, spread) * variance * (1 / Double(count) + 1 / total)).squareRoot()
        let between = reach * (max(0, spread - 1) * variance / Robust.median(sizes)).squareRoot()
        let largest = known.map { Double($0.found) / Double($0.of) }.max() ?? 0
        return max(mean + hypot(within, between), factor * mean, 1.5 * largest, mean + floor)
    }
}

/// What a column is, by the batches that were accepted and this one: each is judged as what it is.
package enum ColumnForm: String, Sendable {
    /// All values are different, as chance would not have them: nothing to compare.
    case key
    /// Values go one way from batch to batch, or most are new in each: nothing to compare.
    case counter
    /// One value in nearly all rows, the same in each batch.
    case constant
    /// One value in nearly all rows of a batch, another one in another batch: one observation a batch.
    case batchConstant = "constant in each batch"
    /// At most two values: a share.
    case twoValued = "two values"
    /// Few whole numbers: shares.
    case code
    /// One value in more than half of the rows: shares, and magnitudes among the others.
    case sparse
    /// Repeating values: shares, and new ones.
    case category
    /// Values that do not repeat: lengths, and what stands in them.
    case text
    /// A magnitude.
    case measure
    /// Too few values to say.
    case unknown = "too few values"

    /// Whether its values are compared with those of other batches and rows.
    package var isCompared: Bool { ![.key, .counter, .constant, .batchConstant, .unknown].contains(self) }
    /// Whether no other row, trigger or copy is looked for by it.
    var isLeftOut: Bool { [.key, .counter, .batchConstant].contains(self) }
    /// Whether distances between rows mean anything in it.
    package var isMagnitude: Bool { self == .measure || self == .sparse }

    /// The form of a column of numbers, by the values of one file; what is not finite is missing.
    package static func of(numbers: [Double]) -> ColumnForm { of([BatchSummary.measure(numbers)]) }

    /// The form of a column of texts, by hashes of the values of one file.
    package static func of(codes: [UInt64]) -> ColumnForm { of([BatchSummary.category(codes)], isLabel: false) }

    /// The form of a column of numbers; `batches` are the accepted ones and this one, oldest first.
    static func of(_ batches: [BatchSummary.Measure]) -> ColumnForm {
        let known = batches.filter { $0.present > 0 }
        let large = known.filter { $0.present >= 20 }
        guard known.reduce(0, { $0 + $1.present }) >= ModifiedZ.rowsMin, !large.isEmpty else { return .unknown }
        if large.allSatisfy({ $0.isWhole && $0.distinct == $0.present }) {
            // Pairs of rows that would be equal by chance, if the values were drawn from the range.
            let expected = large.reduce(0.0) { sum, batch in
                sum + Double(batch.present) * Double(batch.present) / (2 * (batch.highest - batch.lowest + 1))
            }
            if expected > 12 { return .key }
        }
        if isCounter(large) || isNewEachTime(known.map { Set($0.values.keys) }) { return .counter }
        if known.allSatisfy({ $0.modeShare > 0.99 }) {
            return Set(known.map(\.mode)).count == 1 ? .constant : .batchConstant
        }
        let all =
            known.allSatisfy { $0.distinct <= BatchSummary.valuesMax }
            ? known.reduce(into: Set<Double>()) { $0.formUnion($1.values.keys) } : nil
        if let all, all.count <= 2 { return .twoValued }
        if let all, all.count <= 40, known.allSatisfy({ $0.isWhole && $0.distinct <= 25 }) { return .code }
        if Robust.median(known.map(\.modeShare).sorted()) > 0.5 { return .sparse }
        return .measure
    }

    /// Whether most batches have values that none before them had: days, months, numbers of orders that repeat within a batch.
    private static func isNewEachTime<Value>(_ batches: [Set<Value>]) -> Bool {
        guard batches.count >= 3 else { return false }
        var (known, new) = (batches[0], 0)
        for batch in batches.dropFirst() {
            if 2 * batch.subtracting(known).count > batch.count { new += 1 }
            known.formUnion(batch)
        }
        return 2 * new > batches.count - 1
    }

    /// By medians and quantiles only: with the largest and smallest values one planted number would make a counter of a season.
    private static func isCounter(_ batches: [BatchSummary.Measure]) -> Bool {
        guard batches.count >= 4, let first = batches.first, let last = batches.last else { return false }
        let medians = batches.map { $0.quantiles[6] }
        let steps = zip(medians, medians.dropFirst()).map { $1 - $0 }
        guard steps.allSatisfy({ $0 >= 0 }) || steps.allSatisfy({ $0 <= 0 }) else { return false }
        let width = Robust.median(batches.map { $0.quantiles[12] - $0.quantiles[0] }.sorted())
        let moved = abs(last.quantiles[6] - first.quantiles[6])
        return moved > (batches.count >= 8 ? 1.25 : 0.5) * Double(batches.count - 1) * width
    }

    /// The form of a column of codes.
    static func of(_ batches: [BatchSummary.Category], isLabel: Bool) -> ColumnForm {
        let known = batches.filter { $0.present > 0 }
        guard known.reduce(0, { $0 + $1.present }) >= ModifiedZ.rowsMin else { return .unknown }
        if !isLabel, known.allSatisfy({ $0.modeShare > 0.99 }) {
            return Set(known.map(\.mode)).count == 1 ? .constant : .batchConstant
        }
        if isLabel { return .category }
        let large = known.filter { $0.present >= 20 }
        if !large.isEmpty, large.allSatisfy({ $0.counts.count == $0.present }) { return .key }
        if isNewEachTime(large.map { Set($0.counts.keys) }) { return .counter }
        let repeating = known.count { 2 * $0.counts.count <= $0.present }
        return 2 * repeating >= known.count ? .category : .text
    }
}
