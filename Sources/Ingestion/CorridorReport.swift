import Cryptography
import Masking
import Reading
import Schemas
import Screening
import Tabular
import Validating

/// What the report says of a batch's decision, its columns and its readers.
extension Corridor {
    func describe(_ decision: Decision, _ plan: Plan, _ report: inout BatchReport) {
        // Values that the contract lists may be named: they stand in it.
        for field in decision.screened.categories {
            let own = plan.schema.fields[field]
            let listed =
                own.type == .boolean ? ["true", "false"] : (own.categories ?? []) + (own.constraints.enumeration ?? [])
            for value in listed { report.names[plan.validator.code(ofListed: value, field: field)] = value }
        }
        report.releases = plan.options.waiver?.held ?? ""
        report.isJudgedAgain = plan.options.waiver.map { !$0.waivesStatistics } ?? false
        report.basis = decision.basis
        report.basisRows = decision.basisRows
        report.falseAlarmRates = (
            max(decision.flagRateZ, decision.rules.isEmpty ? 0 : ModifiedZ.targetRate),
            decision.flagRateForest
        )
        report.labelFlipRate = decision.flagRateLabels
        report.tests = decision.tests
        report.thresholds = decision.rules.filter { !$0.isConstant }.map {
            ($0.field, $0.threshold, $0.count, $0.usesLog)
        }
        report.untested = decision.untested
        report.triggerPower = decision.triggerPower
        report.learning = decision.isLearning ? plan.schema.baseline.learning : nil
        report.cross = decision.cross.map { CrossReport($0, decision) }
        report.forestLines = decision.forest.map { lines in
            func place(_ sum: UInt32) -> Double { ScoreHistograms.place(of: sum, trees: lines.forest.trees) }
            return (place(lines.flagBelow), place(lines.quarantineBelow))
        }
    }

    /// What the report says of a file that was looked through.
    func describe(_ survey: Survey, _ cutter: SliceCutter, _ plan: Plan, _ report: inout BatchReport) {
        report.unknownColumns = cutter.head.unknown
        report.lacksHeader = cutter.head.matches == 0
        report.bytes = cutter.bytesRead
        report.encoding = plan.reading.coding.encoding
        report.compression = cutter.compression.map { ($0.kind.rawValue, $0.bytes) }
        report.dataHash = hex(survey.digest)
        report.readers = readers(plan, survey)
        report.remarks = survey.remarks
        report.leadingRows = plan.reading.format == .csv ? plan.reading.dialect.leadingRows : 0
        report.lacksLineEnd = cutter.lacksLineEnd
        report.disguisedColumns = disguisedColumns(survey.head, plan)
        report.columns = columns(survey, plan)
        if plan.reader.fields.content.count == plan.schema.fields.count { report.copies = survey.profile.copies }
        report.unmasked = unmasked(survey, plan)
        report.spotted = survey.spotted
    }

    /// Remarks on quoted values that hold rows.
    func swallowed(_ remarks: RowRemarks, _ head: SourceHead) -> [Finding] {
        remarks.swallowed.map { found in
            var finding = Finding(.strayQuote, outcome: .flagged, row: found.row)
            finding.rule =
                "a quoted value holds \(found.lines) line(s) of \(head.layout?.columns.count ?? 0) cells each, as rows have"
            return finding
        }
    }

    /// Labels that look like others than they are. A label of the contract's is what somebody wrote there, unless the contract was
    /// made of the file's own labels.
    func disguisedColumns(_ head: SourceHead, _ plan: Plan) -> [(column: Int, code: FindingCode)] {
        if plan.schema.hiddenText == .accepted { return [] }
        var labels = Array(zip(head.unknown, head.unknownLabels))
        if plan.schema.isInferred { labels += plan.fieldNames.enumerated().map { ($0 + 1, $1) } }
        return labels.flatMap { column, label in hiddenText(inLabel: label).map { (column, $0) } }
    }

    /// What such labels do to the batch; where the header does not fit the contract they are the likely reason.
    func disguise(_ report: BatchReport, _ head: SourceHead, _ schema: Schema) -> [Finding] {
        guard head.layout == nil || schema.hiddenText >= .quarantined else { return [] }
        return Set(report.disguisedColumns.map(\.code)).sorted().map {
            Finding($0, outcome: schema.hiddenText, row: 0)
        }
    }

    func readers(_ plan: Plan, _ survey: Survey) -> String {
        let dialect = plan.reading.dialect
        if plan.reading.format == .jsonl {
            return dialect.concernsCSV ? "json lines; what the dialect says of CSV has no effect on JSON" : "json lines"
        }
        if dialect.concernsJSON {
            return readersOfCSV(plan, survey) + "; what the dialect says of JSON has no effect on CSV"
        }
        return readersOfCSV(plan, survey)
    }

    private func readersOfCSV(_ plan: Plan, _ survey: Survey) -> String {
        if !plan.reading.dialect.isStructural {
            if survey.crossChecked { return "dialect scanner, sampled blocks read again by libcsv" }
            return plan.reading.dialect.isKnownToLibCSV
                ? "dialect scanner alone: libcsv as the only reader has no such line ends"
                : "dialect scanner alone: libcsv cannot express the dialect"
        }
        return survey.crossChecked
            ? "structural scanner, sampled blocks read again by libcsv" : "libcsv alone"
    }
}
