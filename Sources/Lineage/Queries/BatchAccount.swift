import Tabular

/// What entries say of a batch and of a row.
struct BatchAccount {
    private let received: JSONValue, judged: JSONValue
    private let bodies: [(index: Int, body: JSONValue)]
    private let row: Int?
    private let place: RowMap.Place?
    /// The row's number in the sealed source, if its batch was held.
    private let heldRow: Int?

    /// nil unless the entries are those of one judged batch, which has such a row.
    init?(_ bodies: [(Int, JSONValue)], _ map: RowMap?, _ row: Int?) {
        guard let judged = bodies.first(where: { $0.1.event == .batchJudged })?.1, let batch = judged["batch"]?.text,
            let received = bodies.first(where: { $0.1.event == .batchReceived && $0.1["batch"]?.text == batch })?.1,
            bodies.allSatisfy({ [$0.1["batch"]?.text, $0.1["held"]?.text].contains(batch) })
        else { return nil }
        (self.received, self.judged, self.bodies, self.row) = (received, judged, bodies.map { ($0.0, $0.1) }, row)
        var map = map
        // Only what these entries say counts.
        do throws(RowList.UnreadableRows) {
            map?.erased = try RowList.erased(bodies.filter { $0.1.event == .shardRewritten }.map(\.1))
        } catch { return nil }
        place = row.flatMap { map?.place(ofRow: $0) }
        heldRow = row.flatMap { map?.heldRow(of: $0) }
        if row != nil, place == nil { return nil }
    }

    /// Whether a member of `files` is the file that rows of this fate are in.
    static func isFile(_ file: JSONValue, of fate: RowMap.Fate) -> Bool {
        let role: FileRole = fate.outcome.map { $0.isReleased ? .accepted : .quarantine } ?? .source
        return file["role"]?.text == role.rawValue
            && (fate.shard == nil || file["shard"]?.whole == fate.shard.map(Int64.init))
    }

    var claim: JSONValue {
        var members: [String: JSONValue] = [:]
        for (name, value) in [
            ("batch", judged["batch"]), ("dataset", judged["dataset"]), ("verdict", judged["verdict"]),
            ("rows", judged["rows"]), ("decision_sha256", judged["decision_sha256"]), ("source", received["source"]),
            ("source_sha256", received["data_hash"]), ("contract_sha256", received["contract_sha256"]),
            ("time", judged["time"]),
        ] { members[name] = value }
        let files = bodies.filter { $0.body.event == .shardPublished }.flatMap { $0.body["files"]?.items ?? [] }
        if let row, let place {
            var found: [String: JSONValue] = [
                "record": .integer(Int64(row)), "outcome": .string(place.fate.outcome?.name ?? "held with its batch"),
            ]
            if let file = files.first(where: { Self.isFile($0, of: place.fate) }) {
                found["shard"] = file["path"]
                found["shard_sha256"] = file["file_sha256"]
                // Other keys leave the rows as they were, and an erasure the other rows; both give the file another digest.
                let changed = bodies.last { pair in
                    pair.body.event?.replacesFiles ?? false
                        && (pair.body["files"]?.items ?? []).contains { $0["path"] == file["path"] }
                }
                found["shard_sha256_now"] =
                    (changed?.body["files"]?.items ?? [])
                    .first { $0["path"] == file["path"] }?["file_sha256"]
                // A held source is sealed whole, so its rows have the same numbers, but for rows that were erased.
                if place.isErased {
                    found["erased"] = .bool(true)
                } else {
                    found["shard_row"] = .integer(Int64((place.fate.outcome == nil ? heldRow : nil) ?? place.row))
                }
            }
            members["row"] = .object(found)
        } else {
            for name in ["accepted", "flagged", "quarantined", "rejected", "findings", "held_for"] {
                members[name] = judged[name]
            }
            members["files"] = .array(
                files.map { file in
                    var kept: [String: JSONValue] = [:]
                    for name in ["role", "path", "file_sha256", "row_count"] { kept[name] = file[name] }
                    return .object(kept)
                })
        }
        let later = bodies.filter { pair in
            ![.batchReceived, .batchJudged, .shardPublished].contains(pair.body.event)
        }
        members["afterwards"] = .array(
            later.map { index, body in
                var kept: [String: JSONValue] = ["entry": .integer(Int64(index))]
                for name in [
                    "kind", "time", "action", "reviewer", "by", "rows", "held", "rule", "from", "to", "reason",
                ] {
                    kept[name] = body[name]
                }
                if body.event == .batchReleased, body["held"] == judged["batch"] { kept["batch"] = body["batch"] }
                return .object(kept)
            })
        return .object(members)
    }
}
