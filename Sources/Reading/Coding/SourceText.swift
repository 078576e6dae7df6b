package import Tabular

/// The offset of the text after the byte order mark, if there is one.
///
/// - Throws: when the bytes are in another encoding than declared, or are no text.
package func textStart(_ bytes: Span<UInt8>, _ coding: SourceCoding) throws(UnreadableSource) -> Int {
    if let form = ForeignForm(bytes) { throw UnreadableSource(reason: form.reason) }
    if let found = foreignEncoding(bytes) {
        throw UnreadableSource(
            reason:
                "the file is \(found), and \(coding.encoding.rawValue) is declared; if that is meant, say sluice.encoding: "
                + "\(found) in the contract or give --encoding \(found)")
    }
    return TextEncoding(mark: bytes) == .utf8 ? 3 : 0
}

/// Guesses the encoding of a sample, with the evidence. ISO 8859-1 counts as Windows-1252, its superset.
package func guessEncoding(_ bytes: Span<UInt8>) -> (encoding: TextEncoding, reason: String) {
    if let marked = TextEncoding(mark: bytes) { return (marked, "its byte order mark says so") }
    if let name = foreignEncoding(bytes), let encoding = TextEncoding(name: name) {
        return (encoding, "its NUL bytes stand as in that encoding")
    }
    // In Windows-1252 text, accented letters are next to other letters. One in hundreds of such texts is valid UTF-8.
    var (at, faults, letters, wide) = (0, 0, 0, 0)
    var first = 0
    func isLetter(_ place: Int) -> Bool {
        bytes.indices.contains(place) && (0x61...0x7A).contains(bytes[place] | 0x20)
    }
    // The sample may end inside a character.
    while at < bytes.count - 3 {
        if bytes[at] < 0x80 {
            at += 1
            continue
        }
        let length = bytes[at] >= 0xF0 ? 4 : bytes[at] >= 0xE0 ? 3 : 2
        if firstInvalidUTF8(bytes, at..<at + length) == nil {
            wide += 1
            at += length
            continue
        }
        if faults == 0 { first = at }
        faults += 1
        if bytes[at] >= 0xC0, isLetter(at - 1) || isLetter(at + 1) { letters += 1 }
        at += 1
    }
    if faults == 0 { return (.utf8, "all of the sample is valid in it") }
    if wide < faults, 2 * letters > faults {
        return (
            .windows1252,
            "bytes that are not UTF-8: \(faults), the first at \(first); they stand where letters do: check a name with an accent"
        )
    }
    return (
        .utf8, "bytes of the sample that are not UTF-8: \(faults), the first at \(first); their rows will be rejected"
    )
}

/// An encoding other than UTF-8, by its byte order mark or the pattern of NUL bytes; nil for none.
private func foreignEncoding(_ bytes: Span<UInt8>) -> String? {
    guard bytes.count >= 4 else { return nil }
    let start = (bytes[0], bytes[1], bytes[2], bytes[3])
    switch start {
    case (0xFF, 0xFE, 0, 0): return "utf-32le"
    case (0, 0, 0xFE, 0xFF): return "utf-32be"
    case (0xFF, 0xFE, _, _): return "utf-16le"
    case (0xFE, 0xFF, _, _): return "utf-16be"
    case (0, 0, 0, 1...): return "utf-32be"
    case (0, 1..., 0, 1...): return "utf-16be"
    case (1..., 0, 0, 0): return "utf-32le"
    case (1..., 0, 1..., 0): return "utf-16le"
    default: return nil
    }
}
