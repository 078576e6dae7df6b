import Tabular

/// Validates one JSON value byte by byte (RFC 8259) without building anything, and finds its end.
///
/// It is iterative, so nesting costs no stack. It serves nested values and scalars of a record.
struct JSONSkimmer {
    let maxDepth: Int

    /// Why a value is invalid, and where.
    struct Fault: Error {
        var code: FindingCode
        var at: Int
    }

    /// The end of the number at `start` (RFC 8259, section 6), and whether it is valid so far. At `limit` it may be
    /// incomplete.
    @inline(__always)
    static func endOfNumber(_ bytes: Span<UInt8>, _ start: Int, _ limit: Int) -> (end: Int, isNumber: Bool) {
        var at = start
        if at < limit, bytes[at] == 0x2D { at &+= 1 }
        if at < limit, bytes[at] == 0x30 {
            at &+= 1
        } else {
            let first = at
            while at < limit, bytes[at] &- 0x30 < 10 { at &+= 1 }
            if at == first { return (at, false) }
        }
        if at < limit, bytes[at] == 0x2E {
            at &+= 1
            let first = at
            while at < limit, bytes[at] &- 0x30 < 10 { at &+= 1 }
            if at == first { return (at, false) }
        }
        if at < limit, bytes[at] | 0x20 == 0x65 {
            at &+= 1
            if at < limit, bytes[at] == 0x2B || bytes[at] == 0x2D { at &+= 1 }
            let first = at
            while at < limit, bytes[at] &- 0x30 < 10 { at &+= 1 }
            if at == first { return (at, false) }
        }
        return (at, true)
    }

    /// The end of a scalar token: a comma, bracket, white space or control character, or `limit`.
    static func endOfScalar(_ bytes: Span<UInt8>, _ start: Int, _ limit: Int) -> Int {
        var at = start
        while at < limit {
            let byte = bytes[at]
            if byte == 0x2C || byte == 0x7D || byte == 0x5D || byte <= 0x20 { break }
            at += 1
        }
        return at
    }

