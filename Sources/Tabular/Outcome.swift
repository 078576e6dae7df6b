/// The gate's action on one row: the strictest of all its findings decides.
///
/// The order is the order of severity; raw values are written to row maps and must not change.
package enum Outcome: UInt8, Sendable, Comparable, CaseIterable {
    /// No finding: the row is masked and sealed into a shard.
    case accepted = 0
    /// Accepted with a remark.
    case flagged = 1
    /// Held back for a person to review; sealed raw into quarantine.
    case quarantined = 2
    /// Held back because it breaks the contract; sealed raw into quarantine.
    case rejected = 3

    /// The name in reports, contracts and the ledger.
    package var name: String {
        switch self {
        case .accepted: "accepted"
        case .flagged: "flagged"
        case .quarantined: "quarantined"
        case .rejected: "rejected"
        }
    }

    /// Its severity, in the terms of reports for programs (SARIF 2.1.0).
    package var severity: String {
        switch self {
        case .accepted: "note"
        case .flagged: "warning"
        case .quarantined, .rejected: "error"
        }
    }

    /// Whether the row is released in a shard.
    package var isReleased: Bool { self <= .flagged }

    /// Orders outcomes by severity.
    package static func < (left: Outcome, right: Outcome) -> Bool { left.rawValue < right.rawValue }
}
