import Cryptography
import Lineage
import Schemas
import Sealing
import Storage
import Tabular

/// The result of one check of `sluice doctor`.
package struct Diagnosis: Sendable, Equatable {
    /// The severity of a result.
    package enum Grade: String, Sendable, Comparable {
        /// Nothing to do.
        case well = "ok"
        /// It works, and may soon fail.
        case risk
        /// It does not work, or something is lost or tampered with.
        case bad

        private var rank: Int { self == .well ? 0 : self == .risk ? 1 : 2 }
        /// Orders grades by severity.
        package static func < (left: Grade, right: Grade) -> Bool { left.rank < right.rank }
    }

    /// The checked thing: store, rights, keys, clock, disk, ledger, files, claims (leases) or inboxes.
    package var subject: String
    /// The severity.
    package var grade: Grade
    /// The observation.
    package var finding: String
    /// The remedy; empty when nothing is to be done.
    package var cure: String
    /// The file in `keys/` that is missing, where that is the finding.
    package var missingKey: String?

    init(_ subject: String, _ grade: Grade, _ finding: String, cure: String = "", missingKey: String? = nil) {
        self.missingKey = missingKey
        self.subject = subject
        self.grade = grade
        self.finding = finding
        self.cure = cure
    }
}
