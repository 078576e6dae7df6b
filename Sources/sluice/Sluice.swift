import ArgumentParser
import Dispatch
import Glibc
import Ingestion
import Lineage
import Schemas
import Sealing
import Storage

/// The entry point, on the main thread and before any other thread exists.
@main
enum Program {
    /// Refuses a word that is no command, with the one that was probably meant.
    private static func refuseUnknownCommand(_ words: ArraySlice<String>) {
        var (type, path): (any ParsableCommand.Type, String) = (Sluice.self, "sluice")
        for word in words {
            let commands = type.configuration.subcommands
            if commands.isEmpty || word.hasPrefix("-") || word == "help" { return }
            guard let inner = commands.first(where: { $0._commandName == word }) else {
                let meant = suggestion(for: word, among: commands.map { $0._commandName })
                let hint = meant.map { "did you mean \(path) \($0)?" } ?? "see: \(path) --help"
                Terminal.complain("there is no command \(path) \(word); \(hint)")
                exit(IngestionError.Code.usage.rawValue)
            }
            (type, path) = (inner, "\(path) \(word)")
        }
    }

    /// Hardens the process, blocks signals where a command handles them, and runs the command as a task.
    static func main() {
        do {
            // First of all: no core dumps, no inherited descriptors, new files readable by their owner only.
            try hardenProcess()
            closeInheritedFiles()
            refuseUnknownCommand(CommandLine.arguments.dropFirst())
            // Signals can be blocked for the whole process only while it has one thread.
            if CommandLine.arguments.dropFirst().first == WatchCommand.configuration.commandName {
                try StopSignals.hold()
            } else if Interruption.commands.contains(CommandLine.arguments.dropFirst().first ?? "") {
                try StopSignals.hold()
                Interruption.watch(try StopSignals())
            }
        } catch {
            Terminal.complain(error.description)
            exit(70)
        }
        Task.detached {
            await Sluice.main(nil)
            exit(0)
        }
        // `dispatchMain()` would unblock the signals that were just blocked.
        DispatchSemaphore(value: 0).wait()
    }
}

/// The root command with its groups of subcommands.
struct Sluice: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sluice",
        abstract: "The gate that training data passes before a model learns from it.",
        discussion: """
            Sluice reads a batch (CSV, JSON Lines or JSON), checks it against a contract, screens it for outliers and poisoning, \
            masks personal data, seals sound rows into encrypted shards, and records everything in a signed ledger.

            Examples:
              sluice init store
              sluice schema infer orders.csv > orders.yaml
              sluice ingest orders.csv --schema orders.yaml --source shop-eu --store store

            Exit codes: 0 accepted · 1 held, or rows at or above --fail-on, or tampering found · 64 bad arguments · \
            65 not in the declared format · 66 no such file · 70 internal error · 73/74 cannot write or read · 75 try again \
            later · 77 missing key or rights · 78 bad contract or configuration · 130/143 stopped by a signal.
            """,
        version: programVersion,
        groupedSubcommands: [
            CommandGroup(
                name: "Gate",
                subcommands: [
                    ValidateCommand.self, IngestCommand.self, WatchCommand.self, StatusCommand.self, ReviewCommand.self,
                    ReportCommand.self, ExplainCommand.self,
                ]),
            CommandGroup(
                name: "Contract",
                subcommands: [
                    SchemaCommand.self, DialectCommand.self, ScanCommand.self, ScoreCommand.self, ProfileCommand.self,
                ]),
            CommandGroup(
                name: "Judgement",
                subcommands: [BaselineCommand.self, SourceCommand.self, SelftestCommand.self]),
            CommandGroup(
                name: "Record",
                subcommands: [LineageCommand.self, ShardCommand.self, RevealCommand.self]),
            CommandGroup(
                name: "Store",
                subcommands: [
                    InitCommand.self, KeysCommand.self, DoctorCommand.self, PruneCommand.self, SubjectCommand.self,
                    BackupCommand.self, RestoreCommand.self,
                ]),
        ])
}

/// Runs a command's body. An error is printed as one line on standard error, with the excerpt of a contract if it has
/// one, and becomes its exit code (sysexits, see `IngestionError.Code`).
func reporting(_ body: () async throws -> Void) async throws {
    do {
        try await body()
    } catch let error as IngestionError {
        Terminal.complain(error.description)
        for line in error.excerpt?.split(separator: "\n") ?? [] { Terminal.remark("    " + line) }
        throw ExitCode(error.code.rawValue)
    } catch let error as StorageError {
        let wrapped = IngestionError(error, reading: true)
        Terminal.complain(wrapped.description)
        throw ExitCode(wrapped.code.rawValue)
    } catch let error as SealingError {
        let wrapped = IngestionError(error)
        Terminal.complain(wrapped.description)
        throw ExitCode(wrapped.code.rawValue)
    } catch let error as LedgerError {
        let wrapped = IngestionError(error)
        Terminal.complain(wrapped.description)
        throw ExitCode(wrapped.code.rawValue)
    } catch let error as SchemaError {
        Terminal.complain(error.description)
        throw ExitCode(IngestionError.Code.configuration.rawValue)
    }
}
