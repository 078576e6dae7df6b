import CPosix
import Glibc
import Tabular

/// A name in a folder, byte for byte as the file system has it: suppliers choose names, and not all are text.
package struct FileName: Hashable, Sendable, CustomStringConvertible {
    /// The bytes; neither NUL nor a slash is among them.
    package let bytes: [UInt8]

    /// Makes a name of bytes; nil for an empty one, `.` and `..`, one with a slash or NUL, and one of more than the 255
    /// bytes that file systems take.
    package init?(_ bytes: [UInt8]) {
        if bytes.isEmpty || bytes.count > 255 || bytes == [0x2E] || bytes == [0x2E, 0x2E] { return nil }
        if bytes.contains(where: { $0 == 0 || $0 == 0x2F }) { return nil }
        self.bytes = bytes
    }

    /// One line for a person: what is hidden in `PrintableText`'s sense and bytes that are not UTF-8 show as `\xNN`, so
    /// that a name can neither forge a line of a log nor move a cursor.
    package var description: String {
        if let text = String(validating: bytes, as: UTF8.self) { return PrintableText.line(text) }
        return bytes.map { byte in
            (0x20...0x7E).contains(byte) ? String(UnicodeScalar(byte)) : PrintableText.escape(UInt32(byte))
        }.joined()
    }

    /// Lends the name as C wants it.
    func withCString<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result { unsafe lend(bytes, body) }
}

extension RelativePath {
    /// Lends the path as C wants it.
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

/// An open folder. Operations by name happen in this very folder, whatever its path refers to by then.
package final class OpenFolder: Sendable {
    private let file: FileDescriptor

    /// The path it was opened by.
    package var path: String { file.path }

    /// The descriptor, for those in this room who stage and lock files in it.
    var number: Int32 { file.number }

    /// Opens a folder; a link to one is followed, since its place is the operator's choice.
    package init(_ path: String) throws(StorageError) { file = try FileDescriptor.openFolder(path) }

    private init(number: Int32, path: String) { file = FileDescriptor(number: number, path: path) }

    private static let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC

    /// Opens a folder below this one; a link on the way, or at its end, is refused (`wrongKind`).
    func openFolder(below path: RelativePath) throws(StorageError) -> OpenFolder {
        let shown = join(self.path, path.description)
        var opened = unsafe path.withCString { path in
            retrying { unsafe Int(sluice_open_beneath(number, path, Self.flags)) }
        }
        if opened < 0, errno == ENOSYS || errno == EPERM || errno == EINVAL {
            // A kernel before 5.6, or a filter of system calls: the same by hand, since no name of the path is "..".
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

    /// Opens a folder in this one that is made if it is not there, and made durable.
    func made(_ name: FileName) throws(StorageError) -> OpenFolder {
        if unsafe name.withCString({ unsafe mkdirat(number, $0, 0o700) }) == 0 {
            try sync()
        } else if errno != EEXIST {
            throw systemError("make folder", shown(name))
        }
        return try openFolder(below: RelativePath(name))
    }

    /// Makes an empty folder for its owner only; throws `alreadyExists` when the name is taken.
    package func makeFolder(_ name: FileName) throws(StorageError) -> OpenFolder {
        guard unsafe name.withCString({ unsafe mkdirat(number, $0, 0o700) }) == 0 else {
            throw systemError("make folder", shown(name))
        }
        try sync()
        return try openFolder(below: RelativePath(name))
    }

    /// The names in it, in the order of their bytes.
    package func names() throws(StorageError) -> [FileName] {
        var found: [FileName] = []
        try forEachName { found.append($0) }
        return found.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
    }

    /// Moves a file into another folder, or gives it another name here, within one file system. Throws `alreadyExists`
    /// when the name is taken.
    package func move(_ name: FileName, to folder: OpenFolder, as target: FileName) throws(StorageError) {
        let (from, to) = (number, folder.number)
        let isMoved = unsafe name.withCString { old in
            unsafe target.withCString { new in unsafe moveNoReplace(old, in: from, to: new, in: to) }
        }
        guard isMoved else { throw systemError("move \(shown(name)) to", folder.shown(target)) }
    }

    /// The same, replacing what has the new name.
    package func replace(_ target: FileName, by name: FileName) throws(StorageError) {
        let here = number
        let result = unsafe name.withCString { old in
            unsafe target.withCString { new in unsafe renameat(here, old, here, new) }
        }
        guard result == 0 else { throw systemError("rename \(shown(name)) to", shown(target)) }
    }

    /// Removes a folder in this one with the plain files and folders in it: the only recursive removal there is.
    ///
    /// Throws `wrongKind` at the first link or other thing, which stays. Each folder is opened in the one before it, so
    /// that swapping names meanwhile leads nowhere else.
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
        guard unsafe name.withCString({ unsafe unlinkat(number, $0, AT_REMOVEDIR) }) == 0 else {
            throw systemError("remove folder", shown(name))
        }
    }

    /// Opens a folder that is no link.
    package init(unlinked path: String) throws(StorageError) {
        file = try FileDescriptor.openFolder(path, followsLink: false)
    }

    /// The status of the folder itself.
    package func status() throws(StorageError) -> FileStatus { try file.status() }

    /// Calls `body` with each name, in the order in which the file system has them.
    package func forEachName(_ body: (FileName) -> Void) throws(StorageError) {
        // A description of its own: the reading position is not shared with anyone.
        let number = Int32(
            retrying { unsafe Int(sluice_openat(file.number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)) })
        guard number >= 0 else { throw systemError("list", path) }
        try eachName(number, path, body)
    }

    /// The status of what has this name, without following a link; nil when there is nothing.
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
        guard unsafe name.withCString({ unsafe unlinkat(number, $0, 0) }) == 0 else {
            throw systemError("remove", shown(name))
        }
    }

    /// Makes the names in it durable.
    package func sync() throws(StorageError) { try file.sync() }

    /// Takes an exclusive lock on the folder itself, held as long as the value; false when another process has it.
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
    /// Nobody can write to it any more, through any descriptor that is open now.
    case none
    /// Somebody has it open for writing.
    case writing
    /// The file system, or the rights, do not let us ask.
    case unknown
}

extension FileDescriptor {
    /// Asks the kernel whether anyone has the file open for writing: a read lease is granted only if nobody has
    /// (fcntl(2), F_SETLEASE). It is given back at once.
    package func writerState() -> WriterState {
        if sluice_lease(number, Int32(F_RDLCK)) == 0 {
            _ = sluice_lease(number, Int32(F_UNLCK))
            return .none
        }
        return errno == EAGAIN ? .writing : .unknown
    }

    /// Makes what was written durable; for a folder, the names in it.
    package func sync() throws(StorageError) {
        guard fsync(number) == 0 else { throw systemError("make durable", path) }
    }
}

/// Bytes that an unprivileged writer may still use on the file system of `path`.
package func freeSpace(_ path: String) throws(StorageError) -> Int {
    var status = statvfs()
    guard unsafe statvfs(path, &status) == 0 else { throw systemError("examine the disk of", path) }
    return Int(clamping: UInt(status.f_bavail).multipliedReportingOverflow(by: UInt(status.f_frsize)).partialValue)
}
