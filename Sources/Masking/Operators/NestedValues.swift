import Recognition
import Schemas
import Tabular

extension ValueOperator {
    /// The source of an object or array with the operator applied to each match. The result is valid JSON: a match
    /// inside a string is replaced as text, and a number becomes a string. Member names that would become equal in one
    /// object are numbered. nil if that is impossible: a match spans more than one string, or has an escape in it.
    func maskedJSON(
        _ bytes: Span<UInt8>, _ range: Range<Int>, matches: [EntityMatch],
        code: (Span<UInt8>) -> [UInt8], note: (EntityMatch, Range<Int>, MaskOperator) -> Void
    ) -> [UInt8]? {
        var out: [UInt8] = []
        var names = WrittenNames()
        var isInString = false
        var at = range.lowerBound
        func copy(to end: Int) {
            while at < end {
                if bytes[at] == 0x22 {
                    isInString.toggle()
                    if !isInString, isName(bytes, at + 1, range.upperBound) { names.close(&out) }
                    if isInString { names.start(out.count + 1) }
                } else if !isInString {
                    names.pass(bytes[at])
                }
                // An escape is kept whole, even if a match seems to begin with its last characters.
                let length = bytes[at] == UInt8(ascii: "\\") ? bytes[at + 1] == UInt8(ascii: "u") ? 6 : 2 : 1
                for _ in 0..<min(length, range.upperBound - at) {
                    out.append(bytes[at])
                    at += 1
                }
            }
        }
        for match in matches {
            copy(to: match.start)
            if at >= match.end { continue }
            let found = at..<match.end
            var value: [UInt8] = []
            let done: MaskOperator
            if found.contains(where: { bytes[$0] == 0x22 || bytes[$0] == UInt8(ascii: "\\") }) {
                // Escapes can be decoded only if the match is a whole string.
                var text: [UInt8] = []
                guard isInString, names.isAtStart(out.count), isString(bytes, found, range.upperBound),
                    decodeJSONString(bytes, found, into: &text)
                else { return nil }
                done = apply(toAllOf: text, entity: match.entity.name, into: &value, code: code)
            } else {
                done = apply(bytes.extracting(found), entity: match.entity.name, into: &value, code: code)
            }
            var text: [UInt8] = []
            appendJSONString(value, &text)
            if isInString {
                names.isChanged = true
                note(match, out.count..<out.count + text.count - 2, done)
                out += text.dropFirst().dropLast()
            } else {
                // Only a whole number, with its sign, can become a string.
                guard isNumberPart(bytes[match.start]) else { return nil }
                if out.last == UInt8(ascii: "-") { out.removeLast() }
                let isWhole =
                    out.last.map { !isNumberPart($0) } ?? true
                    && (match.end >= range.upperBound || !isNumberPart(bytes[match.end]))
                guard isWhole else { return nil }
                note(match, out.count + 1..<out.count + text.count - 1, done)
                out += text
            }
            at = match.end
        }
        copy(to: range.upperBound)
        return out
    }
}

/// Whether a match inside a string ends at the string's closing quote.
private func isString(_ bytes: Span<UInt8>, _ found: Range<Int>, _ end: Int) -> Bool {
    guard found.upperBound < end, bytes[found.upperBound] == 0x22 else { return false }
    var at = found.lowerBound
    while at < found.upperBound, bytes[at] != 0x22 { at += bytes[at] == UInt8(ascii: "\\") ? 2 : 1 }
    return at == found.upperBound
}

/// Whether the string that ends before a place is the name of a member.
private func isName(_ bytes: Span<UInt8>, _ from: Int, _ end: Int) -> Bool {
    var at = from
    while at < end, bytes[at] <= 0x20 { at += 1 }
    return at < end && bytes[at] == UInt8(ascii: ":")
}

/// Names of members while a document is written.
private struct WrittenNames {
    /// For each open object or array, its names so far, and whether a name was masked.
    private var open: [[[UInt8]: Bool]] = [[:]]
    /// For each open object or array, the last number of each name that was repeated.
    private var numbers: [[[UInt8]: Int]] = [[:]]
    /// The start of the current string's text, and whether something was masked in it.
    private var stringStart = 0
    var isChanged = false

    /// Begins a string.
    mutating func start(_ place: Int) {
        stringStart = place
        isChanged = false
    }

    /// Whether the current string begins at an offset.
    func isAtStart(_ place: Int) -> Bool { place == stringStart }

    /// Takes a byte outside of strings.
    mutating func pass(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            open.append([:])
            numbers.append([:])
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            if open.count > 1 {
                open.removeLast()
                numbers.removeLast()
            }
        default: break
        }
    }

    /// Ends a name, and appends a number if masking made it equal to another name of the object.
    mutating func close(_ out: inout [UInt8]) {
        // One name may be written with different escapes.
        var plain = Array(out[stringStart...])
        if plain.contains(0x5C), case .string(let text)? = try? JSONValue.parse([0x22] + plain + [0x22]) {
            plain = Array(text.utf8)
        }
        let last = open.count - 1
        var name = plain
        while let other = open[last][name], isChanged || other || name.count > plain.count {
            let number = numbers[last][plain, default: 1] + 1
            numbers[last][plain] = number
            name = plain + "_\(number)".utf8
        }
        out += name.dropFirst(plain.count)
        open[last][name] = isChanged || name.count > plain.count
    }
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
