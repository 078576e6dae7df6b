package import Recognition
package import Tabular

/// The operator that changes a released value (`sluice: pii: operator:`).
package enum MaskOperator: String, Sendable, CaseIterable {
    /// Removes the value: an empty cell, JSON null.
    case redact
    /// Replaces it by `<ENTITY>` or the declared text.
    case replace
    /// Overwrites characters with `maskChar`, keeping some.
    case mask
    /// Keeps only the first characters.
    case truncate
    /// Removes the column.
    case drop
    /// A keyed one-way token that can be joined: HMAC-SHA-256 (RFC 2104).
    case tokenize
    /// Encrypts the value for `sluice reveal`: AES-SIV with a 512-bit key (RFC 5297).
    case encrypt
    /// Shifts a date by a number of days that is the same for all dates of a subject.
    case dateShift = "date-shift"
    /// Keeps the coarse part: year, month, country, or a bucket of numbers.
    case generalize
    /// Holds back the whole row.
    case suppress
}

/// The treatment of undeclared personal data (`undeclaredPii`).
package enum UndeclaredPII: String, Sendable, CaseIterable {
    /// It is replaced by the entity's name, and the row is flagged.
    case mask
    /// The row is quarantined.
    case quarantine
    /// The row is rejected.
    case reject
    /// It is released.
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

/// The treatment of personal data in a column (`sluice: pii:`).
package struct PIIRule: Sendable, Equatable {
    /// The declared entity of whole cells (Presidio's name); nil for text that is scanned.
    package var entity: String?
    /// Whether text is searched for entities.
    package var scan = false
    /// The entities searched for; empty means all.
    package var entities: [String] = []
    /// A file of additional names; a relative path starts at the contract's folder.
    package var dictionary: String?
    /// The entity of those names, and the names once they are loaded.
    package var dictionaryEntity = "PERSON", names: NameList?
    /// The operator.
    package var operation: MaskOperator = .replace
    /// The text of `replace`; nil for `<ENTITY>`.
    package var replacement: String?
    /// The character of `mask`.
    package var maskCharacter = "*"
    /// Characters that `mask` and `truncate` keep at the front.
    package var keepFirst = 0
    /// Characters that `mask` keeps at the end.
    package var keepLast = 0
    /// The name of the token key.
    package var key: String?
    /// Text put before a token or an encrypted value.
    package var prefix = ""
    /// Whether values are normalised before `tokenize` and `encrypt`, so that spellings of the same address give the
    /// same token.
    package var normalizes = false
    /// The country of telephone numbers without a calling code (ISO 3166-1 alpha-2).
    package var country: String?
    /// Whether `mask` keeps characters that are neither letters nor digits.
    package var keepsFormat = false
    /// Whether `encrypt` is randomised, so that equal values differ and cannot be joined.
    package var isRandom = false
    /// Whether `encrypt` derives a key for each subject.
    package var isPerSubject = false
    /// Most days that `date-shift` moves a date in either direction.
    package var maxDays = 90
    /// The part that `generalize` keeps.
    package var part: Part?
    /// The width of the buckets of `generalize`.
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
    /// Scores from which a match counts, by entity; they replace the entity's own threshold.
    package var thresholds: [Entity: Double] = [:]
    /// The column of the shard that lists what was masked in each row; nil for none.
    package var spansColumn: String?

    /// Rules with the defaults.
    package init() {}
}
