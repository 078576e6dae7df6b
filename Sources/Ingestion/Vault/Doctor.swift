import Cryptography
package import Lineage
import Schemas
import Sealing
import Storage
import Tabular

extension Store {
    /// Checks everything that a store needs, without changing anything.
    ///
    /// - Parameters:
    ///   - ledger: the ledger, opened for reading, or the error of opening it.
    ///   - readFiles: whether every published file is read and hashed.
    /// - Returns: the results, with remedies, in the order of the checks.
    package func examine(_ ledger: Swift.Result<Ledger, IngestionError>, readFiles: Bool) throws(IngestionError)
        -> [Diagnosis]
    {
        // Which key is used in the place of another is in the record, where that can be read.
        let informed = (try? ledger.get()).map { proving($0) }.flatMap { (try? $0.proven()) == nil ? nil : $0 }
        var found = try examineRights() + (informed ?? self).examineKeys() + examineRecipients() + examineDisk()
        switch ledger {
        case .failure(let error):
            found.append(
                Diagnosis(
                    "ledger", .bad, error.description,
                    cure: "see: sluice lineage verify; restore a backup if it is damaged"))
        case .success(let ledger):
            found += try examineLedger(ledger)
            found += try examineClaims(ledger)
            // The remaining checks compare with the record, so it must hold.
            if found.contains(where: { $0.subject == "ledger" && $0.grade == .bad }) { break }
            let proving = proving(ledger)
            found += try proving.examineRecordedKeys()
            if readFiles { found += try proving.examineFiles() }
        }
        found += examineInboxes() + examineEvents()
        return Self.namingEachKeyOnce(found)
    }

    /// A missing key is found by what needs it, and by the record of keys. What needs it is said, and the record's remedy: a key
    /// that was used cannot be made again.
    private static func namingEachKeyOnce(_ found: [Diagnosis]) -> [Diagnosis] {
        var lines: [Diagnosis] = []
        for one in found {
            guard let key = one.missingKey, let first = lines.firstIndex(where: { $0.missingKey == key }) else {
                lines.append(one)
                continue
            }
            lines[first].cure = one.cure
        }
        return lines
    }

    /// Checks that the store's folders and its ledger are there, belong to this user and are closed to others.
    private func examineRights() throws(IngestionError) -> [Diagnosis] {
        var found: [Diagnosis] = []
        let me = effectiveUser()
        for name in ["", "keys", "work", "accepted", "quarantine", "baselines", "ledger.sqlite"] {
            let path = name.isEmpty ? root : join(root, name)
            guard let status = try storing({ () throws(StorageError) in try fileStatus(path) }) else {
                found.append(
                    Diagnosis(
                        "store", .bad, "\(path) is missing",
                        cure: name == "ledger.sqlite"
                            ? "restore it from a backup" : "create it: mkdir -m 700 \(path)"))
                continue
            }
            if status.kind == .link { continue }
            if status.owner != me {
                found.append(
                    Diagnosis(
                        "rights", .risk,
                        "\(path) is owned by user \(status.owner), but this process runs as user \(me)",
                        cure: "run sluice as user \(status.owner), or give the store to user \(me) with chown"))
            }
            if status.mode & 0o077 != 0 {
                found.append(
                    Diagnosis(
                        "rights", name == "keys" ? .bad : .risk,
                        "\(path) is open to others (mode \(String(status.mode, radix: 8)))",
                        cure: "chmod go-rwx \(path)"))
            }
        }
        return found.isEmpty ? [Diagnosis("store", .well, "every folder exists, with safe owner and mode")] : found
    }

