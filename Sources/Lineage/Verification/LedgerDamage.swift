/// One fault in a ledger, as one line that `sluice lineage verify` prints.
package struct LedgerDamage: Sendable, Equatable, CustomStringConvertible {
    /// The kinds, in the order they are reported.
    package enum Kind: String, Sendable, CaseIterable {
        /// The file is not a readable database.
        case file = "FILE"
        /// A table, index or trigger differs from the built-in ones.
        case schema = "SCHEMA"
        /// An entry is missing, or its body differs from its stored hash.
        case row = "ROW"
        /// A stored tree head is not signed by the pinned key, or its columns differ from the signed text.
        case checkpoint = "CHECKPOINT"
        /// The recomputed root differs from a signed one.
        case root = "ROOT"
        /// Entries behind the last signed head, or fewer than it covers.
        case tail = "TAIL"
        /// A stored tree node differs from the recomputed one: the smallest subtree that disagrees.
        case node = "NODE"
        /// A derived column or table differs from the bodies.
        case projection = "PROJECTION"
        /// Evidence that is gone or does not match its name.
        case blob = "BLOB"
        /// Someone saw more rows than there are.
        case rollback = "ROLLBACK"
        /// Someone saw other rows.
        case fork = "FORK"
        /// An anchor that is not about this ledger, or not signed by its key.
        case anchor = "ANCHOR"
    }

    /// What kind of damage.
    package let kind: Kind
    /// Where and what, without the kind.
    package let detail: String

    /// The line that is printed.
    package var description: String { "\(kind.rawValue) \(detail)" }
}

/// A signed note or tlog-proof that was kept elsewhere: a head file, a receipt, a witness.
package struct TrustAnchor: Sendable {
    /// What to call it, usually its file name.
    package let name: String
    /// Its bytes.
    package let text: [UInt8]

    /// Names an anchor.
    package init(name: String, text: [UInt8]) {
        self.name = name
        self.text = text
    }
}

/// What a verification found.
package struct LedgerVerification: Sendable {
    /// Everything wrong, grouped by kind; empty when the ledger is intact.
    package let damage: [LedgerDamage]
    /// Entries that were checked.
    package let rows: Int
    /// Signed checkpoints that were checked.
    package let checkpoints: Int
    /// Anchors that agree. Without one, a rollback or a rewrite by the key's holder cannot be seen.
    package let anchors: Int
    /// The recomputed root over all rows.
    package let root: [UInt8]
}

/// Collects damage; a changed row makes every later checkpoint wrong, so each kind is cut off after some lines.
struct DamageList: Sendable {
    static let linesPerKind = 20
    private var found: [LedgerDamage.Kind: (lines: [LedgerDamage], count: Int)] = [:]

    mutating func add(_ kind: LedgerDamage.Kind, _ detail: String) {
        found[kind, default: ([], 0)].count += 1
        if found[kind, default: ([], 0)].lines.count < Self.linesPerKind {
            found[kind, default: ([], 0)].lines.append(LedgerDamage(kind: kind, detail: detail))
        }
    }

    /// Adds what was found elsewhere.
    mutating func add(_ other: DamageList) {
        for (kind, more) in other.found {
            var mine = found[kind, default: ([], 0)]
            mine.lines += more.lines.prefix(Self.linesPerKind - mine.lines.count)
            mine.count += more.count
            found[kind] = mine
        }
    }

    func has(_ kinds: LedgerDamage.Kind...) -> Bool { kinds.contains { found[$0] != nil } }

    var lines: [LedgerDamage] {
        LedgerDamage.Kind.allCases.flatMap { kind -> [LedgerDamage] in
            guard let (lines, count) = found[kind] else { return [] }
            if count == lines.count { return lines }
            return lines + [LedgerDamage(kind: kind, detail: "and \(count - lines.count) more like these")]
        }
    }
}
