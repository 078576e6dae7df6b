import CPosix
import Glibc

/// A lock (flock), exclusive unless it is asked for as shared, that is held as long as the value, and ends when the process ends.
///
/// The lock file is never removed: otherwise two processes could lock two files of one name.
package struct FileLock: ~Copyable, Sendable {
    private let file: FileDescriptor

    /// Takes the lock and writes this process's id into the file; nil if another process holds it.
    ///
    /// Throws `wrongKind` for anything but a plain file with a single hard link, so that the write into a lock file
    /// cannot reach another file.
    ///
    /// - Parameters:
    ///   - name: the lock file, made if it is missing.
    ///   - folder: its folder.
    ///   - isShared: whether others may hold it as shared at the same time.
    package static func tryAcquire(
        _ name: FileName, in folder: OpenFolder, isShared: Bool = false
    ) throws(StorageError) -> FileLock? {
        let flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
        let path = folder.shown(name)
        let opened = retrying { unsafe Int(name.withCString { unsafe sluice_openat(folder.number, $0, flags, 0o600) }) }
        let number = Int32(opened)
        guard number >= 0 else { throw systemError("open lock", path) }
        let file = FileDescriptor(number: number, path: path)
        let status = try file.status()
        guard status.kind == .regular else {
            throw wrongKind("lock", path, found: status.kind.rawValue, wanted: "plain file")
        }
        guard status.links <= 1 else {
            throw wrongKind("lock", path, found: "second name of another file", wanted: "file of its own")
        }
        guard retrying({ Int(sluice_flock(number, (isShared ? LOCK_SH : LOCK_EX) | LOCK_NB)) }) == 0 else {
            if errno == EWOULDBLOCK { return nil }
            throw systemError("lock", path)
        }
        let text = Array("\(getpid())\n".utf8)
        // The id is only for people. The lock does not depend on it, so a full disk is ignored.
        if ftruncate(number, 0) == 0 { _ = unsafe pwrite(number, text, text.count, 0) }
        return FileLock(file: file)
    }

    private init(file: consuming FileDescriptor) { self.file = file }

    /// The process id that the holder wrote; nil if nobody holds the lock, or the file does not exist.
    package static func holder(_ name: FileName, in folder: OpenFolder) throws(StorageError) -> Int? {
        guard try folder.status(of: name) != nil else { return nil }
        let file = try folder.openRegular(name)
        // If a shared lock is granted, nobody holds the exclusive one; it is released at once.
        if sluice_flock(file.number, LOCK_SH | LOCK_NB) == 0 { return nil }
        let text = try file.readAll(max: 64)
        return Int(String(decoding: text.prefix { $0 >= 48 && $0 <= 57 }, as: UTF8.self))
    }
}
