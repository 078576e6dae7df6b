import Reading
import Tabular

/// Files of every kind with their meaning: contents × dialects × rows above the table × kinds of header × encodings ×
/// widths.
struct SnifferCorpus {
    /// One file: its bytes, and the labels and cells that its author meant.
    struct File: Sendable {
        let name: String
        let bytes: [UInt8]
        let labels: [String]?
        let cells: [[String]]
    }

    enum Answer: Equatable { case right, refused, misread(String) }

    struct Content: Sendable {
        let name: String
        let labels: [String]
        let row: @Sendable (Int) -> [String]
        /// Columns whose values are numbers or dates.
        let typed: Int
    }

    struct Writing: Sendable {
        var name = "comma"
        var delimiter = ",", quote = "\"", end = "\n"
        var escape: String?
        var quotesAll = false, space = ""
    }

    static let rowCount = 24

    // Long function: the contents, one entry each.
    static let contents: [Content] = [
        Content(
            name: "timestamps", labels: ["ds", "y"],
            row: { ["2015-01-\(10 + $0 % 20) \(10 + $0 % 14):00:00", "\($0).5"] }, typed: 2),
        Content(
            name: "units in labels", labels: ["Time", "Water flow [l/s]", "Level: cm"],
            row: { ["2015-01-\(10 + $0 % 20) \(10 + $0 % 14):00", "\(20 + $0).25", "\($0 * 3)"] }, typed: 3),
        Content(
            name: "addresses", labels: ["url", "hits", "from"],
            row: { ["https://example.org:8080/a?b=\($0)", "\($0 * 7)", "10.0.\($0).1"] }, typed: 2),
        Content(
            name: "hours", labels: ["opens", "closes", "place"],
            row: { ["\(8 + $0 % 3):00", "\(17 + $0 % 4):30", "Hall \($0)"] }, typed: 2),
        Content(
            name: "decimal commas", labels: ["article", "price", "weight"],
            row: { ["A\(100 + $0)", "\($0),50", "1.\(100 + $0),25"] }, typed: 2),
        Content(
            name: "semicolons in text", labels: ["id", "remark", "n"],
            row: { ["\($0)", $0 % 3 == 0 ? "late; again" : "on time", "\($0 * 2)"] }, typed: 2),
        Content(
            name: "sentences", labels: ["text", "label"],
            row: { ["Well, this is the \($0) time, and it works", ["good", "bad"][$0 % 2]] }, typed: 0),
        Content(
            name: "names", labels: ["name", "city"],
            row: {
                ["Person \(Character(UnicodeScalar(UInt8(65 + $0 % 26))))son", ["Oslo", "Bergen", "Lund"][$0 % 3]]
            }, typed: 0),
        Content(
            name: "whole numbers", labels: ["a", "b", "c", "d"], row: { ["\($0)", "\($0 * 5)", "\(100 - $0)", "7"] },
            typed: 4),
        Content(
            name: "years", labels: ["country", "2021", "2022", "2023"],
            row: { ["Land \($0)", "\($0 * 11)", "\($0 * 12)", "\($0 * 13)"] }, typed: 3),
        Content(
            name: "money", labels: ["account", "balance", "due"],
            row: { ["ACC-\(10 + $0)", "$1,\(200 + $0)", "2026-0\(1 + $0 % 9)-15"] }, typed: 2),
        Content(
            name: "gaps", labels: ["id", "x", "y", "z"],
            row: { ["\($0)", $0 % 3 == 0 ? "" : "\($0).1", $0 % 4 == 0 ? "NA" : "\($0)", $0 % 2 == 0 ? "" : "w"] },
            typed: 3),
        Content(
            name: "paths", labels: ["path", "bytes", "owner"],
            row: { ["C:\\data\\new\\file\($0)", "\($0 * 1024)", "root"] }, typed: 1),
        Content(
            name: "lines in cells", labels: ["id", "note"],
            row: { ["\($0)", $0 % 5 == 0 ? "one\ntwo, three" : "plain"] }, typed: 1),
        Content(
            name: "quotes in cells", labels: ["part", "size", "n"],
            row: { ["pipe", $0 % 4 == 0 ? "5\" wide" : "thin", "\($0)"] }, typed: 1),
        Content(
            name: "accents", labels: ["prénom", "âge", "ville"],
            row: {
                [
                    "Zoë \(Character(UnicodeScalar(UInt8(65 + $0 % 26))))", "\(20 + $0)",
                    ["Orléans", "Besançon"][$0 % 2],
                ]
            }, typed: 1),
        Content(
            name: "mails", labels: ["user", "mail", "active"],
            row: { ["u\($0)", "u\($0)@example.org", ["true", "false"][$0 % 2]] }, typed: 2),
        Content(
            name: "key: value text", labels: ["id", "tags"],
            row: { ["\($0)", "colour: red | size: \($0)"] }, typed: 1),
    ]

