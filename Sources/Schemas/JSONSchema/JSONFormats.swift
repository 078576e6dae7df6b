extension JSONFormat {
    /// Whether a text has the format; `regex` is for whoever has a compiler of expressions.
    package func fits(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        var reader = TextReader(bytes, range)
        switch self {
        case .date: return reader.date() && reader.isAtEnd
        case .time: return reader.time() && reader.isAtEnd
        case .dateTime: return reader.date() && reader.skip("Tt") && reader.time() && reader.isAtEnd
        case .duration: return reader.duration() && reader.isAtEnd
        case .email: return reader.mailbox(ascii: true)
        case .idnEmail: return reader.mailbox(ascii: false)
        case .hostname: return reader.hostname(ascii: true)
        case .idnHostname: return reader.hostname(ascii: false)
        case .ipv4: return reader.ipv4() && reader.isAtEnd
        case .ipv6: return reader.ipv6() && reader.isAtEnd
        case .uri: return reader.uri(needsScheme: true, ascii: true)
        case .uriReference: return reader.uri(needsScheme: false, ascii: true)
        case .iri: return reader.uri(needsScheme: true, ascii: false)
        case .iriReference: return reader.uri(needsScheme: false, ascii: false)
        case .uuid: return Formats.isUUID(bytes, range)
        case .uriTemplate: return reader.template()
        case .jsonPointer: return reader.isAtEnd || reader.pointer()
        case .relativeJSONPointer: return reader.relativePointer()
        case .regex: return true
        }
    }
}

/// Reads a text from its beginning to its end by the grammars of the formats.
private struct TextReader {
    private let bytes: [UInt8]
    private var at = 0
    private let end: Int

    init(_ text: Span<UInt8>, _ range: Range<Int>) {
        bytes = range.map { text[$0] }
        end = bytes.count
    }

    private init(_ part: ArraySlice<UInt8>) {
        bytes = Array(part)
        end = bytes.count
    }

    var isAtEnd: Bool { at == end }
    private var next: UInt8? { at < end ? bytes[at] : nil }

    /// Takes one of the given ASCII characters.
    mutating func skip(_ characters: StaticString) -> Bool {
        guard let byte = next, characters.description.utf8.contains(byte) else { return false }
        at += 1
        return true
    }

