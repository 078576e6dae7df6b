package import Reading
import Storage
package import Tabular

/// How a file seems to be written, from its beginning, with the evidence. Nothing in it is a value of the file's.
package struct SniffedSource: Sendable {
    /// The encoding, and why.
    package var encoding: TextEncoding
    /// Why it is taken for that.
    package var encodingReason: String
    /// The dialect; nil when no row could be read.
    package var found: SniffedDialect?
}

/// Looks at the beginning of a file.
///
/// - Throws: when the file cannot be read, or is a format of its own.
package func sniffSource(_ path: String, encoding declared: TextEncoding?) throws(IngestionError) -> SniffedSource {
    let source = try Source(path)
    func sample(_ encoding: TextEncoding) throws(IngestionError) -> (bytes: [UInt8], isWhole: Bool) {
        var coding = SourceCoding()
        coding.encoding = encoding
        var bytes: [UInt8] = []
        let got = try SourceReader(source, coding, hashes: false).read(upTo: 1 << 18, into: &bytes)
        return (bytes, got < 1 << 18)
    }
    let raw = try sample(.utf8)
    let (encoding, reason) = declared.map { ($0, "it is declared") } ?? guessEncoding(raw.bytes.span)
    let text = encoding == .utf8 ? raw : try sample(encoding)
    var plan = ReadingPlan(format: .csv, fieldNames: [])
    plan.coding.encoding = encoding
    let mark: Int
    do throws(UnreadableSource) { mark = try textStart(text.bytes.span, plan.coding) } catch {
        throw IngestionError(error, file: path)
    }
    let first = text.bytes[mark...].first { $0 != 0x20 && $0 != 0x09 && $0 != 0x0A && $0 != 0x0D }
    if first == 0x7B || first == 0x5B {
        throw IngestionError(
            .unreadableData,
            "\(path): it looks like JSON, of which nothing is guessed; a list of records needs no dialect, and for records inside a "
                + "document write one with property: NAME (and itemType: array where records are arrays)")
    }
    let found = DialectSniffer.sniff(text.bytes.span.extracting(mark..<text.bytes.count), isWhole: text.isWhole)
    return SniffedSource(
        encoding: encoding, encodingReason: reason, found: found)
}
