import Recognition
package import Tabular

/// Proposes a contract from data: fed cell by cell, linear in the bytes and bounded in memory.
///
/// It never keeps a value, except the extremes of numbers and dates; what it writes shows those rounded outwards.
/// A type is proposed only when every value fits; near misses are written as comments.
package struct SchemaInference: Sendable {
    /// How the file's CSV is written, and its encoding; for the contract to say.
    package var dialect = Dialect()
    /// The file's encoding.
    package var encoding = TextEncoding.utf8
    private(set) var columns: [ColumnSummary]
    private(set) var rows = 0
    private let isJSON: Bool

    /// Words that stand for "no value" in typed columns.
    static let missingTokens = ["NA", "N/A", "null", "NULL", "-", "nan", "NaN"]

    /// Starts with the file's column names; `isJSON` when quoted cells are JSON strings and so never numbers.
    package init(columns: [String], isJSON: Bool = false) {
        self.columns = columns.map { ColumnSummary(name: $0) }
        self.isJSON = isJSON
    }

    /// Takes one cell in; `range` is its value in `bytes`.
    package mutating func add(column: Int, kind: CellKind, bytes: Span<UInt8>, range: Range<Int>) {
        // Distinct values are counted up to a bound that all columns share.
        let bound = max(64, min(4096, 1_048_576 / max(1, columns.count)))
        columns[column].add(kind, bytes, range, isJSON: isJSON, distinctMax: bound)
    }

    /// Notes that a value of a column was searched for personal data, and what was found: the whole value, or inside of it.
    package mutating func note(column: Int, whole: String?, inside: [String]) {
        columns[column].note(whole: whole, inside: inside)
    }

    /// Whether vocabularies are written out: values of the data, for those who ask.
    package var showsValues = false {
        didSet { for index in columns.indices { columns[index].keepsWords = showsValues } }
    }

    /// Ends a row; columns that were not added in it count as missing.
    package mutating func endRow() { rows += 1 }

    /// Columns, from 0, whose names are none of the file's labels: fields that go by their position.
    package var unlabelled: Set<Int> = []
    /// Whether the last column has no label.
    package var lastIsBlank = false

    /// Whether rows end with a delimiter: a last column with neither label nor values.
    private var hasTrailingDelimiter: Bool {
        lastIsBlank && columns.count > 1 && rows > 0 && columns.last?.hasValues == false
    }

    /// The columns that become fields, with their places: the first of each name.
    private var named: [(place: Int, summary: ColumnSummary)] {
        var seen: Set<String> = []
        return columns.enumerated().filter { place, column in
            !column.name.isEmpty && seen.insert(column.name).inserted
                && !(hasTrailingDelimiter && place == columns.count - 1)
        }.map { (place: $0.offset, summary: $0.element) }
    }

    /// The contract the data suggests: types and missing values only, other columns pass.
    package func schema() -> Schema {
        var schema = Schema(
            fields: named.map { place, column in
                var field = Field(name: column.name, type: column.type)
                if unlabelled.contains(place) { field.column = place + 1 }
                let tokens = column.missingTokens
                if !tokens.isEmpty { field.missingValues = [""] + tokens }
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

    /// Twice the longest value when the usual limit is less than that: what was inferred from a file must let it through.
    private var cellLimit: Int? {
        let most = columns.map(\.mostBytes).max() ?? 0
        return most > RowLimits().maxCellBytes ? min(2 * most, 16_777_216) : nil
    }

    /// The same contract as a document to review and keep, with what was seen as comments.
    package func yaml(name: String) -> String {
        var text = """
            # A first contract for \(commentText(name)), inferred from \(rows) rows. Read it before you trust it:
            # data can't say what it should have been. Uncomment what must hold, and delete the rest.
            $schema: https://datapackage.org/profiles/2.0/tableschema.json
            name: \(yamlScalar(name))
            missingValues: [""]

            fields:

            """
        let schema = schema()
        for (field, column) in zip(schema.fields, named.map(\.summary)) { text += column.yaml(field, rows: rows) }
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

/// What was seen of one column.
struct ColumnSummary: Sendable {
    let name: String
    /// Values by shape, missing ones left out.
    private var shapes = [Int](repeating: 0, count: CellShape.allCases.count)
    /// JSON numbers and booleans, which are no text.
    private var natives = 0
    private var objects = 0
    private var arrays = 0
    private var values = 0
    private var tokens = [Int](repeating: 0, count: SchemaInference.missingTokens.count)
    private var smallest = Double.infinity
    private var largest = -Double.infinity
    private var firstMonth = Int.max
    private var lastMonth = Int.min
    private var shortest = Int.max
    private var longest = 0
    /// Bytes of the longest value.
    private(set) var mostBytes = 0
    private var hashes: Set<UInt64> = []
    private var isCounting = true
    /// Distinct texts, as long as they may be a vocabulary and somebody asked for them.
    var keepsWords = false
    private var words: Set<String> = []
    private var nested = JSONShape()
    /// Values that were searched for personal data, and what they were, or held.
    private var searched = 0
    private var entities: [String: (whole: Int, inside: Int)] = [:]
    private var hasRepeats = false
    /// How the values look beside the label.
    private(set) var evidence: LabelEvidence

    /// The largest vocabulary.
    private static let wordsMax = 50

    init(name: String) {
        self.name = name
        evidence = LabelEvidence(name)
    }

    mutating func note(whole: String?, inside: [String]) {
        searched += 1
        if let whole { entities[whole, default: (0, 0)].whole += 1 }
        for entity in Set(inside) { entities[entity, default: (0, 0)].inside += 1 }
    }

    /// Whether any cell was not empty.
    var hasValues: Bool { values > 0 || tokens.contains { $0 > 0 } }

    private func count(_ shape: CellShape) -> Int { shapes[shape.rawValue] }

    mutating func add(_ kind: CellKind, _ bytes: Span<UInt8>, _ range: Range<Int>, isJSON: Bool, distinctMax: Int) {
        mostBytes = max(mostBytes, range.count)
        switch kind {
        case .absent, .null: return
        case .object, .array:
            if kind == .object { objects += 1 } else { arrays += 1 }
            var tape = JSONTape()
            if (try? tape.read(bytes, range)) != nil { nested.add(tape) }
        case .number, .boolean, .bare, .quoted:
            if range.isEmpty { return }
            if kind == .bare || kind == .quoted, range.count <= 4,
                let token = SchemaInference.missingTokens.firstIndex(where: { equal(bytes, range, $0) })
            {
                tokens[token] += 1
                return
            }
            var shape = shape(of: bytes, in: range)
            // A JSON string is text whatever it looks like, but dates and addresses have no other form there.
            if isJSON, kind == .quoted, shape == .integer || shape == .number || shape == .boolean { shape = .text }
            if kind == .number, shape == .text { shape = .number }
            if kind == .number || kind == .boolean { natives += 1 }
            if keepsWords, words.count <= Self.wordsMax, range.count <= 64 {
                words.insert(String(decoding: range.map { bytes[$0] }, as: UTF8.self))
            }
            shapes[shape.rawValue] += 1
            evidence.take(bytes, range)
            keepExtremes(shape, bytes, range)
        }
        values += 1
        keepDistinct(bytes, range, distinctMax)
    }

    private mutating func keepExtremes(_ shape: CellShape, _ bytes: Span<UInt8>, _ range: Range<Int>) {
        var length = 0
        for index in range where bytes[index] & 0xC0 != 0x80 { length += 1 }
        shortest = min(shortest, length)
        longest = max(longest, length)
        switch shape {
        case .integer, .number:
            guard let value = DecimalNumber.value(bytes, range), value.isFinite else { return }
            smallest = min(smallest, value)
            largest = max(largest, value)
        case .date, .datetime, .spacedDatetime:
            var month = 0
            for offset in [0, 1, 2, 3, 5, 6] { month = month * 10 + Int(bytes[range.lowerBound + offset] & 0x0F) }
            firstMonth = min(firstMonth, month)
            lastMonth = max(lastMonth, month)
        default: break
        }
    }

    private mutating func keepDistinct(_ bytes: Span<UInt8>, _ range: Range<Int>, _ bound: Int) {
        guard isCounting else { return }
        // FNV-1a: the same in every process, unlike the standard library's hasher. Only comments depend on it.
        var hash = UInt64(0xCBF2_9CE4_8422_2325)
        for index in range { hash = (hash ^ UInt64(bytes[index])) &* 0x100_0000_01B3 }
        if !hashes.insert(hash).inserted { hasRepeats = true }
        if hashes.count > bound {
            isCounting = false
            hashes = []
        }
    }

    /// The type every value fits.
    var type: FieldType {
        guard values > 0 else { return .any }
        if objects == values { return .object }
        if arrays == values { return .array }
        guard objects + arrays == 0 else { return .any }
        if count(.integer) == values { return .integer }
        if count(.integer) + count(.number) == values { return .number }
        if count(.boolean) == values { return .boolean }
        // Numbers here, texts there: no type but `any` takes what the file itself has.
        guard natives == 0 else { return .any }
        if count(.date) == values { return .date(.iso) }
        if count(.time) == values { return .time(.iso) }
        if count(.datetime) == values { return .datetime(.iso) }
        if count(.spacedDatetime) == values { return .datetime(.pattern("%Y-%m-%d %H:%M:%S")) }
        if count(.email) == values { return .string(.email) }
        if count(.uri) == values { return .string(.uri) }
        if count(.uuid) == values { return .string(.uuid) }
        return .string(.default)
    }

    /// The words that mean "no value" here; in text they may be words.
    var missingTokens: [String] {
        switch type {
        case .string(.default), .any, .object, .array: []
        default: zip(SchemaInference.missingTokens, tokens).filter { $0.1 > 0 }.map(\.0)
        }
    }

    /// The field in YAML with its comments.
    func yaml(_ field: Field, rows: Int) -> String {
        var text = "  - name: \(yamlScalar(name))\n    type: \(field.type.name)\n"
        if let format = field.type.format { text += "    format: \(yamlScalar(format))\n" }
        if let missing = field.missingValues {
            text += "    missingValues: [\(missing.map { "\"\($0)\"" }.joined(separator: ", "))]\n"
        }
        if let column = field.column {
            text += "    sluice: { column: \(column) }  # it has no label of its own: it goes by its position\n"
        }
        for line in remarks(field.type, rows: rows) { text += "    # \(line)\n" }
        return text
    }

    /// What was seen, and last the settings that it suggests, each kind on a line of its own.
    private func remarks(_ type: FieldType, rows: Int) -> [String] {
        guard values > 0 else { return ["no value was seen, so anything may come: declare the type"] }
        // In text, words such as NA are values like any other.
        let asValues = zip(SchemaInference.missingTokens, tokens).filter { $0.1 > 0 && missingTokens.isEmpty }
        let values = values + asValues.reduce(0) { $0 + $1.1 }
        var lines = ["\(values) of \(rows) rows have a value"]
        var limits = values == rows ? ["required: true"] : []
        if type == .integer || type == .number, smallest <= largest {
            let (low, high) = (outward(smallest, up: false), outward(largest, up: true))
            lines.append("from about \(low) to about \(high)")
            // Of huge whole numbers the rounded ends are none; and rounding must never cut off what was seen.
            let isWritten = type == .number || (low + high).utf8.allSatisfy { isDigit($0) || $0 == 0x2D }
            if isWritten, let least = Double(low), let most = Double(high), least <= smallest, most >= largest {
                limits += ["minimum: \(low)", "maximum: \(high)"]
            }
        } else if firstMonth <= lastMonth {
            lines.append("from \(month(firstMonth)) to \(month(lastMonth))")
        }
        if natives > 0, natives < values, type == .any {
            lines.append(
                "\(natives) JSON numbers or booleans and \(values - natives) texts: declare one type, and have it sent so"
            )
        }
        if case .string = type {
            lines.append("\(shortest) to \(longest) characters")
            if let near = nearMiss { lines.append(near) }
        }
        if isCounting {
            let isUnique = !hasRepeats && hashes.count + asValues.count == values && values > 1
            lines.append(isUnique ? "all values differ" : "\(hashes.count) distinct values")
            if isUnique, mayBeKey(type) { limits.append("unique: true") }
            if case .string(.default) = type, !isUnique, hashes.count <= Self.wordsMax, hashes.count * 10 <= values {
                if keepsWords, words.count == hashes.count {
                    limits.append(
                        "enum: [\((words.sorted() + asValues.map(\.0)).map(yamlScalar).joined(separator: ", "))]")
                } else {
                    lines.append("so few values suggest a vocabulary: an enum (--show-values writes one)")
                }
            }
        } else {
            lines.append("many distinct values")
        }
        if objects + arrays == values { limits.append("jsonSchema: \(nested.schema.text(pretty: false))") }
        if !limits.isEmpty { lines.append("constraints: { \(limits.joined(separator: ", ")) }") }
        return lines + settings(type)
    }

    /// What the column may be for, and what personal data is in it.
    private func settings(_ type: FieldType) -> [String] {
        var lines: [String] = []
        var settings: [String] = []
        // A few values of many may look like anything; nine of ten say what the column is.
        let best = entities.max { ($0.value.whole, $1.key) < ($1.value.whole, $0.key) }
        let found = entities.values.reduce(0) { $0 + $1.inside + $1.whole }
        if let best, best.value.whole * 10 >= searched * 9, searched > 0 {
            lines.append("\(best.value.whole) of \(searched) values looked at are personal data")
            settings.append("pii: { entity: \(best.key), operator: replace }")
        } else if let role = role(type) {
            settings.append("role: \(role.rawValue)")
        }
        if settings.first?.hasPrefix("pii") != true, found > 0 {
            let names = entities.keys.sorted().joined(separator: ", ")
            lines.append("personal data in about \(found) of \(searched) values looked at: \(names)")
            settings.append("pii: { scan: true, operator: replace }")
        }
        if found == 0, case .string = type, let named = ColumnNames.proposal(name), named.isListed {
            lines.append(
                "by its name this is somebody's: sluice: { pii: { entity: \(named.name), operator: replace } }")
        }
        if !settings.isEmpty { lines.append("sluice: { \(settings.joined(separator: ", ")) }") }
        return lines
    }

    /// Whether values that differ in one file may be meant to differ: texts and whole numbers, not measures and times.
    private func mayBeKey(_ type: FieldType) -> Bool {
        if case .string = type { return longest <= 64 }
        return type == .integer
    }

    /// What the column's name and values suggest that it is for.
    private func role(_ type: FieldType) -> FieldRole? {
        let words = name.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
        func names(_ these: String...) -> Bool { words.contains(where: these.contains) }
        let isUnique = isCounting && !hasRepeats && hashes.count == values && values > 1
        let isLarge = !isCounting
        let isFew = isCounting && hashes.count <= 50
        if names("id", "key", "uuid", "guid", "number", "no"), isUnique || isLarge, type != .number {
            return words.count > 1 && names("customer", "user", "person", "patient", "member", "client", "subject")
                ? .subject : .key
        }
        if names("customer", "user", "person", "patient", "member", "client", "subject"), names("id", "key") {
            return .subject
        }
        if names("label", "target", "class", "y", "outcome", "category", "intent"), isFew { return .label }
        if names("annotator", "labeler", "rater") { return .annotator }
        if case .datetime = type { return .eventTime }
        if case .date = type, names("date", "day", "at", "time") { return .eventTime }
        if case .string(.default) = type, longest >= 80, isLarge || 2 * hashes.count > values { return .text }
        return nil
    }

    /// What nearly every value is, when a few are not.
    private var nearMiss: String? {
        let numeric = count(.integer) + count(.number)
        let candidates = [
            ("number", numeric), ("boolean", count(.boolean)), ("date", count(.date)), ("datetime", count(.datetime)),
            ("email", count(.email)), ("uuid", count(.uuid)),
        ]
        guard let best = candidates.max(by: { $0.1 < $1.1 }), best.1 < values, best.1 * 10 >= values * 9 else {
            return nil
        }
        return "\(values - best.1) of \(values) values are no \(best.0); if they are mistakes, declare \(best.0)"
    }

    private func month(_ packed: Int) -> String {
        let (year, month) = packed.quotientAndRemainder(dividingBy: 100)
        let padding = String(repeating: "0", count: max(0, 4 - String(year).count))
        return "\(padding)\(year)-\(month < 10 ? "0" : "")\(month)"
    }
}

/// The number rounded away from the data to two digits, so that no exact extreme is shown.
func outward(_ value: Double, up: Bool) -> String {
    guard value != 0, value.isFinite else { return "0" }
    var scale = 1.0
    var rest = value.magnitude
    while rest >= 100, scale < 1e300 { (rest, scale) = (rest / 10, scale * 10) }
    while rest < 10, scale > 1e-300 { (rest, scale) = (rest * 10, scale / 10) }
    let digits = rest.rounded((value > 0) == up ? .up : .down)
    let rounded = value < 0 ? -digits * scale : digits * scale
    if rounded.magnitude < 1e15, rounded == rounded.rounded() { return String(Int64(rounded)) }
    // Scaling leaves noise in the last bits: 0.1 * 3. Fifteen digits of the text are enough to drop it.
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

/// The text as a YAML scalar: plain when it is a word that nothing else could read as something else, else quoted.
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

/// The text on one line of a comment.
private func commentText(_ text: String) -> String {
    String(text.unicodeScalars.prefix(80).map { $0.value < 0x20 || $0.value >= 0x7F ? "?" : Character($0) })
}
