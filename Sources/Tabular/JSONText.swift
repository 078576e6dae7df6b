/// Why bytes are not a JSON document, and where.
package struct JSONTextError: Error, Equatable, CustomStringConvertible {
    /// What is wrong, in lower case; never the offending text.
    package let reason: String
    /// Offset of the byte where it shows.
    package let offset: Int

    /// One line for a person.
    package var description: String { "\(reason) at byte \(offset)" }
}

extension JSONValue {
    /// The largest whole number that every JSON reader keeps exact: 2^53 - 1.
    package static let largestExactInteger: Int64 = 9_007_199_254_740_991

    /// The canonical form of RFC 8785, integers only: a `.number` anywhere is a programmer's error.
    package func canonicalBytes() -> [UInt8] {
        var writer = JSONWriter(isPretty: false, isCanonical: true)
        writer.write(self, depth: 0)
        return writer.bytes
    }

    /// The document as text, members in canonical order, numbers in the shortest form that reads back the same.
    package func text(pretty: Bool) -> String {
        var writer = JSONWriter(isPretty: pretty, isCanonical: false)
        writer.write(self, depth: 0)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// Reads exactly one RFC 8259 document: UTF-8 without byte order mark, no duplicate keys, no lone surrogates.
    ///
    /// Whole numbers that do not fit 64 bits become `.number`. Keys that Unicode calls equivalent count as duplicates,
    /// because they are one key to Swift's `String`.
    package static func parse(_ bytes: [UInt8], maxDepth: Int = 64) throws(JSONTextError) -> JSONValue {
        var parser = try JSONParser(bytes, maxDepth: maxDepth)
        return try parser.document()
    }

    /// The JSON path of the first value that a ledger body may not hold, a fraction or an integer beyond 2^53 - 1.
    package func pathOfInexactNumber() -> String? {
        switch self {
        case .null, .bool, .string: return nil
        case .integer(let value):
            return value.magnitude <= Self.largestExactInteger.magnitude ? nil : "$"
        case .number: return "$"
        case .array(let items):
            for (index, item) in items.enumerated() {
                if let path = item.pathOfInexactNumber() { return "$[\(index)]" + path.dropFirst() }
            }
            return nil
        case .object(let members):
            for key in members.keys.sorted(by: JSONWriter.precedes) {
                if let path = members[key]?.pathOfInexactNumber() { return "$.\(key)" + path.dropFirst() }
            }
            return nil
        }
    }
}

/// Writes JSON text, here and in `JSONOutline`; canonical and report form differ in white space and in whether fractions are allowed.
struct JSONWriter {
    let isPretty: Bool
    let isCanonical: Bool
    var bytes: [UInt8] = []

    /// RFC 8785 orders keys by UTF-16 code units, which differs from Swift's order and from that of UTF-8.
    static func precedes(_ left: String, _ right: String) -> Bool { left.utf16.lexicographicallyPrecedes(right.utf16) }

    mutating func write(_ value: JSONValue, depth: Int) {
        switch value {
        case .null: bytes += "null".utf8
        case .bool(let flag): bytes += (flag ? "true" : "false").utf8
        case .integer(let number): bytes += String(number).utf8
        case .number(let number):
            precondition(!isCanonical, "a canonical body holds integers only")
            precondition(number.isFinite, "JSON has no infinity and no NaN")
            bytes += number.description.utf8
        case .string(let text): write(text)
        case .array(let items):
            bytes.append(0x5B)
            for (index, item) in items.enumerated() {
                if index > 0 { bytes.append(0x2C) }
                breakLine(depth + 1)
                write(item, depth: depth + 1)
            }
            if !items.isEmpty { breakLine(depth) }
            bytes.append(0x5D)
        case .object(let members):
            bytes.append(0x7B)
            for (index, key) in members.keys.sorted(by: Self.precedes).enumerated() {
                guard let member = members[key] else { continue }
                if index > 0 { bytes.append(0x2C) }
                breakLine(depth + 1)
                write(key)
                bytes.append(0x3A)
                if isPretty { bytes.append(0x20) }
                write(member, depth: depth + 1)
            }
            if !members.isEmpty { breakLine(depth) }
            bytes.append(0x7D)
        }
    }

    mutating func breakLine(_ depth: Int) {
        guard isPretty else { return }
        bytes.append(0x0A)
        bytes.append(contentsOf: repeatElement(0x20, count: 2 * depth))
    }

