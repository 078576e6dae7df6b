import Tabular

/// A row of the PROV projection; writer and verifier derive it from a body by this one function.
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

    /// Parts of a body that do not have the right form are left out; `isComplete` says whether there were any.
    static func rows(of body: JSONValue) -> (rows: [ProvenanceRow], isComplete: Bool) {
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

    /// SHA-256 names, in hexadecimal, of the blobs that a body relies on.
    static func blobNames(in body: JSONValue) -> [String] {
        var names: [String] = []
        if let map = body["rowmap_sha256"]?.text { names.append(map) }
        if body["kind"]?.text == "contract.registered", let contract = body["contract_sha256"]?.text {
            names.append(contract)
        }
        return names
    }
}
