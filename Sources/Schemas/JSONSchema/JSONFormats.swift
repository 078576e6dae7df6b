extension JSONFormat {
    /// Whether a text has the format. Always true for `regex`, which the caller must try to compile.
    package func fits(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        var reader = TextReader(bytes, range)
        switch self {
        case .date: return reader.date() && reader.isAtEnd
        case .time: return reader.time() && reader.isAtEnd
        case .dateTime: return reader.date() && reader.skip("Tt") && reader.time() && reader.isAtEnd
        case .duration: return reader.duration() && reader.isAtEnd
        case .email: return reader.mailbox(ascii: true)
        case .idnEmail: return reader.mailbox(ascii: false)
        case .hostname: return reader.hostname(ascii: true)
        case .idnHostname: return reader.hostname(ascii: false)
        case .ipv4: return reader.ipv4() && reader.isAtEnd
        case .ipv6: return reader.ipv6() && reader.isAtEnd
        case .uri: return reader.uri(needsScheme: true, ascii: true)
        case .uriReference: return reader.uri(needsScheme: false, ascii: true)
        case .iri: return reader.uri(needsScheme: true, ascii: false)
        case .iriReference: return reader.uri(needsScheme: false, ascii: false)
        case .uuid: return Formats.isUUID(bytes, range)
        case .uriTemplate: return reader.template()
        case .jsonPointer: return reader.isAtEnd || reader.pointer()
        case .relativeJSONPointer: return reader.relativePointer()
        case .regex: return true
        }
    }
}

/// A reader over one text. Each grammar advances it and returns false at the first mismatch.
struct TextReader {
    let bytes: [UInt8]
    var at = 0
    let end: Int

    init(_ text: Span<UInt8>, _ range: Range<Int>) {
        bytes = range.map { text[$0] }
        end = bytes.count
    }

    init(_ part: ArraySlice<UInt8>) {
        bytes = Array(part)
        end = bytes.count
    }

    var isAtEnd: Bool { at == end }
    var next: UInt8? { at < end ? bytes[at] : nil }

    /// Skips one of the given ASCII characters.
    mutating func skip(_ characters: StaticString) -> Bool {
        guard let byte = next, characters.description.utf8.contains(byte) else { return false }
        at += 1
        return true
    }

    func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
    func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }
    func isHex(_ byte: UInt8) -> Bool { isDigit(byte) || (byte | 0x20) &- 0x61 < 6 }

    /// Exactly `count` digits; nil when there are fewer.
    mutating func digits(_ count: Int) -> Int? {
        guard at + count <= end else { return nil }
        var value = 0
        for _ in 0..<count {
            guard isDigit(bytes[at]) else { return nil }
            value = value * 10 + Int(bytes[at] - 0x30)
            at += 1
        }
        return value
    }

    /// Skips an ASCII text.
    mutating func word(_ text: StaticString) -> Bool {
        let letters = Array(text.description.utf8)
        guard at + letters.count <= end else { return false }
        for (offset, letter) in letters.enumerated() where bytes[at + offset] != letter { return false }
        at += letters.count
        return true
    }
}
