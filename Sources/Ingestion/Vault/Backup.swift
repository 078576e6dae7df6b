import Cryptography
package import Lineage
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
    private static let noteHead = "sluice backup v2"

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
                "\(store.ledgerPath): \(verified.damage.count) finding(s), the first: \(first.description); see: "
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
    private static func sign(_ mark: JSONValue, _ store: Store, in root: OpenFolder) throws(IngestionError) {
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

    // MARK: Restoring

    /// What a restorer knows beside the backup.
    package struct Trust: Sendable {
        /// The key that must have signed the ledger: never one that the backup itself names.
        package var key: VerifierKey
        /// Whether configuration and contracts may be taken over although nobody signed them: those of backups before they were.
        package var acceptsUnsignedSettings = false

        /// Trusts what a key signed.
        package init(_ key: VerifierKey) { self.key = key }
    }

    /// Refuses a folder that has no mark, which is written last.
    package static func requireWhole(_ backup: String) throws(IngestionError) {
        guard exists(join(backup, markName)) else {
            throw IngestionError(
                .noInput, "\(backup) is incomplete: it has no \(markName), which is written last; choose another")
        }
    }

    /// Makes a store of a backup in an empty folder. The backup stays.
    ///
    /// Everything is verified as it is copied, and what is verified is the copy: the ledger's checkpoints against the key, the tree, each
    /// file's digest, the signed settings. Throws `damaged` at the first thing that is wrong, and leaves the folder empty.
    package static func restore(_ backup: String, to target: String, _ trust: Trust) throws(IngestionError) -> Result {
        try requireWhole(backup)
        try requireEmpty(target)
        try Store.makeFolders(in: target)
        do throws(IngestionError) { return try fill(target, from: backup, trust) } catch {
            clear(target)
            throw error
        }
    }

    private static func fill(
        _ target: String, from backup: String, _ trust: Trust
    ) throws(IngestionError) -> Result {
        let (source, root) = try storing { () throws(StorageError) in (try OpenFolder(backup), try OpenFolder(target)) }
        var copier = FileCopier(from: source, to: root)
        _ = try copier.copy(RelativePath(Store.name("ledger.sqlite")))
        let ledgerPath = join(target, "ledger.sqlite")
        let verified = try recording { () throws(LedgerError) in try Ledger.verify(path: ledgerPath, key: trust.key) }
        if let first = verified.damage.first {
            throw IngestionError(
                .damaged,
                "\(backup): its ledger is not what \(trust.key.name) signed: \(verified.damage.count) finding(s), the first: "
                    + "\(first.description); nothing was restored")
        }
        try recording { () throws(LedgerError) in try Ledger.rebuildWorkingState(path: ledgerPath) }
        let ledger = try recording { () throws(LedgerError) in try Ledger.openReadonly(path: ledgerPath) }
        let log = ProvenLog(ledger, key: trust.key)
        let state = try recording { () throws(LedgerError) in try log.state() }
        var result = Result()
        result.entries = verified.rows
        try copyFiles(log, backup, &copier)
        result.files = copier.count - 1
        result.shared = copier.shared
        result.keys = try restoreSettings(of: backup, source, state, trust, &copier)
        try copier.sync()
        return result
    }

    /// Copies every recorded file and its receipt; a receipt that is missing is written anew, since the log proves it.
    private static func copyFiles(
        _ log: ProvenLog, _ backup: String, _ copier: inout FileCopier
    ) throws(IngestionError) {
        var places = RecordedPlaces()
        try places.catchUp(log.ledger)
        if let strange = places.strange.first {
            throw IngestionError(
                .damaged, "\(backup): entry \(strange) records a file with an invalid path; nothing was restored")
        }
        let state = try recording { () throws(LedgerError) in try log.state() }
        for (path, recorded) in places.files.sorted(by: { $0.key.text < $1.key.text }) {
            let status: FileStatus?
            do throws(StorageError) { status = try copier.source.status(at: path) } catch {
                throw IngestionError(.damaged, "\(backup): \(error.description); nothing was restored")
            }
            if status == nil, recorded.isExcluded(state) { continue }
            // Looked at before it is copied: it may be as large as the disk.
            if let status, status.kind != .regular || recorded.bytes.map({ $0 != status.size }) ?? false {
                throw IngestionError(
                    .damaged, "\(backup)/\(path): it is not the file that the ledger records; nothing was restored")
            }
            guard status != nil else {
                throw IngestionError(
                    .damaged, "\(backup)/\(path): the ledger records it, but it is missing; nothing was restored")
            }
            guard try copier.copy(path) == recorded.digest else {
                throw IngestionError(
                    .damaged, "\(backup)/\(path): it is not the file that the ledger records; nothing was restored")
            }
            guard let receipt = path.with(ending: ".tlog-proof") else { continue }
            guard try copyReceipt(receipt, of: recorded, log, &copier) else {
                throw IngestionError(
                    .damaged, "\(backup)/\(receipt): the receipt does not prove its file; nothing was restored")
            }
        }
    }

    /// Copies a file's receipt. One that is missing, or proves nothing, is written anew, since the log proves the file.
    ///
    /// - Returns: whether it was what it should be, or not there.
    @discardableResult
    private static func copyReceipt(
        _ receipt: RelativePath, of recorded: RecordedPlaces.Recorded, _ log: ProvenLog, _ copier: inout FileCopier
    ) throws(IngestionError) -> Bool {
        let isThere = copier.source.exists(at: receipt)
        if isThere {
            let text = try storing { () throws(StorageError) in
                try copier.source.openRegular(at: receipt).readAll(max: 1 << 20)
            }
            if let proof = try Ingestion.receipt(text, of: recorded, in: log),
                try recording({ () throws(LedgerError) in try log.ledger.holds(checkpoint: proof.note) })
            {
                _ = try copier.copy(receipt)
                return true
            }
        }
        let proof = try recording { () throws(LedgerError) in try log.ledger.proof(of: recorded.sequence) }
        try storing { () throws(StorageError) in
            if let proof { try copier.target.writeDurably(proof.text.span, at: receipt) }
        }
        return !isThere
    }

    /// Copies configuration, contracts and keys: exactly those that the signed note names.
    private static func restoreSettings(
        of backup: String, _ source: OpenFolder, _ state: ProvenState, _ trust: Trust, _ copier: inout FileCopier
    ) throws(IngestionError) -> Int {
        let settings: [String: String]
        let name = RelativePath(Store.name(noteName))
        if source.exists(at: name) {
            let bytes = try storing { () throws(StorageError) in try source.openRegular(at: name).readAll(max: 1 << 24)
            }
            let lines = SignedNote.open(bytes, key: trust.key)?.split(separator: "\n").map(String.init) ?? []
            guard lines.count == 2, lines[0] == noteHead, let mark = try? JSONValue.parse(Array(lines[1].utf8)),
                mark["origin"]?.text == trust.key.name, let listed = mark["settings"]?.members
            else {
                throw IngestionError(
                    .damaged, "\(backup)/\(noteName): it is not signed by \(trust.key.name); nothing was restored")
            }
            guard mark["entries"]?.whole == Int64(state.size), mark["root"]?.text == base64(state.root) else {
                throw IngestionError(
                    .damaged, "\(backup)/\(noteName): it belongs to another state of the ledger; nothing was restored")
            }
            settings = listed.compactMapValues(\.text)
        } else if trust.acceptsUnsignedSettings, state.keys.isEmpty {
            // A version that records keys signs the settings of its backups: without the note somebody took it away.
            settings = try unsignedSettings(source)
        } else {
            throw IngestionError(
                .damaged,
                "\(backup): it has no \(noteName), so nobody signed its configuration, contracts and keys; nothing was restored. "
                    + (state.keys.isEmpty
                        ? "An earlier version made it: review them, and add --unsigned-settings"
                        : "This version signs them, so somebody removed the note: use another backup"))
        }
        var keys = 0
        // The configuration comes last: a folder with it is a store.
        for (text, digest) in settings.sorted(by: {
            ($0.key == Store.configurationName ? 1 : 0, $0.key) < ($1.key == Store.configurationName ? 1 : 0, $1.key)
        }) {
            guard let path = settingsPath(text) else {
                throw IngestionError(
                    .damaged, "\(backup)/\(noteName): it names a setting with an invalid path; nothing was restored")
            }
            let copied = try copier.copy(path)
            if !digest.isEmpty, copied != digest {
                throw IngestionError(
                    .damaged, "\(backup)/\(path): it is not the file that was backed up; nothing was restored")
            }
            if text.hasPrefix("keys/") { keys += 1 }
        }
        guard settings[Store.configurationName] != nil else {
            throw IngestionError(.damaged, "\(backup): it has no \(Store.configurationName); nothing was restored")
        }
        return keys
    }

    /// A setting's place: the configuration, or a file right in `schemas` or `keys`.
    private static func settingsPath(_ text: String) -> RelativePath? {
        guard let path = RelativePath(text) else { return nil }
        if text == Store.configurationName { return path }
        return path.names.count == 2 && ["schemas", "keys"].contains(path.names[0].description) ? path : nil
    }

    private static func unsignedSettings(_ source: OpenFolder) throws(IngestionError) -> [String: String] {
        var found = [Store.configurationName: ""]
        for path in try settings(in: source, withKeys: true) { found[path.text] = "" }
        return found
    }

    /// Removes what was made in a folder that was empty.
    private static func clear(_ target: String) {
        guard let root = try? OpenFolder(target), let names = try? root.names() else { return }
        for name in names {
            if (try? root.status(of: name))??.kind == .folder {
                try? root.removeTree(name)
            } else {
                try? root.remove(name)
            }
        }
    }

    // MARK: Both

    private static func requireEmpty(_ target: String) throws(IngestionError) {
        let isTaken = try storing { () throws(StorageError) in
            if try fileStatus(target) == nil { return false }
            return try !listFolder(target).isEmpty
        }
        if isTaken { throw IngestionError(.cannotCreate, "\(target) is not empty; choose a new folder") }
    }

    /// Whether a file that nothing rests on any more is missing or changed: it is no part of the copy.
    private static func isLost(
        _ path: RelativePath, _ recorded: RecordedPlaces.Recorded, in store: Store
    ) async throws(IngestionError) -> Bool {
        guard (try? store.files.status(at: path))??.kind == .regular else { return true }
        return try storing { () throws(StorageError) in
            try sha256(of: store.files.openRegular(at: path)) != recorded.digest
        }
    }

    /// Waits for a file that was committed and is just being moved into place by another process.
    private static func awaitFile(_ path: RelativePath, of batch: String, in store: Store) async throws(IngestionError)
    {
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
    private static func settings(in root: OpenFolder, withKeys: Bool) throws(IngestionError) -> [RelativePath] {
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
    private static func copySettings(
        of store: Store, withKeys: Bool, _ copier: inout FileCopier
    ) throws(IngestionError) -> [String: String] {
        var made: [String: String] = [:]
        for path in try settings(in: store.files, withKeys: withKeys) { made[path.text] = try copier.copy(path) }
        // Last: a folder with it is a store.
        made[Store.configurationName] = try copier.copy(RelativePath(Store.name(Store.configurationName)))
        return made
    }
}

/// Copies files between two folders under the same paths.
struct FileCopier {
    let source: OpenFolder
    let target: OpenFolder
    /// Files that were copied, and those that share their blocks with the source.
    private(set) var count = 0, shared = 0
    private var folders: [RelativePath: OpenFolder] = [:]

    init(from source: OpenFolder, to target: OpenFolder) {
        self.source = source
        self.target = target
    }

    /// Copies one file; gives SHA-256 of what was written, hexadecimal.
    mutating func copy(_ path: RelativePath) throws(IngestionError) -> String {
        var hasher = SHA256()
        var isShared = false
        do throws(StorageError) {
            var folder = target
            if let above = path.folder {
                if let known = folders[above] {
                    folder = known
                } else {
                    folder = try target.folder(at: above, making: true)
                }
                folders[above] = folder
            }
            isShared = try folder.copy(source.openRegular(at: path), as: path.name) { hasher.update($0) }
        } catch { throw IngestionError(error) }
        count += 1
        shared += isShared ? 1 : 0
        return hex(hasher.finish())
    }

    /// Makes the names durable.
    func sync() throws(IngestionError) {
        try storing { () throws(StorageError) in
            for folder in folders.values { try folder.sync() }
            try target.sync()
        }
    }
}
