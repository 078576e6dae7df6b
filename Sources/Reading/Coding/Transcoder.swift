package import Tabular

/// Converts text to UTF-8, piece by piece.
///
/// A unit that is no character becomes a byte that UTF-8 never contains, so that only its row is rejected, as
/// `encoding-error`: `TextEncoding.badUnit` for a whole unit, `lonelyByte` for each byte of a unit that the end of the
/// file cuts off. A lone surrogate becomes three bytes that UTF-8 forbids (RFC 3629, section 3).
package struct Transcoder: Sendable {
    private let encoding: TextEncoding
    /// Bytes of an incomplete character.
    private var rest: [UInt8] = []

    /// A transcoder for an encoding whose byte order is known; nil for UTF-8, which needs none.
    package init?(_ encoding: TextEncoding) {
        precondition(encoding != .utf16 && encoding != .utf32, "the byte order is settled by the mark")
        if encoding == .utf8 { return nil }
        self.encoding = encoding
    }

    /// Windows-1252's characters for 0x80 to 0x9F; 0 where it has none.
    private static let specials: [UInt32] = [
        0x20AC, 0, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017D, 0,
        0, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0, 0x017E,
        0x0178,
    ]

    /// Appends `bytes` as UTF-8.
    ///
    /// - Parameters:
    ///   - bytes: the next piece.
    ///   - isFinal: whether it is the last, so that an incomplete character is not kept for the next call.
    ///   - out: the text is appended here.
    package mutating func append(_ bytes: Span<UInt8>, isFinal: Bool, to out: inout [UInt8]) {
        switch encoding {
        case .latin1, .windows1252: single(bytes, &out)
        default: wide(bytes, isFinal, &out)
        }
    }

    private func single(_ bytes: Span<UInt8>, _ out: inout [UInt8]) {
        let specials = Self.specials.span
        let isLatin = encoding == .latin1
        out.reserveCapacity(out.count + bytes.count + bytes.count / 8)
        for at in bytes.indices {
            let byte = bytes[at]
            if byte < 0x80 {
                out.append(byte)
            } else if isLatin || byte >= 0xA0 {
                out.append(0xC0 | byte >> 6)
                out.append(0x80 | byte & 0x3F)
            } else {
                let scalar = specials[Int(byte) - 0x80]
                if scalar == 0 { out.append(TextEncoding.badUnit) } else { Self.write(scalar, &out) }
            }
        }
    }

    private mutating func wide(_ bytes: Span<UInt8>, _ isFinal: Bool, _ out: inout [UInt8]) {
        let unit = encoding.unit
        var at = 0
        // A character that began in the piece before.
        while !rest.isEmpty, at < bytes.count {
            rest.append(bytes[at])
            at += 1
            let kept = rest
            rest = []
            let used = decode(kept.span, 0, isFinal: false, &out)
            if used == 0 { rest = kept } else if used < kept.count { rest = Array(kept[used...]) }
        }
        while at + unit <= bytes.count {
            let used = decode(bytes, at, isFinal: false, &out)
            if used == 0 { break }
            at += used
        }
        while at < bytes.count {
            rest.append(bytes[at])
            at += 1
        }
        if !isFinal { return }
        let kept = rest
        rest = []
        at = 0
        while at < kept.count {
            let used = kept.count - at >= unit ? decode(kept.span, at, isFinal: true, &out) : 0
            if used == 0 { out.append(TextEncoding.lonelyByte) }
            at += max(used, 1)
        }
    }

    /// Decodes the character at an offset.
    ///
    /// - Returns: how many bytes it took; 0 when it is incomplete.
    private func decode(_ bytes: Span<UInt8>, _ at: Int, isFinal: Bool, _ out: inout [UInt8]) -> Int {
        func word(_ offset: Int) -> UInt32 {
            let (first, second) = (UInt32(bytes[offset]), UInt32(bytes[offset + 1]))
            return encoding == .utf16BE || encoding == .utf32BE ? first << 8 | second : second << 8 | first
        }
        let left = bytes.count - at
        if left < encoding.unit { return 0 }
        if encoding == .utf32LE || encoding == .utf32BE {
            let (first, second) = (word(at), word(at + 2))
            let scalar = encoding == .utf32BE ? first << 16 | second : second << 16 | first
            if scalar > 0x10FFFF || 0xD800...0xDFFF ~= scalar {
                out.append(TextEncoding.badUnit)
            } else {
                Self.write(scalar, &out)
            }
            return 4
        }
        let high = word(at)
        guard 0xD800...0xDBFF ~= high else {
            Self.write(high, &out)
            return 2
        }
        if left < 4, !isFinal { return 0 }
        if left >= 4 {
            let low = word(at + 2)
            if 0xDC00...0xDFFF ~= low {
                Self.write(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00), &out)
                return 4
            }
        }
        Self.write(high, &out)
        return 2
    }

    @inline(__always)
    private static func write(_ scalar: UInt32, _ out: inout [UInt8]) {
        func byte(_ value: UInt32) -> UInt8 { UInt8(truncatingIfNeeded: value) }
        switch scalar {
        case ..<0x80: out.append(byte(scalar))
        case ..<0x800:
            out.append(byte(0xC0 | scalar >> 6))
            out.append(byte(0x80 | scalar & 0x3F))
        case ..<0x10000:
            out.append(byte(0xE0 | scalar >> 12))
            out.append(byte(0x80 | scalar >> 6 & 0x3F))
            out.append(byte(0x80 | scalar & 0x3F))
        default:
            out.append(byte(0xF0 | scalar >> 18))
            out.append(byte(0x80 | scalar >> 12 & 0x3F))
            out.append(byte(0x80 | scalar >> 6 & 0x3F))
            out.append(byte(0x80 | scalar & 0x3F))
        }
    }
}
