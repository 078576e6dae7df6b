/// A token of a row rule with its place.
struct RuleToken {
    enum Kind: Equatable {
        case name(String)
        case int(UInt64)
        case double(Double)
        case text(String)
        case mark(String)
        case end
    }

    let kind: Kind
    /// The place in the text, from 1, in Unicode scalars.
    let character: Int

    /// All tokens of an expression, ending with `end`.
    static func all(of text: String) throws(RuleParser.Mistake) -> [RuleToken] {
        var reader = RuleTokenReader(scalars: Array(text.unicodeScalars))
        var tokens: [RuleToken] = []
        repeat { tokens.append(try reader.next()) } while tokens.last?.kind != .end
        return tokens
    }
}

/// Splits an expression into tokens by CEL's lexis.
private struct RuleTokenReader {
    let scalars: [Unicode.Scalar]
    var at = 0

    /// Words that CEL reserves.
    private static let reserved = [
        "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package",
        "namespace", "return", "var", "void", "while",
    ]

    private func mistake(_ reason: String, at place: Int? = nil) -> RuleParser.Mistake {
        RuleParser.Mistake(character: (place ?? at) + 1, reason: reason)
    }

    private func peek(_ ahead: Int = 0) -> Unicode.Scalar? {
        at + ahead < scalars.count ? scalars[at + ahead] : nil
    }

    /// The next token, after white space and comments.
    mutating func next() throws(RuleParser.Mistake) -> RuleToken {
        while let scalar = peek() {
            if scalar == "/", peek(1) == "/" {
                while let inner = peek(), inner != "\n" { at += 1 }
            } else if " \t\r\n\u{0C}".unicodeScalars.contains(scalar) {
                at += 1
            } else {
                break
            }
        }
        let start = at
        guard let first = peek() else { return RuleToken(kind: .end, character: start + 1) }
        let kind: RuleToken.Kind
        if first == "'" || first == "\"" {
            kind = .text(try quotedText(isRaw: false))
        } else if first == "r" || first == "R", peek(1) == "'" || peek(1) == "\"" {
            at += 1
            kind = .text(try quotedText(isRaw: true))
        } else if isDigit(first) || (first == "." && isDigit(peek(1))) {
            kind = try number()
        } else if isLetter(first) {
            while let inner = peek(), isLetter(inner) || isDigit(inner) { at += 1 }
            let name = string(start..<at)
            guard !Self.reserved.contains(name) else {
                throw mistake("\(name) is a reserved word; write row['\(name)'] for a field of this name", at: start)
            }
            kind = .name(name)
        } else {
            kind = try mark(first)
        }
        return RuleToken(kind: kind, character: start + 1)
    }

    private mutating func mark(_ first: Unicode.Scalar) throws(RuleParser.Mistake) -> RuleToken.Kind {
        let pair = string(at..<min(at + 2, scalars.count))
        if ["==", "!=", "<=", ">=", "&&", "||"].contains(pair) {
            at += 2
            return .mark(pair)
        }
        guard "?:<>+-*/%!()[].,".unicodeScalars.contains(first) else {
            let hint =
                switch first {
                case "=": "; write == for equality"
                case "&", "|": "; write && for and, || for or"
                case "{": "; there are no maps"
                case "`": "; write row['…'] for a field with such a name"
                default: ""
                }
            throw mistake("\(quoted(String(first))) is not part of the rule language\(hint)")
        }
        at += 1
        return .mark(String(first))
    }

    private func isDigit(_ scalar: Unicode.Scalar?) -> Bool { scalar.map { "0"..."9" ~= $0 } ?? false }

    private func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        "a"..."z" ~= scalar || "A"..."Z" ~= scalar || scalar == "_"
    }

    private func string(_ range: Range<Int>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars[range])
        return String(view)
    }

    /// A number: decimal or hexadecimal integer, or a double.
    private mutating func number() throws(RuleParser.Mistake) -> RuleToken.Kind {
        let start = at
        if peek() == "0", peek(1) == "x" || peek(1) == "X" {
            at += 2
            let first = at
            while let inner = peek(), inner.properties.isASCIIHexDigit { at += 1 }
            guard let value = UInt64(string(first..<at), radix: 16), value <= 1 << 63 else {
                throw mistake("no number of 64 bits", at: start)
            }
            return .int(value)
        }
        var isWhole = true
        while isDigit(peek()) { at += 1 }
        if peek() == ".", isDigit(peek(1)) {
            isWhole = false
            at += 1
            while isDigit(peek()) { at += 1 }
        }
        if peek() == "e" || peek() == "E" {
            let sign = peek(1) == "+" || peek(1) == "-" ? 2 : 1
            if isDigit(peek(sign)) {
                isWhole = false
                at += sign
                while isDigit(peek()) { at += 1 }
            }
        }
        if let stray = peek(), isLetter(stray) {
            throw mistake(
                stray == "u" || stray == "U" ? "there are no unsigned numbers; leave the u out" : "a number ends here")
        }
        let text = string(start..<at)
        if isWhole {
            guard let value = UInt64(text), value <= 1 << 63 else { throw mistake("no number of 64 bits", at: start) }
            return .int(value)
        }
        guard let value = Double(text.hasPrefix(".") ? "0" + text : text), value.isFinite else {
            throw mistake("no number of 64 bits", at: start)
        }
        return .double(value)
    }

    /// A quoted text, raw or with escapes.
    private mutating func quotedText(isRaw: Bool) throws(RuleParser.Mistake) -> String {
        let start = at
        guard let quote = peek() else { return "" }
        let isTriple = peek(1) == quote && peek(2) == quote
        at += isTriple ? 3 : 1
        var out = String.UnicodeScalarView()
        while let scalar = peek() {
            if scalar == quote, !isTriple || (peek(1) == quote && peek(2) == quote) {
                at += isTriple ? 3 : 1
                return String(out)
            }
            if scalar == "\n", !isTriple { break }
            at += 1
            if scalar == "\\", !isRaw { out.append(try escape()) } else { out.append(scalar) }
        }
        throw mistake("the text that begins here does not end", at: start)
    }

    /// The character of an escape in a text.
    private mutating func escape() throws(RuleParser.Mistake) -> Unicode.Scalar {
        let start = at - 1
        guard let letter = peek() else { throw mistake("the text has no closing quote", at: start) }
        at += 1
        let plain: [Unicode.Scalar: Unicode.Scalar] = [
            "a": "\u{07}", "b": "\u{08}", "f": "\u{0C}", "n": "\n", "r": "\r", "t": "\t", "v": "\u{0B}", "\\": "\\",
            "?": "?", "\"": "\"", "'": "'", "`": "`",
        ]
        if let scalar = plain[letter] { return scalar }
        let digits = ["x": 2, "X": 2, "u": 4, "U": 8][String(letter)]
        let count = digits ?? 3
        let first = digits == nil ? at - 1 : at
        guard first + count <= scalars.count,
            let value = UInt32(string(first..<first + count), radix: digits == nil ? 8 : 16),
            let scalar = Unicode.Scalar(value), digits != nil || value < 256
        else { throw mistake("unknown escape; in patterns write r'…', where a backslash is literal", at: start) }
        at = first + count
        return scalar
    }
}
