import ArgumentParser
import Cryptography
import Ingestion
import Reading
import Schemas
import Screening
import Sealing
import Sketches
import Storage
import Tabular

/// `sluice init`: creates a store.
struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Make a store: configuration, example contract, keys, empty ledger.",
        discussion: """
            Copy the folder keys/ to a safe place afterwards: without the keys nobody can open a shard.

            Example: sluice init store
            """)

    @Argument(help: "The folder of the new store; it is made if it does not exist.")
    var folder: String = "."

    /// Creates the store and prints the next steps. The verifier key is pinned for this user.
    func run() async throws {
        try await reporting {
            let store = try Store.create(folder)
            Terminal.line("made a store in \(folder)")
            Terminal.line("  sluice.yaml                  configuration: datasets, sources, recipients of shards")
            Terminal.line("  schemas/example.schema.yaml  an example contract")
            Terminal.line("  keys/                        main.kek, ledger.signing, tokens.token, store.store")
            Terminal.line("  ledger.sqlite                the signed record, \(store.configuration.origin)")
            Terminal.line("")
            Terminal.line(
                "Copy keys/ to a safe place now: without the keys nobody can open a shard.")
        }
    }
}
