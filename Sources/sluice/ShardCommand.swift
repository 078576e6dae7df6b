import ArgumentParser
import Cryptography
import Glibc
import Ingestion
import Sealing
import Storage
import Tabular

/// Keys for opening a shard: the store's, or files given by hand.
struct OpeningOptions: ParsableArguments {
    @OptionGroup var store: StoreOptions

    @Option(name: .long, help: "A .kek file to open with, outside a store; may be repeated.")
    var key: [String] = []

    @Option(name: .long, help: "An RSA private key, as NAME=FILE.pem.")
    var privateKey: [String] = []

    /// The keys, and the store they are of if they are.
    func ring() throws(IngestionError) -> (ring: KeyRing, store: Store?) {
        var keys: [WrappingKey] = []
        do throws(SealingError) {
            for path in key {
                let file = try KeyFile.read(path, kind: .kek)
                keys.append(.aes(name: file.name, key: file.key))
            }
            for pair in privateKey {
                let parts = pair.split(separator: "=", maxSplits: 1).map(String.init)
                guard parts.count == 2 else {
                    throw SealingError(.malformedKeyFile, "use key", subject: pair, cause: "write it as NAME=FILE.pem")
                }
                keys.append(.rsa(name: parts[0], key: try readRSAPrivateKey(parts[1])))
            }
        } catch {
            throw IngestionError(error)
        }
        let found = try store.find()?.proving()
        if let found, keys.isEmpty { return (try found.keyRing(), found) }
        if keys.isEmpty {
            throw IngestionError(
                .notPermitted, "no keys: give --store DIR, or --key FILE.kek, or --private-key NAME=FILE.pem")
        }
        return (KeyRing(keys), found)
    }
}

/// `sluice shard`.
struct ShardCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shard", abstract: "Look at, open and verify sealed files.",
        subcommands: [Info.self, Cat.self, Verify.self])

    /// `sluice shard info`.
    struct Info: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "What a sealed file says of itself; needs no key, so it proves nothing.")
        @Argument var file: String
        @Flag(name: .long, help: "As JSON.") var json = false

        func run() async throws {
            try await reporting {
                let descriptor = try FileDescriptor.openRegular(file)
                let info: MessageInfo
                do throws(SealingError) { info = try MessageReader.inspect(.file(descriptor)) } catch {
                    throw IngestionError(.damaged, "\(file): \(error.description)")
                }
                if json {
                    let document = JSONValue.object([
                        "suite": .string(hex([UInt8(info.suite.rawValue >> 8), UInt8(info.suite.rawValue & 0xFF)])),
                        "message_id": .string(hex(info.messageID)), "frame_length": .integer(Int64(info.frameLength)),
                        "commitment": .string(hex(info.commitment)),
                        "context": .object(info.context.mapValues { .string($0) }),
                        "recipients": .array(
                            info.recipients.map {
                                .object(["provider": .string($0.provider), "key": .string($0.keyName)])
                            }),
                    ])
                    Terminal.json(document)
                    return
                }
                Terminal.line(
                    "aws encryption sdk message 2.0, suite 0x0\(String(info.suite.rawValue, radix: 16)), "
                        + "frames of \(info.frameLength) bytes"
                )
                Terminal.line("message id  \(hex(info.messageID))")
                for recipient in info.recipients {
                    Terminal.line("opens with  \(recipient.provider):\(recipient.keyName)")
                }
                for (key, value) in info.context.sorted(by: { $0.key < $1.key }) {
                    Terminal.line("  \(key) = \(value)")
                }
            }
        }
    }

    /// `sluice shard cat`.
    struct Cat: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Decrypt a sealed file to standard output or a file; inside a store this is recorded first.",
            discussion: "A pipe or a file gets the very bytes. On a terminal what is hidden in them shows as \\xNN.")
        @Argument var file: String
        @Option(name: .shortAndLong, help: "Write to this file instead; it appears only when all of it is proven.")
        var output: String?
        @Option(name: .long, help: "Why it is opened; kept in the ledger.") var reason = ""
        @Option(name: .long, help: "A pair KEY=VALUE that the file must carry, such as dataset=orders.")
        var expect: [String] = []
        @Flag(name: .long, help: "Print frames as they are proven one by one, before the whole file is.") var stream =
            false
        @OptionGroup var opening: OpeningOptions

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
                // One descriptor: what is recorded is what is examined, and what is read.
                let admitted = try store?.admit(file)
                func open() throws(IngestionError) -> MessageReader {
                    guard let admitted else { return try openShard(file, keys: ring, expect: wanted) }
                    return try openShard(admitted, keys: ring, expect: wanted, calling: file)
                }
                if !stream, output == nil { _ = try readShard(try open(), path: file) { _ in } }
                let reader = try open()
                if let store, let admitted { try Recorder(store).recordOpening(admitted.digest, reason: reason) }
                if let by = admitted?.supersededBy {
                    Terminal.remark("\(file): its batch was superseded by batch \(by), whose shards count now")
                }
                if let output {
                    let (folder, name) = split(output)
                    var staged = try StagedFile(in: folder, name: name)
                    _ = try readShard(reader, path: file) { try staged.write($0) }
                    try staged.commit(as: name)
                    try syncFolder(folder)
                } else {
                    // On a terminal nothing of it may move the cursor; a pipe or file gets the bytes as they are.
                    var shown = StandardStream.output.isTerminal ? PrintableStream() : nil
                    _ = try readShard(reader, path: file) { span in
                        if let text = shown?.take(span) { return Terminal.write(Array(text.utf8), to: .output) }
                        // Nobody reads any more: `| head` is no failure.
                        if try !StandardStream.output.write(span) { Glibc.exit(0) }
                    }
                    if let text = shown?.finish() { Terminal.write(Array(text.utf8), to: .output) }
                }
            }
        }
    }

    /// `sluice shard verify`.
    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Decrypt sealed files to nowhere: every frame, the order, the end.")
        @Argument var files: [String]
        @OptionGroup var opening: OpeningOptions

        func run() async throws {
            var bad = 0
            try await reporting {
                let (ring, store) = try opening.ring()
                for file in files {
                    do throws(IngestionError) {
                        let admitted = try store?.admit(file)
                        let reader =
                            if let admitted { try openShard(admitted, keys: ring, calling: file) } else {
                                try openShard(file, keys: ring)
                            }
                        let count = try readShard(reader, path: file) { _ in }
                        let superseded = admitted?.supersededBy.map { "  superseded by batch \($0)" } ?? ""
                        Terminal.line("ok    \(file)  \(Words.number(count)) bytes\(superseded)")
                    } catch {
                        if error.code != .damaged { throw error }
                        bad += 1
                        Terminal.line("BAD   \(error.description)")
                    }
                }
            }
            if bad > 0 { throw ExitCode(1) }
        }
    }
}
