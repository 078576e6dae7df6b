import Tabular
import Yams

/// Parses YAML into a value with places.
func parseYAML(_ text: String, name: String) throws(SchemaError) -> Located {
    try refuseAliasBombs(text, name: name)
    // Nodes reference their anchors weakly, so the parser must outlive the nodes.
    let parser: Yams.Parser
    let root: Node?
    do {
        // No resolver rules, since scalars are resolved below. The encoding is given because Yams's default reads the
        // environment.
        parser = try Yams.Parser(yaml: text, resolver: .basic, encoding: .utf8)
        root = try parser.singleRoot()
    } catch {
        throw located(error, text: text, name: name)
    }
    defer { withExtendedLifetime(parser) {} }
    guard let root else {
        throw SchemaError(.missing, subject: name, message: "the document is empty; write a contract into it")
    }
    return try YAMLConverter(name: name).convert(root, depth: 1)
}

/// Converts Yams's nodes into values with places, and refuses what contracts do not use: anchors, aliases, tags.
private struct YAMLConverter {
    let name: String

    /// Converts a node.
    ///
    /// - Throws: for an anchor, alias or unknown tag, and beyond the depth limit.
    func convert(_ node: Node, depth: Int) throws(SchemaError) -> Located {
        let line = node.mark?.line ?? 0
        let column = node.mark?.column ?? 0
        // An anchor precedes its aliases, so refusing the first anchor means that no alias is ever followed.
        guard node.anchor == nil else { throw aliasRefused(name, line: line, column: column) }
        switch node {
        case .scalar(let scalar):
            return try convert(scalar, line: line, column: column)
        case .sequence(let sequence):
            try check(sequence.tag, line: line, column: column, depth: depth)
            var values: [JSONValue] = []
            var place = Place(line: line, column: column)
            for element in sequence {
                let inner = try convert(element, depth: depth + 1)
                values.append(inner.value)
                place.elements.append(inner.place)
            }
            return Located(value: .array(values), place: place)
        case .mapping(let mapping):
            try check(mapping.tag, line: line, column: column, depth: depth)
            return try convert(mapping, line: line, column: column, depth: depth)
        case .alias:
            throw aliasRefused(name, line: line, column: column)
        }
    }

    private func convert(
        _ mapping: Node.Mapping, line: Int, column: Int, depth: Int
    ) throws(SchemaError) -> Located {
        var values: [String: JSONValue] = [:]
        var place = Place(line: line, column: column)
        for (keyNode, valueNode) in mapping {
            let keyLine = keyNode.mark?.line ?? line
            let keyColumn = keyNode.mark?.column ?? column
            guard case .scalar(let key) = keyNode, keyNode.anchor == nil else {
                if keyNode.anchor != nil { throw aliasRefused(name, line: keyLine, column: keyColumn) }
                throw SchemaError(
                    .wrongKind, subject: name, line: keyLine, column: keyColumn,
                    message: "a key must be plain text; quote it, or check the braces around it")
            }
            // Yams compares keys with their tags; JSON and this loader compare their text.
            if let earlier = place.members[key.string] {
                throw repeatedKey(
                    key.string, name, first: (earlier.keyLine, earlier.keyColumn), second: (keyLine, keyColumn))
            }
            var inner = try convert(valueNode, depth: depth + 1)
            inner.place.keyLine = keyLine
            inner.place.keyColumn = keyColumn
            values[key.string] = inner.value
            place.members[key.string] = inner.place
        }
        return Located(value: .object(values), place: place)
    }

    private func convert(_ scalar: Node.Scalar, line: Int, column: Int) throws(SchemaError) -> Located {
        let place = Place(line: line, column: column, lexeme: scalar.string)
        try check(scalar.tag, line: line, column: column, depth: 0)
        guard scalar.style == .plain, scalar.tag.rawValue.isEmpty else {
            return Located(value: .string(scalar.string), place: place)
        }
        guard let value = resolveCoreScalar(scalar.string) else {
            throw SchemaError(
                .outOfRange, subject: name, line: line, column: column,
                message: "\(quoted(scalar.string)) is not a finite number; quote it if it is text")
        }
        return Located(value: value, place: place)
    }

