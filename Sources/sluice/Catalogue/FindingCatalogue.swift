import Tabular

/// The catalogue of findings: for every code its stage and class, what it means, an example, and what to do about it.
///
/// The compiler leads through a new code: a case of `FindingCode` needs its stage and its class there and a case in `entry` here, which
/// names a declaration in the file of the stage, which needs all its texts. `scripts/reference` writes the page from it.
enum FindingCatalogue {
    /// What the catalogue says of one code.
    struct Entry: Sendable {
        let code: FindingCode
        /// A few words that name the finding.
        let title: String
        /// What was found and why it matters, in one or two sentences.
        let what: String
        /// A case in which the finding is made; its values are made up.
        let example: String
        /// What to do about it, with commands in which `BATCH` stands for the batch's id.
        let cure: String

        init(_ code: FindingCode, _ title: String, what: String, example: String, cure: String) {
            self.code = code
            self.title = title
            self.what = what
            self.example = example
            self.cure = cure
        }

        /// The entry as `sluice explain --json` prints it.
        var document: JSONValue {
            .object([
                "code": .string(code.rawValue), "stage": .string(code.stage.rawValue),
                "class": .string(code.findingClass.rawValue), "title": .string(title), "what": .string(what),
                "example": .string(example), "cure": .string(cure),
            ])
        }
    }

    /// The entries in the order of the codes: by stage, and in the order in which the gate looks.
    static var all: [Entry] { FindingCode.allCases.map(entry) }

    /// The entry of a code.
    // Long function: one case a code.
    static func entry(_ code: FindingCode) -> Entry {
        switch code {
        case .encodingError: .encodingError
        case .controlCharacter: .controlCharacter
        case .strayQuote: .strayQuote
        case .unclosedQuote: .unclosedQuote
        case .strayCarriageReturn: .strayCarriageReturn
        case .rowTooLong: .rowTooLong
        case .cellTooLong: .cellTooLong
        case .extraCell: .extraCell
        case .missingCell: .missingCell
        case .malformedJSON: .malformedJSON
        case .duplicateKey: .duplicateKey
        case .nestingTooDeep: .nestingTooDeep
        case .unknownField: .unknownField
        case .readersDisagree: .readersDisagree
        case .missingLabel: .missingLabel
        case .extraLabel: .extraLabel
        case .incorrectLabel: .incorrectLabel
        case .duplicateLabel: .duplicateLabel
        case .blankLabel: .blankLabel
        case .typeError: .typeError
        case .requiredError: .requiredError
        case .minimumError: .minimumError
        case .maximumError: .maximumError
        case .minLengthError: .minLengthError
        case .maxLengthError: .maxLengthError
        case .patternError: .patternError
        case .patternBudget: .patternBudget
        case .enumError: .enumError
        case .jsonSchemaError: .jsonSchemaError
        case .jsonSchemaBudget: .jsonSchemaBudget
        case .rowConstraint: .rowConstraint
        case .uniqueError: .uniqueError
        case .primaryKeyError: .primaryKeyError
        case .foreignKeyError: .foreignKeyError
        case .hiddenText: .hiddenText
        case .mixedScript: .mixedScript
        case .decomposedText: .decomposedText
        case .formulaStart: .formulaStart
        case .secret: .secret
        case .undeclaredPII: .undeclaredPII
        case .undeclaredColumn: .undeclaredColumn
        case .suppressedRow: .suppressedRow
        case .deviatedValue: .deviatedValue
        case .constantChanged: .constantChanged
        case .isolatedRow: .isolatedRow
        case .pairResidual: .pairResidual
        case .trigger: .trigger
        case .floodedRow: .floodedRow
        case .duplicateRow: .duplicateRow
        case .labelFlip: .labelFlip
        case .labelDisagreement: .labelDisagreement
        case .outlierExcess: .outlierExcess
        case .isolationExcess: .isolationExcess
        case .measureLost: .measureLost
        case .pairExcess: .pairExcess
        case .distributionDrift: .distributionDrift
        case .distributionShift: .distributionShift
        case .lengthDrift: .lengthDrift
        case .lengthShift: .lengthShift
        case .missingDrift: .missingDrift
        case .categoryDrift: .categoryDrift
        case .newCategories: .newCategories
        case .volumeDrift: .volumeDrift
        case .labelShift: .labelShift
        case .slowDrift: .slowDrift
        case .labelFlipExcess: .labelFlipExcess
        case .targetedFlip: .targetedFlip
        case .copiedRow: .copiedRow
        case .copyExcess: .copyExcess
        case .outlierGroup: .outlierGroup
        case .sourceConflict: .sourceConflict
        case .sourceDistrusted: .sourceDistrusted
        case .sourceProbation: .sourceProbation
        case .sourceBlocked: .sourceBlocked
        case .sourceUnlisted: .sourceUnlisted
        case .digestMissing: .digestMissing
        case .digestMismatch: .digestMismatch
        case .signatureMissing: .signatureMissing
        case .signatureInvalid: .signatureInvalid
        case .manifestMissing: .manifestMissing
        case .manifestMismatch: .manifestMismatch
        case .manifestReplayed: .manifestReplayed
        case .tooManyRejected: .tooManyRejected
        case .tooManyRejectedRows: .tooManyRejectedRows
        case .tooManyQuarantined: .tooManyQuarantined
        case .tooFewRows: .tooFewRows
        case .sourceChanged: .sourceChanged
        }
    }
}
