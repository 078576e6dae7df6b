import Cryptography
import Lineage
import Storage
import Tabular

/// A copy of a store that stands by itself: configuration, contracts, the record as of one moment, and every file that it
/// names. Keys only when they are asked for: whoever has both has the data.
package struct Backup: Sendable {
    /// What was put into the copy.
    package struct Result: Sendable {
        /// Ledger entries in the copy.
        package var entries = 0
        /// Sealed files and receipts, and how many of them share the disk's blocks with the store until one of the two changes.
        package var files = 0, shared = 0
        /// Key files.
        package var keys = 0
    }

    /// The name of the file in a backup that says it is whole; written last.
    package static let markName = "backup.json"
    /// The same, signed by the ledger's key: what configuration, contracts and keys were.
    static let noteName = "backup.note"
    static let noteHead = "sluice backup v2"

    /// Copies a store while it may be written to.
    ///
    /// The record is copied first, by SQLite's backup API, in one read transaction: it is the state of one moment. Files
    /// that it names never change and are never removed, so whatever is published meanwhile is simply not part of it.
    /// Delivered files that have no outcome yet stay in the store: they are not the store's data yet.
    package static func make(
        of recorder: Recorder, in target: String, withKeys: Bool
    ) async throws(IngestionError) -> Result {
        let store = recorder.store
        try requireEmpty(target)
        var result = Result()
        try Store.makeFolders(in: target)
        let ledgerPath = join(target, "ledger.sqlite")
        let head = try recording { () throws(LedgerError) in try recorder.ledger.backUp(to: ledgerPath) }
        result.entries = head.size
        // A backup that restore would refuse must not look like one.
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
        return result
    }

    /// Writes the mark, and before it the same under a signature.
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

    static func requireEmpty(_ target: String) throws(IngestionError) {
        let isTaken = try storing { () throws(StorageError) in
            if try fileStatus(target) == nil { return false }
            return try !listFolder(target).isEmpty
        }
        if isTaken { throw IngestionError(.cannotCreate, "\(target) is not empty; choose a new folder") }
    }

    /// Whether a file that nothing rests on any more is missing or changed: it is no part of the copy.
    static func isLost(
        _ path: RelativePath, _ recorded: RecordedPlaces.Recorded, in store: Store
    ) async throws(IngestionError) -> Bool {
        guard (try? store.files.status(at: path))??.kind == .regular else { return true }
        return try storing { () throws(StorageError) in
            try sha256(of: store.files.openRegular(at: path)) != recorded.digest
        }
    }

    /// Waits for a file that was committed and is just being moved into place by another process.
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

    /// Contracts and, if asked for, keys.
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

    /// Copies configuration, contracts and, if asked for, keys; gives the digest of each by its path.
    static func copySettings(
        of store: Store, withKeys: Bool, _ copier: inout FileCopier
    ) throws(IngestionError) -> [String: String] {
        var made: [String: String] = [:]
        for path in try settings(in: store.files, withKeys: withKeys) { made[path.text] = try copier.copy(path) }
        // Last: a folder with it is a store.
        made[Store.configurationName] = try copier.copy(RelativePath(Store.name(Store.configurationName)))
        return made
    }
}
