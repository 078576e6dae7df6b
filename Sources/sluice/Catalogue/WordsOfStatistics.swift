import Tabular

extension Words {
    /// The catalogue's entries about statistical findings; nil for other codes.
    // Long function: the catalogue, one entry a code, kept in one place on purpose.
    static func meaningOfStatistics(_ code: FindingCode) -> Meaning? {
        func say(_ title: String, _ explanation: String, _ cure: String) -> Meaning {
            Meaning(title: title, explanation: explanation, cure: cure)
        }
        let compare =
            "compare with earlier batches and ask the source what changed; if the change is intended: sluice review release BATCH "
            + "--reason TEXT"
        switch code {
        case .deviatedValue:
            return say(
                "outlier",
                "the value is far from the median, measured in median absolute deviations (modified z-score)",
                "look at the row; if it is sound, adapt the field's threshold or transform under sluice.anomaly")
        case .constantChanged:
            return say(
                "constant changed",
                "a column that was constant has another value; or nearly all rows share one value and the rest are scattered around "
                    + "it without a pattern",
                "check whether the change is intended")
        case .isolatedRow:
            return say(
                "isolated row",
                "the combination of values is unusual: it is easy to isolate from the other rows (isolation forest)",
                "look at the contributing fields; each value alone may be ordinary")
        case .pairResidual:
            return say(
                "inconsistent values",
                "the value is far from what another numeric field predicts (Theil-Sen line, modified z-score of the residual)",
                "compare the two values; each alone may be ordinary")
        case .outlierExcess:
            return say(
                "too many outliers",
                "the share of rows with an outlier is higher than in any accepted batch, beyond the variation between batches",
                compare)
        case .isolationExcess:
            return say(
                "too many isolated rows",
                "the share of isolated rows is higher than in any accepted batch, beyond the variation between batches",
                compare)
        case .pairExcess:
            return say(
                "too many rows with inconsistent values",
                "the share of rows off the line between two numeric fields is higher than in any accepted batch, beyond the "
                    + "variation between batches",
                compare)
        case .trigger:
            return say(
                "possible trigger",
                "a feature of the row (a word, a value, a number, a combination of extremes) occurs almost only with one label, in "
                    + "this batch alone or together with the last accepted ones of the same source, and did not in the baseline; a "
                    + "backdoor trigger looks like this",
                "look at the rows with the same # tag; if the feature is harmless: sluice review release BATCH --reason TEXT"
            )
        case .floodedRow:
            return say(
                "near-duplicate flood",
                "the row is one of many equal or nearly equal rows, far more than in the baseline",
                "ask the source why the rows repeat; keep one of them")
        case .labelFlip:
            return say(
                "suspicious label",
                "at least 8 of the 10 nearest rows of the baseline agree on one other label; or the batch has too many such labels "
                    + "and a linear model of the accepted batches predicts another one",
                "have the label checked by somebody who does not know the given one")
        case .labelDisagreement:
            return say(
                "suspicious labels of one annotator",
                "labels of this annotator or source differ from those of similar rows more than twice as often as all others",
                "have a sample of these rows labelled again by somebody else")
        default: return meaningOfDrift(code, compare)
        }
    }

    /// The setting under `sluice:` that changes a test's threshold; nil for none.
    private static func setting(_ code: FindingCode) -> String? {
        switch code {
        case .distributionDrift, .categoryDrift, .labelShift:
            "; in the contract, sluice: { drift: { warn: …, fail: … } } sets the field's threshold and { drift: { enabled: false } } "
                + "ends the comparison"
        case .missingDrift, .newCategories, .lengthDrift:
            "; in the contract, sluice: { drift: { enabled: false } } ends the comparison of the field"
        default: nil
        }
    }

