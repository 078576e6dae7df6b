import ArgumentParser
import Ingestion
import Sealing
import Storage

extension KeysCommand {
    /// `sluice keys pair`: a post-quantum recipient whose private half is kept elsewhere.
    struct Pair: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "pair",
            abstract: "Make a post-quantum key pair (X-Wing): the store keeps the public half, you the private one.",
            discussion: """
                The private half opens what is sealed for the pair; keep it off this host. Name the recipient in sluice.yaml as the output \
                shows, beside a key that other software opens, and try the private half: sluice keys drill.

                Example: sluice keys pair escrow-2026 --private /media/usb/escrow-2026.xwing

                Exit codes: 0 made · 64 an impossible name, or a private half inside the store · 73 one of the files exists.
                """)
        @Argument(help: "The recipient's name: letters, digits, dots, - and _.") var name: String
        @Option(name: .long, help: "The new file for the private half, NAME.xwing in a folder outside the store.")
        var `private`: String
        @OptionGroup var store: StoreOptions

        /// Writes both halves, and prints how the recipient is named.
        func run() async throws {
            try await reporting {
                let made = try Recorder(try store.require()).generatePair(name, privatePath: self.private)
                Terminal.line("made \(self.private), the private half: keep it elsewhere; lost keys are lost data")
                Terminal.line("made \(made.publicFile), the public half, fingerprint \(made.fingerprint)")
                Terminal.line("add it to recipients in \(Store.configurationName):")
                Terminal.line("  - xwing: \(name)")
                Terminal.line("    publicKey: \(made.publicFile)")
            }
        }
    }
}
