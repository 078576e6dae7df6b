import ArgumentParser
import Ingestion
import Sketches
import Tabular

/// Findings as workflow commands of GitHub Actions (docs.github.com, "Workflow commands for GitHub Actions").
extension ReportOutput {
    // MARK: GitHub

    /// One annotation for each reason, at the first row that has it: GitHub shows ten a step.
    func annotations(_ report: BatchReport) {
        let lines = report.lines()
        var firsts: [FindingCode: [Int?: Finding]] = [:]
        for finding in report.listed where firsts[finding.code]?[finding.field] == nil {
            firsts[finding.code, default: [:]][finding.field] = finding
        }
        for finding in report.batchFindings {
            let entry = FindingCatalogue.entry(finding.code)
            command(
                finding.outcome >= .quarantined ? "error" : "warning", file: report.name, title: entry.title,
                message: "\(FindingText.message(finding, report)); \(entry.what); \(entry.cure)")
        }
        for (kind, tally) in report.findings.sorted where kind.outcome >= .flagged {
            let entry = FindingCatalogue.entry(kind.code)
            let field = report.fields.name(ofField: kind.field).map { "field \($0): " } ?? ""
            let first = firsts[kind.code]?[kind.field]
            command(
                isFailure(kind.outcome) ? "error" : "warning", file: first.map(report.fileName) ?? report.name,
                line: first?.bytes.flatMap { lines[$0.lowerBound] }, title: entry.title,
                message:
                    "\(field)\(NumberText.count(tally.count, "row")), first \(FindingText.rows(tally.firstRows, report)); "
                    + entry.cure)
        }
    }

    /// Prints a workflow command, with the escapes that its syntax demands.
    ///
    /// - Parameters:
    ///   - kind: `error`, `warning` or `notice`.
    ///   - file: the file.
    ///   - line: the line; nil for none.
    ///   - title: the annotation's title.
    ///   - message: its text.
    func command(_ kind: String, file: String, line: Int? = nil, title: String, message: String) {
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
}