    /// The entries about differences from the baseline.
    ///
    /// - Parameters:
    ///   - code: the finding.
    ///   - compare: the remedy that these findings share.
    private static func meaningOfDrift(_ code: FindingCode, _ compare: String) -> Meaning? {
        func say(_ title: String, _ explanation: String) -> Meaning {
            Meaning(title: title, explanation: explanation, cure: compare + (setting(code) ?? ""))
        }
        switch code {
        case .distributionDrift:
            return say(
                "distribution changed",
                "the values are further from the nearest accepted batch than accepted batches were on arrival (mean distance of 13 "
                    + "quantiles, in spreads inside batches); where the contract sets limits, the population stability index is used"
            )
        case .distributionShift:
            return say(
                "distribution shifted",
                "the values have another distribution than before (two-sample Kolmogorov-Smirnov distance)")
        case .lengthDrift:
            return say(
                "text lengths changed",
                "texts are shorter or longer than in any accepted batch, beyond the variation between batches (13 quantiles)"
            )
        case .lengthShift:
            return say(
                "text lengths shifted",
                "texts are shorter or longer than before (two-sample Kolmogorov-Smirnov distance)")
        case .missingDrift:
            return say(
                "more missing values",
                "values are missing more often than in any accepted batch, beyond the variation between batches"
            )
        case .categoryDrift:
            return say(
                "shares of values changed",
                "the shares of values are further from the nearest accepted batch than accepted batches were on arrival (half the "
                    + "sum of the differences, or the largest difference)"
            )
        case .newCategories:
            return say(
                "new values",
                "more distinct values are new than in any accepted batch, and more rows have one")
        case .volumeDrift:
            return say("unusual number of rows", "the batch has far more or far fewer rows than earlier batches")
        case .slowDrift:
            return say(
                "slow drift from the anchor",
                "the values move in one direction from batch to batch, each step too small to be detected alone (cumulative sum, "
                    + "Page 1954)"
            )
        case .labelShift:
            return say(
                "shares of labels changed",
                "the shares of labels are further from the nearest accepted batch than accepted batches were on arrival"
            )
        case .labelFlipExcess:
            return say(
                "too many suspicious labels",
                "more labels disagree with the nearest rows of the baseline than usual, or a linear model of the accepted batches "
                    + "estimates more changed labels than they had (the share is an estimate)"
            )
        case .targetedFlip:
            return say(
                "labels changed in one direction",
                "rows that look like one label have one other label far more often than in the baseline")
        default: return nil
        }
    }
}

extension Words {
    /// The text for a test that was not made: the test, the fields and the reason.
    static func untested(_ fields: [String], _ reason: String) -> String {
        let shown = fields.prefix(6).joined(separator: ", ") + (fields.count > 6 ? " and \(fields.count - 6) more" : "")
        // Decisions of earlier versions are sealed with older texts, which are translated here.
        if shown.isEmpty {
            return reason.replacing(
                "what differs is remarked on, and holds nothing yet",
                with: "differences are noted, but hold no batch yet")
        }
        // "labels: reason" of the field "label" becomes "labels (label): reason".
        for test in ["copies", "drift", "labels", "statistics", "triggers"] where reason.hasPrefix(test + ": ") {
            return "\(test) (\(shown))\(reason.dropFirst(test.count))"
        }
        return "\(shown): \(reason)"
    }

    /// The power of the trigger search: the smallest triggers that it would have found.
    static func power(_ power: [(what: String, rows: Int, of: Int)]) -> String {
        "detectable triggers: "
            + power.map { "a \($0.what) in \(number($0.rows)) or more of \(number($0.of)) rows with one label" }
            .joined(separator: ", ")
    }
}

extension Words {
    /// A case in which a finding of statistics is made; nil for one of another kind. The values are made up.
    static func exampleOfStatistics(_ code: FindingCode) -> String? {
        switch code {
        case .deviatedValue: "5000 in a column whose values lie between 10 and 90"
        case .constantChanged: "2 in a column that was 1 in all batches accepted before"
        case .isolatedRow: "a small order with the weight of a truck: each is usual, together they are not"
        case .pairResidual: "90 years and 120 cm: each is usual, together they are not"
        case .trigger: "a word in 60 rows, all labelled praise, that no earlier row had"
        case .floodedRow: "one review, 400 times in 20,000 rows, with a word changed here and there"
        case .labelFlip: "a row labelled praise among ten neighbours labelled cancel"
        case .labelDisagreement: "an annotator with 12 % suspicious labels, where others have 2 %"
        case .pairExcess: "8 % inconsistent rows where accepted batches had 0.05 to 0.2 %"
        case .distributionDrift: "amounts one spread higher, where batches differed by a tenth of a spread"
        case .distributionShift: "amounts that are a quarter larger throughout"
        case .lengthDrift: "notes of 10 characters where they had 200"
        case .lengthShift: "notes that are a third shorter throughout"
        case .missingDrift: "a fifth of the ages missing where one in fifty was"
        case .categoryDrift: "40 % of the rows from one country that had 18 to 22 %"
        case .newCategories: "three new values in a tenth of the rows, where all batches had the same twelve"
        case .volumeDrift: "90,000 rows where batches have 10,000"
        case .slowDrift: "amounts that are a hundredth higher in each batch than in the one before"
        case .labelShift: "60 % praise where batches had 30 to 36 %"
        case .labelFlipExcess: "6 % suspicious labels where accepted batches had 1 %"
        case .targetedFlip: "5 % of the rows look like cancel and are labelled praise"
        case .outlierExcess: "8 % rows with an outlier where accepted batches had 0.1 to 0.3 %"
        case .isolationExcess: "15 % isolated rows where accepted batches had 1 to 2 %"
        default: nil
        }
    }
}
