import Cryptography
import Lineage
import Masking
import Schemas
import Sketches
import Screening
import Sealing
import Tabular

/// Builds the bodies of a batch's ledger entries. They hold counts, codes, column names, hashes and row numbers; never
/// a value, and never a file name.
struct EntryBodies {
    let batch: BatchIdentity
    /// The time that the entries state.
    let time: String

    init(_ batch: BatchIdentity, time: String) {
        self.batch = batch
        self.time = time
    }

    /// `contract.registered`: the contract's first appearance in the ledger.
    var contractRegistered: JSONValue {
        .object([
            "kind": .event(.contractRegistered), "v": .integer(1), "time": .string(time),
            "contract_sha256": .string(hex(batch.contractDigest)), "name": .string(batch.contractName),
            "version": .string(batch.contractVersion),
        ])
    }

    /// `batch.received`: the file, its digest and how it was read.
    func received(_ input: Conclusion.Input) -> JSONValue {
        let data = hex(batch.digest)
        let sidecars = batch.references.filter(\.isFile).map { JSONValue.string(hex($0.digest)) }
        let provenance = JSONValue.object([
            "dataset": .string(batch.dataset), "source": .string(batch.source), "sidecars": .array(sidecars),
            "contract_sha256": .string(hex(batch.contractDigest)),
        ])
        var members: [String: JSONValue] = [
            "kind": .event(.batchReceived), "v": .integer(1), "time": .string(time), "batch": .string(batch.id),
            "dataset": .string(batch.dataset), "source": .string(batch.source), "data_hash": .string(data),
            // A file name may identify a person, so only its hash is kept.
            "source_name_hash": .string(hex(batch.nameHash)),
            "bytes": .integer(Int64(input.bytes)),
            "provenance_hash": .string(hex(SHA256.hash(provenance.canonicalBytes()))),
            "format": .string(batch.format?.rawValue ?? "unknown"),
            "contract_sha256": .string(hex(batch.contractDigest)),
            "policy_sha256": .string(hex(batch.policyDigest)),
        ]
        if !sidecars.isEmpty { members["sidecars"] = .array(sidecars) }
        if let attestation = batch.attestation?.document { members["vouched"] = attestation }
        // The hash is then that of the list of their sizes and digests; see `SourceDigest`.
        if input.files > 1 { members["files"] = .integer(Int64(input.files)) }
        if input.encoding != .utf8 { members["encoding"] = .string(input.encoding.rawValue) }
        if let compression = input.compression {
            members["compression"] = .string(compression.name)
            members["decompressed_bytes"] = .integer(Int64(compression.bytes))
        }
        return .object(members)
    }

    /// `batch.judged`: verdict, counts, findings and baseline.
    ///
    /// - Parameters:
    ///   - conclusion: what was decided.
    ///   - rowMap: the encoded outcomes of all rows, of which the entry states the hash.
    func judged(_ conclusion: Conclusion, rowMap: [UInt8]) -> JSONValue {
        var findings: [String: Int64] = [:]
        for (kind, tally) in conclusion.findings.sorted {
            findings[kind.code.rawValue, default: 0] += Int64(tally.count)
        }
        var columns: [Int?: [JSONValue]] = [:]
        for (receipt, count) in conclusion.masks {
            var mask: [String: JSONValue] = [
                "entity": .string(receipt.entity), "operator": .string(receipt.operation.rawValue),
                "count": .integer(Int64(count)),
            ]
            mask["key"] = receipt.field.flatMap { batch.keyFingerprints[$0] }.map { .string($0) }
            columns[receipt.field, default: []].append(.object(mask))
        }
        func count(_ outcome: Outcome) -> JSONValue { .integer(Int64(conclusion.counts.count(outcome))) }
        var members: [String: JSONValue] = [
            "kind": .event(.batchJudged), "v": .integer(1), "time": .string(time), "batch": .string(batch.id),
            "dataset": .string(batch.dataset), "verdict": .string(conclusion.status.rawValue),
            "rows": .integer(Int64(conclusion.counts.total)), "accepted": count(.accepted), "flagged": count(.flagged),
            "quarantined": count(.quarantined), "rejected": count(.rejected),
            "findings": .object(findings.mapValues { .integer($0) }),
            "batch_findings": .array(conclusion.batchFindings.map { .string($0.code.rawValue) }),
            "columns": .array(
                columns.sorted { $0.key ?? -1 < $1.key ?? -1 }.map {
                    .object([
                        "field": .string(batch.fields.name(ofField: $0.key) ?? ""), "masks": .array($0.value),
                    ])
                }),
            "decision_sha256": .string(hex(conclusion.decisionDigest)),
            // Entry numbers of the baseline's batches: twenty batch ids would be the longest part of the body.
            "baseline": .array((conclusion.baseline?.main.entries ?? []).map { .integer(Int64($0)) }),
            "rowmap_sha256": .string(hex(SHA256.hash(rowMap))), "pipeline": .string(Plan.pipelineVersion),
            // The keys that make an equal batch a duplicate, so that the table of keys can be rebuilt from the log.
            "seen": .array(batch.seenKeys(isAccepted: conclusion.isAccepted).map { .string(hex($0)) }),
        ]
        // Name and digest of the anchor or pinned baseline; the entries above are its batches.
        if let name = conclusion.baseline?.name, let digest = conclusion.baseline?.digest {
            members["judged_by"] = .object(["name": .string(name), "digest": .string(digest)])
        }
        if let cross = conclusion.cross?.document { members["cross"] = cross }
        if let shadow = conclusion.shadow?.document { members["shadow"] = shadow }
        if !conclusion.isAccepted {
            let reasons = conclusion.holding.map { Waived(code: $0.code, field: $0.field, rows: 0) }
            members["held_for"] = .array(fitting(reasons))
        }
        if !batch.references.isEmpty { members["references"] = .array(batch.references.map(\.document)) }
        return .object(members)
    }

