import Cryptography
package import Lineage
import Reading
package import Schemas
import Screening
import Sealing
import Sketches
import Storage
import Tabular

/// A person's decision about a held batch, or about rows that were held back from an accepted one: release them although
/// statistics hold them, or have the batch judged again. What was sealed is the input.
struct Waiver: Sendable {
    /// The batch that holds them.
    let held: String
    /// The rows of an accepted batch; nil for a held batch as a whole.
    var rows: RowList?
    /// The reason, which the ledger records.
    let reason: String
    /// The statistical findings that are waived. If none is, the batch is released only if it passes by itself.
    let waivers: Waivers
    /// Fields whose change is permanent: their baseline begins anew with this batch.
    let newLevels: Set<String>
    /// SHA-256 of the name under which its file came.
    let nameHash: [UInt8]
    /// Its sealed source, decrypted into an unnamed file.
    let source: SourceFiles
    /// The sidecars that came with the file.
    let sidecars: Sidecars
    /// Number of erasures in the batch before its rows were read: rows that are erased meanwhile must not be released.
    let erasures: Int
    /// The entries by which people approved it; none where no approval is asked for.
    var approvals: [Int] = []

    /// The report of a refused release: nothing is recorded, and the batch stays held.
    func refused(_ judged: JudgedBatch) -> BatchReport {
        var report = judged.report(.held)
        if let rows { report.releasedRowsHeld = rows.withheld(judged.fates)?.text(first: 40) ?? "" }
        report.batch = held
        report.releases = held
        report.isRefusedRelease = true
        return report
    }
}

extension BatchIdentity {
    /// The key under which a release is recorded, so that of two concurrent releases of the same content the second is
    /// a duplicate.
    var releaseKey: [UInt8] {
        var parts = ["review/released/v1", dataset, hex(digest), comparesSources ? source : ""]
        if let waiver, let rows = waiver.rows { parts += [waiver.held, rows.text] }
        return SHA256.hash(JSONValue.array(parts.map { .string($0) }).canonicalBytes())
    }
}

/// A held batch that nobody has decided about.
package struct HeldBatch: Sendable, Equatable {
    /// One reason why it is held.
    package struct Reason: Sendable, Equatable {
        /// The finding's code, and the field that it is about; empty for none.
        package let code: String, field: String
    }

    /// The batch, its dataset and its supplier.
    package let batch: String, dataset: String, source: String
    /// The time of the verdict.
    package let time: String
    /// Number of rows.
    package let rows: Int
    /// The reasons for which it is held.
    package let reasons: [Reason]
    /// The oldest held batch that shows the same change; empty when this is the oldest.
    package internal(set) var incident = ""

    init(_ received: JSONValue, _ judged: JSONValue) {
        batch = judged["batch"]?.text ?? ""
        dataset = judged["dataset"]?.text ?? ""
        source = received["source"]?.text ?? ""
        time = judged["time"]?.text ?? ""
        rows = Int(judged["rows"]?.whole ?? 0)
        if let kept = judged["held_for"]?.items {
            reasons = kept.map { Reason(code: $0["code"]?.text ?? "", field: $0["field"]?.text ?? "") }
        } else {
            // Early versions recorded codes without fields, and remarks among them.
            reasons = (judged["batch_findings"]?.items ?? []).map { Reason(code: $0.text ?? "", field: "") }
        }
    }
}

extension Store {
    /// The open holds, newest first, by the proven record; of one dataset when it is given.
    package func heldBatches(of dataset: String? = nil) throws(IngestionError) -> [HeldBatch] {
        let (log, state) = try proven()
        var found: [HeldBatch] = []
        for hold in state.openHolds.reversed() where dataset == nil || hold.dataset == dataset {
            let entries = try recording { () throws(LedgerError) in try log.run(around: hold.sequence, hold.batch) }
            guard let received = entries.first(where: { $0.event == .batchReceived })?.body,
                let judged = entries.first(where: { $0.event == .batchJudged })?.body,
                try accepted(sameAs: received, judged) == nil
            else { continue }
            found.append(HeldBatch(received, judged))
        }
        return found.withIncidents()
    }

