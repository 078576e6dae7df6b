import Cryptography
import GRDB
import Tabular

extension Ledger {
    /// Recomputes everything from the stored bodies and compares it with what is stored and signed.
    ///
    /// The log is read in chunks, each in a short transaction, so that commits are not delayed; entries that arrive
    /// during the run are ignored. Throws only if the file cannot be read at all; damage is the result.
    package static func verify(
        path: String, key: VerifierKey, evidence: OutsideEvidence = OutsideEvidence(),
        progress: (_ rows: Int, _ of: Int) -> Void = { _, _ in }
    ) throws(LedgerError) -> LedgerVerification {
        try requireFile(path, "verify ledger")
        var verifier = LedgerVerifier(path: path, key: key, evidence: evidence)
        do {
            let queue = try connect(path, readonly: true)
            let pages = Background { try checkPages(path) }
            let walked = Result { try verifier.run(queue, progress: progress) }
            // Damaged pages explain other damage, so they are reported first.
            if let damage = try pages.value() { verifier.damage.add(.file, "database pages damaged: \(damage)") }
            try walked.get()
            if let postQuantum = evidence.postQuantum {
                try queue.read { db in try verifier.secondSignatures.run(postQuantum, in: db, &verifier.damage) }
            }
        } catch {
            guard let reason = LedgerError.isDamage(error) else { throw LedgerError(error, "verify ledger", path) }
            verifier.damage.add(.file, "not a readable ledger: \(reason)")
        }
        return verifier.result
    }
}

/// What a verifier has beside the ledger and its key.
package struct OutsideEvidence: Sendable {
    /// Checkpoints, receipts or proofs that were kept elsewhere.
    package var anchors: [TrustAnchor]
    /// Witnesses whose cosignatures on the anchors count.
    package var witnesses: [WitnessKey]
    /// The key of the second signatures; nil where they are not checked.
    package var postQuantum: PostQuantumKey?

    /// Nothing but what is given.
    package init(
        anchors: [TrustAnchor] = [], witnesses: [WitnessKey] = [], postQuantum: PostQuantumKey? = nil
    ) {
        (self.anchors, self.witnesses, self.postQuantum) = (anchors, witnesses, postQuantum)
    }
}

/// One run of verification, with its state between chunks. Memory grows by 32 bytes for each named entity, not with the
/// bodies.
struct LedgerVerifier {
    /// Rows read in one transaction.
    static let chunk = 4096

    private let path: String
    let key: VerifierKey
    private let evidence: OutsideEvidence
    var damage = DamageList()
    var projection = ProjectionCheck()
    /// The recomputed tree; it stops growing at the first missing row.
    private var tree = TreeFrontier()
    /// Number of rows in the log when the run began.
    private var rows = 0
    private var lastSequence = -1
    /// Whether a row is missing, so that the tree cannot be checked from there on.
    private var isBroken = false
    private var checkpoints = 0
    private var newestCheckpoint = 0
    /// The largest checkpoint with a correct root, and the largest with a valid signature.
    private var good = 0
    private var signed = 0
    private var agreeingAnchors = 0
    private var cosignatures: [Cosignature] = []
    var secondSignatures = PostQuantumCheck()
    /// The roots that the anchors require of the recomputed tree.
    private var wantedRoots: [Int: [UInt8]] = [:]
    private var wantedLeaves: [Int: [UInt8]] = [:]
    /// Sizes at which a commit ended and a checkpoint must exist.
    private var due = Set<Int>()
    /// Kinds and sequence numbers of the entries, for checking the index by kind.
    private var kinds = RowSum()

    init(path: String, key: VerifierKey, evidence: OutsideEvidence) {
        (self.path, self.key, self.evidence) = (path, key, evidence)
    }

    var result: LedgerVerification {
        LedgerVerification(
            damage: damage.lines, rows: rows, checkpoints: checkpoints, anchors: agreeingAnchors, root: tree.root(),
            cosignatures: cosignatures, secondSignatures: secondSignatures.valid)
    }

