package import Cryptography
import GRDB
package import Storage
import Synchronization
import Tabular

/// Reads the log for decisions. Every answer is proven against a checkpoint that the known key signed.
///
/// `state` catches up with the newest checkpoint: it hashes every entry since the last call into the tree, and the root
/// must equal the signed one. The proven state is cached under a key of the store, so each batch reads only new
/// entries, however long the ledger is. Single entries are proven by their path to that root (RFC 6962, section 2.1.1).
package final class ProvenLog: Sendable {
    /// The ledger.
    package let ledger: Ledger
    private let key: VerifierKey
    private let cache: Cache?
    private let known = Mutex<ProvenState?>(nil)
    /// Number of entries that the cache covers, as far as this process knows.
    private let cached = Mutex(0)
    private let count = Atomic(0)
    /// The newest checkpoint whose signature was checked, so that the same bytes are not checked again.
    private let opened = Mutex<(note: [UInt8], head: Checkpoint)?>(nil)

    /// The folder in which the state is cached between processes, and the secret that authenticates the cache.
    package struct Cache: Sendable {
        let folder: OpenFolder
        let secret: SecretKey
        /// The identity of the secret, which an entry must record: otherwise a person who can write into the store
        /// could replace the secret.
        let identity: String
        /// The name of the file.
        package static let name = "ledger.index"
        /// Number of entries that are read again before the cache is rewritten.
        static let staleness = 256

        /// A cache in a folder; `secret` is the store's key, and `identity` is its identity in an entry `key.recorded`.
        package init(in folder: OpenFolder, secret: SecretKey, identity: String) {
            self.folder = folder
            self.secret = secret
            self.identity = identity
        }
    }

    /// Entries read in one transaction.
    private static let chunk = 4096

    /// Reads a ledger whose checkpoints must be signed by `key`.
    package init(_ ledger: Ledger, key: VerifierKey, cache: Cache? = nil) {
        self.ledger = ledger
        self.key = key
        self.cache = cache
    }

    /// Number of entries that were proven one by one so far. It measures the cost of a decision, which must not grow
    /// with the ledger.
    package var entriesProven: Int { count.load(ordering: .relaxed) }

    // MARK: State

    /// The state of the log as of its newest checkpoint. Throws `damaged` if the log does not match the checkpoint.
    package func state() throws(LedgerError) -> ProvenState {
        let head = try newestHead()
        if let known = known.withLock({ $0 }), known.size == head.size, known.root == head.root { return known }
        var state = try start(head)
        var tree = try ledger.read("prove ledger") { db in
            try TreeFrontier(size: state.size) { level, index in try self.ledger.node(level, index, in: db) }
        }
        // The stored peaks hash to the root that was proven before, so they are the peaks of that time.
        if state.size > 0, tree.root() != state.root { throw differs(head) }
        while tree.size < head.size {
            let rows = try bodies(from: tree.size, upTo: min(head.size, tree.size + Self.chunk))
            if rows.isEmpty { throw differs(head) }
            let read = parallelMap(rows, stripe: 64) { (MerkleTree.leafHash($0), try? JSONValue.parse($0)) }
            for (leaf, body) in read {
                guard let body else { throw differs(head) }
                state.add(body, sequence: tree.size)
                tree.append(leafHash: leaf)
            }
        }
        guard tree.root() == head.root else { throw differs(head) }
        (state.size, state.root) = (head.size, head.root)
        let proven = state
        known.withLock { $0 = proven }
        if head.size - cached.withLock({ $0 }) > Cache.staleness { keep(proven) }
        return proven
    }

    /// The newest tree head, signed by the known key; it must cover all entries.
    private func newestHead() throws(LedgerError) -> Checkpoint {
        let (size, stored) = try ledger.read("prove ledger") { db in
            (
                try Ledger.size(db),
                try db.first("SELECT size, root, note FROM checkpoint ORDER BY size DESC LIMIT 1") {
                    ($0.integer(0), $0.bytes(1), $0.bytes(2))
                }
            )
        }
        guard let (signed, root, note) = stored, let head = checkpoint(note) else {
            throw damaged("its newest checkpoint is not signed by the known key \(key.name)")
        }
        guard head.size == signed, head.root == root, head.size == size else {
            throw damaged("its \(size) entries are not what its newest checkpoint covers")
        }
        return head
    }

    private func checkpoint(_ note: [UInt8]) -> Checkpoint? {
        if let opened = opened.withLock({ $0 }), opened.note == note { return opened.head }
        guard let head = Checkpoint.open(note, key: key), head.origin == key.name else { return nil }
        opened.withLock { $0 = (note, head) }
        return head
    }

    private func start(_ head: Checkpoint) throws(LedgerError) -> ProvenState {
        if let known = known.withLock({ $0 }) {
            if known.size <= head.size { return known }
            throw damaged("it holds \(head.size) entries, and this process has seen \(known.size)")
        }
        if let kept = kept(upTo: head.size) {
            // The cache is authentic, so the ledger once had these entries.
            guard kept.size <= head.size else {
                throw damaged(
                    "it holds \(head.size) entries, and \(kept.size) were proven here before: an older copy was put in its place"
                )
            }
            guard isRecorded(kept, head) else { return ProvenState() }
            cached.withLock { $0 = kept.size }
            return kept
        }
        return ProvenState()
    }

    /// Whether the secret that authenticates the cache is the one that an entry below the signed checkpoint records.
    private func isRecorded(_ kept: ProvenState, _ head: Checkpoint) -> Bool {
        let name = ProvenState.KeyName(kind: "store", name: "store")
        guard let cache, let sequence = kept.keys[name]?.sequence else { return false }
        var signed = ProvenState()
        (signed.size, signed.root) = (head.size, head.root)
        guard let entry = try? entry(sequence, of: signed), entry.event == .keyRecorded else { return false }
        return (entry.body["keys"]?.items ?? []).contains { key in
            key["kind"]?.text == name.kind && key["name"]?.text == name.name && key["identity"]?.text == cache.identity
        }
    }

    private func bodies(from: Int, upTo: Int) throws(LedgerError) -> [[UInt8]] {
        try ledger.read("prove ledger") { db in
            var found: [[UInt8]] = []
            var next = from
            try db.forEach("SELECT seq, body FROM entry WHERE seq >= ? AND seq < ? ORDER BY seq", [from, upTo]) { row in
                if row.integer(0) == next { found.append(row.bytes(1)) }
                next += 1
            }
            return found
        }
    }

    private func damaged(_ cause: String) -> LedgerError {
        LedgerError(.damaged, "prove ledger", subject: ledger.path, cause: cause + "; run sluice lineage verify")
    }

    private func differs(_ head: Checkpoint) -> LedgerError {
        damaged("its entries do not hash to its signed checkpoint of \(head.size)")
    }

    // MARK: Entries

    /// One entry, proven to be in the log.
    package func entry(_ sequence: Int) throws(LedgerError) -> LedgerEntry {
        try entry(sequence, of: try state())
    }

    func entry(_ sequence: Int, of state: ProvenState) throws(LedgerError) -> LedgerEntry {
        guard sequence >= 0, sequence < state.size else { throw damaged("there is no entry \(sequence)") }
        count.add(1, ordering: .relaxed)
        let (bytes, path) = try ledger.read("prove ledger") { db in
            let body = try db.first("SELECT body FROM entry WHERE seq = ?", [sequence]) { $0.bytes(0) } ?? []
            let path = try MerkleTree.inclusionProof(index: sequence, size: state.size) { level, index in
                try self.ledger.node(level, index, in: db)
            }
            return (body, path)
        }
        guard
            MerkleTree.isIncluded(
                leaf: MerkleTree.leafHash(bytes), index: sequence, size: state.size, root: state.root, proof: path),
            let body = try? JSONValue.parse(bytes), let kind = body["kind"]?.text
        else { throw damaged("entry \(sequence) is not the one that was signed") }
        return LedgerEntry(sequence: sequence, kind: kind, bytes: bytes, body: body)
    }

    /// The files of a role that these entries record, without those of superseded batches and those that were removed.
    package func files(
        _ role: FileRole, in sequences: some Sequence<Int>
    ) throws(LedgerError) -> [PublishedFile] {
        let state = try state()
        var found: [PublishedFile] = []
        for sequence in sequences {
            for file in try entry(sequence, of: state).files
            where file.role == role && state.superseded[file.batch] == nil {
                if case .present = try standing(of: file) { found.append(file) }
            }
        }
        return found
    }

    /// What the record says today of a file that it once published.
    package func standing(of file: PublishedFile) throws(LedgerError) -> FileStanding {
        let state = try state()
        var current = file
        for sequence in state.changes(ofFile: file.path) {
            let entry = try entry(sequence, of: state)
            guard let changed = entry.changedFiles.first(where: { $0.path == file.path }) else { continue }
            if entry.event == .fileRemoved { return .removed(entry) }
            current = changed
            break
        }
        if let last = state.destruction(of: current.recipients) {
            return .unreadable(current, try entry(last, of: state))
        }
        return .present(current)
    }

    /// The entries that record new forms of files without the rows of a subject, since the subject was erased before.
    ///
    /// - Parameters:
    ///   - subject: its name in the ledger.
    ///   - size: only entries before this one.
    /// - Returns: the entries, oldest first, and the earlier `subject.erased`, if there is one.
    package func rewritings(
        ofSubject subject: String, before size: Int
    ) throws(LedgerError) -> (entries: [LedgerEntry], earlier: Int?) {
        let query = LineageQuery(ledger)
        let erasures = try query.entries(of: .subjectErased, naming: subject).filter { $0 < size }
        let found = try query.entries(of: .shardRewritten, naming: subject).filter { sequence in
            sequence < size && sequence > erasures.last ?? -1
        }
        return (
            try found.map { sequence throws(LedgerError) in try entry(sequence) }.filter {
                $0.event == .shardRewritten && $0.body["subject"]?.text == subject
            }, erasures.last
        )
    }

    /// The entries that one commit made for a batch, in order; empty if the log has none.
    package func run(_ batch: String) throws(LedgerError) -> [LedgerEntry] {
        // The index is only a hint; the entries are proven.
        if let hint = try LineageQuery(ledger).run(batch).first, let found = try? run(around: hint.sequence, batch),
            !found.isEmpty
        {
            return found
        }
        guard let first = try LineageQuery(ledger).batch(batch).first(where: { $0.body["batch"]?.text == batch }) else {
            return []
        }
        return try run(around: first.sequence, batch)
    }

    /// The entries of a batch that the commit of this one made.
    package func run(around sequence: Int, _ batch: String) throws(LedgerError) -> [LedgerEntry] {
        let state = try state()
        var found: [LedgerEntry] = []
        var at = sequence
        while at >= 0 {
            let entry = try entry(at, of: state)
            guard entry.body["batch"]?.text == batch else { break }
            found.insert(entry, at: 0)
            if entry.beginsCommit { break }
            at -= 1
        }
        at = sequence + 1
        while !found.isEmpty, at < state.size {
            let entry = try entry(at, of: state)
            guard entry.body["batch"]?.text == batch, !entry.beginsCommit else { break }
            found.append(entry)
            at += 1
        }
        return found
    }

    /// The proven record of a published file with this SHA-256; nil if there is none.
    package func file(_ digest: String) throws(LedgerError) -> PublishedFile? {
        guard let found = try LineageQuery(ledger).file(digest) else { return nil }
        let entry = try entry(found.entry.sequence)
        return (entry.files + entry.changedFiles).first { $0.digest == digest }
    }

    // MARK: Cache

    private func proof(of text: [UInt8], _ cache: Cache) -> [UInt8] {
        hmacSHA256(key: cache.secret, (Array("sluice/ledger-index/v1\0\(key)\0".utf8) + text).span)
    }

    /// The cached state of another process; nil if there is none, or if it is not authenticated by the store's key.
    private func kept(upTo size: Int) -> ProvenState? {
        // A larger file than twice the size of a cache with this many entries cannot be Sluice's.
        guard let cache, let name = FileName(Array(Cache.name.utf8)),
            let bytes = try? cache.folder.openRegular(name).readAll(max: 1 << 20 + 512 * size), bytes.count > 32
        else { return nil }
        let text = Array(bytes.dropFirst(32))
        guard constantTimeEquals(proof(of: text, cache).span, Array(bytes.prefix(32)).span) else { return nil }
        return (try? JSONValue.parse(text)).flatMap { ProvenState($0) }
    }

    /// It is only a cache: a failed write costs the next process time, and nothing else.
    private func keep(_ state: ProvenState) {
        guard let cache, let name = FileName(Array(Cache.name.utf8)) else { return }
        let text = state.document().canonicalBytes()
        guard var file = try? StagedFile(in: cache.folder, name: name) else {
            // A process that crashed may have left a partial file.
            if let part = FileName(Array((Cache.name + ".part").utf8)) { try? cache.folder.remove(part) }
            return
        }
        guard (try? file.write((proof(of: text, cache) + text).span)) != nil else { return }
        cached.withLock { $0 = state.size }
        try? file.commitLoosely(as: name, replacing: true)
    }
}
