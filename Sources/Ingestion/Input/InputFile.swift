import Cryptography
import Reading
import Storage
import Synchronization
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

/// An open source file: one descriptor, read by every pass. The file is never moved, changed or deleted.
final class InputFile: Sendable {
    private let file: FileDescriptor
    /// The name used in messages.
    let path: String
    /// Inode, size and modification time when it was opened.
    let identity: Delivery.FileIdentity
    var size: Int { identity.size }
    private let isStopped: @Sendable () -> Bool

    /// Opens a file, or standard input for `-`.
    ///
    /// - Parameters:
    ///   - path: where the file is.
    ///   - name: its name in messages; the path when nil.
    ///   - isStopped: asked before each read.
    init(
        _ path: String, calling name: String? = nil, isStopped: @escaping @Sendable () -> Bool = { false }
    ) throws(IngestionError) {
        try refuseFolder(path)
        let file = try storing(reading: true) { () throws(StorageError) in
            path == StandardInput.name ? try StandardInput.open() : try FileDescriptor.openRegular(path)
        }
        let status = try storing(reading: true) { () throws(StorageError) in try file.status() }
        self.file = file
        self.path = name ?? path
        self.isStopped = isStopped
        identity = Delivery.FileIdentity(status)
    }

    /// Wraps a descriptor that is open already, such as a file without a name.
    ///
    /// - Parameters:
    ///   - file: the descriptor.
    ///   - name: its name in messages.
    ///   - isStopped: asked before each read.
    init(
        _ file: consuming FileDescriptor, calling name: String, isStopped: @escaping @Sendable () -> Bool = { false }
    ) throws(IngestionError) {
        let status: FileStatus
        do throws(StorageError) { status = try file.status() } catch { throw IngestionError(error, reading: true) }
        self.file = file
        path = name
        self.isStopped = isStopped
        identity = Delivery.FileIdentity(status)
    }

    /// The file's size now.
    func currentSize() throws(IngestionError) -> Int {
        try storing(reading: true) { () throws(StorageError) in Delivery.FileIdentity(try file.status()).size }
    }

    /// Whether inode, size and modification time are still those of opening.
    func isUnchanged() throws(IngestionError) -> Bool {
        try storing(reading: true) { () throws(StorageError) in Delivery.FileIdentity(try file.status()) == identity }
    }

    /// Appends up to `count` bytes from `offset`; fewer only at the end of the file.
    ///
    /// - Parameters:
    ///   - count: most bytes to read.
    ///   - offset: the first byte's offset in the file.
    ///   - bytes: what is read is appended here.
    /// - Returns: how many bytes were appended.
    /// - Throws: `tryAgain` once `isStopped` is true.
    func read(upTo count: Int, at offset: Int, into bytes: inout [UInt8]) throws(IngestionError) -> Int {
        if isStopped() {
            throw IngestionError(.tryAgain, "\(path): stopped before its outcome was recorded; it will be judged again")
        }
        do throws(StorageError) { return try file.read(upTo: count, at: offset, into: &bytes) } catch {
            throw IngestionError(error)
        }
    }
}

extension InputFile {
    /// Calls `body` with all bytes of the file in order, in pieces of bounded size.
    func forEachChunk(_ body: (Span<UInt8>) throws(IngestionError) -> Void) throws(IngestionError) {
        var offset = 0
        var buffer: [UInt8] = []
        while true {
            buffer.removeAll(keepingCapacity: true)
            let got = try read(upTo: 1 << 20, at: offset, into: &buffer)
            if got == 0 { return }
            try body(buffer.span)
            offset += got
        }
    }
}

/// Refuses a folder as input, with what takes its files.
func refuseFolder(_ path: String) throws(IngestionError) {
    guard path != StandardInput.name, (try? fileStatus(path))?.kind == .folder else { return }
    throw IngestionError(
        .noInput,
        "\(path): it is a folder; give its files, as in \(join(path, "*.csv")), or have sluice watch take them from an inbox"
    )
}

