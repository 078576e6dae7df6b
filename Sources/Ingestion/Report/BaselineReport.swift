import Lineage
import Schemas
import Screening
import Sealing
import Sketches
package import Tabular

/// One test of one baseline against another.
package struct BaselineDifference: Sendable {
    /// The name of the field.
    package let field: String
    /// The test, as the code of its finding.
    package let type: String
    /// The size of the difference, and the sizes that would flag or hold a batch.
    package let effect: Double, warn: Double, hold: Double
    /// Sample sizes: rows of the new baseline and of the old one.
    package let count: Int, basis: Int
    /// The outcome that a batch would have had.
    package let outcome: String

    /// The test as a document.
    package var document: JSONValue {
        func number(_ value: Double) -> JSONValue { value.isFinite ? .number(value) : .null }
        return .object([
            "field": .string(field), "type": .string(type), "effect": number(effect), "warn": number(warn),
            "hold": number(hold), "n": .integer(Int64(count)), "basis": .integer(Int64(basis)),
            "outcome": .string(outcome),
        ])
    }
}

extension Store {
    /// The datasets that have baselines, sorted.
    package func datasetsWithBaselines() throws(IngestionError) -> [String] {
        try proven().state.datasets(with: .baseline)
    }

    /// Loads a named baseline, that of one batch, or the last accepted batches (`rolling`), over all fields that were
    /// sealed.
    ///
    /// - Throws: `usage` when there is none, `notPermitted` without a key that opens it.
    private func open(_ name: String, _ dataset: String) throws(IngestionError) -> LoadedBaseline {
        let chosen = try files(of: name, dataset, limit: Self.baselineBatches)
        guard let newest = chosen.first else {
            throw IngestionError(.usage, "dataset \(dataset) has accepted no batch with statistics yet")
        }
        let ring = try keyRing()
        if ring.keys.isEmpty {
            throw IngestionError(
                .notPermitted, "keys/: there is no key that decrypts baselines; restore it from your copy")
        }
        // The fields of the newest batch decide which are compared.
        let (bytes, _) = try readEvidence(
            newest, keys: ring,
            expect: ["dataset": dataset, "batch-id": newest.batch, "role": FileRole.baseline.rawValue])
        guard let made = Baseline(decoding: bytes) else {
            throw IngestionError(
                .damaged, "\(place(of: newest)): it was written by another version and cannot be read")
        }
        let loader = BaselineLoader(
            store: self, dataset: dataset, features: made.features, codes: made.codes, ring: ring, cache: nil)
        guard let loaded = try loader.load(chosen, limit: .max) else {
            throw IngestionError(.damaged, "no batch of baseline \(name) can be read; restore baselines/\(dataset)/")
        }
        return loaded
    }

    /// The files of a named baseline, of one batch, or of the last accepted batches (`rolling`), newest first.
    ///
    /// - Parameters:
    ///   - name: the baseline, a batch's id, or `rolling`.
    ///   - dataset: the dataset.
    ///   - limit: most files for `rolling`.
    private func files(of name: String, _ dataset: String, limit: Int) throws(IngestionError) -> [PublishedFile] {
        let (log, state) = try proven()
        let recorded = try recording { () throws(LedgerError) in
            try log.files(.baseline, in: state.publications(dataset, role: .baseline).reversed())
        }
        let accepted = recorded.filter { !state.excluded.contains($0.batch) }
        if let named = try namedBaselines(dataset: dataset).first(where: { $0.name == name }) {
            return try files(of: named)
        }
        if name == "rolling" { return Array(accepted.prefix(limit)) }
        let chosen = recorded.filter { $0.batch == name }
        if chosen.isEmpty {
            throw IngestionError(
                .usage, "dataset \(dataset) has no baseline and no accepted batch \(name); see: sluice baseline list")
        }
        return chosen
    }

