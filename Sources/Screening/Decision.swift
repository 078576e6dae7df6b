import Glibc
package import Schemas
package import Sketches
package import Tabular
import Validating

/// What was decided about a batch before its second pass: a pure function of profile, baseline and contract.
package struct Decision: Sendable {
    /// Where the lines come from.
    package enum Basis: String, Sendable {
        /// Rows of batches accepted before.
        case baseline
        /// The batch itself: nothing was accepted before.
        case firstContact = "first-contact"
    }

    /// Why something was not tested.
    package enum Untested: String, Sendable {
        /// Too few rows, or none.
        case tooFewRows = "too few values (30 needed)"
        /// Nothing to compare with.
        case noBaseline = "no baseline to compare with"
        /// The baseline has never seen the field.
        case unseenField = "the baseline has not seen this field"
        /// Few batches were accepted: relations inside rows vary too, if less than what is in them.
        case learning = "fewer than three batches were accepted"
        /// There is no class to test for.
        case noLabel = "no field with role: label"
        /// A label with too many values is no class.
        case noClass = "the label has one value, or more than 64"
    }

    /// The rule of each screened field that could be tested.
    package var rules: [ModifiedZ] = []
    /// Measures that predict each other.
    package var pairs: [ResidualPair] = []
    /// Fields, or -1 for the whole batch, that were not tested, by what, and why.
    package var untested: [(field: Int, reason: String)] = []
    /// The forest and its lines, when there is one.
    package var forest: ForestLines?
    /// What stands beside one label as it did not before: in the rows, and in their text.
    package var triggers: [Trigger] = [], wordTriggers: [Trigger] = []
    /// The fewest rows in which a mark beside one label would have been found, of how many rows that were looked at.
    package internal(set) var triggerPower: [(what: String, rows: Int, of: Int)] = []
    /// The evidence of the strongest pool of rare words, and the kinds of what was found in the rows.
    var pooled = 0.0, triggerKinds: [UInt64: RowItems.Kind] = [:]
    /// Rows that were looked at for marks.
    var triggerRows = 0
    /// Whether tokens of texts tell words from phrases: not in decisions before the sixth form.
    var tagsWords = true
    /// Clusters of copies: of rows, and of their text.
    package var floods: [Flood] = [], textFloods: [Flood] = []
    /// The share of rows that repeat rows of the last accepted batches, and the largest such share of an accepted batch.
    package private(set) var copiedShare = 0.0, mostCopied = 0.0
    /// Codes of rows that earlier batches had, when far more rows repeat them than before.
    package var copied = Copies([])
    /// What the neighbours say of the labels.
    package var labels: [LabelCheck] = []
    /// What a linear model says of them, and what it learnt from the accepted batches.
    package internal(set) var linear: LinearCheck?
    var linearBasis: LinearBasis?
    /// What several sources say of the same keys, when the contract compares them.
    package var cross: CrossCheck?
    /// Names of sources that may be told, by their codes.
    package var sourceNames: [UInt64: String] = [:]
    /// The source that a mark of poison comes from, where it is gone without that source's rows: by the mark's item.
    package var markSources: [UInt64: UInt64] = [:]
    /// What marks of poison do to a row.
    package var poisoning = PoisoningRules()
    /// What clusters of copies, and what marks beside one label, do to a row of this batch.
    package internal(set) var floodAction = Outcome.quarantined, triggerAction = Outcome.quarantined
    /// What repeating a row of an earlier batch does to a row.
    package internal(set) var copyAction = Outcome.quarantined
    /// Tests of the whole batch.
    package var tests: [BatchTest] = []
    /// How far the batches up to this one add up to a drift away from the anchor, when there is one.
    package var slow: SlowDrift?
    /// Each test's share of the budget of false alarms.
    package var alpha = 0.0
    /// Where the lines come from.
    package var basis: Basis
    /// Rows the lines were made from.
    package var basisRows: Int
    /// Share of basis rows beyond a modified z threshold, and beyond a pair's.
    package var flagRateZ = 0.0, flagRatePairs = 0.0
    /// The stated rate of the forest: of held-out rows, or of the rows of batches before, which lack nothing.
    package var flagRateForest: Double {
        forest.map { max($0.flagRate, remarks.share(remarks.isolated)) } ?? 0
    }
    /// The stated rate of label flips: honest rows whose neighbours agree on another label; nil when labels are not tested.
    package var flagRateLabels: Double? { (labels.map(\.flagRate) + (linear.map { [$0.doubtRate] } ?? [])).max() }
    /// When the batch's rows happened.
    package internal(set) var clock = BatchClock()
    /// How many rows were remarked on before, of how many: what an excess is held against.
    package var remarks = Baseline.Remarks()
    /// The same of each accepted batch, where they are known one by one.
    package var earlierRemarks: [Baseline.Remarks] = []
    /// What each column is, numbers first; empty where no batches are known one by one.
    package var forms: [ColumnForm] = []
    /// Whether differences are only remarked on, since few batches were accepted.
    package var isLearning = false
    /// For each key rule the rows that break it.
    package var keyErrors: [RowSet]
    /// Whether a person let the batch out in spite of what statistics say: they flag rows and the batch, and hold nothing back.
    package var waivesStatistics = false
    /// The screened fields.
    package var screened: ScreenedFields
    let rowItems: RowItems?
    let floodItems: FloodItems?

    /// Whether there are marks of poison to look for in the rows.
    package var hasMarks: Bool {
        !triggers.isEmpty || !floods.isEmpty || !copied.isEmpty || labels.contains(where: \.judgesRows)
            || linear?.judgesRows == true || needsText
    }
    /// Whether the second pass needs the code of the whole row.
    var needsRowCode: Bool { !floods.isEmpty || !copied.isEmpty }
    /// Whether the second pass needs the codes of rows.
    package var needsCodes: Bool { hasMarks || forest?.categories.isEmpty == false }
    /// Whether it needs what stands in the text.
    package var needsText: Bool {
        !wordTriggers.isEmpty || !textFloods.isEmpty || labels.contains { $0.judgesRows && $0.view.isText }
            || linear.map { $0.judgesRows && $0.readsWords } == true
    }
}