    /// Checks that every key that is needed can be read.
    private func examineKeys() throws(IngestionError) -> [Diagnosis] {
        var found: [Diagnosis] = []
        // One cause, such as the mode of the folder, stops every key: it is reported once.
        var causes: [(cause: String, stopped: [String])] = []
        var missing: [(file: String, stopped: [String])] = []
        func check(_ what: String, _ files: [String], _ body: () throws(IngestionError) -> Void) {
            for file in files where !keyFolders.has(file) {
                if let known = missing.firstIndex(where: { $0.file == file }) {
                    missing[known].stopped.append(what)
                } else {
                    missing.append((file, [what]))
                }
            }
            // A missing key is named above, with all that it stops.
            guard files.allSatisfy(keyFolders.has) else { return }
            do throws(IngestionError) { try body() } catch {
                if let known = causes.firstIndex(where: { $0.cause == error.description }) {
                    causes[known].stopped.append(what)
                } else {
                    causes.append((error.description, [what]))
                }
            }
        }
        check("signing key", ["\(configuration.signingKey).signing"]) { () throws(IngestionError) in
            _ = try signingKey()
        }
        if let name = configuration.postQuantumKey {
            check("second signing key", ["\(name).mldsa"]) { () throws(IngestionError) in _ = try postQuantumKey() }
        }
        check("store key", ["store.store"]) { () throws(IngestionError) in _ = try key(.store, "store") }
        check("recipients", recipientFiles(of: "")) { () throws(IngestionError) in _ = try recipients(of: "") }
        for dataset in configuration.datasets.keys.sorted() {
            check("recipients of \(dataset)", recipientFiles(of: dataset)) { () throws(IngestionError) in
                _ = try recipients(of: dataset)
            }
            guard configuration.datasets[dataset]?.schema != nil else { continue }
            do throws(IngestionError) {
                let loaded = try contract(of: dataset)
                let named = Set(loaded.schema.fields.compactMap { $0.pii?.key })
                for name in named.sorted() {
                    check("token key of \(dataset)", ["\(name).token"]) { () throws(IngestionError) in
                        _ = try key(.token, name)
                    }
                }
                found += loaded.warnings.map {
                    Diagnosis(
                        "contract", .risk, "\(dataset): \($0)", cure: "correct the contract, or accept what it says")
                }
            } catch {
                found.append(
                    Diagnosis("contract", .bad, "\(dataset): \(error.description)", cure: "correct the contract"))
            }
        }
        found += missing.map {
            Diagnosis(
                "keys", .bad,
                "\(join(keysFolder, $0.file)) is missing; it is needed for: \($0.stopped.joined(separator: ", "))",
                cure: "copy it back from your copy of keys/; sluice keys generate makes one that never existed",
                missingKey: $0.file)
        }
        found += causes.map {
            Diagnosis(
                "keys", .bad, "\($0.cause)",
                cure: "put it right for: \($0.stopped.joined(separator: ", ")); sluice keys check lists every key")
        }
        return found.isEmpty
            ? [Diagnosis("keys", .well, "every needed key is present and readable by its owner only")] : found
    }

