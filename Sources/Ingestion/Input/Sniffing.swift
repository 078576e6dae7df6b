package import Reading
package import Schemas
import Storage
package import Tabular

/// The encoding and dialect that the beginning of a file suggests, with the evidence. It holds no value of the file.
package struct SniffedSource: Sendable {
    /// The encoding.
    package var encoding: TextEncoding
    /// The evidence for the encoding.
    package var encodingReason: String
    /// The dialect; nil when no row could be parsed.
    package var found: SniffedDialect?
}

/// Guesses encoding and dialect from the first 256 KiB of a file's text.
///
/// - Parameters:
///   - path: the file.
///   - declared: its encoding where that is known; nil to guess.
/// - Throws: `unreadableData` when the file is JSON, in an encoding that is not read, or separated by runs of spaces.
package func sniffSource(_ path: String, encoding declared: TextEncoding?) throws(IngestionError) -> SniffedSource {
    let source = try InputFile(path)
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
    if encoding == .utf8, declared == nil, let name = eastAsianEncoding(text.bytes.span) {
        throw IngestionError(
            .unreadableData,
            "\(path): its text seems to be in \(name), which Sluice does not read: convert it first, as with iconv -f NAME -t UTF-8"
        )
    }
    if looksLikeJSON(text.bytes[mark...]) {
        throw IngestionError(
            .unreadableData,
            "\(path): it looks like JSON, whose dialect is not detected; a list of records needs none, and for records inside a "
                + "document write one with property: NAME (and itemType: array where records are arrays)")
    }
    let found = DialectSniffer.sniff(text.bytes.span.extracting(mark..<text.bytes.count), isWhole: text.isWhole)
    if found?.width ?? 0 < 2, hasColumnsOfSpaces(text.bytes.span.extracting(mark..<text.bytes.count)) {
        throw IngestionError(
            .unreadableData,
            "\(path): its columns seem to be separated by spaces; if it is one space each time, give --delimiter ' ', else "
                + "squeeze them first: tr -s ' ' < FILE")
    }
    if let found, let kind = found.shortHeader {
        let delimiter = String(decoding: [found.dialect.delimiter], as: UTF8.self).replacing("\t", with: "\\t")
        throw IngestionError(
            .unreadableData,
            "\(path): its header has \(found.width - 1) labels, and each row \(found.width) cells: "
                + (kind == .columnHasNoLabel
                    ? "the names of rows, as R's write.table leaves them, have no label; give them one: sed '1s/^/row\(delimiter)/' FILE"
                    : "each row ends with a delimiter, and the header does not; give it one: sed '1s/$/\(delimiter)/' FILE")
        )
    }
    return SniffedSource(
        encoding: encoding, encodingReason: reason, found: found)
}

/// Whether a text begins as JSON does. A bracket alone does not decide it, since a CSV label may begin with one.
private func looksLikeJSON(_ text: ArraySlice<UInt8>) -> Bool {
    let shown = text.prefix(4096).filter { $0 > 0x20 }.prefix(2)
    guard let first = shown.first, let second = shown.dropFirst().first else { return false }
    if first == 0x7B { return second == 0x22 || second == 0x7D }
    return first == 0x5B && (second == 0x7B || second == 0x5B || second == 0x5D || second == 0x22)
}

/// Whether a file's header fits a contract when it is read by the given options.
package func fits(_ path: String, _ schema: Schema, options: BatchOptions) throws(IngestionError) -> Bool {
    guard let format = options.format ?? SourceFormat(ofFile: path) else { return true }
    let plan = try ReadingPlan(schema, format: format, options: options, file: path)
    return try SliceCutter(InputFile(path), plan: plan, sliceBytes: 1 << 20).head.layout != nil
}
