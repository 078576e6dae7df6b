import Cryptography
import Lineage
import Sealing
import Storage
import Tabular

/// Replaces and destroys wrapping keys.
extension Recorder {
    /// Replaces a wrapping key by a new one, for which files are sealed from now on. The old one only opens what was
    /// sealed before.
    ///
    /// - Returns: the name and the fingerprint of the new key.
    /// - Throws: `usage` for a key that was never used, or was replaced before; `notPermitted` when it is missing.
    package func rotateKey(_ name: String) throws(IngestionError) -> (name: String, fingerprint: String) {
        let state = try store.proven().state
        if let next = state.rotations[name] {
            throw IngestionError(
                .usage,
                "the key \(name) was replaced by \(next) before; to replace that one: sluice keys rotate \(state.newest(name))"
            )
        }
        guard let known = state.keys[ProvenState.KeyName(kind: KeyKind.kek.rawValue, name: name)],
            state.shredded[name] == nil
        else {
            throw IngestionError(
                .usage, "the ledger has no wrapping key \(name) in use; see: sluice keys list")
        }
        // What cannot be opened could not be wrapped anew either.
        _ = try store.key(.kek, name)
        let next = try freeName(after: name, state)
        try writeKey(.kek, next)
        let made = UsedKey(.kek, next, try store.keyFolders.read(.kek, next))
        let time = Clock.text()
        try append([
            keyEntry([made], time),
            .object([
                "kind": .event(.keyRotated), "v": .integer(1), "time": .string(time), "name": .string(name),
                "fingerprint": .string(known.fingerprint), "to": .string(next),
                "to_fingerprint": .string(made.fingerprint), "uid": .integer(Int64(userNumber())),
            ]),
        ])
        return (next, made.fingerprint)
    }

    /// The name of the next key: `main-2` after `main`, `main-3` after that. A name that was ever used is passed over,
    /// and so is a file that an interrupted rotation left.
    private func freeName(after name: String, _ state: ProvenState) throws(IngestionError) -> String {
        var (stem, number) = (name, 1)
        if let dash = name.lastIndex(of: "-"), let found = Int(name[name.index(after: dash)...]),
            (2...9999).contains(found)
        {
            (stem, number) = (String(name[..<dash]), found)
        }
        while true {
            number += 1
            let next = "\(stem)-\(number)"
            let isTaken =
                state.keys[ProvenState.KeyName(kind: KeyKind.kek.rawValue, name: next)] != nil
                || store.keyFolders.has("\(next).\(KeyKind.kek.rawValue)")
            if !isTaken { return next }
        }
    }

    /// The files that a wrapping key opens.
    package struct KeyUse: Sendable, Equatable {
        /// Files that this store cannot open without it, those of them that have a recipient whose key is elsewhere, and
        /// files that another key of this store opens too.
        package fileprivate(set) var alone = 0, elsewhere = 0, shared = 0
        /// The datasets of the former.
        package fileprivate(set) var datasets = Set<String>()
    }

    /// How many present files a wrapping key opens.
    package func use(ofKey name: String) throws(IngestionError) -> KeyUse {
        let state = try store.proven().state
        let services = Set(
            store.configuration.allRecipients.filter { if case .exec = $0.kind { true } else { false } }.map(\.name))
        var use = KeyUse()
        try forEachPresentFile { now in
            guard now.recipients.contains(name), state.destruction(of: now.recipients) == nil else { return }
            let others = now.recipients.filter { $0 != name }
            if others.contains(where: { state.opens($0) || services.contains($0) }) {
                use.shared += 1
                return
            }
            use.alone += 1
            if others.contains(where: { state.shredded[$0] == nil }) { use.elsewhere += 1 }
            use.datasets.insert(now.entry.body["dataset"]?.text ?? "")
        }
        return use
    }

    /// Visits every published file that was not removed, as it is recorded now, oldest first. The table says where to look;
    /// the entries are proven.
    ///
    /// - Parameters:
    ///   - dataset: the dataset; nil for all.
    ///   - body: gets each file.
    func forEachPresentFile(
        of dataset: String? = nil, _ body: (PublishedFile) throws(IngestionError) -> Void
    ) throws(IngestionError) {
        var next = 0
        while true {
            let from = next
            let entries = try recording { () throws(LedgerError) in
                try ledger.unindexedEntries(kind: LedgerEvent.shardPublished.rawValue, from: from, limit: 1000)
            }
            guard let last = entries.last else { return }
            next = last.sequence + 1
            for entry in entries where dataset == nil || entry.body["dataset"]?.text == dataset {
                let proven = try recording { () throws(LedgerError) in try record.entry(entry.sequence) }
                for file in proven.files {
                    let standing = try recording { () throws(LedgerError) in try record.standing(of: file) }
                    if let now = standing.file { try body(now) }
                }
            }
        }
    }

