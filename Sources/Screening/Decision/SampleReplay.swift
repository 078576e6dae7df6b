package import Schemas
package import Sketches
package import Tabular

/// Judges an accepted batch again by the sample of its released rows.
///
/// Tests that need more text than the sampled words, the keys or the file itself are left out. Rows that were held back
/// are not in the sample.
package struct SampleReplay: Sendable {
    /// The decision.
    package let decision: Decision
    /// The verdict that it would lead to.
    package let verdict: BatchVerdict
    /// Number of rows of the sample, and of those that would be held back.
    package let rows: Int, held: Int
    /// The findings about rows of the sample.
    package let findings: FindingCounts

    /// Judges a batch's sample against the merged baselines of the batches accepted before it.
    ///
    /// - Parameters:
    ///   - batch: its own baseline, with the screened fields.
    ///   - precedents: the batches that were accepted before it.
    ///   - actions: by field, the outcome of rows with an outlier.
    package init(
        _ batch: Baseline, beside precedents: Precedents, schema: Schema, screened: ScreenedFields,
        actions: [Int: Outcome]
    ) {
        // The contract's limits on row counts apply to files, not to samples of released rows.
        var schema = schema
        schema.batch.minRows = 0
        schema.batch.maxRejected = nil
        let count = batch.sizes.last ?? batch.sample.offered
        decision = Decision(
            Profile(replaying: batch.sample, batch.texts, rows: count, clock: batch.clock), beside: precedents,
            schema: schema, screened: screened, seed: 0)
        var counts = OutcomeCounts()
        counts.add(RowReplay(decision, actions: actions), batch.sample, batch.texts)
        verdict = BatchVerdict(decision, counts, schema: schema)
        rows = batch.sample.count
        held = counts.count(.quarantined)
        findings = counts.findings
    }
}

/// Finds in sampled rows what `Screener` finds in rows of a file, as far as the sample allows.
struct RowReplay {
    private let decision: Decision
    private let actions: [Int: Outcome]
    private let triggers: [UInt64: Trigger], words: [UInt64: Trigger]
    private let floods: Set<UInt64>, textFloods: Set<UInt64>

    init(_ decision: Decision, actions: [Int: Outcome]) {
        self.decision = decision
        self.actions = actions
        func byItem(_ marks: [Trigger]) -> [UInt64: Trigger] {
            Dictionary(marks.map { ($0.item, $0) }, uniquingKeysWith: { first, _ in first })
        }
        (triggers, words) = (byItem(decision.triggers), byItem(decision.wordTriggers))
        (floods, textFloods) = (Set(decision.floods.map(\.item)), Set(decision.textFloods.map(\.item)))
    }

    /// The findings of every row of a sample.
    func findings(_ sample: RowSample, _ texts: RowSample) -> [[Finding]] {
        var found = [[Finding]](repeating: [], count: sample.count)
        func add(_ code: FindingCode, _ outcome: Outcome, _ row: Int, field: Int? = nil) {
            found[row].append(Finding(code, outcome: outcome, at: Finding.Location(row: row + 1, field: field)))
        }
        let screened = decision.screened
        for rule in decision.rules {
            guard let feature = screened.fields.firstIndex(of: rule.field) else { continue }
            for row in 0..<sample.count {
                let value = sample.values[row * sample.width + feature]
                let action = actions[rule.field] ?? .flagged
                if let (code, outcome) = rule.judge(value, score: rule.score(value), action: action) {
                    add(code, outcome, row, field: rule.field)
                }
            }
        }
        for pair in decision.pairs {
            for row in 0..<sample.count {
                let (from, to) = (
                    sample.values[row * sample.width + pair.from], sample.values[row * sample.width + pair.to]
                )
                let score = pair.score(from, to)
                if score <= pair.rule.threshold { continue }
                let isFar = pair.isFar(from, to, score: score)
                add(.pairResidual, isFar ? .quarantined : .flagged, row, field: pair.rule.field)
            }
        }
        isolated(sample) { row, isHeld in add(.isolatedRow, isHeld ? .quarantined : .flagged, row) }
        marks(sample, texts) { code, outcome, row in add(code, outcome, row) }
        return found
    }

    private func isolated(_ sample: RowSample, _ tell: (Int, Bool) -> Void) {
        guard let lines = decision.forest else { return }
        let columns = lines.inputs.map { input in
            (0..<sample.count).map { row -> Double in
                switch input {
                case .measure(let place): sample.values[row * sample.width + place]
                case .missing(let place): sample.values[row * sample.width + place].isNaN ? 1 : 0
                case .rarity(let place): lines.rarity(place, sample.codes[row * sample.codeWidth + place])
                }
            }
        }
        for (row, sum) in lines.forest.sums(columns).enumerated() where sum < lines.flagBelow {
            tell(row, sum < lines.quarantineBelow)
        }
    }

    private func marks(
        _ sample: RowSample, _ texts: RowSample, _ tell: (FindingCode, Outcome, Int) -> Void
    ) {
        // The sample of texts has the rows with the smallest ranks of the other sample.
        let textRows = Dictionary(
            texts.ranks.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        for place in 0..<sample.count {
            let (numbers, codes) = (sample.numbers(of: place), sample.codes(of: place))
            let text = textRows[sample.ranks[place]]
            if has(trigger: numbers, codes, text.map { texts.tokens(of: $0) } ?? []) {
                tell(.trigger, decision.triggerAction, place)
            }
            if has(flood: numbers, codes, text.map { texts.codes(of: $0) }) {
                tell(.floodedRow, decision.floodAction, place)
            }
            if let whole = codes.last, !decision.copied.isEmpty, decision.copied.holds(whole) {
                tell(.copiedRow, decision.copyAction, place)
            }
            guard let label = decision.screened.label else { continue }
            for check in decision.labels where check.judgesRows && (!check.view.isText || text != nil) {
                let row = LabelledRow(
                    numbers: numbers, codes: codes, tokens: text.map { texts.tokens(of: $0) } ?? [])
                if case .differs(let outcome, _) = check.judge(row, label: label) {
                    tell(.labelFlip, min(outcome, decision.poisoning.labelFlip.action), place)
                }
            }
        }
    }

    private func has(
        trigger numbers: ArraySlice<Double>, _ codes: ArraySlice<UInt64>, _ tokens: ArraySlice<UInt32>
    ) -> Bool {
        let own = decision.screened.label.map { codes[codes.startIndex + $0] }
        var isFound = false
        if !triggers.isEmpty {
            decision.rowItems?.forEach(numbers, codes) { item in
                if let found = triggers[item.hash], found.label == own { isFound = true }
            }
        }
        return isFound || !words.isEmpty && tokens.contains { words[ItemRows.item($0)]?.label == own && own != nil }
    }

    private func has(
        flood numbers: ArraySlice<Double>, _ codes: ArraySlice<UInt64>, _ text: ArraySlice<UInt64>?
    ) -> Bool {
        var isFound = false
        if let items = decision.floodItems, !floods.isEmpty {
            for level in 0..<items.levels {
                items.forEach(numbers, codes, at: level) { if floods.contains($0) { isFound = true } }
            }
        }
        if let text, !textFloods.isEmpty {
            let items = decision.textFloodItems
            for level in 0..<items.levels {
                items.forEach([], text, at: level) { if textFloods.contains($0) { isFound = true } }
            }
        }
        return isFound
    }
}