    /// `batch.failed`: the file could not be judged.
    func failed(_ reason: FailureReason, bytes: Int, attempts: Int) -> JSONValue {
        .object([
            "kind": .event(.batchFailed), "v": .integer(1), "time": .string(time), "batch": .string(batch.id),
            "dataset": .string(batch.dataset), "source": .string(batch.source), "data_hash": .string(hex(batch.digest)),
            "source_name_hash": .string(hex(batch.nameHash)), "bytes": .integer(Int64(bytes)),
            "reason": .string(reason.rawValue), "attempts": .integer(Int64(attempts)),
            "pipeline": .string(Plan.pipelineVersion),
        ])
    }

    /// `batch.duplicate`: the content was judged before.
    func duplicate(of earlier: String) -> JSONValue {
        .object([
            "kind": .event(.batchDuplicate), "v": .integer(1), "time": .string(time),
            "batch": .string(batch.id), "dataset": .string(batch.dataset), "source": .string(batch.source),
            "data_hash": .string(hex(batch.digest)), "of": .string(earlier),
        ])
    }

    /// `batch.superseded`: this batch replaces an accepted one, whose files no longer count.
    func superseded(_ old: String) -> JSONValue {
        .object([
            "kind": .event(.batchSuperseded), "v": .integer(1), "time": .string(time), "batch": .string(old),
            "by": .string(batch.id), "dataset": .string(batch.dataset), "uid": .integer(Int64(userNumber())),
        ])
    }

    /// `batch.released`: a held batch was released as this one, by whom, why, and what was waived.
    func released(_ waiver: Waiver, waived list: [Waived]) -> JSONValue {
        let waived = fitting(list)
        var members: [String: JSONValue] = [
            "kind": .event(.batchReleased), "v": .integer(1), "time": .string(time), "batch": .string(batch.id),
            "held": .string(waiver.held), "dataset": .string(batch.dataset), "uid": .integer(Int64(userNumber())),
            "reason": .string(waiver.reason), "waived": .array(waived),
        ]
        if let rows = waiver.rows { members["rows"] = .string(rows.text) }
        if !waiver.approvals.isEmpty { members["approvals"] = .array(waiver.approvals.map { .integer(Int64($0)) }) }
        if !waiver.newLevels.isEmpty { members["levels"] = .array(waiver.newLevels.sorted().map { .string($0) }) }
        // The list is cut to the size of a body; the sealed report is complete.
        if waived.count < list.count {
            members["left_out"] = .integer(Int64(list.count - waived.count))
        }
        return .object(members)
    }

    /// The waived findings by code and field, as many as fit into a body.
    private func fitting(_ list: [Waived]) -> [JSONValue] {
        var (found, room) = ([JSONValue](), 16_384)
        for each in list {
            var members: [String: JSONValue] = ["code": .string(each.code.rawValue)]
            if let field = batch.fields.name(ofField: each.field) { members["field"] = .string(field) }
            if each.rows > 0 { members["rows"] = .integer(Int64(each.rows)) }
            let made = JSONValue.object(members)
            room -= made.canonicalBytes().count + 1
            if room < 0 { break }
            if !found.contains(made) { found.append(made) }
        }
        return found
    }

    /// `shard.published`: one entry, or several where a single body would be too long.
    func published(_ shards: [StagedShard]) -> [JSONValue] {
        stride(from: 0, to: shards.count, by: LedgerEntry.filesMax).map { first in
            let part = shards[first..<min(shards.count, first + LedgerEntry.filesMax)]
            return .object([
                "kind": .event(.shardPublished), "v": .integer(1), "time": .string(time),
                "batch": .string(batch.id), "dataset": .string(batch.dataset),
                "keys": .array(batch.recipients.map { .string($0.name) }), "files": .array(part.map(file)),
            ])
        }
    }

    private func file(_ shard: StagedShard) -> JSONValue {
        var members: [String: JSONValue] = [
            "role": .string(shard.role.rawValue), "path": .string(shard.path),
            "bytes": .integer(Int64(shard.message.byteCount)),
            "file_sha256": .string(hex(shard.message.fileSHA256)),
        ]
        // A shard can be rewrapped, passed on and queried by row, so its entry says more than the digest of its bytes.
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
