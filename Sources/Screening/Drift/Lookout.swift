import Schemas
import Sketches
import Tabular

/// A column of the samples.
struct FeedColumn {
    /// Its index among the numbers, or among the codes.
    let place: Int
    let field: Int
    let isNumber: Bool, isLength: Bool, isLabel: Bool
    let form: ColumnForm

    /// The column at an index among the forms, numbers first.
    init(place: Int, form: ColumnForm, _ screened: ScreenedFields) {
        self.form = form
        isNumber = place < screened.numberCount
        isLength = isNumber && place >= screened.fields.count
        self.place = isNumber ? place : place - screened.numberCount
        isLabel = !isNumber && self.place == screened.label
        field =
            !isNumber
            ? screened.categories[self.place]
            : isLength ? screened.texts[place - screened.fields.count] : screened.fields[place]
    }

    /// Rows with and without a value.
    func rows(of batch: BatchSummary) -> (present: Int, missing: Int) {
        isNumber
            ? (batch.measures[place].present, batch.measures[place].missing)
            : (batch.categories[place].present, batch.categories[place].missing)
    }

    /// The tests of this column.
    func tests(_ feed: FeedTests) -> [BatchTest] {
        isNumber
            ? feed.measure(place, field: 0, isLength: isLength, form: isLength && form.isCompared ? .measure : form)
            : feed.category(place, field: 0, isLabel: isLabel, form: form)
    }
}

/// Finds the smallest change that a column's tests would detect, by putting changed accepted batches in place of the
/// next one.
struct Lookout {
    let column: FeedColumn
    /// The accepted batches, oldest first, and the indices of those that are tried in place of the next one.
    private let batches: [BatchSummary], tried: [Int]
    private let alpha: Double
    /// The rules without learning.
    private let rules: BaselineRules
    /// The spread inside batches of a column of numbers.
    private let width: Double
    /// The accepted centre.
    private let center: Double

    init(column: FeedColumn, batches: [BatchSummary], alpha: Double, season: Season?, tried: Int) {
        self.column = column
        var rules = BaselineRules()
        (rules.learning, rules.season) = (0, season)
        self.rules = rules
        self.batches = batches
        self.alpha = alpha
        let usable = batches.indices.filter { column.rows(of: batches[$0]).present >= ModifiedZ.rowsMin }
        // Each trial of a column with many values is slow, and differs little from the next.
        let hasMany = !column.isNumber && batches.contains { $0.categories[column.place].counts.count > 300 }
        self.tried = Array(usable.suffix(hasMany ? 3 : tried))
        let measures =
            column.isNumber ? batches.map { $0.measures[column.place] }.filter { !$0.quantiles.isEmpty } : []
        width =
            measures.isEmpty
            ? 0 : Robust.median(measures.map { ($0.quantiles[9] - $0.quantiles[3]) / 1.683 }.sorted())
        center = measures.isEmpty ? 0 : Robust.median(measures.map { $0.quantiles[6] }.sorted())
    }

    /// The spread inside batches as a share of the centre, if that is meaningful.
    var widthShare: Double? { abs(center) >= max(0.1 * width, 1e-300) ? width / abs(center) : nil }

    /// The tests of a batch in place of the next one, against all others, without learning.
    private func tests(_ batch: BatchSummary, _ place: Int) -> [BatchTest] {
        var others = batches
        others.remove(at: place)
        return column.tests(FeedTests(batches: others, now: batch, alpha: alpha, rules: rules))
    }

    /// The column's tests for a batch of the usual size.
    func learnt() -> [FeedOutlook.Learnt] {
        guard batches.count > 1 else { return [] }
        let all = tried.map { tests(batches[$0], $0) }
        func kind(_ test: BatchTest) -> Movement.Kind? {
            switch test.code {
            case .distributionDrift, .lengthDrift: column.form == .batchConstant ? nil : .shape
            case .categoryDrift, .labelShift: column.form == .batchConstant ? nil : .shares
            case .missingDrift: .missing
            case .newCategories: .new
            default: nil
            }
        }
        return [Movement.Kind.shape, .shares, .missing, .new].compactMap { wanted in
            let found = all.compactMap { $0.first { kind($0) == wanted } }
            guard !found.isEmpty else { return nil }
            return FeedOutlook.Learnt(
                what: wanted, usual: found.compactMap(\.usual).max() ?? 0,
                line: Robust.median(found.map(\.warn).sorted()))
        }
    }

