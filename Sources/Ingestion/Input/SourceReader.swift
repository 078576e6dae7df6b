import Cryptography
import Reading
import Storage
import Tabular

/// Reads a source from beginning to end as UTF-8: decompresses, decodes and frames it in constant memory, and hashes
/// the file's own bytes.
///
/// Plain UTF-8 goes straight into the caller's buffer, without a copy.
final class SourceReader {
    private let source: InputFile
    private let coding: SourceCoding
    private let hashes: Bool
    /// The compression by the file's first bytes; nil for none.
    let compression: Compression?
    private let decompressor: Decompressor?
    private var transcoder: Transcoder?
    private var framer: JSONArrayFramer?
    private var isOpened = false
    /// Whether the rows are items of a JSON array or of a document.
    var isFramed: Bool { framer != nil }
    private var hasher = SHA256()
    /// Compressed bytes that were read and not yet used.
    private var packed: [UInt8] = []
    private var packedUsed = 0
    /// UTF-8 that was decoded and not yet handed out.
    private var ready: [UInt8] = []
    private var readyUsed = 0
    private var isAtEnd = false
    /// Bytes of the file read so far.
    private(set) var bytesRead = 0
    /// Bytes after decompression and before decoding; offsets into a compressed file count these.
    private(set) var bytesUnpacked = 0
    /// Offset of the next byte in the UTF-8 text.
    private(set) var offset = 0

    private static let pieceBytes = 1 << 18
    /// Decompressed bytes below which the ratio is not checked: a small file may compress well.
    private static let ratioCheckedFrom = 16 << 20

    /// Opens a reader at the beginning of a source.
    ///
    /// - Parameters:
    ///   - source: the file.
    ///   - coding: encoding, framing and the limits of decompression.
    ///   - hashes: whether `digest` is wanted; without it plain files can be skipped through.
    /// - Throws: `software` when the decompressor gets no memory.
    init(_ source: InputFile, _ coding: SourceCoding, hashes: Bool = true) throws(IngestionError) {
        self.source = source
        self.coding = coding
        self.hashes = hashes
        var first: [UInt8] = []
        _ = try source.read(upTo: 4, at: 0, into: &first)
        compression = Compression(first.span)
        do throws(DecompressionError) {
            decompressor = if let compression { try Decompressor(compression) } else { nil }
        } catch {
            throw IngestionError(.software, "\(source.path): not enough memory to decompress it")
        }
    }

    /// Appends up to `count` bytes of text; fewer only at the end.
    ///
    /// - Returns: how many bytes were appended.
    /// - Throws: `unreadableData` for a damaged stream, a decompression bomb, or an array that is not closed.
    func read(upTo count: Int, into bytes: inout [UInt8]) throws(IngestionError) -> Int {
        if !isOpened { try open() }
        let before = bytes.count
        if decompressor == nil, transcoder == nil {
            let got = try file(upTo: count, into: &bytes)
            bytesUnpacked = bytesRead
            framer?.frame(&bytes, from: before)
            if got < count { try requireClosed() }
        } else {
            while bytes.count - before < count {
                if readyUsed == ready.count {
                    if isAtEnd {
                        try requireClosed()
                        break
                    }
                    try prepare(
                        upTo: transcoder == nil ? min(1 << 20, count - (bytes.count - before)) : Self.pieceBytes)
                    continue
                }
                let end = min(ready.count, readyUsed + count - (bytes.count - before))
                bytes.append(contentsOf: ready[readyUsed..<end])
                readyUsed = end
            }
        }
        offset += bytes.count - before
        return bytes.count - before
    }

    /// Advances to an offset of the text without handing out what lies before it.
    func skip(to target: Int) throws(IngestionError) {
        if !isOpened { try open() }
        if decompressor == nil, transcoder == nil, framer == nil, !hashes {
            bytesRead = max(target, offset)
            offset = bytesRead
            return
        }
        var thrown: [UInt8] = []
        while offset < target {
            thrown.removeAll(keepingCapacity: true)
            if try read(upTo: min(1 << 20, target - offset), into: &thrown) == 0 { return }
        }
    }

    /// SHA-256 of the file as far as it was read.
    func digest() -> [UInt8] { hasher.digest() }

    // MARK: Layers

    /// Appends bytes of the file itself, and hashes them.
    private func file(upTo count: Int, into bytes: inout [UInt8]) throws(IngestionError) -> Int {
        let before = bytes.count
        let got = try source.read(upTo: count, at: bytesRead, into: &bytes)
        if hashes { hasher.update(bytes.span.extracting(before..<bytes.count)) }
        bytesRead += got
        return got
    }

    /// Appends up to `count` decompressed bytes. It may append fewer at any time, and none only at the end.
    private func unpacked(upTo count: Int, into bytes: inout [UInt8]) throws(IngestionError) -> Int {
        let before = bytes.count
        if let decompressor {
            while bytes.count == before {
                if packedUsed == packed.count {
                    packed.removeAll(keepingCapacity: true)
                    packedUsed = 0
                    if try file(upTo: Self.pieceBytes, into: &packed) == 0 {
                        do throws(DecompressionError) { try decompressor.finish() } catch { throw unreadable(error) }
                        break
                    }
                }
                do throws(DecompressionError) {
                    packedUsed += try decompressor.decompress(
                        packed.span.extracting(packedUsed..<packed.count), limit: count, to: &bytes)
                } catch {
                    throw unreadable(error)
                }
            }
            try refuseBomb(bytesUnpacked + bytes.count - before)
        } else {
            _ = try file(upTo: count, into: &bytes)
        }
        bytesUnpacked += bytes.count - before
        return bytes.count - before
    }