    /// Checks depth and tag: only the tags of strings, mappings and sequences are accepted.
    private func check(_ tag: Tag, line: Int, column: Int, depth: Int) throws(SchemaError) {
        guard depth <= DocumentLimits.depthMax else { throw tooDeep(name, line: line, column: column) }
        let allowed = ["", "tag:yaml.org,2002:str", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"]
        guard allowed.contains(tag.rawValue) else {
            throw SchemaError(
                .alias, subject: name, line: line, column: column,
                message: "the tag \(quoted(tag.rawValue)) is not allowed; write the value without a tag")
        }
    }
}

/// The value of a plain scalar by YAML 1.2's core schema (section 10.3.2); nil for infinities and NaN, which JSON
/// lacks.
func resolveCoreScalar(_ text: String) -> JSONValue? {
    switch text {
    case "", "~", "null", "Null", "NULL": return .null
    case "true", "True", "TRUE": return .bool(true)
    case "false", "False", "FALSE": return .bool(false)
    case ".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF":
        return nil
    default: break
    }
    let body =
        text.utf8.first == UInt8(ascii: "-") || text.utf8.first == UInt8(ascii: "+") ? text.dropFirst() : text[...]
    if text.hasPrefix("0x") || text.hasPrefix("0o") {
        let digits = text.dropFirst(2)
        // `Int64(_:radix:)` accepts a sign here, which the core schema does not.
        guard let first = digits.utf8.first, first != UInt8(ascii: "-"), first != UInt8(ascii: "+") else {
            return .string(text)
        }
        return Int64(digits, radix: text.hasPrefix("0x") ? 16 : 8).map(JSONValue.integer) ?? .string(text)
    }
    if !body.isEmpty, body.utf8.allSatisfy(isDigit) {
        if let whole = Int64(text) { return .integer(whole) }
    }
    guard isDecimal(body) else { return .string(text) }
    guard let number = Double(padded(text)), number.isFinite else { return nil }
    return .number(number)
}

/// `.5` and `5.` with the digits that Swift's parser needs.
private func padded(_ text: String) -> String {
    var result = ""
    var previous = UInt8(0)
    for byte in text.utf8 {
        if byte == UInt8(ascii: "."), !isDigit(previous) { result += "0" }
        if previous == UInt8(ascii: "."), !isDigit(byte) { result += "0" }
        result.unicodeScalars.append(Unicode.Scalar(byte))
        previous = byte
    }
    return previous == UInt8(ascii: ".") ? result + "0" : result
}

/// Whether the text is `digits[.digits][e[±]digits]` or `.digits[e…]`.
private func isDecimal(_ text: Substring) -> Bool {
    var rest = text.utf8[...]
    let whole = rest.prefix(while: isDigit)
    rest = rest.dropFirst(whole.count)
    if rest.first == UInt8(ascii: ".") {
        rest = rest.dropFirst()
        let fraction = rest.prefix(while: isDigit)
        guard !whole.isEmpty || !fraction.isEmpty else { return false }
        rest = rest.dropFirst(fraction.count)
    } else if whole.isEmpty {
        return false
    }
    if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
        rest = rest.dropFirst()
        if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
        guard !rest.isEmpty else { return false }
        return rest.allSatisfy(isDigit)
    }
    return rest.isEmpty
}

func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

/// The error for an anchor, alias or tag.
private func aliasRefused(_ name: String, line: Int, column: Int) -> SchemaError {
    SchemaError(
        .alias, subject: name, line: line, column: column,
        message: "anchors (&) and aliases (*) are not allowed; write the value out, or quote the text")
}

