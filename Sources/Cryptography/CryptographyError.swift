import COpenSSL

/// Why an operation of this room failed; the text never has key bytes.
package struct CryptographyError: Error, Equatable, CustomStringConvertible {
    /// The kinds of failure a caller may want to tell apart.
    package enum Code: String, Sendable {
        /// The tag, the padding or the signature does not match: wrong key, or damaged or forged bytes.
        case authentication
        /// A key, a point or an encoding is malformed.
        case malformedKey
        /// Lengths outside what the operation allows.
        case badLength
        /// The random generator failed.
        case noRandomness
        /// libcrypto refused for another reason.
        case library
    }

    /// The kind of the failure.
    package let code: Code
    /// The operation that failed, such as "open aes-gcm".
    package let operation: String
    /// The object of the operation, or "".
    package let subject: String
    /// The reason, with the cure where there is one.
    package let cause: String

    /// Makes an error from its parts.
    package init(_ code: Code, _ operation: String, subject: String = "", cause: String) {
        self.code = code
        self.operation = operation
        self.subject = subject
        self.cause = cause
    }

    /// One line for a person: lower case, no full stop.
    package var description: String {
        subject.isEmpty ? "cannot \(operation): \(cause)" : "cannot \(operation) \(subject): \(cause)"
    }
}

/// The error for a refusal of libcrypto, with its own reason; empties its error queue.
func libraryError(
    _ operation: String, code: CryptographyError.Code = .library, subject: String = ""
) -> CryptographyError {
    let number = ERR_peek_last_error()
    ERR_clear_error()
    var cause = "libcrypto gave no reason"
    // Sound: the returned string is a constant of libcrypto.
    if number != 0, let reason = unsafe ERR_reason_error_string(number) { cause = unsafe String(cString: reason) }
    return CryptographyError(code, operation, subject: subject, cause: cause)
}
