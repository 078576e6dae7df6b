import Recognition
import Tabular

/// The form that the screening would give a column.
package enum SampledForm: Sendable {
    /// Its values identify rows.
    case key
    /// Nearly all rows have one value.
    case constant
    /// Repeated texts.
    case category
    /// A few whole numbers.
    case code
    /// Anything else, or too few values.
    case other
}

/// The evidence about one column, in bounded memory.
struct ColumnSummary: Sendable {
    let name: String
    /// Number of values by shape, without missing ones.
    private var shapes = [Int](repeating: 0, count: CellShape.allCases.count)
    /// JSON numbers and booleans, which are no text.
    private(set) var natives = 0
    private(set) var objects = 0
    private(set) var arrays = 0
    private(set) var values = 0
    private(set) var tokens = [Int](repeating: 0, count: SchemaInference.missingTokens.count)
    private(set) var smallest = Double.infinity
    private(set) var largest = -Double.infinity
    private(set) var firstMonth = Int.max
    private(set) var lastMonth = Int.min
    private(set) var shortest = Int.max
    private(set) var longest = 0
    /// Bytes of the longest value.
    private(set) var mostBytes = 0
    private(set) var hashes: Set<UInt64> = []
    private(set) var isCounting = true
    /// Distinct texts while they may form a vocabulary, kept on request only.
    var keepsWords = false
    private(set) var words: Set<String> = []
    private(set) var nested = JSONShape()
    /// Values that were searched for personal data, and values that are or contain some.
    private(set) var searched = 0, holding = 0
    private(set) var entities: [String: (whole: Int, inside: Int)] = [:]
    private(set) var hasRepeats = false
    /// How the values look compared with the label.
    private(set) var evidence: LabelEvidence
    /// Notations of dates and numbers that are neither ISO 8601 nor plain.
    private(set) var dates = WrittenDates()
    private(set) var amounts = WrittenAmounts()
    /// Steps between consecutive numbers: those that rise, that fall, and that equal the one before.
    private var rising = 0, falling = 0, even = 0
    private var previous = Double.nan, step = Double.nan
    /// Digit texts with leading zeros; numbers in scientific notation as spreadsheets write long ones; numbers with
    /// three digits after the point; single words with a digit.
    private(set) var codes = 0
    private(set) var scientific = 0
    private(set) var thirds = 0
    private var wordsWithDigits = 0
    /// The first values, to find out how the screening would classify them.
    private(set) var sampledNumbers: [Double] = []
    private(set) var sampledCodes: [UInt64] = []
    /// The screening's classification.
    private(set) var form = SampledForm.other

    /// The largest vocabulary.
    static let wordsMax = 50

    init(name: String) {
        self.name = name
        evidence = LabelEvidence(name)
    }

    /// Notes the result of a search for personal data.
    mutating func note(whole: String?, inside: [String]) {
        searched += 1
        if whole != nil || !inside.isEmpty { holding += 1 }
        if let whole { entities[whole, default: (0, 0)].whole += 1 }
        for entity in Set(inside) { entities[entity, default: (0, 0)].inside += 1 }
    }

    mutating func note(_ form: SampledForm) {
        self.form = form
        (sampledNumbers, sampledCodes) = ([], [])
    }

    /// Whether any cell has content.
    var hasValues: Bool { values > 0 || tokens.contains { $0 > 0 } }

    func count(_ shape: CellShape) -> Int { shapes[shape.rawValue] }

    /// Adds one value to the evidence.
    ///
    /// - Parameters:
    ///   - kind: the kind of the cell.
    ///   - bytes: the buffer.
    ///   - range: the value in it.
    ///   - isJSON: whether a quoted cell is a JSON string.
    ///   - distinctMax: number of distinct values up to which they are counted.
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
            takeWriting(shape, bytes, range, isNative: kind == .number || kind == .boolean)
            // A JSON string that looks like a number is text; dates and addresses have no other form in JSON.
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

    /// Notes the notation of the value, independent of its type.
    private mutating func takeWriting(_ shape: CellShape, _ bytes: Span<UInt8>, _ range: Range<Int>, isNative: Bool) {
        let last = range.upperBound - 1
        switch shape {
        case .integer: if !isNative { amounts.take(number: bytes, range, isInteger: true) }
        case .number:
            if !isNative { amounts.take(number: bytes, range, isInteger: false) }
            // 1.23457E+11: at least eleven digits, of which six remain.
            if range.count >= 6, range.count <= 12, bytes[last - 2] == UInt8(ascii: "+"),
                bytes[last - 3] == UInt8(ascii: "E")
            {
                scientific += 1
            }
            if range.count >= 5, bytes[last - 3] == 0x2E, bytes[range.lowerBound] != 0x30 { thirds += 1 }
        case .text:
            amounts.take(text: bytes, range)
            dates.take(bytes, range)
            if range.count > 1, bytes[range.lowerBound] == 0x30, range.allSatisfy({ isDigit(bytes[$0]) }) { codes += 1 }
            if range.count <= 64, range.contains(where: { isDigit(bytes[$0]) }),
                !range.contains(where: { bytes[$0] <= 0x20 })
            {
                wordsWithDigits += 1
            }
        default: break
        }
    }

