// The standard library has normalisation as SPI only. Foundation has it as API, and this module does not import it.
@_spi(_Unicode) import Swift
package import Tabular

/// The findings about hidden text in a column's label.
package func hiddenText(inLabel label: String) -> [FindingCode] {
    let bytes = Array(label.utf8)
    let kinds = HiddenText.kinds(bytes.span, 0..<bytes.count)
    return HiddenText.codes.filter { kinds.contains($0.0) }.map(\.1)
}

/// Finds text that looks different to people and to programs.
///
/// - `hidden`: characters without a glyph: zero-width characters, bidirectional controls, tags, fillers, stacked
///   variation selectors. They are allowed where scripts and emoji need them.
/// - `mixed`: a word of Latin letters with look-alikes from another script (Unicode Technical Standard 39, mixed-script
///   confusables, for Greek, Cyrillic and full-width letters).
/// - `decomposed`: text that is not in normalisation form C (Unicode Standard Annex 15), so that equal words differ in
///   bytes.
enum HiddenText {
    /// The kinds of hidden text in a text.
    struct Kinds: OptionSet {
        let rawValue: UInt8
        static let hidden = Kinds(rawValue: 1)
        static let mixed = Kinds(rawValue: 2)
        static let decomposed = Kinds(rawValue: 4)
    }

    /// The finding for each kind.
    static let codes: [(Kinds, FindingCode)] = [
        (.hidden, .hiddenText), (.mixed, .mixedScript), (.decomposed, .decomposedText),
    ]

    /// Whether any byte is non-ASCII; the loop is vectorised by the compiler.
    @inline(__always)
    static func hasHigh(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        let part = bytes.extracting(range)
        var all: UInt8 = 0
        for at in 0..<part.count { all |= part[at] }
        return all >= 0x80
    }

