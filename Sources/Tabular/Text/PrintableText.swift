/// Text that is safe to show to a person or to write into a document: nothing in it moves the cursor, changes the
/// direction of reading, forges a line or is invisible.
package enum PrintableText {
    /// Whether a scalar is not visible as itself: control characters (C0, DEL, C1), format characters (bidirectional
    /// controls, joiners, tags, soft hyphens), line and paragraph separators, and all default-ignorable code points,
    /// including variation selectors.
    ///
    /// So two names that look the same are the same text. The price is that emoji with variation selectors are escaped.
    package static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.value < 0x7F { return scalar.value < 0x20 }
        if scalar.value < 0xAD { return scalar.value < 0xA0 }
        // Reserved scalars of this block may become tags in a later version of Unicode.
        if (0xE0000...0xE0FFF).contains(scalar.value) { return true }
        let properties = scalar.properties
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: return true
        default: return properties.isDefaultIgnorableCodePoint
        }
    }

    /// The text as one line: hidden characters, line ends and tabs are written as `\xNN`.
    package static func line(_ text: String) -> String {
        if text.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) { return text }
        var out = ""
        for scalar in text.unicodeScalars {
            if isHidden(scalar) { out += escape(scalar.value) } else { out.unicodeScalars.append(scalar) }
        }
        return out
    }

    /// JSON text in which hidden characters of strings are written as `\uNNNN`, as a surrogate pair beyond the basic
    /// plane: it parses to the same values.
    package static func json(_ text: String) -> String {
        if text.utf8.allSatisfy({ $0 < 0x7F }) { return text }
        var out = ""
        out.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            // Line ends and spaces of the document itself; in strings they are already escaped.
            guard scalar.value >= 0x7F, isHidden(scalar) else {
                out.unicodeScalars.append(scalar)
                continue
            }
            for unit in String(scalar).utf16 { out += "\\u" + padded(UInt32(unit), to: 4) }
        }
        return out
    }

    /// The text as one word of a shell's command line.
    package static func shellWord(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { byte in
            byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A || byte >= 0x2B && byte <= 0x3A && byte != 0x2C || byte == 0x5F
        }
        return isPlain && !text.isEmpty ? text : "'" + text.replacing("'", with: "'\\''") + "'"
    }

    /// The escape of a byte or scalar by its number.
    package static func escape(_ value: UInt32) -> String { "\\x" + padded(value, to: 2) }

    private static func padded(_ value: UInt32, to width: Int) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

/// Data for a terminal, piece by piece: line ends and tabs are kept, other hidden characters are escaped, and bytes
/// that are not UTF-8 become U+FFFD.
package struct PrintableStream: Sendable {
    /// The first bytes of a character whose rest has not arrived yet.
    private var begun: [UInt8] = []

    /// An empty stream.
    package init() {}

    /// The printable text of the next piece, together with the bytes left over from the previous one.
    package mutating func take(_ piece: Span<UInt8>) -> String {
        for at in piece.indices { begun.append(piece[at]) }
        var end = begun.count
        for back in 1...3 where back <= begun.count {
            let byte = begun[begun.count - back]
            if byte & 0xC0 == 0x80 { continue }
            let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
            if length > back { end = begun.count - back }
            break
        }
        defer { begun.removeFirst(end) }
        return Self.shown(begun[..<end])
    }

    /// The printable text of the bytes left over at the end.
    package mutating func finish() -> String {
        defer { begun = [] }
        return Self.shown(begun[...])
    }

    private static func shown(_ bytes: ArraySlice<UInt8>) -> String {
        var out = ""
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
            let stays = scalar == "\n" || scalar == "\t" || !PrintableText.isHidden(scalar)
            if stays { out.unicodeScalars.append(scalar) } else { out += PrintableText.escape(scalar.value) }
        }
        return out
    }
}
