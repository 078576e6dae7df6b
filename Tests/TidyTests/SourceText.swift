/// A source file in the form that the rules use: its lines as written, and the same lines with comments and literals
/// blanked.
struct SourceText {
    let path: String
    let lines: [String]
    let code: [String]

    init(path: String, text: String) {
        self.path = path
        lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        code = Self.blanked(text).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    /// The room: the folder below `Sources`, or nil for other files.
    var room: String? {
        let parts = path.split(separator: "/")
        return parts.count > 2 && parts[0] == "Sources" ? String(parts[1]) : nil
    }

    var isSwift: Bool { path.hasSuffix(".swift") }

    /// The text with every character of comments and string literals replaced by a space; line ends stay.
    private static func blanked(_ text: String) -> String {
        var scanner = Blanker(text: Array(text.unicodeScalars))
        scanner.run()
        var result = String.UnicodeScalarView()
        result.append(contentsOf: scanner.output)
        return String(result)
    }
}

/// Walks Swift text, keeps code, and blanks comments and literals (nested comments, raw and multi-line strings,
/// extended regular expressions).
private struct Blanker {
    let text: [Unicode.Scalar]
    var output: [Unicode.Scalar] = []
    private var index = 0

    init(text: [Unicode.Scalar]) {
        self.text = text
        output.reserveCapacity(text.count)
    }

    private func starts(with word: String, at offset: Int = 0) -> Bool {
        var position = index + offset
        for scalar in word.unicodeScalars {
            guard position < text.count, text[position] == scalar else { return false }
            position += 1
        }
        return true
    }

    private mutating func blank(_ count: Int) {
        for _ in 0..<count where index < text.count {
            output.append(text[index] == "\n" ? "\n" : " ")
            index += 1
        }
    }

    mutating func run() {
        while index < text.count { step() }
    }

    /// Consumes one token: a comment, a literal, or one character of code.
    private mutating func step() {
        if starts(with: "//") {
            while index < text.count, text[index] != "\n" { blank(1) }
        } else if starts(with: "/*") {
            blankComment()
        } else if starts(with: "#/") {
            blankRegex()
        } else if text[index] == "\"" || text[index] == "#", let hashes = literalHashes() {
            blankLiteral(hashes: hashes)
        } else {
            output.append(text[index])
            index += 1
        }
    }

    private mutating func blankComment() {
        var depth = 0
        repeat {
            if starts(with: "/*") {
                depth += 1
                blank(2)
            } else if starts(with: "*/") {
                depth -= 1
                blank(2)
            } else {
                blank(1)
            }
        } while depth > 0 && index < text.count
    }

    /// Braces and quotes of a regular expression literal are not code.
    private mutating func blankRegex() {
        blank(2)
        while index < text.count, !starts(with: "/#") { blank(1) }
        blank(2)
    }

    /// The number of `#` before the quote of a string literal that starts here, or nil.
    private func literalHashes() -> Int? {
        var count = 0
        while index + count < text.count, text[index + count] == "#" { count += 1 }
        return index + count < text.count && text[index + count] == "\"" ? count : nil
    }

    private mutating func blankLiteral(hashes: Int) {
        blank(hashes)
        let pounds = String(repeating: "#", count: hashes)
        let quote = starts(with: "\"\"\"") ? "\"\"\"" : "\""
        blank(quote.count)
        while index < text.count {
            if starts(with: quote + pounds) { return blank(quote.count + hashes) }
            if starts(with: "\\" + pounds + "(") {
                blank(2 + hashes)
                interpolate()
            } else if starts(with: "\\" + pounds) {
                blank(2 + hashes)
            } else if quote == "\"", text[index] == "\n" {
                return
            } else {
                blank(1)
            }
        }
    }

    /// Code inside a string interpolation stays code: it must follow the rules too.
    private mutating func interpolate() {
        var depth = 1
        while index < text.count, depth > 0 {
            if text[index] == "(" { depth += 1 }
            if text[index] == ")" { depth -= 1 }
            if depth == 0 { blank(1) } else { step() }
        }
    }
}

/// One violation, with a place that editors can open.
struct Violation: Equatable, CustomStringConvertible {
    let path: String
    let line: Int
    let message: String

    var description: String { "\(path):\(line): \(message)" }
}
