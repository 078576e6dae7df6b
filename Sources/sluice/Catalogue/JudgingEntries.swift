import Tabular

/// Findings of the batch as a whole.
extension FindingCatalogue.Entry {
    /// What to do about a difference from earlier batches.
    private static let compare =
        "compare with earlier batches and ask the source what changed; if the change is intended: sluice review "
        + "release BATCH --reason TEXT"
    /// The settings of a drift test that has limits.
    private static let withLimits =
        compare
        + "; in the contract, sluice: { drift: { warn: …, fail: … } } sets the field's threshold and { drift: { "
        + "enabled: false } } ends the comparison"
    /// The setting of a drift test that has none.
    private static let withoutLimits =
        compare
        + "; in the contract, sluice: { drift: { enabled: false } } ends the comparison of the field"

    static let outlierExcess = Self(
        .outlierExcess, "too many outliers",
        what:
            "the share of rows with an outlier is higher than in any accepted batch, beyond the variation between "
            + "batches",
        example: "8 % rows with an outlier where accepted batches had 0.1 to 0.3 %",
        cure: compare)
    static let isolationExcess = Self(
        .isolationExcess, "too many isolated rows",
        what: "the share of isolated rows is higher than in any accepted batch, beyond the variation between batches",
        example: "15 % isolated rows where accepted batches had 1 to 2 %",
        cure: compare)
    static let measureLost = Self(
        .measureLost, "numeric column lost",
        what:
            "a column that was numeric in accepted batches now contains text, and the contract was inferred from "
            + "this file, so its numbers would escape screening",
        example: "one word in a column of numbers, under --infer",
        cure:
            "write a contract (sluice schema infer, then correct it), so that the file cannot choose the column's "
            + "type")
    static let pairExcess = Self(
        .pairExcess, "too many rows with inconsistent values",
        what:
            "the share of rows off the line between two numeric fields is higher than in any accepted batch, beyond "
            + "the variation between batches",
        example: "8 % inconsistent rows where accepted batches had 0.05 to 0.2 %",
        cure: compare)
    static let distributionDrift = Self(
        .distributionDrift, "distribution changed",
        what:
            "the values are further from the nearest accepted batch than accepted batches were on arrival (mean "
            + "distance of 13 quantiles, in spreads inside batches); where the contract sets limits, the "
            + "population stability index is used",
        example: "amounts one spread higher, where batches differed by a tenth of a spread",
        cure: withLimits)
    static let distributionShift = Self(
        .distributionShift, "distribution shifted",
        what: "the values have another distribution than before (two-sample Kolmogorov-Smirnov distance)",
        example: "amounts that are a quarter larger throughout",
        cure: compare)
    static let lengthDrift = Self(
        .lengthDrift, "text lengths changed",
        what:
            "texts are shorter or longer than in any accepted batch, beyond the variation between batches (13 "
            + "quantiles)",
        example: "notes of 10 characters where they had 200",
        cure: withoutLimits)
    static let lengthShift = Self(
        .lengthShift, "text lengths shifted",
        what: "texts are shorter or longer than before (two-sample Kolmogorov-Smirnov distance)",
        example: "notes that are a third shorter throughout",
        cure: compare)
    static let missingDrift = Self(
        .missingDrift, "more missing values",
        what: "values are missing more often than in any accepted batch, beyond the variation between batches",
        example: "a fifth of the ages missing where one in fifty was",
        cure: withoutLimits)
    static let categoryDrift = Self(
        .categoryDrift, "shares of values changed",
        what:
            "the shares of values are further from the nearest accepted batch than accepted batches were on arrival "
            + "(half the sum of the differences, or the largest difference)",
        example: "40 % of the rows from one country that had 18 to 22 %",
        cure: withLimits)
    static let newCategories = Self(
        .newCategories, "new values",
        what: "more distinct values are new than in any accepted batch, and more rows have one",
        example: "three new values in a tenth of the rows, where all batches had the same twelve",
        cure: withoutLimits)
    static let volumeDrift = Self(
        .volumeDrift, "unusual number of rows",
        what: "the batch has far more or far fewer rows than earlier batches",
        example: "90,000 rows where batches have 10,000",
        cure: compare)
    static let labelShift = Self(
        .labelShift, "shares of labels changed",
        what:
            "the shares of labels are further from the nearest accepted batch than accepted batches were on arrival",
        example: "60 % praise where batches had 30 to 36 %",
        cure: withLimits)
    static let slowDrift = Self(
        .slowDrift, "slow drift from the anchor",
        what:
            "the values move in one direction from batch to batch, each step too small to be detected alone "
            + "(cumulative sum, Page 1954)",
        example: "amounts that are a hundredth higher in each batch than in the one before",
        cure: compare)
    static let labelFlipExcess = Self(
        .labelFlipExcess, "too many suspicious labels",
        what:
            "more labels disagree with the nearest rows of the baseline than usual, or a linear model of the "
            + "accepted batches estimates more changed labels than they had (the share is an estimate)",
        example: "6 % suspicious labels where accepted batches had 1 %",
        cure: compare)
    static let targetedFlip = Self(
        .targetedFlip, "labels changed in one direction",
        what: "rows that look like one label have one other label far more often than in the baseline",
        example: "5 % of the rows look like cancel and are labelled praise",
        cure: compare)
    static let copyExcess = Self(
        .copyExcess, "rows of earlier batches",
        what: "far more rows repeat rows of earlier batches than earlier batches repeat each other",
        example: "a file whose rows are those of last week's, under new ids",
        cure:
            "ask the source why rows come again; if every file is the whole table, set "
            + "sluice.poisoning.duplicates.acrossBatches: false")
    static let outlierGroup = Self(
        .outlierGroup, "group of outliers",
        what:
            "more than 1 % of a column's values form a group of their own beyond a wide gap, and no accepted batch "
            + "shows that this is usual",
        example: "5 % of a first batch's amounts are 10,000 where all others are below 140",
        cure:
            "look at the rows; correct them at the source, or, if they are intended: sluice review release BATCH "
            + "--reason TEXT")
    static let sourceProbation = Self(
        .sourceProbation, "source on probation",
        what: "the source is new, or was put on probation, and not enough of its batches have passed",
        example: "the first batch of a partner that was added to sluice.yaml today",
        cure: "review its batches; to trust it now: sluice source trust NAME --reason TEXT")
    static let sourceBlocked = Self(
        .sourceBlocked, "source blocked",
        what: "an operator blocked this source, so none of its files is accepted",
        example: "a batch of a partner after   sluice source block NAME",
        cure: "to see why: sluice source show NAME; to end it: sluice source trust NAME --reason TEXT")
    static let sourceUnlisted = Self(
        .sourceUnlisted, "source not listed",
        what: "sluice.yaml lists the sources that may send data, and this source is not among them",
        example: "--source partner-x   under   sources: { partner-a: {} }",
        cure: "list it under sources:, or give the right --source; unlistedSources: accept allows all")
    static let digestMissing = Self(
        .digestMissing, "no digest",
        what: "the source must deliver a digest with each file, and there is none",
        example: "orders.csv without orders.csv.sha256   under   require: [digest]",
        cure: "have it send FILE.sha256 (or a manifest) beside the file")
    static let digestMismatch = Self(
        .digestMismatch, "digest mismatch",
        what: "the file's size or SHA-256 differs from the digest delivered with it",
        example: "orders.csv that was cut off in transit, beside the orders.csv.sha256 of the whole file",
        cure: "have the file sent again: it was damaged or changed in transit")
    static let signatureMissing = Self(
        .signatureMissing, "not signed",
        what: "the source must sign each file, and there is no signature by a trusted key",
        example: "orders.csv without orders.csv.minisig   under   require: [signature]",
        cure:
            "have it send FILE.minisig or FILE.sig beside the file, made with a key that sluice.yaml lists for the "
            + "source")
    static let signatureInvalid = Self(
        .signatureInvalid, "invalid signature",
        what: "the signature does not match this file, or its key is not trusted for the source",
        example: "orders.csv changed after it was signed, or signed by a key that nobody listed",
        cure: "find out who sent the file before you use it; have it signed and sent again")
    static let manifestMissing = Self(
        .manifestMissing, "no signed manifest",
        what:
            "the source must deliver a signed manifest with each file, which names dataset and sequence, and there "
            + "is none by a trusted key",
        example: "orders.csv without orders.csv.manifest   under   require: [manifest]",
        cure:
            "have it send FILE.manifest ({\"sha256\", \"dataset\", \"sequence\"}) with FILE.manifest.minisig or "
            + "FILE.manifest.sig")
    static let manifestMismatch = Self(
        .manifestMismatch, "manifest for another delivery",
        what:
            "the signed manifest names another dataset or supplier, or its sequence is not a whole number below 2^53",
        example: "a manifest for dataset orders_eu beside a file in the inbox of orders_us",
        cure: "find out who sent it here: the file is genuine but was meant for another place")
    static let manifestReplayed = Self(
        .manifestReplayed, "manifest out of order",
        what: "the sequence in the signed manifest is not above the last accepted one of this supplier",
        example: "sequence 41 after 42 was accepted",
        cure:
            "if the file was sent twice, nothing is missing; if it is late, have the supplier sign it with the next "
            + "sequence")
    static let tooManyRejected = Self(
        .tooManyRejected, "too many rejected rows",
        what: "the share of rejected rows is above sluice.batch.maxRejectedRate",
        example: "2 % rejected rows under sluice.batch.maxRejectedRate: 0.01",
        cure: "have the batch repaired and sent again")
    static let tooManyRejectedRows = Self(
        .tooManyRejectedRows, "too many rejected rows",
        what: "more rows are rejected than sluice.batch.maxRejected allows; with rejectedRows: fail it allows none",
        example: "11 rejected rows under sluice.batch.maxRejected: 10",
        cure: "have the batch repaired and sent again")
    static let tooManyQuarantined = Self(
        .tooManyQuarantined, "too many quarantined rows",
        what: "the share of quarantined rows is above sluice.batch.maxQuarantinedRate",
        example: "8 % quarantined rows under sluice.batch.maxQuarantinedRate: 0.05",
        cure:
            "review the rows: the batch may be poisoned; if they are sound: sluice review release BATCH --reason TEXT")
    static let tooFewRows = Self(
        .tooFewRows, "too few rows",
        what: "the batch has fewer rows than sluice.batch.minRows",
        example: "12 rows under sluice.batch.minRows: 100",
        cure: "check whether the file is complete")
    static let sourceChanged = Self(
        .sourceChanged, "the file changed",
        what: "the file's bytes changed while it was read",
        example: "a supplier that still writes while the gate reads",
        cure: "wait until the file is complete, and ingest it again")
}
