import Schemas
package import Sketches
package import Tabular
package import Validating

/// A block whose rows each have their outcome; only this room can make one.
package struct ScreenedBatch: Sendable {
    /// The rows.
    package let batch: Batch
    /// One outcome a row: the strictest of its findings.
    package let outcomes: [Outcome]
    /// All findings, by row.
    package let findings: [Finding]
    /// Findings that would have held rows back, and that a person waived.
    package let waived: FindingCounts
    /// The scores of its rows.
    package let scores: ScoreHistograms
    /// Personal data in its cells, by column, then row.
    package let sightings: [Sighting]
    /// Members that the contract does not name and that have some, as places in `Batch.extras`.
    package let sightedExtras: [Int]

    fileprivate init(_ remarks: Remarks) {
        batch = remarks.batch
        outcomes = remarks.outcomes
        findings = remarks.findings
        waived = remarks.waived
        scores = remarks.scores
        sightings = remarks.sightings
        sightedExtras = remarks.sightedExtras
    }
}

/// The findings about a block's rows as they come in, and what they make of the rows.
private struct Remarks {
    let batch: Batch
    var outcomes: [Outcome]
    var findings: [Finding]
    var waived = FindingCounts()
    var scores: ScoreHistograms
    let sightings: [Sighting]
    let sightedExtras: [Int]
    /// Whether statistics may flag, and no more.
    private let waives: Bool

    init(_ validated: ValidatedBatch, _ decision: Decision) {
        waives = decision.waivesStatistics
        scores = ScoreHistograms(rules: decision.rules.count)
        batch = validated.batch
        sightings = validated.sightings
        sightedExtras = validated.sightedExtras
        outcomes = validated.isSound.map { $0 ? .accepted : .rejected }
        findings = validated.findings
        for finding in findings {
            let row = finding.row - batch.firstRow
            outcomes[row] = max(outcomes[row], finding.outcome)
        }
    }

    mutating func add(
        _ code: FindingCode, _ outcome: Outcome, _ row: Int, field: Int = -1, statistic: Double? = nil,
        threshold: Double? = nil, contributors: [Int] = [], rule: String? = nil
    ) {
        var finding = batch.finding(
            code, outcome: outcome, at: row, field: field, statistic: statistic, threshold: threshold,
            contributors: contributors)
        finding.rule = rule
        if waives, code.isStatistical, outcome > .flagged {
            waived.add(finding)
            finding.outcome = .flagged
        }
        findings.append(finding)
        outcomes[row] = max(outcomes[row], finding.outcome)
    }
}

