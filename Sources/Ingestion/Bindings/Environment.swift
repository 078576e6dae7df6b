import Glibc

/// A variable of the environment; nil when it is not set or empty.
func readEnvironment(_ name: String) -> String? {
    // Sound: getenv gives nil or a NUL-ended string that is copied at once; nobody here sets variables.
    guard let value = unsafe getenv(name) else { return nil }
    let text = unsafe String(cString: value)
    return text.isEmpty ? nil : text
}

/// The home folder of this user by the user database; nil when there is none.
func homeFolder() -> String? {
    // Sound: the record is copied before anyone can ask for another.
    guard let record = unsafe getpwuid(geteuid()), let folder = unsafe record.pointee.pw_dir else { return nil }
    let text = unsafe String(cString: folder)
    return text.hasPrefix("/") ? text : nil
}

/// A path without links, `.` and `..`; the path itself where it cannot be followed.
func canonicalPath(_ path: String) -> String {
    // Sound: realpath gives nil or memory that is ours to free.
    guard let found = unsafe realpath(path, nil) else { return path }
    defer { unsafe free(found) }
    return unsafe String(cString: found)
}

/// Waits a moment.
func pause(milliseconds: UInt32) { usleep(1000 * milliseconds) }

/// The user that this process acts for.
func userNumber() -> UInt32 { getuid() }

/// This process's number.
func processNumber() -> Int32 { getpid() }
