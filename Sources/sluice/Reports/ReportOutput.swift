import ArgumentParser
import Ingestion
import Sketches
import Tabular

/// Writes the reports of a run in the chosen format; some formats are one document for all files. No format has a place
/// for values of the data.
final class ReportOutput {
    let options: ReportOptions
    /// Whether the run has several files.
    let isOneOfMany: Bool
    /// The reports kept for formats that are one document.
    var reports: [BatchReport] = []
    /// The files that could not be judged, with the reason and exit code.
    var failures: [(file: String, reason: String, code: Int32)] = []

    /// The output of one run.
    ///
    /// - Parameters:
    ///   - options: the format.
    ///   - files: number of files.
    init(_ options: ReportOptions, files: Int) {
        self.options = options
        isOneOfMany = files > 1
    }

    /// The format; `--json` is short for `--format json`.
    var format: OutputFormat { options.json ? .json : options.format }

    /// Prints a report, or keeps it if the format is one document for all.
    func add(_ report: BatchReport) {
        switch format {
        case .text, .json: options.print(report, isOneOfMany: isOneOfMany)
        case .ndjson: lines(report)
        case .github: annotations(report)
        case .sarif, .junit, .frictionless: reports.append(report)
        }
    }

    /// Adds a file that could not be judged. Its message was printed already; personal data in the file's name is
    /// replaced.
    func fail(_ file: String, _ error: IngestionError) {
        let name = LabelSearch.usual.shown(file)
        let reason = name == file ? error.description : error.description.replacing(file, with: name)
        failures.append((name, reason, error.code.rawValue))
        if format == .github { command("error", file: name, title: "not judged", message: reason) }
        if format == .ndjson {
            line(["kind": .string("failure"), "name": .string(name), "message": .string(reason)])
        }
    }

    /// Prints the document of the kept reports, if the format has one.
    func finish() {
        switch format {
        case .sarif: Terminal.json(sarif())
        case .junit: Terminal.document(junit())
        case .frictionless: Terminal.json(FrictionlessReport.outline(reports, failures: failures))
        default: break
        }
    }

    /// Whether rows of an outcome make the exit code 1.
    func isFailure(_ outcome: Outcome) -> Bool {
        switch options.failOn {
        case .never: false
        case .reject: outcome >= .rejected
        case .quarantine: outcome >= .quarantined
        case .flag: outcome >= .flagged
        }
    }

    /// Prints one line of ndjson.
    func line(_ members: [String: JSONValue]) {
        Terminal.json(.object(members), pretty: false)
    }
}
