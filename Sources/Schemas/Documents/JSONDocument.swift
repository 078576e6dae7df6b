import Tabular

/// Parses strict JSON (RFC 8259) into a value with places. Duplicate keys are errors.
func parseJSON(_ bytes: [UInt8], name: String) throws(SchemaError) -> Located {
    var parser = JSONParser(bytes: bytes, name: name)
    let result = try parser.parseValue(depth: 1)
    parser.skipSpace()
    guard parser.isAtEnd else { throw parser.wrong("there is text after the end of the document; remove it") }
    return result
}

/// A recursive-descent parser over bytes. The depth limit bounds the recursion.
private struct JSONParser {
    let bytes: [UInt8]
    let name: String
    private var index = 0
    private var line = 1
    private var column = 1

    init(bytes: [UInt8], name: String) {
        self.bytes = bytes
        self.name = name
    }

    var isAtEnd: Bool { index == bytes.count }
    private var current: UInt8 { index < bytes.count ? bytes[index] : 0 }

    /// An error at the current place.
    func wrong(_ message: String) -> SchemaError {
        SchemaError(
            .syntax, subject: name, line: line, column: column, message: "this is not valid JSON: \(message)")
    }

    /// Advances by one byte and keeps line and column.
    private mutating func advance() {
        if current == 0x0A {
            line += 1
            column = 1
        } else if index + 1 >= bytes.count || bytes[index + 1] & 0xC0 != 0x80 {
            // Columns count Unicode scalars, so continuation bytes do not move the column.
            column += 1
        }
        index += 1
    }

    mutating func skipSpace() {
        while index < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(current) { advance() }
    }

    /// Consumes one byte.
    ///
    /// - Throws: `message` at the current place when there is another byte.
    private mutating func expect(_ byte: UInt8, _ message: String) throws(SchemaError) {
        skipSpace()
        guard index < bytes.count, current == byte else { throw wrong(message) }
        advance()
    }

    /// Parses one value.
    ///
    /// - Parameter depth: nesting so far; beyond `DocumentLimits.depthMax` it is an error.
    mutating func parseValue(depth: Int) throws(SchemaError) -> Located {
        skipSpace()
        let place = Place(line: line, column: column)
        switch current {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            guard depth <= DocumentLimits.depthMax else { throw tooDeep(name, line: line, column: column) }
            return current == UInt8(ascii: "{")
                ? try parseObject(place, depth: depth) : try parseArray(place, depth: depth)
        case UInt8(ascii: "\""):
            let text = try parseString()
            return scalar(.string(text), text, place)
        case UInt8(ascii: "t"): return scalar(.bool(try parseWord("true")), "true", place)
        case UInt8(ascii: "f"): return scalar(.bool(!(try parseWord("false"))), "false", place)
        case UInt8(ascii: "n"):
            _ = try parseWord("null")
            return scalar(.null, "null", place)
        default: return try parseNumber(place)
        }
    }

    private func scalar(_ value: JSONValue, _ lexeme: String, _ place: Place) -> Located {
        Located(value: value, place: Place(line: place.line, column: place.column, lexeme: lexeme))
    }

    /// Consumes a literal such as `true`.
    ///
    /// - Throws: when the text is another one.
    private mutating func parseWord(_ word: String) throws(SchemaError) -> Bool {
        for byte in word.utf8 {
            guard current == byte else { throw wrong("expected \(word) here") }
            advance()
        }
        return true
    }

    private mutating func parseObject(_ start: Place, depth: Int) throws(SchemaError) -> Located {
        var values: [String: JSONValue] = [:]
        var place = start
        advance()
        skipSpace()
        while current != UInt8(ascii: "}") || isAtEnd {
            skipSpace()
            let keyLine = line
            let keyColumn = column
            guard current == UInt8(ascii: "\"") else { throw wrong("expected a key in double quotes here") }
            let key = try parseString()
            if let earlier = place.members[key] {
                throw repeatedKey(
                    key, name, first: (earlier.keyLine, earlier.keyColumn), second: (keyLine, keyColumn))
            }
            try expect(UInt8(ascii: ":"), "expected a colon after the key")
            var inner = try parseValue(depth: depth + 1)
            inner.place.keyLine = keyLine
            inner.place.keyColumn = keyColumn
            values[key] = inner.value
            place.members[key] = inner.place
            skipSpace()
            if current == UInt8(ascii: "}") { break }
            try expect(UInt8(ascii: ","), "expected a comma or a closing brace here")
            skipSpace()
            if current == UInt8(ascii: "}") { throw wrong("remove the comma before the closing brace") }
        }
        advance()
        return Located(value: .object(values), place: place)
    }