/// Refuses alias bombs before any node is composed: a document with an anchor and many aliases.
///
/// Composing is safe except that Yams hashes keys, and a key may be an alias of aliases. Up to eight aliases cannot
/// multiply to harm, and the converter refuses their anchor at its exact place. Text after `#` is skipped only when no
/// quote follows on the line; it is then a comment or inside one scalar, and holds no token in either case.
private func refuseAliasBombs(_ text: String, name: String) throws(SchemaError) {
    var anchor: (line: Int, column: Int)?
    var aliases = 0
    for (number, line) in text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
        // The parser also ends a comment at line ends beyond ASCII (U+0085, U+2028), which this loop does not see.
        let lastQuote = line.lastIndex { $0 >= 0x80 || "\"'".utf8.contains($0) } ?? line.startIndex
        var previous = UInt8(ascii: " ")
        var column = 0
        var index = line.startIndex
        while index < line.endIndex {
            let byte = line[index]
            column += 1
            let follows = previous >= 0x80 || " \t\r[{,:?-".utf8.contains(previous)
            if byte == UInt8(ascii: "#"), follows, index >= lastQuote { break }
            previous = byte
            index = line.index(after: index)
            // A token is a mark directly followed by a name; `a && b * c` in a rule has none.
            guard follows, index < line.endIndex, isNameByte(line[index]) else { continue }
            if byte == UInt8(ascii: "*") { aliases += 1 }
            if byte == UInt8(ascii: "&"), anchor == nil { anchor = (number + 1, column) }
        }
    }
    if let anchor, aliases > 8 { throw aliasRefused(name, line: anchor.line, column: anchor.column) }
}

/// The bytes that libyaml accepts in an anchor's name.
private func isNameByte(_ byte: UInt8) -> Bool {
    isDigit(byte) || (byte | 0x20) &- 0x61 < 26 || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
}

/// Converts an error of Yams into a located one.
private func located(_ error: any Error, text: String, name: String) -> SchemaError {
    switch error as? YamlError {
    case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
        .composer(let context, let problem, let mark, _):
        if problem.contains("nesting level") { return tooDeep(name, line: mark.line, column: mark.column) }
        if problem.contains("alias") { return aliasRefused(name, line: mark.line, column: mark.column) }
        let detail = context.map { "\($0.text) \(problem)" } ?? problem
        return SchemaError(
            .syntax, subject: name, line: mark.line, column: mark.column,
            message: "this is not valid YAML: \(detail); check indentation, quotes and brackets here")
    case .reader(let problem, _, _, _):
        return SchemaError(
            .syntax, subject: name, message: "this is not valid YAML: \(problem); remove control characters")
    case .duplicatedKeysInMapping(let keys, let context):
        let first = (context.mark.line, context.mark.column)
        let key = keys.first ?? ""
        return repeatedKey(key, name, first: first, second: nextOccurrence(of: key, after: first, in: text) ?? first)
    default:
        return SchemaError(.syntax, subject: name, message: "this is not valid YAML; check it with a YAML linter")
    }
}

/// The second place of a duplicate key; Yams names only the first.
///
/// In a block mapping all keys have the same column; a flow mapping is searched for the key and its colon.
///
/// - Parameters:
///   - key: the key.
///   - first: line and column of its first place.
///   - text: the document.
private func nextOccurrence(of key: String, after first: (Int, Int), in text: String) -> (Int, Int)? {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { Array($0.unicodeScalars) }
    let forms = [key, "\"\(key)\"", "'\(key)'"].map { Array($0.unicodeScalars) }
    func stands(_ line: [Unicode.Scalar], _ column: Int) -> Bool {
        for form in forms where line.count >= column + form.count && Array(line[column..<column + form.count]) == form {
            if line[(column + form.count)...].drop(while: { $0 == " " }).first == ":" { return true }
        }
        return false
    }
    guard !key.isEmpty, lines.indices.contains(first.0 - 1) else { return nil }
    for index in lines.indices.dropFirst(first.0) where stands(lines[index], first.1 - 1) {
        if lines[index].prefix(first.1 - 1).allSatisfy({ $0 == " " || $0 == "-" }) { return (index + 1, first.1) }
    }
    for index in lines.indices.dropFirst(first.0 - 1) {
        let start = index == first.0 - 1 ? first.1 : 0
        for column in lines[index].indices.dropFirst(start) {
            let before = column == 0 ? " " : lines[index][column - 1]
            if " {,\t".unicodeScalars.contains(before), stands(lines[index], column) { return (index + 1, column + 1) }
        }
    }
    return nil
}
