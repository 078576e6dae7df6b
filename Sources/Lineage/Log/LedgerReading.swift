import Cryptography
import GRDB
import Storage
import Tabular

/// Claims: the working state, which changes outside entry commits too.
extension Ledger {
    /// Takes a new claim, or throws `alreadyClaimed`.
    package func insertInflight(_ claim: Inflight) throws(LedgerError) {
        try write("claim in ledger") { db in
            let taken = try db.first("SELECT 1 FROM inflight WHERE claim = ?", [claim.claim]) { _ in true }
            guard taken == nil else {
                throw LedgerError(
                    .alreadyClaimed, "claim in ledger", subject: path, cause: "claim \(claim.claim) is held already")
            }
            try Self.put(claim, in: db)
        }
    }

    /// Writes a claim's row, whether it is new or not.
    package func putInflight(_ claim: Inflight) throws(LedgerError) {
        try write("write claim to ledger") { db in try Self.put(claim, in: db) }
    }

    /// Writes the number of attempts of a claim. A claim that is being published is not changed: its outcome is already
    /// recorded.
    package func countAttempts(claim: String, _ attempts: Int, updatedMilliseconds: Int) throws(LedgerError) {
        try write("count attempt in ledger") { db in
            try db.run(
                "UPDATE inflight SET attempts = ?, updated_ms = ? WHERE claim = ? AND state = 'claimed'",
                [attempts, updatedMilliseconds, claim])
        }
    }

    /// Removes a claim; a claim that does not exist is no error.
    package func removeInflight(claim: String) throws(LedgerError) {
        try write("drop claim from ledger") { db in try db.run("DELETE FROM inflight WHERE claim = ?", [claim]) }
    }

    /// Drops several claims in one transaction.
    package func removeInflight(claims: [String]) throws(LedgerError) {
        try write("drop claims from ledger") { db in
            for claim in claims { try db.run("DELETE FROM inflight WHERE claim = ?", [claim]) }
        }
    }

    /// All claims, by name.
    package func inflight() throws(LedgerError) -> [Inflight] {
        try read("list claims of ledger") { db in
            var claims: [Inflight] = []
            let sql = "SELECT claim, src, state, attempts, sha256, plan, updated_ms FROM inflight ORDER BY claim"
            try db.forEach(sql) { row in
                guard let state = Inflight.State(rawValue: row.text(2)) else { return }
                claims.append(
                    Inflight(
                        claim: row.text(0), source: row.text(1), state: state, attempts: row.integer(3),
                        updatedMilliseconds: row.integer(6)
                    ).of(sha256: row.value(4).isNull ? nil : row.bytes(4))
                        .following(row.value(5).isNull ? nil : row.bytes(5)))
            }
            return claims
        }
    }
}

/// Reads of the log, each in one short transaction.
extension Ledger {
    /// Number of entries in the log.
    package func size() throws(LedgerError) -> Int { try read("read ledger") { try Self.size($0) } }

    /// The entry that recorded an idempotency key, or nil.
    package func seen(_ key: [UInt8]) throws(LedgerError) -> Int? {
        try read("read ledger") { db in
            try db.first("SELECT seq FROM seen WHERE key = ?", [asBlob(key)]) { $0.integer(0) }
        }
    }

    /// One entry, or nil.
    package func entry(_ sequence: Int) throws(LedgerError) -> LedgerEntry? {
        try entries(from: sequence, limit: 1).first { $0.sequence == sequence }
    }

    /// Up to `limit` entries in order, from sequence number `from`.
    package func entries(from: Int, limit: Int) throws(LedgerError) -> [LedgerEntry] {
        try entries("WHERE seq >= ? ORDER BY seq LIMIT ?", [from, limit])
    }

    /// Up to `limit` entries of one kind in order. It does not use the index by kind, in which an attacker can hide
    /// entries.
    package func unindexedEntries(kind: String, from: Int, limit: Int) throws(LedgerError) -> [LedgerEntry] {
        try entries("NOT INDEXED WHERE seq >= ? AND kind = ? ORDER BY seq LIMIT ?", [from, kind, limit])
    }

    /// Entries selected by the rest of a query over `seq, kind, body`.
    func entries(_ condition: String, _ arguments: StatementArguments) throws(LedgerError) -> [LedgerEntry] {
        try read("read ledger") { db in
            var found: [LedgerEntry] = []
            try db.forEach("SELECT seq, kind, body FROM entry " + condition, arguments) { row in
                let bytes = row.bytes(2)
                guard let body = try? JSONValue.parse(bytes) else {
                    throw LedgerError(
                        .damaged, "read ledger", subject: path,
                        cause: "entry \(row.integer(0)) is not json; run sluice lineage verify")
                }
                found.append(LedgerEntry(sequence: row.integer(0), kind: row.text(1), bytes: bytes, body: body))
            }
            return found
        }
    }

    /// The evidence with this hash, or nil; throws `damaged` if the bytes do not match their hash.
    package func blob(sha256: [UInt8]) throws(LedgerError) -> LedgerBlob? {
        let found = try read("read ledger") { db in
            try db.first("SELECT media, data FROM blob WHERE sha256 = ?", [asBlob(sha256)]) {
                LedgerBlob(media: $0.text(0), data: $0.bytes(1))
            }
        }
        if let found, SHA256.hash(found.data) != sha256 {
            throw LedgerError(
                .damaged, "read ledger", subject: path,
                cause: "blob \(hex(sha256)) does not match its name; run sluice lineage verify")
        }
        return found
    }