    mutating func write(_ text: String) {
        bytes.append(0x22)
        for byte in text.utf8 {
            switch byte {
            case 0x22: bytes += [0x5C, 0x22]
            case 0x5C: bytes += [0x5C, 0x5C]
            case 0x08: bytes += [0x5C, 0x62]
            case 0x09: bytes += [0x5C, 0x74]
            case 0x0A: bytes += [0x5C, 0x6E]
            case 0x0C: bytes += [0x5C, 0x66]
            case 0x0D: bytes += [0x5C, 0x72]
            case 0..<0x20:
                let digits = Array("0123456789abcdef".utf8)
                bytes += [0x5C, 0x75, 0x30, 0x30, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            default: bytes.append(byte)
            }
        }
        bytes.append(0x22)
    }
}

/// A strict recursive-descent reader; its depth is bounded, so hostile nesting cannot exhaust the stack.
private struct JSONParser {
    private let bytes: [UInt8]
    private let maxDepth: Int
    private var position = 0

    /// Steps over `byte` when it comes next.
    private mutating func take(_ byte: UInt8) -> Bool {
        guard current == byte else { return false }
        position += 1
        return true
    }

    init(_ bytes: [UInt8], maxDepth: Int) throws(JSONTextError) {
        do throws(UTF8.ValidationError) {
            _ = try UTF8Span(validating: bytes.span)
        } catch {
            throw JSONTextError(reason: "not UTF-8", offset: error.byteOffsets.lowerBound)
        }
        self.bytes = bytes
        self.maxDepth = maxDepth
    }

    mutating func document() throws(JSONTextError) -> JSONValue {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { throw error("byte order mark") }
        skipSpace()
        let value = try value(depth: 0)
        skipSpace()
        if position < bytes.count { throw error("text after the document") }
        return value
    }

    private func error(_ reason: String) -> JSONTextError { JSONTextError(reason: reason, offset: position) }

    /// The byte at the reading position, or 0 at the end; a NUL is legal nowhere outside strings.
    private var current: UInt8 { position < bytes.count ? bytes[position] : 0 }

    private mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
        }
    }

    private mutating func value(depth: Int) throws(JSONTextError) -> JSONValue {
        switch current {
        case 0x22: return .string(try string())
        case 0x7B: return try object(depth: depth + 1)
        case 0x5B: return try array(depth: depth + 1)
        case 0x2D, 0x30...0x39: return try number()
        case 0x74: return try literal("true", .bool(true))
        case 0x66: return try literal("false", .bool(false))
        case 0x6E: return try literal("null", .null)
        default: throw error(position < bytes.count ? "value expected" : "unexpected end")
        }
    }

    private mutating func literal(_ word: StaticString, _ value: JSONValue) throws(JSONTextError) -> JSONValue {
        for byte in word.description.utf8 {
            if current != byte { throw error("unknown word") }
            position += 1
        }
        return value
    }

    private mutating func object(depth: Int) throws(JSONTextError) -> JSONValue {
        if depth > maxDepth { throw error("nesting too deep") }
        position += 1
        var members: [String: JSONValue] = [:]
        skipSpace()
        if take(0x7D) { return .object(members) }
        members.reserveCapacity(8)
        while true {
            skipSpace()
            let start = position
            if current != 0x22 { throw error("key expected") }
            let key = try string()
            skipSpace()
            guard take(0x3A) else { throw error("colon expected") }
            skipSpace()
            let member = try value(depth: depth)
            if members.updateValue(member, forKey: key) != nil {
                throw JSONTextError(reason: "duplicate key", offset: start)
            }
            skipSpace()
            if take(0x2C) { continue }
            if take(0x7D) { return .object(members) }
            throw error("comma or closing brace expected")
        }
    }

    private mutating func array(depth: Int) throws(JSONTextError) -> JSONValue {
        if depth > maxDepth { throw error("nesting too deep") }
        position += 1
        var items: [JSONValue] = []
        skipSpace()
        if take(0x5D) { return .array(items) }
        while true {
            skipSpace()
            items.append(try value(depth: depth))
            skipSpace()
            if take(0x2C) { continue }
            if take(0x5D) { return .array(items) }
            throw error("comma or closing bracket expected")
        }
    }

