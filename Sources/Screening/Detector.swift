import Schemas
import Sketches
import Tabular

/// The detectors, in the order in which they run.
///
/// A new detector is a case here. The compiler then asks for its number of tests that share the false-alarm budget, its
/// tests of the batch, its effect on rows, and its part of the sealed decision.
enum Detector: CaseIterable {
    /// Values far from the median, and pairs of values that do not fit together.
    case outliers
    /// Rows that are easy to isolate.
    case isolation
    /// Each field compared with the accepted batches.
    case drift
    /// Small steps away from the anchor.
    case slowDrift
    /// Rows of earlier batches.
    case replays
    /// Clusters of copies and near copies.
    case nearDuplicates
    /// Items that occur almost only with one label.
    case triggers
    /// Labels compared with those of similar rows.
    case labels
    /// Values of several suppliers for the same keys.
    case sources

    /// The number of tests of the whole batch that share the false-alarm budget.
    func plannedTests(_ screened: ScreenedFields) -> Int {
        switch self {
        // The share of outliers, and that of inconsistent pairs.
        case .outliers: 2
        // The share of isolated rows.
        case .isolation: 1
        // Two for each number, two for each code, one for missing values in each, one for the number of rows.
        case .drift: 3 * screened.numberCount + 3 * screened.categories.count + 1
        // The share of copies.
        case .replays: 1
        // The share of changed labels, and the change of one label to one other.
        case .labels: 2
        // These have limits of their own.
        case .slowDrift, .nearDuplicates, .triggers, .sources: 0
        }
    }

    /// The number of tests of all detectors that share the budget.
    static func plannedTests(_ screened: ScreenedFields) -> Int {
        allCases.reduce(0) { $0 + $1.plannedTests(screened) }
    }
}

extension Deliberation {
    /// Runs a detector's tests of the whole batch.
    ///
    /// - Parameter seed: the forest's seed.
    mutating func ask(_ detector: Detector, beside precedents: Precedents, seed: UInt64) {
        let sample = before?.sample ?? profile.sample
        let poisoning = schema.poisoning
        switch detector {
        case .outliers:
            makeRules(sample)
            if let history { followRules(history, own: own, accepted: sample) }
        case .isolation: growForest(sample, seed: seed)
        case .drift: compare()
        case .slowDrift:
            if let anchor = precedents.anchor { followSlowDrift(from: anchor, sums: precedents.slow) }
        case .replays:
            if poisoning.duplicates.enabled, poisoning.acrossBatches, before != nil {
                findReplays(of: precedents.earlierRows)
            }
            decision.copyAction = min(decision.copyAction, poisoning.duplicates.action)
        case .nearDuplicates:
            if poisoning.duplicates.enabled { findFloods() }
            decision.floodAction = poisoning.duplicates.action
            if let history { followFloods(history.known, least: min(3, schema.baseline.learning)) }
        case .triggers:
            findTriggers()
            decision.triggerAction = poisoning.triggers.action
            followTriggers()
        case .labels: if poisoning.labelFlip.enabled { checkLabels() }
        // The caller adds the comparison of suppliers, which is a fact.
        case .sources: break
        }
    }
}

extension BlockScreening {
    /// Applies a detector's result to the rows of a block.
    ///
    /// - Parameter codes: rows × codes; empty if the decision needs none.
    mutating func apply(_ detector: Detector, _ codes: [UInt64]) {
        let decision = screener.decision
        switch detector {
        case .outliers:
            screenValues()
            screenPairs()
        case .isolation: if let forest = decision.forest { screenRows(by: forest, codes) }
        // One pass over the rows searches copies, near copies, triggers and labels.
        case .triggers: if decision.hasMarks { findMarks(codes) }
        case .replays, .nearDuplicates, .labels: break
        case .sources: if let cross = decision.cross { compareSources(cross) }
        // These judge the batch, not its rows.
        case .drift, .slowDrift: break
        }
    }
}

// MARK: The sealed decision