    /// The newest tree head and its signed note, unverified: `verify` checks them.
    package func latestCheckpoint() throws(LedgerError) -> (head: Checkpoint, note: [UInt8])? {
        try read("read ledger") { db in
            try db.first("SELECT size, root, note FROM checkpoint ORDER BY size DESC LIMIT 1") {
                (Checkpoint(origin: origin, size: $0.integer(0), root: $0.bytes(1)), $0.bytes(2))
            }
        }
    }

    /// The root over the first `size` entries; nil if there are fewer.
    package func root(of size: Int) throws(LedgerError) -> [UInt8]? {
        try read("read ledger") { db in
            guard size >= 0, try size <= Self.size(db) else { return nil }
            return try MerkleTree.root(size: size) { level, index in try node(level, index, in: db) }
        }
    }

    /// Whether exactly this signed checkpoint is stored.
    package func holds(checkpoint note: [UInt8]) throws(LedgerError) -> Bool {
        guard let head = Checkpoint.open(note, key: verifier) else { return false }
        return try read("read ledger") { db in
            try db.first("SELECT note FROM checkpoint WHERE size = ?", [head.size]) { $0.bytes(0) == note } ?? false
        }
    }

    /// The inclusion proof of one entry under the newest checkpoint that covers it, or nil if none does.
    package func proof(of sequence: Int) throws(LedgerError) -> TlogProof? { try proofs(of: [sequence])?.first }

    /// The inclusion proofs of some entries under one checkpoint, the newest; nil if it does not cover them all.
    package func proofs(of sequences: [Int]) throws(LedgerError) -> [TlogProof]? {
        try read("prove from ledger") { db in
            let newest = "SELECT size, note FROM checkpoint ORDER BY size DESC LIMIT 1"
            guard let (size, note) = try db.first(newest, [], { ($0.integer(0), $0.bytes(1)) }),
                sequences.allSatisfy({ $0 >= 0 && $0 < size })
            else { return nil }
            return try sequences.map { sequence in
                let hashes = try MerkleTree.inclusionProof(index: sequence, size: size) { level, index in
                    try node(level, index, in: db)
                }
                return TlogProof(index: sequence, hashes: hashes, note: note)
            }
        }
    }

    /// The hashes that prove that the first `old` entries are unchanged within the first `new`.
    package func consistencyProof(from old: Int, to new: Int) throws(LedgerError) -> [[UInt8]] {
        try read("prove from ledger") { db in
            let size = try Self.size(db)
            precondition(old > 0 && old <= new && new <= size, "no such trees")
            return try MerkleTree.consistencyProof(from: old, to: new) { level, index in
                try node(level, index, in: db)
            }
        }
    }
}

extension Ledger {
    /// Copies a consistent snapshot of the ledger by SQLite's backup API, without claims: they are recomputed when the
    /// copy becomes a store.
    ///
    /// - Returns: the newest checkpoint in the copy.
    package func backUp(to target: String) throws(LedgerError) -> Checkpoint {
        let operation = "back up ledger"
        do {
            let copy = try DatabaseQueue(path: target)
            // All pages in one step, in one read transaction: a consistent snapshot.
            try queue.backup(to: copy)
            try copy.writeWithoutTransaction { db in
                try db.execute(sql: "PRAGMA journal_mode=TRUNCATE; PRAGMA synchronous=FULL; DELETE FROM inflight")
            }
            let newest = try copy.read { db in
                try db.first("SELECT size, root FROM checkpoint ORDER BY size DESC LIMIT 1") {
                    Checkpoint(origin: origin, size: $0.integer(0), root: $0.bytes(1))
                }
            }
            try copy.close()
            try syncFolder(split(target).folder)
            guard let newest else {
                throw LedgerError(.damaged, operation, subject: path, cause: "it has no signed checkpoint")
            }
            return newest
        } catch let error as StorageError {
            throw LedgerError(.io, operation, subject: target, cause: error.description)
        } catch {
            throw LedgerError(error, operation, target)
        }
    }

    /// Rebuilds the mutable tables, which are not signed, from the verified log.
    package static func rebuildWorkingState(path: String) throws(LedgerError) {
        let operation = "rebuild claims and keys of"
        try requireFile(path, operation)
        do {
            let queue = try connect(path, readonly: false)
            try queue.writeWithoutTransaction { db in
                try db.inTransaction(.immediate) {
                    try db.execute(sql: "DELETE FROM inflight; DELETE FROM seen")
                    var next = 0
                    while true {
                        var rows: [(Int, [UInt8])] = []
                        try db.forEach(
                            "SELECT seq, body FROM entry WHERE seq >= ? ORDER BY seq LIMIT 4096", [next]
                        ) { rows.append(($0.integer(0), $0.bytes(1))) }
                        guard let last = rows.last else { break }
                        next = last.0 + 1
                        for (sequence, bytes) in rows {
                            for key in SeenKeys.recorded(in: bytes) {
                                try db.run(
                                    "INSERT INTO seen VALUES(?,?) ON CONFLICT DO NOTHING", [asBlob(key), sequence])
                            }
                        }
                    }
                    return .commit
                }
            }
            try queue.close()
        } catch {
            throw LedgerError(error, operation, path)
        }
    }
}

/// The idempotency keys that an entry records: in `batch.judged`, the keys by which the same batch is recognised as a
/// duplicate.
enum SeenKeys {
    /// The keys in an entry's bytes; empty for entries of versions that did not record them in the body.
    static func recorded(in bytes: [UInt8]) -> [[UInt8]] {
        guard let body = try? JSONValue.parse(bytes), body.event == .batchJudged else { return [] }
        return recorded(in: body)
    }

    /// The keys in a parsed body.
    static func recorded(in body: some EntryBody) -> [[UInt8]] {
        (body["seen"]?.items ?? []).compactMap { $0.text.flatMap { bytes(hex: $0) } }
    }
}
