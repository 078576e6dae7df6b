import Glibc
import Schemas
import Sketches
import Tabular

/// Marks beside one label, and what they do to a row.
extension Decision {
    /// What stands beside one label, in the rows and in their text.
    ///
    /// - Parameters:
    ///   - rolling: the last accepted batches, when the baseline is another.
    ///   - covered: rows that are copies of each other: every word of theirs would be a trigger.
    mutating func lookForTriggers(
        _ profile: Profile, _ baseline: Baseline?, _ rolling: Baseline?, _ schema: Schema,
        _ covered: (rows: [Bool], texts: [Bool])
    ) {
        guard schema.poisoning.triggers.enabled else { return }
        guard let label = screened.label else {
            return untested.append((-1, "triggers: " + Untested.noLabel.rawValue))
        }
        // Honest words of a class stand beside it too: without a baseline nothing tells them apart.
        guard let baseline, let rowItems else {
            return untested.append((-1, "triggers: " + Untested.noBaseline.rawValue))
        }
        let kinds = Set(profile.sample.codes(label)).subtracting([0])
        guard (2...Triggers.labelsMax).contains(kinds.count) else {
            return untested.append((screened.categories[label], "triggers: " + Untested.noClass.rawValue))
        }
        let known = MarkRecord.known((rolling ?? baseline).marks)
        let records = (rolling ?? baseline).marks
        let now = ItemRows(profile.sample, label: label, rowItems, without: covered.rows)
        func rows(_ from: Baseline) -> ItemRows {
            var made = ItemRows(from.sample, label: label, rowItems)
            made.levels = from.recent.levels(of: from.sample, codes: from.codes.count)
            return made
        }
        triggerRows = now.count
        if var search = TriggerSearch(now, rows(baseline), recent: rolling.map(rows)) {
            search.known = known
            let parts = baseline.parts.map { ItemRows($0.sample, label: label, rowItems) }
            let found = Triggers.steady(search.triggers(), parts)
            (triggers, triggerKinds) = planted(found, profile.sample, baseline.sample, rowItems)
            triggers = unexplained(triggers, profile.sample, baseline.sample, rowItems, label)
            tell("value", search, now.count, records, [.constant, .value, .valuePair])
        }
        guard !screened.texts.isEmpty, baseline.texts.count > 0 else { return }
        func texts(_ from: Baseline) -> ItemRows {
            var made = ItemRows(tokensOf: from.texts, label: label)
            made.levels = from.recent.levels(of: from.texts, codes: from.codes.count)
            return made
        }
        let here = ItemRows(tokensOf: profile.texts, label: label, without: covered.texts)
        guard var search = TriggerSearch(here, texts(baseline), recent: rolling.map(texts)) else { return }
        search.known = known
        wordTriggers = Triggers.steady(
            search.triggers(), baseline.parts.map { ItemRows(tokensOf: $0.texts, label: label) })
        let sample = profile.texts
        let pool = search.pool { row, body in
            if !covered.texts.isEmpty, covered.texts[row] { return }
            for token in sample.tokens(of: row) where TextItems.isWord(token) { body(ItemRows.item(token)) }
        }
        pooled = pool.evidence
        let alone = Set(wordTriggers.map(\.item))
        wordTriggers += pool.marks.filter { !alone.contains($0.item) }
        wordTriggers.sort { $0.item < $1.item }
        tell("word", search, here.count, records, [.word])
    }

    /// Without new values that are no more frequent than values of their column are; and what each of the others is.
    private func planted(
        _ found: [Trigger], _ sample: RowSample, _ baseline: RowSample, _ items: RowItems
    ) -> ([Trigger], [UInt64: RowItems.Kind]) {
        var wanted = Dictionary(found.map { ($0.item, $0) }, uniquingKeysWith: { first, _ in first })
        var (kept, kinds): ([Trigger], [UInt64: RowItems.Kind]) = ([], [:])
        var shares: [RowItems.Kind: [Int: Double]] = [:]
        for row in 0..<sample.count where !wanted.isEmpty {
            items.forEach(sample.numbers(of: row), sample.codes(of: row)) { item in
                guard let one = wanted.removeValue(forKey: item.hash) else { return }
                let share = shares[item.kind]?[item.place] ?? items.ordinaryShare(item, in: baseline)
                shares[item.kind, default: [:]][item.place] = share
                if Double(one.here) > share * Double(sample.count) {
                    kept.append(one)
                    kinds[item.hash] = item.kind
                }
            }
        }
        return (kept.sorted { $0.item < $1.item }, kinds)
    }

