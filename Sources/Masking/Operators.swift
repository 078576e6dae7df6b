package import Recognition
package import Schemas

/// How the bytes of a token are written.
package enum TokenAlphabet: Sendable {
    /// 32 lower-case hexadecimal digits.
    case hexadecimal
    /// 26 lower-case letters and digits 2 to 7 (RFC 4648 without padding).
    case base32
}

/// The replacing of one value by less: a contract's rule made ready to be applied cell by cell.
///
/// Whatever it does it appends to the output; it never splits a UTF-8 scalar. There is no unkeyed hash: a token needs a
/// keyed code, which the caller makes, because this file knows no keys.
/// A class: a struct of its size is copied, text by text, each time it is asked to work.
package final class ValueOperator: Sendable {
    private let operation: MaskOperator
    private let replacement: [UInt8]?
    private let maskCharacter: [UInt8]
    private let keepFirst: Int
    private let keepLast: Int
    private let prefix: [UInt8]
    private let alphabet: TokenAlphabet

    /// Makes the operator of a rule.
    package init(_ rule: PIIRule, alphabet: TokenAlphabet = .hexadecimal) {
        operation = rule.operation
        replacement = rule.replacement.map { Array($0.utf8) }
        maskCharacter = rule.maskCharacter.isEmpty ? [UInt8(ascii: "*")] : Array(rule.maskCharacter.utf8)
        keepFirst = max(0, rule.keepFirst)
        keepLast = max(0, rule.keepLast)
        prefix = Array(rule.prefix.utf8)
        self.alphabet = alphabet
    }

    /// Whether `apply` will ask for a keyed code.
    package var needsCode: Bool { operation == .tokenize }

    /// Appends what stands for the value in `range`; `entity` names it, `code` is HMAC-SHA-256 under the token key.
    ///
    /// `drop` writes nothing here: the writer of the row leaves the column out.
    package func apply(
        _ bytes: Span<UInt8>, _ range: Range<Int>, entity: String, into out: inout [UInt8],
        code: (Span<UInt8>) -> [UInt8]
    ) {
        switch operation {
        case .redact, .drop: break
        case .replace: writeReplacement(entity: entity, text: replacement, into: &out)
        case .mask:
            writeMasked(
                bytes, range, character: maskCharacter, keepFirst: keepFirst, keepLast: keepLast, into: &out)
        case .truncate: writeTruncated(bytes, range, keepFirst: keepFirst, into: &out)
        case .tokenize:
            writeToken(code: code(bytes.extracting(range)), prefix: prefix, alphabet: alphabet, into: &out)
        }
    }

    /// Appends the text in `range` with the operator applied to each match; all other bytes stay as they are.
    ///
    /// `matches` are the scanner's for this range: in order and without overlaps.
    package func apply(
        _ bytes: Span<UInt8>, _ range: Range<Int>, matches: some Collection<EntityMatch>, into out: inout [UInt8],
        code: (Span<UInt8>) -> [UInt8]
    ) {
        var at = range.lowerBound
        for match in matches {
            precondition(match.start >= at && match.end <= range.upperBound, "matches out of order or of range")
            append(bytes, at..<match.start, &out)
            apply(bytes, match.range, entity: match.entity.name, into: &out, code: code)
            at = match.end
        }
        append(bytes, at..<range.upperBound, &out)
    }
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

/// Appends the value with `character` in the place of every Unicode scalar but the first and the last few.
///
/// A value no longer than what would be kept is overwritten wholly: keeping it would mask nothing.
package func writeMasked(
    _ bytes: Span<UInt8>, _ range: Range<Int>, character: [UInt8], keepFirst: Int, keepLast: Int,
    into out: inout [UInt8]
) {
    let length = scalarCount(bytes, range)
    let keepsSome = length - keepFirst > keepLast
    let (first, last) = keepsSome ? (keepFirst, keepLast) : (0, 0)
    let hiddenStart = offset(ofScalar: first, bytes, range)
    let hiddenEnd = offset(ofScalar: length - last, bytes, range)
    append(bytes, range.lowerBound..<hiddenStart, &out)
    let hidden = length - first - last
    if character.count == 1 {
        let byte = character[0]
        for _ in 0..<hidden { out.append(byte) }
    } else {
        for _ in 0..<hidden { out += character }
    }
    append(bytes, hiddenEnd..<range.upperBound, &out)
}

/// Appends the first `keepFirst` Unicode scalars.
package func writeTruncated(_ bytes: Span<UInt8>, _ range: Range<Int>, keepFirst: Int, into out: inout [UInt8]) {
    append(bytes, range.lowerBound..<offset(ofScalar: max(0, keepFirst), bytes, range), &out)
}

/// Appends `prefix` and the first 16 bytes of `code`, which is a keyed one: 128 bits keep tokens apart.
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

private func hexadecimalDigit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }

private func base32Digit(_ value: UInt8) -> UInt8 { value < 26 ? 0x61 + value : 0x18 + value }

private func append(_ bytes: Span<UInt8>, _ range: Range<Int>, _ out: inout [UInt8]) {
    for at in range { out.append(bytes[at]) }
}

/// Whether a Unicode scalar starts at `at`; bytes that are no UTF-8 belong to what stands before them.
private func startsScalar(_ bytes: Span<UInt8>, _ at: Int, _ range: Range<Int>) -> Bool {
    at == range.lowerBound || bytes[at] & 0xC0 != 0x80
}

private func scalarCount(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int {
    var count = 0
    for at in range where startsScalar(bytes, at, range) { count += 1 }
    return count
}

/// Where the scalar with number `index` starts, from 0; the end of the range when there are no more.
private func offset(ofScalar index: Int, _ bytes: Span<UInt8>, _ range: Range<Int>) -> Int {
    var left = index
    for at in range where startsScalar(bytes, at, range) {
        if left == 0 { return at }
        left -= 1
    }
    return range.upperBound
}
