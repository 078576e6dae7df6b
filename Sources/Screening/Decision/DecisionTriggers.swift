import Glibc
import Schemas
import Sketches
import Tabular

/// Detects triggers.
extension Deliberation {
    /// The trigger candidates of earlier batches, newest first.
    private var records: [MarkRecord] { (rolling ?? before)?.marks ?? [] }

    /// Finds triggers in the fields and in the text. Copies are left out, since all their words would be triggers.
    mutating func findTriggers() {
        guard schema.poisoning.triggers.enabled else { return }
        guard let label = screened.label else {
            return decision.untested.append((nil, "triggers: " + Decision.Untested.noLabel.rawValue))
        }
        // Honest words of a class occur with one label too; without a baseline they cannot be distinguished from
        // triggers.
        guard let baseline = before, let rowItems = decision.rowItems else {
            return decision.untested.append((nil, "triggers: " + Decision.Untested.noBaseline.rawValue))
        }
        let kinds = Set(profile.sample.codes(label)).subtracting([0])
        guard (2...Triggers.labelsMax).contains(kinds.count) else {
            return decision.untested.append(
                (screened.categories[label], "triggers: " + Decision.Untested.noClass.rawValue))
        }
        let known = MarkRecord.known(records)
        let now = ItemRows(profile.sample, label: label, rowItems, without: covered.rows)
        func rows(_ from: Baseline) -> ItemRows {
            var made = ItemRows(from.sample, label: label, rowItems)
            made.levels = from.recent.levels(of: from.sample, codes: from.codes.count)
            return made
        }
        decision.triggerRows = now.count
        if var search = TriggerSearch(now, rows(baseline), recent: rolling.map(rows)) {
            search.known = known
            let parts = baseline.parts.map { ItemRows($0.sample, label: label, rowItems) }
            let found = Triggers.steady(search.triggers(), parts, except: known)
            keepPlanted(found, among: rowItems, in: baseline.sample)
            removeExplained(by: rowItems, in: baseline.sample, label: label)
            tellPower(of: search, for: "value", [.constant, .value, .valuePair])
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
        decision.wordTriggers = Triggers.steady(
            search.triggers(), baseline.parts.map { ItemRows(tokensOf: $0.texts, label: label) }, except: known)
        let sample = profile.texts
        let pool = search.pool { row, body in
            if !covered.texts.isEmpty, covered.texts[row] { return }
            for token in sample.tokens(of: row) where TextItems.isWord(token) { body(ItemRows.item(token)) }
        }
        decision.pooled = pool.evidence
        let alone = Set(decision.wordTriggers.map(\.item))
        decision.wordTriggers += pool.marks.filter { !alone.contains($0.item) }
        decision.wordTriggers.sort { $0.item < $1.item }
        tellPower(of: search, for: "word", [.word])
    }

    /// Keeps the candidates that are more than ordinary new values, with the kind of each: a new value may be as
    /// frequent as other values of its column.
    private mutating func keepPlanted(_ found: [Trigger], among items: RowItems, in baseline: RowSample) {
        let sample = profile.sample
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
        (decision.triggers, decision.triggerKinds) = (kept.sorted { $0.item < $1.item }, kinds)
    }

    /// Removes combinations of extreme measures that occur with the label because one of them alone does, also in the
    /// baseline. That relation belongs to the data; only the number of extreme rows has changed.
    private mutating func removeExplained(by items: RowItems, in baseline: RowSample, label: Int) {
        let (sample, kinds) = (profile.sample, decision.triggerKinds)
        let tails = Set(decision.triggers.map(\.item).filter { kinds[$0] == .tailPair || kinds[$0] == .tailTriple })
        if tails.isEmpty { return }
        var parts: [UInt64: [RowItems.Tail]] = [:]
        for row in 0..<sample.count where parts.count < tails.count {
            items.forEachTail(sample.numbers(of: row)) { if tails.contains($0) { parts[$0] = $1 } }
        }
        // For each single tail, the baseline's rows in it by label.
        var counts: [RowItems.Tail: [UInt64: Int]] = [:]
        let labels = baseline.codes(label)
        for row in 0..<baseline.count where labels[row] != 0 && labels[row] != Baseline.unseen {
            for tail in items.tails(of: baseline.numbers(of: row)) {
                counts[tail, default: [:]][labels[row], default: 0] += 1
            }
        }
        decision.triggers.removeAll { mark in
            guard let own = parts[mark.item] else { return false }
            return own.contains { tail in
                let all = counts[tail] ?? [:]
                let share = (Double(all[mark.label] ?? 0) + 1) / (Double(all.values.reduce(0, +)) + 2)
                return -log(max(Significance.binomialTail(mark.pure, of: mark.count, share), 1e-300)) < mark.critical
            }
        }
    }

    /// Notes the fewest rows in which the search would have found a trigger of these kinds.
    private mutating func tellPower(of search: TriggerSearch, for what: String, _ kinds: [RowItems.Kind]) {
        let least = kinds.map(shareLine).max() ?? 0
        if let rows = search.power(least: least) {
            decision.triggerPower.append((what, rows, search.now.count))
        } else {
            decision.untested.append((nil, "triggers: too few rows for a \(what) beside one label to be beyond chance"))
        }
    }

    /// The share of rows from which a candidate is held: honest new words and values have rates of their own.
    private func shareLine(_ kind: RowItems.Kind) -> Double {
        max(Triggers.shareMin, 2 * (records.map { $0.share(kind) }.max() ?? 0))
    }

    /// Decides which triggers hold their rows back: those with more rows than any candidate of their kind had in an
    /// accepted batch, and those that were caught before. Relations inside rows vary little, so triggers hold from the
    /// third batch on. Combinations of extremes move with the measures, so they hold only once drift does.
    mutating func followTriggers() {
        // An item in a quarter of the rows is not a trigger but another kind of batch, which other tests detect.
        let (rowCount, textCount) = (profile.sample.count, profile.texts.count)
        decision.triggers.removeAll { $0.here > rowCount / 4 }
        decision.wordTriggers.removeAll { $0.here > textCount / 4 }
        guard let history, let newest = rolling ?? before else { return }
        let batches = history.known.count
        let (least, learning) = (min(3, schema.baseline.learning), schema.baseline.learning)
        let known = MarkRecord.known(newest.marks)
        // Baselines of versions without records of triggers have only the number of rows with one.
        let older =
            newest.marks.isEmpty
            ? history.known.map { $0.remarks.share($0.remarks.triggered) }.max() ?? 0 : 0
        let pools = newest.marks.map { PoolEvidence.read($0.pooled) }.max() ?? 0
        func follow(_ mark: Trigger, _ kind: RowItems.Kind, of rows: Int) -> Bool {
            if batches < least { return false }
            if let caught = known[mark.item], caught.label == mark.label { return true }
            if mark.isPooled { return decision.pooled > pools }
            if kind == .tailPair || kind == .tailTriple, batches < learning { return false }
            return Double(mark.here) / Double(max(rows, 1)) > max(shareLine(kind), 2 * older)
        }
        for place in decision.triggers.indices {
            let mark = decision.triggers[place]
            decision.triggers[place].isHeld = follow(mark, decision.triggerKinds[mark.item] ?? .value, of: rowCount)
        }
        for place in decision.wordTriggers.indices {
            decision.wordTriggers[place].isHeld = follow(decision.wordTriggers[place], .word, of: textCount)
        }
    }
}

extension Decision {
    /// The outcome of rows with a trigger.
    func outcome(of mark: Trigger) -> Outcome { mark.isHeld ? triggerAction : min(triggerAction, .flagged) }