extension Detector {
    /// Its part of the decision's document, which `read` reads.
    func document(of decision: Decision) -> [String: JSONValue] {
        switch self {
        case .outliers:
            return [
                "flag_rate_z": bits(decision.flagRateZ), "flag_rate_pairs": bits(decision.flagRatePairs),
                "rules": .array(decision.rules.map(\.document)), "pairs": .array(decision.pairs.map(\.document)),
            ]
        case .isolation: return ["forest": decision.forest?.document ?? .null]
        case .replays:
            var members: [String: JSONValue] = ["copied": .array(decision.copied.codes.map(hex))]
            if decision.copyAction != decision.poisoning.duplicates.action {
                members["copy_action"] = .string(decision.copyAction.name)
            }
            return members
        case .nearDuplicates:
            return [
                "flood_action": .string(decision.floodAction.name),
                "floods": .array(decision.floods.map(\.document)),
                "text_floods": .array(decision.textFloods.map(\.document)),
                "flood_items": decision.floodItems?.document ?? .null,
            ]
        case .triggers:
            let sources = decision.markSources
            return [
                "trigger_action": .string(decision.triggerAction.name),
                "triggers": .array(decision.triggers.map(\.document)),
                "word_triggers": .array(decision.wordTriggers.map(\.document)),
                "row_items": decision.rowItems?.document ?? .null,
                "mark_sources": .array(sources.keys.sorted().map { .array([hex($0), hex(sources[$0] ?? 0)]) }),
                "trigger_power": .array(
                    decision.triggerPower.map { .array([.string($0.what), whole($0.rows), whole($0.of)]) }),
            ]
        case .labels:
            return [
                "labels": .array(decision.labels.map(\.document)), "linear": decision.linear?.document ?? .null,
            ]
        case .sources:
            let names = decision.sourceNames
            return [
                "cross": decision.cross?.document ?? .null,
                "source_names": .array(names.keys.sorted().map { .array([hex($0), .string(names[$0] ?? "")]) }),
            ]
        // Their tests are stored with those of the other detectors.
        case .drift, .slowDrift: return [:]
        }
    }

    /// Reads its part of the document. Decisions of versions without a member must still be read.
    ///
    /// - Parameter version: the format of the document, 4 to 6.
    func read(_ kept: Kept, version: Int, into decision: inout Decision) throws(Unreadable) {
        switch self {
        case .outliers:
            decision.flagRateZ = try kept.bits("flag_rate_z")
            decision.flagRatePairs = try kept.bits("flag_rate_pairs")
            decision.rules = try kept.list("rules").map(ModifiedZ.init)
            decision.pairs = try kept.list("pairs").map(ResidualPair.init)
        case .isolation: decision.forest = try kept.some("forest").map(ForestThresholds.init)
        case .replays:
            decision.copied = Replays(
                codes: try kept.list("copied").map { (code) throws(Unreadable) in try code.word() })
            decision.copyAction =
                kept.value["copy_action"] == nil
                ? decision.poisoning.duplicates.action : try kept.outcome("copy_action")
        case .nearDuplicates:
            // Decisions of format 4 follow the contract alone.
            decision.floodAction =
                version > 4 ? try kept.outcome("flood_action") : decision.poisoning.duplicates.action
            decision.floods = try kept.list("floods").map(Flood.init)
            decision.textFloods = try kept.list("text_floods").map(Flood.init)
            let screened = decision.screened
            decision.floodItems = try kept.some("flood_items").map { (items) throws(Unreadable) in
                FloodItems(scales: try items.scales(), codeCount: screened.codeCount, label: screened.label)
            }
        case .triggers:
            decision.triggerAction =
                version > 4 ? try kept.outcome("trigger_action") : decision.poisoning.triggers.action
            // Before the sixth form every mark was held or none, and words were not distinguished from phrases.
            decision.tagsWords = version >= 6
            decision.triggers = try kept.list("triggers").map { (one) throws(Unreadable) in try Trigger(one, version) }
            decision.wordTriggers = try kept.list("word_triggers").map { (one) throws(Unreadable) in
                try Trigger(one, version)
            }
            decision.rowItems = try kept.some("row_items").map(RowItems.init)
            for pair in try kept.list("mark_sources") {
                decision.markSources[try pair.item(0).word()] = try pair.item(1).word()
            }
            for entry in version >= 6 ? try kept.list("trigger_power") : [] {
                let (rows, of) = (try entry.item(1).int(), try entry.item(2).int())
                decision.triggerPower.append((try entry.item(0).text(), rows, of))
            }
        case .labels:
            decision.labels = try kept.list("labels").map(LabelCheck.init)
            // Decisions of format 5 judge labels by neighbours alone.
            guard version > 5 else { return }
            let screened = decision.screened
            decision.linear = try kept.some("linear").map { (check) throws(Unreadable) in
                try LinearCheck(check, screened)
            }
        case .sources:
            decision.cross = try kept.some("cross").map(CrossCheck.init)
            for pair in try kept.list("source_names") {
                decision.sourceNames[try pair.item(0).word()] = try pair.item(1).text()
            }
        case .drift, .slowDrift: break
        }
    }
}