    /// The accepted batch of the same content in the same dataset; nil when there is none. Accepted content is never
    /// accepted again.
    func accepted(sameAs received: JSONValue, _ judged: JSONValue) throws(IngestionError) -> String? {
        let (log, state) = try proven()
        guard let dataset = received["dataset"]?.text, let data = received["data_hash"]?.text,
            let digest = bytes(hex: data)
        else { return nil }
        // Without its erased rows a held batch is other content.
        let source = judged["cross"] == nil ? nil : received["source"]?.text
        if let batch = state.release(ofContent: data, dataset: dataset, source: source) { return batch }
        for sequence in state.acceptances(dataset: dataset, digest: digest) {
            let entry = try recording { () throws(LedgerError) in try log.entry(sequence) }
            guard entry.event == .batchJudged, entry.body["verdict"]?.text == "accepted",
                let batch = entry.body["batch"]?.text
            else { continue }
            let run = try recording { () throws(LedgerError) in try log.run(around: sequence, batch) }
            guard let other = run.first(where: { $0.event == .batchReceived })?.body,
                other["dataset"]?.text == dataset, other["data_hash"]?.text == data
            else { continue }
            // Where sources are compared with each other, equal content from another source is an independent
            // statement.
            if judged["cross"] != nil, other["source"]?.text != received["source"]?.text { continue }
            return batch
        }
        return nil
    }
}

extension Store {
    /// Who rejected a held batch, or the same content, for good, when and why; nil when nobody did.
    func rejection(of batch: String, dataset: String, digest: String) throws(IngestionError) -> String? {
        let (log, state) = try proven()
        guard let sequence = state.rejection(of: batch, dataset: dataset, digest: digest) else { return nil }
        let body = try recording { () throws(LedgerError) in try log.entry(sequence).body }
        let rejected = body["batch"]?.text ?? ""
        return "batch \(batch) was rejected"
            + (rejected == batch ? "" : ", as batch \(rejected) with the same content,")
            + " on \((body["time"]?.text ?? "").prefix(10)) by uid \(body["uid"]?.whole ?? -1): \(body["reason"]?.text ?? "")"
    }
}

extension BatchOptions {
    /// The options of a release: the file is read in the form that was found when it came, since that is a fact and
    /// not a setting.
    func releasing(in store: Store, format: SourceFormat?, reading: KeptReading?) -> BatchOptions {
        var options = self
        options.mode = .ingest
        // It was judged before and held, so it must not count as a duplicate.
        options.force = true
        options.supersedes = nil
        options.shadow = nil
        options.format = format
        options.sliceBytes = store.configuration.sliceBytes
        if let read = reading?.options {
            (options.dialect, options.encoding, options.isList) = (read.dialect, read.encoding, read.isList)
            (options.excluded, options.engine) = (read.excluded, read.engine)
        }
        return options
    }
}

/// The sealed files of a held batch, each checked against the record.
private struct SealedBatch {
    let source: SourceFiles
    /// SHA-256 of the source, where rows were erased from it; nil where it is the one that was received.
    let digest: String?
    let sidecars: Sidecars
    /// Contract and reading settings at the time; nil where the batch did not come so far, or this version cannot read
    /// them.
    let reading: KeptReading?

    init(_ batch: String, _ entries: [LedgerEntry], format: SourceFormat?, _ store: Store) throws(IngestionError) {
        let (files, ring) = (entries.flatMap(\.files), try store.keyRing())
        func file(_ role: FileRole) -> PublishedFile? { files.first { $0.role == role } }
        guard let sealed = file(.source) else {
            throw IngestionError(
                .unreadableData,
                "the ledger records no sealed source of batch \(batch); see: sluice lineage show \(batch)")
        }
        if let kept = file(.provenance) {
            let (bytes, _) = try store.readEvidence(
                kept, keys: ring, expect: ["batch-id": batch, "role": FileRole.provenance.rawValue])
            sidecars = (try? JSONValue.parse(bytes)).map { Sidecars($0) } ?? Sidecars()
        } else {
            sidecars = Sidecars()
        }
        var reading: KeptReading?
        if let kept = file(.decision) {
            let (bytes, _) = try store.readEvidence(
                kept, keys: ring, expect: ["batch-id": batch, "role": FileRole.decision.rawValue])
            let document = try? JSONValue.parse(Store.keptLines(bytes).decision)
            if let kept = document?["reading"], let format { reading = try? KeptReading(kept, format: format) }
        }
        self.reading = reading
        source = try store.heldSource(
            sealed,
            try store.openEvidence(
                sealed, keys: ring, expect: ["batch-id": batch, "role": FileRole.source.rawValue]))
        digest = try store.current(sealed).body["data_sha256"]?.text
    }
}