    /// The kinds of hidden text in valid UTF-8, in one pass.
    static func kinds(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Kinds {
        var found: Kinds = []
        var before: UInt32 = 0
        var (hasLatin, hasLookalike, isFlag, hasMarks, isRightToLeft) = (false, false, false, false, false)
        var isDoubtful = false
        var at = range.lowerBound
        while at < range.upperBound {
            let (scalar, length) = scalar(bytes, at)
            at += length
            if scalar < 0x80 {
                let isLetter = (0x61...0x7A).contains(scalar | 0x20)
                if isLetter { hasLatin = true } else { (hasLatin, hasLookalike) = (false, false) }
            } else {
                if isLatin(scalar) {
                    hasLatin = true
                } else if looksLatin(scalar) {
                    hasLookalike = true
                } else if !isLetterOfOther(scalar) {
                    (hasLatin, hasLookalike) = (false, false)
                }
                switch scalar {
                case 0x0590...0x08FF where scalar != 0x061C, 0xFB1D...0xFDFF, 0xFE70...0xFEFC: isRightToLeft = true
                // Direction marks are hidden only in a text without right-to-left letters, which is known at its end.
                case 0x061C, 0x200E, 0x200F: hasMarks = true
                case 0xE0020...0xE007F where isFlag: break
                default: if isHidden(scalar, after: before) { found.insert(.hidden) }
                }
                if asksForForm(scalar) { isDoubtful = true }
            }
            if hasLatin, hasLookalike { found.insert(.mixed) }
            // A region's flag is a black flag followed by tags that spell its code.
            isFlag = scalar == 0x1F3F4 || (isFlag && (0xE0020...0xE007E).contains(scalar))
            before = scalar
        }
        if hasMarks, !isRightToLeft { found.insert(.hidden) }
        if isDoubtful, !isInFormC(bytes, range) { found.insert(.decomposed) }
        return found
    }

    /// Whether a formula can begin with this byte.
    @inline(__always)
    static func mayBeFormula(_ byte: UInt8) -> Bool {
        // Fast path: most texts begin with a letter, and letters are above all of these.
        byte <= 0x40
            && (byte == 0x3D || byte == 0x40 || byte == 0x2B || byte == 0x2D || byte == 0x09 || byte == 0x0D)
    }

    /// Whether a spreadsheet would evaluate the text as a formula (OWASP, "CSV Injection"); signed numbers are exempt.
    static func isFormula(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard let first = range.first else { return false }
        switch bytes[first] {
        case 0x3D, 0x40, 0x09, 0x0D: return true
        case 0x2B, 0x2D:
            // Signed numbers, dashes and telephone numbers are harmless.
            guard range.count > 1 else { return false }
            let next = bytes[first + 1]
            return next == 0x3D || next == 0x40 || next == 0x28 || (0x41...0x5A).contains(next & 0xDF)
        default: return false
        }
    }

    @inline(__always)
    private static func scalar(_ bytes: Span<UInt8>, _ at: Int) -> (UInt32, Int) {
        let first = UInt32(bytes[at])
        func rest(_ offset: Int) -> UInt32 { UInt32(bytes[at + offset]) & 0x3F }
        if first < 0x80 { return (first, 1) }
        if first < 0xE0 { return ((first & 0x1F) << 6 | rest(1), 2) }
        if first < 0xF0 { return ((first & 0x0F) << 12 | rest(1) << 6 | rest(2), 3) }
        return ((first & 0x07) << 18 | rest(1) << 12 | rest(2) << 6 | rest(3), 4)
    }

    private static func isHidden(_ scalar: UInt32, after before: UInt32) -> Bool {
        switch scalar {
        // Joiners belong to emoji and many scripts, never to Latin.
        case 0x200C, 0x200D: before < 0x0600
        // A variation selector after an emoji or ideograph; a second one, or one after a letter, carries hidden data.
        case 0xFE00...0xFE0F:
            (before < 0x203C && ![0x23, 0x2A, 0xA9, 0xAE].contains(before) && !(0x30...0x39).contains(before))
                || (0xFE00...0xFE0F).contains(before)
        case 0xAD, 0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B...0x180F, 0x200B, 0x202A...0x202E, 0x2060...0x2064,
            0x2066...0x206F, 0x3164, 0xFEFF, 0xFFA0, 0xFFF9...0xFFFB, 0x1BCA0...0x1BCA3, 0x1D173...0x1D17A,
            0xE0000...0xE01EF:
            true
        default: false
        }
    }

    private static func isLatin(_ scalar: UInt32) -> Bool {
        (0xC0...0x24F).contains(scalar) && scalar != 0xD7 && scalar != 0xF7 || (0x1E00...0x1EFF).contains(scalar)
    }

    private static func isLetterOfOther(_ scalar: UInt32) -> Bool {
        (0x0300...0x058F).contains(scalar) || (0x1F00...0x1FFF).contains(scalar)
    }

    /// Letters of other scripts with Latin shapes.
    private static func looksLatin(_ scalar: UInt32) -> Bool {
        switch scalar {
        // Greek.
        case 0x391, 0x392, 0x395, 0x396, 0x397, 0x399, 0x39A, 0x39C, 0x39D, 0x39F, 0x3A1, 0x3A4, 0x3A5, 0x3A7, 0x3B9,
            0x3BD, 0x3BF, 0x3C1, 0x3C5:
            true
        // Cyrillic.
        case 0x405, 0x406, 0x408, 0x410, 0x412, 0x415, 0x41A, 0x41C, 0x41D, 0x41E, 0x420, 0x421, 0x422, 0x423, 0x425,
            0x430, 0x435, 0x43E, 0x440, 0x441, 0x443, 0x445, 0x455, 0x456, 0x458, 0x4BB, 0x501, 0x51B, 0x51D:
            true
        // Full-width.
        case 0xFF21...0xFF3A, 0xFF41...0xFF5A: true
        default: false
        }
    }

    /// Whether a text with this scalar may not be in form C (Unicode's NFC_Quick_Check).
    @inline(__always)
    private static func asksForForm(_ scalar: UInt32) -> Bool {
        switch scalar {
        case ..<0x0300, 0x4E00...0xD7A3, 0x3040...0x3098, 0x30A0...0x30FF, 0x1E00...0x1EFF, 0x2002...0x20CF: false
        case 0x0370...0x0482: scalar == 0x0374 || scalar == 0x037E || scalar == 0x0387
        case 0x1F000...0x1FAFF, 0xE0000...0xE01EF, 0xFE00...0xFE0F: false
        default: true
        }
    }

    /// The text in form C.
    static func composed(_ text: String) -> String {
        var out = String.UnicodeScalarView()
        for scalar in text._nfc { out.append(scalar) }
        return String(out)
    }

    private static func isInFormC(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        var copy: [UInt8] = []
        for at in range { copy.append(bytes[at]) }
        let text = String(decoding: copy, as: UTF8.self)
        return text._nfc.elementsEqual(text.unicodeScalars)
    }
}
