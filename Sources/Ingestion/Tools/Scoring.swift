import Cryptography
import Reading
package import Schemas
import Screening
import Sketches
import Storage
import Tabular
import Validating

/// The anomaly score of one row.
package struct RowScore: Sendable {
    /// Data row, from 1.
    package var row: Int
    /// The mean rank of three detectors, or the isolation forest's score; 0 to 1, larger is more anomalous. NaN when
    /// the row could not be read.
    package var score: Double
    /// The largest modified z-score in absolute value; NaN when no column has a threshold.
    package var modifiedZ: Double
    /// The contract's field with that score; nil when no column has one above 0.
    package var field: Int?
}

/// The method behind a row's score.
package enum ScoreMethod: String, Sendable, CaseIterable {
    /// The mean rank of an isolation forest, histograms and nearest neighbours.
    case ensemble
    /// The isolation forest alone (Liu, Ting, Zhou 2008; extended by Hariri et al. 2019 where splits combine features).
    case forest
}

/// Scores every row of a file against the file itself. It is a tool for exploring data and has no part in the gate.
///
/// - Parameters:
///   - path: the file.
///   - schema: the contract.
///   - options: how the file is read, and the seed.
///   - method: the score's method.
///   - emit: called with the scores of all rows, in order.
package func scoreRows(
    _ path: String, schema: Schema, options: BatchOptions, method: ScoreMethod,
    emit: ([RowScore]) -> Void
) async throws(IngestionError) {
    let format = try options.format(ofFile: path)
    var schema = schema
    schema.foreignKeys = []
    // Only numbers are examined and nothing is released, so personal data is not searched for.
    (schema.undeclaredPII, schema.secrets, schema.hiddenText) = (.allow, .accepted, .accepted)
    for field in schema.fields.indices {
        (schema.fields[field].undeclaredPII, schema.fields[field].secrets) = (nil, nil)
        schema.fields[field].hiddenText = nil
        // All columns are examined unless the contract excludes one.
        if schema.isInferred {
            (schema.fields[field].role, schema.fields[field].form, schema.fields[field].pii) = (nil, nil, nil)
        }
    }
    let request = BatchRequest(
        BatchInput(file: path), schema: schema, contract: .null, dataset: "", source: "", options: options)
    let plan = try Plan(request, format: format, secrets: BatchSecrets())
    let source = try SourceFiles(InputFile(path))
    let cutter = try SliceCutter(source, plan: plan.reading, sliceBytes: options.sliceBytes)
    guard let layout = cutter.head.layout else {
        let codes = cutter.head.findings.map(\.code.rawValue).joined(separator: ", ")
        throw IngestionError(.unreadableData, "\(path): the header does not fit the contract: \(codes)")
    }
    let work = SliceWork(plan: plan, layout: layout)
    let runner = LocalRunner(jobs: options.jobs)
    let profile = try await work.profile(source, cutter, runner: runner)
    guard !plan.screened.forest.isEmpty, profile.sample.count >= 2 else {
        throw IngestionError(.unreadableData, "\(path): there are no numeric columns with values to score")
    }
    // Numeric fields only: lengths of texts are no features here. They come first among the sample's numbers.
    let features = Array(plan.screened.fields.indices)
    var sample = RowSample(capacity: profile.sample.capacity, width: features.count)
    for row in 0..<profile.sample.count {
        let first = row * profile.sample.width
        sample.append(rank: profile.sample.ranks[row], features.map { profile.sample.values[first + $0] })
    }
    // Not secret, so that the same rows have the same scores everywhere.
    let seed = options.seed ?? Plan.word(SHA256.hash(schema.digest))
    let forest = WideForest(
        sample, fields: plan.screened.fields,
        shape: .init(
            trees: schema.forest.trees, sampleSize: schema.forest.sampleSize,
            dimensions: schema.forest.dimensions),
        seed: seed)
    let detector: RowScorer.Detector =
        switch method {
        case .ensemble: .ensemble(AnomalyEnsemble(sample, forest: forest))
        case .forest: .forest(forest)
        }
    let rules = plan.screened.fields.enumerated().compactMap { feature, field in
        ModifiedZ(field: field, values: profile.sample.column(feature)).map { (feature, $0) }
    }
    let scorer = RowScorer(work: work, detector: detector, rules: rules)
    let replayer = try SliceReplayer(source, cutter.text, plan.reading.coding)
    var waiting: [Int: [RowScore]] = [:]
    var next = 0
    try await runner.run(
        next: { () throws(IngestionError) in try replayer.next() },
        work: { slice throws(IngestionError) in (slice.ordinal, scorer.scores(slice)) },
        take: { result throws(IngestionError) in
            waiting[result.0] = result.1
            while let ready = waiting.removeValue(forKey: next) {
                emit(ready)
                next += 1
            }
        })
}

/// Scores the rows of slices; immutable and shared by workers.
private struct RowScorer: Sendable {
    /// The detector behind the score.
    enum Detector: Sendable {
        case ensemble(AnomalyEnsemble)
        case forest(WideForest)

        /// The score of each row, from columns of equal length.
        func scores(_ columns: [[Double]]) -> [Double] {
            switch self {
            case .ensemble(let ensemble): ensemble.scores(columns)
            case .forest(let forest): forest.sums(columns).map(forest.score)
            }
        }
    }

    let work: SliceWork
    let detector: Detector
    /// Thresholds of single columns, by feature.
    let rules: [(Int, ModifiedZ)]

    /// The scores of a slice's rows.
    func scores(_ slice: SourceSlice) -> [RowScore] {
        var out: [RowScore] = []
        out.reserveCapacity(slice.rowCount)
        var blocks = work.blocks(of: slice)
        while let block = blocks.next() {
            let validated = work.plan.validator.validate(block)
            let columns = work.plan.screened.slots.map { validated.numbers[$0] }
            let strange = detector.scores(columns)
            for row in 0..<block.count {
                var best = RowScore(
                    row: block.firstRow + row, score: validated.isValid[row] ? strange[row] : .nan,
                    modifiedZ: rules.isEmpty ? .nan : 0, field: nil)
                for (feature, rule) in rules {
                    let score = rule.score(columns[feature][row])
                    if score > best.modifiedZ { (best.modifiedZ, best.field) = (score, rule.field) }
                }
                out.append(best)
            }
        }
        return out
    }
}

extension SliceWork {
    /// The first pass, for its sample only.
    fileprivate func profile(
        _ source: SourceFiles, _ cutter: SliceCutter, runner: LocalRunner
    ) async throws(IngestionError) -> Profile {
        var profile = Profile(plan.reader, keyRules: plan.validator.keyRules.count)
        let bounds = SharedBounds(Profile.Bounds())
        let empty = profile
        var draws: [Int: SliceDraw] = [:]
        try await runner.run(
            next: { () throws(IngestionError) in
                let slice = try cutter.next()
                if slice?.ordinal == 0 { bounds.expect(empty, cutter, source) }
                return slice
            },
            work: { slice throws(IngestionError) in try survey(slice, bounds: bounds.value) },
            take: { part throws(IngestionError) in
                profile.merge(part.profile)
                draws[part.ordinal] = part.draw
                bounds.lower(to: profile.bounds)
            })
        if !profile.isComplete {
            let known = cutter.places.map { draws[$0.ordinal] }
            profile.takeSamples(of: try await resample(source, text: cutter.text, draws: known, runner: runner))
        }
        profile.finish()
        return profile
    }
}
