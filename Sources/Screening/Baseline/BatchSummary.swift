import Sketches

/// The summary of one accepted batch for later comparison: order statistics and counts over its released rows.
///
/// It depends only on the baseline's sample, so it can be computed for baselines of every version, and does not depend
/// on the number of workers.
package struct BatchSummary: Sendable, Equatable {
    /// A column of numbers.
    package struct Measure: Sendable, Equatable {
        /// Rows with and without a value.
        package var present = 0, missing = 0
        /// Different values.
        package var distinct = 0
        /// The smallest and the largest value.
        package var lowest = 0.0, highest = 0.0
        /// The most frequent value (the smallest of them), and its share of the values.
        package var mode = 0.0, modeShare = 0.0
        /// Whether all values are integers.
        package var isWhole = false
        /// The values at `BatchSummary.levels`.
        package var quantiles: [Double] = []
        /// The count of each value, if there are at most 40 values.
        package var values: [Double: Int] = [:]
        /// The terciles of the values other than the mode.
        package var thirds: [Double] = []

        /// The share of rows without a value.
        var missingShare: Double { Double(missing) / Double(max(present + missing, 1)) }
    }

    /// A column of codes.
    package struct Category: Sendable, Equatable {
        /// Rows with and without a value.
        package var present = 0, missing = 0
        /// The count of each value.
        package var counts: [UInt64: Int] = [:]
        /// The share of the most frequent value, and that value.
        package var modeShare = 0.0, mode: UInt64 = 0
        /// Whether the batch's sample has the column.
        package var isKnown = false
    }

    /// The levels at which quantiles are computed.
    package static let levels = [0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98]
    /// Rows of the sample that are used: those with the smallest ranks, so again a uniform sample.
    static let rowsMax = 4096
    /// Most values that are counted individually.
    static let valuesMax = 40

    /// Rows of the batch.
    package var rows: Int
    /// Its numbers, in the order of the sample.
    package var measures: [Measure]
    /// Its codes, in the order of the sample.
    package var categories: [Category]
    /// Counts of its rows that were flagged.
    package var remarks: Baseline.Remarks

    /// The event times of its rows.
    package var clock: BatchClock

    /// The summary of a compacted sample.
    init(
        _ sample: RowSample, rows: Int, remarks: Baseline.Remarks = Baseline.Remarks(), clock: BatchClock = BatchClock()
    ) {
        self.rows = rows
        self.clock = clock
        self.remarks = remarks
        let count = min(sample.count, Self.rowsMax)
        measures = (0..<sample.width).map { place in
            Self.measure((0..<count).map { sample.values[$0 * sample.width + place] })
        }
        // The last code is that of the whole row.
        categories = (0..<max(sample.codeWidth - 1, 0)).map { place in
            Self.category((0..<count).map { sample.codes[$0 * sample.codeWidth + place] })
        }
    }

    /// The summary of one accepted batch.
    init(_ baseline: Baseline) {
        self.init(
            baseline.sample, rows: baseline.sizes.last ?? baseline.sample.offered, remarks: baseline.remarks,
            clock: baseline.clock)
    }

    /// The summary of one column; values that are not finite are missing.
    static func measure(_ column: [Double]) -> Measure {
        let sorted = column.filter(\.isFinite).ascending()
        var made = Measure()
        (made.present, made.missing) = (sorted.count, column.count - sorted.count)
        guard let lowest = sorted.first, let highest = sorted.last else { return made }
        (made.lowest, made.highest) = (lowest, highest)
        made.isWhole = sorted.allSatisfy { $0 == $0.rounded() }
        made.quantiles = levels.map { Robust.quantile(sorted, $0) }
        var (first, most) = (0, 0)
        while first < sorted.count {
            var end = first + 1
            while end < sorted.count, sorted[end] == sorted[first] { end += 1 }
            made.distinct += 1
            if made.distinct <= valuesMax { made.values[sorted[first]] = end - first }
            if end - first > most { (most, made.mode) = (end - first, sorted[first]) }
            first = end
        }
        if made.distinct > valuesMax { made.values = [:] }
        made.modeShare = Double(most) / Double(sorted.count)
        let rest = sorted.filter { $0 != made.mode }
        if !rest.isEmpty { made.thirds = [Robust.quantile(rest, 1.0 / 3), Robust.quantile(rest, 2.0 / 3)] }
        return made
    }

    /// The summary of one column; code 0 is a missing value.
    static func category(_ column: [UInt64]) -> Category {
        var made = Category()
        for code in column where code != Baseline.unseen {
            made.isKnown = true
            if code == 0 {
                made.missing += 1
            } else {
                made.present += 1
                made.counts[code, default: 0] += 1
            }
        }
        for (code, count) in made.counts {
            let share = Double(count) / Double(made.present)
            if share > made.modeShare || share == made.modeShare && code < made.mode {
                (made.modeShare, made.mode) = (share, code)
            }
        }
        return made
    }
}