extension Decision {
    /// Decides.
    ///
    /// - Parameters:
    ///   - profile: the finished profile of the whole batch.
    ///   - keyErrors: for each key rule the rows that break it.
    ///   - baseline: rows accepted before, over the same features, or nil on first contact.
    ///   - seed: the forest's seed.
    ///   - rolling: the last accepted batches, when `baseline` is another: drift from either counts.
    ///   - anchor: what slow drift is held against, and the sums up to the last accepted batch.
    ///   - earlierRows: codes of rows of the last accepted batches, batch by batch.
    ///   - cross: what several sources say of the same keys.
    ///   - sourceNames: names of sources that may be told, by their codes.
    package init(
        _ profile: Profile, keyErrors: [RowSet], baseline: Baseline?, schema: Schema, screened: ScreenedFields,
        seed: UInt64, rolling: Baseline? = nil, anchor: (levels: Anchor, slow: SlowDrift?)? = nil,
        earlierRows: [[UInt64]] = [], cross: CrossCheck? = nil, sourceNames: [UInt64: String] = [:]
    ) {
        let names = schema.fields.map(\.name)
        let isUsable =
            baseline.map {
                $0.features == screened.numberNames(names) && $0.codes == screened.codeNames(names)
                    && $0.sample.count >= ModifiedZ.rowsMin
            } ?? false
        // The accepted batches one by one, and what each column is beside them.
        let history = isUsable ? baseline?.history : nil
        let own = profile.sample.count >= ModifiedZ.rowsMin ? BatchSummary(profile.sample, rows: profile.rows) : nil
        if let history {
            forms = Self.forms(history.known + (own.map { [$0] } ?? []), screened, schema)
            isLearning = history.comparable.count < schema.baseline.learning
            earlierRemarks = history.known.map(\.remarks)
            mostCopied = earlierRemarks.map { $0.share($0.copied) }.max() ?? 0
        } else if !isUsable, let own {
            forms = Self.forms([own], screened, schema)
        }
        // Keys and counters are in no distance: not between rows, and not between batches.
        let kinds = forms
        let blank = Set(kinds.prefix(screened.fields.count).indices.filter { kinds[$0].isLeftOut })
        let profile = profile.blanking(blank)
        let before = isUsable ? baseline?.blanking(blank) : nil
        let sample = before?.sample ?? profile.sample
        basis = isUsable ? .baseline : .firstContact
        basisRows = sample.count
        (self.screened, self.keyErrors, clock) = (screened, keyErrors, profile.clock)
        remarks = before?.remarks ?? Baseline.Remarks()
        rowItems = before.map { RowItems($0.sample, screened) }
        floodItems = before.map {
            FloodItems(
                $0.sample, measures: screened.fields.count, codeCount: screened.codeCount, label: screened.label)
        }
        makeRules(sample, schema)
        if let history { reach(history, own, sample, profile.sample) }
        // Rows of other levels would make all of these look alike, and far from them.
        let ofLevel = history?.levelSample?.blanking(blank)
        forest = ForestLines(
            ofLevel ?? sample, screened, schema.forest, seed: seed, isBaseline: isUsable,
            withheld: remarks.share(remarks.withheld))
        if let history, let own, history.compared(profile.sample, rows: own.rows) != nil {
            forest?.follow(
                profile.sample, Array(history.samples.dropFirst(history.levelStart)), ofLevel ?? sample)
        }
        alpha = BatchTest.budget / Double(Self.plannedTests(screened) * (rolling == nil ? 1 : 2))
        compare(profile, before, rolling: before == nil ? nil : rolling, schema)
        follow(profile, anchor)
        (self.cross, self.sourceNames) = (cross, sourceNames)
        if schema.poisoning.duplicates.enabled, schema.poisoning.acrossBatches, before != nil {
            lookForCopies(profile, earlierRows)
        }
        let covered = schema.poisoning.duplicates.enabled ? lookForFloods(profile, before) : ([], [])
        lookForTriggers(profile, before, rolling, schema, covered)
        poisoning = schema.poisoning
        triggerAction = poisoning.triggers.action
        (floodAction, copyAction) = (poisoning.duplicates.action, min(copyAction, poisoning.duplicates.action))
        if let history { followCopies(history.known, covered, least: min(3, schema.baseline.learning)) }
        followTriggers(profile, rolling ?? before, history, schema)
        if schema.poisoning.labelFlip.enabled {
            checkLabels(profile, before, schema, without: held(profile, schema, covered))
        }
        if let before { attribute(profile, before, schema) }
        tellCauses()
    }

