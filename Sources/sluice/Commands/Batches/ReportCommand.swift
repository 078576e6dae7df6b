import ArgumentParser
import Ingestion
import Storage
import Tabular

/// `sluice report`: prints the kept report of a batch, as JSON or as one HTML page.
struct ReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Show the kept report of a batch, as JSON or as one HTML page.",
        discussion: """
            The page is self-contained: no script, no external resource, no value of the data. It shows the verdict and its reasons, the \
            scores of all rows with their thresholds, each field against its baseline, what was learnt and would still be detected, the \
            shift of labels, the most frequent findings, and what to do next.

            Example: sluice report BATCH --html --output batch.html --store store
            """)
    @Argument(help: "The id of the batch, the first 6 or more characters of it, or latest.") var batch: String
    @Flag(name: .long, help: "Write one HTML page (default: JSON).") var html = false
    @Option(name: .shortAndLong, help: "Write to this new file (default: standard output).") var output: String?
    @OptionGroup var store: StoreOptions

    /// Reads the sealed report, which needs a key of the store, and prints it.
    func run() async throws {
        ignoreBrokenPipes()
        try await reporting {
            let store = try store.require().proving()
            let batch = try BatchID.resolve(batch, in: store)
            let kept = try store.keptReport(batch)
            let text =
                html
                ? HTMLReport(kept.report, kept.judged, learnt: learnt(batch, store)).page()
                : PrintableText.json(FindingText.messaged(kept.report).text(pretty: true)) + "\n"
            guard let output else { return Terminal.document(text) }
            if exists(output) {
                throw IngestionError(.cannotCreate, "\(output) exists already; remove it, or choose another name")
            }
            try writeDurably(output, Array(text.utf8).span)
            Terminal.line("wrote \(output)")
        }
    }

    /// What the tests had learnt when they judged the batch; a text if that is unavailable, since the page is useful
    /// without it.
    private func learnt(_ batch: String, _ store: Store) -> JSONValue? {
        do throws(IngestionError) { return try store.outlook(ofBatch: batch) } catch {
            return .string("cannot show what was learnt: \(error.description)")
        }
    }
}
