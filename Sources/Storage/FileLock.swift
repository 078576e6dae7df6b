import CPosix
import Glibc

/// An exclusive lock that lasts as long as the value, and ends with the process however it ends.
///
/// The lock file stays behind on purpose: removing it would let two processes lock two files of one name.
package struct FileLock: ~Copyable, Sendable {
    private let file: FileDescriptor

    /// Takes the lock and leaves this process's id in the file; nil when another holder has it.
    package static func tryAcquire(_ path: String) throws(StorageError) -> FileLock? {
        let flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC
        let number = Int32(retrying { unsafe Int(sluice_open(path, flags, 0o600)) })
        guard number >= 0 else { throw systemError("open lock", path) }
        let file = FileDescriptor(number: number, path: path)
        guard retrying({ Int(sluice_flock(number, LOCK_EX | LOCK_NB)) }) == 0 else {
            if errno == EWOULDBLOCK { return nil }
            throw systemError("lock", path)
        }
        let text = Array("\(getpid())\n".utf8)
        // For people only: the lock itself does not depend on it, so a full disk is no reason to refuse.
        if ftruncate(number, 0) == 0 { _ = unsafe pwrite(number, text, text.count, 0) }
        return FileLock(file: file)
    }

    private init(file: consuming FileDescriptor) { self.file = file }

    /// The process id that the holder left; nil when nobody holds the lock, or there is no such file.
    package static func holder(_ path: String) throws(StorageError) -> Int? {
        guard try fileStatus(path) != nil else { return nil }
        let file = try FileDescriptor.openRegular(path)
        // A shared lock that is granted, and let go at once, proves that nobody holds the exclusive one.
        if sluice_flock(file.number, LOCK_SH | LOCK_NB) == 0 { return nil }
        let text = try file.readAll(max: 64)
        return Int(String(decoding: text.prefix { $0 >= 48 && $0 <= 57 }, as: UTF8.self))
    }
}
