import ArgumentParser
import Ingestion
import Reading
import Recognition
import Schemas
import Sketches
import Storage
import Tabular

/// `sluice scan`: finds columns with personal data and proposes masking rules. It writes nothing and never prints a
/// value.
struct ScanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scan",
        abstract: "Find the columns with personal data, and propose lines for the contract.",
        discussion: """
            A column gets an entity if at least 20 % of at least 100 values match it as a whole. With --schema only columns that the \
            contract does not declare are searched. Writes nothing, and never prints a value.

            Examples:
              sluice scan customers.csv
              sluice scan customers.csv --schema customers.yaml --format json

            Exit codes: 0 no undeclared personal data · 1 some was found.
            """)

    /// The output format. `spans` prints the place of every match, one JSON document a line.
    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json, spans }

    @Argument(help: "A CSV or JSON file, plain or compressed, or a folder or list of files; - is standard input.")
    var file: String

    @Option(
        name: .long,
        help:
            "The output format; spans is one JSON object a match: row, column, bytes in the value, entity and score."
    )
    var format = Format.text

    @OptionGroup var reading: ReadingOptions

    /// Validates the file with every search enabled, and exits with 1 when anything was found.
    func run() async throws {
        ignoreBrokenPipes()
        keepFreedMemory()
        var found = false
        try await reporting {
            let input = try BatchInput(file)
            var options = try reading.options(for: input.files[0])
            options.mode = .validate
            options.listed = 0
            options.detectionsListed = format == .spans ? .max : 0
            let progress = Progress(isQuiet: false, phases: ["scanning"], clock: { Clock.monotonic() })
            defer { progress?.clear() }
            if let progress { options.progress = { progress.show(rows: $0, bytes: $1, total: $2 / 2) } }
            var asked = reading
            asked.infer = true
            var (schema, document, _) = try asked.contract(
                for: input, dataset: nil, store: nil, adoptsDialect: true, options: &options)
            // Everything is searched, whatever the outcome of a row. Without a contract every column is searched as
            // text, whatever type its values suggest.
            if reading.schema == nil {
                schema.fields = schema.fields.map { inferred in
                    var field = Field(name: inferred.name, type: .string(.default))
                    field.column = inferred.column
                    return field
                }
            }
            if schema.undeclaredPII == .allow { schema.undeclaredPII = .mask }
            let report = try await Pipeline(store: nil, writes: false).run(
                BatchRequest(
                    input, schema: schema, contract: document, dataset: schema.name, source: "", options: options))
            progress?.clear()
            found =
                report.columns.contains { !$0.wholes.isEmpty || !$0.inside.isEmpty }
                || report.findings.count(.secret) > 0
                || report.findings.count(.undeclaredPII) > 0
            switch format {
            case .text: text(report)
            case .json: Terminal.json(self.document(report), pretty: false)
            case .spans: spans(report)
            }
        }
        if found { throw ExitCode(1) }
    }

    /// The columns with their entities, and proposed lines of a contract.
    private func text(_ report: BatchReport) {
        let secrets = report.findings.count(.secret)
        let unknown = report.findings.sorted.reduce(0) { sum, entry in
            sum + (entry.kind.code == .undeclaredPII && entry.kind.field == nil ? entry.tally.count : 0)
        }
        let holding = report.columns.filter { !$0.wholes.isEmpty || !$0.inside.isEmpty }
        if report.rows == 0 {
            Terminal.line("\(report.name): no row could be searched, so this says nothing about personal data")
            return propose(report.unmasked)
        }
        Terminal.line(
            "\(report.name): \(NumberText.number(report.rows)) rows, \(report.columns.count) columns searched"
        )
        if secrets > 0 {
            Terminal.line("found credentials in \(NumberText.number(secrets)) values: have their owners revoke them")
            for (kind, tally) in report.findings.sorted where kind.code == .secret {
                let field = report.fields.name(ofField: kind.field)
                let rows = tally.firstRows.map(String.init).joined(separator: ", ")
                Terminal.line(
                    "  \(FindingText.place(field, kind.rule)): \(NumberText.number(tally.count)), first in rows \(rows)"
                )
            }
        }
        if unknown > 0 {
            Terminal.line(
                "found personal data in \(NumberText.number(unknown)) places of columns or members that the contract does not name"
            )
        }
        let known = Set(holding.map(\.label))
        let named = report.unmasked.filter { !known.contains($0.label) }
        if holding.isEmpty {
            if secrets + unknown == 0 {
                Terminal.line(
                    "no personal data found by form; names and addresses in free text have no form and are not found")
            }
            return propose(named)
        }
        Terminal.line("")
        for column in holding {
            let share = { (count: Int) in NumberText.percent(Double(count) / Double(max(column.values, 1))) }
            var line = "  \(column.label): "
            if let verdict = column.verdict, verdict != column.wholes.first?.entity { line += "\(verdict.name), " }
            let wholes = column.wholes.map {
                "\($0.entity.name) is the whole of \(NumberText.count($0.count, "value")) (\(share($0.count)))"
            }
            let inside = column.inside.map {
                "\($0.entity.name) is in \(NumberText.count($0.count, "value")) (\(share($0.count)))"
            }
            Terminal.line(line + (wholes + inside).joined(separator: " · "))
        }
        Terminal.line("")
        Terminal.line("lines for the contract (choose the operators; tokenize needs a key):")
        Terminal.line("")
        for column in holding { Terminal.line(proposal(column)) }
        propose(named)
    }

    /// Proposals for columns that only their names suggest.
    private func propose(_ columns: [UnmaskedColumn]) {
        if columns.isEmpty { return }
        Terminal.line("")
        Terminal.line("columns whose names alone suggest personal data:")
        Terminal.line("")
        for column in columns { Terminal.line(line(column.label, entity: column.entity)) }
    }

    /// One line of a contract that masks a column.
    private func line(_ label: String, entity: Entity) -> String {
        let name = PrintableText.json(JSONValue.string(label).text(pretty: false))
        return "  - { name: \(name), sluice: { pii: { entity: \(entity.name), operator: replace } } }"
    }

    /// The contract's line for a column.
    private func proposal(_ column: PersonalColumn) -> String {
        if let entity = column.verdict { return line(column.label, entity: entity) }
        let name = PrintableText.json(JSONValue.string(column.label).text(pretty: false))
        let names = Set((column.wholes + column.inside).map(\.entity)).sorted { $0.rawValue < $1.rawValue }.map(\.name)
        return "  - { name: \(name), sluice: { pii: { scan: true, entities: [\(names.joined(separator: ", "))] } } }"
    }

    /// The result as a document.
    private func document(_ report: BatchReport) -> JSONValue {
        func counts(_ list: [(entity: Entity, count: Int)]) -> JSONValue {
            .object(Dictionary(uniqueKeysWithValues: list.map { ($0.entity.name, .integer(Int64($0.count))) }))
        }
        return .object([
            "file": .string(report.name), "credentials": .integer(Int64(report.findings.count(.secret))),
            "secrets": .array(
                report.findings.sorted.filter { $0.kind.code == .secret }.map { kind, tally in
                    .object([
                        "name": report.fields.name(ofField: kind.field).map { .string($0) } ?? .null,
                        "kind": .string(kind.rule ?? ""), "values": .integer(Int64(tally.count)),
                        "firstRows": .array(tally.firstRows.map { .integer(Int64($0)) }),
                    ])
                }),
            "rows": .integer(Int64(report.rows)),
            "named": .array(
                report.unmasked.map { .object(["name": .string($0.label), "entity": .string($0.entity.name)]) }),
            "columns": .array(
                report.columns.map { column in
                    .object([
                        "name": .string(column.label), "column": .integer(Int64(column.column)),
                        "values": .integer(Int64(column.values)),
                        "entity": column.verdict.map { .string($0.name) } ?? .null,
                        "whole": counts(column.wholes), "inside": counts(column.inside),
                    ])
                }),
        ])
    }

    /// The place of every match, one document a line.
    private func spans(_ report: BatchReport) {
        let labels = Dictionary(uniqueKeysWithValues: report.columns.map { ($0.column, $0.label) })
        for detection in report.detections {
            Terminal.json(
                .object([
                    "rowNumber": .integer(Int64(detection.row)), "fieldName": .string(labels[detection.column] ?? ""),
                    "start": .integer(Int64(detection.start)), "end": .integer(Int64(detection.end)),
                    "entity": .string(detection.entity.name),
                    "score": .number((detection.score * 100).rounded() / 100),
                ]), pretty: false)
        }
    }
}
