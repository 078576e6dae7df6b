import Glibc

/// Credentials beside their names, and in columns with such names.
extension Secrets {
    /// Names beside which a random-looking text is taken for a key.
    private static let keyNames = [
        "password", "passwd", "pwd", "secret", "token", "apikey", "accesskey", "secretkey", "privatekey", "credential",
        "credentials", "passphrase", "authorization",
    ].map { Array($0.utf8) }
    /// Names beside which any word is taken for a password.
    private static let passwordNames = [
        "password", "passwd", "pwd", "passphrase", "passcode", "passwort", "kennwort", "contrasena", "contraseña",
        "motdepasse", "wachtwoord",
    ].map { Array($0.utf8) }
    /// Names beside which a text of a certain form is taken for an issuer's key.
    private static let awsNames = ["secretaccesskey", "awssecretkey", "awssecret"].map { Array($0.utf8) }
    private static let azureName = Array("accountkey".utf8), authorization = Array("authorization".utf8)
    private static let bearer = Array("bearer".utf8), basic = Array("basic".utf8)

    /// The credential after `name:` or `name=`; nil for none.
    static func named(_ text: Span<UInt8>, _ at: Int) -> Kind? {
        valued(text, skip(text, at + 1, by: 1), name: skip(text, at, by: -1))
    }

    /// The credential that begins at a word, if the preceding text introduces it: an HTTP scheme, or a name without a
    /// sign, as in tables and XML.
    static func introduced(_ text: Span<UInt8>, _ at: Int) -> Kind? {
        let end = skip(text, at, by: -1)
        if end == at { return nil }
        if ends(bearer, in: text, end), text[at - 1] == 0x20 {
            let count = value(text, at).length
            if count >= 20, hasMixedRun(text, at..<at + count) { return .httpAuthorization }
        }
        // In a sentence a name precedes a word in the same way.
        let kind = valued(text, at, name: end)
        return kind == .namedKey && !hasMixedRun(text, at..<at + value(text, at).length) ? nil : kind
    }

    /// First words of names that concern a credential without holding it.
    private static let asides: Set<String> = Set(
        """
        has is no needs need requires require required reset forgot forgotten change changed expired valid invalid weak strong show hide \
        use uses with without can should must allow allowed enable enabled disable disabled num number count total min max length
        """.split(separator: " ").map(String.init))

    /// The credential that a column's name means, without numbers and plural; nil for none.
    static func name(in column: String) -> [UInt8]? {
        let first = column.lowercased().split { !$0.isLetter }.first
        if first.map({ asides.contains(String($0)) }) ?? true { return nil }
        var bytes = Array(column.utf8.suffix(64))
        @discardableResult func drop(_ end: String) -> Bool {
            guard bytes.suffix(end.utf8.count).map(folded) == Array(end.utf8) else { return false }
            bytes.removeLast(end.utf8.count)
            return true
        }
        repeat {
            while let last = bytes.last, !isAlphanumeric(last) || last &- 0x30 < 10 { bytes.removeLast() }
        } while ["value", "plain", "text", "raw", "confirmation", "confirm", "repeat", "again"].contains { drop($0) }
        if !(keyNames.contains { isNamed($0, in: bytes.span, bytes.count) }) { drop("s") }
        let isName = (keyNames + passwordNames + [azureName]).contains { isNamed($0, in: bytes.span, bytes.count) }
        return isName ? bytes : nil
    }

    /// The credential in a value of such a column. Passwords chosen by people have no form, so any word counts in a
    /// column of passwords.
    static func inColumn(_ name: [UInt8], _ text: Span<UInt8>, _ range: Range<Int>) -> Kind? {
        let range = trimmed(text, range)
        var line = name + [UInt8(ascii: "=")]
        for at in range.prefix(tokenMax) { line.append(text[at]) }
        if let kind = named(line.span, name.count),
            kind != .namedKey || hasMixedRun(text, range) && !isUUID(text, range)
        {
            return kind
        }
        let first = range.isEmpty ? 0 : text[range.lowerBound]
        // PWD is also the working directory, and a text that ends in a colon is the label of a form field.
        guard passwordNames.contains(where: { isNamed($0, in: name.span, name.count) }), range.count >= 5,
            first != UInt8(ascii: "/"), first != UInt8(ascii: "~"), text[range.lowerBound + 1] != UInt8(ascii: ":"),
            text[range.upperBound - 1] != UInt8(ascii: ":"),
            !isTemplate(text, range), !isPlaceholder(text, range, isWord: true)
        else { return nil }
        return .namedKey
    }

