import Storage
import Synchronization

/// An open source file: one descriptor, read by every pass. The file is never moved, changed or deleted.
final class InputFile: Sendable {
    private let file: SharedFile
    /// The bytes of the descriptor's file that are this file's: all of them, or those of a file in an archive.
    private let base: Int
    /// Its size in bytes.
    let size: Int
    /// The name used in messages.
    let path: String
    /// Inode, size and modification time of the descriptor's file when it was opened.
    let identity: Delivery.FileIdentity
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
        self.file = SharedFile(file)
        self.path = name ?? path
        self.isStopped = isStopped
        identity = Delivery.FileIdentity(status)
        (base, size) = (0, identity.size)
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
        self.file = SharedFile(file)
        path = name
        self.isStopped = isStopped
        identity = Delivery.FileIdentity(status)
        (base, size) = (0, identity.size)
    }

    /// Some bytes of another file, as a file.
    ///
    /// - Parameters:
    ///   - range: its bytes of `archive`.
    ///   - archive: the file that contains it.
    ///   - name: its name in messages.
    init(_ range: Range<Int>, of archive: InputFile, calling name: String) {
        file = archive.file
        (base, size) = (archive.base + range.lowerBound, range.count)
        path = name
        identity = archive.identity
        isStopped = archive.isStopped
    }

    /// Whether inode, size and modification time are still those of opening.
    func isUnchanged() throws(IngestionError) -> Bool { try currentIdentity() == identity }

    /// Whether the size is still that of opening.
    func isAsLong() throws(IngestionError) -> Bool { try currentIdentity().size == identity.size }

    private func currentIdentity() throws(IngestionError) -> Delivery.FileIdentity {
        try storing(reading: true) { () throws(StorageError) in Delivery.FileIdentity(try file.descriptor.status()) }
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
        // A file that grows is read on, so that its change is noticed; one in an archive ends where the next begins.
        let most = size == identity.size ? count : min(count, max(0, size - offset))
        do throws(StorageError) { return try file.descriptor.read(upTo: most, at: base + offset, into: &bytes) } catch {
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
        "\(path): it is a folder; give its files, as in \(join(path, "*.csv"))"
    )
}

/// Standard input. It is copied to an unnamed file once, since every batch is read twice.
package enum StandardInput {
    /// The command-line argument that stands for it.
    package static let name = "-"
    private static let kept = Mutex<SharedFile?>(nil)

    /// Copies standard input to an unnamed file in `folder`. Later calls do nothing.
    package static func keep(in folder: String) throws(IngestionError) {
        if kept.withLock({ $0 != nil }) { return }
        let file = try storing(reading: true) { () throws(StorageError) in
            SharedFile(try FileDescriptor.spoolStandardInput(in: folder))
        }
        kept.withLock { $0 = file }
    }

    fileprivate static func open() throws(StorageError) -> FileDescriptor {
        guard let found = kept.withLock({ $0 }) else { preconditionFailure("standard input is kept before it is read") }
        return try found.descriptor.duplicate()
    }
}

/// A descriptor that several files share.
final class SharedFile: Sendable {
    let descriptor: FileDescriptor

    init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }
}
