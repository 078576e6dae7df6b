import Cryptography
import Reading
import Storage
import Tabular

/// The place of a slice in its source. Later passes read slices by their places.
struct SlicePlace: Sendable {
    /// The slice's number, from 0.
    var ordinal: Int
    /// Offset and length in bytes of the source; for a compressed source, of the decompressed stream.
    var offset: UInt64
    var length: UInt64
    /// Offset and length in bytes of the UTF-8 text that `SourceReader` gives.
    var textOffset: Int
    var textLength: Int
    /// Number of the slice's first row, from 1, and how many rows it has.
    var firstRow: Int
    var rowCount: Int
    /// Whether it is one row past the row limit, of which only the beginning is kept.
    var isOverlong: Bool
}

/// Where the text of one file stands in the text of its source.
struct FileText: Sendable {
    /// Bytes of the file's own text that are not in the source's: its header, unless it is the first file.
    var head = 0
    /// Offset in the source's text of what follows.
    var start = 0
    /// The same two in bytes of the source instead of its text; see `SlicePlace`.
    var source = (head: UInt64(0), start: UInt64(0))
    /// The line end that was added after its text, because the file lacks it and other files follow in the same slice.
    var addedLineEnd: UInt8?
    /// Its rows.
    var rows = 0
    /// Whether its last row lacks a line end, as in a truncated file.
    var lacksLineEnd = false
}

/// Where slices and files stand in the text of a source, as the first pass found them.
struct SourceText: Sendable {
    /// The slices, in order.
    var places: [SlicePlace]
    /// The files, in order.
    let files: [FileText]
}

/// Bytes that are kept of a row past the row limit.
private let overlongKept = 65_536

/// The first pass over a source: hashes its files and cuts them into slices that end at record boundaries. One slice is
/// in memory at a time; it may hold rows of several files.
final class SliceCutter {
    private let source: SourceFiles
    private let plan: ReadingPlan
    private let sliceBytes: Int
    private var slicer: Slicer
    /// The reader of the current file, and what it gave that is not cut yet.
    private var reader: SourceReader
    private var carry: [UInt8]
    private var isAtEnd: Bool
    /// Offset of the first byte of `carry`, in the text and in the source.
    private var textOffset: Int
    private var offset: UInt64
    private var row = 1
    /// A row past the row limit, which is a slice of its own.
    private var waiting: Piece?
    /// What the readers of earlier files counted.
    private var earlier = (bytes: 0, unpacked: 0, compression: Compression?.none)
    private var earlierDigests = SourceDigest()
    /// Places of the slices so far, in order.
    private(set) var places: [SlicePlace] = []
    /// Where the text of each file stands, as far as they were opened.
    private(set) var files: [FileText] = [FileText()]
    /// What a later pass needs to read the slices again.
    var text: SourceText { SourceText(places: places, files: files) }
    /// The header and the layout of columns of the first file; read by `init`. The others have the same columns.
    let head: SourceHead

    /// Opens a source and reads its header.
    ///
    /// - Parameters:
    ///   - source: its files.
    ///   - plan: how they are read.
    ///   - sliceBytes: about how many bytes of text a slice has; a longer row enlarges its slice.
    /// - Throws: `unreadableData` when there is no header within twice the row limit.
    init(_ source: SourceFiles, plan: ReadingPlan, sliceBytes: Int) throws(IngestionError) {
        self.source = source
        self.plan = plan
        self.sliceBytes = sliceBytes
        slicer = Slicer(plan)
        let begun = try BegunFile(source.parts[0], plan, sliceBytes: sliceBytes)
        (head, reader, carry, isAtEnd) = (begun.head, begun.reader, begun.rest, begun.isAtEnd)
        (textOffset, offset) = (begun.headLength, begun.sourceLength)
    }

    /// A single file.
    convenience init(_ file: InputFile, plan: ReadingPlan, sliceBytes: Int) throws(IngestionError) {
        try self.init(SourceFiles(file), plan: plan, sliceBytes: sliceBytes)
    }

    /// The digest of the whole source; valid once `next` has returned nil.
    func digest() -> SourceDigest {
        var digest = earlierDigests
        digest.parts.append((reader.bytesRead, reader.digest()))
        return digest
    }

    /// Bytes of the files read so far.
    var bytesRead: Int { earlier.bytes + reader.bytesRead }
    /// The compression of the first compressed file, and the bytes of all files after decompression, so far; nil where
    /// every file is plain.
    var compression: (kind: Compression, bytes: Int)? {
        (earlier.compression ?? reader.compression).map { ($0, earlier.unpacked + reader.bytesUnpacked) }
    }
    /// Whether the rows are items of a JSON array or of a document.
    var isFramed: Bool { reader.isFramed }
    /// Rows cut so far.
    var rows: Int { row - 1 }
    /// The sign that ends a row.
    private var lineEnd: UInt8 { plan.format == .csv ? plan.dialect.lineTerminator ?? 0x0A : 0x0A }

