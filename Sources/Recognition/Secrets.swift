import Glibc

/// What a credential is; it is named by its kind only.
package enum SecretKind: String, Sendable, CaseIterable {
    case awsAccessKey = "AWS access key"
    case awsSecretKey = "AWS secret key"
    case azureStorageKey = "Azure storage key"
    case githubToken = "GitHub token"
    case gitlabToken = "GitLab token"
    case slackToken = "Slack token"
    case stripeKey = "Stripe key"
    case googleKey = "Google API key"
    case apiKey = "API key (sk-)"
    case npmToken = "npm token"
    case pypiToken = "PyPI token"
    case huggingFaceToken = "Hugging Face token"
    case sendGridKey = "SendGrid key"
    case privateKey = "private key"
    case httpAuthorization = "HTTP authorization"
    case webToken = "JSON Web Token"
    case passwordInURL = "password in a URL"
    case connectionString = "password in a connection string"
    /// A text without order beside a word such as `password`: likely, but not sure.
    case namedKey = "key or password beside its name"
}

/// Credentials in text: formats that their makers chose so that they can be found (FEATURES 7.9).
///
/// What they have around them was found before; what stands around that is looked at only there. Every look is bounded, so that
/// no text makes the work grow.
enum Secrets {
    typealias Kind = SecretKind

    /// A word that is shorter is no token.
    static let tokenMin = 16
    /// Bytes of a token that are counted at most.
    private static let tokenMax = 512

    /// What formats begin with, or have in them.
    private enum Word {
        static let githubPat = Array("github_pat_".utf8)
        static let hf = Array("hf_".utf8)
        static let live = Array("live_".utf8)
        static let test = Array("test_".utf8)
        static let begin = Array("-----BEGIN ".utf8)
        static let privateKey = Array("PRIVATE KEY-----".utf8)
        static let keyBlock = Array("PRIVATE KEY BLOCK-----".utf8)
        static let glpat = Array("glpat-".utf8)
        static let xox = Array("xox".utf8)
        static let pypiAge = Array("pypi-AgE".utf8)
        static let sk = Array("sk-".utf8)
        static let sg = Array("SG.".utf8)
        static let eyj = Array("eyJ".utf8)
        static let schemeMark = Array("://".utf8)
        static let akia = Array("AKIA".utf8)
        static let asia = Array("ASIA".utf8)
        static let aiza = Array("AIza".utf8)
        static let npm = Array("npm_".utf8)
    }

    private static let githubHeads = ["ghp_", "gho_", "ghu_", "ghs_", "ghr_"].map { Array($0.utf8) }
    private static let partNames = ["password", "pwd", "accountkey", "sharedaccesskey"].map { Array($0.utf8) }
    private static let placeholders = [
        "password", "passwd", "pass", "xxxx", "secret", "yourpassword", "your_password", "true", "false", "required",
        "optional", "none",
        "null", "usedevelopmentstorage", "string", "text", "number", "boolean", "never", "always", "sometimes",
        "enabled",
        "disabled", "unknown", "redacted", "hidden", "masked", "removed", "unset", "empty", "notset",
    ].map { Array($0.utf8) }

    /// The word around a digit that may be a token: letters, digits, dashes, dots and underscores.
    static func word(_ bytes: Span<UInt8>, _ at: Int, _ low: Int, _ high: Int) -> Range<Int> {
        var (start, end) = (at, at)
        while start > low, at - start < 80, isURLSafe(bytes[start - 1]) || bytes[start - 1] == 0x2E { start -= 1 }
        while end < high, end - at < tokenMax, isURLSafe(bytes[end]) || bytes[end] == 0x2E { end += 1 }
        return start..<end
    }

    /// What a token has at one of the characters that mark it.
    static func inside(_ text: Span<UInt8>, _ at: Int) -> Kind? {
        switch text[at] {
        case UInt8(ascii: "_"): underscore(text, at)
        case UInt8(ascii: "-"): dash(text, at)
        case UInt8(ascii: "."): dot(text, at)
        case UInt8(ascii: "z"): isToken(text, at - 2, Word.aiza, 35, isURLSafe) ? .googleKey : nil
        default: accessKey(text, at)
        }
    }