    /// Whether far more rows repeat rows of earlier batches than those repeat each other: then each that does is a copy.
    ///
    /// One earlier batch does not say how many do: a table that is sent whole every day repeats itself. Then it is only a remark.
    ///
    /// Of a batch that kept all of its rows every copy is known, and is named. Of a larger one a sample is known: to name the copies
    /// that were found would tell which rows are in it, and would let the others pass. The batch is held instead.
    private mutating func lookForCopies(_ profile: Profile, _ earlier: [[UInt64]]) {
        let now = profile.sample.codes(screened.codeCount - 1).filter { $0 != 0 }
        let batches = earlier.filter { !$0.isEmpty }.suffix(Copies.batchesMax)
        let known = Copies(Array(batches))
        guard known.count >= ModifiedZ.rowsMin, now.count >= ModifiedZ.rowsMin else { return }
        let repeated = now.count(where: known.holds)
        let isTold = batches.count == 1
        // A row of one of them had a batch fewer to repeat.
        let ratio = isTold ? 1 : Double(batches.count) / Double(batches.count - 1)
        let p = Significance.excess(repeated, of: now.count, before: known.repeated, of: known.count, ratio: ratio)
        let share = Double(repeated) / Double(now.count)
        copiedShare = share
        let rate = max(ratio * Double(known.repeated) / Double(known.count), 1.5 * mostCopied)
        var test = BatchTest(
            code: .copyExcess, field: -1, statistic: p > 0 ? -log10(p) : 300, critical: -log10(alpha),
            effect: repeated >= Floods.rowsMin ? share : 0, warn: max(Floods.shareMin, 2 * rate),
            hold: isTold ? .infinity : max(0.05, 2 * rate), count: now.count, basis: known.count)
        let capacity = Baseline.capacity(words: screened.numberCount + screened.codeCount)
        let whole = Copies(batches.filter { $0.count < capacity })
        let sampled = now.count { known.holds($0) && !whole.holds($0) }
        if !isTold, sampled >= Floods.rowsMin, Double(sampled) / Double(now.count) >= test.warn {
            test.hold = test.warn
        }
        tests.append(test)
        if test.outcome > .accepted, !isTold { copied = whole }
        // So many are no rows among others: the batch is held for them, and they are named.
        if test.outcome >= .quarantined, share > Copies.apartMax { copyAction = .flagged }
    }

