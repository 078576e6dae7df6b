package import Schemas
import Tabular

/// The settings of `sluice.yaml`.
package struct Configuration: Sendable, Equatable {
    /// A recipient that shards are sealed for.
    package struct Recipient: Sendable, Equatable {
        /// Where its key is.
        package enum Kind: Sendable, Equatable {
            /// In `keys/`: a key-encryption key of the store.
            case kek
            /// Elsewhere: an RSA key whose public half is in this PEM file, relative to the store.
            case rsa(publicKey: String)
            /// Elsewhere: an X-Wing key whose public half is in this file, relative to the store.
            case xwing(publicKey: String)
            /// Elsewhere: this program wraps and unwraps with it.
            case exec(command: [String])

            /// As `sluice.yaml` writes it.
            package var name: String {
                switch self {
                case .kek: "kek"
                case .rsa: "rsa"
                case .xwing: "xwing"
                case .exec: "exec"
                }
            }
        }

        /// Its name.
        package let name: String
        /// Where its key is.
        package let kind: Kind

        /// Whether a store that names it can open what is sealed for it.
        var opensHere: Bool {
            switch kind {
            case .kek, .exec: true
            case .rsa, .xwing: false
            }
        }

        /// Reads an element of `recipients:`.
        init(_ item: Cursor) throws(SchemaError) {
            let settings = try SettingReader(item, .recipient)
            let kinds = ["kek", "rsa", "xwing", "exec"].filter { settings[$0] != nil }
            let file = try settings.text("publicKey")
            let command = try settings["command"].map { cursor throws(SchemaError) in
                try cursor.items().map { word throws(SchemaError) in try word.text() }
            }
            guard kinds.count == 1, let name = try settings.text(kinds[0]) else {
                throw item.error(.inconsistent, "a recipient has one of kek, rsa, xwing and exec, with its name")
            }
            self.name = name
            switch (kinds[0], file, command) {
            case ("kek", nil, nil): kind = .kek
            case ("rsa", let file?, nil): kind = .rsa(publicKey: file)
            case ("xwing", let file?, nil): kind = .xwing(publicKey: file)
            case ("exec", nil, let command?):
                guard command.first?.hasPrefix("/") ?? false, command.allSatisfy({ !$0.utf8.contains(0) }) else {
                    throw item.error(.outOfRange, "command begins with the absolute path of a program")
                }
                kind = .exec(command: command)
            default:
                throw item.error(
                    .inconsistent,
                    "a recipient is kek: NAME, rsa: NAME with publicKey: FILE.pem, xwing: NAME with publicKey: FILE.pub, or exec: NAME "
                        + "with command: [/PROGRAM, ARGUMENT…]")
            }
        }
    }

    /// The settings of one dataset.
    package struct Dataset: Sendable, Equatable {
        /// The contract's file, relative to the store.
        package var schema: String?
        /// The supplier that sends it.
        package var source: String?
        /// The recipients of its shards; nil for the store's.
        package var recipients: [Recipient]?
        /// The folder where `watch` finds its files, relative to the store; nil for `inbox/<dataset>`.
        package var inbox: String?
        /// The folder where `watch` puts a file once its outcome is durable; nil to remove the file.
        package var archive: String?
        /// A candidate contract that is evaluated and only reported on; relative to the store.
        package var shadow: String?
        /// How long its sealed files are kept, where it differs from the store's.
        package var retention = Retention()

        /// Reads a member of `datasets:`.
        init(_ settings: SettingReader) throws(SchemaError) {
            schema = try settings.text("schema")
            source = try settings.text("source")
            inbox = try settings.text("inbox")
            archive = try settings.text("archive")
            shadow = try settings.text("shadow")
            if let list = settings["recipients"] { recipients = try Configuration.recipients(list) }
            if let cursor = settings["retention"] { retention = try Retention(try SettingReader(cursor, .retention)) }
        }
    }

    /// Bytes of a slice where `sluice.yaml` names none.
    static let usualSliceBytes = 16 << 20

    /// The ledger's origin line in its signed checkpoints (C2SP tlog-checkpoint).
    package var origin: String
    /// The name of the signing key.
    package var signingKey: String
    /// The name of the key that signs a second time; nil for none.
    package var postQuantumKey: String?
    /// The recipients of shards, unless a dataset has its own.
    package var recipients: [Recipient]
    /// The datasets.
    package var datasets: [String: Dataset]
    /// The configured sources, by name.
    package var sources: [String: SourceRecord]
    /// Whether batches of unlisted sources are held, where any source is listed.
    package var holdsUnlisted: Bool
    /// Bytes of a slice, and so about the size of a shard.
    package var sliceBytes: Int
    /// How long sealed files are kept, unless a dataset says otherwise.
    package var retention = Retention()
    /// Whose approval a decision about held batches needs.
    package var review = ReviewPolicy()
    /// Where run events of OpenLineage go.
    package var openLineage = EventSinks()

    /// Parses `sluice.yaml`.
    ///
    /// - Throws: a located error for syntax, types and unknown keys.
    package init(_ bytes: [UInt8], name: String) throws(SchemaError) {
        let root = try loadDocument(bytes, name: name).cursor
        let settings = try SettingReader(root, .store)
        guard let version = settings["apiVersion"] else {
            throw root.error(.inconsistent, "apiVersion is missing; write apiVersion: sluice/v1")
        }
        _ = try version.word(of: ["sluice/v1"], what: "version")
        guard let cursor = settings["ledger"], let origin = cursor["origin"] else {
            throw root.error(.inconsistent, "ledger.origin is missing; write the name of the ledger in its checkpoints")
        }
        let ledger = try SettingReader(cursor, .ledger)
        self.origin = try origin.text()
        signingKey = try ledger.text("signingKey") ?? "ledger"
        postQuantumKey = try ledger.text("postQuantumKey")
        guard let list = settings["recipients"] else {
            throw root.error(.inconsistent, "recipients are missing; write at least - kek: main")
        }
        recipients = try Self.recipients(list)
        datasets = [:]
        if let cursor = settings["datasets"] {
            for key in try cursor.keys() {
                guard let dataset = cursor[key] else { continue }
                guard Self.isName(key) else {
                    throw dataset.error(
                        .unknownValue, "a dataset's name has letters, digits, dot, dash and underscore", atKey: true)
                }
                datasets[key] = try Dataset(try SettingReader(dataset, .dataset))
            }
        }
        sources = [:]
        if let cursor = settings["sources"] {
            for key in try cursor.keys() {
                guard let source = cursor[key] else {
                    sources[key] = SourceRecord(key)
                    continue
                }
                sources[key] = try SourceRecord(key, source)
            }
        }
        if let cursor = settings["retention"] { retention = try Retention(try SettingReader(cursor, .retention)) }
        if let cursor = settings["review"] { review = try ReviewPolicy(cursor) }
        if let cursor = settings["openLineage"] { openLineage = try EventSinks(cursor) }
        let word = try settings.word("unlistedSources") ?? "hold"
        holdsUnlisted = word == "hold" && !sources.isEmpty
        sliceBytes = Self.usualSliceBytes
        if let limits = settings["limits"] {
            sliceBytes = try SettingReader(limits, .storeLimits).whole("sliceBytes") ?? sliceBytes
        }
    }

    /// Whether a text can be a folder's name.
    package static func isName(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard (1...64).contains(bytes.count), bytes[0] != 0x2E else { return false }
        return bytes.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x2D
                || $0 == 0x2E || $0 == 0x5F
        }
    }

    private static func recipients(_ cursor: Cursor) throws(SchemaError) -> [Recipient] {
        var out: [Recipient] = []
        for item in try cursor.items() { out.append(try Recipient(item)) }
        if out.isEmpty || out.count > 16 {
            throw cursor.error(.outOfRange, "there must be 1 to 16 recipients; add or remove some")
        }
        return out
    }

    /// The commented `sluice.yaml` that `sluice init` writes.
    package static func template(origin: String) -> String {
        """
        # sluice.yaml: what this store is, who can open its shards, which datasets it takes.
        # Unknown keys are errors, so a typing error cannot switch a protection off.
        apiVersion: sluice/v1

        ledger:
          # The ledger's name in every signed checkpoint. It cannot change later.
          origin: \(origin)
          # keys/ledger.signing signs the checkpoints.
          signingKey: ledger
          # A second signature that a quantum computer cannot forge: sluice keys generate --kind mldsa --name ledger-pq
          # postQuantumKey: ledger-pq

        # Who can open the shards: each one can, alone. Up to 16.
        # An RSA recipient needs only its public key here; keep the private half elsewhere (escrow, or a host that
        # must be able to write but not to read).
        recipients:
          - kek: main                       # keys/main.kek
          # - rsa: escrow-2026
          #   publicKey: keys/escrow-2026.pem
          # - xwing: escrow-2026            # the same against quantum computers: sluice keys pair escrow-2026 --private FILE
          #   publicKey: keys/escrow-2026.xwing.pub

        datasets:
          example:
            schema: schemas/example.schema.yaml
            source: example-partner
            # recipients: [...]             # if other than above
            # inbox: partner-a              # what `watch` looks at (default: inbox/example)
            # archive: done                 # where a file goes once its outcome is recorded (default: it is removed)
            # shadow: schemas/next.yaml     # a contract that runs beside it and only reports what would be different

        # Who may send data, and what must come with it. Once a source is listed, others are held (unlistedSources: accept
        # lets them pass). A new source is on probation: its first 3 batches are held, unless: sluice source trust NAME.
        # sources:
        #   example-partner:
        #     owner: Example Ltd
        #     licence: CC-BY-4.0
        #     collection: nightly export of their shop
        #     contact: data@example.com
        #     require: [signature]          # and digest, or manifest: signed for one dataset, in order
        #     keys:
        #       - minisign: RWQ…            # or ssh: ssh-ed25519 AAAA…

        # How long sealed files are kept: watch removes them daily, sluice prune by hand. What is not named stays for good.
        # retention:
        #   accepted: 2y                    # also in a dataset, for that dataset alone
        #   quarantine: 90d                 # rows held back from accepted batches
        #   held: 90d                       # a held batch that nobody decided about ends then

        # Whose approval a release or a final rejection of held data needs (default: whoever runs the command).
        # review:
        #   approvals: 2
        #   signature: ssh
        #   reviewers:
        #     - { name: kim, key: ssh-ed25519 AAAA… }

        # limits:
        #   sliceBytes: 16777216            # a slice of the source makes one shard

        """
    }

    /// The commented example contract that `sluice init` writes.
    package static let exampleContract = """
        # A contract is a Frictionless Table Schema v2. Everything outside the `sluice:` keys is standard.
        $schema: https://datapackage.org/profiles/2.0/tableschema.json
        name: example
        version: 1.0.0
        missingValues: [""]
        primaryKey: [id]

        fields:
          - name: id
            type: integer
            constraints: { required: true, unique: true }
            sluice: { role: key }

          - name: email
            type: string
            format: email
            # Declared personal data: every value becomes a keyed token (HMAC-SHA-256, keys/tokens.token).
            sluice: { pii: { entity: EMAIL_ADDRESS, operator: tokenize, key: tokens, prefix: "em_", normalize: true } }

          - name: amount
            type: number
            constraints: { minimum: 0, maximum: 1000000 }

          - name: note
            type: string
            constraints: { maxLength: 2000 }
            # Free text: found personal data is replaced, the rest stays as it is.
            sluice: { role: text, pii: { scan: true, operator: replace } }

        sluice:
          apiVersion: sluice/v1
          unknownFields: reject             # reject | keep | drop
          batch: { maxRejectedRate: 0.01, maxQuarantinedRate: 0.05 }

        """
}
