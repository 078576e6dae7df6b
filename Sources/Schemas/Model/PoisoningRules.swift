package import Tabular

/// What is done about marks of poison (`sluice: poisoning:`).
package struct PoisonRule: Sendable, Equatable {
    /// Whether it is looked for.
    package var enabled = true
    /// What it does to a row.
    package var action = Outcome.quarantined

    /// A rule with the defaults.
    package init() {}
}

/// Marks of poison that are looked for (`sluice: poisoning:`).
package struct PoisoningRules: Sendable, Equatable {
    /// Copies and near copies.
    package var duplicates = PoisonRule()
    /// Labels that do not fit.
    package var labelFlip = PoisonRule()
    /// What stands beside one label.
    package var triggers = PoisonRule()
    /// Whether rows that repeat what earlier batches brought are copies too: not where every file is the whole table
    /// again.
    package var acrossBatches = true
    /// What several sources say of the same thing.
    package var crossVerify: CrossRule?

    /// Rules with the defaults.
    package init() {}
}

/// How what several sources say of the same key is compared (`sluice: poisoning: crossVerify:`).
package struct CrossRule: Sendable, Equatable {
    /// A field that sources must agree on.
    package struct Compared: Sendable, Equatable {
        /// The field's name.
        package var name: String
        /// How far apart numbers may be, as a share of the larger one.
        package var tolerance = 0.0
        /// How far apart times may be, in seconds.
        package var skew = 0.0
    }

    /// Names of the fields that say what a row is about.
    package var key: [String]
    /// The fields that are compared.
    package var fields: [Compared]
    /// Fewer sources than this are not compared.
    package var minSources = 2
    /// What a value that is not confirmed does to its row.
    package var action = Outcome.quarantined
}
