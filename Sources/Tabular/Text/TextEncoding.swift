/// The encoding of a source's text. The readers always see UTF-8; `sourceLength` converts offsets back.
package enum TextEncoding: String, Sendable, CaseIterable {
    /// UTF-8.
    case utf8 = "utf-8"
    /// UTF-16 in the byte order of its byte order mark.
    case utf16 = "utf-16"
    /// UTF-16, little-endian.
    case utf16LE = "utf-16le"
    /// UTF-16, big-endian.
    case utf16BE = "utf-16be"
    /// UTF-32 in the byte order of its byte order mark.
    case utf32 = "utf-32"
    /// UTF-32, little-endian.
    case utf32LE = "utf-32le"
    /// UTF-32, big-endian.
    case utf32BE = "utf-32be"
    /// ISO 8859-1.
    case latin1 = "iso-8859-1"
    /// Windows-1252, without the five bytes that it does not define.
    case windows1252 = "windows-1252"

    /// Replaces an invalid code unit in the UTF-8; it never occurs in valid UTF-8.
    package static var badUnit: UInt8 { 0xFF }
    /// Replaces one byte of a code unit that the end of the source cut off.
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

    /// The encoding that a byte order mark declares; nil without one.
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

    /// The number of source bytes from which some transcoded bytes were made; these must begin and end at characters.
    ///
    /// No table of offsets is needed: the UTF-8 form of a character determines its length in the source. A unit that
    /// could not be decoded was written as one byte that never occurs in UTF-8; see `Transcoder`.
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
