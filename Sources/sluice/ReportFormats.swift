import ArgumentParser
import Ingestion
import Sketches
import Tabular

/// Reports in the formats of programs, one document for all files of a run: none of them has a place for a value, and none gets one.
final class ReportOutput {
    private let options: ReportOptions
    private let isOneOfMany: Bool
    private var reports: [BatchReport] = []
    /// Files that could not be judged, and why.
    private var failures: [(file: String, reason: String, code: Int32)] = []

    init(_ options: ReportOptions, files: Int) {
        self.options = options
        isOneOfMany = files > 1
    }

    private var format: OutputFormat { options.json ? .json : options.format }

    /// Tells about a file, or keeps it until all are known.
    func add(_ report: BatchReport) {
        switch format {
        case .text, .json: options.print(report, isOneOfMany: isOneOfMany)
        case .ndjson: lines(report)
        case .github: annotations(report)
        case .sarif, .junit, .frictionless: reports.append(report)
        }
    }

    /// Notes that a file could not be judged; the message was told already.
    func fail(_ file: String, _ error: IngestionError) {
        let name = LabelSearch.usual.shown(file)
        let reason = name == file ? error.description : error.description.replacing(file, with: name)
        failures.append((name, reason, error.code.rawValue))
        if format == .github { command("error", name, nil, "not judged", reason) }
        if format == .ndjson {
            line(["kind": .string("failure"), "name": .string(name), "message": .string(reason)])
        }
    }

    /// Prints what was kept.
    func finish() {
        switch format {
        case .sarif: Terminal.json(sarif())
        case .junit: Terminal.document(junit())
        case .frictionless: Terminal.json(FrictionlessReport.outline(reports, failures: failures))
        default: break
        }
    }

    /// Whether rows with an outcome make the exit code 1.
    private func isFailure(_ outcome: Outcome) -> Bool {
        switch options.failOn {
        case .never: false
        case .reject: outcome >= .rejected
        case .quarantine: outcome >= .quarantined
        case .flag: outcome >= .flagged
        }
    }

    private func line(_ members: [String: JSONValue]) {
        Terminal.json(.object(members), pretty: false)
    }

    // MARK: ndjson

    /// A line for each finding, and one for the whole.
    private func lines(_ report: BatchReport) {
        for findings in [AnySequence(report.batchFindings), AnySequence(report.listed)] {
            for finding in findings {
                var members = report.document(finding).members ?? [:]
                if finding.row == 0 { members["message"] = .string(Words.message(finding, report)) }
                members["kind"] = .string("finding")
                members["name"] = .string(report.name)
                line(members)
            }
        }
        var members = report.summary
        members["kind"] = .string("report")
        members["batchErrors"] = nil
        line(members)
    }

    // MARK: GitHub

    /// One annotation a reason, at the first row that has it: a code host shows ten.
    private func annotations(_ report: BatchReport) {
        let lines = report.lines()
        var firsts: [FindingCode: [Int: UInt64]] = [:]
        for finding in report.listed where firsts[finding.code]?[finding.field] == nil {
            firsts[finding.code, default: [:]][finding.field] = finding.byteOffset
        }
        for finding in report.batchFindings {
            let meaning = Words.meaning(finding.code)
            command(
                finding.outcome >= .quarantined ? "error" : "warning", report.name, nil, meaning.title,
                "\(Words.message(finding, report)); \(meaning.explanation); \(meaning.cure)")
        }
        for (kind, tally) in report.findings.sorted where kind.outcome >= .flagged {
            let meaning = Words.meaning(kind.code)
            let field = kind.field >= 0 ? "field \(report.fields[kind.field]): " : ""
            command(
                isFailure(kind.outcome) ? "error" : "warning", report.name,
                firsts[kind.code]?[kind.field].flatMap { lines[$0] },
                meaning.title,
                "\(field)\(Words.count(tally.count, "row")), first \(tally.firstRows.map(String.init).joined(separator: ", ")); "
                    + meaning.cure)
        }
    }

    /// A workflow command (docs.github.com, "Workflow commands").
    private func command(_ kind: String, _ file: String, _ line: Int?, _ title: String, _ message: String) {
        func escaped(_ text: String, property: Bool) -> String {
            var out = ""
            for scalar in Terminal.printable(text).unicodeScalars {
                switch scalar {
                case "%": out += "%25"
                case ":" where property: out += "%3A"
                case "," where property: out += "%2C"
                default: out.unicodeScalars.append(scalar)
                }
            }
            return out
        }
        let place = line.map { ",line=\($0)" } ?? ""
        Terminal.line(
            "::\(kind) file=\(escaped(file, property: true))\(place),title=\(escaped(title, property: true))::"
                + escaped(message, property: false))
    }

    // MARK: SARIF

