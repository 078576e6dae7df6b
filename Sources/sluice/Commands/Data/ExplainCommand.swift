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

/// `sluice explain`: the catalogue's entry for a finding code, or a list of all codes.
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Explain a finding code: what it means, an example, what to do.",
        discussion: """
            Examples: sluice explain too-many-quarantined
            sluice explain --settings
            """)
    @Argument(help: "A finding code, such as type-error; without one, all codes are listed.") var code: String?
    @Flag(help: "List the keys of sluice.yaml and those under sluice: in a contract instead.") var settings = false
    @Flag(help: "Print JSON: of a code also its stage and class.") var json = false

    /// Refuses a code beside `--settings`.
    func validate() throws {
        if settings, code != nil { throw ValidationError("--settings lists all keys; leave the code out") }
    }

    /// Prints the entry. An unknown code gets a suggestion and exit code 64.
    func run() throws {
        if settings {
            let entries = SettingCatalogue.all
            return json
                ? Terminal.json(.array(entries.map(\.document))) : Terminal.report(entries.map(\.line))
        }
        guard let code else {
            if json { return Terminal.json(.array(FindingCatalogue.all.map(\.document))) }
            for entry in FindingCatalogue.all.sorted(by: { $0.code < $1.code }) {
                Terminal.line("\(entry.code.rawValue): \(entry.title)")
            }
            return
        }
        guard let known = FindingCode(rawValue: code) else {
            let near =
                suggestion(for: code, among: FindingCode.allCases.map(\.rawValue)).map { "; did you mean \($0)?" } ?? ""
            Terminal.complain("there is no finding code \(code)\(near.isEmpty ? "; sluice explain lists all" : near)")
            throw ExitCode(64)
        }
        let entry = FindingCatalogue.entry(known)
        if json { return Terminal.json(entry.document) }
        Terminal.line("\(code): \(entry.title)")
        let parts = [("what", entry.what), ("example", entry.example), ("do", entry.cure)]
        Terminal.report(parts.map { "  \($0.0)  \($0.1)" })
    }
}
