/// What speaks for and against a column's label being a name: how the values below it look, beside how it looks itself.
///
/// The judgement is over all columns together (`SchemaInference.columnWithDataForLabel`): a word above numbers says
/// that the first row is a header, so that `country,2021,2022` and a question above answers are one too.
struct LabelEvidence: Sendable {
    /// The label.
    private let label: [UInt8]
    /// Its digits and letters by class, where it is long enough to be told from a word.
    private let isCode: Bool
    /// Values that were looked at.
    private(set) var looked = 0
    /// How many of them are the label itself.
    private(set) var same = 0
    /// How many have two words or more.
    private var worded = 0
    /// How many are digits for the larger part.
    private var numeral = 0
    /// How many have digits and letters in the very places where the label has them.
    private var alike = 0

    /// Values of a column that are looked at: enough to tell how they look.
    private static let lookedMax = 10_000

    init(_ label: String) {
        self.label = Array(label.utf8)
        isCode = self.label.count >= 5 && self.label.count(where: isDigit) >= 2
    }

    /// Looks at one value.
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

    private func share(_ count: Int, of most: Int, in parts: Int) -> Bool {
        looked > 0 && count * parts >= looked * most
    }
    /// Whether most values have several words.
    var isWorded: Bool { share(worded, of: 4, in: 5) }
    /// Whether nearly all values are digits for the larger part.
    var isNumeral: Bool { share(numeral, of: 9, in: 10) }
    /// Whether nearly all values are written like the label.
    var isAlike: Bool { share(alike, of: 9, in: 10) }
}

/// How a text looks.
private struct TextForm {
    var words = 0
    var letters = 0
    var digits = 0
    /// Whether it is digits for the larger part.
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

/// 1 for a digit, 2 for a letter or a part of one, else the byte itself.
private func byteClass(_ byte: UInt8) -> UInt8 {
    if isDigit(byte) { return 1 }
    return (byte | 0x20) &- 0x61 < 26 || byte >= 0x80 ? 2 : byte
}

/// A label on its own: what it could be besides a name.
struct LabelForm {
    let text: String
    let shape: CellShape
    let letters: Int
    let digits: Int
    let words: [String]

    /// Words that people give to columns; data rarely consists of them.
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
    /// Words of sentences, which names of columns do without.
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

    /// Whether a word of it is one that people give to columns.
    var isHeading: Bool { words.contains(where: Self.headings.contains) }

    /// Whether it reads like a sentence, or is as long as one.
    var isSentence: Bool {
        let scalars = text.unicodeScalars
        // Some scripts have no spaces between words.
        if scalars.count >= 20, !text.contains(" "), scalars.count(where: { $0.value >= 0x0E00 }) * 2 > scalars.count {
            return true
        }
        guard words.count >= 4, scalars.count >= 20 else { return false }
        if let last = text.last, ".!?…".contains(last) { return true }
        return scalars.count > 100 || words.contains(where: Self.sentenceWords.contains)
    }

    /// The year or other small whole number that it is.
    var whole: Int? { shape == .integer && text.utf8.count <= 4 ? Int(text) : nil }
    var isYear: Bool { whole.map { (1800...2200).contains($0) } ?? false }

    /// Whether a value of the type may be written like that.
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

/// Whether a name is a point in time, an address or an identifier, which names of members are not.
package func isTimeOrIdentifier(_ name: String) -> Bool {
    switch LabelForm(name).shape {
    case .date, .datetime, .spacedDatetime, .looseDate, .looseDatetime, .time, .email, .uuid: true
    default: false
    }
}

extension FieldType {
    /// Whether values have a form of their own, so that a word above them is none of them.
    fileprivate var isTelling: Bool {
        switch self {
        case .string(.default), .any, .object, .array: false
        default: true
        }
    }
}

extension SchemaInference {
    /// The first column whose label looks like a value and not like a name, so that the first row seems to be data; nil
    /// when it seems to be a header.
    package var columnWithDataForLabel: Int? {
        let forms = columns.map { LabelForm($0.name) }
        let types = columns.map(\.type)
        let tokens = SchemaInference.missingTokens
        // A word above values of another form speaks for a header, and then for all of it.
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
        // A header that comes once more, further down, is no value.
        let repeats = Set(columns.map(\.evidence.same))
        let comesAgain = columns.count > 1 && repeats.count == 1 && repeats != [0]
        return columns.indices.first { at in
            let (form, seen) = (forms[at], columns[at].evidence)
            guard case .string(.default) = types[at], !form.text.isEmpty else { return false }
            return form.isSentence || seen.isAlike || seen.same > 0 && !comesAgain
                || form.words.count > 1 && form.text.contains(" ") && seen.isWorded && !hasHeading
        }
    }

    /// Whether a label is like the values of its column, or like no name at all.
    private func isValue(_ form: LabelForm, _ type: FieldType, isHeader: Bool) -> Bool {
        if form.fits(type) { return true }
        switch form.shape {
        case .email, .uuid: return true
        case .datetime, .spacedDatetime, .looseDatetime, .looseDate, .time, .date: return !type.isTelling
        default: break
        }
        if form.letters > 0 { return false }
        // Digits of a number that is somebody's; dates and hours have fewer.
        if form.digits >= 9 { return true }
        return form.digits > 0 ? !type.isTelling : !isHeader && !type.isTelling
    }

    /// Columns whose labels are years or count on from one to the next, under a header: names of a table that was laid
    /// out so.
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
