import Tabular

/// Findings of rows against statistics and other suppliers.
extension FindingCatalogue.Entry {
    static let deviatedValue = Self(
        .deviatedValue, "outlier",
        what: "the value is far from the median, measured in median absolute deviations (modified z-score)",
        example: "5000 in a column whose values lie between 10 and 90",
        cure: "look at the row; if it is sound, adapt the field's threshold or transform under sluice.anomaly")
    static let constantChanged = Self(
        .constantChanged, "constant changed",
        what:
            "a column that was constant has another value; or nearly all rows share one value and the rest are "
            + "scattered around it without a pattern",
        example: "2 in a column that was 1 in all batches accepted before",
        cure: "check whether the change is intended")
    static let isolatedRow = Self(
        .isolatedRow, "isolated row",
        what: "the combination of values is unusual: it is easy to isolate from the other rows (isolation forest)",
        example: "a small order with the weight of a truck: each is usual, together they are not",
        cure: "look at the contributing fields; each value alone may be ordinary")
    static let pairResidual = Self(
        .pairResidual, "inconsistent values",
        what:
            "the value is far from what another numeric field predicts (Theil-Sen line, modified z-score of the "
            + "residual)",
        example: "90 years and 120 cm: each is usual, together they are not",
        cure: "compare the two values; each alone may be ordinary")
    static let trigger = Self(
        .trigger, "possible trigger",
        what:
            "a feature of the row (a word, a value, a number, a combination of extremes) occurs almost only with one "
            + "label, in this batch alone or together with the last accepted ones of the same source, and did "
            + "not in the baseline; a backdoor trigger looks like this",
        example: "a word in 60 rows, all labelled praise, that no earlier row had",
        cure:
            "look at the rows with the same # tag; if the feature is harmless: sluice review release BATCH --reason "
            + "TEXT")
    static let floodedRow = Self(
        .floodedRow, "near-duplicate flood",
        what: "the row is one of many equal or nearly equal rows, far more than in the baseline",
        example: "one review, 400 times in 20,000 rows, with a word changed here and there",
        cure: "ask the source why the rows repeat; keep one of them")
    static let labelFlip = Self(
        .labelFlip, "suspicious label",
        what:
            "at least 8 of the 10 nearest rows of the baseline agree on one other label; or the batch has too many "
            + "such labels and a linear model of the accepted batches predicts another one",
        example: "a row labelled praise among ten neighbours labelled cancel",
        cure: "have the label checked by somebody who does not know the given one")
    static let labelDisagreement = Self(
        .labelDisagreement, "suspicious labels of one annotator",
        what:
            "labels of this annotator or source differ from those of similar rows more than twice as often as all "
            + "others",
        example: "an annotator with 12 % suspicious labels, where others have 2 %",
        cure: "have a sample of these rows labelled again by somebody else")
    static let copiedRow = Self(
        .copiedRow, "row of an earlier batch",
        what: "an accepted batch has a row with the same content, apart from keys and times",
        example: "a row that came last week under another id",
        cure:
            "ask the source why rows come again; if every file is the whole table, set "
            + "sluice.poisoning.duplicates.acrossBatches: false")
    static let sourceConflict = Self(
        .sourceConflict, "sources disagree",
        what:
            "sources report different values for the same key; of two, both are in doubt; of three or more, the "
            + "weighted majority is believed",
        example: "amount 90 from partner_b for a ticket that partner_a and partner_c give 12",
        cure: "find out which source is right, and have the other correct its data")
    static let sourceDistrusted = Self(
        .sourceDistrusted, "source not trusted",
        what:
            "too few of the source's values are confirmed by others (lower 5 % bound of the share below 0.8, after "
            + "50 comparisons)",
        example: "a source with 20 of its last 60 comparable values contradicted",
        cure: "investigate the source; once it is reliable again: sluice source trust NAME --reason TEXT")
}