    private func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
    private func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }
    private func isHex(_ byte: UInt8) -> Bool { isDigit(byte) || (byte | 0x20) &- 0x61 < 6 }

    /// Exactly so many digits.
    private mutating func digits(_ count: Int) -> Int? {
        guard at + count <= end else { return nil }
        var value = 0
        for _ in 0..<count {
            guard isDigit(bytes[at]) else { return nil }
            value = value * 10 + Int(bytes[at] - 0x30)
            at += 1
        }
        return value
    }

    // MARK: Times (RFC 3339)

    mutating func date() -> Bool {
        guard let year = digits(4), skip("-"), let month = digits(2), skip("-"), let day = digits(2), month >= 1,
            month <= 12, day >= 1
        else { return false }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return day <= [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
    }

    mutating func time() -> Bool {
        guard let hour = digits(2), skip(":"), let minute = digits(2), skip(":"), let second = digits(2), hour < 24,
            minute < 60, second <= 60
        else { return false }
        if skip(".") {
            let first = at
            while let byte = next, isDigit(byte) { at += 1 }
            if at == first { return false }
        }
        var offset = 0
        if !skip("Zz") {
            let isBehind = next == 0x2D
            guard skip("+-"), let hours = digits(2), skip(":"), let minutes = digits(2), hours < 24, minutes < 60 else {
                return false
            }
            offset = (hours * 60 + minutes) * (isBehind ? -1 : 1)
        }
        // A leap second is the last one of a day in UTC.
        return second < 60 || (hour * 60 + minute - offset + 2 * 1440) % 1440 == 1439
    }

    /// RFC 3339 appendix A: units go down without a gap, weeks stand alone.
    mutating func duration() -> Bool {
        guard skip("P") else { return false }
        var isTime = false
        var last = -1
        var count = 0
        while !isAtEnd {
            if !isTime, skip("T") {
                isTime = true
                last = -1
                count = 0
                continue
            }
            let first = at
            while let byte = next, isDigit(byte) { at += 1 }
            guard at > first, let byte = next else { return false }
            at += 1
            if byte == 0x57 { return !isTime && count == 0 && last < 0 && isAtEnd }
            guard let unit = Array((isTime ? "HMS" : "YMD").utf8).firstIndex(of: byte), last < 0 || unit == last + 1
            else { return false }
            last = unit
            count += 1
        }
        return last >= 0
    }

    // MARK: Names and addresses

    /// RFC 5321 4.1.2, and RFC 6531 where other letters are allowed.
    mutating func mailbox(ascii: Bool) -> Bool {
        if skip("\"") {
            while let byte = next, byte != 0x22 {
                if byte == 0x5C { at += 1 }
                guard at < end, bytes[at] >= 0x20, !ascii || bytes[at] < 0x7F else { return false }
                at += 1
            }
            guard skip("\"") else { return false }
        } else {
            var hasAtom = false
            while let byte = next, byte != 0x40 {
                if byte == 0x2E {
                    guard hasAtom else { return false }
                    hasAtom = false
                } else {
                    guard
                        isLetter(byte) || isDigit(byte) || (byte >= 0x80 && !ascii)
                            || Array("!#$%&'*+-/=?^_`{|}~".utf8).contains(byte)
                    else { return false }
                    hasAtom = true
                }
                at += 1
            }
            guard hasAtom else { return false }
        }
        guard skip("@") else { return false }
        guard skip("[") else { return hostname(ascii: ascii) }
        guard end > at, bytes[end - 1] == 0x5D else { return false }
        var inner = TextReader(bytes[at..<end - 1])
        if inner.word("IPv6:") { return inner.ipv6() && inner.isAtEnd }
        return inner.ipv4() && inner.isAtEnd
    }

    private mutating func word(_ text: StaticString) -> Bool {
        let letters = Array(text.description.utf8)
        guard at + letters.count <= end else { return false }
        for (offset, letter) in letters.enumerated() where bytes[at + offset] != letter { return false }
        at += letters.count
        return true
    }

    /// RFC 1123 2.1 and RFC 952; other letters where IDNA (RFC 5890) is meant, of whose tables only the shape of labels is checked.
    mutating func hostname(ascii: Bool) -> Bool {
        guard at < end, end - at <= 253 else { return false }
        var first = at
        while true {
            let isDot = at < end && bytes[at] == 0x2E
            // The other full stops of IDNA: U+3002, U+FF0E, U+FF61.
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
            // R-LDH labels are those that begin with xn--, and what follows decodes to something beyond ASCII.
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

    /// What RFC 5891 4.2 and RFC 5892 say of a label without their tables of characters: combining marks at the beginning, and the
    /// rules that depend on neighbours.
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
                // Between letters that join (RFC 5892 A.1): Arabic ones, as far as anybody writes them.
                let isBetween = (0x620...0x6FF).contains(before) && (0x620...0x6FF).contains(after)
                if !joins, !isBetween { return false }
            // Disallowed, and easily taken for others (RFC 5892 2.6).
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

    /// RFC 3492.
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
                let digit = isDigit(byte) ? Int(byte) - 22 : isLetter(byte) ? Int(byte | 0x20) - 0x61 : -1
                guard digit >= 0 else { return nil }
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

    mutating func ipv4() -> Bool {
        for part in 0..<4 {
            if part > 0, !skip(".") { return false }
            let first = at
            while let byte = next, isDigit(byte), at - first < 4 { at += 1 }
            let count = at - first
            guard count >= 1, count <= 3, count == 1 || bytes[first] != 0x30 else { return false }
            var value = 0
            for place in first..<at { value = value * 10 + Int(bytes[place] - 0x30) }
            if value > 255 { return false }
        }
        return true
    }

    /// RFC 4291 2.2: groups, one gap, and IPv4 at the end.
    mutating func ipv6() -> Bool {
        var groups = 0
        var hasGap = false
        if word("::") {
            hasGap = true
            if isAtEnd { return true }
        }
        while true {
            let first = at
            while let byte = next, isHex(byte) { at += 1 }
            if next == 0x2E {
                at = first
                return ipv4() && (hasGap ? groups <= 5 : groups == 6)
            }
            guard at > first, at - first <= 4 else { return false }
            groups += 1
            if isAtEnd || next != 0x3A { break }
            if word("::") {
                if hasGap { return false }
                hasGap = true
                if isAtEnd { break }
                continue
            }
            at += 1
        }
        return hasGap ? groups <= 7 : groups == 8
    }

    // MARK: URIs (RFC 3986, RFC 3987)

    mutating func uri(needsScheme: Bool, ascii: Bool) -> Bool {
        let first = at
        if let byte = next, isLetter(byte) {
            while let byte = next, isLetter(byte) || isDigit(byte) || byte == 0x2B || byte == 0x2D || byte == 0x2E {
                at += 1
            }
        }
        var hasScheme = false
        if at > first, skip(":") { hasScheme = true } else { at = first }
        if needsScheme, !hasScheme { return false }
        if word("//") {
            guard authority(ascii) else { return false }
            if let byte = next, byte != 0x2F, byte != 0x3F, byte != 0x23 { return false }
        } else if !hasScheme {
            // A colon in the first segment would make it a scheme.
            var place = at
            while place < end, bytes[place] != 0x2F, bytes[place] != 0x3F, bytes[place] != 0x23 {
                if bytes[place] == 0x3A { return false }
                place += 1
            }
        }
        while let byte = next, byte != 0x3F, byte != 0x23 { if !skip("/"), !character(":@", ascii) { return false } }
        if skip("?") {
            while let byte = next, byte != 0x23 { if !skip("/?"), !character(":@", ascii) { return false } }
        }
        if skip("#") { while !isAtEnd { if !skip("/?"), !character(":@", ascii) { return false } } }
        return isAtEnd
    }

    private mutating func authority(_ ascii: Bool) -> Bool {
        var close = at
        while close < end, bytes[close] != 0x2F, bytes[close] != 0x3F, bytes[close] != 0x23 { close += 1 }
        if let sign = (at..<close).first(where: { bytes[$0] == 0x40 }) {
            while at < sign { if !character(":", ascii) { return false } }
            at += 1
        }
        if skip("[") {
            guard let bracket = (at..<close).first(where: { bytes[$0] == 0x5D }) else { return false }
            var inner = TextReader(bytes[at..<bracket])
            if inner.skip("vV") {
                let version = inner.at
                while let byte = inner.next, isHex(byte) { inner.at += 1 }
                guard inner.at > version, inner.skip("."), !inner.isAtEnd else { return false }
                while !inner.isAtEnd { if !inner.character(":", ascii) { return false } }
            } else if !(inner.ipv6() && inner.isAtEnd) {
                return false
            }
            at = bracket + 1
        } else {
            while at < close, bytes[at] != 0x3A { if !character("", ascii) { return false } }
        }
        if at < close {
            guard skip(":") else { return false }
            while at < close {
                if !isDigit(bytes[at]) { return false }
                at += 1
            }
        }
        return true
    }

    /// One character of RFC 3986's unreserved and sub-delims, an escaped byte, or one of `more`.
    private mutating func character(_ more: StaticString, _ ascii: Bool) -> Bool {
        guard let byte = next else { return false }
        if byte == 0x25 {
            guard at + 2 < end, isHex(bytes[at + 1]), isHex(bytes[at + 2]) else { return false }
            at += 3
            return true
        }
        if byte >= 0x80 {
            guard !ascii else { return false }
            at += 1
            return true
        }
        guard
            isLetter(byte) || isDigit(byte) || Array("-._~!$&'()*+,;=".utf8).contains(byte)
                || more.description.utf8.contains(byte)
        else { return false }
        at += 1
        return true
    }

    /// RFC 6570, every level.
    mutating func template() -> Bool {
        while let byte = next {
            if byte == 0x7B {
                at += 1
                _ = skip("+#./;?&=,!@|")
                repeat {
                    var count = 0
                    while let byte = next {
                        if isLetter(byte) || isDigit(byte) || byte == 0x5F || byte >= 0x80 {
                            at += 1
                        } else if byte == 0x2E, count > 0, bytes[at - 1] != 0x2E {
                            at += 1
                        } else if byte == 0x25, at + 2 < end, isHex(bytes[at + 1]), isHex(bytes[at + 2]) {
                            at += 3
                        } else {
                            break
                        }
                        count += 1
                    }
                    if count == 0 { return false }
                    if skip(":") {
                        let first = at
                        while let byte = next, isDigit(byte) { at += 1 }
                        guard at > first, at - first <= 4, bytes[first] != 0x30 else { return false }
                    } else {
                        _ = skip("*")
                    }
                } while skip(",")
                guard skip("}") else { return false }
            } else if byte == 0x25 {
                guard at + 2 < end, isHex(bytes[at + 1]), isHex(bytes[at + 2]) else { return false }
                at += 3
            } else {
                guard byte > 0x20, byte != 0x7F, !Array("\"<>\\^`|}".utf8).contains(byte) else { return false }
                at += 1
            }
        }
        return true
    }

    // MARK: JSON Pointers (RFC 6901)

    mutating func pointer() -> Bool {
        guard skip("/") else { return false }
        while let byte = next {
            at += 1
            if byte == 0x7E, !skip("01") { return false }
        }
        return true
    }

    mutating func relativePointer() -> Bool {
        let first = at
        while let byte = next, isDigit(byte) { at += 1 }
        guard at > first, at == first + 1 || bytes[first] != 0x30 else { return false }
        if isAtEnd { return true }
        return skip("#") ? isAtEnd : pointer()
    }
}
