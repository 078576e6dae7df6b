import Ingestion
import Masking
import Schemas
import Screening
import Sketches
import Tabular

/// A batch's report for people on one screen: input, outcomes, reasons, and what to do next.
enum ReportText {
    /// Most kinds of findings shown; the JSON report has all.
    private static let kindsShown = 14

    /// The report as lines, verdict first.
    static func render(_ report: BatchReport) -> [String] {
        var lines: [String] = []
        lines.append(headline(report))
        if report.status == .duplicate { return lines + duplicate(report) }
        // For a small file the rate is meaningless.
        let rate = report.seconds > 0 ? Double(report.bytes) / report.seconds / 1e6 : 0
        let speed = rate >= 0.5 ? ", \(NumberText.number(Int(rate.rounded()))) MB/s" : ""
        lines.append(
            "  in    " + (report.files.isEmpty ? "" : "\(NumberText.count(report.files.count, "file")), ")
                + "\(NumberText.count(report.rows, "row")), \(NumberText.number(report.bytes)) bytes, "
                + "sha256 \(report.dataHash.prefix(16))…"
                + "  (\(NumberText.short(report.seconds)) s\(speed), \(report.readers))")
        lines += notes(report)
        let counts = report.counts
        func part(_ outcome: Outcome) -> String { "\(NumberText.number(counts.count(outcome))) \(outcome.name)" }
        let isHeld = report.status == .held || report.status == .rejected
        if isHeld {
            // Rows of a held batch are held, whatever their own outcome.
            let clean = counts.count(.accepted) + counts.count(.flagged)
            lines.append(
                "  out   \(NumberText.count(counts.total, "row")) held, none published"
                    + " (row by row: \(NumberText.number(clean)) would pass, \(part(.quarantined)), \(part(.rejected)))"
            )
        } else {
            lines.append("  out   \(part(.accepted)), \(part(.flagged)), \(part(.quarantined)), \(part(.rejected))")
        }
        // The reasons of a hold come first, then the baseline.
        lines += batchReasons(report)
        lines += vouched(report)
        lines += screening(report)
        lines += crossing(report)
        // A held batch releases nothing, masked or not.
        if !report.masks.isEmpty, !isHeld { lines.append("  mask  " + masks(report)) }
        if let copies = report.copies {
            let sampled = copies.of < report.rows ? " of the sample" : ""
            lines.append(
                "  note  \(NumberText.number(copies.rows)) of \(NumberText.number(copies.of)) rows\(sampled) are exact copies of others; "
                    + "sluice.batch.duplicateRows sets what happens to them")
        }
        if !report.unmasked.isEmpty { lines.append("  note  " + unmasked(report.unmasked)) }
        if let found = report.anonymity { lines.append("  anon  " + anonymity(found, report.minimumClass)) }
        lines += waived(report)
        lines += reasons(report)
        lines += shadow(report)
        if !report.unknownColumns.isEmpty {
            let places = report.unknownColumns.prefix(12).map(String.init).joined(separator: ", ")
            lines.append(
                "  columns not in the contract: \(report.unknownColumns.count), at position \(places)"
                    + (report.lacksHeader ? "; no column matches the contract, so the header line may be missing" : ""))
        }
        if !report.disguisedColumns.isEmpty {
            let places = report.disguisedColumns.prefix(12).map { "\($0.column) (\($0.code.rawValue))" }.joined(
                separator: ", ")
            lines.append("  columns whose names have hidden or look-alike characters: at position \(places)")
        }
        lines += next(report)
        return lines
    }

    /// The report of a duplicate: which batch judged the content, and with what verdict.
    private static func duplicate(_ report: BatchReport) -> [String] {
        var lines: [String] = []
        var again = report.earlierWasAccepted ? "" : "; to judge it again, add --force"
        if !report.rejection.isEmpty {
            again = "; \(report.rejection); that is final: have a corrected file sent"
        } else if report.earlierWasHeld {
            again += "; to release it: " + FindingText.release(report.duplicateOf)
        }
        lines.append(
            report.isRefusedReplacement
                ? "  the same bytes were accepted before, as batch \(report.duplicateOf), under another contract, policy or version"
                : "  the same bytes were judged before, as batch \(report.duplicateOf), under this contract and policy"
        )
        lines.append(
            "  it was \(report.earlierWasAccepted ? "accepted" : "held") then; nothing was done now\(again)")
        if report.isRefusedReplacement {
            lines.append(
                "  exit  1: the same content is accepted only once; to replace that batch, add --supersede \(report.duplicateOf)"
            )
        }
        return lines
    }

