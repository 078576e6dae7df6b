import Foundation
import Reading
import Schemas
import Screening
import Sketches
import Tabular
import Testing
import Validating

/// Seeded draws from the distributions of columns.
struct Draws {
    private var random: SplitMix64

    init(seed: UInt64) { random = SplitMix64(seed: seed) }

    mutating func uniform() -> Double { (Double(random.next() >> 11) + 0.5) * 0x1p-53 }

    mutating func normal() -> Double { sqrt(-2 * log(uniform())) * cos(2 * .pi * uniform()) }

    mutating func poisson(_ mean: Double) -> Double {
        var (product, count) = (uniform(), 0.0)
        while product > exp(-mean) {
            product *= uniform()
            count += 1
        }
        return count
    }

    mutating func draw(_ name: String) -> Double {
        switch name {
        case "normal": return 10 + 2 * normal()
        case "lognormal": return exp(normal())
        case "exponential": return -log(uniform())
        case "uniform": return uniform()
        case "t3":
            let squares = (0..<3).reduce(0.0) { sum, _ in
                let z = normal()
                return sum + z * z
            }
            return normal() / sqrt(squares / 3)
        default: return poisson(4)
        }
    }
}

/// Rows × features as features × rows, as a forest reads them.
func columns(_ rows: ArraySlice<[Double]>) -> [[Double]] {
    (rows.first ?? []).indices.map { feature in rows.map { $0[feature] } }
}

/// A sample of rows, ranked in their order.
func sample(_ rows: [[Double]], capacity: Int = 65_536) -> RowSample {
    var sample = RowSample(capacity: capacity, width: rows.first?.count ?? 1)
    for (index, row) in rows.enumerated() {
        _ = sample.admits(UInt64(index))
        sample.append(rank: UInt64(index), row)
    }
    return sample
}

/// A contract from YAML.
func contract(_ text: String) throws -> Schema { try Schema.load(Array(text.utf8), name: "test.yaml").schema }

/// Both passes over rows of numbers, as the pipeline makes them.
struct Gate {
    /// Ranks the rows of samples.
    static let order = SipHash(key: Array(0..<16))
    let schema: Schema
    let validator: Validator
    let screened: ScreenedFields
    let reader: FeatureReader

    init(_ schema: Schema) throws {
        self.schema = schema
        // Thirty-two equal bytes would give a degenerate multiplier; keys are random, so this one is too.
        let key = (0..<32).map { UInt8(truncatingIfNeeded: SplitMix64.mix(UInt64($0))) }
        validator = try Validator(schema, hash: KeyedHash(key: key))
        screened = ScreenedFields(schema, numericFields: validator.numericFields)
        reader = FeatureReader(screened, validator)
    }

    func checked(_ rows: [[Double]]) throws -> [ValidatedBlock] {
        try checked(rows.map { $0.map { $0.isNaN ? "" : "\($0)" } })
    }

    func checked(_ rows: [[String]]) throws -> [ValidatedBlock] {
        let names = schema.fields.map(\.name)
        let lines = rows.map { $0.joined(separator: ",") }
        let bytes = Array(([names.joined(separator: ",")] + lines).joined(separator: "\n").utf8)
        let plan = ReadingPlan(format: .csv, fieldNames: names)
        let head = try #require(try readHead(bytes.span, isWhole: true, plan: plan))
        let body = Array(bytes[head.length...])
        let slice = SourceSlice(
            ordinal: 0, offset: UInt64(head.length), length: UInt64(body.count), firstRow: 1, rowCount: 0, bytes: body)
        var reader = SliceReader(slice, layout: try #require(head.layout), plan: plan)
        var out: [ValidatedBlock] = []
        while let batch = reader.next() { out.append(validator.validate(batch)) }
        return out
    }

    func profile(_ batches: [ValidatedBlock]) -> Profile {
        var profile = Profile(reader, keyRules: validator.keyRules.count)
        for batch in batches { profile.add(batch, reader, order: Gate.order) }
        profile.finish()
        return profile
    }

    func decide(_ profile: Profile, _ baseline: Baseline?, earlierRows: [[UInt64]] = []) -> Decision {
        var decision = Decision(
            profile, beside: Precedents(baseline: baseline, earlierRows: earlierRows), schema: schema,
            screened: screened, seed: 99)
        decision.keyErrors = profile.keys.map { $0.duplicates() }
        return decision
    }

    /// The gate's judgement of rows, and the baseline that they would become.
    func judge(_ rows: [[Double]], _ baseline: Baseline?) throws -> Judged { try judge(try checked(rows), baseline) }

    /// The same for rows of texts.
    func judge(texts rows: [[String]], _ baseline: Baseline?, earlierRows: [[UInt64]] = []) throws -> Judged {
        try judge(try checked(rows), baseline, earlierRows)
    }

    private func judge(_ batches: [ValidatedBlock], _ baseline: Baseline?, _ earlierRows: [[UInt64]] = []) throws
        -> Judged
    {
        let decision = decide(profile(batches), baseline, earlierRows: earlierRows)
        let screener = Screener(decision, reader, actions: [:])
        var counts = OutcomeCounts()
        var kept = RowSample(capacity: Baseline.capacity, width: screened.numberCount, codeWidth: screened.codeCount)
        var texts = RowSample(capacity: Baseline.textCapacity, width: 0, codeWidth: reader.textCodeCount)
        var features = RowFeatures()
        var outcomes: [Outcome] = []
        var findings: [Finding] = []
        var scores = ScoreHistograms()
        for batch in batches {
            let screened = screener.screen(batch)
            counts.add(screened)
            outcomes += screened.outcomes
            findings += screened.findings
            scores.merge(screened.scores)
            for row in 0..<screened.outcomes.count where screened.outcomes[row].isReleased {
                let rank = SplitMix64.mix(UInt64(outcomes.count + row) &* 31)
                guard kept.admits(rank) else { continue }
                reader.readNumbers(batch.batch, batch.numbers, row: row, into: &features)
                reader.readCodes(batch.batch, row: row, into: &features)
                kept.append(rank: rank, features.numbers, codes: features.codes)
                guard !self.screened.texts.isEmpty, rank <= texts.bound else { continue }
                reader.readText(batch.batch, row: row, into: &features)
                texts.append(rank: rank, [], codes: features.codes, tokens: features.items)
            }
        }
        kept.compact()
        texts.compact()
        let names = schema.fields.map(\.name)
        var made = Baseline(
            features: self.screened.numberNames(names), codes: self.screened.codeNames(names), sample: kept,
            texts: texts, remarks: .init(counts, decision))
        made.sizes = [outcomes.count]
        made.marks = [decision.markRecord]
        made.clock = decision.clock
        return Judged(
            decision: decision, verdict: BatchVerdict(decision, counts, schema: schema), counts: counts,
            outcomes: outcomes,
            findings: findings, baseline: made, scores: scores)
    }
}

/// The judgement of a gate.
struct Judged {
    let decision: Decision
    let verdict: BatchVerdict
    let counts: OutcomeCounts
    let outcomes: [Outcome]
    let findings: [Finding]
    let baseline: Baseline
    let scores: ScoreHistograms
}
