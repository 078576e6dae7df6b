import Glibc
package import Schemas
import Sketches
package import Tabular

/// What the gate has learnt of a feed: what each field is, how much accepted batches differed, and what it would still see in the next
/// batch (FEATURES 7.4). Relative figures and counts, never a value.
///
/// What it would see is found by the tests themselves: each of the newest accepted batches takes the next batch's place beside the others,
/// changed a little more each time until it is beyond its line. The stated size is the one that half of them are caught at.
package struct FeedOutlook: Sendable {
    /// A test that is learnt from accepted batches: how far they were at most when they came, and the line.
    package struct Learnt: Sendable, Equatable {
        /// What is tested.
        package var what: Movement.Kind
        /// The largest of the accepted batches, and the line for a batch of the usual size.
        package var usual: Double, line: Double
    }

    /// Changes of the usual size of batch that half of the batches would be caught with; nil for what is not seen at all.
    package struct Sight: Sendable, Equatable {
        /// A shift of all values up and down, in spreads inside batches.
        package var up: Double?, down: Double?
        /// What these are of the accepted centre, where such a share says something.
        package var upShare: Double?, downShare: Double?
        /// The share of rows by which one value becomes more frequent.
        package var share: Double?
        /// The share of rows without a value, and of rows with a value that was never there before.
        package var missing: Double?, new: Double?
        /// How many different ones those new values must be.
        package var newKinds: Int?

        /// Nothing is seen.
        package init() {}
    }

    /// How far from where a centre may be a row is remarked on and held back, in spreads inside batches.
    package struct Reach: Sendable, Equatable {
        /// Below and above the accepted centres.
        package var remark: (below: Double, above: Double), hold: (below: Double, above: Double)

        /// Compares all four.
        package static func == (left: Reach, right: Reach) -> Bool {
            left.remark == right.remark && left.hold == right.hold
        }
    }

    /// A field.
    package struct Field: Sendable {
        /// Its place among the contract's fields.
        package var field: Int
        /// Whether this is about the lengths of its texts.
        package var isLength = false
        /// What it is.
        package var form: ColumnForm
        /// Whether the contract said so.
        package var isDeclared = false
        /// Why it is left out, and how it comes in.
        package var leftOut: String?
        /// Batches that have values, and their rows.
        package var batches: Int, rows: Int
        /// Its tests.
        package var learnt: [Learnt] = []
        /// What it would still see.
        package var sight = Sight()
        /// Where its rows are held back.
        package var reach: Reach?
    }

    /// A rate of the whole batch.
    package struct Rate: Sendable {
        /// The finding that it would be.
        package var code: FindingCode
        /// The largest rate of an accepted batch, and the line for a batch of the usual size.
        package var usual: Double, line: Double
    }

    /// The fields, measures first, then lengths of texts, then categories.
    package private(set) var fields: [Field] = []
    /// The rates of the whole batch.
    package private(set) var rates: [Rate] = []
    /// The season that the contract sets, or else the one that the accepted batches show.
    package private(set) var season: (kind: Season, isSet: Bool, fields: [Int])?
    /// Batches that the next one is compared with, and how many must be there before a difference holds.
    package let batches: Int, learning: Int
    /// Rows of the usual batch.
    package let rows: Int

    /// Whether differences are only remarked on.
    package var isLearning: Bool { batches < learning }

    /// Batches that take the next one's place at most: each is tried at some thirty sizes.
    private static let triedMax = 8
}

