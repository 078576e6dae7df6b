import ArgumentParser
import Ingestion
import Sketches
import Tabular

/// How reports are printed. A new format is a case here: help and manual name it, and the compiler asks for its writer.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case text, json, ndjson, sarif, github, junit, frictionless
}

/// Reports in the formats of programs, one document for all files of a run: none of them has a place for a value, and none gets one.
final class ReportOutput {
    let options: ReportOptions
    let isOneOfMany: Bool
    var reports: [BatchReport] = []
    /// Files that could not be judged, and why.
    var failures: [(file: String, reason: String, code: Int32)] = []

    init(_ options: ReportOptions, files: Int) {
        self.options = options
        isOneOfMany = files > 1
    }

    var format: OutputFormat { options.json ? .json : options.format }

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
        switch format {
        case .github: command("error", file: name, title: "not judged", message: reason)
        case .ndjson: line(["kind": .string("failure"), "name": .string(name), "message": .string(reason)])
        // The message on standard error is enough.
        case .text, .json: break
        // `finish` names it.
        case .sarif, .junit, .frictionless: break
        }
    }

    /// Prints what was kept.
    func finish() {
        switch format {
        case .sarif: Terminal.json(sarif())
        case .junit: Terminal.document(junit())
        case .frictionless: Terminal.json(FrictionlessReport.outline(reports, failures: failures))
        case .text, .json, .ndjson, .github: break
        }
    }

    /// Whether rows with an outcome make the exit code 1.
    func isFailure(_ outcome: Outcome) -> Bool {
        switch options.failOn {
        case .never: false
        case .reject: outcome >= .rejected
        case .quarantine: outcome >= .quarantined
        case .flag: outcome >= .flagged
        }
    }

    func line(_ members: [String: JSONValue]) {
        Terminal.json(.object(members), pretty: false)
    }
}
