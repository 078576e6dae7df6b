/// A text as a person reads it: characters that look like plain ones become those, and invisible ones are removed.
///
/// Recognisers search it as a second view of the text. Unicode spaces and dashes become ASCII; digits of all scripts
/// and compatibility forms of letters and signs (full-width, mathematical, circled, superscript, subscript) become
/// plain; soft hyphens, zero-width and other default-ignorable characters (Unicode Standard Annex 44) are removed;
/// percent escapes (RFC 3986) and HTML character references are decoded, up to three levels deep. Each byte keeps the
/// range of the source that it stands for.
package struct FoldedText: Sendable {
    /// The text.
    package private(set) var bytes: [UInt8]
    /// By byte, the start and end of its range in the source.
    private var starts: [Int], ends: [Int]

    /// Levels of nested escapes that are decoded.
    private static let depthMax = 3

    /// The view of `range`; nil when it would be equal, or differ only where nothing can be hidden.
    package init?(_ source: Span<UInt8>, _ range: Range<Int>) {
        guard FoldedUnit.isWorthwhile(source, range) else { return nil }
        (bytes, starts, ends) = ([], [], [])
        bytes.reserveCapacity(range.count)
        starts.reserveCapacity(range.count)
        ends.reserveCapacity(range.count)
        var at = range.lowerBound
        while at < range.upperBound {
            let unit = FoldedUnit(source, at, range.upperBound)
            append(unit, source, at) { ($0, $0 + $1) }
            at += unit.length
        }
        for _ in 1..<Self.depthMax where FoldedUnit.isWorthwhile(bytes.span, bytes.indices) { foldAgain() }
    }

    /// Folds the decoded text once more.
    private mutating func foldAgain() {
        let (old, from, to) = (bytes, starts, ends)
        (bytes, starts, ends) = ([], [], [])
        var at = 0
        while at < old.count {
            let unit = FoldedUnit(old.span, at, old.count)
            append(unit, old.span, at) { (from[$0], to[$0 + $1 - 1]) }
            at += unit.length
        }
    }

    private mutating func append(
        _ unit: FoldedUnit, _ source: Span<UInt8>, _ at: Int, place: (_ at: Int, _ length: Int) -> (Int, Int)
    ) {
        switch unit.meaning {
        case .same:
            for offset in 0..<unit.length {
                let (start, end) = place(at + offset, 1)
                bytes.append(source[at + offset])
                starts.append(start)
                ends.append(end)
            }
        case .nothing:
            // A keycap mark belongs to the digit before it.
            let isKey = source[at] == 0xE2 && source[at + 1] == 0x83 || source[at] == 0xEF && source[at + 1] == 0xB8
            if unit.length == 3, isKey, !ends.isEmpty { ends[ends.count - 1] = place(at, 3).1 }
        case .byte(let byte):
            let (start, end) = place(at, unit.length)
            bytes.append(byte)
            starts.append(start)
            ends.append(end)
        }
    }

    /// The range of the source that a range of this text stands for.
    package func source(_ range: Range<Int>) -> Range<Int> {
        range.isEmpty ? 0..<0 : starts[range.lowerBound]..<ends[range.upperBound - 1]
    }

    /// Matches with their places in the source.
    func placed(_ matches: [EntityMatch]) -> [EntityMatch] {
        matches.map { match in
            let place = source(match.range)
            return EntityMatch(
                entity: match.entity, start: place.lowerBound, end: place.upperBound, score: match.score)
        }
    }
}

/// One character, escape or reference, and its meaning.
struct FoldedUnit {
    enum Meaning: Equatable {
        /// It is an ordinary character.
        case same
        /// It is invisible.
        case nothing
        /// It stands for a byte: an ASCII character, or a byte of an escaped UTF-8 sequence.
        case byte(UInt8)
    }

    var length: Int
    var meaning: Meaning

    @inline(__always)
    init(_ bytes: Span<UInt8>, _ at: Int, _ end: Int) {
        let byte = bytes[at]
        if byte < 0x80 {
            (length, meaning) = (1, .same)
            if byte == UInt8(ascii: "%") { readPercent(bytes, at, end) }
            if byte == UInt8(ascii: "&") { readReference(bytes, at, end) }
            return
        }
        let (scalar, count) = decodedScalar(bytes, at, end)
        length = count
        meaning = Self.meaning(of: scalar)
    }

    /// Reads a percent escape (RFC 3986, section 2.1).
    private mutating func readPercent(_ bytes: Span<UInt8>, _ at: Int, _ end: Int) {
        guard at + 2 < end, isHex(bytes[at + 1]), isHex(bytes[at + 2]) else { return }
        func value(_ byte: UInt8) -> UInt8 { isDigit(byte) ? byte &- 0x30 : (byte | 0x20) &- 0x57 }
        let decoded = value(bytes[at + 1]) << 4 | value(bytes[at + 2])
        // An escaped control character, such as a line end, ends words as it stands.
        guard decoded >= 0x20, decoded != 0x7F else { return }
        (length, meaning) = (3, .byte(decoded))
    }

