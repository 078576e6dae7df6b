import Lineage
import Reading
import Schemas
import Screening
import Sketches
import Storage
import Tabular
import Validating

/// The second stage: all rows were read once.
struct SurveyedBatch {
    let opened: OpenedBatch
    private(set) var survey: Survey
    /// Who brings the batch, and what vouches for it; nil where nothing is written and no store knows of sources.
    let attestation: Attestation?
    let identity: BatchIdentity
    /// Repeated rows among those of the sample, which is gone once the batch is decided.
    let copies: (rows: Int, of: Int)?

    var plan: Plan { opened.plan }

    init(_ opened: OpenedBatch, _ survey: Survey) throws(IngestionError) {
        let plan = opened.plan
        (self.opened, self.survey) = (opened, survey)
        copies = plan.reader.fields.content.count == plan.schema.fields.count ? survey.profile.copies : nil
        attestation = try opened.attestation(sha256: survey.digest)
        identity = try BatchIdentity(opened, digest: survey.digest, attestation: attestation)
        self.survey.findings += disguises + undeclaredColumns + personalLabels
        if let attestation {
            let last = try opened.store?.proven().state.lastNumber(dataset: plan.dataset, supplier: plan.source)
            self.survey.findings +=
                attestation.findings + attestation.bindingFindings(dataset: plan.dataset, last: last)
        }
    }

    /// The batch that judged the same content before, where that makes this one a duplicate.
    func earlier() throws(IngestionError) -> EarlierBatch? {
        guard let recorder = opened.recorder, let earlier = try recorder.earlier(identity) else { return nil }
        try recorder.requireSettled(opened.source, opened.request.lease)
        return earlier
    }

    /// Records that the batch came again, and repeats the earlier verdict.
    func repeating(_ earlier: EarlierBatch) throws(IngestionError) -> BatchReport {
        try opened.recorder?.record(duplicate: identity, of: earlier, lease: opened.request.lease)
        return report(duplicateOf: earlier)
    }

    /// Decides by what every row is judged, beside what was accepted before and what other sources said.
    consuming func decide() throws(IngestionError) -> DecidedBatch {
        let (survey, options) = (survey, opened.options)
        let baseline = try judgingBaseline()
        // The file must not choose what it is judged by: a word in a column of numbers would take it out of the statistics.
        if plan.schema.isInferred, let baseline, !baseline.newest.lost.isEmpty {
            self.survey.findings.append(Finding(.measureLost, outcome: .quarantined, row: 0))
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
        // While another baseline is pinned nothing is added to what adds up away from the anchor, and nothing forgotten.
        if decision.slow == nil { decision.slow = baseline?.newest.slow }
        decision.waivesStatistics = options.waiver?.waivesStatistics ?? false
        return DecidedBatch(surveyed: self, decision: decision, baseline: baseline)
    }

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

    /// Compares what the batch says with what other sources said of the same keys; nil when the contract compares nothing.
    private func crossCheck() throws(IngestionError) -> CrossCheck? {
        guard let reader = plan.reader.claims else { return nil }
        let claims = survey.profile.claims
        var earlier: [EarlierClaims] = []
        if let store = opened.store {
            var trusted: [UInt64: Int] = [:]
            for name in try store.knownSources() {
                let since = try store.standing(name)?.trustedSince ?? -1
                if since >= 0 { trusted[reader.code(ofSource: name)] = since }
            }
            earlier = try store.earlierClaims(
                plan.dataset, about: claims, reader, except: (plan.source, survey.digest), trustedSince: trusted)
        }
        return CrossCheck(claims, earlier: earlier, reader)
    }

    /// The sources whose names may be told: those that somebody wrote into the configuration, the contract or the record.
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
        // The codes of values in a column, and those of sources among claims.
        let codes = names.flatMap { name in
            [plan.validator.code(ofText: name), plan.reader.claims?.code(ofNamed: name)].compactMap { $0 }.map {
                ($0, name)
            }
        }
        return Dictionary(codes, uniquingKeysWith: { first, _ in first })
    }

    /// Lets go of keys and samples, which nobody needs once the batch is decided; the counts stay.
    mutating func forgetSamples() {
        survey.profile.forget()
        returnFreeMemory()
    }
}

extension Precedents {
    /// What a batch is compared with.
    fileprivate init(_ judging: JudgingBaseline?) {
        self.init(baseline: judging?.main.merged, earlierRows: judging?.newest.rowCodes ?? [])
        rolling = judging?.rolling
        (anchor, slow) = (judging?.anchor, judging?.newest.slow)
    }
}

extension OpenedBatch {
    /// Who brings the batch, and what vouches for it.
    fileprivate func attestation(sha256 digest: [UInt8]) throws(IngestionError) -> Attestation? {
        guard options.mode >= .dryRun else { return nil }
        let record = store?.configuration.sources[plan.source]
        let sidecars: Sidecars
        if let waiver = options.waiver {
            sidecars = waiver.sidecars
        } else if request.lease?.delivery == nil {
            sidecars = try Sidecars(beside: source.path)
        } else {
            sidecars = try store?.keptSidecars(request.lease) ?? Sidecars()
        }
        let provenance =
            sidecars.isEmpty && record?.required.isEmpty != false
            ? Provenance() : try Provenance(sidecars, source, sha256: digest, rule: record)
        return Attestation(
            name: plan.source, record: record, standing: try store?.standing(plan.source), provenance: provenance)
    }
}
