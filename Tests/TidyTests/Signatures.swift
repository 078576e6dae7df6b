/// The parameters of a declaration.
struct Signature: Equatable {
    /// The line of the declaration, from 1.
    var line = 0
    var parameters = 0
    /// Parameters without a label.
    var unlabelled = 0
    /// Parameters that the function changes (`inout`).
    var changed = 0

    /// Every function and initialiser that a file declares.
    static func all(in source: SourceText) -> [Signature] {
        let start =
            #/^\s*(?:[@\w]+(?:\([^)]*\))?\s+)*(?:func\s+[^\s(<]+|init[?!]?)\s*(?:<[^(]*>)?\s*\(/#
        return source.code.indices.compactMap { index in
            guard let head = source.code[index].firstMatch(of: start) else { return nil }
            let first = source.code[index][head.range.upperBound...]
            var signature = Signature(line: index + 1)
            for text in parameters(String(first), source.code[(index + 1)...]) {
                signature.parameters += 1
                if text.contains(#/^\s*(?:@\w+\s+)*_\s/#) { signature.unlabelled += 1 }
                if text.contains(#/:\s*inout\b/#) { signature.changed += 1 }
            }
            return signature
        }
    }

    /// The texts between the commas up to the closing parenthesis.
    private static func parameters(_ first: String, _ rest: ArraySlice<String>) -> [String] {
        var (found, text, depth, before) = ([String](), "", 0, Character(" "))
        // Angles of types; a shift in a default is none.
        var angles = 0
        for line in [first] + rest {
            for character in line + " " {
                switch character {
                case "(", "[", "{": depth += 1
                case "<" where before.isLetter: (depth, angles) = (depth + 1, angles + 1)
                case ")" where depth == 0:
                    return text.contains(#/\S/#) ? found + [text] : found
                case ")", "]", "}": depth -= 1
                case ">" where before != "-" && angles > 0: (depth, angles) = (depth - 1, angles - 1)
                default: break
                }
                before = character
                if character == ",", depth == 0 {
                    found.append(text)
                    text = ""
                } else {
                    text.append(character)
                }
            }
        }
        return found
    }
}

extension Rules {
    /// A call reads as a sentence: at most three parameters without a label, at most six in all, and at most one
    /// `inout`. A comment `Many parameters:` with a reason lifts the last two limits.
    static func signatures(_ source: SourceText) -> [Violation] {
        guard source.isSwift, source.room != nil else { return [] }
        return Signature.all(in: source).compactMap { signature in
            var above = signature.line - 2
            var isExcused = false
            while above >= 0, source.lines[above].contains(#/^\s*(//|@)/#) {
                isExcused = isExcused || source.lines[above].contains(#/// Many parameters: \S/#)
                above -= 1
            }
            func violation(_ text: String) -> Violation {
                Violation(path: source.path, line: signature.line, message: text)
            }
            if signature.unlabelled > 3 { return violation("\(signature.unlabelled) parameters without a label") }
            if isExcused { return nil }
            if signature.parameters > 6 { return violation("\(signature.parameters) parameters: let a type own them") }
            if signature.changed > 1 { return violation("\(signature.changed) inout parameters: let a type own them") }
            return nil
        }
    }

    /// A folder has at most 20 Swift files; beyond that it needs sub-folders.
    static func folderSize(_ paths: [String]) -> [Violation] {
        let swift = paths.filter { $0.hasSuffix(".swift") && $0.hasPrefix("Sources/") }
        let folders = Dictionary(grouping: swift) { $0.split(separator: "/").dropLast().joined(separator: "/") }
        return folders.filter { $0.value.count > 20 }.sorted { $0.key < $1.key }.map {
            Violation(path: $0.key, line: 0, message: "\($0.value.count) files, more than 20: make folders")
        }
    }
}
