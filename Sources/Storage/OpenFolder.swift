import CPosix
import Glibc
import Tabular

/// A file name in a folder, byte for byte: suppliers choose names, and not all are valid text.
package struct FileName: Hashable, Sendable, CustomStringConvertible {
    /// The bytes, without NUL and slash.
    package let bytes: [UInt8]

    /// Makes a name from bytes; nil if it is empty, `.` or `..`, has a slash or NUL, or has more than 255 bytes, the
    /// limit of file systems.
    package init?(_ bytes: [UInt8]) {
        if bytes.isEmpty || bytes.count > 255 || bytes == [0x2E] || bytes == [0x2E, 0x2E] { return nil }
        if bytes.contains(where: { $0 == 0 || $0 == 0x2F }) { return nil }
        self.bytes = bytes
    }

    /// One line for a person: hidden characters (`PrintableText`) and bytes that are not UTF-8 are written as `\xNN`,
    /// so a name can neither forge a line of a log nor move the cursor.
    package var description: String {
        if let text = String(validating: bytes, as: UTF8.self) { return PrintableText.line(text) }
        return bytes.map { byte in
            (0x20...0x7E).contains(byte) ? String(UnicodeScalar(byte)) : PrintableText.escape(UInt32(byte))
        }.joined()
    }

    /// Lends the name as a C string.
    func withCString<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result { unsafe lend(bytes, body) }
}

extension RelativePath {
    /// Lends the path as a C string.
    func withCString<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
        unsafe lend(Array(names.map(\.bytes).joined(separator: [0x2F])), body)
    }
}

/// Lends bytes without NUL as a C string.
private func lend<Result>(_ bytes: [UInt8], _ body: (UnsafePointer<CChar>) -> Result) -> Result {
    let ended = bytes.map { CChar(bitPattern: $0) } + [0]
    // Sound: the array ends in NUL and outlives the call.
    return unsafe ended.withUnsafeBufferPointer { buffer in
        guard let start = buffer.baseAddress else { preconditionFailure("an array with an element has a start") }
        return unsafe body(start)
    }
}