    /// The fewest new values that are detected. Rows of one order count once, so a single value may not suffice.
    func newKinds() -> Int? {
        let lines = tried.compactMap { place in
            tests(batches[place], place).first { $0.code == .newCategories }?.critical
        }
        let known = tried.map { place in
            Double(
                column.isNumber
                    ? batches[place].measures[column.place].values.count
                    : batches[place].categories[column.place].counts.count)
        }
        guard !lines.isEmpty else { return nil }
        let (line, usual) = (Robust.median(lines.sorted()), Robust.median(known.sorted()))
        return (1...1000).first { Double($0) / (usual + Double($0)) > line }
    }

    /// The shift, in spreads, that would be detected in half of the batches.
    func shift(up: Bool) -> Double? {
        guard width > 0 else { return nil }
        return half(from: Self.shifts) { batch, size in
            var changed = batch
            changed.measures[column.place].move(by: (up ? size : -size) * width)
            return changed
        }
    }

    /// The increase of one value's share that would be detected in half of the batches.
    func share() -> Double? {
        half(from: Self.shares) { batch, size in
            var changed = batch
            if column.isNumber {
                changed.measures[column.place].crowd(by: size, isSparse: column.form == .sparse)
            } else {
                changed.categories[column.place].counts.crowd(by: size)
            }
            return changed
        }
    }

    private static let shifts = [12.0, 8, 6, 4.5, 3.4, 2.6, 2, 1.5, 1.15, 0.85, 0.65, 0.5, 0.4, 0.3, 0.2, 0.1, 0]
    private static let shares = [0.95, 0.3, 0.1, 0.03, 0]

    /// The size from which half of the batches are caught; nil if most are not even at the largest size. Sizes are
    /// tried from the largest down: a batch that is shifted onto another accepted level is not detected there, but is
    /// detected again beyond it.
    private func half(from sizes: [Double], _ change: (BatchSummary, Double) -> BatchSummary) -> Double? {
        guard batches.count > 2, !tried.isEmpty else { return nil }
        let found = tried.map { place -> Double in
            func isCaught(_ size: Double) -> Bool {
                tests(change(batches[place], size), place).contains {
                    $0.outcome > .accepted && $0.code != .missingDrift
                }
            }
            var caught = Double.infinity
            for size in sizes {
                if isCaught(size) {
                    caught = size
                    continue
                }
                if caught == .infinity { return .infinity }
                var (low, high) = (size, caught)
                for _ in 0..<4 {
                    let middle = (low + high) / 2
                    if isCaught(middle) { high = middle } else { low = middle }
                }
                return (low + high) / 2
            }
            return 0
        }
        let size = Robust.median(found.sorted())
        return size.isFinite ? size : nil
    }
}

extension BatchSummary.Measure {
    /// Shifts all values.
    fileprivate mutating func move(by distance: Double) {
        quantiles = quantiles.map { $0 + distance }
        thirds = thirds.map { $0 + distance }
        lowest += distance
        highest += distance
        mode += distance
        values = Dictionary(values.map { ($0.key + distance, $0.value) }, uniquingKeysWith: +)
    }

    /// Adds a share of the rows to the rarest value, or to the most frequent one of a sparse column.
    fileprivate mutating func crowd(by share: Double, isSparse: Bool) {
        guard isSparse else { return values.crowd(by: share) }
        // Upwards if possible, else downwards.
        modeShare = modeShare + share <= 1 ? modeShare + share : max(0, modeShare - share)
    }
}

extension [Double: Int] {
    fileprivate mutating func crowd(by share: Double) { self = crowded(self, by: share) }
}

extension [UInt64: Int] {
    fileprivate mutating func crowd(by share: Double) { self = crowded(self, by: share) }
}

/// The counts with the rarest value in an additional share of the rows, taken from all others in proportion.
private func crowded<Value: Hashable & Comparable>(_ counts: [Value: Int], by share: Double) -> [Value: Int] {
    let total = Double(counts.values.reduce(0, +))
    guard let rarest = counts.min(by: { ($0.value, $0.key) < ($1.value, $1.key) }), total > 0 else { return counts }
    let rest = total - Double(rarest.value)
    let taken = min(share * total, rest)
    var changed = counts
    for (value, count) in counts where value != rarest.key {
        changed[value] = Int((Double(count) * (1 - taken / max(rest, 1))).rounded())
    }
    changed[rarest.key] = rarest.value + Int(taken.rounded())
    return changed
}
