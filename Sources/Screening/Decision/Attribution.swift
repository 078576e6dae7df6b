import Schemas
import Sketches
import Tabular

/// Finds the supplier that causes an alarm or a trigger.
extension Deliberation {
    /// Names the supplier of an alarm if the alarm disappears without that supplier's rows (the provenance defence of
    /// Baracaldo et al. 2017, here without a model). If this holds for several suppliers, none is named.
    mutating func attribute(_ baseline: Baseline) {
        guard let source = screened.source else { return }
        let tests = decision.tests
        let alarms = tests.indices.filter { tests[$0].outcome > .accepted && tests[$0].code.comesFromRows }
        let marks = decision.markedItems
        guard !alarms.isEmpty || !marks.isEmpty else { return }
        var counts: [UInt64: Int] = [:]
        for code in profile.sample.codes(source) where code != 0 { counts[code, default: 0] += 1 }
        let most = counts.sorted { $0.value != $1.value ? $0.value > $1.value : $0.key < $1.key }.prefix(
            Self.sourcesMax)
        guard most.count >= 2 else { return }
        var clears: [Int: [UInt64]] = [:]
        var clearsMark: [UInt64: [UInt64]] = [:]
        for (code, count) in most where profile.sample.count - count >= ModifiedZ.rowsMin {
            let other = without(source, code, baseline).decision
            for alarm in alarms {
                // Fewer rows make every test weaker, so the difference itself must disappear too.
                let same = other.tests.filter { $0.code == tests[alarm].code && $0.field == tests[alarm].field }
                // A change of label is tested only where it is found. A test that could not be made does not clear an
                // alarm.
                let isMade = !same.isEmpty || tests[alarm].code == .targetedFlip && !other.labels.isEmpty
                if isMade, same.allSatisfy({ $0.outcome == .accepted && $0.effect < tests[alarm].effect / 2 }) {
                    clears[alarm, default: []].append(code)
                }
            }
            let left = Set(other.markedItems)
            for item in marks where !left.contains(item) { clearsMark[item, default: []].append(code) }
        }
        for (alarm, codes) in clears where codes.count == 1 { decision.tests[alarm].source = codes[0] }
        for (item, codes) in clearsMark where codes.count == 1 { decision.markSources[item] = codes[0] }
    }

    /// The same deliberation without the rows that have this code.
    private func without(_ place: Int, _ code: UInt64, _ baseline: Baseline) -> Deliberation {
        var other = self
        other.profile = profile.without(place, code)
        (other.rolling, other.covered) = (nil, CoveredRows())
        other.decision.forgetFindings()
        other.compare(with: baseline)
        if !decision.floods.isEmpty || !decision.textFloods.isEmpty { other.findFloods() }
        if !decision.triggers.isEmpty || !decision.wordTriggers.isEmpty { other.findTriggers() }
        if schema.poisoning.labelFlip.enabled, decision.linear != nil || !decision.labels.isEmpty {
            other.checkLabels()
        }
        return other
    }

    /// Most suppliers whose rows are left out, the largest first: each costs as much as all tests.
    private static let sourcesMax = 8
}

extension Decision {
    /// The items of all triggers and clusters.
    fileprivate var markedItems: [UInt64] {
        (triggers + wordTriggers).map(\.item) + (floods + textFloods).map(\.item)
    }

    /// Clears the findings, before other rows are tested.
    fileprivate mutating func forgetFindings() {
        (tests, untested, labels, linear) = ([], [], [], nil)
        (triggers, wordTriggers, floods, textFloods) = ([], [], [], [])
    }
}

extension FindingCode {
    /// Whether a batch test of this kind concerns the values of rows, so that leaving rows out can clear it.
    fileprivate var comesFromRows: Bool {
        switch self {
        case .distributionDrift, .distributionShift, .lengthDrift, .lengthShift, .missingDrift, .categoryDrift,
            .newCategories, .labelShift, .labelFlipExcess, .targetedFlip:
            true
        default: false
        }
    }
}
