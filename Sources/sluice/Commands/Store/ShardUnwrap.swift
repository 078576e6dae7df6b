import ArgumentParser
import Cryptography
import Ingestion
import Lineage
import Storage
import Tabular

extension ShardCommand {
    /// `sluice shard unwrap`: gives the data keys of sealed files to a program that reads them itself; the ledger records the access first.
    struct Unwrap: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "unwrap",
            abstract:
                "Give the data keys of accepted shards to a program that opens them itself; the ledger records it first.",
            discussion: """
                For readers such as the Python package. One line of JSON a file: path, file_sha256, message_id, and data_key in Base64. A \
                data key opens that one file; wrapping keys are never given out. The ledger records, before the first line, which files \
                with how many rows are opened, by whom (uid), and why. The lines go to a pipe or file only, never to a terminal.

                Example: sluice shard unwrap --dataset orders --reason "training v7" | python3 train.py
                """)
        @Option(name: .long, help: "Every accepted shard of this dataset.") var dataset: String?
        @Option(
            name: .long,
            help: "With --dataset: only shards of ledger entries from this number on, such as the size of a checkpoint."
        )
        var since = 0
        @Option(
            name: .long,
            help: "A file with the SHA-256 of each recorded file that is to be opened, one a line; - is standard input."
        )
        var digests: String?
        @Option(name: .long, help: "Why, 1 to 1,024 bytes; the ledger records it, so give no personal data.")
        var reason: String
        @OptionGroup var store: StoreOptions

        /// Refuses what names no file, or names them twice.
        func validate() throws {
            if (dataset == nil) == (digests == nil) {
                throw ValidationError("name the files with --dataset or --digests, one of both")
            }
            if since != 0, dataset == nil { throw ValidationError("--since goes with --dataset") }
            if since < 0 { throw ValidationError("--since is the number of a ledger entry") }
        }

        /// Records the access and prints the keys.
        func run() async throws {
            ignoreBrokenPipes()
            try await reporting {
                if StandardStream.output.isTerminal {
                    throw IngestionError(
                        .usage, "data keys are not printed to a terminal; give standard output a pipe or a file")
                }
                let store = try store.require(dataset: dataset).proving()
                var files: [PublishedFile] = []
                if let dataset {
                    files = try store.acceptedShards(of: dataset, since: since)
                } else {
                    for digest in try asked() { files.append(try store.recordedFile(digest)) }
                }
                if files.isEmpty { return }
                let keys = try Recorder(store).unwrapKeys(of: files, with: store.keyRing(), reason: reason)
                for key in keys {
                    let line = key.dataKey.withWipedCopy { bytes in
                        JSONValue.object([
                            "path": .string(key.file.place), "file_sha256": .string(key.file.digest),
                            "message_id": .string(key.messageID), "data_key": .string(base64(bytes)),
                        ]).text(pretty: false)
                    }
                    Terminal.line(line)
                }
            }
        }

        /// The digests of the named file or of standard input.
        private func asked() throws -> [String] {
            var lines: [String] = []
            if digests == "-" {
                while let line = readLine() { lines.append(line) }
            } else if let digests {
                let bytes = try FileDescriptor.openRegular(digests).readAll(max: 1 << 28)
                lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
            }
            return lines.map { $0.filter { !$0.isWhitespace } }.filter { !$0.isEmpty }
        }
    }
}
