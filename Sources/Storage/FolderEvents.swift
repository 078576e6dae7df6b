import CPosix
import Glibc

/// An event of a watched folder (inotify(7)).
package enum FolderEvent: Sendable, Equatable {
    /// A file was closed after writing, or moved into the folder.
    case arrived(watch: Int32, name: FileName)
    /// The folder was removed or moved away, or its file system was unmounted. It is no longer watched.
    case gone(watch: Int32)
    /// Events were lost; all folders must be read.
    case overflowed
}

/// Watches folders for files that are complete. Hints only: on network file systems no event arrives, so whoever uses it
/// reads the folders now and then as well.
package struct FolderEvents: ~Copyable, Sendable {
    let file: FileDescriptor
    private static let mask = UInt32(IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF) | UInt32(IN_ONLYDIR)

    /// A watcher without folders.
    package init() throws(StorageError) {
        let number = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
        guard number >= 0 else { throw systemError("watch", "folders") }
        file = FileDescriptor(number: number, path: "inotify")
    }

    /// Watches a folder. Read the folder after this call, not before, so that no file is missed in between.
    package func add(_ path: String) throws(StorageError) -> Int32 {
        let watch = unsafe inotify_add_watch(file.number, path, Self.mask)
        guard watch >= 0 else {
            if errno == ENOSPC {
                throw StorageError(
                    .inputOutput, "watch", path, errno: ENOSPC,
                    cause: "this user watches too many folders; raise fs.inotify.max_user_watches")
            }
            throw systemError("watch", path)
        }
        return watch
    }

    /// Stops watching.
    package func remove(_ watch: Int32) { _ = inotify_rm_watch(file.number, watch) }

    /// The events since the last call; does not wait.
    package func drain() -> [FolderEvent] {
        var events: [FolderEvent] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let number = file.number
            // Sound: read gets the buffer and its size.
            let got = unsafe buffer.withUnsafeMutableBytes { bytes in
                retrying { unsafe read(number, bytes.baseAddress, bytes.count) }
            }
            if got <= 0 { return events }
            Self.parse(buffer.prefix(got), into: &events)
        }
    }

    /// Parses consecutive `struct inotify_event`: descriptor, mask, cookie, length of the name, name.
    static func parse(_ bytes: ArraySlice<UInt8>, into events: inout [FolderEvent]) {
        func word(_ at: Int) -> UInt32 {
            (0..<4).reduce(0) { $0 | UInt32(bytes[at + $1]) << UInt32(8 * $1) }
        }
        var at = bytes.startIndex
        while at + 16 <= bytes.endIndex {
            let watch = Int32(bitPattern: word(at))
            let mask = word(at + 4)
            let length = Int(word(at + 12))
            let end = min(bytes.endIndex, at + 16 + length)
            if mask & UInt32(IN_Q_OVERFLOW) != 0 {
                events.append(.overflowed)
            } else if mask & UInt32(IN_IGNORED | IN_UNMOUNT | IN_DELETE_SELF | IN_MOVE_SELF) != 0 {
                if events.last != .gone(watch: watch) { events.append(.gone(watch: watch)) }
            } else if mask & UInt32(IN_ISDIR) == 0,
                let name = FileName(Array(bytes[(at + 16)..<end].prefix { $0 != 0 }))
            {
                events.append(.arrived(watch: watch, name: name))
            }
            at = end
        }
    }
}

/// The signals that ask a daemon to stop, as events to wait for (signalfd(2)).
package final class StopSignals: Sendable {
    let file: FileDescriptor

    /// Blocks SIGTERM and SIGINT, and ignores SIGIO, which a lease may cause. It affects the whole process only if it
    /// is called before a second thread exists.
    package static func hold() throws(StorageError) {
        var set = sigset_t()
        unsafe sluice_stop_set(&set)
        guard unsafe pthread_sigmask(SIG_BLOCK, &set, nil) == 0 else { throw systemError("hold", "signals") }
        _ = signal(SIGIO, SIG_IGN)
    }

    /// A descriptor for the signals that `hold` blocks.
    package init() throws(StorageError) {
        var set = sigset_t()
        unsafe sluice_stop_set(&set)
        let number = unsafe signalfd(-1, &set, Int32(SFD_NONBLOCK | SFD_CLOEXEC))
        guard number >= 0 else { throw systemError("wait for", "signals") }
        file = FileDescriptor(number: number, path: "signals")
    }

    /// The signal that arrived, if any; does not wait.
    package func received() -> Int32? {
        var info = signalfd_siginfo()
        let number = file.number
        let size = MemoryLayout<signalfd_siginfo>.size
        // Sound: read gets the struct and its size.
        let got = unsafe withUnsafeMutableBytes(of: &info) { bytes in
            retrying { unsafe read(number, bytes.baseAddress, size) }
        }
        return got == size ? Int32(info.ssi_signo) : nil
    }
}

/// Waits until there is an event or a signal, or the time is over.
package func wait(_ events: borrowing FolderEvents, _ signals: StopSignals, milliseconds: Int) {
    var waiting = [
        pollfd(fd: events.file.number, events: Int16(POLLIN), revents: 0),
        pollfd(fd: signals.file.number, events: Int16(POLLIN), revents: 0),
    ]
    // An interrupted wait is a reason to look as well.
    _ = unsafe poll(&waiting, 2, Int32(clamping: milliseconds))
}
