import Glibc
import Schemas
import Sketches
import Tabular

/// The thresholds for single values and for pairs of measures.
extension Deliberation {
    /// Computes the thresholds of measures and of pairs of them.
    mutating func makeRules(_ sample: RowSample) {
        for (feature, index) in screened.fields.enumerated() where schema.fields[index].anomaly.enabled {
            let (rule, values) = (schema.fields[index].anomaly, sample.column(feature))
            // A threshold that the contract sets takes precedence.
            if decision.basis == .firstContact, !decision.forms.isEmpty, rule.threshold == nil {
                makeFirstRule(values, field: index, form: decision.forms[feature])
            } else {
                add(ModifiedZ(field: index, values: values, rule: rule), index)
            }
        }
        let features = decision.rules.map { rule in screened.fields.firstIndex(of: rule.field) ?? 0 }
        decision.pairs = ResidualPair.find(sample, Array(zip(features, decision.rules)).map { (feature: $0, rule: $1) })
        guard sample.count > 0 else { return }
        var (remarked, apart) = (0, 0)
        for row in 0..<sample.count {
            let numbers = sample.values[row * sample.width..<(row + 1) * sample.width]
            for (rule, feature) in zip(decision.rules, features)
            where rule.score(numbers[numbers.startIndex + feature]) > rule.threshold {
                remarked += 1
                break
            }
            if decision.pairs.contains(where: { $0.score(numbers) > $0.rule.threshold }) { apart += 1 }
        }
        let remarks = decision.remarks
        decision.flagRateZ = max(Double(remarked) / Double(sample.count), remarks.share(remarks.deviated))
        decision.flagRatePairs = max(Double(apart) / Double(sample.count), remarks.share(remarks.apart))
    }

    /// Keeps a rule, or notes why there is none.
    private mutating func add(_ rule: ModifiedZ?, _ field: Int) {
        guard let rule else {
            // A column that is left out was blanked, and is reported as left out.
            let feature = screened.fields.firstIndex(of: field) ?? 0
            if !(decision.forms.indices.contains(feature) && decision.forms[feature].isLeftOut) {
                decision.untested.append((field, ModifiedZ.Untested.tooFewRows.rawValue))
            }
            return
        }
        if rule.isConstant, rule.exceptions == 0 {
            decision.untested.append((field, ModifiedZ.Untested.constant.rawValue))
        }
        decision.rules.append(rule)
    }

    /// Makes the rule of a column at cold start.
    private mutating func makeFirstRule(_ column: [Double], field: Int, form: ColumnForm) {
        let contract = schema.fields[field]
        func leave() {
            decision.untested.append((field, form.reason(isNumber: true) ?? "statistics: \(form.rawValue)"))
        }
        guard form != .key, form != .twoValued else { return leave() }
        let all = BatchSummary.measure(column)
        // Of a few integer codes the rare ones are no outliers; of declared codes none is.
        if form == .code, all.modeShare > 0.5 || contract.form == .code { return leave() }
        var values = column
        var gap: ValueGap?
        let mode = form == .sparse ? all.mode : .nan
        if form == .measure || form == .sparse {
            gap = ValueGap(column.filter { $0.isFinite && $0 != mode }.ascending())
            if let gap {
                decision.tests.append(gap.test(field: field, of: column.count))
                values.removeAll(where: gap.isBehind)
            }
        }
        var rule = contract.anomaly
        rule.threshold = nil
        var made = ModifiedZ(field: field, values: values, rule: rule)
        made?.gap = gap
        if let rule = made, !rule.isConstant {
            // Most values are equal: deviations have no scale there, and the rare other values are no outliers.
            if form == .constant { return leave() }
            if form == .sparse {
                made?.reach = RowReach([BatchSummary.measure(values)], isSparse: true, own: nil) {
                    rule.usesLog ? ($0 > -1 ? log1p($0) : -.infinity) : $0
                }
                if made?.reach == nil { return leave() }
            }
        }
        add(made, field)
    }

    /// Adapts the rules to the accepted batches. A batch's centre is tested once, and rows are judged by their distance
    /// from the interval in which centres may lie. The centre of a batch that is too small to be compared was not
    /// tested, so then only accepted centres count.
    mutating func followRules(_ history: FeedHistory, own: BatchSummary?, accepted sample: RowSample) {
        let now = profile.sample
        let isCompared = own != nil && history.compared(now, rows: now.offered) != nil
        let batches = history.known
        decision.rules = decision.rules.compactMap { rule in
            guard let feature = screened.fields.firstIndex(of: rule.field) else { return rule }
            let form = decision.forms[feature]
            // Otherwise a rare other value of the column would become an outlier.
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
            // A single number for both sides, for reports: multiples of the spread inside batches.
            rule.threshold = min(reach.remarkAbove, reach.remarkBelow)
            rule.isConstant = false
            if form == .measure {
                rule.gap = ValueGap(now.column(feature), accepted: sample.column(feature))
            }
            return rule
        }
        for place in decision.pairs.indices { decision.pairs[place].follow(isCompared ? now : nil, sample) }
    }
}
