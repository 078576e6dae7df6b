package import Cryptography
package import Lineage
package import Schemas
package import Sealing
import Recognition
import Sketches
import Storage
package import Tabular
import Validating

/// A store: one folder with configuration, keys, ledger, shards, quarantine and baselines.
package struct Store: Sendable {
    /// The store's folder.
    package let root: String
    /// The settings of `sluice.yaml`.
    package let configuration: Configuration
    /// SHA-256 of `sluice.yaml` as it was read.
    let configurationDigest: [UInt8]
    /// The store's folder, open. All access to the store goes through it and does not follow links.
    let files: OpenFolder
    /// The record, proven before every decision; nil until the ledger was opened.
    package internal(set) var record: ProvenLog?
    /// Whether the ledger's key is pinned outside the store; false for stores that live as long as one command.
    package var isPinned = true

    /// The configuration's file name. A folder with such a file is a store.
    package static let configurationName = "sluice.yaml"

    /// The ledger's file.
    package var ledgerPath: String { join(root, "ledger.sqlite") }
    /// The folder of keys.
    package var keysFolder: String { join(root, "keys") }
    /// The running plug-ins.
    let plugIns = KeyPlugIns()
    /// Where keys are read from.
    package var keyFolders: KeyFolders
    /// The folder of leases.
    package var workFolder: String { join(root, "work") }

    /// A path of the configuration; a relative one starts at the store.
    func placed(_ path: String) -> String { path.hasPrefix("/") ? path : join(root, path) }

    /// Opens a folder that the configuration names. Inside the store no link is followed; outside it the operator
    /// decides.
    func openPlace(_ path: String, making: Bool = false) throws(StorageError) -> OpenFolder {
        if let below = RelativePath(path) { return try files.folder(at: below, making: making) }
        if making, !exists(placed(path)) { try makeFolder(placed(path)) }
        return try OpenFolder(placed(path))
    }

    /// The folder of leases, open.
    func openWork() throws(StorageError) -> OpenFolder { try files.folder(at: Self.workPath) }

    static let workPath = RelativePath(Self.name("work"))

    /// A name that this program makes and that is valid by construction.
    static func name(_ text: String) -> FileName {
        guard let name = FileName(Array(text.utf8)) else { preconditionFailure("a name of ours is a file's name") }
        return name
    }

    /// The inbox of a dataset, as the configuration names it.
    func inboxPath(of dataset: String) -> String {
        configuration.datasets[dataset]?.inbox ?? join("inbox", dataset)
    }

    /// The path of a dataset's inbox.
    package func inbox(of dataset: String) -> String { placed(inboxPath(of: dataset)) }

    /// Opens the store in `root` and reads its configuration.
    ///
    /// - Throws: `configuration` when there is none, or it is invalid.
    package init(_ root: String) throws(IngestionError) {
        let path = join(root, Self.configurationName)
        guard exists(path) else {
            let word = PrintableText.shellWord(root)
            let reason =
                switch (try? fileStatus(root))?.kind {
                case .regular: "it is a file; give the folder that sluice init made"
                case nil: "there is no such folder; check the path, or make a store with: sluice init \(word)"
                default: "it has no \(Self.configurationName); make one with: sluice init \(word)"
                }
            throw IngestionError(.configuration, "\(root) is not a store: \(reason)")
        }
        let bytes = try storing { () throws(StorageError) in try FileDescriptor.openRegular(path).readAll(max: 1 << 20)
        }
        self.root = root
        keyFolders = KeyFolders(own: join(root, "keys"))
        configurationDigest = SHA256.hash(bytes)
        files = try storing { () throws(StorageError) in try OpenFolder(root) }
        do throws(SchemaError) { configuration = try Configuration(bytes, name: path) } catch {
            throw IngestionError(error, in: bytes)
        }
    }

    /// Creates a store: configuration, an example contract, keys and an empty ledger.
    ///
    /// - Parameters:
    ///   - root: the folder.
    ///   - isPinned: whether the ledger's key is pinned outside the store.
    /// - Throws: `cannotCreate` when the folder is a store already.
    package static func create(_ root: String, isPinned: Bool = true) throws(IngestionError) -> Store {
        if exists(join(root, configurationName)) {
            throw IngestionError(.cannotCreate, "\(root) already has a \(configurationName); choose another folder")
        }
        try makeFolders(in: root)
        let identifier = try Clock.identifier()
        let origin = "sluice.local/\(identifier.suffix(12))"
        for (kind, name) in firstKeys {
            try generateKey(in: join(root, "keys"), kind: kind, name: name)
        }
        let contract = join(root, "schemas/example.schema.yaml")
        try storing { () throws(StorageError) in
            if !exists(contract) { try writeDurably(contract, Array(Configuration.exampleContract.utf8).span) }
        }
        let folders = KeyFolders(own: join(root, "keys"), credentials: nil)
        let key = try signingKey(in: folders, name: "ledger")
        let configuration = Array(Configuration.template(origin: origin).utf8)
        var keys: [UsedKey] = []
        for (kind, name) in firstKeys {
            keys.append(UsedKey(kind, name, try folders.read(kind, name)))
        }
        let time = Clock.text()
        let entries = [keyEntry(keys, time), configurationEntry(hex(SHA256.hash(configuration)), time)]
        let ledger = try recording { () throws(LedgerError) in
            try Ledger.create(
                path: join(root, "ledger.sqlite"), origin: origin, signingKey: key, time: time, entries: entries,
                countsCommits: true)
        }
        // The configuration last, since a folder with it is a complete store.
        try storing { () throws(StorageError) in
            try writeDurably(join(root, configurationName), configuration.span)
        }
        var store = try Store(root)
        store.isPinned = isPinned
        if isPinned, let known = KnownLedgers() { _ = try known.pin(ledger.verifier, at: root) }
        return store
    }

    /// The keys that a new store gets.
    private static let firstKeys: [(KeyKind, String)] = [
        (.kek, "main"), (.signing, "ledger"), (.token, "tokens"), (.store, "store"),
    ]

    /// Creates the store's folders, readable by their owner only.
    static func makeFolders(in root: String) throws(IngestionError) {
        try storing { () throws(StorageError) in
            try makeFolder(root)
            for name in ["keys", "work", "inbox", "accepted", "quarantine", "baselines", "schemas"] {
                try makeFolder(join(root, name))
            }
        }
    }

    /// Writes a new key file.
    ///
    /// - Parameters:
    ///   - folder: the folder of keys.
    ///   - kind: the key's purpose.
    ///   - name: its name.
    /// - Throws: when the name is taken; a key file is never overwritten.
    package static func generateKey(in folder: String, kind: KeyKind, name: String) throws(IngestionError) {
        let key: SecretKey
        do throws(CryptographyError) { key = try SecretKey(random: 32) } catch {
            throw IngestionError(.software, error.description)
        }
        try sealing { () throws(SealingError) in
            let file = try KeyFile(kind: kind, name: name, created: Clock.text(), key: key)
            try file.write(join(folder, "\(name).\(kind.rawValue)"))
        }
    }

    /// A signing key by its name.
    ///
    /// - Throws: `notPermitted` when there is none, or the record has another key under this name.
    package func signingKey(named name: String) throws(IngestionError) -> SigningKey {
        guard keyFolders.has("\(name).\(KeyKind.signing.rawValue)") else {
            throw IngestionError(
                .notPermitted,
                "\(keysFolder)/\(name).signing: there is no such key; make it with: sluice keys generate --kind signing --name \(name)"
            )
        }
        return try Self.signingKey(of: try key(.signing, name))
    }

    private static func signingKey(in folders: KeyFolders, name: String) throws(IngestionError) -> SigningKey {
        try signingKey(of: try folders.read(.signing, name))
    }

    private static func signingKey(of seed: SecretKey) throws(IngestionError) -> SigningKey {
        do throws(CryptographyError) { return try SigningKey(seed: seed) } catch {
            throw IngestionError(.notPermitted, error.description)
        }
    }

    /// The key that signs the ledger.
    package func signingKey() throws(IngestionError) -> SigningKey {
        try Self.signingKey(in: keyFolders, name: configuration.signingKey)
    }

    /// The key that signs the ledger a second time; nil where `sluice.yaml` names none.
    func postQuantumKey() throws(IngestionError) -> MLDSA65Key? {
        guard let name = configuration.postQuantumKey else { return nil }
        let seed = try keyFolders.read(.mldsa, name)
        do throws(CryptographyError) { return try MLDSA65Key(seed: seed) } catch {
            throw IngestionError(.notPermitted, error.description)
        }
    }

    /// What verifies the second signatures; nil where `sluice.yaml` names no key.
    package func postQuantumVerifier() throws(IngestionError) -> PostQuantumKey? {
        try postQuantumKey().flatMap { PostQuantumKey(name: configuration.origin, publicKey: $0.publicKey) }
    }

    /// The ledger, for writing.
    ///
    /// - Throws: `damaged` when it is not signed by the key that is pinned outside the store.
    package func ledger() throws(IngestionError) -> Ledger {
        let (key, second) = (try signingKey(), try postQuantumKey())
        let ledger = try recording { () throws(LedgerError) in
            try Ledger.open(path: ledgerPath, signingKey: key, postQuantum: second, countsCommits: true)
        }
        try require(ledger)
        return ledger
    }

    /// The ledger, for reading. A journal left by a crash is rolled back first, where that is permitted.
    package func readableLedger() throws(IngestionError) -> Ledger {
        let ledger = try recording { () throws(LedgerError) in
            do throws(LedgerError) { return try Ledger.openReadonly(path: ledgerPath) } catch {
                guard error.code == .hotJournal else { throw error }
                try Ledger.heal(path: ledgerPath)
                return try Ledger.openReadonly(path: ledgerPath)
            }
        }
        try require(ledger)
        return ledger
    }

    /// Refuses a ledger with another origin than the configuration's, or another key than the pinned one.
    private func require(_ ledger: Ledger) throws(IngestionError) {
        guard ledger.origin == configuration.origin else {
            throw IngestionError(
                .damaged,
                "\(ledgerPath): it is the ledger \(ledger.origin), and \(Self.configurationName) names \(configuration.origin): one of the "
                    + "two was replaced; restore it from a backup")
        }
        _ = try pinning(ledger)
    }

    /// The store with a proven record, over an open ledger.
    func proving(_ ledger: Ledger) -> Store {
        var store = self
        // Without the key of its cache the record is proven from its beginning each time.
        let secret = try? keyFolders.read(.store, "store")
        store.record = ProvenLog(
            ledger, key: ledger.verifier,
            cache: secret.map {
                ProvenLog.Cache(in: files, secret: $0, identity: UsedKey(.store, "store", $0).identity)
            })
        return store
    }

    /// The store with a proven record, for commands that write nothing.
    package func proving() throws(IngestionError) -> Store { record == nil ? proving(try readableLedger()) : self }

    /// The record and its state as of now, proven. Opens the ledger for this one question where it is not open.
    ///
    /// - Throws: `damaged` when the record is not what was signed.
    func proven() throws(IngestionError) -> (log: ProvenLog, state: ProvenState) {
        guard let record else { return try proving().proven() }
        return (record, try recording { () throws(LedgerError) in try record.state() })
    }

    /// The key that the ledger's checkpoints are verified with.
    package func verifier() throws(IngestionError) -> VerifierKey { try proven().log.ledger.verifier }

    /// A key of the store.
    ///
    /// - Throws: `notPermitted` when it is missing, or the record has another key under this name.
    package func key(_ kind: KeyKind, _ name: String) throws(IngestionError) -> SecretKey {
        if kind == .kek || kind == .token, let record, !keyFolders.has("\(name).\(kind.rawValue)"),
            try recording({ () throws(LedgerError) in try record.state() }).keys[
                ProvenState.KeyName(kind: kind.rawValue, name: name)] == nil
        {
            throw IngestionError(
                .notPermitted,
                "\(keysFolder)/\(name).\(kind.rawValue): there is no such key, and none was used under this name; make it with: "
                    + "sluice keys generate --kind \(kind.rawValue) --name \(name)")
        }
        if kind == .kek, let record,
            let sequence = try recording({ () throws(LedgerError) in try record.state() }).shredded[name]
        {
            throw IngestionError(
                .notPermitted,
                "keys/\(name).kek was destroyed (entry \(sequence) of the ledger), and is not to be used again")
        }
        let key = try keyFolders.read(kind, name)
        try requireRecorded(UsedKey(kind, name, key))
        return key
    }

    /// The names of the store's keys of one kind.
    package func keyNames(_ kind: KeyKind) throws(IngestionError) -> [String] { try keyFolders.names(kind) }

    /// All keys that open shards here.
    package func keyRing() throws(IngestionError) -> KeyRing {
        var keys: [any WrappingKey] = []
        // A key that was destroyed is not used even if a copy of it comes back.
        let destroyed = try record.map { record throws(IngestionError) in
            try recording { () throws(LedgerError) in try record.state().shredded }
        }
        for name in try keyNames(.kek) where destroyed?[name] == nil {
            keys.append(AESWrappingKey(name: name, key: try key(.kek, name)))
        }
        // Last, so that a service is asked only about what no key here opens.
        var asked: [Configuration.Recipient] = []
        for recipient in configuration.allRecipients where !asked.contains(recipient) {
            guard case .exec(let command) = recipient.kind else { continue }
            asked.append(recipient)
            keys.append(LazyPlugInKey(plugIn: plugIns.plugIn(recipient.name, command)))
        }
        return KeyRing(keys)
    }

    /// The recipients that a dataset's shards are sealed for.
    package func recipients(of dataset: String) throws(IngestionError) -> [any WrappingKey] {
        let named = configuration.datasets[dataset]?.recipients ?? configuration.recipients
        return try named.map { recipient throws(IngestionError) in try wrappingKey(recipient) }
    }

    /// Whether one recipient of a dataset has its key here, or a plug-in has it.
    func canOpen(_ dataset: String) -> Bool {
        (configuration.datasets[dataset]?.recipients ?? configuration.recipients).contains(where: \.opensHere)
    }

    private func wrappingKey(_ recipient: Configuration.Recipient) throws(IngestionError) -> any WrappingKey {
        if recipient.kind == .kek { return try sealingKey(recipient.name) }
        let key = try loadKey(of: recipient)
        try requireRecorded(UsedKey(key))
        return key
    }

    /// The key of a recipient, whether the ledger knows it or not.
    func loadKey(of recipient: Configuration.Recipient) throws(IngestionError) -> any WrappingKey {
        let name = recipient.name
        switch recipient.kind {
        case .kek: return AESWrappingKey(name: name, key: try keyFolders.read(.kek, name))
        case .rsa(let file):
            let key = try sealing { () throws(SealingError) in try readRSAPublicKey(placed(file)) }
            return RSAWrappingKey(name: name, key: key)
        case .xwing(let file):
            let key = try sealing { () throws(SealingError) in try XWingKeyFile.read(placed(file), name: name) }
            return XWingWrappingKey(name: name, key: key)
        case .exec(let command):
            return try sealing { () throws(SealingError) in
                try PlugInWrappingKey(identified: plugIns.plugIn(name, command))
            }
        }
    }

    /// The key that the new form of a file is sealed for where this one opens it today; nil for one that was destroyed, and
    /// for a recipient whose key is elsewhere and that `sluice.yaml` does not name any more.
    ///
    /// - Throws: `notPermitted` when a key of the store is missing.
    func sealer(for name: String) throws(IngestionError) -> (any WrappingKey)? {
        for recipient in configuration.allRecipients where recipient.kind != .kek && recipient.name == name {
            return try wrappingKey(recipient)
        }
        let state = try proven().state
        guard state.keys[ProvenState.KeyName(kind: KeyKind.kek.rawValue, name: name)] != nil,
            state.shredded[state.newest(name)] == nil
        else { return nil }
        return try sealingKey(name)
    }

    /// A dataset's contract, as `sluice.yaml` names it.
    ///
    /// - Throws: `configuration` when it names none.
    package func contract(of dataset: String) throws(IngestionError) -> LoadedSchema {
        guard let path = configuration.datasets[dataset]?.schema else {
            throw IngestionError(
                .configuration,
                "\(join(root, Self.configurationName)): dataset \(dataset) has no contract; add schema: FILE")
        }
        return try loadContract(try reached(path))
    }

    /// The path of a contract. Inside the store no link is followed; outside it the operator decides.
    private func reached(_ contract: String) throws(IngestionError) -> String {
        if let below = RelativePath(contract) {
            _ = try storing(reading: true) { () throws(StorageError) in try files.folder(holding: below) }
        }
        return placed(contract)
    }

    /// The candidate contract of a dataset; nil when `sluice.yaml` names none.
    package func shadow(of dataset: String) throws(IngestionError) -> (schema: Schema, document: JSONValue)? {
        guard let path = configuration.datasets[dataset]?.shadow else { return nil }
        let loaded = try loadContract(try reached(path))
        return (Schema.digested(loaded), loaded.document)
    }

    /// The token keys that a contract names, as far as the store has them.
    package func tokenKeys(for schema: Schema) throws(IngestionError) -> [String: SecretKey] {
        var keys: [String: SecretKey] = [:]
        for name in Set(schema.fields.compactMap { $0.pii?.key }) where keyFolders.has("\(name).token") {
            keys[name] = try key(.token, name)
        }
        return keys
    }
}
