import ArgumentParser
import Cryptography
import Ingestion
import Lineage
import Sealing
import Storage

extension KeyKind: ExpressibleByArgument {}

/// `sluice keys`.
struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Make, list and check the store's keys.",
        subcommands: [Generate.self, List.self, Check.self])

    /// `sluice keys generate`.
    struct Generate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Make a key; never replaces one.")
        @Option(name: .long, help: "kek, signing, token or store.") var kind: KeyKind
        @Option(name: .long, help: "The key's name.") var name: String
        @OptionGroup var store: StoreOptions

        func run() async throws {
            try await reporting {
                let recorder = try Recorder(try store.require())
                let key = try recorder.generateKey(kind, name)
                Terminal.line("made keys/\(name).\(kind.rawValue), fingerprint \(key.fingerprint(name: name))")
                Terminal.line("lost keys are lost data: copy it to a safe place")
            }
        }
    }

    /// `sluice keys list`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "List the keys: names and fingerprints, never the keys; and the ledger's verifier key, which is public."
        )
        @OptionGroup var store: StoreOptions

        func run() async throws {
            try await reporting {
                // Beside the record: a planted key is refused, and the verifier key that people keep is the ledger's own.
                let store = try store.require().proving()
                for kind in KeyKind.allCases {
                    for name in try store.keyNames(kind) {
                        let key = try store.key(kind, name)
                        Terminal.columns([kind.rawValue, name, key.fingerprint(name: name)])
                    }
                }
                _ = try store.signingKey()
                Terminal.columns(["verifier", "ledger", "\(try store.verifier())"])
            }
        }
    }

    /// `sluice keys check`.
    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check that every key is readable, whole, and closed to all others.")
        @OptionGroup var store: StoreOptions

        func run() async throws {
            var failures = 0
            try await reporting {
                let store = try store.require().proving()
                for kind in KeyKind.allCases {
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
                for found in try store.examineRecordedKeys() where found.grade == .bad {
                    failures += 1
                    Terminal.line("BAD   \(found.finding)")
                }
                for (kind, name) in [(KeyKind.signing, store.configuration.signingKey), (.store, "store")]
                where try !store.keyNames(kind).contains(name) {
                    failures += 1
                    Terminal.line(
                        "BAD   keys/\(name).\(kind.rawValue) is missing; restore it from your copy: nothing can replace it"
                    )
                }
                for dataset in [""] + store.configuration.datasets.keys.sorted() {
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