    /// Whether a source's rows make an alarm: without them it is gone (Baracaldo et al. 2017: the provenance defence, here
    /// without a model). Only one source can be named; where any of several would do, none is.
    private mutating func attribute(_ profile: Profile, _ baseline: Baseline, _ schema: Schema) {
        guard let source = screened.source else { return }
        let alarms = tests.indices.filter { tests[$0].outcome > .accepted && tests[$0].code.comesFromRows }
        let marks = (triggers + wordTriggers).map(\.item) + (floods + textFloods).map(\.item)
        guard !alarms.isEmpty || !marks.isEmpty else { return }
        var counts: [UInt64: Int] = [:]
        for code in profile.sample.codes(source) where code != 0 { counts[code, default: 0] += 1 }
        let most = counts.sorted { $0.value != $1.value ? $0.value > $1.value : $0.key < $1.key }.prefix(
            Self.sourcesMax)
        guard most.count >= 2 else { return }
        var clears: [Int: [UInt64]] = [:]
        var clearsMark: [UInt64: [UInt64]] = [:]
        for (code, count) in most where profile.sample.count - count >= ModifiedZ.rowsMin {
            let rest = profile.without(source, code)
            var other = self
            (other.tests, other.untested, other.labels, other.linear) = ([], [], [], nil)
            (other.triggers, other.wordTriggers, other.floods, other.textFloods) = ([], [], [], [])
            other.compare(rest, baseline, schema)
            let covered = floods.isEmpty && textFloods.isEmpty ? ([], []) : other.lookForFloods(rest, baseline)
            if !triggers.isEmpty || !wordTriggers.isEmpty {
                other.lookForTriggers(rest, baseline, nil, schema, covered)
            }
            if schema.poisoning.labelFlip.enabled, linear != nil || !labels.isEmpty {
                other.checkLabels(rest, baseline, schema, without: other.held(rest, schema, covered))
            }
            for alarm in alarms {
                // Fewer rows show less: the difference itself must be gone, too.
                let same = other.tests.filter { $0.code == tests[alarm].code && $0.field == tests[alarm].field }
                // A change of label is a test only where it is found; of the others, one that could not be made clears nothing.
                let isMade = !same.isEmpty || tests[alarm].code == .targetedFlip && !other.labels.isEmpty
                if isMade, same.allSatisfy({ $0.outcome == .accepted && $0.effect < tests[alarm].effect / 2 }) {
                    clears[alarm, default: []].append(code)
                }
            }
            let left = Set(
                (other.triggers + other.wordTriggers).map(\.item) + (other.floods + other.textFloods).map(\.item))
            for item in marks where !left.contains(item) { clearsMark[item, default: []].append(code) }
        }
        for (alarm, codes) in clears where codes.count == 1 { tests[alarm].source = codes[0] }
        for (item, codes) in clearsMark where codes.count == 1 { markSources[item] = codes[0] }
    }

    /// Sources whose rows are left out, the largest first: each costs as much as the tests once more.
    private static let sourcesMax = 8

    /// What reports call a source: its name where that may be told, else a tag that tells two apart.
    package func name(ofSource code: UInt64) -> String { sourceNames[code] ?? "#" + tag(code) }