extension FeedOutlook {
    /// What was learnt from the batches of a merged baseline; nil where they are not known one by one.
    ///
    /// - Parameters:
    ///   - baseline: over the fields that are screened.
    ///   - screened: what statistics look at, by the contract.
    package init?(_ baseline: Baseline, schema: Schema, screened: ScreenedFields) {
        guard let history = baseline.history, baseline.sample.width == screened.numberCount,
            baseline.sample.codeWidth == screened.codeCount
        else { return nil }
        let comparable = history.comparable
        batches = comparable.count
        learning = schema.baseline.learning
        rows = Int(Robust.median(comparable.map { Double($0.rows) }.sorted()))
        let forms = Decision.forms(history.known, screened, schema)
        let alpha = BatchTest.share(fields: screened.numberCount + screened.categories.count)
        for place in forms.indices {
            let column = Column(place: place, form: forms[place], screened)
            let field = schema.fields[column.field]
            var made = Field(
                field: column.field, isLength: column.isLength, form: forms[place],
                isDeclared: field.form != nil && !column.isLength,
                leftOut: column.isLength ? nil : forms[place].reason(isNumber: column.isNumber), batches: 0, rows: 0)
            // What a person said has changed begins with the batch of which that was said.
            let start = column.isNumber ? history.numberStarts[column.place] : history.codeStarts[column.place]
            let all = Array(comparable.dropFirst(start))
            let counts = all.map { column.rows(of: $0) }.filter { $0.present > 0 }
            (made.batches, made.rows) = (counts.count, counts.reduce(0) { $0 + $1.present + $1.missing })
            if field.drift.enabled, field.drift.bands(column.isNumber ? .psi : .share) == nil || column.isLength {
                look(column, all, alpha, schema.baseline.season, &made)
            }
            // Of a text that is compared whole too it is said there.
            if column.isLength, screened.categories.contains(column.field) {
                made.learnt.removeAll { $0.what == .missing }
                made.sight.missing = nil
            }
            if column.isNumber, !column.isLength, made.form.isMagnitude, field.anomaly.enabled {
                made.reach = Self.reach(
                    history.known.dropFirst(start).map { $0.measures[place] }, baseline.sample.column(place), made.form)
            }
            fields.append(made)
        }
        rates = Self.rates(history.known.map(\.remarks), screened, rows: rows)
        let columns = forms.indices.map { Column(place: $0, form: forms[$0], screened) }
            .filter { schema.fields[$0.field].drift.enabled }
        if let set = schema.baseline.season {
            season = (set, true, Self.fields(of: columns, in: comparable, that: set))
        } else {
            let shown = Season.allCases.map { ($0, Self.fields(of: columns, in: comparable, that: $0)) }
            if let (kind, fields) = shown.max(by: { $0.1.count < $1.1.count }), !fields.isEmpty {
                season = (kind, false, fields)
            }
        }
    }

    /// The fields in which batches of one weekday or hour are so much nearer to each other that the newest would be compared with
    /// these alone.
    private static func fields(of columns: [Column], in batches: [BatchSummary], that season: Season) -> [Int] {
        guard let newest = batches.last else { return [] }
        var rules = BaselineRules()
        rules.season = season
        let feed = FeedTests(batches: Array(batches.dropLast()), now: newest, alpha: BatchTest.budget, rules: rules)
        let fields = columns.filter { column in column.tests(feed).contains { $0.sameSeason != nil } }.map(\.field)
        return Set(fields).sorted()
    }

    /// Fills in what a field's tests have learnt, and what they would see.
    private func look(
        _ column: Column, _ all: [BatchSummary], _ alpha: Double, _ season: Season?, _ made: inout Field
    ) {
        let lookout = Lookout(column: column, batches: all, alpha: alpha, season: season, tried: Self.triedMax)
        made.learnt = lookout.learnt()
        func line(_ kind: Movement.Kind) -> Double? { made.learnt.first { $0.what == kind }?.line }
        made.sight.missing = line(.missing).flatMap { $0 < 1 ? $0 : nil }
        made.sight.newKinds = line(.new).flatMap { $0 < 1 ? lookout.newKinds() : nil }
        if made.sight.newKinds != nil { made.sight.new = line(.new) }
        if line(.shape) != nil {
            (made.sight.up, made.sight.down) = (lookout.shift(up: true), lookout.shift(up: false))
            if let width = lookout.widthShare {
                (made.sight.upShare, made.sight.downShare) = (
                    made.sight.up.map { $0 * width }, made.sight.down.map { $0 * width }
                )
            }
        }
        if line(.shares) != nil { made.sight.share = lookout.share() }
    }

    private static func reach(
        _ batches: [BatchSummary.Measure], _ values: [Double], _ form: ColumnForm
    ) -> Reach? {
        let usesLog = ModifiedZ(field: 0, values: values)?.usesLog ?? false
        let reach = RowReach(batches, isSparse: form == .sparse, own: nil) {
            usesLog ? ($0 > -1 ? log1p($0) : -.infinity) : $0
        }
        return reach.map {
            Reach(remark: ($0.remarkBelow, $0.remarkAbove), hold: ($0.holdBelow, $0.holdAbove))
        }
    }

