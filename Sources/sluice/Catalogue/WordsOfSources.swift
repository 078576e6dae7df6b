import Tabular

extension Words {
    /// The catalogue's entries about sources, credentials and personal data; nil for other codes.
    // Long function: the catalogue, one entry a code, kept in one place on purpose.
    static func meaningOfSources(_ code: FindingCode) -> Meaning? {
        func say(_ title: String, _ explanation: String, _ cure: String) -> Meaning {
            Meaning(title: title, explanation: explanation, cure: cure)
        }
        switch code {
        case .secret:
            return say(
                "credential",
                "a text contains a token, key or password: recognised by its form, or, as \"key or password beside its name\", by "
                    + "the word before it or the name of its column",
                "treat the credential as leaked: have its owner revoke it and the supplier remove it from the data; for a false "
                    + "alarm set sluice.secrets: allow in the field"
            )
        case .undeclaredPII:
            return say(
                "undeclared personal data", "a text contains personal data that the contract does not declare",
                "declare it (see: sluice scan FILE), or set sluice.undeclaredPii to mask, quarantine, reject or allow"
            )
        case .suppressedRow:
            return say(
                "suppressed row",
                "the row contains personal data of a field with operator suppress, so the row is held back",
                "nothing; to release such rows, choose another operator for the field")
        case .undeclaredColumn:
            return say(
                "undeclared column of personal data",
                "at least 20 % of at least 100 values of a column are personal data of one kind, and the contract does not declare it",
                "declare pii for the field (see: sluice scan FILE), or set undeclaredPii: allow in the field")
        case .duplicateRow:
            return say(
                "duplicate row", "an earlier row of the file has the same values in all fields",
                "ask the source why rows come twice; if they may, set sluice.batch.duplicateRows: flag, or remove the setting"
            )
        case .copiedRow:
            return say(
                "row of an earlier batch",
                "an accepted batch has a row with the same content, apart from keys and times",
                "ask the source why rows come again; if every file is the whole table, set "
                    + "sluice.poisoning.duplicates.acrossBatches: false")
        case .copyExcess:
            return say(
                "rows of earlier batches",
                "far more rows repeat rows of earlier batches than earlier batches repeat each other",
                "ask the source why rows come again; if every file is the whole table, set "
                    + "sluice.poisoning.duplicates.acrossBatches: false")
        case .outlierGroup:
            return say(
                "group of outliers",
                "more than 1 % of a column's values form a group of their own beyond a wide gap, and no accepted batch shows that "
                    + "this is usual",
                "look at the rows; correct them at the source, or, if they are intended: sluice review release BATCH --reason TEXT"
            )
        case .sourceConflict:
            return say(
                "sources disagree",
                "sources report different values for the same key; of two, both are in doubt; of three or more, the weighted "
                    + "majority is believed",
                "find out which source is right, and have the other correct its data")
        case .sourceDistrusted:
            return say(
                "source not trusted",
                "too few of the source's values are confirmed by others (lower 5 % bound of the share below 0.8, after 50 comparisons)",
                "investigate the source; once it is reliable again: sluice source trust NAME --reason TEXT")
        case .sourceProbation:
            return say(
                "source on probation",
                "the source is new, or was put on probation, and not enough of its batches have passed",
                "review its batches; to trust it now: sluice source trust NAME --reason TEXT")
        case .sourceBlocked:
            return say(
                "source blocked", "an operator blocked this source, so none of its files is accepted",
                "to see why: sluice source show NAME; to end it: sluice source trust NAME --reason TEXT")
        case .sourceUnlisted:
            return say(
                "source not listed",
                "sluice.yaml lists the sources that may send data, and this source is not among them",
                "list it under sources:, or give the right --source; unlistedSources: accept allows all")
        case .digestMissing:
            return say(
                "no digest", "the source must deliver a digest with each file, and there is none",
                "have it send FILE.sha256 (or a manifest) beside the file")
        case .digestMismatch:
            return say(
                "digest mismatch", "the file's size or SHA-256 differs from the digest delivered with it",
                "have the file sent again: it was damaged or changed in transit")
        case .signatureMissing:
            return say(
                "not signed", "the source must sign each file, and there is no signature by a trusted key",
                "have it send FILE.minisig or FILE.sig beside the file, made with a key that sluice.yaml lists for the source"
            )
        case .signatureInvalid:
            return say(
                "invalid signature",
                "the signature does not match this file, or its key is not trusted for the source",
                "find out who sent the file before you use it; have it signed and sent again")
        case .manifestMissing:
            return say(
                "no signed manifest",
                "the source must deliver a signed manifest with each file, which names dataset and sequence, and there is none by a "
                    + "trusted key",
                "have it send FILE.manifest ({\"sha256\", \"dataset\", \"sequence\"}) with FILE.manifest.minisig or FILE.manifest.sig"
            )
        case .manifestMismatch:
            return say(
                "manifest for another delivery",
                "the signed manifest names another dataset or supplier, or its sequence is not a whole number below 2^53",
                "find out who sent it here: the file is genuine but was meant for another place")
        case .manifestReplayed:
            return say(
                "manifest out of order",
                "the sequence in the signed manifest is not above the last accepted one of this supplier",
                "if the file was sent twice, nothing is missing; if it is late, have the supplier sign it with the next sequence"
            )
        default: return nil
        }
    }
}

extension Words {
    /// A case in which a finding about sources is made; nil for one of another kind. The values are made up.
    static func exampleOfSources(_ code: FindingCode) -> String? {
        switch code {
        case .duplicateRow: "the same sale on two lines, to the last digit"
        case .suppressedRow: "a passport number in a field whose operator is suppress"
        case .undeclaredPII: "an e-mail address in a column of notes"
        case .undeclaredColumn: "a column of telephone numbers that the contract declares as a string without pii"
        case .secret: "a GitHub token, which begins with ghp_, in a note"
        case .copiedRow: "a row that came last week under another id"
        case .outlierGroup: "5 % of a first batch's amounts are 10,000 where all others are below 140"
        case .copyExcess: "a file whose rows are those of last week's, under new ids"
        case .sourceConflict: "amount 90 from partner_b for a ticket that partner_a and partner_c give 12"
        case .sourceDistrusted: "a source with 20 of its last 60 comparable values contradicted"
        case .sourceProbation: "the first batch of a partner that was added to sluice.yaml today"
        case .sourceBlocked: "a batch of a partner after   sluice source block NAME"
        case .sourceUnlisted: "--source partner-x   under   sources: { partner-a: {} }"
        case .digestMissing: "orders.csv without orders.csv.sha256   under   require: [digest]"
        case .digestMismatch: "orders.csv that was cut off in transit, beside the orders.csv.sha256 of the whole file"
        case .signatureMissing: "orders.csv without orders.csv.minisig   under   require: [signature]"
        case .signatureInvalid: "orders.csv changed after it was signed, or signed by a key that nobody listed"
        case .manifestMissing: "orders.csv without orders.csv.manifest   under   require: [manifest]"
        case .manifestMismatch: "a manifest for dataset orders_eu beside a file in the inbox of orders_us"
        case .manifestReplayed: "sequence 41 after 42 was accepted"
        default: nil
        }
    }
}
