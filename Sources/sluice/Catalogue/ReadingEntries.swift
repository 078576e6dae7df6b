import Tabular

/// Findings of cutting bytes into rows and cells.
extension FindingCatalogue.Entry {
    static let encodingError = Self(
        .encodingError, "not UTF-8",
        what: "the row has a byte sequence that is not UTF-8",
        example: "the byte E9 alone: an é of Latin-1 in a file of UTF-8",
        cure:
            "give its encoding (sluice dialect FILE says which it seems to be): --encoding windows-1252, or "
            + "sluice.encoding in the contract; or have the file sent as UTF-8")
    static let controlCharacter = Self(
        .controlCharacter, "control character",
        what: "the row has a NUL or another control character that does not belong in text",
        example: "a NUL in the middle of a name",
        cure: "have the supplier remove it; it often comes from a broken export or a binary file")
    static let strayQuote = Self(
        .strayQuote, "stray quote",
        what: "an unquoted field contains a quote, or text follows a closing quote",
        example: "1,an \"odd\" name,2   should be   1,\"an \"\"odd\"\" name\",2",
        cure: "quote the whole field and double the quotes inside it (RFC 4180)")
    static let unclosedQuote = Self(
        .unclosedQuote, "unclosed quote",
        what:
            "a quoted field does not end within the row limit, or text follows its closing quote some lines later; "
            + "only the first line was taken as the row",
        example: "1,\"a name,2   with no second quote",
        cure: "close the quote, or raise sluice.limits.maxRowBytes if such long fields are intended")
    static let strayCarriageReturn = Self(
        .strayCarriageReturn, "stray carriage return",
        what: "the row contains a carriage return without a line feed",
        example: "1,two<CR>lines,2   should be   1,\"two<CR>lines\",2",
        cure: "end lines with LF or CRLF, and quote fields that contain line ends")
    static let rowTooLong = Self(
        .rowTooLong, "row too long",
        what: "the row has more bytes than sluice.limits.maxRowBytes",
        example: "a record of 2 MiB under sluice.limits.maxRowBytes: 1048576",
        cure: "raise the limit if such rows are intended, else have the supplier split or drop them")
    static let cellTooLong = Self(
        .cellTooLong, "cell too long",
        what: "a value of the row has more bytes than sluice.limits.maxCellBytes",
        example: "a document of 70,000 bytes in one cell under sluice.limits.maxCellBytes: 65536",
        cure: "raise the limit if such long values are intended, as whole documents often are")
    static let extraCell = Self(
        .extraCell, "too many cells",
        what: "the row has more cells than the header",
        example: "1,Smith, John,2   under   id,name,n   should be   1,\"Smith, John\",2",
        cure: "quote fields that contain the delimiter")
    static let missingCell = Self(
        .missingCell, "too few cells",
        what: "the row has fewer cells than the header",
        example: "1,2   under   id,name,n   should be   1,,2",
        cure: "write empty cells for missing values")
    static let malformedJSON = Self(
        .malformedJSON, "not JSON",
        what: "the line is not one JSON object (RFC 8259)",
        example: "{\"id\": 1,}   should be   {\"id\": 1}",
        cure: "write one complete object a line")
    static let duplicateKey = Self(
        .duplicateKey, "duplicate key",
        what: "an object has the same key twice; readers disagree about which one counts",
        example: "{\"id\": 1, \"\\u0069d\": 2}   names id twice",
        cure: "have the supplier write each key once")
    static let nestingTooDeep = Self(
        .nestingTooDeep, "nested too deep",
        what: "the value is nested deeper than sluice.limits.maxDepth",
        example: "{\"a\": [[[[ … ]]]]}   with more brackets than sluice.limits.maxDepth: 64",
        cure: "flatten the data, or raise the limit")
    static let unknownField = Self(
        .unknownField, "unknown member",
        what: "the object has a member that the contract does not name",
        example: "{\"id\": 1, \"nmae\": \"x\"}   under a contract of id and name",
        cure: "add it to the contract, or set sluice.unknownFields to keep or drop")
    static let readersDisagree = Self(
        .readersDisagree, "readers disagree",
        what:
            "Sluice's CSV reader and libcsv split the row differently, so other software may read it differently too",
        example: "a row that libcsv reads as three cells and Sluice's reader as two",
        cure: "look at the row; please report it, and use --csv-engine libcsv meanwhile")
}
