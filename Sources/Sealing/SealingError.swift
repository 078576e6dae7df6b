import Cryptography
package import Storage

/// Why a message or a key file could not be written or opened. The text never has plaintext or key bytes.
package struct SealingError: Error, Equatable, CustomStringConvertible {
    /// The kinds of failure a caller may want to tell apart.
    package enum Code: String, Sendable {
        /// Not a message of this format, truncated, or followed by other bytes.
        case malformed
        /// A suite, a version or a length that is refused before anything is decrypted.
        case refused
        /// None of the keys given opens the message.
        case noKey
        /// The bytes were changed after sealing.
        case authentication
        /// The encryption context does not match the expected one.
        case contextMismatch
        /// Too many recipients, context bytes or frames for the format or for Sluice's limits.
        case limit
        /// A malformed key file.
        case malformedKeyFile
        /// A key file that other users could read or change.
        case unsafeKeyFile
        /// A key service did not answer; a retry may succeed.
        case unavailable
        /// libcrypto refused.
        case cryptography
        /// A file could not be read or written; `storage` has the error.
        case storage
    }

    /// The kind of the failure.
    package let code: Code
    /// The operation that failed, such as "open message".
    package let operation: String
    /// The file, the key or the field, or "".
    package let subject: String
    /// The reason, with the remedy if there is one.
    package let cause: String
    /// The storage error, for `storage`.
    package let storage: StorageError?

    /// Makes an error from its parts.
    package init(_ code: Code, _ operation: String, subject: String = "", cause: String) {
        self.code = code
        self.operation = operation
        self.subject = subject
        self.cause = cause
        storage = nil
    }

    /// Wraps a storage error.
    package init(_ error: StorageError) {
        code = .storage
        operation = error.operation
        subject = error.subject
        cause = error.cause
        storage = error
    }

    init(_ error: CryptographyError) {
        self.init(
            error.code == .authentication ? .authentication : .cryptography, error.operation, subject: error.subject,
            cause: error.cause)
    }

    /// One line for a person: lower case, no full stop.
    package var description: String {
        subject.isEmpty ? "cannot \(operation): \(cause)" : "cannot \(operation) \(subject): \(cause)"
    }
}

/// Rethrows a storage error as this room's error.
func storing<T: ~Copyable>(_ body: () throws(StorageError) -> T) throws(SealingError) -> T {
    do throws(StorageError) { return try body() } catch { throw SealingError(error) }
}

/// Rethrows a cryptography error as this room's error.
func ciphering<T: ~Copyable>(_ body: () throws(CryptographyError) -> T) throws(SealingError) -> T {
    do throws(CryptographyError) { return try body() } catch { throw SealingError(error) }
}