/// Applies a decision to checked blocks: every row gets exactly one outcome, with reasons.
package struct Screener: Sendable {
    private let decision: Decision
    private let reader: FeatureReader
    /// What a field's own remarks do to a row.
    private let actions: [Int: Outcome]
    private let triggers: [UInt64: Trigger], words: [UInt64: Trigger]
    private let floods: [UInt64: Flood], textFloods: [UInt64: Flood]

    /// A screener for one batch.
    package init(_ decision: Decision, _ reader: FeatureReader, actions: [Int: Outcome]) {
        self.decision = decision
        self.reader = reader
        self.actions = actions
        func byItem<Mark>(_ marks: [Mark], _ item: KeyPath<Mark, UInt64>) -> [UInt64: Mark] {
            Dictionary(marks.map { ($0[keyPath: item], $0) }, uniquingKeysWith: { first, _ in first })
        }
        triggers = byItem(decision.triggers, \.item)
        words = byItem(decision.wordTriggers, \.item)
        floods = byItem(decision.floods, \.item)
        textFloods = byItem(decision.textFloods, \.item)
    }

    /// Screens a block.
    package func screen(_ validated: ValidatedBatch) -> ScreenedBatch {
        var remarks = Remarks(validated, decision)
        for (place, rule) in decision.rules.enumerated() {
            guard let feature = decision.screened.fields.firstIndex(of: rule.field) else { continue }
            deviations(place, rule, validated.numbers[decision.screened.slots[feature]], validated.isSound, &remarks)
        }
        residuals(validated, &remarks)
        let codes = decision.needsCodes ? codes(validated) : []
        if let forest = decision.forest { isolated(forest, validated, codes, &remarks) }
        if decision.hasMarks { marks(validated, codes, &remarks) }
        if let cross = decision.cross { sources(cross, validated, &remarks) }
        if remarks.findings.count > validated.findings.count {
            remarks.findings.sort {
                ($0.row, $0.field, $0.code, $0.rule ?? "") < ($1.row, $1.field, $1.code, $1.rule ?? "")
            }
        }
        return ScreenedBatch(remarks)
    }

    private func deviations(
        _ place: Int, _ rule: ModifiedZ, _ column: [Double], _ isSound: [Bool], _ remarks: inout Remarks
    ) {
        let action = actions[rule.field] ?? .flagged
        for row in column.indices where isSound[row] {
            let score = rule.score(column[row])
            if !column[row].isNaN { remarks.scores.addDeviation(place, score, threshold: rule.threshold) }
            if score <= rule.threshold { continue }
            if rule.isConstant {
                remarks.add(.constantChanged, .flagged, row, field: rule.field)
                continue
            }
            let outcome = rule.isFar(column[row], score: score) ? max(action, .quarantined) : action
            remarks.add(.modifiedZ, outcome, row, field: rule.field, statistic: score, threshold: rule.threshold)
        }
    }

    private func residuals(_ validated: ValidatedBatch, _ remarks: inout Remarks) {
        for pair in decision.pairs {
            let from = validated.numbers[decision.screened.slots[pair.from]]
            let to = validated.numbers[decision.screened.slots[pair.to]]
            for row in from.indices where validated.isSound[row] {
                let score = pair.score(from[row], to[row])
                if score <= pair.rule.threshold { continue }
                remarks.add(
                    .pairResidual, pair.isFar(from[row], to[row], score: score) ? .quarantined : .flagged, row,
                    field: pair.rule.field, statistic: score, threshold: pair.rule.threshold,
                    contributors: [decision.screened.fields[pair.from]])
            }
        }
    }

    /// Values that other sources do not confirm, and rows of sources that nobody trusts.
    private func sources(_ cross: CrossCheck, _ validated: ValidatedBatch, _ remarks: inout Remarks) {
        let batch = validated.batch
        for conflict in cross.conflicts(in: batch.firstRow..<batch.firstRow + batch.count) {
            remarks.add(
                .sourceConflict, cross.action, conflict.row - batch.firstRow, field: conflict.field,
                statistic: conflict.support, threshold: 0.5)
        }
        guard !cross.distrusted.isEmpty, let claims = reader.claims, claims.hasNamedSources else { return }
        for row in 0..<batch.count where validated.isSound[row] {
            let code = claims.source(batch, row: row)
            guard cross.distrusted.holds(code) else { continue }
            remarks.add(
                .sourceDistrusted, .quarantined, row,
                field: decision.screened.source.map { decision.screened.categories[$0] } ?? -1,
                statistic: cross.trust(of: code), threshold: CrossCheck.trustMin,
                rule: "source " + decision.name(ofSource: code))
        }
    }

    /// What a mark is called, with the source that it comes from where one can be named.
    private func name(_ mark: String, _ item: UInt64) -> String {
        let source = decision.markSources[item].map { " from source " + decision.name(ofSource: $0) } ?? ""
        return "\(mark) #\(tag(item))\(source)"
    }

    /// The codes of all sound rows, rows × codes.
    private func codes(_ validated: ValidatedBatch) -> [UInt64] {
        let width = decision.screened.codeCount
        var out = [UInt64](repeating: 0, count: validated.batch.count * width)
        var features = RowFeatures()
        // Without marks to look for the forest's categories are all that is asked.
        let asked =
            decision.hasMarks
            ? [] : decision.forest?.categories ?? []
        for row in 0..<validated.batch.count where validated.isSound[row] {
            for place in asked { out[row * width + place] = reader.code(place, validated.batch, row: row) }
            if !asked.isEmpty { continue }
            reader.readCodes(validated.batch, row: row, withRow: decision.needsRowCode, into: &features)
            for code in 0..<width { out[row * width + code] = features.codes[code] }
        }
        return out
    }

    private func isolated(
        _ lines: ForestLines, _ validated: ValidatedBatch, _ codes: [UInt64], _ remarks: inout Remarks
    ) {
        let slots = decision.screened.slots
        let width = decision.screened.codeCount
        let columns = lines.inputs.map { (input) -> [Double] in
            switch input {
            case .measure(let place): return validated.numbers[slots[place]]
            case .missing(let place): return validated.numbers[slots[place]].map { $0.isNaN ? 1 : 0 }
            case .rarity(let place):
                return (0..<validated.batch.count).map { lines.rarity(place, codes[$0 * width + place]) }
            }
        }
        let sums = lines.forest.sums(columns)
        for row in sums.indices where validated.isSound[row] {
            remarks.scores.addPath(sums[row], trees: lines.forest.trees)
            if sums[row] >= lines.flagBelow { continue }
            let isHeld = sums[row] < lines.quarantineBelow
            remarks.add(
                .isolationForest, isHeld ? .quarantined : .flagged, row, statistic: lines.forest.score(sums[row]),
                threshold: lines.forest.score(isHeld ? lines.quarantineBelow : lines.flagBelow),
                contributors: lines.forest.contributors(columns.map { $0[row] }))
        }
    }

    /// Marks of poison: triggers, copies, labels that do not fit.
    private func marks(_ validated: ValidatedBatch, _ codes: [UInt64], _ remarks: inout Remarks) {
        let batch = validated.batch
        let width = decision.screened.codeCount
        var features = RowFeatures()
        for row in 0..<batch.count where validated.isSound[row] {
            reader.readNumbers(batch, validated.numbers, row: row, withLengths: false, into: &features)
            let numbers = features.numbers[...]
            let rowCodes = codes[row * width..<(row + 1) * width]
            var trigger: (Trigger, kind: String)?
            // Beside another label it is no mark.
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
                    items.forEach(level, numbers, rowCodes) { item in
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
                    items.forEach(level, [], features.codes[...]) { item in
                        if let found = textFloods[item], found.count > flood?.count ?? 0 { flood = found }
                    }
                }
            }
            if let (found, kind) = trigger {
                remarks.add(
                    .trigger, decision.outcome(of: found), row, statistic: found.z, threshold: found.critical,
                    rule: name(kind, found.item))
            }
            if let flood {
                remarks.add(
                    .floodedRow, decision.floodAction, row, statistic: Double(flood.count),
                    threshold: Double(Floods.rowsMin),
                    rule: name("copies", flood.item))
            }
            if !decision.copied.isEmpty, decision.copied.holds(rowCodes[rowCodes.endIndex - 1]) {
                remarks.add(.copiedRow, decision.copyAction, row)
            }
            label(numbers, rowCodes, features.items[...], row, &remarks)
        }
    }

    private func label(
        _ numbers: ArraySlice<Double>, _ codes: ArraySlice<UInt64>, _ tokens: ArraySlice<UInt32>, _ row: Int,
        _ remarks: inout Remarks
    ) {
        guard let label = decision.screened.label else { return }
        var worst: (outcome: Outcome, agreed: Int)?
        var isSupported = false
        for check in decision.labels where check.judgesRows {
            switch check.judge(numbers, codes, tokens, label: label) {
            case .differs(let outcome, let agreed):
                if (outcome, agreed) > (worst?.outcome ?? .accepted, worst?.agreed ?? 0) { worst = (outcome, agreed) }
            case .agrees: isSupported = true
            case .undecided: break
            }
        }
        if let linear = decision.linear, linear.judgesRows {
            switch linear.judge(LabelledRow(numbers: numbers, codes: codes, tokens: tokens), label: label) {
            case .doubted(let chance):
                // In a batch that has too many the model's word is enough; elsewhere what it says and what the neighbours say together.
                let isRare = linear.doubtRate <= LabelCheck.holdRateMax
                if linear.isExcessive || isRare && worst != nil {
                    worst = (.quarantined, max(worst?.agreed ?? 0, Int(10 * chance)))
                }
            case .confirmed: isSupported = true
            case .undecided: break
            }
        }
        // A label that the measures do not expect and the words confirm is an unusual row, not a wrong label.
        if let worst, !isSupported {
            remarks.add(
                .labelFlip, min(worst.outcome, decision.poisoning.labelFlip.action), row,
                field: decision.screened.categories[label],
                statistic: Double(worst.agreed), threshold: Double(LabelNeighbours.flagAgreement))
        }
        for place in [decision.screened.annotator, decision.screened.source].compactMap({ $0 }) {
            let code = codes[codes.startIndex + place]
            if decision.labels.contains(where: { $0.blamed.contains { $0.place == place && $0.code == code } }) {
                remarks.add(
                    .labelDisagreement, decision.poisoning.labelFlip.action, row,
                    field: decision.screened.categories[place])
            }
        }
    }
}