    /// Text that was cut, with the beginning of its place.
    fileprivate struct Piece {
        var bytes: [UInt8]
        var place: SlicePlace
    }

    /// The next slice; nil at the end.
    func next() throws(IngestionError) -> SourceSlice? {
        if let piece = waiting.take() { return slice(piece) }
        var gathered: Piece?
        while true {
            guard let piece = try piece(about: max(1, sliceBytes - (gathered?.bytes.count ?? 0))) else {
                if try openNext() { continue }
                return gathered.flatMap(slice)
            }
            if piece.place.isOverlong {
                guard let gathered else { return slice(piece) }
                waiting = piece
                return slice(gathered)
            }
            let added = piece.bytes.count
            if var before = gathered.take() {
                before.append(piece)
                gathered = before
            } else if piece.place.rowCount > 0 {
                gathered = piece
            }
            guard var whole = gathered.take() else { continue }
            // A slice goes on with the next file unless it is nearly full.
            let goesOn =
                isAtEnd && carry.isEmpty && files.count < source.parts.count && whole.bytes.count < sliceBytes / 4 * 3
            guard goesOn, close(&whole, last: added) else { return slice(whole) }
            gathered = whole
        }
    }

    /// Ends the text of a file in the middle of a slice, so that a row of the next file can follow.
    ///
    /// - Parameters:
    ///   - piece: the slice so far.
    ///   - count: how many of its bytes, from the end, were cut together.
    /// - Returns: false when the file ends within quotes; what follows would be read as part of its last row.
    private func close(_ piece: inout Piece, last count: Int) -> Bool {
        let lacks = piece.bytes.last != lineEnd
        if lacks { piece.bytes.append(lineEnd) }
        let last = count + (lacks ? 1 : 0)
        let bytes = piece.bytes
        let isClosed = slicer.cut(bytes.span.extracting(bytes.count - last..<bytes.count), isFinal: false).end == last
        guard lacks else { return isClosed }
        guard isClosed else {
            piece.bytes.removeLast()
            return false
        }
        files[files.count - 1].addedLineEnd = lineEnd
        let length = plan.coding.encoding.sourceLength(of: [lineEnd].span)
        piece.place.length += UInt64(length)
        piece.place.textLength += 1
        (textOffset, offset) = (textOffset + 1, offset + UInt64(length))
        return true
    }

    /// Goes on with the next file.
    ///
    /// - Returns: false when there is none.
    /// - Throws: `unreadableData` when it has other columns than the first.
    private func openNext() throws(IngestionError) -> Bool {
        guard files.count < source.parts.count else { return false }
        let compression = earlier.compression ?? reader.compression
        earlier = (bytesRead, earlier.unpacked + reader.bytesUnpacked, compression)
        earlierDigests.parts.append((reader.bytesRead, reader.digest()))
        let file = source.parts[files.count]
        let begun = try BegunFile(file, plan, sliceBytes: sliceBytes)
        try requireSameColumns(begun.head, in: file)
        (reader, carry, isAtEnd) = (begun.reader, begun.rest, begun.isAtEnd)
        files.append(
            FileText(head: begun.headLength, start: textOffset, source: (head: begun.sourceLength, start: offset)))
        return true
    }

    private func requireSameColumns(_ other: SourceHead, in file: InputFile) throws(IngestionError) {
        // A first header that does not fit the contract refuses the batch anyway.
        guard let layout = head.layout else { return }
        if let found = other.layout, found.columns == layout.columns, found.fieldOfColumn == layout.fieldOfColumn {
            return
        }
        let columns = other.layout?.columns ?? []
        let place = layout.columns.indices.first { $0 >= columns.count || columns[$0] != layout.columns[$0] }
        let difference =
            other.layout == nil
            ? unfit(other) : place.map { "column \($0 + 1) differs" } ?? "it has more columns"
        throw IngestionError(
            .unreadableData,
            "\(file.path): its header is not that of \(source.parts[0].path) (\(difference)); the files of a batch have the "
                + "same columns in the same order")
    }

