package import Tabular

extension Dialect {
    /// Loads a Table Dialect v2 (datapackage.org/standard/table-dialect) from a YAML or JSON file of its own.
    package static func load(_ bytes: [UInt8], name: String) throws(SchemaError) -> Dialect {
        try SchemaLoader().loadDialect(try loadDocument(bytes, name: name).cursor)
    }
}

extension SchemaLoader {
    /// Keys of the standard for spreadsheets and databases.
    private static let foreign = ["sheetNumber", "sheetName", "table"]

    /// Reads a dialect. Defaults follow RFC 4180; header names are compared exactly unless it says otherwise.
    func loadDialect(_ cursor: Cursor) throws(SchemaError) -> Dialect {
        for key in Self.foreign {
            guard let stray = cursor[key] else { continue }
            throw stray.error(
                .unsupported,
                "this version reads CSV and JSON, for which \(key) says nothing; remove it, or convert "
                    + "the files", atKey: true)
        }
        let settings = try SettingReader(cursor, .dialect)
        var dialect = Dialect()
        dialect.delimiter = try mark(settings["delimiter"], orNone: false) ?? dialect.delimiter
        if let quote = settings["quoteChar"] { dialect.quote = try mark(quote, orNone: true) }
        dialect.doubleQuote = try settings.flag("doubleQuote") ?? dialect.doubleQuote
        dialect.escape = try mark(settings["escapeChar"], orNone: true)
        dialect.comment = try mark(settings["commentChar"], orNone: true)
        dialect.skipInitialSpace = try settings.flag("skipInitialSpace") ?? dialect.skipInitialSpace
        if let text = try settings.text("nullSequence") { dialect.nullSequence = Array(text.utf8) }
        dialect.caseSensitiveHeader = try settings.flag("caseSensitiveHeader") ?? dialect.caseSensitiveHeader
        dialect.headerJoin = try settings.text("headerJoin") ?? dialect.headerJoin
        if let word = settings["lineTerminator"] {
            // LF and CRLF both mean that either line end is accepted.
            if try !["\n", "\r\n"].contains(word.text()) {
                dialect.lineTerminator = try word.text() == "\r" ? 0x0D : mark(word, orNone: false)
            }
        }
        dialect.headerRows = try rows(settings["headerRows"]) ?? dialect.headerRows
        dialect.commentRows = try rows(settings["commentRows"]) ?? []
        if try settings.flag("header") == false {
            if let rows = settings["headerRows"], !dialect.headerRows.isEmpty {
                throw rows.error(.inconsistent, "header is false; remove headerRows or write header: true", atKey: true)
            }
            dialect.headerRows = []
        }
        try readItems(settings, &dialect)
        try check(cursor, dialect)
        return dialect
    }

    /// Reads the keys about JSON. `property` descends at every dot, as in the reference implementation
    /// (frictionless-py).
    private func readItems(_ settings: SettingReader, _ dialect: inout Dialect) throws(SchemaError) {
        if let property = settings["property"] {
            dialect.property = try property.text().split(separator: ".", omittingEmptySubsequences: false).map(
                String.init)
            if dialect.property.contains("") || dialect.property.count > 32 {
                throw property.error(
                    .inconsistent, "must be the name of a member, or up to 32 names with dots between them")
            }
        }
        if let type = settings["itemType"] {
            switch try type.text() {
            case "array": dialect.hasArrayItems = true
            case "object": break
            default: throw type.error(.unsupported, "must be array or object")
            }
        }
        guard let keys = settings["itemKeys"] else { return }
        var seen: Set<String> = []
        for key in try keys.items() {
            let name = try key.text()
            if !seen.insert(name).inserted { throw key.error(.inconsistent, "is listed twice; remove one") }
            dialect.itemKeys.append(name)
        }
        if dialect.itemKeys.isEmpty { throw keys.error(.inconsistent, "is empty; name at least one column") }
        if dialect.hasArrayItems, !dialect.headerRows.isEmpty {
            throw keys.error(
                .inconsistent, "the header row names the columns of arrays; write header: false, or remove itemKeys",
                atKey: true)
        }
    }

    /// One ASCII character; nil for none, or for an empty text where that is allowed.
    private func mark(_ cursor: Cursor?, orNone: Bool) throws(SchemaError) -> UInt8? {
        guard let cursor else { return nil }
        let bytes = Array(try cursor.text().utf8)
        if bytes.isEmpty, orNone { return nil }
        guard bytes.count == 1, bytes[0] < 0x80, bytes[0] != 0, bytes[0] != 0x0A, bytes[0] != 0x0D else {
            throw cursor.error(
                .unsupported, "must be one ASCII character other than NUL and line ends; this version reads no other")
        }
        return bytes[0]
    }

    /// Row numbers, from 1, ascending.
    private func rows(_ cursor: Cursor?) throws(SchemaError) -> [Int]? {
        guard let cursor else { return nil }
        var rows: [Int] = []
        for item in try cursor.items() {
            let row = try item.whole(in: 1...1000)
            guard row > rows.last ?? 0 else { throw item.error(.inconsistent, "row numbers must go up") }
            rows.append(row)
        }
        return rows
    }

    /// Refuses marks that coincide and rows that overlap.
    private func check(_ cursor: Cursor, _ dialect: Dialect) throws(SchemaError) {
        let marks = [dialect.delimiter, dialect.quote, dialect.comment, dialect.lineTerminator].compactMap { $0 }
        guard Set(marks).count == marks.count else {
            throw cursor.error(.inconsistent, "delimiter, quoteChar, commentChar and lineTerminator must differ")
        }
        if let escape = dialect.escape {
            guard escape != dialect.delimiter, escape != dialect.comment, escape != dialect.lineTerminator else {
                throw cursor.error(.inconsistent, "escapeChar must be none of the other marks")
            }
        }
        let leading = Set(dialect.headerRows).intersection(dialect.commentRows)
        if let both = leading.min() {
            throw cursor.error(.inconsistent, "row \(both) is both in headerRows and in commentRows")
        }
        // A row between them would be neither header nor comment and would be lost silently.
        let named = Set(dialect.headerRows + dialect.commentRows)
        if let lost = (1..<dialect.leadingRows + 1).first(where: { !named.contains($0) }) {
            throw cursor.error(
                .unsupported,
                "row \(lost) is neither in headerRows nor in commentRows and would be lost; name it in one of them "
                    + "(commentRows must come before the first data row)")
        }
    }
}
