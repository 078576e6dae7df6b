// The rate of false alarms: clean batches of several kinds, each judged by the twenty before it.
import Cryptography
import Foundation
import Ingestion
import Reading
import Schemas
import Screening
import Sketches
import Tabular
import Validating

/// Seeded draws.
private struct Draws {
    var random: SplitMix64
    mutating func uniform() -> Double { (Double(random.next() >> 11) + 0.5) * 0x1p-53 }
    mutating func normal() -> Double { (-2 * log(uniform())).squareRoot() * cos(2 * .pi * uniform()) }
    mutating func heavy() -> Double {
        let squares = (0..<3).reduce(0.0) { sum, _ in
            let z = normal()
            return sum + z * z
        }
        return normal() / (squares / 3).squareRoot()
    }
    /// One of `count` values with decreasing shares (Zipf).
    mutating func zipf(_ count: Int) -> Int { min(count - 1, Int(pow(Double(count) + 1, uniform()) - 1)) }
}

private enum Kind: String, CaseIterable {
    case normal, lognormal, heavy, mixed, categorical

    var contract: String {
        let category = ", constraints: { enum: [\((0..<12).map { "v\($0)" }.joined(separator: ", "))] } }"
        let label = "  - { name: label, type: string, constraints: { enum: [yes, no] }, sluice: { role: label } }\n"
        var text = "fields:\n"
        switch self {
        case .normal, .lognormal, .heavy:
            for index in 0..<8 { text += "  - { name: m\(index), type: number }\n" }
        case .mixed:
            for index in 0..<5 { text += "  - { name: m\(index), type: number }\n" }
            for index in 0..<2 { text += "  - { name: c\(index), type: string\(category)\n" }
            text += "  - { name: note, type: string, sluice: { role: text } }\n" + label
        case .categorical:
            for index in 0..<8 { text += "  - { name: c\(index), type: string\(category)\n" }
            text += "  - { name: free, type: string }\n  - { name: n, type: integer }\n" + label
        }
        return text
    }

    func row(_ d: inout Draws, _ out: inout String) {
        let isYes = d.uniform() < 0.3
        switch self {
        case .normal: for index in 0..<8 { out += "\(d.normal() * Double(index + 1))," }
        case .lognormal: for _ in 0..<8 { out += "\(exp(d.normal()))," }
        case .heavy: for _ in 0..<8 { out += "\(d.heavy())," }
        case .mixed:
            let base = d.normal() + (isYes ? 3 : 0)
            out += "\(base),\(2 * base + d.normal() * 0.3),\(exp(d.normal())),"
            out += d.uniform() < 0.1 ? "," : "\(d.heavy()),"
            out += "\(Int(-log(d.uniform()) * 4)),v\(d.zipf(12)),v\(d.zipf(isYes ? 12 : 6)),"
            for _ in 0..<8 { out += "w\(d.zipf(400)) " }
            out += isYes ? "yea\(d.zipf(30))," : "nay\(d.zipf(30)),"
        case .categorical:
            for _ in 0..<8 { out += "v\(d.zipf(12))," }
            out += "t\(d.zipf(5000)),\(d.zipf(9)),"
        }
        switch self {
        case .mixed, .categorical: out += isYes ? "yes\n" : "no\n"
        default:
            out.removeLast()
            out += "\n"
        }
    }
}

/// Prints one line for each kind of data.
func countAlarms(rows: Int, batches: Int) throws {
    for kind in Kind.allCases { try countAlarms(kind, rows: rows, batches: batches) }
}

