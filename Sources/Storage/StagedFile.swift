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
    package let folder: String
    /// Its path until it is committed.
    package let partPath: String
    /// How many bytes were written.
    package private(set) var byteCount = 0
    private var number: Int32
    /// Bytes written since the disk was last told to begin.
    private var unstarted = 0
    private static let writebackBytes = 4 << 20
    private var isCommitted = false

    /// Creates `name.part`, readable by its owner only. Throws `alreadyExists` when it is there.
    package init(in folder: String, name: String, mode: UInt32 = 0o600) throws(StorageError) {
        let path = join(folder, name + ".part")
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let opened = Int32(retrying { unsafe Int(sluice_open(path, flags, mode)) })
        guard opened >= 0 else { throw systemError("create", path) }
        self.folder = folder
        partPath = path
        number = opened
    }

    deinit {
        if number >= 0 { close(number) }
        if !isCommitted { unsafe unlink(partPath) }
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
    /// `syncFolder(folder)`. Throws `alreadyExists` for a taken name unless `replacing`. After an error the file is gone.
    package consuming func commit(as name: String, replacing: Bool = false) throws(StorageError) {
        // After a failed fsync the kernel may have dropped the pages: no second try, the file is thrown away.
        guard fsync(number) == 0 else { throw systemError("make durable", partPath) }
        try finish(as: name, replacing: replacing)
    }

    /// As `commit`, without waiting for the disk: for a file that the next process may miss after a power loss, such as a
    /// note for people.
    package consuming func commitLoosely(as name: String, replacing: Bool = false) throws(StorageError) {
        try finish(as: name, replacing: replacing)
    }

    private mutating func finish(as name: String, replacing: Bool) throws(StorageError) {
        let closed = close(number)
        number = -1
        guard closed == 0 || errno == EINTR else { throw systemError("close", partPath) }
        let path = join(folder, name)
        if replacing { try rename(from: partPath, to: path) } else { try renameNoReplace(from: partPath, to: path) }
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

/// Copies a plain file so that the copy is durable under its name before this returns; what an earlier try left half done
/// is thrown away. Throws `alreadyExists` for a taken name.
package func copyDurably(_ source: String, to target: String) throws(StorageError) {
    let (folder, name) = split(target)
    let file = try FileDescriptor.openRegular(source)
    if exists(target + ".part") { try removeFile(target + ".part") }
    var copy = try StagedFile(in: folder, name: name)
    var offset = 0
    var buffer: [UInt8] = []
    while true {
        buffer.removeAll(keepingCapacity: true)
        let got = try file.read(upTo: 1 << 20, at: offset, into: &buffer)
        if got == 0 { break }
        try copy.write(buffer.span)
        offset += got
    }
    try copy.commit(as: name)
    try syncFolder(folder)
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