    /// Without tails of several measures that stand beside the label because one of them alone does, in the baseline too: that relation is
    /// the data's own, and only how many rows are that far out has changed.
    private func unexplained(
        _ found: [Trigger], _ sample: RowSample, _ baseline: RowSample, _ items: RowItems, _ label: Int
    ) -> [Trigger] {
        let tails = Set(found.map(\.item).filter { triggerKinds[$0] == .tailPair || triggerKinds[$0] == .tailTriple })
        if tails.isEmpty { return found }
        var parts: [UInt64: [RowItems.Tail]] = [:]
        for row in 0..<sample.count where parts.count < tails.count {
            items.forEachTail(sample.numbers(of: row)) { if tails.contains($0) { parts[$0] = $1 } }
        }
        // Of each single tail: rows of the baseline in it, by label.
        var counts: [RowItems.Tail: [UInt64: Int]] = [:]
        let labels = baseline.codes(label)
        for row in 0..<baseline.count where labels[row] != 0 && labels[row] != Baseline.unseen {
            for tail in items.tails(of: baseline.numbers(of: row)) {
                counts[tail, default: [:]][labels[row], default: 0] += 1
            }
        }
        return found.filter { mark in
            guard let own = parts[mark.item] else { return true }
            return !own.contains { tail in
                let all = counts[tail] ?? [:]
                let share = (Double(all[mark.label] ?? 0) + 1) / (Double(all.values.reduce(0, +)) + 2)
                return -log(max(Significance.binomialTail(mark.pure, of: mark.count, share), 1e-300)) < mark.critical
            }
        }
    }

    /// Says what the test would have seen.
    private mutating func tell(
        _ what: String, _ search: TriggerSearch, _ count: Int, _ records: [MarkRecord], _ kinds: [RowItems.Kind]
    ) {
        let least = kinds.map { line($0, records) }.max() ?? 0
        if let rows = search.power(least: least) {
            triggerPower.append((what, rows, count))
        } else {
            untested.append((-1, "triggers: too few rows for a \(what) beside one label to be beyond chance"))
        }
    }

    /// The share of rows that a mark must have to be held: honest new words and values come at their own rate.
    private func line(_ kind: RowItems.Kind, _ records: [MarkRecord]) -> Double {
        max(Triggers.shareMin, 2 * (records.map { $0.share(kind) }.max() ?? 0))
    }

    /// Which marks hold their rows back: those that more rows have than one of their kind had in any accepted batch, and those that were
    /// caught before. Relations inside rows vary little, and hold from the third batch on; what lies in the tails of measures moves with
    /// the measures, and holds once drift does.
    mutating func followTriggers(
        _ profile: Profile, _ newest: Baseline?, _ history: FeedHistory?, _ schema: Schema
    ) {
        // What a quarter of the rows has is no mark but another kind of batch, which other tests are about.
        triggers.removeAll { $0.here > profile.sample.count / 4 }
        wordTriggers.removeAll { $0.here > profile.texts.count / 4 }
        guard let history, let newest else { return }
        let batches = history.known.count
        let (least, learning) = (min(3, schema.baseline.learning), schema.baseline.learning)
        let known = MarkRecord.known(newest.marks)
        // Baselines from before marks were recorded say only how many rows had one.
        let older =
            newest.marks.isEmpty
            ? history.known.map { $0.remarks.share($0.remarks.triggered) }.max() ?? 0 : 0
        let pools = newest.marks.map { Double($0.pooled) / 100 }.max() ?? 0
        func follow(_ mark: Trigger, _ kind: RowItems.Kind, of rows: Int) -> Bool {
            if batches < least { return false }
            if let caught = known[mark.item], caught.label == mark.label { return true }
            if mark.isPooled { return pooled > 1.5 * pools }
            if kind == .tailPair || kind == .tailTriple, batches < learning { return false }
            return Double(mark.here) / Double(max(rows, 1)) > max(line(kind, newest.marks), 2 * older)
        }
        for place in triggers.indices {
            triggers[place].isHeld = follow(
                triggers[place], triggerKinds[triggers[place].item] ?? .value, of: profile.sample.count)
        }
        for place in wordTriggers.indices {
            wordTriggers[place].isHeld = follow(wordTriggers[place], .word, of: profile.texts.count)
        }
    }

    /// What a mark does to its rows.
    func outcome(of mark: Trigger) -> Outcome { mark.isHeld ? triggerAction : min(triggerAction, .flagged) }

    /// What later batches are to know of this one's marks.
    package var markRecord: MarkRecord {
        var record = MarkRecord()
        func isHeld(_ mark: Trigger) -> Bool { outcome(of: mark) >= .quarantined && !waivesStatistics }
        record.rows = triggerRows
        for mark in triggers + wordTriggers where !mark.isPooled && !isHeld(mark) {
            let kind = Int((triggerKinds[mark.item] ?? .word).rawValue) - 1
            record.largest[kind] = max(record.largest[kind], mark.here)
        }
        if !wordTriggers.contains(where: { $0.isPooled && isHeld($0) }) { record.pooled = Int(pooled * 100) }
        let told = (triggers + wordTriggers).filter { $0.isHeld && outcome(of: $0) >= .quarantined }
        record.caught = told.sorted { ($1.here, $0.item) < ($0.here, $1.item) }.prefix(MarkRecord.caughtMax).map {
            MarkRecord.Caught(item: $0.item, label: $0.label, count: $0.here, isHeld: isHeld($0))
        }
        return record
    }
}

extension Trigger {
    /// Whether a row is named by this mark rather than by the other.
    func outweighs(_ other: Trigger?) -> Bool {
        guard let other else { return true }
        return isHeld != other.isHeld ? isHeld : z > other.z
    }
}