    /// Verifies the ledger that `queue` reads.
    ///
    /// - Parameter progress: called after each chunk with the number of rows verified so far and of all rows.
    mutating func run(_ queue: DatabaseQueue, progress: (Int, Int) -> Void) throws {
        var isReadable = true
        try queue.read { db in
            try SchemaCheck.compare(db, &damage)
            // A replaced table may be endless; it was reported already.
            isReadable = try LedgerSchema.tables.allSatisfy { try SchemaCheck.isTable($0, in: db) }
            if !isReadable { return }
            rows = try Ledger.size(db)
            newestCheckpoint = try db.first("SELECT coalesce(max(size), 0) FROM checkpoint") { $0.integer(0) } ?? 0
        }
        if !isReadable { return }
        // A ledger is created with a signed genesis entry, so an empty one was emptied.
        if rows == 0 || newestCheckpoint == 0 {
            damage.add(.tail, "the ledger holds no signed genesis: it was emptied")
        }
        projection.reserve(rows)
        let claims = evidence.anchors.compactMap { claim($0) }
        for claim in claims {
            wantedRoots[claim.head.size] = []
            if let proof = claim.proof { wantedLeaves[proof.index] = [] }
        }
        let reader = ChunkReader(queue: queue, rows: rows, newestCheckpoint: newestCheckpoint, key: key)
        for head in try reader.heads(after: Int.min, upTo: 0) { judge(head) }
        // A pipeline of three: one chunk is fetched, the previous one is decoded, and the one before that is checked,
        // all at the same time. A negative sequence number is damage too, so reading begins below zero.
        var fetching: Background<ChunkReader.Stored>? = Background { try reader.fetch(from: Int.min, first: 0) }
        var reading: Background<LogChunk>?
        while fetching != nil || reading != nil {
            let stored = try fetching?.value()
            let chunk = try reading?.value()
            fetching = stored?.rows.last.flatMap { last in
                let first = (stored?.first ?? 0) + (stored?.rows.count ?? 0)
                return last.sequence < rows - 1
                    ? Background { try reader.fetch(from: last.sequence + 1, first: first) } : nil
            }
            reading = stored.map { stored in Background { reader.read(stored) } }
            if let chunk, !chunk.rows.isEmpty {
                take(chunk)
                progress(lastSequence + 1, rows)
            }
        }
        if lastSequence < rows - 1 {
            damage.add(.row, "\(lastSequence + 1) missing (next present row is \(rows))")
            isBroken = true
        }
        if !isBroken {
            for head in try reader.heads(after: rows, upTo: newestCheckpoint) { judge(head) }
            if rows > signed, !damage.has(.checkpoint, .root, .tail) {
                damage.add(.tail, "\(counted(rows - signed, "row")) after the last signed checkpoint (\(signed))")
            }
        }
        for size in due.sorted() where size <= rows && !isBroken {
            damage.add(.checkpoint, "\(size) is missing: it was signed when the rows before it were written")
        }
        try extraNodes(queue)
        try queue.read { db in try InflightCheck.compare(db, &damage) }
        // Without the index the query would fail; a missing index was reported already.
        let indices = damage.has(.schema) ? nil : IndexCheck.begin(path, rows: rows, kinds: kinds)
        let compared = Result { try takeProjection().finish(path, rows: rows, &damage) }
        if let found = try indices?.value() { damage.add(found) }
        try compared.get()
        for claim in claims { judge(claim) }
    }

    /// Moves the projection out, so that it is not copied.
    private mutating func takeProjection() -> ProjectionCheck {
        let taken = projection
        projection = ProjectionCheck()
        return taken
    }

    // MARK: Rows and tree

    private mutating func take(_ chunk: LogChunk) {
        var heads = chunk.heads[...]
        for row in chunk.rows {
            if row.sequence != lastSequence + 1 {
                damage.add(.row, "\(max(0, lastSequence + 1)) missing (next present row is \(row.sequence))")
                isBroken = true
            }
            lastSequence = row.sequence
            kinds.add(kind: row.kind, sequence: row.sequence)
            if !row.isSound { damage.add(.row, "\(row.sequence) body does not match its stored hash") }
            projection.add(row.derived, row.sequence, kind: row.kind, &damage)
            if isBroken { continue }
            if let commit = row.derived.commit {
                let (size, isOver) = row.sequence.addingReportingOverflow(commit)
                if !isOver { due.insert(size) }
            }
            grow(row.derived.leaf, compare: chunk.nodes, from: chunk.first)
            while let head = heads.first, head.size == tree.size {
                judge(head)
                heads.removeFirst()
            }
        }
    }