/// The accepted batches that a new one is compared with, oldest first.
package struct FeedHistory: Sendable, Equatable {
    /// Their summaries; small files are pooled into one batch of at least `rowsMin` rows.
    package private(set) var batches: [BatchSummary] = []
    /// Small files after the last of these, which are not yet enough for a batch.
    private var pending: RowSample?
    private var pendingRows = 0
    private var pendingRemarks = Baseline.Remarks()
    private var pendingClock = BatchClock()

    /// The fewest rows of a batch that is compared on its own.
    package static let rowsMin = 100

    /// The batches, with the pending small files as one more batch; rows are judged by these.
    package private(set) var known: [BatchSummary] = []
    /// For each number and each code, the index in `known` of the batch at which its level begins.
    package private(set) var numberStarts: [Int] = [], codeStarts: [Int] = []
    /// Some rows of each of `known`, for statistics that a summary does not have.
    private(set) var samples: [RowSample] = []
    /// Number of rows kept of each.
    private static let sampleRows = 1024

    /// Made from baselines of one batch each with the same columns, oldest first.
    package init(_ baselines: [Baseline]) {
        numberStarts = Array(repeating: 0, count: baselines.last?.features.count ?? 0)
        codeStarts = Array(repeating: 0, count: baselines.last?.codes.count ?? 0)
        for each in baselines {
            begin(each)
            let rows = each.sizes.last ?? each.sample.offered
            guard pending != nil || each.sample.count < Self.rowsMin else {
                batches.append(each.summary ?? BatchSummary(each))
                samples.append(each.sample.first(Self.sampleRows))
                continue
            }
            add(each.sample)
            pendingRows += rows
            pendingRemarks.merge(each.remarks)
            pendingClock.merge(each.clock)
            if let sample = pending, sample.count >= Self.rowsMin {
                batches.append(
                    BatchSummary(sample, rows: pendingRows, remarks: pendingRemarks, clock: pendingClock))
                samples.append(sample.first(Self.sampleRows))
                (pending, pendingRows) = (nil, 0)
                (pendingRemarks, pendingClock) = (Baseline.Remarks(), BatchClock())
            }
        }
        known = batches
        if let pending, pending.count >= ModifiedZ.rowsMin || batches.isEmpty {
            known.append(BatchSummary(pending, rows: pendingRows, remarks: pendingRemarks, clock: pendingClock))
            samples.append(pending.first(Self.sampleRows))
        }
    }

    /// Begins levels with a batch, which is the next one of `batches` or a part of it.
    private mutating func begin(_ baseline: Baseline) {
        if baseline.newLevels.isEmpty { return }
        for (place, name) in baseline.features.enumerated()
        where baseline.newLevels.contains(Baseline.field(of: name)) { numberStarts[place] = batches.count }
        for (place, name) in baseline.codes.enumerated() where baseline.newLevels.contains(name) {
            codeStarts[place] = batches.count
        }
    }

    /// The index of the first batch in which all columns have their present levels.
    var levelStart: Int { max(numberStarts.max() ?? 0, codeStarts.max() ?? 0) }

    /// Rows of the batches with the present levels; nil where no level began anew, so that all rows count.
    var levelSample: RowSample? {
        guard levelStart > 0, levelStart < samples.count else { return nil }
        return RowSample.union(Array(samples[levelStart...]), capacity: Baseline.capacity)
    }

    private mutating func add(_ sample: RowSample) {
        guard let made = pending else {
            pending = sample
            return
        }
        pending = RowSample.union([made, sample], capacity: max(made.capacity, sample.capacity))
    }

    /// The batches that a new one is compared with: those of enough rows, or all rows together while there is no such
    /// batch.
    var comparable: [BatchSummary] { batches.isEmpty ? known : batches }

    /// The batch that is compared: this one, with the small files before it when it is small itself; nil while they are
    /// few.
    func compared(_ sample: RowSample, rows: Int, clock: BatchClock = BatchClock()) -> BatchSummary? {
        if sample.count >= Self.rowsMin || batches.isEmpty && sample.count >= ModifiedZ.rowsMin {
            return BatchSummary(sample, rows: rows, clock: clock)
        }
        var copy = self
        copy.add(sample)
        guard let together = copy.pending, together.count >= Self.rowsMin else { return nil }
        copy.pendingClock.merge(clock)
        return BatchSummary(together, rows: pendingRows + rows, clock: copy.pendingClock)
    }
}