    /// Checks every key that a sealed file or a column of tokens still needs: that it exists, is the recorded one, and
    /// opens the newest file.
    package func examineRecordedKeys() throws(IngestionError) -> [Diagnosis] {
        let (log, state) = try proven()
        let missing = try missingKeys()
        var found = missing.map {
            Diagnosis(
                "keys", .bad,
                "\(join(keysFolder, $0.file)) is missing, and sealed data needs it",
                cure: "copy it back from your copy of keys/ (fingerprint \($0.fingerprint)): it cannot be made again",
                missingKey: $0.file)
        }
        for key in try presentKeys() {
            do throws(IngestionError) { try requireRecorded(key) } catch {
                found.append(
                    Diagnosis(
                        "keys", .bad, error.description, cure: "restore the recorded key from your backup of keys/"))
            }
        }
        for name in try keyNames(.kek) where state.shredded[name] != nil {
            found.append(
                Diagnosis(
                    "keys", .bad, "keys/\(name).kek was to be destroyed, and is there",
                    cure:
                        "destroy it with: sluice keys shred \(name) --reason TEXT; a restored backup of keys/ brings it back"
                ))
        }
        for (name, uses) in state.uses.sorted(by: { $0.key < $1.key })
        where uses >= Self.wrapsMax / 2 && state.keys[ProvenState.KeyName(kind: "kek", name: name)] != nil {
            found.append(
                Diagnosis(
                    "keys", .risk, "keys/\(name).kek has sealed \(uses) files, and is refused from 2^32 on",
                    cure: "replace it: sluice keys rotate \(name)"))
        }
        let needs = try neededKeys(log)
        let ofStore = KeyKind.ofStore.map(\.rawValue)
        let elsewhere = Set(state.keys.keys.filter { !ofStore.contains($0.kind) }.map(\.name))
        for (name, file) in needs.wrapping.sorted(by: { $0.key < $1.key }) where !elsewhere.contains(name) {
            if state.keys[ProvenState.KeyName(kind: "kek", name: name)] == nil, isElsewhere(name) { continue }
            guard let key = try? keyFolders.read(.kek, name) else {
                if state.keys[ProvenState.KeyName(kind: "kek", name: name)] == nil {
                    found.append(
                        Diagnosis(
                            "keys", .bad, "keys/\(name).kek is missing, but \(file.path) is encrypted for it",
                            cure: "copy it back from your backup of keys/"))
                }
                continue
            }
            guard let opened = try? openRecorded(file) else { continue }
            do throws(SealingError) {
                _ = try MessageReader(.file(opened), keys: KeyRing([AESWrappingKey(name: name, key: key)]))
            } catch {
                found.append(
                    Diagnosis(
                        "keys", .bad,
                        "keys/\(name).kek does not open \(file.path), which is encrypted for a key of that name",
                        cure: "the key was replaced: copy the original back from your backup of keys/"))
            }
        }
        let tokens = try Set(
            keyNames(.token).compactMap { try? keyFolders.read(.token, $0).fingerprint(name: $0) })
        for (fingerprint, batch) in needs.tokens.sorted(by: { $0.key < $1.key })
        where !tokens.contains(fingerprint) && !missing.contains(where: { $0.fingerprint == fingerprint }) {
            found.append(
                Diagnosis(
                    "keys", .bad,
                    "batch \(batch) has tokens made with the key of fingerprint \(fingerprint), which is not in keys/",
                    cure: "copy it back from your backup of keys/: tokens made with another key do not match these"))
        }
        return found
    }

    /// The files in `keys/` that sealing for a dataset needs; the store's own recipients for a dataset without any.
    package func recipientFiles(of dataset: String) -> [String] {
        (configuration.datasets[dataset]?.recipients ?? configuration.recipients).compactMap {
            $0.kind == .kek ? "\((try? newestKey($0.name)) ?? $0.name).kek" : nil
        }
    }

    /// Warns of datasets that are sealed only for keys which this store cannot use.
    private func examineRecipients() -> [Diagnosis] {
        var closed = configuration.datasets.keys.sorted().filter { !canOpen($0) }.map { "dataset \($0)" }
        if configuration.datasets.isEmpty, !configuration.recipients.contains(where: \.opensHere) {
            closed = ["the store"]
        }
        return closed.map {
            Diagnosis(
                "keys", .risk,
                "every recipient of \($0) has its key elsewhere: this store cannot compare later batches with earlier ones, and cannot "
                    + "release or erase rows",
                cure: "if that is not intended, add a recipient kek: NAME to \(Self.configurationName)")
        }
    }

    /// Whether the key of a recipient is kept elsewhere.
    private func isElsewhere(_ name: String) -> Bool {
        configuration.allRecipients.contains { $0.name == name && $0.kind != .kek }
    }