/// An open folder. Operations by name happen in this folder, even if its path has come to mean another one.
package final class OpenFolder: Sendable {
    private let file: FileDescriptor

    /// The path by which it was opened.
    package var path: String { file.path }

    /// The descriptor, for code of this room that stages and locks files in the folder.
    var number: Int32 { file.number }

    /// Opens a folder. A link to a folder is followed, since its place is the operator's choice.
    package init(_ path: String) throws(StorageError) { file = try FileDescriptor.openFolder(path) }

    private init(number: Int32, path: String) { file = FileDescriptor(number: number, path: path) }

    private static let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC

    /// Opens a folder below this one. A link on the way, or at the end, is refused (`wrongKind`).
    func openFolder(below path: RelativePath) throws(StorageError) -> OpenFolder {
        let shown = join(self.path, path.description)
        var opened = unsafe path.withCString { path in
            retrying { unsafe Int(sluice_open_beneath(number, path, Self.flags)) }
        }
        if opened < 0, errno == ENOSYS || errno == EPERM || errno == EINVAL {
            // For kernels before 5.6, or under a system call filter: walks component by component; no component is
            // "..".
            opened = walk(path)
        }
        guard opened >= 0 else {
            if errno == ENOTDIR, let kind = try status(at: path)?.kind, kind == .link { errno = ELOOP }
            throw systemError("open folder", shown)
        }
        return OpenFolder(number: Int32(opened), path: shown)
    }

    private func walk(_ path: RelativePath) -> Int {
        var last = Int32(-1)
        for name in path.names {
            let above = last < 0 ? number : last
            let next = retrying { unsafe Int(name.withCString { unsafe sluice_openat(above, $0, Self.flags, 0) }) }
            if last >= 0 {
                let reason = errno
                close(last)
                errno = reason
            }
            if next < 0 { return next }
            last = Int32(next)
        }
        return Int(last)
    }

    /// Opens a subfolder, and makes it durably if it does not exist.
    func made(_ name: FileName) throws(StorageError) -> OpenFolder {
        if unsafe name.withCString({ unsafe mkdirat(number, $0, 0o700) }) == 0 {
            try sync()
        } else if errno != EEXIST {
            throw systemError("make folder", shown(name))
        }
        return try openFolder(below: RelativePath(name))
    }

    /// Makes an empty subfolder, accessible by its owner only; throws `alreadyExists` if the name is taken.
    package func makeFolder(_ name: FileName) throws(StorageError) -> OpenFolder {
        guard unsafe name.withCString({ unsafe mkdirat(number, $0, 0o700) }) == 0 else {
            throw systemError("make folder", shown(name))
        }
        try sync()
        return try openFolder(below: RelativePath(name))
    }

    /// The names in it, ordered by their bytes.
    package func names() throws(StorageError) -> [FileName] {
        var found: [FileName] = []
        try forEachName { found.append($0) }
        return found.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
    }

    /// Moves a file into another folder, or renames it in this one, within one file system. Throws `alreadyExists` if
    /// the new name is taken, unless it is to be replaced.
    package func move(
        _ name: FileName, to folder: OpenFolder, as target: FileName, replacing: Bool = false
    ) throws(StorageError) {
        let (from, to) = (number, folder.number)
        let isMoved = unsafe name.withCString { old in
            unsafe target.withCString { new in
                if replacing { return unsafe renameat(from, old, to, new) == 0 }
                return unsafe moveNoReplace(old, in: from, to: new, in: to)
            }
        }
        guard isMoved else { throw systemError("move \(shown(name)) to", folder.shown(target)) }
    }

    /// Like `move`, but replaces the file that has the new name.
    package func replace(_ target: FileName, by name: FileName) throws(StorageError) {
        let here = number
        let result = unsafe name.withCString { old in
            unsafe target.withCString { new in unsafe renameat(here, old, here, new) }
        }
        guard result == 0 else { throw systemError("rename \(shown(name)) to", shown(target)) }
    }

    /// Removes a subfolder with all its plain files and folders. This is the only recursive removal in the program.
    ///
    /// Throws `wrongKind` at the first link, or file of another kind, and does not remove it. Each folder is opened
    /// relative to its parent, so swapping names in the meantime cannot redirect the removal.
    package func removeTree(_ name: FileName) throws(StorageError) {
        let tree = try openFolder(below: RelativePath(name))
        for inner in try tree.names() {
            switch try tree.status(of: inner)?.kind {
            case nil: continue
            case .regular: try tree.remove(inner)
            case .folder: try tree.removeTree(inner)
            case let other?:
                throw wrongKind(
                    "remove", tree.shown(inner), found: other.rawValue, wanted: "tree of plain files and folders")
            }
        }
        guard retrying({ unsafe name.withCString { unsafe Int(unlinkat(number, $0, AT_REMOVEDIR)) } }) == 0 else {
            throw systemError("remove folder", shown(name))
        }
    }

    /// Opens a folder that must not be a link.
    package init(unlinked path: String) throws(StorageError) {
        file = try FileDescriptor.openFolder(path, followsLink: false)
    }

    /// The status of the folder itself.
    package func status() throws(StorageError) -> FileStatus { try file.status() }

    /// Calls `body` with each name, in the file system's order.
    package func forEachName(_ body: (FileName) -> Void) throws(StorageError) {
        // A new open file description, whose reading position is not shared.
        let number = Int32(
            retrying { unsafe Int(sluice_openat(file.number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)) })
        guard number >= 0 else { throw systemError("list", path) }
        try eachName(number, path, body)
    }

    /// The status of the file of this name, without following a link; nil if there is none.
    package func status(of name: FileName) throws(StorageError) -> FileStatus? {
        var status = stat()
        let number = file.number
        let result = unsafe name.withCString { unsafe fstatat(number, $0, &status, AT_SYMLINK_NOFOLLOW) }
        if result == 0 { return FileStatus(status) }
        if errno == ENOENT { return nil }
        throw systemError("examine", shown(name))
    }

    /// Opens a plain file for reading; see `FileDescriptor.openRegular`.
    package func openRegular(_ name: FileName) throws(StorageError) -> FileDescriptor {
        let number = file.number
        let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
        let opened = Int32(retrying { unsafe Int(name.withCString { unsafe sluice_openat(number, $0, flags, 0) }) })
        return try FileDescriptor.checkedRegular(opened, shown(name))
    }

    /// Removes a file.
    package func remove(_ name: FileName) throws(StorageError) {
        let number = file.number
        guard retrying({ unsafe name.withCString { unsafe Int(unlinkat(number, $0, 0)) } }) == 0 else {
            throw systemError("remove", shown(name))
        }
    }

    /// Removes a folder that is empty. Throws for any other.
    func removeEmptyFolder(_ name: FileName) throws(StorageError) {
        let number = file.number
        guard retrying({ unsafe name.withCString { unsafe Int(unlinkat(number, $0, AT_REMOVEDIR)) } }) == 0 else {
            throw systemError("remove folder", shown(name))
        }
    }

    /// Overwrites a plain file with other bytes, then removes it; both are durable. What a disk keeps elsewhere of the old
    /// blocks, as flash memory and copy-on-write file systems do, is out of reach.
    ///
    /// - Parameters:
    ///   - name: the file.
    ///   - bytes: makes that many bytes.
    package func destroy(_ name: FileName, bytes: (Int) throws(StorageError) -> [UInt8]) throws(StorageError) {
        let folder = file.number
        let flags = O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
        let opened = Int32(retrying { unsafe Int(name.withCString { unsafe sluice_openat(folder, $0, flags, 0) }) })
        let found = try FileDescriptor.checkedRegular(opened, shown(name))
        let other = try bytes(found.status().size)
        try found.append(other.span, at: 0)
        try found.sync()
        try remove(name)
        try sync()
    }

    /// Makes the directory entries durable.
    package func sync() throws(StorageError) { try file.sync() }

    /// Takes an exclusive lock on the folder itself, held as long as the value; false if another process holds it.
    package func tryLock() throws(StorageError) -> Bool {
        let number = file.number
        if retrying({ Int(sluice_flock(number, LOCK_EX | LOCK_NB)) }) == 0 { return true }
        if errno == EWOULDBLOCK { return false }
        throw systemError("lock", path)
    }

    func shown(_ name: FileName) -> String { join(path, name.description) }
}

/// Whether a file is open for writing by anyone.
package enum WriterState: Sendable {
    /// No process has a descriptor that can write to it.
    case none
    /// A process has it open for writing.
    case writing
    /// The file system or the permissions do not allow the question.
    case unknown
}

extension FileDescriptor {
    /// Asks the kernel whether any process has the file open for writing: a read lease is granted only if none has
    /// (fcntl(2), F_SETLEASE). The lease is released at once.
    package func writerState() -> WriterState {
        if sluice_lease(number, Int32(F_RDLCK)) == 0 {
            _ = sluice_lease(number, Int32(F_UNLCK))
            return .none
        }
        return errno == EAGAIN ? .writing : .unknown
    }

    /// Makes written data durable; for a folder, its directory entries.
    package func sync() throws(StorageError) {
        guard fsync(number) == 0 else { throw systemError("make durable", path) }
    }
}

/// Bytes that an unprivileged process may still write on the file system of `path`.
package func freeSpace(_ path: String) throws(StorageError) -> Int {
    var status = statvfs()
    guard unsafe statvfs(path, &status) == 0 else { throw systemError("examine the disk of", path) }
    return Int(clamping: UInt(status.f_bavail).multipliedReportingOverflow(by: UInt(status.f_frsize)).partialValue)
}
