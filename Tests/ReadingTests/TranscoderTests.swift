import Foundation
import Reading
import Tabular
import Testing

/// Encodings compared with Foundation's converters, for any division into pieces.
struct TranscoderTests {
    static let encodings: [(TextEncoding, String.Encoding)] = [
        (.utf16LE, .utf16LittleEndian), (.utf16BE, .utf16BigEndian), (.utf32LE, .utf32LittleEndian),
        (.utf32BE, .utf32BigEndian), (.latin1, .isoLatin1), (.windows1252, .windowsCP1252),
    ]

    static func transcode(_ bytes: [UInt8], _ encoding: TextEncoding, pieces: Int) -> [UInt8] {
        guard var transcoder = Transcoder(encoding) else { return bytes }
        var out: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: pieces) {
            transcoder.append(
                bytes.span.extracting(start..<min(bytes.count, start + pieces)), isFinal: false, to: &out)
        }
        let none: [UInt8] = []
        transcoder.append(none.span, isFinal: true, to: &out)
        return out
    }

    @Test(arguments: encodings.indices) func `text comes out as it went in, and knows its length`(index: Int) throws {
        let (encoding, converter) = Self.encodings[index]
        let text =
            index < 4
            ? "a,\u{FEFF}é€😀\u{10FFFF}\r\nz\u{7FF}\u{800}\u{FFFF}" : index == 4 ? "aé\u{A0}ÿ\u{80}\n" : "a€Ÿé\u{A0}ÿ\n"
        let bytes = [UInt8](try #require(text.data(using: converter)))
        for pieces in 1...9 {
            let out = Self.transcode(bytes, encoding, pieces: pieces)
            #expect(String(decoding: out, as: UTF8.self) == text, "\(encoding) in pieces of \(pieces)")
            #expect(encoding.sourceLength(of: out.span) == bytes.count)
        }
    }

    /// Every 16-bit unit on its own, and every pair of surrogates: valid characters are decoded correctly, invalid ones
    /// give invalid UTF-8, and the length is that of the source.
    @Test func `what is no character is no text, and is as long as it was`() {
        for unit in 0...0xFFFF {
            let bytes = [UInt8(unit & 0xFF), UInt8(unit >> 8), 0x41, 0]
            let out = Self.transcode(bytes, .utf16LE, pieces: 4)
            #expect((String(validating: out, as: UTF8.self) == nil) == (0xD800...0xDFFF ~= unit))
            #expect(TextEncoding.utf16LE.sourceLength(of: out.span) == 4 && out.last == 0x41)
        }
        let wide: [(TextEncoding, [UInt8])] = [
            (.utf32LE, [0, 0xD8, 0, 0]), (.utf32LE, [0, 0, 0x11, 0]), (.utf32BE, [0xFF, 0xFF, 0xFF, 0xFF]),
            (.utf32LE, [0x41, 0, 0]), (.utf16LE, [0x41]), (.utf16LE, [0x3D, 0xD8]), (.utf16BE, [0xD8, 0x3D, 0xDE]),
            (.windows1252, [0x81]), (.windows1252, [0x9D]),
        ]
        for (encoding, bytes) in wide {
            for pieces in 1...4 {
                let out = Self.transcode(bytes, encoding, pieces: pieces)
                #expect(String(validating: out, as: UTF8.self) == nil, "\(encoding) \(bytes)")
                #expect(encoding.sourceLength(of: out.span) == bytes.count, "\(encoding) \(bytes) \(out)")
            }
        }
    }

    @Test func `names are taken as people write them`() {
        for (name, encoding) in [
            ("UTF-8", TextEncoding.utf8), ("utf_16LE", .utf16LE), ("latin1", .latin1), ("ISO-8859-1", .latin1),
            ("cp1252", .windows1252), ("Windows-1252", .windows1252), ("UTF-32", .utf32),
        ] { #expect(TextEncoding(name: name) == encoding) }
        #expect(TextEncoding(name: "koi8-r") == nil)
    }
}
