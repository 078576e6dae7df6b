/// How a source's text is encoded. Whatever it is, the readers see UTF-8; offsets are turned back by `sourceLength`.
package enum TextEncoding: String, Sendable, CaseIterable {
    /// UTF-8.
    case utf8 = "utf-8"
    /// By its byte order mark.
    case utf16 = "utf-16"
    /// UTF-16, the low byte first.
    case utf16LE = "utf-16le"
    /// UTF-16, the high byte first.
    case utf16BE = "utf-16be"
    /// By its byte order mark.
    case utf32 = "utf-32"
    /// UTF-32, the low byte first.
    case utf32LE = "utf-32le"
    /// UTF-32, the high byte first.
    case utf32BE = "utf-32be"
    /// ISO 8859-1.
    case latin1 = "iso-8859-1"
    /// Windows-1252, without the five bytes that it does not define.
    case windows1252 = "windows-1252"

    /// Stands in UTF-8 for a unit that is no character; no UTF-8 has it.
    package static var badUnit: UInt8 { 0xFF }
    /// Stands for one byte of a unit that the end of the source cut off.
    package static var lonelyByte: UInt8 { 0xFE }

    /// Reads a name as people and the IANA registry write it; nil for one that is not known.
    package init?(name: String) {
        let plain = name.lowercased().filter { $0 != "-" && $0 != "_" && $0 != " " }
        switch plain {
        case "utf8": self = .utf8
        case "utf16": self = .utf16
        case "utf16le": self = .utf16LE
        case "utf16be": self = .utf16BE
        case "utf32": self = .utf32
        case "utf32le": self = .utf32LE
        case "utf32be": self = .utf32BE
        case "iso88591", "latin1", "l1": self = .latin1
        case "windows1252", "cp1252": self = .windows1252
        default: return nil
        }
    }

    /// The encoding that a byte order mark says; nil without one.
    package init?(mark bytes: Span<UInt8>) {
        func begins(_ mark: [UInt8]) -> Bool {
            bytes.count >= mark.count && mark.indices.allSatisfy { bytes[$0] == mark[$0] }
        }
        if begins([0xFF, 0xFE, 0, 0]) {
            self = .utf32LE
        } else if begins([0, 0, 0xFE, 0xFF]) {
            self = .utf32BE
        } else if begins([0xFF, 0xFE]) {
            self = .utf16LE
        } else if begins([0xFE, 0xFF]) {
            self = .utf16BE
        } else if begins([0xEF, 0xBB, 0xBF]) {
            self = .utf8
        } else {
            return nil
        }
    }

    /// Bytes of one unit.
    package var unit: Int {
        switch self {
        case .utf8, .latin1, .windows1252: 1
        case .utf16, .utf16LE, .utf16BE: 2
        case .utf32, .utf32LE, .utf32BE: 4
        }
    }

    /// How many bytes of the source some transcoded bytes were made from, which begin and end at characters.
    ///
    /// No table of offsets is kept: what was written for a character says how long it was. What could not be decoded
    /// was written as one byte that UTF-8 never has, see `Transcoder`.
    package func sourceLength(of bytes: Span<UInt8>) -> Int {
        if self == .utf8 { return bytes.count }
        var length = 0
        for at in bytes.indices {
            let byte = bytes[at]
            switch byte {
            case 0x80...0xBF: continue
            case Self.lonelyByte: length += 1
            case 0xF0...0xF7 where unit == 2: length += 4
            default: length += unit
            }
        }
        return length
    }
}