    /// The first line: file, verdict, dataset and batch.
    private static func headline(_ report: BatchReport) -> String {
        let name =
            report.releases.isEmpty
            ? report.name.split(separator: "/").last.map(String.init) ?? report.name
            : (report.releasedRows.isEmpty ? "" : "rows \(report.releasedRows) of ") + "batch \(report.releases)"
        let verdict: String
        switch report.status {
        case .accepted: verdict = "ACCEPTED"
        case .held: verdict = "HELD"
        case .rejected: verdict = "REJECTED"
        case .duplicate: verdict = "DUPLICATE"
        case .checked: verdict = report.isClean ? "VALID" : "NOT VALID"
        }
        let batch = report.batch.isEmpty ? "" : "  batch \(report.batch)"
        let dataset = report.dataset.isEmpty ? "" : "  dataset \(report.dataset)"
        return "\(name)  \(verdict)\(dataset)\(batch)"
    }

    /// The baseline, the thresholds with their false-alarm rates, and the batch tests.
    private static func screening(_ report: BatchReport) -> [String] {
        guard let basis = report.basis, report.counts.total > 0 else { return [] }
        var lines: [String] = []
        let against =
            basis == .baseline
            ? "\(NumberText.number(report.basisRows)) rows of "
                + (report.baseline.map { "baseline \($0)" } ?? "accepted batches")
            : "cold start: the batch's own \(NumberText.number(report.basisRows)) rows; only extreme values are quarantined"
        if !report.thresholds.isEmpty {
            let fields = report.thresholds.prefix(6).map {
                "\(report.fields[$0.field]) \(NumberText.short($0.threshold))\($0.log ? " (log)" : "")"
            }
            lines.append("  base  \(against)")
            lines.append(
                "        outlier thresholds (modified z): " + fields.joined(separator: ", ")
                    + "; expected false alarms \(NumberText.percent(report.falseAlarmRates.modifiedZ)) of rows"
                    + (report.falseAlarmRates.forest > 0
                        ? ", forest \(NumberText.percent(report.falseAlarmRates.forest))" : ""))
        }
        if report.thresholds.isEmpty, report.untested.isEmpty {
            lines.append("  base  none: no numeric column can be screened, so no statistics were computed")
        }
        if !report.tests.isEmpty {
            let beyond = report.tests.count { $0.outcome > .accepted }
            lines.append(
                "        \(report.tests.count) batch tests against the baseline: "
                    + (beyond == 0
                        ? "none above its threshold"
                        : "\(NumberText.number(beyond)) above \(beyond == 1 ? "its" : "their") threshold")
            )
        }
        if !report.triggerPower.isEmpty {
            lines.append("        " + FeedText.power(report.triggerPower))
        }
        return lines + untested(report)
    }

    /// Fields that were not tested or were excluded, one line for each reason.
    private static func untested(_ report: BatchReport) -> [String] {
        var reasons: [String] = []
        var fields: [String: [String]] = [:]
        for entry in report.untested {
            if fields[entry.reason] == nil { reasons.append(entry.reason) }
            let name = report.fields.name(ofField: entry.field)
            fields[entry.reason, default: []] += name.map { [$0] } ?? []
        }
        let shown = 8
        var lines = reasons.prefix(shown).map { reason -> String in
            let names = fields[reason] ?? []
            return "        not tested: " + FeedText.untested(names, reason)
        }
        if reasons.count > shown {
            lines.append("        not tested: \(reasons.count - shown) more; --format json lists all")
        }
        return lines
    }

    /// Remarks on the contract, and on lines that are no rows.
    private static func notes(_ report: BatchReport) -> [String] {
        var lines: [String] = []
        if report.isInferred {
            lines.append(
                "  note  the contract was inferred from this file, so it cannot say what the file should have been")
        }
        if report.remarks.skippedLines > 0 {
            let count = NumberText.number(report.remarks.skippedLines)
            lines.append("  note  \(count) blank or comment lines were skipped; row numbers do not count them")
        }
        if let file = report.lacksLineEnd {
            let place = report.files.isEmpty ? "the last line" : "the last line of \(report.files[file].name)"
            lines.append("  note  \(place) has no line end: if the file was cut off, have it sent again")
        }
        return lines
    }

