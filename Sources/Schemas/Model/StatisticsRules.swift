package import Tabular

/// What the modified z-score does with a numeric column (`sluice: anomaly:`).
package struct AnomalyRule: Sendable, Equatable {
    /// The threshold of |M|; nil means `auto`.
    package var threshold: Double?
    /// `none`, `log1p`, or nil for the choice by skew.
    package var transform: String?
    /// `single`, `double`, or nil for the choice by skew.
    package var tails: String?
    /// What a row beyond the threshold becomes; beyond twice the threshold at least `quarantined`.
    package var action: Outcome = .flagged
    /// False when the column is not to be screened.
    package var enabled = true

    /// A rule with the defaults.
    package init() {}
}

/// How a column is compared with its baseline (`sluice: drift:`).
package struct DriftRule: Sendable, Equatable {
    /// False when it is not to be compared.
    package var enabled = true
    /// The values from which a batch is flagged, and held; nil for the metric's own.
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
    /// Rows drawn for each tree, 2 to 256.
    package var sampleSize = 256
    /// Features a split combines: 1 is the classical forest, 3 the extended one.
    package var dimensions = 3
    /// Quantile of held-out scores beyond which a row is flagged.
    package var flagQuantile = 0.99
    /// Quantile beyond which a row is quarantined, when there is a baseline.
    package var quarantineQuantile = 0.999
    /// The strictest outcome the forest may give.
    package var action: Outcome = .quarantined

    /// A rule with the defaults.
    package init() {}
}

/// What batches of one kind have in common, so that they are compared with each other (`sluice: baseline: season:`).
package enum Season: String, Sendable, CaseIterable {
    /// The weekday, or the hour of the day, of most rows' event time.
    case weekday, hour

    /// How many accepted batches are looked at where the contract does not say: six weeks, or four days.
    var batches: Int { self == .weekday ? 42 : 96 }
}

/// What batches are compared with (`sluice: baseline:`).
package struct BaselineRules: Sendable, Equatable {
    /// Accepted batches after which a difference from them holds a batch; before that it is remarked on.
    package var learning = 8
    /// How many accepted batches, and how many of their rows, are looked at; the larger of the two.
    package var batches = 20, rows = 20_000
    /// Whether a batch may be compared with those of its weekday or hour alone.
    package var season: Season?

    /// The defaults.
    package init() {}
}
