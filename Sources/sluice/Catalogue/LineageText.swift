import ArgumentParser
import Cryptography
import Ingestion
import Lineage
import Storage
import Tabular

/// Renders ledger entries and traces, as lines for people and as JSON documents.
enum LineageText {
    /// One entry as one line: sequence, time, kind, dataset, batch, and what its kind adds. Bodies hold no values of
    /// data, so nothing needs to be masked here.
    // Long function: one case an event.
    static func line(_ entry: LedgerEntry) -> String {
        let body = entry.body
        var text = "#\(entry.sequence)  \(body["time"]?.text ?? "")  \(entry.kind)"
        if let dataset = body["dataset"]?.text { text += "  \(dataset)" }
        if let batch = body["batch"]?.text { text += "  \(batch)" }
        switch entry.event {
        case .batchReceived:
            text += "  from \(body["source"]?.text ?? "")  \(NumberText.number(Int(body["bytes"]?.whole ?? 0))) bytes"
        case .batchJudged:
            text += "  \(body["verdict"]?.text ?? "")"
            func count(_ key: String) -> Int { Int(body[key]?.whole ?? 0) }
            if body["verdict"]?.text == "accepted" {
                for key in ["accepted", "flagged"] { text += "  \(NumberText.number(count(key))) \(key)" }
            } else {
                // Rows of a held batch are held, whatever their own outcome.
                text += "  \(NumberText.number(count("accepted") + count("flagged"))) would pass"
            }
            for key in ["quarantined", "rejected"] { text += "  \(NumberText.number(count(key))) \(key)" }
        case .shardPublished:
            let files = entry.files
            text += "  \(files.first?.path ?? "")" + (files.count > 1 ? "  and \(files.count - 1) more" : "")
        case .batchDuplicate:
            text += "  of \(body["of"]?.text ?? "")"
        case .sourceTrusted, .sourceBlocked, .sourceProbation:
            text += "  \(body["source"]?.text ?? "")  by uid \(body["uid"]?.whole ?? -1)  \(body["reason"]?.text ?? "")"
        case .sourceObserved:
            text += "  \(body["source"]?.text ?? "")  \(body["passed"]?.whole ?? 0) of \(body["of"]?.whole ?? 0)"
        case .batchSuperseded:
            text += "  by \(body["by"]?.text ?? "")  by uid \(body["uid"]?.whole ?? -1)"
        case .batchReleased:
            text +=
                body["rows"]?.text.map { "  rows \($0) of \(body["held"]?.text ?? "")" }
                ?? "  held as \(body["held"]?.text ?? "")"
            text += "  by uid \(body["uid"]?.whole ?? -1)"
            text += "  \(body["reason"]?.text ?? "")"
            if let levels = body["levels"]?.items?.compactMap(\.text) {
                text += "  new level of " + levels.joined(separator: ", ")
            }
        case .reviewApproved:
            text += "  \(body["action"]?.text ?? "")  by \(body["reviewer"]?.text.map { $0 + ", " } ?? "")"
            text += "uid \(body["uid"]?.whole ?? -1)  \(body["reason"]?.text ?? "")"
        case .baselineExcluded, .holdRejected:
            text += "  by uid \(body["uid"]?.whole ?? -1)  \(body["reason"]?.text ?? "")"
        case .keyRecorded:
            for key in body["keys"]?.items ?? [] {
                text += "  \(key["kind"]?.text ?? "") \(key["name"]?.text ?? "") \(key["fingerprint"]?.text ?? "")"
            }
        case .keyRotated:
            text += "  \(body["name"]?.text ?? "") to \(body["to"]?.text ?? "")  by uid \(body["uid"]?.whole ?? -1)"
        case .keyShredded:
            text +=
                "  \(body["name"]?.text ?? "") \(body["fingerprint"]?.text ?? "")  by uid \(body["uid"]?.whole ?? -1)"
            text += "  \(body["reason"]?.text ?? "")"
        case .keyDrilled:
            text +=
                "  \(body["name"]?.text ?? "")  opened \(body["opened"]?.whole ?? 0) of \(body["tried"]?.whole ?? 0) tried"
            text += "  by uid \(body["uid"]?.whole ?? -1)"
        case .keyExported:
            text += "  \(NumberText.count(body["keys"]?.items?.count ?? 0, "key")) for \(body["name"]?.text ?? "")"
            text += "  by uid \(body["uid"]?.whole ?? -1)"
        case .configChanged:
            text += "  by uid \(body["uid"]?.whole ?? -1)  sha256 \(body["sha256"]?.text ?? "")"
        case .subjectSearched, .subjectErased:
            text += "  subject \(body["subject"]?.text ?? "")"
            text += "  \(NumberText.count(Int(body["rows"]?.whole ?? 0), "row"))"
            text += " of \(NumberText.batches(Int(body["batches"]?.whole ?? 0)))  by uid \(body["uid"]?.whole ?? -1)"
            if let reason = body["reason"]?.text { text += "  \(reason)" }
        case .fileRemoved, .shardRewrapped, .shardRewritten:
            let files = entry.changedFiles
            text += "  \(files.first?.path ?? "")" + (files.count > 1 ? "  and \(files.count - 1) more" : "")
            if let rule = body["rule"]?.text { text += "  retention \(rule)" }
            if let rows = body["rows"]?.text.flatMap({ RowList($0) }) {
                text += "  without \(rows.count == 1 ? "row" : "rows") \(rows.text(first: 10))"
            }
            if let keys = body["keys"]?.items?.compactMap(\.text) { text += "  for \(keys.joined(separator: ", "))" }
            text += "  by uid \(body["uid"]?.whole ?? -1)"
        case .shardOpened:
            let opened = body["opened"]?.items ?? []
            if let first = opened.first {
                let rows = opened.reduce(0) { $0 + Int($1["row_count"]?.whole ?? 0) }
                text += "  \(first["path"]?.text ?? "")" + (opened.count > 1 ? "  and \(opened.count - 1) more" : "")
                if let shown = body["rows"]?.text.flatMap({ RowList($0) }) {
                    text += "  only \(shown.count == 1 ? "row" : "rows") \(shown.text(first: 10))"
                } else if rows > 0 {
                    text += "  \(NumberText.count(rows, "row"))"
                }
            }
            text += "  by uid \(body["uid"]?.whole ?? -1)  \(body["reason"]?.text ?? "")"
        case .genesis:
            text += "  origin \(body["origin"]?.text ?? "")"
        case .batchFailed:
            text +=
                "  \(body["reason"]?.text ?? "")  after \(NumberText.count(Int(body["attempts"]?.whole ?? 0), "attempt"))"
        case .contractRegistered:
            text +=
                "  \(body["name"]?.text ?? "") \(body["version"]?.text ?? "")  sha256 \(body["contract_sha256"]?.text ?? "")"
        case .sourceRegistered:
            text += "  \(body["name"]?.text ?? "")  record sha256 \(body["record_sha256"]?.text ?? "")"
        case .baselineBuilt:
            text += "  \(body["name"]?.text ?? "")  of \(NumberText.number(body["batches"]?.items?.count ?? 0)) batches"
        case .baselineApproved, .baselinePinned, .baselineRetired:
            text += "  \(body["name"]?.text ?? "")  by uid \(body["uid"]?.whole ?? -1)  \(body["reason"]?.text ?? "")"
        case .profilePublished:
            text +=
                "  epsilon \(epsilon(body["epsilon_millionths"])), \(epsilon(body["spent_millionths"])) spent on the file"
            text += "  by uid \(body["uid"]?.whole ?? -1)"
        case .valuesRevealed:
            text += "  \(NumberText.count(Int(body["count"]?.whole ?? 0), "value")) with key \(body["key"]?.text ?? "")"
            text += "  by uid \(body["uid"]?.whole ?? -1)  \(body["reason"]?.text ?? "")"
        // A later version wrote it.
        case nil: break
        }
        return text
    }

