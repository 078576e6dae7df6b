import Cryptography
import Reading
import Storage
import Tabular

/// Where a slice lies in its source; the second pass reads by it.
struct SlicePlace: Sendable {
    var ordinal: Int
    var offset: UInt64
    var length: UInt64
    var firstRow: Int
    var rowCount: Int
    var isOverlong: Bool
}

/// An open source: one descriptor, read twice. It is never moved, changed or deleted.
final class Source {
    private let file: FileDescriptor
    /// What messages call it.
    let path: String
    /// What it was when it was opened.
    let identity: Delivery.FileIdentity
    var size: Int { identity.size }
    private let isStopped: @Sendable () -> Bool

    init(
        _ path: String, calling name: String? = nil, isStopped: @escaping @Sendable () -> Bool = { false }
    ) throws(IngestionError) {
        let file = try storing(reading: true) { () throws(StorageError) in try FileDescriptor.openRegular(path) }
        let status = try storing(reading: true) { () throws(StorageError) in try file.status() }
        self.file = file
        self.path = name ?? path
        self.isStopped = isStopped
        identity = Delivery.FileIdentity(status)
    }

    /// Whether anyone wrote to it since it was opened, as far as size and time tell.
    func isUnchanged() throws(IngestionError) -> Bool {
        try storing(reading: true) { () throws(StorageError) in Delivery.FileIdentity(try file.status()) == identity }
    }

    /// Appends up to `count` bytes from `offset`; fewer only at the end. Throws `tryAgain` once the work is to stop.
    func read(upTo count: Int, at offset: Int, into bytes: inout [UInt8]) throws(IngestionError) -> Int {
        if isStopped() {
            throw IngestionError(.tryAgain, "\(path): stopped before its outcome was recorded; it will be judged again")
        }
        do throws(StorageError) { return try file.read(upTo: count, at: offset, into: &bytes) } catch {
            throw IngestionError(error)
        }
    }
}

extension Source {
    /// Lends all its bytes in order, a piece at a time.
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

/// Bytes kept of a row past the row limit.
private let overlongKept = 65_536

/// The first pass over a source: hashes it and cuts it into record-aligned slices, holding one slice at a time.
final class SliceCutter {
    private let source: Source
    private let plan: ReadingPlan
    private let sliceBytes: Int
    private var hasher = SHA256()
    private var slicer: Slicer
    private var carry: [UInt8] = []
    /// Offset of `carry`'s first byte, and of the first byte not read.
    private var carryOffset = 0
    private var readOffset = 0
    private var isAtEnd = false
    private var row = 1
    /// Places of the slices so far.
    private(set) var places: [SlicePlace] = []
    /// Header and layout.
    let head: SourceHead

    init(_ source: Source, plan: ReadingPlan, sliceBytes: Int) throws(IngestionError) {
        self.source = source
        self.plan = plan
        self.sliceBytes = sliceBytes
        slicer = Slicer(plan)
        var first: [UInt8] = []
        var hasher = SHA256()
        var isAtEnd = false
        var found: SourceHead?
        while found == nil {
            let before = first.count
            let got = try source.read(upTo: max(sliceBytes, 1 << 20), at: before, into: &first)
            isAtEnd = got < max(sliceBytes, 1 << 20)
            hasher.update(first.span.extracting(before..<first.count))
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
        carry = Array(first[found.length...])
        carryOffset = found.length
        readOffset = first.count
        self.isAtEnd = isAtEnd
        self.hasher = hasher
    }

    /// SHA-256 of everything, once `next` has returned nil.
    func digest() -> [UInt8] { hasher.digest() }

    /// Bytes read so far.
    var bytesRead: Int { readOffset }
    /// Rows cut so far.
    var rows: Int { row - 1 }

    private func fill(to count: Int) throws(IngestionError) {
        while !isAtEnd, carry.count < count {
            let before = carry.count
            let wanted = count - before
            let got = try source.read(upTo: wanted, at: readOffset, into: &carry)
            hasher.update(carry.span.extracting(before..<carry.count))
            readOffset += got
            if got < wanted { isAtEnd = true }
        }
    }

    /// The next slice, or nil at the end.
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
            let offset = carryOffset
            carry = rest
            carryOffset += cut.end
            if cut.rows == 0 { continue }
            return slice(offset: offset, length: cut.end, rows: cut.rows, bytes: own, isOverlong: false)
        }
    }

