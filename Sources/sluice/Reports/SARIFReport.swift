import ArgumentParser
import Ingestion
import Sketches
import Tabular

/// Findings in SARIF 2.1.0 (OASIS standard, 2020).
extension ReportOutput {
    // MARK: SARIF

    /// The run as SARIF 2.1.0. Places of rows are byte offsets, and lines where the file has them.
    func sarif() -> JSONOutline {
        let codes = Set(reports.flatMap { $0.batchFindings.map(\.code) + $0.findings.sorted.map(\.kind.code) }).sorted()
        func text(_ text: String) -> JSONValue { .object(["text": .string(text)]) }
        let rules = codes.map { code -> JSONValue in
            let entry = FindingCatalogue.entry(code)
            return .object([
                "id": .string(code.rawValue), "shortDescription": text(entry.title),
                "fullDescription": text(entry.what), "help": text(entry.cure),
            ])
        }
        let places = Dictionary(uniqueKeysWithValues: codes.enumerated().map { ($1, $0) })
        let results = AnySequence(
            reports.lazy.flatMap { report in
                let lines = report.lines()
                return [AnySequence(report.batchFindings), AnySequence(report.listed)].lazy.joined().map { finding in
                    self.result(
                        finding, of: report, rule: places[finding.code] ?? 0, line: lines[finding.byteOffset])
                }
            })
        let notes = failures.map { file, reason, code -> JSONValue in
            .object([
                "level": .string("error"), "message": text(reason),
                "properties": .object(["exitCode": .integer(Int64(code))]),
                "locations": .array([.object(["physicalLocation": .object(["artifactLocation": artifact(file)])])]),
            ])
        }
        let run: [String: JSONValue] = [
            "tool": .object([
                "driver": .object([
                    "name": .string("sluice"), "version": .string(Sluice.configuration.version),
                    "rules": .array(rules),
                ])
            ]),
            "columnKind": .string("unicodeCodePoints"),
            "artifacts": .array(
                reports.map { report in
                    .object([
                        "location": artifact(report.name), "length": .integer(Int64(report.bytes)),
                        "hashes": .object(["sha-256": .string(report.dataHash)]),
                    ])
                }),
            "invocations": .array([
                .object([
                    "executionSuccessful": .bool(failures.isEmpty), "toolExecutionNotifications": .array(notes),
                ])
            ]),
            "properties": .object(["reports": .array(reports.map(summary))]),
        ]
        let head: [String: JSONValue] = [
            "$schema": .string("https://json.schemastore.org/sarif-2.1.0.json"), "version": .string("2.1.0"),
        ]
        return JSONOutline(head, adding: ["runs": .array([JSONOutline(run, adding: ["results": .list(results)])])])
    }

    /// Exact totals, since the list of results may be truncated.
    func summary(_ report: BatchReport) -> JSONValue {
        var members = report.summary
        for key in ["batchErrors", "screening", "masked", "published"] { members[key] = nil }
        return .object(members)
    }

    /// The location of a file as a URI reference.
    func artifact(_ file: String) -> JSONValue {
        // Relative to the working directory; all other bytes are percent-encoded (RFC 3986).
        let allowed = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/".utf8)
        let digits = Array("0123456789ABCDEF".utf8)
        var uri: [UInt8] = []
        for byte in file.utf8 {
            uri += allowed.contains(byte) ? [byte] : [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
        return .object(["uri": .string(String(decoding: uri, as: UTF8.self))])
    }

    /// One finding as a result.
    ///
    /// - Parameters:
    ///   - finding: the finding.
    ///   - report: the batch that has it.
    ///   - rule: the index of its code among the run's rules.
    ///   - line: the row's line; nil where the file has none.
    func result(_ finding: Finding, of report: BatchReport, rule: Int, line: Int?) -> JSONValue {
        let entry = FindingCatalogue.entry(finding.code)
        let field = report.fields.name(ofField: finding.field)
        var place: [String: JSONValue] = ["artifactLocation": artifact(report.fileName(of: finding))]
        if finding.row != nil {
            var region: [String: JSONValue] = [
                "byteOffset": .integer(Int64(report.fileOffset(of: finding))),
                "byteLength": .integer(Int64(finding.byteLength)),
            ]
            if let line { region["startLine"] = .integer(Int64(line)) }
            place["region"] = .object(region)
        }
        var location: [String: JSONValue] = ["physicalLocation": .object(place)]
        if let field {
            location["logicalLocations"] = .array([.object(["name": .string(field), "kind": .string("member")])])
        }
        let who = [finding.row.map { "row \($0)" }, field.map { "field \($0)" }].compactMap { $0 }
        var properties = report.document(finding).members ?? [:]
        for key in ["type", "byteOffset", "byteLength", "fieldName"] { properties[key] = nil }
        return .object([
            "ruleId": .string(finding.code.rawValue), "ruleIndex": .integer(Int64(rule)),
            "level": .string(finding.outcome.severity),
            "message": .object([
                "text": .string(
                    finding.movement == nil
                        ? (who + [entry.what]).joined(separator: ": ") : FindingText.message(finding, report))
            ]),
            "locations": .array([.object(location)]), "properties": .object(properties),
        ])
    }
}
