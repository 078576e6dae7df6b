import Tabular

/// The catalogue of findings for people: title, explanation and remedy of every code, and how numbers are written.
///
/// All output for people is worded here and in the reports, so that a term has one spelling.
enum Words {
    /// The catalogue's entry for one code.
    struct Meaning {
        /// A few words that name the finding.
        var title: String
        /// The finding and its importance, in one or two sentences.
        var explanation: String
        /// The remedy, with commands in which `BATCH` stands for the batch's id.
        var cure: String
    }

    /// A whole number with thin spaces between groups of three digits.
    static func number(_ value: Int) -> String {
        let digits = String(abs(value))
        var out = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { out.append(",") }
            out.append(digit)
        }
        return value < 0 ? "-" + out : out
    }

    /// A number with what is counted, in the plural where needed.
    static func count(_ value: Int, _ what: String) -> String { "\(number(value)) \(what)\(value == 1 ? "" : "s")" }

    /// Seconds in the largest unit that fits.
    static func duration(_ seconds: Int) -> String {
        switch seconds {
        case ..<120: "\(seconds) s"
        case ..<7200: "\(seconds / 60) min"
        case ..<172_800: "\(seconds / 3600) h"
        default: "\(number(seconds / 86_400)) days"
        }
    }

    /// A number with few decimals.
    ///
    /// - Parameters:
    ///   - value: the number.
    ///   - places: most decimals.
    static func short(_ value: Double, _ places: Int = 2) -> String {
        if !value.isFinite { return "\(value)" }
        var scale = 1.0
        for _ in 0..<places { scale *= 10 }
        let rounded = (abs(value) * scale).rounded()
        guard rounded < 1e15 else { return "\(value)" }
        let whole = Int(rounded)
        if places == 0 { return (value < 0 ? "-" : "") + String(whole) }
        let fraction = String(whole % Int(scale))
        let padded = String(repeating: "0", count: places - fraction.count) + fraction
        return (value < 0 ? "-" : "") + "\(whole / Int(scale)).\(padded)"
    }

    /// The subject of a finding: a field, a rule, or a rule of a field. A rule that only repeats the field is omitted.
    static func place(_ field: String?, _ rule: String?) -> String {
        guard let rule, rule != field else { return field ?? "–" }
        return field.map { "\($0): \(rule)" } ?? rule
    }

    /// The remedy for a finding of a held batch, with the batch's id in place of `BATCH`.
    static func cure(_ code: FindingCode, ofBatch batch: String, from source: String) -> String {
        let cure = meaning(code).cure.replacing("review release BATCH", with: "review release \(batch)")
        return source.isEmpty
            ? cure
            : cure.replacing("source show NAME", with: "source show \(source)").replacing(
                "source trust NAME", with: "source trust \(source)")
    }

    /// The command that releases a held batch.
    static func release(_ batch: String) -> String { "sluice review release \(batch) --reason TEXT" }

    /// The command that also judges the later batches of the incident again.
    static func releaseWithEchoes(_ batch: String) -> String {
        "sluice review release \(batch) --echoes --reason TEXT"
    }

    /// The reference to the first batch of an incident.
    static func incident(_ batch: String, since time: String) -> String {
        "batch \(batch), held on \(time.prefix(10)), shows the same change; if the change is sound, one command releases that batch "
            + "and judges the later ones again: " + releaseWithEchoes(batch)
    }

    /// A share as a percentage.
    static func percent(_ share: Double) -> String { short(share * 100) + " %" }

    /// The catalogue entry of a code.
    ///
    /// Complete by the compiler: each part of the catalogue covers one group of codes.
    // Long function: the catalogue, one entry a code, kept in one place on purpose.
    static func meaning(_ code: FindingCode) -> Meaning {
        func say(_ title: String, _ explanation: String, _ cure: String) -> Meaning {
            Meaning(title: title, explanation: explanation, cure: cure)
        }
        if let meaning = meaningOfStatistics(code) ?? meaningOfSources(code) { return meaning }
        switch code {
        case .encodingError:
            return say(
                "not UTF-8", "the row has a byte sequence that is not UTF-8",
                "give its encoding (sluice dialect FILE says which it seems to be): --encoding windows-1252, or sluice.encoding in the "
                    + "contract; or have the file sent as UTF-8")
        case .controlCharacter:
            return say(
                "control character", "the row has a NUL or another control character that does not belong in text",
                "have the supplier remove it; it often comes from a broken export or a binary file")
        case .strayQuote:
            return say(
                "stray quote", "an unquoted field contains a quote, or text follows a closing quote",
                "quote the whole field and double the quotes inside it (RFC 4180)")
        case .unclosedQuote:
            return say(
                "unclosed quote",
                "a quoted field does not end within the row limit, or text follows its closing quote some lines later; only the "
                    + "first line was taken as the row",
                "close the quote, or raise sluice.limits.maxRowBytes if such long fields are intended")
        case .strayCarriageReturn:
            return say(
                "stray carriage return", "the row contains a carriage return without a line feed",
                "end lines with LF or CRLF, and quote fields that contain line ends")
        case .rowTooLong:
            return say(
                "row too long", "the row has more bytes than sluice.limits.maxRowBytes",
                "raise the limit if such rows are intended, else have the supplier split or drop them")
        case .cellTooLong:
            return say(
                "cell too long", "a value of the row has more bytes than sluice.limits.maxCellBytes",
                "raise the limit if such long values are intended, as whole documents often are")
        case .extraCell:
            return say(
                "too many cells", "the row has more cells than the header", "quote fields that contain the delimiter")
        case .missingCell:
            return say(
                "too few cells", "the row has fewer cells than the header", "write empty cells for missing values")
        case .malformedJSON:
            return say("not JSON", "the line is not one JSON object (RFC 8259)", "write one complete object a line")
        case .duplicateKey:
            return say(
                "duplicate key", "an object has the same key twice; readers disagree about which one counts",
                "have the supplier write each key once")
        case .nestingTooDeep:
            return say(
                "nested too deep", "the value is nested deeper than sluice.limits.maxDepth",
                "flatten the data, or raise the limit")
        case .unknownField:
            return say(
                "unknown member", "the object has a member that the contract does not name",
                "add it to the contract, or set sluice.unknownFields to keep or drop")
        case .readersDisagree:
            return say(
                "readers disagree",
                "Sluice's CSV reader and libcsv split the row differently, so other software may read it differently too",
                "look at the row; please report it, and use --csv-engine libcsv meanwhile")
        case .missingLabel:
            return say(
                "missing column", "the header lacks a column of the contract",
                "add the column, change the contract, or say where it is with sluice.column")
        case .extraLabel:
            return say(
                "unknown column", "the header has a column that the contract does not name",
                "add it to the contract, set sluice.unknownFields to keep or drop, or name its position in sluice.dropColumns (a column "
                    + "without a label where rows end with a delimiter: sluice.trailingDelimiter)")
        case .incorrectLabel:
            return say(
                "columns in another order",
                "the header has the contract's columns in another order, and fieldsMatch is exact",
                "put them in the order of the contract, or write fieldsMatch: equal")
        case .duplicateLabel:
            return say(
                "duplicate column", "two columns have the same label; the later one gets a number added to its name",
                "give the field its position with sluice.column, or have one column renamed")
        case .blankLabel:
            return say(
                "blank column name", "a column has no label; its position is used as its name",
                "declare a field with this position (sluice.column), or drop the column with sluice.dropColumns")
        case .typeError:
            return say(
                "wrong type", "the value is not of the field's type or format",
                "correct the value or the contract's type")
        case .requiredError:
            return say("missing value", "a required value is missing", "supply the value, or make the field optional")
        case .minimumError:
            return say("too small", "the value is below the contract's minimum", "correct the value or the bound")
        case .maximumError:
            return say("too large", "the value is above the contract's maximum", "correct the value or the bound")
        case .minLengthError:
            return say("too short", "the value is shorter than minLength", "correct the value or the bound")
        case .maxLengthError:
            return say("too long", "the value is longer than maxLength", "correct the value or the bound")
        case .patternError:
            return say(
                "pattern mismatch", "the value does not match the contract's pattern",
                "correct the value or the pattern")
        case .patternBudget:
            return say(
                "pattern too costly", "matching the pattern took more steps than allowed and was stopped",
                "simplify the pattern: nested repetition such as (a+)+ explodes on hostile text")
        case .enumError:
            return say(
                "value not allowed", "the value is not in the enum or the categories of the contract",
                "correct the value, or extend the enum or categories")
        case .jsonSchemaError:
            return say(
                "JSON Schema violated", "the record or value violates a keyword of the contract's JSON Schema",
                "see keywordLocation in the JSON report (--format json); correct the value or the schema")
        case .jsonSchemaBudget:
            return say(
                "JSON Schema too costly",
                "evaluating the JSON Schema took more steps than allowed and was stopped",
                "simplify the schema: nested anyOf and patterns such as (a+)+ explode on hostile data")
        case .rowConstraint:
            return say(
                "row rule violated",
                "the row violates one of the contract's rules (sluice.rules), or the rule fails for it",
                "the report names the rule; correct the row or the rule (a division by zero or an overflow violates a rule, a "
                    + "missing value never does)"
            )
        case .uniqueError: return say("not unique", "an earlier row has the same value", "remove the duplicate")
        case .primaryKeyError:
            return say("primary key", "the primary key is missing or an earlier row has it", "supply a unique key")
        case .foreignKeyError:
            return say(
                "foreign key", "the value does not occur in the table that the foreign key refers to",
                "the report names the key; correct the value, or deliver the table it refers to first")
        case .hiddenText:
            return say(
                "hidden text",
                "the text has invisible characters: zero-width characters, direction controls, tags or fillers",
                "distrust the source: such text can carry instructions or evade filters; sluice.hiddenText sets what happens to the row"
            )
        case .mixedScript:
            return say(
                "mixed scripts", "a word of Latin letters has letters of another script that look like Latin ones",
                "compare with the plain spelling; sluice.hiddenText sets what happens to the row")
        case .decomposedText:
            return say(
                "not in NFC",
                "the text is not in Unicode normalisation form C (NFC), so equal words can differ in bytes",
                "have the supplier normalise to NFC; sluice.hiddenText sets what happens to the row")
        case .formulaStart:
            return say(
                "formula start",
                "the text begins with a character that starts a formula in a spreadsheet (= + - @ tab)",
                "harmless for a model; neutralise such cells before you open the data in a spreadsheet")
        case .tooManyRejected:
            return say(
                "too many rejected rows", "the share of rejected rows is above sluice.batch.maxRejectedRate",
                "have the batch repaired and sent again")
        case .tooManyRejectedRows:
            return say(
                "too many rejected rows",
                "more rows are rejected than sluice.batch.maxRejected allows; with rejectedRows: fail it allows none",
                "have the batch repaired and sent again")
        case .tooManyQuarantined:
            return say(
                "too many quarantined rows", "the share of quarantined rows is above sluice.batch.maxQuarantinedRate",
                "review the rows: the batch may be poisoned; if they are sound: sluice review release BATCH --reason TEXT"
            )
        case .tooFewRows:
            return say(
                "too few rows", "the batch has fewer rows than sluice.batch.minRows",
                "check whether the file is complete")
        case .measureLost:
            return say(
                "numeric column lost",
                "a column that was numeric in accepted batches now contains text, and the contract was inferred from this file, so "
                    + "its numbers would escape screening",
                "write a contract (sluice schema infer, then correct it), so that the file cannot choose the column's type"
            )
        case .sourceChanged:
            return say(
                "the file changed", "the file's bytes changed while it was read",
                "wait until the file is complete, and ingest it again")
        default: preconditionFailure("every code has a meaning: a test asks for each")
        }
    }
}