extension Store {
    /// The contract in force for a release: the given one, else the one in `sluice.yaml`, else the one that the batch
    /// was judged by.
    func contract(
        _ given: LoadedSchema?, ofBatch batch: String, dataset: String, judgedBy reading: KeptReading?
    ) throws(IngestionError) -> (schema: Schema, document: JSONValue) {
        if let given { return (Schema.digested(given), given.document) }
        if configuration.datasets[dataset]?.schema != nil {
            let loaded = try contract(of: dataset)
            return (Schema.digested(loaded), loaded.document)
        }
        // Files beside a contract are not sealed with it. Without its name lists fewer values would be masked.
        guard let reading, !reading.schema.needsOtherFiles else {
            throw IngestionError(
                .usage,
                "no contract for batch \(batch): \(Store.configurationName) names none for dataset \(dataset), and the one that it was "
                    + "judged by cannot be used by itself; give it with --schema FILE")
        }
        // A release publishes rows, so a setting that a new contract is refused for is refused here too.
        do throws(SchemaError) {
            _ = try Schema.load(whole: reading.contract.text(pretty: false), name: "its contract", isRecorded: false)
        } catch {
            throw IngestionError(
                .configuration,
                "batch \(batch) cannot be released by the contract that it was judged by: \(error.message); give a corrected one with "
                    + "--schema FILE")
        }
        return (reading.schema, reading.contract)
    }
}

extension Schema {
    /// Whether the contract names files beside it.
    fileprivate var needsOtherFiles: Bool {
        fields.contains { $0.pii?.dictionary != nil }
            || foreignKeys.contains { if case .file = $0.source { true } else { false } }
    }
}

extension Pipeline {
    /// The result of a release.
    package enum Release: Sendable {
        /// The batch was judged again: it is accepted, or the release was refused and it stays held.
        case judged(BatchReport)
        /// The same content was accepted before, as this batch; nothing was done.
        case earlier(String)
        /// It was approved, and so many other people must approve it too; nothing was released.
        case approved(missing: Int)
    }

    /// What is asked for when a held batch is to be released.
    package struct ReleaseRequest: Sendable {
        /// The held batch's id, or that of the accepted batch whose rows are wanted.
        package let batch: String
        /// Rows that were held back from an accepted batch; nil for a held batch as a whole.
        package var rows: RowList?
        /// Why; the ledger records it.
        package let reason: String
        /// Fields whose change is permanent, `*` for all: earlier batches no longer count for them.
        package var newLevels: [String] = []
        /// The findings that are waived, as `CODE` or `CODE:FIELD`; nil for all that are statistical, empty to release it
        /// only if it passes by itself, against what was accepted since.
        package var waived: [String]?
        /// The contract; nil for that of the dataset.
        package var contract: LoadedSchema?
        /// A reviewer's signature over the document of the decision; nil for none.
        package var signature: [UInt8]?

        /// A request that waives statistics under the contract of the dataset.
        package init(_ batch: String, reason: String) {
            self.batch = batch
            self.reason = reason
        }
    }