    /// Destroys a wrapping key: every file that only it opens is unreadable from then on, with every copy of it. The
    /// ledger records that first. Called again, it finishes what was interrupted.
    ///
    /// - Parameters:
    ///   - name: the key.
    ///   - reason: why; the ledger records it.
    ///   - files: the number of files that become unreadable, as the caller knows it.
    /// - Returns: what it opened.
    /// - Throws: `usage` for a key that new files are sealed for, or another number of files.
    package func shredKey(_ name: String, reason: String, files: Int) throws(IngestionError) -> KeyUse {
        try requireTellable(reason)
        let lock = try lockMaintenance()
        if store.keyFolders.isCredential("\(name).\(KeyKind.kek.rawValue)") {
            throw IngestionError(
                .usage,
                "the key \(name) is a credential of systemd, which this program cannot destroy: take it out of the service, with a copy in "
                    + "\(store.keysFolder), and run the command again")
        }
        let state = try store.proven().state
        if state.shredded[name] != nil {
            try destroyKey(name)
            return KeyUse()
        }
        guard let known = state.keys[ProvenState.KeyName(kind: KeyKind.kek.rawValue, name: name)] else {
            throw IngestionError(.usage, "the ledger has no wrapping key \(name); see: sluice keys list")
        }
        let recipients = store.configuration.allRecipients.filter { $0.kind == .kek }
        if recipients.contains(where: { state.newest($0.name) == name }) {
            throw IngestionError(
                .usage,
                "new files are sealed for the key \(name): replace it first with sluice keys rotate \(name), or name another under "
                    + "recipients of \(Store.configurationName)")
        }
        let use = try use(ofKey: name)
        guard use.alone == files else {
            throw IngestionError(
                .usage,
                use.alone == 0
                    ? "--files: no file is opened by the key \(name) alone; leave --files out"
                    : "\(counted(use.alone, "file")) of \(use.datasets.sorted().joined(separator: ", ")) can be opened in this store by "
                        + "the key \(name) alone"
                        + (use.elsewhere > 0 ? " (\(use.elsewhere) of them also by keys kept elsewhere)" : "")
                        + ": wrap them for another with sluice keys rewrap --from \(name) --to NAME, or make them "
                        + "unreadable for good with --files \(use.alone)")
        }
        if use.alone > 0 { try refuseNamedBaselines(of: name) }
        try append([
            .object([
                "kind": .event(.keyShredded), "v": .integer(1), "time": .string(Clock.text()), "name": .string(name),
                "fingerprint": .string(known.fingerprint), "files": .integer(Int64(use.alone)),
                "uid": .integer(Int64(userNumber())), "reason": .string(reason),
            ])
        ])
        try destroyKey(name)
        _ = consume lock
        return use
    }

    /// Refuses to destroy a key that an anchor or a pinned baseline needs: no batch could be judged by it any more.
    private func refuseNamedBaselines(of key: String) throws(IngestionError) {
        let state = try store.proven().state
        for one in try store.namedBaselines() where one.isAnchor || one.isPinned {
            for file in try store.files(of: one) {
                let standing = try recording { () throws(LedgerError) in try record.standing(of: file) }
                guard let now = standing.file, now.recipients.contains(key),
                    !now.recipients.contains(where: { $0 != key && state.opens($0) })
                else { continue }
                throw IngestionError(
                    .usage,
                    "the baseline \(one.name) of dataset \(one.dataset) can be opened by the key \(key) alone, and batches are judged by "
                        + "it: wrap it for another with sluice keys rewrap --from \(key) --to NAME, or first: sluice baseline retire "
                        + "\(one.name) --dataset \(one.dataset) --reason TEXT")
            }
        }
    }

    private func destroyKey(_ name: String) throws(IngestionError) {
        let file = Store.name("\(name).\(KeyKind.kek.rawValue)")
        try storing { () throws(StorageError) in
            let folder = try store.files.folder(at: RelativePath(Store.name("keys")))
            guard try folder.status(of: file) != nil else { return }
            try folder.destroy(file) { count throws(StorageError) in
                do throws(CryptographyError) { return try randomBytes(count) } catch {
                    throw StorageError(.inputOutput, "overwrite", folder.path, errno: 0, cause: error.description)
                }
            }
        }
    }
}
