import Lineage
import Masking
import Reading
import Screening
import Sketches
import Tabular
import Validating

/// The third stage: thresholds and tests of the batch are fixed, and every row can be judged.
struct DecidedBatch {
    private(set) var surveyed: SurveyedBatch
    /// Thresholds, forest and batch tests; the same decision on the same rows gives the same outcomes.
    let decision: Decision
    /// The baseline that the decision rests on; nil on cold start, and where nothing is screened.
    let baseline: JudgingBaseline?

    var opened: OpenedBatch { surveyed.opened }
    var plan: Plan { surveyed.plan }
    var survey: Survey { surveyed.survey }
    /// Whether its rows are read again. `validate` needs no second pass, and a file whose header does not fit gets
    /// none.
    var hasSecondPass: Bool { opened.options.mode >= .dryRun && survey.head.layout != nil }

    /// The values that the rows give for keys that other sources describe too, encoded to be sealed in their own file.
    ///
    /// - Returns: nil when nothing is compared or recorded, and for a refused batch, which must not vote in
    ///   cross-checks.
    private func assertions() -> [UInt8]? {
        let isHeard = survey.findings.allSatisfy { !$0.code.rejectsBatch && $0.code != .sourceUnlisted }
        guard isHeard, opened.options.mode == .ingest, let reader = plan.reader.assertions, let cross = decision.cross
        else {
            return nil
        }
        return EarlierAssertions(batch: surveyed.identity.id, survey.profile.assertions, cross, reader).encoded()
    }

    /// The second pass: reads the file again, screens and masks every row, and seals shards where the batch is
    /// recorded.
    ///
    /// Consumes the stage, so that the keys of all rows are freed before the pass begins.
    ///
    /// - Throws: what went wrong with the file or the store; staged files are removed then.
    consuming func process() async throws(IngestionError) -> ProcessedBatch {
        let (assertions, opened, plan) = (assertions(), opened, plan)
        surveyed.forgetSamples()
        let (survey, decision) = (survey, decision)
        guard let layout = survey.head.layout else { preconditionFailure("a second pass needs a layout") }
        var masked: Masker
        do throws(UnusableMask) {
            masked = try Masker(
                plan.schema, layout: layout, dialect: plan.reading.dialect, keys: plan.tokenKeys,
                hash: plan.choices.classes(content: survey.digest), kinds: surveyed.undeclaredKinds)
        } catch {
            throw IngestionError(error)
        }
        var keyring: SubjectKeyring?
        if masked.hasSubjectKeys {
            keyring =
                try opened.store.map { store throws(IngestionError) in
                    try SubjectKeyring.requireReadable(laterBy: store, of: opened.request.dataset)
                    return try SubjectKeyring(of: store, hash: plan.validator.hash)
                } ?? SubjectKeyring(transient: plan.validator.hash)
            masked.salts = keyring
        }
        let masker = masked
        let workplace = try opened.recorder?.begin(surveyed.identity, opened.request.lease)
        // The tags of the slices show whether the bytes are those of the first pass.
        let replayer = try SliceReplayer(opened.source, survey.text, plan.reading.coding)
        let work = ReleaseWork(
            work: SliceWork(plan: plan, layout: layout), decision: decision, masker: masker, staging: workplace?.staging
        )
        var fold = ReleaseFold(plan)
        let bounds = SharedBounds(Profile.Bounds())
        let rows = survey.profile.rows
        var subjects: StagedShard?
        do throws(IngestionError) {
            let index = try SubjectIndexFile(plan, masker, in: workplace?.staging)
            try await opened.runner.run(
                next: { () throws(IngestionError) in
                    opened.options.progress?(
                        rows, opened.source.size + replayer.bytesRead, 2 * opened.source.size)
                    return try replayer.next()
                },
                work: { slice throws(IngestionError) in
                    try work.process(slice, recalling: survey.recall(slice.ordinal), bounds: bounds.value)
                },
                take: { result throws(IngestionError) in
                    try fold.take(result, index: index)
                    bounds.lower(to: fold.kept.bounds)
                })
            subjects = try index?.finish()
        } catch {
            if let workplace { try? opened.recorder?.abandon(workplace.lease) }
            throw error
        }
        let isAsLong = try opened.source.isAsLong()
        let hasChanged = fold.hasChanged || fold.results.count != survey.places.count || !isAsLong
        return ProcessedBatch(
            decided: self, release: fold.finish(), workplace: workplace, assertions: assertions, subjects: subjects,
            keyring: keyring, hasChanged: hasChanged)
    }