    /// An access key of AWS, at its second letter or at its third.
    static func accessKey(_ text: Span<UInt8>, _ at: Int) -> Kind? {
        text[at] == UInt8(ascii: "K") && isToken(text, at - 1, Word.akia, 16, isUpper)
            || text[at] == UInt8(ascii: "S") && isToken(text, at - 1, Word.asia, 16, isUpper) ? .awsAccessKey : nil
    }

    /// A private key, at the first of its dashes (RFC 7468).
    static func dashes(_ text: Span<UInt8>, _ at: Int) -> Kind? {
        guard stands(Word.begin, in: text, at) else { return nil }
        var end = at + 11
        while end < min(text.count, at + 60), text[end] != UInt8(ascii: "-") { end += 1 }
        return stands(Word.privateKey, in: text, end - 11) || stands(Word.keyBlock, in: text, end - 17)
            ? .privateKey : nil
    }

    /// Words beside which a text without order is a key.
    private static let keyNames = [
        "password", "passwd", "pwd", "secret", "token", "apikey", "accesskey", "secretkey", "privatekey", "credential",
        "credentials", "passphrase", "authorization",
    ].map { Array($0.utf8) }
    /// Names beside which any word is one.
    private static let passwordNames = [
        "password", "passwd", "pwd", "passphrase", "passcode", "passwort", "kennwort", "contrasena", "contraseña",
        "motdepasse", "wachtwoord",
    ].map { Array($0.utf8) }
    /// Names beside which a text of one form is a key of one maker.
    private static let awsNames = ["secretaccesskey", "awssecretkey", "awssecret"].map { Array($0.utf8) }
    private static let azureName = Array("accountkey".utf8), authorization = Array("authorization".utf8)
    private static let bearer = Array("bearer".utf8), basic = Array("basic".utf8)

    /// What stands after `name:` or `name=`.
    static func named(_ text: Span<UInt8>, _ at: Int) -> Kind? {
        valued(text, skip(text, at + 1, by: 1), name: skip(text, at, by: -1))
    }

    /// What a word is by what stands before it: a scheme of HTTP, or a name with no sign between them, as in a table or in XML.
    static func introduced(_ text: Span<UInt8>, _ at: Int) -> Kind? {
        let end = skip(text, at, by: -1)
        if end == at { return nil }
        if ends(bearer, in: text, end), text[at - 1] == 0x20 {
            let count = value(text, at).length
            if count >= 20, hasMixedRun(text, at..<at + count) { return .httpAuthorization }
        }
        // Without a sign between them the words of a sentence stand like that, too.
        let kind = valued(text, at, name: end)
        return kind == .namedKey && !hasMixedRun(text, at..<at + value(text, at).length) ? nil : kind
    }

    /// Beginnings of names that tell of a credential without being one.
    private static let asides: Set<String> = Set(
        """
        has is no needs need requires require required reset forgot forgotten change changed expired valid invalid weak strong show hide \
        use uses with without can should must allow allowed enable enabled disable disabled num number count total min max length
        """.split(separator: " ").map(String.init))

    /// The name of a credential that a column is called by, without what counts it or makes it many; nil when it is called otherwise.
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

