/// Evidence for and against a column's label being a name: the form of its values compared with the form of the label.
///
/// The decision is made over all columns (`SchemaInference.columnWithDataForLabel`). A word above numbers shows that
/// the first row is a header, so `country,2021,2022` and a question above its answers are headers too.
struct LabelEvidence: Sendable {
    /// The label.
    private let label: [UInt8]
    /// Whether the label mixes digits and letters and is long enough not to be a word.
    private let isCode: Bool
    /// Values examined.
    private(set) var looked = 0
    /// Values equal to the label.
    private(set) var same = 0
    /// Values of two or more words.
    private var worded = 0
    /// Values that consist mostly of digits.
    private var numeral = 0
    /// Values with digits and letters at the same positions as the label.
    private var alike = 0

    /// Values of a column that are examined.
    private static let lookedMax = 10_000

    init(_ label: String) {
        self.label = Array(label.utf8)
        isCode = self.label.count >= 5 && self.label.count(where: isDigit) >= 2
    }

    /// Adds one value.
    mutating func take(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        guard looked < Self.lookedMax else { return }
        looked += 1
        let part = range.prefix(512)
        let text = TextForm(bytes, part)
        if text.words > 1 { worded += 1 }
        if text.isNumeral { numeral += 1 }
        guard range.count == label.count else { return }
        var (isSame, isAlike) = (true, isCode)
        for (offset, at) in range.enumerated() {
            if bytes[at] != label[offset] { isSame = false }
            if byteClass(bytes[at]) != byteClass(label[offset]) { isAlike = false }
        }
        if isSame { same += 1 }
        if isAlike { alike += 1 }
    }

    /// Whether `count` is at least `most` of `parts` of the values examined.
    private func share(_ count: Int, of most: Int, in parts: Int) -> Bool {
        looked > 0 && count * parts >= looked * most
    }
    /// Whether most values have several words.
    var isWorded: Bool { share(worded, of: 4, in: 5) }
    /// Whether nearly all values consist mostly of digits.
    var isNumeral: Bool { share(numeral, of: 9, in: 10) }
    /// Whether nearly all values have the form of the label.
    var isAlike: Bool { share(alike, of: 9, in: 10) }
}

/// Numbers of words, letters and digits of a text.
private struct TextForm {
    var words = 0
    var letters = 0
    var digits = 0
    /// Whether it consists mostly of digits.
    var isNumeral: Bool { digits > 0 && digits >= letters }

    init(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        var isInside = false
        for at in range {
            let byte = bytes[at]
            switch byteClass(byte) {
            case 1: digits += 1
            case 2: letters += 1
            default: break
            }
            let isSpace = byte <= 0x20
            if !isSpace, !isInside { words += 1 }
            isInside = !isSpace
        }
    }
}

/// 1 for a digit, 2 for a letter or part of one, otherwise the byte.
private func byteClass(_ byte: UInt8) -> UInt8 {
    if isDigit(byte) { return 1 }
    return (byte | 0x20) &- 0x61 < 26 || byte >= 0x80 ? 2 : byte
}

/// A label by itself: what it could be besides a name.
struct LabelForm {
    let text: String
    let shape: CellShape
    let letters: Int
    let digits: Int
    let words: [String]

    /// Words that are common in column names and rare in data.
    private static let headings: Set<String> = [
        "account", "address", "age", "amount", "answer", "author", "average", "balance", "birth", "body", "brand",
        "category", "channel", "city", "class", "code", "color", "colour", "column", "comment", "comments", "company",
        "content", "cost", "count", "country", "county", "currency", "customer", "date", "day", "department",
        "description", "district", "duration", "email", "end", "event", "field", "file", "first", "gender", "group",
        "height", "hour", "id", "index", "item", "key", "kind", "label", "lang", "language", "last", "lat", "latitude",
        "length", "level", "link", "location", "lon", "longitude", "mail", "max", "mean", "message", "min", "model",
        "month", "name", "nr", "num", "number", "order", "owner", "path", "percent", "phone", "place", "postal",
        "price", "product", "province", "quantity", "question", "rank", "rate", "rating", "reason", "reference",
        "region", "response", "result", "role", "score", "section", "sex", "size", "source", "start", "state",
        "status", "street", "subject", "summary", "surname", "tag", "tags", "target", "text", "time", "timestamp",
        "title", "total", "town", "type", "unit", "url", "user", "value", "variable", "version", "weight", "width",
        "year", "zip",
    ]
    /// Words of sentences, which column names do without.
    private static let sentenceWords: Set<String> = [
        "am", "are", "be", "can", "could", "did", "do", "does", "don't", "had", "has", "have", "he", "hello", "her",
        "hi", "his", "i", "i'm", "is", "it", "it's", "me", "my", "not", "please", "she", "should", "thanks", "that",
        "there", "these", "they", "this", "u", "us", "was", "we", "were", "will", "would", "you", "your",
    ]

    init(_ text: String) {
        self.text = text
        let bytes = Array(text.utf8)
        shape = Schemas.shape(of: bytes.span, in: bytes.indices)
        letters = bytes.count { byteClass($0) == 2 }
        digits = bytes.count(where: isDigit)
        words = text.split { !$0.isLetter && !$0.isNumber && $0 != "'" }.map { $0.lowercased() }
    }