    private mutating func number() throws(JSONTextError) -> JSONValue {
        let start = position
        _ = take(0x2D)
        let first = current
        try digits()
        if first == 0x30, position - start > (bytes[start] == 0x2D ? 2 : 1) {
            position = start
            throw error("leading zero")
        }
        var isWhole = true
        if take(0x2E) {
            isWhole = false
            try digits()
        }
        if current == 0x65 || current == 0x45 {
            isWhole = false
            position += 1
            if current == 0x2B || current == 0x2D { position += 1 }
            try digits()
        }
        let lexeme = String(decoding: bytes[start..<position], as: UTF8.self)
        if isWhole, let value = Int64(lexeme) { return .integer(value) }
        guard let value = Double(lexeme), value.isFinite else {
            throw JSONTextError(reason: "number out of range", offset: start)
        }
        return .number(value)
    }

    private mutating func digits() throws(JSONTextError) {
        let start = position
        while case 0x30...0x39 = current { position += 1 }
        if position == start { throw error("digit expected") }
    }

    private mutating func string() throws(JSONTextError) -> String {
        position += 1
        let start = position
        while position < bytes.count, bytes[position] >= 0x20, bytes[position] != 0x22, bytes[position] != 0x5C {
            position += 1
        }
        if current == 0x22, position < bytes.count {
            position += 1
            return String(decoding: bytes[start..<(position - 1)], as: UTF8.self)
        }
        var decoded = Array(bytes[start..<position])
        while position < bytes.count {
            let byte = bytes[position]
            switch byte {
            case 0x22:
                position += 1
                return String(decoding: decoded, as: UTF8.self)
            case 0x5C: try escape(into: &decoded)
            case 0..<0x20: throw error("control character in a string")
            default:
                decoded.append(byte)
                position += 1
            }
        }
        throw error("string without end")
    }

    private mutating func escape(into decoded: inout [UInt8]) throws(JSONTextError) {
        position += 1
        let kind = current
        switch kind {
        case 0x22, 0x5C, 0x2F: decoded.append(kind)
        case 0x62: decoded.append(0x08)
        case 0x66: decoded.append(0x0C)
        case 0x6E: decoded.append(0x0A)
        case 0x72: decoded.append(0x0D)
        case 0x74: decoded.append(0x09)
        case 0x75:
            let start = position - 1
            var code = try hexadecimal()
            if code & 0xFC00 == 0xD800, current == 0x5C {
                position += 1
                guard current == 0x75 else { throw JSONTextError(reason: "lone surrogate", offset: start) }
                let low = try hexadecimal()
                guard low & 0xFC00 == 0xDC00 else { throw JSONTextError(reason: "lone surrogate", offset: start) }
                code = 0x10000 + (code & 0x3FF) << 10 + (low & 0x3FF)
            }
            guard let scalar = Unicode.Scalar(code) else {
                throw JSONTextError(reason: "lone surrogate", offset: start)
            }
            decoded.append(contentsOf: String(Character(scalar)).utf8)
            return
        default: throw error("unknown escape")
        }
        position += 1
    }

    /// Four digits after the `u` at the reading position, which ends behind them.
    private mutating func hexadecimal() throws(JSONTextError) -> UInt32 {
        position += 1
        var code: UInt32 = 0
        for _ in 0..<4 {
            switch current {
            case 0x30...0x39: code = code << 4 | UInt32(current - 0x30)
            case 0x41...0x46: code = code << 4 | UInt32(current - 0x37)
            case 0x61...0x66: code = code << 4 | UInt32(current - 0x57)
            default: throw error("hexadecimal digit expected")
            }
            position += 1
        }
        return code
    }
}

/// JSON in which spaces stand for the escapes that are left: what is looked for in it begins behind an escape, not with its letters.
package func blankedEscapes(_ plain: [UInt8]) -> [UInt8] {
    var out = plain
    var at = 0
    while at + 1 < out.count {
        if out[at] != 0x5C {
            at += 1
            continue
        }
        let isUnit = isUnitEscape(out.span, at)
        var end = at + (isUnit ? 6 : 2)
        let isQuote = out[at + 1] == 0x22
        let isBackslash =
            out[at + 1] == 0x5C || isUnit && out[at + 4] == UInt8(ascii: "5") && out[at + 5] | 0x20 == UInt8(ascii: "c")
        // A backslash in a string and a letter, which may stand for the end of a line to those who wrote it.
        if isBackslash, end < out.count, [0x6E, 0x72, 0x74].contains(out[end]) { end += 1 }
        for place in at..<end { out[place] = 0x20 }
        // Quotes in a string still stand around something.
        if isQuote { out[at + 1] = UInt8(ascii: "'") }
        at = end
    }
    return out
}