    /// The lines of measures and of pairs of them.
    private mutating func makeRules(_ sample: RowSample, _ schema: Schema) {
        for (feature, index) in screened.fields.enumerated() where schema.fields[index].anomaly.enabled {
            let (rule, values) = (schema.fields[index].anomaly, sample.column(feature))
            // A line that the contract gives is meant.
            if basis == .firstContact, !forms.isEmpty, rule.threshold == nil {
                makeFirstRule(index, values, forms[feature], schema.fields[index])
            } else {
                add(
                    ModifiedZ(
                        field: index, values: values, threshold: rule.threshold, transform: rule.transform,
                        tails: rule.tails), index)
            }
        }
        let features = rules.map { rule in screened.fields.firstIndex(of: rule.field) ?? 0 }
        pairs = ResidualPair.find(sample, Array(zip(features, rules)).map { (feature: $0, rule: $1) })
        guard sample.count > 0 else { return }
        var (remarked, apart) = (0, 0)
        for row in 0..<sample.count {
            let numbers = sample.values[row * sample.width..<(row + 1) * sample.width]
            for (rule, feature) in zip(rules, features)
            where rule.score(numbers[numbers.startIndex + feature]) > rule.threshold {
                remarked += 1
                break
            }
            if pairs.contains(where: { $0.score(numbers) > $0.rule.threshold }) { apart += 1 }
        }
        flagRateZ = max(Double(remarked) / Double(sample.count), remarks.share(remarks.deviated))
        flagRatePairs = max(Double(apart) / Double(sample.count), remarks.share(remarks.apart))
    }

    /// Keeps a rule, or says why there is none.
    mutating func add(_ rule: ModifiedZ?, _ field: Int) {
        guard let rule else {
            // What is left out was blanked, and is said to be.
            let feature = screened.fields.firstIndex(of: field) ?? 0
            if !(forms.indices.contains(feature) && forms[feature].isLeftOut) {
                untested.append((field, ModifiedZ.Untested.tooFewRows.rawValue))
            }
            return
        }
        if rule.isConstant, rule.exceptions == 0 { untested.append((field, ModifiedZ.Untested.constant.rawValue)) }
        rules.append(rule)
    }

    /// How many tests share the budget: two for each number, two for each code, one for what is missing in each, one for the
    /// number of rows, and those of the whole batch.
    static func plannedTests(_ screened: ScreenedFields) -> Int {
        2 * screened.numberCount + 2 * screened.categories.count + screened.numberCount + screened.categories.count + 1
            + Verdict.excessTests + 3
    }

    /// Every field beside the baseline, and beside the last accepted batches when the baseline is another.
    private mutating func compare(_ profile: Profile, _ before: Baseline?, rolling: Baseline?, _ schema: Schema) {
        compare(profile, before, schema)
        guard let rolling else { return }
        let (known, said) = (tests, untested)
        compare(profile, rolling, schema)
        untested = said
        // What both say is said once; the number of rows is only the last batches' business.
        tests =
            known.filter { $0.code != .volumeDrift }
            + tests.dropFirst(known.count).filter { test in
                test.code == .volumeDrift
                    || test.outcome
                        > (known.first { $0.code == test.code && $0.field == test.field }?.outcome ?? .accepted)
            }
    }

