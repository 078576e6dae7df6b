import Schemas
import Sketches
import Tabular
import Validating

/// The screening of one block: its rows, with the findings about them so far.
struct BlockScreening {
    let screener: Screener
    let validated: ValidatedBlock
    let batch: RowBlock
    var remarks: Remarks

    init(_ validated: ValidatedBlock, by screener: Screener) {
        (self.screener, self.validated, batch) = (screener, validated, validated.batch)
        remarks = Remarks(validated, screener.decision)
    }

    /// The block with its outcomes.
    consuming func finish() -> ScreenedBlock { remarks.finish() }

    // MARK: Values

    /// Compares every measure with its threshold.
    mutating func screenValues() {
        let screened = screener.decision.screened
        for (place, rule) in screener.decision.rules.enumerated() {
            guard let feature = screened.fields.firstIndex(of: rule.field) else { continue }
            screen(validated.numbers[screened.slots[feature]], by: rule, at: place)
        }
    }

    private mutating func screen(_ column: [Double], by rule: ModifiedZ, at place: Int) {
        let action = screener.actions[rule.field] ?? .flagged
        let isValid = validated.isValid
        for row in column.indices where isValid[row] {
            let score = rule.score(column[row])
            if !column[row].isNaN { remarks.scores.addDeviation(place, score, threshold: rule.threshold) }
            guard let (code, outcome) = rule.judge(column[row], score: score, action: action) else { continue }
            let finding = batch.finding(code, outcome: outcome, at: row, field: rule.field)
            // For a constant column there is no distance.
            remarks.add(rule.isConstant ? finding : finding.measuring(score, against: rule.threshold))
        }
    }

    /// Compares measures with their predictions from other measures.
    mutating func screenPairs() {
        let (screened, isValid) = (screener.decision.screened, validated.isValid)
        for pair in screener.decision.pairs {
            let from = validated.numbers[screened.slots[pair.from]]
            let to = validated.numbers[screened.slots[pair.to]]
            for row in from.indices where isValid[row] {
                let score = pair.score(from[row], to[row])
                if score <= pair.rule.threshold { continue }
                let isFar = pair.isFar(from[row], to[row], score: score)
                remarks.add(
                    batch.finding(
                        .pairResidual, outcome: isFar ? .quarantined : .flagged, at: row, field: pair.rule.field
                    ).measuring(score, against: pair.rule.threshold, contributors: [screened.fields[pair.from]]))
            }
        }
    }

    // MARK: Rows

    /// Finds rows that are easier to isolate than those of the baseline.
    ///
    /// - Parameter codes: rows × codes.
    mutating func screenRows(by lines: ForestThresholds, _ codes: [UInt64]) {
        let (validated, screened) = (validated, screener.decision.screened)
        let (slots, width) = (screened.slots, screened.codeCount)
        let columns = lines.inputs.map { (input) -> [Double] in
            switch input {
            case .measure(let place): return validated.numbers[slots[place]]
            case .missing(let place): return validated.numbers[slots[place]].map { $0.isNaN ? 1 : 0 }
            case .rarity(let place):
                return (0..<validated.batch.count).map { lines.rarity(place, codes[$0 * width + place]) }
            }
        }
        let sums = lines.forest.sums(columns)
        for row in sums.indices where validated.isValid[row] {
            remarks.scores.addPath(sums[row], trees: lines.forest.trees)
            if sums[row] >= lines.flagBelow { continue }
            let isHeld = sums[row] < lines.quarantineBelow
            remarks.add(
                batch.finding(.isolatedRow, outcome: isHeld ? .quarantined : .flagged, at: row)
                    .measuring(
                        lines.forest.score(sums[row]),
                        against: lines.forest.score(isHeld ? lines.quarantineBelow : lines.flagBelow),
                        contributors: lines.forest.contributors(columns.map { $0[row] })))
        }
    }

    // MARK: Sources

    /// Finds values that other suppliers contradict, and rows of distrusted suppliers.
    mutating func compareSources(_ cross: CrossCheck) {
        for conflict in cross.conflicts(in: batch.firstRow..<batch.firstRow + batch.count) {
            remarks.add(
                batch.finding(
                    .sourceConflict, outcome: cross.action, at: conflict.row - batch.firstRow, field: conflict.field
                ).measuring(conflict.support, against: 0.5))
        }
        guard !cross.distrusted.isEmpty, let assertions = screener.reader.assertions, assertions.hasNamedSources else {
            return
        }
        for row in 0..<batch.count where validated.isValid[row] {
            let code = assertions.source(batch, row: row)
            guard cross.distrusted.holds(code) else { continue }
            remarks.add(
                batch.finding(
                    .sourceDistrusted, outcome: .quarantined, at: row,
                    field: screener.decision.screened.source.map { screener.decision.screened.categories[$0] }
                ).measuring(cross.trust(of: code), against: CrossCheck.trustMin)
                    .naming("source " + screener.decision.name(ofSource: code)))
        }
    }

    // MARK: Poison

    /// The name of a trigger, with the supplier that it comes from, if one can be named.
    private func name(_ mark: String, _ item: UInt64) -> String {
        let source =
            screener.decision.markSources[item].map { " from source " + screener.decision.name(ofSource: $0) } ?? ""
        return "\(mark) #\(tag(item))\(source)"
    }

