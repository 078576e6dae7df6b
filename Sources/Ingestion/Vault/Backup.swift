import Cryptography
import Lineage
import Sealing
import Storage
import Tabular

/// A self-contained copy of a store: configuration, contracts, the record as of one moment, and every file that it
/// names. Keys are copied only on request, since the copy can be read with them.
package struct Backup: Sendable {
    /// The contents of a copy.
    package struct Result: Sendable {
        /// Number of ledger entries.
        package var entries = 0
        /// Number of sealed files and receipts, and how many of them are reflinks that share disk blocks with the
        /// store.
        package var files = 0, shared = 0
        /// Number of key files.
        package var keys = 0
    }

    /// The file that marks a backup as complete; it is written last.
    package static let markName = "backup.json"
    /// Digests of configuration, contracts and keys, signed by the ledger's key.
    static let noteName = "backup.note"
    /// The first line of the signed note; `restore` refuses another version.
    static let noteHead = "sluice backup v2"

    /// Copies a store that may be written to meanwhile.
    ///
    /// The record is copied first, by SQLite's backup API in one read transaction, and so is the state of one moment.
    /// The files that it names do not change meanwhile, since commands that change or remove published files wait; later
    /// ones are not part of the copy. Delivered files without an outcome stay behind: they are not yet the store's data.
    ///
    /// - Parameters:
    ///   - recorder: the open store.
    ///   - target: an empty or new folder.
    ///   - withKeys: whether keys are copied too.
    /// - Returns: the contents of the copy.
    /// - Throws: `damaged` when the record or a file does not hold: an unusable backup must not look like one.
    package static func make(
        of recorder: Recorder, in target: String, withKeys: Bool
    ) async throws(IngestionError) -> Result {
        let store = recorder.store
        if withKeys { try requireOwnKeys(store) }
        try requireEmpty(target)
        let lock = try recorder.lockMaintenance(isShared: true)
        // What a removal left unfinished is finished first.
        _ = try recorder.recover()
        var result = Result()
        try Store.makeFolders(in: target)
        let ledgerPath = join(target, "ledger.sqlite")
        let head = try recording { () throws(LedgerError) in try recorder.ledger.backUp(to: ledgerPath) }
        result.entries = head.size
        // A copy that `restore` would refuse is not made.
        let verified = try recording { () throws(LedgerError) in
            try Ledger.verify(path: ledgerPath, key: recorder.ledger.verifier)
        }
        if let first = verified.damage.first {
            throw IngestionError(
                .damaged,
                "\(store.ledgerPath): \(counted(verified.damage.count, "finding")), the first: \(first.description); see: "
                    + "sluice lineage verify")
        }
        let copy = try recording { () throws(LedgerError) in try Ledger.openReadonly(path: ledgerPath) }
        let log = ProvenLog(copy, key: recorder.ledger.verifier)
        let root = try storing { () throws(StorageError) in try OpenFolder(target) }
        var places = RecordedPlaces()
        try places.catchUp(copy)
        var copier = FileCopier(from: store.files, to: root)
        let state = try store.proven().state
        for (path, recorded) in places.files.sorted(by: { $0.key.text < $1.key.text }) {
            if recorded.isExcluded(state), try await isLost(path, recorded, in: store) { continue }
            try await awaitFile(path, of: recorded.batch, in: store)
            guard try copier.copy(path) == recorded.digest else {
                throw IngestionError(
                    .damaged,
                    "\(join(store.root, path.text)): it is not the file the ledger records; see: sluice doctor")
            }
            if let receipt = path.with(ending: ".tlog-proof") { try copyReceipt(receipt, of: recorded, log, &copier) }
        }
        let settings = try copySettings(of: store, withKeys: withKeys, &copier)
        try copier.sync()
        (result.files, result.shared) = (copier.count - settings.count, copier.shared)
        result.keys = settings.keys.count { $0.hasPrefix("keys/") }
        let mark = JSONValue.object([
            "format": .string("sluice-backup-v2"), "time": .string(Clock.text()),
            "origin": .string(recorder.ledger.origin), "entries": .integer(Int64(result.entries)),
            "root": .string(base64(head.root)), "files": .integer(Int64(result.files)), "keys": .bool(withKeys),
            "settings": .object(settings.mapValues { .string($0) }),
        ])
        try sign(mark, store, in: root)
        _ = consume lock
        return result
    }

    /// Writes the signed note, then the mark.
    static func sign(_ mark: JSONValue, _ store: Store, in root: OpenFolder) throws(IngestionError) {
        let text = "\(noteHead)\n\(String(decoding: mark.canonicalBytes(), as: UTF8.self))\n"
        let (key, note): (SigningKey, String)
        key = try store.signingKey()
        do throws(CryptographyError) {
            note = try SignedNote.sign(text, name: store.configuration.origin, key: key)
        } catch { throw IngestionError(.software, error.description) }
        try storing { () throws(StorageError) in
            try root.writeDurably(Array(note.utf8).span, at: RelativePath(Store.name(noteName)))
            try root.writeDurably(
                Array((mark.text(pretty: true) + "\n").utf8).span, at: RelativePath(Store.name(markName)))
        }
    }

    // MARK: Both

    /// Refuses a target that is not an empty folder.
    static func requireEmpty(_ target: String) throws(IngestionError) {
        let isTaken = try storing { () throws(StorageError) in
            if try fileStatus(target) == nil { return false }
            return try !listFolder(target).isEmpty
        }
        if isTaken { throw IngestionError(.cannotCreate, "\(target) is not empty; choose a new folder") }
    }

    /// Whether a file is missing or changed that nothing depends on, since its batch is excluded. It is left out of the
    /// copy.
    static func isLost(
        _ path: RelativePath, _ recorded: RecordedPlaces.Recorded, in store: Store
    ) async throws(IngestionError) -> Bool {
        guard (try? store.files.status(at: path))??.kind == .regular else { return true }
        return try storing { () throws(StorageError) in
            try sha256(of: store.files.openRegular(at: path)) != recorded.digest
        }
    }

    /// Waits for a committed file that another process is just moving into place.
    ///
    /// - Parameters:
    ///   - path: the file's place.
    ///   - batch: the batch that it belongs to.
    ///   - store: the store.
    static func awaitFile(_ path: RelativePath, of batch: String, in store: Store) async throws(IngestionError) {
        for _ in 0..<300 {
            if store.files.exists(at: path) { return }
            guard try store.isPublishing(batch) else { break }
            try? await Task.sleep(for: .milliseconds(100))
        }
        if store.files.exists(at: path) { return }
        throw IngestionError(
            .damaged, "\(join(store.root, path.text)): the ledger records it, but it is missing; see: sluice doctor")
    }

    /// Refuses a backup with keys that would lack some.
    private static func requireOwnKeys(_ store: Store) throws(IngestionError) {
        for kind in KeyKind.ofStore {
            for name in try store.keyNames(kind)
            where !exists(join(store.keysFolder, "\(name).\(kind.rawValue)")) {
                throw IngestionError(
                    .notPermitted,
                    "--with-keys: \(name).\(kind.rawValue) is a credential of systemd, and would not be in the backup; make one without "
                        + "keys, and beside it: sluice keys export FILE --recipient NAME")
            }
        }
    }

    /// Paths of the contracts and, on request, of the keys.
    static func settings(in root: OpenFolder, withKeys: Bool) throws(IngestionError) -> [RelativePath] {
        var found: [RelativePath] = []
        try storing { () throws(StorageError) in
            for folder in (withKeys ? ["schemas", "keys"] : ["schemas"]).map({ RelativePath(Store.name($0)) })
            where root.exists(at: folder) {
                for name in try root.folder(at: folder).names() {
                    let path = folder.appending(name)
                    if try root.status(at: path)?.kind == .regular { found.append(path) }
                }
            }
        }
        return found
    }

    /// Copies configuration, contracts and, on request, keys.
    ///
    /// - Parameters:
    ///   - store: the store.
    ///   - withKeys: whether keys are copied.
    ///   - copier: copies into the target.
    /// - Returns: SHA-256 of each copy by its path, hexadecimal.
    static func copySettings(
        of store: Store, withKeys: Bool, _ copier: inout FileCopier
    ) throws(IngestionError) -> [String: String] {
        var made: [String: String] = [:]
        for path in try settings(in: store.files, withKeys: withKeys) { made[path.text] = try copier.copy(path) }
        // Last, since a folder with a configuration is a store.
        made[Store.configurationName] = try copier.copy(RelativePath(Store.name(Store.configurationName)))
        return made
    }
}
