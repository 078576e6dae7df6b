import ArgumentParser
import Cryptography
import Ingestion
import Lineage
import Sealing
import Storage

extension KeyKind: ExpressibleByArgument {
    /// The kind of this name, of those that a store makes for itself.
    public init?(argument: String) {
        guard let kind = Self.ofStore.first(where: { $0.rawValue == argument }) else { return nil }
        self = kind
    }

    /// Their names.
    public static var allValueStrings: [String] { ofStore.map(\.rawValue) }
}

/// `sluice keys`: the keys of a store.
struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Generate, list, check, replace and destroy the keys of the store.",
        discussion: """
            Example: sluice keys check --store store
            """,
        subcommands: [
            Generate.self, Pair.self, List.self, Check.self, Rotate.self, Rewrap.self, Shred.self, Drill.self,
            Export.self, Import.self, Public.self,
        ])

    /// `sluice keys generate`: makes a key and records its identity in the ledger.
    struct Generate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "generate",
            abstract: "Generate a key; an existing key is never replaced.",
            discussion: """
                Example: sluice keys generate --kind token --name customers
                """)
        @Option(
            name: .long,
            help:
                "kek (opens shards), signing (ledger), mldsa (a second signature), token (tokenize, encrypt) or store (its secrets)."
        )
        var kind: KeyKind
        @Option(
            name: .long,
            help:
                "The name of the key: letters, digits, dots, - and _; of a token key that a contract names, 1 to 64 without dots."
        )
        var name: String
        @OptionGroup var store: StoreOptions

        /// Generates and records the key; a name that was ever used is refused.
        func run() async throws {
            try await reporting {
                let recorder = try Recorder(try store.require())
                let key = try recorder.generateKey(kind, name)
                Terminal.line("made keys/\(name).\(kind.rawValue), fingerprint \(key.fingerprint(name: name))")
                Terminal.line("copy it to a safe place now: lost keys are lost data")
            }
        }
    }

    /// `sluice keys list`: names and fingerprints, never a key.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract:
                "List kind, name and fingerprint of each key and recipient, and the ledger's public verifier key.",
            discussion: """
                No secret is printed. Keep the verifier key outside the store: sluice lineage verify --vkey needs it.

                Example: sluice keys list --store store
                """)
        @OptionGroup var store: StoreOptions

        /// Prints kind, name and fingerprint of each key, then the verifier key.
        func run() async throws {
            try await reporting {
                // With the record, so that a planted key is refused. The verifier key is that of the ledger itself.
                let store = try store.require().proving()
                for kind in KeyKind.ofStore {
                    for name in try store.keyNames(kind) {
                        let key = try store.key(kind, name)
                        Terminal.columns([kind.rawValue, name, key.fingerprint(name: name)])
                    }
                }
                let elsewhere = store.recipientsElsewhere()
                for (kind, name, key) in elsewhere {
                    if case .success(let fingerprint) = key { Terminal.columns([kind, name, fingerprint]) }
                }
                _ = try store.signingKey()
                Terminal.columns(["verifier", "ledger", "\(try store.verifier())"])
                if let second = try store.postQuantumVerifier() {
                    Terminal.columns(["verifier", "post-quantum", "\(second)"])
                }
                for (_, _, key) in elsewhere { _ = try key.get() }
            }
        }
    }

    /// `sluice keys public`: the public half of a signing key.
    struct Public: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "public",
            abstract: "Print the public half of a signing key in PEM, for those who check what it signs.",
            discussion: """
                Such as cosign and securesystemslib, for the statements of sluice lineage export --format intoto.

                Example: sluice keys public --name attest > attest.pem

                Exit codes: 0 printed · 77 there is no such key.
                """)
        @Option(name: .long, help: "The name of a key of kind signing.") var name: String
        @OptionGroup var store: StoreOptions

        /// Prints the key.
        func run() async throws {
            ignoreBrokenPipes()
            try await reporting {
                Terminal.document(try store.require().proving().signingKey(named: name).publicPEM)
            }
        }
    }

    /// `sluice keys check`: reads every key and compares it with the record; exits with 77 when one fails.
    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check",
            abstract: "Check that every key is present, intact and readable by its owner only.",
            discussion: """
                Example: sluice keys check --store store

                Exit codes: 0 all is well · 77 a key is missing, damaged, replaced or open to others.
                """)
        @OptionGroup var store: StoreOptions

        /// Checks each key, each recorded key that is missing, and the recipients of every dataset.
        func run() async throws {
            var failures = 0
            try await reporting {
                let store = try store.require().proving()
                for kind in KeyKind.ofStore {
                    for name in try store.keyNames(kind) {
                        do throws(IngestionError) {
                            _ = try store.key(kind, name)
                            Terminal.line("ok    keys/\(name).\(kind.rawValue)")
                        } catch {
                            failures += 1
                            Terminal.line("BAD   keys/\(name).\(kind.rawValue): \(error.description)")
                        }
                    }
                }
                for (kind, name, key) in store.recipientsElsewhere() {
                    if case .success = key { Terminal.line("ok    recipient \(kind): \(name)") }
                }
                // A missing key is named once, whatever needs it.
                var missing = Set<String>()
                func miss(_ file: String) {
                    guard !store.keyFolders.has(file), missing.insert(file).inserted else { return }
                    failures += 1
                    Terminal.line("BAD   keys/\(file) is missing; copy it back from your copy of keys/")
                }
                for found in try store.examineRecordedKeys() where found.grade == .bad {
                    failures += 1
                    if let file = found.missingKey { missing.insert(file) }
                    Terminal.line("BAD   \(found.finding); \(found.cure)")
                }
                let second = store.configuration.postQuantumKey.map { "\($0).mldsa" }
                for file in ["\(store.configuration.signingKey).signing", "store.store"] + (second.map { [$0] } ?? []) {
                    miss(file)
                }
                for dataset in [""] + store.configuration.datasets.keys.sorted() {
                    let files = store.recipientFiles(of: dataset)
                    files.forEach(miss)
                    if files.contains(where: missing.contains) { continue }
                    do throws(IngestionError) { _ = try store.recipients(of: dataset) } catch {
                        failures += 1
                        let whose = dataset.isEmpty ? "the store" : "dataset \(dataset)"
                        Terminal.line("BAD   recipients of \(whose): \(error.description)")
                    }
                }
            }
            if failures > 0 { throw ExitCode(77) }
        }
    }
}