    /// What is wrong with a header that does not fit the contract.
    private func unfit(_ head: SourceHead) -> String {
        if head.matches == 0, plan.format == .csv {
            return "none of its columns is known: it has no header, or another delimiter"
        }
        let missing = plan.fieldNames.indices.filter { field in
            head.findings.contains { $0.code == .missingLabel && $0.field == field }
        }
        let shown =
            missing.prefix(3).map { "\(plan.fieldNames[$0]) is missing" }
            + head.unknown.prefix(3).map { "column \($0) is unknown" }
        return shown.isEmpty ? "columns are missing, or unknown" : shown.joined(separator: ", ")
    }

    /// Reads until `carry` has `count` bytes or the file ends.
    private func fill(to count: Int) throws(IngestionError) {
        while !isAtEnd, carry.count < count {
            let wanted = count - carry.count
            if try reader.read(upTo: wanted, into: &carry) < wanted { isAtEnd = true }
        }
    }

    /// The next rows of the current file; nil at its end. There may be no rows in them.
    ///
    /// Doubles the window until it holds a whole row, so that the cost of a long row stays linear.
    private func piece(about count: Int) throws(IngestionError) -> Piece? {
        var wanted = count
        while true {
            try fill(to: wanted)
            if carry.isEmpty { return nil }
            let shown = min(carry.count, wanted)
            let isWhole = shown == carry.count
            let bytes = carry
            let cut = slicer.cut(bytes.span.extracting(0..<shown), isFinal: isAtEnd && isWhole)
            if cut.end == 0 {
                if cut.isOverlong, isWhole { return try overlong() }
                if isAtEnd, isWhole { return nil }
                wanted = shown * 2
                continue
            }
            let rest = Array(bytes[cut.end...])
            carry = []
            var own = consume bytes
            own.removeLast(own.count - cut.end)
            carry = rest
            noteEnd(own.last)
            let length = plan.coding.encoding.sourceLength(of: own.span)
            return piece(own, rows: cut.rows, length: (length, own.count))
        }
    }

    /// Notes at the end of a file whether its last row lacks a line end.
    private func noteEnd(_ last: UInt8?) {
        if isAtEnd, carry.isEmpty, !reader.isFramed, last != lineEnd { files[files.count - 1].lacksLineEnd = true }
    }

    /// Takes bytes from the front of the source.
    private func piece(
        _ bytes: [UInt8], rows: Int, length: (source: Int, text: Int), isOverlong: Bool = false
    ) -> Piece {
        let place = SlicePlace(
            ordinal: 0, offset: offset, length: UInt64(length.source), textOffset: textOffset,
            textLength: length.text, firstRow: row, rowCount: rows, isOverlong: isOverlong)
        offset += UInt64(length.source)
        textOffset += length.text
        row += rows
        files[files.count - 1].rows += rows
        return Piece(bytes: bytes, place: place)
    }

    /// The slice of a piece; nil when there are no rows in it.
    private func slice(_ piece: Piece) -> SourceSlice? {
        if piece.place.rowCount == 0 { return nil }
        var place = piece.place
        place.ordinal = places.count
        places.append(place)
        return SourceSlice(place, piece.bytes)
    }

    /// A row past the row limit: skips to its line end in constant memory and keeps its first `overlongKept` bytes.
    private func overlong() throws(IngestionError) -> Piece {
        let kept = Array(carry.prefix(overlongKept))
        // In what was read so far the scanner found no line end outside quotes.
        var textLength = carry.count
        var length = plan.coding.encoding.sourceLength(of: carry.span)
        var buffer: [UInt8] = []
        var last = carry.last
        carry = []
        while true {
            buffer.removeAll(keepingCapacity: true)
            if try reader.read(upTo: 1 << 20, into: &buffer) == 0 {
                isAtEnd = true
                break
            }
            let end = buffer.firstPlace(of: lineEnd).map { $0 + 1 } ?? buffer.count
            textLength += end
            if end > 0 { last = buffer[end - 1] }
            length += plan.coding.encoding.sourceLength(of: buffer.span.extracting(0..<end))
            if end < buffer.count || buffer.last == lineEnd {
                carry = Array(buffer[end...])
                break
            }
        }
        noteEnd(last)
        return piece(kept, rows: 1, length: (length, textLength), isOverlong: true)
    }
}

extension SliceCutter.Piece {
    fileprivate mutating func append(_ other: Self) {
        bytes += other.bytes
        place.rowCount += other.place.rowCount
        place.length += other.place.length
        place.textLength += other.place.textLength
    }
}

/// A file whose header was read.
private struct BegunFile {
    let reader: SourceReader
    let head: SourceHead
    /// The text after the header, as far as it was read.
    let rest: [UInt8]
    let isAtEnd: Bool
    /// Bytes before the first row: of text, and in the file.
    let headLength: Int
    let sourceLength: UInt64

