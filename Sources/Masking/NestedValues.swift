import Recognition

/// The source of an object or array with what was found in it changed in place, so that it stays one: inside a string as text of it, and
/// a number becomes a string. Nil where that cannot be done: a match goes beyond one string, or has an escape in it.
func maskedJSON(
    _ bytes: Span<UInt8>, _ range: Range<Int>, _ matches: [EntityMatch], _ operation: ValueOperator,
    _ code: (Span<UInt8>) -> [UInt8], note: (EntityMatch, Range<Int>) -> Void
) -> [UInt8]? {
    var out: [UInt8] = []
    var isInString = false
    var at = range.lowerBound
    for match in matches {
        while at < match.start {
            if bytes[at] == 0x22 { isInString.toggle() }
            // An escape stays whole, also where its last letters look like the beginning of what was found.
            let length = bytes[at] == UInt8(ascii: "\\") ? bytes[at + 1] == UInt8(ascii: "u") ? 6 : 2 : 1
            for _ in 0..<length {
                out.append(bytes[at])
                at += 1
            }
        }
        if at >= match.end { continue }
        let found = at..<match.end
        for place in found where bytes[place] == 0x22 || bytes[place] == UInt8(ascii: "\\") { return nil }
        var value: [UInt8] = []
        operation.apply(bytes, found, entity: match.entity.name, into: &value, code: code)
        var text: [UInt8] = []
        appendJSONString(value, &text)
        if isInString {
            note(match, out.count..<out.count + text.count - 2)
            out += text.dropFirst().dropLast()
        } else {
            // Only a whole number can be a string instead; its sign goes with it.
            if out.last == UInt8(ascii: "-") { out.removeLast() }
            let isWhole =
                out.last.map { !isNumberByte($0) } ?? true
                && (match.end >= range.upperBound || !isNumberByte(bytes[match.end]))
            guard isWhole else { return nil }
            note(match, out.count + 1..<out.count + text.count - 1)
            out += text
        }
        at = match.end
    }
    for place in at..<range.upperBound { out.append(bytes[place]) }
    return out
}

/// Part of a JSON number.
private func isNumberByte(_ byte: UInt8) -> Bool {
    byte &- 0x30 < 10 || byte == 0x2D || byte == 0x2B || byte == 0x2E || byte | 0x20 == 0x65
}

/// Appends a JSON string.
func appendJSONString(_ value: [UInt8], _ out: inout [UInt8]) {
    out.append(0x22)
    var isPlain = true
    for byte in value where byte < 0x20 || byte == 0x22 || byte == 0x5C { isPlain = false }
    if isPlain {
        out.append(contentsOf: value)
        out.append(0x22)
        return
    }
    let digits = Array("0123456789abcdef".utf8)
    for byte in value {
        switch byte {
        case 0x22, 0x5C:
            out.append(0x5C)
            out.append(byte)
        case 0..<0x20:
            out.append(contentsOf: [0x5C, 0x75, 0x30, 0x30, digits[Int(byte >> 4)], digits[Int(byte & 15)]])
        default: out.append(byte)
        }
    }
    out.append(0x22)
}
