import Glibc
package import Schemas
package import Tabular

/// The verdict on a batch, with its reasons.
package struct BatchVerdict: Sendable, Equatable {
    /// Whether its shards are published.
    package var isAccepted: Bool
    /// Findings about the whole batch; those with outcome quarantine or stricter hold it.
    package var findings: [Finding]
    /// Findings about the whole batch that would have held it, but that a person waived.
    package private(set) var waived: [Finding] = []

    /// Judges a batch: a pure function of the decision and the merged counts.
    ///
    /// - Parameter earlier: findings about the whole batch from earlier steps (header, supplier, CSV readers).
    package init(_ decision: Decision, _ counts: OutcomeCounts, schema: Schema, earlier: [Finding] = []) {
        var findings = earlier
        let total = max(counts.total, 1)
        func hold(_ code: FindingCode, _ statistic: Double, _ threshold: Double) {
            findings.append(Finding(code, outcome: .quarantined, at: .batch).measuring(statistic, against: threshold))
        }
        if counts.total < schema.batch.minRows {
            hold(.tooFewRows, Double(counts.total), Double(schema.batch.minRows))
        }
        let rejected = Double(counts.count(.rejected)) / Double(total)
        if rejected > schema.batch.maxRejectedRate { hold(.tooManyRejected, rejected, schema.batch.maxRejectedRate) }
        let most = schema.batch.rejectedRows == .fail ? 0 : schema.batch.maxRejected
        if let most, counts.count(.rejected) > most {
            hold(.tooManyRejectedRows, Double(counts.count(.rejected)), Double(most))
        }
        let quarantined = Double(counts.count(.quarantined)) / Double(total)
        if quarantined > schema.batch.maxQuarantinedRate {
            hold(.tooManyQuarantined, quarantined, schema.batch.maxQuarantinedRate)
        }
        if decision.basis == .baseline { findings += Self.excesses(decision, counts, schema).compactMap(\.finding) }
        findings += decision.tests.compactMap { test in
            var finding = test.finding
            if let source = test.source { finding?.rule = "source " + decision.name(ofSource: source) }
            return finding
        }
        if let cross = decision.cross, cross.distrusted.contains(cross.batchSource) {
            hold(.sourceDistrusted, cross.trust(of: cross.batchSource), CrossCheck.trustMin)
        }
        waived = findings.filter { $0.outcome >= .quarantined && decision.waivers.covers($0.code, field: $0.field) }
        for index in findings.indices
        where decision.waivers.covers(findings[index].code, field: findings[index].field) {
            findings[index].outcome = min(findings[index].outcome, .flagged)
        }
        self.findings = findings
        isAccepted = findings.allSatisfy { $0.outcome < .quarantined }
    }

    /// Tests whether far more rows are flagged than before: more than twice as many, and significantly more, with the
    /// sampling error of the earlier rate taken into account.
    package static func excesses(_ decision: Decision, _ counts: OutcomeCounts, _ schema: Schema) -> [BatchTest] {
        let tested = counts.total - counts.count(.rejected)
        if !decision.earlierRemarks.isEmpty { return charts(decision, counts, tested: tested) }
        let rates = [
            (FindingCode.outlierExcess, counts.remarkedZ, max(decision.flagRateZ, ModifiedZ.targetRate)),
            (.pairExcess, counts.remarkedPairs, max(decision.flagRatePairs, ModifiedZ.targetRate)),
            (
                .isolationExcess, counts.remarkedForest,
                max(
                    decision.flagRateForest,
                    1 - schema.forest.flagQuantile)
            ),
        ]
        return rates.map { code, observed, rate in
            let basis = max(decision.basisRows, decision.remarks.tested, 1)
            let p = Significance.excess(
                observed, of: max(tested, 1), before: Int((rate * Double(basis)).rounded(.up)), of: basis)
            let share = observed >= 5 ? Double(observed) / Double(max(tested, 1)) : 0
            return BatchTest(
                code, chance: .init(p: p, share: decision.alpha),
                effect: .init(share, warn: 2 * rate, hold: 2 * rate), rows: .init(tested, before: basis))
        }
    }

    /// The kinds of remarks that have a control chart, with the baseline's count of each and the smallest difference
    /// that matters.
    static var chartedKinds: [(code: FindingCode, count: KeyPath<Baseline.Remarks, Int>, floor: Double)] {
        [(.outlierExcess, \.deviated, 0.05), (.pairExcess, \.apart, 0.05), (.isolationExcess, \.isolated, 0.1)]
    }

    /// Tests whether more rows are flagged than in the accepted batches, kind by kind.
    private static func charts(_ decision: Decision, _ counts: OutcomeCounts, tested: Int) -> [BatchTest] {
        let found = [counts.remarkedZ, counts.remarkedPairs, counts.remarkedForest]
        return zip(chartedKinds, found).map { kind, found in
            let (code, count, floor) = kind
            let history = decision.earlierRemarks.map { (found: $0[keyPath: count], of: $0.tested) }
            let line = RateChart(alpha: decision.alpha, floor: floor).line(history, count: max(tested, 1))
            let rate = found >= 5 ? Double(found) / Double(max(tested, 1)) : 0
            // Outliers in more than 5 % of the rows are another population.
            let hold = !decision.isLearning ? line : code == .outlierExcess ? max(0.05, line) : .infinity
            var test = BatchTest(
                code, chance: .init(rate, beyond: line), effect: .init(rate, warn: line, hold: hold),
                rows: .init(tested, before: history.reduce(0) { $0 + $1.of }))
            if test.outcome > .accepted { test.movement = .remarks(rate, history) }
            return test
        }
    }
}
