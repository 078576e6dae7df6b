import Lineage
import Reading
import Schemas
import Screening
import Sketches
import Storage
import Tabular
import Validating

/// The second stage: all rows were read once, and the batch is identified.
struct SurveyedBatch {
    let opened: OpenedBatch
    private(set) var survey: Survey
    /// The source with its standing and provenance; nil where nothing is recorded and no store knows of sources.
    let attestation: Attestation?
    let identity: BatchIdentity
    /// Repeated rows in the sample, and rows in the sample; nil where the sample does not hold whole rows. Counted here
    /// because the sample is freed with the decision.
    let copies: (rows: Int, of: Int)?

    var plan: Plan { opened.plan }

    /// Completes the first pass: identifies the batch, and adds findings about labels, undeclared personal data and the
    /// source.
    init(_ opened: OpenedBatch, _ survey: Survey) throws(IngestionError) {
        let plan = opened.plan
        (self.opened, self.survey) = (opened, survey)
        copies = plan.reader.fields.content.count == plan.schema.fields.count ? survey.profile.copies : nil
        attestation = try opened.attestation(survey.sourceDigest)
        identity = try BatchIdentity(opened, digest: survey.digest, attestation: attestation)
        self.survey.findings += disguises + undeclaredColumns + personalLabels
        if let attestation {
            let last = try opened.store?.proven().state.lastNumber(dataset: plan.dataset, supplier: plan.source)
            self.survey.findings +=
                attestation.findings + attestation.bindingFindings(dataset: plan.dataset, last: last)
        }
    }

    /// The batch that judged the same content before; nil when there is none, or when it is to be judged again.
    func earlier() throws(IngestionError) -> EarlierBatch? {
        guard let recorder = opened.recorder, let earlier = try recorder.earlier(identity) else { return nil }
        try recorder.requireSettled(opened.source, opened.request.lease)
        return earlier
    }

    /// Records the batch as a duplicate.
    ///
    /// - Returns: a report with the earlier verdict.
    func repeating(_ earlier: EarlierBatch) throws(IngestionError) -> BatchReport {
        try opened.recorder?.record(duplicate: identity, of: earlier, lease: opened.request.lease)
        return report(duplicateOf: earlier)
    }

    /// Fixes what every row is judged by: thresholds, forest and batch tests against earlier batches, and the values
    /// that other sources contradict.
    consuming func decide() throws(IngestionError) -> DecidedBatch {
        let (survey, options) = (survey, opened.options)
        let baseline = try judgingBaseline()
        // The file must not choose its own tests: a single word would turn a numeric column into text and exclude it
        // from the statistics.
        if plan.schema.isInferred, let baseline, !baseline.newest.lost.isEmpty {
            self.survey.findings.append(Finding(.measureLost, outcome: .quarantined, at: .batch))
        }
        let seed =
            options.seed
            ?? plan.choices.decisionSeed(
                content: survey.digest, contract: plan.schema.digest, baseline: baseline?.main.identity ?? [])
        let keyErrors = try opened.keys.errors(survey.profile.keys, plan.validator.keyRules)
        let cross = options.mode < .dryRun ? nil : try crossCheck()
        let names = try sourceNames()
        var decision = Decision(
            survey.profile, beside: Precedents(baseline), schema: plan.schema, screened: plan.screened, seed: seed)
        (decision.keyErrors, decision.cross, decision.sourceNames) = (keyErrors, cross, names)
        // While another baseline is pinned, the accumulated drift from the anchor neither grows nor is forgotten.
        if decision.slow == nil { decision.slow = baseline?.newest.slow }
        decision.waivers = options.waiver?.waivers ?? .none
        return DecidedBatch(surveyed: self, decision: decision, baseline: baseline)
    }