    /// By wrapping key the newest file that is there and sealed for it, and by token key the newest batch with its
    /// tokens.
    private func neededKeys(
        _ log: ProvenLog
    ) throws(IngestionError) -> (wrapping: [String: PublishedFile], tokens: [String: String]) {
        var (wrapping, tokens): ([String: PublishedFile], [String: String]) = ([:], [:])
        for kind in [LedgerEvent.shardPublished, .batchJudged].map(\.rawValue) {
            var next = 0
            while true {
                let from = next
                let entries = try recording { () throws(LedgerError) in
                    try log.ledger.unindexedEntries(kind: kind, from: from, limit: 1000)
                }
                guard let last = entries.last else { break }
                next = last.sequence + 1
                for entry in entries {
                    for file in entry.files {
                        guard
                            case .present(let now) = try recording({ () throws(LedgerError) in
                                try log.standing(of: file)
                            })
                        else { continue }
                        for name in now.recipients { wrapping[name] = now }
                    }
                    for mask in (entry.body["columns"]?.items ?? []).flatMap({ $0["masks"]?.items ?? [] }) {
                        if let key = mask["key"]?.text { tokens[key] = entry.body["batch"]?.text ?? "" }
                    }
                }
            }
        }
        return (wrapping, tokens)
    }

    /// Checks the free space on the store's disk.
    private func examineDisk() throws(IngestionError) -> [Diagnosis] {
        let free = try storing { () throws(StorageError) in try freeSpace(root) }
        let text = "\(free >> 20) MiB free"
        if free < 64 << 20 {
            return [Diagnosis("disk", .bad, text, cure: "free space now: on a full disk nothing can be recorded")]
        }
        if free < 1 << 30 {
            return [Diagnosis("disk", .risk, text, cure: "free space soon: ingesting a file takes twice its size")]
        }
        return [Diagnosis("disk", .well, text)]
    }

    /// Checks the ledger: its signature, the tree, and that its clock does not lie in the future.
    private func examineLedger(_ ledger: Ledger) throws(IngestionError) -> [Diagnosis] {
        var found: [Diagnosis] = []
        let size = try recording { () throws(LedgerError) in try ledger.size() }
        let last = try recording { () throws(LedgerError) in try ledger.entry(size - 1) }
        // RFC 3339 times in UTC sort as text.
        if let time = last?.body["time"]?.text, time > Clock.text(Clock.milliseconds() + 5000) {
            found.append(
                Diagnosis(
                    "clock", .risk,
                    "the newest ledger entry is dated \(time), in the future: the clock was set back",
                    cure: "set the clock (timedatectl); the order of the entries is right, their times are not"))
        } else {
            found.append(Diagnosis("clock", .well, "no ledger entry is dated in the future"))
        }
        do throws(IngestionError) {
            // The ledger was compared with the known key when it was opened.
            let verifier = ledger.verifier
            let standing = try pinning(ledger)
            if case .unpinned(let reason) = standing {
                found.append(
                    Diagnosis(
                        "ledger", .risk, "its verifier key is not pinned outside the store: \(reason)",
                        cure: "keep the key elsewhere and verify with: sluice lineage verify --vkey \(verifier)"))
            }
            let result = try recording { () throws(LedgerError) in
                try Ledger.verify(path: ledgerPath, key: verifier)
            }
            if result.damage.isEmpty {
                found.append(Diagnosis("ledger", .well, "intact: \(result.rows) entries"))
            } else {
                found.append(
                    Diagnosis(
                        "ledger", .bad,
                        "tampered or damaged: \(counted(result.damage.count, "finding")), the first: \(result.damage[0].description)",
                        cure:
                            "someone or a failing disk changed it: keep it as evidence and restore a backup; all findings: "
                            + "sluice lineage verify"))
            }
        } catch {
            found.append(Diagnosis("ledger", .bad, error.description, cure: "see: sluice lineage verify"))
        }
        return found
    }

