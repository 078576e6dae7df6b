import Cryptography
import GRDB

/// Why a ledger operation failed. A fault *inside* a ledger is a `LedgerDamage`, not an error.
package struct LedgerError: Error, Equatable, CustomStringConvertible {
    /// The kinds of failure a caller may want to tell apart.
    package enum Code: String, Sendable {
        /// There is no file at the path.
        case notFound
        /// A ledger already exists there.
        case exists
        /// The file is not a ledger, or not one of this version.
        case notALedger
        /// A crashed writer left a journal, which a read-only connection may not roll back: try `Ledger.heal`, else
        /// exit with 75.
        case hotJournal
        /// Another process held its lock longer than the timeout: try again; exit code 75.
        case busy
        /// The stored state contradicts its signature, or pages are damaged: nothing is appended to it.
        case damaged
        /// The signing key is not the one that the ledger was created with.
        case wrongKey
        /// A body that may not be recorded.
        case badBody
        /// The content is already recorded, perhaps by another process a moment ago.
        case alreadySeen
        /// The claim is held by another process.
        case alreadyClaimed
        /// The disk is full.
        case noSpace
        /// An fsync failed. What reached the disk is unknown, so the process must stop and not retry.
        case syncFailed
        /// Any other refusal of the file system or of SQLite.
        case io
    }

    /// The kind of the failure.
    package let code: Code
    /// The operation that failed, such as "open ledger".
    package let operation: String
    /// The file, or a part of it.
    package let subject: String
    /// The reason, with the remedy if there is one.
    package let cause: String

    /// Makes an error from its parts.
    package init(_ code: Code, _ operation: String, subject: String, cause: String) {
        self.code = code
        self.operation = operation
        self.subject = subject
        self.cause = cause
    }

    /// One line for a person: lower case, no full stop.
    package var description: String { "cannot \(operation) \(subject): \(cause)" }

    /// Wraps any error of a database access; a `LedgerError` is kept.
    init(_ error: any Error, _ operation: String, _ path: String) {
        switch error {
        case let error as LedgerError: self = error
        case let error as CryptographyError: self.init(.io, operation, subject: path, cause: error.description)
        case let error as DatabaseError: self.init(error, operation, path)
        default: self.init(.io, operation, subject: path, cause: "\(error)")
        }
    }

    private init(_ error: DatabaseError, _ operation: String, _ path: String) {
        let message = error.message ?? error.resultCode.description
        let (code, cause): (Code, String) =
            switch error.extendedResultCode {
            case .SQLITE_READONLY_ROLLBACK, .SQLITE_READONLY_RECOVERY:
                (.hotJournal, "a crashed writer left its journal; run any sluice command that may write here")
            case .SQLITE_IOERR_FSYNC, .SQLITE_IOERR_DIR_FSYNC:
                (.syncFailed, "fsync failed, so what is on disk is unknown; check the disk, then start again")
            default:
                switch error.resultCode {
                case .SQLITE_BUSY, .SQLITE_LOCKED:
                    (.busy, "another process kept it locked; try again when it has finished")
                case .SQLITE_FULL: (.noSpace, "the disk is full; free some space and try again")
                case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_ERROR, .SQLITE_CONSTRAINT:
                    (.damaged, "\(message); run sluice lineage verify")
                case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_READONLY, .SQLITE_AUTH:
                    (.io, "\(message); check that this user may open the file and its folder")
                default: (.io, message)
                }
            }
        self.init(code, operation, subject: path, cause: cause)
    }

    /// SQLite's message if it says that the file itself is damaged, rather than inaccessible; else nil.
    static func isDamage(_ error: any Error) -> String? {
        guard let error = error as? DatabaseError else { return nil }
        switch error.resultCode {
        case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_ERROR, .SQLITE_MISMATCH:
            return error.message ?? error.resultCode.description
        default: return nil
        }
    }
}
