import Cryptography
import GRDB
import Tabular

extension Ledger {
    /// Records a change in one transaction, under one signed checkpoint: entries, tree, evidence, projection,
    /// idempotency keys and claims. This is the only commit point.
    ///
    /// Throws `alreadySeen` if a key is already recorded. Throws `damaged` if the stored state does not match the last
    /// signed one, since it must not be signed again.
    package func commit(_ change: LedgerChange) throws(LedgerError) -> Committed {
        try write("write to ledger") { db in try append(change, to: db) }
    }

    func append(_ change: LedgerChange, to db: Database) throws -> Committed {
        precondition(!change.entries.isEmpty, "a commit has at least one entry")
        precondition(change.seen.values.allSatisfy { change.entries.indices.contains($0) }, "a key names no entry")
        guard let signer else { preconditionFailure("a ledger opened without its key is not written") }
        var tree = try signedTree(db)
        let firstSequence = tree.size
        for data in change.blobs {
            try db.run(
                "INSERT INTO blob VALUES(?,?,?) ON CONFLICT DO NOTHING",
                [asBlob(SHA256.hash(data.data)), data.media, asBlob(data.data)])
        }
        try refuseSeen(change, in: db)
        for (index, body) in change.entries.enumerated() {
            let isFirst = index == 0 && countsCommits
            try insert(isFirst ? counted(body, change.entries.count) : body, at: index, growing: &tree, in: db)
        }
        let head = Checkpoint(origin: origin, size: tree.size, root: tree.root())
        let note = try signer.sign(head)
        try db.run("INSERT INTO checkpoint VALUES(?,?,?)", [head.size, asBlob(head.root), asBlob(note)])
        for (key, index) in change.seen {
            guard try db.first("SELECT 1 FROM seen WHERE key = ?", [asBlob(key)], { _ in true }) == nil else {
                if change.repeated.contains(key) { continue }
                throw LedgerError(
                    .alreadySeen, "write to ledger", subject: path, cause: "key \(hex(key)) is recorded already")
            }
            try db.run("INSERT INTO seen VALUES(?,?)", [asBlob(key), firstSequence + index])
        }
        try readBack(head, note, change.entries.count, in: db)
        for claim in change.putInflight { try Self.put(claim, in: db) }
        return Committed(size: head.size, root: head.root, note: note, firstSequence: firstSequence)
    }

    /// If commits are counted, the first body of each commit has the number of its entries. A signed checkpoint must
    /// follow them, so a removed checkpoint is noticed.
    private func counted(_ body: JSONValue, _ count: Int) -> JSONValue {
        guard var members = body.members else { return body }
        members["commit"] = .integer(Int64(count))
        return .object(members)
    }

    /// Reads back what was written: a commit that was not recorded must not be reported as done.
    private func readBack(_ head: Checkpoint, _ note: [UInt8], _ count: Int, in db: Database) throws {
        let newest = try db.first("SELECT size, root, note FROM checkpoint ORDER BY size DESC LIMIT 1") {
            $0.integer(0) == head.size && $0.bytes(1) == head.root && $0.bytes(2) == note
        }
        guard newest == true, try Self.size(db) == head.size else {
            throw LedgerError(
                .damaged, "write to ledger", subject: path,
                cause: "what was written is not what is there; run sluice lineage verify")
        }
    }

    /// Another process may have judged the same content since the caller's proof, decided about the same batch, or destroyed
    /// a key. The entries show that, even if the table of keys was tampered with.
    private func refuseSeen(_ change: LedgerChange, in db: Database) throws {
        guard let proven = change.provenSize else { return }
        let keys = Set(change.seen.keys.map(hex))
        let recipients = Set(change.entries.flatMap { $0["keys"]?.items?.compactMap(\.text) ?? [] })
        let hasSubjectKeys = change.entries.contains { $0.hasFiles(of: .subjectKeys) }
        var received: JSONValue?
        try db.forEach("SELECT body FROM entry WHERE seq >= ? ORDER BY seq", [proven]) { row in
            guard let body = try? JSONValue.parse(row.bytes(0)) else { return }
            if body.event == .batchReceived { received = body }
            if let hold = change.hold, body.decidesHold == hold {
                throw LedgerError(
                    .alreadySeen, "write to ledger", subject: path, cause: "batch \(hold) was decided a moment ago")
            }
            if hasSubjectKeys, body.hasFiles(of: .subjectKeys) {
                throw LedgerError(
                    .alreadySeen, "write to ledger", subject: path,
                    cause: "keys of single subjects were recorded a moment ago")
            }
            if body.event == .keyShredded, let name = body["name"]?.text, recipients.contains(name) {
                throw LedgerError(
                    .alreadySeen, "write to ledger", subject: path, cause: "the key \(name) was destroyed a moment ago")
            }
            guard body.event == .batchJudged else { return }
            // Under other contracts and policies the keys differ although the content is the same.
            if body["verdict"]?.text == "accepted", let received, received["batch"] == body["batch"],
                change.accepts?.isReceived(in: received) == true
            {
                throw LedgerError(
                    .alreadySeen, "write to ledger", subject: path, cause: "the same content was accepted a moment ago")
            }
            if let key = (body["seen"]?.items ?? []).compactMap(\.text).first(where: keys.contains) {
                throw LedgerError(
                    .alreadySeen, "write to ledger", subject: path, cause: "key \(key) is recorded already")
            }
        }
    }

