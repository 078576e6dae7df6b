/// The alphabet in which the bytes of a token are written.
package enum TokenAlphabet: Sendable {
    /// 32 lower-case hexadecimal digits.
    case hexadecimal
    /// 26 lower-case letters and digits 2 to 7 (RFC 4648 without padding).
    case base32
}

/// Appends `<ENTITY>`, or the declared text.
package func writeReplacement(entity: String, text: [UInt8]?, into out: inout [UInt8]) {
    if let text {
        out += text
        return
    }
    out.append(UInt8(ascii: "<"))
    out += entity.utf8
    out.append(UInt8(ascii: ">"))
}

/// Replaces every Unicode scalar of a value, except the first and last few, by one character.
///
/// A value that is not longer than the kept parts is overwritten completely, since otherwise nothing would be masked.
package struct Overwriting: Sendable {
    /// The character, in UTF-8.
    let character: [UInt8]
    /// Numbers of scalars that are kept at the beginning and at the end.
    let keepFirst: Int, keepLast: Int
    /// Whether only letters and digits are overwritten.
    let keepsFormat: Bool

    /// An overwriting that keeps these numbers of scalars.
    package init(character: [UInt8], keepFirst: Int, keepLast: Int, keepsFormat: Bool = false) {
        self.character = character
        self.keepFirst = keepFirst
        self.keepLast = keepLast
        self.keepsFormat = keepsFormat
    }

    /// Appends the overwritten value.
    package func write(_ bytes: Span<UInt8>, into out: inout [UInt8]) {
        let range = bytes.indices
        let length = scalarCount(bytes, range)
        let keepsSome = length - keepFirst > keepLast
        let (first, last) = keepsSome ? (keepFirst, keepLast) : (0, 0)
        let hiddenStart = offset(ofScalar: first, bytes, range)
        let hiddenEnd = offset(ofScalar: length - last, bytes, range)
        appendBytes(bytes, range.lowerBound..<hiddenStart, &out)
        if keepsFormat {
            var isWithin = false
            for at in hiddenStart..<hiddenEnd {
                let byte = bytes[at]
                let isPart = isLetterOrDigit(byte)
                // A scalar is overwritten once, at its first byte.
                if byte & 0xC0 == 0x80, isWithin { continue }
                isWithin = byte >= 0xC0
                if isPart { out += character } else { out.append(byte) }
            }
            appendBytes(bytes, hiddenEnd..<range.upperBound, &out)
            return
        }
        let hidden = length - first - last
        if character.count == 1 {
            let byte = character[0]
            for _ in 0..<hidden { out.append(byte) }
        } else {
            for _ in 0..<hidden { out += character }
        }
        appendBytes(bytes, hiddenEnd..<range.upperBound, &out)
    }
}

/// Letters of any script, and digits.
private func isLetterOrDigit(_ byte: UInt8) -> Bool {
    byte >= 0xC0 || byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26
}

/// Appends the first `keepFirst` Unicode scalars.
package func writeTruncated(_ bytes: Span<UInt8>, _ range: Range<Int>, keepFirst: Int, into out: inout [UInt8]) {
    appendBytes(bytes, range.lowerBound..<offset(ofScalar: max(0, keepFirst), bytes, range), &out)
}

/// Appends `prefix` and the first 16 bytes of a keyed code: with 128 bits collisions are negligible.
package func writeToken(code: [UInt8], prefix: [UInt8], alphabet: TokenAlphabet, into out: inout [UInt8]) {
    precondition(code.count >= 16, "a token needs a code of at least 16 bytes")
    out += prefix
    switch alphabet {
    case .hexadecimal:
        for byte in code.prefix(16) {
            out.append(hexadecimalDigit(byte >> 4))
            out.append(hexadecimalDigit(byte & 15))
        }
    case .base32:
        var buffer: UInt32 = 0
        var bits: UInt32 = 0
        for byte in code.prefix(16) {
            buffer = buffer << 8 | UInt32(byte)
            bits += 8
            while bits >= 5 {
                bits -= 5
                out.append(base32Digit(UInt8(truncatingIfNeeded: buffer >> bits) & 31))
            }
            buffer &= (1 << bits) - 1
        }
        out.append(base32Digit(UInt8(truncatingIfNeeded: buffer << (5 - bits)) & 31))
    }
}

/// The lower-case hexadecimal digit of a value below 16.
@inline(__always)
func hexadecimalDigit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 &+ value : 0x57 &+ value }

private func base32Digit(_ value: UInt8) -> UInt8 { value < 26 ? 0x61 + value : 0x18 + value }

func appendBytes(_ bytes: Span<UInt8>, _ range: Range<Int>, _ out: inout [UInt8]) {
    for at in range { out.append(bytes[at]) }
}

/// Whether a Unicode scalar starts at `at`; a stray continuation byte belongs to the scalar before it.
private func startsScalar(_ bytes: Span<UInt8>, _ at: Int, _ range: Range<Int>) -> Bool {
    at == range.lowerBound || bytes[at] & 0xC0 != 0x80
}

private func scalarCount(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int {
    var count = 0
    for at in range where startsScalar(bytes, at, range) { count += 1 }
    return count
}

/// The offset of the scalar with number `index`, from 0; the end of the range if there are fewer.
private func offset(ofScalar index: Int, _ bytes: Span<UInt8>, _ range: Range<Int>) -> Int {
    var left = index
    for at in range where startsScalar(bytes, at, range) {
        if left == 0 { return at }
        left -= 1
    }
    return range.upperBound
}
