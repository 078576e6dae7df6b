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

/// The output format of scores.
enum ScoreFormat: String, ExpressibleByArgument, CaseIterable {
    /// One line a row: number, score, largest |M| and its field (RFC 4180).
    case csv
    /// One JSON document a line.
    case ndjson
}

extension ScoreMethod: ExpressibleByArgument {}

/// `sluice score`: the anomaly score of each row against the file itself.
struct ScoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "score",
        abstract: "Score how unusual each row of a file is among the others.",
        discussion: """
            Prints one line a row: the score (higher is more unusual), the largest absolute modified z-score, and the field that \
            has it. Needs no store.

            Example: sluice score sensors.csv | sort -t, -k2 -rg | head
            """)

    @Argument(
        help:
            "A CSV or JSON file, plain or compressed; - is standard input. Without a contract its numeric columns are scored."
    )
    var file: String

    @Option(
        name: .long,
        help:
            "ensemble: mean rank of isolation forest, histograms and nearest rows; forest: the isolation forest alone."
    )
    var method = ScoreMethod.ensemble

    @Option(
        name: .long, help: "Features that a split of the forest combines, 1 to 3; 1 is the classical forest.")
    var ndim = 3

    @Option(name: .long, help: "The output format.")
    var format = ScoreFormat.csv

    @OptionGroup var reading: ReadingOptions

    /// Refuses a number of dimensions that the forest does not support.
    func validate() throws {
        if !(1...3).contains(ndim) { throw ValidationError("--ndim must be 1, 2 or 3") }
    }

    /// Scores the file and prints rows as they are scored. Columns are inferred without a contract.
    func run() async throws {
        ignoreBrokenPipes()
        try await reporting {
            var options = try reading.options(for: file)
            var reading = reading
            if reading.schema == nil {
                if !reading.infer {
                    Terminal.remark("no contract given: numeric columns are inferred from the file")
                }
                reading.infer = true
            }
            var (schema, _, _) = try reading.contract(
                for: BatchInput(file: file), dataset: nil, store: nil, adoptsDialect: true, options: &options)
            schema.forest.dimensions = ndim
            var heading = format == .csv ? "row,score,max_abs_m,field\n" : ""
            let names = schema.fields.map(\.name)
            let isCSV = format == .csv
            try await scoreRows(file, schema: schema, options: options, method: method) { rows in
                // Written with the first rows, so that a failure before them does not begin a table.
                var text = heading
                heading = ""
                for row in rows {
                    let score = row.score.isNaN ? "" : NumberText.short(row.score, 6)
                    let field = names.name(ofField: row.field) ?? ""
                    if isCSV {
                        text +=
                            "\(row.row),\(score),\(row.modifiedZ.isNaN ? "" : NumberText.short(row.modifiedZ, 4)),\(Self.quoted(field))\n"
                    } else {
                        let document = JSONValue.object([
                            "row": .integer(Int64(row.row)), "score": row.score.isNaN ? .null : .number(row.score),
                            "max_abs_m": row.modifiedZ.isFinite ? .number(row.modifiedZ) : .null,
                            "field": .string(field),
                        ])
                        text += PrintableText.json(document.text(pretty: false)) + "\n"
                    }
                }
                Terminal.document(text)
            }
            Terminal.document(heading)
        }
    }

    /// A CSV cell, quoted where needed (RFC 4180).
    private static func quoted(_ text: String) -> String {
        let needs = text.utf8.contains { $0 == 0x2C || $0 == 0x22 || $0 == 0x0A || $0 == 0x0D }
        return needs ? "\"" + text.replacing("\"", with: "\"\"") + "\"" : text
    }
}
