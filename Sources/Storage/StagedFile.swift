import CPosix
import Glibc

/// A file in the making: it has a name of its own that ends in ".part" until `commit` gives it its real one.
/// Dropped without a commit, it is gone.
///
/// The system calls, in this order (the power-loss order check reads them):
/// `openat(name.part, O_CREAT|O_EXCL, 0600)`, `write`…, `fsync(file)`, `close(file)`,
/// `renameat2(name.part, name, RENAME_NOREPLACE)`, and then, once for all files of a folder, `fsync(folder)`.
package struct StagedFile: ~Copyable, Sendable {
    /// The folder it is in.
    package let folder: OpenFolder
    /// How many bytes were written.
    package private(set) var byteCount = 0
    private let part: FileName
    private var number: Int32
    /// Bytes written since the disk was last told to begin.
    private var unstarted = 0
    private static let writebackBytes = 4 << 20
    private var isCommitted = false

    /// Its path until it is committed.
    package var partPath: String { folder.shown(part) }

    /// Creates `name.part` in an open folder, readable by its owner only. Throws `alreadyExists` when it is there.
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

    /// The same with a name as text.
    package init(in folder: OpenFolder, name: String) throws(StorageError) {
        guard let name = FileName(Array(name.utf8)) else {
            throw StorageError("create", join(folder.path, name), errno: EINVAL)
        }
        try self.init(in: folder, name: name)
    }

    /// Creates `name.part` in a folder that somebody named. Throws `alreadyExists` when it is there.
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

    /// Writes all the bytes at the end. After an error the file must be dropped.
    package mutating func write(_ bytes: Span<UInt8>) throws(StorageError) {
        let number = number
        // Sound: each call gets what is left of a buffer that is valid for the whole closure.
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
        // The disk begins while the processors go on, so that the fsync at the end has little left to wait for.
        if unstarted >= Self.writebackBytes {
            sluice_start_writeback(number)
            unstarted = 0
        }
    }

    /// Makes the bytes durable and gives the file its name in the same folder; the name itself is durable only after
    /// the folder's `sync`. Throws `alreadyExists` for a taken name unless `replacing`. After an error the file is
    /// gone.
    package consuming func commit(as name: FileName, replacing: Bool = false) throws(StorageError) {
        // After a failed fsync the kernel may have dropped the pages: no second try, the file is thrown away.
        guard fsync(number) == 0 else { throw systemError("make durable", partPath) }
        try finish(as: name, replacing: replacing)
    }

    /// The same with a name as text.
    package consuming func commit(as name: String, replacing: Bool = false) throws(StorageError) {
        guard let name = FileName(Array(name.utf8)) else { throw StorageError("rename to", name, errno: EINVAL) }
        try commit(as: name, replacing: replacing)
    }

    /// As `commit`, without waiting for the disk: for a file that the next process may miss after a power loss, such as
    /// a note for people.
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

/// Writes a whole file so that after a crash there is the old state or the new, never half of it: staged, fsync,
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

/// Makes the names in a folder durable.
package func syncFolder(_ path: String) throws(StorageError) {
    try FileDescriptor.openFolder(path).sync()
}

extension OpenFolder {
    /// Copies an open file into this folder, durably but for its name (see `sync`). Where the file system can, the copy
    /// shares the disk's blocks until one of the two is written to; it is never the same file.
    ///
    /// - Parameter body: gets every byte of the copy, in order: what a digest is made of is what was copied.
    /// - Returns: whether the blocks are shared.
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
    /// Makes the file share the blocks of another; false where the file system cannot.
    fileprivate mutating func clone(_ source: borrowing FileDescriptor) -> Bool {
        sluice_clone(number, source.number) == 0
    }

    fileprivate func readBack(
        upTo count: Int, at offset: Int, into bytes: inout [UInt8]
    ) throws(StorageError) -> Int {
        // The descriptor is for writing only: another one of the same file, by its name in the same folder.
        try folder.openRegular(part).read(upTo: count, at: offset, into: &bytes)
    }
}

/// The error number of a move between file systems.
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