/// Whether a backslash, a `u` and four hexadecimal digits stand at a place.
private func isUnitEscape(_ text: Span<UInt8>, _ at: Int) -> Bool {
    guard at + 6 <= text.count, text[at] == 0x5C, text[at + 1] == UInt8(ascii: "u") else { return false }
    return (2..<6).allSatisfy { text[at + $0] &- 0x30 < 10 || (text[at + $0] | 0x20) &- 0x61 < 6 }
}

/// What a string of JSON says where it has escapes of its own, as text that went through two programs: with those undone that are letters
/// and the others blanked; nil when it has none.
package func unescapedTwice(_ text: [UInt8]) -> [UInt8]? {
    guard text.indices.contains(where: { isUnitEscape(text.span, $0) }) else { return nil }
    var out = unescapedJSON(text.span, text.indices) ?? text
    for at in out.indices where isUnitEscape(out.span, at) { for place in at..<at + 6 { out[place] = 0x20 } }
    return out
}

/// Whether a byte is a part of numbers.
@inlinable
package func isNumberPart(_ byte: UInt8) -> Bool {
    byte &- 0x30 < 10 || byte == 0x2D || byte == 0x2B || byte == 0x2E || byte | 0x20 == 0x65
}

/// Whether text is an object or array: then it is searched and masked as one.
@inlinable
package func isJSONText(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
    if range.count < 2 { return false }
    let first = bytes[range.lowerBound]
    // Brackets are 0x20 apart; white space and a byte order mark may stand before them.
    return (first | 0x20 == 0x7B || first <= 0x20 || first == 0xEF) && isDocument(bytes, range)
}

/// The same for text that may begin like that.
@usableFromInline
package func isDocument(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
    func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || 0x09...0x0D ~= byte }
    var (low, high) = (range.lowerBound, range.upperBound)
    if range.count > 3, bytes[low] == 0xEF, bytes[low + 1] == 0xBB, bytes[low + 2] == 0xBF { low += 3 }
    while low < high, isSpace(bytes[low]) { low += 1 }
    while low < high, isSpace(bytes[high - 1]) { high -= 1 }
    guard high - low > 1, bytes[low] | 0x20 == 0x7B, bytes[high - 1] == bytes[low] + 2 else { return false }
    var tape = JSONTape()
    do throws(JSONTape.Fault) { try tape.read(bytes, low..<high, allowsNaN: true) } catch { return false }
    return true
}

/// The source text of a JSON value with the escapes undone that hide what it says: `\\uXXXX` and `\\/`, but for quotes,
/// backslashes and control characters. For those who search it; nil when there is nothing to undo.
package func unescapedJSON(_ bytes: Span<UInt8>, _ range: Range<Int>) -> [UInt8]? {
    var at = range.lowerBound
    while at < range.upperBound, bytes[at] != 0x5C { at += 1 }
    if at == range.upperBound { return nil }
    func unit(_ start: Int) -> UInt32? {
        guard start + 6 <= range.upperBound, bytes[start] == 0x5C, bytes[start + 1] == 0x75 else { return nil }
        var value: UInt32 = 0
        for offset in 2..<6 {
            let byte = bytes[start + offset]
            let letter = byte | 0x20
            let digit = byte < 0x3A ? byte &- 0x30 : letter &- 0x61 &+ 10
            guard digit < 16, byte < 0x3A || letter >= 0x61 else { return nil }
            value = value << 4 | UInt32(digit)
        }
        return value
    }
    var out: [UInt8] = []
    at = range.lowerBound
    while at < range.upperBound {
        if bytes[at] == 0x5C, at + 1 < range.upperBound {
            if bytes[at + 1] == 0x2F {
                out.append(0x2F)
                at += 2
                continue
            }
            if var value = unit(at) {
                var length = 6
                if 0xD800...0xDBFF ~= value, let low = unit(at + 6), 0xDC00...0xDFFF ~= low {
                    value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
                    length = 12
                }
                if value >= 0x20, value != 0x22, value != 0x5C, let scalar = UnicodeScalar(value) {
                    out.append(contentsOf: String(Character(scalar)).utf8)
                    at += length
                    continue
                }
            }
            out.append(bytes[at])
            at += 1
        }
        out.append(bytes[at])
        at += 1
    }
    return out
}
