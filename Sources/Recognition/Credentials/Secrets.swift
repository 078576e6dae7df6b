/// Recognises credentials by the fixed prefixes and lengths that their issuers publish for this purpose.
///
/// `CandidateMap` finds a character inside a credential, and only its surroundings are examined. Every examination is
/// bounded, so the work is linear in the text.
enum Secrets {
    typealias Kind = SecretKind

    /// Fewest bytes of a token.
    static let tokenMin = 16
    /// Most bytes of a token that are examined.
    static let tokenMax = 512

    /// Keys of the secret parts of a connection string.
    private static let partNames = ["password", "pwd", "accountkey", "sharedaccesskey"].map { Array($0.utf8) }

    /// The possible token around a digit: letters, digits, dashes, dots and underscores; nil for none.
    static func word(_ bytes: Span<UInt8>, around at: Int, in window: Range<Int>) -> Range<Int> {
        let (low, high) = (window.lowerBound, window.upperBound)
        var (start, end) = (at, at)
        while start > low, at - start < 80, isURLSafe(bytes[start - 1]) || bytes[start - 1] == 0x2E { start -= 1 }
        while end < high, end - at < tokenMax, isURLSafe(bytes[end]) || bytes[end] == 0x2E { end += 1 }
        return start..<end
    }

    /// A private key in PEM (RFC 7468), examined at its first dash.
    static func dashes(_ text: Span<UInt8>, _ at: Int) -> Kind? {
        guard stands(Word.begin, in: text, at) else { return nil }
        var end = at + 11
        while end < min(text.count, at + 60), text[end] != UInt8(ascii: "-") { end += 1 }
        return stands(Word.privateKey, in: text, end - 11) || stands(Word.keyBlock, in: text, end - 17)
            ? .privateKey : nil
    }

    /// A password in a URL (RFC 3986, section 3.2.1), examined at the scheme's colon.
    static func colon(_ text: Span<UInt8>, _ at: Int) -> Kind? {
        guard stands(Word.schemeMark, in: text, at), at > 0, isAlphanumeric(text[at - 1]) else {
            return nil
        }
        // user:password@ before the host ends (RFC 3986, 3.2.1).
        var (place, mark) = (at + 3, -1)
        let end = min(text.count, at + 3 + tokenMax)
        while place < end {
            let byte = text[place]
            if byte <= 0x20 || byte == UInt8(ascii: "/") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "#") {
                return nil
            }
            if byte == UInt8(ascii: ":"), mark < 0 { mark = place }
            if byte == UInt8(ascii: "@") {
                return mark > 0 && place - mark > 3 && !isPlaceholder(text, mark + 1..<place) ? .passwordInURL : nil
            }
            place += 1
        }
        return nil
    }

    /// A password in a connection string or a key beside its name, examined at the equals sign.
    static func equals(_ text: Span<UInt8>, _ at: Int) -> Kind? {
        var start = at + 1
        // In JSON strings escapes are blanked, so a space may stand before the quote.
        if start + 1 < text.count, text[start] == 0x20, text[start + 1] == 0x27 { start += 1 }
        let quote = start < text.count && (text[start] == 0x22 || text[start] == 0x27) ? text[start] : 0
        if quote != 0 { start += 1 }
        for word in partNames where ends(word, in: text, at) {
            var end = start
            let limit = min(text.count, at + tokenMax)
            while end < limit, quote != 0 ? text[end] != quote : text[end] > 0x20 && text[end] != UInt8(ascii: ";") {
                end += 1
            }
            let next = quote != 0 ? end + 1 : end
            // A connection string has other parts around it.
            let isOneOfSeveral =
                next < text.count && text[next] == UInt8(ascii: ";") || isAfterSemicolon(text, at - word.count)
            if isOneOfSeveral, end - start > 3, isStart(text, at - word.count), text[start] != UInt8(ascii: "/"),
                !isCall(text, start..<end), !isPlaceholder(text, start..<end)
            {
                return .connectionString
            }
        }
        return named(text, at)
    }
}
