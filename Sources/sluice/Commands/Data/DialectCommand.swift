import ArgumentParser
import Ingestion
import Reading
import Storage
import Tabular

/// `sluice dialect`: detects encoding and dialect of a CSV file.
struct DialectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dialect",
        abstract: "Detect the dialect and encoding of a CSV file.",
        discussion: """
            Prints YAML to paste into the contract, with the evidence in comments.

            Example: sluice dialect orders.csv

            Exit codes: 0 found · 65 two dialects explain the file equally well, or none does.
            """)

    @Argument(help: "A CSV file, plain or compressed; - is standard input.") var file: String
    @Option(name: .long, help: "The text's encoding, if it is known (default: detected).") var encoding: TextEncoding?
    @Flag(name: .long, help: "Print JSON.") var json = false

    /// Samples the file and prints a Table Dialect that can be put into a contract.
    func run() async throws {
        ignoreBrokenPipes()
        try await reporting {
            if file == StandardInput.name { try StandardInput.keep(in: temporaryFolder()) }
            let sniffed = try sniffSource(file, encoding: encoding)
            let dialect = try DialectText.requireSure(sniffed, file)
            if json {
                Terminal.json(DialectText.document(sniffed, dialect))
            } else {
                Terminal.lines(DialectText.yaml(sniffed, dialect))
            }
        }
    }
}

/// The result of dialect detection, for people and for files.
enum DialectText {
    /// The detected dialect.
    ///
    /// - Throws: `unreadableData` when no dialect explains the sample, or two explain it equally well.
    static func requireSure(_ sniffed: SniffedSource, _ file: String) throws(IngestionError) -> Dialect {
        guard let found = sniffed.found, found.rows > 0, found.explains else {
            throw IngestionError(.unreadableData, "\(file): no CSV dialect explains it; is it CSV?")
        }
        if !found.isSure, let rival = found.rival {
            throw IngestionError(
                .unreadableData,
                "\(file): two dialects explain it equally well: \(line(found.dialect)) and \(line(rival)); give one with "
                    + "--delimiter or --dialect FILE, or in the contract")
        }
        return found.dialect
    }

    /// One line of evidence for each decision.
    static func evidence(_ sniffed: SniffedSource, _ dialect: Dialect? = nil) -> [String] {
        guard let found = sniffed.found else { return [] }
        let dialect = dialect ?? found.dialect
        let rival = found.rival.map { "; next best \(line($0))" } ?? ""
        return [
            "encoding \(sniffed.encoding.rawValue): \(sniffed.encodingReason)",
            "dialect \(line(dialect)): \(NumberText.number(found.regular)) of \(NumberText.number(found.rows)) rows of the sample have "
                + "\(found.width) cells, \(NumberText.percent(found.typed)) of the cells look like values; confidence "
                + "\(NumberText.short(found.confidence))\(rival)",
            "\(dialect.headerRows.isEmpty ? "no header" : "a header"): \(found.headerReason)",
        ]
    }

    /// A dialect as one line of JSON, which is valid YAML.
    static func line(_ dialect: Dialect) -> String {
        let members = dialect.document.members ?? [:]
        return members.isEmpty ? "RFC 4180" : dialect.document.text(pretty: false)
    }

    /// The dialect as YAML, with the evidence as comments.
    static func yaml(_ sniffed: SniffedSource, _ dialect: Dialect) -> [String] {
        var lines = evidence(sniffed).map { "# " + $0 }
        lines.append("sluice:")
        lines.append("  encoding: \(sniffed.encoding.rawValue)")
        lines.append("  dialect: \(PrintableText.json(dialect.document.text(pretty: false)))")
        return lines
    }

    /// The dialect as a document, with encoding, confidence and evidence.
    static func document(_ sniffed: SniffedSource, _ dialect: Dialect) -> JSONValue {
        .object([
            "encoding": .string(sniffed.encoding.rawValue), "dialect": dialect.document,
            "confidence": .number(sniffed.found?.confidence ?? 0),
            "evidence": .array(evidence(sniffed).map { .string($0) }),
        ])
    }
}
