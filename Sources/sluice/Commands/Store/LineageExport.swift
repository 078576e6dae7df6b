import ArgumentParser
import Ingestion
import Lineage
import Storage

extension LineageCommand {
    /// Formats of an export.
    enum ExportFormat: String, ExpressibleByArgument, CaseIterable {
        /// C2SP tlog-tiles.
        case tiles = "tlog-tiles"
    }

    /// `sluice lineage export`: the log for monitors and witnesses.
    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "export",
            abstract: "Write the log as static files that monitors and witnesses read.",
            discussion: """
                tlog-tiles is the layout of C2SP: checkpoint, tile/LEVEL/N and tile/entries/N. Serve the folder with any web server. \
                The files hold what the ledger holds: names of columns, counts and hashes, but no value of the data. Run the command \
                again after new batches: it writes only what is new, and the checkpoint last.

                Example: sluice lineage export tiles --format tlog-tiles

                Exit codes: 0 written · 1 the folder has another log, or the ledger is damaged · 75 the disk is full.
                """)
        @Argument(help: "The folder to write to; it is made if it does not exist.") var folder: String
        @Option(name: .long, help: "The layout: tlog-tiles.") var format: ExportFormat
        @OptionGroup var store: StoreOptions

        /// Writes the files, and says how many are new.
        func run() async throws {
            try await reporting {
                let store = try store.require().proving()
                let written = try store.exportTiles(to: folder)
                Terminal.line(
                    "\(NumberText.count(written.entries, "entry", "entries")) in \(folder), "
                        + "\(NumberText.count(written.files, "new file"))")
            }
        }
    }
}
