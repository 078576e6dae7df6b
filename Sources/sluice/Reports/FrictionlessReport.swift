import Ingestion
import Sketches
import Tabular

/// Reports in the format of frictionless-py, version 5: without cells, with additional members of Sluice's own.
enum FrictionlessReport {
    /// The report of a run.
    ///
    /// - Parameters:
    ///   - reports: the judged files.
    ///   - failures: the files that could not be judged.
    static func outline(
        _ reports: [BatchReport], failures: [(file: String, reason: String, code: Int32)]
    ) -> JSONOutline {
        let tasks = reports.map(task)
        let problems = failures.map { file, reason, _ -> JSONValue in
            .object([
                "type": .string("source-error"), "title": .string("Source Error"), "tags": .array([]),
                "description": .string("the file could not be judged"), "message": .string(reason),
                "note": .string(file),
            ])
        }
        let isValid = failures.isEmpty && reports.allSatisfy(\.isClean)
        let report: [String: JSONValue] = [
            "valid": .bool(isValid), "warnings": .array([]), "errors": .array(problems),
            "stats": .object([
                "tasks": .integer(Int64(tasks.count)),
                "errors": .integer(Int64(reports.reduce(problems.count) { $0 + total($1) })), "warnings": .integer(0),
                "seconds": .number(reports.reduce(0) { $0 + $1.seconds }),
            ]),
        ]
        return JSONOutline(report, adding: ["tasks": .array(tasks)])
    }

    /// Number of errors: findings that hold the batch or quarantine or reject rows.
    private static func total(_ report: BatchReport) -> Int {
        report.batchFindings.count { $0.outcome >= .quarantined }
            + report.findings.sorted.filter { $0.kind.outcome >= .quarantined }.reduce(0) { $0 + $1.tally.count }
    }

    /// One file as a task of frictionless.
    private static func task(_ report: BatchReport) -> JSONOutline {
        let about = report.batchFindings.filter { $0.outcome >= .quarantined }
        let ofRows = report.listed.lazy.filter { $0.outcome >= .quarantined }
        let listed = about.count + ofRows.reduce(0) { count, _ in count + 1 }
        let all = total(report)
        let name = report.name.split(separator: "/").last.map { String($0.prefix { $0 != "." }) } ?? "data"
        let isCapped = listed < all
        let task: [String: JSONValue] = [
            "name": .string(name.lowercased()), "type": .string("table"), "valid": .bool(report.isClean),
            "place": .string(report.name), "labels": .array(report.fields.map { .string($0) }),
            "warnings": .array(
                isCapped ? [.string("\(listed) of \(all) errors are listed; --limit-errors lists more")] : []),
            "stats": .object([
                "errors": .integer(Int64(all)), "warnings": .integer(isCapped ? 1 : 0),
                "seconds": .number(report.seconds),
                "sha256": .string(report.dataHash), "bytes": .integer(Int64(report.bytes)),
                "fields": .integer(Int64(report.fields.count)), "rows": .integer(Int64(report.rows)),
            ]),
        ]
        let errors = [AnySequence(about), AnySequence(ofRows)].lazy.joined().map { error($0, report) }
        return JSONOutline(task, adding: ["errors": .list(AnySequence(errors))])
    }

    /// One finding as an error of frictionless.
    private static func error(_ finding: Finding, _ report: BatchReport) -> JSONValue {
        let entry = FindingCatalogue.entry(finding.code)
        let code = finding.code.rawValue
        var members = report.document(finding).members ?? [:]
        let isRow = finding.row != nil
        let isCell = if case .cell = finding.location { true } else { false }
        members["code"] = .string(code)
        members["type"] = .string(type(finding.code, isCell: isCell, isRow: isRow))
        members["title"] = .string(entry.title)
        members["description"] = .string(entry.what)
        members["tags"] = .array(
            (isCell ? ["#table", "#row", "#cell"] : isRow ? ["#table", "#row"] : ["#table"]).map { .string($0) })
        let field = isCell ? report.fields.name(ofField: finding.field) : nil
        let place = [finding.row.map { "row \($0)" }, field.map { "field \($0)" }].compactMap(\.self)
        let note = finding.rule.map { "\(code): \($0)" } ?? finding.keyword.map { "\(code): \($0)" } ?? code
        members["note"] = .string(note)
        members["message"] = .string(
            finding.movement == nil
                ? (place + ["\(entry.what) (\(note))"]).joined(separator: ", ")
                : FindingText.message(finding, report))
        if let row = finding.row {
            // frictionless counts header, blank lines and comments as rows.
            let isJSON = report.readers.hasPrefix("json")
            let others = isJSON ? 0 : report.leadingRows + report.remarks.lines(before: row)
            members["rowNumber"] = .integer(Int64(row + others))
            members["cells"] = .array([])
        }
        if case .cell(_, let field) = finding.location {
            members["fieldNumber"] = .integer(Int64(field + 1))
            members["cell"] = .string("")
        }
        return .object(members)
    }

    /// Frictionless's name for a finding; where it has none, the general one for a cell, row or file.
    private static func type(_ code: FindingCode, isCell: Bool, isRow: Bool) -> String {
        if code.rawValue.hasPrefix("constraint-"), isCell { return "constraint-error" }
        switch code {
        case .typeError: return isCell ? code.rawValue : "row-error"
        case .uniqueError: return isCell ? code.rawValue : "row-error"
        case .primaryKeyError, .foreignKeyError, .rowConstraint: return code.rawValue
        case .extraCell, .missingCell: return isRow ? code.rawValue : "row-error"
        case .missingLabel, .extraLabel, .incorrectLabel, .duplicateLabel, .blankLabel:
            return code.rawValue
        case .encodingError where !isRow: return code.rawValue
        default: return isCell ? "cell-error" : isRow ? "row-error" : "table-error"
        }
    }
}
