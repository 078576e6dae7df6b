import ArgumentParser
import Ingestion
import Sketches
import Tabular

/// Batches as test suites in JUnit's XML.
extension ReportOutput {
    // MARK: JUnit

    /// The run as JUnit XML for build servers: a suite for each file, a case for each reason. A file without findings
    /// has one case that passed.
    func junit() -> String {
        var suites = ""
        var (tests, failed, errors) = (0, 0, 0)
        for report in reports {
            var cases = report.batchFindings.filter { $0.outcome >= .quarantined }.map { finding in
                junitCase(
                    finding.code.rawValue, file: report.name,
                    what: finding.movement == nil ? "the whole batch" : FindingText.message(finding, report),
                    entry: FindingCatalogue.entry(finding.code))
            }
            for (kind, tally) in report.findings.sorted where isFailure(kind.outcome) {
                let field = report.fields.name(ofField: kind.field).map { " " + $0 } ?? ""
                let rows = FindingText.rows(tally.firstRows, report)
                cases.append(
                    junitCase(
                        kind.code.rawValue + field, file: report.name,
                        what: "\(NumberText.count(tally.count, "row")), first \(rows)",
                        entry: FindingCatalogue.entry(kind.code)))
            }
            let count = max(cases.count, 1)
            (tests, failed) = (tests + count, failed + cases.count)
            suites +=
                "  <testsuite name=\(quoted(report.name)) tests=\"\(count)\" failures=\"\(cases.count)\" errors=\"0\" "
            suites += "time=\"\(NumberText.short(report.seconds, 3))\">\n"
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

    /// One case of a suite.
    func junitCase(_ name: String, file: String, what: String, entry: FindingCatalogue.Entry) -> String {
        "    <testcase classname=\(quoted(file)) name=\(quoted(name))>\n"
            + "      <failure type=\(quoted(entry.title)) message=\(quoted(what))>"
            + "\(Terminal.markup("\(entry.what); \(entry.cure)"))</failure>\n    </testcase>\n"
    }

    /// A text as an attribute value in XML.
    func quoted(_ text: String) -> String { "\"" + Terminal.markup(text) + "\"" }
}
