import Cryptography
package import Lineage
import Storage
import Tabular

/// Makes a store from a backup.
extension Backup {
    /// The trust anchors of a restore, which come from outside the backup.
    package struct Trust: Sendable {
        /// The key that must have signed the ledger; never one that the backup itself names.
        package var key: VerifierKey
        /// Whether unsigned configuration and contracts are taken over, for backups of versions that did not sign them.
        package var acceptsUnsignedSettings = false

        /// Trusts the given key, and signed settings only.
        package init(_ key: VerifierKey) { self.key = key }
    }

    /// Refuses a folder without the mark, which is written last.
    package static func requireWhole(_ backup: String) throws(IngestionError) {
        guard exists(backup) else {
            throw IngestionError(.noInput, "\(backup): there is no such folder; check the path")
        }
        guard exists(join(backup, markName)) else {
            throw IngestionError(
                .noInput,
                "\(backup) is incomplete, or no backup: it has no \(markName), which is written last; choose another")
        }
    }

    /// Makes a store in an empty folder from a backup, which stays unchanged.
    ///
    /// The copy is verified, not the original: checkpoints against the key, the tree, each file's digest, the signed
    /// settings.
    ///
    /// - Parameters:
    ///   - backup: the backup's folder.
    ///   - target: an empty or new folder.
    ///   - trust: the key and what else is trusted.
    /// - Throws: `damaged` at the first thing that does not hold; the target is left empty.
    package static func restore(_ backup: String, to target: String, _ trust: Trust) throws(IngestionError) -> Result {
        try requireWhole(backup)
        try requireEmpty(target)
        try Store.makeFolders(in: target)
        do throws(IngestionError) { return try fill(target, from: backup, trust) } catch {
            clear(target)
            throw error
        }
    }

    static func fill(
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
                "\(backup): its ledger is not what \(trust.key.name) signed: \(counted(verified.damage.count, "finding")), the first: "
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
        result.keys = try restoreSettings(of: backup, state: state, trust: trust, with: &copier)
        try copier.sync()
        return result
    }

    /// Copies every recorded file with its receipt. A missing receipt is written anew, since the log proves the file.
    static func copyFiles(
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
            // Checked before copying: a planted file may be as large as the disk.
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

    /// Copies a file's receipt. One that is missing or invalid is written anew, since the log proves the file.
    ///
    /// - Parameters:
    ///   - receipt: the receipt's path.
    ///   - recorded: the file that it is of.
    ///   - log: the proven record.
    ///   - copier: copies into the target.
    /// - Returns: whether it was valid or not there.
    @discardableResult
    static func copyReceipt(
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

    /// Copies exactly the configuration, contracts and keys that the signed note names.
    ///
    /// - Parameters:
    ///   - backup: the backup's folder.
    ///   - state: the proven state, which knows the keys.
    ///   - trust: the key and what else is trusted.
    ///   - copier: copies into the target.
    /// - Returns: the number of keys.
    static func restoreSettings(
        of backup: String, state: ProvenState, trust: Trust, with copier: inout FileCopier
    ) throws(IngestionError) -> Int {
        let source = copier.source
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
            // Versions that record keys also sign the settings, so a missing note was removed.
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
        // The configuration last, since a folder with it is a store.
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

    /// The place of a setting: the configuration, or a file directly in `schemas` or `keys`; nil for any other.
    static func settingsPath(_ text: String) -> RelativePath? {
        guard let path = RelativePath(text) else { return nil }
        if text == Store.configurationName { return path }
        return path.names.count == 2 && ["schemas", "keys"].contains(path.names[0].description) ? path : nil
    }

    static func unsignedSettings(_ source: OpenFolder) throws(IngestionError) -> [String: String] {
        var found = [Store.configurationName: ""]
        for path in try settings(in: source, withKeys: true) { found[path.text] = "" }
        return found
    }

    /// Empties a folder that was empty before.
    static func clear(_ target: String) {
        guard let root = try? OpenFolder(target), let names = try? root.names() else { return }
        for name in names {
            if (try? root.status(of: name))??.kind == .folder {
                try? root.removeTree(name)
            } else {
                try? root.remove(name)
            }
        }
    }
}