    /// Keeps the extremes of numbers, months and lengths, the only values that a summary retains.
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
            if value > previous { rising += 1 } else if value < previous { falling += 1 }
            if value - previous == step { even += 1 }
            (step, previous) = (value - previous, value)
        case .date, .datetime, .spacedDatetime, .looseDate, .looseDatetime:
            var month = 0
            for offset in [0, 1, 2, 3] { month = month * 10 + Int(bytes[range.lowerBound + offset] & 0x0F) }
            // One digit or two.
            var (at, part) = (range.lowerBound + 5, 0)
            while at < range.upperBound, isDigit(bytes[at]) { (part, at) = (part * 10 + Int(bytes[at] & 0x0F), at + 1) }
            month = month * 100 + part
            firstMonth = min(firstMonth, month)
            lastMonth = max(lastMonth, month)
        default: break
        }
    }

    /// Counts distinct values by hash until there are too many.
    private mutating func keepDistinct(_ bytes: Span<UInt8>, _ range: Range<Int>, _ bound: Int) {
        let isSampled = sampledCodes.count < bound
        guard isCounting || isSampled else { return }
        // FNV-1a, which is the same in every process, unlike the standard library's hasher.
        var hash = UInt64(0xCBF2_9CE4_8422_2325)
        for index in range { hash = (hash ^ UInt64(bytes[index])) &* 0x100_0000_01B3 }
        if isSampled {
            sampledCodes.append(hash)
            sampledNumbers.append(DecimalNumber.value(bytes, range) ?? .nan)
        }
        guard isCounting else { return }
        if !hashes.insert(hash).inserted { hasRepeats = true }
        if hashes.count > bound {
            isCounting = false
            hashes = []
        }
    }

    /// The type that every value fits.
    var type: FieldType { written.type }

    /// The field that every value fits: type and notation.
    var written: Field {
        func field(_ type: FieldType) -> Field { Field(name: name, type: type) }
        guard values > 0 else { return field(.any) }
        if objects == values { return field(.object) }
        if arrays == values { return field(.array) }
        guard objects + arrays == 0 else { return field(.any) }
        if count(.integer) == values { return field(.integer) }
        if count(.integer) + count(.number) == values {
            // A point may also separate groups of three digits.
            if case .one(let reading, _)? = amounts.reading(of: values) { return marked(reading) }
            return field(.number)
        }
        if count(.boolean) == values { return field(.boolean) }
        // Numbers and texts mixed: only `any` accepts both.
        guard natives == 0 else { return field(.any) }
        if let moment { return field(moment) }
        if count(.email) == values { return field(.string(.email)) }
        if count(.uri) == values { return field(.string(.uri)) }
        if count(.uuid) == values { return field(.string(.uuid)) }
        if case .pattern(let pattern, _)? = dates.reading(of: values) {
            return field(dates.hasClock ? .datetime(.pattern(pattern)) : .date(.pattern(pattern)))
        }
        if case .one(let reading, _)? = amounts.reading(of: values) { return marked(reading) }
        return field(.string(.default))
    }

    /// A field for numbers with marks.
    private func marked(_ reading: WrittenAmounts.Reading) -> Field {
        var field = Field(name: name, type: reading.isInteger ? .integer : .number)
        (field.decimalChar, field.groupChar) = (reading.decimalChar, reading.groupChar)
        field.bareNumber = reading.bareNumber
        return field
    }

    /// The type of a column of times, or of dates and times with the year first.
    private var moment: FieldType? {
        let (days, loose) = (count(.date), count(.looseDate))
        if days == values { return .date(.iso) }
        if count(.time) == values { return .time(.iso) }
        if count(.shortTime) == values { return .time(.pattern("%H:%M")) }
        if count(.time) + count(.shortTime) == values { return .time(.any) }
        if count(.spacedDatetime) == values { return .datetime(.pattern("%Y-%m-%d %H:%M:%S")) }
        let full = count(.datetime) + count(.spacedDatetime)
        if full == values { return .datetime(.iso) }
        if days + loose == values { return .date(.any) }
        return full + count(.looseDatetime) + days + loose == values ? .datetime(.any) : nil
    }

    /// Words that stand for "no value" in this column; in text they may be words.
    var missingTokens: [String] {
        switch type {
        case .string(.default), .any, .object, .array: []
        default: zip(SchemaInference.missingTokens, tokens).filter { $0.1 > 0 }.map(\.0)
        }
    }

    /// Words that stand for "no value" in any column; in a column of text they only get a comment.
    var plainTokens: [String] {
        missingTokens.isEmpty
            ? zip(SchemaInference.missingTokens, tokens).filter {
                SchemaInference.nullTokens.contains($0.0) && $0.1 > 0
            }
            .map(\.0) : []
    }

    /// Whether all values are known to be distinct.
    var isUnique: Bool { isCounting && !hasRepeats && hashes.count == values && values > 1 }

    /// Whether numbers count up from row to row, as line numbers and years do.
    var isSequence: Bool {
        values >= Self.rowsToTell && max(rising, falling) == values - 1 && 10 * even >= 9 * (values - 2)
    }

    /// Rows below which nothing is concluded.
    static let rowsToTell = 20

    /// Whether nearly all values are one word with a digit in it, as reference numbers are.
    var isCoded: Bool { wordsWithDigits + count(.integer) + count(.uuid) == values }

    /// The entity that at least nine of ten values are; nil for none.
    var entity: (name: String, count: Int)? {
        let best = entities.max { ($0.value.whole, $1.key) < ($1.value.whole, $0.key) }
        guard let best, searched > 0, best.value.whole * 10 >= searched * 9 else { return nil }
        return (best.key, best.value.whole)
    }
}
