import ArgumentParser
import Ingestion
import Lineage
import Storage
import Tabular

/// `sluice doctor`.
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract:
            "Check store, rights, keys, contracts, clock, disk, ledger, files, claims and inboxes; say what to do.",
        discussion:
            "Changes nothing. Exit codes: 0 nothing to do, or risks only · 1 something does not work, is lost or was tampered with."
    )

    @Flag(name: .long, help: "Do not read the published files, which takes long in a large store.") var quick = false
    @Flag(name: .long, help: "As JSON.") var json = false
    @OptionGroup var store: StoreOptions

    func run() async throws {
        ignoreBrokenPipes()
        var worst = Diagnosis.Grade.well
        try await reporting {
            let store = try store.require()
            var ledger: Result<Ledger, IngestionError>
            do throws(IngestionError) { ledger = .success(try store.readableLedger()) } catch {
                ledger = .failure(error)
            }
            let found = try store.examine(ledger, readFiles: !quick)
            worst = found.map(\.grade).max() ?? .well
            if json {
                let documents = found.map { each in
                    JSONValue.object([
                        "subject": .string(each.subject), "grade": .string(each.grade.rawValue),
                        "finding": .string(each.finding), "cure": .string(each.cure),
                    ])
                }
                Terminal.json(.array(documents))
                return
            }
            for each in found {
                let grade = each.grade == .well ? "ok  " : each.grade == .risk ? "RISK" : "BAD "
                Terminal.line("\(grade)  \(each.subject)  \(each.finding)")
                if !each.cure.isEmpty { Terminal.line("      do: \(each.cure)") }
            }
        }
        if worst == .bad { throw ExitCode(1) }
    }
}

/// `sluice backup`.
struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Copy the store as it is at this moment into a new folder, while it may be in use.",
        discussion: """
            Sealed files are copied; where the file system can, a copy shares the disk's blocks until one of the two changes. Every one is \
            compared with the record. Configuration, contracts and keys are signed with the ledger's key. Keys are not part of \
            it unless --with-keys says so: keep them apart, since whoever has both has the data.
            """)

    @Argument(help: "The folder to make.") var folder: String
    @Flag(name: .long, help: "Copy the keys too.") var withKeys = false
    @OptionGroup var store: StoreOptions

    func run() async throws {
        try await reporting {
            let store = try store.require()
            let result = try await Backup.make(of: Recorder(store), in: folder, withKeys: withKeys)
            Terminal.line(
                "backed up \(Words.number(result.entries)) entries and \(Words.number(result.files)) files to \(folder)"
                    + " (\(Words.number(result.shared)) share the disk with the store)")
            Terminal.line(
                withKeys
                    ? "THE KEYS ARE IN IT (\(result.keys) files): whoever has this backup can read the data and sign the ledger"
                    : "the keys are not in it: without a copy of keys/ kept elsewhere nobody can open what was backed up"
            )
        }
    }
}

/// `sluice restore`.
struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Make a store of a backup in a new folder; the backup stays as it is.",
        discussion: """
            Nothing of a backup is believed: its ledger must be signed by the key that --vkey gives, or that was written down when this \
            user first met the ledger; every file must have the digest that the ledger records; configuration, contracts and keys must be \
            the signed ones. At the first thing that is wrong nothing is left behind but the empty folder.

            Exit codes: 0 restored · 1 something in the backup is not what was signed · 77 no key is known to verify it by.
            """)

    @Argument(help: "The backup.") var backup: String
    @Argument(help: "The folder of the new store.") var folder: String
    @Option(
        name: .long,
        help:
            "The ledger's verifier key (name+id+base64, as sluice keys list prints it), or a file with it (default: the one known here)."
    )
    var vkey: String?
    @Flag(
        name: .long,
        help:
            "Take over configuration and contracts that nobody signed, of a backup that an earlier version made: read them first."
    )
    var unsignedSettings = false

    /// The key that must have signed the ledger.
    private func verifier() throws -> VerifierKey {
        if let vkey { return try VerifierOption.key(vkey) }
        let path = join(backup, "ledger.sqlite")
        // Only the name is taken from the backup: which key goes with it is known here, or not at all.
        if let known = KnownLedgers(), let found = try known.key(of: Ledger.openReadonly(path: path).origin) {
            return found
        }
        throw IngestionError(
            .notPermitted,
            "\(backup): no verifier key is known for its ledger, and the backup's own word is none: give --vkey, as sluice keys list "
                + "printed it where the store was")
    }

    func run() async throws {
        try await reporting {
            try Backup.requireWhole(backup)
            let key = try verifier()
            var trust = Backup.Trust(key)
            trust.acceptsUnsignedSettings = unsignedSettings
            let known = KnownLedgers()
            try known?.refuseOther(than: key)
            let result = try Backup.restore(backup, to: folder, trust)
            // What was in this folder before is gone: the operator says by which key this one goes.
            let standing = try known?.pin(key, at: folder) ?? .unpinned("this user has no home folder")
            if case .unpinned(let reason) = standing {
                Terminal.remark("the verifier key could not be written down outside the store: \(reason)")
            }
            Terminal.line(
                "restored \(Words.number(result.entries)) entries and \(Words.number(result.files)) files to \(folder)")
            if result.keys == 0 {
                Terminal.line(
                    "the backup has no keys: copy yours into \(folder)/keys/ (files 0600) first")
            } else {
                Terminal.line("its \(result.keys) keys were restored with it")
            }
            Terminal.line("then  sluice lineage verify --files --anchor RECEIPT --store \(folder)")
            Terminal.line(
                "      RECEIPT is the newest .tlog-proof or checkpoint kept elsewhere: only that shows whether the backup is older "
                    + "than what was published since")
        }
    }
}
