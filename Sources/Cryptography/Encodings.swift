/// Lower-case hexadecimal.
package func hex(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    text.reserveCapacity(bytes.count * 2)
    for byte in bytes {
        text.append(digits[Int(byte >> 4)])
        text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
}

/// Decodes hexadecimal of either case; nil for an odd number of digits or any other character.
package func bytes(hex text: String) -> [UInt8]? {
    let digits = Array(text.utf8)
    guard digits.count.isMultiple(of: 2) else { return nil }
    func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 48...57: digit - 48
        case 65...70: digit - 55
        case 97...102: digit - 87
        default: nil
        }
    }
    var result: [UInt8] = []
    result.reserveCapacity(digits.count / 2)
    for index in stride(from: 0, to: digits.count, by: 2) {
        guard let high = value(digits[index]), let low = value(digits[index + 1]) else { return nil }
        result.append(high << 4 | low)
    }
    return result
}

/// Base64 (RFC 4648, section 4) with padding.
package func base64(_ bytes: [UInt8]) -> String { String(decoding: encode(bytes.span, url: false), as: UTF8.self) }

/// Base64url (RFC 4648, section 5) without padding.
package func base64URL(_ bytes: [UInt8]) -> String { String(decoding: encode(bytes.span, url: true), as: UTF8.self) }

/// The ASCII bytes of base64url without padding, for secrets whose text the caller must wipe.
package func base64URLText(_ bytes: Span<UInt8>) -> [UInt8] { encode(bytes, url: true) }

/// Decodes base64 with padding; nil unless it is exactly what `base64` writes.
package func bytes(base64 text: String) -> [UInt8]? { decode(Array(text.utf8), url: false) }

/// Decodes base64url without padding; nil unless it is exactly what `base64URL` writes.
package func bytes(base64URL text: String) -> [UInt8]? { decode(Array(text.utf8), url: true) }

/// Decodes base64url straight into `output`, which needs room for three bytes per four digits; false when malformed.
package func decodeBase64URL(_ text: Span<UInt8>, into output: inout OutputSpan<UInt8>) -> Bool {
    decode(text, url: true, into: &output)
}

private func encode(_ bytes: Span<UInt8>, url: Bool) -> [UInt8] {
    let alphabet = Array(
        ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789" + (url ? "-_" : "+/")).utf8)
    var result: [UInt8] = []
    // All capacity is reserved first, so that growing leaves no copies of a secret behind.
    result.reserveCapacity((bytes.count + 2) / 3 * 4)
    var index = 0
    while index < bytes.count {
        let left = min(3, bytes.count - index)
        var group = UInt32(bytes[index]) << 16
        if left > 1 { group |= UInt32(bytes[index + 1]) << 8 }
        if left > 2 { group |= UInt32(bytes[index + 2]) }
        for digit in 0...left { result.append(alphabet[Int(group >> UInt32(18 - 6 * digit) & 63)]) }
        if !url { for _ in left..<3 { result.append(UInt8(ascii: "=")) } }
        index += 3
    }
    return result
}

private func decode(_ text: [UInt8], url: Bool) -> [UInt8]? {
    var digits = text[...]
    if !url {
        guard text.count.isMultiple(of: 4) else { return nil }
        for _ in 0..<2 where digits.last == UInt8(ascii: "=") { digits.removeLast() }
    }
    var good = false
    let result = [UInt8](capacity: digits.count / 4 * 3 + 2) { output in
        good = decode(digits.span, url: url, into: &output)
    }
    return good ? result : nil
}

/// Decodes unpadded digits; refuses other characters, a lone last digit and nonzero padding bits.
private func decode(_ digits: Span<UInt8>, url: Bool, into output: inout OutputSpan<UInt8>) -> Bool {
    var group: UInt32 = 0
    var bits = 0
    for index in digits.indices {
        let value: UInt8
        switch digits[index] {
        case 65...90: value = digits[index] - 65
        case 97...122: value = digits[index] - 71
        case 48...57: value = digits[index] + 4
        case UInt8(ascii: url ? "-" : "+"): value = 62
        case UInt8(ascii: url ? "_" : "/"): value = 63
        default: return false
        }
        group = group << 6 | UInt32(value)
        bits += 6
        if bits >= 8 {
            bits -= 8
            guard output.freeCapacity > 0 else { return false }
            output.append(UInt8(truncatingIfNeeded: group >> UInt32(bits)))
            group &= (1 << UInt32(bits)) - 1
        }
    }
    return bits < 6 && group == 0
}