    /// k-anonymity and l-diversity, and the share of rows in classes that are too small.
    private static func anonymity(_ found: EquivalenceClasses.Summary, _ wanted: Int) -> String {
        let rows = found.smallest == 1 ? "1 row" : "\(NumberText.number(found.smallest)) rows"
        var text = "k-anonymity: the smallest group has \(rows) (wanted \(wanted))"
        if let fewest = found.fewest { text += ", l-diversity: \(NumberText.number(fewest))" }
        text += "; \(NumberText.percent(found.shareBelow)) of the rows are in groups below \(wanted); "
        text += "\(NumberText.number(found.classes)) groups of quasi-identifiers"
        return found.sampled < 1 ? text + " (from \(NumberText.percent(found.sampled)) of the groups)" : text
    }

    /// Columns of personal data that are released with unmasked values.
    static func unmasked(_ columns: [UnmaskedColumn]) -> String {
        let shown = 12
        let names = columns.prefix(shown).map { column in
            column.label + (column.share < 0.995 ? " (\(NumberText.percent(column.share)))" : "")
        }
        let more = columns.count > shown ? " and \(columns.count - shown) more" : ""
        return "not masked: " + names.joined(separator: ", ") + more
    }

    /// The masked cells by field, entity and operator.
    private static func masks(_ report: BatchReport) -> String {
        report.masks.prefix(8).map { receipt, count in
            let entity = receipt.entity.isEmpty ? "" : " \(receipt.entity)"
            let name = report.fields.name(ofField: receipt.field) ?? "unknown columns"
            return "\(name)\(entity) \(receipt.operation.rawValue) \(NumberText.number(count))"
        }.joined(separator: " · ") + (report.masks.count > 8 ? " · … and \(report.masks.count - 8) more" : "")
    }

    /// Findings about the whole batch: one line for each cause, with the fields that moved in the same way.
    private static func batchReasons(_ report: BatchReport) -> [String] {
        let causes = FindingText.causes(report.batchFindings.map(report.document))
        var lines = causes.prefix(6).flatMap { finding -> [String] in
            let isHolding = finding["outcome"]?.text != Outcome.flagged.name
            let others = finding["moved"] == nil ? nil : FindingText.with(finding)
            return [
                (isHolding ? "  WHY   " : "  note  ") + FindingText.summary(finding, isRolling: report.baseline == nil)
            ]
                + (others.map { ["        with it: \($0)"] } ?? [])
        }
        let isRemarked = report.batchFindings.contains { $0.code.cause != nil && $0.outcome == .flagged }
        if isRemarked, let learning = report.learning {
            lines.append("        from \(learning) accepted batches on, such a difference holds the batch")
        }
        return lines
    }

    /// The findings that a person waived when the batch was released.
    private static func waived(_ report: BatchReport) -> [String] {
        if report.releases.isEmpty { return [] }
        let shown = report.waived.prefix(8).map {
            $0.code.rawValue + (report.fields.name(ofField: $0.field).map { " (\($0))" } ?? "")
                + ($0.rows > 0 ? " in \(NumberText.count($0.rows, "row"))" : "")
        }
        let more = report.waived.count > 8 ? " and \(report.waived.count - 8) more" : ""
        return ["  waive " + (shown.isEmpty ? "nothing" : shown.joined(separator: ", ")) + more]
    }

    /// The row findings by kind, with the first rows.
    private static func reasons(_ report: BatchReport) -> [String] {
        let kinds = FindingText.lines(ofTotals: report.totals)
        if kinds.isEmpty { return [] }
        var rows = [["outcome", "reason", "field or rule", "rows", "first rows"]]
        for kind in kinds.prefix(kindsShown) {
            rows.append([
                kind["outcome"]?.text ?? "", kind["type"]?.text ?? "",
                FindingText.place(kind["fieldName"]?.text, kind["rule"]?.text),
                NumberText.number(Int(kind["count"]?.whole ?? 0)),
                FindingText.rows((kind["firstRows"]?.items ?? []).compactMap(\.whole).map { Int($0) }, report),
            ])
        }
        let widths = (0..<5).map { column in rows.map { $0[column].unicodeScalars.count }.max() ?? 0 }
        var lines = rows.map { row in
            "  "
                + row.enumerated().map { column, text in
                    let pad = String(repeating: " ", count: widths[column] - text.unicodeScalars.count)
                    return column == 3 ? pad + text : text + pad
                }.joined(separator: "  ").trimmedEnd()
        }
        if kinds.count > kindsShown {
            lines.append("  … and \(kinds.count - kindsShown) more kinds; --format json lists all")
        }
        return lines
    }

