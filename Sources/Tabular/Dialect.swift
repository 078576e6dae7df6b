/// The notation of a file's rows: the properties of Frictionless Table Dialect v2 that concern text and JSON.
package struct Dialect: Sendable, Equatable {
    /// The separator of fields.
    package var delimiter: UInt8 = 0x2C
    /// The end of a row; nil for LF and CRLF.
    package var lineTerminator: UInt8?
    /// The quote around fields that contain a delimiter, a quote or a line end; nil for none.
    package var quote: UInt8? = 0x22
    /// Whether two quotes inside a quoted field stand for one quote.
    package var doubleQuote = true
    /// The escape character: the byte after it is part of the value.
    package var escape: UInt8?
    /// The unquoted text, before escapes are decoded, that means "no value", such as MySQL's `\N`.
    package var nullSequence: [UInt8]?
    /// Whether spaces at the start of a field are skipped.
    package var skipInitialSpace = false
    /// The numbers, from 1, of the rows that together are the header; empty for none: then columns are named by
    /// position.
    package var headerRows = [1]
    /// The text between the parts of a label that several header rows make up.
    package var headerJoin = " "
    /// The numbers, from 1, of comment rows, all before the first data row.
    package var commentRows: [Int] = []
    /// A line that begins with this byte is a comment.
    package var comment: UInt8?
    /// Whether `ID` and `id` are different columns.
    package var caseSensitiveHeader = true

    /// In JSON: the names of the members that lead to the list of records; empty if the document itself is the list.
    package var property: [String] = []
    /// In JSON: whether a record is an array of values. Then the header rows name the columns, or, without a header,
    /// `itemKeys` does.
    package var hasArrayItems = false
    /// In JSON: the members that are columns; other members are ignored. Empty if all members are columns.
    package var itemKeys: [String] = []

    /// RFC 4180 with a header.
    package init() {}

    /// Whether any setting concerns CSV alone.
    package var concernsCSV: Bool {
        var plain = Dialect()
        (plain.property, plain.hasArrayItems, plain.itemKeys) = (property, hasArrayItems, itemKeys)
        if hasArrayItems {
            (plain.headerRows, plain.headerJoin) = (headerRows, headerJoin)
            (plain.commentRows, plain.caseSensitiveHeader) = (commentRows, caseSensitiveHeader)
        }
        return self != plain
    }
    /// Whether any setting concerns JSON alone.
    package var concernsJSON: Bool { !property.isEmpty || hasArrayItems || !itemKeys.isEmpty }

    /// Whether the structural scanner can read it: RFC 4180 except for delimiter and quote.
    package var isStructural: Bool {
        quote != nil && doubleQuote && escape == nil && lineTerminator == nil && nullSequence == nil
            && !skipInitialSpace && comment == nil
    }

    /// Whether libcsv can read it: as `isStructural`, or with one of the row ends of `terminatorsOfLibCSV`. libcsv
    /// calls a C function to test for a row end, so the possible ends are compiled in.
    package var isKnownToLibCSV: Bool {
        if let lineTerminator, !Self.terminatorsOfLibCSV.contains(lineTerminator) { return false }
        var plain = self
        plain.lineTerminator = nil
        return plain.isStructural
    }

    /// Row ends other than LF that libcsv can read: CR, the ASCII record separator, `;` and `|`.
    package static let terminatorsOfLibCSV: [UInt8] = [0x0D, 0x1E, 0x3B, 0x7C]

    /// Whether a row's bytes are valid RFC 4180 except for the delimiter, so that shards may contain them unchanged.
    package var isVerbatim: Bool { isStructural && quote == 0x22 }

    /// Rows before the first data row.
    package var leadingRows: Int { max(headerRows.max() ?? 0, commentRows.max() ?? 0) }

    /// The descriptor, with only those settings that differ from RFC 4180.
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

/// Appends a CSV field, quoted if RFC 4180 requires it or if it was quoted before.
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
