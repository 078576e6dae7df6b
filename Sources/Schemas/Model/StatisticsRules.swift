package import Tabular

/// Settings of the modified z-score of a numeric column (`sluice: anomaly:`).
package struct AnomalyRule: Sendable, Equatable {
    /// The threshold of |M|; nil means `auto`.
    package var threshold: Double?
    /// `none` or `log1p`; nil to choose by skew.
    package var transform: String?
    /// `single` or `double`; nil to choose by skew.
    package var tails: String?
    /// The outcome of a row beyond the threshold; beyond twice the threshold at least `quarantined`.
    package var action: Outcome = .flagged
    /// Whether the column is screened.
    package var enabled = true

    /// A rule with the defaults.
    package init() {}
}

/// Settings of the comparison of a column with its baseline (`sluice: drift:`).
package struct DriftRule: Sendable, Equatable {
    /// Whether it is compared.
    package var enabled = true
    /// Statistics from which a batch is flagged, and held; nil for the metric's own.
    package var warn: Double?, fail: Double?

    /// A rule with the defaults.
    package init() {}
}

/// Settings of the isolation forest (`sluice: isolationForest:`).
package struct ForestRule: Sendable, Equatable {
    /// Whether the forest is used.
    package var enabled = true
    /// The fields used; empty means every numeric field that is no key, label or personal data.
    package var fields: [String] = []
    /// Trees, 1 to 1000.
    package var trees = 100
    /// Rows sampled for each tree, 2 to 256.
    package var sampleSize = 256
    /// Features a split combines: 1 is the classical forest, 3 the extended one.
    package var dimensions = 3
    /// The quantile of held-out scores beyond which a row is flagged.
    package var flagQuantile = 0.99
    /// The quantile beyond which a row is quarantined; needs a baseline.
    package var quarantineQuantile = 0.999
    /// The strictest outcome the forest may give.
    package var action: Outcome = .quarantined

    /// A rule with the defaults.
    package init() {}
}

/// The season of a batch, so that it is compared with batches of the same one (`sluice: baseline: season:`).
package enum Season: String, Sendable, CaseIterable {
    /// The weekday, or hour of the day, of most rows' event times.
    case weekday, hour

    /// Accepted batches that are searched for those of the season, unless the contract says otherwise: six weeks, or
    /// four days.
    var batches: Int { self == .weekday ? 42 : 96 }
}

/// Settings of the comparison with earlier batches (`sluice: baseline:`).
package struct BaselineRules: Sendable, Equatable {
    /// Accepted batches after which a difference holds a batch; before that it only flags.
    package var learning = 8
    /// Number of accepted batches, and of their rows, in a baseline; merging stops once both are reached.
    package var batches = 20, rows = 20_000
    /// The season that batches may be compared within; nil for none.
    package var season: Season?

    /// The defaults.
    package init() {}
}