    static let writings: [Writing] = [
        Writing(), Writing(name: "semicolon", delimiter: ";"), Writing(name: "tab", delimiter: "\t"),
        Writing(name: "bar", delimiter: "|"), Writing(name: "quoted", quotesAll: true),
        Writing(name: "semicolon quoted CRLF", delimiter: ";", end: "\r\n", quotesAll: true),
        Writing(name: "apostrophes", quote: "'"), Writing(name: "escapes", escape: "\\"),
        Writing(name: "CRLF", end: "\r\n"), Writing(name: "spaces", delimiter: ",", space: " "),
    ]

    static func write(_ rows: [[String]], _ writing: Writing) -> String {
        rows.map { row in
            row.enumerated().map { column, cell in
                let space = column > 0 ? writing.space : ""
                if let escape = writing.escape {
                    return space
                        + cell.replacing("\\", with: "\\\\").replacing(
                            writing.delimiter, with: escape + writing.delimiter
                        )
                        .replacing("\"", with: escape + "\"")
                }
                let marks = [writing.delimiter, writing.quote, "\n"]
                guard writing.quotesAll || marks.contains(where: cell.contains) else { return space + cell }
                return space + writing.quote + cell.replacing(writing.quote, with: writing.quote + writing.quote)
                    + writing.quote
            }.joined(separator: writing.delimiter) + writing.end
        }.joined()
    }

    private static func rows(_ content: Content, width: Int? = nil) -> (labels: [String], cells: [[String]], typed: Int)
    {
        let width = width ?? content.labels.count
        let extra = max(0, width - content.labels.count)
        let labels =
            content.labels.prefix(width) + (0..<extra).map { "value \(Character(UnicodeScalar(UInt8(97 + $0))))" }
        let cells = (1...rowCount).map { row in
            Array(content.row(row).prefix(width)) + (0..<extra).map { "\(row * ($0 + 2))" }
        }
        return (Array(labels), cells, content.typed + extra)
    }

