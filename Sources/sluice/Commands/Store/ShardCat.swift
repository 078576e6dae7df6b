import ArgumentParser
import Glibc
import Ingestion
import Sealing
import Storage
import Tabular

extension ShardCommand {
    /// `sluice shard cat`: decrypts sealed files, one after the other; inside a store the ledger records the access
    /// first.
    struct Cat: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "cat",
            abstract: "Decrypt sealed files, one after the other, to standard output or to a file.",
            discussion: """
                Inside a store the ledger first records, in one entry for up to 256 files, which files with how many rows are opened, by \
                whom (uid), and why. Of several CSV files only the first one's header is written; all must have the same one. A pipe or a \
                file gets the exact bytes; on a terminal, control and invisible characters are shown as escapes.

                Example:
                  sluice shard cat store/accepted/orders/BATCH/*.sluice --reason "training" > orders.csv
                """)
        @Argument(help: "The sealed files (.sluice), in this order.") var files: [String]
        @Option(
            name: .shortAndLong,
            help: "Write to this file, which appears once every frame is verified (default: standard output).")
        var output: String?
        @Option(
            name: .long,
            help: "Why, 1 to 1,024 bytes; required inside a store, whose ledger records it, so give no personal data.")
        var reason = ""
        @Option(
            name: .long,
            help: "A pair KEY=VALUE that the sealed context must have, such as dataset=orders; may be repeated.")
        var expect: [String] = []
        @Flag(name: .long, help: "Print each frame once it is verified, without waiting for all files.")
        var stream = false
        @OptionGroup var opening: OpeningOptions

        /// Decrypts to standard output or to a file.
        ///
        /// Without `--stream` all files are verified to their ends before the first byte is written to standard output.
        /// A file gets its name only once everything is verified.
        func run() async throws {
            ignoreBrokenPipes()
            try await reporting {
                let (ring, store) = try opening.ring()
                var wanted: [String: String] = [:]
                for pair in expect {
                    let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
                        String.init)
                    guard parts.count == 2 else { throw IngestionError(.usage, "--expect \(pair): write KEY=VALUE") }
                    wanted[parts[0]] = parts[1]
                }
                if store != nil, reason.isEmpty {
                    throw IngestionError(
                        .usage, "--reason: say why these rows are opened; the ledger of the store records it")
                }
                // One descriptor: what is compared with the record is what is read.
                var admitted: [Store.Admitted] = []
                if let store {
                    for file in files { admitted.append(try store.admit(file)) }
                }
                let (names, opened, expected) = (files, admitted, wanted)
                func forEachPiece(_ body: (Span<UInt8>) throws -> Void) throws(IngestionError) {
                    var joined = JoinedTables()
                    for (place, name) in names.enumerated() {
                        let reader =
                            opened.isEmpty
                            ? try openShard(name, keys: ring, expect: expected)
                            : try openShard(opened[place], keys: ring, expect: expected, calling: name)
                        joined.begin(name, isCSV: reader.info.context["media-type"] == SourceFormat.csv.mediaType)
                        _ = try readShard(reader, path: name) { try joined.take($0, body) }
                        try joined.end()
                    }
                }
                if !stream, output == nil { try forEachPiece { _ in } }
                if let store { try Recorder(store).recordOpening(admitted.map(\.record), reason: reason) }
                for (file, one) in zip(files, admitted) {
                    guard let by = one.supersededBy else { continue }
                    Terminal.remark(
                        "warning: \(file): its batch was superseded by batch \(by); use the shards of that one")
                }
                if let output {
                    let (folder, name) = split(output)
                    var staged = try StagedFile(in: folder, name: name)
                    try forEachPiece { try staged.write($0) }
                    try staged.commit(as: name)
                    try syncFolder(folder)
                } else {
                    // On a terminal, control characters are neutralised; a pipe or file gets the bytes as they are.
                    var shown = StandardStream.output.isTerminal ? PrintableStream() : nil
                    try forEachPiece { span in
                        if let text = shown?.take(span) { return Terminal.write(Array(text.utf8), to: .output) }
                        // A closed pipe, as with `| head`, is no failure.
                        if try !StandardStream.output.write(span) { Glibc.exit(0) }
                    }
                    if let text = shown?.finish() { Terminal.write(Array(text.utf8), to: .output) }
                }
            }
        }
    }
}

/// Joins the plaintexts of several shards: of CSV files with the same header, only the first header is kept.
private struct JoinedTables {
    /// The header of the first CSV file, with its line end, and that file.
    private var header: [UInt8] = []
    private var first = ""
    private var file = ""
    private var state = State.body
    /// Whether the header scanner is inside quotes.
    private var isQuoted = false
    /// Bytes of the header that were compared.
    private var compared = 0

    private enum State {
        /// The header of the first CSV file is passing.
        case learning
        /// The header of another one is compared, and dropped.
        case comparing
        case body
    }

    mutating func begin(_ name: String, isCSV: Bool) {
        file = name
        (compared, isQuoted) = (0, false)
        guard isCSV else {
            state = .body
            return
        }
        state = first.isEmpty ? .learning : .comparing
        if first.isEmpty { first = name }
    }

    /// Passes on a piece of the file.
    mutating func take(_ piece: Span<UInt8>, _ body: (Span<UInt8>) throws -> Void) throws {
        var start = 0
        switch state {
        case .body: break
        case .learning:
            for at in piece.indices where state == .learning {
                header.append(piece[at])
                if piece[at] == 0x22 { isQuoted.toggle() }
                if piece[at] == 0x0A, !isQuoted { state = .body }
            }
        case .comparing:
            while start < piece.count, compared < header.count {
                guard piece[start] == header[compared] else { throw difference }
                start += 1
                compared += 1
            }
            if compared == header.count { state = .body }
        }
        if start < piece.count { try body(piece.extracting(start..<piece.count)) }
    }

    func end() throws(IngestionError) { if state == .comparing, compared < header.count { throw difference } }

    private var difference: IngestionError {
        IngestionError(
            .unreadableData, "\(file): its header is not that of \(first); decrypt files with different columns apart")
    }
}
