import ArgumentParser
import Ingestion
import Sealing
import Tabular

extension KeysCommand {
    /// `sluice keys export`: the store's keys, sealed for a key that is kept elsewhere.
    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "export",
            abstract: "Seal every key of the store into one file, for a recipient whose key is kept elsewhere.",
            discussion: """
                Whoever has the file and the recipient's key can open all that this store sealed and sign its ledger. The ledger records \
                the export. Do it again after keys were generated or replaced, and keep the file apart from backups of the store.

                Example: sluice keys export keys-2026.sluice --recipient escrow-2026

                Exit codes: 0 written · 64 no such recipient · 73 the file exists · 77 a key is missing.
                """)
        @Argument(help: "The new file.") var file: String
        @Option(name: .long, help: "The name of an xwing or rsa recipient of sluice.yaml.") var recipient: String
        @OptionGroup var store: StoreOptions

        /// Writes the file, and names the keys in it.
        func run() async throws {
            try await reporting {
                let keys = try Recorder(try store.require()).exportKeys(for: recipient, to: file)
                Terminal.line("wrote \(file), which the key of \(recipient) opens: \(keys.joined(separator: ", "))")
            }
        }
    }

    /// `sluice keys import`: puts back keys that are missing.
    struct Import: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "import",
            abstract: "Put back the keys of the store that are missing, from a file of sluice keys export.",
            discussion: """
                Only keys that the ledger records are written, and none is replaced.

                Example: sluice keys import keys-2026.sluice --key /media/usb/escrow-2026.xwing

                Exit codes: 0 done · 1 the file is damaged or of another store · 64 no key is given · 66 no such file · 77 the key does \
                not open it, or it has a key that the ledger does not record.
                """)
        @Argument(help: "The file of sluice keys export.") var file: String
        @Option(name: .long, help: "The .xwing file that opens it.") var key: String?
        @Option(name: .long, help: "Or an RSA private key, as NAME=FILE.pem with the recipient's name in sluice.yaml.")
        var privateKey: String?
        @OptionGroup var store: StoreOptions

        func validate() throws {
            if (privateKey == nil) == (key == nil) { throw ValidationError("give either --key or --private-key") }
        }

        /// Writes the missing keys, and names them.
        func run() async throws {
            try await reporting {
                let opening = if let key { try GivenKey.read(key) } else { try GivenKey.read(rsa: privateKey ?? "") }
                let written = try store.require().proving().importKeys(file, with: opening)
                for name in written { Terminal.line("put back keys/\(name)") }
                if written.isEmpty { Terminal.line("no key of the file is missing here") }
            }
        }
    }
}