    /// The current tree, proven to be the last signed one: a new checkpoint must not sign a changed log.
    private func signedTree(_ db: Database) throws -> TreeFrontier {
        let size = try Self.size(db)
        if size == 0 { return TreeFrontier() }
        let tree = try TreeFrontier(size: size) { level, index in try self.node(level, index, in: db) }
        let newest = "SELECT size, root, note FROM checkpoint ORDER BY size DESC LIMIT 1"
        let stored = try db.first(newest) { ($0.integer(0), $0.bytes(1), $0.bytes(2)) }
        guard let (signed, root, note) = stored, signed == size, root == tree.root(),
            Checkpoint.open(note, key: verifier) == Checkpoint(origin: origin, size: size, root: root)
        else {
            throw LedgerError(
                .damaged, "write to ledger", subject: path,
                cause: "its \(size) entries do not match the last signed checkpoint; run sluice lineage verify")
        }
        return tree
    }

    private func insert(
        _ body: JSONValue, at index: Int, growing tree: inout TreeFrontier, in db: Database
    ) throws {
        let (bytes, kind, rows) = try checked(body, index)
        let sequence = tree.size
        let leaf = MerkleTree.leafHash(bytes)
        try db.run("INSERT INTO entry VALUES(?,?,?,?)", [sequence, asBlob(bytes), asBlob(leaf), kind])
        var nodes: [(Int, Int, [UInt8])] = []
        tree.append(leafHash: leaf) { nodes.append(($0, $1, $2)) }
        for (level, place, hash) in nodes {
            try db.run("INSERT INTO node VALUES(?,?,?)", [level, place, asBlob(hash)])
        }
        // A later batch may name the same source or shard again; the row keeps the first entry that names it.
        for row in rows {
            switch row.table {
            case .entity, .activity:
                try db.run(
                    "INSERT INTO \(row.table.name) VALUES(?,?,?) ON CONFLICT DO NOTHING",
                    [row.first, row.second, sequence])
            case .edge:
                try db.run(
                    "INSERT INTO prov_edge VALUES(?,?,?,?) ON CONFLICT DO NOTHING",
                    [row.first, row.second, row.third, sequence])
            }
        }
    }

    /// The body's canonical bytes, kind and projection. Throws if it may not be recorded.
    private func checked(_ body: JSONValue, _ index: Int) throws -> ([UInt8], String, [ProvenanceRow]) {
        func refuse(_ cause: String) -> LedgerError {
            LedgerError(.badBody, "write to ledger", subject: path, cause: "entry \(index) of the commit \(cause)")
        }
        guard let kind = body["kind"]?.text, !kind.isEmpty, body["v"]?.whole != nil else {
            throw refuse("needs a kind and a version v")
        }
        if let place = body.pathOfInexactNumber() { throw refuse("(\(kind)) has no exact integer at \(place)") }
        let (rows, isComplete) = ProvenanceRow.rows(of: body)
        guard isComplete else { throw refuse("(\(kind)) has malformed entities, activities or edges") }
        let bytes = body.canonicalBytes()
        guard bytes.count <= 65535 else {
            throw refuse("(\(kind)) has \(bytes.count) bytes of at most 65535; move the bulk into a blob")
        }
        return (bytes, kind, rows)
    }

    /// Number of entries in the log.
    static func size(_ db: Database) throws -> Int {
        try db.first("SELECT coalesce(max(seq) + 1, 0) FROM entry") { $0.integer(0) } ?? 0
    }

    /// The stored hash of a complete subtree.
    func node(_ level: Int, _ index: Int, in db: Database) throws -> [UInt8] {
        let hash =
            level == 0
            ? try db.first("SELECT leaf_hash FROM entry WHERE seq = ?", [index]) { $0.bytes(0) }
            : try db.first("SELECT hash FROM node WHERE level = ? AND idx = ?", [level, index]) { $0.bytes(0) }
        guard let hash else {
            throw LedgerError(
                .damaged, "read ledger", subject: path,
                cause: "tree node \(level)/\(index) is missing; run sluice lineage verify")
        }
        return hash
    }

    static func put(_ claim: Inflight, in db: Database) throws {
        try db.run(
            """
            INSERT INTO inflight VALUES(?,?,?,?,?,?,?) ON CONFLICT(claim) DO UPDATE SET src = excluded.src,
            state = excluded.state, attempts = excluded.attempts, sha256 = excluded.sha256, plan = excluded.plan,
            updated_ms = excluded.updated_ms
            """,
            [
                claim.claim, claim.source, claim.state.rawValue, claim.attempts, claim.sha256.map(asBlob),
                claim.plan.map(asBlob), claim.updatedMilliseconds,
            ])
    }
}
