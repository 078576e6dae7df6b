import Cryptography
import GRDB
import Tabular

/// Consecutive entries of the log with everything that can be computed from them alone.
struct LogChunk: Sendable {
    /// An entry.
    struct Row: Sendable {
        let sequence: Int
        /// The column `kind`, which must equal the body's kind.
        let kind: String
        /// Whether the stored leaf hash is the hash of the body.
        let isSound: Bool
        let derived: ProjectionCheck.Derived
    }

    /// A stored tree head, whether the pinned key signed its note, and whether the note agrees with the columns.
    struct Head: Sendable {
        let size: Int
        let root: [UInt8]
        let isSigned: Bool
        let isAsSigned: Bool
    }

    /// Number of leaves before the chunk, if none is missing.
    let first: Int
    let rows: [Row]
    /// The stored nodes that the chunk's leaves complete, by level from 1; each level begins with `first >> level`.
    let nodes: [[[UInt8]?]]
    /// The tree heads that the chunk reaches, by size.
    let heads: [Head]
}

/// Reads chunks of the log, each in one short transaction, and decodes their entries on all processors.
struct ChunkReader: Sendable {
    let queue: DatabaseQueue
    let rows: Int
    let newestCheckpoint: Int
    let key: VerifierKey

    /// A part of the log as stored in the tables.
    struct Stored: Sendable {
        let first: Int
        fileprivate(set) var rows: [(sequence: Int, body: [UInt8], leaf: [UInt8], kind: String)] = []
        fileprivate var nodes: [[[UInt8]?]] = []
        fileprivate var notes: [StoredHead] = []
    }

    /// Up to a chunk of rows from a sequence number on, with the nodes that they complete and the heads that they reach
    /// if `first` leaves precede them.
    func fetch(from start: Int, first: Int) throws -> Stored {
        var found = Stored(first: first)
        try queue.read { db in
            try db.forEach(
                "SELECT seq, body, leaf_hash, kind FROM entry WHERE seq >= ? AND seq < ? ORDER BY seq LIMIT ?",
                [start, rows, LedgerVerifier.chunk]
            ) { found.rows.append(($0.integer(0), $0.bytes(1), $0.bytes(2), $0.text(3))) }
            found.nodes = try nodes(db, over: first..<(first + found.rows.count))
            found.notes = try notes(db, after: first, upTo: first + found.rows.count)
        }
        return found
    }

    /// Decodes the rows of a chunk on all processors, since parsing JSON takes most of a verification's time.
    func read(_ stored: Stored) -> LogChunk {
        let read = parallelMap(stored.rows, stripe: 256, with: { EntryBodyReader() }) { row, reader in
            let derived = ProjectionCheck.Derived(row.sequence, row.body, reader)
            return LogChunk.Row(
                sequence: row.sequence, kind: row.kind, isSound: derived.leaf == row.leaf, derived: derived)
        }
        return LogChunk(first: stored.first, rows: read, nodes: stored.nodes, heads: check(stored.notes))
    }

    /// Tree heads with sizes that no row reaches.
    func heads(after low: Int, upTo high: Int) throws -> [LogChunk.Head] {
        check(try queue.read { db in try notes(db, after: low, upTo: high) })
    }

    fileprivate typealias StoredHead = (size: Int, root: [UInt8], note: [UInt8])

    private func notes(_ db: Database, after low: Int, upTo high: Int) throws -> [StoredHead] {
        var found: [StoredHead] = []
        try db.forEach(
            "SELECT size, root, note FROM checkpoint WHERE size > ? AND size <= ? ORDER BY size",
            [low, min(high, newestCheckpoint)]
        ) { found.append(($0.integer(0), $0.bytes(1), $0.bytes(2))) }
        return found
    }

    /// Checks the signatures of notes in groups, and one by one if a group fails.
    private func check(_ heads: [StoredHead]) -> [LogChunk.Head] {
        let claims = parallelMap(heads, stripe: 64) { SignedNote.claim($0.note, key: key) }
        let stripe = 512
        let stripes = stride(from: 0, to: heads.count, by: stripe).map { $0..<min(heads.count, $0 + stripe) }
        let holds = parallelMap(stripes, stripe: 1) { range in
            var batch = SignatureBatch(publicKey: key.publicKey)
            do {
                for case let claim? in claims[range] {
                    try batch.add(message: Array(claim.text.utf8), signature: claim.signature)
                }
            } catch { return false }
            return batch.holds()
        }
        return heads.enumerated().map { place, head in
            let claim = claims[place].flatMap { claim in
                holds[place / stripe]
                    || verifyEd25519(
                        publicKey: key.publicKey, message: Array(claim.text.utf8), signature: claim.signature)
                    ? claim : nil
            }
            let stated = Checkpoint(origin: key.name, size: head.size, root: head.root)
            return LogChunk.Head(
                size: head.size, root: head.root, isSigned: claim != nil,
                isAsSigned: claim.map { $0.text == stated.text || Checkpoint($0.text) == stated } == true)
        }
    }

    /// The stored nodes that the leaves of a range complete, by level from 1; each level begins with `first >> level`.
    private func nodes(_ db: Database, over leaves: Range<Int>) throws -> [[[UInt8]?]] {
        var levels: [[[UInt8]?]] = []
        var level = 1
        while leaves.upperBound >> level > 0 {
            let low = leaves.lowerBound >> level
            let high = leaves.upperBound >> level
            var hashes = [[UInt8]?](repeating: nil, count: high - low)
            try db.forEach(
                "SELECT idx, hash FROM node WHERE level = ? AND idx >= ? AND idx < ?", [level, low, high]
            ) { row in
                let place = row.integer(0) - low
                if hashes.indices.contains(place) { hashes[place] = row.bytes(1) }
            }
            levels.append(hashes)
            level += 1
        }
        return levels
    }
}
