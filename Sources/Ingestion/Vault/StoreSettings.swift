package import Schemas
import Tabular

extension SettingGroup {
    /// `sluice.yaml`.
    package static let store = SettingGroup([
        Setting("apiVersion", .text("`sluice/v1`"), default: "required", "the version of these keys"),
        Setting("ledger", .mapping(.ledger), default: "required", "the record of this store"),
        Setting(
            "recipients", .mappings(.recipient, or: nil), default: "required",
            "the 1 to 16 keys that shards are sealed for; each opens them alone"),
        Setting("datasets", .named("dataset", .dataset), default: "none", "the datasets that the store takes"),
        Setting(
            "sources", .named("supplier", .supplier), default: "none", "who may send data, and what must come with it"),
        Setting(
            "unlistedSources", .words(["accept", "hold"]), default: "`hold`",
            "what is done about batches of suppliers that `sources` does not list, once it lists any"),
        Setting(
            "retention", .mapping(.retention), "how long sealed files are kept; what it does not name is kept for good"),
        Setting("review", .mapping(.review), "whose approval a release or a final rejection of held data needs"),
        Setting("openLineage", .mapping(.openLineage), "where run events of OpenLineage go as batches are judged"),
        Setting("limits", .mapping(.storeLimits), "sizes of the work"),
    ])

    /// `ledger:`.
    static let ledger = SettingGroup([
        Setting(
            "origin", .text("any"), default: "required",
            "the name of the ledger in its checkpoints; it cannot change later"),
        Setting("signingKey", .text("a key's name"), default: "`ledger`", "the key in `keys/` that signs checkpoints"),
        Setting(
            "postQuantumKey", .text("a key's name"), default: "none",
            "a key of kind `mldsa` that signs every checkpoint a second time (ML-DSA-65)"),
    ])

    /// An element of `recipients:`.
    static let recipient = SettingGroup([
        Setting("kek", .text("a key's name"), "a key-encryption key of the store"),
        Setting("rsa", .text("a name"), "in place of `kek`: an RSA key whose private half is elsewhere"),
        Setting(
            "xwing", .text("a name"),
            "in place of `kek`: a post-quantum key of `sluice keys pair` whose private half is elsewhere"),
        Setting("exec", .text("a name"), "in place of `kek`: a key that a program has, such as the client of a vault"),
        Setting(
            "command", .list("the absolute path of a program, and its arguments"), default: "required with `exec`",
            "the program; see <doc:KeysElsewhere>"),
        Setting(
            "publicKey", .text("a file of the store"), default: "required with `rsa` and `xwing`",
            "the public half: PEM for `rsa`"),
    ])

    /// A member of `datasets:`.
    static let dataset = SettingGroup([
        Setting("schema", .text("a path in the store"), default: "none", "the contract"),
        Setting("source", .text("a supplier's name"), default: "`unknown`", "who sends it"),
        Setting(
            "recipients", .mappings(.recipient, or: nil), default: "the store's",
            "the keys that its shards are sealed for"),
        Setting(
            "inbox", .text("a path in the store"), default: "`inbox/DATASET`",
            "the folder where `sluice watch` finds files"),
        Setting(
            "archive", .text("a path"), default: "the file is removed",
            "the folder where `sluice watch` puts a file once its outcome is recorded"),
        Setting(
            "shadow", .text("a path in the store"), default: "none",
            "a contract that judges every batch as well and only reports"),
        Setting("retention", .mapping(.retention), default: "the store's", "how long its sealed files are kept"),
    ])

    /// A member of `sources:`.
    static let supplier = SettingGroup([
        Setting("owner", .text("any"), default: "empty", "who owns the data; for the record"),
        Setting("licence", .text("any"), default: "empty", "the licence of the data; for the record"),
        Setting("license", .text("any"), default: "empty", "another spelling of `licence`"),
        Setting("collection", .text("any"), default: "empty", "how the data is collected; for the record"),
        Setting("intendedUse", .text("any"), default: "empty", "what the data is meant for; for the record"),
        Setting(
            "contact", .text("any"), default: "empty", "whom to ask; never in the ledger, since it may name a person"),
        Setting(
            "probation", .whole(0...1000), default: "3",
            "batches of a new supplier that must first pass under review; 0 for none"),
        Setting(
            "require", .list("`digest`, `signature`, `manifest`"), default: "none", "what must come beside every file"),
        Setting("keys", .mappings(.trustedKey, or: nil), default: "none", "the keys that may sign for it"),
        Setting("namespace", .text("any"), default: "`file`", "the namespace that ssh signatures must be made for"),
    ])

    /// An element of `keys:`.
    static let trustedKey = SettingGroup(
        TrustedKey.Format.allCases.map { format in
            switch format {
            case .minisign:
                Setting(format.rawValue, .text("56 letters"), "the public key of minisign, from its .pub file")
            case .ssh:
                Setting(format.rawValue, .text("ssh-ed25519 AAAA…"), "an Ed25519 public key as in OpenSSH's .pub file")
            }
        })

    /// `limits:` of the store.
    static let storeLimits = SettingGroup([
        Setting(
            "sliceBytes", .whole(65_536...(1 << 27)), default: "\(Configuration.usualSliceBytes)",
            "bytes of a slice of the source, and so about the size of a shard")
    ])
}