    /// A privacy budget, which the record has in millionths.
    private static func epsilon(_ millionths: JSONValue?) -> String {
        NumberText.short(Double(millionths?.whole ?? 0) / 1e6, 6).trimmedZeros()
    }

    static func render(_ trace: LineageQuery.Trace, _ range: Range<Int>?) -> [String] {
        var lines: [String] = []
        lines.append("shard     \(trace.shard.path)  (entry #\(trace.shard.entry.sequence))")
        lines.append(
            "batch     \(trace.shard.batch)  dataset \(trace.shard.entry.body["dataset"]?.text ?? "")")
        lines.append("source    \(trace.sourceName ?? "unknown")  sha256 \(trace.sourceDigest ?? "unknown")")
        if let row = trace.row {
            lines.append(
                "row       record \(row.sourceRow) of the source, \(row.outcome?.name ?? "held with its batch")")
        } else {
            lines.append("rows      records \(trace.shard.body["rows"]?.text ?? "") of the source")
        }
        let compression = trace.received?.body["compression"]?.text
        let source = compression.map { "the source, decompressed from \($0)" } ?? "the source"
        if let range {
            lines.append(
                "bytes     \(range.lowerBound) to \(range.upperBound) of \(source) (end excluded), line end included")
        } else {
            lines.append(
                "bytes     \(trace.shard.body["first_offset"]?.whole ?? 0) to \(trace.shard.body["end_offset"]?.whole ?? 0) of \(source)"
            )
        }
        let version = trace.contract?.body["version"]?.text ?? ""
        let contract = (trace.contract?.body["name"]?.text ?? "") + (version.isEmpty ? "" : " " + version)
        lines.append("contract  \(contract)  sha256 \(trace.received?.body["contract_sha256"]?.text ?? "")")
        lines.append("decision  sha256 \(trace.decisionDigest ?? "none")")
        if let released = trace.released?.body {
            let held = released["held"]?.text ?? ""
            lines.append(
                "released  "
                    + (released["rows"]?.text.map { "the source is rows \($0) of batch \(held), in this order" }
                        ?? "batch \(held) was held")
                    + "; released by uid \(released["uid"]?.whole ?? -1): " + (released["reason"]?.text ?? ""))
            let parts = (released["waived"]?.items ?? []).map(waived)
            lines.append("waived    " + (parts.isEmpty ? "nothing" : parts.joined(separator: ", ")))
        }
        for opened in trace.openings {
            lines.append(
                "opened    \(opened.body["time"]?.text ?? "") by uid \(opened.body["uid"]?.whole ?? -1): "
                    + (opened.body["reason"]?.text ?? ""))
        }
        if let findings = trace.findings?.members {
            let counts = findings.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.whole ?? 0)" }
            lines.append(
                "checks    " + (counts.isEmpty ? "no finding in the batch" : counts.joined(separator: ", ")))
        }
        for column in trace.columns?.items ?? [] {
            let masks = (column["masks"]?.items ?? []).map {
                "\($0["operator"]?.text ?? "") \($0["entity"]?.text ?? "") \($0["count"]?.whole ?? 0)"
            }
            lines.append("mask      \(column["field"]?.text ?? ""): " + masks.joined(separator: ", "))
        }
        lines.append("keys      " + trace.keys.joined(separator: ", "))
        lines += trace.changes.map { entry in
            let body = entry.body
            let what =
                switch entry.event {
                case .fileRemoved: "removed, retention \(body["rule"]?.text ?? "")"
                case .shardRewritten:
                    "written anew without rows \(body["rows"]?.text.flatMap { RowList($0) }?.text(first: 10) ?? "") of the source"
                default: "wrapped for \(body["to"]?.text ?? "") instead of \(body["from"]?.text ?? "")"
                }
            return
                "changed   \(body["time"]?.text ?? "")  \(what)  by uid \(body["uid"]?.whole ?? -1)  (entry #\(entry.sequence))"
        }
        return lines
    }

    /// One finding that a person waived: its code, field and number of rows.
    private static func waived(_ finding: JSONValue) -> String {
        let field = finding["field"]?.text.map { " (\($0))" } ?? ""
        let rows = finding["rows"]?.whole.map { " in \(NumberText.number(Int($0))) rows" } ?? ""
        return (finding["code"]?.text ?? "") + field + rows
    }

    /// The same trace as a document, with the entries as they were recorded.
    static func document(_ trace: LineageQuery.Trace, _ range: Range<Int>?) -> JSONValue {
        var members: [String: JSONValue] = ["shard": trace.shard.document]
        if let received = trace.received { members["received"] = received.body }
        if let judged = trace.judged { members["judged"] = judged.body }
        if let contract = trace.contract { members["contract"] = contract.body }
        if let released = trace.released { members["released"] = released.body }
        members["opened"] = .array(
            trace.openings.map { entry in
                .object([
                    "entry": .integer(Int64(entry.sequence)), "time": entry.body["time"] ?? .null,
                    "uid": entry.body["uid"] ?? .null, "reason": entry.body["reason"] ?? .null,
                ])
            })
        if let row = trace.row {
            members["row"] = .object([
                "source_row": .integer(Int64(row.sourceRow)), "outcome": .string(row.outcome?.name ?? "held"),
                "first_byte": range.map { .integer(Int64($0.lowerBound)) } ?? .null,
                "end_byte": range.map { .integer(Int64($0.upperBound)) } ?? .null,
            ])
        }
        return .object(members)
    }

    /// A batch that came from a source, as a document; `gone` has the entry for each of its files that cannot be read any more.
    static func document(_ impact: LineageQuery.Impact, gone: [Int?]) -> JSONValue {
        let shards = zip(impact.files, gone).map { file, entry -> JSONValue in
            guard let entry, var members = file.document.members else { return file.document }
            members["gone_by"] = .integer(Int64(entry))
            return .object(members)
        }
        return .object([
            "batch": .string(impact.batch), "received": impact.received.body, "judged": impact.judged?.body ?? .null,
            "released_rows": .integer(Int64(impact.acceptedRows)), "shards": .array(shards),
        ])
    }
}
