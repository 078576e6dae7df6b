import Tabular

extension Words {
    /// What a finding of statistics means; nil for one of another kind.
    // Long function: the catalogue, one entry a code, kept in one place on purpose.
    static func meaningOfStatistics(_ code: FindingCode) -> Meaning? {
        func say(_ title: String, _ explanation: String, _ cure: String) -> Meaning {
            Meaning(title: title, explanation: explanation, cure: cure)
        }
        let compare =
            "compare with earlier batches and ask the source what changed; if it is meant: sluice review release BATCH --reason TEXT"
        switch code {
        case .modifiedZ:
            return say(
                "outlier",
                "the value is far from the median, measured in median absolute deviations (modified z-score)",
                "look at the row; approve it, or set the field's sluice.anomaly threshold or transform")
        case .constantChanged:
            return say(
                "constant changed",
                "a column that always had one value has another; or nearly all rows have one value, and the others are scattered around "
                    + "it without a pattern",
                "check whether that is meant")
        case .isolationForest:
            return say(
                "isolated row", "the combination of values is easy to isolate from the others (isolation forest)",
                "look at the contributing fields; approve the row if it is sound")
        case .pairResidual:
            return say(
                "values that do not belong together",
                "the value is far from what another measure predicts of it (Theil-Sen line, modified z-score of the residual)",
                "look at both values; each alone may be ordinary")
        case .outlierExcess:
            return say(
                "too many outliers",
                "more rows have a deviated value than in any accepted batch, beyond how much that share differs between them",
                compare)
        case .isolationExcess:
            return say(
                "too many isolated rows",
                "more rows are isolated than in any accepted batch, beyond how much that share differs between them",
                compare)
        case .pairExcess:
            return say(
                "too many rows with values that do not belong together",
                "more rows lie off the line between two measures than in any accepted batch, beyond how much that share differs",
                compare)
        case .trigger:
            return say(
                "mark beside one label",
                "something in the row (a word, a value, a number, a combination of extremes) stands nearly always beside one "
                    + "label in this batch, alone or with the last accepted ones of the same source, and did not in the baseline: "
                    + "what a backdoor's trigger looks like",
                "look at the rows with the same # tag; release them if the mark is an honest one")
        case .floodedRow:
            return say(
                "copy in a flood",
                "the row is one of many that are equal or nearly equal, far more than in the baseline",
                "keep one of them, and ask the source why they came so often")
        case .labelFlip:
            return say(
                "label that does not fit",
                "at least 8 of the 10 nearest rows of the baseline agree on one other label, or a linear model of the accepted batches "
                    + "takes it for changed in a batch that has too many such labels",
                "have the label checked by somebody who does not know the first answer")
        case .labelDisagreement:
            return say(
                "labels of one hand that do not fit",
                "rows of this annotator or source differ from their neighbours more than twice as often as all others",
                "have a sample of these rows labelled again")
        default: return meaningOfDrift(code, compare)
        }
    }

    /// What changes a line of a test: names of settings under `sluice:`.
    private static func setting(_ code: FindingCode) -> String? {
        switch code {
        case .distributionDrift, .categoryDrift, .labelShift:
            "; the field's line is set by sluice: { drift: { warn: …, fail: … } } in the contract, and ended by "
                + "{ drift: { enabled: false } }"
        case .missingDrift, .newCategories, .lengthDrift:
            "; sluice: { drift: { enabled: false } } in the field of the contract ends the comparison"
        default: nil
        }
    }

    private static func meaningOfDrift(_ code: FindingCode, _ compare: String) -> Meaning? {
        func say(_ title: String, _ explanation: String) -> Meaning {
            Meaning(title: title, explanation: explanation, cure: compare + (setting(code) ?? ""))
        }
        switch code {
        case .distributionDrift:
            return say(
                "other distribution",
                "the values are further from those of the nearest accepted batch than accepted batches were when they came (mean "
                    + "distance of 13 quantiles, in spreads inside batches); where the contract gives limits, their population "
                    + "stability index")
        case .distributionShift:
            return say("shifted distribution", "the values are distributed otherwise than before (Smirnov's distance)")
        case .lengthDrift:
            return say(
                "other text lengths",
                "texts are shorter or longer than in any accepted batch, by more than batches differ (13 quantiles)")
        case .lengthShift:
            return say("shifted text lengths", "texts are shorter or longer than before (Smirnov's distance)")
        case .missingDrift:
            return say(
                "other share of missing values",
                "values are missing more often than in any accepted batch, beyond how much that share differs between them"
            )
        case .categoryDrift:
            return say(
                "other shares of values",
                "the shares of values are further from those of the nearest accepted batch than accepted batches were when they "
                    + "came (half the sum of the differences, or the largest one)")
        case .newCategories:
            return say(
                "values never seen before",
                "more of the different values are new than in any accepted batch, and more rows have one")
        case .volumeDrift:
            return say("unusual number of rows", "the batch has far more or fewer rows than those before")
        case .slowDrift:
            return say(
                "slow drift away from the anchor",
                "batch by batch the values move one way, each step too small to be seen alone (cumulative sum, Page 1954)"
            )
        case .labelShift:
            return say(
                "other shares of labels",
                "the shares of labels are further from those of the nearest accepted batch than accepted batches were")
        case .labelFlipExcess:
            return say(
                "many labels that do not fit",
                "more rows disagree with the nearest rows of the baseline than honest ones do, or more labels seem to be changed than in "
                    + "the accepted batches, by a linear model of those (the share is an estimate)")
        case .targetedFlip:
            return say(
                "labels changed one way",
                "rows that look like one label have one other label, far more often than in the baseline")
        default: return nil
        }
    }
}

extension Words {
    /// What the search for marks would have seen of a batch.
    static func power(_ power: [(what: String, rows: Int, of: Int)]) -> String {
        "would have seen "
            + power.map { "a \($0.what) in \(number($0.rows)) or more of \(number($0.of)) rows beside one label" }
            .joined(separator: ", ")
    }
}