    /// Judges a held batch once more, under the contract and settings in force. Statistical findings are waived and
    /// recorded; all others still hold it. If it is accepted, the result is a batch of its own, and its released rows
    /// join the baseline.
    ///
    /// - Parameters:
    ///   - request: the batch, and how it is to be released.
    ///   - asked: number of workers, and what the report lists.
    /// - Throws: `usage` for a batch that is not held, rows that were not held back, or a reason that holds personal
    ///   data.
    package func release(
        _ request: ReleaseRequest, options asked: BatchOptions
    ) async throws(IngestionError) -> Release {
        if let rows = request.rows { return try await release(rows, request, options: asked) }
        guard let recorder else { preconditionFailure("a release is recorded") }
        let (held, reason) = (request.batch, request.reason)
        try requireTellable(reason)
        let store = recorder.store
        let entries = try recording { () throws(LedgerError) in try recorder.record.run(held) }
        let (received, judged) = try requireHeld(held, entries)
        if let batch = try store.accepted(sameAs: received, judged) { return .earlier(batch) }
        if let text = try store.ending(entries) {
            throw IngestionError(.noInput, "\(text): there is nothing left to release")
        }
        let format = received["format"]?.text.flatMap { SourceFormat(rawValue: $0) }
        let dataset = received["dataset"]?.text ?? ""
        let erasures = try store.proven().state.erasedRows[held]?.count ?? 0
        let sealed = try SealedBatch(held, entries, format: format, store)
        guard hex(try sealed.source.digest().whole) == sealed.digest ?? received["data_hash"]?.text else {
            throw IngestionError(
                .damaged, "the sealed source of batch \(held) is not the content that the ledger records")
        }
        let (schema, document) = try store.contract(
            request.contract, ofBatch: held, dataset: dataset, judgedBy: sealed.reading)
        var options = asked.releasing(in: store, format: format, reading: sealed.reading)
        options.waiver = Waiver(
            held: held, reason: reason, waivers: try Self.waivers(request.waived, of: schema),
            newLevels: try Self.levels(request.newLevels, of: schema),
            nameHash: bytes(hex: received["source_name_hash"]?.text ?? "") ?? [],
            source: sealed.source, sidecars: sealed.sidecars, erasures: erasures)
        let approved = try approve(request)
        if approved.missing > 0 { return .approved(missing: approved.missing) }
        options.waiver?.approvals = approved.entries
        let report = try await run(
            BatchRequest(
                BatchInput(file: "batch \(held)"), schema: schema, contract: document, dataset: dataset,
                source: received["source"]?.text ?? "", options: options))
        return report.status == .duplicate ? .earlier(report.duplicateOf) : .judged(report)
    }

    /// The findings that `--waive` lists; every statistical one for nil.
    static func waivers(_ listed: [String]?, of schema: Schema) throws(IngestionError) -> Waivers {
        guard let listed else { return .statistics }
        var waived: [Waivers.Listed] = []
        for text in listed {
            let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard let code = FindingCode(rawValue: parts[0]) else {
                throw IngestionError(
                    .usage,
                    "--waive: \(LabelSearch.usual.shown(parts[0])) is no code of a finding; sluice review show names those that hold "
                        + "the batch")
            }
            if code == .tooManyQuarantined {
                throw IngestionError(
                    .usage,
                    "--waive: too-many-quarantined follows from the findings of the rows: list their codes, as the report does, or leave "
                        + "--waive out")
            }
            guard code.isStatistical else {
                throw IngestionError(
                    .usage,
                    "--waive: \(code.rawValue) is never waived, because it is no matter of statistics; see: sluice explain \(code.rawValue)"
                )
            }
            var field: Int?
            if parts.count == 2 {
                field = schema.fields.firstIndex { $0.name == parts[1] }
                if field == nil { try refuseUnknownField("--waive", schema) }
            }
            waived.append(Waivers.Listed(code, field: field))
        }
        return Waivers(listed: waived)
    }

    private static func refuseUnknownField(_ option: String, _ schema: Schema) throws(IngestionError) {
        let known = schema.fields.map(\.name)
        throw IngestionError(
            .usage,
            "\(option): the contract has no such field; it has "
                + known.prefix(40).map { LabelSearch.usual.shown($0) }.joined(separator: ", ")
                + (known.count > 40 ? " and \(known.count - 40) more" : ""))
    }

