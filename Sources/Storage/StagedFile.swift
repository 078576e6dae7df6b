import CPosix
import Glibc

/// A file that is being written: its name ends in ".part" until `commit` gives it its final name. If the value is
/// released without a commit, the file is removed.
///
/// The system calls in their order (`scripts/sweep` checks it for power loss):
/// `openat(name.part, O_CREAT|O_EXCL, 0600)`, `write`…, `fsync(file)`, `close(file)`,
/// `renameat2(name.part, name, RENAME_NOREPLACE)`, and then, once for all files of a folder, `fsync(folder)`.
package struct StagedFile: ~Copyable, Sendable {
    /// The folder it is in.
    package let folder: OpenFolder
    /// Number of bytes written.
    package private(set) var byteCount = 0
    private let part: FileName
    private var number: Int32
    /// Bytes written since writeback was last started.
    private var unstarted = 0
    private static let writebackBytes = 4 << 20
    private var isCommitted = false

    /// Its path until it is committed.
    package var partPath: String { folder.shown(part) }

    /// Creates `name.part` in an open folder, readable by its owner only. Throws `alreadyExists` if it exists.
    package init(in folder: OpenFolder, name: FileName, mode: UInt32 = 0o600) throws(StorageError) {
        guard let part = FileName(name.bytes + Array(".part".utf8)) else {
            throw StorageError("create", folder.shown(name), errno: ENAMETOOLONG)
        }
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let opened = Int32(
            retrying { unsafe Int(part.withCString { unsafe sluice_openat(folder.number, $0, flags, mode) }) })
        guard opened >= 0 else { throw systemError("create", folder.shown(part)) }
        self.folder = folder
        self.part = part
        number = opened
    }

    /// The same, with the name as text.
    package init(in folder: OpenFolder, name: String) throws(StorageError) {
        guard let name = FileName(Array(name.utf8)) else {
            throw StorageError("create", join(folder.path, name), errno: EINVAL)
        }
        try self.init(in: folder, name: name)
    }

    /// Creates `name.part` in the folder of a path. Throws `alreadyExists` if it exists.
    package init(in folder: String, name: String, mode: UInt32 = 0o600) throws(StorageError) {
        guard let name = FileName(Array(name.utf8)) else {
            throw StorageError("create", join(folder, name), errno: EINVAL)
        }
        try self.init(in: OpenFolder(folder), name: name, mode: mode)
    }

    deinit {
        if number >= 0 { close(number) }
        if !isCommitted { try? folder.remove(part) }
    }

    /// Appends all the bytes. After an error the file must be released.
    package mutating func write(_ bytes: Span<UInt8>) throws(StorageError) {
        let number = number
        // Sound: each call gets the rest of a buffer that is valid during the whole closure.
        let ok = unsafe bytes.withUnsafeBufferPointer { buffer in
            var done = 0
            while done < buffer.count, let start = buffer.baseAddress {
                let put = retrying { unsafe Glibc.write(number, start + done, buffer.count - done) }
                if put < 0 { return false }
                done += put
            }
            return true
        }
        guard ok else { throw systemError("write", partPath) }
        byteCount += bytes.count
        unstarted += bytes.count
        // Starts writeback while the processors go on, so that little is left for the fsync at the end.
        if unstarted >= Self.writebackBytes {
            sluice_start_writeback(number)
            unstarted = 0
        }
    }

    /// Makes the content durable and gives the file its name in the same folder. The name itself is durable only after
    /// the folder's `sync`. Throws `alreadyExists` for an existing name unless `replacing`. After an error the file is
    /// removed.
    package consuming func commit(as name: FileName, replacing: Bool = false) throws(StorageError) {
        // After a failed fsync the kernel may have dropped the pages, so there is no second try and the file is
        // removed.
        guard fsync(number) == 0 else { throw systemError("make durable", partPath) }
        try finish(as: name, replacing: replacing)
    }

    /// The same, with the name as text.
    package consuming func commit(as name: String, replacing: Bool = false) throws(StorageError) {
        guard let name = FileName(Array(name.utf8)) else { throw StorageError("rename to", name, errno: EINVAL) }
        try commit(as: name, replacing: replacing)
    }

    /// Like `commit`, but without an fsync: for a file that may be lost in a power failure, such as a status file for
    /// people.
    package consuming func commitLoosely(as name: FileName, replacing: Bool = false) throws(StorageError) {
        try finish(as: name, replacing: replacing)
    }

    private mutating func finish(as name: FileName, replacing: Bool) throws(StorageError) {
        let closed = close(number)
        number = -1
        guard closed == 0 || errno == EINTR else { throw systemError("close", partPath) }
        if replacing { try folder.replace(name, by: part) } else { try folder.move(part, to: folder, as: name) }
        isCommitted = true
    }
}

