import Cryptography
import Lineage
import Masking
import Schemas
import Sketches
import Screening
import Sealing
import Tabular

/// The bodies of ledger entries: counts, codes, column names, hashes, row numbers; never a value, never a file name.
extension Committer {
    func received(_ batch: BatchIdentity, _ report: BatchReport, _ time: String) -> JSONValue {
        let data = hex(batch.digest)
        let sidecars = batch.references.filter(\.isFile).map { JSONValue.string(hex($0.digest)) }
        let provenance = JSONValue.object([
            "dataset": .string(batch.dataset), "source": .string(batch.source), "sidecars": .array(sidecars),
            "contract_sha256": .string(hex(batch.contractDigest)),
        ])
        var members: [String: JSONValue] = [
            "kind": .string("batch.received"), "v": .integer(1), "time": .string(time), "batch": .string(batch.id),
            "dataset": .string(batch.dataset), "source": .string(batch.source), "data_hash": .string(data),
            // The name may say something about a person, so only its hash is kept.
            "source_name_hash": .string(hex(batch.nameHash)),
            "bytes": .integer(Int64(report.bytes)),
            "provenance_hash": .string(hex(SHA256.hash(provenance.canonicalBytes()))),
            "format": .string(batch.format?.rawValue ?? "unknown"),
            "contract_sha256": .string(hex(batch.contractDigest)),
            "policy_sha256": .string(hex(batch.policyDigest)),
        ]
        if !sidecars.isEmpty { members["sidecars"] = .array(sidecars) }
        if let visitor = batch.visitor?.document { members["vouched"] = visitor }
        if report.encoding != .utf8 { members["encoding"] = .string(report.encoding.rawValue) }
        if let compression = report.compression {
            members["compression"] = .string(compression.name)
            members["decompressed_bytes"] = .integer(Int64(compression.bytes))
        }
        return .object(members)
    }

    func judged(_ batch: BatchIdentity, _ outcome: Outcome, _ time: String, _ rowMap: [UInt8]) -> JSONValue {
        let report = outcome.report
        var findings: [String: Int64] = [:]
        for (kind, tally) in report.findings.sorted { findings[kind.code.rawValue, default: 0] += Int64(tally.count) }
        var columns: [Int: [JSONValue]] = [:]
        for (receipt, count) in report.masks {
            var mask: [String: JSONValue] = [
                "entity": .string(receipt.entity), "operator": .string(receipt.operation.rawValue),
                "count": .integer(Int64(count)),
            ]
            mask["key"] = batch.keyFingerprints[receipt.field].map { .string($0) }
            columns[receipt.field, default: []].append(.object(mask))
        }
        func count(_ outcome: Tabular.Outcome) -> JSONValue { .integer(Int64(report.counts.count(outcome))) }
        var members: [String: JSONValue] = [
            "kind": .string("batch.judged"), "v": .integer(1), "time": .string(time), "batch": .string(batch.id),
            "dataset": .string(batch.dataset), "verdict": .string(outcome.verdict),
            "rows": .integer(Int64(report.counts.total)), "accepted": count(.accepted), "flagged": count(.flagged),
            "quarantined": count(.quarantined), "rejected": count(.rejected),
            "findings": .object(findings.mapValues { .integer($0) }),
            "batch_findings": .array(report.batchFindings.map { .string($0.code.rawValue) }),
            "columns": .array(
                columns.sorted { $0.key < $1.key }.map {
                    .object([
                        "field": .string($0.key < 0 ? "" : batch.fields[$0.key]), "masks": .array($0.value),
                    ])
                }),
            "decision_sha256": .string(hex(outcome.decisionDigest)),
            // The entries that published them: a window of twenty ids would be the longest part of the body.
            "baseline": .array((outcome.baseline?.main.entries ?? []).map { .integer(Int64($0)) }),
            "rowmap_sha256": .string(hex(SHA256.hash(rowMap))), "pipeline": .string(Plan.pipelineVersion),
            // What makes the same batch a duplicate: so the table of keys can be worked out from the log.
            "seen": .array(batch.seenKeys(isAccepted: outcome.verdict == "accepted").map { .string(hex($0)) }),
        ]
        // The anchor or the pinned baseline that it was judged by; the entries above are its batches.
        if let name = outcome.baseline?.name, let digest = outcome.baseline?.digest {
            members["judged_by"] = .object(["name": .string(name), "digest": .string(digest)])
        }
        if let cross = report.cross?.document { members["cross"] = cross }
        if let shadow = report.shadow?.document { members["shadow"] = shadow }
        if outcome.verdict != "accepted" {
            let reasons = report.batchFindings.filter { $0.outcome >= .quarantined }.map {
                (code: $0.code, field: $0.field, rows: 0)
            }
            members["held_for"] = .array(fitting(reasons, batch))
        }
        if !batch.references.isEmpty { members["references"] = .array(batch.references.map(\.document)) }
        return .object(members)
    }