/// What the second pass counted: mergeable, so that the verdict does not depend on the workers.
package struct OutcomeCounts: Sendable, Mergeable, Equatable {
    /// Rows by outcome's raw value.
    package private(set) var rows = [0, 0, 0, 0]
    /// All findings.
    package private(set) var findings = FindingCounts()
    /// What would have held rows back, and was waived.
    package private(set) var waived = FindingCounts()
    /// Rows with a modified z finding.
    package private(set) var remarkedZ = 0
    /// Rows with a forest finding, and those that it holds back.
    package private(set) var remarkedForest = 0, heldForest = 0
    /// Rows whose measures do not belong together.
    package private(set) var remarkedPairs = 0
    /// The scores of all rows.
    package private(set) var scores = ScoreHistograms()

    /// Nothing counted.
    package init() {}

    /// Takes in a screened block.
    package mutating func add(_ screened: ScreenedBatch) {
        for outcome in screened.outcomes { rows[Int(outcome.rawValue)] += 1 }
        scores.merge(screened.scores)
        waived.merge(screened.waived)
        add(screened.findings)
    }

    /// Takes in what would be said of the rows of a sample.
    mutating func add(_ replay: RowReplay, _ sample: RowSample, _ texts: RowSample) {
        for found in replay.findings(sample, texts) {
            rows[Int((found.map(\.outcome).max() ?? .accepted).rawValue)] += 1
            add(found)
        }
    }

    /// Counts findings that are ordered by row.
    private mutating func add(_ found: [Finding]) {
        var (lastZ, lastPair) = (-1, -1)
        for finding in found {
            findings.add(finding)
            switch finding.code {
            case .modifiedZ, .constantChanged:
                if finding.row != lastZ { remarkedZ += 1 }
                lastZ = finding.row
            case .pairResidual:
                if finding.row != lastPair { remarkedPairs += 1 }
                lastPair = finding.row
            case .isolationForest:
                remarkedForest += 1
                if finding.outcome >= .quarantined { heldForest += 1 }
            default: break
            }
        }
    }

    /// Takes in another slice's counts.
    package mutating func merge(_ other: OutcomeCounts) {
        for index in rows.indices { rows[index] += other.rows[index] }
        findings.merge(other.findings)
        waived.merge(other.waived)
        remarkedZ += other.remarkedZ
        remarkedForest += other.remarkedForest
        heldForest += other.heldForest
        remarkedPairs += other.remarkedPairs
        scores.merge(other.scores)
    }

    /// All rows.
    package var total: Int { rows.reduce(0, +) }
    /// Rows with this outcome.
    package func count(_ outcome: Outcome) -> Int { rows[Int(outcome.rawValue)] }
}