/// Standard input. It is copied to an unnamed file once, since every batch is read twice.
package enum StandardInput {
    /// The command-line argument that stands for it.
    package static let name = "-"
    private static let kept = Mutex<Kept?>(nil)

    private final class Kept: Sendable {
        let file: FileDescriptor

        init(_ file: consuming FileDescriptor) { self.file = file }
    }

    /// Copies standard input to an unnamed file in `folder`. Later calls do nothing.
    package static func keep(in folder: String) throws(IngestionError) {
        if kept.withLock({ $0 != nil }) { return }
        let file = try storing(reading: true) { () throws(StorageError) in
            Kept(try FileDescriptor.spoolStandardInput(in: folder))
        }
        kept.withLock { $0 = file }
    }

    fileprivate static func open() throws(StorageError) -> FileDescriptor {
        guard let found = kept.withLock({ $0 }) else { preconditionFailure("standard input is kept before it is read") }
        return try found.file.duplicate()
    }
}

/// Bytes that are kept of a row past the row limit.
private let overlongKept = 65_536

/// The first pass over a source: hashes it and cuts it into slices that end at record boundaries. One slice is in
/// memory at a time.
final class SliceCutter {
    private let source: InputFile
    private let plan: ReadingPlan
    private let sliceBytes: Int
    private let reader: SourceReader
    private var slicer: Slicer
    private var carry: [UInt8] = []
    /// Offset of the first byte of `carry`, in the text and in the source.
    private var textOffset = 0
    private var offset: UInt64 = 0
    private var isAtEnd = false
    private var row = 1
    /// Places of the slices so far, in order.
    private(set) var places: [SlicePlace] = []
    /// Whether the last line lacks its line end, as in a truncated file.
    private(set) var lacksLineEnd = false
    /// The header and the layout of columns; read by `init`.
    let head: SourceHead

    /// Opens a source and reads its header.
    ///
    /// - Parameters:
    ///   - source: the file.
    ///   - plan: how it is read.
    ///   - sliceBytes: about how many bytes of text a slice has; a longer row enlarges its slice.
    /// - Throws: `unreadableData` when there is no header within twice the row limit.
    init(_ source: InputFile, plan: ReadingPlan, sliceBytes: Int) throws(IngestionError) {
        self.source = source
        self.plan = plan
        self.sliceBytes = sliceBytes
        slicer = Slicer(plan)
        reader = try SourceReader(source, plan.coding)
        var first: [UInt8] = []
        var isAtEnd = false
        var found: SourceHead?
        while found == nil {
            let got = try reader.read(upTo: max(sliceBytes, 1 << 20), into: &first)
            isAtEnd = got < max(sliceBytes, 1 << 20)
            // Leading blank lines are dropped, however many there are, so that they need no memory.
            if first.first == 0x0A {
                let blank = first.firstIndex { $0 != 0x0A } ?? first.count
                first.removeFirst(blank)
                textOffset += blank
            }
            do throws(UnreadableSource) {
                found = try readHead(first.span, isWhole: isAtEnd, plan: plan)
            } catch {
                throw IngestionError(error, file: source.path)
            }
            if found == nil, first.count > 2 * plan.limits.maxRowBytes {
                throw IngestionError(
                    .unreadableData,
                    "\(source.path): the header is longer than \(plan.limits.maxRowBytes) bytes; is the file CSV?")
            }
        }
        guard let found else { throw IngestionError(.software, "no header was read") }
        head = found
        // Leading line feeds are as long in the source as any other ASCII character of its encoding.
        let feed = plan.coding.encoding.sourceLength(of: [0x0A].span)
        offset = UInt64(
            textOffset * feed + plan.coding.encoding.sourceLength(of: first.span.extracting(0..<found.length)))
        carry = Array(first[found.length...])
        textOffset += found.length
        self.isAtEnd = isAtEnd
    }

    /// SHA-256 of the whole file; valid once `next` has returned nil.
    func digest() -> [UInt8] { reader.digest() }