    func failed(_ batch: BatchIdentity, _ reason: FailureReason, bytes: Int, attempts: Int, _ time: String) -> JSONValue
    {
        .object([
            "kind": .string("batch.failed"), "v": .integer(1), "time": .string(time), "batch": .string(batch.id),
            "dataset": .string(batch.dataset), "source": .string(batch.source), "data_hash": .string(hex(batch.digest)),
            "source_name_hash": .string(hex(batch.nameHash)), "bytes": .integer(Int64(bytes)),
            "reason": .string(reason.rawValue), "attempts": .integer(Int64(attempts)),
            "pipeline": .string(Plan.pipelineVersion),
        ])
    }

    /// The entry that says that a batch is replaced by another: its files count no longer.
    func superseded(_ old: String, by batch: BatchIdentity, _ time: String) -> JSONValue {
        .object([
            "kind": .string("batch.superseded"), "v": .integer(1), "time": .string(time), "batch": .string(old),
            "by": .string(batch.id), "dataset": .string(batch.dataset), "uid": .integer(Int64(userNumber())),
        ])
    }

    /// The entry that says that a held batch was let out as this one: by whom, why, and what was waived.
    func released(_ waiver: Waiver, _ batch: BatchIdentity, _ report: BatchReport, _ time: String) -> JSONValue {
        let waived = fitting(report.waived, batch)
        var members: [String: JSONValue] = [
            "kind": .string("batch.released"), "v": .integer(1), "time": .string(time), "batch": .string(batch.id),
            "held": .string(waiver.held), "dataset": .string(batch.dataset), "uid": .integer(Int64(userNumber())),
            "reason": .string(waiver.reason), "waived": .array(waived),
        ]
        if !waiver.newLevels.isEmpty { members["levels"] = .array(waiver.newLevels.sorted().map { .string($0) }) }
        // The sealed report has all.
        if waived.count < report.waived.count {
            members["left_out"] = .integer(Int64(report.waived.count - waived.count))
        }
        return .object(members)
    }

    /// What was found, by code and field, each once, and as much of it as a body has room for.
    private func fitting(_ list: [(code: FindingCode, field: Int, rows: Int)], _ batch: BatchIdentity) -> [JSONValue] {
        var (found, room) = ([JSONValue](), 16_384)
        for each in list {
            var members: [String: JSONValue] = ["code": .string(each.code.rawValue)]
            if batch.fields.indices.contains(each.field) { members["field"] = .string(batch.fields[each.field]) }
            if each.rows > 0 { members["rows"] = .integer(Int64(each.rows)) }
            let made = JSONValue.object(members)
            room -= made.canonicalBytes().count + 1
            if room < 0 { break }
            if !found.contains(made) { found.append(made) }
        }
        return found
    }

    /// The entries of a batch's files: one, unless there are very many files.
    func published(_ batch: BatchIdentity, _ shards: [StagedShard], _ time: String) -> [JSONValue] {
        stride(from: 0, to: shards.count, by: LedgerEntry.filesMax).map { first in
            let part = shards[first..<min(shards.count, first + LedgerEntry.filesMax)]
            return .object([
                "kind": .string("shard.published"), "v": .integer(1), "time": .string(time),
                "batch": .string(batch.id), "dataset": .string(batch.dataset),
                "keys": .array(batch.keys.map { .string($0) }), "files": .array(part.map(file)),
            ])
        }
    }

    private func file(_ shard: StagedShard) -> JSONValue {
        var members: [String: JSONValue] = [
            "role": .string(shard.role), "path": .string(shard.path), "bytes": .integer(Int64(shard.message.byteCount)),
            "file_sha256": .string(hex(shard.message.fileSHA256)),
        ]
        // What may be wrapped anew, given away or asked for by row is known by more than the digest of its bytes.
        if let rows = shard.sourceRows {
            members.merge([
                "shard": .integer(Int64(shard.ordinal)), "rows": .string("\(rows.first)-\(rows.last)"),
                "row_count": .integer(Int64(rows.count)), "first_offset": .integer(Int64(rows.offset)),
                "end_offset": .integer(Int64(rows.end)), "body_sha256": .string(hex(shard.message.bodySHA256)),
                "message_id": .string(hex(shard.message.messageID)),
                "commitment": .string(hex(shard.message.commitment)),
            ]) { _, new in new }
        }
        return .object(members)
    }
}
