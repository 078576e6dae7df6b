package import Tabular

/// What entries say of the erasure of a subject's rows.
struct ErasureAccount {
    private let erased: JSONValue
    private let rewritten: [(index: Int, body: JSONValue)]

    /// nil unless the entries are one `subject.erased` and all the rewritings that it counts.
    init?(_ bodies: [(index: Int, body: JSONValue)]) {
        guard let (index, erased) = bodies.first(where: { $0.body.event == .subjectErased }),
            let subject = erased["subject"]
        else { return nil }
        let after = Int(erased["after"]?.whole ?? -1)
        self.erased = erased
        rewritten = bodies.filter { $0.body.event == .shardRewritten }.sorted { $0.index < $1.index }
        guard let total = ErasureTotals(rewritten.map(\.body)), rewritten.count == bodies.count - 1,
            Set(rewritten.map(\.index)).count == rewritten.count,
            rewritten.allSatisfy({ $0.body["subject"] == subject && $0.index > after && $0.index < index }),
            erased["entries"]?.whole == Int64(rewritten.count), erased["batches"]?.whole == Int64(total.batches),
            erased["rows"]?.whole == Int64(total.rows), erased["files"]?.whole == Int64(total.files)
        else { return nil }
    }

    var claim: JSONValue {
        var members: [String: JSONValue] = [:]
        for name in ["subject", "time", "reason", "dataset", "through", "batches", "rows", "not_searched"] {
            members[name] = erased[name]
        }
        members["files"] = .array(
            rewritten.flatMap { index, body in
                (body["files"]?.items ?? []).map { file -> JSONValue in
                    var kept: [String: JSONValue] = [
                        "entry": .integer(Int64(index)), "batch": body["batch"] ?? .null, "rows": body["rows"] ?? .null,
                    ]
                    for name in ["role", "path", "was", "file_sha256"] { kept[name] = file[name] }
                    return .object(kept)
                }
            })
        return .object(members)
    }
}

/// Counts of what entries `shard.rewritten` record.
package struct ErasureTotals: Sendable, Equatable {
    /// Batches, rows of their sources, and new forms of files.
    package let batches: Int, rows: Int, files: Int

    /// Counts the bodies of entries; nil if one lists rows that this version cannot read.
    package init?(_ bodies: [JSONValue]) {
        let ofBatches = Dictionary(grouping: bodies) { $0["batch"]?.text ?? "" }
        batches = ofBatches.count
        var rows = 0
        for list in ofBatches.values {
            do throws(RowList.UnreadableRows) { rows += try RowList.erased(list)?.count ?? 0 } catch { return nil }
        }
        self.rows = rows
        files = bodies.reduce(0) { $0 + ($1["files"]?.items?.count ?? 0) }
    }
}
