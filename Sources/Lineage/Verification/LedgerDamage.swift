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
        /// Entries after the last signed head, or fewer entries than it covers.
        case tail = "TAIL"
        /// A stored tree node differs from the recomputed one: the smallest subtree that disagrees.
        case node = "NODE"
        /// A derived column or table differs from the bodies.
        case projection = "PROJECTION"
        /// Evidence is missing or does not match its hash.
        case blob = "BLOB"
        /// An anchor covers more entries than the ledger has.
        case rollback = "ROLLBACK"
        /// An anchor has another root.
        case fork = "FORK"
        /// An anchor is not of this ledger, or is not signed by its key.
        case anchor = "ANCHOR"
    }

    /// The kind of damage.
    package let kind: Kind
    /// The place and the fault, without the kind.
    package let detail: String

    /// The line that is printed.
    package var description: String { "\(kind.rawValue) \(detail)" }
}

/// A signed note or tlog-proof that was kept elsewhere: a head file, a receipt, a witness.
package struct TrustAnchor: Sendable {
    /// Its name in messages, usually its file name.
    package let name: String
    /// Its bytes.
    package let text: [UInt8]

    /// Makes an anchor.
    package init(name: String, text: [UInt8]) {
        self.name = name
        self.text = text
    }
}

/// The result of a verification.
package struct LedgerVerification: Sendable {
    /// All damage, grouped by kind; empty if the ledger is intact.
    package let damage: [LedgerDamage]
    /// Entries that were checked.
    package let rows: Int
    /// Signed checkpoints that were checked.
    package let checkpoints: Int
    /// Number of anchors that match. Without one, a rollback, or a rewrite by the key's holder, cannot be detected.
    package let anchors: Int
    /// The recomputed root over all rows.
    package let root: [UInt8]
    /// What the given witnesses signed of the anchors that match.
    package let cosignatures: [Cosignature]
    /// Checkpoints with a valid post-quantum signature; 0 where no such key was given.
    package let secondSignatures: Int
}

/// Collects damage. A changed row makes every later checkpoint wrong, so the lines of each kind are limited.
struct DamageList: Sendable {
    static let linesPerKind = 20
    private var found: [LedgerDamage.Kind: (lines: [LedgerDamage], count: Int)] = [:]

    mutating func add(_ kind: LedgerDamage.Kind, _ detail: String) {
        found[kind, default: ([], 0)].count += 1
        if found[kind, default: ([], 0)].lines.count < Self.linesPerKind {
            found[kind, default: ([], 0)].lines.append(LedgerDamage(kind: kind, detail: detail))
        }
    }

    /// Adds the damage of another list.
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
