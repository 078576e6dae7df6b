package import Recognition
package import Tabular

/// How an accepted value is changed (`sluice: pii: operator:`).
package enum MaskOperator: String, Sendable, CaseIterable {
    /// Removes the value: an empty cell, JSON null.
    case redact
    /// Puts `<ENTITY>` or the declared text in its place.
    case replace
    /// Overwrites characters with `maskChar`, keeping some.
    case mask
    /// Keeps only the first characters.
    case truncate
    /// Removes the column.
    case drop
    /// A keyed, joinable, one-way token: HMAC-SHA-256.
    case tokenize
    /// Encrypts the value so that `sluice reveal` can read it: AES-256-SIV.
    case encrypt
    /// Moves a date by days that are the same for all of one subject's.
    case dateShift = "date-shift"
    /// Keeps the coarse part: a year, a month, a country, a bucket of numbers.
    case generalize
    /// Keeps the whole row back.
    case suppress
}

/// What becomes of undeclared personal data (`undeclaredPii`).
package enum UndeclaredPII: String, Sendable, CaseIterable {
    /// It is replaced by the entity's name, and the row flagged.
    case mask
    /// The row is held back.
    case quarantine
    /// The row is refused.
    case reject
    /// It passes.
    case allow

    /// The outcome of a row.
    package var outcome: Outcome {
        switch self {
        case .mask: .flagged
        case .quarantine: .quarantined
        case .reject: .rejected
        case .allow: .accepted
        }
    }
}

/// What is done about personal data in a column (`sluice: pii:`).
package struct PIIRule: Sendable, Equatable {
    /// The declared entity of the whole cell (Presidio's name), or nil for scanned free text.
    package var entity: String?
    /// Whether free text is searched for entities.
    package var scan = false
    /// The entities looked for when scanning; empty means all known ones.
    package var entities: [String] = []
    /// A file of names that are looked for as well; a relative path is the contract's neighbour.
    package var dictionary: String?
    /// What its names are, and the names once they were read.
    package var dictionaryEntity = "PERSON", names: NameList?
    /// What is done.
    package var operation: MaskOperator = .replace
    /// Text used by `replace` instead of `<ENTITY>`.
    package var replacement: String?
    /// The character used by `mask`.
    package var maskCharacter = "*"
    /// Characters kept at the front by `mask` and `truncate`.
    package var keepFirst = 0
    /// Characters kept at the end by `mask`.
    package var keepLast = 0
    /// The name of the token key.
    package var key: String?
    /// Text put before a token or an encrypted value.
    package var prefix = ""
    /// Whether a value is brought into one spelling before `tokenize` and `encrypt`, so that the same address gives the
    /// same token.
    package var normalizes = false
    /// The country within which telephone numbers without a calling code are dialled, by its two letters.
    package var country: String?
    /// Whether `mask` leaves what is neither letter nor digit as it is.
    package var keepsFormat = false
    /// Whether `encrypt` gives the same value different bytes each time: then nothing can be joined.
    package var isRandom = false
    /// Whether `encrypt` uses a key of each subject's own.
    package var isPerSubject = false
    /// Days that `date-shift` moves by at most, either way.
    package var maxDays = 90
    /// What `generalize` keeps.
    package var part: Part?
    /// How wide the buckets of `generalize` are.
    package var bucket: Double?

    /// A coarse part of a value.
    package enum Part: String, Sendable, CaseIterable {
        /// The year of a date.
        case year
        /// The year and month of a date.
        case month
        /// The country of a telephone number or an IBAN.
        case country
    }

    /// A rule with the defaults.
    package init() {}
}

/// Rules for personal data in all fields (`sluice: pii:` of the contract).
package struct PersonalDataRules: Sendable, Equatable {
    /// The score from which on a match counts, instead of the entity's own threshold.
    package var thresholds: [Entity: Double] = [:]
    /// The column of the shard that says what was masked where in each row; nil for none.
    package var spansColumn: String?

    /// Rules with the defaults.
    package init() {}
}
