import Cryptography
package import Recognition
package import Schemas
import Validating

/// Replaces a value by one that reveals less: a masking rule, prepared to be applied cell by cell.
///
/// It appends to the output and never splits a UTF-8 scalar. There is no unkeyed hash: a token needs a keyed code,
/// which the caller computes, since this type has no keys. A class, since a struct of its size would be copied for each
/// value.
package final class ValueOperator: Sendable {
    private let operation: MaskOperator
    private let replacement: [UInt8]?
    private let overwriting: Overwriting
    private let prefix: [UInt8]
    private let maxDays: Int
    private let part: PIIRule.Part?
    private let bucket: Double
    private let alphabet: TokenAlphabet
    let normalizes: Bool, country: String?
    /// The type of the values, and the style of their numbers.
    private let type: FieldType, style: Numbers.Style

    /// The operator of a rule for values of a field, or for texts.
    package init(_ rule: PIIRule, of field: Field? = nil, alphabet: TokenAlphabet = .hexadecimal) {
        type = field?.type ?? .string(.default)
        style = field.map(Numbers.Style.init) ?? Numbers.Style()
        operation = rule.operation
        replacement = rule.replacement.map { Array($0.utf8) }
        overwriting = Overwriting(
            character: rule.maskCharacter.isEmpty ? [UInt8(ascii: "*")] : Array(rule.maskCharacter.utf8),
            keepFirst: max(0, rule.keepFirst), keepLast: max(0, rule.keepLast), keepsFormat: rule.keepsFormat)
        prefix = Array(rule.prefix.utf8)
        self.alphabet = alphabet
        maxDays = rule.maxDays
        part = rule.part
        bucket = rule.bucket ?? 1
        (normalizes, country) = (rule.normalizes, rule.country)
    }

    /// The operator in the form that is written in place; nil for others.
    var plain: PlainOperator? {
        switch operation {
        case .tokenize where alphabet == .hexadecimal && !normalizes: .token(prefix: prefix)
        case .mask where overwriting.character.count == 1 && !overwriting.keepsFormat:
            .overwrite(overwriting.character[0], first: overwriting.keepFirst, last: overwriting.keepLast)
        default: nil
        }
    }

    /// Appends the replacement of a value of the entity.
    ///
    /// `drop` writes nothing here: the writer of the row leaves the column out.
    ///
    /// - Parameters:
    ///   - isNative: whether the value is a JSON number, which is not written in the field's style.
    ///   - code: depending on the operator, HMAC-SHA-256 of the value under the token key, its sealed bytes, or
    ///     HMAC-SHA-256 of the row's subject; empty if the row has no subject.
    /// - Returns: the operator, or `replace` if the operator could not change the value and the entity's name replaces
    ///   it.
    @discardableResult
    package func apply(
        _ text: Span<UInt8>, entity: String, isNative: Bool = false, into out: inout [UInt8],
        code: (Span<UInt8>) -> [UInt8]
    ) -> MaskOperator {
        func replaced() -> MaskOperator {
            writeReplacement(entity: entity, text: nil, into: &out)
            return .replace
        }
        switch operation {
        case .redact, .drop, .suppress: break
        case .replace: writeReplacement(entity: entity, text: replacement, into: &out)
        case .mask: overwriting.write(text, into: &out)
        case .truncate: writeTruncated(text, text.indices, keepFirst: overwriting.keepFirst, into: &out)
        case .tokenize: writeToken(code: coded(text, entity, code), prefix: prefix, alphabet: alphabet, into: &out)
        case .encrypt:
            let sealed = coded(text, entity, code)
            if sealed.isEmpty { return replaced() }
            out += prefix
            out += base64URLText(sealed.span)
        case .dateShift:
            let code = code(text)
            let isShifted =
                code.count >= 8
                && writeShiftedDate(text, text.indices, of: type, days: Self.days(code, maxDays), into: &out)
            if !isShifted { return replaced() }
        case .generalize:
            if !writeCoarse(text, isNative: isNative, into: &out) { return replaced() }
        }
        return operation
    }

    /// The code of a value, in its canonical spelling if the rule normalises values.
    private func coded(_ text: Span<UInt8>, _ entity: String, _ code: (Span<UInt8>) -> [UInt8]) -> [UInt8] {
        if !normalizes { return code(text) }
        return code(oneSpelling(text, text.indices, of: Entity(name: entity), country: country).span)
    }

    /// Appends the replacement of a whole text in which the exact place of a match is unknown, so that nothing of it is
    /// kept.
    package func apply(
        toAllOf text: [UInt8], entity: String, into out: inout [UInt8], code: (Span<UInt8>) -> [UInt8]
    ) -> MaskOperator {
        switch operation {
        case .mask, .truncate, .generalize, .dateShift:
            writeReplacement(entity: entity, text: nil, into: &out)
            return .replace
        default: return apply(text.span, entity: entity, into: &out, code: code)
        }
    }

    /// Days from −`most` to `most`, never 0, derived from a keyed code.
    private static func days(_ code: [UInt8], _ most: Int) -> Int {
        let word = code.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let days = Int(word % UInt64(2 * most)) - most
        return days >= 0 ? days + 1 : days
    }

    /// Appends the coarse value; false if there is none.
    private func writeCoarse(_ bytes: Span<UInt8>, isNative: Bool, into out: inout [UInt8]) -> Bool {
        let range = bytes.indices
        switch part {
        case .year, .month: return writeDatePart(bytes, range, of: type, isMonth: part == .month, into: &out)
        case .country:
            guard let country = countryPart(bytes, range) else { return false }
            appendBytes(bytes, country, &out)
            return true
        case nil:
            let isPlain = isNative || style.isPlain
            return writeBucket(
                isPlain ? range.map { bytes[$0] } : Numbers.plain(bytes, range, style),
                decimal: isPlain ? [0x2E] : style.decimal, into: &out)
        }
    }

    /// Appends the lower edge of a number's bucket, with as many decimals as the width has; false if the value is not a
    /// number, or too large for an exact bucket.
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
        // A multiple of the width is the edge of its own bucket, despite the rounding of binary fractions.
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
    /// - Parameters:
    ///   - matches: the scanner's for this range, in order and without overlaps.
    ///   - note: called with each match, the range of its replacement in the output, and the operator that wrote it.
    package func apply(
        _ bytes: Span<UInt8>, _ range: Range<Int>, matches: some Collection<EntityMatch>, into out: inout [UInt8],
        code: (Span<UInt8>) -> [UInt8], note: (EntityMatch, Range<Int>, MaskOperator) -> Void = { _, _, _ in }
    ) {
        var at = range.lowerBound
        for match in matches {
            precondition(match.start >= at && match.end <= range.upperBound, "matches out of order or of range")
            appendBytes(bytes, at..<match.start, &out)
            let start = out.count
            let done = apply(bytes.extracting(match.range), entity: match.entity.name, into: &out, code: code)
            note(match, start..<out.count, done)
            at = match.end
        }
        appendBytes(bytes, at..<range.upperBound, &out)
    }
}