    /// The named fields, or all for `*`.
    static func levels(_ named: [String], of schema: Schema) throws(IngestionError) -> Set<String> {
        let known = schema.fields.map(\.name)
        if named.contains("*") { return Set(known) }
        if !Set(named).isSubset(of: known) { try refuseUnknownField("--accept-level", schema) }
        return Set(named)
    }

    /// Rejects a held batch for good: it is no longer listed and can never be released. Its sealed source stays.
    ///
    /// - Parameters:
    ///   - held: the batch.
    ///   - reason: why; the ledger records it.
    ///   - signature: a reviewer's signature over the document of the decision; nil for none.
    /// - Returns: how many other people must approve it; 0 when it is rejected.
    /// - Throws: `usage` for a batch that is not held or is already decided, or a reason that holds personal data;
    ///   `tryAgain` when another process decides about it at the same moment.
    @discardableResult
    package func reject(_ held: String, reason: String, signature: [UInt8]? = nil) throws(IngestionError) -> Int {
        guard let recorder else { preconditionFailure("a rejection is recorded") }
        try requireTellable(reason)
        let proven = try recorder.store.proven().state.size
        let entries = try recording { () throws(LedgerError) in try recorder.record.run(held) }
        let (received, judged) = try requireHeld(held, entries)
        if let batch = try recorder.store.accepted(sameAs: received, judged) {
            throw IngestionError(
                .usage, "the content of batch \(held) was accepted as batch \(batch): there is nothing to reject")
        }
        if let text = try recorder.store.ending(entries) {
            throw IngestionError(.usage, "\(text): there is nothing left to reject")
        }
        let approved = try recorder.approve(
            try decision(.reject, about: held, reason: reason), signature: signature)
        if approved.missing > 0 { return approved.missing }
        var entry: [String: JSONValue] = [
            "kind": .event(.holdRejected), "v": .integer(1), "time": .string(Clock.text()), "batch": .string(held),
            "dataset": received["dataset"] ?? .null, "data_hash": received["data_hash"] ?? .null,
            "uid": .integer(Int64(userNumber())), "reason": .string(reason),
        ]
        if !approved.entries.isEmpty { entry["approvals"] = .array(approved.entries.map { .integer(Int64($0)) }) }
        _ = try recorder.append(LedgerChange(entries: [.object(entry)]).decided(at: proven, hold: held))
        return 0
    }

    /// The entries of a held batch.
    ///
    /// - Throws: `usage` for a batch that is not held or is already decided.
    private func requireHeld(
        _ held: String, _ entries: [LedgerEntry]
    ) throws(IngestionError) -> (received: JSONValue, judged: JSONValue) {
        guard let received = entries.first(where: { $0.event == .batchReceived })?.body,
            let judged = entries.first(where: { $0.event == .batchJudged })?.body
        else {
            throw IngestionError(.usage, "the ledger has no held batch \(held); see: sluice review list")
        }
        let rejected = try recorder?.store.rejection(
            of: held, dataset: received["dataset"]?.text ?? "", digest: received["data_hash"]?.text ?? "")
        if let rejected {
            throw IngestionError(.usage, "\(rejected); that is final: have a corrected file sent")
        }
        switch judged["verdict"]?.text {
        case "held": return (received, judged)
        case "accepted":
            throw IngestionError(
                .usage,
                "batch \(held) was accepted: as a whole it has nothing to decide; rows that were held back from it: "
                    + "sluice review release \(held):ROWS --reason TEXT")
        default:
            throw IngestionError(
                .usage,
                "batch \(held) was rejected, for its digest, signature, manifest or source, or by onExceed: reject of the contract; that "
                    + "is never waived: have it sent again; see: sluice lineage show \(held)")
        }
    }
}

/// Refuses a reason with personal data or credentials in it: the ledger keeps it for good.
func requireTellable(_ reason: String) throws(IngestionError) {
    guard (1...1024).contains(reason.utf8.count) else {
        throw IngestionError(.usage, "--reason: give 1 to 1,024 bytes that say why; they are recorded")
    }
    if !LabelSearch.usual.kinds(in: reason).isEmpty {
        throw IngestionError(
            .usage,
            "--reason: it contains personal data or a credential, which the ledger would record: rephrase it")
    }
}
