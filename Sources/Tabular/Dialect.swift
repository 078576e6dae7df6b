/// How the rows of a file are written: Frictionless Table Dialect v2, as far as it is about text and JSON.
package struct Dialect: Sendable, Equatable {
    /// Stands between fields.
    package var delimiter: UInt8 = 0x2C
    /// Ends a row; nil for LF and CRLF.
    package var lineTerminator: UInt8?
    /// Stands around fields that hold other marks; nil when nothing does.
    package var quote: UInt8? = 0x22
    /// Whether two quotes inside a quoted field are one.
    package var doubleQuote = true
    /// Makes the next byte part of the value.
    package var escape: UInt8?
    /// A field that is written so, unquoted and before escapes are read, is no value: MySQL's `\N`.
    package var nullSequence: [UInt8]?
    /// Whether spaces at the start of a field are no part of it.
    package var skipInitialSpace = false
    /// Rows, from 1, that together are the header; empty when there is none, and fields go by their place.
    package var headerRows = [1]
    /// Stands between the parts of a name that several header rows make.
    package var headerJoin = " "
    /// Rows, from 1 and before the first data row, that are comments.
    package var commentRows: [Int] = []
    /// A line that begins with it is a comment.
    package var comment: UInt8?
    /// Whether `ID` and `id` are different columns.
    package var caseSensitiveHeader = true

    /// In JSON: the names of the members that lead to the list of records; empty when the text itself is the list.
    package var property: [String] = []
    /// In JSON: whether a record is an array of values. Then the header rows name the columns, or `itemKeys` where
    /// there is none.
    package var hasArrayItems = false
    /// In JSON: the members that are columns; the others are none of the table's. Empty when all are.
    package var itemKeys: [String] = []

    /// RFC 4180 with a header.
    package init() {}

    /// Whether it says anything that is about CSV alone.
    package var concernsCSV: Bool {
        var plain = Dialect()
        (plain.property, plain.hasArrayItems, plain.itemKeys) = (property, hasArrayItems, itemKeys)
        if hasArrayItems {
            (plain.headerRows, plain.headerJoin) = (headerRows, headerJoin)
            (plain.commentRows, plain.caseSensitiveHeader) = (commentRows, caseSensitiveHeader)
        }
        return self != plain
    }
    /// Whether it says anything that is about JSON alone.
    package var concernsJSON: Bool { !property.isEmpty || hasArrayItems || !itemKeys.isEmpty }

    /// Whether the structural scanner and libcsv can read it: RFC 4180 but for its delimiter and its quote.
    package var isStructural: Bool {
        quote != nil && doubleQuote && escape == nil && lineTerminator == nil && nullSequence == nil
            && !skipInitialSpace && comment == nil
    }

    /// Whether libcsv can read it: what the structural scanner can, and rows that end with one of these characters.
    /// libcsv asks a function whether a byte ends a row, and a C function knows only what was written into it.
    package var isKnownToLibCSV: Bool {
        if let lineTerminator, !Self.terminatorsOfLibCSV.contains(lineTerminator) { return false }
        var plain = self
        plain.lineTerminator = nil
        return plain.isStructural
    }

    /// CR, the record separator of ASCII, and what people choose by hand.
    package static let terminatorsOfLibCSV: [UInt8] = [0x0D, 0x1E, 0x3B, 0x7C]

    /// Whether a row's bytes are a row of RFC 4180 but for its delimiter, so that shards may hold them as they are.
    package var isVerbatim: Bool { isStructural && quote == 0x22 }

    /// Rows before the first data row.
    package var leadingRows: Int { max(headerRows.max() ?? 0, commentRows.max() ?? 0) }

    /// The descriptor, with what differs from RFC 4180 only.
    package var document: JSONValue {
        func text(_ byte: UInt8?) -> JSONValue { .string(byte.map { String(UnicodeScalar($0)) } ?? "") }
        func whole(_ rows: [Int]) -> JSONValue { .array(rows.map { .integer(Int64($0)) }) }
        let plain = Dialect()
        var members: [String: JSONValue] = [:]
        if delimiter != plain.delimiter { members["delimiter"] = text(delimiter) }
        if lineTerminator != nil { members["lineTerminator"] = text(lineTerminator) }
        if quote != plain.quote { members["quoteChar"] = text(quote) }
        if !doubleQuote { members["doubleQuote"] = .bool(false) }
        if escape != nil { members["escapeChar"] = text(escape) }
        if let nullSequence { members["nullSequence"] = .string(String(decoding: nullSequence, as: UTF8.self)) }
        if skipInitialSpace { members["skipInitialSpace"] = .bool(true) }
        if headerRows.isEmpty { members["header"] = .bool(false) }
        if headerRows != plain.headerRows, !headerRows.isEmpty { members["headerRows"] = whole(headerRows) }
        if headerJoin != plain.headerJoin { members["headerJoin"] = .string(headerJoin) }
        if !commentRows.isEmpty { members["commentRows"] = whole(commentRows) }
        if comment != nil { members["commentChar"] = text(comment) }
        if !caseSensitiveHeader { members["caseSensitiveHeader"] = .bool(false) }
        if !property.isEmpty { members["property"] = .string(property.joined(separator: ".")) }
        if hasArrayItems { members["itemType"] = .string("array") }
        if !itemKeys.isEmpty { members["itemKeys"] = .array(itemKeys.map { .string($0) }) }
        return .object(members)
    }
}

/// Appends a CSV field, quoted where RFC 4180 asks for it or where it was before.
package func appendCSV(_ value: [UInt8], wasQuoted: Bool, _ delimiter: UInt8, _ out: inout [UInt8]) {
    var needsQuotes = wasQuoted && !value.isEmpty
    for byte in value where byte == delimiter || byte == 0x22 || byte == 0x0A || byte == 0x0D { needsQuotes = true }
    if !needsQuotes {
        out.append(contentsOf: value)
        return
    }
    out.append(0x22)
    for byte in value {
        if byte == 0x22 { out.append(0x22) }
        out.append(byte)
    }
    out.append(0x22)
}
