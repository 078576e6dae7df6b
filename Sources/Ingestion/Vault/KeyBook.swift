package import Cryptography
import Lineage
package import Sealing
import Storage
import Tabular

/// A key about to be used, by what may be recorded of it.
struct UsedKey: Sendable, Equatable {
    let name: ProvenState.KeyName
    /// A short fingerprint for people to compare.
    let fingerprint: String
    /// A 32-byte identity that only this key yields, hexadecimal.
    let identity: String

    /// A secret key of the store. The identity is an HMAC under the key, from which the key cannot be found.
    ///
    /// - Parameters:
    ///   - kind: its purpose.
    ///   - name: its name.
    ///   - key: the key.
    init(_ kind: KeyKind, _ name: String, _ key: SecretKey) {
        self.name = ProvenState.KeyName(kind: kind.rawValue, name: name)
        fingerprint = key.fingerprint(name: name)
        identity = hex(kind.identity(of: key, name: name))
    }

    /// A recipient's wrapping key.
    init(_ key: any WrappingKey) {
        name = ProvenState.KeyName(kind: key.kind, name: key.name)
        (fingerprint, identity) = (key.fingerprint, hex(key.identity))
    }

    /// What the key is to the store: its file, relative to the store, or a recipient.
    var place: String {
        KeyKind.ofStore.contains { $0.rawValue == name.kind }
            ? "keys/\(name.name).\(name.kind)" : "the key of recipient \(name.name)"
    }

    /// The key as the ledger records it.
    var document: JSONValue {
        .object([
            "kind": .string(name.kind), "name": .string(name.name), "fingerprint": .string(fingerprint),
            "identity": .string(identity),
        ])
    }
}

extension Store {
    /// Refuses a key that is not the one recorded under its name. A foreign wrapping key could open everything sealed
    /// from now on, and a foreign token key would make tokens that join nothing.
    ///
    /// - Throws: `notPermitted` when it is another key.
    func requireRecorded(_ key: UsedKey) throws(IngestionError) {
        guard let record else { return }
        let known = try recording { () throws(LedgerError) in try record.state() }.keys[key.name]
        guard let known, known.identity != key.identity else { return }
        throw IngestionError(
            .notPermitted,
            "\(key.place) is not the key that the ledger records under this name (fingerprint \(key.fingerprint) instead of "
                + "\(known.fingerprint), entry \(known.sequence)): "
                + (key.name.kind == "exec"
                    ? "have its program use that key; another one needs a new name in \(Self.configurationName)"
                    : "restore that key from your copy of keys/; a new key needs a new name"))
    }

    /// Every readable key of the key folder and every public key that `sluice.yaml` names.
    func presentKeys() throws(IngestionError) -> [UsedKey] {
        var found: [UsedKey] = []
        for kind in KeyKind.ofStore {
            // A user without access to the keys still checks the rest.
            for name in (try? keyNames(kind)) ?? [] {
                if let key = try? keyFolders.read(kind, name) { found.append(UsedKey(kind, name, key)) }
            }
        }
        for recipient in configuration.allRecipients where recipient.kind != .kek {
            if let key = try? loadKey(of: recipient) { found.append(UsedKey(key)) }
        }
        return found
    }

    /// The recipients whose keys are elsewhere: kind, name, and the fingerprint of the key, or why it cannot be read.
    package func recipientsElsewhere() -> [(kind: String, name: String, key: Swift.Result<String, IngestionError>)] {
        var found: [(kind: String, name: String, key: Swift.Result<String, IngestionError>)] = []
        for recipient in configuration.allRecipients where recipient.kind != .kek {
            if found.contains(where: { $0.name == recipient.name }) { continue }
            let key = Swift.Result { () throws(IngestionError) in try loadKey(of: recipient) }
            found.append((recipient.kind.name, recipient.name, key.map(\.fingerprint)))
        }
        return found
    }

    /// The keys among these that the record does not know.
    func unrecorded(_ keys: [UsedKey]) throws(IngestionError) -> [UsedKey] {
        guard let record else { return [] }
        let known = try recording { () throws(LedgerError) in try record.state() }.keys
        var seen = Set<ProvenState.KeyName>()
        return keys.filter { known[$0.name] == nil && seen.insert($0.name).inserted }
    }

