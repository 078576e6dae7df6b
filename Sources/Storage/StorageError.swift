import Glibc

/// Why a file could not be read, written or moved; it names the file and the remedy.
package struct StorageError: Error, Equatable, CustomStringConvertible {
    /// The kinds of failure a caller may want to tell apart.
    package enum Code: String, Sendable {
        /// There is no such file (ENOENT, ENOTDIR).
        case notFound
        /// The permissions do not allow it (EACCES, EPERM, EROFS).
        case notPermitted
        /// The disk or the quota is full (ENOSPC, EDQUOT).
        case noSpace
        /// The name exists, and must not be replaced.
        case alreadyExists
        /// A symbolic link, a folder, a pipe or a device instead of a plain file, or the other way round.
        case wrongKind
        /// Users other than the owner could read or change it.
        case unsafePermissions
        /// More bytes than the caller allows.
        case tooLarge
        /// Any other input or output error.
        case inputOutput
    }

    /// The kind of the failure.
    package let code: Code
    /// The operation that failed, such as "open".
    package let operation: String
    /// The path.
    package let subject: String
    /// The error number of the system call, or the closest one if there was no call.
    package let errno: Int32
    /// The reason, with the remedy if there is one.
    package let cause: String

    /// Makes an error that this room detected itself.
    package init(_ code: Code, _ operation: String, _ path: String, errno: Int32, cause: String) {
        self.code = code
        self.operation = operation
        self.subject = path
        self.errno = errno
        self.cause = cause
    }

    /// Makes the error for a failed system call.
    package init(_ operation: String, _ path: String, errno number: Int32) {
        // Sound: strerror returns a NUL-terminated constant, or a buffer of this thread.
        let reason = unsafe strerror(number).map { unsafe String(cString: $0).lowercased() } ?? "error \(number)"
        if number == ELOOP {
            let wanted = operation.hasSuffix("folder") ? "folder" : "file"
            self.init(
                .wrongKind, operation, path, errno: number, cause: "it is a symbolic link; give the \(wanted) itself")
            return
        }
        let (code, cure): (Code, String) =
            switch number {
            case ENOENT, ENOTDIR: (.notFound, "; check the path")
            case EACCES, EPERM, EROFS: (.notPermitted, "; check its owner, its mode and those of its folders")
            case ENOSPC, EDQUOT: (.noSpace, "; free space and run it again")
            case EEXIST, ENOTEMPTY: (.alreadyExists, "; it is never replaced, so move it away or choose another name")
            case EISDIR: (.wrongKind, "; give a file, not a folder")
            case EMFILE, ENFILE: (.inputOutput, "; raise the limit on open files")
            case EXDEV: (.inputOutput, "; both must be on one file system")
            default: (.inputOutput, "")
            }
        self.init(code, operation, path, errno: number, cause: reason + cure)
    }

    /// One line for a person: lower case, no full stop.
    package var description: String { "cannot \(operation) \(subject): \(cause)" }
}

/// The error of the system call that just failed in this thread.
func systemError(_ operation: String, _ path: String) -> StorageError {
    StorageError(operation, path, errno: Glibc.errno)
}

/// Repeats a system call as long as a signal interrupts it.
func retrying(_ call: () -> Int) -> Int {
    while true {
        let result = call()
        if result >= 0 || errno != EINTR { return result }
    }
}