    /// Finds triggers, copies, and labels that do not fit.
    ///
    /// - Parameter codes: rows × codes.
    mutating func findMarks(_ codes: [UInt64]) {
        let (reader, validated, batch) = (screener.reader, validated, batch)
        let (triggers, words) = (screener.triggers, screener.words)
        let (floods, textFloods) = (screener.floods, screener.textFloods)
        let decision = screener.decision
        let width = decision.screened.codeCount
        var features = RowFeatures()
        for row in 0..<batch.count where validated.isValid[row] {
            reader.readNumbers(batch, validated.numbers, row: row, withLengths: false, into: &features)
            let numbers = features.numbers[...]
            let rowCodes = codes[row * width..<(row + 1) * width]
            var trigger: (Trigger, kind: String)?
            // With another label the item is not a trigger.
            let own = decision.screened.label.map { rowCodes[rowCodes.startIndex + $0] }
            if let items = decision.rowItems, !triggers.isEmpty {
                items.forEach(numbers, rowCodes) { item in
                    if let found = triggers[item.hash], found.label == own, found.outweighs(trigger?.0) {
                        trigger = (found, item.kind.name)
                    }
                }
            }
            var flood: Flood?
            if let items = decision.floodItems, !floods.isEmpty {
                for level in 0..<items.levels {
                    items.forEach(numbers, rowCodes, at: level) { item in
                        if let found = floods[item], found.count > flood?.count ?? 0 { flood = found }
                    }
                }
            }
            if decision.needsText {
                features.codes = Array(rowCodes)
                reader.readText(
                    batch, row: row, isWhole: true, isTagged: decision.tagsWords, into: &features)
                for token in features.items {
                    if let found = words[ItemRows.item(token, isTagged: decision.tagsWords)], found.label == own,
                        found.outweighs(trigger?.0)
                    {
                        trigger = (found, found.isPooled ? "one of several words" : "words")
                    }
                }
                let items = decision.textFloodItems
                for level in 0..<items.levels where !textFloods.isEmpty {
                    items.forEach([], features.codes[...], at: level) { item in
                        if let found = textFloods[item], found.count > flood?.count ?? 0 { flood = found }
                    }
                }
            }
            if let (found, kind) = trigger {
                remarks.add(
                    batch.finding(.trigger, outcome: decision.outcome(of: found), at: row)
                        .measuring(found.z, against: found.critical).naming(name(kind, found.item)))
            }
            if let flood {
                remarks.add(
                    batch.finding(.floodedRow, outcome: decision.floodAction, at: row)
                        .measuring(Double(flood.count), against: Double(NearDuplicates.rowsMin))
                        .naming(name("copies", flood.item)))
            }
            if !decision.copied.isEmpty, decision.copied.holds(rowCodes[rowCodes.endIndex - 1]) {
                remarks.add(batch.finding(.copiedRow, outcome: decision.copyAction, at: row))
            }
            judgeLabel(of: LabelledRow(numbers: numbers, codes: rowCodes, tokens: features.items[...]), at: row)
        }
    }

    /// Judges the label of the row at `index`.
    private mutating func judgeLabel(of row: LabelledRow, at index: Int) {
        guard let label = screener.decision.screened.label else { return }
        var worst: (outcome: Outcome, agreed: Int)?
        var isSupported = false
        for check in screener.decision.labels where check.judgesRows {
            switch check.judge(row, label: label) {
            case .differs(let outcome, let agreed):
                if (outcome, agreed) > (worst?.outcome ?? .accepted, worst?.agreed ?? 0) { worst = (outcome, agreed) }
            case .agrees: isSupported = true
            case .undecided: break
            }
        }
        if let linear = screener.decision.linear, linear.judgesRows {
            switch linear.judge(row, label: label) {
            case .doubted(let chance):
                // In a batch with too many changed labels the model alone suffices; otherwise the neighbours must agree
                // with it.
                let isRare = linear.doubtRate <= LabelCheck.holdRateMax
                if linear.isExcessive || isRare && worst != nil {
                    worst = (.quarantined, max(worst?.agreed ?? 0, Int(10 * chance)))
                }
            case .confirmed: isSupported = true
            case .undecided: break
            }
        }
        // If the measures contradict a label and the words confirm it, the row is unusual, not mislabelled.
        if let worst, !isSupported {
            let outcome = min(worst.outcome, screener.decision.poisoning.labelFlip.action)
            remarks.add(
                batch.finding(
                    .labelFlip, outcome: outcome, at: index, field: screener.decision.screened.categories[label]
                )
                .measuring(Double(worst.agreed), against: Double(LabelNeighbours.flagAgreement)))
        }
        for place in [screener.decision.screened.annotator, screener.decision.screened.source].compactMap({ $0 }) {
            let code = row.code(place)
            if screener.decision.labels.contains(where: { $0.blamed.contains { $0.place == place && $0.code == code } })
            {
                remarks.add(
                    batch.finding(
                        .labelDisagreement, outcome: screener.decision.poisoning.labelFlip.action, at: index,
                        field: screener.decision.screened.categories[place]))
            }
        }
    }
}
