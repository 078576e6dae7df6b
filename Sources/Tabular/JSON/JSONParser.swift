/// A strict recursive-descent reader; its depth is bounded, so hostile nesting cannot exhaust the stack.
struct JSONParser {
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

    /// The byte at the reading position, or 0 at the end; a NUL is valid nowhere outside strings.
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
        default:
            guard let plain = unescaped(kind) else { throw error("unknown escape") }
            decoded.append(plain)
        }
        position += 1
    }

    /// Reads four hexadecimal digits after the `u` at the reading position, and moves past them.
    private mutating func hexadecimal() throws(JSONTextError) -> UInt32 {
        position += 1
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = hexadecimalDigit(current) else { throw error("hexadecimal digit expected") }
            code = code << 4 | UInt32(digit)
            position += 1
        }
        return code
    }
}
