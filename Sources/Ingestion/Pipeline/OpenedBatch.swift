import Cryptography
import Lineage
import Reading
import Schemas
import Screening
import Sealing
import Sketches
import Tabular
import Validating

/// The first stage: the file is open, its header is read, and the plan for reading and judging it is fixed.
struct OpenedBatch {
    let pipeline: Pipeline
    let request: BatchRequest
    let source: SourceFiles
    private(set) var plan: Plan
    private(set) var keys: BatchKeys
    private(set) var cutter: SliceCutter
    private let secrets: BatchSecrets
    /// The time at which the work began, by the monotonic clock.
    private let started = Clock.monotonic()

    var options: BatchOptions { plan.options }
    var store: Store? { pipeline.store }
    /// The recorder, in mode `ingest` only.
    var recorder: Recorder? { options.mode == .ingest ? pipeline.recorder : nil }
    /// The runner of both passes.
    var runner: any SliceRunner { LocalRunner(jobs: options.jobs) }
    /// Seconds of wall time so far.
    var seconds: Double { Clock.monotonic() - started }

    /// Opens the file of a request, and reads what its foreign keys refer to.
    ///
    /// - Parameters:
    ///   - request: the file, contract and options.
    ///   - pipeline: the store and its recorder.
    /// - Throws: `usage`, `configuration` or `unreadableData` when the file cannot be judged at all; nothing is
    ///   recorded then.
    init(_ request: BatchRequest, in pipeline: Pipeline) throws(IngestionError) {
        self.pipeline = pipeline
        self.request = request
        let (options, store, schema) = (request.options, pipeline.store, request.schema)
        let format = try request.format()
        var secrets = if let store { try BatchSecrets(of: store) } else { try BatchSecrets() }
        keys = try BatchKeys(schema, hash: secrets.hash, store: store, options: options)
        if options.mode == .ingest { secrets.recipients = try store?.recipients(of: request.dataset) ?? [] }
        if options.mode >= .dryRun { secrets.tokenKeys = try store?.tokenKeys(for: schema) ?? [:] }
        self.secrets = secrets
        plan = try Plan(request, format: format, secrets: secrets, references: keys.references)
        source = try Self.open(request, plan, pipeline)
        cutter = try SliceCutter(source, plan: plan.reading, sliceBytes: options.sliceBytes)
        let columns = cutter.head.layout?.columns.count ?? 0
        guard columns <= schema.limits.maxFields else {
            throw IngestionError(
                .unreadableData,
                "\(request.file): it has \(columns) columns, more than sluice.limits.maxFields \(schema.limits.maxFields); "
                    + "raise the limit if that is intended")
        }
    }

    /// Opens the bytes. The keys are enrolled first, and `--supersede` is checked, since both may refuse the batch
    /// before it is read.
    private static func open(
        _ request: BatchRequest, _ plan: Plan, _ pipeline: Pipeline
    ) throws(IngestionError) -> SourceFiles {
        let options = request.options
        if options.mode == .ingest, let recorder = pipeline.recorder {
            try recorder.enroll(
                plan.recipients.map(UsedKey.init) + plan.tokenKeys.map { UsedKey(.token, $0.key, $0.value) })
            if let old = options.supersedes { try recorder.requireSupersedable(old, in: request.dataset) }
        }
        if let waiver = options.waiver { return waiver.source }
        guard let lease = request.lease, let delivery = lease.delivery, let store = pipeline.store else {
            return try SourceFiles(request.input, isStopped: options.isStopped)
        }
        return try store.openDelivered(lease, delivery, calling: request.file, isStopped: options.isStopped)
    }

    /// The batch opened again from the beginning, with the corrections to the search for personal data that the first
    /// look at all rows suggests.
    func corrected(by corrections: Corrections) throws(IngestionError) -> OpenedBatch {
        var batch = self
        batch.plan = plan.correcting(corrections.passed)
        batch.keys = try BatchKeys(request.schema, hash: secrets.hash, store: store, options: options)
        batch.cutter = try SliceCutter(source, plan: plan.reading, sliceBytes: options.sliceBytes)
        return batch
    }

    /// The first pass: reads and hashes the file, checks the contract, and profiles the rows. It runs twice when the
    /// evidence of all rows corrects the search for personal data.
    func survey() async throws(IngestionError) -> SurveyedBatch {
        let first = try await firstPass()
        let corrections = Corrections(first.evidence, first.head.layout, plan)
        if corrections.isEmpty { return try SurveyedBatch(self, first) }
        let again = try corrected(by: corrections)
        var second = try await again.firstPass()
        // Detections by chance are dropped from the evidence of the first look; the rest of it is kept.
        second.evidence = corrections.corrected(first.evidence)
        return try SurveyedBatch(again, second)
    }

    /// One pass over all slices.
    private func firstPass() async throws(IngestionError) -> Survey {
        var fold = SurveyFold(plan, keys: keys)
        guard let layout = cutter.head.layout else {
            // The header does not fit the contract. The file is still hashed, so that the refusal can name its digest.
            while try cutter.next() != nil {}
            return fold.finish(cutter, plan)
        }
        // Rows that cannot enter the final sample need not be copied. A bound that is out of date only copies a few
        // more. No row ranks below 0, so a plain check keeps no sample.
        let isSampled = options.mode >= .dryRun
        let bounds = SharedBounds(isSampled ? Profile.Bounds() : .nothing)
        let (work, empty) = (SliceWork(plan: plan, layout: layout), fold.profile)
        let known = keys.known(plan.validator.keyRules)
        try await runner.run(
            next: { () throws(IngestionError) in
                options.progress?(cutter.rows, cutter.bytesRead, 2 * source.size)
                let slice = try cutter.next()
                if slice?.ordinal == 0 { bounds.expect(empty, cutter, source) }
                return slice
            },
            work: { slice throws(IngestionError) in
                var part = try work.survey(slice, bounds: bounds.value)
                for (rule, keys) in known { part.profile.keys[rule].forget(keys) }
                return part
            },
            take: { part throws(IngestionError) in
                try fold.take(part)
                bounds.lower(to: fold.profile.bounds)
            })
        if isSampled, !fold.profile.isComplete {
            fold.takeSamples(
                of: try await work.resample(source, text: cutter.text, draws: fold.draws, runner: runner))
        }
        return fold.finish(cutter, plan)
    }
}