    private func slice(offset: Int, length: Int, rows: Int, bytes: [UInt8], isOverlong: Bool) -> SourceSlice {
        let place = SlicePlace(
            ordinal: places.count, offset: UInt64(offset), length: UInt64(length), firstRow: row, rowCount: rows,
            isOverlong: isOverlong)
        places.append(place)
        row += rows
        return SourceSlice(
            ordinal: place.ordinal, offset: place.offset, length: place.length, firstRow: place.firstRow,
            rowCount: rows, bytes: bytes, isOverlong: isOverlong)
    }

    /// A row past the row limit: skips to its line end in constant memory and keeps only its beginning.
    private func overlong() throws(IngestionError) -> SourceSlice {
        let kept = Array(carry.prefix(overlongKept))
        let offset = carryOffset
        // The scanner saw no line end that could end this row in what was read.
        var at = readOffset
        var end = readOffset
        var buffer: [UInt8] = []
        var rest: [UInt8] = []
        scan: while true {
            buffer.removeAll(keepingCapacity: true)
            let got = try source.read(upTo: 1 << 20, at: at, into: &buffer)
            hasher.update(buffer.span)
            if got == 0 {
                isAtEnd = true
                end = at
                break
            }
            if let index = buffer.firstPlace(of: 0x0A) {
                end = at + index + 1
                rest = Array(buffer[(index + 1)...])
                at += got
                break scan
            }
            at += got
        }
        readOffset = max(at, end)
        carry = rest
        carryOffset = end
        return slice(offset: offset, length: end - offset, rows: 1, bytes: kept, isOverlong: true)
    }
}

/// The second pass: reads the slices again by their places, hashing every byte again.
final class SliceReplayer {
    private let source: Source
    private let places: [SlicePlace]
    private var hasher = SHA256()
    private var hashed = 0
    private var index = 0

    init(_ source: Source, places: [SlicePlace]) {
        self.source = source
        self.places = places
    }

    /// Bytes read so far.
    var bytesRead: Int { hashed }

    /// The next slice, or nil behind the last; nil too when the source has become shorter.
    func next() throws(IngestionError) -> SourceSlice? {
        guard index < places.count else { return nil }
        let place = places[index]
        index += 1
        try hash(to: Int(place.offset))
        var bytes: [UInt8] = []
        let wanted = place.isOverlong ? min(Int(place.length), overlongKept) : Int(place.length)
        let got = try source.read(upTo: wanted, at: Int(place.offset), into: &bytes)
        hasher.update(bytes.span)
        hashed += got
        if got < wanted { return nil }
        return SourceSlice(
            ordinal: place.ordinal, offset: place.offset, length: place.length, firstRow: place.firstRow,
            rowCount: place.rowCount, bytes: bytes, isOverlong: place.isOverlong)
    }

    /// Hashes the rest; the digest of the whole file as it is now.
    func finish() throws(IngestionError) -> [UInt8] {
        try hash(to: .max)
        return hasher.digest()
    }

    private func hash(to offset: Int) throws(IngestionError) {
        var buffer: [UInt8] = []
        while hashed < offset {
            buffer.removeAll(keepingCapacity: true)
            let got = try source.read(upTo: min(1 << 20, offset - hashed), at: hashed, into: &buffer)
            if got == 0 { return }
            hasher.update(buffer.span)
            hashed += got
        }
    }
}
