import Cryptography
import GRDB
import Tabular

/// Recomputes the table `seen` from the judgements and compares it.
struct SeenCheck: Sendable {
    private var expected: [[UInt8]: Int] = [:]
    /// Judgements of versions that did not record keys: their rows can only be checked for existence of these entries.
    private var silent = Set<Int>()
    private static let chunk = 8192

    mutating func add(_ keys: [[UInt8]]?, _ sequence: Int) {
        guard let keys else {
            silent.insert(sequence)
            return
        }
        for key in keys where expected[key] == nil { expected[key] = sequence }
    }

    /// Compares with the table and ignores rows of entries after the first `rows`.
    func compare(_ queue: DatabaseQueue, rows: Int) throws -> DamageList {
        var differences = 0
        var missing = expected
        var later: [Int] = []
        try queue.forEachRow("SELECT key, seq FROM seen", orderedBy: ["key"], chunk: Self.chunk) { row in
            let sequence = row.integer(1)
            if sequence >= rows { return later.append(sequence) }
            if let wanted = missing.removeValue(forKey: row.bytes(0)) {
                if wanted != sequence { differences += 1 }
            } else if !silent.contains(sequence) {
                differences += 1
            }
        }
        // Rows of entries that arrived in the meantime belong to a writer; rows of no entry are damage.
        let size = try queue.read { try Ledger.size($0) }
        differences += missing.count + later.count { $0 >= size }
        var damage = DamageList()
        if differences > 0 {
            damage.add(.projection, "seen disagrees with the log: \(counted(differences, "difference"))")
        }
        return damage
    }
}

/// Checks claims against the log. They are unsigned and say only what is in progress.
enum InflightCheck {
    static func compare(_ db: Database, _ damage: inout DamageList) throws {
        var rows: [(claim: String, state: String)] = []
        try db.forEach("SELECT claim, state FROM inflight ORDER BY claim") { rows.append(($0.text(0), $0.text(1))) }
        for (place, row) in rows.enumerated() {
            guard Inflight.isName(row.claim) else {
                // Its text is not printed, since an attacker may have written it.
                damage.add(
                    .projection, "inflight row \(place + 1) of \(rows.count) is not a claim: its name is not a batch id"
                )
                continue
            }
            let isPublishing = row.state == Inflight.State.publishing.rawValue
            // The projection was compared with the log too. A duplicate is not in the projection, so the bodies are
            // searched for one.
            var isRecorded =
                try db.first("SELECT 1 FROM prov_edge WHERE src = ? LIMIT 1", ["run:" + row.claim], { _ in true })
                ?? false
            if isPublishing, !isRecorded {
                let named = Array("\"batch\":\"\(row.claim)\"".utf8)
                let search = "SELECT 1 FROM entry WHERE instr(body, ?) > 0 LIMIT 1"
                isRecorded = try db.first(search, [asBlob(named)], { _ in true }) ?? false
            }
            if isPublishing, !isRecorded {
                damage.add(
                    .projection, "inflight says that batch \(row.claim) was recorded, and the log has no such batch")
            }
            if !isPublishing, isRecorded {
                damage.add(
                    .projection, "inflight says that batch \(row.claim) is still to be judged, and the log has it")
            }
        }
    }
}

extension Inflight {
    /// Whether a text is a valid claim name: a UUID in lower case (RFC 9562), so that it is a plain file name.
    package static func isName(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return bytes.count == 36
            && bytes.enumerated().allSatisfy { place, byte in
                [8, 13, 18, 23].contains(place)
                    ? byte == 0x2D : (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
            }
    }
}