extension OutcomeCounts {
    /// Sets the rows of a batch that was only checked against its contract.
    package mutating func set(accepted: Int, flagged: Int, quarantined: Int, rejected: Int) {
        rows[Int(Outcome.accepted.rawValue)] = accepted
        rows[Int(Outcome.flagged.rawValue)] = flagged
        rows[Int(Outcome.quarantined.rawValue)] = quarantined
        rows[Int(Outcome.rejected.rawValue)] = rejected
    }
}

/// What one row measures beside a line.
package struct LineScore: Sendable, Equatable {
    /// The finding that it would be beyond the line.
    package var code: FindingCode
    /// The contract's field, or -1 for the whole row.
    package var field: Int
    /// The statistic, and the line.
    package var statistic: Double, line: Double
}

extension Screener {
    /// What a row of a checked block measures beside every line, whether it is beyond it or not: what an explanation shows.
    package func scores(_ validated: ValidatedBatch, row: Int) -> [LineScore] {
        guard validated.isSound[row] else { return [] }
        var scores: [LineScore] = []
        let screened = decision.screened
        func number(_ feature: Int) -> Double { validated.numbers[screened.slots[feature]][row] }
        for rule in decision.rules where !rule.isConstant {
            guard let feature = screened.fields.firstIndex(of: rule.field), !number(feature).isNaN else { continue }
            scores.append(
                LineScore(
                    code: .modifiedZ, field: rule.field, statistic: rule.score(number(feature)), line: rule.threshold))
        }
        for pair in decision.pairs {
            scores.append(
                LineScore(
                    code: .pairResidual, field: pair.rule.field,
                    statistic: pair.score(number(pair.from), number(pair.to)), line: pair.rule.threshold))
        }
        guard let lines = decision.forest else { return scores }
        var features = RowFeatures()
        reader.readCodes(validated.batch, row: row, withRow: false, into: &features)
        let values = lines.inputs.map { (input) -> Double in
            switch input {
            case .measure(let place): number(place)
            case .missing(let place): number(place).isNaN ? 1 : 0
            case .rarity(let place): lines.rarity(place, features.codes[place])
            }
        }
        let sum = lines.forest.sums(values.map { [$0] })[0]
        scores.append(
            LineScore(
                code: .isolationForest, field: -1, statistic: lines.forest.score(sum),
                line: lines.forest.score(lines.flagBelow)))
        return scores
    }
}