    /// The verdict of the first pass alone: for `validate`, and for a file whose header does not fit.
    func judgedBySurvey() throws(IngestionError) -> JudgedBatch {
        let (survey, most) = (survey, opened.options.listed)
        var (findings, listed) = (survey.profile.counts, FindingList())
        let places = try locate(Array(decision.keyErrors.lazy.joined().prefix(most)))
        for (rule, rows) in decision.keyErrors.enumerated() {
            for row in rows {
                let finding = plan.validator.keyRules[rule].finding(row: row, bytes: places[row])
                findings.add(finding)
                if listed.count < most { listed.append(finding) }
            }
        }
        listed.append(contentsOf: survey.listed)
        listed.sort(keeping: most)
        func broken(_ outcome: Outcome) -> [RowSet] {
            zip(plan.validator.keyRules, decision.keyErrors).filter { $0.0.outcome == outcome }.map(\.1)
        }
        let extra = survey.soundRows(among: broken(.rejected))
        let flagged = survey.profile.flagged + survey.soundRows(among: broken(.flagged))
        let quarantined = survey.profile.quarantined + survey.soundRows(among: broken(.quarantined))
        var counts = OutcomeCounts()
        counts.set(
            accepted: max(0, survey.profile.sound - extra - flagged - quarantined), flagged: flagged,
            quarantined: quarantined, rejected: survey.profile.rows - survey.profile.sound + extra)
        return JudgedBatch(
            decided: self, counts: counts, findings: findings, listed: listed, batchFindings: survey.findings)
    }

    /// The byte ranges of rows that break a key rule. Which rows do is known only once the keys of all slices are
    /// merged, so their slices are read once more.
    private func locate(_ rows: [Int]) throws(IngestionError) -> [Int: Range<UInt64>] {
        var found: [Int: Range<UInt64>] = [:]
        guard let layout = survey.head.layout else { return found }
        let wanted = Set(rows)
        var ascending = rows.sorted()[...]
        var text = survey.text
        text.places = text.places.filter { place in
            while let first = ascending.first, first < place.firstRow { ascending.removeFirst() }
            return !place.isOverlong && ascending.first.map { $0 < place.firstRow + place.rowCount } ?? false
        }
        let replayer = try SliceReplayer(opened.source, text, plan.reading.coding)
        let work = SliceWork(plan: plan, layout: layout)
        while let slice = try replayer.next() {
            var blocks = work.blocks(of: slice)
            while let block = blocks.next() {
                for index in 0..<block.count where wanted.contains(block.firstRow + index) {
                    found[block.firstRow + index] = block.sourceRange(of: index)
                }
            }
        }
        return found
    }
}

extension Survey {
    /// The results of the first pass on one slice that the second pass needs.
    func recall(_ ordinal: Int) -> SliceRecall {
        SliceRecall(
            sound: sound[ordinal], detectedRows: detectedRows[ordinal], hiddenTextRows: hiddenTextRows[ordinal],
            draw: draws[ordinal])
    }

    /// The number of these rows that keep the contract apart from key rules.
    fileprivate func soundRows(among rows: [RowSet]) -> Int {
        var (count, next) = (0, 0)
        var places = places[...]
        while let row = rows.compactMap({ $0.first(from: next) }).min() {
            next = row + 1
            while places.count > 1, places[places.startIndex + 1].firstRow <= row { places.removeFirst() }
            guard let place = places.first, place.firstRow <= row else { continue }
            if sound[place.ordinal].bits(from: row - place.firstRow, count: 1)[0] { count += 1 }
        }
        return count
    }
}
