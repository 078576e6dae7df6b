import Recognition
package import Tabular

/// Infers a contract from data, cell by cell, in time linear in the bytes and in bounded memory.
///
/// It keeps no value except the extremes of numbers and dates, which it writes rounded outwards. A type is proposed
/// only when every value fits; near misses become comments.
package struct SchemaInference: Sendable {
    /// The dialect of the file, for the contract.
    package var dialect = Dialect()
    /// The file's encoding.
    package var encoding = TextEncoding.utf8
    private(set) var columns: [ColumnSummary]
    /// Rows that it rests on.
    package private(set) var rows = 0
    private let isJSON: Bool

    /// Words that stand for "no value" in typed columns, of at most four bytes.
    static let missingTokens = [
        "NA", "N/A", "n/a", "#N/A", "<NA>", "null", "NULL", "None", "none", "\\N", "-", "--", "?", ".", "nan", "NaN",
        "NaT",
    ]
    /// Those among them that are not words of a language, so that they stand for it in text as well.
    static let nullTokens: Set<String> = ["#N/A", "<NA>", "null", "NULL", "None", "\\N", "nan", "NaN", "NaT"]

    /// Starts an inference.
    ///
    /// - Parameters:
    ///   - columns: the file's column names.
    ///   - isJSON: whether quoted cells are JSON strings, which are never numbers.
    package init(columns: [String], isJSON: Bool = false) {
        self.columns = columns.map { ColumnSummary(name: $0) }
        self.isJSON = isJSON
    }

    /// Adds one cell.
    ///
    /// - Parameters:
    ///   - column: its column, from 0.
    ///   - kind: its kind.
    ///   - bytes: the buffer.
    ///   - range: its value in the buffer.
    package mutating func add(column: Int, kind: CellKind, bytes: Span<UInt8>, range: Range<Int>) {
        // The columns share a bound on distinct values, so that memory does not grow with the width.
        let bound = max(64, min(4096, 1_048_576 / max(1, columns.count)))
        columns[column].add(kind, bytes, range, isJSON: isJSON, distinctMax: bound)
    }

    /// Notes the result of searching a value for personal data.
    ///
    /// - Parameters:
    ///   - column: its column, from 0.
    ///   - whole: the entity that the value is as a whole; nil for none.
    ///   - inside: the entities inside the value.
    package mutating func note(column: Int, whole: String?, inside: [String]) {
        columns[column].note(whole: whole, inside: inside)
    }

    /// Whether vocabularies are written out. They are values of the data, so only on request.
    package var showsValues = false {
        didSet { for index in columns.indices { columns[index].keepsWords = showsValues } }
    }

    /// Ends a row. Columns without a cell in it count as missing.
    package mutating func endRow() { rows += 1 }

    /// Columns, from 0, whose names do not come from the file, since they have no label.
    package var unlabelled: Set<Int> = []
    /// Whether the last column has no label.
    package var lastIsBlank = false

    /// Whether rows end with a delimiter: the last column has neither label nor values.
    private var hasTrailingDelimiter: Bool {
        lastIsBlank && columns.count > 1 && rows > 0 && columns.last?.hasValues == false
    }

    /// The columns that become fields, with their positions: the first of each name.
    private var named: [(place: Int, summary: ColumnSummary)] {
        var seen: Set<String> = []
        return columns.enumerated().filter { place, column in
            !column.name.isEmpty && seen.insert(column.name).inserted
                && !(hasTrailingDelimiter && place == columns.count - 1)
        }.map { (place: $0.offset, summary: $0.element) }
    }

    /// The first values of a column, as numbers and as hashes, to classify it as the screening would.
    package func sample(of column: Int) -> (numbers: [Double], codes: [UInt64]) {
        (columns[column].sampledNumbers, columns[column].sampledCodes)
    }

    /// Notes the screening's classification of a column, and frees its sample.
    package mutating func note(column: Int, form: SampledForm) { columns[column].note(form) }

    /// Whether the column's values are numbers.
    package func isNumeric(_ column: Int) -> Bool {
        columns[column].type == .integer || columns[column].type == .number
    }

    /// The inferred contract: types, notations and missing values, and roles where they are clear. Other columns pass.
    package func schema() -> Schema {
        let columns = named
        let eventTime = eventTime(columns.map(\.summary))
        var schema = Schema(
            fields: columns.indices.map { index in
                var field = columns[index].summary.field(rows: rows, isEventTime: index == eventTime)
                if unlabelled.contains(columns[index].place) { field.column = columns[index].place + 1 }
                return field
            })
        schema.unknownFields = .keep
        schema.trailingDelimiter = hasTrailingDelimiter
        schema.encoding = encoding
        if dialect != Dialect() { schema.dialect = dialect }
        if let limit = cellLimit { schema.limits.maxCellBytes = limit }
        schema.isInferred = true
        return schema
    }

    /// The event time: the only column of dates, or the only one whose name suggests it.
    private func eventTime(_ columns: [ColumnSummary]) -> Int? {
        let dates = columns.indices.filter { columns[$0].isMomentOfEvents }
        if dates.count == 1 { return dates[0] }
        let called = dates.filter { columns[$0].isCalledTime }
        return called.count == 1 ? called[0] : nil
    }

    /// Twice the longest value where the default limit is lower, so that the file passes its own contract.
    private var cellLimit: Int? {
        let most = columns.map(\.mostBytes).max() ?? 0
        return most > RowLimits().maxCellBytes ? min(2 * most, 16_777_216) : nil
    }

    /// The contract as a YAML document to review, with the evidence as comments.
    package func yaml(name: String) -> String {
        var text = """
            # A first contract for \(commentText(name)), inferred from \(rows) rows. Read it before you trust it:
            # data can't say what it should have been. What is set holds for every value; uncomment what else must hold.
            $schema: https://datapackage.org/profiles/2.0/tableschema.json
            name: \(yamlScalar(name))
            missingValues: [""]

            fields:

            """
        let schema = schema()
        for (field, column) in zip(schema.fields, named.map(\.summary)) {
            var field = field
            // A person reviews the contract before use, so it may allow undeclared quasi-identifiers.
            if column.isQuasi { field.undeclaredPII = .allow }
            text += column.yaml(field, rows: rows)
        }
        if schema.fields.isEmpty { text += "  []\n" }
        text += """

            sluice:
              apiVersion: sluice/v1
              unknownFields: keep               # reject | keep | drop: choose reject once the fields are complete

            """
        if hasTrailingDelimiter {
            text +=
                "  trailingDelimiter: true           # rows end with a delimiter: the last column has no label and no value\n"
        }
        if let cellLimit { text += "  limits: { maxCellBytes: \(cellLimit) }\n" }
        if encoding != .utf8 { text += "  encoding: \(encoding.rawValue)\n" }
        if dialect != Dialect() { text += "  dialect: \(PrintableText.json(dialect.document.text(pretty: false)))\n" }
        return text
    }
}