    /// Bytes of the file read so far.
    var bytesRead: Int { reader.bytesRead }
    /// The file's compression, and the bytes decompressed so far; nil for a plain file.
    var compression: (kind: Compression, bytes: Int)? { reader.compression.map { ($0, reader.bytesUnpacked) } }
    /// Whether the rows are items of a JSON array or of a document.
    var isFramed: Bool { reader.isFramed }
    /// Rows cut so far.
    var rows: Int { row - 1 }

    /// Reads until `carry` has `count` bytes or the source ends.
    private func fill(to count: Int) throws(IngestionError) {
        while !isAtEnd, carry.count < count {
            let wanted = count - carry.count
            if try reader.read(upTo: wanted, into: &carry) < wanted { isAtEnd = true }
        }
    }

    /// The next slice; nil at the end.
    ///
    /// Doubles the window until it holds a whole row, so that the cost of a long row stays linear.
    func next() throws(IngestionError) -> SourceSlice? {
        var wanted = sliceBytes
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
            let length = plan.coding.encoding.sourceLength(of: own.span)
            if isAtEnd, carry.isEmpty, !reader.isFramed {
                lacksLineEnd =
                    own.last != (plan.format == .csv ? plan.dialect.lineTerminator ?? 0x0A : 0x0A)
            }
            if let slice = slice(length, own.count, rows: cut.rows, bytes: own) { return slice }
        }
    }

    /// Takes bytes from the front of the source.
    ///
    /// - Returns: their slice; nil when there are no rows in them.
    private func slice(
        _ length: Int, _ textLength: Int, rows: Int, bytes: [UInt8], isOverlong: Bool = false
    ) -> SourceSlice? {
        let place = SlicePlace(
            ordinal: places.count, offset: offset, length: UInt64(length), textOffset: textOffset,
            textLength: textLength, firstRow: row, rowCount: rows, isOverlong: isOverlong)
        offset += UInt64(length)
        textOffset += textLength
        if rows == 0 { return nil }
        places.append(place)
        row += rows
        return SourceSlice(place, bytes)
    }

    /// A row past the row limit: skips to its line end in constant memory and keeps its first `overlongKept` bytes.
    private func overlong() throws(IngestionError) -> SourceSlice? {
        let kept = Array(carry.prefix(overlongKept))
        let lineEnd = plan.format == .csv ? plan.dialect.lineTerminator ?? 0x0A : 0x0A
        // In what was read so far the scanner found no line end outside quotes.
        var textLength = carry.count
        var length = plan.coding.encoding.sourceLength(of: carry.span)
        var buffer: [UInt8] = []
        carry = []
        while true {
            buffer.removeAll(keepingCapacity: true)
            if try reader.read(upTo: 1 << 20, into: &buffer) == 0 {
                isAtEnd = true
                break
            }
            let end = buffer.firstPlace(of: lineEnd).map { $0 + 1 } ?? buffer.count
            textLength += end
            length += plan.coding.encoding.sourceLength(of: buffer.span.extracting(0..<end))
            if end < buffer.count || buffer.last == lineEnd {
                carry = Array(buffer[end...])
                break
            }
        }
        return slice(length, textLength, rows: 1, bytes: kept, isOverlong: true)
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
    private let reader: SourceReader
    private let places: [SlicePlace]
    private var index = 0

    /// Opens a source for another pass.
    ///
    /// - Parameters:
    ///   - source: the file of the first pass.
    ///   - places: the slices to read, ascending.
    ///   - coding: compression and encoding.
    init(_ source: InputFile, places: [SlicePlace], _ coding: SourceCoding) throws(IngestionError) {
        reader = try SourceReader(source, coding, hashes: false)
        self.places = places
    }

    /// Bytes of the file read so far.
    var bytesRead: Int { reader.bytesRead }

    /// The next slice; nil after the last, and when the source has become shorter.
    func next() throws(IngestionError) -> SourceSlice? {
        guard index < places.count else { return nil }
        let place = places[index]
        index += 1
        try reader.skip(to: place.textOffset)
        var bytes: [UInt8] = []
        let wanted = place.isOverlong ? min(place.textLength, overlongKept) : place.textLength
        if try reader.read(upTo: wanted, into: &bytes) < wanted { return nil }
        return SourceSlice(place, bytes)
    }
}
