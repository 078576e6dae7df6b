import ArgumentParser
import Ingestion
import Sketches
import Tabular

/// Findings as newline-delimited JSON (ndjson).
extension ReportOutput {
    // MARK: ndjson

    /// One line for each finding, then one for the batch.
    func lines(_ report: BatchReport) {
        for findings in [AnySequence(report.batchFindings), AnySequence(report.listed)] {
            for finding in findings {
                var members = report.document(finding).members ?? [:]
                if finding.row == nil { members["message"] = .string(FindingText.message(finding, report)) }
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
}
