package import Tabular

/// The treatment of one kind of poisoning (`sluice: poisoning:`).
package struct PoisonRule: Sendable, Equatable {
    /// Whether it is searched for.
    package var enabled = true
    /// The outcome of a row with it.
    package var action = Outcome.quarantined

    /// A rule with the defaults.
    package init() {}
}

/// The poisoning tests (`sluice: poisoning:`).
package struct PoisoningRules: Sendable, Equatable {
    /// Duplicates and near duplicates.
    package var duplicates = PoisonRule()
    /// Labels that contradict the row's other values.
    package var labelFlip = PoisonRule()
    /// Backdoor triggers: content that occurs with one label only.
    package var triggers = PoisonRule()
    /// Whether rows that repeat earlier batches count as duplicates; false if every file is a new copy of the whole
    /// table.
    package var acrossBatches = true
    /// The cross-check between sources; nil for none.
    package var crossVerify: CrossRule?

    /// Rules with the defaults.
    package init() {}
}

/// The comparison of the values that several sources give for a key (`sluice: poisoning: crossVerify:`).
package struct CrossRule: Sendable, Equatable {
    /// A field that sources must agree on.
    package struct Compared: Sendable, Equatable {
        /// The field's name.
        package var name: String
        /// The allowed difference of numbers, as a share of the larger one.
        package var tolerance = 0.0
        /// The allowed difference of times, in seconds.
        package var skew = 0.0
    }

    /// The fields that form the key.
    package var key: [String]
    /// The fields that are compared.
    package var fields: [Compared]
    /// The number of sources from which on a key is compared.
    package var minSources = 2
    /// The outcome of a row with an unconfirmed value.
    package var action = Outcome.quarantined
}