    init(_ file: InputFile, _ plan: ReadingPlan, sliceBytes: Int) throws(IngestionError) {
        let reader = try SourceReader(file, plan.coding)
        var first: [UInt8] = []
        var (blank, isAtEnd) = (0, false)
        var found: SourceHead?
        while found == nil {
            // No more than a small file has, since there may be thousands of them.
            let wanted = min(max(sliceBytes, 1 << 20), file.size + 4096)
            let got = try reader.read(upTo: wanted, into: &first)
            isAtEnd = got < wanted
            // Leading blank lines are dropped, however many there are, so that they need no memory.
            if first.first == 0x0A {
                let lines = first.firstIndex { $0 != 0x0A } ?? first.count
                first.removeFirst(lines)
                blank += lines
            }
            do throws(UnreadableSource) {
                found = try readHead(first.span, isWhole: isAtEnd, plan: plan)
            } catch {
                throw IngestionError(error, file: file.path)
            }
            if found == nil, first.count > 2 * plan.limits.maxRowBytes {
                throw IngestionError(
                    .unreadableData,
                    "\(file.path): the header is longer than \(plan.limits.maxRowBytes) bytes; is the file CSV?")
            }
        }
        guard let found else { throw IngestionError(.software, "no header was read") }
        // Leading line feeds are as long in the source as any other ASCII character of its encoding.
        let feed = plan.coding.encoding.sourceLength(of: [0x0A].span)
        sourceLength = UInt64(
            blank * feed + plan.coding.encoding.sourceLength(of: first.span.extracting(0..<found.length)))
        headLength = blank + found.length
        (rest, head) = (Array(first[found.length...]), found)
        (self.reader, self.isAtEnd) = (reader, isAtEnd)
    }
}

extension SourceSlice {
    fileprivate init(_ place: SlicePlace, _ bytes: [UInt8]) {
        self.init(
            ordinal: place.ordinal, offset: place.offset, length: place.length, firstRow: place.firstRow,
            rowCount: place.rowCount, bytes: bytes)
        isOverlong = place.isOverlong
    }
}

/// A later pass: reads slices again by their places, in order.
final class SliceReplayer {
    private let source: SourceFiles
    private let coding: SourceCoding
    /// Where the text of each file stands; the last one's has no end.
    private let files: [FileText]
    private let places: [SlicePlace]
    private var index = 0
    /// The current file, and its reader.
    private var file = 0
    private var reader: SourceReader
    private var earlierBytes = 0

    /// Opens a source for another pass.
    ///
    /// - Parameters:
    ///   - source: the files of the first pass.
    ///   - text: the slices to read, ascending, and where the files stand.
    ///   - coding: compression and encoding.
    init(_ source: SourceFiles, _ text: SourceText, _ coding: SourceCoding) throws(IngestionError) {
        (self.source, self.coding) = (source, coding)
        (places, files) = (text.places, text.files)
        reader = try SourceReader(source.parts[0], coding, hashes: false)
    }

    /// Bytes of the files read so far.
    var bytesRead: Int { earlierBytes + reader.bytesRead }

    /// The next slice; nil after the last, and when the source has become shorter.
    func next() throws(IngestionError) -> SourceSlice? {
        guard index < places.count else { return nil }
        let place = places[index]
        index += 1
        var bytes: [UInt8] = []
        let wanted = place.isOverlong ? min(place.textLength, overlongKept) : place.textLength
        guard try read(wanted, at: place.textOffset, into: &bytes) else { return nil }
        return SourceSlice(place, bytes)
    }

    /// Appends `count` bytes of the source's text, from an offset on.
    ///
    /// - Returns: false when the source has become shorter.
    private func read(_ count: Int, at start: Int, into bytes: inout [UInt8]) throws(IngestionError) -> Bool {
        let end = start + count
        var offset = start
        while offset < end {
            while file + 1 < files.count, files[file + 1].start <= offset {
                file += 1
                earlierBytes += reader.bytesRead
                reader = try SourceReader(source.parts[file], coding, hashes: false)
            }
            let text = files[file]
            let added = text.addedLineEnd == nil ? 0 : 1
            let fileEnd = file + 1 < files.count ? files[file + 1].start - added : .max
            if offset < fileEnd {
                try reader.skip(to: offset - text.start + text.head)
                let wanted = min(end, fileEnd) - offset
                if try reader.read(upTo: wanted, into: &bytes) < wanted { return false }
                offset += wanted
            }
            if let lineEnd = text.addedLineEnd, offset == fileEnd, offset < end {
                bytes.append(lineEnd)
                offset += 1
            }
        }
        return true
    }
}