    /// The record of this batch's trigger candidates, for later batches.
    package var markRecord: MarkRecord {
        var record = MarkRecord()
        func isHeld(_ mark: Trigger) -> Bool {
            outcome(of: mark) >= .quarantined && !waivers.covers(.trigger, field: nil)
        }
        record.rows = triggerRows
        for mark in triggers + wordTriggers where !mark.isPooled && !isHeld(mark) {
            let kind = Int((triggerKinds[mark.item] ?? .word).rawValue) - 1
            record.largest[kind] = max(record.largest[kind], mark.here)
        }
        if !wordTriggers.contains(where: { $0.isPooled && isHeld($0) }) { record.pooled = PoolEvidence.stored(pooled) }
        let caught = (triggers + wordTriggers).filter { $0.isHeld && outcome(of: $0) >= .quarantined }
        record.caught = caught.sorted { ($1.here, $0.item) < ($0.here, $1.item) }.prefix(MarkRecord.caughtMax).map {
            MarkRecord.Caught(item: $0.item, label: $0.label, count: $0.here, isHeld: isHeld($0))
        }
        return record
    }
}

extension Trigger {
    /// Whether a row is reported under this trigger rather than the other.
    func outweighs(_ other: Trigger?) -> Bool {
        guard let other else { return true }
        return isHeld != other.isHeld ? isHeld : z > other.z
    }
}
