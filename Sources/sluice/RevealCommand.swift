import ArgumentParser
import Ingestion
import Storage

/// `sluice reveal`.
struct RevealCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reveal",
        abstract: "Read values back that operator encrypt has written. The ledger records it first.",
        discussion: """
            Values are arguments, or lines of standard input when there are none. The answer is a line for each, as the value was; a \
            line that the key does not open is empty, and standard error says which.

            Exit codes: 0 all were opened · 1 some were not.
            """)

    @Argument(help: "Encrypted values, as they stand in a shard.")
    var values: [String] = []

    @Option(name: .long, help: "The token key that the contract names.")
    var key: String

    @Option(name: .long, help: "The contract's prefix before such values.")
    var prefix = ""

    @Option(
        name: .long, help: "Whom they are about, where the contract says perSubject: the subject's value as it came in."
    )
    var subject: String?

    @Option(name: .long, help: "Why; it is recorded.")
    var reason: String

    @OptionGroup var store: StoreOptions

    func validate() throws {
        if reason.isEmpty { throw ValidationError("--reason must say why") }
    }

    func run() async throws {
        ignoreBrokenPipes()
        var missed = false
        try await reporting {
            let store = try store.require()
            var asked = values
            if asked.isEmpty { while let line = readLine() { asked.append(line) } }
            let opened = try store.reveal(
                asked, key: key, prefix: prefix, subject: subject, reason: reason, try Recorder(store))
            for (number, value) in opened.enumerated() {
                if value == nil {
                    missed = true
                    Terminal.remark(
                        "value \(number + 1): not written with this key, prefix and subject, or changed since")
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
