/// A member in the reference's form; offsets are into the line.
struct SeenMember: Equatable {
    var key: [UInt8]
    var keyStart: Int
    var start: Int
    var end: Int
    /// The decoded text of a string, or the lexeme of another value.
    var value: [UInt8]
}

/// A simple reader of one JSON object (RFC 8259), byte by byte; nil if the line is not one.
struct ReferenceJSON {
    let bytes: [UInt8]
    let maxDepth: Int
    private var at = 0
    private struct Wrong: Error {}

    private init(_ line: [UInt8], maxDepth: Int) {
        bytes = line
        self.maxDepth = maxDepth
    }

    /// The members of the object in `line`.
    static func object(_ line: [UInt8], maxDepth: Int = 64) -> [SeenMember]? {
        guard String(validating: line, as: UTF8.self) != nil else { return nil }
        var parser = ReferenceJSON(line, maxDepth: maxDepth)
        parser.space()
        guard parser.peek == 0x7B, let members = try? parser.members(depth: 1) else { return nil }
        parser.space()
        return parser.at == line.count ? members : nil
    }

    private var peek: UInt8? { at < bytes.count ? bytes[at] : nil }

    private mutating func space() {
        // A carriage return may stand before a line end only; it is not part of the record.
        while let byte = peek, byte == 0x20 || byte == 0x09 || byte == 0x0D && at + 1 == bytes.count { at += 1 }
    }

    private mutating func expect(_ byte: UInt8) throws {
        guard peek == byte else { throw Wrong() }
        at += 1
    }

    private mutating func members(depth: Int) throws -> [SeenMember] {
        if depth > maxDepth { throw Wrong() }
        try expect(0x7B)
        var members: [SeenMember] = []
        var keys: Set<[UInt8]> = []
        space()
        if peek == 0x7D {
            at += 1
            return []
        }
        while true {
            space()
            let keyStart = at
            let key = try string()
            if !keys.insert(key).inserted { throw Wrong() }
            space()
            try expect(0x3A)
            space()
            let start = at
            let value = try value(depth: depth)
            members.append(SeenMember(key: key, keyStart: keyStart, start: start, end: at, value: value))
            space()
            if peek == 0x7D {
                at += 1
                return members
            }
            try expect(0x2C)
        }
    }

    private mutating func value(depth: Int) throws -> [UInt8] {
        let start = at
        switch peek {
        case 0x22: return try string()
        case 0x7B: _ = try members(depth: depth + 1)
        case 0x5B:
            if depth + 1 > maxDepth { throw Wrong() }
            at += 1
            space()
            if peek == 0x5D {
                at += 1
            } else {
                while true {
                    space()
                    _ = try value(depth: depth + 1)
                    space()
                    if peek == 0x5D { break }
                    try expect(0x2C)
                }
                at += 1
            }
        case 0x74: for byte in "true".utf8 { try expect(byte) }
        case 0x66: for byte in "false".utf8 { try expect(byte) }
        case 0x6E: for byte in "null".utf8 { try expect(byte) }
        default: try number()
        }
        return Array(bytes[start..<at])
    }

    private mutating func number() throws {
        if peek == 0x2D { at += 1 }
        if peek == 0x30 { at += 1 } else { try digits() }
        if peek == 0x2E {
            at += 1
            try digits()
        }
        if peek == 0x65 || peek == 0x45 {
            at += 1
            if peek == 0x2B || peek == 0x2D { at += 1 }
            try digits()
        }
    }

    private mutating func digits() throws {
        let start = at
        while let byte = peek, (0x30...0x39).contains(byte) { at += 1 }
        if at == start { throw Wrong() }
    }

    private mutating func string() throws -> [UInt8] {
        try expect(0x22)
        var units: [UInt16] = []
        var plain: [UInt8] = []
        var text: [UInt8] = []
        func flush() throws {
            guard let part = String(validating: units, as: UTF16.self) else { throw Wrong() }
            text += part.utf8
            units = []
        }
        while let byte = peek {
            at += 1
            if byte == 0x22 {
                try flush()
                return text
            }
            if byte < 0x20 { throw Wrong() }
            if byte != 0x5C {
                try flush()
                text.append(byte)
                continue
            }
            guard let kind = peek else { throw Wrong() }
            at += 1
            let short: [UInt8: UInt16] = [
                0x22: 0x22, 0x5C: 0x5C, 0x2F: 0x2F, 0x62: 8, 0x66: 12, 0x6E: 10, 0x72: 13, 0x74: 9,
            ]
            if let unit = short[kind] {
                units.append(unit)
            } else if kind == 0x75, at + 4 <= bytes.count {
                plain = Array(bytes[at..<at + 4])
                let hex = plain.allSatisfy { UnicodeScalar($0).properties.isASCIIHexDigit }
                guard hex, let unit = UInt16(String(decoding: plain, as: UTF8.self), radix: 16) else { throw Wrong() }
                units.append(unit)
                at += 4
            } else {
                throw Wrong()
            }
        }
        throw Wrong()
    }
}