    /// Compares the published files with the record.
    private func examineFiles() throws(IngestionError) -> [Diagnosis] {
        let audit = try audit()
        let notes = audit.notes.map { Diagnosis("files", .risk, $0, cure: "check that the change is yours") }
        if audit.problems.isEmpty {
            return notes + [Diagnosis("files", .well, "every published file matches the ledger")]
        }
        return notes
            + audit.problems.map { line in
                Diagnosis(
                    "files", .bad, line,
                    cure: line.hasSuffix("finishes it") || line.hasSuffix("writes it")
                        ? "the next sluice ingest or watch settles it; restore it from a backup only if the doctor reports it again"
                        : line.hasSuffix("delete it")
                            ? "delete it; a restored backup brings back what was removed since"
                            : line.hasSuffix("is not recorded") || line.hasPrefix("WORK")
                                ? "do not use it as published data: move it out of the store and find out who put it there"
                                : "restore it from a backup")
            }
    }

    /// Checks leases that nobody works on.
    private func examineClaims(_ ledger: Ledger) throws(IngestionError) -> [Diagnosis] {
        var found: [Diagnosis] = []
        let claims = try recording { () throws(LedgerError) in try ledger.inflight() }
        let names = try storing { () throws(StorageError) in exists(workFolder) ? try listFolder(workFolder) : [] }
        for claim in claims {
            guard Inflight.isName(claim.claim) else {
                found.append(
                    Diagnosis(
                        "claims", .bad, "the list of batches in work has an item that is not a batch id; it is ignored",
                        cure: "someone wrote it into the database: run sluice lineage verify"))
                continue
            }
            let holder = try storing { () throws(StorageError) in
                try FileLock.holder(Self.name(claim.claim + ".lock"), in: openWork())
            }
            if holder == nil {
                found.append(
                    Diagnosis(
                        "claims", .risk,
                        "batch \(claim.claim) was left unfinished by a process that ended (\(claim.state.rawValue))",
                        cure: claim.plan == nil || claim.state == .publishing
                            ? "nothing to do: the next sluice ingest or watch finishes or undoes it"
                            : "nothing is lost: the next sluice watch ingests it"))
            }
        }
        let known = Set(claims.map(\.claim))
        for name in names {
            guard let ending = [".source", ".files", ".judged"].first(where: name.hasSuffix),
                !known.contains(String(name.dropLast(ending.count)))
            else { continue }
            found.append(
                Diagnosis(
                    "claims", .bad,
                    "\(join(workFolder, name)) is a delivered file without a claim: the ledger does not mention it",
                    cure:
                        "if you restored a backup, the file arrived after it: move it into its dataset's inbox, under the name in "
                        + "\(name.dropLast(ending.count)).name or one that ends in .csv or .jsonl"))
        }
        return found.isEmpty
            ? [Diagnosis("claims", .well, "\(counted(claims.count, "batch", "batches")) in work, none left unfinished")]
            : found
    }

    /// Checks that every inbox can be read, and every archive opened.
    private func examineInboxes() -> [Diagnosis] {
        configuration.datasets.keys.sorted().compactMap { dataset in
            guard configuration.datasets[dataset]?.schema != nil else { return nil }
            let path = inbox(of: dataset)
            guard exists(path) else {
                return Diagnosis(
                    "inboxes", .risk, "\(path) does not exist yet",
                    cure: "start sluice watch, which creates it, or mount it")
            }
            if let archive = configuration.datasets[dataset]?.archive, exists(placed(archive)),
                (try? openPlace(archive)) == nil
            {
                return Diagnosis(
                    "inboxes", .bad, "\(archive), the archive of dataset \(dataset), cannot be opened as a folder",
                    cure: "create or mount it: until then judged files wait in work/")
            }
            do throws(StorageError) {
                try openPlace(inboxPath(of: dataset)).forEachName { _ in }
                return Diagnosis("inboxes", .well, "\(path) is readable")
            } catch {
                return Diagnosis(
                    "inboxes", .bad, error.description, cure: "give this user read and write access to it")
            }
        }
    }
}
