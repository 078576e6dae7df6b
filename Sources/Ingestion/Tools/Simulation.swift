import Lineage
import Schemas
import Screening
import Sealing
import Sketches
package import Tabular

/// The last accepted batches, judged again under the present settings, each against those accepted before it. It shows
/// what would have been held and why, and writes nothing.
package struct Simulation: Sendable {
    /// A batch as it would be judged.
    package struct JudgedBatch: Sendable {
        /// The batch, who sent it, and when it was published.
        package let batch: String, source: String, time: String
        /// Its rows, the rows kept in its sample, and how many of those would be held back.
        package let rows: Int, sampled: Int, rowsHeld: Int
        /// Number of batches in its baseline.
        package let before: Int
        /// Whether it would be held, or only flagged because the learning phase is not over.
        package let isHeld: Bool, isLearning: Bool
        /// Findings about the whole batch.
        package let findings: [Finding]
        /// Findings in its sampled rows by code and field, with their number and whether they hold rows back.
        package let rowFindings: [(code: FindingCode, field: Int?, count: Int, held: Bool)]
    }

    /// The dataset, and the origin of the contract.
    package let dataset: String, origin: String
    /// The batches, oldest first.
    package let batches: [JudgedBatch]
    /// The names of the contract's fields.
    package let fields: [String]
    /// The named baseline that real batches are judged by; the simulation ignores it.
    package let named: String?
}

extension Store {
    /// Judges the last accepted batches of a dataset again, by their kept samples.
    ///
    /// - Parameters:
    ///   - dataset: the dataset.
    ///   - last: how many batches.
    ///   - given: the contract.
    ///   - settings: changes to the contract, each `KEY=VALUE`.
    package func simulate(
        _ dataset: String, last: Int, contract given: StatisticsContract, settings: [String]
    ) throws(IngestionError) -> Simulation {
        let contract = try given.setting(settings)
        let known = try accepted(dataset, last: last, contract)
        if known.isEmpty {
            throw IngestionError(.usage, "dataset \(dataset) has accepted no batch with statistics yet")
        }
        var batches: [Simulation.JudgedBatch] = []
        for place in known.indices.suffix(last) {
            batches.append(judge(known[place], before: Array(known[..<place]), contract))
        }
        let named = try namedBaselines(dataset: dataset).last { $0.isPinned || $0.isAnchor }?.name
        return Simulation(
            dataset: dataset, origin: contract.origin, batches: batches,
            fields: contract.names.map { LabelSearch.usual.shown($0) }, named: named)
    }

    /// An accepted batch with its kept sample.
    private struct Accepted {
        let file: PublishedFile
        let source: String
        let baseline: Baseline
    }

    /// The last accepted batches and those that they are judged against, oldest first.
    private func accepted(
        _ dataset: String, last: Int, _ contract: StatisticsContract
    ) throws(IngestionError) -> [Accepted] {
        let (log, state) = try proven()
        let loader = BaselineLoader(
            store: self, dataset: dataset, features: contract.features, codes: contract.codes, ring: try keyRing(),
            cache: nil)
        if loader.ring.keys.isEmpty {
            throw IngestionError(
                .notPermitted, "keys/: there is no key that decrypts baselines; restore it from your copy")
        }
        let rules = contract.schema.baseline
        let recorded = RecordedFiles(
            log: log, role: .baseline, sequences: state.publications(dataset, role: .baseline).reversed())
        var found: [Accepted] = []
        var seen = Set<String>()
        var before = (batches: 0, rows: 0)
        for file in recorded {
            let file = try file.get()
            if state.excluded.contains(file.batch) { continue }
            let opened = try loader.open(file)
            guard let projected = opened.made.projected(onto: contract.features, codes: contract.codes),
                seen.insert(opened.source).inserted
            else { continue }
            let run = try recording { () throws(LedgerError) in
                try log.run(around: file.entry.sequence, file.batch)
            }
            let source = run.first { $0.event == .batchReceived }?.body["source"]?.text ?? ""
            found.append(Accepted(file: file, source: source, baseline: projected))
            guard found.count > last else { continue }
            before = (before.batches + 1, before.rows + projected.sample.count)
            if before.batches >= rules.batches, before.rows >= rules.rows || before.batches >= Self.baselineFilesMax {
                break
            }
        }
        return found.reversed()
    }

