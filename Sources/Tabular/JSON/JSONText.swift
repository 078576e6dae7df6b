/// The reason why bytes are not a JSON document, and the offset.
package struct JSONTextError: Error, Equatable, CustomStringConvertible {
    /// The error, in lower case; never the offending text.
    package let reason: String
    /// Offset of the byte at which the error was found.
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

    /// The JSON path of the first value that a ledger body may not contain: a fraction, or an integer beyond 2^53 - 1.
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

/// Writes JSON text, also for `JSONOutline`. The canonical form and the report form differ in white space and in
/// whether fractions are allowed.
struct JSONWriter {
    let isPretty: Bool
    let isCanonical: Bool
    var bytes: [UInt8] = []

    /// RFC 8785 orders keys by UTF-16 code units; this order differs from Swift's and from that of UTF-8.
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
