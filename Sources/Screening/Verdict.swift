import Glibc
package import Schemas
package import Tabular

/// What becomes of a batch, and why.
package struct Verdict: Sendable, Equatable {
    /// Whether its shards are published.
    package var isAccepted: Bool
    /// Findings about the whole batch; any of them holds it.
    package var findings: [Finding]

    /// Judges a batch: a pure function of the decision and the merged counts.
    ///
    /// - Parameter earlier: findings about the whole batch that were made on the way (header, source, readers).
    package init(_ decision: Decision, _ counts: OutcomeCounts, schema: Schema, earlier: [Finding] = []) {
        var findings = earlier
        let total = max(counts.total, 1)
        func hold(_ code: FindingCode, _ statistic: Double, _ threshold: Double) {
            findings.append(Finding(code, outcome: .quarantined, row: 0, statistic: statistic, threshold: threshold))
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
        if decision.basis == .baseline {
            let tested = counts.total - counts.count(.rejected)
            let rates = [
                (FindingCode.outlierExcess, counts.remarkedZ, max(decision.flagRateZ, ModifiedZ.targetRate)),
                (
                    FindingCode.isolationExcess, counts.remarkedForest,
                    max(decision.flagRateForest, 1 - schema.forest.flagQuantile)
                ),
            ]
            for (code, observed, rate) in rates {
                // The rate is itself an estimate from `basisRows` rows: three events more are within its error.
                let upper = rate + 3 / Double(max(decision.basisRows, 1))
                let expected = upper * Double(tested)
                if Self.isExcess(observed, expected: expected) {
                    hold(code, Double(observed) / Double(max(tested, 1)), 2 * upper)
                }
            }
        }
        self.findings = findings
        isAccepted = findings.isEmpty
    }

    /// A one-sided Poisson test at 0.001, and more than twice the expectation (FEATURES 7.1).
    package static func isExcess(_ observed: Int, expected: Double) -> Bool {
        observed >= 5 && Double(observed) > 2 * expected && tail(observed, expected) < 0.001
    }

    /// P(X ≥ k) of a Poisson variable with the given mean.
    static func tail(_ k: Int, _ mean: Double) -> Double {
        if k <= 0 { return 1 }
        if mean <= 0 { return 0 }
        if Double(k) <= mean {
            // From below, where the first term of the tail may be too small for a double.
            var below = 0.0
            for index in stride(from: k - 1, through: 0, by: -1) {
                let term = exp(Double(index) * log(mean) - mean - lgamma(Double(index) + 1))
                below += term
                if term < below * 1e-17 { break }
            }
            return max(0, 1 - below)
        }
        var term = exp(Double(k) * log(mean) - mean - lgamma(Double(k) + 1))
        var sum = 0.0
        var index = k
        while term > sum * 1e-16 {
            sum += term
            index += 1
            term *= mean / Double(index)
        }
        return min(sum, 1)
    }
}