    /// Judges one batch against those before it, of its own source where that has enough rows.
    private func judge(
        _ one: Accepted, before: [Accepted], _ contract: StatisticsContract
    ) -> Simulation.JudgedBatch {
        let rules = contract.schema.baseline
        func window(_ all: [Accepted]) -> [Baseline] {
            var (taken, rows): ([Baseline], Int) = ([], 0)
            for other in all.reversed() {
                taken.append(other.baseline)
                rows += other.baseline.sample.count
                if taken.count >= rules.batches, rows >= rules.rows || taken.count >= Self.baselineFilesMax { break }
            }
            return taken
        }
        let all = window(before)
        let own = one.source.isEmpty ? [] : window(before.filter { $0.source == one.source })
        let isOwn = own.reduce(0) { $0 + $1.sample.count } >= Self.ownRowsMin
        let known = isOwn ? own : all
        let earlier = all.map { baseline in
            baseline.codes.isEmpty
                ? [] : baseline.sample.codes(baseline.codes.count - 1).filter { $0 != 0 && $0 != Baseline.unseen }
        }
        let replay = SampleReplay(
            one.baseline, beside: Precedents(baseline: Baseline.merged(known), earlierRows: earlier),
            schema: contract.schema, screened: contract.screened, actions: contract.actions)
        return Simulation.JudgedBatch(
            batch: one.file.batch, source: one.source, time: one.file.entry.body["time"]?.text ?? "",
            rows: one.baseline.sizes.last ?? replay.rows, sampled: replay.rows, rowsHeld: replay.held,
            before: known.count, isHeld: !replay.verdict.isAccepted, isLearning: replay.decision.isLearning,
            findings: replay.verdict.findings,
            rowFindings: replay.findings.sorted.map { kind, tally in
                (code: kind.code, field: kind.field, count: tally.count, held: kind.outcome >= .quarantined)
            })
    }
}

extension Simulation {
    /// The simulation as a document.
    package var document: JSONValue {
        func whole(_ number: Int) -> JSONValue { .integer(Int64(number)) }
        func name(_ field: Int?) -> JSONValue { fields.name(ofField: field).map { .string($0) } ?? .null }
        func number(_ value: Double?) -> JSONValue { value.flatMap { $0.isFinite ? .number($0) : nil } ?? .null }
        return .object([
            "dataset": .string(dataset), "contract": .string(origin), "named": named.map { .string($0) } ?? .null,
            "wouldBeHeld": whole(batches.count { $0.isHeld }),
            "batches": .array(
                batches.map { batch in
                    .object([
                        "batch": .string(batch.batch), "source": .string(batch.source), "time": .string(batch.time),
                        "rows": whole(batch.rows), "sampledRows": whole(batch.sampled),
                        "rowsHeld": whole(batch.rowsHeld), "judgedBy": whole(batch.before),
                        "wouldBeHeld": .bool(batch.isHeld), "learning": .bool(batch.isLearning),
                        "findings": .array(
                            batch.findings.map { finding in
                                var members: [String: JSONValue] = [
                                    "type": .string(finding.code.rawValue), "fieldName": name(finding.field),
                                    "outcome": .string(finding.outcome.name), "statistic": number(finding.statistic),
                                    "threshold": number(finding.threshold),
                                    "contributors": .array(finding.contributors.map(name)),
                                ]
                                if let moved = finding.movement { members["moved"] = moved.document }
                                return .object(members)
                            }),
                        "rowFindings": .array(
                            batch.rowFindings.map {
                                .object([
                                    "type": .string($0.code.rawValue), "fieldName": name($0.field),
                                    "count": whole($0.count), "held": .bool($0.held),
                                ])
                            }),
                    ])
                }),
        ])
    }
}