    private mutating func grow(_ leaf: [UInt8], compare stored: [[[UInt8]?]], from first: Int) {
        if wantedLeaves[tree.size] != nil { wantedLeaves[tree.size] = leaf }
        tree.append(leafHash: leaf) { level, index, hash in
            let there = stored[level - 1][index - first >> level]
            if there == nil {
                damage.add(.node, "\(level)/\(index) is missing")
            } else if there != hash {
                damage.add(.node, "\(level)/\(index) disagrees with the recomputed tree")
            }
        }
        if wantedRoots[tree.size] != nil { wantedRoots[tree.size] = tree.root() }
    }

    /// Reports stored nodes of subtrees that do not exist.
    private mutating func extraNodes(_ queue: DatabaseQueue) throws {
        if isBroken { return }
        try queue.read { db in
            // A writer may have added rows since the run began; their nodes are not surplus.
            let size = try Ledger.size(db)
            try db.forEach(
                """
                SELECT level, idx FROM node
                WHERE level < 1 OR level > 62 OR idx < 0 OR idx >= (?1 >> level) ORDER BY level, idx LIMIT 1000
                """, [size]
            ) { row in
                damage.add(.node, "\(row.integer(0))/\(row.integer(1)) disagrees with the recomputed tree")
            }
        }
    }

    // MARK: Checkpoints

    private mutating func judge(_ head: LogChunk.Head) {
        checkpoints += 1
        due.remove(head.size)
        if !head.isSigned { return damage.add(.checkpoint, "\(head.size) signature is not by the pinned key") }
        guard head.isAsSigned else {
            return damage.add(.checkpoint, "\(head.size) columns disagree with its signed text")
        }
        signed = max(signed, head.size)
        if head.size > rows {
            let lost = head.size - rows
            damage.add(
                .tail,
                "signed checkpoint covers \(head.size) rows, ledger holds \(rows): \(counted(lost, "row")) removed")
        } else if tree.root() == head.root {
            good = head.size
        } else {
            damage.add(
                .root,
                "mismatch at signed checkpoint \(head.size): a row between \(good) and \(head.size - 1) was changed")
        }
    }

    // MARK: Anchors

    private struct Claim {
        let name: String
        let head: Checkpoint
        let proof: TlogProof?
        let cosignatures: [Cosignature]
    }

    private mutating func claim(_ anchor: TrustAnchor) -> Claim? {
        let proof = TlogProof(anchor.text)
        let note = proof?.note ?? anchor.text
        guard let text = SignedNote.open(note, key: key) else {
            damage.add(.anchor, "\(anchor.name) is not signed by the pinned key")
            return nil
        }
        guard let head = Checkpoint(text) else {
            damage.add(.anchor, "\(anchor.name) is not a checkpoint")
            return nil
        }
        guard head.origin == key.name else {
            damage.add(.anchor, "\(anchor.name) is for another ledger \(head.origin)")
            return nil
        }
        let found = evidence.witnesses.compactMap { Cosignature(of: note, by: $0, size: head.size) }
        if found.isEmpty, !evidence.witnesses.isEmpty {
            damage.add(.anchor, "\(anchor.name) is cosigned by none of the given witnesses")
            return nil
        }
        return Claim(name: anchor.name, head: head, proof: proof, cosignatures: found)
    }

    private mutating func judge(_ claim: Claim) {
        let size = claim.head.size
        if size > rows {
            damage.add(.rollback, "\(claim.name) saw \(size) rows signed by this key, ledger holds \(rows)")
            return
        }
        // After a missing row nothing can be recomputed; the missing row was reported already.
        if size > tree.size { return }
        let root = size == 0 ? SHA256.hash([]) : wantedRoots[size]
        if root != claim.head.root {
            damage.add(
                .fork,
                "\(claim.name) saw a different history at \(size) rows: ledger was rewritten and re-signed")
            return
        }
        if let proof = claim.proof {
            let isShown = MerkleTree.isIncluded(
                leaf: wantedLeaves[proof.index] ?? [], index: proof.index, size: size, root: claim.head.root,
                proof: proof.hashes)
            if !isShown { return damage.add(.anchor, "\(claim.name) does not prove row \(proof.index)") }
        }
        agreeingAnchors += 1
        cosignatures += claim.cosignatures
    }
}

/// A number with its noun: `1 row`, `2 rows`.
package func counted(_ number: Int, _ one: String, _ many: String? = nil) -> String {
    number == 1 ? "1 \(one)" : "\(number) \(many ?? one + "s")"
}