    /// Recorded keys that are missing: the file in `keys/`, and the recorded fingerprint.
    package func missingKeys() throws(IngestionError) -> [(file: String, fingerprint: String)] {
        guard let record else { return [] }
        let state = try recording { () throws(LedgerError) in try record.state() }
        var missing: [(file: String, fingerprint: String)] = []
        for (name, key) in state.keys.sorted(by: { ($0.key.kind, $0.key.name) < ($1.key.kind, $1.key.name) }) {
            guard let kind = KeyKind.ofStore.first(where: { $0.rawValue == name.kind }),
                try !keyNames(kind).contains(name.name)
            else { continue }
            if kind == .kek, state.shredded[name.name] != nil { continue }
            missing.append(("\(name.name).\(name.kind)", key.fingerprint))
        }
        return missing
    }
}

extension Recorder {
    /// Records a key at its first use.
    ///
    /// - Throws: `notPermitted` when its name is recorded with another key.
    package func enroll(_ kind: KeyKind, _ name: String) throws(IngestionError) {
        try enroll([UsedKey(kind, name, try store.key(kind, name))])
    }

    /// Generates a key and records it.
    ///
    /// - Parameters:
    ///   - kind: its purpose.
    ///   - name: its name.
    /// - Throws: `notPermitted` when the name is, or was, that of another key.
    package func generateKey(_ kind: KeyKind, _ name: String) throws(IngestionError) -> SecretKey {
        let state = try store.proven().state
        if kind == .kek, let sequence = state.shredded[name] {
            throw IngestionError(
                .notPermitted,
                "a key \(name).kek was used here and destroyed (entry \(sequence)): a new key needs a new name")
        }
        if let known = state.keys[ProvenState.KeyName(kind: kind.rawValue, name: name)] {
            throw IngestionError(
                .notPermitted,
                "a key \(name).\(kind.rawValue) was used here before (fingerprint \(known.fingerprint), entry \(known.sequence)): if its "
                    + "file is lost, restore it from your copy of keys/; a new key needs a new name")
        }
        if kind == .kek, store.configuration.allRecipients.contains(where: { $0.name == name && $0.kind != .kek }) {
            throw IngestionError(
                .notPermitted,
                "\(Store.configurationName) has another recipient named \(name): a new key needs a new name")
        }
        try requireTellable(keyName: name)
        try writeKey(kind, name)
        let key = try store.key(kind, name)
        try enroll([UsedKey(kind, name, key)])
        return key
    }

    /// Makes a post-quantum key pair: the store gets the public half, and `privatePath` the private one. The ledger records the
    /// public half when the first file is sealed for it.
    ///
    /// - Returns: the file of the public half, relative to the store, and its fingerprint.
    /// - Throws: `usage` for an impossible name, or a private half inside the store; `notPermitted` when the name is, or was, that of
    ///   another key; `cannotCreate` when one of the files exists.
    package func generatePair(
        _ name: String, privatePath: String
    ) throws(IngestionError) -> (publicFile: String, fingerprint: String) {
        guard Configuration.isName(name) else {
            throw IngestionError(.usage, "a key's name has up to 64 letters, digits, dots, dashes and underscores")
        }
        let state = try store.proven().state
        if let known = state.keys.first(where: { $0.key.name == name }) {
            throw IngestionError(
                .notPermitted,
                "a key named \(name) was used here before (entry \(known.value.sequence)): a new key needs a new name")
        }
        try requireTellable(keyName: name)
        let ending = ".\(KeyKind.xwing.rawValue)"
        guard split(privatePath).name == name + ending else {
            throw IngestionError(.usage, "--private: the file of the private half is named \(name)\(ending)")
        }
        guard !store.isOwn(split(privatePath).folder) else {
            throw IngestionError(
                .usage,
                "--private: \(privatePath) is inside the store; whoever has the store must not have the private half")
        }
        let publicFile = "keys/\(name)\(ending).pub"
        if exists(store.placed(publicFile)) {
            throw IngestionError(.cannotCreate, "\(store.placed(publicFile)) exists; a new key needs a new name")
        }
        let fingerprint = try sealing { () throws(SealingError) in
            try XWingKeyFile.generate(
                name: name, created: Clock.text(), publicPath: store.placed(publicFile), privatePath: privatePath)
        }
        return (publicFile, fingerprint)
    }

    /// Refuses a name that the ledger must not have.
    private func requireTellable(keyName name: String) throws(IngestionError) {
        if LabelSearch.usual.kinds(in: name).isEmpty { return }
        throw IngestionError(
            .usage, "the key's name contains personal data or a credential, and the ledger records it: choose another")
    }