    static let files: [File] = {
        var files: [File] = []
        /// A file of a text whose table is known.
        func add(
            _ name: String, _ text: String, _ table: (labels: [String]?, cells: [[String]]),
            in encoding: TextEncoding = .utf8, mark: [UInt8] = []
        ) {
            files.append(
                File(name: name, bytes: mark + encoded(text, encoding), labels: table.labels, cells: table.cells))
        }
        for (place, content) in contents.enumerated() {
            let table = rows(content)
            // If every backslash is doubled and nothing else is escaped, there is no evidence that backslashes are
            // escapes.
            for writing in writings where writing.escape == nil || !["lines in cells", "paths"].contains(content.name) {
                add(
                    "\(content.name), \(writing.name)", write([table.labels] + table.cells, writing),
                    (table.labels, table.cells))
            }
            // Rows above the table.
            let writing = writings[place % 4]
            let body = write([table.labels] + table.cells, writing)
            let empty = String(repeating: writing.delimiter, count: table.labels.count - 1) + "\n"
            for (kind, above) in [
                ("title", "Report of the month of May\n"),
                ("title and blank line", "Report of the month of May\n\n"),
                ("padded title", "Report of the month of May" + empty + empty),
                ("facts", "Station: North 4\nMade on: 2026-05-01\nContact the office for questions\n"),
                ("comments", "# made by a program\n# columns below, as agreed; see the manual\n"),
            ] {
                add("\(content.name), \(writing.name), \(kind)", above + body, (table.labels, table.cells))
            }
            // Kinds of header.
            add(
                "\(content.name), blank label",
                write([[""] + table.labels] + table.cells.enumerated().map { ["\($0)"] + $1 }, writing),
                (["column 1"] + table.labels, table.cells.enumerated().map { ["\($0)"] + $1 }))
            add(
                "\(content.name), doubled label",
                write([table.labels + [table.labels[0]]] + table.cells.map { $0 + ["4.5"] }, writing),
                (table.labels + [table.labels[0] + " 2"], table.cells.map { $0 + ["4.5"] }))
            add(
                "\(content.name), trailing delimiter",
                write([table.labels + [""]] + table.cells.map { $0 + [""] }, writing),
                (table.labels + ["column \(table.labels.count + 1)"], table.cells.map { $0 + [""] }))
            if content.typed > 0 { add("\(content.name), no header", write(table.cells, writing), (nil, table.cells)) }
            if content.typed > 1, content.name != "mails", content.name != "years" {
                let units = table.labels.indices.map { ["kg", "m/s", "per day", "in cm"][$0 % 4] }
                add(
                    "\(content.name), two rows", write([table.labels, units] + table.cells, writing),
                    (zip(table.labels, units).map { "\($0) \($1)" }, table.cells))
            }
            // Encodings.
            add("\(content.name), mark", body, (table.labels, table.cells), mark: [0xEF, 0xBB, 0xBF])
            add("\(content.name), utf-16le", body, (table.labels, table.cells), in: .utf16LE, mark: [0xFF, 0xFE])
            add("\(content.name), utf-16be", body, (table.labels, table.cells), in: .utf16BE, mark: [0xFE, 0xFF])
            if content.name == "accents" {
                for writing in writings {
                    add(
                        "accents, \(writing.name), windows-1252", write([table.labels] + table.cells, writing),
                        (table.labels, table.cells), in: .windows1252)
                }
            }
            // Widths.
            for width in [2, 5, 16] where width != table.labels.count {
                let wide = rows(content, width: width)
                add(
                    "\(content.name), \(width) columns",
                    write([wide.labels] + wide.cells, writings[(place + width) % 5]), (wide.labels, wide.cells))
            }
        }
        return files
    }()

    /// Only characters up to U+00FF, if the encoding has no others.
    static func encoded(_ text: String, _ encoding: TextEncoding) -> [UInt8] {
        switch encoding {
        case .utf16LE: text.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        case .utf16BE: text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
        case .windows1252: text.unicodeScalars.map { UInt8($0.value) }
        default: Array(text.utf8)
        }
    }

    /// The sniffer's result for a file, and whether it is what the author meant.
    static func judge(_ file: File) throws -> Answer {
        let (encoding, _) = guessEncoding(file.bytes.span)
        var text: [UInt8] = []
        if encoding == .utf8 {
            text = file.bytes
        } else {
            guard var transcoder = Transcoder(encoding) else { return .refused }
            transcoder.append(file.bytes.span, isFinal: true, to: &text)
        }
        if text.starts(with: [0xEF, 0xBB, 0xBF]) { text.removeFirst(3) }
        guard let found = DialectSniffer.sniff(text.span, isWhole: true), found.isSure, found.explains else {
            return .refused
        }
        var plan = ReadingPlan(format: .csv, fieldNames: [], rejectsUnknown: false)
        plan.dialect = found.dialect
        guard let head = try readHead(text.span, isWhole: true, plan: plan), let layout = head.layout else {
            return .refused
        }
        let said = found.dialect.document.text(pretty: false)
        if let labels = file.labels {
            if layout.columns != labels { return .misread("\(said): labels \(layout.columns)") }
        } else if !found.dialect.headerRows.isEmpty {
            return .misread("\(said): a header")
        }
        let rest = Array(text[head.length...])
        var reader = SliceReader(
            SourceSlice(
                ordinal: 0, offset: 0, length: UInt64(rest.count), firstRow: 1, rowCount: file.cells.count, bytes: rest),
            layout: layout, plan: plan)
        var rows: [[String]] = []
        while let batch = reader.next() {
            for row in 0..<batch.count {
                rows.append(
                    (0..<batch.width).map { column in
                        let cell = batch.cells[row * batch.width + column]
                        if cell.kind == .null { return "\\N" }
                        return String(decoding: batch.bytes[cell.range], as: UTF8.self)
                    })
            }
        }
        if rows == file.cells { return .right }
        let place = zip(rows, file.cells).enumerated().first { $1.0 != $1.1 }
        return .misread("\(said): row \(place.map { "\($0.offset): \($0.element)" } ?? "count \(rows.count)")")
    }
}