    /// Whether one of its words is common in column names.
    var isHeading: Bool { words.contains(where: Self.headings.contains) }

    /// Whether it reads like a sentence, or is as long as one.
    var isSentence: Bool {
        let scalars = text.unicodeScalars
        // Some scripts put no spaces between words.
        if scalars.count >= 20, !text.contains(" "), scalars.count(where: { $0.value >= 0x0E00 }) * 2 > scalars.count {
            return true
        }
        guard words.count >= 4, scalars.count >= 20 else { return false }
        if let last = text.last, ".!?…".contains(last) { return true }
        return scalars.count > 100 || words.contains(where: Self.sentenceWords.contains)
    }

    /// The year or small whole number that it is; nil for others.
    var whole: Int? { shape == .integer && text.utf8.count <= 4 ? Int(text) : nil }
    var isYear: Bool { whole.map { (1800...2200).contains($0) } ?? false }

    /// Whether a value of the type may look like it.
    func fits(_ type: FieldType) -> Bool {
        switch (shape, type) {
        case (.text, _): false
        case (.integer, .integer), (.integer, .number), (.number, .number), (.number, .integer): true
        case (.boolean, .boolean), (.date, .date), (.time, .time): true
        case (.datetime, .datetime), (.spacedDatetime, .datetime), (.date, .datetime), (.datetime, .date): true
        case (.looseDatetime, .datetime), (.looseDate, .datetime), (.looseDate, .date), (.shortTime, .time): true
        case (.email, .string(.email)), (.uri, .string(.uri)), (.uuid, .string(.uuid)): true
        default: false
        }
    }
}

/// Whether a name is a point in time, an address or an identifier, which member names are not.
package func isTimeOrIdentifier(_ name: String) -> Bool {
    switch LabelForm(name).shape {
    case .date, .datetime, .spacedDatetime, .looseDate, .looseDatetime, .time, .email, .uuid: true
    default: false
    }
}

extension FieldType {
    /// Whether values have a form of their own, so that a word above them cannot be a value.
    fileprivate var isTelling: Bool {
        switch self {
        case .string(.default), .any, .object, .array: false
        default: true
        }
    }
}

extension SchemaInference {
    /// The first column whose label looks like data, so that the first row is probably not a header; nil when it is
    /// one.
    package var columnWithDataForLabel: Int? {
        let forms = columns.map { LabelForm($0.name) }
        let types = columns.map(\.type)
        let tokens = SchemaInference.missingTokens
        // A word above values of another form makes the whole row a header.
        let isHeader = columns.indices.contains { at in
            let form = forms[at]
            guard form.shape == .text, form.letters > form.digits, !tokens.contains(form.text) else { return false }
            return types[at].isTelling || columns[at].evidence.isNumeral
        }
        let numbers = numberNames(forms, types, isHeader: isHeader)
        for at in columns.indices where !forms[at].text.isEmpty && !numbers.contains(at) {
            if isValue(forms[at], types[at], isHeader: isHeader) { return at }
        }
        if isHeader { return nil }
        let hasHeading = forms.contains(where: \.isHeading)
        // A header repeated further down is not a value.
        let repeats = Set(columns.map(\.evidence.same))
        let comesAgain = columns.count > 1 && repeats.count == 1 && repeats != [0]
        return columns.indices.first { at in
            let (form, seen) = (forms[at], columns[at].evidence)
            guard case .string(.default) = types[at], !form.text.isEmpty else { return false }
            return form.isSentence || seen.isAlike || seen.same > 0 && !comesAgain
                || form.words.count > 1 && form.text.contains(" ") && seen.isWorded && !hasHeading
        }
    }

    /// Whether a label resembles the values of its column, or no name at all.
    private func isValue(_ form: LabelForm, _ type: FieldType, isHeader: Bool) -> Bool {
        if form.fits(type) { return true }
        switch form.shape {
        case .email, .uuid: return true
        case .datetime, .spacedDatetime, .looseDatetime, .looseDate, .time, .date: return !type.isTelling
        default: break
        }
        if form.letters > 0 { return false }
        // Nine digits or more: a telephone or account number. Dates and hours have fewer.
        if form.digits >= 9 { return true }
        return form.digits > 0 ? !type.isTelling : !isHeader && !type.isTelling
    }

    /// Columns whose labels are years or count up, under a header: a wide table.
    ///
    /// - Parameters:
    ///   - forms: the labels.
    ///   - types: the columns' types.
    ///   - isHeader: whether the row is known to be a header.
    private func numberNames(_ forms: [LabelForm], _ types: [FieldType], isHeader: Bool) -> Set<Int> {
        let places = forms.indices.filter { forms[$0].letters == 0 && forms[$0].digits > 0 && !forms[$0].text.isEmpty }
        let wholes = places.compactMap { forms[$0].whole }
        guard !wholes.isEmpty, wholes.count == places.count else { return [] }
        let areYears = places.allSatisfy { forms[$0].isYear }
        let countOn = wholes.count > 1 && zip(wholes, wholes.dropFirst()).allSatisfy { $0 + 1 == $1 }
        let isNamed = isHeader || forms.contains(where: \.isHeading)
        if areYears ? isNamed || wholes.count > 2 && countOn : isNamed && countOn { return Set(places) }
        return []
    }
}