    /// Every field beside the baseline.
    private mutating func compare(_ profile: Profile, _ baseline: Baseline?, _ schema: Schema) {
        guard let baseline else {
            untested.append((-1, "drift: " + Untested.noBaseline.rawValue))
            return
        }
        if let history = baseline.history, !forms.isEmpty { return compare(profile, baseline, history, schema) }
        let drift = Drift(alpha: alpha)
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
                untested.append((field, "drift: " + Untested.unseenField.rawValue))
                continue
            }
            let made = drift.numbers(
                column(now, place), there, field: field, isLength: isLength,
                bands: isLength ? nil : schema.fields[field].drift.bands(.psi))
            if made.isEmpty { untested.append((field, "drift: " + Untested.tooFewRows.rawValue)) }
            tests += made
        }
        for (place, field) in screened.categories.enumerated() where schema.fields[field].drift.enabled {
            let there = before.codes(place)
            if there.allSatisfy({ $0 == Baseline.unseen }) {
                untested.append((field, "drift: " + Untested.unseenField.rawValue))
                continue
            }
            let isText = screened.texts.contains(field)
            // A length says already how many are missing.
            tests += drift.codes(
                now.codes(place), there.filter { $0 != Baseline.unseen }, field: field,
                isLabel: place == screened.label, bands: schema.fields[field].drift.bands(.share)
            ).filter { !isText || $0.code != .missingDrift }
        }
        if let test = drift.volume(profile.rows, baseline.sizes) { tests.append(test) }
    }

    /// The sums of small steps away from the anchor.
    private mutating func follow(_ profile: Profile, _ anchor: (levels: Anchor, slow: SlowDrift?)?) {
        guard let anchor else { return }
        var sums = SlowDrift(anchor: anchor.levels.digest, count: screened.numberCount)
        if let last = anchor.slow, last.anchor == sums.anchor, last.rises.count == screened.numberCount { sums = last }
        let (fields, texts) = (screened.fields, screened.texts)
        let (next, found) = sums.adding(profile.sample, anchor.levels) { place in
            place < fields.count ? fields[place] : texts[place - fields.count]
        }
        slow = next
        tests += found
    }

    /// Clusters of copies.
    private mutating func lookForFloods(_ profile: Profile, _ baseline: Baseline?) -> (rows: [Bool], texts: [Bool]) {
        guard let baseline, let floodItems else {
            untested.append((-1, "copies: " + Untested.noBaseline.rawValue))
            return ([], [])
        }
        let kinds = [screened.label, screened.source].compactMap { $0 }
        var covered: (rows: [Bool], texts: [Bool])
        // Rows of one batch may lie as close together as those of another did; only elsewhere.
        (floods, covered.rows) = Floods.find(profile.sample, baseline.sample, floodItems, kinds: kinds) { level in
            baseline.history?.samples.map { Floods.largestShare($0, floodItems, level) }.max() ?? 0
        }
        covered.texts = []
        if !screened.texts.isEmpty, baseline.texts.count > 0 {
            (textFloods, covered.texts) = Floods.find(profile.texts, baseline.texts, textFloodItems, kinds: kinds)
        }
        return covered
    }

    /// Bands of the signature alone.
    var textFloodItems: FloodItems { FloodItems(codeCount: screened.codeCount) }

    /// The ranks of rows that will be held for a trigger or as copies: what is wrong with them is known, and is no reason to doubt
    /// the labels of others.
    private func held(
        _ profile: Profile, _ schema: Schema, _ covered: (rows: [Bool], texts: [Bool])
    ) -> Set<UInt64> {
        var ranks: Set<UInt64> = []
        func add(_ found: [Trigger], _ rows: ItemRows, _ sample: RowSample) {
            let labelOf = Dictionary(
                found.filter(\.isHeld).map { ($0.item, $0.label) }, uniquingKeysWith: { first, _ in first })
            for row in 0..<rows.count {
                rows.forEach(row) { if labelOf[$0] == rows.labels[row] { ranks.insert(sample.ranks[row]) } }
            }
        }
        if let label = screened.label, triggerAction >= .quarantined {
            if let rowItems, !triggers.isEmpty {
                add(triggers, ItemRows(profile.sample, label: label, rowItems), profile.sample)
            }
            if !wordTriggers.isEmpty {
                add(wordTriggers, ItemRows(tokensOf: profile.texts, label: label), profile.texts)
            }
        }
        if floodAction >= .quarantined {
            for (isCovered, rank) in zip(covered.rows, profile.sample.ranks) where isCovered { ranks.insert(rank) }
            for (isCovered, rank) in zip(covered.texts, profile.texts.ranks) where isCovered { ranks.insert(rank) }
        }
        return ranks
    }

    private mutating func checkLabels(
        _ profile: Profile, _ baseline: Baseline?, _ schema: Schema, without held: Set<UInt64>
    ) {
        guard let label = screened.label else { return }
        let field = screened.categories[label]
        guard let baseline else { return untested.append((field, "labels: " + Untested.noBaseline.rawValue)) }
        if let history = baseline.history, history.comparable.count < min(3, schema.baseline.learning) {
            return untested.append((field, "labels: " + Untested.learning.rawValue))
        }
        var views: [(view: NeighbourView, now: RowSample, before: RowSample)] = []
        if let view = LabelNeighbours(baseline.sample, screened) {
            views.append((.fields(view), profile.sample, baseline.sample))
        }
        if !screened.texts.isEmpty, let view = WordNeighbours(baseline.texts, label: label) {
            views.append((.words(view), profile.texts, baseline.texts))
        }
        labels = views.compactMap {
            LabelCheck.make(
                $0.view, $0.now, $0.before, screened, rows: profile.rows, without: held, field: field,
                alpha: alpha / Double(views.count), history: baseline.history?.known.map(\.remarks) ?? [])
        }
        // The same for every part of the batch that is left out.
        if linearBasis == nil { linearBasis = LinearBasis(baseline.parts, screened, forms) }
        linear = linearBasis.flatMap { LinearCheck.make($0, profile, screened, without: held) }
        let found = labels.flatMap(\.tests), estimated = linear?.tests ?? []
        // Neighbours and the linear model may say the same of a label: said once, by the stricter, and else by the one that estimates.
        func isSaid(_ test: BatchTest, by others: [BatchTest]) -> Bool {
            let same = others.filter { $0.code == test.code && $0.field == test.field }
            return test.outcome > .accepted
                && same.contains { $0.outcome > test.outcome || $0.outcome == test.outcome && $0.range != nil }
        }
        tests += found.filter { !isSaid($0, by: estimated) } + estimated.filter { !isSaid($0, by: found) }
        let reason: LabelCheck.Untested = views.isEmpty ? .noLabels : .noRelation
        if labels.isEmpty, linear == nil { untested.append((field, "labels: " + reason.rawValue)) }
    }
}

