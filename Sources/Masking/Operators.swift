import Cryptography
package import Recognition
package import Schemas
import Validating

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
    private let keepsFormat: Bool
    private let maxDays: Int
    private let part: PIIRule.Part?
    private let bucket: Double
    private let alphabet: TokenAlphabet
    private let normalizes: Bool, country: String?
    /// What the values are, and how numbers among them are written.
    private let type: FieldType, style: Numbers.Style

    /// Makes the operator of a rule for values of a field; without one they are texts.
    package init(_ rule: PIIRule, of field: Field? = nil, alphabet: TokenAlphabet = .hexadecimal) {
        type = field?.type ?? .string(.default)
        style = field.map(Numbers.Style.init) ?? Numbers.Style()
        operation = rule.operation
        replacement = rule.replacement.map { Array($0.utf8) }
        maskCharacter = rule.maskCharacter.isEmpty ? [UInt8(ascii: "*")] : Array(rule.maskCharacter.utf8)
        keepFirst = max(0, rule.keepFirst)
        keepLast = max(0, rule.keepLast)
        prefix = Array(rule.prefix.utf8)
        self.alphabet = alphabet
        keepsFormat = rule.keepsFormat
        maxDays = rule.maxDays
        part = rule.part
        bucket = rule.bucket ?? 1
        (normalizes, country) = (rule.normalizes, rule.country)
    }

    /// Whether `apply` will ask for a keyed code.
    package var needsCode: Bool { [.tokenize, .encrypt, .dateShift].contains(operation) }

    /// Appends what stands for the value in `range`; `entity` names it. `code` is, by the operator, HMAC-SHA-256 of the value under the
    /// token key, its sealed bytes, or HMAC-SHA-256 of the row's subject; empty when the row has no subject. Where an operator cannot do
    /// its work, the entity's name stands for the value, and what comes back is `replace`; else it is the operator.
    ///
    /// `drop` writes nothing here: the writer of the row leaves the column out.
    ///
    /// - Parameter isNative: whether it is a number of JSON, which has no marks of the field's.
    @discardableResult
    package func apply(
        _ bytes: Span<UInt8>, _ range: Range<Int>, entity: String, isNative: Bool = false, into out: inout [UInt8],
        code: (Span<UInt8>) -> [UInt8]
    ) -> MaskOperator {
        func replaced() -> MaskOperator {
            writeReplacement(entity: entity, text: nil, into: &out)
            return .replace
        }
        switch operation {
        case .redact, .drop, .suppress: break
        case .replace: writeReplacement(entity: entity, text: replacement, into: &out)
        case .mask:
            writeMasked(
                bytes, range, character: maskCharacter, keepFirst: keepFirst, keepLast: keepLast,
                keepsFormat: keepsFormat,
                into: &out)
        case .truncate: writeTruncated(bytes, range, keepFirst: keepFirst, into: &out)
        case .tokenize:
            let code = coded(bytes, range, entity, code)
            writeToken(code: code, prefix: prefix, alphabet: alphabet, into: &out)
        case .encrypt:
            let sealed = coded(bytes, range, entity, code)
            if sealed.isEmpty { return replaced() }
            out += prefix
            out += base64URLText(sealed.span)
        case .dateShift:
            let code = code(bytes.extracting(range))
            let isShifted =
                code.count >= 8
                && writeShiftedDate(bytes, range, of: type, days: Self.days(code, maxDays), into: &out)
            if !isShifted { return replaced() }
        case .generalize:
            if !writeCoarse(bytes, range, isNative: isNative, into: &out) { return replaced() }
        }
        return operation
    }

    /// The code of a value, in its one spelling where the rule asks for that.
    private func coded(
        _ bytes: Span<UInt8>, _ range: Range<Int>, _ entity: String, _ code: (Span<UInt8>) -> [UInt8]
    ) -> [UInt8] {
        if !normalizes { return code(bytes.extracting(range)) }
        let text = oneSpelling(bytes, range, of: Entity(name: entity), country: country)
        return code(text.span)
    }

    /// The same for a text in which something was found that has no place of its own there: of such a one nothing is kept.
    package func apply(
        toAllOf text: [UInt8], entity: String, into out: inout [UInt8], code: (Span<UInt8>) -> [UInt8]
    ) -> MaskOperator {
        switch operation {
        case .mask, .truncate, .generalize, .dateShift:
            writeReplacement(entity: entity, text: nil, into: &out)
            return .replace
        default: return apply(text.span, text.indices, entity: entity, into: &out, code: code)
        }
    }

    /// Days from −`most` to `most`, never 0, by a code.
    private static func days(_ code: [UInt8], _ most: Int) -> Int {
        let word = code.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let days = Int(word % UInt64(2 * most)) - most
        return days >= 0 ? days + 1 : days
    }

    /// Appends the coarse part of a value; false when it has none.
    private func writeCoarse(
        _ bytes: Span<UInt8>, _ range: Range<Int>, isNative: Bool, into out: inout [UInt8]
    ) -> Bool {
        switch part {
        case .year, .month: return writeDatePart(bytes, range, of: type, isMonth: part == .month, into: &out)
        case .country:
            guard let country = countryPart(bytes, range) else { return false }
            append(bytes, country, &out)
            return true
        case nil:
            let isPlain = isNative || style.isPlain
            return writeBucket(
                isPlain ? range.map { bytes[$0] } : Numbers.plain(bytes, range, style),
                decimal: isPlain ? [0x2E] : style.decimal, into: &out)
        }
    }

    /// Appends the lower edge of a number's bucket, with as many decimals as the width has; false when it is no number, or so large that
    /// its bucket cannot be told exactly.
    private func writeBucket(_ text: [UInt8], decimal: [UInt8], into out: inout [UInt8]) -> Bool {
        guard let value = Double(String(decoding: text, as: UTF8.self)), value.isFinite else { return false }
        var (decimals, scaled) = (0, bucket)
        while scaled != scaled.rounded(), decimals < 9 {
            decimals += 1
            scaled = (bucket * [1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9][decimals - 1]).rounded(.toNearestOrEven)
            if abs(scaled / [1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9][decimals - 1] - bucket) > bucket * 1e-12 {
                scaled = 0.5
            }
        }
        let share = value / bucket
        // A multiple of the width is its own bucket, whatever the binary fractions of both are.
        let nearest = share.rounded()
        let count = abs(share - nearest) <= 1e-9 * max(1, abs(share)) ? nearest : share.rounded(.down)
        let edge = count * scaled
        guard scaled == scaled.rounded(), abs(share) < 9e12, abs(edge) < 9e15 else { return false }
        let digits = String(abs(Int(edge)))
        if edge < 0 { out.append(UInt8(ascii: "-")) }
        if decimals == 0 {
            out += digits.utf8
            return true
        }
        let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.utf8.count)) + digits
        out += padded.dropLast(decimals).utf8
        out += decimal
        out += padded.suffix(decimals).utf8
        return true
    }

    /// Appends the text in `range` with the operator applied to each match; all other bytes stay as they are.
    ///
    /// `matches` are the scanner's for this range: in order and without overlaps. `note` is told where in the output each one's stands,
    /// and what was done.
    package func apply(
        _ bytes: Span<UInt8>, _ range: Range<Int>, matches: some Collection<EntityMatch>, into out: inout [UInt8],
        code: (Span<UInt8>) -> [UInt8], note: (EntityMatch, Range<Int>, MaskOperator) -> Void = { _, _, _ in }
    ) {
        var at = range.lowerBound
        for match in matches {
            precondition(match.start >= at && match.end <= range.upperBound, "matches out of order or of range")
            append(bytes, at..<match.start, &out)
            let start = out.count
            let done = apply(bytes, match.range, entity: match.entity.name, into: &out, code: code)
            note(match, start..<out.count, done)
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
    keepsFormat: Bool = false,
    into out: inout [UInt8]
) {
    let length = scalarCount(bytes, range)
    let keepsSome = length - keepFirst > keepLast
    let (first, last) = keepsSome ? (keepFirst, keepLast) : (0, 0)
    let hiddenStart = offset(ofScalar: first, bytes, range)
    let hiddenEnd = offset(ofScalar: length - last, bytes, range)
    append(bytes, range.lowerBound..<hiddenStart, &out)
    if keepsFormat {
        var isWithin = false
        for at in hiddenStart..<hiddenEnd {
            let byte = bytes[at]
            let isPart = isLetterOrDigit(byte)
            // The rest of a scalar goes with its first byte.
            if byte & 0xC0 == 0x80, isWithin { continue }
            isWithin = byte >= 0xC0
            if isPart { out += character } else { out.append(byte) }
        }
        append(bytes, hiddenEnd..<range.upperBound, &out)
        return
    }
    let hidden = length - first - last
    if character.count == 1 {
        let byte = character[0]
        for _ in 0..<hidden { out.append(byte) }
    } else {
        for _ in 0..<hidden { out += character }
    }
    append(bytes, hiddenEnd..<range.upperBound, &out)
}

/// Letters of any script, and digits.
private func isLetterOrDigit(_ byte: UInt8) -> Bool {
    byte >= 0xC0 || byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26
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