extension Words {
    /// A case in which a finding is made; the values are made up.
    // Long function: the catalogue, one entry a code, as `meaning`.
    static func example(_ code: FindingCode) -> String {
        if let example = exampleOfStatistics(code) ?? exampleOfSources(code) { return example }
        return switch code {
        case .encodingError: "the byte E9 alone: an é of Latin-1 in a file of UTF-8"
        case .controlCharacter: "a NUL in the middle of a name"
        case .strayQuote: "1,an \"odd\" name,2   should be   1,\"an \"\"odd\"\" name\",2"
        case .unclosedQuote: "1,\"a name,2   with no second quote"
        case .strayCarriageReturn: "1,two<CR>lines,2   should be   1,\"two<CR>lines\",2"
        case .rowTooLong: "a record of 2 MiB under sluice.limits.maxRowBytes: 1048576"
        case .cellTooLong: "a document of 70,000 bytes in one cell under sluice.limits.maxCellBytes: 65536"
        case .extraCell: "1,Smith, John,2   under   id,name,n   should be   1,\"Smith, John\",2"
        case .missingCell: "1,2   under   id,name,n   should be   1,,2"
        case .malformedJSON: "{\"id\": 1,}   should be   {\"id\": 1}"
        case .duplicateKey: "{\"id\": 1, \"\\u0069d\": 2}   names id twice"
        case .nestingTooDeep: "{\"a\": [[[[ … ]]]]}   with more brackets than sluice.limits.maxDepth: 64"
        case .unknownField: "{\"id\": 1, \"nmae\": \"x\"}   under a contract of id and name"
        case .readersDisagree: "a row that libcsv reads as three cells and Sluice's reader as two"
        case .missingLabel: "the header   id,n   under a contract of id, name and n"
        case .extraLabel: "the header   id,name,n,extra   under a contract of id, name and n"
        case .incorrectLabel: "the header   name,id   under fields id, name and fieldsMatch: exact"
        case .duplicateLabel: "the header   id,name,name"
        case .blankLabel: "the header   id,,n"
        case .typeError: "12 apples   in a field of type integer"
        case .requiredError: "an empty cell in a field with constraints: { required: true }"
        case .minimumError: "-1   under constraints: { minimum: 0 }"
        case .maximumError: "101   under constraints: { maximum: 100 }"
        case .minLengthError: "ab   under constraints: { minLength: 3 }"
        case .maxLengthError: "abcd   under constraints: { maxLength: 3 }"
        case .patternError: "AB12   under constraints: { pattern: \"[A-Z]{3}[0-9]+\" }"
        case .patternBudget: "a long row of a under constraints: { pattern: \"(a+)+b\" }"
        case .enumError: "yelow   under constraints: { enum: [red, yellow] }, or the same under categories"
        case .jsonSchemaError: "{\"id\": 0}   under   {\"properties\": {\"id\": {\"minimum\": 1}}}"
        case .jsonSchemaBudget: "deeply nested records under a schema whose anyOf tries every branch at every level"
        case .uniqueError: "two rows with id 7 in a field with constraints: { unique: true }"
        case .rowConstraint: "amount 90 and credit_limit 50 under the rule amount <= credit_limit"
        case .primaryKeyError: "two rows with the same values in all fields of primaryKey, or one without them"
        case .foreignKeyError: "customer_id 7 where no row of customers has id 7"
        case .hiddenText: "ig<U+200B>nore: a zero-width space in a word"
        case .mixedScript: "p<U+0430>ypal: a Cyrillic а among Latin letters"
        case .decomposedText: "e<U+0301> where others write é as one character"
        case .formulaStart: "=HYPERLINK(\"http://evil.example\")"
        case .measureLost: "one word in a column of numbers, under --infer"
        case .tooManyRejected: "2 % rejected rows under sluice.batch.maxRejectedRate: 0.01"
        case .tooManyRejectedRows: "11 rejected rows under sluice.batch.maxRejected: 10"
        case .tooManyQuarantined: "8 % quarantined rows under sluice.batch.maxQuarantinedRate: 0.05"
        case .tooFewRows: "12 rows under sluice.batch.minRows: 100"
        case .sourceChanged: "a supplier that still writes while the gate reads"
        default: preconditionFailure("every code has an example: a test asks for each")
        }
    }
}