    /// SARIF 2.1.0 (OASIS), with the places of rows as byte offsets, and as lines where the file has them.
    private func sarif() -> JSONOutline {
        let codes = Set(reports.flatMap { $0.batchFindings.map(\.code) + $0.findings.sorted.map(\.kind.code) }).sorted()
        func text(_ text: String) -> JSONValue { .object(["text": .string(text)]) }
        let rules = codes.map { code -> JSONValue in
            let meaning = Words.meaning(code)
            return .object([
                "id": .string(code.rawValue), "shortDescription": text(meaning.title),
                "fullDescription": text(meaning.explanation), "help": text(meaning.cure),
            ])
        }
        let places = Dictionary(uniqueKeysWithValues: codes.enumerated().map { ($1, $0) })
        let results = AnySequence(
            reports.lazy.flatMap { report in
                let lines = report.lines()
                return [AnySequence(report.batchFindings), AnySequence(report.listed)].lazy.joined().map { finding in
                    self.result(finding, report, places[finding.code] ?? 0, lines[finding.byteOffset])
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

    /// What the list of results does not say: totals are exact, and lists are cut off.
    private func summary(_ report: BatchReport) -> JSONValue {
        var members = report.summary
        for key in ["batchErrors", "screening", "masked", "published"] { members[key] = nil }
        return .object(members)
    }

    private func artifact(_ file: String) -> JSONValue {
        // A path relative to where it was run, as a URI reference.
        let allowed = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/".utf8)
        let digits = Array("0123456789ABCDEF".utf8)
        var uri: [UInt8] = []
        for byte in file.utf8 {
            uri += allowed.contains(byte) ? [byte] : [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
        return .object(["uri": .string(String(decoding: uri, as: UTF8.self))])
    }

    private func result(_ finding: Finding, _ report: BatchReport, _ rule: Int, _ line: Int?) -> JSONValue {
        let meaning = Words.meaning(finding.code)
        let field = finding.field >= 0 ? report.fields[finding.field] : nil
        var place: [String: JSONValue] = ["artifactLocation": artifact(report.name)]
        if finding.row > 0 {
            var region: [String: JSONValue] = [
                "byteOffset": .integer(Int64(finding.byteOffset)), "byteLength": .integer(Int64(finding.byteLength)),
            ]
            if let line { region["startLine"] = .integer(Int64(line)) }
            place["region"] = .object(region)
        }
        var location: [String: JSONValue] = ["physicalLocation": .object(place)]
        if let field {
            location["logicalLocations"] = .array([.object(["name": .string(field), "kind": .string("member")])])
        }
        let who = [finding.row > 0 ? "row \(finding.row)" : nil, field.map { "field \($0)" }].compactMap { $0 }
        var properties = report.document(finding).members ?? [:]
        for key in ["type", "byteOffset", "byteLength", "fieldName"] { properties[key] = nil }
        return .object([
            "ruleId": .string(finding.code.rawValue), "ruleIndex": .integer(Int64(rule)),
            "level": .string(finding.outcome.severity),
            "message": .object([
                "text": .string(
                    finding.movement == nil
                        ? (who + [meaning.explanation]).joined(separator: ": ") : Words.message(finding, report))
            ]),
            "locations": .array([.object(location)]), "properties": .object(properties),
        ])
    }

    // MARK: JUnit

    /// JUnit XML, as build servers read it: a suite a file, a case a reason; a file without any has one case that passed.
    private func junit() -> String {
        var suites = ""
        var (tests, failed, errors) = (0, 0, 0)
        for report in reports {
            var cases = report.batchFindings.filter { $0.outcome >= .quarantined }.map { finding in
                junitCase(
                    report.name, finding.code.rawValue,
                    finding.movement == nil ? "the whole batch" : Words.message(finding, report),
                    Words.meaning(finding.code))
            }
            for (kind, tally) in report.findings.sorted where isFailure(kind.outcome) {
                let field = kind.field >= 0 ? " " + report.fields[kind.field] : ""
                let rows = tally.firstRows.map(String.init).joined(separator: ", ")
                cases.append(
                    junitCase(
                        report.name, kind.code.rawValue + field, "\(Words.count(tally.count, "row")), first \(rows)",
                        Words.meaning(kind.code)))
            }
            let count = max(cases.count, 1)
            (tests, failed) = (tests + count, failed + cases.count)
            suites +=
                "  <testsuite name=\(quoted(report.name)) tests=\"\(count)\" failures=\"\(cases.count)\" errors=\"0\" "
            suites += "time=\"\(Words.short(report.seconds, 3))\">\n"
            suites +=
                cases.isEmpty ? "    <testcase classname=\(quoted(report.name)) name=\"rows\"/>\n" : cases.joined()
            suites += "  </testsuite>\n"
        }
        for (file, reason, code) in failures {
            (tests, errors) = (tests + 1, errors + 1)
            suites += "  <testsuite name=\(quoted(file)) tests=\"1\" failures=\"0\" errors=\"1\">\n"
            suites += "    <testcase classname=\(quoted(file)) name=\"read\">\n"
            suites +=
                "      <error type=\"exit-\(code)\" message=\(quoted(reason))/>\n    </testcase>\n  </testsuite>\n"
        }
        return
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"sluice\" tests=\"\(tests)\" failures=\"\(failed)\" "
            + "errors=\"\(errors)\">\n\(suites)</testsuites>\n"
    }

    private func junitCase(_ file: String, _ name: String, _ what: String, _ meaning: Words.Meaning) -> String {
        "    <testcase classname=\(quoted(file)) name=\(quoted(name))>\n"
            + "      <failure type=\(quoted(meaning.title)) message=\(quoted(what))>"
            + "\(Terminal.markup("\(meaning.explanation); \(meaning.cure)"))</failure>\n    </testcase>\n"
    }

    private func quoted(_ text: String) -> String { "\"" + Terminal.markup(text) + "\"" }
}
