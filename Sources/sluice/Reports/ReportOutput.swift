import ArgumentParser
import Ingestion
import Sketches
import Tabular

/// The formats of reports. A new format is a case here: help and manual take it from here, and the compiler asks for
/// its writer.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case text, json, ndjson, sarif, github, junit, frictionless
}

/// Prints reports in the formats for programs, some of which are one document for all files of a run. No format has a
/// member for a value of the data.
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
        switch format {
        case .github: command("error", file: name, title: "not judged", message: reason)
        case .ndjson: line(["kind": .string("failure"), "name": .string(name), "message": .string(reason)])
        // The message on standard error suffices.
        case .text, .json: break
        // `finish` includes it.
        case .sarif, .junit, .frictionless: break
        }
    }

    /// Prints the document of the kept reports, if the format has one.
    func finish() {
        switch format {
        case .sarif: Terminal.json(sarif())
        case .junit: Terminal.document(junit())
        case .frictionless: Terminal.json(FrictionlessReport.outline(reports, failures: failures))
        case .text, .json, .ndjson, .github: break
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