/// The first bits of a keyed hash: enough to tell two apart in a report, and nothing of the value.
func tag(_ item: UInt64) -> String {
    let digits = String(item >> 48, radix: 16)
    return String(repeating: "0", count: 4 - digits.count) + digits
}

extension [UInt64] {
    /// Whether an ascending list has a word.
    func holds(_ word: UInt64) -> Bool {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < word { low = middle + 1 } else { high = middle }
        }
        return low < count && self[low] == word
    }
}

extension FindingCode {
    /// Whether a batch test of this kind is about the values of rows, so that leaving rows out can clear it.
    fileprivate var comesFromRows: Bool {
        switch self {
        case .distributionDrift, .distributionShift, .lengthDrift, .lengthShift, .missingDrift, .categoryDrift,
            .newCategories, .labelShift, .labelFlipExcess, .targetedFlip:
            true
        default: false
        }
    }
}

extension ItemRows {
    /// Rows of a sample with what is in their numbers and codes.
    ///
    /// - Parameter covered: rows that have none.
    init(_ sample: RowSample, label: Int, _ items: RowItems, without covered: [Bool] = []) {
        self.init(labels: sample.codes(label)) { row, body in
            if !covered.isEmpty, covered[row] { return }
            items.forEach(sample.numbers(of: row), sample.codes(of: row)) { body($0.hash) }
        }
    }

    /// Rows of a sample with what stands in their text.
    init(tokensOf sample: RowSample, label: Int, without covered: [Bool] = []) {
        self.init(labels: sample.codes(label)) { row, body in
            if !covered.isEmpty, covered[row] { return }
            for token in sample.tokens(of: row) { body(Self.item(token)) }
        }
    }

    /// What stands in a text, as an item: without the bit that tells words from phrases, which older baselines have not.
    static func item(_ token: UInt32, isTagged: Bool = true) -> UInt64 {
        SplitMix64.mix(UInt64(isTagged ? token >> 1 : token))
    }
}