    /// A value of a column that is called like a credential. A password of people has no form, so that there any word is one.
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
        // A path is where somebody works (PWD), what ends with a colon the label of a form.
        guard passwordNames.contains(where: { isNamed($0, in: name.span, name.count) }), range.count >= 5,
            first != UInt8(ascii: "/"), first != UInt8(ascii: "~"), text[range.lowerBound + 1] != UInt8(ascii: ":"),
            text[range.upperBound - 1] != UInt8(ascii: ":"),
            !isTemplate(text, range), !isPlaceholder(text, range, isWord: true)
        else { return nil }
        return .namedKey
    }

    /// Whether a value stands between the marks of a template: `<password>`, `${PASSWORD}`, `%(password)s`.
    private static func isTemplate(_ text: Span<UInt8>, _ range: Range<Int>) -> Bool {
        let (first, second, last) = (text[range.lowerBound], text[range.lowerBound + 1], text[range.upperBound - 1])
        let pairs = [("<", ">"), ("{", "}"), ("[", "]"), ("(", ")")] as [(Unicode.Scalar, Unicode.Scalar)]
        return pairs.contains { first == UInt8(ascii: $0.0) && last == UInt8(ascii: $0.1) }
            || first == UInt8(ascii: "{") && last == UInt8(ascii: "}")
            || [UInt8(ascii: "$"), UInt8(ascii: "%")].contains(first)
                && [UInt8(ascii: "{"), UInt8(ascii: "(")].contains(second)
    }

    /// The most that is looked back over for the beginning of a key with signs in it.
    private static let partsMax = 96

    /// Where a key begins that has the signs of base64 in it, of which `word` is a part; nil when no such sign stands beside it.
    static func start(ofParts word: Range<Int>, _ text: Span<UInt8>, _ low: Int, _ high: Int) -> Int? {
        func isSign(_ at: Int) -> Bool { at >= low && at < high && (text[at] == 0x2B || text[at] == 0x2F) }
        guard isSign(word.lowerBound - 1) || isSign(word.upperBound) else { return nil }
        var start = word.lowerBound
        while start > low, word.lowerBound - start < partsMax, isSign(start - 1) || isURLSafe(text[start - 1]) {
            start -= 1
        }
        return start
    }

    /// A value after a name that ends at `end`: the key of a maker by its form, or a text without order, of at least 20 characters with
    /// 3.5 bits each, letters and digits.
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

    /// What an `Authorization` header holds behind the name of its scheme (RFC 6750, RFC 7617).
    private static func scheme(_ text: Span<UInt8>, _ start: Int, _ length: Int) -> Kind? {
        let first = skip(text, start + length, by: 1)
        let count = value(text, first).length
        let credential = first..<first + count
        // Bearer, Token, ApiKey and whatever else a maker calls it.
        if first > start + length, length > 0, length <= 16, count >= 20, hasMixedRun(text, credential) {
            return .httpAuthorization
        }
        // name:password in base64.
        guard ends(basic, in: text, start + length), length == basic.count, count >= 6 else { return nil }
        return hidesColon(text, credential) ? .httpAuthorization : nil
    }

    /// Past what stands between a name and its value, from a place on or back: spaces, quotes, also in a string of a string, signs.
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

    /// Whether a name ends at a place, in any case; dashes and underscores in it do not count.
    private static func isNamed(_ name: [UInt8], in text: Span<UInt8>, _ end: Int) -> Bool {
        var place = end
        for letter in name.reversed() {
            while place > 0, end - place < 32, text[place - 1] == 0x5F || text[place - 1] == 0x2D { place -= 1 }
            guard place > 0, folded(text[place - 1]) == letter else { return false }
            place -= 1
        }
        return true
    }

    /// How long a value from a place on is, and how many signs of base64's end follow it.
    private static func value(_ text: Span<UInt8>, _ start: Int) -> (length: Int, padding: Int) {
        let length = run(text, start) { isURLSafe($0) || $0 == 0x2B || $0 == 0x2F || $0 == 0x2E || $0 == 0x7E }
        var padding = 0
        while padding < 2, start + length + padding < text.count, text[start + length + padding] == 0x3D {
            padding += 1
        }
        return (length, padding)
    }

    /// Bits a character.
    private static func entropy(_ text: Span<UInt8>, _ range: Range<Int>) -> Double {
        var counts = [Int](repeating: 0, count: 128)
        for at in range { counts[Int(text[at] & 127)] += 1 }
        return counts.reduce(0) { bits, count in
            let share = Double(count) / Double(range.count)
            return count > 0 ? bits - share * log2(share) : bits
        }
    }

    private static func underscore(_ text: Span<UInt8>, _ at: Int) -> Kind? {
        for letter in githubHeads
        where stands(letter, in: text, at - 3) && run(text, at + 1, isAlphanumeric) >= 36 && isStart(text, at - 3) {
            return .githubToken
        }
        if stands(Word.githubPat, in: text, at - 6), run(text, at + 5, isWord) >= 60 { return .githubToken }
        if isToken(text, at - 3, Word.npm, 36, isAlphanumeric) { return .npmToken }
        if isStart(text, at - 2), stands(Word.hf, in: text, at - 2), run(text, at + 1, isAlphanumeric) >= 30 {
            return .huggingFaceToken
        }
        guard at >= 2, text[at - 1] == UInt8(ascii: "k"), [0x73, 0x72].contains(text[at - 2]), isStart(text, at - 2),
            stands(Word.live, in: text, at + 1) || stands(Word.test, in: text, at + 1)
        else { return nil }
        return run(text, at + 6, isAlphanumeric) >= 16 ? .stripeKey : nil
    }

    private static func dash(_ text: Span<UInt8>, _ at: Int) -> Kind? {
        if isStart(text, at - 5), stands(Word.glpat, in: text, at - 5), run(text, at + 1, isURLSafe) >= 20 {
            return .gitlabToken
        }
        if at >= 4, stands(Word.xox, in: text, at - 4), isStart(text, at - 4),
            [0x61, 0x62, 0x65, 0x70, 0x72, 0x73].contains(text[at - 1]),
            run(text, at + 1, isURLSafe) >= 20
        {
            return .slackToken
        }
        if stands(Word.pypiAge, in: text, at - 4), run(text, at + 1, isURLSafe) >= 60 { return .pypiToken }
        guard isStart(text, at - 2), stands(Word.sk, in: text, at - 2) else { return nil }
        let length = run(text, at + 1, isURLSafe)
        return length >= 20 && hasMixedRun(text, at + 1..<at + 1 + length) ? .apiKey : nil
    }

    private static func dot(_ text: Span<UInt8>, _ at: Int) -> Kind? {
        if isStart(text, at - 2), stands(Word.sg, in: text, at - 2) {
            let first = run(text, at + 1, isURLSafe)
            guard first >= 16, at + 1 + first < text.count, text[at + 1 + first] == UInt8(ascii: ".") else {
                return nil
            }
            return run(text, at + 2 + first, isURLSafe) >= 32 ? .sendGridKey : nil
        }
        // Three parts of base64url; the first two are JSON objects: {" is eyJ (RFC 7519).
        guard stands(Word.eyj, in: text, at + 1) else { return nil }
        let second = run(text, at + 1, isURLSafe)
        guard second >= 12, at + 1 + second < text.count, text[at + 1 + second] == UInt8(ascii: "."),
            run(text, at + 2 + second, isURLSafe) >= 16
        else { return nil }
        var first = 0
        while first < tokenMax, at - first > 0, isURLSafe(text[at - first - 1]) { first += 1 }
        return first >= 12 && stands(Word.eyj, in: text, at - first) ? .webToken : nil
    }

    /// A password in a URL, at the colon of its scheme.
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

    /// A password in a connection string, at its sign, or a key beside its name.
    static func equals(_ text: Span<UInt8>, _ at: Int) -> Kind? {
        var start = at + 1
        // A quote in a string of JSON has a space before it, where its escape was.
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
            // A connection string has other parts around it; what ends with a parenthesis is a call in a program.
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

    // MARK: Pieces

    private static func isUpper(_ byte: UInt8) -> Bool { byte &- 0x41 < 26 || byte &- 0x32 < 6 }
    private static func isLower(_ byte: UInt8) -> Bool { byte &- 0x61 < 26 }
    private static func isAlphanumeric(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 }
    private static func isWord(_ byte: UInt8) -> Bool { isAlphanumeric(byte) || byte == 0x5F }
    private static func isURLSafe(_ byte: UInt8) -> Bool { isWord(byte) || byte == 0x2D }

    private static func folded(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }

    /// How many characters of a kind stand from a place on.
    private static func run(_ text: Span<UInt8>, _ from: Int, _ isOne: (UInt8) -> Bool) -> Int {
        var count = 0
        while count < tokenMax, from + count < text.count, isOne(text[from + count]) { count += 1 }
        return count
    }

    /// Whether a word stands at a place.
    private static func stands(_ word: [UInt8], in text: Span<UInt8>, _ at: Int) -> Bool {
        guard at >= 0, at + word.count <= text.count else { return false }
        for index in word.indices where text[at + index] != word[index] { return false }
        return true
    }

    /// Whether a word ends at a place, in any case.
    private static func ends(_ word: [UInt8], in text: Span<UInt8>, _ at: Int) -> Bool {
        let first = at - word.count
        guard first >= 0 else { return false }
        for index in word.indices {
            if folded(text[first + index]) != word[index] { return false }
        }
        return true
    }

    /// Whether no letter or digit stands before a place: a token begins there.
    private static func isStart(_ text: Span<UInt8>, _ at: Int) -> Bool {
        at == 0 || at > 0 && at < text.count && !isWord(text[at - 1])
    }

    /// Whether a token of a fixed length stands at a place, and ends there.
    private static func isToken(
        _ text: Span<UInt8>, _ at: Int, _ head: [UInt8], _ length: Int, _ isOne: (UInt8) -> Bool
    ) -> Bool {
        guard stands(head, in: text, at), isStart(text, at) else { return false }
        let first = at + head.count
        let end = first + length
        return run(text, first, isOne) >= length && (end == text.count || !isWord(text[end]))
    }

    /// Hexadecimal digits with dashes where RFC 9562 has them.
    static func isUUID(_ bytes: Span<UInt8>, _ word: Range<Int>) -> Bool {
        guard word.count == 36 else { return false }
        for (index, at) in word.enumerated() {
            let isDash = index == 8 || index == 13 || index == 18 || index == 23
            if isDash ? bytes[at] != UInt8(ascii: "-") : !isHex(bytes[at]) { return false }
        }
        return true
    }

    /// Whether capitals or small letters and digits stand together: words alone are no token.
    private static func isMixed(_ text: Span<UInt8>, _ range: Range<Int>) -> Bool {
        var (hasDigit, hasLetter) = (false, false)
        for at in range {
            if text[at] &- 0x30 < 10 { hasDigit = true } else if isAlphanumeric(text[at]) { hasLetter = true }
        }
        return hasDigit && hasLetter
    }

    /// Whether sixteen letters and digits stand together, both of them: words between dashes are no token.
    private static func hasMixedRun(_ text: Span<UInt8>, _ range: Range<Int>) -> Bool {
        var start = range.lowerBound
        for at in range where !isAlphanumeric(text[at]) {
            if at - start >= 16, isMixed(text, start..<at) { return true }
            start = at + 1
        }
        return range.upperBound - start >= 16 && isMixed(text, start..<range.upperBound)
    }

    /// Whether base64 hides a colon, as between a name and a password.
    private static func hidesColon(_ text: Span<UInt8>, _ range: Range<Int>) -> Bool {
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

    /// Whether a value is a call in a program.
    private static func isCall(_ text: Span<UInt8>, _ range: Range<Int>) -> Bool {
        text[range.upperBound - 1] == UInt8(ascii: ")") && range.contains { text[$0] == UInt8(ascii: "(") }
    }

    private static func isAfterSemicolon(_ text: Span<UInt8>, _ at: Int) -> Bool {
        var place = at
        while place > 0, at - place < 8, text[place - 1] <= 0x20 { place -= 1 }
        return place > 0 && text[place - 1] == UInt8(ascii: ";")
    }

    /// What documentation writes in a password's place.
    ///
    /// - Parameter isWord: whether only what is wholly such a word counts, not what begins like a template.
    private static func isPlaceholder(_ text: Span<UInt8>, _ range: Range<Int>, isWord: Bool = false) -> Bool {
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