    private static func rates(_ remarks: [Baseline.Remarks], _ screened: ScreenedFields, rows: Int) -> [Rate] {
        // The share of the budget that a batch beside rolling batches alone has.
        let alpha = BatchTest.budget / Double(Decision.plannedTests(screened))
        return Verdict.chartedKinds.compactMap { code, count, floor in
            let history = remarks.map { (found: $0[keyPath: count], of: $0.tested) }.filter { $0.of > 0 }
            guard let usual = history.map({ Double($0.found) / Double($0.of) }).max() else { return nil }
            return Rate(
                code: code, usual: usual,
                line: BetweenBatches.rateLine(history, count: max(rows, 1), alpha: alpha, floor: floor))
        }
    }
}

/// A column of the samples.
private struct Column {
    /// Its place among the numbers, or among the codes.
    let place: Int
    let field: Int
    let isNumber: Bool, isLength: Bool, isLabel: Bool
    let form: ColumnForm

    /// By its place among the forms: numbers first.
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

/// Puts accepted batches, changed, in the place of the next one.
private struct Lookout {
    let column: Column
    /// The accepted batches, oldest first, and the places of those that take the next one's place.
    private let batches: [BatchSummary], tried: [Int]
    private let alpha: Double
    /// None of the trials is learning.
    private let rules: BaselineRules
    /// The spread inside batches of a column of numbers.
    private let width: Double
    /// The accepted centre.
    private let center: Double

    init(column: Column, batches: [BatchSummary], alpha: Double, season: Season?, tried: Int) {
        self.column = column
        var rules = BaselineRules()
        (rules.learning, rules.season) = (0, season)
        self.rules = rules
        self.batches = batches
        self.alpha = alpha
        let usable = batches.indices.filter { column.rows(of: batches[$0]).present >= ModifiedZ.rowsMin }
        // Each trial of a column with many values takes a while, and differs little from the next.
        let hasMany = !column.isNumber && batches.contains { $0.categories[column.place].counts.count > 300 }
        self.tried = Array(usable.suffix(hasMany ? 3 : tried))
        let measures =
            column.isNumber ? batches.map { $0.measures[column.place] }.filter { !$0.quantiles.isEmpty } : []
        width =
            measures.isEmpty
            ? 0 : Robust.median(measures.map { ($0.quantiles[9] - $0.quantiles[3]) / 1.683 }.sorted())
        center = measures.isEmpty ? 0 : Robust.median(measures.map { $0.quantiles[6] }.sorted())
    }

    /// The spread inside batches as a share of the centre, where that says something.
    var widthShare: Double? { abs(center) >= max(0.1 * width, 1e-300) ? width / abs(center) : nil }

    /// The tests of a batch in the place of the next one, beside all others; none of them learning.
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

    /// How many new values are seen: lines of one order count once, so that one alone may be none.
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

    /// The shift, in spreads, that half of the batches would be caught with.
    func shift(up: Bool) -> Double? {
        guard width > 0 else { return nil }
        return half(from: Self.shifts) { batch, size in
            var changed = batch
            changed.measures[column.place].move(by: (up ? size : -size) * width)
            return changed
        }
    }

    /// The share of rows more with one value that half of the batches would be caught with.
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

    /// The size from which on half of the batches are caught; nil where most are not at the largest. From the largest down: a batch that
    /// is moved on to another accepted level is not seen there, and is again beyond it.
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
    /// Moves all values.
    fileprivate mutating func move(by distance: Double) {
        quantiles = quantiles.map { $0 + distance }
        thirds = thirds.map { $0 + distance }
        lowest += distance
        highest += distance
        mode += distance
        values = Dictionary(values.map { ($0.key + distance, $0.value) }, uniquingKeysWith: +)
    }

    /// Gives a share of the rows more the value that fewest have, or the most frequent one of a sparse column.
    fileprivate mutating func crowd(by share: Double, isSparse: Bool) {
        guard isSparse else { return values.crowd(by: share) }
        // Up where there is room, down where there is none.
        modeShare = modeShare + share <= 1 ? modeShare + share : max(0, modeShare - share)
    }
}

extension [Double: Int] {
    fileprivate mutating func crowd(by share: Double) { self = crowded(self, by: share) }
}

extension [UInt64: Int] {
    fileprivate mutating func crowd(by share: Double) { self = crowded(self, by: share) }
}

/// The counts with the rarest value in a share of the rows more, taken from all others alike.
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
