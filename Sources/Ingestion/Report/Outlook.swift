import Lineage
import Schemas
import Screening
import Sealing
package import Tabular

extension Store {
    /// The knowledge of the tests about each field when they judged a batch, as a document.
    ///
    /// - Returns: nil on cold start, and where the baseline's batches are not kept one by one.
    package func outlook(ofBatch batch: String) throws(IngestionError) -> JSONValue? {
        let log = try proven().log
        let entries = try recording { () throws(LedgerError) in try log.run(batch) }
        guard let judged = entries.first(where: { $0.event == .batchJudged })?.body,
            let dataset = judged["dataset"]?.text
        else { return nil }
        let sequences = (judged["baseline"]?.items ?? []).compactMap(\.whole).map { Int($0) }
        if sequences.isEmpty { return nil }
        let contract = try statisticsContract(ofBatch: batch)
        let files = try recording { () throws(LedgerError) in try log.files(.baseline, in: sequences) }
        return try outlook(dataset, files, contract)?.document(names: contract.names)
    }

    /// The knowledge of the tests from the batches of these files.
    func outlook(
        _ dataset: String, _ files: [PublishedFile], _ contract: StatisticsContract
    ) throws(IngestionError) -> FeedOutlook? {
        let loader = BaselineLoader(
            store: self, dataset: dataset, features: contract.features, codes: contract.codes, ring: try keyRing(),
            cache: nil)
        guard let loaded = try loader.load(files, limit: .max) else { return nil }
        return FeedOutlook(loaded.merged, schema: contract.schema, screened: contract.screened)
    }
}

extension FeedOutlook {
    /// The outlook as a document: relative figures and counts.
    package func document(names: [String]) -> JSONValue {
        var members: [String: JSONValue] = [
            "batches": .integer(Int64(batches)), "learning": .integer(Int64(learning)),
            "isLearning": .bool(isLearning), "rows": .integer(Int64(rows)),
            "rates": .array(
                rates.map {
                    .object([
                        "type": .string($0.code.rawValue), "usual": number($0.usual), "line": number($0.line),
                    ])
                }),
            "fields": .array(fields.map { $0.document(name: LabelSearch.usual.shown(names[$0.field])) }),
        ]
        if let season {
            members["season"] = .object([
                "kind": .string(season.kind.rawValue), "isSet": .bool(season.isSet),
                "fields": .array(season.fields.map { .string(LabelSearch.usual.shown(names[$0])) }),
            ])
        }
        return .object(members)
    }
}

/// A figure with four significant digits; null where there is none.
private func number(_ value: Double?) -> JSONValue {
    value.flatMap { $0.isFinite ? .number(Movement.cut($0)) : nil } ?? .null
}

extension FeedOutlook.Field {
    fileprivate func document(name: String) -> JSONValue {
        var members: [String: JSONValue] = [
            "name": .string(name), "kind": .string(isLength ? "length" : "value"), "form": .string(form.rawValue),
            "declared": .bool(isDeclared), "batches": .integer(Int64(batches)), "rows": .integer(Int64(rows)),
            "tests": .array(
                learnt.map {
                    .object([
                        "what": .string($0.what.rawValue), "usual": number($0.usual), "line": number($0.line),
                    ])
                }),
            "wouldSee": .object(
                [
                    "shiftUp": sight.up, "shiftDown": sight.down, "shiftUpOfCenter": sight.upShare,
                    "shiftDownOfCenter": sight.downShare, "oneValueMore": sight.share, "missing": sight.missing,
                    "newValues": sight.new, "newKinds": sight.newKinds.map(Double.init),
                ].compactMapValues { $0 }.mapValues { number($0) }),
        ]
        if let leftOut { members["leftOut"] = .string(leftOut) }
        if let reach {
            members["rowLines"] = .object([
                "remarkBelow": number(reach.remark.below), "remarkAbove": number(reach.remark.above),
                "holdBelow": number(reach.hold.below), "holdAbove": number(reach.hold.above),
            ])
        }
        return .object(members)
    }
}