/// Writes a whole file, so that after a crash either the old or the new content is there, never a part: stage, fsync,
/// rename, fsync of the folder.
package func writeDurably(
    _ path: String, _ bytes: Span<UInt8>, mode: UInt32 = 0o600, replacing: Bool = false
) throws(StorageError) {
    let (folder, name) = split(path)
    var file = try StagedFile(in: folder, name: name, mode: mode)
    try file.write(bytes)
    try file.commit(as: name, replacing: replacing)
    try syncFolder(folder)
}

/// Appends lines to a file, which is made if it is missing, so that they are durable. What a failure wrote of them is taken
/// back, and a line that a crash cut off is ended first, so that it spoils no other.
///
/// - Throws: `wrongKind` for anything but a plain file; a link is not followed.
package func appendLines(_ path: String, _ bytes: Span<UInt8>, mode: UInt32 = 0o600) throws(StorageError) {
    let flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
    let file = try FileDescriptor.checkedRegular(
        Int32(retrying { unsafe Int(sluice_open(path, flags, mode)) }), path)
    let size = try file.status().size
    do throws(StorageError) {
        var last: [UInt8] = []
        if size > 0 { _ = try file.read(upTo: 1, at: size - 1, into: &last) }
        let isCut = size > 0 && last != [0x0A]
        if isCut { try file.append([0x0A].span, at: size) }
        try file.append(bytes, at: size + (isCut ? 1 : 0))
        try file.sync()
    } catch {
        _ = ftruncate(file.number, off_t(size))
        throw error
    }
}

/// Makes the directory entries of a folder durable.
package func syncFolder(_ path: String) throws(StorageError) {
    try FileDescriptor.openFolder(path).sync()
}

extension OpenFolder {
    /// Copies an open file into this folder. The content is durable; the name only after `sync`. Where the file system
    /// supports it, the copy shares disk blocks copy-on-write; it is never the same file.
    ///
    /// - Parameter body: gets every byte of the copy, in order, so a digest of these bytes is the digest of the copy.
    /// - Returns: whether blocks are shared.
    package func copy(
        _ source: borrowing FileDescriptor, as name: FileName, _ body: (Span<UInt8>) -> Void
    ) throws(StorageError) -> Bool {
        var copy = try StagedFile(in: self, name: name)
        let isShared = copy.clone(source)
        var offset = 0
        var buffer: [UInt8] = []
        while true {
            buffer.removeAll(keepingCapacity: true)
            let got =
                isShared
                ? try copy.readBack(upTo: 1 << 20, at: offset, into: &buffer)
                : try source.read(upTo: 1 << 20, at: offset, into: &buffer)
            if got == 0 { break }
            body(buffer.span)
            if !isShared { try copy.write(buffer.span) }
            offset += got
        }
        try copy.commit(as: name)
        return isShared
    }
}

extension StagedFile {
    /// Makes the file share the blocks of another; false if the file system cannot.
    fileprivate mutating func clone(_ source: borrowing FileDescriptor) -> Bool {
        sluice_clone(number, source.number) == 0
    }

    fileprivate func readBack(
        upTo count: Int, at offset: Int, into bytes: inout [UInt8]
    ) throws(StorageError) -> Int {
        // The descriptor is write-only, so the file is opened again by its name in the same folder.
        try folder.openRegular(part).read(upTo: count, at: offset, into: &bytes)
    }
}

/// The error number of a move across file systems.
package let crossDevice = EXDEV

/// A path of a folder and a name.
package func join(_ folder: String, _ name: String) -> String {
    folder.isEmpty ? name : folder.hasSuffix("/") ? folder + name : folder + "/" + name
}

/// The folder and the name of a path; the folder of a bare name is ".".
package func split(_ path: String) -> (folder: String, name: String) {
    guard let slash = path.lastIndex(of: "/") else { return (".", path) }
    let folder = path[..<slash]
    return (folder.isEmpty ? "/" : String(folder), String(path[path.index(after: slash)...]))
}
