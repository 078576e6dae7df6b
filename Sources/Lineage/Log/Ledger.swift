package import Cryptography
import GRDB
import Storage
import Synchronization
package import Tabular

/// The record: an append-only list of canonical JSON bodies (RFC 8785) under a Merkle tree (RFC 6962); every commit is
/// signed.
///
/// One SQLite file has the log, the tree, the signed checkpoints, evidence blobs, a PROV projection for queries, and
/// the mutable working state, so one COMMIT changes all of them. Several processes may write: SQLite's locks serialise
/// them, and each commit extends the current tree. Methods are synchronous and may wait for locks.
package final class Ledger: Sendable {
    /// The path of the file.
    package let path: String
    /// The key that its checkpoints must be signed by; the key's name is the ledger's origin.
    package let verifier: VerifierKey
    let queue: DatabaseQueue
    let signer: LedgerSigner?
    /// SQLite's schema version when the tables were last compared with the built-in ones.
    private let soundSchema = Mutex<Int?>(nil)
    /// Whether the first entry of each commit states the number of its entries, so that a removed checkpoint is
    /// noticed.
    let countsCommits: Bool

    /// The ledger's globally unique name, as in `example.com/ledger/7f3c`.
    package var origin: String { verifier.name }

    private init(
        path: String, verifier: VerifierKey, queue: DatabaseQueue, signer: LedgerSigner?, countsCommits: Bool
    ) {
        self.countsCommits = countsCommits
        self.path = path
        self.verifier = verifier
        self.queue = queue
        self.signer = signer
    }

    /// Creates a ledger with its genesis entry, and with other entries in the same commit. `time` is RFC 3339 UTC with
    /// milliseconds.
    package static func create(
        path: String, origin: String, signingKey: SigningKey, time: String, entries: [JSONValue] = [],
        countsCommits: Bool = false
    ) throws(LedgerError) -> Ledger {
        let operation = "create ledger"
        guard let verifier = VerifierKey(name: origin, publicKey: signingKey.publicKey) else {
            throw LedgerError(
                .badBody, operation, subject: path, cause: "its origin must be one word without plus signs")
        }
        let genesis = JSONValue.object([
            "kind": .event(.genesis), "v": .integer(1), "origin": .string(origin),
            "vkey": .string(verifier.description), "time": .string(time),
        ])
        if exists(path) { try requireFile(path, operation) }
        let queue = try connect(path, operation, readonly: false)
        let ledger = Ledger(
            path: path, verifier: verifier, queue: queue, signer: LedgerSigner(signingKey), countsCommits: countsCommits
        )
        _ = try ledger.write(operation) { db in
            // A creation that crashed before its commit leaves an empty file, which is reused.
            guard try db.first("SELECT count(*) FROM sqlite_schema", [], { $0.integer(0) }) == 0 else {
                throw LedgerError(.exists, operation, subject: path, cause: "there is one already")
            }
            try db.execute(sql: LedgerSchema.sql)
            return try ledger.append(LedgerChange(entries: [genesis] + entries), to: db)
        }
        do {
            // SQLite does not sync the folder after it created the database file.
            try syncFolder(split(path).folder)
        } catch {
            throw LedgerError(.syncFailed, operation, subject: path, cause: error.description)
        }
        return ledger
    }

    /// Opens a ledger for writing. This also rolls back the unfinished transaction of a crashed writer.
    package static func open(
        path: String, signingKey: SigningKey, postQuantum: MLDSA65Key? = nil, countsCommits: Bool = false
    ) throws(LedgerError) -> Ledger {
        let signer = LedgerSigner(signingKey, postQuantum: postQuantum)
        return try open(path: path, signer: signer, readonly: false, countsCommits: countsCommits)
    }

    /// Opens a ledger for reading only. Throws `hotJournal` if a crashed writer left its journal; see `heal`.
    package static func openReadonly(path: String) throws(LedgerError) -> Ledger {
        try open(path: path, signer: nil, readonly: true)
    }

    /// Lets SQLite roll back the unfinished transaction of a crashed writer. It needs permission to write the file and
    /// its folder.
    package static func heal(path: String) throws(LedgerError) {
        _ = try open(path: path, signer: nil, readonly: false)
    }

    private static func open(
        path: String, signer: LedgerSigner?, readonly: Bool, countsCommits: Bool = false
    ) throws(LedgerError) -> Ledger {
        let operation = "open ledger"
        try requireFile(path, operation)
        let queue = try connect(path, operation, readonly: readonly)
        let genesis = try access(queue, at: path, to: operation) { db in
            let mark = try db.first("PRAGMA application_id") { $0.integer(0) }
            let version = try db.first("PRAGMA user_version") { $0.integer(0) }
            guard mark == Int(LedgerSchema.applicationID), version == Int(LedgerSchema.version) else {
                throw LedgerError(.notALedger, operation, subject: path, cause: "it is not a ledger of version 1")
            }
            if let first = try SchemaCheck.differences(db).first {
                throw LedgerError(
                    .damaged, operation, subject: path,
                    cause: "its tables are not a ledger's: \(first); run sluice lineage verify")
            }
            return try db.first("SELECT body FROM entry WHERE seq = 0") { $0.bytes(0) }
        }
        guard let body = genesis.flatMap({ try? JSONValue.parse($0) }), body.event == .genesis,
            let verifier = body["vkey"]?.text.flatMap({ VerifierKey($0) })
        else {
            throw LedgerError(
                .damaged, operation, subject: path, cause: "its first entry is not a genesis; run sluice lineage verify"
            )
        }
        if let signer, signer.key.publicKey != verifier.publicKey {
            throw LedgerError(
                .wrongKey, operation, subject: path,
                cause: "it is signed by \(verifier), not by the key given; use the key it was begun with")
        }
        return Ledger(
            path: path, verifier: verifier, queue: queue, signer: signer, countsCommits: countsCommits)
    }

    /// Refuses files that SQLite must not open, since others may have written to the folder.
    ///
    /// SQLite writes to any file that has the name of the database or of its journal. It rolls back a journal and
    /// removes the file that the journal names as its super-journal (sqlite.org/fileformat2.html, "The Rollback
    /// Journal").
    static func requireFile(_ path: String, _ operation: String) throws(LedgerError) {
        do {
            guard try fileStatus(path) != nil else {
                throw LedgerError(.notFound, operation, subject: path, cause: "there is no such file")
            }
            for name in [path, path + "-journal"] {
                guard let status = try fileStatus(name) else { continue }
                guard status.kind == .regular, status.links == 1 else {
                    let kind = status.kind == .regular ? "second name of another file" : status.kind.rawValue
                    throw StorageError(
                        .wrongKind, "open", name, errno: 0,
                        cause: "it is a \(kind), which no ledger is; move it away, and look who put it there")
                }
            }
            for ending in ["-wal", "-shm"] where try fileStatus(path + ending) != nil {
                throw StorageError(
                    .wrongKind, "open", path + ending, errno: 0,
                    cause: "no ledger has such a file; move it away, and look who put it there")
            }
            if try fileStatus(path + "-journal").map({ $0.size > 8 }) == true {
                let journal = try FileDescriptor.openRegular(path + "-journal")
                var end: [UInt8] = []
                try journal.read(upTo: 8, at: journal.status().size - 8, into: &end)
                if end == [0xD9, 0xD5, 0x05, 0xF9, 0x20, 0xA1, 0x63, 0xD7] {
                    throw StorageError(
                        .wrongKind, "open", path + "-journal", errno: 0,
                        cause: "it names a super-journal, which no ledger has; move it away, and look who put it there")
                }
            }
        } catch let error as StorageError {
            throw LedgerError(.io, operation, subject: path, cause: error.description)
        } catch let error as LedgerError {
            throw error
        } catch {
            throw LedgerError(.io, operation, subject: path, cause: "\(error)")
        }
    }

    /// A connection that syncs every commit (`synchronous=FULL`) and uses a rollback journal rather than WAL: SQLite's
    /// WAL-reset bug could lose a commit (sqlite.org/wal.html).
    static func connect(_ path: String, _ operation: String, readonly: Bool) throws(LedgerError) -> DatabaseQueue {
        guard GuardedFiles.isInstalled else {
            throw LedgerError(.io, operation, subject: path, cause: "sqlite takes no other file functions than its own")
        }
        do {
            return try connect(path, readonly: readonly)
        } catch {
            throw LedgerError(error, operation, path)
        }
    }

    /// The same, with SQLite's own error.
    static func connect(_ path: String, readonly: Bool) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.readonly = readonly
        configuration.busyMode = .timeout(30)
        configuration.label = "ledger"
        configuration.prepareDatabase { db in
            try db.execute(sql: "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON")
            if readonly { return }
            // Half a megabyte of page cache: a commit touches few pages, and a daemon's memory should not grow with the
            // ledger.
            try db.execute(sql: "PRAGMA cache_size=-512")
            try db.execute(sql: "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON")
            let mode = try String.fetchOne(db, sql: "PRAGMA journal_mode=TRUNCATE")
            guard mode == "truncate" else {
                throw DatabaseError(resultCode: .SQLITE_MISUSE, message: "journal mode truncate was refused")
            }
        }
        return try DatabaseQueue(path: path, configuration: configuration)
    }

    /// One immediate transaction: all changes of `body`, or none.
    func write<T>(_ operation: String, _ body: (Database) throws -> T) throws(LedgerError) -> T {
        do {
            return try queue.writeWithoutTransaction { db in
                var result: T?
                try db.inTransaction(.immediate) {
                    try requireSchema(db)
                    result = try body(db)
                    return .commit
                }
                guard let result else { preconditionFailure("a committed transaction has a result") }
                return result
            }
        } catch {
            throw LedgerError(error, operation, path)
        }
    }

    /// One read transaction; it must be short, since every commit waits for it.
    func read<T>(_ operation: String, _ body: (Database) throws -> T) throws(LedgerError) -> T {
        try Self.access(queue, at: path, to: operation) { db in
            try requireSchema(db)
            return try body(db)
        }
    }

    /// Refuses tables other than the built-in ones: a trigger could undo the writes of a commit, and a view can return
    /// anything. The comparison is repeated if SQLite's schema version changes.
    private func requireSchema(_ db: Database) throws {
        let version = try db.first("PRAGMA schema_version") { $0.integer(0) }
        if let version, soundSchema.withLock({ $0 == version }) { return }
        // A ledger that is being created has no tables yet.
        if try db.first("SELECT count(*) FROM sqlite_schema", [], { $0.integer(0) }) == 0 { return }
        if let first = try SchemaCheck.differences(db).first {
            throw LedgerError(
                .damaged, "use ledger", subject: path,
                cause: "its tables are not a ledger's: \(first); run sluice lineage verify")
        }
        soundSchema.withLock { $0 = version }
    }

    /// One read transaction on a connection whose tables have not been compared yet.
    private static func access<T>(
        _ queue: DatabaseQueue, at path: String, to operation: String, _ body: (Database) throws -> T
    ) throws(LedgerError) -> T {
        do {
            return try queue.read(body)
        } catch {
            throw LedgerError(error, operation, path)
        }
    }
}
