import Cryptography
package import Reading
package import Schemas
package import Sealing
package import Storage
package import Validating
package import Masking
package import Lineage

/// An operational error: why a batch could not be worked on, and the remedy. Faults in the data are findings, never
/// errors.
package struct IngestionError: Error, Sendable, CustomStringConvertible {
    /// The kind of the error. Raw values are exit codes, those from 64 as in sysexits.h (BSD).
    package enum Code: Int32, Sendable {
        /// A sealed file or a ledger was damaged or tampered with.
        case damaged = 1
        /// The command line is wrong (EX_USAGE).
        case usage = 64
        /// The file is not in the declared format at all (EX_DATAERR).
        case unreadableData = 65
        /// The file does not exist (EX_NOINPUT).
        case noInput = 66
        /// A bug in Sluice (EX_SOFTWARE).
        case software = 70
        /// A file could not be written (EX_CANTCREAT).
        case cannotCreate = 73
        /// Reading or writing failed (EX_IOERR).
        case inputOutput = 74
        /// A temporary failure, such as a full disk or a busy ledger (EX_TEMPFAIL); a retry may succeed.
        case tryAgain = 75
        /// A key is missing, wrong or refused, or permissions are missing (EX_NOPERM).
        case notPermitted = 77
        /// The configuration or the contract cannot be used (EX_CONFIG).
        case configuration = 78
    }

    /// The kind of the error, which is the exit code.
    package let code: Code
    /// The message: lower case, no full stop, names the file and the remedy, holds no value of the data.
    package let description: String

    /// The line of a contract or configuration that the error is about, with a caret below it; nil for other errors.
    package private(set) var excerpt: String?

    /// Whether this process must end: the state of the ledger's file is unknown until it is opened again.
    package private(set) var isFatal = false

    /// Makes an error.
    package init(_ code: Code, _ message: String) {
        self.code = code
        description = message
    }

    /// Wraps a storage error.
    ///
    /// - Parameters:
    ///   - error: the storage error.
    ///   - reading: whether its subject is the user's input, so that a missing file is `noInput`.
    package init(_ error: StorageError, reading: Bool = false) {
        switch error.code {
        case .notFound: code = reading ? .noInput : .inputOutput
        case .notPermitted, .unsafePermissions: code = .notPermitted
        case .noSpace: code = .tryAgain
        case .alreadyExists: code = .cannotCreate
        case .wrongKind, .tooLarge: code = reading ? .noInput : .inputOutput
        case .inputOutput: code = .inputOutput
        }
        description = error.description
    }

    /// Wraps a sealing error.
    package init(_ error: SealingError) {
        if let storage = error.storage {
            self.init(storage)
            return
        }
        self.init(error.code == .unavailable ? .tryAgain : .notPermitted, error.description)
    }

    /// Wraps a ledger error.
    package init(_ error: LedgerError) {
        switch error.code {
        case .busy, .hotJournal, .noSpace: code = .tryAgain
        case .notFound: code = .noInput
        case .wrongKey: code = .notPermitted
        default: code = .inputOutput
        }
        description = error.description
        isFatal = error.code == .syncFailed
    }

    /// Wraps an error in a contract or configuration.
    ///
    /// - Parameters:
    ///   - error: the located error.
    ///   - bytes: the document's text, from which `excerpt` is taken.
    package init(_ error: SchemaError, in bytes: [UInt8] = []) {
        code = .configuration
        description = error.description
        excerpt = error.excerpt(of: bytes)
    }

    /// Wraps a contract that loads and cannot be compiled.
    package init(_ error: UnusableContract, file: String) {
        code = .configuration
        description = "\(file): \(error.reason)"
    }

    /// Wraps masking rules that cannot be carried out.
    package init(_ error: UnusableMask) {
        code = error.isContract ? .configuration : .notPermitted
        description = error.reason
    }

    /// Wraps a source that is not in its declared format.
    package init(_ error: UnreadableSource, file: String) {
        code = .unreadableData
        description = "\(file): \(error.reason)"
    }
}

/// Runs a body that throws storage errors, and rethrows them as `IngestionError`.
func storing<R: ~Copyable>(reading: Bool = false, _ body: () throws(StorageError) -> R) throws(IngestionError) -> R {
    do throws(StorageError) { return try body() } catch { throw IngestionError(error, reading: reading) }
}

/// Runs a body that throws sealing errors, and rethrows them as `IngestionError`.
func sealing<R: ~Copyable>(_ body: () throws(SealingError) -> R) throws(IngestionError) -> R {
    do throws(SealingError) { return try body() } catch { throw IngestionError(error) }
}

/// Runs a body that throws ledger errors, and rethrows them as `IngestionError`.
func recording<R>(_ body: () throws(LedgerError) -> R) throws(IngestionError) -> R {
    do throws(LedgerError) { return try body() } catch { throw IngestionError(error) }
}
