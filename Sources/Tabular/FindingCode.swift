/// The kind of a finding, as a stable string for reports and scripts. Codes are Frictionless's where it has one.
package enum FindingCode: String, Sendable, CaseIterable, Comparable {
    // Structure of the file or the row.
    case encodingError = "encoding-error"
    case controlCharacter = "control-character"
    case strayQuote = "stray-quote"
    case unclosedQuote = "unclosed-quote"
    case strayCarriageReturn = "stray-carriage-return"
    case rowTooLong = "row-too-long"
    case cellTooLong = "cell-too-long"
    case extraCell = "extra-cell"
    case missingCell = "missing-cell"
    case malformedJSON = "malformed-json"
    case duplicateKey = "duplicate-key"
    case nestingTooDeep = "nesting-too-deep"
    case unknownField = "unknown-field"
    case readersDisagree = "readers-disagree"
    // The header.
    case missingLabel = "missing-label"
    case extraLabel = "extra-label"
    case incorrectLabel = "incorrect-label"
    case duplicateLabel = "duplicate-label"
    case blankLabel = "blank-label"
    // The contract.
    case typeError = "type-error"
    case requiredError = "constraint-required"
    case minimumError = "constraint-minimum"
    case maximumError = "constraint-maximum"
    case minLengthError = "constraint-min-length"
    case maxLengthError = "constraint-max-length"
    case patternError = "constraint-pattern"
    case patternBudget = "pattern-over-budget"
    case enumError = "constraint-enum"
    case jsonSchemaError = "constraint-json-schema"
    case jsonSchemaBudget = "json-schema-over-budget"
    case rowConstraint = "row-constraint"
    case uniqueError = "unique-error"
    case primaryKeyError = "primary-key"
    case foreignKeyError = "foreign-key"
    // Text that looks different to people and to machines, and personal data.
    case hiddenText = "hidden-text"
    case mixedScript = "mixed-script"
    case decomposedText = "not-nfc"
    case formulaStart = "formula-start"
    case secret
    case undeclaredPII = "undeclared-pii"
    case undeclaredColumn = "undeclared-pii-column"
    case suppressedRow = "suppressed-row"
    // Statistics.
    case deviatedValue = "deviated-value"
    case constantChanged = "constant-changed"
    case isolatedRow = "isolated-row"
    case pairResidual = "pair-residual"
    case trigger = "trigger"
    case floodedRow = "flooded-row"
    case duplicateRow = "duplicate-row"
    case labelFlip = "label-flip"
    case labelDisagreement = "label-disagreement"
    case outlierExcess = "outlier-excess"
    case isolationExcess = "isolation-excess"
    case measureLost = "measure-lost"
    case pairExcess = "pair-excess"
    case distributionDrift = "distribution-drift"
    case distributionShift = "distribution-shift"
    case lengthDrift = "length-drift"
    case lengthShift = "length-shift"
    case missingDrift = "missing-drift"
    case categoryDrift = "category-drift"
    case newCategories = "new-categories"
    case volumeDrift = "volume-drift"
    case labelShift = "label-shift"
    case slowDrift = "slow-drift"
    case labelFlipExcess = "label-flip-excess"
    case targetedFlip = "targeted-flip"
    case copiedRow = "copied-row"
    case copyExcess = "copy-excess"
    case outlierGroup = "outlier-group"
    // Suppliers: their values, and the sidecars of their files.
    case sourceConflict = "source-conflict"
    case sourceDistrusted = "source-distrusted"
    case sourceProbation = "source-on-probation"
    case sourceBlocked = "source-blocked"
    case sourceUnlisted = "source-unlisted"
    case digestMissing = "digest-missing"
    case digestMismatch = "digest-mismatch"
    case signatureMissing = "signature-missing"
    case signatureInvalid = "signature-invalid"
    case manifestMissing = "manifest-missing"
    case manifestMismatch = "manifest-mismatch"
    case manifestReplayed = "manifest-out-of-order"
    // Limits of the batch.
    case tooManyRejected = "too-many-rejected"
    case tooManyRejectedRows = "too-many-rejected-rows"
    case tooManyQuarantined = "too-many-quarantined"
    case tooFewRows = "too-few-rows"
    case sourceChanged = "source-changed"

    /// The pipeline stage that makes a finding.
    package enum Stage: String, Sendable {
        /// Cutting bytes into rows and cells.
        case read
        /// The header, and rows against the contract.
        case check
        /// Statistics.
        case screen
        /// The batch as a whole.
        case judge
    }

    /// The stage that makes such findings.
    package var stage: Stage {
        switch self {
        case .encodingError, .controlCharacter, .strayQuote, .unclosedQuote, .strayCarriageReturn, .rowTooLong,
            .cellTooLong, .extraCell, .missingCell, .malformedJSON, .duplicateKey, .nestingTooDeep, .unknownField,
            .readersDisagree:
            .read
        case .deviatedValue, .constantChanged, .isolatedRow, .pairResidual, .trigger, .floodedRow, .labelFlip,
            .labelDisagreement, .copiedRow, .sourceConflict, .sourceDistrusted:
            .screen
        case .outlierExcess, .isolationExcess, .measureLost, .pairExcess, .distributionDrift, .distributionShift,
            .lengthDrift, .lengthShift, .missingDrift, .categoryDrift, .newCategories, .volumeDrift, .labelShift,
            .slowDrift,
            .labelFlipExcess, .targetedFlip, .copyExcess, .outlierGroup, .sourceProbation, .sourceBlocked,
            .sourceUnlisted,
            .digestMissing, .digestMismatch, .signatureMissing, .signatureInvalid, .manifestMissing, .manifestMismatch,
            .manifestReplayed, .tooManyRejected, .tooManyRejectedRows,
            .tooManyQuarantined, .tooFewRows, .sourceChanged:
            .judge
        case .missingLabel, .extraLabel, .incorrectLabel, .duplicateLabel, .blankLabel, .typeError, .requiredError,
            .minimumError, .maximumError, .minLengthError, .maxLengthError, .patternError, .patternBudget, .enumError,
            .jsonSchemaError, .jsonSchemaBudget, .rowConstraint, .uniqueError, .primaryKeyError, .foreignKeyError,
            .hiddenText, .mixedScript, .decomposedText, .formulaStart, .secret, .undeclaredPII, .undeclaredColumn,
            .suppressedRow, .duplicateRow:
            .check
        }
    }

    /// The decisions that a person may make about a finding.
    package enum Class: String, Sendable {
        /// It compares data with earlier batches, so a person may waive it.
        case statistical
        /// It rejects the batch for its origin, whatever its rows are.
        case refusal
        /// A demand of the contract or of a supplier's standing; also a column that statistics lost.
        case firm
    }

    /// The class of such findings.
    package var findingClass: Class {
        switch self {
        case .deviatedValue, .constantChanged, .isolatedRow, .pairResidual, .trigger, .floodedRow, .labelFlip,
            .labelDisagreement, .copiedRow, .outlierExcess, .isolationExcess, .pairExcess, .distributionDrift,
            .distributionShift, .lengthDrift, .lengthShift, .missingDrift, .categoryDrift, .newCategories,
            .volumeDrift, .labelShift, .slowDrift, .labelFlipExcess, .targetedFlip, .copyExcess, .outlierGroup:
            .statistical
        case .sourceBlocked, .digestMissing, .digestMismatch, .signatureMissing, .signatureInvalid, .manifestMissing,
            .manifestMismatch, .manifestReplayed:
            .refusal
        case .encodingError, .controlCharacter, .strayQuote, .unclosedQuote, .strayCarriageReturn, .rowTooLong,
            .cellTooLong, .extraCell, .missingCell, .malformedJSON, .duplicateKey, .nestingTooDeep, .unknownField,
            .readersDisagree, .missingLabel, .extraLabel, .incorrectLabel, .duplicateLabel, .blankLabel, .typeError,
            .requiredError, .minimumError, .maximumError, .minLengthError, .maxLengthError, .patternError,
            .patternBudget, .enumError, .jsonSchemaError, .jsonSchemaBudget, .rowConstraint, .uniqueError,
            .primaryKeyError, .foreignKeyError, .hiddenText, .mixedScript, .decomposedText, .formulaStart, .secret,
            .undeclaredPII, .undeclaredColumn, .suppressedRow, .duplicateRow, .measureLost, .sourceConflict,
            .sourceDistrusted, .sourceProbation, .sourceUnlisted, .tooManyRejected, .tooManyRejectedRows,
            .tooManyQuarantined, .tooFewRows, .sourceChanged:
            .firm
        }
    }

    /// Whether such a finding compares data with earlier batches, so that a person may waive it.
    ///
    /// A demand of the contract, a supplier's standing or a signature cannot be waived; nor can a column that
    /// statistics lost.
    package var isStatistical: Bool { findingClass == .statistical }

    /// Whether a batch with such a finding is rejected for its origin, whatever its rows are.
    package var rejectsBatch: Bool { findingClass == .refusal }

    /// Orders codes by their string, as reports do.
    package static func < (left: FindingCode, right: FindingCode) -> Bool { left.rawValue < right.rawValue }
}
