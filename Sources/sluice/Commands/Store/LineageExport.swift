import ArgumentParser
import Ingestion
import Lineage
import Storage
import Tabular

extension LineageCommand {
    /// Formats of an export.
    enum ExportFormat: String, ExpressibleByArgument, CaseIterable {
        /// C2SP tlog-tiles.
        case tiles = "tlog-tiles"
        /// Run events of OpenLineage.
        case openLineage = "openlineage"
        /// W3C PROV-JSON.
        case prov
        /// Signed in-toto statements.
        case inToto = "intoto"
        /// A Croissant card.
        case croissant
    }

    /// `sluice lineage export`: the record in formats of other systems.
    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "export",
            abstract:
                "Write the record in a format of other systems: OpenLineage, PROV, in-toto, Croissant, tlog-tiles.",
            discussion: """
                openlineage: run events of OpenLineage 2-0-2, one line of JSON each. prov: one document in PROV-JSON. intoto: one signed \
                statement a batch (DSSE, test-result v0.1), one a line; --sign-with names the key. croissant: a card of the accepted \
                shards of --dataset, in Croissant 1.1. tlog-tiles: the log as static files for monitors and witnesses (C2SP), in a \
                folder that any web server can serve; run it again after new batches, and it writes only what is new, the checkpoint last.

                The files hold what the ledger holds: names of columns, counts and hashes, but no value of the data.

                Example: sluice lineage export --format openlineage --dataset orders
                Example: sluice lineage export --format intoto --sign-with attest --batch latest
                Example: sluice lineage export tiles --format tlog-tiles

                Exit codes: 0 written · 1 the folder has another log, or the ledger is damaged · 66 no such batch, or none accepted · \
                75 the disk is full.
                """)
        @Argument(help: "For tlog-tiles: the folder to write to; it is made if it does not exist.") var folder: String?
        @Option(name: .long, help: "The format.") var format: ExportFormat
        @Option(name: .long, help: "Only batches of this dataset.") var dataset: String?
        @Option(name: .long, help: "Only this batch: its id, 6 or more characters of it, or latest.") var batch: String?
        @Option(name: .long, help: "Only batches that entries of the ledger from this number on record.") var since = 0
        @Option(
            name: .long,
            help: "For intoto: the name of a signing key of the store, which is not the ledger's.")
        var signWith: String?
        @OptionGroup var output: ProofOutput
        @OptionGroup var store: StoreOptions

        /// Refuses options that the format does not have.
        func validate() throws {
            if since < 0 { throw ValidationError("--since is the number of a ledger entry") }
            if (folder != nil) != (format == .tiles) {
                throw ValidationError(
                    format == .tiles
                        ? "name the folder: sluice lineage export FOLDER --format tlog-tiles"
                        : "\(format.rawValue) is written to standard output or --output, not to a folder")
            }
            let isSelected = batch != nil || since != 0
            if format == .tiles, isSelected || dataset != nil || output.output != nil {
                throw ValidationError(
                    "tlog-tiles exports the whole log: --dataset, --batch, --since and --output do not apply")
            }
            if format == .croissant, isSelected || dataset == nil {
                throw ValidationError("croissant describes a whole dataset: give --dataset, without --batch or --since")
            }
            if batch != nil, since != 0 || dataset != nil {
                throw ValidationError("--batch names one batch: --dataset and --since do not apply")
            }
            if (signWith != nil) != (format == .inToto) {
                throw ValidationError(
                    format == .inToto
                        ? "statements are signed: make a key with sluice keys generate --kind signing --name attest, and give --sign-with "
                            + "attest" : "--sign-with goes with --format intoto")
            }
        }

        /// Writes the document or the files.
        func run() async throws {
            ignoreBrokenPipes()
            try await reporting {
                let store = try store.require(dataset: dataset).proving()
                if let folder { return try writeTiles(of: store, to: folder) }
                let scope = ExportScope(
                    dataset: dataset, batch: try batch.map { try BatchID.resolve($0, in: store) }, since: since)
                switch format {
                case .tiles: break
                case .openLineage:
                    try lines { line in
                        try store.forEachOpenLineageEvent(of: scope) { line($0.text(pretty: false)) }
                    }
                case .inToto:
                    try lines { line in try store.forEachStatement(of: scope, signedWith: signWith ?? "", line) }
                case .prov: try output.write(store.provDocument(of: scope).text(pretty: true) + "\n")
                case .croissant: try output.write(store.croissantCard(of: dataset ?? "").text(pretty: true) + "\n")
                }
            }
        }

        private func writeTiles(of store: Store, to folder: String) throws {
            let written = try store.exportTiles(to: folder)
            Terminal.line(
                "\(NumberText.count(written.entries, "entry", "entries")) in \(folder), "
                    + "\(NumberText.count(written.files, "new file"))")
        }

        /// Prints lines as they come, or writes them to the file that is named.
        private func lines(_ produce: ((String) -> Void) throws -> Void) throws {
            if output.output == nil { return try produce { Terminal.line($0) } }
            var text = ""
            try produce { text += $0 + "\n" }
            try output.write(text)
        }
    }
}
