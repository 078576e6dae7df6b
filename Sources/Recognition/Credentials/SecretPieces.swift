/// Tests on the characters of a possible credential.
extension Secrets {
    private static let placeholders = [
        "password", "passwd", "pass", "xxxx", "secret", "yourpassword", "your_password", "true", "false", "required",
        "optional", "none",
        "null", "usedevelopmentstorage", "string", "text", "number", "boolean", "never", "always", "sometimes",
        "enabled",
        "disabled", "unknown", "redacted", "hidden", "masked", "removed", "unset", "empty", "notset",
    ].map { Array($0.utf8) }

    /// A character of base32 (RFC 4648, section 6): A to Z and 2 to 7.
    static func isUpper(_ byte: UInt8) -> Bool { byte &- 0x41 < 26 || byte &- 0x32 < 6 }
    static func isAlphanumeric(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 }
    /// A character of `\w` in ASCII.
    static func isWord(_ byte: UInt8) -> Bool { isAlphanumeric(byte) || byte == 0x5F }
    /// A character of base64url (RFC 4648, section 5).
    static func isURLSafe(_ byte: UInt8) -> Bool { isWord(byte) || byte == 0x2D }

    /// The lower-case form of an ASCII letter; other bytes unchanged.
    static func folded(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }

    /// Number of consecutive characters of a kind, from a place on.
    static func run(_ text: Span<UInt8>, _ from: Int, _ isOne: (UInt8) -> Bool) -> Int {
        var count = 0
        while count < tokenMax, from + count < text.count, isOne(text[from + count]) { count += 1 }
        return count
    }

    /// Whether a word begins at a place.
    static func stands(_ word: [UInt8], in text: Span<UInt8>, _ at: Int) -> Bool {
        guard at >= 0, at + word.count <= text.count else { return false }
        for index in word.indices where text[at + index] != word[index] { return false }
        return true
    }

    /// Whether a word ends at a place, ignoring case.
    static func ends(_ word: [UInt8], in text: Span<UInt8>, _ at: Int) -> Bool {
        let first = at - word.count
        guard first >= 0 else { return false }
        for index in word.indices {
            if folded(text[first + index]) != word[index] { return false }
        }
        return true
    }

    /// Whether no letter or digit precedes a place, so that a token can begin there.
    static func isStart(_ text: Span<UInt8>, _ at: Int) -> Bool {
        at == 0 || at > 0 && at < text.count && !isWord(text[at - 1])
    }

    /// Whether a token of a fixed length lies at a place and ends there.
    ///
    /// - Parameters:
    ///   - text: the buffer.
    ///   - at: where it begins.
    ///   - head: its fixed prefix.
    ///   - length: its length with the prefix.
    ///   - isOne: whether a byte may be part of it.
    static func isToken(
        _ text: Span<UInt8>, at: Int, head: [UInt8], length: Int, of isOne: (UInt8) -> Bool
    ) -> Bool {
        guard stands(head, in: text, at), isStart(text, at) else { return false }
        let first = at + head.count
        let end = first + length
        return run(text, first, isOne) >= length && (end == text.count || !isWord(text[end]))
    }

    /// Whether a word is a UUID (RFC 9562).
    static func isUUID(_ bytes: Span<UInt8>, _ word: Range<Int>) -> Bool {
        guard word.count == 36 else { return false }
        for (index, at) in word.enumerated() {
            let isDash = index == 8 || index == 13 || index == 18 || index == 23
            if isDash ? bytes[at] != UInt8(ascii: "-") : !isHex(bytes[at]) { return false }
        }
        return true
    }

    /// Whether a range has both letters and digits; words alone are no token.
    static func isMixed(_ text: Span<UInt8>, _ range: Range<Int>) -> Bool {
        var (hasDigit, hasLetter) = (false, false)
        for at in range {
            if text[at] &- 0x30 < 10 { hasDigit = true } else if isAlphanumeric(text[at]) { hasLetter = true }
        }
        return hasDigit && hasLetter
    }

    /// Whether sixteen consecutive letters and digits include both kinds; words between dashes are no token.
    static func hasMixedRun(_ text: Span<UInt8>, _ range: Range<Int>) -> Bool {
        var start = range.lowerBound
        for at in range where !isAlphanumeric(text[at]) {
            if at - start >= 16, isMixed(text, start..<at) { return true }
            start = at + 1
        }
        return range.upperBound - start >= 16 && isMixed(text, start..<range.upperBound)
    }

    /// Whether base64 decodes to printable text with a colon, such as `name:password` (RFC 7617).
    static func hidesColon(_ text: Span<UInt8>, _ range: Range<Int>) -> Bool {
        var (word, bits, hasColon): (UInt32, Int, Bool) = (0, 0, false)
        for at in range {
            let byte = text[at]
            let digit: UInt8
            switch byte {
            case 0x41...0x5A: digit = byte - 0x41
            case 0x61...0x7A: digit = byte - 0x61 + 26
            case 0x30...0x39: digit = byte - 0x30 + 52
            case 0x2B, 0x2D: digit = 62
            case 0x2F, 0x5F: digit = 63
            default: return false
            }
            word = word << 6 | UInt32(digit)
            bits += 6
            if bits >= 8 {
                bits -= 8
                let letter = UInt8(truncatingIfNeeded: word >> UInt32(bits))
                if letter < 0x20 { return false }
                if letter == 0x3A { hasColon = true }
            }
        }
        return hasColon
    }

    /// Whether a value is a function call in source code.
    static func isCall(_ text: Span<UInt8>, _ range: Range<Int>) -> Bool {
        text[range.upperBound - 1] == UInt8(ascii: ")") && range.contains { text[$0] == UInt8(ascii: "(") }
    }

    static func isAfterSemicolon(_ text: Span<UInt8>, _ at: Int) -> Bool {
        var place = at
        while place > 0, at - place < 8, text[place - 1] <= 0x20 { place -= 1 }
        return place > 0 && text[place - 1] == UInt8(ascii: ";")
    }

    /// Whether a value is a placeholder, as documentation has it instead of a password.
    ///
    /// - Parameters:
    ///   - text: the buffer.
    ///   - range: the value.
    ///   - isWord: whether only a whole placeholder word counts, and not the beginning of a template.
    static func isPlaceholder(_ text: Span<UInt8>, _ range: Range<Int>, isWord: Bool = false) -> Bool {
        guard let first = range.first, let last = range.last else { return true }
        if !isWord,
            [UInt8(ascii: "<"), UInt8(ascii: "{"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "[")].contains(
                text[first])
        {
            return true
        }
        if range.allSatisfy({ text[$0] == text[first] }) { return true }
        return placeholders.contains {
            range.count == $0.count && ends($0, in: text, last + 1)
        }
    }
}
