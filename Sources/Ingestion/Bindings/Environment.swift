import Glibc

/// An environment variable; nil when it is unset or empty.
func readEnvironment(_ name: String) -> String? {
    // Sound: getenv gives nil or a NUL-terminated string that is copied at once; nothing here sets variables.
    guard let value = unsafe getenv(name) else { return nil }
    let text = unsafe String(cString: value)
    return text.isEmpty ? nil : text
}

/// The home folder of this user by the user database, not by `$HOME`; nil when there is none.
func homeFolder() -> String? {
    // Sound: the record is copied before another call can overwrite it.
    guard let record = unsafe getpwuid(geteuid()), let folder = unsafe record.pointee.pw_dir else { return nil }
    let text = unsafe String(cString: folder)
    return text.hasPrefix("/") ? text : nil
}

/// A path without links, `.` and `..`; the path unchanged where it cannot be resolved.
func canonicalPath(_ path: String) -> String {
    // Sound: realpath gives nil or memory that the caller frees.
    guard let found = unsafe realpath(path, nil) else { return path }
    defer { unsafe free(found) }
    return unsafe String(cString: found)
}

/// Blocks the thread for some milliseconds.
func pause(milliseconds: UInt32) { usleep(1000 * milliseconds) }

/// The real user id of this process.
func userNumber() -> UInt32 { getuid() }

/// The process id.
func processNumber() -> Int32 { getpid() }

/// The number of the last error of the system on this thread.
func lastError() -> Int32 { errno }

/// The system's words for one of its errors.
func systemReason(_ number: Int32) -> String {
    // Sound: strerror gives a NUL-terminated string, which is copied at once.
    unsafe String(cString: strerror(number))
}