    /// Writes a new key file. What an interrupted process left of it is removed.
    ///
    /// - Throws: `tryAgain` while another process writes a key; `cannotCreate` when the name is taken.
    func writeKey(_ kind: KeyKind, _ name: String) throws(IngestionError) {
        let lock = try storing { () throws(StorageError) in
            try FileLock.tryAcquire(Store.name("keys.lock"), in: store.files)
        }
        guard let lock else {
            throw IngestionError(.tryAgain, "\(store.root)/keys.lock: another process makes a key; try again")
        }
        try storing { () throws(StorageError) in
            // Through the open folder: a link in its place would have the key written elsewhere.
            let folder = try store.files.folder(at: RelativePath(Store.name("keys")))
            guard let part = FileName(Array("\(name).\(kind.rawValue).part".utf8)) else { return }
            if try folder.status(of: part) != nil { try folder.remove(part) }
        }
        try Store.generateKey(in: store.keysFolder, kind: kind, name: name)
        _ = consume lock
    }

    /// Records several keys at their first use.
    func enroll(_ keys: [UsedKey]) throws(IngestionError) {
        for key in keys { try store.requireRecorded(key) }
        let new = try store.unrecorded(keys)
        if new.isEmpty { return }
        try append([keyEntry(new, Clock.text())])
    }

    /// Records what has changed since the ledger was last written: the keys of a store from before keys were recorded,
    /// and a new `sluice.yaml`.
    func catchUp() throws(IngestionError) {
        let state = try recording { () throws(LedgerError) in try record.state() }
        var entries: [JSONValue] = []
        let time = Clock.text()
        if state.keys.isEmpty {
            let present = try store.presentKeys()
            if !present.isEmpty { entries.append(keyEntry(present, time)) }
        }
        // Another key under the recorded name is refused before it signs anything.
        if let name = store.configuration.postQuantumKey {
            let key = UsedKey(.mldsa, name, try store.key(.mldsa, name))
            entries += try store.unrecorded([key]).map { keyEntry([$0], time) }
        }
        let digest = hex(store.configurationDigest)
        if state.configuration?.digest != digest { entries.append(configurationEntry(digest, time)) }
        if entries.isEmpty { return }
        try append(entries)
    }
}

extension Store {
    /// The most files that one wrapping key may seal: its IVs are random numbers of 96 bits, and NIST SP 800-38D allows
    /// 2^32 of them.
    static var wrapsMax: Int { 1 << 32 }

    /// The name of the key that is used today in the place of one of this name.
    func newestKey(_ name: String) throws(IngestionError) -> String {
        guard let record else { return name }
        return try recording { () throws(LedgerError) in try record.state() }.newest(name)
    }

    /// The key that new files are sealed for where `sluice.yaml` names this one.
    ///
    /// - Throws: `notPermitted` when it is missing, was destroyed, or has sealed as many files as one key may.
    func sealingKey(_ name: String) throws(IngestionError) -> any WrappingKey {
        let newest = try newestKey(name)
        if let record {
            let state = try recording { () throws(LedgerError) in try record.state() }
            try Self.requireRoom(newest, uses: state.uses[newest] ?? 0)
            if let sequence = state.shredded[newest] {
                throw IngestionError(
                    .notPermitted,
                    "keys/\(newest).kek was destroyed (entry \(sequence) of the ledger): name another key under recipients of "
                        + Self.configurationName)
            }
        }
        return AESWrappingKey(name: newest, key: try key(.kek, newest))
    }

    /// Refuses a wrapping key that has sealed as many files as one key may.
    static func requireRoom(_ name: String, uses: Int) throws(IngestionError) {
        if uses < wrapsMax { return }
        throw IngestionError(
            .notPermitted,
            "keys/\(name).kek has sealed \(uses) files, and one key may seal 2^32: replace it with: sluice keys rotate \(name)"
        )
    }
}

/// The ledger entry for keys, `key.recorded`.
func keyEntry(_ keys: [UsedKey], _ time: String) -> JSONValue {
    .object([
        "kind": .event(.keyRecorded), "v": .integer(1), "time": .string(time), "keys": .array(keys.map(\.document)),
    ])
}

/// The ledger entry for a changed `sluice.yaml`, `config.changed`.
func configurationEntry(_ digest: String, _ time: String) -> JSONValue {
    .object([
        "kind": .event(.configChanged), "v": .integer(1), "time": .string(time), "sha256": .string(digest),
        "uid": .integer(Int64(userNumber())),
    ])
}

extension Configuration {
    /// The recipients of the store and of every dataset.
    var allRecipients: [Recipient] { recipients + datasets.values.flatMap { $0.recipients ?? [] } }
}
