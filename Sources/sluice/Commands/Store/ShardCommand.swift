import ArgumentParser
import Cryptography
import Glibc
import Ingestion
import Sealing
import Storage
import Tabular

/// Keys that the command line names by their files.
enum GivenKey {
    /// A key file, whose ending says of which kind it is.
    static func read(_ path: String) throws(IngestionError) -> any WrappingKey {
        do throws(SealingError) {
            guard path.hasSuffix(".\(KeyKind.xwing.rawValue)") else {
                let file = try KeyFile.read(path, kind: .kek)
                return AESWrappingKey(name: file.name, key: file.key)
            }
            return try XWingWrappingKey(privateHalf: try KeyFile.read(path, kind: .xwing))
        } catch { throw IngestionError(error) }
    }

    /// An RSA private key, given as NAME=FILE.pem.
    static func read(rsa pair: String) throws(IngestionError) -> any WrappingKey {
        let parts = pair.split(separator: "=", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { throw IngestionError(.usage, "--private-key: write it as NAME=FILE.pem") }
        do throws(SealingError) {
            return RSAWrappingKey(name: parts[0], key: try readRSAPrivateKey(parts[1]))
        } catch { throw IngestionError(error) }
    }
}

/// Options: the keys that open a shard, from the store or from files.
struct OpeningOptions: ParsableArguments {
    @OptionGroup var store: StoreOptions

    @Option(name: .long, help: "A .kek or .xwing file to decrypt with, outside a store; may be repeated.")
    var key: [String] = []

    @Option(name: .long, help: "An RSA private key to decrypt with, as NAME=FILE.pem; may be repeated.")
    var privateKey: [String] = []

    /// The keys, and the store if one is found.
    ///
    /// Keys given as files take precedence over those of the store.
    ///
    /// - Throws: `notPermitted` when there is no key at all.
    func ring() throws(IngestionError) -> (ring: KeyRing, store: Store?) {
        var keys: [any WrappingKey] = []
        for path in key { keys.append(try GivenKey.read(path)) }
        for pair in privateKey { keys.append(try GivenKey.read(rsa: pair)) }
        let found = try store.find()?.proving()
        if let found, keys.isEmpty { return (try found.keyRing(), found) }
        if keys.isEmpty {
            throw IngestionError(
                .notPermitted,
                "there is no key to decrypt with: give --store DIR, --key FILE.kek or --private-key NAME=FILE.pem")
        }
        return (KeyRing(keys), found)
    }
}

/// `sluice shard`: inspects, decrypts and verifies sealed files.
struct ShardCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shard", abstract: "Inspect, decrypt and verify sealed files.",
        discussion: """
            Sealed files (.sluice) are messages of the AWS Encryption SDK, format 2.0; other software can open them.

            Example:
              sluice shard cat store/accepted/orders/BATCH/*.sluice --reason "training"
            """,
        subcommands: [Info.self, Cat.self, Unwrap.self, Verify.self])

    /// `sluice shard info`: the header, which needs no key and is not authenticated without one.
    struct Info: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "info",
            abstract: "Print the header of a sealed file: suite, recipients, context.",
            discussion: """
                Needs no key, so nothing of it is proven; sluice shard verify proves it.

                Example: sluice shard info store/accepted/orders/BATCH/0.sluice
                """)
        @Argument(help: "The sealed file (.sluice).") var file: String
        @Flag(name: .long, help: "Print JSON.") var json = false

        /// Prints the header: suite, recipients and authenticated data.
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

    /// `sluice shard verify`: decrypts files to their end and prints no data; exits with 1 when one is damaged.
    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify",
            abstract: "Verify sealed files: decrypt every frame, check order and end, print no data.",
            discussion: """
                Example: sluice shard verify store/accepted/orders/BATCH/*.sluice --store store

                Exit codes: 0 all are intact · 1 one is damaged · 77 no key opens one.
                """)
        @Argument(help: "The sealed files (.sluice).") var files: [String]
        @OptionGroup var opening: OpeningOptions

        /// Decrypts each file to its end. Missing keys end the command with 77.
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
                        Terminal.line("ok    \(file)  \(NumberText.number(count)) bytes\(superseded)")
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