    private mutating func parseArray(_ start: Place, depth: Int) throws(SchemaError) -> Located {
        var values: [JSONValue] = []
        var place = start
        advance()
        skipSpace()
        while current != UInt8(ascii: "]") || isAtEnd {
            let inner = try parseValue(depth: depth + 1)
            values.append(inner.value)
            place.elements.append(inner.place)
            skipSpace()
            if current == UInt8(ascii: "]") { break }
            try expect(UInt8(ascii: ","), "expected a comma or a closing bracket here")
            skipSpace()
            if current == UInt8(ascii: "]") { throw wrong("remove the comma before the closing bracket") }
        }
        advance()
        return Located(value: .array(values), place: place)
    }

    /// Parses a number and keeps its spelling as the lexeme.
    private mutating func parseNumber(_ place: Place) throws(SchemaError) -> Located {
        let start = index
        if current == UInt8(ascii: "-") { advance() }
        let first = current
        let whole = skipDigits()
        guard whole > 0, whole == 1 || first != UInt8(ascii: "0") else { throw wrong("expected a value here") }
        if current == UInt8(ascii: ".") {
            advance()
            guard skipDigits() > 0 else { throw wrong("expected digits after the decimal point") }
        }
        if current | 0x20 == UInt8(ascii: "e") {
            advance()
            if current == UInt8(ascii: "-") || current == UInt8(ascii: "+") { advance() }
            guard skipDigits() > 0 else { throw wrong("expected digits in the exponent") }
        }
        let lexeme = String(decoding: bytes[start..<index], as: UTF8.self)
        if let value = Int64(lexeme) { return scalar(.integer(value), lexeme, place) }
        guard let value = Double(lexeme), value.isFinite else {
            throw SchemaError(
                .outOfRange, subject: name, line: place.line, column: place.column,
                message: "\(quoted(lexeme)) is not a finite number; quote it if it is text")
        }
        return scalar(.number(value), lexeme, place)
    }

    /// Skips digits.
    ///
    /// - Returns: how many there were.
    private mutating func skipDigits() -> Int {
        let start = index
        while isDigit(current) { advance() }
        return index - start
    }

    /// Parses a string from its opening quote. Raw control characters are errors (RFC 8259, section 7).
    private mutating func parseString() throws(SchemaError) -> String {
        var result: [UInt8] = []
        advance()
        while current != UInt8(ascii: "\"") {
            guard index < bytes.count else { throw wrong("the string has no closing quote") }
            guard current >= 0x20 else { throw wrong("a string contains a control character; write it as an escape") }
            if current == UInt8(ascii: "\\") {
                advance()
                try parseEscape(into: &result)
            } else {
                result.append(current)
                advance()
            }
        }
        advance()
        return String(decoding: result, as: UTF8.self)
    }

    /// Parses an escape; a surrogate pair becomes one scalar, a lone surrogate is an error.
    private mutating func parseEscape(into result: inout [UInt8]) throws(SchemaError) {
        let escapes: [UInt8: UInt8] = [
            0x22: 0x22, 0x5C: 0x5C, 0x2F: 0x2F, 0x62: 0x08, 0x66: 0x0C, 0x6E: 0x0A, 0x72: 0x0D, 0x74: 0x09,
        ]
        if let byte = escapes[current] {
            result.append(byte)
            return advance()
        }
        guard current == UInt8(ascii: "u") else { throw wrong("a string contains an unknown escape") }
        advance()
        var value = try parseHex()
        if value & 0xFC00 == 0xD800, current == UInt8(ascii: "\\") {
            advance()
            guard current == UInt8(ascii: "u") else { throw wrong("half a surrogate pair in a text") }
            advance()
            let low = try parseHex()
            guard low & 0xFC00 == 0xDC00 else { throw wrong("half a surrogate pair in a text") }
            value = 0x10000 + (value & 0x3FF) << 10 + low & 0x3FF
        }
        guard let scalar = Unicode.Scalar(value) else { throw wrong("half a surrogate pair in a text") }
        result.append(contentsOf: String(scalar).utf8)
    }

    /// Parses the four hexadecimal digits of a `\u` escape.
    private mutating func parseHex() throws(SchemaError) -> UInt32 {
        var value = UInt32(0)
        for _ in 0..<4 {
            guard let digit = Character(Unicode.Scalar(current)).hexDigitValue else {
                throw wrong("expected four hexadecimal digits after \\u")
            }
            value = value << 4 | UInt32(digit)
            advance()
        }
        return value
    }
}