    /// Decodes the next piece of text into `ready`, sized for a caller that wants `count` bytes.
    private func prepare(upTo count: Int) throws(IngestionError) {
        readyUsed = 0
        defer { framer?.frame(&ready, from: 0) }
        if transcoder == nil {
            ready.removeAll(keepingCapacity: true)
            isAtEnd = try unpacked(upTo: count, into: &ready) == 0
            return
        }
        var piece: [UInt8] = []
        isAtEnd = try unpacked(upTo: count, into: &piece) == 0
        ready.removeAll(keepingCapacity: true)
        transcoder?.append(piece.span, isFinal: isAtEnd, to: &ready)
    }

    /// Looks at the first bytes: settles the byte order, and finds out whether the text is one array.
    private func open() throws(IngestionError) {
        isOpened = true
        if coding.encoding != .utf8 { try settleOrder() }
        if !coding.property.isEmpty {
            // Refuse what is not text at all before the document is parsed.
            let first = try beginning { $0.count >= 8 ? true : nil }
            do throws(UnreadableSource) { _ = try textStart(first.span, coding) } catch {
                throw IngestionError(error, file: source.path)
            }
            framer = JSONArrayFramer(property: coding.property)
            framer?.frame(&ready, from: 0)
            return
        }
        guard coding.mayBeArray else { return }
        if coding.hasArrayItems, coding.isList == false { return }
        // White space may precede the bracket.
        let ofArrays = coding.hasArrayItems && coding.isList == nil
        let first = try beginning { JSONArrayFramer.isArray($0, ofArrays: ofArrays) }
        guard JSONArrayFramer.isArray(first.span, ofArrays: ofArrays) == true else { return }
        framer = JSONArrayFramer()
        framer?.frame(&ready, from: 0)
    }

    /// The first bytes of the text, as many as `isEnough` needs to decide, at most 256 KiB. They are handed out later
    /// all the same.
    private func beginning(_ isEnough: (Span<UInt8>) -> Bool?) throws(IngestionError) -> [UInt8] {
        var first: [UInt8] = []
        if decompressor == nil, transcoder == nil {
            while isEnough(first.span) == nil, first.count < Self.pieceBytes {
                if try source.read(upTo: 4096, at: first.count, into: &first) == 0 { break }
            }
        } else {
            first = ready
            while isEnough(first.span) == nil, first.count < Self.pieceBytes, !isAtEnd {
                try prepare(upTo: 4096)
                first += ready
            }
            ready = first
        }
        return first
    }

    /// Throws when the array or document is not closed at the end of the text.
    private func requireClosed() throws(IngestionError) {
        if let complaint = framer?.complaint {
            throw IngestionError(.unreadableData, "\(source.path): \(complaint)")
        }
    }

    /// Settles the byte order by the byte order mark, and refuses a mark that contradicts the declared encoding.
    private func settleOrder() throws(IngestionError) {
        // The mark is read before decoding: in the wrong byte order it is U+FFFE, which is no character.
        var first: [UInt8] = []
        while first.count < 4, try unpacked(upTo: 4 - first.count, into: &first) > 0 {}
        let found = TextEncoding(mark: first.span)
        var settled = coding.encoding
        switch (coding.encoding, found) {
        case (.utf16, .utf16LE?), (.utf16, .utf16BE?), (.utf32, .utf32LE?), (.utf32, .utf32BE?):
            settled = found ?? settled
        case (.utf16, _), (.utf32, _):
            let name = coding.encoding.rawValue
            throw IngestionError(
                .unreadableData,
                "\(source.path): \(name) is declared and no byte order mark says which; declare \(name)le or \(name)be")
        // A little-endian UTF-16 file whose first character is NUL begins like a UTF-32 mark.
        case (.utf16LE, .utf32LE?): break
        case (_, let found?) where found != coding.encoding:
            throw IngestionError(
                .unreadableData,
                "\(source.path): its byte order mark says \(found.rawValue) and \(coding.encoding.rawValue) is declared; correct "
                    + "sluice.encoding or --encoding")
        default: break
        }
        transcoder = Transcoder(settled)
        transcoder?.append(first.span, isFinal: false, to: &ready)
    }

    /// Refuses a decompression bomb: more than the absolute limit, or than the allowed ratio of decompressed to
    /// compressed bytes.
    private func refuseBomb(_ size: Int) throws(IngestionError) {
        if size > coding.maxUnpackedBytes {
            throw IngestionError(
                .unreadableData,
                "\(source.path): it decompresses to more than sluice.limits.maxDecompressedBytes \(coding.maxUnpackedBytes); raise "
                    + "the limit if that is intended")
        }
        if size > Self.ratioCheckedFrom, size / max(1, bytesRead) >= coding.maxRatio {
            throw IngestionError(
                .unreadableData,
                "\(source.path): it decompresses to more than \(coding.maxRatio) times its size, as a decompression bomb does; raise "
                    + "sluice.limits.maxDecompressionRatio if that is intended")
        }
    }

    /// The error for a stream that cannot be decompressed.
    private func unreadable(_ error: DecompressionError) -> IngestionError {
        let name = compression?.rawValue ?? ""
        let reason =
            switch error {
            case .damaged: "its \(name) stream is damaged near byte \(bytesRead); have it sent again"
            case .truncated: "its \(name) stream ends before its end; have the whole file sent again"
            case .trailing: "other bytes follow its \(name) stream; have it sent again without them"
            case .memory: "its \(name) stream needs more than 128 MiB of history; compress it with a smaller window"
            }
        return IngestionError(.unreadableData, "\(source.path): \(reason)")
    }
}
