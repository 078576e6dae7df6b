import Cryptography
import Reading
import Storage
import Tabular

/// Several files as one, in the POSIX ustar format, which every `tar` reads. A held batch of several files is sealed
/// so, with its files byte for byte.
///
/// Sizes of 8 GiB and more are written in base 256, as GNU tar and pax readers know it. Names are numbers: a file's own
/// name may identify a person.
enum FileArchive {
    static let mediaType = "application/x-tar"
    private static let block = 512

    /// The header of a file, and the zero bytes after it that fill its last block.
    static func header(_ name: String, size: Int) -> (header: [UInt8], padding: Int) {
        var bytes = [UInt8](repeating: 0, count: block)
        func put(_ text: some Sequence<UInt8>, at offset: Int) {
            for (place, byte) in text.enumerated() { bytes[offset + place] = byte }
        }
        func octal(_ value: Int, _ digits: Int) -> [UInt8] {
            let text = Array(String(value, radix: 8).utf8)
            return [UInt8](repeating: 0x30, count: max(0, digits - text.count)) + text
        }
        put(name.utf8.prefix(100), at: 0)
        put(octal(0o600, 7), at: 100)
        put(octal(0, 7), at: 108)
        put(octal(0, 7), at: 116)
        if size < 1 << 33 {
            put(octal(size, 11), at: 124)
        } else {
            bytes[124] = 0x80
            for place in 0..<8 { bytes[128 + place] = UInt8(truncatingIfNeeded: size >> (8 * (7 - place))) }
        }
        put(octal(0, 11), at: 136)
        bytes[156] = 0x30
        put("ustar\u{0}00".utf8, at: 257)
        put(octal(checksum(bytes), 6) + [0, 0x20], at: 148)
        return (bytes, (block - size % block) % block)
    }

    /// The name of a file in an archive: its number, and the ending of its compression.
    static func name(_ place: Int, _ compression: Compression? = nil) -> String {
        let number = String(place + 1)
        return String(repeating: "0", count: max(0, 6 - number.count)) + number + (compression?.suffixes.first ?? "")
    }

    /// What follows the last file.
    static let end = [UInt8](repeating: 0, count: 2 * block)

    /// The sum of a header's bytes, its own field taken as spaces.
    private static func checksum(_ header: [UInt8]) -> Int {
        header.enumerated().reduce(0) { $0 + ((148..<156).contains($1.offset) ? 0x20 : Int($1.element)) }
    }

    /// The files of an archive that `header` began.
    ///
    /// - Throws: `damaged` for anything else.
    static func files(_ archive: InputFile) throws(IngestionError) -> [InputFile] {
        var found: [InputFile] = []
        var offset = 0
        while true {
            var header: [UInt8] = []
            guard try archive.read(upTo: block, at: offset, into: &header) == block else { break }
            if header.allSatisfy({ $0 == 0 }) { return found }
            func octal(_ range: Range<Int>) -> Int? {
                Int(String(decoding: header[range].prefix { $0 != 0 && $0 != 0x20 }, as: UTF8.self), radix: 8)
            }
            let large = header[128..<136].reduce(0) { $0 << 8 | UInt64($1) }
            let size = header[124] == 0x80 ? Int(exactly: large) : octal(124..<136)
            guard octal(148..<156) == checksum(header), let size, size <= archive.size - offset - block else { break }
            offset += block
            found.append(
                InputFile(offset..<offset + size, of: archive, calling: "\(archive.path)/file \(found.count + 1)"))
            offset += (size + block - 1) / block * block
        }
        throw IngestionError(.damaged, "\(archive.path): its sealed files cannot be told apart")
    }
}

extension SourceFiles {
    /// A held source that was decrypted: the file, or the files of its archive.
    ///
    /// - Parameters:
    ///   - plain: the decrypted file.
    ///   - mediaType: what its authenticated data says it is.
    ///   - name: the name used in messages.
    convenience init(
        held plain: consuming FileDescriptor, mediaType: String?, calling name: String
    ) throws(IngestionError) {
        let file = try InputFile(plain, calling: name)
        let isArchive = mediaType == FileArchive.mediaType
        self.init(isArchive ? try FileArchive.files(file) : [file], calling: name)
    }

    /// Gives the bytes that are sealed of a held source: of a single file its own, of several those of an archive.
    func forEachSealedChunk(_ body: (Span<UInt8>) throws(IngestionError) -> Void) throws(IngestionError) {
        if parts.count == 1 { return try parts[0].forEachChunk(body) }
        for (place, part) in parts.enumerated() {
            var first: [UInt8] = []
            _ = try part.read(upTo: 4, at: 0, into: &first)
            let (header, padding) = FileArchive.header(
                FileArchive.name(place, Compression(first.span)), size: part.size)
            try body(header.span)
            var given = 0
            try part.forEachChunk { chunk throws(IngestionError) in
                given += chunk.count
                try body(chunk)
            }
            // The header has stated the size already.
            guard given == part.size else {
                throw IngestionError(.tryAgain, "\(part.path): its size changed while it was read; run it again")
            }
            try body([UInt8](repeating: 0, count: padding).span)
        }
        try body(FileArchive.end.span)
    }
}