// Long function: a small pipeline in its order.
private func countAlarms(_ kind: Kind, rows: Int, batches count: Int) throws {
    let schema = try Schema.load(Array(kind.contract.utf8), name: "alarms.yaml").schema
    let validator = try Validator(schema, hash: KeyedHash(key: SHA256.hash(Array("alarms".utf8))))
    let fields = ScreenedFields(schema, numericFields: validator.numericFields)
    let reader = FeatureReader(fields, validator)
    let names = schema.fields.map(\.name)
    let plan = ReadingPlan(format: .csv, fieldNames: names)
    var recent: [Baseline] = []
    var (held, noted, tested, quarantined) = (0, 0, 0, 0)
    var reasons: [String: Int] = [:]
    var (z, pairs, forest) = ((0, 0.0), (0, 0.0), (0, 0.0))
    var labels = 0.0
    var marks: [FindingCode: Int] = [:]
    for index in 0..<20 + count {
        var draws = Draws(random: SplitMix64(seed: UInt64(index) &* 7919 &+ UInt64(rows)))
        var text = names.joined(separator: ",") + "\n"
        for _ in 0..<rows { kind.row(&draws, &text) }
        let bytes = Array(text.utf8)
        guard let head = try readHead(bytes.span, isWhole: true, plan: plan), let layout = head.layout else { return }
        let slice = SourceSlice(
            ordinal: 0, offset: UInt64(head.length), length: UInt64(bytes.count - head.length), firstRow: 1,
            rowCount: 0, bytes: Array(bytes[head.length...]))
        var blocks: [ValidatedBlock] = []
        var input = SliceReader(slice, layout: layout, plan: plan)
        var profile = Profile(reader, keyRules: 0)
        while let batch = input.next() {
            let checked = validator.validate(batch)
            profile.add(checked, reader, order: SipHash(key: Array(0..<16)))
            blocks.append(checked)
        }
        profile.finish()
        let baseline = Baseline.merged(recent.reversed())
        let decision = Decision(
            profile,
            beside: Precedents(
                baseline: baseline, earlierRows: recent.map { $0.sample.codes(fields.codeCount - 1) }),
            schema: schema, screened: fields, seed: UInt64(index))
        let screener = Screener(decision, reader, actions: [:])
        var counts = OutcomeCounts()
        var kept = KeptRows(reader)
        for block in blocks {
            let screened = screener.screen(block)
            counts.add(screened)
            kept.add(screened, block, reader, order: SipHash(key: Array(0..<16)), bounds: Profile.Bounds())
            if index >= 20 { for finding in screened.findings { marks[finding.code, default: 0] += 1 } }
        }
        kept.finish()
        let verdict = BatchVerdict(decision, counts, schema: schema)
        var made = Baseline(
            features: fields.numberNames(names), codes: fields.codeNames(names), sample: kept.sample,
            texts: kept.texts, remarks: Baseline.Remarks(counts))
        made.sizes = [rows]
        recent.append(made)
        if recent.count > 20 { recent.removeFirst() }
        guard index >= 20 else { continue }
        if !verdict.isAccepted { held += 1 } else if !verdict.findings.isEmpty { noted += 1 }
        for finding in verdict.findings { reasons[finding.code.rawValue, default: 0] += 1 }
        tested += rows
        quarantined += counts.count(.quarantined)
        z = (z.0 + counts.remarkedZ, z.1 + decision.flagRateZ * Double(rows))
        pairs = (pairs.0 + counts.remarkedPairs, pairs.1 + decision.flagRatePairs * Double(rows))
        labels += (decision.flagRateLabels ?? 0) * Double(rows)
        forest = (forest.0 + counts.remarkedForest, forest.1 + decision.flagRateForest * Double(rows))
    }
    func ratio(_ pair: (Int, Double)) -> String {
        pair.1 > 0 ? String(format: "%.4f/%.2f", Double(pair.0) / Double(tested), Double(pair.0) / pair.1) : "-"
    }
    let other = marks.filter { ![.deviatedValue, .pairResidual, .isolatedRow, .constantChanged].contains($0.key) }
        .map { "\($0.key.rawValue) \($0.value)" }.sorted()
    print(
        "\(kind.rawValue) rows \(rows) batches \(count) held \(held) noted \(noted)",
        "z \(ratio(z)) labels \(ratio((marks[.labelFlip] ?? 0, labels))) pairs \(ratio(pairs)) forest \(ratio(forest))",
        String(format: "rows held %.5f", Double(quarantined) / Double(tested)), reasons.sorted { $0.key < $1.key },
        other)
}
