import Tabular

extension Words {
    /// What a finding about sources and what must not come in means; nil for one of another kind.
    // Long function: the catalogue, one entry a code, kept in one place on purpose.
    static func meaningOfSources(_ code: FindingCode) -> Meaning? {
        func say(_ title: String, _ explanation: String, _ cure: String) -> Meaning {
            Meaning(title: title, explanation: explanation, cure: cure)
        }
        switch code {
        case .secret:
            return say(
                "credential",
                "a text has a token, key or password in it, in a form that proves it; or, as \"key or password beside its name\", what is "
                    + "likely one by a word before it or the name of its column",
                "treat it as known to others: have its owner revoke it, and the supplier keep it out of the data; a field that is none has "
                    + "sluice.secrets: allow")
        case .undeclaredPII:
            return say(
                "undeclared personal data", "a text has personal data in it that the contract does not speak of",
                "declare it (see: sluice scan FILE), or say what happens with sluice.undeclaredPii: mask, quarantine, reject or allow"
            )
        case .suppressedRow:
            return say(
                "suppressed row", "the row has personal data whose rows the contract keeps back (operator suppress)",
                "nothing; to let such rows out, choose another operator for the field")
        case .undeclaredColumn:
            return say(
                "undeclared column of personal data",
                "at least a fifth of at least a hundred values of a column are personal data of one kind, and the contract does not say so",
                "declare the field's pii (see: sluice scan FILE), or set undeclaredPii: allow for it")
        case .duplicateRow:
            return say(
                "duplicate row", "every value of the row stands in a row before it",
                "ask the source why rows come twice; if they may, set sluice.batch.duplicateRows: flag, or leave it out"
            )
        case .copiedRow:
            return say(
                "row of an earlier batch",
                "the row's content, without keys and times, stood in a batch that was accepted before",
                "ask the source why rows come again; if every file is the whole table, set "
                    + "sluice.poisoning.duplicates.acrossBatches: false")
        case .copyExcess:
            return say(
                "rows of earlier batches",
                "far more rows repeat rows of earlier batches than those repeat each other",
                "ask the source why rows come again; if every file is the whole table, set "
                    + "sluice.poisoning.duplicates.acrossBatches: false")
        case .outlierGroup:
            return say(
                "a group of outliers",
                "more than 1 % of a column's values are a group of their own, far behind a gap, and no batch was accepted before that "
                    + "would say that this is usual",
                "look at the rows; correct them at the source, or release the batch if they are meant")
        case .sourceConflict:
            return say(
                "sources disagree",
                "other sources say something else of the same key: two that differ are both in doubt, of three and more the larger half "
                    + "by weight is believed",
                "find out which source is right; approve the row, or correct it at its source")
        case .sourceDistrusted:
            return say(
                "source not trusted",
                "too little of what the source says is confirmed by others (lower 5 % bound of the share below 0.8, after 50 comparisons)",
                "look into the source; once it is sound again: sluice source trust NAME --reason TEXT")
        case .sourceProbation:
            return say(
                "source on probation",
                "the source is new, or was put on probation, and not enough of its batches have passed",
                "look at what it sent; vouch for it with: sluice source trust NAME --reason TEXT")
        case .sourceBlocked:
            return say(
                "source blocked", "somebody decided that nothing of this source is taken",
                "see why: sluice source show NAME")
        case .sourceUnlisted:
            return say(
                "source not listed", "sluice.yaml lists the sources that may send data, and this one is not among them",
                "list it under sources:, or give the right --source; unlistedSources: accept lets all pass")
        case .digestMissing:
            return say(
                "no digest", "the source must bring a digest with each file, and none came",
                "have it send FILE.sha256 (or a manifest) beside the file")
        case .digestMismatch:
            return say(
                "not the file that was sent", "the file's size or SHA-256 is not what came beside it",
                "have it sent again: it was damaged or changed on the way")
        case .signatureMissing:
            return say(
                "not signed", "the source must sign each file, and no signature by a trusted key came",
                "have it send FILE.minisig or FILE.sig beside the file, made with a key that sluice.yaml lists for the source"
            )
        case .signatureInvalid:
            return say(
                "wrong signature",
                "the signature beside the file is not one of this very file by a key that is trusted for the source",
                "do not use the file before you know who sent it; have it signed and sent again")
        case .manifestMissing:
            return say(
                "no signed manifest",
                "the source must bind each file to its dataset and its place in the order, and no manifest signed by a trusted key came",
                "have it send FILE.manifest ({\"sha256\", \"dataset\", \"sequence\"}) with FILE.manifest.minisig or FILE.manifest.sig"
            )
        case .manifestMismatch:
            return say(
                "signed for something else",
                "the signed manifest names another dataset or supplier, or a sequence that is no whole number below 2^53",
                "find out who sent it here: the file is genuine, and was meant for elsewhere")
        case .manifestReplayed:
            return say(
                "out of order",
                "the signed manifest's number is not beyond the last one that was accepted of this supplier",
                "if it was sent again, nothing is missing; if it is late, have the supplier sign it with the next number"
            )
        default: return nil
        }
    }
}
