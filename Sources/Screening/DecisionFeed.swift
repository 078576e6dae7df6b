import Glibc
import Schemas
import Sketches
import Tabular

/// What a decision takes from the accepted batches one by one (FEATURES 7.4).
extension Decision {
    /// What each column is, numbers first: what the contract says, else what its values look like.
    static func forms(_ batches: [BatchSummary], _ screened: ScreenedFields, _ schema: Schema) -> [ColumnForm] {
        let numbers = (0..<screened.numberCount).map { place in
            let measures = batches.map { $0.measures[place] }
            let isLength = place >= screened.fields.count
            let field = isLength ? screened.texts[place - screened.fields.count] : screened.fields[place]
            return ColumnForm.of(measures).declared(schema.fields[field].form, measures, isLength: isLength)
        }
        return numbers
            + screened.categories.enumerated().map { place, field in
                ColumnForm.of(batches.map { $0.categories[place] }, isLabel: place == screened.label)
                    .declared(schema.fields[field].form)
            }
    }

    /// Every field beside the accepted batches, one by one.
    mutating func compare(_ profile: Profile, _ baseline: Baseline, _ history: FeedHistory, _ schema: Schema) {
        guard let now = history.compared(profile.sample, rows: profile.rows, clock: profile.clock),
            !history.comparable.isEmpty
        else {
            untested.append((-1, "drift: fewer than \(FeedHistory.rowsMin) rows since the last comparison"))
            return
        }
        let share = BatchTest.share(fields: screened.numberCount + screened.categories.count)
        let feed = FeedTests(batches: history.comparable, now: now, alpha: share, rules: schema.baseline)
        if feed.isLearning {
            let count = "\(history.comparable.count) of \(schema.baseline.learning) batches"
            untested.append((-1, "drift: learning (\(count)): what differs is remarked on, and holds nothing yet"))
        }
        let drift = Drift(alpha: alpha)
        let first = tests.count
        func column(_ sample: RowSample, _ place: Int) -> [Double] { sample.column(place).ascending() }
        for place in 0..<screened.numberCount {
            let isLength = place >= screened.fields.count
            let field = isLength ? screened.texts[place - screened.fields.count] : screened.fields[place]
            guard schema.fields[field].drift.enabled else { continue }
            let form = forms[place]
            var made = feed.measure(
                place, field: field, isLength: isLength, form: isLength && form.isCompared ? .measure : form,
                from: history.numberStarts[place])
            // Bands that the contract gives are meant.
            if !isLength, let bands = schema.fields[field].drift.bands(.psi), form.isCompared {
                func all(_ sample: RowSample) -> [Double] {
                    (0..<sample.count).map { sample.values[$0 * sample.width + place] }
                }
                made = drift.numbers(
                    all(profile.sample), all(baseline.sample), field: field, isLength: false, bands: bands)
            } else if !made.isEmpty, made[0].code == .distributionDrift || made[0].code == .lengthDrift {
                made[0].picture =
                    drift.stability(column(profile.sample, place), column(baseline.sample, place))?.picture ?? .init()
            }
            if !isLength, let reason = form.reason(isNumber: true) { untested.append((field, reason)) }
            tests += made
        }
        for (place, field) in screened.categories.enumerated() where schema.fields[field].drift.enabled {
            let form = forms[screened.numberCount + place]
            let isText = screened.texts.contains(field)
            var made = feed.category(
                place, field: field, isLabel: place == screened.label, form: form, from: history.codeStarts[place])
            if let bands = schema.fields[field].drift.bands(.share) {
                made = drift.codes(
                    profile.sample.codes(place), baseline.sample.codes(place).filter { $0 != Baseline.unseen },
                    field: field,
                    isLabel: place == screened.label, bands: bands)
            } else if !made.isEmpty, made[0].code != .missingDrift {
                let old = drift.codes(
                    profile.sample.codes(place), baseline.sample.codes(place).filter { $0 != Baseline.unseen },
                    field: field,
                    isLabel: place == screened.label)
                made[0].picture = old.first?.picture ?? .init()
            }
            if let reason = form.reason(isNumber: false) { untested.append((field, reason)) }
            // A length says already how many are missing.
            tests += made.filter { !isText || $0.code != .missingDrift }
        }
        if let test = feed.volume(profile.rows) { tests.append(test) }
        tellSeasons(from: first, feed)
        tellMovements(from: first, feed, rows: profile.rows)
    }

    /// The rules beside the accepted batches: a batch's centre is tested once, and rows around where a centre may be. Where the batch is
    /// too small to be compared, nobody has tested its centre, and rows are judged around the accepted ones alone.
    mutating func reach(_ history: FeedHistory, _ own: BatchSummary?, _ sample: RowSample, _ now: RowSample) {
        let isCompared = own != nil && history.compared(now, rows: now.offered) != nil
        let batches = history.known
        rules = rules.compactMap { rule in
            guard let feature = screened.fields.firstIndex(of: rule.field) else { return rule }
            let form = forms[feature]
            // Of a column with a rare other value it would make outliers.
            if form == .constant { return rule.isConstant ? rule : nil }
            guard form.isMagnitude else { return nil }
            var rule = rule
            let usesLog = rule.usesLog
            let reach = RowReach(
                batches.dropFirst(history.numberStarts[feature]).map { $0.measures[feature] },
                isSparse: form == .sparse,
                own: isCompared ? own?.measures[feature].quantiles.dropFirst(6).first : nil
            ) { usesLog ? ($0 > -1 ? log1p($0) : -.infinity) : $0 }
            guard let reach else { return rule }
            rule.reach = reach
            // One number for both sides, and for people: multiples of the spread inside batches.
            rule.threshold = min(reach.remarkAbove, reach.remarkBelow)
            rule.isConstant = false
            if form == .measure {
                rule.gap = ValueGap(now.column(feature), accepted: sample.column(feature))
            }
            return rule
        }
        for place in pairs.indices { pairs[place].follow(isCompared ? now : nil, sample) }
    }

    /// Copies are held back where there are more of them than accepted batches had: full tables bring them at their own rate. While fewer
    /// than three batches are known only many do.
    mutating func followCopies(_ batches: [BatchSummary], _ covered: (rows: [Bool], texts: [Bool]), least: Int) {
        let largest = batches.map { $0.remarks.share($0.remarks.flooded) }.max() ?? 0
        func share(_ rows: [Bool]) -> Double { rows.isEmpty ? 0 : Double(rows.count { $0 }) / Double(rows.count) }
        let copies = max(share(covered.rows), share(covered.texts))
        if copies <= (batches.count >= least ? max(0.01, 3 * largest) : 0.03) {
            floodAction = min(floodAction, .flagged)
        }
    }
}