/// A number rounded away from the data to two digits, so that no exact extreme is disclosed.
func outward(_ value: Double, up: Bool) -> String {
    guard value != 0, value.isFinite else { return "0" }
    var scale = 1.0
    var rest = value.magnitude
    while rest >= 100, scale < 1e300 { (rest, scale) = (rest / 10, scale * 10) }
    while rest < 10, scale > 1e-300 { (rest, scale) = (rest * 10, scale / 10) }
    let digits = rest.rounded((value > 0) == up ? .up : .down)
    let rounded = value < 0 ? -digits * scale : digits * scale
    if rounded.magnitude < 1e15, rounded == rounded.rounded() { return String(Int64(rounded)) }
    // Scaling leaves noise in the last bits (0.1 * 3); fifteen digits of the text drop it.
    return scale < 1 ? trimmed(digits: Int64(digits), places: scale, isNegative: value < 0) : "\(rounded)"
}

/// `digits * places` written exactly, for a negative power of ten.
private func trimmed(digits: Int64, places: Double, isNegative: Bool) -> String {
    var count = 0
    var scale = places
    while scale < 0.5, count < 300 { (scale, count) = (scale * 10, count + 1) }
    var text = String(digits)
    while text.utf8.count <= count { text = "0" + text }
    let point = text.index(text.endIndex, offsetBy: -count)
    var fraction = String(text[point...])
    while fraction.hasSuffix("0") { fraction.removeLast() }
    return (isNegative ? "-" : "") + text[..<point] + (fraction.isEmpty ? "" : "." + fraction)
}

/// A text as a YAML scalar: plain where no parser could read it as something else, otherwise quoted.
func yamlScalar(_ text: String) -> String {
    let isWord = text.utf8.allSatisfy { isDigit($0) || ($0 | 0x20) &- 0x61 < 26 || $0 == 0x5F || $0 == 0x2D }
    let reserved = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"]
    if isWord, let first = text.utf8.first, (first | 0x20) &- 0x61 < 26, !reserved.contains(text.lowercased()) {
        return text
    }
    var result = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"", "\\": result += "\\\(scalar)"
        case " "..."~": result.unicodeScalars.append(scalar)
        default:
            let digits = String(scalar.value, radix: 16)
            let width = scalar.value > 0xFFFF ? 8 : 4
            result += (width == 8 ? "\\U" : "\\u") + String(repeating: "0", count: width - digits.count) + digits
        }
    }
    return result + "\""
}

/// A text on one line of a comment.
private func commentText(_ text: String) -> String {
    String(text.unicodeScalars.prefix(80).map { $0.value < 0x20 || $0.value >= 0x7F ? "?" : Character($0) })
}
