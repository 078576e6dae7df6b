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
            do { ledger = .success(try LineageCommand.open(store)) } catch let error as LedgerError {
                ledger = .failure(IngestionError(error))
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
            Sealed files get a second name in the backup where both are on one file system, and are copied where not; every \
            one is compared with the record. Keys are not part of it unless --with-keys says so: keep them apart, since \
            whoever has both has the data.
            """)

    @Argument(help: "The folder to make.") var folder: String
    @Flag(name: .long, help: "Copy the keys too.") var withKeys = false
    @OptionGroup var store: StoreOptions

    func run() async throws {
        try await reporting {
            let store = try store.require()
            let result = try await Backup.make(of: Committer(store), in: folder, withKeys: withKeys)
            Terminal.line(
                "backed up \(Words.number(result.entries)) entries and \(Words.number(result.files)) files to \(folder)"
                    + " (\(Words.number(result.linked)) share the disk with the store)")
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
        commandName: "restore", abstract: "Make a store of a backup in a new folder; the backup stays as it is.")

    @Argument(help: "The backup.") var backup: String
    @Argument(help: "The folder of the new store.") var folder: String

    func run() async throws {
        try await reporting {
            let result = try Backup.restore(backup, to: folder)
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
