package import Cryptography
import Lineage
package import Sealing
import Storage
import Tabular

/// A key that is about to be used, and what may be told of it.
struct UsedKey: Sendable, Equatable {
    let name: ProvenState.KeyName
    /// What people compare.
    let fingerprint: String
    /// 32 bytes that only this key gives, hexadecimal.
    let identity: String

    /// A key of the store's, for one purpose: the identity is an HMAC, so that it says nothing of the key.
    init(_ kind: KeyKind, _ name: String, _ key: SecretKey) {
        self.name = ProvenState.KeyName(kind: kind.rawValue, name: name)
        fingerprint = key.fingerprint(name: name)
        identity = hex(
            hmacSHA256(key: key, Array("sluice/key-identity/v1\0\(kind.rawValue)\0\(name)".utf8).span))
    }

    /// A public key that wraps for somebody elsewhere: SHA-256 of its DER form.
    init(rsa name: String, _ key: RSAKey) {
        self.name = ProvenState.KeyName(kind: "rsa", name: name)
        identity = hex(SHA256.hash(key.publicDER))
        fingerprint = String(identity.prefix(16))
    }

    /// A recipient.
    init(_ key: WrappingKey) {
        switch key {
        case .aes(_, let name, let key): self.init(.kek, name, key)
        case .rsa(_, let name, let key, _): self.init(rsa: name, key)
        }
    }

    /// How the file is called that it stands in.
    var place: String {
        name.kind == "rsa" ? "the public key of recipient \(name.name)" : "keys/\(name.name).\(name.kind)"
    }

    /// The key as the record keeps it.
    var document: JSONValue {
        .object([
            "kind": .string(name.kind), "name": .string(name.name), "fingerprint": .string(fingerprint),
            "identity": .string(identity),
        ])
    }
}

extension Store {
    /// Refuses a key that is not the one the record knows under its name: a foreign key would open what is sealed from now on, or make
    /// tokens that join nothing.
    func requireRecorded(_ key: UsedKey) throws(IngestionError) {
        guard let record else { return }
        let known = try recording { () throws(LedgerError) in try record.state() }.keys[key.name]
        guard let known, known.identity != key.identity else { return }
        throw IngestionError(
            .notPermitted,
            "\(key.place) is not the key that the ledger records under this name (fingerprint \(key.fingerprint) instead of "
                + "\(known.fingerprint), entry \(known.sequence)): restore that key from your copy of keys/; a new key needs a new name"
        )
    }

    /// Every key of the folder, and every public key that `sluice.yaml` names, as far as they can be read.
    func presentKeys() throws(IngestionError) -> [UsedKey] {
        var found: [UsedKey] = []
        for kind in KeyKind.allCases {
            // Whoever may not look at the keys looks at the rest.
            for name in (try? keyNames(kind)) ?? [] {
                if let key = try? Self.readKey(in: keysFolder, kind, name) { found.append(UsedKey(kind, name, key)) }
            }
        }
        for case .rsa(let name, let file) in configuration.allRecipients {
            if let key = try? readRSAPublicKey(placed(file)) { found.append(UsedKey(rsa: name, key)) }
        }
        return found
    }

    /// The keys of one batch that the record does not know yet.
    func unrecorded(_ keys: [UsedKey]) throws(IngestionError) -> [UsedKey] {
        guard let record else { return [] }
        let known = try recording { () throws(LedgerError) in try record.state() }.keys
        var seen = Set<ProvenState.KeyName>()
        return keys.filter { known[$0.name] == nil && seen.insert($0.name).inserted }
    }

    /// A key that the record knows and that is missing, with what to do.
    package func missingKeys() throws(IngestionError) -> [String] {
        guard let record else { return [] }
        let state = try recording { () throws(LedgerError) in try record.state() }
        var missing: [String] = []
        for (name, key) in state.keys.sorted(by: { ($0.key.kind, $0.key.name) < ($1.key.kind, $1.key.name) }) {
            guard let kind = KeyKind(rawValue: name.kind), try !keyNames(kind).contains(name.name) else { continue }
            missing.append(
                "keys/\(name.name).\(name.kind) is missing (fingerprint \(key.fingerprint)): restore it from your copy of keys/; the data "
                    + "that it decrypts or tokenizes needs this key")
        }
        return missing
    }
}

extension Recorder {
    /// Writes keys down at their first use; a name that is known with another key is refused.
    package func enroll(_ kind: KeyKind, _ name: String) throws(IngestionError) {
        try enroll([UsedKey(kind, name, try store.key(kind, name))])
    }

    /// Makes a key and writes it down. Refuses a name that another key has, or had.
    package func generateKey(_ kind: KeyKind, _ name: String) throws(IngestionError) -> SecretKey {
        let state = try store.proven().state
        if let known = state.keys[ProvenState.KeyName(kind: kind.rawValue, name: name)] {
            throw IngestionError(
                .notPermitted,
                "a key \(name).\(kind.rawValue) was used here before (fingerprint \(known.fingerprint), entry \(known.sequence)): if its "
                    + "file is lost, restore it from your copy of keys/; a new key needs a new name")
        }
        guard LabelSearch.usual.kinds(in: name).isEmpty else {
            throw IngestionError(
                .usage,
                "the key's name contains personal data or a credential, and the ledger records it: choose another")
        }
        // A link in the folder's place would have the key written elsewhere.
        _ = try storing { () throws(StorageError) in try store.files.folder(at: RelativePath(Store.name("keys"))) }
        try Store.generateKey(in: store.keysFolder, kind: kind, name: name)
        let key = try store.key(kind, name)
        try enroll([UsedKey(kind, name, key)])
        return key
    }

    /// The same of several keys.
    func enroll(_ keys: [UsedKey]) throws(IngestionError) {
        for key in keys { try store.requireRecorded(key) }
        let new = try store.unrecorded(keys)
        if new.isEmpty { return }
        try append([keyEntry(new, Clock.text())])
    }

    /// Records what the record did not know when it was opened: every key of a store from before keys were recorded, and that
    /// `sluice.yaml` was changed.
    func catchUp() throws(IngestionError) {
        let state = try recording { () throws(LedgerError) in try record.state() }
        var entries: [JSONValue] = []
        let time = Clock.text()
        if state.keys.isEmpty {
            let present = try store.presentKeys()
            if !present.isEmpty { entries.append(keyEntry(present, time)) }
        }
        let digest = hex(store.configurationDigest)
        if state.configuration?.digest != digest { entries.append(configurationEntry(digest, time)) }
        if entries.isEmpty { return }
        try append(entries)
    }
}

/// The entry that records keys.
func keyEntry(_ keys: [UsedKey], _ time: String) -> JSONValue {
    .object([
        "kind": .event(.keyRecorded), "v": .integer(1), "time": .string(time), "keys": .array(keys.map(\.document)),
    ])
}

/// The entry that records that `sluice.yaml` is another one than before.
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
