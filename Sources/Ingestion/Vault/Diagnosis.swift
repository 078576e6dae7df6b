import Cryptography
import Lineage
import Schemas
import Sealing
import Storage
import Tabular

/// One thing that `sluice doctor` looked at.
package struct Diagnosis: Sendable, Equatable {
    /// How bad it is.
    package enum Grade: String, Sendable, Comparable {
        /// Nothing to do.
        case well = "ok"
        /// It works, and may not for long.
        case risk
        /// It does not work, or something is lost or tampered with.
        case bad

        private var rank: Int { self == .well ? 0 : self == .risk ? 1 : 2 }
        /// Orders grades by how bad they are.
        package static func < (left: Grade, right: Grade) -> Bool { left.rank < right.rank }
    }

    /// What was looked at: store, rights, keys, clock, disk, ledger, files, claims, inboxes.
    package var subject: String
    /// How bad it is.
    package var grade: Grade
    /// What was found.
    package var finding: String
    /// What to do; empty when there is nothing to do.
    package var cure: String

    init(_ subject: String, _ grade: Grade, _ finding: String, cure: String = "") {
        self.subject = subject
        self.grade = grade
        self.finding = finding
        self.cure = cure
    }
}
