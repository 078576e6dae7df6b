package import Tabular

/// Batches as run events of OpenLineage 2-0-2: a START, and a COMPLETE with what was decided, or a FAIL for a file that could not be
/// judged. A held batch is a COMPLETE whose assertions failed.
///
/// The events hold what the ledger holds: names of columns, counts, codes and hashes, but no value of the data and no file name.
package struct OpenLineageEvents: Sendable {
    private let origin: String, version: String

    /// - Parameters:
    ///   - origin: the origin of the ledger, which becomes the namespace of jobs and datasets.
    ///   - version: this program's version.
    package init(origin: String, version: String) { (self.origin, self.version) = (origin, version) }

    /// The schema of the events.
    private static let schema = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"

    /// The standard facets that are used, with the version of each.
    private enum Facet: String {
        case version = "1-0-1/DatasetVersionDatasetFacet"
        case datasetType = "1-0-1/DatasetTypeDatasetFacet"
        case schema = "1-2-0/SchemaDatasetFacet"
        case columnLineage = "1-2-0/ColumnLineageDatasetFacet"
        case tags = "1-0-0/TagsDatasetFacet"
        case inputStatistics = "1-0-0/InputStatisticsInputDatasetFacet"
        case dataQualityAssertions = "1-1-0/DataQualityAssertionsDatasetFacet"
        case outputStatistics = "1-0-2/OutputStatisticsOutputDatasetFacet"
        case jobType = "2-0-4/JobTypeJobFacet"
        case engine = "1-1-1/ProcessingEngineRunFacet"
        case errorMessage = "1-0-1/ErrorMessageRunFacet"

        var schema: String {
            "https://openlineage.io/spec/facets/\(rawValue)" + ".json#/$defs/\(rawValue.split(separator: "/")[1])"
        }
    }

    private var producer: JSONValue { .string("https://sluice.local/\(version)") }
    private var namespace: JSONValue { .string("sluice://\(origin)") }

    private func facet(_ facet: Facet, _ members: [String: JSONValue?]) -> JSONValue {
        .members(
            members.merging(["_producer": producer, "_schemaURL": .string(facet.schema)]) { own, _ in own })
    }

    /// The events of a batch, in order.
    package func events(of batch: RecordedBatch) -> [JSONValue] {
        let source = self.source(of: batch)
        let start = event("START", of: batch, inputs: [source])
        guard let judged = batch.judged else {
            let reason = batch.arrival.body["reason"]?.text ?? "unknown"
            let facets = [
                "errorMessage": facet(
                    .errorMessage,
                    [
                        "message": .string("the file could not be judged: \(reason)"),
                        "programmingLanguage": .string("Swift"),
                    ]), "processing_engine": engine, "sluice_gate": gate(batch),
            ]
            return [start, event("FAIL", of: batch, facets: facets, inputs: [source])]
        }
        var input = source
        input["facets"] = .members([
            "version": version(batch.sourceDigest),
            "datasetType": facet(.datasetType, ["datasetType": .string("FILE")]),
            "schema": schema(batch.contract?.fields.map { ($0.name, $0.type) } ?? []),
        ])
        input["inputFacets"] = .object([
            "inputStatistics": facet(
                .inputStatistics,
                ["rowCount": judged.body["rows"], "size": batch.arrival.body["bytes"], "fileCount": .integer(1)]),
            "dataQualityAssertions": facet(
                .dataQualityAssertions, ["assertions": .array(assertions(batch, judged.body))]),
        ])
        let facets = ["processing_engine": engine, "sluice_gate": gate(batch)]
        let outputs = [accepted(batch), held(batch)].compactMap { $0 }
        return [start, event("COMPLETE", of: batch, facets: facets, inputs: [input], outputs: outputs)]
    }

    private func event(
        _ type: String, of batch: RecordedBatch, facets: [String: JSONValue] = [:], inputs: [[String: JSONValue]],
        outputs: [[String: JSONValue]] = []
    ) -> JSONValue {
        let entry = type == "COMPLETE" ? batch.judged ?? batch.arrival : batch.arrival
        return .object([
            "producer": producer, "schemaURL": .string(Self.schema), "eventType": .string(type),
            "eventTime": entry.body["time"] ?? .null,
            "run": .object(["runId": .string(batch.id), "facets": .object(facets)]),
            "job": .object([
                "namespace": namespace, "name": .string("gate.\(batch.dataset)"),
                "facets": .object([
                    "jobType": facet(
                        .jobType,
                        [
                            "processingType": .string("BATCH"), "integration": .string("SLUICE"),
                            "jobType": .string("GATE"),
                        ])
                ]),
            ]), "inputs": .array(inputs.map { .object($0) }), "outputs": .array(outputs.map { .object($0) }),
        ])
    }

    private var engine: JSONValue { facet(.engine, ["name": .string("sluice"), "version": .string(version)]) }

    /// The facet of our own: what leads from the event to the entries of the ledger.
    private func gate(_ batch: RecordedBatch) -> JSONValue {
        let judged = batch.judged?.body
        return .members([
            "_producer": producer,
            "_schemaURL": .string("https://sluice.local/\(version)/facets.json#/$defs/SluiceGateRunFacet"),
            "verdict": judged?["verdict"] ?? .string("failed"), "decisionSha256": judged?["decision_sha256"],
            "rowmapSha256": judged?["rowmap_sha256"], "ledger": .string(origin),
            "entries": .array(batch.entries.map { .integer(Int64($0)) }),
            "pipeline": judged?["pipeline"] ?? batch.arrival.body["pipeline"],
            "releases": batch.releases.map { .string($0) },
        ])
    }

    /// The delivered dataset. Deliveries are versions of it: a name of its own for each would be a new dataset a day.
    private func source(of batch: RecordedBatch) -> [String: JSONValue] {
        ["namespace": namespace, "name": .string("source/\(batch.source)/\(batch.dataset)")]
    }

    private func version(_ text: String) -> JSONValue { facet(.version, ["datasetVersion": .string(text)]) }

    private func schema(_ columns: [(name: String, type: String)]) -> JSONValue? {
        if columns.isEmpty { return nil }
        return facet(
            .schema,
            [
                "fields": .array(
                    columns.enumerated().map { place, column in
                        .object([
                            "name": .string(column.name), "type": .string(column.type),
                            "ordinal_position": .integer(Int64(place + 1)),
                        ])
                    })
            ])
    }

    /// What was checked: the contract as a whole, and each kind of finding.
    private func assertions(_ batch: RecordedBatch, _ judged: JSONValue) -> [JSONValue] {
        let (blocking, counts) = (batch.blocking, judged["findings"]?.members ?? [:])
        let rejected = judged["rejected"]?.whole ?? 0
        let contract = JSONValue.members([
            "assertion": .string("contract"), "success": .bool(rejected == 0),
            "severity": .string(batch.isAccepted ? "warn" : "error"),
            "name": batch.contract.map { .string("\($0.name) \($0.version)") }, "expected": .string("0"),
            "actual": .string(String(rejected)), "description": .string("rows that the contract rejects"),
        ])
        return [contract]
            + batch.findings.union(blocking).sorted().map { code in
                .members([
                    "assertion": .string(code), "success": .bool(false),
                    "severity": .string(blocking.contains(code) ? "error" : "warn"),
                    "actual": (counts[code]?.whole).map { .string(String($0)) },
                ])
            }
    }

    /// The dataset that the accepted rows went to; nil when none did.
    private func accepted(_ batch: RecordedBatch) -> [String: JSONValue]? {
        let shards = batch.files(.accepted)
        if shards.isEmpty { return nil }
        let masks = batch.masks
        let columns = batch.contract?.released(masked: Set(masks.keys)) ?? []
        var lineage: [String: JSONValue] = [:]
        for (field, isMasked) in columns {
            let done = (masks[field.name] ?? []).map { "\($0.operation) \($0.entity) \($0.count)" }
            var origin = source(of: batch)
            origin["field"] = .string(field.name)
            origin["transformations"] = .array([
                .object([
                    "type": .string("DIRECT"), "subtype": .string(isMasked ? "TRANSFORMATION" : "IDENTITY"),
                    "masking": .bool(isMasked),
                    "description": .string(
                        !isMasked ? "as it came" : done.isEmpty ? "masked" : done.joined(separator: ", ")),
                ])
            ])
            lineage[field.name] = .object(["inputFields": .array([.object(origin)])])
        }
        let released = Set(columns.map(\.field.name))
        let tags = masks.filter { released.contains($0.key) }.sorted { $0.key < $1.key }.flatMap { column, masks in
            masks.map { mask -> JSONValue in
                .object([
                    "key": .string("pii"), "value": .string(mask.entity), "field": .string(column),
                    "source": .string("SLUICE"),
                ])
            }
        }
        return [
            "namespace": namespace, "name": .string("accepted/\(batch.dataset)"),
            "facets": .members([
                "version": version(batch.id),
                "datasetType": facet(
                    .datasetType, ["datasetType": .string("FILE"), "subType": .string("ENCRYPTED")]),
                "schema": schema(columns.map { ($0.field.name, $0.isMasked ? "string" : $0.field.type) }),
                "columnLineage": lineage.isEmpty ? nil : facet(.columnLineage, ["fields": .object(lineage)]),
                "tags": tags.isEmpty ? nil : facet(.tags, ["tags": .array(tags)]),
            ]), "outputFacets": .object(["outputStatistics": statistics(shards)]),
        ]
    }

    /// The dataset that rows or the whole file were held back in; nil when none were.
    private func held(_ batch: RecordedBatch) -> [String: JSONValue]? {
        let source = batch.files(.source)
        // The sealed source has all rows, those that were held back by themselves as well.
        let files = source.isEmpty ? batch.files(.quarantine) : source
        if files.isEmpty { return nil }
        return [
            "namespace": namespace, "name": .string("quarantine/\(batch.dataset)"),
            "facets": .object([
                "version": version(batch.id),
                "datasetType": facet(
                    .datasetType, ["datasetType": .string("FILE"), "subType": .string("ENCRYPTED")]),
            ]), "outputFacets": .object(["outputStatistics": statistics(files)]),
        ]
    }

    private func statistics(_ files: [PublishedFile]) -> JSONValue {
        func sum(_ member: String) -> JSONValue {
            .integer(files.reduce(0) { $0 + ($1.body[member]?.whole ?? 0) })
        }
        return facet(
            .outputStatistics,
            ["rowCount": sum("row_count"), "size": sum("bytes"), "fileCount": .integer(Int64(files.count))])
    }
}
