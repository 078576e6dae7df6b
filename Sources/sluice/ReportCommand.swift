import ArgumentParser
import Ingestion
import Storage
import Tabular

/// `sluice report`.
struct ReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Show the report that was kept of a batch: as JSON, or as one page to look at.",
        discussion: """
            The page is self-contained: no script, nothing from elsewhere, no value of the data. It has the verdict and its reasons, how \
            the scores of all rows lie beside their lines, each field beside its baseline, what was learnt of it and would still be \
            seen, the shift of labels, the most frequent findings, and what to do next.
            """)
    @Argument(help: "The batch.") var batch: String
    @Flag(name: .long, help: "One HTML page instead of JSON.") var html = false
    @Option(name: .shortAndLong, help: "Write it to this new file (default: standard output).") var output: String?
    @OptionGroup var store: StoreOptions

    func run() async throws {
        ignoreBrokenPipes()
        try await reporting {
            let store = try store.require().proving()
            let kept = try store.keptReport(batch)
            let text =
                html
                ? HTMLReport(kept.report, kept.judged, learnt: learnt(store)).page()
                : PrintableText.json(Words.messaged(kept.report).text(pretty: true)) + "\n"
            guard let output else { return Terminal.document(text) }
            if exists(output) {
                throw IngestionError(.cannotCreate, "\(output): it is there already; remove it, or choose another name")
            }
            try writeDurably(output, Array(text.utf8).span)
            Terminal.line("wrote \(output)")
        }
    }

    /// What the gate had learnt when it judged the batch; a text where that cannot be said, since the page is worth having without it.
    private func learnt(_ store: Store) -> JSONValue? {
        do throws(IngestionError) { return try store.outlook(ofBatch: batch) } catch {
            return .string("what was learnt is not shown: \(error.description)")
        }
    }
}
