import Sketches
import Lineage
import Cryptography
import Masking
import Reading
import Schemas
import Screening
import Tabular
import Validating

/// Builds the report of a batch from the last stage that it reached.
extension SurveyedBatch {
    /// The report of a duplicate, with the verdict of the earlier batch.
    func report(duplicateOf earlier: EarlierBatch) -> BatchReport {
        var report = report(.duplicate)
        report.batch = identity.id
        report.duplicateOf = earlier.batch
        report.isRefusedReplacement = earlier.isAccepted && !earlier.isSame
        let judged = earlier.judged.body
        report.earlierWasAccepted = judged["verdict"]?.text == "accepted"
        report.earlierWasHeld = judged["verdict"]?.text == "held"
        report.earlierRejected = Int(judged["rejected"]?.whole ?? 0)
        report.earlierQuarantined = Int(judged["quarantined"]?.whole ?? 0)
        report.earlierFlagged = Int(judged["flagged"]?.whole ?? 0)
        let rejection = try? opened.store?.rejection(
            of: earlier.batch, dataset: plan.dataset, digest: hex(survey.digest))
        report.rejection = (rejection ?? nil) ?? ""
        report.seconds = opened.seconds
        return report
    }

    /// The part of the report that the first pass determines.
    fileprivate func report(_ status: BatchReport.Status) -> BatchReport {
        let cutter = opened.cutter
        var report = BatchReport(
            status: status, dataset: plan.dataset, source: plan.source, file: opened.request.file,
            fields: plan.fieldNames)
        report.contractHash = hex(plan.schema.digest)
        report.isInferred = plan.schema.isInferred
        report.unknownColumns = survey.head.unknown
        report.lacksHeader = survey.head.matches == 0
        report.bytes = cutter.bytesRead
        report.files = ReportedFile.all(opened.source, at: opened.request.input.files, survey.text.files)
        report.encoding = plan.reading.coding.encoding
        report.compression = cutter.compression.map { ($0.kind.rawValue, $0.bytes) }
        report.dataHash = hex(survey.digest)
        report.readers = readers
        report.remarks = survey.remarks
        report.leadingRows = plan.reading.format == .csv ? plan.reading.dialect.leadingRows : 0
        report.lacksLineEnd = cutter.files.firstIndex(where: \.lacksLineEnd)
        report.disguisedColumns = disguisedColumns
        report.columns = personalColumns
        report.copies = copies
        report.unmasked = unmaskedColumns
        report.detections = survey.detections
        report.attestation = attestation?.document
        return report
    }
}

extension DecidedBatch {
    /// The part of the report that the decision determines.
    fileprivate func report(_ status: BatchReport.Status) -> BatchReport {
        var report = surveyed.report(status)
        report.baseline = baseline?.name
        guard opened.options.mode >= .dryRun else { return report }
        // Values that the contract lists may be shown, since they stand in the contract.
        for field in decision.screened.categories {
            let own = plan.schema.fields[field]
            let listed =
                own.type == .boolean ? ["true", "false"] : (own.categories ?? []) + (own.constraints.enumeration ?? [])
            for value in listed { report.names[plan.validator.code(ofListed: value, field: field)] = value }
        }
        report.releases = opened.options.waiver?.held ?? ""
        report.releasedRows = opened.options.waiver?.rows?.text ?? ""
        report.isJudgedAgain = opened.options.waiver.map { $0.waivers.isEmpty } ?? false
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
        report.forestThresholds = decision.forest.map { lines in
            func place(_ sum: UInt32) -> Double { ScoreHistograms.place(of: sum, trees: lines.forest.trees) }
            return (place(lines.flagBelow), place(lines.quarantineBelow))
        }
        return report
    }
}

extension JudgedBatch {
    /// The whole report but for what recording adds, such as published paths.
    func report(_ status: BatchReport.Status = .checked) -> BatchReport {
        var report = decided.report(status)
        report.counts = counts
        report.findings = findings
        report.listed = listed
        report.batchFindings = batchFindings
        report.waived = waived
        report.shadow = shadow
        if let release = processed?.release {
            let schema = decided.plan.schema
            report.anonymity = release.classes.summary(
                wanted: schema.minimumClass, hasSensitive: schema.fields.contains { $0.role == .label })
            report.minimumClass = schema.minimumClass
            report.masks = release.masks
            report.scores = counts.scores
            if opened.options.keepsFates { report.fates = fates }
        }
        report.seconds = opened.seconds
        return report
    }
}

extension SurveyedBatch {
    /// Labels with invisible or look-alike characters. Labels of the contract are trusted, unless it was inferred from
    /// the file itself.
    var disguisedColumns: [(column: Int, code: FindingCode)] {
        let head = survey.head
        if plan.schema.hiddenText == .accepted { return [] }
        var labels = Array(zip(head.unknown, head.unknownLabels))
        if plan.schema.isInferred { labels += plan.fieldNames.enumerated().map { ($0 + 1, $1) } }
        return labels.flatMap { column, label in hiddenText(inLabel: label).map { (column, $0) } }
    }

    /// Findings about such labels. Where the header does not fit the contract they are the likely cause.
    var disguises: [Finding] {
        let policy = plan.schema.hiddenText
        guard survey.head.layout == nil || policy >= .quarantined else { return [] }
        return Set(disguisedColumns.map(\.code)).sorted().map { Finding($0, outcome: policy, at: .batch) }
    }

    /// The reader, and whether a second one checked sampled blocks.
    private var readers: String {
        let dialect = plan.reading.dialect
        if plan.reading.format == .jsonl {
            return dialect.concernsCSV ? "json lines; what the dialect says of CSV has no effect on JSON" : "json lines"
        }
        if dialect.concernsJSON {
            return readersOfCSV + "; what the dialect says of JSON has no effect on CSV"
        }
        return readersOfCSV
    }

    private var readersOfCSV: String {
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
