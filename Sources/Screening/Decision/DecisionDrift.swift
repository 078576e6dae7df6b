import Glibc
import Schemas
import Sketches
import Tabular

/// Tests of the batch as a whole against the accepted ones, field by field.
extension Deliberation {
    /// Compares every field with the baseline, and with the last accepted batches if the baseline is another one.
    mutating func compare() {
        guard let before else {
            decision.untested.append((nil, "drift: " + Decision.Untested.noBaseline.rawValue))
            return
        }
        compare(with: before)
        guard let rolling else { return }
        let (known, said) = (decision.tests, decision.untested)
        compare(with: rolling)
        decision.untested = said
        // A difference from both is reported once. The number of rows is compared with the last batches only.
        decision.tests =
            known.filter { $0.code != .volumeDrift }
            + decision.tests.dropFirst(known.count).filter { test in
                test.code == .volumeDrift
                    || test.outcome
                        > (known.first { $0.code == test.code && $0.field == test.field }?.outcome ?? .accepted)
            }
    }

    /// Compares every field with the baseline.
    mutating func compare(with baseline: Baseline) {
        if let history = baseline.history, !decision.forms.isEmpty { return compare(with: baseline, history) }
        let drift = Drift(alpha: decision.alpha)
        let (now, before) = (profile.sample, baseline.sample)
        func column(_ sample: RowSample, _ place: Int) -> [Double] {
            (0..<sample.count).map { sample.values[$0 * sample.width + place] }
        }
        for place in 0..<screened.numberCount {
            let isLength = place >= screened.fields.count
            let field = isLength ? screened.texts[place - screened.fields.count] : screened.fields[place]
            guard schema.fields[field].drift.enabled else { continue }
            let there = column(before, place)
            if there.allSatisfy(\.isNaN) {
                decision.untested.append((field, "drift: " + Decision.Untested.unseenField.rawValue))
                continue
            }
            let made = drift.numbers(
                column(now, place), there, field: field, isLength: isLength,
                bands: isLength ? nil : schema.fields[field].drift.bands(.psi))
            if made.isEmpty { decision.untested.append((field, "drift: " + Decision.Untested.tooFewRows.rawValue)) }
            decision.tests += made
        }
        for (place, field) in screened.categories.enumerated() where schema.fields[field].drift.enabled {
            let there = before.codes(place)
            if there.allSatisfy({ $0 == Baseline.unseen }) {
                decision.untested.append((field, "drift: " + Decision.Untested.unseenField.rawValue))
                continue
            }
            let isText = screened.texts.contains(field)
            // The test of lengths already covers missing values.
            decision.tests += drift.codes(
                now.codes(place), there.filter { $0 != Baseline.unseen }, field: field,
                isLabel: place == screened.label, bands: schema.fields[field].drift.bands(.share)
            ).filter { !isText || $0.code != .missingDrift }
        }
        if let test = drift.volume(profile.rows, baseline.sizes) { decision.tests.append(test) }
    }

    /// Compares every field with the accepted batches, one by one.
    private mutating func compare(with baseline: Baseline, _ history: FeedHistory) {
        guard let now = history.compared(profile.sample, rows: profile.rows, clock: profile.clock),
            !history.comparable.isEmpty
        else {
            decision.untested.append((nil, "drift: fewer than \(FeedHistory.rowsMin) rows since the last comparison"))
            return
        }
        let share = BatchTest.share(fields: screened.numberCount + screened.categories.count)
        let feed = FeedTests(batches: history.comparable, now: now, alpha: share, rules: schema.baseline)
        if feed.isLearning {
            let count = "\(history.comparable.count) of \(schema.baseline.learning) batches"
            decision.untested.append(
                (nil, "drift: learning (\(count)): what differs is remarked on, and holds nothing yet"))
        }
        let drift = Drift(alpha: decision.alpha)
        let first = decision.tests.count
        func column(_ sample: RowSample, _ place: Int) -> [Double] { sample.column(place).ascending() }
        for place in 0..<screened.numberCount {
            let isLength = place >= screened.fields.count
            let field = isLength ? screened.texts[place - screened.fields.count] : screened.fields[place]
            guard schema.fields[field].drift.enabled else { continue }
            let form = decision.forms[place]
            var made = feed.measure(
                place, field: field, isLength: isLength, form: isLength && form.isCompared ? .measure : form,
                from: history.numberStarts[place])
            // Limits that the contract sets take precedence.
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
            if !isLength, let reason = form.reason(isNumber: true) { decision.untested.append((field, reason)) }
            decision.tests += made
        }
        for (place, field) in screened.categories.enumerated() where schema.fields[field].drift.enabled {
            let form = decision.forms[screened.numberCount + place]
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
            if let reason = form.reason(isNumber: false) { decision.untested.append((field, reason)) }
            // The test of lengths already covers missing values.
            decision.tests += made.filter { !isText || $0.code != .missingDrift }
        }
        if let test = feed.volume(profile.rows) { decision.tests.append(test) }
        decision.tellSeasons(from: first, feed)
        decision.tellMovements(from: first, feed, rows: profile.rows)
    }

    /// Updates the cumulative sums of small steps away from the anchor.
    mutating func followSlowDrift(from anchor: ReferenceLevels, sums last: SlowDrift?) {
        var sums = SlowDrift(anchor: anchor.digest, count: screened.numberCount)
        if let last, last.anchor == sums.anchor, last.rises.count == screened.numberCount { sums = last }
        let (fields, texts) = (screened.fields, screened.texts)
        let (next, found) = sums.adding(profile.sample, anchor) { place in
            place < fields.count ? fields[place] : texts[place - fields.count]
        }
        decision.slow = next
        decision.tests += found
    }
}

extension Decision {
    /// The form of each column, numbers first: as the contract declares it, else by its values.
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
}
