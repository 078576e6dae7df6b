import ArgumentParser
import Ingestion
import Lineage
import Storage
import Tabular

/// `sluice doctor`: checks everything that a store needs, with remedies; exits with 1 when something is bad.
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract:
            "Check the health of a store, and say what to do.",
        discussion: """
            Checks folders, rights, keys, contracts, clock, disk, ledger, published files, work in progress and inboxes. Changes nothing.

            Example: sluice doctor --store store

            Exit codes: 0 healthy, or risks only · 1 something does not work, is lost or was tampered with.
            """)

    @Flag(name: .long, help: "Skip the published files: reading them takes long in a large store.") var quick = false
    @Flag(name: .long, help: "Print JSON.") var json = false
    @OptionGroup var store: StoreOptions

    /// Runs the checks and prints each with its remedy. A ledger that cannot be opened is a result, not an error.
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
                        "finding": .string(NamedStore.completed(each.finding)),
                        "cure": .string(NamedStore.completed(each.cure)),
                    ])
                }
                Terminal.json(.array(documents))
                return
            }
            for each in found {
                let grade = each.grade == .well ? "ok  " : each.grade == .risk ? "RISK" : "BAD "
                Terminal.report(["\(grade)  \(each.subject)  \(each.finding)"], indent: 6)
                if !each.cure.isEmpty { Terminal.report(["      do: \(each.cure)"], indent: 10) }
            }
        }
        if worst == .bad { throw ExitCode(1) }
    }
}

/// `sluice backup`: copies a store that may be in use.
struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Back up the store into a new folder, while it may be in use.",
        discussion: """
            Every sealed file is compared with the record and copied; where the file system allows it, a copy shares disk blocks with the \
            original. Configuration and contracts are signed with the ledger's key. Keys are left out unless --with-keys is given: \
            keep them apart, because backup and keys together give access to the data.

            Example: sluice backup backup-2026-12-01 --store store
            """)

    @Argument(help: "The folder of the backup; it must not exist, or be empty.") var folder: String
    @Flag(name: .long, help: "Also copy the keys.") var withKeys = false
    @OptionGroup var store: StoreOptions

    /// Makes the backup, and prints what is in it and what is not.
    func run() async throws {
        try await reporting {
            let store = try store.require()
            let result = try await Backup.make(of: Recorder(store), in: folder, withKeys: withKeys)
            Terminal.line(
                "backed up \(NumberText.number(result.entries)) entries and \(NumberText.number(result.files)) files to \(folder)"
                    + " (\(NumberText.number(result.shared)) share disk blocks with the store)")
            Terminal.line(
                withKeys
                    ? "THE KEYS ARE IN IT (\(result.keys) files): whoever has this backup can read the data and sign the ledger"
                    : "the keys are not in it: without a copy of keys/ nobody can decrypt the backup"
            )
        }
    }
}

/// `sluice restore`: makes a store from a backup and verifies the copy.
struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Restore a backup into a new folder.",
        discussion: """
            A backup is not trusted: its ledger must be signed by the key given with --vkey, or by the key that was pinned when this user \
            first saw the ledger; every file must have the digest in the ledger; configuration, contracts and keys must be the signed \
            ones. At the first mismatch the restore stops and leaves only an empty folder. The backup is not changed.

            Example: sluice restore backup-2026-12-01 store

            Exit codes: 0 restored · 1 the backup differs from its signed record · 77 no verifier key is known.
            """)

    @Argument(help: "The folder of the backup.") var backup: String
    @Argument(help: "The folder of the new store; it must not exist, or be empty.") var folder: String
    @Option(
        name: .long,
        help:
            "The ledger's verifier key (name+id+base64, as sluice keys list prints it), or a file with it (default: the pinned one)."
    )
    var vkey: String?
    @Flag(
        name: .long,
        help:
            "Accept unsigned configuration and contracts, from a backup by an earlier version; read them first."
    )
    var unsignedSettings = false

    /// The key that must have signed the ledger: `--vkey`, else the one pinned for this origin.
    ///
    /// - Throws: `notPermitted` when neither is known.
    private func verifier() throws -> VerifierKey {
        if let vkey { return try VerifierOption.key(vkey) }
        let path = join(backup, "ledger.sqlite")
        // Only the origin is taken from the backup; its key must be known here.
        if let known = KnownLedgers(), let found = try known.key(of: Ledger.openReadonly(path: path).origin) {
            return found
        }
        throw IngestionError(
            .notPermitted,
            "\(backup): no verifier key is known for its ledger, and the backup cannot vouch for itself: give --vkey, as sluice keys "
                + "list printed it in the original store")
    }

    /// Restores, and pins the key for the new folder.
    func run() async throws {
        try await reporting {
            try Backup.requireWhole(backup)
            let key = try verifier()
            var trust = Backup.Trust(key)
            trust.acceptsUnsignedSettings = unsignedSettings
            let known = KnownLedgers()
            try known?.refuseOther(than: key)
            let result = try Backup.restore(backup, to: folder, trust)
            // A store that was in this folder before is gone, so the operator decides which key belongs to it.
            let standing = try known?.pin(key, at: folder) ?? .unpinned("this user has no home folder")
            if case .unpinned(let reason) = standing {
                Terminal.remark("warning: could not pin the verifier key outside the store: \(reason)")
            }
            Terminal.line(
                "restored \(NumberText.number(result.entries)) entries and \(NumberText.number(result.files)) files to \(folder)"
            )
            if result.keys == 0 {
                Terminal.line(
                    "the backup has no keys: copy yours into \(folder)/keys/ (mode 0600) first")
            } else {
                Terminal.line("restored \(result.keys) keys too")
            }
            Terminal.line(
                "then  sluice lineage verify --files --anchor RECEIPT --store \(PrintableText.shellWord(folder))")
            Terminal.line(
                "      RECEIPT is the newest .tlog-proof or checkpoint kept elsewhere: only it shows whether the backup is older "
                    + "than the last publication")
        }
    }
}
