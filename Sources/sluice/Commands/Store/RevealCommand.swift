import ArgumentParser
import Ingestion
import Storage

/// `sluice reveal`: decrypts values that the `encrypt` operator masked. The ledger records the access first.
struct RevealCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reveal",
        abstract: "Decrypt values that the masking operator `encrypt` wrote; the ledger records it first.",
        discussion: """
            Prints one line for each value. A value that the key does not decrypt gives an empty line, and a message on standard \
            error names it.

            Example: sluice reveal VALUE --key customers --reason "ticket 4711"

            Exit codes: 0 all values were decrypted · 1 some were not.
            """)

    @Argument(help: "Encrypted values, as a shard has them (default: the lines of standard input).")
    var values: [String] = []

    @Option(name: .long, help: "The name of the token key in the contract.")
    var key: String

    @Option(name: .long, help: "The prefix that the contract puts before such values (default: none).")
    var prefix = ""

    @Option(
        name: .long, help: "The subject's original value, if the contract encrypts per subject (perSubject)."
    )
    var subject: String?

    @Option(name: .long, help: "Why; the ledger records it, so give no personal data.")
    var reason: String

    @OptionGroup var store: StoreOptions

    /// Refuses an empty reason, since the ledger records it.
    func validate() throws {
        if reason.isEmpty { throw ValidationError("--reason must not be empty: the ledger records it") }
    }

    /// Decrypts values from arguments or standard input, one a line. Exits with 1 when the key does not open one of
    /// them.
    func run() async throws {
        ignoreBrokenPipes()
        var missed = false
        try await reporting {
            let store = try store.require()
            var asked = values
            if asked.isEmpty { while let line = readLine() { asked.append(line) } }
            let opened = try Recorder(store).reveal(
                asked, key: key, prefix: prefix, subject: subject, reason: reason)
            for (number, value) in opened.enumerated() {
                if value == nil {
                    missed = true
                    Terminal.remark(
                        "value \(number + 1): not encrypted with this key, prefix and subject, or changed since")
                }
                if StandardStream.output.isTerminal {
                    Terminal.line(String(decoding: value ?? [], as: UTF8.self))
                } else {
                    Terminal.write((value ?? []) + [0x0A], to: .output)
                }
            }
        }
        if missed { throw ExitCode(1) }
    }
}