    /// What the tests know of each field from a baseline, under a contract. `rolling` stands for as many accepted
    /// batches as the next batch is judged by.
    ///
    /// - Parameters:
    ///   - name: the baseline, a batch's id, or `rolling`.
    ///   - dataset: the dataset.
    ///   - contract: the contract and its settings.
    /// - Returns: nil where the baseline's batches are not kept one by one.
    package func describeLearnt(
        _ name: String, dataset: String, _ contract: StatisticsContract
    ) throws(IngestionError) -> JSONValue? {
        if name != "rolling" {
            let chosen = try files(of: name, dataset, limit: Self.baselineBatches)
            return try outlook(dataset, chosen, contract)?.document(names: contract.names)
        }
        let (log, state) = try proven()
        var loader = BaselineLoader(
            store: self, dataset: dataset, features: contract.features, codes: contract.codes, ring: try keyRing(),
            cache: nil)
        loader.excluded = state.excluded
        let recorded = RecordedFiles(
            log: log, role: .baseline, sequences: state.publications(dataset, role: .baseline).reversed())
        let rules = contract.schema.baseline
        guard let loaded = try loader.load(recorded, limit: rules.batches, rows: rules.rows) else { return nil }
        return FeedOutlook(loaded.merged, schema: contract.schema, screened: contract.screened)?.document(
            names: contract.names)
    }

    /// The composition of a baseline as a document: counts and names, no value.
    package func describeBaseline(_ name: String, dataset: String) throws(IngestionError) -> JSONValue {
        let loaded = try open(name, dataset)
        let (merged, sample) = (loaded.merged, loaded.merged.sample)
        func whole(_ number: Int) -> JSONValue { .integer(Int64(number)) }
        var fields: [JSONValue] = []
        for (place, feature) in merged.features.enumerated() {
            let values = sample.column(place).count
            let isLength = feature.hasPrefix("\0")
            fields.append(
                .object([
                    "name": .string(shown(plain(feature))), "kind": .string(isLength ? "length" : "measure"),
                    "values": whole(values), "missing": whole(sample.count - values),
                ]))
        }
        for (place, code) in merged.codes.enumerated() where !code.hasPrefix("\0") {
            let codes = sample.codes(place)
            let missing = codes.count { $0 == 0 }
            fields.append(
                .object([
                    "name": .string(shown(code)), "kind": .string("category"), "values": whole(codes.count - missing),
                    "missing": whole(missing), "distinct": whole(Set(codes).subtracting([0]).count),
                ]))
        }
        return .object([
            "name": .string(name), "dataset": .string(dataset), "batches": .array(loaded.batches.map { .string($0) }),
            "rows": whole(merged.sizes.reduce(0, +)), "sampledRows": whole(sample.count),
            "sampledTexts": whole(merged.texts.count),
            "remarks": .object([
                "tested": whole(merged.remarks.tested), "deviated": whole(merged.remarks.deviated),
                "isolated": whole(merged.remarks.isolated), "apart": whole(merged.remarks.apart),
                "withheld": whole(merged.remarks.withheld),
            ]),
            "fields": .array(fields),
        ])
    }

    /// A name without the personal data in it.
    private func shown(_ name: String) -> String { LabelSearch.usual.shown(name) }

    private func plain(_ feature: String) -> String {
        feature.split(separator: ":", maxSplits: 1).last.map(String.init) ?? feature
    }

    /// Compares two baselines by the tests that judge a batch.
    ///
    /// - Parameters:
    ///   - old: the reference: a name, a batch's id, or `rolling`.
    ///   - new: the baseline that is tested against it.
    ///   - dataset: the dataset.
    /// - Returns: the tests, in the order of the report.
    package func compareBaselines(
        _ old: String, _ new: String, dataset: String
    ) throws(IngestionError) -> [BaselineDifference] {
        let (before, now) = (try open(old, dataset).merged, try open(new, dataset).merged)
        let names = now.features + now.codes.dropLast()
        return Drift.differences(now, before).compactMap { test in
            guard let field = test.field else { return nil }
            let name = field < now.features.count ? plain(now.features[field]) : names[field]
            return BaselineDifference(
                field: name, type: test.code.rawValue, effect: test.effect, warn: test.warn, hold: test.hold,
                count: test.count, basis: test.basis, outcome: test.outcome.name)
        }
    }
}
