import CPosix
import Glibc
import Tabular

/// A name in a folder, byte for byte as the file system has it: suppliers choose names, and not all are text.
package struct FileName: Hashable, Sendable, CustomStringConvertible {
    /// The bytes; neither NUL nor a slash is among them.
    package let bytes: [UInt8]

    /// Makes a name of bytes; nil for an empty one, `.` and `..`, one with a slash or NUL, and one of more than the 255 bytes that
    /// file systems take.
    package init?(_ bytes: [UInt8]) {
        if bytes.isEmpty || bytes.count > 255 || bytes == [0x2E] || bytes == [0x2E, 0x2E] { return nil }
        if bytes.contains(where: { $0 == 0 || $0 == 0x2F }) { return nil }
        self.bytes = bytes
    }

    /// One line for a person: what is hidden in `PrintableText`'s sense and bytes that are not UTF-8 show as `\xNN`, so that a name can
    /// neither forge a line of a log nor move a cursor.
    package var description: String {
        if let text = String(validating: bytes, as: UTF8.self) { return PrintableText.line(text) }
        return bytes.map { byte in
            (0x20...0x7E).contains(byte) ? String(UnicodeScalar(byte)) : PrintableText.escape(UInt32(byte))
        }.joined()
    }

    /// Lends the name as C wants it.
    func withCString<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
        let ended = bytes.map { CChar(bitPattern: $0) } + [0]
        // Sound: the array ends in NUL and outlives the call.
        return unsafe ended.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { preconditionFailure("an array with an element has a start") }
            return unsafe body(start)
        }
    }
}

/// A folder that is open: what is done by name in it happens in this very folder, whatever its path means by now.
package final class OpenFolder: Sendable {
    private let file: FileDescriptor

    /// The path it was opened by.
    package var path: String { file.path }

    /// Opens a folder; a link to one is followed, since its place is the operator's choice.
    package init(_ path: String) throws(StorageError) { file = try FileDescriptor.openFolder(path) }

    /// What the system says of the folder itself.
    package func status() throws(StorageError) -> FileStatus { try file.status() }

    /// Calls `body` with each name, in the order in which the file system has them.
    package func forEachName(_ body: (FileName) -> Void) throws(StorageError) {
        // A description of its own: the reading position is not shared with anyone.
        let number = Int32(
            retrying { unsafe Int(sluice_openat(file.number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)) })
        guard number >= 0 else { throw systemError("list", path) }
        try eachName(number, path, body)
    }

    /// What has this name, itself and not what it links to; nil when nothing has.
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

    /// Moves a file out of the folder, within one file system. Throws `alreadyExists` when the new name is taken.
    package func move(_ name: FileName, to target: String) throws(StorageError) {
        let number = file.number
        guard unsafe name.withCString({ unsafe moveNoReplace(number, $0, AT_FDCWD, target) }) else {
            throw systemError("move \(shown(name)) to", target)
        }
    }

    /// Moves a file into the folder, within one file system. Throws `alreadyExists` when the name is taken.
    package func receive(_ source: String, as name: FileName) throws(StorageError) {
        let number = file.number
        guard unsafe name.withCString({ unsafe moveNoReplace(AT_FDCWD, source, number, $0) }) else {
            throw systemError("move \(source) to", shown(name))
        }
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

    private func shown(_ name: FileName) -> String { join(path, name.description) }
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
