import Glibc
package import Schemas
import Sketches
package import Tabular

/// What was learnt about a feed: the form of each field, the variation of accepted batches, and the smallest change
/// that would be detected in the next batch. Relative figures and counts, never a value.
///
/// The smallest change is found with the tests themselves. Each of the newest accepted batches is put in the place of
/// the next batch and changed more and more until a test fails. The stated size is that at which half of them fail.
package struct FeedOutlook: Sendable {
    /// A test learnt from accepted batches: their largest distance on arrival, and the threshold.
    package struct Learnt: Sendable, Equatable {
        /// The quantity that is tested.
        package var what: Movement.Kind
        /// The largest distance of an accepted batch, and the threshold for a batch of the usual size.
        package var usual: Double, line: Double
    }

    /// The changes that would be detected in half of the batches of the usual size; nil for a change that would not be
    /// detected.
    package struct Sight: Sendable, Equatable {
        /// A shift of all values upwards and downwards, in spreads inside batches.
        package var up: Double?, down: Double?
        /// The same as a share of the accepted centre, if such a share is meaningful.
        package var upShare: Double?, downShare: Double?
        /// The increase of one value's share of the rows.
        package var share: Double?
        /// The share of rows without a value, and of rows with new values.
        package var missing: Double?, new: Double?
        /// The fewest different new values.
        package var newKinds: Int?

        /// No change would be detected.
        package init() {}
    }

    /// The distances from the interval of possible centres at which a row is flagged and held back, in spreads inside
    /// batches.
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
        /// Its index in the contract's fields.
        package var field: Int
        /// Whether it describes the lengths of a text field.
        package var isLength = false
        /// Its form.
        package var form: ColumnForm
        /// Whether the contract declares the form.
        package var isDeclared = false
        /// Why it is left out, and how to include it.
        package var leftOut: String?
        /// Batches that have values, and their rows.
        package var batches: Int, rows: Int
        /// Its tests.
        package var learnt: [Learnt] = []
        /// The changes that would be detected in it.
        package var sight = Sight()
        /// The distances at which its rows are held back.
        package var reach: Reach?
    }

    /// A rate of the whole batch.
    package struct Rate: Sendable {
        /// The code of its finding.
        package var code: FindingCode
        /// The largest rate of an accepted batch, and the threshold for a batch of the usual size.
        package var usual: Double, line: Double
    }

    /// The fields, measures first, then lengths of texts, then categories.
    package private(set) var fields: [Field] = []
    /// The rates of the whole batch.
    package private(set) var rates: [Rate] = []
    /// The season that the contract sets, or else the one that the accepted batches suggest.
    package private(set) var season: (kind: Season, isSet: Bool, fields: [Int])?
    /// Number of batches that the next one is compared with, and number after which a difference holds.
    package let batches: Int, learning: Int
    /// Rows of the usual batch.
    package let rows: Int

    /// Whether differences only flag.
    package var isLearning: Bool { batches < learning }

    /// Most batches that are tried in place of the next one: each is tried with some thirty sizes.
    private static let triedMax = 8
}

extension FeedOutlook {
    /// The outlook from the batches of a merged baseline; nil if they are not known one by one.
    ///
    /// - Parameters:
    ///   - baseline: the merged baseline, with the screened fields.
    ///   - screened: the columns that statistics use, by the contract.
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
            let column = FeedColumn(place: place, form: forms[place], screened)
            let field = schema.fields[column.field]
            var made = Field(
                field: column.field, isLength: column.isLength, form: forms[place],
                isDeclared: field.form != nil && !column.isLength,
                leftOut: column.isLength ? nil : forms[place].reason(isNumber: column.isNumber), batches: 0, rows: 0)
            // An accepted level begins with the batch for which a person accepted it.
            let start = column.isNumber ? history.numberStarts[column.place] : history.codeStarts[column.place]
            let all = Array(comparable.dropFirst(start))
            let counts = all.map { column.rows(of: $0) }.filter { $0.present > 0 }
            (made.batches, made.rows) = (counts.count, counts.reduce(0) { $0 + $1.present + $1.missing })
            if field.drift.enabled, field.drift.bands(column.isNumber ? .psi : .share) == nil || column.isLength {
                made.learn(
                    from: Lookout(
                        column: column, batches: all, alpha: alpha, season: schema.baseline.season,
                        tried: Self.triedMax))
            }
            // A text that is also compared by value is described there.
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
        let columns = forms.indices.map { FeedColumn(place: $0, form: forms[$0], screened) }
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

    /// The fields in which batches of one weekday or hour are so much closer to each other that the newest would be
    /// compared with these only.
    private static func fields(of columns: [FeedColumn], in batches: [BatchSummary], that season: Season) -> [Int] {
        guard let newest = batches.last else { return [] }
        var rules = BaselineRules()
        rules.season = season
        let feed = FeedTests(batches: Array(batches.dropLast()), now: newest, alpha: BatchTest.budget, rules: rules)
        let fields = columns.filter { column in column.tests(feed).contains { $0.sameSeason != nil } }.map(\.field)
        return Set(fields).sorted()
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
        // The share of the budget when a batch is compared with the rolling batches only.
        let alpha = BatchTest.budget / Double(Detector.plannedTests(screened))
        return BatchVerdict.chartedKinds.compactMap { code, count, floor in
            let history = remarks.map { (found: $0[keyPath: count], of: $0.tested) }.filter { $0.of > 0 }
            guard let usual = history.map({ Double($0.found) / Double($0.of) }).max() else { return nil }
            return Rate(
                code: code, usual: usual,
                line: RateChart(alpha: alpha, floor: floor).line(history, count: max(rows, 1)))
        }
    }
}

extension FeedOutlook.Field {
    /// Adds what its tests learnt, and the changes that they would detect.
    fileprivate mutating func learn(from lookout: Lookout) {
        learnt = lookout.learnt()
        func line(_ kind: Movement.Kind) -> Double? { learnt.first { $0.what == kind }?.line }
        sight.missing = line(.missing).flatMap { $0 < 1 ? $0 : nil }
        sight.newKinds = line(.new).flatMap { $0 < 1 ? lookout.newKinds() : nil }
        if sight.newKinds != nil { sight.new = line(.new) }
        if line(.shape) != nil {
            (sight.up, sight.down) = (lookout.shift(up: true), lookout.shift(up: false))
            if let width = lookout.widthShare {
                (sight.upShare, sight.downShare) = (sight.up.map { $0 * width }, sight.down.map { $0 * width })
            }
        }
        if line(.shares) != nil { sight.share = lookout.share() }
    }
}
