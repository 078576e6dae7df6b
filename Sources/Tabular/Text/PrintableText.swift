/// Text as it may be shown to a person or written into a document: nothing in it moves a cursor, turns the direction of
/// reading, forges a line, or is there without being seen.
package enum PrintableText {
    /// Whether a scalar does something other than show itself: controls (C0, DEL, C1), formats (directions, joiners,
    /// tags, soft hyphens), separators of lines and paragraphs, and all that Unicode lets a font leave out, variation
    /// selectors too.
    ///
    /// Two names that look the same are then the same text, at the price of emoji that are spelt with selectors.
    package static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.value < 0x7F { return scalar.value < 0x20 }
        if scalar.value < 0xAD { return scalar.value < 0xA0 }
        // Reserved scalars of this block are tags too, some day.
        if (0xE0000...0xE0FFF).contains(scalar.value) { return true }
        let properties = scalar.properties
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: return true
        default: return properties.isDefaultIgnorableCodePoint
        }
    }

    /// One line: what is hidden, line ends and tabs included, shows as `\xNN`.
    package static func line(_ text: String) -> String {
        if text.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) { return text }
        var out = ""
        for scalar in text.unicodeScalars {
            if isHidden(scalar) { out += escape(scalar.value) } else { out.unicodeScalars.append(scalar) }
        }
        return out
    }

    /// JSON text with what is hidden in its strings as `\uNNNN`, two of them beyond the basic plane: it parses to the
    /// same values.
    package static func json(_ text: String) -> String {
        if text.utf8.allSatisfy({ $0 < 0x7F }) { return text }
        var out = ""
        out.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            // Line ends and spaces of the document itself; those in strings are written as escapes already.
            guard scalar.value >= 0x7F, isHidden(scalar) else {
                out.unicodeScalars.append(scalar)
                continue
            }
            for unit in String(scalar).utf16 { out += "\\u" + padded(UInt32(unit), to: 4) }
        }
        return out
    }

    /// A byte or a scalar by its number.
    package static func escape(_ value: UInt32) -> String { "\\x" + padded(value, to: 2) }

    private static func padded(_ value: UInt32, to width: Int) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

/// Data for a terminal, piece by piece: its lines and tabs stay, all else that is hidden shows, and bytes that are no
/// text become U+FFFD.
package struct PrintableStream: Sendable {
    /// The beginning of a character whose rest is still to come.
    private var begun: [UInt8] = []

    /// Nothing yet.
    package init() {}

    /// What can be shown of the next piece and what was left of the one before.
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

    /// What is left at the end.
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
