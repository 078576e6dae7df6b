import Tabular

/// A row of the PROV projection; writer and verifier derive it from a body with this function.
struct ProvenanceRow: Sendable, Equatable {
    /// Which table.
    enum Table: UInt8, Sendable, CaseIterable {
        case entity, activity, edge

        var name: String {
            switch self {
            case .entity: "prov_entity"
            case .activity: "prov_activity"
            case .edge: "prov_edge"
            }
        }
    }

    let table: Table
    /// Id, or the edge's source.
    let first: String
    /// Kind, or the edge's relation.
    let second: String
    /// The edge's target.
    let third: String

    /// The entities, activities and relations that a body states.
    ///
    /// A body with `entities`, `activities` or `edges` states them explicitly. The kinds that the pipeline writes have
    /// none of these members: their rows are implied by the kind and computed here, so that an entry need not repeat
    /// every digest three times. Malformed parts are omitted; `isComplete` says whether there were none.
    static func rows(of body: some EntryBody) -> (rows: [ProvenanceRow], isComplete: Bool) {
        if body["entities"] == nil, body["activities"] == nil, body["edges"] == nil { return (implied(by: body), true) }
        var rows: [ProvenanceRow] = []
        var isComplete = true
        for (key, table) in [("entities", Table.entity), ("activities", .activity)] {
            guard let list = body[key] else { continue }
            if list.items == nil { isComplete = false }
            for item in list.items ?? [] {
                guard let id = item["id"]?.text, let kind = item["kind"]?.text, !id.isEmpty else {
                    isComplete = false
                    continue
                }
                rows.append(ProvenanceRow(table: table, first: id, second: kind, third: ""))
            }
        }
        guard let edges = body["edges"] else { return (rows, isComplete) }
        if edges.items == nil { isComplete = false }
        for edge in edges.items ?? [] {
            guard let parts = edge.items, parts.count == 3, let source = parts[0].text, let relation = parts[1].text,
                let target = parts[2].text
            else {
                isComplete = false
                continue
            }
            rows.append(ProvenanceRow(table: .edge, first: source, second: relation, third: target))
        }
        return (rows, isComplete)
    }

    /// The entities that an entry introduces, the run that judged a batch, and the things that the run used: enough to
    /// find every entry of a source, a batch or a file by an index. That a file was made by its batch's run from its
    /// batch's source is in the bodies. As rows of their own, in two indices, such edges took a quarter of the whole
    /// file.
    private static func implied<Body: EntryBody>(by body: Body) -> [ProvenanceRow] {
        func thing(_ digest: Body?, _ kind: String) -> [ProvenanceRow] {
            guard let digest = digest?.text, !digest.isEmpty else { return [] }
            return [ProvenanceRow(table: .entity, first: "sha256:" + digest, second: kind, third: "")]
        }
        let run = "run:" + (body["batch"]?.text ?? "")
        switch body.event {
        case .batchReceived, .batchFailed:
            let source = thing(body["data_hash"], "batch")
            let used = source.map { ProvenanceRow(table: .edge, first: run, second: "used", third: $0.first) }
            return source + used + thing(body["policy_sha256"], "policy")
        case .batchJudged:
            return [ProvenanceRow(table: .activity, first: run, second: "judge", third: "")]
        case .contractRegistered: return thing(body["contract_sha256"], "contract")
        case .shardPublished, .shardRewrapped, .shardRewritten:
            return (body["files"]?.items ?? []).flatMap { thing($0["file_sha256"], "shard") }
        default: return []
        }
    }

    /// The SHA-256 names, in hexadecimal, of the blobs that a body relies on, with their media types.
    static func blobs(in body: some EntryBody) -> [(name: String, media: String)] {
        var found: [(name: String, media: String)] = []
        if let map = body["rowmap_sha256"]?.text { found.append((map, RowMap.mediaType)) }
        if body.event == .contractRegistered, let contract = body["contract_sha256"]?.text {
            found.append((contract, LedgerBlob.contractMedia))
        }
        return found
    }
}
