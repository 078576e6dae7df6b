import Cryptography
package import Reading
package import Schemas
package import Sealing
package import Storage
package import Validating
package import Masking
package import Lineage

/// The world is wrong: why a batch could not be worked on, and what to do. Never about the data itself.
package struct IngestionError: Error, Sendable, CustomStringConvertible {
    /// What kind of trouble it is; each has its exit code (sysexits).
    package enum Code: Int32, Sendable {
        /// A sealed file or a ledger was damaged or tampered with.
        case damaged = 1
        /// The command makes no sense.
        case usage = 64
        /// The file is not in the declared format at all.
        case unreadableData = 65
        /// The file is not there.
        case noInput = 66
        /// Our own fault.
        case software = 70
        /// Something could not be written.
        case cannotCreate = 73
        /// Input or output failed.
        case inputOutput = 74
        /// Try again: the disk is full or the ledger busy.
        case tryAgain = 75
        /// A key is missing, wrong or refused, or rights are missing.
        case notPermitted = 77
        /// The configuration or contract cannot be used.
        case configuration = 78
    }

    /// What kind of trouble it is.
    package let code: Code
    /// The message: lower case, no full stop, names the file, says what to do.
    package let description: String

    /// The line of a contract or configuration that is meant, with a caret; nil for all else.
    package private(set) var excerpt: String?

    /// Whether this process must not go on: what the ledger's file holds is not known until it is opened again.
    package private(set) var isFatal = false

    /// Makes an error.
    package init(_ code: Code, _ message: String) {
        self.code = code
        description = message
    }

    /// Wraps a storage error; `reading` tells whether the subject is the user's input.
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
        self.init(.notPermitted, error.description)
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

    /// Wraps a contract or configuration error; with the document's text it shows the place.
    package init(_ error: SchemaError, in bytes: [UInt8] = []) {
        code = .configuration
        description = error.description
        excerpt = error.excerpt(of: bytes)
    }

    /// Wraps a contract that cannot be compiled.
    package init(_ error: UnusableContract, file: String) {
        code = .configuration
        description = "\(file): \(error.reason)"
    }

    /// Wraps masking that cannot be done.
    package init(_ error: UnusableMask) {
        code = error.isContract ? .configuration : .notPermitted
        description = error.reason
    }

    /// Wraps a source that is not in its format.
    package init(_ error: UnreadableSource, file: String) {
        code = .unreadableData
        description = "\(file): \(error.reason)"
    }
}

/// Runs a body that throws one room's error, and rethrows it as ours.
func storing<R: ~Copyable>(reading: Bool = false, _ body: () throws(StorageError) -> R) throws(IngestionError) -> R {
    do throws(StorageError) { return try body() } catch { throw IngestionError(error, reading: reading) }
}

func sealing<R: ~Copyable>(_ body: () throws(SealingError) -> R) throws(IngestionError) -> R {
    do throws(SealingError) { return try body() } catch { throw IngestionError(error) }
}

func recording<R>(_ body: () throws(LedgerError) -> R) throws(IngestionError) -> R {
    do throws(LedgerError) { return try body() } catch { throw IngestionError(error) }
}
