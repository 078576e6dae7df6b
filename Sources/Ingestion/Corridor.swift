import Cryptography
import Lineage
import Masking
import Reading
package import Schemas
import Screening
import Sealing
import Sketches
import Storage
package import Tabular
import Validating

/// The one path every batch takes: survey, decide, process, judge, commit, publish.
///
/// `validate`, a dry run and `ingest` are this corridor with fewer or more doors open; there is no second path.
package struct Corridor: Sendable {
    /// The store, when there is one.
    package let store: Store?
    /// Who writes the store's history; nil when nothing is to be written.
    package let committer: Committer?

    /// A corridor into a store, or one that only checks. Making one that writes finishes what dead processes left.
    package init(store: Store?, writes: Bool) throws(IngestionError) {
        if let store, writes {
            let committer = try Committer(store)
            (self.committer, self.store) = (committer, committer.store)
        } else {
            (committer, self.store) = (nil, try store?.proving())
        }
    }

    /// The format of a file, by its name.
    package static func format(of path: String) -> SourceFormat? {
        let name = plainName(path)
        if name.hasSuffix(".csv") || name.hasSuffix(".tsv") { return .csv }
        if name.hasSuffix(".jsonl") || name.hasSuffix(".ndjson") || name.hasSuffix(".json") { return .jsonl }
        return nil
    }

    /// Whether a JSON file's name says that it is one document, or lines; nil when it says neither.
    static func isList(_ path: String) -> Bool? {
        let name = plainName(path)
        if name.hasSuffix(".json") { return true }
        return name.hasSuffix(".jsonl") || name.hasSuffix(".ndjson") ? false : nil
    }

    /// A file's name in small letters, without the ending that says how it is compressed.
    static func plainName(_ path: String) -> String {
        var name = path.lowercased()
        // Those that are not read are refused by their first bytes, with what helps.
        if let packed = (Compression.all.flatMap(\.suffixes) + [".bz2", ".xz"]).first(where: name.hasSuffix) {
            name.removeLast(packed.count)
        }
        return name
    }

    /// What is known of a batch on its way.
    struct Survey {
        var profile: Profile
        var sound: [RowBits]
        /// Rows in which personal data or a credential was seen.
        var sighted: [RowBits]
        /// What was drawn in each slice.
        var draws: [SliceDraw]
        var evidence: ColumnEvidence
        var spotted: [Spotted]
        var places: [SlicePlace]
        var digest: [UInt8]
        var findings: [Finding]
        var listed: FindingList
        var head: SourceHead
        var crossChecked: Bool
        var remarks: RowRemarks
        /// What its rows say that other sources may speak of too, as it is kept.
        var said: [UInt8]?
    }

    /// Takes one file through the corridor.
    ///
    /// With a claim of `watch`'s the bytes are those of the delivered file, `path` is what messages call it, and the claim
    /// ends with the batch.
    package func run(
        _ path: String, schema: Schema, contract: JSONValue, dataset: String, source sourceName: String,
        options: BatchOptions, claim: Claim? = nil
    ) async throws(IngestionError) -> BatchReport {
        let started = Clock.monotonic()
        guard let format = options.format ?? Self.format(of: path) else {
            throw IngestionError(
                .usage,
                "\(path): the name does not say whether it is CSV or JSON Lines; add --input-format csv or jsonl")
        }
        let secret = try store?.key(.store, "store").withBytes { bytes in bytes.indices.map { bytes[$0] } }
        let hash = try Plan.keyHash(secret)
        var keys = try BatchKeys(schema, hash, store, options)
        var plan = try Plan(
            schema: schema, dataset: dataset, source: sourceName, format: format, options: options,
            secret: secret ?? [UInt8](repeating: 0x53, count: 32),
            recipients: options.doors == .ingest ? store?.recipients(of: dataset) ?? [] : [],
            tokenKeys: options.doors >= .dryRun ? store?.tokenKeys(for: schema) ?? [:] : [:], file: path, hash: hash,
            references: keys.references)
        let source = try open(path, plan, claim)
        var report = BatchReport(
            status: .checked, dataset: dataset, source: sourceName, file: path, fields: plan.fieldNames)
        report.contractHash = hex(schema.digest)
        report.isInferred = schema.isInferred
        var cutter = try SliceCutter(source, plan: plan.reading, sliceBytes: options.sliceBytes)
        try requireFewColumns(cutter.head.layout?.columns.count ?? 0, schema, path)
        var survey = try await survey(cutter, plan, keys, source)
        let corrections = Corrections(survey, plan)
        if !corrections.isEmpty {
            plan = plan.correcting(corrections.passed)
            keys = try BatchKeys(schema, hash, store, options)
            cutter = try SliceCutter(source, plan: plan.reading, sliceBytes: options.sliceBytes)
            let evidence = corrections.corrected(survey.evidence)
            survey = try await self.survey(cutter, plan, keys, source)
            survey.evidence = evidence
        }
        describe(survey, cutter, plan, &report)
        survey.findings +=
            disguise(report, survey.head, schema) + undeclaredColumns(survey, plan)
            + personalLabels(survey.head, plan)
        let visitor = try visitor(plan, source, survey.digest, claim)
        if let visitor {
            let last = try store?.proven().state.lastNumber(dataset: dataset, supplier: sourceName)
            survey.findings += visitor.findings + visitor.bindingFindings(dataset: dataset, last: last)
            report.visitor = visitor.document
        }
        defer { report.seconds = Clock.monotonic() - started }

        let batch = try BatchIdentity(
            plan: plan, digest: survey.digest, contract: contract, source: source, claim: claim, visitor: visitor)
        if options.doors == .ingest, let committer, let earlier = try committer.earlier(batch) {
            try committer.requireSettled(source, claim)
            return try committer.repeated(earlier, batch, report, claim, started)
        }
        let (decision, baseline) = try decide(plan, &survey, keys)
        report.baseline = baseline?.name
        if options.doors >= .dryRun { describe(decision, plan, &report) }
        guard options.doors >= .dryRun, let layout = survey.head.layout else {
            return try checked(plan, survey, decision, report, batch, source, claim, started)
        }
        // What is refused for what it is has no word.
        let isHeard = survey.findings.allSatisfy { !$0.code.rejectsBatch && $0.code != .sourceUnlisted }
        if options.doors == .ingest, isHeard, let reader = plan.reader.claims, let cross = decision.cross {
            survey.said = EarlierClaims(batch: batch.id, survey.profile.claims, cross, reader).encoded()
        }
        // The keys alone are 16 bytes a row, and nobody asks them again.
        survey.profile.forget()
        returnFreeMemory()
        return try await process(plan, layout, survey, decision, baseline, batch, source, claim, &report, started)
    }

    /// Opens the file, once it is known that the batch may be sealed for its recipients and take the place that it asks for.
    private func open(_ path: String, _ plan: Plan, _ claim: Claim?) throws(IngestionError) -> Source {
        if plan.options.doors == .ingest, let committer {
            try committer.enroll(
                plan.recipients.map(UsedKey.init) + plan.tokenKeys.map { UsedKey(.token, $0.key, $0.value) })
            if let old = plan.options.supersedes { try committer.requireSupersedable(old, in: plan.dataset) }
        }
        if let waiver = plan.options.waiver { return waiver.source }
        guard let claim, let delivery = claim.delivery, let store else {
            return try Source(path, calling: path, isStopped: plan.options.isStopped)
        }
        return try store.openSource(of: claim.name, delivery, calling: path, isStopped: plan.options.isStopped)
    }

    /// Decides, beside what was accepted before and what other sources said.
    private func decide(
        _ plan: Plan, _ survey: inout Survey, _ keys: BatchKeys
    ) throws(IngestionError) -> (Decision, JudgingBaseline?) {
        let baseline =
            try plan.options.doors < .dryRun
            ? nil
            : store?.baseline(
                plan.dataset, source: plan.source, features: plan.screened.numberNames(plan.fieldNames),
                codes: plan.screened.codeNames(plan.fieldNames), digest: survey.digest,
                superseded: plan.options.supersedes, history: plan.schema.baseline, cache: committer?.baselines)
        // The file must not choose what it is judged by: a word in a column of numbers would take it out of the statistics.
        if plan.schema.isInferred, let baseline, !baseline.newest.lost.isEmpty {
            survey.findings.append(Finding(.measureLost, outcome: .quarantined, row: 0))
        }
        let seed =
            plan.options.seed
            ?? plan.choices.decisionSeed(
                content: survey.digest, contract: plan.schema.digest, baseline: baseline?.main.identity ?? [])
        let keyErrors = try keys.errors(survey.profile.keys, plan.validator.keyRules)
        var precedents = Precedents(baseline: baseline?.main.merged, earlierRows: baseline?.newest.rowCodes ?? [])
        precedents.rolling = baseline?.rolling
        (precedents.anchor, precedents.slow) = (baseline?.anchor, baseline?.newest.slow)
        let cross = plan.options.doors < .dryRun ? nil : try compare(survey.profile.claims, plan, survey.digest)
        let names = try sourceNames(plan)
        var decision = Decision(
            survey.profile, beside: precedents, schema: plan.schema, screened: plan.screened, seed: seed)
        (decision.keyErrors, decision.cross, decision.sourceNames) = (keyErrors, cross, names)
        // While another baseline is pinned nothing is added to what adds up away from the anchor, and nothing forgotten.
        if decision.slow == nil { decision.slow = baseline?.newest.slow }
        decision.waivesStatistics = plan.options.waiver?.waivesStatistics ?? false
        return (decision, baseline)
    }

    /// Who brings the batch, and what vouches for it; nil where nothing is written and no store knows of sources.
    private func visitor(
        _ plan: Plan, _ source: Source, _ digest: [UInt8], _ claim: Claim?
    ) throws(IngestionError) -> Visitor? {
        guard plan.options.doors >= .dryRun else { return nil }
        let record = store?.configuration.sources[plan.source]
        let sidecars: Sidecars
        if let waiver = plan.options.waiver {
            sidecars = waiver.sidecars
        } else if claim?.delivery == nil {
            sidecars = try Sidecars(beside: source.path)
        } else {
            sidecars = try store?.keptSidecars(claim) ?? Sidecars()
        }
        let provenance =
            sidecars.isEmpty && record?.required.isEmpty != false
            ? Provenance() : try Provenance(sidecars, source, sha256: digest, rule: record)
        return Visitor(
            name: plan.source, record: record, standing: try store?.standing(plan.source), provenance: provenance)
    }

    /// Holds what the batch says against what other sources said; nil when the contract compares nothing.
    private func compare(
        _ claims: RowSample, _ plan: Plan, _ digest: [UInt8]
    ) throws(IngestionError) -> CrossCheck? {
        guard let reader = plan.reader.claims else { return nil }
        var earlier: [EarlierClaims] = []
        if let store {
            var trusted: [UInt64: Int] = [:]
            for name in try store.knownSources() {
                let since = try store.standing(name)?.trustedSince ?? -1
                if since >= 0 { trusted[reader.code(ofSource: name)] = since }
            }
            earlier = try store.earlierClaims(
                plan.dataset, about: claims, reader, digest: digest, source: plan.source, trustedSince: trusted)
        }
        return CrossCheck(claims, earlier: earlier, reader)
    }

    /// The sources whose names may be told: those that somebody wrote into the configuration, the contract or the record.
    private func sourceNames(_ plan: Plan) throws(IngestionError) -> [UInt64: String] {
        var names = [plan.source]
        for field in plan.schema.fields where field.role == .provenance {
            names += (field.categories ?? []) + (field.constraints.enumeration ?? [])
        }
        if let store {
            names += store.configuration.sources.keys
            names += store.configuration.datasets.values.compactMap(\.source)
            names += try store.knownSources()
        }
        // The codes of values in a column, and those of sources among claims.
        let codes = names.flatMap { name in
            [plan.validator.code(ofText: name), plan.reader.claims?.code(ofNamed: name)].compactMap { $0 }.map {
                ($0, name)
            }
        }
        return Dictionary(codes, uniquingKeysWith: { first, _ in first })
    }

    private func requireFewColumns(_ columns: Int, _ schema: Schema, _ path: String) throws(IngestionError) {
        if columns <= schema.limits.maxFields { return }
        throw IngestionError(
            .unreadableData,
            "\(path): it has \(columns) columns, more than sluice.limits.maxFields \(schema.limits.maxFields); "
                + "raise the limit if that is meant")
    }

    /// First pass over all slices.
    private func survey(
        _ cutter: SliceCutter, _ plan: Plan, _ keys: BatchKeys, _ source: Source
    ) async throws(IngestionError) -> Survey {
        var profile = Profile(plan.reader, keyRules: plan.validator.keyRules.count)
        var sound: [Int: RowBits] = [:]
        var sighted: [Int: RowBits] = [:]
        var draws: [SliceDraw?] = []
        var evidence = ColumnEvidence()
        var spotted: [Spotted] = []
        var remarks = RowRemarks()
        var findings = cutter.head.findings
        var listed = FindingList()
        let most = plan.options.listed
        var merged = 0
        if let layout = cutter.head.layout {
            // Rows that cannot be in the final sample any more need not be copied; reading an older bound is harmless.
            // Nothing ranks before 0: a contract is checked without a sample.
            let isSampled = plan.options.doors >= .dryRun
            let bounds = SharedBounds(isSampled ? Profile.Bounds() : .nothing)
            let runner = LocalRunner(jobs: plan.options.jobs)
            let empty = profile
            let known = keys.known(plan.validator.keyRules)
            try await runner.run(
                next: { () throws(IngestionError) in
                    plan.options.progress?(cutter.rows, cutter.bytesRead, 2 * source.size)
                    let slice = try cutter.next()
                    if slice?.ordinal == 0 { bounds.expect(empty, cutter, source) }
                    return slice
                },
                work: { slice throws(IngestionError) in
                    var part = try Ingestion.survey(slice, plan, layout, bounds: bounds.value)
                    for (rule, keys) in known { part.profile.keys[rule].forget(keys) }
                    return part
                },
                take: { result throws(IngestionError) in
                    profile.merge(result.profile)
                    try keys.spill.relieve(&profile.keys)
                    merged += 1
                    bounds.lower(to: profile.bounds)
                    sound[result.ordinal] = result.isSound
                    sighted[result.ordinal] = result.isSighted
                    draws += Array(repeating: nil, count: max(0, result.ordinal + 1 - draws.count))
                    draws[result.ordinal] = result.draw
                    evidence.merge(result.evidence)
                    spotted += result.sightings
                    remarks.merge(result.remarks)
                    if let finding = result.disagreement { findings.append(finding) }
                    listed.append(contentsOf: result.listed)
                    // Slices end in any order: only those of the first rows stay.
                    if listed.count / 2 > most { listed.sort(keeping: most) }
                })
            if isSampled, !profile.isComplete {
                profile.takeSamples(of: try await resample(source, cutter.places, plan, layout, draws: draws))
            }
        } else {
            // The header does not fit the contract: the file is still hashed, so that the refusal names it.
            while try cutter.next() != nil {}
        }
        profile.finish()
        listed.sort(keeping: most)
        findings += swallowed(remarks, cutter.head)
        findings.sort { ($0.row, $0.code) < ($1.row, $1.code) }
        spotted.sort { ($0.row, $0.column, $0.start) < ($1.row, $1.column, $1.start) }
        return Survey(
            profile: profile, sound: (0..<cutter.places.count).map { sound[$0] ?? RowBits() },
            sighted: (0..<cutter.places.count).map { sighted[$0] ?? RowBits() }, draws: draws.compactMap(\.self),
            evidence: evidence, spotted: spotted, places: cutter.places, digest: cutter.digest(),
            findings: findings, listed: listed, head: cutter.head,
            crossChecked: plan.isCrossChecked, remarks: remarks)
    }

    /// The end of the road for `validate`, and for a file whose header does not fit.
    private func checked(
        _ plan: Plan, _ survey: Survey, _ decision: Decision, _ report: BatchReport, _ batch: BatchIdentity,
        _ source: Source, _ delivered: Claim?, _ started: Double
    ) throws(IngestionError) -> BatchReport {
        var report = report
        report.batchFindings = survey.findings
        var findings = survey.profile.counts
        let places = try locate(
            Array(decision.keyErrors.lazy.joined().prefix(plan.options.listed)), source, survey, plan)
        for (rule, rows) in decision.keyErrors.enumerated() {
            for row in rows {
                var finding = plan.validator.keyRules[rule].finding(row: row)
                findings.add(finding)
                if report.listed.count < plan.options.listed {
                    if let range = places[row] {
                        finding.byteOffset = range.lowerBound
                        finding.byteLength = range.upperBound - range.lowerBound
                    }
                    report.listed.append(finding)
                }
            }
        }
        report.findings = findings
        report.listed.append(contentsOf: survey.listed)
        report.listed.sort(keeping: plan.options.listed)
        func broken(_ outcome: Outcome) -> [RowSet] {
            zip(plan.validator.keyRules, decision.keyErrors).filter { $0.0.outcome == outcome }.map(\.1)
        }
        let extra = soundRows(broken(.rejected), survey)
        let flagged = survey.profile.flagged + soundRows(broken(.flagged), survey)
        let quarantined = survey.profile.quarantined + soundRows(broken(.quarantined), survey)
        report.counts.set(
            accepted: max(0, survey.profile.sound - extra - flagged - quarantined), flagged: flagged,
            quarantined: quarantined, rejected: survey.profile.rows - survey.profile.sound + extra)
        if let waiver = plan.options.waiver { return waiver.refused(report, started) }
        if plan.options.doors == .ingest, let committer {
            let (claim, staging) = try committer.begin(batch, delivered)
            let stage = Stage(
                folder: staging, context: batch.context(committer.ledger.origin), recipients: plan.recipients)
            do throws(IngestionError) {
                try committer.requireSettled(source, delivered)
                return try committer.hold(
                    claim, batch, report, decision: nil, baseline: nil, stage: stage, source: source, results: [],
                    started)
            } catch {
                if let earlier = try committer.afterFailure(claim, batch) {
                    return try committer.repeated(earlier, batch, report, delivered, started)
                }
                throw error
            }
        }
        if let layout = survey.head.layout, let files = try RowFiles(plan.options) {
            try files.write(source, layout, survey.places, survey.sound, plan, decision)
            try files.finish()
        }
        report.seconds = Clock.monotonic() - started
        return report
    }

    /// How many rows break a key rule and nothing else.
    private func soundRows(_ keyErrors: [RowSet], _ survey: Survey) -> Int {
        var (count, next) = (0, 0)
        var places = survey.places[...]
        while let row = keyErrors.compactMap({ $0.first(from: next) }).min() {
            next = row + 1
            while places.count > 1, places[places.startIndex + 1].firstRow <= row { places.removeFirst() }
            guard let place = places.first, place.firstRow <= row else { continue }
            if survey.sound[place.ordinal].bits(from: row - place.firstRow, count: 1)[0] { count += 1 }
        }
        return count
    }

    /// The byte ranges of rows that only the merged keys told apart: their slices are read once more.
    private func locate(
        _ rows: [Int], _ source: Source, _ survey: Survey, _ plan: Plan
    ) throws(IngestionError) -> [Int: Range<UInt64>] {
        var found: [Int: Range<UInt64>] = [:]
        guard let layout = survey.head.layout else { return found }
        let wanted = Set(rows)
        var ascending = rows.sorted()[...]
        let places = survey.places.filter { place in
            while let first = ascending.first, first < place.firstRow { ascending.removeFirst() }
            return !place.isOverlong && ascending.first.map { $0 < place.firstRow + place.rowCount } ?? false
        }
        let replayer = try SliceReplayer(source, places: places, plan.reading.coding, hashes: false)
        while let slice = try replayer.next() {
            var reader = SliceReader(slice, layout: layout, plan: plan.reading)
            while let batch = reader.next() {
                for index in 0..<batch.count where wanted.contains(batch.firstRow + index) {
                    found[batch.firstRow + index] = batch.sourceRange(of: index)
                }
            }
        }
        return found
    }

    // Long function: the corridor's second half in the order it happens.
    private func process(
        _ plan: Plan, _ layout: Layout, _ survey: Survey, _ decision: Decision, _ baseline: JudgingBaseline?,
        _ batch: BatchIdentity, _ source: Source, _ delivered: Claim?, _ report: inout BatchReport, _ started: Double
    ) async throws(IngestionError) -> BatchReport {
        let masker: Masker
        do throws(UnusableMask) {
            masker = try Masker(
                plan.schema, layout: layout, dialect: plan.reading.dialect, keys: plan.tokenKeys,
                hash: plan.choices.classes(content: survey.digest),
                kinds: undeclaredKinds(survey, plan))
        } catch {
            throw IngestionError(error)
        }
        let begun = plan.options.doors == .ingest ? try committer?.begin(batch, delivered) : nil
        let claim = begun?.claim
        let stage = begun.map { begun in
            Stage(
                folder: begun.staging, context: batch.context(committer?.ledger.origin ?? ""),
                recipients: plan.recipients)
        }
        let replayer = try SliceReplayer(source, places: survey.places, plan.reading.coding)
        var results: [SliceResult] = []
        var listed: [Int: FindingList] = [:]
        var kept = KeptRows(plan.reader)
        var classes = EquivalenceClasses()
        let screener = Screener(decision, plan.reader, actions: plan.actions)
        let bounds = SharedBounds(Profile.Bounds())
        let runner = LocalRunner(jobs: plan.options.jobs)
        let rows = survey.profile.rows
        do throws(IngestionError) {
            try await runner.run(
                next: { () throws(IngestionError) in
                    plan.options.progress?(rows, source.size + replayer.bytesRead, 2 * source.size)
                    return try replayer.next()
                },
                work: { slice throws(IngestionError) in
                    try Ingestion.process(
                        slice, plan, layout, decision, screener, masker, sound: survey.sound[slice.ordinal],
                        sighted: survey.sighted[slice.ordinal], order: survey.draws[slice.ordinal].order, stage: stage,
                        bounds: bounds.value)
                },
                take: { result throws(IngestionError) in
                    var result = result
                    // Merged at once: a sample a slice would grow with the file.
                    kept.merge(result.kept)
                    bounds.lower(to: kept.bounds)
                    result.kept = KeptRows(plan.reader)
                    classes.merge(result.classes)
                    result.classes = EquivalenceClasses()
                    listed[result.ordinal, default: FindingList()].append(contentsOf: result.listed)
                    result.listed = []
                    results.append(result)
                })
        } catch {
            if let claim { try? committer?.abandon(claim) }
            throw error
        }
        results.sort { $0.ordinal < $1.ordinal }
        var counts = OutcomeCounts()
        var masks: [MaskReceipt: Int] = [:]
        for result in results {
            counts.merge(result.counts)
            masks.merge(result.receipts, uniquingKeysWith: +)
            if report.listed.count < plan.options.listed {
                let left = plan.options.listed - report.listed.count
                if let more = listed.removeValue(forKey: result.ordinal) {
                    report.listed.append(contentsOf: more.prefix(left))
                }
            }
        }
        report.counts = counts
        report.findings = counts.findings
        report.anonymity = classes.summary(
            wanted: plan.schema.minimumClass, hasSensitive: plan.schema.fields.contains { $0.role == .label })
        report.minimumClass = plan.schema.minimumClass
        report.masks = masks.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        var findings = survey.findings
        if try replayer.finish() != survey.digest || results.count != survey.places.count {
            findings.append(Finding(.sourceChanged, outcome: .quarantined, row: 0))
        }
        let verdict = Verdict(decision, counts, schema: plan.schema, earlier: findings)
        report.batchFindings = verdict.findings
        report.waive(verdict, counts)
        report.scores = counts.scores
        if plan.options.keepsFates || plan.options.shadow != nil {
            var fates = RowMap()
            for result in results { fates.append(result.rowMap) }
            if plan.options.keepsFates { report.fates = fates }
            do throws(IngestionError) {
                report.shadow = try await shadow(report, fates, plan, source.path, delivered)
            } catch {
                if let claim { try? committer?.abandon(claim) }
                throw error
            }
        }
        guard let committer, let claim, let stage else {
            report.seconds = Clock.monotonic() - started
            return report
        }
        do throws(IngestionError) {
            try committer.requireSettled(source, delivered)
            if verdict.isAccepted {
                return try committer.accept(
                    claim, batch, report, decision: decision, baseline: baseline, kept: kept, stage: stage,
                    results: results, said: survey.said, started)
            }
            if let waiver = plan.options.waiver {
                try committer.abandon(claim)
                return waiver.refused(report, started)
            }
            return try committer.hold(
                claim, batch, report, decision: decision, baseline: baseline, stage: stage, source: source,
                results: results, said: survey.said, started)
        } catch {
            // Another process judged the same bytes a moment ago: this one is the duplicate.
            if let earlier = try committer.afterFailure(claim, batch) {
                return try committer.repeated(earlier, batch, report, delivered, started)
            }
            throw error
        }
    }
}