    /// Reads a character reference such as `&#64;`, `&#x40;` or `&commat;`.
    private mutating func readReference(_ bytes: Span<UInt8>, _ at: Int, _ end: Int) {
        var place = at + 1
        guard place < end else { return }
        if bytes[place] == UInt8(ascii: "#") {
            place += 1
            let isHexadecimal = place < end && bytes[place] | 0x20 == UInt8(ascii: "x")
            if isHexadecimal { place += 1 }
            var value: UInt32 = 0
            let first = place
            while place < end, place - first < 8, isHexadecimal ? isHex(bytes[place]) : isDigit(bytes[place]) {
                let byte = bytes[place]
                value =
                    value &* (isHexadecimal ? 16 : 10)
                    &+ UInt32(isDigit(byte) ? byte &- 0x30 : (byte | 0x20) &- 0x57)
                place += 1
            }
            guard place > first, place < end, bytes[place] == UInt8(ascii: ";") else { return }
            (length, meaning) = (place + 1 - at, value < 0x80 ? .byte(UInt8(value)) : Self.meaning(of: value))
            // Another letter, which no word may cross.
            if meaning == .same { meaning = .byte(UInt8(ascii: "?")) }
            return
        }
        var key: UInt64 = 0
        while place < end, place - at <= 8, isLetter(bytes[place]) {
            key = key << 8 | UInt64(bytes[place] | 0x20)
            place += 1
        }
        guard place < end, bytes[place] == UInt8(ascii: ";"), let meant = Self.references[key] else { return }
        (length, meaning) = (place + 1 - at, meant == 0 ? .nothing : .byte(meant))
    }

    /// HTML's names of signs in and around numbers and addresses, in lower case; 0 for invisible ones.
    private static let references: [UInt64: UInt8] = {
        let names: [(String, UInt8)] = [
            ("nbsp", 0x20), ("ensp", 0x20), ("emsp", 0x20), ("thinsp", 0x20), ("hairsp", 0x20), ("numsp", 0x20),
            ("puncsp", 0x20), ("shy", 0), ("zwj", 0), ("zwnj", 0), ("lrm", 0), ("rlm", 0), ("amp", 0x26),
            ("commat", 0x40), ("period", 0x2E), ("plus", 0x2B), ("lpar", 0x28), ("rpar", 0x29), ("ndash", 0x2D),
            ("mdash", 0x2D), ("hyphen", 0x2D), ("dash", 0x2D), ("minus", 0x2D), ("lowbar", 0x5F), ("sol", 0x2F),
            ("colon", 0x3A), ("equals", 0x3D), ("num", 0x23), ("percnt", 0x25), ("lt", 0x3C), ("gt", 0x3E),
            ("quot", 0x22), ("apos", 0x27), ("comma", 0x2C), ("semi", 0x3B), ("middot", 0x2E),
        ]
        return Dictionary(
            uniqueKeysWithValues: names.map { name, byte in (name.utf8.reduce(0) { $0 << 8 | UInt64($1) }, byte) })
    }()

    /// Whether folding a text could reveal anything.
    ///
    /// Unicode's spaces, dashes and dots are common in prose and hide something only among digits.
    static func isWorthwhile(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        var at = range.lowerBound
        while at < range.upperBound {
            let byte = bytes[at]
            if byte < 0x80, byte != UInt8(ascii: "%"), byte != UInt8(ascii: "&") {
                at += 1
                continue
            }
            let unit = FoldedUnit(bytes, at, range.upperBound)
            defer { at += unit.length }
            switch unit.meaning {
            case .same: continue
            case .nothing: if isAmongWords(bytes, unit: at..<at + unit.length, in: range) { return true }
            case .byte(let byte):
                let isMark = byte == 0x20 || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
                if !isMark || isNearDigit(bytes, unit: at..<at + unit.length, in: range) { return true }
            }
        }
        return false
    }

    /// Most bytes between a space or dash and a digit of the same number.
    private static let reach = 8

    /// Whether a digit is within `reach` bytes of a space or dash, on either side.
    private static func isNearDigit(_ bytes: Span<UInt8>, unit: Range<Int>, in range: Range<Int>) -> Bool {
        let (at, end) = (unit.lowerBound, unit.upperBound)
        for place in max(range.lowerBound, at - reach)..<at where isDigit(bytes[place]) || bytes[place] >= 0xEF {
            return true
        }
        for place in end..<min(range.upperBound, end + reach)
        where isDigit(bytes[place]) || bytes[place] >= 0xEF {
            return true
        }
        return false
    }

