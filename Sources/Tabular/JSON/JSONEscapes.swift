/// The byte that a backslash and one letter stand for in JSON (RFC 8259, section 7); nil for an invalid escape and for
/// `u`.
func unescaped(_ letter: UInt8) -> UInt8? {
    switch letter {
    case 0x22, 0x5C, 0x2F: letter
    case 0x62: 0x08
    case 0x66: 0x0C
    case 0x6E: 0x0A
    case 0x72: 0x0D
    case 0x74: 0x09
    default: nil
    }
}

/// The value of a hexadecimal digit in either case.
func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x37
    case 0x61...0x66: byte - 0x57
    default: nil
    }
}

/// Decodes the escapes in the content of a JSON string; false for an invalid escape, a lone surrogate or a control
/// character.
package func decodeJSONString(_ bytes: Span<UInt8>, _ range: Range<Int>, into out: inout [UInt8]) -> Bool {
    func unit(_ at: Int) -> UInt32? {
        guard at + 4 <= range.upperBound else { return nil }
        var value: UInt32 = 0
        for offset in 0..<4 {
            guard let digit = hexadecimalDigit(bytes[at + offset]) else { return nil }
            value = value << 4 | UInt32(digit)
        }
        return value
    }
    var at = range.lowerBound
    while at < range.upperBound {
        let byte = bytes[at]
        if byte != 0x5C {
            if byte < 0x20 { return false }
            out.append(byte)
            at += 1
            continue
        }
        guard at + 1 < range.upperBound else { return false }
        let kind = bytes[at + 1]
        at += 2
        switch kind {
        case 0x75:
            guard var scalar = unit(at) else { return false }
            at += 4
            if scalar & 0xFC00 == 0xD800 {
                guard at + 1 < range.upperBound, bytes[at] == 0x5C, bytes[at + 1] == 0x75, let low = unit(at + 2),
                    low & 0xFC00 == 0xDC00
                else { return false }
                scalar = 0x10000 + (scalar & 0x3FF) << 10 + (low & 0x3FF)
                at += 6
            }
            guard let character = Unicode.Scalar(scalar) else { return false }
            out.append(contentsOf: Array(String(Character(character)).utf8))
        default:
            guard let plain = unescaped(kind) else { return false }
            out.append(plain)
        }
    }
    return true
}

/// JSON text with its remaining escapes replaced by spaces, so that a pattern cannot match the letters of an escape.
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
        // An escaped backslash before n, r or t: the text was escaped twice, and this is a line end or a tab.
        if isBackslash, end < out.count, [0x6E, 0x72, 0x74].contains(out[end]) { end += 1 }
        for place in at..<end { out[place] = 0x20 }
        // An escaped quote still delimits what it encloses.
        if isQuote { out[at + 1] = UInt8(ascii: "'") }
        at = end
    }
    return out
}

/// Whether `\uXXXX` begins at `at`.
private func isUnitEscape(_ text: Span<UInt8>, _ at: Int) -> Bool {
    guard at + 6 <= text.count, text[at] == 0x5C, text[at + 1] == UInt8(ascii: "u") else { return false }
    return (2..<6).allSatisfy { text[at + $0] &- 0x30 < 10 || (text[at + $0] | 0x20) &- 0x61 < 6 }
}

/// The text of a JSON string whose value itself contains `\uXXXX` escapes, because two programs escaped it one after
/// the other.
///
/// Escapes of printable characters are decoded, the others become spaces. nil when the value has no such escape.
package func unescapedTwice(_ text: [UInt8]) -> [UInt8]? {
    guard text.indices.contains(where: { isUnitEscape(text.span, $0) }) else { return nil }
    var out = unescapedJSON(text.span, text.indices) ?? text
    for at in out.indices where isUnitEscape(out.span, at) { for place in at..<at + 6 { out[place] = 0x20 } }
    return out
}

/// Whether a byte can occur in a number: a digit, a sign, a decimal point or an exponent.
@inlinable
package func isNumberPart(_ byte: UInt8) -> Bool {
    byte &- 0x30 < 10 || byte == 0x2D || byte == 0x2B || byte == 0x2E || byte | 0x20 == 0x65
}

/// Whether text is a JSON object or array. Such a cell is searched and masked member by member.
@inlinable
package func isJSONText(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
    if range.count < 2 { return false }
    let first = bytes[range.lowerBound]
    // Brackets are 0x20 apart; white space and a byte order mark may stand before them.
    return (first | 0x20 == 0x7B || first <= 0x20 || first == 0xEF) && isDocument(bytes, range)
}

/// The full check of ``isJSONText(_:_:)``, called only if the first byte fits.
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

/// The source text of a JSON value with `\uXXXX` and `\/` decoded, for searching. Escapes of quotes, backslashes and
/// control characters stay, so that the structure stays. nil when there is nothing to decode.
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