    /// The baseline to judge by; nil on cold start, without a store, and for `validate`.
    private func judgingBaseline() throws(IngestionError) -> JudgingBaseline? {
        guard opened.options.mode >= .dryRun, let store = opened.store,
            try !store.proven().state.publications(plan.dataset, role: .baseline).isEmpty
        else { return nil }
        let loader = BaselineLoader(
            store: store, dataset: plan.dataset, features: plan.screened.numberNames(plan.fieldNames),
            codes: plan.screened.codeNames(plan.fieldNames), ring: try store.keyRing(),
            cache: opened.pipeline.recorder?.baselines)
        return try store.baseline(
            loader, source: plan.source, digest: survey.digest, superseded: opened.options.supersedes,
            history: plan.schema.baseline)
    }

    /// Compares the batch's values with those that other sources gave for the same keys; nil when the contract compares
    /// nothing.
    private func crossCheck() throws(IngestionError) -> CrossCheck? {
        guard let reader = plan.reader.assertions else { return nil }
        let assertions = survey.profile.assertions
        var earlier: [EarlierAssertions] = []
        if let store = opened.store {
            var trusted: [UInt64: Int] = [:]
            for name in try store.knownSources() {
                trusted[reader.code(ofSource: name)] = try store.standing(name)?.trustedSince
            }
            earlier = try store.earlierAssertions(
                plan.dataset, about: assertions, reader, except: (plan.source, survey.digest), trustedSince: trusted)
        }
        return CrossCheck(assertions, earlier: earlier, reader)
    }

    /// Names of sources that reports may show, by their codes: only names that somebody wrote into the configuration,
    /// the contract or the record.
    private func sourceNames() throws(IngestionError) -> [UInt64: String] {
        var names = [plan.source]
        for field in plan.schema.fields where field.role == .provenance {
            names += (field.categories ?? []) + (field.constraints.enumeration ?? [])
        }
        if let store = opened.store {
            names += store.configuration.sources.keys
            names += store.configuration.datasets.values.compactMap(\.source)
            names += try store.knownSources()
        }
        // A name has one code as a value of a column, and another as a source of assertions.
        let codes = names.flatMap { name in
            [plan.validator.code(ofText: name), plan.reader.assertions?.code(ofNamed: name)].compactMap { $0 }.map {
                ($0, name)
            }
        }
        return Dictionary(codes, uniquingKeysWith: { first, _ in first })
    }

    /// Frees keys and samples, which nothing needs once the batch is decided. The counts stay.
    mutating func forgetSamples() {
        survey.profile.forget()
        returnFreeMemory()
    }
}

extension Precedents {
    /// The data that the decision compares a batch with.
    fileprivate init(_ judging: JudgingBaseline?) {
        self.init(baseline: judging?.main.merged, earlierRows: judging?.newest.rowCodes ?? [])
        rolling = judging?.rolling
        (anchor, slow) = (judging?.anchor, judging?.newest.slow)
    }
}

extension OpenedBatch {
    /// The source with its provenance, from the sidecars beside the file or those kept with the delivery.
    fileprivate func attestation(_ digest: SourceDigest) throws(IngestionError) -> Attestation? {
        // A list of files states their digests, whoever delivers them.
        guard options.mode >= .dryRun || request.input.list != nil else { return nil }
        let record = store?.configuration.sources[plan.source]
        if options.waiver?.rows != nil {
            // Digest and signature were for the whole file, which was accepted with them.
            return Attestation(
                name: plan.source, record: record, standing: try store?.standing(plan.source), provenance: Provenance())
        }
        let sidecars: Sidecars
        if let waiver = options.waiver {
            sidecars = waiver.sidecars
        } else if request.lease?.delivery == nil {
            sidecars = try Sidecars(beside: request.input)
        } else {
            sidecars = try store?.keptSidecars(request.lease) ?? Sidecars()
        }
        let provenance =
            sidecars.isEmpty && record?.required.isEmpty != false
            ? Provenance() : try Provenance(sidecars, source, digest, rule: record)
        return Attestation(
            name: plan.source, record: record, standing: try store?.standing(plan.source), provenance: provenance)
    }
}
