/// Host names (RFC 952, RFC 1123) and internationalised ones (IDNA: RFC 5890 to 5892).
extension TextReader {
    /// A host name (RFC 1123, section 2.1; RFC 952), or an internationalised one (RFC 5890), whose labels are checked
    /// without IDNA's character tables.
    mutating func hostname(ascii: Bool) -> Bool {
        guard at < end, end - at <= 253 else { return false }
        var first = at
        while true {
            let isDot = at < end && bytes[at] == 0x2E
            // IDNA's other full stops: U+3002, U+FF0E, U+FF61.
            let isWideDot =
                !ascii && at + 2 < end
                && ((bytes[at] == 0xE3 && bytes[at + 1] == 0x80 && bytes[at + 2] == 0x82)
                    || (bytes[at] == 0xEF && bytes[at + 1] == 0xBC && bytes[at + 2] == 0x8E)
                    || (bytes[at] == 0xEF && bytes[at + 1] == 0xBD && bytes[at + 2] == 0xA1))
            if at == end || isDot || isWideDot {
                guard isLabel(first..<at, ascii) else { return false }
                if at == end { return true }
                at += isDot ? 1 : 3
                first = at
                continue
            }
            at += 1
        }
    }

    /// Whether a label is valid: 1 to 63 bytes, no leading or trailing hyphen (RFC 1034, section 3.5), and IDNA's
    /// rules.
    private func isLabel(_ range: Range<Int>, _ ascii: Bool) -> Bool {
        guard !range.isEmpty, range.count <= 63, bytes[range.lowerBound] != 0x2D, bytes[range.upperBound - 1] != 0x2D
        else { return false }
        var isASCII = true
        for place in range {
            let byte = bytes[place]
            if byte >= 0x80 { isASCII = false }
            guard isLetter(byte) || isDigit(byte) || byte == 0x2D || (byte >= 0x80 && !ascii) else { return false }
        }
        let first = range.lowerBound
        let hasMarks = range.count >= 4 && bytes[first + 2] == 0x2D && bytes[first + 3] == 0x2D
        if hasMarks {
            // A label with hyphens in positions three and four must begin with xn-- and decode to non-ASCII (RFC 5891,
            // section 4.2.3.1).
            guard isASCII, bytes[first] | 0x20 == 0x78, bytes[first + 1] | 0x20 == 0x6E else { return false }
            guard let scalars = punycode(first + 4..<range.upperBound) else { return false }
            return scalars.contains { $0 >= 0x80 } && isIDNA(scalars)
        }
        if isASCII { return true }
        var scalars: [UInt32] = []
        for scalar in String(decoding: range.map { bytes[$0] }, as: UTF8.self).unicodeScalars {
            scalars.append(scalar.value)
        }
        return isIDNA(scalars)
    }

    /// Whether a label satisfies RFC 5891, section 4.2, and RFC 5892 as far as no character table is needed: no leading
    /// combining mark, and the contextual rules.
    private func isIDNA(_ scalars: [UInt32]) -> Bool {
        guard let first = scalars.first.flatMap(Unicode.Scalar.init) else { return false }
        switch first.properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark: return false
        default: break
        }
        let isKana = scalars.contains {
            (0x3041...0x3096).contains($0) || (0x30A1...0x30FA).contains($0) || (0x3400...0x9FFF).contains($0)
                || (0x309D...0x309F).contains($0)
        }
        let isArabicIndic = scalars.contains { (0x660...0x669).contains($0) }
        let isExtended = scalars.contains { (0x6F0...0x6F9).contains($0) }
        if isArabicIndic, isExtended { return false }
        for (index, scalar) in scalars.enumerated() {
            let before = index > 0 ? scalars[index - 1] : 0
            let after = index + 1 < scalars.count ? scalars[index + 1] : 0
            let joins = Unicode.Scalar(before)?.properties.canonicalCombiningClass.rawValue == 9
            switch scalar {
            case 0xB7: if before != 0x6C || after != 0x6C { return false }
            case 0x375: if !(0x370...0x3FF).contains(after) { return false }
            case 0x5F3, 0x5F4: if !(0x590...0x5FF).contains(before) { return false }
            case 0x30FB: if !isKana { return false }
            case 0x200D: if !joins { return false }
            case 0x200C:
                // Between joining letters (RFC 5892, A.1), approximated by the Arabic block.
                let isBetween = (0x620...0x6FF).contains(before) && (0x620...0x6FF).contains(after)
                if !joins, !isBetween { return false }
            // Disallowed characters that are easily mistaken for others (RFC 5892, section 2.6).
            case 0x640, 0x7FA, 0x302E, 0x302F, 0x3031...0x3035, 0x303B: return false
            default:
                guard let found = Unicode.Scalar(scalar) else { return false }
                switch found.properties.generalCategory {
                case .control, .surrogate, .unassigned, .privateUse, .lineSeparator, .paragraphSeparator,
                    .spaceSeparator, .currencySymbol, .mathSymbol, .modifierSymbol, .otherSymbol, .openPunctuation,
                    .closePunctuation, .initialPunctuation, .finalPunctuation, .uppercaseLetter:
                    return false
                case .otherPunctuation where scalar >= 0x80: return false
                default: break
                }
            }
        }
        return true
    }

    /// Decodes Punycode (RFC 3492); nil when it is malformed.
    private func punycode(_ range: Range<Int>) -> [UInt32]? {
        var output: [UInt32] = []
        var at = range.lowerBound
        if let mark = range.last(where: { bytes[$0] == 0x2D }) {
            output = (range.lowerBound..<mark).map { UInt32(bytes[$0]) }
            at = mark + 1
        }
        var (code, index, bias) = (128, 0, 72)
        while at < range.upperBound {
            let before = index
            var weight = 1
            var base = 36
            while true {
                guard at < range.upperBound else { return nil }
                let byte = bytes[at]
                at += 1
                guard isDigit(byte) || isLetter(byte) else { return nil }
                let digit = isDigit(byte) ? Int(byte) - 22 : Int(byte | 0x20) - 0x61
                index += digit * weight
                let threshold = base <= bias ? 1 : base >= bias + 26 ? 26 : base - bias
                if digit < threshold { break }
                weight *= 36 - threshold
                base += 36
                guard index < 1 << 40, weight < 1 << 40 else { return nil }
            }
            let count = output.count + 1
            var delta = before == 0 ? (index - before) / 700 : (index - before) / 2
            delta += delta / count
            var steps = 0
            while delta > 455 {
                delta /= 35
                steps += 36
            }
            bias = steps + 36 * delta / (delta + 38)
            code += index / count
            index %= count
            guard code <= 0x10FFFF, Unicode.Scalar(UInt32(code)) != nil else { return nil }
            output.insert(UInt32(code), at: index)
            index += 1
        }
        return output
    }
}