    /// Whether an invisible character is adjacent to a letter, digit or sign of an address, rather than to an emoji.
    private static func isAmongWords(_ bytes: Span<UInt8>, unit: Range<Int>, in range: Range<Int>) -> Bool {
        func isPart(_ place: Int) -> Bool {
            range.contains(place) && (bytes[place] < 0x80 ? bytes[place] > 0x20 : bytes[place] >= 0xEF)
        }
        return isPart(unit.lowerBound - 1) || isPart(unit.upperBound)
    }

    /// The meaning of a non-ASCII character.
    private static func meaning(of scalar: UInt32) -> Meaning {
        switch scalar {
        case 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: return .byte(0x20)
        case 0x2010...0x2015, 0x2043, 0x2212, 0xFE58, 0xFE63: return .byte(UInt8(ascii: "-"))
        case 0xB7, 0x2022, 0x2024, 0x2027, 0x3002, 0x30FB, 0xFE52, 0xFF61: return .byte(UInt8(ascii: "."))
        case 0x2044, 0x2215: return .byte(UInt8(ascii: "/"))
        case 0xFE59: return .byte(UInt8(ascii: "("))
        case 0xFE5A: return .byte(UInt8(ascii: ")"))
        case 0xFE62: return .byte(UInt8(ascii: "+"))
        case 0xFE6B: return .byte(UInt8(ascii: "@"))
        case 0xB9: return .byte(UInt8(ascii: "1"))
        case 0xB2, 0xB3: return .byte(UInt8(scalar - 0x80))
        case 0x2070, 0x2074...0x2079, 0x2080...0x2089: return .byte(0x30 + UInt8(scalar & 0xF))
        case 0x207A, 0x208A: return .byte(UInt8(ascii: "+"))
        case 0x207B, 0x208B: return .byte(UInt8(ascii: "-"))
        case 0x207D, 0x208D: return .byte(UInt8(ascii: "("))
        case 0x207E, 0x208E: return .byte(UInt8(ascii: ")"))
        case 0x2460...0x2468: return .byte(0x31 + UInt8(scalar - 0x2460))
        case 0x24EA: return .byte(UInt8(ascii: "0"))
        case 0x24B6...0x24CF: return .byte(0x41 + UInt8(scalar - 0x24B6))
        case 0x24D0...0x24E9: return .byte(0x61 + UInt8(scalar - 0x24D0))
        case 0xFF01...0xFF5E: return .byte(UInt8(scalar - 0xFEE0))
        case 0x1D400...0x1D6A3:
            let place = UInt8((scalar - 0x1D400) % 52)
            return .byte(place < 26 ? 0x41 + place : 0x61 + place - 26)
        case 0x1D7CE...0x1D7FF: return .byte(0x30 + UInt8((scalar - 0x1D7CE) % 10))
        case 0xAD, 0x034F, 0x061C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B...0x180F, 0x200B...0x200F, 0x202A...0x202E,
            0x2060...0x206F, 0x20E3, 0x3164, 0xFE00...0xFE0F, 0xFEFF, 0xFFA0, 0xFFF0...0xFFF8, 0x1BCA0...0x1BCA3,
            0x1D173...0x1D17A, 0xE0000...0xE0FFF:
            return .nothing
        default: return digit(scalar).map { .byte(0x30 + $0) } ?? .same
        }
    }

    /// The zeros of the scripts with their own digits (Unicode general category Nd).
    private static let zeros: [UInt32] = [
        0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66, 0x0DE6, 0x0E50,
        0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50,
        0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0x104A0, 0x11066, 0x110F0, 0x11136, 0x111D0, 0x112F0,
        0x11450, 0x114D0, 0x11650, 0x116C0, 0x11730, 0x118E0, 0x16A60, 0x16B50, 0x1E140, 0x1E2F0, 0x1E950, 0x1FBF0,
    ]

    /// The value of a digit of any script; nil for other scalars.
    private static func digit(_ scalar: UInt32) -> UInt8? {
        if scalar < 0x0660 || 0x2E80...0xA61F ~= scalar || 0xAC00...0x1049F ~= scalar { return nil }
        var (low, high) = (0, zeros.count)
        while low < high {
            let middle = (low + high) / 2
            if zeros[middle] <= scalar { low = middle + 1 } else { high = middle }
        }
        guard low > 0, scalar - zeros[low - 1] < 10 else { return nil }
        return UInt8(scalar - zeros[low - 1])
    }
}

/// The scalar of a UTF-8 sequence and its length; an invalid byte counts as a scalar by itself.
private func decodedScalar(_ bytes: Span<UInt8>, _ at: Int, _ end: Int) -> (scalar: UInt32, length: Int) {
    let lead = bytes[at]
    let length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC2 ? 2 : 1
    guard length > 1, at + length <= end else { return (0xFFFD, 1) }
    var scalar = UInt32(lead) & (0x7F >> UInt32(length))
    for offset in 1..<length {
        guard bytes[at + offset] & 0xC0 == 0x80 else { return (0xFFFD, 1) }
        scalar = scalar << 6 | UInt32(bytes[at + offset] & 0x3F)
    }
    return (scalar, length)
}