    /// Whether a value is a template's placeholder: `<password>`, `${PASSWORD}`, `%(password)s`.
    private static func isTemplate(_ text: Span<UInt8>, _ range: Range<Int>) -> Bool {
        let (first, second, last) = (text[range.lowerBound], text[range.lowerBound + 1], text[range.upperBound - 1])
        let pairs = [("<", ">"), ("{", "}"), ("[", "]"), ("(", ")")] as [(Unicode.Scalar, Unicode.Scalar)]
        return pairs.contains { first == UInt8(ascii: $0.0) && last == UInt8(ascii: $0.1) }
            || first == UInt8(ascii: "{") && last == UInt8(ascii: "}")
            || [UInt8(ascii: "$"), UInt8(ascii: "%")].contains(first)
                && [UInt8(ascii: "{"), UInt8(ascii: "(")].contains(second)
    }

    /// Most bytes searched backwards for the beginning of a key with base64's signs.
    private static let partsMax = 96

    /// The beginning of the base64 key that contains `word`; nil when none of its signs is adjacent.
    static func start(ofParts word: Range<Int>, _ text: Span<UInt8>, in window: Range<Int>) -> Int? {
        let low = window.lowerBound
        func isSign(_ at: Int) -> Bool { at >= low && at < window.upperBound && (text[at] == 0x2B || text[at] == 0x2F) }
        guard isSign(word.lowerBound - 1) || isSign(word.upperBound) else { return nil }
        var start = word.lowerBound
        while start > low, word.lowerBound - start < partsMax, isSign(start - 1) || isURLSafe(text[start - 1]) {
            start -= 1
        }
        return start
    }

    /// The credential that begins at `start`, after a name that ends at `end`: either an issuer's key by its form, or
    /// at least 20 letters and digits with an entropy of at least 3.5 bits a character.
    private static func valued(_ text: Span<UInt8>, _ start: Int, name end: Int) -> Kind? {
        let isKey = keyNames.contains { isNamed($0, in: text, end) }
        guard isKey || isNamed(azureName, in: text, end) else { return nil }
        let (length, padding) = value(text, start)
        if isNamed(azureName, in: text, end) { return length == 86 && padding == 2 ? .azureStorageKey : nil }
        if length == 40, padding == 0, isMixed(text, start..<start + length),
            awsNames.contains(where: { isNamed($0, in: text, end) })
        {
            return .awsSecretKey
        }
        if isNamed(authorization, in: text, end), let found = scheme(text, start, length) { return found }
        return length + padding >= 20 && isMixed(text, start..<start + length)
            && entropy(text, start..<start + length) >= 3.5
            ? .namedKey : nil
    }

    /// The credential after the scheme of an `Authorization` header (RFC 6750, RFC 7617).
    private static func scheme(_ text: Span<UInt8>, _ start: Int, _ length: Int) -> Kind? {
        let first = skip(text, start + length, by: 1)
        let count = value(text, first).length
        let credential = first..<first + count
        // Bearer, Token, ApiKey and others.
        if first > start + length, length > 0, length <= 16, count >= 20, hasMixedRun(text, credential) {
            return .httpAuthorization
        }
        // name:password in base64 (RFC 7617).
        guard ends(basic, in: text, start + length), length == basic.count, count >= 6 else { return nil }
        return hidesColon(text, credential) ? .httpAuthorization : nil
    }

    /// Skips separators between a name and its value: spaces, quotes, escaped quotes, signs.
    ///
    /// - Parameters:
    ///   - text: the buffer.
    ///   - from: where to begin.
    ///   - step: 1 for forwards, -1 for backwards.
    private static func skip(_ text: Span<UInt8>, _ from: Int, by step: Int) -> Int {
        var place = from
        for _ in 0..<12 {
            let next = step > 0 ? place : place - 1
            guard next >= 0, next < text.count, between.contains(text[next]) else { break }
            place += step
        }
        return place
    }
    private static let between = Array(" \t\r\n\"'\\:=>,|`(".utf8)

    /// Whether a name ends at a place, ignoring case, dashes and underscores.
    private static func isNamed(_ name: [UInt8], in text: Span<UInt8>, _ end: Int) -> Bool {
        var place = end
        for letter in name.reversed() {
            while place > 0, end - place < 32, text[place - 1] == 0x5F || text[place - 1] == 0x2D { place -= 1 }
            guard place > 0, folded(text[place - 1]) == letter else { return false }
            place -= 1
        }
        return true
    }

    /// The length of a value from a place on, and of the base64 padding after it.
    private static func value(_ text: Span<UInt8>, _ start: Int) -> (length: Int, padding: Int) {
        let length = run(text, start) { isURLSafe($0) || $0 == 0x2B || $0 == 0x2F || $0 == 0x2E || $0 == 0x7E }
        var padding = 0
        while padding < 2, start + length + padding < text.count, text[start + length + padding] == 0x3D {
            padding += 1
        }
        return (length, padding)
    }

    /// Shannon entropy in bits a character.
    private static func entropy(_ text: Span<UInt8>, _ range: Range<Int>) -> Double {
        var counts = [Int](repeating: 0, count: 128)
        for at in range { counts[Int(text[at] & 127)] += 1 }
        return counts.reduce(0) { bits, count in
            let share = Double(count) / Double(range.count)
            return count > 0 ? bits - share * log2(share) : bits
        }
    }
}