    /// The next steps, as commands.
    private static func next(_ report: BatchReport) -> [String] {
        var steps: [String] = []
        if report.rows == 1, report.file.lowercased().hasSuffix(".json") {
            steps.append(
                "if the records are inside the document, name their member in the contract: sluice.dialect: { property: NAME }"
            )
        }
        switch report.status {
        case .held, .rejected:
            steps += held(report)
        case .accepted:
            let released = report.published.count { $0.hasPrefix("accepted/") }
            let folder = NamedStore.path("accepted/\(report.dataset)/\(report.batch)/")
            steps.append(
                released == 0
                    ? "no row was released, so there is no shard"
                    : "\(released) \(released == 1 ? "shard" : "shards") in \(folder)")
            if report.published.contains(where: { $0.hasPrefix("quarantine/") }) {
                steps.append(
                    "rows held back are sealed, with reasons, in "
                        + NamedStore.path("quarantine/\(report.dataset)/\(report.batch)/"))
            }
        case .checked, .duplicate: break
        }
        if let first = report.findings.sorted.first {
            steps.append("what a reason means: sluice explain \(first.kind.code.rawValue)")
        }
        return steps.map { "  next  \($0)" }
    }
}

extension ReportText {
    /// The remedy for a finding that holds a batch. A rejected batch is never released, so a release is no remedy for it.
    static func cure(_ code: FindingCode, ofBatch batch: String, from source: String, isRejected: Bool) -> String {
        let cure = FindingText.cure(code, ofBatch: batch, from: source)
        return isRejected && cure.contains("review release")
            ? "a rejected batch is never released: have it repaired and sent again" : cure
    }

    /// The remedy for a batch that is held, or whose release was refused.
    private static func held(_ report: BatchReport) -> [String] {
        var steps: [String] = []
        if report.isRefusedRelease, report.isJudgedAgain {
            steps.append(
                "judged again, the batch still fails and stays held; nothing was recorded; what holds it and what can be decided: "
                    + "sluice review show \(report.batch)"
            )
        } else if report.isRefusedRelease {
            steps.append(
                "the release was refused and nothing was recorded: what is marked WHY is never waived, or was not listed by --waive; "
                    + (report.releasedRows.isEmpty ? "the batch stays held" : "the rows stay held back")
            )
        } else {
            steps.append(
                "nothing was published; the source is sealed whole in "
                    + NamedStore.path("quarantine/\(report.dataset)/\(report.batch)/"))
        }
        // Its batch was accepted, so what helps a held one does not help here.
        if !report.releasedRows.isEmpty {
            return steps
                + (report.releasedRowsHeld.isEmpty
                    ? ["what holds them: sluice lineage explain \(report.releases):ROW"]
                    : [
                        "these rows of batch \(report.releases) fail for a reason that is never waived: \(report.releasedRowsHeld); above, "
                            + "rows are counted in the list; release the others without them"
                    ])
        }
        if let incident = report.incident {
            steps.append(FindingText.incident(incident.batch, since: incident.since))
        }
        if let code = report.batchFindings.first(where: { $0.outcome >= .quarantined })?.code {
            let isRejected = report.status == .rejected
            steps.append(cure(code, ofBatch: report.batch, from: report.source, isRejected: isRejected))
        }
        let release = FindingText.release(report.batch)
        if report.status == .held, !steps.contains(where: { $0.contains(release) }) {
            steps.append(
                "to release this batch once the contract, sluice.yaml or the standing of the source is corrected: "
                    + release)
        }
        if report.status == .held, report.basis == .baseline,
            report.batchFindings.contains(where: { $0.movement != nil })
        {
            steps.append(
                "to see how much accepted batches differ: sluice baseline show --dataset \(report.dataset); to try other "
                    + "settings: sluice baseline simulate --dataset \(report.dataset)")
        }
        return steps
    }
}

extension String {
    /// A decimal without zeros at the end of its fraction.
    func trimmedZeros() -> String {
        guard contains(".") else { return self }
        var copy = self
        while copy.last == "0" { copy.removeLast() }
        if copy.last == "." { copy.removeLast() }
        return copy
    }

    /// Without spaces at the end.
    func trimmedEnd() -> String {
        var copy = self
        while copy.last == " " { copy.removeLast() }
        return copy
    }
}