    /// The kind of a scalar token other than a string; nil when it is invalid.
    static func scalarKind(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> CellKind? {
        guard start < end else { return nil }
        switch bytes[start] {
        case 0x74: return equals(bytes, from: start, to: end, letters: 0x6575_7274) ? .boolean : nil
        case 0x66:
            return bytes[end - 1] == 0x65 && equals(bytes, from: start, to: end - 1, letters: 0x736C_6166)
                ? .boolean : nil
        case 0x6E: return equals(bytes, from: start, to: end, letters: 0x6C6C_756E) ? .null : nil
        default:
            let (reached, isNumber) = endOfNumber(bytes, start, end)
            return isNumber && reached == end ? .number : nil
        }
    }

    /// Whether a token is a word of four letters, given as a little-endian number.
    @inline(__always)
    private static func equals(_ bytes: Span<UInt8>, from start: Int, to end: Int, letters: UInt32) -> Bool {
        guard end - start == 4 else { return false }
        let low = UInt32(bytes[start]) | UInt32(bytes[start + 1]) << 8
        return low | UInt32(bytes[start + 2]) << 16 | UInt32(bytes[start + 3]) << 24 == letters
    }

    /// The end of the object or array at `start`; nil when it is not within `bytes[..<limit]`.
    ///
    /// - Throws: `Fault` at the first violation, duplicate keys included.
    // Long function: one grammar, one loop.
    func endOfNested(_ bytes: Span<UInt8>, _ start: Int, _ limit: Int) throws(Fault) -> Int? {
        var stack: [UInt8] = []
        var keys: [JSONKeys] = []
        var at = start
        var wantsValue = true
        while at < limit {
            let byte = bytes[at]
            if byte == 0x20 || byte == 0x09 {
                at += 1
                continue
            }
            if byte == 0x0A { throw Fault(code: .malformedJSON, at: at) }
            if wantsValue {
                if byte == 0x7B || byte == 0x5B {
                    stack.append(byte)
                    keys.append(JSONKeys())
                    if stack.count > maxDepth { throw Fault(code: .nestingTooDeep, at: at) }
                    at = skipSpace(bytes, at + 1, limit)
                    guard at < limit else { return nil }
                    if bytes[at] == (byte == 0x7B ? 0x7D : 0x5D) {
                        stack.removeLast()
                        keys.removeLast()
                        at += 1
                        wantsValue = false
                        if stack.isEmpty { return at }
                    } else if byte == 0x7B {
                        guard let after = try key(bytes, at: at, below: limit, to: &keys) else { return nil }
                        at = after
                    }
                    continue
                }
                guard let after = try scalar(bytes, at, limit) else { return nil }
                at = after
                wantsValue = false
                continue
            }
            guard let open = stack.last else { return at }
            if byte == 0x2C {
                at = skipSpace(bytes, at + 1, limit)
                guard at < limit else { return nil }
                if open == 0x7B {
                    guard let after = try key(bytes, at: at, below: limit, to: &keys) else { return nil }
                    at = after
                }
                wantsValue = true
            } else if byte == (open == 0x7B ? 0x7D : 0x5D) {
                stack.removeLast()
                keys.removeLast()
                at += 1
                if stack.isEmpty { return at }
            } else {
                throw Fault(code: .malformedJSON, at: at)
            }
        }
        return nil
    }

    private func skipSpace(_ bytes: Span<UInt8>, _ start: Int, _ limit: Int) -> Int {
        var at = start
        while at < limit, bytes[at] == 0x20 || bytes[at] == 0x09 { at += 1 }
        return at
    }

    /// Reads `"key" :`.
    ///
    /// - Throws: `Fault` for a key that the object already has.
    private func key(
        _ bytes: Span<UInt8>, at start: Int, below limit: Int, to keys: inout [JSONKeys]
    ) throws(Fault) -> Int? {
        guard bytes[start] == 0x22 else { throw Fault(code: .malformedJSON, at: start) }
        guard let end = try string(bytes, start, limit) else { return nil }
        let range = start + 1..<end - 1
        var hasEscape = false
        for at in range where bytes[at] == 0x5C { hasEscape = true }
        switch keys[keys.count - 1].insert(bytes, range, hasEscape: hasEscape) {
        case .new: break
        case .duplicate: throw Fault(code: .duplicateKey, at: start)
        case .malformed: throw Fault(code: .malformedJSON, at: start)
        }
        let colon = skipSpace(bytes, end, limit)
        guard colon < limit else { return nil }
        guard bytes[colon] == 0x3A else { throw Fault(code: .malformedJSON, at: colon) }
        return colon + 1
    }

    /// The end of the string at `start`, past its closing quote; nil when it is not visible.
    private func string(_ bytes: Span<UInt8>, _ start: Int, _ limit: Int) throws(Fault) -> Int? {
        var at = start + 1
        var escaped = false
        while at < limit {
            let byte = bytes[at]
            if byte == 0x22 {
                if escaped {
                    var decoded: [UInt8] = []
                    if !decodeJSONString(bytes, start + 1..<at, into: &decoded) {
                        throw Fault(code: .malformedJSON, at: start)
                    }
                }
                return at + 1
            }
            if byte < 0x20 { throw Fault(code: .malformedJSON, at: at) }
            if byte == 0x5C {
                // An escape cannot continue on the next line.
                if at + 1 < limit, bytes[at + 1] < 0x20 { throw Fault(code: .malformedJSON, at: at) }
                escaped = true
                at += 1
            }
            at += 1
        }
        return nil
    }

    private func scalar(_ bytes: Span<UInt8>, _ start: Int, _ limit: Int) throws(Fault) -> Int? {
        if bytes[start] == 0x22 { return try string(bytes, start, limit) }
        let at = Self.endOfScalar(bytes, start, limit)
        if at == limit { return nil }
        if Self.scalarKind(bytes, start, at) == nil { throw Fault(code: .malformedJSON, at: start) }
        return at
    }
}
